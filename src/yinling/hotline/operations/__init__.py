"""Writing of the hotline, one file per noun."""

from yinling.hotline.operations.calls import (
    abandon_call,
    answer_call,
    hang_up_call,
    identify_call,
    receive_call,
    set_activity,
)
from yinling.hotline.operations.emergencies import STEP_LABELS, advance_emergency, hand_over_call
from yinling.hotline.operations.tickets import (
    annotate_ticket,
    close_ticket,
    open_follow_up,
    open_ticket,
    recount_ticket,
    reopen_ticket,
    resolve_ticket,
    split_ticket,
    take_ticket,
    transfer_ticket,
)

__all__ = [
    "STEP_LABELS", "abandon_call", "advance_emergency", "annotate_ticket", "answer_call", "close_ticket", "hand_over_call", "hang_up_call",
    "identify_call", "open_follow_up", "open_ticket", "receive_call", "recount_ticket", "reopen_ticket", "resolve_ticket", "set_activity",
    "split_ticket", "take_ticket", "transfer_ticket",
]  # fmt: skip
