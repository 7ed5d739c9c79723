"""What a visit costs above its items: the on-site fee, once a visit, in parts that a quote can say in words (R-PAY-01, R-PAY-03)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from yinling.kernel.period import SHANGHAI
from yinling.kernel.words import N_

KILOMETRE = 1000
LEVELS = {
    "doctor": N_("医师"), "nurse": N_("护士"), "medical_care_worker": N_("医疗护理员"), "care_worker": N_("养老护理员"),
}  # fmt: skip
"""Levels of staff for which a fee may be asked, by the qualification an item needs; the highest first."""


class Rate(Protocol):
    """The published table of one organisation, as ``catalogue.CalloutRate`` keeps it."""

    base_fen: int
    free_m: int
    km_fen: int
    night_fen: int
    night_from: int
    night_to: int
    holiday_fen: int

    @property
    def level_fen(self) -> Mapping[str, int]:
        """Fen by needed qualification."""
        ...  # pragma: no cover - a protocol


@dataclass(frozen=True)
class Asked:
    """One item of a visit: whether a call-out is charged for it, the base at its price, and the qualification it needs."""

    charges_callout: bool
    callout_fee_fen: int = 0
    needs_qualification: str = ""


@dataclass(frozen=True)
class Callout:
    """The on-site fee of one visit and the parts it is made of, as (words, fen)."""

    amount_fen: int
    parts: tuple[tuple[str, int], ...]


def callout(
    items: Sequence[Asked], rate: Rate | None, *, starts_at: datetime, distance_m: int | None, is_holiday: bool, level: str | None = None
) -> Callout:  # fmt: skip
    """Return the on-site fee of a visit: the highest base among its items, and what the rate adds; nothing if no item charges one.

    ``level`` is the qualification of who comes, without it the dearest one that an item needs. Without a position nobody counts kilometres.
    """
    charged = [item for item in items if item.charges_callout]
    if not charged:
        return Callout(0, ())
    own = rate.base_fen if rate else 0
    parts = [(N_("基本上门费"), max(item.callout_fee_fen or own for item in charged))]
    if rate:
        levels = [level] if level is not None else [item.needs_qualification for item in charged]
        parts += [_level(rate, levels), _way(rate, distance_m), _night(rate, starts_at)]
        parts.append((N_("法定节假日"), rate.holiday_fen if is_holiday else 0))
    asked = tuple((name, fen) for name, fen in parts if fen)
    return Callout(sum(fen for _name, fen in asked), asked)


def _level(rate: Rate, levels: Sequence[str]) -> tuple[str, int]:
    dearest = max(levels, key=lambda one: rate.level_fen.get(one, 0), default="")
    return N_("%(who)s上门") % {"who": LEVELS.get(dearest, "")}, rate.level_fen.get(dearest, 0)


def started_kilometres(distance_m: int | None, free_m: int) -> int:
    """Return how many kilometres beyond the free distance have begun."""
    return -(-max(0, (distance_m or 0) - free_m) // KILOMETRE)


def _way(rate: Rate, distance_m: int | None) -> tuple[str, int]:
    begun = started_kilometres(distance_m, rate.free_m)
    said = N_("超出 %(free)s 公里的路程，%(begun)s 公里")
    return said % {"free": f"{rate.free_m / KILOMETRE:g}", "begun": begun}, begun * rate.km_fen


def is_night(starts_at: datetime, night_from: int, night_to: int) -> bool:
    """Whether a visit begins at night, by the local clock; the same hour twice means that there is no night."""
    hour = starts_at.astimezone(SHANGHAI).hour
    if night_from <= night_to:
        return night_from <= hour < night_to
    return hour >= night_from or hour < night_to


def _night(rate: Rate, starts_at: datetime) -> tuple[str, int]:
    said = N_("夜间（%(first)s 时至 %(last)s 时）") % {"first": rate.night_from, "last": rate.night_to}
    return said, rate.night_fen if is_night(starts_at, rate.night_from, rate.night_to) else 0
