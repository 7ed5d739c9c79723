"""What an order asks, who might go, and how long everybody's way is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import ceil
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Sum, TextField, Value
from django.db.models.functions import Extract, Floor, JSONObject

from yinling.directory.models import MODES, Absence, Qualification, Staff, Suspension
from yinling.directory.queries import absences_between, body_obstacles
from yinling.dispatch.models import LIVE, Assignment, Avoidance
from yinling.dispatch.planner.ranking import Weights
from yinling.dispatch.ports import STRAIGHT_LINE, Point, travel_time
from yinling.dispatch.queries.learned import WAY, Learned, ways_in_use, ways_of
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
KNOWN, AVOIDED, LEARNED, LICENCE, BOOKED, AWAY = "known", "avoided", "learned", "licence", "booked", "away"
LICENCE_NAMES = ("kind", "valid_from", "valid_to", "place", "credits_to", "is_retired_practice")
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


def surroundings(job: Job) -> tuple[Acquaintance, Ways]:
    """Return what lies between an order and the carers, and how people get about for it at its hour: one query."""
    before = Q(elder_id=job.elder_id, state=AssignmentState.DONE)
    mine = Q(order_id=job.order_id, state__in=list(_DECLINED))
    known = (
        Assignment.objects.filter(before | mine).values("staff_id", "state").annotate(count=Count("pk"), last=Max("pk"))
    )
    avoided = Avoidance.objects.filter(in_force(local_date(job.starts_at)), elder_id=job.elder_id)
    rows = told(known.order_by(), "staff_id", KNOWN, "state", "count", "last").union(
        told(avoided, "staff_id", AVOIDED, "reason"),
        told(ways_in_use(job.div, STRAIGHT_LINE), "pk", LEARNED, *WAY),
        all=True,
    )
    parts: dict[str, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for number, what, values in rows:
        parts[what].append((number, values))
    between = _acquaintance(parts[KNOWN], {staff_id: values["reason"] for staff_id, values in parts[AVOIDED]})
    return between, _ways(job, ways_of(job.div, [values for _pk, values in parts[LEARNED]]))


def told(rows: Any, key: str, what: str, *names: str) -> Any:
    """Return rows as a number, a word and the named values together, so that rows of several tables come by one query."""
    word = Value(what, output_field=TextField())
    return (
        rows.order_by()
        .annotate(what=word, told=JSONObject(**{name: name for name in names}))
        .values_list(key, "what", "told")
    )


def _acquaintance(known: Iterable[tuple[int, dict[str, Any]]], avoided: Mapping[int, str]) -> Acquaintance:
    served: Counter[int] = Counter()
    declined: dict[int, str] = {}
    for staff_id, values in sorted(known, key=lambda one: one[1]["last"]):
        if values["state"] == AssignmentState.DONE:
            served[staff_id] += values["count"]
        else:
            declined[staff_id] = _DECLINED[AssignmentState(values["state"])]
    return Acquaintance(served, declined, avoided)


def carers_for(job: Job, staff: QuerySet[Staff]) -> list[Carer]:
    """Return staff with all that speaks for or against them: three queries, however many they are."""
    between, _ways_there = surroundings(job)
    return [between.with_carer(job, one) for one in carers_of_day(local_date(job.starts_at), staff)]


def carers_of_day(day: date, staff: QuerySet[Staff]) -> list[Carer]:
    """Return staff with their day, whatever the order: two queries, however many they are."""
    return with_day(day, people_among(staff))


def people_among(staff: QuerySet[Staff]) -> list[Any]:
    """Return the rows of staff that ``with_day`` takes: with their site, and why they are suspended."""
    suspended = Suspension.objects.filter(staff=OuterRef("pk"), to_at=None).order_by("pk").values("reason")[:1]
    return list(staff.select_related("site").annotate(suspension_reason=Subquery(suspended)).order_by("pk"))


def with_day(day: date, people: Sequence[Any]) -> list[Carer]:
    """Return people with their qualifications, visits (done or to come) and absences of a day: one query."""
    numbers = [person.pk for person in people]
    licences = Qualification.objects.filter(staff_id__in=numbers, recorded_to=None)
    booked = _busy_on(day).filter(staff_id__in=numbers).annotate(lon=F("order__lon"), lat=F("order__lat"))
    away = absences_between(*day_bounds(day)).filter(staff_id__in=numbers)
    rows = told(licences, "staff_id", LICENCE, *LICENCE_NAMES).union(
        told(booked, "staff_id", BOOKED, "order_id", "starts_at", "ends_at", "lon", "lat"),
        told(away, "staff_id", AWAY, "kind", "from_at", "to_at"),
        all=True,
    )
    found: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    for staff_id, what, values in rows:
        found[staff_id, what].append(values)
    return [
        replace(
            _carer(person), licences=tuple(map(_licence, found[person.pk, LICENCE])),
            booked=tuple(sorted(map(_booked, found[person.pk, BOOKED]), key=lambda one: (one.starts_at, one.ends_at, one.order_id))),
            away=tuple(sorted(map(_away, found[person.pk, AWAY]), key=lambda one: one.from_at)),
        )
        for person in people
    ]  # fmt: skip


def _licence(values: dict[str, Any]) -> Licence:
    days = {name: date.fromisoformat(values[name]) if values[name] else None for name in ("valid_to", "credits_to")}
    return Licence(**values | days | {"valid_from": date.fromisoformat(values["valid_from"])})


def _booked(values: dict[str, Any]) -> Booked:
    return Booked(**values | {name: datetime.fromisoformat(values[name]) for name in ("starts_at", "ends_at")})


def _away(values: dict[str, Any]) -> Away:
    until = datetime.fromisoformat(values["to_at"]) if values["to_at"] else None
    return Away(datetime.fromisoformat(values["from_at"]), until, _why_away(values["kind"]))


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
    return Away(row.from_at, row.to_at, _why_away(row.kind))


def _why_away(kind: str) -> str:
    return dict(Absence.KINDS).get(kind, kind)


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


def _ways(job: Job, known: Learned) -> Ways:
    usual = parameter("dispatch.mode", job.div, local_date(job.starts_at))
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
    cut = {pk: clock.matrix([starts[pk]], mode, job.starts_at, to=[goals[pk]])[0][0] for pk in both}
    parts: list[dict[int, int]] = [
        dict(zip(starts, (row[0] for row in to), strict=True)), dict(zip(goals, on, strict=True)),
        cut,
    ]  # fmt: skip
    return {carer.staff_id: Trip(*(ceil(part.get(carer.staff_id, 0) * factor) for part in parts)) for carer in carers}


def weights(area: str, on: date) -> Weights:
    """Return the weights of an area on a day."""
    names = ("travel_minute", "new_face", "other_dialect", "workload_hour")
    return Weights(**{name: float(parameter(f"dispatch.weight.{name}", area, on)) for name in names})
