"""Rounds timed by hand agree with the search, and a day is planned anew with the fewest changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from yinling.bench.illness import starts_of, without
from yinling.bench.madecity import street
from yinling.dispatch.assembly import Wanted
from yinling.dispatch.fairness import Fairness
from yinling.dispatch.planner.evaluate import cost_of
from yinling.dispatch.planner.problem import Break, Plan, Problem, Task, Visit, Weights, Worker
from yinling.dispatch.planner.search import solve
from yinling.dispatch.planner.timing import time_routes, way_back
from yinling.dispatch.replanning import Ask, replanned

LINE = np.abs(np.arange(6)[:, None] - np.arange(6)[None, :]).astype(np.float32)[None] * 10


@pytest.fixture(scope="module")
def solved() -> tuple[Problem, Plan]:
    problem = street(3, visits=80, carers=25)
    return problem, solve(problem, moves=30_000, seed=1)


def day(visits: list[Visit], carers: int = 1, **values: Any) -> Problem:
    chosen = {"day_from": 480.0, "day_to": 1080.0, **values}
    workers = tuple(Worker(f"c{number}", 0, 0, **chosen) for number in range(carers))
    return Problem(tuple(visits), workers, LINE, np.ones((sum(len(one.tasks) for one in visits), carers), np.bool_))


def visit(name: str, place: int, opens: float, room: float = 30, tasks: int = 1, **values: Any) -> Visit:
    return Visit(
        name, place, opens, opens + room, tuple(Task(str(slot), 60) for slot in range(tasks)), is_hard=True, **values
    )


def test_rounds_by_hand_have_the_times_of_the_search(solved: tuple[Problem, Plan]) -> None:
    problem, plan = solved
    routes = {number: [(stop.visit, stop.task) for stop in route] for number, route in enumerate(plan.routes)}
    timed = time_routes(problem, routes, {})
    assert timed.faults == ()
    for number, route in enumerate(plan.routes):
        assert [stop.starts for stop in timed.routes[number]] == pytest.approx([stop.starts for stop in route])
    assert cost_of(problem, [timed.routes[number] for number in routes], plan.left, Weights()).total == pytest.approx(
        plan.cost.total
    )


def test_fairness_from_sums_is_that_of_the_search(solved: tuple[Problem, Plan]) -> None:
    problem, plan = solved
    work = [
        sum(stop.way + stop.ends - stop.starts for stop in route) + way_back(problem, number, route)
        for number, route in enumerate(plan.routes)
    ]
    found = Fairness.of(problem.workers, work)
    assert found.imbalance == pytest.approx(plan.cost.imbalance)
    work[3] += 60
    changed = Fairness.from_json(found.as_json()).changed(problem.workers[3], work[3] - 60, work[3])
    assert changed.imbalance == pytest.approx(Fairness.of(problem.workers, work).imbalance)


def test_what_a_hand_breaks_is_named() -> None:
    problem = day([visit("a", 5, 500), visit("b", 5, 1000)], breaks=(Break(700, 720, 30),), most_minutes=200.0)
    timed = time_routes(problem, {0: [(0, 0), (1, 0)]}, {})
    assert [(fault.code, fault.by) for fault in timed.faults] == [("home", 30), ("hours", 20)]
    assert timed.rests[0] == ((700.0, 730.0),)
    blocked = day([visit("a", 1, 690)], breaks=(Break(700, 720, 30),))
    assert time_routes(blocked, {0: [(0, 0)]}, {0: 690}).faults == ()
    assert time_routes(blocked, {0: [(0, 0)]}, {0: 690}).start_of(0) == 730


def test_two_wait_for_the_later_one_and_for_the_visit_before() -> None:
    rows = [visit("a", 1, 500), visit("b", 2, 500, tasks=2), visit("c", 3, 500, room=300, after="b", after_minutes=15)]
    timed = time_routes(day(rows, carers=2), {0: [(0, 0), (1, 0)], 1: [(1, 1), (2, 0)]}, {})
    assert timed.start_of(1) == 570
    assert timed.start_of(2) == 570 + 60 + 15


def asked(problem: Problem, plan: Plan, ill: int, **values: Any) -> Ask:
    may = problem.may.copy()
    may[:, ill] = False
    starts = starts_of(plan)
    holds = {visit: held for visit, held in starts.items() if ill not in held[0]}
    wanted = tuple(
        Wanted(number, number, row.opens, row.closes, (60.0,), None) for number, row in enumerate(problem.visits)
    )
    search = lambda one, start: solve(one, Weights(), moves=8_000, seed=1, start=start)  # noqa: E731
    return Ask(replace(problem, may=may), wanted, holds, frozenset(starts), plan, search, **values)


def test_nobody_else_is_moved_while_there_is_another_way() -> None:
    """The way: for each of the three who fall ill there is a colleague of the same kind who was not needed that day."""
    problem, ill = street(3, visits=80, carers=25), (0, 7, 12)
    spare = tuple(replace(problem.workers[one], id=f"spare{one}") for one in ill)
    none = np.zeros((len(problem.may), len(ill)), np.bool_)
    wishes = None if problem.wishes is None else np.hstack([problem.wishes, problem.wishes[:, list(ill)]])
    rested = replace(problem, workers=(*problem.workers, *spare), may=np.hstack([problem.may, none]), wishes=wishes)
    plan = solve(rested, moves=30_000, seed=1)
    everybody = replace(rested, may=np.hstack([problem.may, problem.may[:, list(ill)]]))
    for one in ill:
        _seconds, moved, left = without(everybody, plan, one)
        assert (moved, left) == (0, 0)


def test_times_move_before_carers_and_only_as_far_as_needed() -> None:
    rows = [visit("a", 1, 500, room=0), visit("b", 1, 600, room=60), visit("c", 5, 900, room=0)]
    problem = day(rows, carers=2)
    before = time_routes(problem, {0: [(1, 0), (2, 0)], 1: [(0, 0)]}, {0: 500, 1: 600})
    plan = Plan(
        tuple(before.routes[number] for number in range(2)),
        ((), ()),
        (),
        cost_of(problem, list(before.routes.values()), (), Weights()),
        1,
        0,
        0,
    )
    found = replanned(asked(problem, plan, 1))
    assert found.left == ()
    assert starts_of(found) == {0: ((0,), 500.0), 1: ((0,), 600.0), 2: ((0,), 900.0)}
    crowded = replace(problem, visits=(visit("a", 1, 570, room=0), *rows[1:]))
    found = replanned(asked(crowded, plan, 1))
    assert found.left == ()
    assert starts_of(found) == {0: ((0,), 570.0), 1: ((0,), 630.0), 2: ((0,), 900.0)}
