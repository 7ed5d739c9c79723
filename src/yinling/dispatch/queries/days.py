"""A provider's day in an area, read from the database in a constant number of queries and made into the planner's problem."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from yinling.assessment.queries import levels_of
from yinling.directory.models import Qualification, Staff, Suspension
from yinling.directory.queries import absences_on
from yinling.dispatch.assembly import (
    Atlas,
    Terms,
    Wanted,
    allowed,
    atlas_of,
    by_task,
    place_of,
    travel_of,
    visits_of,
    wishes_of,
    worker_of,
)
from yinling.dispatch.masks import Mask, mask_of, shift_of
from yinling.dispatch.models import LIVE, Assignment, DayPlan, PlannedVisit
from yinling.dispatch.planner.problem import Cost, Left, Problem, Stop, Weights
from yinling.dispatch.planner.problem import Plan as Solution
from yinling.dispatch.ports import Point, travel_time
from yinling.dispatch.queries.carers import avoidances_on, away_of, jobs_of, licence_of, with_needs
from yinling.dispatch.queries.learned import Learned, learned
from yinling.dispatch.rules import Carer, Exclusion, Job
from yinling.dispatch.states import AssignmentState
from yinling.ground.parameters import parameter
from yinling.kernel.period import SHANGHAI, day_bounds
from yinling.kernel.words import N_
from yinling.orders.models import Order, OrderLine
from yinling.orders.queries import suspensions
from yinling.orders.states import OrderState

OPEN = (OrderState.PLACED, OrderState.ACCEPTED, OrderState.ASSIGNED)
BEGUN = (OrderState.IN_SERVICE, OrderState.SERVED, OrderState.SETTLED, OrderState.CLOSED)
DAYS_REMEMBERED = 180
"""How far back a carer who came counts as known to the elder."""
MOST_REASONS = 5
ROUNDING = 1e-9
MIDDAY = time(10)
"""The hour whose ways stand for the day."""
_MINUTE = timedelta(minutes=1)
_DECLINED = {AssignmentState.REFUSED: N_("已谢绝这张订单"), AssignmentState.EXPIRED: N_("对这张订单超时未接")}

Slots = Mapping[int, dict[int, Assignment]]
Planned = Mapping[tuple[int, int], PlannedVisit]


@dataclass(frozen=True)
class Frame:
    """Which day is read: whose, where, and what stands before. ``only`` narrows it to some orders and carers."""

    provider_id: int
    div: str
    day: date
    now: datetime
    base: DayPlan | None = None
    only: tuple[frozenset[int], frozenset[int]] | None = None
    guests: Mapping[int, tuple[PlannedVisit, ...]] = field(default_factory=dict)
    """Carers of other areas who may help out, with what they are to do there."""

    @property
    def midnight(self) -> datetime:
        """The moment from which minutes count."""
        return datetime.combine(self.day, time(), SHANGHAI)

    def minute(self, moment: datetime) -> float:
        """Return a moment as minutes of the day."""
        return (moment - self.midnight) / _MINUTE

    def moment(self, minute: float) -> datetime:
        """Return the full minute of the day, as people are told it."""
        return self.midnight + timedelta(minutes=round(minute))


@dataclass(frozen=True, eq=False)
class Day:
    """A day as loaded: the problem and what its numbers stand for. ``over`` are open orders whose time is past."""

    frame: Frame
    problem: Problem
    terms: Terms
    wanted: tuple[Wanted, ...]
    orders: Mapping[int, Any]
    carers: tuple[Carer, ...]
    mask: Mask
    over: tuple[int, ...] = ()
    start: Solution | None = None
    locked_staff: frozenset[int] = frozenset()
    locked_orders: frozenset[int] = frozenset()
    served: frozenset[int] = frozenset()
    """Visits somebody went to in the version before."""

    @property
    def number_of(self) -> dict[int, int]:
        """The number of each carer."""
        return {carer.staff_id: number for number, carer in enumerate(self.carers)}

    def is_away(self, number: int, start: datetime, end: datetime) -> bool:
        """Whether a carer does not work at a time, or is not sent at all."""
        carer = self.carers[number]
        return bool(carer.suspension) or _is_away(carer, start, end)

    @property
    def visit_of(self) -> dict[int, int]:
        """The number of each order's visit."""
        return {one.order_id: number for number, one in enumerate(self.wanted)}


