"""Made-up instances after published recipes, so that the numbers can be taken without anybody's files.

``home_care`` follows Mankowska, Meisel and Bierwirth (2014): 30 % double visits, half of them together. ``street`` is a street of a city
with single visits. ``vehicle_routes`` follows Solomon (1987) as Gehring and Homberger (1999) carried it on to 1,000 customers, without loads.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yinling.dispatch.planner.problem import Problem, Task, Visit, Worker

SIDE, DAY, WINDOW = 100, 480, 120
HALVES = (("s1", "s2", "s3"), ("s4", "s5", "s6"))
DOUBLE, GAP_MOST = 0.15, 60
"""Share of patients of either kind of double visit; the widest least distance between two services."""

METRES, DETOUR, METRES_A_SECOND = 5_000, 1.35, 15_000 / 3_600
STREET_OPENS, STREET_CLOSES = 7 * 3_600, 19 * 3_600
STREET_SKILLS = 3

CUSTOMERS_OF_A_SIDE = {200: 140, 400: 200, 600: 300, 800: 400, 1000: 500}
CLUSTER = 10
STOPS_OF_A_TRIP = 10
"""How many customers a trip of the short horizon has time for."""
TENTH = 10


def home_care(patients: int, carers: int, seed: int) -> dict[str, Any]:
    """Return an instance in the published JSON format."""
    rng = random.Random(seed)
    minutes = float(rng.randint(10, 20))
    office = [float(rng.randrange(SIDE)), float(rng.randrange(SIDE))]
    able = _abilities(carers, rng)
    rows = [_patient(number, rng, minutes) for number in range(1, patients + 1)]
    places = [office, *(row["location"] for row in rows)]
    return {
        "patients": rows,
        "services": [{"id": service, "default_duration": minutes} for half in HALVES for service in half],
        "caregivers": [{"id": f"c{number}", "abilities": names} for number, names in enumerate(able, 1)],
        "central_offices": [{"id": "d", "location": office}],
        "distances": [[round(math.dist(here, there), 3) for there in places] for here in places],
    }


def _abilities(carers: int, rng: random.Random) -> list[list[str]]:
    """Return one to three services of one half each; every service has its carers."""
    while True:
        drawn = [sorted(rng.sample(HALVES[number % 2], rng.randint(1, 3))) for number in range(carers)]
        if {name for names in drawn for name in names} == {name for half in HALVES for name in half}:
            return drawn


def _patient(number: int, rng: random.Random, minutes: float) -> dict[str, Any]:
    opens = float(rng.randrange(DAY))
    kind = rng.random()
    services = [rng.choice(rng.choice(HALVES))]
    row: dict[str, Any] = {
        "id": f"p{number}",
        "location": [float(rng.randrange(SIDE)), float(rng.randrange(SIDE))],
        "time_window": [opens, opens + WINDOW],
    }
    if kind < 2 * DOUBLE:
        services = [rng.choice(half) for half in HALVES]
        least = rng.randint(1, GAP_MOST)
        apart = {"type": "sequential", "distance": [least, 2 * least]}
        row["synchronization"] = {"type": "simultaneous"} if kind < DOUBLE else apart
    row["required_caregivers"] = [{"service": service, "duration": minutes} for service in services]
    return row


@dataclass(frozen=True)
class Street:
    """Single visits with hard windows, in whole seconds, which is what VROOM counts in."""

    seconds: NDArray[np.int64]
    windows: list[tuple[int, int]]
    services: list[int]
    skills: list[int]
    able: list[set[int]]

    def problem(self) -> Problem:
        """Return it as a problem in minutes; visit ``i`` is at place ``i``, the homes of the carers follow."""
        visits = tuple(
            Visit(f"v{number}", number, opens / 60, closes / 60, (Task("", self.services[number] / 60),), is_hard=True)
            for number, (opens, closes) in enumerate(self.windows)
        )
        workers = tuple(
            Worker(f"w{number}", place, place, STREET_OPENS / 60, STREET_CLOSES / 60)
            for number, place in enumerate(range(len(visits), len(visits) + len(self.able)))
        )
        may = np.array([[skill in able for able in self.able] for skill in self.skills])
        return Problem(visits, workers, (self.seconds / 60).astype(np.float32)[None], may)


def street(visits: int, carers: int, seed: int) -> Street:
    """Return a street of five kilometres: e-bikes, one of three skills a visit, windows of one to two hours."""
    rng = random.Random(seed)
    places = [(rng.uniform(0, METRES), rng.uniform(0, METRES)) for _ in range(visits + carers)]
    pace = DETOUR / METRES_A_SECOND
    seconds = np.array([[math.ceil(math.dist(here, there) * pace) for there in places] for here in places])
    services = [60 * rng.choice((20, 30, 40, 60)) for _ in range(visits)]
    windows = []
    for service in services:
        width = 60 * rng.choice((60, 90, 120))
        opens = rng.randrange(STREET_OPENS + 3_600, STREET_CLOSES - 3_600 - width - service, 300)
        windows.append((opens, opens + width))
    skills = [rng.randrange(STREET_SKILLS) for _ in range(visits)]
    able = [set(rng.sample(range(STREET_SKILLS), rng.randint(1, STREET_SKILLS))) for _ in range(carers)]
    return Street(seconds, windows, services, skills, able)


@dataclass(frozen=True)
class VehicleRoutes:
    """Vehicle routing with time windows, in tenths of a minute; place 0 is the depot. There are no loads."""

    name: str
    tenths: NDArray[np.int64]
    windows: list[tuple[int, int]]
    service: int
    vehicles: int

    def problem(self) -> Problem:
        """Return it as a problem in minutes."""
        visits = tuple(
            Visit(f"v{place}", place, opens / TENTH, closes / TENTH, (Task("", self.service / TENTH),), is_hard=True)
            for place, (opens, closes) in enumerate(self.windows[1:], 1)
        )
        opens, closes = self.windows[0]
        workers = tuple(Worker(f"w{number}", 0, 0, opens / TENTH, closes / TENTH) for number in range(self.vehicles))
        may = np.ones((len(visits), len(workers)), dtype=np.bool_)
        return Problem(visits, workers, (self.tenths / TENTH).astype(np.float32)[None], may)


def vehicle_routes(kind: str, customers: int, seed: int) -> VehicleRoutes:
    """Return an instance of kind R, C or RC, 1 (short horizon, narrow windows) or 2 (long horizon, wide windows)."""
    rng = random.Random(f"{kind}{customers}{seed}")
    shape, is_long = kind[:-1], kind.endswith("2")
    side = CUSTOMERS_OF_A_SIDE.get(customers, round(10 * math.sqrt(customers)))
    places = [(side / 2, side / 2), *_places(shape, customers, side, rng)]
    tenths = np.array([[round(TENTH * math.dist(here, there)) for there in places] for here in places])
    service = (90 if shape == "C" else 10) * TENTH
    hop = round(TENTH * side / math.sqrt(customers))
    horizon = 2 * int(tenths[0].max()) + STOPS_OF_A_TRIP * (4 if is_long else 1) * (service + hop)
    windows = [(0, horizon)]
    for place in range(1, customers + 1):
        width = horizon // 4 if is_long else rng.randint(10 * TENTH, 60 * TENTH) + (service if shape == "C" else 0)
        first, last = int(tenths[0, place]), horizon - int(tenths[place, 0]) - service
        middle = rng.randint(first, last)
        windows.append((max(first, middle - width // 2), min(last, middle + width // 2)))
    return VehicleRoutes(f"{kind}_{customers}_{seed}", tenths, windows, service, max(4, customers // 4))


def _places(shape: str, customers: int, side: int, rng: random.Random) -> list[tuple[float, float]]:
    """Return random places (R), clusters (C) or half of each (RC)."""
    scattered = {"R": customers, "C": 0, "RC": customers // 2}[shape]
    found = [(float(rng.randrange(side)), float(rng.randrange(side))) for _ in range(scattered)]
    while len(found) < customers:
        middle = rng.uniform(0, side), rng.uniform(0, side)
        for _ in range(min(CLUSTER, customers - len(found))):
            x, y = (min(max(rng.gauss(one, side / 40), 0.0), float(side)) for one in middle)
            found.append((round(x), round(y)))
    return found
