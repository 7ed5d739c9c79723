"""Help over the border: visits left out in one street are offered to carers of the neighbouring streets who have time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from yinling.accounts.operations import record
from yinling.directory.rules import require
from yinling.dispatch.assembly import Place, nearest, place_of
from yinling.dispatch.models import DayPlan, PlannedVisit
from yinling.dispatch.operations.plans import AreaCode, check_area, duplicate, one_at_a_time
from yinling.dispatch.operations.runs import complete, move, new_version
from yinling.dispatch.operations.solving import holds_of, replan_seconds, search_held
from yinling.dispatch.planner.problem import Plan
from yinling.dispatch.queries.days import Day, Frame, load_day
from yinling.dispatch.states import PlanState
from yinling.ground.live import tell
from yinling.ground.operation import operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day as DayInput
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

NEIGHBOURS = 4
"""How many streets around one are asked."""
ROOM = 60
"""Minutes of work a carer must have left to be asked."""


@operation("dispatch.plan.balance", label=N_("相邻街道调剂"))
def balance_plans(*, actor: Actor, now: datetime, div: AreaCode, day: DayInput) -> DayPlan:
    """Offer what was left out in the streets of an area to carers of the streets around, in new versions of both; return the last one."""
    require(actor, "dispatch.plan.balance", div=div)
    check_area(div)
    made: list[DayPlan] = []
    for provider_id, plans in ready_plans(div, day).items():
        one_at_a_time(provider_id, day)
        standing = {plan.div: plan for plan in plans}
        for area in sorted(standing):
            made += helped(actor, now, standing, area)
    if not made:
        raise Refused("plan.balanced", N_("没有可由相邻街道帮忙的上门，或各街道还没有算好的计划"), field="day")
    return made[-1]


def ready_plans(div: str, day: date) -> dict[int, list[DayPlan]]:
    """Return the latest version of each street that is ready, by provider; where one is being computed, the street waits."""
    rows = DayPlan.objects.within(div).filter(day=day).exclude(state__in=(PlanState.DISCARDED, PlanState.FAILED))
    latest = {(row.provider_id, row.div): row for row in rows.order_by("number")}
    found: dict[int, list[DayPlan]] = {}
    for row in latest.values():
        if row.state == PlanState.READY:
            found.setdefault(row.provider_id, []).append(row)
    return found


def helped(actor: Actor, now: datetime, standing: dict[str, DayPlan], area: str) -> list[DayPlan]:
    """Let the neighbours help one street; return the new versions, its own last. ``standing`` is kept up to date."""
    plan = standing[area]
    visits = {row.pk: list(_visits(row)) for row in standing.values()}
    left = [row for row in visits[plan.pk] if row.staff_id is None]
    others = {row.pk: row for row in standing.values() if row.pk != plan.pk}
    if not left or not others:
        return []
    centres = {pk: _centre(visits[pk]) for pk in others}
    near = nearest(_centre(left), {pk: centre for pk, centre in centres.items() if centre is not None}, NEIGHBOURS)
    guests = {staff_id: rows for pk in near for staff_id, rows in _with_room(visits[pk]).items()}
    day = load_day(Frame(plan.provider_id, plan.div, plan.day, now, plan, guests=guests))
    solution = search_held(day, holds_of(day, plan), seconds=replan_seconds(plan.div, plan.day), start=day.start)
    taken = _taken(day, solution, set(guests))
    if not taken:
        return []
    lenders = [(others[pk], taken & {row.staff_id for row in visits[pk] if row.staff_id is not None}) for pk in near]
    made = [_lent(actor, now, lender, staff_ids) for lender, staff_ids in lenders if staff_ids]
    settings = {name: plan.settings[name] for name in ("seconds", "seed") if name in plan.settings}
    row = new_version(
        actor=actor, now=now, provider_id=plan.provider_id, div=plan.div, day=plan.day, cause="border", base=plan, settings=settings
    )  # fmt: skip
    record(actor=actor, now=now, event="dispatch.plan.balance", subject=row, changes={"guests": [[], sorted(taken)]})
    move(actor, now, row, "run")
    made.append(complete(actor=actor, now=now, row=row, day=day, solution=solution))
    standing.update({one.div: one for one in made})
    return made


def _visits(plan: DayPlan) -> Iterable[PlannedVisit]:
    return PlannedVisit.objects.filter(plan=plan).select_related("order", "staff").order_by("pk")


def _centre(visits: Sequence[PlannedVisit]) -> Place | None:
    places = [place for row in visits if (place := place_of(row.order.lon, row.order.lat)) is not None]
    if not places:
        return None
    return sum(place[0] for place in places) / len(places), sum(place[1] for place in places) / len(places)


def _with_room(visits: Sequence[PlannedVisit]) -> dict[int, tuple[PlannedVisit, ...]]:
    """Return the carers of a plan whose day has room for one more visit, with what they do."""
    rounds: dict[int, list[PlannedVisit]] = {}
    for row in visits:
        if row.staff_id is not None:
            rounds.setdefault(row.staff_id, []).append(row)
    return {staff_id: tuple(rows) for staff_id, rows in rounds.items() if _work(rows) + ROOM <= _most(rows[0])}


def _most(row: PlannedVisit) -> int:
    return 0 if row.staff is None else row.staff.most_minutes_a_day


def _work(rows: Sequence[PlannedVisit]) -> float:
    return sum((row.ends_at - row.starts_at).total_seconds() / 60 + row.way_minutes for row in rows)


def _taken(day: Day, solution: Plan, guests: set[int]) -> set[int]:
    """Return the guests who got a visit of this area."""
    rounds = ((day.carers[number].staff_id, route) for number, route in enumerate(solution.routes))
    return {
        staff_id
        for staff_id, route in rounds
        if staff_id in guests and any(not day.wanted[stop.visit].is_elsewhere for stop in route)
    }


def _lent(actor: Actor, now: datetime, plan: DayPlan, staff_ids: set[int]) -> DayPlan:
    """Make a version of a neighbour in which the rounds of those who help out stay as they are."""
    locked = sorted({*plan.locked_staff, *staff_ids})
    row = duplicate(actor, now, plan, cause="border", locked_staff=locked)
    record(actor=actor, now=now, event="dispatch.plan.balance", subject=row, changes={"lent": [[], sorted(locked)]})
    tell("plans", pk=row.pk, div=row.div)
    return row