@dataclass
class _Rows:
    """What the queries found."""

    orders: list[Any]
    staff: list[Any]
    slots: dict[int, dict[int, Assignment]]
    elsewhere: list[Assignment]
    declined: dict[tuple[int, int], str]
    licences: dict[int, list[Qualification]]
    away: dict[int, list[Any]]
    planned: dict[tuple[int, int], PlannedVisit] = field(default_factory=dict)


def terms_of(area: str, on: date) -> Terms:
    """Return what an area sets for its plans."""

    def weight(name: str) -> float:
        return float(parameter(f"dispatch.weight.{name}", area, on))

    weights = Weights(
        travel=weight("travel_minute"), tardiness=weight("tardiness"), worst=weight("worst"), overtime=weight("overtime"),
        imbalance=weight("imbalance"), shift=weight("shift"), left_out=weight("left_out"),
    )  # fmt: skip
    return Terms(
        weights=weights, new_face=weight("new_face"), other_dialect=weight("other_dialect"), other_area=weight("other_area"),
        urgent=weight("urgent"), is_hard=bool(parameter("dispatch.window_is_hard", area, on)),
        lead_minutes=float(parameter("dispatch.lead_minutes", area, on)),
        precedence=tuple((before, after, float(gap)) for before, after, gap in parameter("dispatch.precedence", area, on)),
        mode=str(parameter("dispatch.mode", area, on)),
    )  # fmt: skip


def load_day(frame: Frame) -> Day:
    """Read a day and make the problem of it."""
    terms = terms_of(frame.div, frame.day)
    rows = _rows(frame)
    carers = [_carer(person, rows) for person in rows.staff]
    shifts = [shift_of(carer, frame.midnight) for carer in carers]
    elders = {row.elder_id for row in rows.orders}
    known = learned(frame.div, items={item for row in rows.orders for item in row.item_ids})
    wanted, over = _wanted(frame, terms, rows, _minutes(frame, rows, known), _gone(rows, carers))
    jobs = _jobs(rows, wanted)
    mask = mask_of(jobs, carers, day=frame.day, single=_singles(rows, wanted, carers, avoidances_on(frame.day, elders)))
    for column, shift in enumerate(shifts):
        if shift.is_empty:
            mask.may[:, column] = False
    atlas = atlas_of(wanted, carers)
    modes = sorted({carer.mode or terms.mode for carer in carers} | {terms.mode})
    locked = frozenset(frame.base.locked_staff) if frame.base is not None else frozenset()
    served = _served(frame, elders)
    problem = Problem(
        visits=visits_of(wanted, carers, atlas, terms),
        workers=tuple(
            worker_of(carer, shift, atlas, modes, terms.mode) for carer, shift in zip(carers, shifts, strict=True)
        ),
        travel=travel_of(atlas, [_ways(frame, atlas, mode, known.factor(mode)) for mode in modes]),
        may=allowed(wanted, carers, mask, _closed(frame, rows, locked)),
        wishes=np.maximum(by_task(wanted, wishes_of(wanted, carers, mask, served, terms)), 0).astype(np.float32),
    )
    day = Day(
        frame, problem, terms, tuple(wanted), {row.pk: row for row in rows.orders}, tuple(carers), mask, tuple(over),
        locked_staff=locked, locked_orders=frozenset(row.order_id for row in rows.planned.values() if row.is_locked),
    )  # fmt: skip
    return day if not rows.planned else _with_start(day, rows.planned)


