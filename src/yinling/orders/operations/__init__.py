"""Everything that writes orders, one file per step of their life."""

from yinling.orders.operations.holds import hold_order, release_hold
from yinling.orders.operations.lines import add_line, confirm_line, drop_line, drop_open_changes
from yinling.orders.operations.meals import deliver_orders, lapse_order, remind_of_meals
from yinling.orders.operations.moves import (
    accept_order,
    cancel_order,
    close_order,
    deliver_order,
    readdress_order,
    refuse_order,
    resume_order,
    return_silent_order,
    stop_order,
    suspend_order,
)
from yinling.orders.operations.placing import LATER, place_order
from yinling.orders.operations.programmes import place_for_programme
from yinling.orders.operations.steps import (
    appoint,
    appoint_each,
    mark_accepted,
    mark_assigned_each,
    mark_failed,
    mark_served,
    mark_settled_each,
    mark_started,
    return_order,
    return_orders,
)

__all__ = [
    "LATER",
    "accept_order",
    "add_line",
    "appoint",
    "appoint_each",
    "cancel_order",
    "close_order",
    "confirm_line",
    "deliver_order",
    "deliver_orders",
    "drop_line",
    "drop_open_changes",
    "hold_order",
    "lapse_order",
    "mark_accepted",
    "mark_assigned_each",
    "mark_failed",
    "mark_served",
    "mark_settled_each",
    "mark_started",
    "place_for_programme",
    "place_order",
    "readdress_order",
    "refuse_order",
    "release_hold",
    "remind_of_meals",
    "resume_order",
    "return_order",
    "return_orders",
    "return_silent_order",
    "stop_order",
    "suspend_order",
]
