"""Input that cannot be planned as a whole: a plan of the rest, and a reason for what is left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from yinling.bench.checker import violations
from yinling.dispatch.planner.problem import FOREVER, Break, Plan, Problem, Task, Visit, Weights, Worker
from yinling.dispatch.planner.search import solve

EIGHT = 480.0
THREE, TWO = 3, 2


def day(visits: tuple[Visit, ...], workers: int = TWO, **more: object) -> Problem:
    """Visits ten minutes from each other and from the office; everybody may do everything."""
    places = max((visit.place for visit in visits), default=0) + 1
    travel = np.full((1, places, places), 10, dtype=np.float32)
    np.einsum("kii->ki", travel)[:] = 0
    staff = tuple(Worker(f"w{number}", 0, 0, day_to=1_440.0) for number in range(workers))
    may = np.ones((sum(len(visit.tasks) for visit in visits), workers), dtype=np.bool_)
    return replace(Problem(visits, staff, travel, may), **more)  # type: ignore[arg-type]


def visit(number: int, **more: object) -> Visit:
    plain = Visit(f"v{number}", number + 1, EIGHT, EIGHT + 120, (Task("wash", 30.0),))
    return replace(plain, **more)  # type: ignore[arg-type]


def two_carers(number: int, **more: object) -> Visit:
    return visit(number, tasks=(Task("lift", 30.0), Task("wash", 30.0)), **more)


def planned(problem: Problem) -> Plan:
    plan = solve(problem, Weights(), seconds=60.0, seed=1, moves=2_000)
    assert violations(problem, plan) == []
    return plan


def left(plan: Plan) -> list[int]:
    assert all(one.code for one in plan.left)
    return sorted(one.visit for one in plan.left)


THREE_VISITS = (visit(0), visit(1), visit(2))


def test_nothing_to_do() -> None:
    plan = planned(day(()))
    assert (plan.routes, plan.left, plan.cost.total) == (((), ()), (), 0.0)


def test_nobody_to_do_it() -> None:
    assert left(planned(day(THREE_VISITS, 0))) == [0, 1, 2]


def test_nobody_qualifies() -> None:
    problem = day(THREE_VISITS)
    may = problem.may.copy()
    may[1] = False
    plan = planned(replace(problem, may=may))
    assert left(plan) == [1]


@pytest.mark.parametrize(
    "wrong",
    [
        visit(1, closes=EIGHT - 1, is_hard=True),
        visit(1, opens=float("nan")),
        visit(1, closes=float("nan"), is_hard=True),
        visit(1, opens=float("inf"), closes=float("inf")),
        visit(1, tasks=(Task("wash", float("nan")),)),
        visit(1, tasks=(Task("wash", -5.0),)),
        visit(1, tasks=(Task("wash", 5_000.0),)),
        visit(1, after="v1"),
        visit(1, start=EIGHT - 60),
        visit(1, carers=(99,)),
        two_carers(1, gap=(30.0, 10.0)),
        two_carers(1, carers=(0, 0)),
    ],
)
def test_one_visit_that_cannot_be_leaves_the_others_planned(wrong: Visit) -> None:
    """Closed before it opens, times that are no number, longer than any shift, after itself, locks against the rules."""
    assert left(planned(day((visit(0), wrong, visit(2))))) == [1]


def test_a_window_shorter_than_the_service_bounds_only_the_start() -> None:
    """The window bounds the start, so ten minutes of window are enough for thirty of service."""
    assert left(planned(day((visit(0, closes=EIGHT + 10, is_hard=True),)))) == []


@pytest.mark.parametrize("way", [float("nan"), float("inf")])
def test_a_place_nobody_knows(way: float) -> None:
    problem = day(THREE_VISITS)
    travel = problem.travel.copy()
    travel[:, 2, :] = way
    travel[:, :, 2] = way
    assert left(planned(replace(problem, travel=travel))) == [1]


def test_all_places_the_same() -> None:
    """Zero coordinates: all ways are nothing, and the day is planned."""
    problem = day(THREE_VISITS)
    plan = planned(replace(problem, travel=np.zeros_like(problem.travel)))
    assert (left(plan), plan.cost.travel) == ([], 0.0)


def test_a_carer_whose_home_nobody_knows_stays_there() -> None:
    problem = day((*THREE_VISITS, visit(3)))
    travel = np.pad(problem.travel, ((0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    lost = replace(problem.workers[0], start=travel.shape[1] - 1)
    plan = planned(replace(problem, travel=travel, workers=(lost, problem.workers[1])))
    assert (left(plan), plan.routes[0]) == ([], ())


@pytest.mark.parametrize(
    "hours",
    [
        {"day_from": float("nan")},
        {"day_to": float("nan")},
        {"day_from": 700.0, "day_to": 500.0},
        {"mode": 4},
        {"start": 99},
    ],
)
def test_a_carer_whose_day_is_no_day_stays_at_home(hours: dict[str, float]) -> None:
    problem = day(THREE_VISITS)
    plan = planned(replace(problem, workers=(replace(problem.workers[0], **hours), problem.workers[1])))  # type: ignore[arg-type]
    assert (left(plan), plan.routes[0]) == ([], ())
    assert plan.notes


def test_one_way_that_nobody_knows_is_not_taken() -> None:
    """Both places have other ways, so both are visited; nobody goes from the one to the other."""
    problem = day((visit(0), visit(1)), 1)
    travel = problem.travel.copy()
    travel[0, 1, 2] = travel[0, 2, 1] = float("nan")
    day_to = replace(problem.workers[0], day_to=FOREVER)
    assert len(left(planned(replace(problem, travel=travel, workers=(day_to,))))) == 1


def test_a_carer_given_twice_goes_once() -> None:
    """In two places at once, says the input: one copy works, and a note tells it."""
    problem = day(THREE_VISITS, THREE)
    twice = (problem.workers[0], replace(problem.workers[0], start=1, end=1), problem.workers[2])
    plan = planned(replace(problem, workers=twice))
    assert left(plan) == []
    assert plan.notes


def test_two_locks_of_one_carer_at_one_moment() -> None:
    both = (visit(0, carers=(0,), start=EIGHT), visit(1, carers=(0,), start=EIGHT), visit(2))
    plan = planned(day(both))
    assert len(left(plan)) == 1
    assert left(plan)[0] in (0, 1)


def test_a_lock_to_somebody_who_may_not() -> None:
    problem = day((visit(0, carers=(1,)), visit(1), visit(2)))
    may = problem.may.copy()
    may[0, 1] = False
    assert left(planned(replace(problem, may=may))) == [0]


def test_a_visit_in_the_fixed_rounds_of_two_carers() -> None:
    plan = planned(day(THREE_VISITS, sequences={0: ("v0", "v1"), 1: ("v1", "v2")}))
    assert left(plan) == [1]


def test_a_fixed_round_against_the_order_of_the_visits() -> None:
    """v1 comes after v0, the round has it before."""
    problem = day((visit(0), visit(1, after="v0"), visit(2)), sequences={0: ("v1", "v0")})
    plan = planned(problem)
    assert left(plan)
    assert 2 not in left(plan)


def test_a_fixed_round_with_names_that_do_not_exist() -> None:
    assert left(planned(day(THREE_VISITS, sequences={0: ("v0", "nobody"), 7: ("v1",)}))) == []


def test_a_ring_of_visits_that_wait_for_each_other() -> None:
    ring = (visit(0, after="v2"), visit(1, after="v0"), visit(2, after="v1"), visit(3))
    assert left(planned(day(ring)))
    assert 3 not in left(planned(day(ring)))


def test_a_pair_with_one_possible_carer() -> None:
    problem = day((two_carers(0), visit(1), visit(2)))
    may = problem.may.copy()
    may[:2] = [[True, False], [True, False]]
    assert left(planned(replace(problem, may=may))) == [0]


def test_a_break_longer_than_the_day_keeps_its_carer_at_home() -> None:
    problem = day(THREE_VISITS)
    never = replace(problem.workers[0], day_to=720.0, breaks=(Break(500.0, 510.0, 2_000.0),))
    plan = planned(replace(problem, workers=(never, problem.workers[1])))
    assert (left(plan), plan.routes[0]) == ([], ())


@pytest.mark.slow
def test_ten_thousand_visits_for_one_carer() -> None:
    """The day of one carer is filled, everything else has a reason."""
    visits = tuple(replace(visit(number), place=1 + number % 50, closes=EIGHT + 480.0) for number in range(10_000))
    plan = solve(day(visits, 1), Weights(), seconds=5.0, seed=1)
    assert violations(day(visits, 1), plan) == []
    assert len(plan.routes[0]) > THREE
    assert len(left(plan)) + len(plan.routes[0]) == len(visits)