def _rows(frame: Frame) -> _Rows:
    orders = list(_orders(frame))
    numbers = [row.pk for row in orders]
    planned = {}
    if frame.base is not None:
        found = PlannedVisit.objects.filter(plan=frame.base, order_id__in=numbers)
        planned = {(row.order_id, row.slot): row for row in found}
    slots: dict[int, dict[int, Assignment]] = defaultdict(dict)
    declined: dict[tuple[int, int], str] = {}
    for one in Assignment.objects.filter(order_id__in=numbers).order_by("pk"):
        if one.state in _DECLINED:
            declined[(one.order_id, one.staff_id)] = _DECLINED[AssignmentState(one.state)]
        elif one.state in (*LIVE, AssignmentState.DONE):
            slots[one.order_id][one.slot] = one
    extra = {one.staff_id for by_slot in slots.values() for one in by_slot.values()}
    extra |= {row.staff_id for row in planned.values() if row.staff_id is not None} | set(frame.guests)
    staff = list(_staff(frame, extra))
    people = [person.pk for person in staff]
    licences: dict[int, list[Qualification]] = defaultdict(list)
    for row in Qualification.objects.filter(staff_id__in=people, recorded_to=None):
        licences[row.staff_id].append(row)
    return _Rows(
        orders, staff, slots, _elsewhere(frame, people, numbers), declined, licences, absences_on(frame.day, people), planned
    )  # fmt: skip


def _orders(frame: Frame) -> QuerySet[Any]:
    start, end = day_bounds(frame.day)
    rows = Order.objects.filter(
        ~Exists(suspensions().filter(order=OuterRef("pk"))), provider_id=frame.provider_id, starts_at__gte=start, starts_at__lt=end,
        state__in=(*OPEN, *BEGUN), needs_visit=True,
    )  # fmt: skip
    rows = rows.filter(pk__in=frame.only[0]) if frame.only is not None else rows.within(frame.div)
    lines = OrderLine.objects.filter(order=OuterRef("pk"), kind="item").order_by("pk")
    return with_needs(rows).annotate(
        families=ArraySubquery(lines.values("item__family")), item_ids=ArraySubquery(lines.values("item_id"))
    ).order_by("earliest_at", "pk")  # fmt: skip


def staff_in(div: str) -> Q:
    """The condition that the duty area of a carer, or that of the site, lies in a division."""
    own = Q(duty_div__gte=div, duty_div__lt=div + ":")
    return own | Q(duty_div="", site__div__gte=div, site__div__lt=div + ":")


def _staff(frame: Frame, extra: Collection[int]) -> QuerySet[Any]:
    suspended = Suspension.objects.filter(staff=OuterRef("pk"), to_at=None).order_by("pk").values("reason")[:1]
    rows = Staff.objects.filter(provider_id=frame.provider_id).annotate(suspension_reason=Subquery(suspended))
    if frame.only is not None:
        rows = rows.filter(pk__in=frame.only[1])
    else:
        still = Q(employed_to=None) | Q(employed_to__gt=frame.day)
        rows = rows.filter(staff_in(frame.div) & still & ~Q(kind="office") | Q(pk__in=extra))
    return rows.select_related("site").order_by("pk")


def _elsewhere(frame: Frame, people: Sequence[int], own: Sequence[int]) -> list[Assignment]:
    """What the carers do that day for orders of other areas."""
    start, end = day_bounds(frame.day)
    rows = Assignment.objects.filter(staff_id__in=people, starts_at__gte=start, starts_at__lt=end)
    rows = rows.exclude(order_id__in=own).filter(state__in=[*LIVE, AssignmentState.DONE])
    if frame.base is not None:
        rows = rows.exclude(order_id__in=PlannedVisit.objects.filter(plan=frame.base).values("order_id"))
    return list(rows.select_related("order").order_by("pk"))


