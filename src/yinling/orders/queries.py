"""Reading orders: the quote before placing, the lists, and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When

from yinling.catalogue.models import Price, ServiceItem
from yinling.catalogue.queries import price_for
from yinling.directory.models import Organisation
from yinling.directory.queries import body_obstacles, responsible_body
from yinling.directory.rules import require
from yinling.entitlements.queries import funding_for
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Hold, Order
from yinling.orders.rules import (
    Acceptance,
    Line,
    PricedItem,
    Share,
    Source,
    acceptance_due,
    check_elder,
    check_start,
    price_lines,
    split_lines,
    unused,
)
from yinling.orders.states import OrderState
from yinling.people.models import Elder
from yinling.people.queries import circumstances_on, stopped_elders, stops_of
from yinling.people.stops import Fate, fate_of

OPEN_STATES = (OrderState.PLACED, OrderState.ACCEPTED, OrderState.ASSIGNED)
WAITING_STATES = (OrderState.PLACED, OrderState.ACCEPTED)
SUSPENDS = "people."
"""How the cause of a hold begins that stops the dispatch of an order: a circumstance of the elder."""
COUNTED_STATES = ("placed", "accepted", "assigned", "in_service", "served")
"""States in which somebody still has to work on an order."""


@dataclass(frozen=True)
class Quote:
    """What an order would cost whom: shown before placing, and what placing freezes."""

    elder: Elder
    item: ServiceItem
    provider: Organisation
    price: Price
    starts_at: datetime
    ends_at: datetime
    lines: Sequence[Line]
    shares: Sequence[Share]
    reasons: Sequence[str]

    @property
    def total_fen(self) -> int:
        """The whole bill."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def self_fen(self) -> int:
        """What the elder bears."""
        return sum(share.amount_fen for share in self.shares if share.payer == "self")

    @property
    def by_payer(self) -> dict[tuple[str, int | None], int]:
        """The sum of each payer's shares over all lines."""
        sums: dict[tuple[str, int | None], int] = {}
        for share in self.shares:
            key = (share.payer, share.entitlement_id)
            sums[key] = sums.get(key, 0) + share.amount_fen
        return sums


def quote(
    *, actor: Actor, elder_id: int, item_code: str, starts_at: datetime, now: datetime, provider_id: int | None = None
) -> Quote:
    """Return the quote of one item for one elder: provider, price by D-18, payers by X-PAY-02, each with its reason.

    Needs the right to place orders for this elder. Refuses what placing would refuse.
    """
    elder = Elder.objects.select_related("household").filter(pk=elder_id).first()
    if elder is None:
        raise NotFound("elder.not_found", N_("没有这位老人的档案，或不在您的权限范围内"), field="elder_id")
    require(actor, "orders.order.place", div=elder.div, elder_id=elder.pk)
    item = ServiceItem.objects.filter(code=item_code, is_active=True).first()
    if item is None:
        raise Refused(
            "order.item_unknown", N_("服务清单中没有在用的这个项目，请重新选择"), field="item_code", item=item_code
        )
    day = local_date(starts_at)
    check_start(starts_at, now, booking_days=parameter("order.booking_days", elder.div, local_date(now)))
    check_elder(died_on=elder.died_on, circumstances=circumstances_on(elder.pk, day))
    provider = _provider(provider_id, item, elder, day)
    check_body(provider.pk, starts_at, starts_at + timedelta(minutes=item.standard_minutes), is_medical=item.is_medical)
    price = price_for(item=item, organisation=provider, service_day=day, placed_at=now)
    callout = price.callout_fee_fen if item.charges_callout else 0
    lines = price_lines([PricedItem(item.name, item.standard_minutes, price.amount_fen, callout)])
    sources = [
        Source(one.payer, one.scheme_name, one.share_bp, one.entitlement_id, one.remaining_fen)
        for one in funding_for(elder.pk, item.family, day)
    ]
    shares = split_lines(lines, sources)
    ends_at = starts_at + timedelta(minutes=item.standard_minutes)
    return Quote(elder, item, provider, price, starts_at, ends_at, lines, shares, unused(sources, shares))


def check_body(provider_id: int, starts_at: datetime, ends_at: datetime, *, is_medical: bool) -> None:
    """Refuse an order at a body that may not serve at home then: without its policies, or medical and not listed (R-ORD-13, R-STF-04)."""
    days = {local_date(starts_at), local_date(ends_at)}
    for code, why in body_obstacles(provider_id, days, is_medical=is_medical):
        raise Refused(
            f"order.{code}", N_("%(why)s，不能接单。请换一家机构，或请该机构补办"), field="provider_id", why=why
        )


def _provider(provider_id: int | None, item: ServiceItem, elder: Elder, day: date) -> Organisation:
    if provider_id is None:
        home = elder.household
        body = responsible_body(item.family, elder.div, day, lon=home.lon, lat=home.lat)
        if body is None:
            sentence = N_("这个地区还没有确定“%(item)s”的责任机构，请选择一家机构")
            raise Refused("order.no_provider", sentence, field="provider_id", item=item.name)
        return body
    chosen = Organisation.objects.filter(pk=provider_id, is_provider=True).first()
    if chosen is None:
        raise Refused("order.provider_unknown", N_("没有这家服务机构，请从列表中选择"), field="provider_id")
    return chosen


