"""What may pay for a service within which limits, in which order, and what a counter still gives. Pure.

Who may have a scheme stands in ``eligibility.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from yinling.entitlements.conditions import Amounts
from yinling.kernel.period import add_months, month_start, week_start
from yinling.kernel.words import N_

FEN, VISIT, MINUTE = "fen", "visit", "minute"
TIME = "time"
"""What an agreement counts besides money: one item bought in one order."""
EXTRA = "+"
"""Ends the name of a unit of which a pool may be used once the limits of the unit itself are used up (X-LTC-02)."""


@dataclass(frozen=True)
class Limit:
    """At most so many of a unit in each day, ISO week, month or year, or over the whole span. Nothing carries over (X-LTC-04).

    ``held`` are ``(months, more)``: what is added from the day on which the entitlement has been held for so many months.
    """

    unit: str
    per: str
    most: int
    held: tuple[tuple[int, int], ...] = ()

    def most_on(self, day: date, since: date) -> int:
        """How much it gives on a day to who has held it since another."""
        return self.most + max((more for months, more in self.held if add_months(since, months) <= day), default=0)

    def as_json(self) -> dict[str, Any]:
        """As an entitlement keeps it."""
        kept: dict[str, Any] = {"unit": self.unit, "per": self.per, "most": self.most}
        return kept | ({"held": [list(step) for step in self.held]} if self.held else {})


@dataclass(frozen=True)
class Use:
    """So much of the counter of a unit in the period that begins on a day; ``most`` is what the period holds, if known.

    The counter is the entitlement's own, or that of an agreement under which its payer buys.
    """

    unit: str
    per: str
    from_on: date
    amount: int
    most: int | None = field(default=None, compare=False)
    agreement_id: int | None = None

    def as_json(self) -> list[Any]:
        """As a payer's share keeps it; the number of the agreement last, if it is the agreement's counter."""
        kept = [self.unit, self.per, self.from_on.isoformat(), self.amount]
        return kept if self.agreement_id is None else [*kept, self.agreement_id]


@dataclass(frozen=True)
class Left:
    """What a limit still gives in the period of a service day, of how much."""

    unit: str
    per: str
    from_on: date
    left: int
    most: int
    agreement_id: int | None = None


@dataclass(frozen=True)
class Agreed:
    """An agreement between the provider and a payer: for which items (none: all), and what its month still gives over all elders."""

    agreement_id: int
    items: frozenset[str] = frozenset()
    limits: tuple[Left, ...] = ()

    def covers(self, code: str) -> bool:
        """Whether an item is bought under it."""
        return not self.items or code in self.items


@dataclass(frozen=True)
class Funding:
    """What may pay for a service of an elder: whose money, by which share or sums by unit, and what its limits still give.

    ``items`` narrows it to item codes; without, it is for the ``families`` of the scheme. ``barred`` says of an item code, or of all
    (key empty), why this source cannot be used for it on the day. ``agreements`` are those of its payer with the provider: what is bought
    under one stays within its month. ``place`` is where the service is given, if the scheme bears another share elsewhere (X-PAY-04).
    """

    entitlement_id: int
    scheme_id: int
    scheme_code: str
    scheme_name: str
    payer: str
    fund: str
    share_bp: int
    units: Mapping[str, int] = field(default_factory=dict)
    items: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    limits: tuple[Left, ...] = ()
    families: frozenset[str] = frozenset()
    barred: Mapping[str, str] = field(default_factory=dict)
    agreements: tuple[Agreed, ...] = ()
    place: str = ""

    def why_barred(self, code: str) -> str:
        """Why it cannot be used for an item; empty if it can."""
        return self.barred.get("", "") or self.barred.get(code, "")


def uses_from_json(kept: Iterable[Sequence[Any]]) -> list[Use]:
    """Read the counters of a payer's share."""
    return [
        Use(unit, per, date.fromisoformat(first), amount, agreement_id=agreement[0] if agreement else None)
        for unit, per, first, amount, *agreement in kept
    ]


def period_start(per: str, day: date, since: date) -> date:
    """First day of the period of a day: of the ISO week, the month, the year, or of the entitlement itself."""
    return {"day": day, "week": week_start(day), "month": month_start(day), "year": day.replace(month=1, day=1)}.get(
        per, since
    )


def shared_by(entitlement_id: int, scheme_code: str, per: str) -> int | str:
    """Whose a counter is: of the whole span the entitlement's own, of a calendar period that of all that the elder holds of a scheme."""
    return entitlement_id if per == "span" else scheme_code


_UNITS = {"hour": (MINUTE, 60), "visit": (VISIT, 1), "minute": (MINUTE, 1)}


def limit_of(name: str, count: int, held: tuple[tuple[int, int], ...] = ()) -> Limit:
    """Read a count as cities write it: ``visits_a_week`` 5, ``hours_a_week`` 7, ``lunches_a_day`` 1. ValueError if it is none."""
    word, _, per = name.rpartition("_a_")
    if per not in ("day", "week", "month", "year") or not word:
        raise ValueError(name)
    single = word[:-2] if word.endswith("ches") else word.removesuffix("s")
    unit, times = _UNITS.get(single, (single, 1))
    return Limit(unit, per, count * times, tuple((months, more * times) for months, more in held))


def limits_of(amounts: Amounts) -> list[Limit]:
    """Return the limits that the amounts of a grade set besides the monthly cap."""
    steps: dict[str, list[tuple[int, int]]] = {}
    extra: dict[str, list[tuple[int, int]]] = {}
    for one in amounts.held:
        for name, more in one.counts:
            steps.setdefault(name, []).append((one.after_months, more))
        for name, more in one.extra:
            extra.setdefault(name, []).append((one.after_months, more))
    found = [limit_of(name, count, tuple(steps.get(name, ()))) for name, count in amounts.counts]
    pools = [limit_of(name, 0, tuple(more)) for name, more in extra.items()]
    return found + [Limit(pool.unit + EXTRA, pool.per, 0, pool.held) for pool in pools]


def kept_limits(
    limits: Iterable[Mapping[str, Any]], *, monthly_cap_fen: int | None, items: Mapping[str, Mapping[str, Any]]
) -> list[Limit]:
    """Return every limit of an entitlement as kept: its own, its monthly cap, and how often each of its items is paid."""
    found = [Limit(FEN, "month", monthly_cap_fen)] if monthly_cap_fen is not None else []
    for one in limits:
        held = tuple((months, more) for months, more in one.get("held", ()))
        found.append(Limit(one["unit"], one["per"], one["most"], held))
    return found + [
        Limit(f"item:{code}", "span", terms["count"]) for code, terms in items.items() if terms.get("count") is not None
    ]


def in_payer_order(
    fundings: Iterable[Funding], order: Sequence[str], excludes: Mapping[str, Collection[str]] | None = None
) -> list[Funding]:
    """Sort by payer, then by entitlement; who is not in the order does not pay. Whom another source excludes is barred (X-PAY-02)."""
    found = sorted(
        (one for one in fundings if one.payer in order), key=lambda one: (order.index(one.payer), one.entitlement_id)
    )
    out = {
        payer: one for one in reversed(found) if not one.why_barred("") for payer in (excludes or {}).get(one.payer, ())
    }
    said = N_("%(first)s承担全部费用，%(name)s不再支付")
    return [
        replace(one, barred={"": said % {"first": out[one.payer].scheme_name, "name": one.scheme_name}})
        if one.payer in out and not one.why_barred("")
        else one
        for one in found
    ]
