"""States of a statement and of a recovery list: two persons approve each."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class StatementState(State):
    """From the draft to the payable statement."""

    DRAFT = "draft", N_("待初审")
    REVIEWED = "reviewed", N_("待复核")
    APPROVED = "approved", N_("已审定")
    RETURNED = "returned", N_("已退回")


T = StatementState
STATEMENT = Machine(
    "statement",
    StatementState,
    T.DRAFT,
    [
        ("review", {T.DRAFT}, T.REVIEWED, N_("初审通过")),
        ("approve", {T.REVIEWED}, T.APPROVED, N_("复核通过")),
        ("return", {T.DRAFT, T.REVIEWED}, T.RETURNED, N_("退回")),
    ],
)


class RecoveryState(State):
    """From the list drawn up by itself to the decided one."""

    DRAFT = "draft", N_("待初审")
    REVIEWED = "reviewed", N_("待复核")
    APPROVED = "approved", N_("已审定")
    RETURNED = "returned", N_("已退回")
    LIFTED = "lifted", N_("已撤销")


R = RecoveryState
RECOVERY = Machine(
    "recovery",
    RecoveryState,
    R.DRAFT,
    [
        ("review", {R.DRAFT}, R.REVIEWED, N_("初审通过")),
        ("approve", {R.REVIEWED}, R.APPROVED, N_("复核通过")),
        ("return", {R.DRAFT, R.REVIEWED}, R.RETURNED, N_("退回")),
        ("lift", {R.APPROVED}, R.LIFTED, N_("撤销追回")),
    ],
)