def accept_until(asked_at: datetime, *, is_urgent: bool, div: str) -> datetime:
    """Return until when an order or offer of this moment is to be accepted (X-CALL-05)."""
    day = local_date(asked_at)
    within = Acceptance(
        minutes=parameter("order.accept_minutes", div, day),
        urgent_minutes=parameter("order.accept_urgent_minutes", div, day),
        from_hour=parameter("order.accept_from_hour", div, day),
        to_hour=parameter("order.accept_to_hour", div, day),
    )
    return acceptance_due(asked_at, is_urgent=is_urgent, within=within)


def orders_of(actor: Actor) -> QuerySet[Order]:
    """The orders an actor may see, newest start first."""
    return Order.objects.visible_to(actor).select_related("provider").order_by("-starts_at", "-id")


def count_by_state(orders: Any) -> dict[str, int]:
    """Return how many orders are in each state that somebody still has to work on, no further than ``MOST_COUNTED``.

    Those that are over are not counted: in a city they are millions, and nobody waits for them.
    """
    counts: dict[str, int] = orders.counted({state: Q(state=state) for state in COUNTED_STATES})
    return {state: count for state, count in counts.items() if count}


def waiting_for_dispatch(div: str) -> QuerySet[Order]:
    """Orders below a division that nobody is assigned to yet: urgent ones first, then by start."""
    return in_dispatch_order(Order.objects.within(div))


def window(div: str, on: date) -> timedelta:
    """Return how much later than asked for dispatch may appoint a visit."""
    return timedelta(minutes=int(parameter("order.window_minutes", div, on)))


def in_dispatch_order(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Of some orders those that wait for a carer, in the order of work."""
    urgency = Case(When(is_urgent=True, then=Value(0)), default=Value(1), output_field=IntegerField())
    waiting = orders.filter(~Exists(suspensions().filter(order=OuterRef("pk"))), state__in=WAITING_STATES)
    return waiting.select_related("provider").order_by(urgency, "starts_at", "id")


def open_holds(order: Order) -> QuerySet[Hold]:
    """The holds that stop the settlement of an order now."""
    return Hold.objects.filter(order=order, to_at=None).order_by("id")


def has_same_order(elder_id: int, item: ServiceItem, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether the elder already has an open order of the same item at this time."""
    rows = Order.objects.filter(elder_id=elder_id, state__in=OPEN_STATES, starts_at__lt=ends_at, ends_at__gt=starts_at)
    return rows.filter(lines__item=item).exists()


def orders_to_stop(div: str, now: datetime, elder_id: int | None = None) -> list[tuple[Order, Fate]]:
    """Orders not started that a death, a move or a stay away from home cancels or suspends, each with its fate (R-PEO-03)."""
    wanted = Q(elder_id__in=stopped_elders(div).values("pk")) if elder_id is None else Q(elder_id=elder_id)
    rows = Order.objects.within(div).filter(wanted, state__in=OPEN_STATES)
    found = list(rows.annotate(is_suspended=Exists(suspensions().filter(order=OuterRef("pk")))).order_by("pk"))
    stops = stops_of({row.elder_id for row in found})
    fates = [
        (row, fate_of(state=row.state, starts_at=row.starts_at, now=now, stops=stops.get(row.elder_id, [])))
        for row in found
    ]
    return [
        (row, fate) for row, fate in fates if fate.verb == "cancel" or (fate.verb == "suspend" and not row.is_suspended)
    ]


def orders_to_resume(div: str, now: datetime, elder_id: int | None = None) -> list[Order]:
    """Suspended orders for which the elder will be at home after all."""
    rows = Order.objects.within(div).filter(Exists(suspensions().filter(order=OuterRef("pk"))), state__in=OPEN_STATES)
    found = list((rows if elder_id is None else rows.filter(elder_id=elder_id)).order_by("pk"))
    stops = stops_of({row.elder_id for row in found})
    return [
        row
        for row in found
        if fate_of(state=row.state, starts_at=row.starts_at, now=now, stops=stops.get(row.elder_id, [])).verb == "keep"
    ]


def orders_to_readdress(div: str, now: datetime, elder_id: int | None = None) -> QuerySet[Order]:
    """Open orders still to come that name another home than the one their elder lives in now."""
    here = Q(address=F("elder__household__address"), door_code=F("elder__household__door_code"))
    rows = Order.objects.within(div).filter(~here, state__in=OPEN_STATES, starts_at__gt=now)
    return (rows if elder_id is None else rows.filter(elder_id=elder_id)).order_by("pk")


def fate(order: Order, now: datetime) -> Fate:
    """Return what the elder's circumstances make of one order."""
    stops = stops_of([order.elder_id]).get(order.elder_id, [])
    return fate_of(state=order.state, starts_at=order.starts_at, now=now, stops=stops)


def suspensions() -> QuerySet[Hold]:
    """Open holds of orders that wait because nobody is at home."""
    return Hold.objects.filter(to_at=None, cause__startswith=SUSPENDS)


def silent_orders(div: str, now: datetime) -> QuerySet[Order]:
    """Accepted orders that start soon and for which the provider has named nobody."""
    minutes = parameter("order.return_minutes", div, local_date(now))
    # An order accepted within this span gets as long as a new one before it is returned.
    waited = Q(accepted_at__lte=now - timedelta(minutes=parameter("order.accept_minutes", div, local_date(now))))
    soon = Q(starts_at__lte=now + timedelta(minutes=minutes))
    return Order.objects.within(div).filter(waited & soon, state=OrderState.ACCEPTED)


def settled_long_ago(div: str, now: datetime) -> QuerySet[Order]:
    """Settled orders whose time for an evaluation is over (D-21)."""
    days = parameter("order.close_days", div, local_date(now))
    return Order.objects.within(div).filter(state=OrderState.SETTLED, settled_at__lte=now - timedelta(days=days))
