"""VROOM and PyVRP on problems that they can express, under the same limits of one thread; both are development dependencies."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from yinling.bench.catalogue import PLANNER_SEED
from yinling.bench.checker import violations
from yinling.bench.figures import Figure
from yinling.bench.goals import PYVRP_PERCENT
from yinling.bench.recipes import STREET_CLOSES, STREET_OPENS, Street, VehicleRoutes, street, vehicle_routes
from yinling.dispatch.planner.problem import Plan, Problem, Weights
from yinling.dispatch.planner.search import solve, warm_up

STREET, QUICK_STREET = (600, 200), (150, 50)
LEVEL, SHARE = 5, 0.25
"""VROOM's best exploration level, and the share of its time that is ours."""
KINDS = ("R1", "C1", "RC1", "R2", "C2", "RC2")
ROUTES = [*((kind, 200) for kind in KINDS), ("R1", 600), ("C2", 600), ("R1", 1000), ("RC2", 1000)]
QUICK_ROUTES = [("R1", 200)]
ROUTES_SECONDS, QUICK_ROUTES_SECONDS = 60.0, 15.0
TRAVEL_ONLY = Weights(tardiness=0, worst=0, overtime=0, wish=0, imbalance=0, shift=0, left_out=1e6)


def compare(*, quick: bool) -> list[Figure]:
    """Return our travel against theirs; a rival that is not installed is only named."""
    warm_up()
    figures = []
    for name, take in (("vroom", against_vroom), ("pyvrp", against_pyvrp)):
        if importlib.util.find_spec(name) is None:
            print(f"{name} 未安装，跳过。 {name} is not installed and left out.", file=sys.stderr, flush=True)
        else:
            figures += list(take(quick=quick))
    return figures


def against_vroom(*, quick: bool) -> Iterator[Figure]:
    """A street of single visits with hard windows; VROOM first, for its time is our limit."""
    visits, carers = QUICK_STREET if quick else STREET
    made = street(visits, carers, PLANNER_SEED)
    began = time.process_time()
    theirs, left = vroom_travel(made)
    seconds = time.process_time() - began
    plan = _planned(made.problem(), seconds * SHARE)
    ours = street_travel(made, plan)
    note = f"street of {visits}, {carers} carers: {ours} s in {plan.cpu_seconds:.1f} s, VROOM {theirs} s in {seconds:.1f} s"
    yield Figure("dispatch.vroom.travel", round(100 * (ours / theirs - 1), 2), "%", note, most=0)
    yield Figure("dispatch.vroom.left", len(plan.left), "visits", f"left out; VROOM {left}", most=left)


def vroom_travel(made: Street) -> tuple[int, int]:
    """Return VROOM's seconds on the way and the visits it left out."""
    import vroom  # type: ignore[import-untyped, unused-ignore] # noqa: PLC0415 - not everybody has it

    model = vroom.Input()
    model.set_durations_matrix(profile="car", matrix_input=made.seconds)
    for number, able in enumerate(made.able):
        home = len(made.windows) + number
        day = vroom.TimeWindow(STREET_OPENS, STREET_CLOSES)
        model.add_vehicle(vroom.Vehicle(number + 1, start=home, end=home, skills=able, time_window=day))
    for number, (opens, closes) in enumerate(made.windows):
        model.add_job(
            vroom.Job(
                number + 1,
                location=number,
                default_service=made.services[number],
                skills={made.skills[number]},
                time_windows=[vroom.TimeWindow(opens, closes)],
            )
        )
    summary = model.solve(exploration_level=LEVEL, nb_threads=1).to_dict()["summary"]
    return int(summary["duration"]), int(summary["unassigned"])


def street_travel(made: Street, plan: Plan) -> int:
    """Return the whole seconds on the way of our plan, counted in VROOM's matrix."""
    homes = len(made.windows)
    rounds = (
        [homes + number, *(stop.visit for stop in route), homes + number]
        for number, route in enumerate(plan.routes)
        if route
    )
    return sum(int(made.seconds[here, there]) for places in rounds for here, there in pairwise(places))


def against_pyvrp(*, quick: bool) -> Iterator[Figure]:
    """Vehicle routing with time windows and without loads, equal CPU seconds."""
    seconds = QUICK_ROUTES_SECONDS if quick else ROUTES_SECONDS
    for kind, customers in QUICK_ROUTES if quick else ROUTES:
        made = vehicle_routes(kind, customers, PLANNER_SEED)
        theirs = pyvrp_travel(made, seconds)
        plan = _planned(made.problem(), seconds)
        ours = routes_travel(made, plan)
        note = f"{ours / 10:.1f} against {theirs / 10:.1f} in {seconds:g} s each, {len(plan.left)} left out"
        gap = round(100 * (ours / theirs - 1), 2) if not plan.left else 100.0
        print(f"{made.name}: {gap:+.2f} % ({note})", file=sys.stderr, flush=True)
        yield Figure(f"dispatch.pyvrp.{kind}.{customers}", gap, "%", note, most=PYVRP_PERCENT)


class CpuSeconds:
    """PyVRP's criterion to stop: CPU seconds of this thread, as ours."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.end: float | None = None

    def __call__(self, best_cost: int) -> bool:  # noqa: ARG002 - PyVRP passes it by this name
        """Say whether to stop; the first call starts the clock."""
        now = time.thread_time()
        if self.end is None:
            self.end = now + self.seconds
        return now > self.end


def pyvrp_travel(made: VehicleRoutes, seconds: float) -> int:
    """Return the length of PyVRP's best plan, in tenths."""
    import pyvrp  # noqa: PLC0415 - not everybody has it

    opens, closes = made.windows[0]
    matrix: Any = made.tenths
    data = pyvrp.ProblemData(
        [pyvrp.Location(0, 0) for _ in made.windows],
        [
            pyvrp.Client(place, service_duration=made.service, tw_early=early, tw_late=late)
            for place, (early, late) in enumerate(made.windows[1:], 1)
        ],
        [pyvrp.Depot(0)],
        [pyvrp.VehicleType(made.vehicles, tw_early=opens, tw_late=closes)],
        [matrix],
        [matrix],
    )
    best = pyvrp.solve(data, stop=CpuSeconds(seconds), seed=PLANNER_SEED, collect_stats=False, display=False).best
    if not best.is_feasible():
        raise RuntimeError(f"PyVRP found no plan for {made.name}")
    return int(best.distance())


def routes_travel(made: VehicleRoutes, plan: Plan) -> int:
    """Return the length of our plan in tenths."""
    rounds = [[0, *(stop.visit + 1 for stop in route), 0] for route in plan.routes if route]
    return sum(int(made.tenths[here, there]) for places in rounds for here, there in pairwise(places))


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of an instance file, compressed or not."""
    raw = path.read_bytes()
    content: dict[str, Any] = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    return content


def _planned(problem: Problem, seconds: float) -> Plan:
    plan = solve(problem, TRAVEL_ONLY, seconds=seconds, seed=PLANNER_SEED)
    found = violations(problem, plan)
    if found:
        raise RuntimeError("\n".join(found[:10]))
    return plan
