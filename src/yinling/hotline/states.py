"""States of calls, seats, rosters, tickets and what belongs to them."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class CallState(State):
    """From the ring to the end."""

    RINGING = "ringing", N_("振铃")
    ANSWERED = "answered", N_("通话中")
    ENDED = "ended", N_("已结束")
    ABANDONED = "abandoned", N_("未接")
    DIVERTED = "diverted", N_("已转值班电话")
    MESSAGE = "message", N_("已留言")


CALL = Machine(
    "call",
    CallState,
    CallState.RINGING,
    [
        ("answer", {CallState.RINGING}, CallState.ANSWERED, N_("接听")),
        ("hang_up", {CallState.ANSWERED}, CallState.ENDED, N_("挂断")),
        ("abandon", {CallState.RINGING}, CallState.ABANDONED, N_("记为未接")),
        ("divert", {CallState.RINGING}, CallState.DIVERTED, N_("转值班电话")),
        ("leave", {CallState.RINGING}, CallState.MESSAGE, N_("留言")),
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
        ("merge", {TicketState.OPEN, TicketState.HANDLING}, TicketState.CLOSED, N_("并案")),
        ("reopen", {TicketState.RESOLVED, TicketState.CLOSED}, TicketState.HANDLING, N_("重新办理")),
    ],
)


class SeatState(State):
    """Whether a seat takes calls."""

    OFF = "off", N_("离席")
    READY = "ready", N_("就绪")
    PAUSED = "paused", N_("小休")


SEAT = Machine(
    "seat",
    SeatState,
    SeatState.OFF,
    [
        ("sign_in", {SeatState.OFF}, SeatState.READY, N_("上线")),
        ("pause", {SeatState.READY}, SeatState.PAUSED, N_("小休")),
        ("resume", {SeatState.PAUSED}, SeatState.READY, N_("就绪")),
        ("sign_out", {SeatState.READY, SeatState.PAUSED}, SeatState.OFF, N_("离席")),
    ],
)


class CallbackState(State):
    """From the task to its end."""

    OPEN = "open", N_("待回拨")
    DONE = "done", N_("已回拨")
    FAILED = "failed", N_("未能接通")


CALLBACK = Machine(
    "callback",
    CallbackState,
    CallbackState.OPEN,
    [
        ("finish", {CallbackState.OPEN}, CallbackState.DONE, N_("完成回拨")),
        ("give_up", {CallbackState.OPEN}, CallbackState.FAILED, N_("放弃回拨")),
    ],
)


class ArticleState(State):
    """From the draft to its end."""

    DRAFT = "draft", N_("草稿")
    PUBLISHED = "published", N_("已发布")
    WITHDRAWN = "withdrawn", N_("已停用")


ARTICLE = Machine(
    "article",
    ArticleState,
    ArticleState.DRAFT,
    [
        ("publish", {ArticleState.DRAFT}, ArticleState.PUBLISHED, N_("发布")),
        ("withdraw", {ArticleState.DRAFT, ArticleState.PUBLISHED}, ArticleState.WITHDRAWN, N_("停用")),
    ],
)


class RosterState(State):
    """A published roster has no uncovered minute."""

    DRAFT = "draft", N_("草稿")
    PUBLISHED = "published", N_("已发布")
    WITHDRAWN = "withdrawn", N_("已撤回")


ROSTER = Machine(
    "roster",
    RosterState,
    RosterState.DRAFT,
    [
        ("publish", {RosterState.DRAFT}, RosterState.PUBLISHED, N_("发布")),
        ("withdraw", {RosterState.DRAFT, RosterState.PUBLISHED}, RosterState.WITHDRAWN, N_("撤回")),
    ],
)


class SwapState(State):
    """A colleague agrees, the leader approves."""

    ASKED = "asked", N_("待同事同意")
    AGREED = "agreed", N_("待班长批准")
    APPROVED = "approved", N_("已换班")
    REFUSED = "refused", N_("未同意")
    CANCELLED = "cancelled", N_("已取消")


SWAP = Machine(
    "swap",
    SwapState,
    SwapState.ASKED,
    [
        ("agree", {SwapState.ASKED}, SwapState.AGREED, N_("同意换班")),
        ("approve", {SwapState.AGREED}, SwapState.APPROVED, N_("批准换班")),
        ("refuse", {SwapState.ASKED, SwapState.AGREED}, SwapState.REFUSED, N_("不同意")),
        ("cancel", {SwapState.ASKED, SwapState.AGREED}, SwapState.CANCELLED, N_("取消申请")),
    ],
)


class LeaveState(State):
    """Asked for and answered."""

    ASKED = "asked", N_("待批准")
    GRANTED = "granted", N_("已批准")
    REFUSED = "refused", N_("未批准")
    CANCELLED = "cancelled", N_("已取消")


LEAVE = Machine(
    "leave",
    LeaveState,
    LeaveState.ASKED,
    [
        ("grant", {LeaveState.ASKED}, LeaveState.GRANTED, N_("批准")),
        ("refuse", {LeaveState.ASKED}, LeaveState.REFUSED, N_("不批准")),
        ("cancel", {LeaveState.ASKED, LeaveState.GRANTED}, LeaveState.CANCELLED, N_("取消")),
    ],
)


class SampleState(State):
    """From the draw to the end of an objection."""

    DRAWN = "drawn", N_("待评")
    SCORED = "scored", N_("已评")
    OBJECTED = "objected", N_("有异议")
    SETTLED = "settled", N_("已复核")


SAMPLE = Machine(
    "sample",
    SampleState,
    SampleState.DRAWN,
    [
        ("score", {SampleState.DRAWN}, SampleState.SCORED, N_("评分")),
        ("object", {SampleState.SCORED}, SampleState.OBJECTED, N_("提出异议")),
        ("settle", {SampleState.OBJECTED}, SampleState.SETTLED, N_("复核")),
    ],
)


class OperatorStatementState(State):
    """The company confirms, the city approves."""

    DRAFT = "draft", N_("草稿")
    SENT = "sent", N_("待确认")
    CONFIRMED = "confirmed", N_("待审定")
    APPROVED = "approved", N_("已审定")


OPERATOR_STATEMENT = Machine(
    "operator_statement",
    OperatorStatementState,
    OperatorStatementState.DRAFT,
    [
        ("send", {OperatorStatementState.DRAFT}, OperatorStatementState.SENT, N_("送运营单位确认")),
        ("object", {OperatorStatementState.SENT}, OperatorStatementState.DRAFT, N_("提出异议")),
        ("confirm", {OperatorStatementState.SENT}, OperatorStatementState.CONFIRMED, N_("确认")),
        ("approve", {OperatorStatementState.CONFIRMED}, OperatorStatementState.APPROVED, N_("审定")),
    ],
)
