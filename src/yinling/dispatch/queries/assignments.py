"""Lists of orders and assignments: what waits, who has what on a day, what nobody answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from yinling.accounts.models import Journal
from yinling.directory.models import Staff
from yinling.dispatch.models import LIVE, Assignment
from yinling.dispatch.offers import plan_offer_due
from yinling.dispatch.states import AssignmentState
from yinling.ground.kept import Kept, one_of
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import day_bounds, local_date
from yinling.orders.models import Order
from yinling.orders.queries import SUSPENDS, WAITING_STATES, in_dispatch_order, suspensions
from yinling.orders.states import OrderState


def waiting(actor: Actor) -> QuerySet[Order]:
    """The orders an actor may dispatch that lack a carer; of two needed, one may be named."""
    return in_dispatch_order(Order.objects.visible_to(actor))


def with_carer(orders: QuerySet[Order]) -> QuerySet[Any]:
    """Orders with who is named now: the names (``carer_name``), an answer still awaited before one given, and how many (``carer_count``)."""
    rows = Assignment.objects.filter(order=OuterRef("pk"), state__in=[*LIVE, AssignmentState.DONE])
    names = (
        rows.order_by().values("order").annotate(names=StringAgg("staff_name", Value("、"), order_by=("slot", "pk")))
    )
    live = rows.filter(state__in=LIVE).order_by().values("order").annotate(count=Count("pk"))
    return orders.annotate(
        carer_name=Subquery(names.values("names")[:1]),
        carer_state=Subquery(rows.order_by("-state").values("state")[:1]),  # offered, done, accepted
        carer_count=Coalesce(Subquery(live.values("count")[:1]), 0),
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
    """Return the assignment in force of each order, of two the first, by order."""
    return {number: rows[0] for number, rows in carers_of(orders).items()}


def carers_of(orders: Iterable[Order]) -> Mapping[int, list[Assignment]]:
    """Return the assignments in force of each order, first and second carer, by order."""
    found: dict[int, list[Assignment]] = {}
    for row in Assignment.objects.filter(order__in=list(orders), state__in=LIVE).order_by("slot"):
        found.setdefault(row.order_id, []).append(row)
    return found


def assignments_of(actor: Actor, day: date) -> QuerySet[Assignment]:
    """The assignments of a day that an actor may see, carer by carer in the order of the day."""
    start, end = day_bounds(day)
    shown = [*LIVE, AssignmentState.DONE]
    rows = Assignment.objects.visible_to(actor).filter(starts_at__gte=start, starts_at__lt=end, state__in=shown)
    return rows.select_related("order", "provider").order_by("staff_name", "staff_id", "starts_at")


def overdue_offers(div: str, now: datetime) -> QuerySet[Assignment]:
    """Offers below a division that nobody answered in time."""
    return Assignment.objects.within(div).filter(state=AssignmentState.OFFERED, accept_due_at__lte=now)


def readdressed(div: str, now: datetime) -> QuerySet[Assignment]:
    """Live assignments below a division still to come whose order got another address after they were made, and whose carer was not told."""
    moved = Journal.objects.filter(
        subject_type="order", subject_id=OuterRef("order_id"), event="orders.order.readdress", is_refused=False,
        business_at__gte=OuterRef("offered_at"),
    )  # fmt: skip
    told = Journal.objects.filter(
        subject_type="assignment", subject_id=OuterRef("pk"), event="dispatch.assignment.inform",
        business_at__gte=OuterRef("moved_at"),
    )  # fmt: skip
    rows = Assignment.objects.within(div).filter(
        state__in=LIVE, starts_at__gt=now, order__changed_at__gte=F("offered_at")
    )
    return rows.annotate(moved_at=Subquery(moved.order_by("-pk").values("business_at")[:1])).filter(
        ~Exists(told), moved_at__isnull=False
    )


def plan_until(now: datetime, order: Order) -> datetime:
    """Return until when a carer may decline an order of a plan published now."""
    day = local_date(now)
    minutes, hour = (int(parameter(f"dispatch.plan.accept_{name}", order.div, day)) for name in ("minutes", "hour"))
    return plan_offer_due(now, order.starts_at, minutes=minutes, evening_hour=hour)


def orphans(div: str = "") -> QuerySet[Assignment]:
    """Live assignments (below a division) of orders to which nobody goes any more (cancelled by the elder side, for instance).

    Of an order for two that lacks one, the other stays, unless nobody is at home.
    """
    over = Q(order__state__in=(OrderState.CANCELLED, OrderState.FAILED))
    waits = Q(order__state__in=WAITING_STATES)
    away = Exists(suspensions().filter(order=OuterRef("order_id")))
    gone = over | (waits & (Q(order__carers_needed=1) | away))
    rows = Assignment.objects.within(div) if div else Assignment.objects.all()
    return rows.filter(gone, state__in=LIVE)


TAKEN = Kept(
    lambda: (
        Assignment.objects.select_for_update(of=("self",))
        .filter(one_of("order_id", "orders"), state__in=LIVE)
        .order_by("order_id", "slot")
    )
)
ORPHANED = Kept(lambda: orphans().select_for_update(of=("self",)).filter(one_of("staff_id", "staff")))


def held_assignments(order_ids: Iterable[int]) -> list[Assignment]:
    """Return the live assignments of orders, by order and place, and hold them until the end of the transaction."""
    return TAKEN(orders=list(order_ids))


def held_orphans(staff_ids: Iterable[int]) -> list[Assignment]:
    """Return the orphans that some staff have, and hold them."""
    return ORPHANED(staff=sorted(staff_ids))


def cause_of_end(order: Order) -> str:
    """Return the circumstance of the elder that cancelled or suspended an order, if one did."""
    held = suspensions().filter(order=order).values_list("cause", flat=True).first()
    ended = Journal.objects.filter(
        subject_type="order", subject_id=order.pk, event="orders.order.cancel", is_refused=False
    )
    row = ended.order_by("-pk").first() if held is None else None
    return held or str(row.changes.get("cause", "") if row else "")


AT_HOME = """SELECT o.id, people_death(o.elder),
        EXISTS (SELECT FROM orders_hold h WHERE h.order_id = o.id AND h.to_at IS NULL AND starts_with(h.cause, %s))
    FROM unnest((SELECT %s::bigint[]), (SELECT %s::bigint[])) AS o(id, elder)"""


def at_home(orders: Sequence[Order]) -> dict[int, tuple[date | None, bool]]:
    """Return by order the day on which the elder died, which a provider may ask though it may not read the file, and whether it is
    suspended because the elder is away.
    """
    with connection.cursor() as cursor:
        cursor.execute(AT_HOME, [SUSPENDS, [one.pk for one in orders], [one.elder_id for one in orders]])
        return {pk: (died_on, is_away) for pk, died_on, is_away in cursor.fetchall()}
