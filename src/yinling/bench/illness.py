"""One carer of a made-up street falls ill: the planner's part of planning anew."""

from __future__ import annotations

import time
from dataclasses import replace

from yinling.dispatch.assembly import Wanted
from yinling.dispatch.planner.problem import Plan, Problem, Weights
from yinling.dispatch.planner.search import solve
from yinling.dispatch.replanning import Ask, replanned

STEP_SECONDS = 0.4


def without(problem: Problem, plan: Plan, worker: int) -> tuple[float, int, int]:
    """Return the seconds it took, the visits of others that moved, and those left out besides."""
    may = problem.may.copy()
    may[:, worker] = False
    holds, starts = {}, starts_of(plan)
    for visit, (carers, start) in starts.items():
        kept = tuple(-1 if carer == worker else carer for carer in carers)
        if any(carer >= 0 for carer in kept):
            holds[visit] = (kept, start)
    wanted = tuple(
        Wanted(number, number, row.opens, row.closes, tuple(task.minutes for task in row.tasks), None)
        for number, row in enumerate(problem.visits)
    )
    weights = Weights()
    ask = Ask(
        replace(problem, may=may), wanted, holds, frozenset(starts), plan,
        lambda asked, start: solve(asked, weights, seconds=STEP_SECONDS, seed=1, start=start),
    )  # fmt: skip
    began = time.monotonic()
    found = replanned(ask)
    seconds = time.monotonic() - began
    after = starts_of(found)
    moved = sum(1 for visit, held in starts.items() if worker not in held[0] and after.get(visit) != held)
    return seconds, moved, len(found.left) - len(plan.left)


def starts_of(plan: Plan) -> dict[int, tuple[tuple[int, ...], float]]:
    """Return carers and start of each visit."""
    found: dict[int, dict[int, tuple[int, float]]] = {}
    for worker, route in enumerate(plan.routes):
        for stop in route:
            found.setdefault(stop.visit, {})[stop.task] = (worker, stop.starts)
    return {
        visit: (tuple(rows[task][0] for task in sorted(rows)), rows[0][1]) for visit, rows in found.items() if 0 in rows
    }
