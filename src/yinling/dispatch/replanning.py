"""A day planned anew around what changed: first nothing else moves, then times, then the carers nearby. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from yinling.dispatch.assembly import Wanted, pinned
from yinling.dispatch.planner.problem import Plan, Problem, Visit

Holds = Mapping[int, tuple[tuple[int, ...], float]]
"""By visit: its carers (-1 is free) and its start in the version before."""
NEIGHBOURS = 12
"""How many visits around one that found no room may change their carer in the last step."""
BEFORE, AFTER = 90.0, 150.0
"""Minutes before and after the window of such a visit within which others count as neighbours."""


@dataclass(frozen=True, eq=False)
class Ask:
    """What is to be planned anew. ``search`` is the planner, called with a problem and the plan to start from."""

    problem: Problem
    wanted: tuple[Wanted, ...]
    holds: Holds
    served: frozenset[int]
    """Visits somebody went to in the version before: those that are not to be lost."""
    start: Plan | None
    search: Callable[[Problem, Plan | None], Plan]


def replanned(ask: Ask) -> Plan:
    """Return the plan with the fewest changes: the first step that loses nobody, or the one that loses least."""
    first = ask.search(_held(ask, ask.holds, exactly=True), ask.start)
    missing = _missing(ask, first)
    if not missing:
        return first
    second = ask.search(_held(ask, ask.holds, exactly=False), first)
    best = _better(ask, first, second)
    missing = _missing(ask, best)
    if not missing:
        return best
    free = neighbours(ask.problem, missing)
    third = ask.search(
        _held(ask, {visit: hold for visit, hold in ask.holds.items() if visit not in free}, exactly=False), best
    )
    return _better(ask, best, third)


def _held(ask: Ask, holds: Holds, *, exactly: bool) -> Problem:
    """Return the problem with visits held at their carers: at their start, or from there on in their window."""
    problem = pinned(
        ask.problem, {visit: (carers, start if exactly else None) for visit, (carers, start) in holds.items()}
    )
    visits = list(problem.visits)
    for visit, (_carers, start) in ask.holds.items():
        row = visits[visit]
        widened = replace(row, opens=min(row.opens, start), closes=max(row.closes, start))
        if ask.wanted[visit].start is not None:
            widened = replace(widened, start=ask.wanted[visit].start)
        visits[visit] = widened if exactly else replace(widened, usual=start)
    return replace(problem, visits=tuple(visits))


def _missing(ask: Ask, plan: Plan) -> list[int]:
    """Return the visits left out that were served before, or that were free to be planned."""
    return [one.visit for one in plan.left if one.code not in HOPELESS and not ask.wanted[one.visit].is_elsewhere]


HOPELESS = frozenset(
    {"nobody_may", "pair_needs_two", "place_unknown", "tasks", "visit_twice", "window", "lock_conflict"}
)
"""Reasons that moving others would not change."""


def _better(ask: Ask, known: Plan, other: Plan) -> Plan:
    """Return the plan that leaves out less; of equals the known one, which moves less."""
    return other if _loss(ask, other) < _loss(ask, known) else known


def _loss(ask: Ask, plan: Plan) -> float:
    visits = (ask.problem.visits[one.visit] for one in plan.left)
    return sum(visit.priority * len(visit.tasks) for visit in visits)


def neighbours(problem: Problem, visits: Iterable[int]) -> set[int]:
    """Return the visits near some others, in place and time: the first whose carers may change."""
    found: set[int] = set()
    ways = problem.travel[0]
    for number in visits:
        here = problem.visits[number]
        near = [other for other, row in enumerate(problem.visits) if other != number and _is_near_in_time(here, row)]
        distances = np.nan_to_num(
            np.array([ways[here.place, problem.visits[other].place] for other in near]), nan=np.inf
        )
        found |= {near[place] for place in np.argsort(distances, kind="stable")[:NEIGHBOURS]}
    return found


def _is_near_in_time(here: Visit, row: Visit) -> bool:
    return here.opens - BEFORE <= row.closes and row.opens <= here.closes + AFTER
