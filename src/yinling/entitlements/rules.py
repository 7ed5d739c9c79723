"""In which order payers come, and what a counter still gives. Pure. Who may have a scheme stands in ``eligibility.py``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PAYER_ORDER = (
    "state_care", "contract", "ltci", "medical_insurance", "government", "voucher", "meal_subsidy", "disability", "veteran", "commercial",
    "donation", "employer", "self",
)  # fmt: skip
"""X-PAY-02: each gets only what the one before left."""


@dataclass(frozen=True)
class Funding:
    """What may pay for a service of an elder: whose money, which share, and what is left of it this month (None: no cap)."""

    entitlement_id: int
    scheme_id: int
    scheme_code: str
    scheme_name: str
    payer: str
    fund: str
    share_bp: int
    remaining_fen: int | None


def in_payer_order(fundings: Iterable[Funding]) -> list[Funding]:
    """Sort by payer; state care bears the whole cost and excludes the insurance fund (X-PAY-02)."""
    ordered = sorted(fundings, key=lambda one: (PAYER_ORDER.index(one.payer), one.entitlement_id))
    if any(one.payer == "state_care" for one in ordered):
        return [one for one in ordered if one.payer != "ltci"]
    return ordered


def grantable(wanted_fen: int, *, cap: int, reserved: int, used: int) -> int:
    """Return how much of what is wanted a month's counter still gives."""
    return max(0, min(wanted_fen, cap - reserved - used))
