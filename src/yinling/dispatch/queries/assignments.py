"""Lists of orders and assignments: what waits, who has what on a day, what nobody answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from yinling.accounts.models import Journal
from yinling.directory.models import Staff
from yinling.dispatch.models import LIVE, Assignment
from yinling.dispatch.states import AssignmentState
from yinling.kernel.actor import Actor
from yinling.kernel.period import day_bounds
from yinling.orders.models import Order
from yinling.orders.queries import in_dispatch_order, suspensions
from yinling.orders.states import OrderState


def waiting(actor: Actor) -> QuerySet[Order]:
    """The orders an actor may dispatch and to which nobody is assigned."""
    return in_dispatch_order(Order.objects.visible_to(actor))


def with_carer(orders: QuerySet[Order]) -> QuerySet[Any]:
    """Orders with the name and the answer of the carer named now (``carer_name``, ``carer_state``)."""
    rows = Assignment.objects.filter(order=OuterRef("pk"), state__in=[*LIVE, AssignmentState.DONE]).order_by("-pk")
    return orders.annotate(
        carer_name=Subquery(rows.values("staff_name")[:1]), carer_state=Subquery(rows.values("state")[:1])
    )


def dispatched(actor: Actor) -> QuerySet[Order]:
    """The orders an actor may dispatch to which a carer is named and whose visit has not begun."""
    rows = Order.objects.visible_to(actor).filter(state=OrderState.ASSIGNED)
    return rows.select_related("provider").order_by("starts_at", "id")


def carers_on(actor: Actor, day: date) -> QuerySet[Staff]:
    """The staff an actor sees who have work on a day, by name."""
    start, end = day_bounds(day)
    shown = [*LIVE, AssignmentState.DONE]
    work = Assignment.objects.filter(staff=OuterRef("pk"), starts_at__gte=start, starts_at__lt=end, state__in=shown)
    return (
        Staff.objects.visible_to(actor).filter(Exists(work)).select_related("provider", "site").order_by("name", "pk")
    )


def live_assignments(orders: Iterable[Order]) -> Mapping[int, Assignment]:
    """Return the assignment in force of each order, by order."""
    rows = Assignment.objects.filter(order__in=list(orders), state__in=LIVE)
    return {row.order_id: row for row in rows}


def assignments_of(actor: Actor, day: date) -> QuerySet[Assignment]:
    """The assignments of a day that an actor may see, carer by carer in the order of the day."""
    start, end = day_bounds(day)
    shown = [*LIVE, AssignmentState.DONE]
    rows = Assignment.objects.visible_to(actor).filter(starts_at__gte=start, starts_at__lt=end, state__in=shown)
    return rows.select_related("order", "provider").order_by("staff_name", "staff_id", "starts_at")


def overdue_offers(div: str, now: datetime) -> QuerySet[Assignment]:
    """Offers below a division that nobody answered in time."""
    return Assignment.objects.within(div).filter(state=AssignmentState.OFFERED, accept_due_at__lte=now)


def orphans(div: str = "") -> QuerySet[Assignment]:
    """Live assignments below a division of orders to which nobody goes any more (cancelled by the elder side, for instance)."""
    nobody = (OrderState.PLACED, OrderState.CANCELLED, OrderState.FAILED)
    return Assignment.objects.within(div).filter(state__in=LIVE, order__state__in=nobody)


def cause_of_end(order: Order) -> str:
    """Return the circumstance of the elder that cancelled or suspended an order, if one did."""
    held = suspensions().filter(order=order).values_list("cause", flat=True).first()
    ended = Journal.objects.filter(
        subject_type="order", subject_id=order.pk, event="orders.order.cancel", is_refused=False
    )
    row = ended.order_by("-pk").first() if held is None else None
    return held or str(row.changes.get("cause", "") if row else "")


def died_on(elder_id: int) -> date | None:
    """Return the day of death of an elder, which a provider may ask though it may not read the file."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT people_death(%s)", [elder_id])
        row = cursor.fetchone()
    day: date | None = row[0]
    return day
