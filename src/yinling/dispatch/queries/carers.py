"""What an order asks, who might go, and how long everybody's way is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import ceil
from operator import attrgetter, itemgetter
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery

from yinling.directory.models import MODES, Absence, Qualification, Staff, Suspension
from yinling.directory.queries import Body, bodies
from yinling.dispatch.models import Avoidance
from yinling.dispatch.planner.ranking import Weights
from yinling.dispatch.ports import STRAIGHT_LINE, Point, travel_time
from yinling.dispatch.queries.learned import Learned, areas_of
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
from yinling.ground.kept import Kept, one_of
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import day_bounds, local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order, OrderLine

BEST = 3
_DECLINED = {
    AssignmentState.REFUSED: N_("已谢绝这张订单"), AssignmentState.EXPIRED: N_("对这张订单超时未接"),
    AssignmentState.RELEASED: N_("已退回这张订单"), AssignmentState.OFFERED: N_("已派给这张订单"),
    AssignmentState.ACCEPTED: N_("已派给这张订单"),
}  # fmt: skip


def job_of(order: Order) -> Job:
    """Return what an order asks of a carer; every order asks for induction training (R-STF-05)."""
    return jobs_of([order])[0]


def jobs_of(orders: Iterable[Any]) -> list[Job]:
    """Return what orders ask of a carer, and what stops their providers: two queries, however many they are."""
    rows = list(orders)
    needs = {row.pk: (row.needs, row.is_medical) for row in rows if hasattr(row, "needs")}
    needs |= _needs_of([row.pk for row in rows if row.pk not in needs])
    known = bodies({row.provider_id for row in rows})
    return [_job(row, *needs.get(row.pk, ([], False)), known.get(row.provider_id)) for row in rows]


NEEDS = """SELECT l.order_id, array_agg(i.needs_qualification), bool_or(i.is_medical)
    FROM orders_orderline l JOIN catalogue_serviceitem i ON i.id = l.item_id
    WHERE l.kind = 'item' AND l.order_id = ANY ((SELECT %s::bigint[])::bigint[]) GROUP BY l.order_id"""


def _needs_of(order_ids: list[int]) -> dict[int, tuple[list[str], bool]]:
    """Return which qualifications the items of orders ask for, and whether one is medical."""
    if not order_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(NEEDS, [order_ids])
        return {pk: (needs, is_medical) for pk, needs, is_medical in cursor.fetchall()}


def _job(order: Any, needs: list[str], is_medical: bool, body: Body | None) -> Job:  # noqa: FBT001 - as it was read
    days = {local_date(order.starts_at), local_date(order.ends_at)}
    against_body = () if body is None else body.obstacles(days, is_medical=is_medical)
    names = dict(Qualification.KINDS)
    kinds = [INDUCTION, *sorted({kind for kind in needs if kind and kind != INDUCTION})]
    return Job(
        order_id=order.pk, elder_id=order.elder_id, provider_id=order.provider_id, starts_at=order.starts_at, ends_at=order.ends_at,
        lon=order.lon, lat=order.lat, needs=tuple((kind, names.get(kind, kind)) for kind in kinds), wants_sex=order.wants_sex,
        dialect=order.dialect, div=order.div, against_body=against_body, provider_div=body.div if body else "",
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


AROUND = """
SELECT 'known', staff_id, state, count(*), max(id), '', 0, 0, 0.0::float8 FROM dispatch_assignment
    WHERE (elder_id = %(elder)s AND state = 'done') OR (order_id = %(order)s AND state = ANY (%(declined)s)) GROUP BY staff_id, state
UNION ALL SELECT 'avoided', staff_id, reason, 0, 0, '', 0, 0, 0 FROM dispatch_avoidance
    WHERE elder_id = %(elder)s AND recorded_to IS NULL AND valid_from <= %(day)s AND (valid_to IS NULL OR valid_to > %(day)s)
