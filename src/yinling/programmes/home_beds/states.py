"""States of a home sickbed."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class SickbedState(State):
    """From the application to the withdrawal."""

    APPLIED = "applied", N_("待审批")
    APPROVED = "approved", N_("在床")
    REFUSED = "refused", N_("不予建床")
    WITHDRAWN = "withdrawn", N_("已撤床")
    CANCELLED = "cancelled", N_("已撤回申请")


S = SickbedState
SICKBED = Machine(
    "home_sickbed",
    SickbedState,
    S.APPLIED,
    [
        ("approve", {S.APPLIED}, S.APPROVED, N_("批准建床")),
        ("refuse", {S.APPLIED}, S.REFUSED, N_("不予建床")),
        ("cancel", {S.APPLIED}, S.CANCELLED, N_("撤回申请")),
        ("withdraw", {S.APPROVED}, S.WITHDRAWN, N_("撤床")),
    ],
)
