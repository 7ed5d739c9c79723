"""States of a contract with a family doctor."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class ContractState(State):
    """From the draft to the end."""

    DRAFT = "draft", N_("待签约")
    SIGNED = "signed", N_("履约中")
    ENDED = "ended", N_("已解约")
    CANCELLED = "cancelled", N_("已作废")


S = ContractState
CONTRACT = Machine(
    "doctor_contract",
    ContractState,
    S.DRAFT,
    [
        ("sign", {S.DRAFT}, S.SIGNED, N_("签约")),
        ("cancel", {S.DRAFT}, S.CANCELLED, N_("作废")),
        ("end", {S.SIGNED}, S.ENDED, N_("解约")),
    ],
)
