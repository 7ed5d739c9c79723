"""States of a grant: two persons make it."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class GrantState(State):
    """From the proposal of one administrator to the end."""

    PROPOSED = "proposed", N_("待复核")
    ACTIVE = "active", N_("有效")
    ENDED = "ended", N_("已终止")


GRANT = Machine(
    "grant",
    GrantState,
    GrantState.PROPOSED,
    [
        ("confirm", {GrantState.PROPOSED}, GrantState.ACTIVE, N_("复核通过")),
        ("end", {GrantState.PROPOSED, GrantState.ACTIVE}, GrantState.ENDED, N_("终止授权")),
    ],
)