def _carer(person: Any, rows: _Rows) -> Carer:
    at_home = person.starts_at_home
    return Carer(
        staff_id=person.pk, name=person.name, provider_id=person.provider_id, sex=person.sex, day_from=person.day_from,
        day_to=person.day_to, most_minutes=person.most_minutes_a_day, employed_from=person.employed_from, employed_to=person.employed_to,
        lon=person.home_lon if at_home else person.site.lon, lat=person.home_lat if at_home else person.site.lat,
        dialects=frozenset(re.split(r"[,，、;；\s]+", person.dialects)) - {""},
        licences=tuple(licence_of(row) for row in rows.licences[person.pk]), suspension=person.suspension_reason or "", kind=person.kind,
        mode=person.mode, starts_at_home=at_home, break_from=person.break_from, break_to=person.break_to,
        break_minutes=person.break_minutes, contract_minutes=person.contract_minutes_a_day, duty_div=person.duty_div,
        away=tuple(away_of(row) for row in rows.away.get(person.pk, ())),
    )  # fmt: skip


def _minutes(frame: Frame, rows: _Rows, known: Learned) -> dict[int, float]:
    """Return how long each order takes: the booked time, or longer where that was learned and confirmed."""
    levels = levels_of([row.elder_id for row in rows.orders], frame.day) if known.minutes else {}
    found = {}
    for row in rows.orders:
        booked = (row.ends_at - row.starts_at) / _MINUTE
        said = [known.minutes_of(item, frame.provider_id, levels.get(row.elder_id, "")) for item in row.item_ids]
        found[row.pk] = max(booked, float(sum(said))) if said and all(said) else booked  # type: ignore[arg-type]
    return found


def _gone(rows: _Rows, carers: Iterable[Carer]) -> set[tuple[int, int]]:
    """Return (order, carer) of assignments that the carer cannot keep, being away at that hour or not sent any more."""
    known = {carer.staff_id: carer for carer in carers}
    found = set()
    for order_id, by_slot in rows.slots.items():
        for one in by_slot.values():
            carer = known.get(one.staff_id)
            if carer is None or carer.suspension or _is_away(carer, one.starts_at, one.ends_at):
                found.add((order_id, one.staff_id))
    return found


def _is_away(carer: Carer, start: datetime, end: datetime) -> bool:
    return any(one.from_at < end and (one.to_at is None or start < one.to_at) for one in carer.away)


def _wanted(
    frame: Frame, terms: Terms, rows: _Rows, minutes: Mapping[int, float], gone: Collection[tuple[int, int]]
) -> tuple[list[Wanted], list[int]]:
    """Return the orders to be planned, and those for which it is too late."""
    soonest = float(np.ceil(frame.minute(frame.now) + terms.lead_minutes))
    wanted, over = [], []
    for row in rows.orders:
        one = _one_wanted(frame, row, minutes[row.pk], rows, gone, soonest)
        if one.is_fixed or one.closes >= soonest:
            opens = one.opens if one.start is not None else max(one.opens, soonest)
            wanted.append(one if opens == one.opens else replace(one, opens=opens))
        elif row.state in OPEN:
            over.append(row.pk)
    busy: dict[tuple[int, int | None], Any] = {
        (one.order_id, one.staff_id): one for visits in frame.guests.values() for one in visits
    }
    busy |= {(one.order_id, one.staff_id): one for one in rows.elsewhere}
    return [*wanted, *(_busy(frame, one) for one in busy.values())], over


def _one_wanted(
    frame: Frame, row: Any, minutes: float, rows: _Rows, gone: Collection[tuple[int, int]], soonest: float
) -> Wanted:
    carers, start, usual = _held(frame, row, rows, gone, soonest)
    opens, closes = frame.minute(row.earliest_at), frame.minute(row.latest_at)
    if start is not None:
        opens, closes = min(opens, start), max(closes, start)
    return Wanted(
        order_id=row.pk, elder_id=row.elder_id, opens=opens, closes=closes, minutes=(minutes,) * row.carers_needed,
        place=place_of(row.lon, row.lat), families=tuple(row.families), dialect=row.dialect, is_urgent=row.is_urgent, carers=carers,
        start=start, usual=usual,
    )  # fmt: skip


