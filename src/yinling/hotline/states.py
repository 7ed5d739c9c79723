"""States of a call and of a ticket."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class CallState(State):
    """From the ring to the end."""

    RINGING = "ringing", N_("振铃")
    ANSWERED = "answered", N_("通话中")
    ENDED = "ended", N_("已结束")
    ABANDONED = "abandoned", N_("未接")


CALL = Machine(
    "call",
    CallState,
    CallState.RINGING,
    [
        ("answer", {CallState.RINGING}, CallState.ANSWERED, N_("接听")),
        ("hang_up", {CallState.ANSWERED}, CallState.ENDED, N_("挂断")),
        ("abandon", {CallState.RINGING}, CallState.ABANDONED, N_("记为未接")),
    ],
)


class TicketState(State):
    """From intake to the end; a transfer starts the next body's part, the clock runs on."""

    OPEN = "open", N_("待受理")
    HANDLING = "handling", N_("办理中")
    RESOLVED = "resolved", N_("待办结")
    CLOSED = "closed", N_("已办结")


TICKET = Machine(
    "ticket",
    TicketState,
    TicketState.OPEN,
    [
        ("take", {TicketState.OPEN}, TicketState.HANDLING, N_("受理")),
        ("transfer", {TicketState.OPEN, TicketState.HANDLING}, TicketState.OPEN, N_("转办")),
        ("resolve", {TicketState.HANDLING}, TicketState.RESOLVED, N_("办理完毕")),
        ("close", {TicketState.HANDLING, TicketState.RESOLVED}, TicketState.CLOSED, N_("办结")),
        ("reopen", {TicketState.RESOLVED, TicketState.CLOSED}, TicketState.HANDLING, N_("重新办理")),
    ],
)
