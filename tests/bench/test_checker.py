"""The checker sees every rule that a plan breaks: a good plan, broken in one place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from yinling.bench.checker import after_way, cost_of, violations
from yinling.dispatch.planner.problem import Break, Cost, Left, Plan, Problem, Stop, Task, Visit, Weights, Worker

NOTHING = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
WAY = 10.0
VISITS = (
    Visit("a", 1, 60, 90, (Task("", 20.0),), is_hard=True),
    Visit("b", 2, 60, 120, (Task("x", 30.0), Task("y", 20.0)), gap=(0.0, 5.0), after="a"),
    Visit("c", 3, 0, 500, (Task("", 10.0),), priority=2.0),
)
WORKERS = (
    Worker("w0", 0, 0, 30, 300, most_minutes=200, contract_minutes=60, breaks=(Break(130, 150, 15),)),
    Worker("w1", 0, 0, 30, 300),
)
MAY = np.array([[True, False], [True, True], [True, True], [True, True]])
TRAVEL = np.where(np.eye(4, dtype=bool), 0, WAY).astype(np.float32)[None]
PROBLEM = Problem(VISITS, WORKERS, TRAVEL, MAY, np.array([[0, 0], [1, 0], [0, 2], [0, 0]], dtype=np.float32))


def stop(visit: int, task: int, starts: float, *, arrives: float | None = None) -> Stop:
    minutes = VISITS[visit].tasks[task].minutes
    return Stop(visit, task, starts if arrives is None else arrives, starts, starts + minutes, WAY)


FIRST = (stop(0, 0, 60, arrives=40), stop(1, 0, 90))
SECOND = (stop(1, 1, 92, arrives=40),)
GOOD = Plan((FIRST, SECOND), (((130.0, 145.0),), ()), (Left(2, "capacity"),), NOTHING, 1, 0, 0.0)


def routes(first: tuple[Stop, ...] = FIRST, second: tuple[Stop, ...] = SECOND) -> Plan:
    return replace(GOOD, routes=(first, second))


def with_visit(number: int, **more: object) -> Problem:
    changed = replace(VISITS[number], **more)  # type: ignore[arg-type]
    return replace(PROBLEM, visits=(*VISITS[:number], changed, *VISITS[number + 1 :]))


def with_worker(**more: object) -> Problem:
    return replace(PROBLEM, workers=(replace(WORKERS[0], **more), WORKERS[1]))  # type: ignore[arg-type]


def test_a_good_plan_has_no_fault() -> None:
    assert violations(PROBLEM, GOOD) == []


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (replace(GOOD, routes=(FIRST,)), "2 carers, but 1 routes"),
        (routes((*FIRST, stop(0, 0, 200))), "done more than once"),
        (routes(FIRST, ()), "neither served as a whole nor left out"),
        (routes((*FIRST, stop(2, 0, 180))), "both left out and served"),
        (replace(GOOD, left=()), "neither served"),
        (replace(GOOD, left=(Left(2, ""),)), "without a reason"),
        (replace(GOOD, left=GOOD.left * 2), "left out more than once"),
        (replace(GOOD, left=(*GOOD.left, Left(9, "capacity"))), "does not exist"),
        (routes((stop(0, 0, 59, arrives=40), FIRST[1])), "before 60"),
        (routes((stop(0, 0, 91, arrives=40), stop(1, 0, 121)), (stop(1, 1, 123),)), "after the hard end"),
        (routes(FIRST, (stop(1, 1, 96),)), "minutes between the two starts"),
        (routes((*FIRST, stop(1, 1, 120)), ()), "one carer does both"),
        (routes((stop(1, 0, 65, arrives=40), stop(0, 0, 105)), (stop(1, 1, 65),)), "is over"),
        (routes((FIRST[0], stop(1, 0, 85))), "cannot be at"),
        (routes((FIRST[0], replace(FIRST[1], way=9.0))), "said to take"),
        (routes((FIRST[0], replace(FIRST[1], arrives=85.0))), "arrives at"),
        (routes((FIRST[0], replace(FIRST[1], ends=119.0))), "takes 29.000 minutes"),
        (routes((FIRST[0], replace(FIRST[1], starts=float("nan")))), "no number"),
        (routes((FIRST[0], replace(FIRST[1], visit=7))), "does not exist"),
        (replace(GOOD, breaks=((), ())), "not those of the day"),
        (replace(GOOD, breaks=(((151.0, 166.0),), ())), "not those of the day"),
        (replace(GOOD, breaks=(((130.0, 140.0),), ())), "not those of the day"),
        (replace(GOOD, breaks=(((115.0, 130.0),), ())), "rests and works"),
    ],
)
def test_a_broken_rule_is_named(plan: Plan, says: str) -> None:
    assert any(says in one for one in violations(PROBLEM, plan)), violations(PROBLEM, plan)


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        (replace(PROBLEM, may=~MAY), "may not do"),
        (with_visit(1, carers=(1, 0)), "is locked to carer"),
        (with_visit(0, start=65.0), "is locked to 65"),
        (with_visit(1, after="c"), "which comes before it, is not"),
        (replace(PROBLEM, sequences={1: ("a",)}), "belongs to the fixed round"),
        (replace(PROBLEM, sequences={0: ("b", "a")}), "out of the fixed order"),
        (replace(PROBLEM, travel=np.full_like(TRAVEL, np.nan)), "nobody knows"),
        (with_worker(day_to=125.0), "after the day"),
        (with_worker(day_to=135.0, breaks=()), "not those of the day"),
        (with_worker(day_from=55.0), "cannot be at"),
        (with_worker(most_minutes=70.0), "more than 70"),
        (with_worker(id="w1"), "given twice"),
    ],
)
def test_a_plan_for_another_day_is_refused(problem: Problem, says: str) -> None:
    assert any(says in one for one in violations(problem, GOOD)), violations(problem, GOOD)


def test_the_cost_vector() -> None:
    """Two ways out, one between, two back; overtime of 80 minutes of work beyond 60; work of 80 and 40 minutes."""
    late = with_visit(1, closes=80.0, usual=100.0)
    counted = cost_of(late, GOOD, Weights(1, 1, 1, 1, 1, 1, 1, 1))
    assert (counted.travel, counted.tardiness, counted.worst, counted.overtime) == (50, 22, 12, 20)
    assert (counted.wish, counted.shift, counted.left_out) == (3, 10, 2)
    assert counted.imbalance > 0
    parts = ("travel", "tardiness", "worst", "overtime", "wish", "imbalance", "shift", "left_out")
    assert counted.total == pytest.approx(sum(getattr(counted, part) for part in parts))


@pytest.mark.parametrize(
    ("rests", "there"),
    [
        ([], 110),
        ([(105, 120)], 125),
        ([(90, 105)], 115),
        ([(110, 120)], 110),
        ([(80, 100)], 110),
        ([(105, 115), (118, 128)], 130),
        ([(118, 128), (105, 115)], 130),
    ],
)
def test_a_rest_interrupts_a_way(rests: list[tuple[float, float]], there: float) -> None:
    assert after_way(100, 10, rests) == there


def test_nothing_costs_nothing() -> None:
    nobody = replace(GOOD, routes=((), ()), breaks=((), ()), left=tuple(Left(number, "x") for number in range(3)))
    assert violations(PROBLEM, nobody) == []
    assert cost_of(PROBLEM, nobody, Weights()).travel == 0
