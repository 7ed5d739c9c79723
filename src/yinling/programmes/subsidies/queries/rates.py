"""Which rate a kind has in a place, and what the platform knows of the facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from yinling.entitlements.queries import entry_on
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.states import OrderState
from yinling.programmes.subsidies.models import Subsidy
from yinling.programmes.subsidies.rules import Rate
from yinling.programmes.subsidies.states import SubsidyState

PROJECT = "project"
DONE = (OrderState.SERVED, OrderState.SETTLED, OrderState.CLOSED)


@dataclass(frozen=True)
class Offer:
    """A rate in force with its area and source."""

    rate: Rate
    area: str
    document: str
    clause: str


def offer(kind: str, div: str, year: int) -> Offer | None:
    """Return the rate of a kind for the results of a year, or nothing where neither city nor district gives one."""
    entry = None if kind == PROJECT else entry_on(f"subsidy.{kind}", div, date(year, 12, 31))
    return None if entry is None else Offer(Rate.read(entry.value), entry.area, entry.document, entry.clause)


def offered(div: str, year: int) -> list[str]:
    """The kinds that have a rate in a place, and projects, which need none."""
    return [kind for kind, _label in Subsidy.KINDS if kind == PROJECT or offer(kind, div, year) is not None]


def known_offer(kind: str, div: str, year: int) -> Offer:
    """Return the rate of a kind; refuse one that is not offered here for that year."""
    found = offer(kind, div, year)
    if found is None:
        raise Refused(
            "subsidy.no_rate", N_("本地%(year)s年度没有这项补助的标准，请核对种类和年度"), field="kind", year=year
        )
    return found


def winners(kind: str, area: str, result_year: int) -> QuerySet[Subsidy]:
    """Subsidies of a kind for the results of a year that stand, in the area of its rate."""
    rows = Subsidy.objects.within(area).filter(kind=kind, result_year=result_year)
    return rows.exclude(state=SubsidyState.RETURNED)


def meal_months(provider_id: int, year: int) -> list[int]:
    """Months of a year in which the platform saw the body serve a meal: a suggestion for who enters the facts."""
    rows = Order.objects.filter(
        provider_id=provider_id, state__in=DONE, lines__item__family="meal", starts_at__gte=f"{year}-01-01T00:00+08:00",
        starts_at__lt=f"{year + 1}-01-01T00:00+08:00",
    )  # fmt: skip
    return sorted(set(rows.values_list("starts_at__month", flat=True)))
