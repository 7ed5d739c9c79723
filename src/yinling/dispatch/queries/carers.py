"""Who may go for one order, ranked with reasons."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import ceil
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from yinling.directory.models import Absence, Qualification, Staff, Suspension
from yinling.directory.queries import absences_on, body_obstacles
from yinling.dispatch.models import LIVE, Assignment, Avoidance
from yinling.dispatch.planner.ranking import Plan, Ranked, Weights, rank
from yinling.dispatch.ports import Point, travel_time
from yinling.dispatch.queries.learned import Learned, learned
from yinling.dispatch.rules import (
    INDUCTION,
    Away,
    Booked,
    Carer,
    Exclusion,
    Job,
    Licence,
    Trip,
    compatibility,
    neighbours,
)
from yinling.dispatch.states import AssignmentState
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import day_bounds, local_date
from yinling.kernel.refusals import NotFound
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


@dataclass(frozen=True)
class Proposal:
    """A carer proposed for an order: place in the ranking, cost and the reasons shown."""

    rank: int
    staff_id: int
    name: str
    cost: float
    reasons: tuple[str, ...]


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


def carers_for(job: Job, staff: QuerySet[Staff]) -> list[Carer]:
    """Return staff with all that speaks for or against them: five queries, however many they are."""
    day = local_date(job.starts_at)
    start, end = day_bounds(day)
    busy = Q(order__starts_at__gte=start, order__starts_at__lt=end) & (
        (BUSY & Q(state__in=LIVE)) | Q(state=AssignmentState.DONE)
    )
    before = Q(elder_id=job.elder_id, state=AssignmentState.DONE)
    suspended = Suspension.objects.filter(staff=OuterRef("pk"), to_at=None).order_by("pk").values("reason")[:1]
    people = list(staff.select_related("site").annotate(suspension_reason=Subquery(suspended)).order_by("pk"))
    numbers = [person.pk for person in people]
    licences: dict[int, list[Licence]] = defaultdict(list)
    for row in Qualification.objects.filter(staff_id__in=numbers, recorded_to=None):
        licences[row.staff_id].append(licence_of(row))
    known: dict[int, list[Assignment]] = defaultdict(list)
    mine = Q(order_id=job.order_id, state__in=list(_DECLINED))
    for assignment in Assignment.objects.filter(busy | before | mine, staff_id__in=numbers).select_related("order"):
        known[assignment.staff_id].append(assignment)
    away, avoided = absences_on(day, numbers), avoidances_on(day, [job.elder_id])
    return [
        replace(
            _carer(job, person, licences[person.pk], known[person.pk], (start, end)),
            away=tuple(away_of(row) for row in away.get(person.pk, ())),
            avoided=avoided.get((job.elder_id, person.pk), ""),
        )
        for person in people
    ]


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


def _carer(
    job: Job, person: Staff, licences: Iterable[Licence], known: Iterable[Assignment], day: tuple[datetime, datetime]
) -> Carer:
    booked, served, declined = [], 0, ""
    for one in known:
        done = one.state == AssignmentState.DONE
        served += done and one.elder_id == job.elder_id
        if one.order_id == job.order_id:
            declined = _DECLINED.get(AssignmentState(one.state), declined)
        elif day[0] <= one.starts_at < day[1] and (done or one.state in LIVE):
            booked.append(Booked(one.order_id, one.starts_at, one.ends_at, one.order.lon, one.order.lat))
    return Carer(
        staff_id=person.pk, name=person.name, provider_id=person.provider_id, sex=person.sex, day_from=person.day_from,
        day_to=person.day_to, most_minutes=person.most_minutes_a_day, employed_from=person.employed_from,
        employed_to=person.employed_to, kind=person.kind, mode=person.mode, starts_at_home=person.starts_at_home,
        lon=person.home_lon if person.starts_at_home else person.site.lon, lat=person.home_lat if person.starts_at_home else person.site.lat,
        break_from=person.break_from, break_to=person.break_to, break_minutes=person.break_minutes,
        contract_minutes=person.contract_minutes_a_day, duty_div=person.duty_div,
        dialects=frozenset(re.split(r"[,，、;；\s]+", person.dialects)) - {""}, licences=tuple(licences),
        suspension=getattr(person, "suspension_reason", None) or "", booked=tuple(booked), served_count=served, declined=declined,
    )  # fmt: skip


def trips_to(job: Job, carers: Sequence[Carer], area: str) -> dict[int, Trip]:
    """Return the ways of the carers, each by the own mode: from the order before or the start of the day to the home, and on."""
    if job.lon is None or job.lat is None:
        return {}
    usual = parameter("dispatch.mode", area, local_date(job.starts_at))
    by_mode: dict[str, list[Carer]] = defaultdict(list)
    for carer in carers:
        by_mode[carer.mode or usual].append(carer)
    known, found = learned(area), {}
    for mode, group in by_mode.items():
        found |= _trips(job, Point(job.lon, job.lat), group, mode, known)
    return found


def _trips(job: Job, home: Point, carers: Sequence[Carer], mode: str, known: Learned) -> dict[int, Trip]:
    """Return the ways of carers who travel alike, as estimated and as learned."""
    starts: dict[int, Point] = {}
    goals: dict[int, Point] = {}
    for carer in carers:
        before, after = neighbours(job, carer)
        for place, points in ((before or carer, starts), (after, goals)):
            if place is not None and place.lon is not None and place.lat is not None:
                points[carer.staff_id] = Point(place.lon, place.lat)
    clock = travel_time()
    to = dict(
        zip(
            starts, (row[0] for row in clock.matrix(list(starts.values()), mode, job.starts_at, to=[home])), strict=True
        )
    )
    on = dict(zip(goals, clock.matrix([home], mode, job.ends_at, to=list(goals.values()))[0], strict=True))
    there, away = known.factor_at(mode, job.starts_at), known.factor_at(mode, job.ends_at)
    return {
        carer.staff_id: Trip(ceil(to.get(carer.staff_id, 0) * there), ceil(on.get(carer.staff_id, 0) * away))
        for carer in carers
    }


def weights(area: str, on: date) -> Weights:
    """Return the weights of an area on a day."""
    names = ("travel_minute", "new_face", "other_dialect", "workload_hour")
    return Weights(**{name: float(parameter(f"dispatch.weight.{name}", area, on)) for name in names})


def plan_for(order: Order) -> Plan:
    """Rank all carers of the order's provider."""
    job = job_of(order)
    staff = Staff.objects.filter(provider_id=order.provider_id).exclude(kind="office")
    carers = carers_for(job, staff)
    return rank(job, carers, trips_to(job, carers, order.div), weights(order.div, local_date(order.starts_at)))


