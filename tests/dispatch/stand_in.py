"""A planner that puts each visit where it fits first: enough for tests of what is around the planner."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from yinling.dispatch.planner.evaluate import cost_of
from yinling.dispatch.planner.problem import Left, Plan, Problem, Weights
from yinling.dispatch.planner.timing import Timed, time_routes


def solve(
    problem: Problem, weights: Weights = Weights(), *, seconds: float = 1.0, seed: int = 1, target: float | None = None,  # noqa: B008
    report: Callable[[float, float], bool] | None = None, start: Plan | None = None,
) -> Plan:  # fmt: skip
    first, row = [], 0
    for visit in problem.visits:
        first.append(row)
        row += len(visit.tasks)
    routes: dict[int, list[tuple[int, int]]] = {number: [] for number in range(len(problem.workers))}
    floors: dict[int, float] = {}
    left = []
    order = sorted(range(len(problem.visits)), key=lambda v: (problem.visits[v].start is None, problem.visits[v].opens))
    for done, visit in enumerate(order):
        if report is not None and not report(done / len(order), 0.0):
            break
        best = None
        choices = [[w for w in range(len(problem.workers)) if _may(problem, first, visit, task, w)] for task in range(len(problem.visits[visit].tasks))]
        for team in product(*choices):
            if len(set(team)) < len(team):
                continue
            trial = _try(problem, routes, floors, visit, team)
            if trial is not None:
                cost = cost_of(problem, [trial[1].routes[w] for w in range(len(problem.workers))], (), weights).total
                if best is None or cost < best[0]:
                    best = (cost, *trial)
        if best is None:
            left.append(Left(visit, "nobody_may" if not all(choices) else "capacity"))
        else:
            routes, floors = best[1], best[3]
    seen = {visit for route in routes.values() for visit, _ in route}
    left += [Left(v, "capacity") for v in order if v not in seen and v not in {one.visit for one in left}]
    timed = time_routes(problem, routes, floors)
    stops = tuple(timed.routes[w] for w in range(len(problem.workers)))
    rests = tuple(timed.rests[w] for w in range(len(problem.workers)))
    return Plan(stops, rests, tuple(left), cost_of(problem, stops, left, weights), seed, 0, 0.0)


def _may(problem: Problem, first: list[int], visit: int, task: int, worker: int) -> bool:
    held = problem.visits[visit].carers
    return bool(problem.may[first[visit] + task, worker]) and (not held or held[task] in (-1, worker))


def _try(problem: Problem, routes: Any, floors: Any, visit: int, team: Any) -> Any:
    row = problem.visits[visit]
    found = {worker: list(route) for worker, route in routes.items()}
    low = floors | {visit: row.start if row.start is not None else max(row.opens, row.usual or 0.0)}
    for task, worker in enumerate(team):
        at = sum(1 for other, _ in found[worker] if low.get(other, 0.0) <= low[visit])
        found[worker].insert(at, (visit, task))
    timed: Timed = time_routes(problem, found, low)
    if timed.faults:
        return None
    for route in timed.routes.values():
        for stop in route:
            one = problem.visits[stop.visit]
            if not stop.way == stop.way or (one.is_hard and stop.starts > one.closes) or (one.start is not None and stop.starts != one.start):  # noqa: PLR0124
                return None
    return found, timed, low
