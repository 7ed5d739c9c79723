"""Writing of dispatch, one file per noun."""

from yinling.dispatch.operations.assignments import (
    accept_assignment,
    assign_order,
    expire_assignment,
    finish_assignment,
    reassign_order,
    refuse_assignment,
    withdraw,
    withdraw_orphan,
)
from yinling.dispatch.operations.plans import (
    copy_plan,
    discard_plan,
    lock_staff,
    lock_visit,
    move_visit,
    plan_city,
    publish_plan,
    replan,
    request_plan,
    stop_plan,
)

__all__ = [
    "accept_assignment",
    "assign_order",
    "copy_plan",
    "discard_plan",
    "expire_assignment",
    "finish_assignment",
    "lock_staff",
    "lock_visit",
    "move_visit",
    "plan_city",
    "publish_plan",
    "reassign_order",
    "refuse_assignment",
    "replan",
    "request_plan",
    "stop_plan",
    "withdraw",
    "withdraw_orphan",
]