def proposal(place: int, one: Ranked) -> Proposal:
    """Return a ranked carer as a screen shows it."""
    return Proposal(place, one.carer.staff_id, one.carer.name, one.cost, tuple(part.reason for part in one.parts))


def rank_carers(*, actor: Actor, order: Order, now: datetime, limit: int = BEST) -> list[Proposal]:  # noqa: ARG001 - asked as all queries
    """Return the best carers for an order, each with the reasons: seven queries, however many carers there are."""
    return [proposal(place, one) for place, one in enumerate(plan_for(order).ranked[:limit], 1)]


def exclusions_of(order: Order, staff: Staff) -> list[Exclusion]:
    """Return every reason against one carer."""
    job = job_of(order)
    carer = carers_for(job, Staff.objects.filter(pk=staff.pk))[0]
    return compatibility(job, carer, trips_to(job, [carer], order.div).get(carer.staff_id))


def why_not(*, actor: Actor, order: Order, staff_id: int, now: datetime) -> list[str]:  # noqa: ARG001 - as above
    """Return in words why a carer is not proposed; for one who may go, the place in the ranking and its reasons."""
    staff = Staff.objects.visible_to(actor).filter(pk=staff_id).first()
    if staff is None:
        raise NotFound("staff.not_found", N_("没有这位服务人员，或不在您的权限范围内"), field="staff_id")
    if against := exclusions_of(order, staff):
        return [one.reason for one in against]
    for place, one in enumerate(plan_for(order).ranked, 1):
        if one.carer.staff_id == staff_id:
            return [N_("可以派，排在第 %(place)s 位") % {"place": place}, *(part.reason for part in one.parts)]
    return [N_("管理人员不上门服务")]
