"""States of a subsidy: two persons decide it."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class SubsidyState(State):
    """From the draft to the decided subsidy, which a payout then pays."""

    DRAFT = "draft", N_("待初审")
    REVIEWED = "reviewed", N_("待复核")
    APPROVED = "approved", N_("已审定")
    RETURNED = "returned", N_("已退回")


S = SubsidyState
SUBSIDY = Machine(
    "subsidy",
    SubsidyState,
    S.DRAFT,
    [
        ("review", {S.DRAFT}, S.REVIEWED, N_("初审通过")),
        ("approve", {S.REVIEWED}, S.APPROVED, N_("复核通过")),
        ("return", {S.DRAFT, S.REVIEWED}, S.RETURNED, N_("退回")),
    ],
)
