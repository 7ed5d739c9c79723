"""The day of a city: a hundred streets planned by two processes, one street through the database, one carer who falls ill.

The streets are made up (``madecity``); the planner computes each for the seconds of the parameter. The street in the database goes the
whole way a dispatcher sees: asked for, computed by the job, written, published with its notices, planned anew around a sick carer.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from yinling.bench.figures import Figure, quantile
from yinling.bench.madecity import street

PROCESSES = 2
SECONDS = 8.0
QUICK_STREETS, FULL_STREETS = 4, 100
MOST_SECONDS, MOST_REPLAN = 600, 3.0
ILL = 3
"""How many carers fall ill, one after the other, in each street whose re-plan is timed."""


@dataclass(frozen=True)
class Street:
    """One street planned: how long it took, and what came out."""

    number: int
    visits: int
    left: int
    travel: float
    seconds: float
    cpu: float
    replans: tuple[float, ...]
    moved: int
    left_by_illness: int


def measure(home: Path, *, quick: bool) -> list[Figure]:
    """Plan the streets, then one through the database."""
    count = QUICK_STREETS if quick else FULL_STREETS
    streets, warm, seconds = plan_all(count)
    whole = seconds * FULL_STREETS / count
    found = pure_figures(streets, whole, warm, count)
    from yinling.bench.citystreet import through_the_database  # noqa: PLC0415 - sets Django up on the bench's own city

    return found + through_the_database(home)


def plan_all(count: int) -> tuple[list[Street], float, float]:
    """Return the streets, the seconds of compiling and the seconds of all the rest, by the clock on the wall."""
    context = get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        began = time.monotonic()
        list(pool.map(warm_up, range(PROCESSES)))
        warm = time.monotonic() - began
        began = time.monotonic()
        streets = []
        for done in pool.map(partial(plan_street, ill=0), range(1, count + 1)):
            streets.append(done)
            print(f"  {done.number}/{count} …", end="\r", file=sys.stderr, flush=True)
        seconds = time.monotonic() - began
        ill = list(pool.map(partial(plan_street, ill=ILL), range(1, 1 + QUICK_STREETS)))
    return (
        [*streets[len(ill) :], *(replace(one, seconds=streets[place].seconds) for place, one in enumerate(ill))],
        warm,
        seconds,
    )


def warm_up(_number: int) -> None:
    """Load or compile the planner in this process."""
    from yinling.dispatch.planner.search import warm_up as load  # noqa: PLC0415 - in the process that plans

    load()


def plan_street(number: int, *, ill: int) -> Street:
    """Plan one street; then let carers fall ill, one at a time, and plan anew around each."""
    from yinling.dispatch.planner.search import solve  # noqa: PLC0415 - in the process that plans

    problem = street(number)
    began, cpu = time.monotonic(), time.process_time()
    plan = solve(problem, seconds=SECONDS, seed=1)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    busy = [worker for worker, route in enumerate(plan.routes) if route][:: max(1, len(plan.routes) // (ill + 1))][:ill]
    again = [replan_without(problem, plan, worker) for worker in busy]
    return Street(
        number, len(problem.visits), len(plan.left), plan.cost.travel, seconds, cpu, tuple(one[0] for one in again),
        sum(one[1] for one in again), sum(one[2] for one in again),
    )  # fmt: skip


def replan_without(problem: object, plan: object, worker: int) -> tuple[float, int, int]:
    """Return the seconds of planning anew without a carer, the visits of others that moved, and those left out besides."""
    from yinling.bench.illness import without  # noqa: PLC0415 - in the process that plans

    return without(problem, plan, worker)  # type: ignore[arg-type]


def pure_figures(streets: list[Street], whole: float, warm: float, count: int) -> list[Figure]:
    """Return the figures of the planner alone."""
    visits = sum(one.visits for one in streets)
    replans = [seconds for one in streets for seconds in one.replans]
    cores = os.cpu_count() or 1
    return [
        Figure(
            "city.day", round(whole, 1), "s", f"{FULL_STREETS} streets, {PROCESSES} processes, {cores} cores, from {count}",
            most=MOST_SECONDS,
        ),
        Figure(
            "city.cpu", round(quantile([one.cpu for one in streets], 0.5) * FULL_STREETS / PROCESSES, 1), "s",
            "the same in CPU seconds of a process, whatever else the machine does", most=MOST_SECONDS,
        ),
        Figure("city.compile", round(warm, 1), "s", "before, once a machine"),
        Figure("city.street", round(quantile([one.seconds for one in streets], 0.5), 2), "s", f"{SECONDS:g} CPU seconds each"),
        Figure("city.left", round(1000 * sum(one.left for one in streets) / visits, 2), "‰", f"of {visits:,} visits, left out"),
        Figure("city.way", round(sum(one.travel for one in streets) / visits, 2), "min", "on the way, each visit"),
        Figure("city.replan", round(max(replans), 2), "s", f"slowest of {len(replans)} sick carers, planner alone", most=MOST_REPLAN),
        Figure("city.replan_moved", sum(one.moved for one in streets), "visits", "of other carers, moved by these illnesses"),
        Figure("city.replan_left", sum(one.left_by_illness for one in streets), "visits", "left out because of these illnesses"),
    ]  # fmt: skip