def _held(
    frame: Frame, row: Any, rows: _Rows, gone: Collection[tuple[int, int]], soonest: float
) -> tuple[tuple[int, ...], float | None, float | None]:
    """Return by whom and when an order is held (begun, accepted, locked, too near to change), and the time that was announced."""
    slots = range(1, row.carers_needed + 1)
    live = {slot: one for slot, one in rows.slots.get(row.pk, {}).items() if (row.pk, one.staff_id) not in gone}
    told = rows.slots.get(row.pk, {})
    usual = min((frame.minute(one.starts_at) for one in told.values()), default=None)
    firm = {
        slot: one.staff_id
        for slot, one in live.items()
        if row.state in BEGUN or one.state != AssignmentState.OFFERED or frame.minute(one.starts_at) < soonest
    }
    starts = [frame.minute(one.starts_at) for slot, one in live.items() if slot in firm]
    for slot in slots:
        visit = rows.planned.get((row.pk, slot))
        if visit is None or visit.staff_id is None or slot in firm or (row.pk, visit.staff_id) in gone:
            continue
        if visit.is_locked or (frame.base is not None and visit.staff_id in frame.base.locked_staff):
            firm[slot] = visit.staff_id
            starts.append(frame.minute(visit.starts_at))
    carers = tuple(firm.get(slot, 0) for slot in slots) if firm else ()
    return carers, (starts[0] if starts else None), usual


def _busy(frame: Frame, one: Any) -> Wanted:
    """Return what a carer does elsewhere, assigned or planned."""
    start = frame.minute(one.starts_at)
    return Wanted(
        order_id=one.order_id, elder_id=one.elder_id, opens=start, closes=start, minutes=((one.ends_at - one.starts_at) / _MINUTE,),
        place=place_of(one.order.lon, one.order.lat), carers=(one.staff_id,), start=start, is_elsewhere=True,
    )  # fmt: skip


def _jobs(rows: _Rows, wanted: Iterable[Wanted]) -> list[Job]:
    """Return what the orders ask, in the order of the visits; work elsewhere asks nothing of anybody else."""
    by_order = {job.order_id: job for job in jobs_of(rows.orders)}
    return [by_order.get(one.order_id) or _no_job(one) for one in wanted]


def _no_job(one: Wanted) -> Job:
    never = datetime.min.replace(tzinfo=SHANGHAI)
    return Job(one.order_id, one.elder_id, 0, never, never)


def _singles(
    rows: _Rows, wanted: Sequence[Wanted], carers: Sequence[Carer], avoided: Mapping[tuple[int, int], str]
) -> dict[tuple[int, int], Exclusion]:
    """Return what stands between one order and one carer: an avoidance, a refusal."""
    number = {carer.staff_id: column for column, carer in enumerate(carers)}
    found = {}
    for row, one in enumerate(wanted):
        for (elder_id, staff_id), reason in avoided.items():
            if elder_id == one.elder_id and staff_id in number:
                found[(row, number[staff_id])] = Exclusion("avoid", N_("已登记回避：%(reason)s") % {"reason": reason})
    by_order = {one.order_id: row for row, one in enumerate(wanted)}
    for (order_id, staff_id), sentence in rows.declined.items():
        if order_id in by_order and staff_id in number:
            found.setdefault((by_order[order_id], number[staff_id]), Exclusion("declined", sentence, is_hard=False))
    return found


