"""Made-up days for the planner, by seed: every rule of ``planner.problem`` can be switched on by its name in ``EXTRAS``.

All ways and minutes are whole, so that an exact model in whole minutes meets the same optimum.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from yinling.dispatch.planner.problem import Break, Problem, Task, Visit, Weights, Worker

EXTRAS = (
    "after",
    "breaks",
    "carer_locks",
    "doubles",
    "gaps",
    "hard",
    "homes",
    "hours",
    "modes",
    "priorities",
    "sequences",
    "shifts",
    "start_locks",
    "usual",
    "wishes",
)
EXACT = ("after", "carer_locks", "doubles", "gaps", "hard", "homes", "modes", "priorities", "shifts", "wishes")
"""What the exact model knows too."""
SIDE, DAY = 40, 600


def case(seed: int, extras: Collection[str] = EXTRAS, *, visits: int = 0, workers: int = 0) -> Problem:
    """Return the day of a seed; without a size it has 1 to 30 visits and 1 to 8 carers."""
    rng = random.Random(seed)
    visits, workers = visits or rng.randint(1, 30), workers or rng.randint(1, 8)
    places = [(rng.randrange(SIDE), rng.randrange(SIDE)) for _ in range(visits + workers + 1)]
    day = tuple(_visit(number, rng, extras) for number in range(visits))
    staff = tuple(_worker(number, visits + 1, rng, extras) for number in range(workers))
    ability = rng.choice((0.4, 0.7, 0.95))
    may = np.array([[rng.random() < ability for _ in staff] for visit in day for _ in visit.tasks], dtype=np.bool_)
    problem = Problem(day, staff, _travel(places, extras), may, _wishes(may, rng, extras))
    if "after" in extras:
        problem = replace(problem, visits=_with_order(day, rng))
    if "carer_locks" in extras or "start_locks" in extras:
        problem = replace(problem, visits=_with_locks(problem, rng, extras))
    return replace(problem, sequences=_sequences(problem, rng)) if "sequences" in extras else problem


def weights(seed: int) -> Weights:
    """Return weights drawn by the seed: none of them, or all, may count."""
    rng = random.Random(seed)
    parts = ("travel", "tardiness", "worst", "overtime", "wish", "shift")
    drawn = {name: rng.choice((0.0, 0.5, 1.0, 3.0)) for name in parts}
    return Weights(**drawn, imbalance=rng.choice((0.0, 0.02, 1.0)), left_out=rng.choice((200.0, 1000.0, 1e6)))


def _visit(number: int, rng: random.Random, extras: Collection[str]) -> Visit:
    opens = float(rng.randrange(60, DAY - 120))
    closes = opens + rng.choice((0, 15, 60, 120))
    is_double = "doubles" in extras and rng.random() < 0.35
    tasks = tuple(Task(f"s{row}", float(rng.randrange(5, 45))) for row in range(2 if is_double else 1))
    least = rng.randrange(60) if is_double and "gaps" in extras and rng.random() < 0.5 else 0
    most = least + rng.choice((0, 10, 30)) if least else 0
    return Visit(
        id=f"v{number}",
        place=number + 1,
        opens=opens,
        closes=closes,
        tasks=tasks,
        gap=(float(least), float(most)),
        is_hard="hard" in extras and rng.random() < 0.4,
        priority=float(rng.choice((1, 1, 2, 5))) if "priorities" in extras else 1.0,
        usual=opens + rng.randrange(60) if "usual" in extras and rng.random() < 0.3 else None,
    )


def _worker(number: int, first_home: int, rng: random.Random, extras: Collection[str]) -> Worker:
    home = first_home + number if "homes" in extras else 0
    worker = Worker(f"w{number}", home, home, mode=rng.randrange(2) if "modes" in extras else 0)
    if "homes" in extras and rng.random() < 0.3:
        worker = replace(worker, end=0)
    if "shifts" in extras and rng.random() < 0.7:
        start = float(rng.choice((0, 120, 240)))
        worker = replace(worker, day_from=start, day_to=start + rng.choice((240, 360, 540)))
    if "hours" in extras and rng.random() < 0.6:
        most = float(rng.choice((120, 240, 400)))
        worker = replace(worker, most_minutes=most, contract_minutes=most - 60)
    if "breaks" in extras and rng.random() < 0.5:
        worker = replace(worker, breaks=_breaks(rng))
    return worker


def _breaks(rng: random.Random) -> tuple[Break, ...]:
    noon = float(rng.randrange(240, 330))
    lunch = Break(noon, noon + rng.choice((0, 30, 60)), float(rng.choice((15, 30, 45))))
    return (lunch, Break(noon + 120, noon + 240, 15.0)) if rng.random() < 0.3 else (lunch,)


def _travel(places: list[tuple[int, int]], extras: Collection[str]) -> np.ndarray:
    on_foot = np.array([[abs(a - c) + abs(b - d) for c, d in places] for a, b in places])
    modes = [on_foot, (on_foot + 1) // 2] if "modes" in extras else [on_foot]
    return np.array(modes, dtype=np.float32)


def _wishes(may: np.ndarray, rng: random.Random, extras: Collection[str]) -> np.ndarray | None:
    if "wishes" not in extras:
        return None
    return np.array([[rng.choice((0, 0, 1, 7)) for _ in row] for row in may], dtype=np.float32).reshape(may.shape)


def _with_order(visits: tuple[Visit, ...], rng: random.Random) -> tuple[Visit, ...]:
    """Some visits come after an earlier one; there is never a ring."""
    return tuple(
        replace(visit, after=f"v{rng.randrange(number)}", after_minutes=float(rng.choice((0, 30))))
        if number and rng.random() < 0.2
        else visit
        for number, visit in enumerate(visits)
    )


def _with_locks(problem: Problem, rng: random.Random, extras: Collection[str]) -> tuple[Visit, ...]:
    """Some visits are locked to carers, some to a moment; a lock may be one that cannot be kept."""
    found, row = [], 0
    for visit in problem.visits:
        locked = visit
        if "carer_locks" in extras and rng.random() < 0.15:
            able = [np.flatnonzero(problem.may[row + task]) for task in range(len(visit.tasks))]
            locked = replace(locked, carers=tuple(int(rng.choice(one)) if one.size else -1 for one in able))
        if "start_locks" in extras and rng.random() < 0.1:
            locked = replace(locked, start=visit.opens + rng.randrange(0, 60))
        found.append(locked)
        row += len(visit.tasks)
    return tuple(found)


def _sequences(problem: Problem, rng: random.Random) -> dict[int, tuple[str, ...]]:
    first = np.cumsum([0, *(len(visit.tasks) for visit in problem.visits)])
    found: dict[int, tuple[str, ...]] = {}
    used: set[str] = set()
    for number in range(len(problem.workers)):
        if rng.random() > 0.3:
            continue
        able = [
            visit.id
            for place, visit in enumerate(problem.visits)
            if len(visit.tasks) == 1 and problem.may[first[place], number] and visit.id not in used
        ]
        found[number] = tuple(rng.sample(able, min(len(able), rng.randint(1, 3))))
        used |= set(found[number])
    return found
