"""Reading orders: the lists, what waits, and what the circumstances of an elder make of an order."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When

from yinling.accounts.models import Journal
from yinling.catalogue.models import ServiceItem
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import SHANGHAI, day_bounds, local_date
from yinling.orders.meals import FAMILY
from yinling.orders.models import Hold, Order, OrderLine
from yinling.orders.rules import (
    Acceptance,
    acceptance_due,
)
from yinling.orders.states import OrderState
from yinling.people.queries import stopped_elders, stops_of
from yinling.people.stops import Fate, fate_of

OPEN_STATES = (OrderState.PLACED, OrderState.ACCEPTED, OrderState.ASSIGNED)
WAITING_STATES = (OrderState.PLACED, OrderState.ACCEPTED)
COMES_FOR_IT = Q(needs_visit=False, source="", state=OrderState.PLACED)
"""A meal that the elder comes for, ordered and neither had nor given up."""
SUSPENDS = "people."
"""How the cause of a hold begins that stops the dispatch of an order: a circumstance of the elder."""
COUNTED_STATES = ("placed", "accepted", "assigned", "in_service", "served")
"""States in which somebody still has to work on an order."""


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


def in_form(rows: Any, form: str) -> Any:
    """Of some orders those with a meal that comes in a form (R-MEA-07)."""
    lines = OrderLine.objects.filter(order=OuterRef("pk"), item__family=FAMILY, item__units__contains=[form])
    return rows.exclude(meal_channel="").filter(Exists(lines.filter(dropped_at=None)))


def count_by_state(orders: Any) -> dict[str, int]:
    """Return how many orders are in each state that somebody still has to work on, no further than ``MOST_COUNTED``.

    Those that are over are not counted: in a city they are millions, and nobody waits for them.
    """
    counts: dict[str, int] = orders.counted({state: Q(state=state) for state in COUNTED_STATES})
    return {state: count for state, count in counts.items() if count}


def window(div: str, on: date) -> timedelta:
    """Return how much later than asked for dispatch may appoint a visit."""
    return timedelta(minutes=int(parameter("order.window_minutes", div, on)))


def in_dispatch_order(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Of some orders those that wait for a carer, in the order of work."""
    urgency = Case(When(is_urgent=True, then=Value(0)), default=Value(1), output_field=IntegerField())
    suspended = Exists(suspensions().filter(order=OuterRef("pk")))
    waiting = orders.filter(~suspended, state__in=WAITING_STATES, needs_visit=True)
    return waiting.select_related("provider").order_by(urgency, "starts_at", "id")


def open_holds(order: Order) -> QuerySet[Hold]:
    """The holds that stop the settlement of an order now."""
    return Hold.objects.filter(order=order, to_at=None).order_by("id")


def open_changes(order_id: int) -> QuerySet[OrderLine]:
    """What was added to an order at the door and is neither confirmed nor dropped (D-18)."""
    rows = OrderLine.objects.filter(order_id=order_id, added_at__isnull=False, confirmed_at=None, dropped_at=None)
    return rows.order_by("id")


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


def meals_to_confirm(orders: QuerySet[Order], today: date) -> QuerySet[Order]:
    """Of some orders the meals one comes for, of a day and before, of which nobody has said yet that they were had."""
    return orders.filter(COMES_FOR_IT, starts_at__lt=day_bounds(today)[1])


def unconfirmed_meals(div: str, now: datetime) -> QuerySet[Order]:
    """Meals of an area whose time is over and of which the body has not said that they were had."""
    return Order.objects.within(div).filter(COMES_FOR_IT, ends_at__lte=now)


def lapsed_meals(div: str, now: datetime) -> QuerySet[Order]:
    """Meals of an area that can no longer be confirmed: their day lies more than so many days back."""
    today = local_date(now)
    days = int(parameter("meal.confirm_days", div, today))
    return Order.objects.within(div).filter(COMES_FOR_IT, starts_at__lt=day_bounds(today - timedelta(days=days))[0])


def bodies_to_remind(div: str, now: datetime) -> list[int]:
    """Return the bodies with meals to confirm, once a day from the hour on at which the area reminds them."""
    day = local_date(now)
    if now.astimezone(SHANGHAI).hour < int(parameter("meal.remind_hour", div, day)):
        return []
    found = set(unconfirmed_meals(div, now).order_by().values_list("provider_id", flat=True).distinct())
    told = Journal.objects.filter(
        event="orders.order.remind",
        subject_type="organisation",
        subject_id__in=found,
        business_at__gte=day_bounds(day)[0],
    )
    return sorted(found - set(told.values_list("subject_id", flat=True)))


def settled_long_ago(div: str, now: datetime) -> QuerySet[Order]:
    """Settled orders whose time for an evaluation is over (D-21)."""
    days = parameter("order.close_days", div, local_date(now))
    return Order.objects.within(div).filter(state=OrderState.SETTLED, settled_at__lte=now - timedelta(days=days))