def _closed(frame: Frame, rows: _Rows, locked: Collection[int]) -> set[int]:
    """Return the carers who get nothing new: locked rounds, and those of other areas who are only here by an earlier order."""
    if frame.only is not None:
        return set()
    here = set(Staff.objects.filter(staff_in(frame.div), provider_id=frame.provider_id).values_list("pk", flat=True))
    return {person.pk for person in rows.staff if person.pk not in here and person.pk not in frame.guests} | set(locked)


def _served(frame: Frame, elders: Collection[int]) -> dict[tuple[int, int], int]:
    start, _ = day_bounds(frame.day)
    rows = Assignment.objects.filter(
        provider_id=frame.provider_id, state=AssignmentState.DONE, elder_id__in=elders, starts_at__lt=start,
        starts_at__gte=start - timedelta(days=DAYS_REMEMBERED),
    )  # fmt: skip
    return {
        (elder_id, staff_id): count
        for elder_id, staff_id, count in rows.values_list("elder_id", "staff_id").annotate(Count("pk"))
    }


def _ways(frame: Frame, atlas: Atlas, mode: str, factor: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the full minutes between all places by one mode, as learned for the area: people are told full minutes."""
    if not atlas.places:
        return np.zeros((0, 0), dtype=np.float32)
    at = datetime.combine(frame.day, MIDDAY, SHANGHAI)
    seconds = travel_time().matrix([Point(*place) for place in atlas.places], mode, at)
    return np.ceil(np.asarray(seconds, dtype=np.float64) * factor / 60 - ROUNDING).astype(np.float32)


def _with_start(day: Day, planned: Planned) -> Day:
    visit_of = day.visit_of
    served = {
        visit_of[row.order_id] for row in planned.values() if row.staff_id is not None and row.order_id in visit_of
    }
    return replace(day, start=solution_of(day, planned.values()), served=frozenset(served))


def solution_of(day: Day, planned: Iterable[PlannedVisit]) -> Solution:
    """Return a stored version as a plan of the problem, to start from; the cost is not counted."""
    number, visit_of = day.number_of, day.visit_of
    routes: list[list[Stop]] = [[] for _ in day.carers]
    for row in planned:
        if row.staff_id in number and row.order_id in visit_of:
            starts, ends = day.frame.minute(row.starts_at), day.frame.minute(row.ends_at)
            way = float(row.way_minutes)
            routes[number[row.staff_id]].append(Stop(visit_of[row.order_id], row.slot - 1, starts, starts, ends, way))
    nothing = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
    ordered = tuple(tuple(sorted(route, key=lambda stop: stop.starts)) for route in routes)
    return Solution(ordered, tuple(() for _ in routes), (), nothing, 0, 0, 0.0)


def explained(day: Day, left: Left) -> list[dict[str, Any]]:
    """Return why a visit is left out: what the planner says, then whom the rules keep away and how many they are."""
    found: list[dict[str, Any]] = [{"code": left.code, "values": _named(day, left)}]
    if left.code in ("nobody_may", "pair_needs_two"):
        found = []
        empty = sum(1 for carer in day.carers if shift_of(carer, day.frame.midnight).is_empty)
        counted = [*day.mask.counted(left.visit), *([(N_("当天缺勤"), empty)] if empty else [])]
        found += [
            {"code": "against", "values": {"count": count, "reason": reason}}
            for reason, count in counted[:MOST_REASONS]
        ]
        if left.code == "pair_needs_two" or not found:
            found.insert(0, {"code": left.code if day.carers else "no_carers", "values": _named(day, left)})
    return found


def _named(day: Day, left: Left) -> dict[str, str]:
    """Return what the planner's sentence names, as people know it: orders by their code."""
    order = day.orders.get(day.wanted[left.visit].order_id)
    values = {name: str(value) for name, value in left.values.items()}
    if "task" in values and order is not None:
        values["task"] = order.code
    if "visit" in values and values["visit"].isdigit() and (other := day.orders.get(int(values["visit"]))) is not None:
        values["visit"] = other.code
    return values
