"""What moving one visit in a plan would do: the rounds it touches are timed anew, nothing else is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from yinling.dispatch.fairness import Fairness
from yinling.dispatch.masks import TIMED
from yinling.dispatch.models import DayPlan, PlannedVisit
from yinling.dispatch.planner.evaluate import cost_of
from yinling.dispatch.planner.problem import Cost, Stop
from yinling.dispatch.planner.timing import EPS, Fault, Timed, time_routes, way_back
from yinling.dispatch.queries.boards import Effect
from yinling.dispatch.queries.days import Day, Frame, load_day
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import NotFound
from yinling.kernel.words import N_

Key = tuple[int, int]
"""Order and slot."""
Rounds = dict[int, list[Key]]
"""The visits of each carer, in their order."""
FAULTS = {
    "home": N_("%(name)s 将晚于下班时间 %(by)s 分钟"),
    "hours": N_("%(name)s 当天工作和路上将超过上限 %(by)s 分钟"),
    "break": N_("%(name)s 没有时间休息"),
    "ring": N_("几次上门互相等待，排不出时间"),
    "pair": N_("两位服务人员同去的另一位这个时间到不了，请把两位一起移动"),
    "way": N_("地址没有位置，算不出路程，请先补上位置"),
}


@dataclass(frozen=True, eq=False)
class Move:
    """A move worked out: its effect, and what a plan must store of it."""

    effect: Effect
    day: Day
    before: Timed
    after: Timed
    keys: Mapping[int, int]
    """Visit by order."""
    cost: Mapping[str, float]
    fairness: Fairness


def effect_of_move(
    actor: Actor, plan: DayPlan, order_id: int, slot: int, staff_id: int | None, position: int | None = None,
    starts_at: datetime | None = None,
) -> Effect:  # fmt: skip
    """Return the effect of giving a visit to a carer at a place in the round (from 0) or at a time; ``staff_id`` None takes it out."""
    return work_out(actor, plan, order_id, slot, staff_id, position, starts_at).effect


def work_out(
    actor: Actor, plan: DayPlan, order_id: int, slot: int, staff_id: int | None, position: int | None = None,
    starts_at: datetime | None = None,
) -> Move:  # fmt: skip
    """Time the touched rounds before and after. Without place and time, the cheapest place in the round is taken."""
    visits = PlannedVisit.objects.visible_to(actor).filter(plan=plan)
    now_with = Q(staff__in=visits.filter(order_id=order_id, slot=slot).values("staff"))
    rows = _rounds_of(visits, now_with if staff_id is None else now_with | Q(staff=staff_id), order_id)
    moved = next((row for row in rows if (row.order_id, row.slot) == (order_id, slot)), None)
    if moved is None:
        raise NotFound("plan.no_visit", N_("这个计划中没有这次上门，请刷新页面"), field="order_id")
    staff = {number for number in (moved.staff_id, staff_id) if number is not None}
    # Those who go together with somebody of these rounds are touched too.
    mates = visits.filter(order_id__in={row.order_id for row in rows}, staff__isnull=False).exclude(staff__in=staff)
    if together := set(mates.values_list("staff_id", flat=True)):
        staff |= together
        rows = _rounds_of(visits, Q(staff__in=staff), order_id)
    orders = frozenset(row.order_id for row in rows)
    day = load_day(Frame(plan.provider_id, plan.div, plan.day, plan.created_at, plan, only=(orders, frozenset(staff))))
    if staff_id is not None and staff_id not in day.number_of:
        raise NotFound("staff.not_found", N_("没有这位服务人员，或不在您的权限范围内"), field="staff_id")
    return _Bench(plan, day, rows, moved, staff_id, starts_at).best(position)


def _rounds_of(visits: QuerySet[Any], whose: Q, order_id: int) -> list[PlannedVisit]:
    return list(visits.filter(whose | Q(order_id=order_id)).order_by("pk"))


@dataclass
class _Bench:
    """One move, tried at several places of the round."""

    plan: DayPlan
    day: Day
    rows: Sequence[PlannedVisit]
    moved: PlannedVisit
    staff_id: int | None
    starts_at: datetime | None

    def __post_init__(self) -> None:
        self.key = (self.moved.order_id, self.moved.slot)
        self.visit_of = self.day.visit_of
        self.number_of = self.day.number_of
        self.starts = {
            self.visit_of[row.order_id]: self.day.frame.minute(row.starts_at)
            for row in self.rows
            if row.order_id in self.visit_of
        }
        self.rounds: Rounds = {staff_id: [] for staff_id in self.number_of}
        for row in sorted(self.rows, key=lambda row: row.starts_at):
            if row.staff_id in self.rounds and row.order_id in self.visit_of:
                self.rounds[row.staff_id].append((row.order_id, row.slot))
        for one in self.day.wanted:
            if one.is_elsewhere and one.carers[0] in self.rounds and one.start is not None:
                self._insert_by_time(self.rounds[one.carers[0]], (one.order_id, 1), one.start)
        self.before = self._timed(self.rounds, {})

    def _insert_by_time(self, round_: list[Key], key: Key, start: float) -> None:
        later = [place for place, other in enumerate(round_) if self.starts.get(self.visit_of[other[0]], 0.0) > start]
        round_.insert(later[0] if later else len(round_), key)
        self.starts.setdefault(self.visit_of[key[0]], start)

    def best(self, position: int | None) -> Move:
        """Return the move at the place asked for, at the time asked for, or at the cheapest place."""
        if self.staff_id is None:
            return self._at(None)
        round_ = [key for key in self.rounds[self.staff_id] if key != self.key]
        if position is not None:
            return self._at(min(position, len(round_)))
        if self.starts_at is not None:
            start = self.day.frame.minute(self.starts_at)
            return self._at(sum(1 for order_id, _slot in round_ if self.starts[self.visit_of[order_id]] <= start))
        tried = [self._at(place) for place in range(len(round_) + 1)]
        return min(tried, key=lambda move: (not move.effect.feasible, move.effect.cost_delta))

    def _timed(self, rounds: Rounds, floors: Mapping[int, float]) -> Timed:
        """Time rounds. A visit keeps its start while it is in its window; a late one comes as early as it can."""
        low = {
            visit: start for visit, start in self.starts.items() if start <= self.day.problem.visits[visit].closes + EPS
        }
        routes = {
            self.number_of[staff_id]: [(self.visit_of[order_id], slot - 1) for order_id, slot in round_]
            for staff_id, round_ in rounds.items()
        }
        return time_routes(self.day.problem, routes, {**low, **floors})

    def _at(self, place: int | None) -> Move:
        rounds = {staff_id: [key for key in round_ if key != self.key] for staff_id, round_ in self.rounds.items()}
        visit = self.visit_of.get(self.key[0])
        floors: dict[int, float] = {}
        if place is not None and self.staff_id is not None and visit is not None:
            rounds[self.staff_id].insert(place, self.key)
            start = (
                self.day.problem.visits[visit].opens
                if self.starts_at is None
                else self.day.frame.minute(self.starts_at)
            )
            floors[visit] = max(start, self.day.problem.visits[visit].opens)
        after = self._timed(rounds, floors) if visit is not None else self.before
        cost, fairness = self._cost(after)
        against = list(self._against(after)) if place is not None or self.moved.staff_id is not None else []
        against += list(self._held())
        effect = replace(self._effect(after, cost), feasible=not against, reasons=tuple(dict.fromkeys(against)))
        return Move(effect, self.day, self.before, after, self.visit_of, cost, fairness)

    def _held(self) -> Iterable[str]:
        """Why the visit, or a round, must stay as it is."""
        wanted = next((one for one in self.day.wanted if one.order_id == self.key[0]), None)
        if wanted is None:
            yield N_("订单已取消，或约定的时间已过")
        elif self.moved.is_locked:
            yield N_("这次上门已锁定，请先解锁")
        elif (
            wanted.carers
            and wanted.carers[self.key[1] - 1] == self.moved.staff_id
            and self.staff_id != self.moved.staff_id
        ):
            yield N_("服务人员已接受这张订单或服务已开始，请用“改派”")
        if {self.moved.staff_id, self.staff_id} & set(self.plan.locked_staff) and self.staff_id != self.moved.staff_id:
            yield N_("这位服务人员的路线已锁定，请先解锁")

    def _against(self, after: Timed) -> Iterable[str]:
        """What forbids the move: the rules for this carer, the hours, the other of two."""
        if self.staff_id is not None and (visit := self.visit_of.get(self.key[0])) is not None:
            number = self.number_of[self.staff_id]
            yield from (
                one.reason for one in self.day.mask.against(visit, number) if one.is_hard and one.code not in TIMED
            )
            if any(
                row.order_id == self.key[0] and row.slot != self.key[1] and row.staff_id == self.staff_id
                for row in self.rows
            ):
                yield N_("两位服务人员不能是同一人，请另选一位")
            if not all(stop.way == stop.way for stop in after.routes[number]):
                yield FAULTS["way"]
        known = {(fault.code, fault.worker) for fault in self.before.faults}
        yield from (self._said(fault) for fault in after.faults if (fault.code, fault.worker) not in known)
        yield from (FAULTS["pair"] for _ in self._parted(after))

    def _said(self, fault: Fault) -> str:
        name = self.day.carers[fault.worker].name if fault.worker >= 0 else ""
        return FAULTS[fault.code] % {"name": name, "by": round(fault.by)} if fault.code != "ring" else FAULTS["ring"]

    def _parted(self, after: Timed) -> Iterable[int]:
        """Visits for two whose other carer is not among the rounds at hand, and which would start at another time."""
        here: dict[int, int] = {}
        for route in after.routes.values():
            for stop in route:
                here[stop.visit] = here.get(stop.visit, 0) + 1
        for visit, count in here.items():
            is_part = count < len(self.day.problem.visits[visit].tasks) and visit != self.visit_of.get(self.key[0])
            if is_part and abs((after.start_of(visit) or 0.0) - self.starts.get(visit, 0.0)) > EPS:
                yield visit

    def _effect(self, after: Timed, cost: Mapping[str, float]) -> Effect:
        old, new = _starts(self.before), _starts(after)
        frame = self.day.frame
        visit = self.visit_of.get(self.key[0], -1)
        shifted = tuple(
            (self.day.wanted[one].order_id, frame.moment(old[one]), frame.moment(new[one]))
            for one in sorted(old.keys() & new.keys(), key=lambda one: new[one])
            if one != visit and abs(old[one] - new[one]) > EPS
        )
        start = new.get(visit) if self.staff_id is not None else None
        return Effect(
            feasible=True, cost_delta=round(cost["total"], 2), way_delta_minutes=round(cost["travel"]),
            late_delta_minutes=round(cost["tardiness"]), starts_at=None if start is None else frame.moment(start), shifted=shifted,
            warnings=tuple(self._warnings(after, cost)),
        )  # fmt: skip

    def _warnings(self, after: Timed, cost: Mapping[str, float]) -> Iterable[str]:
        """What may be done, but the dispatcher should know."""
        visit = self.visit_of.get(self.key[0])
        if self.staff_id is not None and visit is not None:
            yield from (
                one.reason for one in self.day.mask.against(visit, self.number_of[self.staff_id]) if not one.is_hard
            )
        late = (
            (self.day.orders[self.day.wanted[one].order_id], start - self.day.problem.visits[one].closes)
            for one, start in _starts(after).items()
            if start > self.day.problem.visits[one].closes + EPS and not self.day.wanted[one].is_elsewhere
        )
        for order, minutes in late:
            yield N_("%(name)s：比约定时间晚 %(minutes)s 分钟") % {"name": order.elder_name, "minutes": round(minutes)}
        if cost["overtime"] > EPS:
            yield N_("超过合同工时 %(minutes)s 分钟") % {"minutes": round(cost["overtime"])}

    def _cost(self, after: Timed) -> tuple[dict[str, float], Fairness]:
        """Return what the move adds to each part of the cost, and how the work is shared then."""
        first, second = self._priced(self.before), self._priced(after)
        fairness = known = Fairness.from_json(self.plan.settings.get("fairness", {}))
        for number in after.routes:
            worker = self.day.problem.workers[number]
            fairness = fairness.changed(worker, self._work(self.before, number), self._work(after, number))
        weights = self.day.terms.weights
        parts = {
            name: getattr(second, name) - getattr(first, name)
            for name in Cost.__dataclass_fields__
            if name not in ("worst", "total")
        }
        parts["imbalance"] = fairness.imbalance - known.imbalance
        parts["left_out"] = self._missing(after) - self._missing(self.before)
        parts["worst"] = 0.0
        return parts | {"total": sum(getattr(weights, name) * value for name, value in parts.items())}, fairness

    def _priced(self, timed: Timed) -> Cost:
        routes: list[Sequence[Stop]] = [timed.routes.get(number, ()) for number in range(len(self.day.carers))]
        return cost_of(self.day.problem, routes, (), self.day.terms.weights)

    def _missing(self, timed: Timed) -> float:
        """Return the tasks nobody goes to, each times the priority of its visit."""
        served = {(stop.visit, stop.task) for route in timed.routes.values() for stop in route}
        visits = enumerate(self.day.problem.visits)
        return sum(
            row.priority for visit, row in visits for task in range(len(row.tasks)) if (visit, task) not in served
        )

    def _work(self, timed: Timed, number: int) -> float:
        route = timed.routes[number]
        return sum(stop.way + stop.ends - stop.starts for stop in route) + way_back(self.day.problem, number, route)


def _starts(timed: Timed) -> dict[int, float]:
    found: dict[int, float] = {}
    for route in timed.routes.values():
        for stop in route:
            found[stop.visit] = min(stop.starts, found.get(stop.visit, stop.starts))
    return found
