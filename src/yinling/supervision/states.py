"""States of a finding."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class FindingState(State):
    """From the moment it is written to the end."""

    OPEN = "open", N_("待处置")
    ACKNOWLEDGED = "acknowledged", N_("核查中")
    RELEASED = "released", N_("已解除")
    UPHELD = "upheld", N_("已认定")


F = FindingState
FINDING = Machine(
    "finding",
    FindingState,
    F.OPEN,
    [
        ("acknowledge", {F.OPEN}, F.ACKNOWLEDGED, N_("开始核查")),
        ("release", {F.OPEN, F.ACKNOWLEDGED}, F.RELEASED, N_("解除")),
        ("uphold", {F.OPEN, F.ACKNOWLEDGED}, F.UPHELD, N_("认定违规")),
    ],
)
