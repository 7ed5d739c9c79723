"""Which rate a kind has in a place, and what the platform knows of the facts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, Min, OuterRef, QuerySet
from django.db.models.functions import TruncDate

from yinling.directory.models import Organisation
from yinling.entitlements.queries import entry_on
from yinling.ground.scope import scope
from yinling.kernel.period import local_date, local_midnight
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.states import OrderState
from yinling.people.queries.names import reader
from yinling.programmes.subsidies.models import Subsidy
from yinling.programmes.subsidies.rules import MONTHS, Rate, Record
from yinling.settlement.models import Posting
from yinling.settlement.queries.ledger import live_postings
from yinling.settlement.states import GIVEN_UP

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
    return rows.exclude(state__in=GIVEN_UP)


def record_of(provider: Organisation, year: int) -> Record:
    """Return what the platform knows of a body's year. Read by the system: a county sees no meal that was brought to its neighbour.

    A meal whose bill was taken back was none, unless it was billed anew.
    """
    first, end = local_midnight(date(year, 1, 1)), local_midnight(date(year + 1, 1, 1))
    with scope(reader(provider.div)):
        taken_back = Exists(Posting.objects.filter(order=OuterRef("pk"), reverses__isnull=False))
        stands = Exists(live_postings().filter(order=OuterRef("pk")))
        meals = Order.objects.filter(provider=provider, state__in=DONE, lines__item__family="meal")
        meals = meals.exclude(taken_back & ~stands)
        since = meals.aggregate(first=Min("starts_at"))["first"]
        days = meals.filter(starts_at__gte=first, starts_at__lt=end).values_list(TruncDate("starts_at"), flat=True)
        by_month = Counter(day.month for day in days.distinct().order_by())
    from_month = MONTHS + 1
    if since is not None and since < end:
        from_month = 1 if since < first else local_date(since).month
    return Record(provider.valid_from, provider.valid_to, dict(sorted(by_month.items())), from_month)
