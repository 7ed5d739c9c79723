"""What an order asks, who might go, and how long everybody's way is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import ceil
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Extract, Floor

from yinling.directory.models import MODES, Absence, Qualification, Staff, Suspension
from yinling.directory.queries import absences_on, body_obstacles
from yinling.dispatch.models import LIVE, Assignment, Avoidance
from yinling.dispatch.planner.ranking import Weights
from yinling.dispatch.ports import Point, travel_time
from yinling.dispatch.queries.learned import learned
from yinling.dispatch.rules import (
    INDUCTION,
    Away,
    Booked,
    Carer,
    Job,
    Licence,
    Trip,
    neighbours,
)
from yinling.dispatch.states import AssignmentState
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.kernel.period import day_bounds, local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order, OrderLine
from yinling.orders.queries import WAITING_STATES
from yinling.orders.states import OrderState

BEST = 3
OPEN_ORDERS = (OrderState.ASSIGNED, OrderState.IN_SERVICE)
"""An assignment of an order in another state keeps nobody busy: dispatch withdraws it."""
BUSY = Q(order__state__in=OPEN_ORDERS) | Q(order__state__in=WAITING_STATES, order__carers_needed__gt=1)
"""Orders whose live assignments keep a carer busy: also one that waits for the second carer only."""
_DECLINED = {
    AssignmentState.REFUSED: N_("已谢绝这张订单"), AssignmentState.EXPIRED: N_("对这张订单超时未接"),
    AssignmentState.RELEASED: N_("已退回这张订单"), AssignmentState.OFFERED: N_("已派给这张订单"),
    AssignmentState.ACCEPTED: N_("已派给这张订单"),
}  # fmt: skip


def job_of(order: Order) -> Job:
    """Return what an order asks of a carer; every order asks for induction training (R-STF-05)."""
    return jobs_of([order])[0]


def jobs_of(orders: Iterable[Any]) -> list[Job]:
    """Return what orders ask of a carer, and what stops their providers: a query for each provider, day and kind of item."""
    rows = [row if hasattr(row, "needs") else with_needs(Order.objects.filter(pk=row.pk)).get() for row in orders]
    known: dict[tuple[int, frozenset[date], bool], tuple[tuple[str, str], ...]] = {}
    jobs = []
    for row in rows:
        days = frozenset({local_date(row.starts_at), local_date(row.ends_at)})
        key = (row.provider_id, days, row.is_medical)
        if key not in known:
            known[key] = body_obstacles(row.provider_id, days, is_medical=row.is_medical)
        jobs.append(_job(row, known[key]))
    return jobs


def _job(order: Any, against_body: tuple[tuple[str, str], ...]) -> Job:
    names = dict(Qualification.KINDS)
    kinds = [INDUCTION, *sorted({kind for kind in order.needs if kind and kind != INDUCTION})]
    return Job(
        order_id=order.pk, elder_id=order.elder_id, provider_id=order.provider_id, starts_at=order.starts_at, ends_at=order.ends_at,
        lon=order.lon, lat=order.lat, needs=tuple((kind, names.get(kind, kind)) for kind in kinds), wants_sex=order.wants_sex,
        dialect=order.dialect, div=order.div, against_body=against_body,
    )  # fmt: skip


def with_needs(orders: QuerySet[Order]) -> QuerySet[Any]:
    """Orders with the names of their items (``items``), the qualifications these ask for (``needs``), and whether one is medical."""
    lines = OrderLine.objects.filter(order=OuterRef("pk"), kind="item").order_by("pk")
    return orders.annotate(
        items=ArraySubquery(lines.values("name")), needs=ArraySubquery(lines.values("item__needs_qualification")),
        is_medical=Exists(lines.filter(item__is_medical=True)),
    )  # fmt: skip


@dataclass(frozen=True)
class Acquaintance:
    """What lies between one order and the carers: how often each served the elder, who has or declined the order, who is kept away."""

    served: Mapping[int, int]
    declined: Mapping[int, str]
    avoided: Mapping[int, str]

    def with_carer(self, job: Job, carer: Carer) -> Carer:
        """Return a carer with what lies between the two. What the carer has of the order itself is no other booking."""
        booked = tuple(one for one in carer.booked if one.order_id != job.order_id)
        pk = carer.staff_id
        return replace(
            carer,
            booked=booked,
            served_count=self.served.get(pk, 0),
            declined=self.declined.get(pk, ""),
            avoided=self.avoided.get(pk, ""),
        )


def acquaintance(job: Job) -> Acquaintance:
    """Return what lies between an order and the carers: two queries."""
    before = Q(elder_id=job.elder_id, state=AssignmentState.DONE)
    mine = Q(order_id=job.order_id, state__in=list(_DECLINED))
    served: Counter[int] = Counter()
    declined: dict[int, str] = {}
    known = Assignment.objects.filter(before | mine).values_list("staff_id", "state").annotate(Count("pk"), Max("pk"))
    for staff_id, state, count, _last in sorted(known, key=lambda one: one[3]):
        if state == AssignmentState.DONE:
            served[staff_id] += count
        else:
            declined[staff_id] = _DECLINED[AssignmentState(state)]
    avoided = avoidances_on(local_date(job.starts_at), [job.elder_id])
    return Acquaintance(served, declined, {staff_id: reason for (_elder_id, staff_id), reason in avoided.items()})


def carers_for(job: Job, staff: QuerySet[Staff]) -> list[Carer]:
    """Return staff with all that speaks for or against them: six queries, however many they are."""
    between = acquaintance(job)
    return [between.with_carer(job, one) for one in carers_of_day(local_date(job.starts_at), staff)]


def carers_of_day(day: date, staff: QuerySet[Staff]) -> list[Carer]:
    """Return staff with their day, whatever the order: four queries, however many they are."""
    suspended = Suspension.objects.filter(staff=OuterRef("pk"), to_at=None).order_by("pk").values("reason")[:1]
    people = list(staff.select_related("site").annotate(suspension_reason=Subquery(suspended)).order_by("pk"))
    numbers = [person.pk for person in people]
    licences: dict[int, list[Licence]] = defaultdict(list)
    for row in Qualification.objects.filter(staff_id__in=numbers, recorded_to=None):
        licences[row.staff_id].append(licence_of(row))
    booked, away = bookings_on(day, numbers), absences_on(day, numbers)
    return [
        replace(
            _carer(person), licences=tuple(licences[person.pk]), booked=tuple(booked.get(person.pk, ())),
            away=tuple(away_of(row) for row in away.get(person.pk, ())),
        )
        for person in people
    ]  # fmt: skip


def bookings_on(day: date, staff_ids: Iterable[int]) -> dict[int, list[Booked]]:
    """Return the visits of carers on a day, done or to come, in the order of the day."""
    found: dict[int, list[Booked]] = defaultdict(list)
    names = ("staff_id", "order_id", "starts_at", "ends_at", "order__lon", "order__lat")
    rows = _busy_on(day).filter(staff_id__in=list(staff_ids)).order_by("starts_at", "ends_at", "order_id")
    for staff_id, *values in rows.values_list(*names):
        found[staff_id].append(Booked(*values))
    return found


def booked_totals(day: date, staff: QuerySet[Staff]) -> tuple[int, int]:
    """Return how many visits some staff have on a day, and the sum of the seconds at which they begin: two numbers to compare with."""
    since = Extract(F("starts_at") - day_bounds(day)[0], "epoch")
    found = _busy_on(day).filter(staff__in=staff).aggregate(count=Count("pk"), begins=Sum(Floor(since)))
    return found["count"], int(found["begins"] or 0)


def _busy_on(day: date) -> QuerySet[Assignment]:
    start, end = day_bounds(day)
    busy = (BUSY & Q(state__in=LIVE)) | Q(state=AssignmentState.DONE)
    return Assignment.objects.filter(
        busy, starts_at__gte=start, starts_at__lt=end, order__starts_at__gte=start, order__starts_at__lt=end
    )


def licence_of(row: Qualification) -> Licence:
    """Return a qualification as the rules take it."""
    return Licence(row.kind, row.valid_from, row.valid_to, row.place, row.credits_to, row.is_retired_practice)


def away_of(row: Absence) -> Away:
    """Return an absence as the rules take it; why somebody is ill stays with the organisation."""
    return Away(row.from_at, row.to_at, dict(Absence.KINDS).get(row.kind, row.kind))


def avoidances_on(day: date, elder_ids: Iterable[int]) -> dict[tuple[int, int], str]:
    """Return who is not sent to whom on a day: the reason by elder and carer."""
    rows = Avoidance.objects.filter(in_force(day), elder_id__in=list(elder_ids))
    return {(row.elder_id, row.staff_id): row.reason for row in rows}


def _carer(person: Any) -> Carer:
    return Carer(
        staff_id=person.pk, name=person.name, provider_id=person.provider_id, sex=person.sex, day_from=person.day_from,
        day_to=person.day_to, most_minutes=person.most_minutes_a_day, employed_from=person.employed_from,
        employed_to=person.employed_to, kind=person.kind, mode=person.mode, starts_at_home=person.starts_at_home,
        lon=person.home_lon if person.starts_at_home else person.site.lon, lat=person.home_lat if person.starts_at_home else person.site.lat,
        break_from=person.break_from, break_to=person.break_to, break_minutes=person.break_minutes,
        contract_minutes=person.contract_minutes_a_day, duty_div=person.duty_div,
        dialects=frozenset(re.split(r"[,，、;；\s]+", person.dialects)) - {""}, suspension=person.suspension_reason or "",
    )  # fmt: skip


@dataclass(frozen=True)
class Ways:
    """How people get about for one order: the mode of those who have none of their own, and what check-ins correct ways by, by mode."""

    usual: str
    factors: Mapping[str, float]

    def mode_of(self, carer: Carer) -> str:
        """Return how a carer gets about."""
        return carer.mode or self.usual


def ways_for(job: Job) -> Ways:
    """Return how people get about for an order, at the hour it is appointed for: one query."""
    known, usual = learned(job.div), parameter("dispatch.mode", job.div, local_date(job.starts_at))
    return Ways(usual, {mode: known.factor_at(mode, job.starts_at) for mode, _label in MODES})


def trips_to(job: Job, carers: Sequence[Carer], ways: Ways) -> dict[int, Trip]:
    """Return the ways of the carers, each by the own mode: from the order before or the start of the day to the home, and on."""
    if job.lon is None or job.lat is None:
        return {}
    by_mode: dict[str, list[Carer]] = defaultdict(list)
    for carer in carers:
        by_mode[ways.mode_of(carer)].append(carer)
    found: dict[int, Trip] = {}
    for mode, group in by_mode.items():
        found |= _trips(job, Point(job.lon, job.lat), group, mode, ways.factors[mode])
    return found


def _trips(job: Job, home: Point, carers: Sequence[Carer], mode: str, factor: float) -> dict[int, Trip]:
    """Return the ways of carers who travel alike, as estimated and as learned."""
    starts: dict[int, Point] = {}
    goals: dict[int, Point] = {}
    for carer in carers:
        before, after = neighbours(job, carer)
        for place, points in ((before or carer, starts), (after, goals)):
            if place is not None and place.lon is not None and place.lat is not None:
                points[carer.staff_id] = Point(place.lon, place.lat)
    both = [pk for pk in starts if pk in goals]
    clock = travel_time()
    to = clock.matrix(list(starts.values()), mode, job.starts_at, to=[home])
    on = clock.matrix([home], mode, job.starts_at, to=list(goals.values()))[0]
    cut = clock.matrix([starts[pk] for pk in both], mode, job.starts_at, to=[goals[pk] for pk in both])
    parts: list[dict[int, int]] = [
        dict(zip(starts, (row[0] for row in to), strict=True)), dict(zip(goals, on, strict=True)),
        {pk: cut[number][number] for number, pk in enumerate(both)},
    ]  # fmt: skip
    return {carer.staff_id: Trip(*(ceil(part.get(carer.staff_id, 0) * factor) for part in parts)) for carer in carers}


def weights(area: str, on: date) -> Weights:
    """Return the weights of an area on a day."""
    names = ("travel_minute", "new_face", "other_dialect", "workload_hour")
    return Weights(**{name: float(parameter(f"dispatch.weight.{name}", area, on)) for name in names})
