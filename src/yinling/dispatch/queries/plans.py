"""Versions of a day's plan: lists, the board of one, and two compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet

from yinling.directory.models import Absence, Staff
from yinling.directory.queries import absences_on
from yinling.dispatch.models import LIVE, Assignment, DayPlan, PlannedVisit
from yinling.dispatch.planner import reasons
from yinling.dispatch.planner.problem import Weights
from yinling.dispatch.queries.boards import (
    Board,
    ChangedVisit,
    Comparison,
    CostRow,
    LeftRow,
    Place,
    RouteRow,
    StopRow,
    Totals,
)
from yinling.dispatch.queries.days import staff_in
from yinling.dispatch.states import AssignmentState, PlanState
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import SHANGHAI
from yinling.kernel.words import N_
from yinling.orders.models import OrderLine
from yinling.orders.states import OrderState

COSTS = {
    "travel": N_("路上时间（分钟）"), "tardiness": N_("晚到（分钟）"), "worst": N_("最晚一次（分钟）"), "overtime": N_("超合同工时（分钟）"),
    "wish": N_("熟悉、方言、责任地区"), "imbalance": N_("工作量不均"), "shift": N_("偏离已通知时间（分钟）"), "left_out": N_("无人上门（次）"),
}  # fmt: skip
OWN_REASONS = {
    "against": N_("%(count)s 人：%(reason)s"),
    "over": N_("约定的时间已过，或离现在太近，请改派或与老人改约"),
    "no_carers": N_("这个地区没有本机构的服务人员"),
    "moved_out": N_("已由调度员移出"),
}
MOVED = timedelta(minutes=15)
"""From how far on a visit counts as moved."""
SHOWN = [*LIVE, AssignmentState.DONE]


def plans_of(actor: Actor, provider_id: int | None, div: str, day: date) -> QuerySet[DayPlan]:
    """The versions of a day in an area that an actor may see, newest first; of all providers if none is named."""
    rows = DayPlan.objects.visible_to(actor).within(div).filter(day=day)
    if provider_id is not None:
        rows = rows.filter(provider_id=provider_id)
    return rows.select_related("provider", "base", "requested_by", "published_by").order_by("-number", "-id")


def planned_visits(plan: DayPlan) -> QuerySet[Any]:
    """The visits of a version with order and items, round by round."""
    items = OrderLine.objects.filter(order=OuterRef("order_id"), kind="item").order_by("pk")
    rows = (
        PlannedVisit.objects.filter(plan=plan)
        .select_related("order")
        .annotate(items=ArraySubquery(items.values("name")))
    )
    return rows.order_by("staff_id", "starts_at", "order_id", "slot")


def plan_board(actor: Actor, plan: DayPlan) -> Board:
    """Return a version as rounds: five queries, however many carers and visits."""
    visits = list(planned_visits(plan))
    served = [row for row in visits if row.staff_id is not None]
    own = {row.staff_id for row in served}
    people = Staff.objects.visible_to(actor).filter(provider_id=plan.provider_id)
    still = Q(employed_to=None) | Q(employed_to__gt=plan.day)
    shown = people.filter(staff_in(plan.div) & still & ~Q(kind="office") | Q(pk__in=own))
    staff = list(shown.select_related("site").order_by("name", "pk"))
    away = absences_on(plan.day, [person.pk for person in staff])
    live = {
        (row.order_id, row.slot): row
        for row in Assignment.objects.filter(order_id__in={row.order_id for row in visits}, state__in=SHOWN).order_by(
            "pk"
        )
    }
    by_staff: dict[int, list[Any]] = defaultdict(list)
    for row in served:
        by_staff[row.staff_id].append(row)
    routes = tuple(_route(plan, person, by_staff[person.pk], live, away.get(person.pk, ())) for person in staff)
    left = tuple(_left(row) for row in visits if row.staff_id is None)
    return Board(routes, left, cost_rows(plan), _totals(routes, left), tuple(map(reasons.note_sentence, plan.notes)))


def cost_rows(plan: DayPlan) -> tuple[CostRow, ...]:
    """Return the cost vector of a version part by part, in its own unit and weighted."""
    weights = asdict(Weights()) | plan.settings.get("weights", {})
    return tuple(
        CostRow(code, label, round(plan.cost.get(code, 0.0), 1), round(plan.cost.get(code, 0.0) * weights[code], 1))
        for code, label in COSTS.items()
    )


def sentences(stored: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the reasons kept with a visit as sentences."""
    found = []
    for one in stored:
        template = OWN_REASONS.get(one["code"]) or reasons.LEFT.get(one["code"], one["code"])
        found.append(template % one["values"] if one["values"] else template)
    return tuple(found)


