"""Who may have a scheme, and in which order payers come. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from yinling.kernel.words import N_

PAYER_ORDER = (
    "state_care", "contract", "ltci", "medical_insurance", "government", "voucher", "meal_subsidy", "disability", "veteran", "commercial",
    "donation", "employer", "self",
)  # fmt: skip
"""X-PAY-02: each gets only what the one before left."""


@dataclass(frozen=True)
class Situation:
    """What is known of an elder on a day, as far as schemes ask."""

    day: date
    level: str | None
    circumstances: frozenset[str] = frozenset()
    died_on: date | None = None


@dataclass(frozen=True)
class Requirement:
    """What a scheme asks for: one of the levels, one of the circumstances; an empty set asks for nothing."""

    levels: frozenset[str] = frozenset()
    circumstances: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Eligibility:
    """Yes or no, with the reason as code and sentence."""

    is_eligible: bool
    code: str
    reason: str


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


def _no(code: str, reason: str) -> Eligibility:
    return Eligibility(is_eligible=False, code=code, reason=reason)


def has_left(situation: Situation) -> bool:
    """Whether benefits have stopped: from the day after death, or from the day of moving away (R-PEO-03)."""
    is_dead = situation.died_on is not None and situation.died_on < situation.day
    return is_dead or "moved_away" in situation.circumstances


def eligibility(requirement: Requirement, situation: Situation) -> Eligibility:
    """Say whether an elder may have a scheme on a day, and why (X-PAY-04: the voucher asks for moderate disability or worse)."""
    if has_left(situation):
        return _no("has_left", N_("此人已去世或已迁出，不能享受"))
    if requirement.levels and situation.level is None:
        return _no("not_assessed", N_("没有有效的能力评估结果，请先评估"))
    if requirement.levels and situation.level not in requirement.levels:
        return _no("level", N_("评估等级不在享受范围内"))
    if requirement.circumstances and not requirement.circumstances & situation.circumstances:
        return _no("circumstance", N_("没有登记享受此项待遇所要求的人群类别"))
    return Eligibility(is_eligible=True, code="eligible", reason=N_("符合条件"))


def in_payer_order(fundings: Iterable[Funding]) -> list[Funding]:
    """Sort by payer; state care bears the whole cost and excludes the insurance fund (X-PAY-02)."""
    ordered = sorted(fundings, key=lambda one: (PAYER_ORDER.index(one.payer), one.entitlement_id))
    if any(one.payer == "state_care" for one in ordered):
        return [one for one in ordered if one.payer != "ltci"]
    return ordered


def grantable(wanted_fen: int, *, cap_fen: int, reserved_fen: int, used_fen: int) -> int:
    """Return how much of what is wanted a month's counter still gives."""
    return max(0, min(wanted_fen, cap_fen - reserved_fen - used_fen))
