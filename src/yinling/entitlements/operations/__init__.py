"""Giving schemes to elders, one file per noun."""

from yinling.entitlements.operations.agreements import end_agreement, sign_agreement
from yinling.entitlements.operations.applications import (
    apply_for,
    attach_paper,
    complete_application,
    recount_application,
    stop_application,
    withdraw_application,
)
from yinling.entitlements.operations.budgets import confirm_budget, free_ended, pay_once, set_budget, take_back_once
from yinling.entitlements.operations.counters import (
    confirm_use_each,
    give_back_each,
    is_shared_out,
    reserve_each,
    undo_use_each,
)
from yinling.entitlements.operations.decisions import (
    approve_application,
    approve_applications,
    call_up_application,
    next_in_line,
    refuse_application,
    review_application,
)
from yinling.entitlements.operations.grades import follow_grade, follow_grades
from yinling.entitlements.operations.grants import (
    end_entitlement,
    end_for_programme,
    follow_elders,
    give_for_programme,
    grant_entitlement,
    stop_after_leaving,
    stop_entitlement,
    terms,
    verdict,
)
from yinling.entitlements.operations.lines import approve_line, fund_budget, open_line, propose_line, raise_line, spend
from yinling.entitlements.operations.notices import publish_notice
from yinling.entitlements.operations.objections import decide_objection, raise_objection, reveal_objection
from yinling.entitlements.operations.rechecks import recheck_entitlement, remind_of_end

__all__ = [
    "apply_for",
    "approve_application",
    "approve_applications",
    "approve_line",
    "attach_paper",
    "call_up_application",
    "complete_application",
    "confirm_budget",
    "confirm_use_each",
    "decide_objection",
    "end_agreement",
    "end_entitlement",
    "end_for_programme",
    "follow_elders",
    "follow_grade",
    "follow_grades",
    "free_ended",
    "fund_budget",
    "give_back_each",
    "give_for_programme",
    "grant_entitlement",
    "is_shared_out",
    "next_in_line",
    "open_line",
    "pay_once",
    "propose_line",
    "publish_notice",
    "raise_line",
    "raise_objection",
    "recheck_entitlement",
    "recount_application",
    "refuse_application",
    "remind_of_end",
    "reserve_each",
    "reveal_objection",
    "review_application",
    "set_budget",
    "sign_agreement",
    "spend",
    "stop_after_leaving",
    "stop_application",
    "stop_entitlement",
    "take_back_once",
    "terms",
    "undo_use_each",
    "verdict",
    "withdraw_application",
]