def _route(
    plan: DayPlan, person: Staff, visits: Sequence[Any], live: Mapping[tuple[int, int], Assignment], away: Sequence[Absence]
) -> RouteRow:  # fmt: skip
    round_ = plan.settings.get("rounds", {}).get(str(person.pk), {}) if visits else {}
    midnight = datetime.combine(plan.day, time(), SHANGHAI)
    place = (
        _place(person.home_lon, person.home_lat) if person.starts_at_home else _place(person.site.lon, person.site.lat)
    )
    stops = tuple(_stop(number, row, live, away) for number, row in enumerate(visits, 1))
    return RouteRow(
        staff_id=person.pk, name=person.name, mode=person.mode or str(parameter("dispatch.mode", plan.div, plan.day)),
        is_locked=person.pk in plan.locked_staff, work_minutes=sum(_minutes(stop.ends_at - stop.starts_at) for stop in stops),
        way_minutes=sum(stop.way_minutes for stop in stops) + round_.get("back", 0), contract_minutes=person.contract_minutes_a_day,
        most_minutes=person.most_minutes_a_day, day_from=datetime.combine(plan.day, person.day_from, SHANGHAI),
        day_to=datetime.combine(plan.day, person.day_to, SHANGHAI),
        breaks=tuple(
            (midnight + timedelta(minutes=start), midnight + timedelta(minutes=end)) for start, end in round_.get("breaks", [])
        ),
        away=str(dict(Absence.KINDS).get(away[0].kind, "")) if away else "", stops=stops, start=place, end=place,
    )  # fmt: skip


def _stop(number: int, row: Any, live: Mapping[tuple[int, int], Assignment], away: Sequence[Absence]) -> StopRow:
    order, assignment = row.order, live.get((row.order_id, row.slot))
    return StopRow(
        order_id=order.pk, slot=row.slot, number=number, code=order.code, elder_id=order.elder_id, elder_name=order.elder_name,
        address=order.address, lon=order.lon, lat=order.lat, starts_at=row.starts_at, ends_at=row.ends_at,
        earliest_at=order.earliest_at, latest_at=order.latest_at, way_minutes=row.way_minutes, late_minutes=row.late_minutes,
        is_locked=row.is_locked, is_urgent=order.is_urgent, carers_needed=order.carers_needed, item="、".join(row.items),
        order_state=order.state, assignment_state=assignment.state if assignment else "",
        warnings=tuple(_warnings(row, assignment, away)),
    )  # fmt: skip


def _warnings(row: Any, assignment: Assignment | None, away: Sequence[Absence]) -> Iterable[str]:
    if row.order.state in (OrderState.CANCELLED, OrderState.FAILED):
        yield N_("订单已取消，不用上门了")
    if any(one.from_at < row.ends_at and (one.to_at is None or row.starts_at < one.to_at) for one in away):
        yield N_("这段时间已登记缺勤，请重排")
    if row.late_minutes:
        yield N_("比约定时间晚 %(minutes)s 分钟") % {"minutes": row.late_minutes}
    if assignment is not None and assignment.state == AssignmentState.ACCEPTED and assignment.staff_id != row.staff_id:
        yield N_("%(name)s 已接受这张订单") % {"name": assignment.staff_name}
    yield from sentences(row.reasons)


def _left(row: Any) -> LeftRow:
    order = row.order
    return LeftRow(
        order_id=order.pk, slot=row.slot, code=order.code, elder_id=order.elder_id, elder_name=order.elder_name, address=order.address,
        lon=order.lon, lat=order.lat, earliest_at=order.earliest_at, latest_at=order.latest_at,
        minutes=_minutes(row.ends_at - row.starts_at), is_urgent=order.is_urgent, carers_needed=order.carers_needed,
        item="、".join(row.items), reasons=sentences(row.reasons),
    )  # fmt: skip


