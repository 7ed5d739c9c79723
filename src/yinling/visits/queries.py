"""Reading visits: a carer's day, and what a visit needs before it may begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Prefetch, QuerySet

from yinling.directory.models import Qualification, Staff
from yinling.dispatch.models import Assignment
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import day_bounds, local_date, month_start, next_month
from yinling.orders.models import Hold, Order, OrderLine
from yinling.orders.rules import Progress, Stage, stage_of
from yinling.visits.models import Evaluation, Visit
from yinling.visits.rules import is_late
from yinling.visits.states import VisitState

NOBODY = 0
SHOWN = ("offered", "accepted", "done")


@dataclass(frozen=True)
class Stop:
    """One stop of a carer's day: the assignment, the visit if begun, the work standard, and whether it is overdue."""

    assignment: Assignment
    visit: Visit | None
    items: list[str]
    steps: list[str]
    is_late: bool

    @property
    def order(self) -> Order:
        """The order behind it."""
        return self.assignment.order


@dataclass(frozen=True)
class Part:
    """One carer's part of an order: the assignment, and the state of its visit (``planned`` before it begins)."""

    assignment: Assignment
    state: str


def parts_of(order_id: int) -> list[Part]:
    """The parts of an order by those who go or went, first and second carer; who was replaced does not count."""
    rows = list(Assignment.objects.filter(order_id=order_id, state__in=SHOWN).order_by("slot", "pk"))
    visits = dict(Visit.objects.filter(assignment__in=[row.pk for row in rows]).values_list("assignment_id", "state"))
    return [Part(row, visits.get(row.pk, VisitState.PLANNED)) for row in rows]


@dataclass(frozen=True)
class Partner:
    """The other of two who go together: the name, and how far the visit is (``missing`` while nobody is named)."""

    name: str
    state: str


def partners_of(row: Assignment) -> list[Partner]:
    """Who goes with a carer; nobody for an order of one."""
    if row.order.carers_needed == 1:
        return []
    others = [part for part in parts_of(row.order_id) if part.assignment.slot != row.slot]
    return [Partner(one.assignment.staff_name, one.state) for one in others[-1:]] or [Partner("", "missing")]


def stops_of(actor: Actor, *, day: date, now: datetime) -> list[Stop]:
    """The stops of the actor on a day, in the order of the clock."""
    start, end = day_bounds(day)
    rows = _assignments(actor).filter(starts_at__gte=start, starts_at__lt=end, state__in=SHOWN)
    return _stops(list(rows.order_by("starts_at", "id")), now)


def stop_of(actor: Actor, assignment_id: int, *, now: datetime) -> Stop | None:
    """One stop of the actor, or nothing."""
    return next(iter(_stops(list(_assignments(actor).filter(pk=assignment_id)), now)), None)


def _assignments(actor: Actor) -> QuerySet[Assignment]:
    lines = Prefetch(
        "order__lines", OrderLine.objects.filter(kind="item", dropped_at=None).select_related("item").order_by("id")
    )
    rows = Assignment.objects.visible_to(actor).filter(staff_id=actor.staff_id or NOBODY)
    return rows.select_related("order").prefetch_related(lines)


def _stops(rows: list[Assignment], now: datetime) -> list[Stop]:
    visits = {visit.assignment_id: visit for visit in Visit.objects.filter(assignment__in=[row.pk for row in rows])}
    return [_stop(row, visits.get(row.pk), now) for row in rows]


def _stop(row: Assignment, visit: Visit | None, now: datetime) -> Stop:
    lines = list(row.order.lines.all())
    late = int(parameter("visit.late_minutes", row.div, local_date(now)))
    is_waiting = row.state == "accepted" and (visit is None or visit.started_at is None)
    return Stop(
        assignment=row, visit=visit, items=[line.name for line in lines], steps=standard_steps(lines),
        is_late=is_waiting and is_late(now=now, starts_at=row.starts_at, late_minutes=late),
    )  # fmt: skip


def standard_steps(lines: list[OrderLine]) -> list[str]:
    """Return the steps of the work standard of the items, each once (R-ORD-08); an item without steps is one itself."""
    steps = [step for line in lines for step in (line.item.steps or [line.item.name])]
    return list(dict.fromkeys(steps))


def item_lines(order_id: int) -> list[OrderLine]:
    """The lines of an order that are work; what was dropped at the door is none."""
    rows = OrderLine.objects.filter(order_id=order_id, kind="item", dropped_at=None)
    return list(rows.select_related("item").order_by("id"))


