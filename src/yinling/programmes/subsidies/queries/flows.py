"""What services of schemes cost by the books, what of it providers have received, and which budget line bears it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import BigIntegerField, CharField, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, ExtractYear

from yinling.entitlements.models import Budget
from yinling.settlement.models import AreaTotal, LedgerEntry, LedgerTotal
from yinling.settlement.rules import PAYABLE

Place = tuple[int, str]
"""A scheme, and the area of its budget: empty where it has none."""


@dataclass(frozen=True)
class Bearing:
    """Which budget, and the line behind it, bears what: the nearest of a scheme in an area and year."""

    budgets: list[Budget]
    _of: dict[int, list[Budget]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        """Put the nearest budget of each scheme first."""
        for one in sorted(self.budgets, key=lambda one: -len(one.div)):
            self._of[one.scheme_id].append(one)

    def area(self, scheme: int, div: str) -> str:
        """The area of the scheme's nearest budget of any year; what is booked above its only area (a deduction of the city) lies in it."""
        areas = [one.div for one in self._of[scheme]]
        only = areas[0] if len(set(areas)) == 1 and areas[0].startswith(div) else ""
        return next((area for area in areas if div.startswith(area)), only)

    def budget(self, place: Place, year: int) -> Budget | None:
        """The budget of a scheme in an area and year."""
        scheme, div = place
        return next((one for one in self._of[scheme] if one.year == year and div.startswith(one.div)), None)

    def of(self, lines: Iterable[int]) -> list[Budget]:
        """The budgets behind which lines stand."""
        wanted = set(lines)
        return [one for one in self.budgets if one.line_id in wanted]

    def rows(self, budgets: Iterable[Budget], scheme: str, div: str, years: Callable[[int], Q]) -> Q:
        """Return the condition that a row lies in what budgets bear: its scheme, its area without nearer budgets, its year."""
        found = Q(pk__in=[])
        for one in budgets:
            nearer = Q(pk__in=[])
            for other in self._of[one.scheme_id]:
                if other.year == one.year and other.div != one.div and other.div.startswith(one.div):
                    nearer |= _within(div, other.div)
            found |= Q(**{scheme: one.scheme_id}) & _within(div, one.div) & years(one.year) & ~nearer
        return found


def _within(path: str, div: str) -> Q:
    return Q(**{f"{path}__gte": div, f"{path}__lt": f"{div}:"})


def in_year(path: str) -> Callable[[int], Q]:
    """Return the condition that a day lies in a year."""
    return lambda year: Q(**{f"{path}__gte": date(year, 1, 1), f"{path}__lt": date(year + 1, 1, 1)})


def bearing(scheme: int | None = None) -> Bearing:
    """The budgets in force: some hundred a year in a city; or those of one scheme."""
    wanted = Q() if scheme is None else Q(scheme=scheme)
    return Bearing(list(Budget.objects.filter(wanted, is_in_force=True).select_related("scheme")))


@dataclass(frozen=True)
class Flow:
    """What the services of a scheme cost in one area and year, less deductions, and what of it providers have received."""

    scheme_id: int
    div: str
    year: int
    budget: Budget | None
    executed_fen: int
    paid_fen: int
    bodies: frozenset[int]

    @property
    def line_id(self) -> int | None:
        """The line that bears it."""
        return self.budget.line_id if self.budget else None


def flows(bears: Bearing, scheme: int | None = None) -> list[Flow]:
    """Follow the money of schemes, or of one, through the account of what providers are owed: by totals, and by the few postings that paid.

    Executed is what was booked in the year. What is still owed is what was booked last; all before it was paid.
    """
    executed, paid, bodies = _executed(bears, scheme)
    _share_out(executed, paid)
    found = []
    for place, by_year in sorted(executed.items()):
        owed = sum(by_year.values()) - paid.get(place, 0)
        for year in sorted(by_year, reverse=True):
            fen = by_year[year]
            open_fen = min(owed, fen) if year != min(by_year) else owed
            owed -= open_fen
            found.append(
                Flow(*place, year, bears.budget(place, year), fen, fen - open_fen, frozenset(bodies[place, year]))
            )
    return found


def _executed(
    bears: Bearing, scheme: int | None
) -> tuple[Mapping[Place, dict[int, int]], dict[Place, int], dict[tuple[Place, int], set[int]]]:
    """What was booked by place and year, what was paid by place, and to whom. A payment counts where its receiver is at home."""
    executed: dict[Place, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    paid: dict[Place, int] = defaultdict(int)
    bodies: dict[tuple[Place, int], set[int]] = defaultdict(set)
    for one, div, body, home, year, is_payment, fen in _moved(scheme):
        executed[one, bears.area(one, div)][year] += fen if is_payment else -fen
        if is_payment:
            place = (one, bears.area(one, home or div) or bears.area(one, div))
            executed[place][year] += 0
            paid[place] += fen
            bodies[place, year] |= {body} if body else set()
    return executed, paid, bodies


def _share_out(executed: Mapping[Place, dict[int, int]], paid: dict[Place, int]) -> None:
    """Let what a scheme paid beyond the cost of a place count where it still owes: bodies are paid at home and work beside it too."""
    still = {place: sum(by_year.values()) - paid.get(place, 0) for place, by_year in executed.items()}
    for place in [place for place, fen in sorted(still.items()) if fen < 0]:
        for other in sorted(still):
            part = min(-still[place], still[other], paid.get(place, 0))
            if other[0] == place[0] and part > 0:
                paid[other] = paid.get(other, 0) + part
                paid[place] -= part
                still[other] -= part
                still[place] += part


def _moved(scheme: int | None) -> Any:
    """All that was booked on the account by scheme, area and year (owed, deducted and paid), and once more what was paid."""
    asked = {"account": PAYABLE, "unit": "fen"} | ({"scheme__isnull": False} if scheme is None else {"scheme": scheme})
    nobody = Cast(Value(None), BigIntegerField()), Cast(Value(None), CharField())
    parts = [
        rows.order_by()
        .values_list("scheme", "div", *whom, ExtractYear(day), Value(is_payment))
        .annotate(fen=Sum("amount"))
        for rows, whom, day, is_payment in (
            (AreaTotal.objects.filter(per="month", **asked), nobody, "from_on", False),
            (LedgerTotal.objects.filter(is_rolled=False, **asked), nobody, "booked_on", False),
            (payments().filter(**asked), ("provider", "provider__div"), "booked_on", True),
        )
    ]
    return parts[0].union(*parts[1:], all=True)


def payments() -> QuerySet[LedgerEntry]:
    """The entries by which providers received what schemes owe them: one posting a payment or advance, found by the beginning of its key."""
    keys = Q(posting__key__startswith="payout:") | Q(posting__key__startswith="offset:")
    return LedgerEntry.objects.filter(keys, account=PAYABLE, scheme__isnull=False, unit="fen")
