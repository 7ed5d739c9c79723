"""Writing of dispatch, one file per noun."""

from yinling.dispatch.operations.assignments import (
    accept_all,
    accept_assignment,
    assign_order,
    expire_assignment,
    finish_assignment,
    inform_carer,
    offer,
    reassign_order,
    refuse_assignment,
    take_back,
    tell_off,
    withdraw,
    withdraw_orphan,
)
from yinling.dispatch.operations.avoidances import ask_avoidance, end_avoidance, record_avoidance
from yinling.dispatch.operations.borders import balance_plans
from yinling.dispatch.operations.cities import plan_city
from yinling.dispatch.operations.claims import allow_claims, claim_order, release_assignment, stop_claims
from yinling.dispatch.operations.corrections import (
    confirm_correction,
    end_correction,
    propose_correction,
    reject_correction,
    replace_correction,
)
from yinling.dispatch.operations.plans import (
    copy_plan,
    discard_plan,
    lock_staff,
    lock_visit,
    move_visit,
    request_plan,
    stop_plan,
)
from yinling.dispatch.operations.publishing import publish_plan
from yinling.dispatch.operations.replans import replan

__all__ = [
    "accept_all",
    "accept_assignment",
    "allow_claims",
    "ask_avoidance",
    "assign_order",
    "balance_plans",
    "claim_order",
    "confirm_correction",
    "copy_plan",
    "discard_plan",
    "end_avoidance",
    "end_correction",
    "expire_assignment",
    "finish_assignment",
    "inform_carer",
    "lock_staff",
    "lock_visit",
    "move_visit",
    "offer",
    "plan_city",
    "propose_correction",
    "publish_plan",
    "reassign_order",
    "record_avoidance",
    "refuse_assignment",
    "reject_correction",
    "release_assignment",
    "replace_correction",
    "replan",
    "request_plan",
    "stop_claims",
    "stop_plan",
    "take_back",
    "tell_off",
    "withdraw",
    "withdraw_orphan",
]
