"""The times that follow from rounds made by hand: the same rules as the search keeps, for a few routes, and without a compiler.

Every stop starts as early as its floor, the way and the rests allow; a double visit waits for the later carer. What a hand breaks is
named, not repaired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from yinling.dispatch.planner.problem import FOREVER, Problem, Stop, Worker

Place = tuple[int, int]
"""Visit and task."""
Route = Sequence[Place]
EPS = 1e-6
MOST_ROUNDS = 200


@dataclass(frozen=True)
class Fault:
    """A hard rule that a route breaks: ``home`` (back too late), ``hours`` (too much work), ``break`` (no rest), ``ring`` (waits in a circle).

    ``visit`` -1 is the whole route; ``by`` says by how many minutes.
    """

    code: str
    worker: int
    visit: int = -1
    by: float = 0.0


@dataclass(frozen=True)
class Timed:
    """Routes with their times, the rests in them, the minutes of the way back, and what is wrong."""

    routes: Mapping[int, tuple[Stop, ...]]
    rests: Mapping[int, tuple[tuple[float, float], ...]]
    back: Mapping[int, float]
    faults: tuple[Fault, ...]

    def start_of(self, visit: int) -> float | None:
        """Return when a visit starts, by its first task."""
        found = [stop.starts for route in self.routes.values() for stop in route if stop.visit == visit]
        return min(found, default=None)


@dataclass
class _Walk:
    """One carer on the way: where, free from when, and the rests taken."""

    worker: Worker
    place: int
    free: float
    rests: list[tuple[float, float]]

    def ready_at(self, way: float, floor: float, minutes: float) -> float:
        """Return when the carer stands at the next door, with the rests that must be taken by then."""
        while len(self.rests) < len(self.worker.breaks):
            rest = self.worker.breaks[len(self.rests)]
            at_door = max(self.free + way, rest.opens)
            must = max(self.free + way, floor) + minutes > rest.closes
            if at_door <= rest.closes and (must or at_door + rest.minutes <= floor):
                self.rests.append((at_door, at_door + rest.minutes))
                self.free = at_door + rest.minutes - way
            elif must:
                before = max(self.free, rest.opens)
                if before > rest.closes + EPS:
                    return FOREVER
                self.rests.append((before, before + rest.minutes))
                self.free = before + rest.minutes
            else:
                break
        return self.free + way


def time_routes(problem: Problem, routes: Mapping[int, Route], floors: Mapping[int, float]) -> Timed:
    """Return the times of some routes. ``floors`` bound the start of visits from below, beside their opening."""
    low = {
        visit: max(problem.visits[visit].opens, floors.get(visit, 0.0))
        for route in routes.values()
        for visit, _task in route
    }
    for _ in range(MOST_ROUNDS):
        found = {number: _walk(problem, number, route, low) for number, route in routes.items()}
        timed = Timed(
            {number: one[0] for number, one in found.items()},
            {number: one[1] for number, one in found.items()},
            {number: one[2] for number, one in found.items()},
            tuple(fault for one in found.values() for fault in one[3]),
        )
        raised = _raised(problem, timed, low)
        if not raised:
            return timed
        low |= raised
    return Timed(timed.routes, timed.rests, timed.back, (*timed.faults, Fault("ring", -1)))


def _walk(
    problem: Problem, number: int, route: Route, low: Mapping[int, float]
) -> tuple[tuple[Stop, ...], tuple[tuple[float, float], ...], float, tuple[Fault, ...]]:
    worker = problem.workers[number]
    walk = _Walk(worker, worker.start, worker.day_from, [])
    stops: list[Stop] = []
    faults = []
    work = 0.0
    for visit, task in route:
        row = problem.visits[visit]
        way = _way(problem, worker, walk.place, row.place)
        minutes = row.tasks[task].minutes
        floor = low[visit]
        ready = walk.ready_at(way, floor, minutes)
        if ready == FOREVER:
            faults.append(Fault("break", number, visit))
            ready = walk.free + way
        starts = max(ready, floor)
        stops.append(Stop(visit, task, ready, starts, starts + minutes, way))
        work += way + minutes
        walk.place, walk.free = row.place, starts + minutes
    if not stops:
        return (), (), 0.0, ()
    back = _way(problem, worker, walk.place, worker.end)
    home = walk.ready_at(back, 0.0, 0.0)
    if home == FOREVER:
        faults.append(Fault("break", number))
    elif home > worker.day_to + EPS:
        faults.append(Fault("home", number, by=home - worker.day_to))
    if work + back > worker.most_minutes + EPS:
        faults.append(Fault("hours", number, by=work + back - worker.most_minutes))
    return tuple(stops), tuple(walk.rests), back, tuple(faults)


def _way(problem: Problem, worker: Worker, here: int, there: int) -> float:
    return float(problem.travel[worker.mode, here, there])


def _raised(problem: Problem, timed: Timed, low: Mapping[int, float]) -> dict[int, float]:
    """Return the floors that must be higher: the other carer comes later, or the visit before is not over."""
    starts: dict[int, float] = {}
    ends: dict[int, float] = {}
    for route in timed.routes.values():
        for stop in route:
            starts[stop.visit] = max(starts.get(stop.visit, 0.0), stop.starts)
            ends[stop.visit] = max(ends.get(stop.visit, 0.0), stop.ends)
    wanted = {visit: start for visit, start in starts.items() if len(problem.visits[visit].tasks) > 1}
    numbers = {problem.visits[visit].id: visit for visit in starts}
    for visit in starts:
        row = problem.visits[visit]
        if row.after and (before := numbers.get(row.after)) is not None:
            wanted[visit] = max(wanted.get(visit, 0.0), ends[before] + row.after_minutes)
    return {visit: start for visit, start in wanted.items() if start > low[visit] + EPS}


def way_back(problem: Problem, number: int, route: Sequence[Stop]) -> float:
    """Return the minutes from the last stop to the end of a carer's day; none on a day without stops."""
    if not route:
        return 0.0
    worker = problem.workers[number]
    return _way(problem, worker, problem.visits[route[-1].visit].place, worker.end)
