"""The cost of a plan, plainly: from the stops as they stand, part by part. Slow and meant to be read; the search counts differently."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from yinling.dispatch.planner.build import day_length
from yinling.dispatch.planner.problem import Cost, Left, Plan, Problem, Stop, Weights

MINUTES_PER_HOUR = 60


def evaluate(problem: Problem, plan: Plan, weights: Weights) -> Cost:
    """Return the cost of a plan."""
    return cost_of(problem, plan.routes, plan.left, weights)


def cost_of(problem: Problem, routes: Sequence[Sequence[Stop]], left: Iterable[Left], weights: Weights) -> Cost:
    """Return the cost of routes and visits left out."""
    stops = [stop for route in routes for stop in route]
    tardiness = [max(0.0, stop.starts - problem.visits[stop.visit].closes) for stop in stops]
    travel = [ways(problem, worker, route) for worker, route in enumerate(routes)]
    work = [way + sum(stop.ends - stop.starts for stop in route) for way, route in zip(travel, routes, strict=True)]
    over = [max(0.0, minutes - worker.contract_minutes) for minutes, worker in zip(work, problem.workers, strict=True)]
    parts = {
        "travel": sum(travel),
        "tardiness": sum(tardiness),
        "worst": max(tardiness, default=0.0),
        "overtime": sum(over),
        "wish": wishes(problem, routes),
        "imbalance": imbalance(problem, work),
        "shift": sum(moved(problem, stop) for stop in stops),
        "left_out": float(
            sum(problem.visits[one.visit].priority * len(problem.visits[one.visit].tasks) for one in left)
        ),
    }
    return Cost(**parts, total=sum(getattr(weights, name) * value for name, value in parts.items()))


def ways(problem: Problem, worker: int, route: Sequence[Stop]) -> float:
    """Return the minutes on the way of a route, the way home included; none on a day without stops."""
    if not route:
        return 0.0
    row = problem.workers[worker]
    places = [row.start, *(problem.visits[stop.visit].place for stop in route), row.end]
    return sum(float(problem.travel[row.mode, a, b]) for a, b in pairwise(places))


def wishes(problem: Problem, routes: Sequence[Sequence[Stop]]) -> float:
    """Return the units of wishes that were not met."""
    if problem.wishes is None:
        return 0.0
    first = first_tasks(problem)
    rows = ((first[stop.visit] + stop.task, worker) for worker, route in enumerate(routes) for stop in route)
    return sum(float(problem.wishes[row]) for row in rows)


def first_tasks(problem: Problem) -> list[int]:
    """Return the number of each visit's first task, counted visit by visit."""
    numbers = [0]
    for visit in problem.visits:
        numbers.append(numbers[-1] + len(visit.tasks))
    return numbers


def imbalance(problem: Problem, work: Sequence[float]) -> float:
    """Return the squared hours of work above or below the fair share, which goes by the length of each worker's day."""
    lengths = [day_length(worker.day_from, worker.day_to) for worker in problem.workers]
    share = sum(work) / max(sum(lengths), 1.0)
    return sum(
        ((minutes - share * length) / MINUTES_PER_HOUR) ** 2 for minutes, length in zip(work, lengths, strict=True)
    )


def moved(problem: Problem, stop: Stop) -> float:
    """Return the minutes between the start and the announced start of a visit, counted with its first task."""
    usual = problem.visits[stop.visit].usual
    return abs(stop.starts - usual) if usual is not None and stop.task == 0 else 0.0
