"""States of a message that leaves the house."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class NoticeState(State):
    """From the queue to the proof. A notice on the screens has no state: it is there at once."""

    WAITING = "waiting", N_("待发送")
    SENT = "sent", N_("已发出")
    DELIVERED = "delivered", N_("已送达")
    FAILED = "failed", N_("未送达")
    DROPPED = "dropped", N_("未发送")


NOTICE = Machine(
    "notice",
    NoticeState,
    NoticeState.WAITING,
    [
        ("send", {NoticeState.WAITING}, NoticeState.SENT, N_("发出")),
        ("drop", {NoticeState.WAITING}, NoticeState.DROPPED, N_("不发送")),
        (
            "deliver",
            {NoticeState.WAITING, NoticeState.SENT, NoticeState.FAILED, NoticeState.DROPPED},
            NoticeState.DELIVERED,
            None,
        ),
        ("fail", {NoticeState.WAITING, NoticeState.SENT}, NoticeState.FAILED, None),
        ("resend", {NoticeState.FAILED, NoticeState.DROPPED}, NoticeState.WAITING, N_("重新发送")),
    ],
)