UNION ALL SELECT 'way', 0, div, 0, 0, mode, hour_from, hour_to, value FROM dispatch_correction
    WHERE state = 'used' AND kind = 'travel' AND engine = %(engine)s AND div = ANY (%(areas)s)"""
"""Staff, word, how often and the last of it; then mode, hours and value of a way. One statement, written out: it is asked at every choice,
and the ORM takes ten times as long to make it as the server to answer it."""


def surroundings(job: Job) -> tuple[Acquaintance, Ways]:
    """Return what lies between an order and the carers, and how people get about for it at its hour: one query."""
    asked: dict[str, Any] = {
        "elder": job.elder_id, "order": job.order_id, "declined": [str(state) for state in _DECLINED], "day": local_date(job.starts_at),
        "engine": STRAIGHT_LINE, "areas": areas_of(job.div),
    }  # fmt: skip
    parts: dict[str, list[Any]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(AROUND, asked)
        for what, *values in cursor.fetchall():
            parts[what].append(values)
    avoided = {staff_id: reason for staff_id, reason, *_rest in parts["avoided"]}
    ways = {(div, mode, begin, end): value for _staff, div, _count, _last, mode, begin, end, value in parts["way"]}
    return _acquaintance(parts["known"], avoided), _ways(job, Learned(job.div, ways))


def _acquaintance(known: Iterable[Sequence[Any]], avoided: Mapping[int, str]) -> Acquaintance:
    served: Counter[int] = Counter()
    declined: dict[int, str] = {}
    for staff_id, state, count, *_rest in sorted(known, key=itemgetter(3)):
        if state == AssignmentState.DONE:
            served[staff_id] += count
        else:
            declined[staff_id] = _DECLINED[AssignmentState(state)]
    return Acquaintance(served, declined, avoided)


def carers_for(job: Job, staff: QuerySet[Staff]) -> list[Carer]:
    """Return staff with all that speaks for or against them: three queries, however many they are."""
    between, _ways_there = surroundings(job)
    return [between.with_carer(job, one) for one in carers_of_day(local_date(job.starts_at), staff)]


def carers_of_day(day: date, staff: QuerySet[Staff]) -> list[Carer]:
    """Return staff with their day, whatever the order: two queries, however many they are."""
    return with_day(day, people_among(staff))


def people_among(staff: QuerySet[Staff]) -> list[Any]:
    """Return the rows of staff that ``with_day`` takes."""
    return list(_people(staff))


def _people(staff: QuerySet[Staff]) -> QuerySet[Any]:
    """Staff with the place of their site, and why they are suspended."""
    suspended = Suspension.objects.filter(staff=OuterRef("pk"), to_at=None).order_by("pk").values("reason")[:1]
    rows = staff.annotate(suspension_reason=Subquery(suspended), site_lon=F("site__lon"), site_lat=F("site__lat"))
    return rows.order_by("pk")


HELD = Kept(lambda: _people(Staff.objects.filter(one_of("pk", "numbers")).select_for_update(of=("self",), no_key=True)))


def held_people(actor: Actor, numbers: Iterable[int]) -> dict[int, Any]:
    """Read those of some staff whom the actor sees, and hold their days until the end of the transaction: who assigns to them at the same
    time waits. They are held in the order of their numbers, so that nobody waits for each other.
    """
    return {row.pk: row for row in HELD(numbers=sorted(set(numbers))) if row.is_visible_to(actor)}


BUSY = """dispatch_assignment a JOIN orders_order o ON o.id = a.order_id
    WHERE a.staff_id = ANY ((SELECT %(staff)s::bigint[])::bigint[]) AND a.starts_at >= %(start)s AND a.starts_at < %(end)s
        AND o.starts_at >= %(start)s AND o.starts_at < %(end)s AND (a.state = 'done' OR (a.state IN ('offered', 'accepted')
            AND (o.state IN ('assigned', 'in_service') OR (o.state IN ('placed', 'accepted') AND o.carers_needed > 1))))"""
"""The visits of some staff on a day. A live assignment keeps a carer busy only while its order is under way, or waits for the second carer:
dispatch withdraws it otherwise."""
DAY = f"""
SELECT 'licence', staff_id, kind, valid_from, valid_to, place, credits_to, is_retired_practice,
        NULL::bigint, NULL::timestamptz, NULL::timestamptz, NULL::float8, NULL::float8
    FROM directory_qualification WHERE staff_id = ANY ((SELECT %(staff)s::bigint[])::bigint[]) AND recorded_to IS NULL
UNION ALL SELECT 'booked', a.staff_id, NULL, NULL, NULL, NULL, NULL, NULL, a.order_id, a.starts_at, a.ends_at, o.lon, o.lat FROM {BUSY}
UNION ALL SELECT 'away', staff_id, kind, NULL, NULL, NULL, NULL, NULL, NULL, from_at, to_at, NULL, NULL FROM directory_absence
    WHERE staff_id = ANY ((SELECT %(staff)s::bigint[])::bigint[]) AND (to_at IS NULL OR to_at > %(start)s) AND to_at IS DISTINCT FROM from_at
        AND from_at < %(end)s"""  # noqa: S608 - our own text
TOTALS = f"SELECT count(*), coalesce(sum(floor(extract(epoch FROM a.starts_at - %(start)s))), 0)::bigint FROM {BUSY}"  # noqa: S608 - as above


def with_day(day: date, people: Sequence[Any]) -> list[Carer]:
    """Return people with their qualifications, visits (done or to come) and absences of a day: one query."""
    found: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for what, staff_id, *values in _rows_on(DAY, day, [person.pk for person in people]):
        found[what, staff_id].append(values)
    return [
        replace(
            _carer(person), licences=tuple(Licence(*values[:6]) for values in found["licence", person.pk]),
            booked=tuple(sorted((Booked(*values[6:]) for values in found["booked", person.pk]), key=attrgetter("starts_at", "ends_at", "order_id"))),
            away=tuple(sorted((Away(values[7], values[8], _why_away(values[0])) for values in found["away", person.pk]), key=attrgetter("from_at"))),
        )
        for person in people
    ]  # fmt: skip


def booked_totals(day: date, staff_ids: Iterable[int]) -> tuple[int, int]:
    """Return how many visits some staff have on a day, and the sum of the seconds at which they begin: two numbers to compare with."""
    ((count, begins),) = _rows_on(TOTALS, day, list(staff_ids))
    return count, begins


def _rows_on(sql: str, day: date, staff_ids: list[int]) -> list[Any]:
    start, end = day_bounds(day)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"staff": staff_ids, "start": start, "end": end})
        return list(cursor.fetchall())


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
        lon=person.home_lon if person.starts_at_home else person.site_lon, lat=person.home_lat if person.starts_at_home else person.site_lat,
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
