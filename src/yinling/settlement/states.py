"""States of what two persons decide, of payments, and of what a payer or a bank answers."""

from yinling.kernel.machine import Machine, Row, S, State
from yinling.kernel.words import N_


class DecisionState(State):
    """From the draft to what two persons have decided."""

    DRAFT = "draft", N_("待初审")
    REVIEWED = "reviewed", N_("待复核")
    APPROVED = "approved", N_("已审定")
    RETURNED = "returned", N_("已退回")


def decided_by_two(name: str, states: type[S], *more: Row[S]) -> Machine[S]:
    """Return the table of what one person reviews and another approves, unless it goes back before; ``more`` is what may follow."""
    draft, reviewed, approved, returned = map(states, ("draft", "reviewed", "approved", "returned"))
    rows: list[Row[S]] = [
        ("review", {draft}, reviewed, N_("初审通过")),
        ("approve", {reviewed}, approved, N_("复核通过")),
        ("return", {draft, reviewed}, returned, N_("退回")),
        *more,
    ]
    return Machine(name, states, draft, rows)


STATEMENT = decided_by_two("statement", DecisionState)


class GrantState(State):
    """From the draft to money that two persons granted, and back where two others find that it was wrong."""

    DRAFT = "draft", N_("待初审")
    REVIEWED = "reviewed", N_("待复核")
    APPROVED = "approved", N_("已审定")
    RETURNED = "returned", N_("已退回")
    CONTESTED = "contested", N_("待复核撤销")
    RECOVERING = "recovering", N_("待追回")
    REVOKED = "revoked", N_("已撤销")


GRANTED = (GrantState.APPROVED, GrantState.CONTESTED)
"""What is booked as spent: also while somebody asks for it to be taken back."""
GIVEN_UP = (GrantState.RETURNED, GrantState.REVOKED)
"""What stands in the way of nothing: the same may be entered anew. What is still to come back does."""


def granted_by_two(name: str) -> Machine[GrantState]:
    """Return the table of money that two persons grant and two may take back: at once what is unpaid, else once it has come back."""
    at = GrantState
    return decided_by_two(
        name,
        at,
        ("contest", {at.APPROVED}, at.CONTESTED, N_("提请撤销")),
        ("uphold", {at.CONTESTED}, at.APPROVED, N_("维持审定")),
        ("revoke", {at.CONTESTED}, at.REVOKED, N_("同意撤销")),
        ("recover", {at.CONTESTED}, at.RECOVERING, None),
        ("collect", {at.RECOVERING}, at.RECOVERING, N_("登记追回到账")),
        ("clear", {at.RECOVERING}, at.REVOKED, None),
    )


REIMBURSEMENT = granted_by_two("reimbursement")


class RecoveryState(State):
    """From the list drawn up by itself to the decided one."""

    DRAFT = "draft", N_("待初审")
    REVIEWED = "reviewed", N_("待复核")
    APPROVED = "approved", N_("已审定")
    RETURNED = "returned", N_("已退回")
    LIFTED = "lifted", N_("已撤销")


_R = RecoveryState
RECOVERY = decided_by_two("recovery", _R, ("lift", {_R.APPROVED}, _R.LIFTED, N_("撤销追回")))


class ClaimState(State):
    """From sending a claim to its last answer."""

    SUBMITTED = "submitted", N_("已申报")
    ANSWERED = "answered", N_("已回复")
    WITHDRAWN = "withdrawn", N_("已撤回")


_C = ClaimState
CLAIM = Machine(
    "claim",
    ClaimState,
    _C.SUBMITTED,
    [
        ("answer", {_C.SUBMITTED}, _C.ANSWERED, None),
        ("withdraw", {_C.SUBMITTED}, _C.WITHDRAWN, N_("撤回申报")),
    ],
)


class ClaimLineState(State):
    """What became of one line of a claim."""

    SUBMITTED = "submitted", N_("待回复")
    PAID = "paid", N_("已支付")
    REFUSED = "refused", N_("被拒付")
    RESUBMITTED = "resubmitted", N_("已重新申报")
    APPEALED = "appealed", N_("申诉中")
    ABANDONED = "abandoned", N_("不再申报")