def _totals(routes: Sequence[RouteRow], left: Sequence[LeftRow]) -> Totals:
    stops = [stop for route in routes for stop in route.stops]
    return Totals(
        visits=len(stops), left=len(left), carers=len(routes), idle_carers=sum(not route.stops for route in routes),
        work_minutes=sum(route.work_minutes for route in routes), way_minutes=sum(route.way_minutes for route in routes),
        late_visits=sum(bool(stop.late_minutes) for stop in stops), late_minutes=sum(stop.late_minutes for stop in stops),
    )  # fmt: skip


def _place(lon: float | None, lat: float | None) -> Place | None:
    return None if lon is None or lat is None else (lon, lat)


def _minutes(span: timedelta) -> int:
    return round(span / timedelta(minutes=1))


def compare(actor: Actor, plan_a: DayPlan, plan_b: DayPlan) -> Comparison:
    """Return two versions side by side: three queries."""
    rows = PlannedVisit.objects.visible_to(actor).filter(plan__in=[plan_a, plan_b]).select_related("order")
    found: dict[int, dict[tuple[int, int], Any]] = {plan_a.pk: {}, plan_b.pk: {}}
    for row in rows:
        found[row.plan_id][(row.order_id, row.slot)] = row
    before, after = found[plan_a.pk], found[plan_b.pk]
    names = dict(Staff.objects.filter(pk__in={row.staff_id for row in rows if row.staff_id}).values_list("pk", "name"))
    both = sorted(before.keys() | after.keys(), key=lambda key: _when(before.get(key) or after[key]))
    changed = tuple(
        _change(before.get(key), after.get(key), names) for key in both if _differs(before.get(key), after.get(key))
    )
    kept = [(before[key], after[key]) for key in before.keys() & after.keys()]
    other = {
        a.elder_id for a, b in kept if a.staff_id is not None and b.staff_id is not None and a.staff_id != b.staff_id
    }
    return Comparison(
        cost=_costs(plan_a, plan_b),
        changed=changed,
        other_carer=len(other),
        moved=sum(1 for a, b in kept if a.staff_id and b.staff_id and abs(a.starts_at - b.starts_at) > MOVED),
        counts=_counts(before.values(), after.values()),
    )


def _when(row: PlannedVisit) -> tuple[datetime, int, int]:
    return row.starts_at, row.order_id, row.slot


def _costs(plan_a: DayPlan, plan_b: DayPlan) -> tuple[tuple[str, str, float, float], ...]:
    parts = zip(cost_rows(plan_a), cost_rows(plan_b), strict=True)
    rows = [(a.code, a.label, a.weighted, b.weighted) for a, b in parts]
    before, after = (round(float(plan.cost.get("total", 0.0)), 1) for plan in (plan_a, plan_b))
    return (*rows, ("total", N_("合计"), before, after))


def _counts(before: Iterable[PlannedVisit], after: Iterable[PlannedVisit]) -> dict[str, tuple[int, int]]:
    first, second = list(before), list(after)

    def both(count: Any) -> tuple[int, int]:
        return sum(map(count, first)), sum(map(count, second))

    return {
        "visits": both(lambda row: row.staff_id is not None),
        "left": both(lambda row: row.staff_id is None),
        "way_minutes": both(lambda row: row.way_minutes),
        "late_minutes": both(lambda row: row.late_minutes),
    }


def _differs(a: PlannedVisit | None, b: PlannedVisit | None) -> bool:
    if a is None or b is None:
        return True
    return a.staff_id != b.staff_id or (a.staff_id is not None and a.starts_at != b.starts_at)


def _change(a: Any, b: Any, names: Mapping[int, str]) -> ChangedVisit:
    row = a or b

    def side(one: Any) -> tuple[str, datetime | None]:
        is_served = one is not None and one.staff_id is not None
        return (names.get(one.staff_id, f"#{one.staff_id}"), one.starts_at) if is_served else ("", None)

    (carer_before, starts_before), (carer_after, starts_after) = side(a), side(b)
    return ChangedVisit(
        row.order_id,
        row.slot,
        row.order.code,
        row.order.elder_name,
        carer_before,
        carer_after,
        starts_before,
        starts_after,
    )


def queued_plans(div: str) -> QuerySet[DayPlan]:
    """The plans below a division that wait for a worker, the oldest first."""
    return DayPlan.objects.within(div).filter(state=PlanState.QUEUED).order_by("pk")
