"""Giving schemes to elders, one file per noun."""

from yinling.entitlements.operations.applications import (
    apply_for,
    attach_paper,
    complete_application,
    recount_application,
    stop_application,
    withdraw_application,
)
from yinling.entitlements.operations.budgets import confirm_budget, free_ended, set_budget
from yinling.entitlements.operations.counters import confirm_use, give_back, reserve, undo_use
from yinling.entitlements.operations.decisions import (
    approve_application,
    approve_applications,
    call_up_application,
    next_in_line,
    refuse_application,
    review_application,
)
from yinling.entitlements.operations.grants import (
    end_entitlement,
    follow_elders,
    grant_entitlement,
    stop_after_leaving,
    stop_entitlement,
    terms,
    verdict,
)
from yinling.entitlements.operations.notices import publish_notice
from yinling.entitlements.operations.objections import decide_objection, raise_objection, reveal_objection
from yinling.entitlements.operations.rechecks import recheck_entitlement, remind_of_end

__all__ = [
    "apply_for",
    "approve_application",
    "approve_applications",
    "attach_paper",
    "call_up_application",
    "complete_application",
    "confirm_budget",
    "confirm_use",
    "decide_objection",
    "end_entitlement",
    "follow_elders",
    "free_ended",
    "give_back",
    "grant_entitlement",
    "next_in_line",
    "publish_notice",
    "raise_objection",
    "recheck_entitlement",
    "recount_application",
    "refuse_application",
    "remind_of_end",
    "reserve",
    "reveal_objection",
    "review_application",
    "set_budget",
    "stop_after_leaving",
    "stop_application",
    "stop_entitlement",
    "terms",
    "undo_use",
    "verdict",
    "withdraw_application",
]