def died_on(elder_id: int) -> date | None:
    """Return the date of death of an elder, also to those who may not read the file."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT people_death(%s)", [elder_id])
        row = cursor.fetchone()
    return row[0] if row else None


FEWEST_RATINGS = 5
"""Of fewer evaluations no average is told: it would tell what single elders said."""


@dataclass(frozen=True)
class Rating:
    """What the elders' side says of a provider: how many evaluations, and their average if they are enough."""

    count: int
    average: float | None


def ratings(div: str, since: datetime) -> dict[int, Rating]:
    """Return the rating of each provider from the evaluations of an area since a moment, for everybody (R-ORD-02)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT provider, average, number FROM visits_ratings(%s, %s)", [div, since])
        rows = cursor.fetchall()
    return {
        provider: Rating(count, round(float(average), 1) if count >= FEWEST_RATINGS else None)
        for provider, average, count in rows
    }


def may_sign(elder_id: int, capacity: str, on: date) -> bool:
    """Whether somebody is on file who signs for an elder in a capacity, also for those who may not read the file (R-PEO-10)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT people_signs(%s, %s, %s)", [elder_id, capacity, on])
        return bool(cursor.fetchone()[0])


def held_qualifications(staff_id: int, day: date) -> set[str]:
    """The certificates of a carer that hold on a day."""
    rows = Qualification.objects.filter(in_force(day), staff_id=staff_id)
    return set(rows.values_list("kind", flat=True))


def open_visit(staff_id: int) -> Visit | None:
    """The visit in which a carer is on site, if any."""
    return Visit.objects.filter(staff_id=staff_id, state=VisitState.ON_SITE).first()


def made_by(order_id: int, user_id: int | None) -> bool:
    """Whether a login belongs to a carer who visited for this order; an elder side sees no staff but itself."""
    return user_id is not None and Visit.objects.filter(order_id=order_id, staff__user_id=user_id).exists()


@dataclass(frozen=True)
class Work:
    """What one person did in a month: visits done, and assessments with clinical scales among them (R-ASM-12)."""

    staff: Staff
    visits: int
    scale_assessments: int


def work_of(actor: Actor, provider_id: int, month: date) -> list[Work]:
    """Return the work of a provider's people in a month, as performance pay counts it; each visit once."""
    first, after = day_bounds(month_start(month))[0], day_bounds(next_month(month))[0]
    done = Visit.objects.visible_to(actor).filter(provider_id=provider_id, state=VisitState.DONE)
    scaled = OrderLine.objects.filter(order=OuterRef("order"), item__kind="scale_assessment")
    counts = {"visits": Count("pk"), "scaled": Count("pk", filter=Exists(scaled))}
    rows = done.filter(ended_at__gte=first, ended_at__lt=after).order_by().values("staff_id").annotate(**counts)
    found: dict[int, dict[str, Any]] = {row["staff_id"]: dict(row) for row in rows}
    people = Staff.objects.filter(pk__in=list(found)).order_by("name", "id")
    return [Work(person, found[person.pk]["visits"], found[person.pk]["scaled"]) for person in people]


def evaluation_of(order_id: int) -> Evaluation | None:
    """What the elder side said of an order, if anything."""
    return Evaluation.objects.filter(order_id=order_id).first()


def with_progress(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Orders with what rows beside them say, so that ``stage`` needs no query of its own (R-ORD-01)."""
    visits, mine = Visit.objects.filter(order_id=OuterRef("pk")), OuterRef("pk")
    return orders.annotate(
        is_en_route=Exists(visits.filter(state=VisitState.EN_ROUTE, assignment__state="accepted")),
        is_signed=Exists(visits.filter(state=VisitState.DONE).exclude(signed_by="")),
        is_evaluated=Exists(Evaluation.objects.filter(order_id=mine)),
        is_held=Exists(Hold.objects.filter(order_id=mine, to_at=None)),
    )


def stage(order: Order) -> Stage:
    """Return how far an order has come: one of ``with_progress``, else found by one query."""
    if not hasattr(order, "is_held"):
        order = with_progress(Order.objects.filter(pk=order.pk)).get()
    names = ("is_en_route", "is_signed", "is_evaluated", "is_held")
    return stage_of(order.state, Progress(**{name: getattr(order, name) for name in names}))
