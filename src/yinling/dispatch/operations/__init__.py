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

__all__ = [
    "accept_assignment",
    "assign_order",
    "expire_assignment",
    "finish_assignment",
    "reassign_order",
    "refuse_assignment",
    "withdraw",
    "withdraw_orphan",
]