_L = ClaimLineState
CLAIM_LINE = Machine(
    "claim_line",
    ClaimLineState,
    _L.SUBMITTED,
    [
        ("pay", {_L.SUBMITTED, _L.APPEALED}, _L.PAID, None),
        ("refuse", {_L.SUBMITTED, _L.APPEALED}, _L.REFUSED, None),
        ("resubmit", {_L.REFUSED}, _L.RESUBMITTED, N_("重新申报")),
        ("appeal", {_L.REFUSED}, _L.APPEALED, N_("申诉")),
        ("abandon", {_L.SUBMITTED, _L.REFUSED}, _L.ABANDONED, N_("不再申报")),
    ],
)


class PayoutState(State):
    """From the draft of a batch to the bank's answer."""

    DRAFT = "draft", N_("待初审")
    REVIEWED = "reviewed", N_("待复核")
    APPROVED = "approved", N_("已审定")
    EXPORTED = "exported", N_("已送银行")
    COMPLETED = "completed", N_("已完成")
    RETURNED = "returned", N_("已退回")


_P = PayoutState
PAYOUT = decided_by_two(
    "payout",
    _P,
    ("return", {_P.APPROVED}, _P.RETURNED, N_("退回")),
    ("export", {_P.APPROVED, _P.EXPORTED}, _P.EXPORTED, N_("导出银行文件")),
    ("complete", {_P.EXPORTED}, _P.COMPLETED, None),
)


class PayoutLineState(State):
    """What the bank said of one payment."""

    PENDING = "pending", N_("待付款")
    PAID = "paid", N_("已付款")
    FAILED = "failed", N_("银行退回")


_Q = PayoutLineState
PAYOUT_LINE = Machine(
    "payout_line",
    PayoutLineState,
    _Q.PENDING,
    [("pay", {_Q.PENDING}, _Q.PAID, None), ("fail", {_Q.PENDING, _Q.PAID}, _Q.FAILED, None)],
)


class PaymentState(State):
    """From asking for money to its arrival, and back."""

    ASKED = "asked", N_("待支付")
    PAID = "paid", N_("已支付")
    SURPLUS = "surplus", N_("多付待退")
    REFUNDED = "refunded", N_("已退款")
    CLOSED = "closed", N_("已关闭")


_Y = PaymentState
PAYMENT = Machine(
    "payment",
    PaymentState,
    _Y.ASKED,
    [
        ("pay", {_Y.ASKED, _Y.CLOSED}, _Y.PAID, None),
        ("overpay", {_Y.ASKED, _Y.CLOSED}, _Y.SURPLUS, None),
        ("release", {_Y.PAID}, _Y.SURPLUS, None),
        ("close", {_Y.ASKED}, _Y.CLOSED, N_("关闭")),
        ("refund", {_Y.PAID, _Y.SURPLUS}, _Y.REFUNDED, N_("退款")),
    ],
)


class RefundState(State):
    """From the decision to give money back to the channel's word that it went, or to the elder's balance if the channel will not."""

    ASKED = "asked", N_("退款中")
    DONE = "done", N_("已退款")
    FAILED = "failed", N_("退款失败")
    CREDITED = "credited", N_("已转入余额")


_F = RefundState
REFUND = Machine(
    "refund",
    RefundState,
    _F.ASKED,
    [
        ("finish", {_F.ASKED}, _F.DONE, None),
        ("fail", {_F.ASKED}, _F.FAILED, None),
        ("credit", {_F.FAILED}, _F.CREDITED, N_("转入预存余额")),
    ],
)


class DistributionState(State):
    """From the reckoning to the booked shares."""

    DRAFT = "draft", N_("待复核")
    APPROVED = "approved", N_("已入账")
    RETURNED = "returned", N_("已退回")
    CORRECTED = "corrected", N_("已更正")


_D = DistributionState
DISTRIBUTION = Machine(
    "distribution",
    DistributionState,
    _D.DRAFT,
    [
        ("approve", {_D.DRAFT}, _D.APPROVED, N_("复核入账")),
        ("return", {_D.DRAFT}, _D.RETURNED, N_("退回")),
        ("correct", {_D.APPROVED}, _D.CORRECTED, None),
    ],
)
