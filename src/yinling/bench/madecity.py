"""A made-up day of a street for the planner: some 600 visits, 200 carers, as a city of a million elders has a hundred times.

Plain values from a seed: homes in blocks, windows that crowd in the morning, four kinds of qualification, visits for two, rests,
wishes, carers on foot and on electric bicycles. Names nobody.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from yinling.dispatch.planner.problem import Break, Problem, Task, Visit, Worker

WIDE_KM, HIGH_KM = 3.0, 2.5
BLOCKS = 40
SITES = 4
SPEED_KM_MINUTE = (4.5 / 60, 15 / 60)
DETOUR = 1.35
MINUTES = (30, 45, 60, 90, 120)
OFTEN = (0.25, 0.25, 0.3, 0.15, 0.05)
KINDS = 4
HELD = (0.9, 0.35, 0.25, 0.1)
WANTED = (0.7, 0.15, 0.1, 0.05)
DOUBLE = 0.04
HOURS = (480, 510, 540, 570, 600, 660, 780, 840, 900, 960)
CROWD = (0.14, 0.14, 0.16, 0.12, 0.1, 0.06, 0.06, 0.1, 0.08, 0.04)
WINDOW = (30.0, 60.0, 120.0)
NEW_FACE = 15.0
RIDES = 0.8
"""Share of the carers on an electric bicycle."""
LUNCH = Break(690, 780, 30)


def street(number: int, *, visits: int = 600, carers: int = 200) -> Problem:
    """Return the day of one street; the number is the seed."""
    dice = np.random.default_rng(number)
    homes = _homes(dice, visits)
    sites = dice.uniform((0, 0), (WIDE_KM, HIGH_KM), (SITES, 2))
    places = np.vstack([sites, homes])
    needs = dice.choice(KINDS, visits, p=WANTED)
    holds = dice.random((carers, KINDS)) < np.array(HELD)
    rows = tuple(_visit(dice, one, SITES + one) for one in range(visits))
    doubles = np.array([len(row.tasks) for row in rows])
    may = np.repeat(holds.T[needs], doubles, axis=0)
    wishes = np.where(dice.random((visits, carers)) < 3 / carers, 0.0, NEW_FACE).astype(np.float32)
    workers = tuple(
        Worker(
            f"c{one}", one % SITES, one % SITES, 480.0, 1080.0, most_minutes=480.0, contract_minutes=420.0, breaks=(LUNCH,),
            mode=int(dice.random() < RIDES),
        )
        for one in range(carers)
    )  # fmt: skip
    return Problem(rows, workers, _ways(places), may, np.repeat(wishes, doubles, axis=0))


def _homes(dice: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Homes stand in blocks."""
    blocks = dice.uniform((0, 0), (WIDE_KM, HIGH_KM), (BLOCKS, 2))
    found: NDArray[np.float64] = blocks[dice.integers(0, BLOCKS, count)] + dice.normal(0, 0.06, (count, 2))
    return found


def _visit(dice: np.random.Generator, number: int, place: int) -> Visit:
    opens = float(dice.choice(HOURS, p=CROWD))
    minutes = float(dice.choice(MINUTES, p=OFTEN))
    tasks = tuple(Task(str(slot), minutes) for slot in range(1, 2 + int(dice.random() < DOUBLE)))
    return Visit(f"v{number}", place, opens, opens + float(dice.choice(WINDOW)), tasks, is_hard=True)


def _ways(places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Full minutes between all places on foot and by bicycle."""
    apart = np.sqrt(((places[:, None, :] - places[None, :, :]) ** 2).sum(axis=2)) * DETOUR
    ways: NDArray[Any] = np.stack([np.ceil(apart / speed) for speed in SPEED_KM_MINUTE]).astype(np.float32)
    return ways
