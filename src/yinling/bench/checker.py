"""Whether a plan keeps every rule of its problem, and what it costs, computed from the problem and the times in the plan alone.

Written from the rules in ``dispatch.planner.problem``; shares no code with the planner, so that one may prove the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from math import inf, isfinite

from yinling.dispatch.planner.problem import Break, Cost, Plan, Problem, Stop, Weights, Worker

TOLERANCE = 1e-3
"""Minutes. Ways are single precision; sums of a day keep four decimals of a minute."""
HOUR, DAY = 60, 1440


@dataclass(frozen=True)
class Served:
    """A stop and whose it is."""

    worker: int
    position: int
    stop: Stop


def violations(problem: Problem, plan: Plan) -> list[str]:
    """Return every rule the plan breaks, in words; an empty list is a plan that may be published."""
    found = list(_shape(problem, plan))
    if found:
        return found
    rules = (
        _completeness,
        _abilities,
        _starts,
        _pairs,
        _order,
        _locks,
        _sequences,
        _routes,
        _breaks,
        _carers_given_twice,
    )
    return [sentence for rule in rules for sentence in rule(problem, plan)]


def cost_of(problem: Problem, plan: Plan, weights: Weights) -> Cost:
    """Return the cost vector, every part counted anew from the routes."""
    late = _lateness(problem, plan)
    ways = [route_ways(problem, number, route) for number, route in enumerate(plan.routes)]
    work = [
        sum(way) + sum(problem.visits[stop.visit].tasks[stop.task].minutes for stop in route)
        for way, route in zip(ways, plan.routes, strict=True)
    ]
    parts = {
        "travel": sum(map(sum, ways)),
        "tardiness": sum(late),
        "worst": max(late, default=0.0),
        "overtime": sum(
            max(0.0, done - worker.contract_minutes) for done, worker in zip(work, problem.workers, strict=True)
        ),
        "wish": _wish(problem, plan),
        "imbalance": _imbalance(problem, work),
        "shift": _shift(problem, plan),
        "left_out": float(
            sum(len(problem.visits[one.visit].tasks) * problem.visits[one.visit].priority for one in plan.left)
        ),
    }
    return Cost(**parts, total=sum(getattr(weights, name) * value for name, value in parts.items()))


def route_ways(problem: Problem, number: int, route: Sequence[Stop]) -> list[float]:
    """Return the minutes of each way of a route, the way back last; a carer without stops stays at home."""
    if not route:
        return []
    worker = problem.workers[number]
    places = [worker.start, *(problem.visits[stop.visit].place for stop in route), worker.end]
    return [float(problem.travel[worker.mode, here, there]) for here, there in pairwise(places)]


def _served(plan: Plan) -> dict[tuple[int, int], list[Served]]:
    """Return who serves each task, by visit and task."""
    found: dict[tuple[int, int], list[Served]] = {}
    for worker, route in enumerate(plan.routes):
        for position, stop in enumerate(route):
            found.setdefault((stop.visit, stop.task), []).append(Served(worker, position, stop))
    return found


def _visits_served(problem: Problem, plan: Plan) -> dict[int, list[Served]]:
    """Return the stops of each visit that is served as a whole, in the order of its tasks."""
    served = _served(plan)
    found = {}
    for number, visit in enumerate(problem.visits):
        stops = [served.get((number, task), []) for task in range(len(visit.tasks))]
        if all(len(one) == 1 for one in stops):
            found[number] = [one[0] for one in stops]
    return found


def _shape(problem: Problem, plan: Plan) -> Iterator[str]:
    if len(plan.routes) != len(problem.workers) or len(plan.breaks) != len(problem.workers):
        yield f"{len(problem.workers)} carers, but {len(plan.routes)} routes and {len(plan.breaks)} lists of breaks"
    for number, route in enumerate(plan.routes):
        for stop in route:
            if not 0 <= stop.visit < len(problem.visits):
                yield f"route {number} goes to visit {stop.visit}, which does not exist"
            elif not 0 <= stop.task < len(problem.visits[stop.visit].tasks):
                yield f"route {number} does task {stop.task} of visit {stop.visit}, which does not exist"
            elif not all(map(isfinite, (stop.arrives, stop.starts, stop.ends, stop.way))):
                yield f"route {number} has a time at visit {stop.visit} that is no number"


def _completeness(problem: Problem, plan: Plan) -> Iterator[str]:
    served = _served(plan)
    left = [one.visit for one in plan.left]
    for number, visit in enumerate(problem.visits):
        times = [len(served.get((number, task), [])) for task in range(len(visit.tasks))]
        if any(count > 1 for count in times):
            yield f"visit {number}: a task is done more than once"
        if left.count(number) > 1:
            yield f"visit {number} is left out more than once"
        if number in left and any(times):
            yield f"visit {number} is both left out and served"
        if number not in left and not all(times):
            yield f"visit {number} is neither served as a whole nor left out"
    for one in plan.left:
        if not 0 <= one.visit < len(problem.visits):
            yield f"visit {one.visit}, which does not exist, is left out"
        if not one.code:
            yield f"visit {one.visit} is left out without a reason"


def _abilities(problem: Problem, plan: Plan) -> Iterator[str]:
    first, row = [], 0
    for visit in problem.visits:
        first.append(row)
        row += len(visit.tasks)
    for number, route in enumerate(plan.routes):
        for stop in route:
            if not problem.may[first[stop.visit] + stop.task, number]:
                yield f"carer {number} may not do task {stop.task} of visit {stop.visit}"


def _starts(problem: Problem, plan: Plan) -> Iterator[str]:
    for route in plan.routes:
        for stop in route:
            visit = problem.visits[stop.visit]
            if stop.starts < visit.opens - TOLERANCE:
                yield f"visit {stop.visit} starts at {stop.starts:.3f}, before {visit.opens:g}"
            if visit.is_hard and stop.starts > visit.closes + TOLERANCE:
                yield f"visit {stop.visit} starts at {stop.starts:.3f}, after the hard end {visit.closes:g}"


def _pairs(problem: Problem, plan: Plan) -> Iterator[str]:
    for number, stops in _visits_served(problem, plan).items():
        if len({one.worker for one in stops}) < len(stops):
            yield f"visit {number}: one carer does both tasks"
        least, most = problem.visits[number].gap
        for first, second in pairwise(stops):
            gap = second.stop.starts - first.stop.starts
            if not least - TOLERANCE <= gap <= most + TOLERANCE:
                yield f"visit {number}: {gap:.3f} minutes between the two starts, not {least:g} to {most:g}"


def _order(problem: Problem, plan: Plan) -> Iterator[str]:
    served = _visits_served(problem, plan)
    numbers = {visit.id: number for number, visit in enumerate(problem.visits)}
    for number, stops in served.items():
        visit = problem.visits[number]
        if not visit.after:
            continue
        earlier = served.get(numbers.get(visit.after, -1))
        if earlier is None:
            yield f"visit {number} is served, but visit {visit.after!r}, which comes before it, is not"
            continue
        free = max(one.stop.ends for one in earlier) + visit.after_minutes
        if min(one.stop.starts for one in stops) < free - TOLERANCE:
            yield f"visit {number} starts before {free:.3f}, when visit {visit.after!r} is over"


def _locks(problem: Problem, plan: Plan) -> Iterator[str]:
    for number, stops in _visits_served(problem, plan).items():
        visit = problem.visits[number]
        for task, carer in enumerate(visit.carers):
            if carer >= 0 and stops[task].worker != carer:
                yield f"task {task} of visit {number} is locked to carer {carer}, not {stops[task].worker}"
        if visit.start is not None and abs(stops[0].stop.starts - visit.start) > TOLERANCE:
            yield f"visit {number} is locked to {visit.start:g}, but starts at {stops[0].stop.starts:.3f}"


def _sequences(problem: Problem, plan: Plan) -> Iterator[str]:
    served = _visits_served(problem, plan)
    numbers = {visit.id: number for number, visit in enumerate(problem.visits)}
    for worker, round_ in problem.sequences.items():
        if not 0 <= worker < len(problem.workers):
            continue
        before = -1
        for name in round_:
            number = numbers.get(name, -1)
            if number not in served:
                continue
            mine = [one.position for one in served[number] if one.worker == worker]
            if not mine:
                yield f"visit {number} belongs to the fixed round of carer {worker}"
            elif mine[0] < before:
                yield f"visit {number} is out of the fixed order of carer {worker}"
            else:
                before = mine[0]


def _routes(problem: Problem, plan: Plan) -> Iterator[str]:
    for number, route in enumerate(plan.routes):
        if not route:
            continue
        worker, rests, ways = problem.workers[number], plan.breaks[number], route_ways(problem, number, route)
        if not all(map(isfinite, ways)):
            yield f"route {number} has a way whose length nobody knows"
            continue
        free = worker.day_from
        for stop, way in zip(route, ways, strict=False):
            yield from (f"route {number}, visit {stop.visit}: {fault}" for fault in _stop(problem, stop, way, free))
            if after_way(free, way, rests) > stop.starts + TOLERANCE:
                yield f"route {number} cannot be at visit {stop.visit} by {stop.starts:.3f}"
            free = stop.ends
        if after_way(free, ways[-1], rests) > worker.day_to + TOLERANCE:
            yield f"route {number} ends at {after_way(free, ways[-1], rests):.3f}, after the day {worker.day_to:g}"
        work = sum(ways) + sum(problem.visits[stop.visit].tasks[stop.task].minutes for stop in route)
        if work > worker.most_minutes + TOLERANCE:
            yield f"route {number} takes {work:.3f} minutes of work, more than {worker.most_minutes:g}"


def _stop(problem: Problem, stop: Stop, way: float, free: float) -> Iterator[str]:
    minutes = problem.visits[stop.visit].tasks[stop.task].minutes
    if abs(stop.way - way) > TOLERANCE:
        yield f"the way is said to take {stop.way:.3f} minutes, it takes {way:.3f}"
    if not free + way - TOLERANCE <= stop.arrives <= stop.starts + TOLERANCE:
        yield f"arrives at {stop.arrives:.3f}, left at {free:.3f}, starts at {stop.starts:.3f}"
    if abs(stop.ends - stop.starts - minutes) > TOLERANCE:
        yield f"takes {stop.ends - stop.starts:.3f} minutes, not {minutes:g}"


def after_way(leaves: float, way: float, rests: Sequence[tuple[float, float]]) -> float:
    """Return when a way is over that rests may interrupt."""
    there = leaves + way
    for start, end in sorted(rests):
        if start < there - TOLERANCE and end > leaves:
            there += end - max(start, leaves)
    return there


def _breaks(problem: Problem, plan: Plan) -> Iterator[str]:
    for number, (route, rests) in enumerate(zip(plan.routes, plan.breaks, strict=True)):
        if route and not _is_rested(problem.workers[number], rests):
            yield f"carer {number} takes the breaks {list(rests)}, which are not those of the day"
        busy = sorted([*((stop.starts, stop.ends) for stop in route), *rests])
        if any(later[0] < earlier[1] - TOLERANCE for earlier, later in pairwise(busy)):
            yield f"carer {number} rests and works, or does two things, at the same time"


def _is_rested(worker: Worker, rests: Sequence[tuple[float, float]]) -> bool:
    """Whether each break of the day has one rest of its own. What is no break at all, or over before the day begins, needs none."""

    def fits(wanted: Break, rest: tuple[float, float]) -> bool:
        is_long = abs(rest[1] - rest[0] - wanted.minutes) <= TOLERANCE
        return is_long and wanted.opens - TOLERANCE <= rest[0] <= wanted.closes + TOLERANCE

    due = [one for one in worker.breaks if one.opens <= one.closes >= worker.day_from and 0 <= one.minutes < inf]
    return len(rests) == len(due) and any(all(map(fits, due, order)) for order in permutations(rests))


def _carers_given_twice(problem: Problem, plan: Plan) -> Iterator[str]:
    used: set[str] = set()
    for worker, route in zip(problem.workers, plan.routes, strict=True):
        if route and worker.id in used:
            yield f"carer {worker.id!r}, given twice, has two routes"
        if route:
            used.add(worker.id)


def _lateness(problem: Problem, plan: Plan) -> list[float]:
    return [max(0.0, stop.starts - problem.visits[stop.visit].closes) for route in plan.routes for stop in route]


def _wish(problem: Problem, plan: Plan) -> float:
    if problem.wishes is None:
        return 0.0
    first, row = [], 0
    for visit in problem.visits:
        first.append(row)
        row += len(visit.tasks)
    return sum(
        float(problem.wishes[first[stop.visit] + stop.task, number])
        for number, route in enumerate(plan.routes)
        for stop in route
    )


def _imbalance(problem: Problem, work: Sequence[float]) -> float:
    """Squared hours from the fair share: all work, shared out by the length of each carer's day (at most 24 hours)."""
    spans = [min(worker.day_to - worker.day_from, DAY) for worker in problem.workers]
    days = [span if span > 0 else 0.0 for span in spans]
    if not any(days):
        return 0.0
    fair = [sum(work) * day / sum(days) for day in days]
    return sum(((done - due) / HOUR) ** 2 for done, due in zip(work, fair, strict=True))


def _shift(problem: Problem, plan: Plan) -> float:
    total = 0.0
    for number, stops in _visits_served(problem, plan).items():
        usual = problem.visits[number].usual
        total += 0.0 if usual is None else abs(stops[0].stop.starts - usual)
    return total
