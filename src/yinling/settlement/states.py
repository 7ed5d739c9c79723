"""States of a statement: two persons approve it."""

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
