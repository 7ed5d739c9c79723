"""Reading stays paid by the day: the list, and which of their months are billed and which can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Sum

from yinling.catalogue.models import Price
from yinling.catalogue.queries import known_at
from yinling.entitlements.models import Agreement, Entitlement
from yinling.entitlements.queries import changes_of_terms
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import add_years
from yinling.orders.models import Order, OrderLine
from yinling.orders.states import OrderState
from yinling.people.models import Circumstance, Elder
from yinling.people.queries.names import reader
from yinling.programmes.home_beds.models import BedStay
from yinling.programmes.home_beds.rules import Month, billable
from yinling.settlement.models import Posting, RecoveryLine
from yinling.settlement.states import RecoveryState

SOURCE = "home_beds.stay:"
AGAIN = ("", ":again", ":again2", ":again3")
"""How the sources of the bills of a month end: the first, and those made anew after one was taken back as a whole."""


@dataclass(frozen=True)
class Bill:
    """A month of a stay, with its order if it was billed."""

    month: Month
    order_id: int | None
    total_fen: int | None


def stays(actor: Actor) -> QuerySet[BedStay]:
    """The stays an actor may see, the latest admission first."""
    return BedStay.objects.visible_to(actor).select_related("provider", "item").order_by("-admitted_on", "-id")


def elders_of(rows: Iterable[BedStay]) -> dict[int, Elder]:
    """Return the elders of stays, which a body does not see itself."""
    shown = list(rows)
    if not shown:
        return {}
    with scope(reader(shown[0].div)):
        return {one.pk: one for one in Elder.objects.filter(pk__in={row.elder_id for row in shown})}


def source_of(stay: BedStay, month: Month) -> str:
    """Return how the order of a month names it: it is made once."""
    return f"{SOURCE}{stay.pk}:{month.code}"


def end_of(stay: BedStay, died_on: date | None) -> date | None:
    """Return the day of discharge: the day of death ends a stay that nobody ended."""
    return min((day for day in (stay.discharged_on, died_on) if day is not None), default=None)


def bills_of(rows: Iterable[BedStay], elders: dict[int, Elder], today: date) -> dict[int, list[Bill]]:
    """Return for each stay the months that are or can be billed."""
    shown = list(rows)
    wanted: dict[str, tuple[int, Month]] = {}
    for stay in shown:
        elder = elders.get(stay.elder_id)
        for month in billable(stay.admitted_on, end_of(stay, elder.died_on if elder else None), today):
            wanted[source_of(stay, month)] = (stay.pk, month)
    known: dict[str, tuple[int, int]] = {}
    for order in _bills([f"{source}{end}" for source in wanted for end in AGAIN]):
        source = ":".join(order.source.split(":")[:3])
        if not order.is_reversed or order.days == wanted[source][1].days:
            known[source] = (order.pk, order.total_fen)
    found: dict[int, list[Bill]] = defaultdict(list)
    for source, (pk, month) in wanted.items():
        found[pk].append(Bill(month, *known.get(source, (None, None))))
    return found


def _bills(sources: Iterable[str]) -> QuerySet[Any]:
    """The standing bills of months. One that finance reversed says so: it stands for its own days, and for no others."""
    recovered = RecoveryLine.objects.filter(order=OuterRef("pk"), is_live=True, recovery__state=RecoveryState.APPROVED)
    days = OrderLine.objects.filter(order=OuterRef("pk")).order_by().values("order").annotate(all=Sum("quantity"))
    rows = Order.objects.filter(source__in=list(sources)).exclude(state=OrderState.CANCELLED).exclude(Exists(recovered))
    return rows.annotate(
        is_reversed=ExpressionWrapper(_reversed(), BooleanField()), days=Subquery(days.values("all"))
    ).order_by("pk")


def _reversed() -> Q:
    """Whether the last that was booked for an order is that it was taken back."""
    booked = Posting.objects.filter(order=OuterRef("pk"), kind="order")
    return Q(Exists(booked), ~Exists(booked.filter(~Exists(Posting.objects.filter(reverses=OuterRef("pk"))))))


def next_source(stay: BedStay, month: Month) -> str:
    """Return the source for billing a month: a further one, if what was billed before was taken back."""
    names = [f"{source_of(stay, month)}{end}" for end in AGAIN]
    used = set(
        Order.objects.filter(source__in=names).exclude(state=OrderState.CANCELLED).values_list("source", flat=True)
    )
    return next((name for name in names if name not in used), names[-1])


def stretches(stay: BedStay, month: Month, now: datetime) -> list[tuple[date, int]]:
    """Cut the days of a month where a price, a benefit, its terms, an agreement or a stay elsewhere changes: the day decides (R-LTC-04).

    Each stretch with its first day and how many days it has.
    """
    prices = Price.objects.filter(known_at(now), item=stay.item_id)
    rows: list[QuerySet[Any]] = [
        prices, Entitlement.objects.filter(elder=stay.elder_id, recorded_to=None),
        Agreement.objects.filter(organisation=stay.provider_id, recorded_to=None),
        Circumstance.objects.filter(elder=stay.elder_id, recorded_to=None),
    ]  # fmt: skip
    end = month.from_on + timedelta(days=month.days)
    days = {
        day for some in rows for span in some.values_list("valid_from", "valid_to") for day in span if day is not None
    }
    days |= changes_of_terms(stay.elder_id, stay.div)
    cuts = [month.from_on, *sorted(day for day in days if month.from_on < day < end), end]
    return [(first, (after - first).days) for first, after in pairwise(cuts)]


def unbilled(stay: BedStay, elder: Elder, today: date) -> list[Month]:
    """Return the months of a stay that can be billed and are not."""
    return [bill.month for bill in bills_of([stay], {elder.pk: elder}, today)[stay.pk] if bill.order_id is None]


def billed_until(stay: BedStay) -> date | None:
    """Return the first day that no bill covers any more; nothing while none stands: one that was reversed may be made anew for other days."""
    rows = Order.objects.filter(source__startswith=f"{SOURCE}{stay.pk}:").exclude(state=OrderState.CANCELLED)
    sources = rows.exclude(_reversed())
    codes = [source.split(":")[2] for source in sources.values_list("source", flat=True)]
    if not codes:
        return None
    last = max(codes)
    year, month = int(last[:4]), int(last[4:])
    return date(year + month // 12, month % 12 + 1, 1)


def stays_with_bills_due(div: str, today: date) -> list[BedStay]:
    """Return the stays of an area of which a month can be billed and is not; of those that ended, of the last two years."""
    recent = Q(discharged_on=None) | Q(discharged_on__gte=add_years(today, -2))
    rows = list(
        BedStay.objects.within(div).filter(recent, admitted_on__lte=today).select_related("elder").order_by("pk")
    )
    bills = bills_of(rows, {row.elder_id: row.elder for row in rows}, today)
    return [row for row in rows if any(bill.order_id is None for bill in bills[row.pk])]


def moved(div: str) -> QuerySet[BedStay]:
    """Stays that do not lie where their elders live."""
    return BedStay.objects.within(div).exclude(div=F("elder__div"))
