"""From a plan that waits to the planner's answer: which day is read, what is held, and how long the search may take. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from yinling.dispatch.assembly import pinned
from yinling.dispatch.models import DayPlan, PlannedVisit
from yinling.dispatch.planner.problem import Plan, Problem
from yinling.dispatch.planner.search import solve
from yinling.dispatch.queries.days import Day, Frame, load_day
from yinling.dispatch.replanning import Ask, Holds, replanned
from yinling.ground.parameters import parameter

FULL_SIZE = 200
"""From this many tasks on a plan gets all of its seconds; a small day is at its best long before."""
SMALLEST_SHARE = 0.1

Report = Callable[[float, float], bool]


def day_of(plan: DayPlan, now: datetime) -> Day:
    """Read the day of a plan as it is now."""
    return load_day(Frame(plan.provider_id, plan.div, plan.day, now, plan.base))


def holds_of(day: Day, base: DayPlan) -> Holds:
    """Return the visits of the version before whose carers can still keep them; of two, the one who can."""
    found: dict[int, tuple[tuple[int, ...], float]] = {}
    number, visit_of = day.number_of, day.visit_of
    by_visit: dict[int, list[PlannedVisit]] = {}
    for row in PlannedVisit.objects.filter(plan=base, staff__isnull=False).order_by("order_id", "slot"):
        if row.order_id in visit_of and not day.wanted[visit_of[row.order_id]].is_fixed:
            by_visit.setdefault(visit_of[row.order_id], []).append(row)
    for visit, rows in by_visit.items():
        carers = [-1] * len(day.problem.visits[visit].tasks)
        for row in rows:
            if (
                row.slot <= len(carers)
                and row.staff_id in number
                and not day.is_away(number[row.staff_id], row.starts_at, row.ends_at)
            ):
                carers[row.slot - 1] = number[row.staff_id]
        if any(carer >= 0 for carer in carers):
            found[visit] = (tuple(carers), day.frame.minute(rows[0].starts_at))
    return found


def search_day(plan: DayPlan, day: Day, *, holds: Holds | None = None, report: Report | None = None) -> Plan:
    """Search for a plan of a day as its settings say; with ``holds``, one with the fewest changes."""
    size = max(SMALLEST_SHARE, min(1.0, sum(len(one.tasks) for one in day.problem.visits) / FULL_SIZE))
    seconds, seed = float(plan.settings["seconds"]) * size, int(plan.settings["seed"])

    def search(problem: Problem, start: Plan | None) -> Plan:
        more: dict[str, Any] = {"report": report} if report else {}
        return solve(problem, day.terms.weights, seconds=seconds, seed=seed, start=start, **more)

    if holds is None:
        return search(day.problem, day.start)
    return replanned(Ask(day.problem, day.wanted, holds, day.served, day.start, search))


def search_held(day: Day, holds: Holds, *, seconds: float, start: Plan | None) -> Plan:
    """Search with visits held at their carers and times: only what is left out may find a place."""
    problem = pinned(day.problem, dict(holds.items()))
    return solve(problem, day.terms.weights, seconds=seconds, seed=1, start=start)


def replan_seconds(div: str, plan_day: Any) -> float:
    """Return how long each step of planning anew may take."""
    return float(parameter("dispatch.plan.replan_seconds", div, plan_day))
