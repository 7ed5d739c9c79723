"""What the planner must never do, held against a checker and an exact model that share no code with it."""

from __future__ import annotations

from dataclasses import asdict, fields, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.dispatch.cases import EXACT, EXTRAS, case, weights
from tests.dispatch.exact import optimum

from yinling.bench.checker import cost_of, violations
from yinling.dispatch.planner.problem import Cost, Plan, Problem, Weights
from yinling.dispatch.planner.search import solve

SEEDS = st.integers(0, 2**32 - 1)
MOVES, MANY_MOVES = 2_000, 40_000
LONG, SEEDS_TRIED = 120.0, 4
PARTS = [one.name for one in fields(Cost)]
NEAR = {"rel": 1e-4, "abs": 2e-2}
"""Ways are single precision; a day's sum keeps about four decimals."""
EXACT_COST = Weights(overtime=0, imbalance=0, shift=0)
STREET = (40, 12)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
few = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def planned(problem: Problem, chosen: Weights, *, seed: int = 1, moves: int = MOVES) -> Plan:
    return solve(problem, chosen, seconds=LONG, seed=seed, moves=moves)


def hold(problem: Problem, plan: Plan, chosen: Weights) -> None:
    """The plan keeps every rule and costs what it says."""
    assert violations(problem, plan) == []
    counted = cost_of(problem, plan, chosen)
    assert {name: getattr(plan.cost, name) for name in PARTS} == {
        name: pytest.approx(getattr(counted, name), **NEAR) for name in PARTS
    }


@pytest.mark.parametrize("seed", range(200))
def test_a_plan_keeps_every_rule_and_costs_what_it_says(seed: int) -> None:
    problem, chosen = case(seed), weights(seed)
    hold(problem, planned(problem, chosen, seed=seed), chosen)


@quick
@given(seed=SEEDS, extras=st.sets(st.sampled_from(EXTRAS)), drawn=SEEDS)
def test_the_cost_kept_move_by_move_is_the_cost_counted_anew(seed: int, extras: set[str], drawn: int) -> None:
    problem, chosen = case(seed, sorted(extras)), weights(drawn)
    hold(problem, planned(problem, chosen, seed=drawn % 1000), chosen)


@few
@given(seed=SEEDS, extras=st.sets(st.sampled_from(EXACT)), size=st.integers(2, 8), workers=st.integers(1, 4))
def test_a_small_day_meets_the_proven_optimum(seed: int, extras: set[str], size: int, workers: int) -> None:
    """Windows hard and soft, visits left out, order, locks, shifts, modes and wishes as they come."""
    meets_optimum(case(seed, sorted(extras), visits=size, workers=workers), EXACT_COST)


@few
@given(seed=SEEDS, size=st.integers(2, 8), workers=st.integers(2, 4))
def test_a_small_published_case_meets_the_proven_optimum(seed: int, size: int, workers: int) -> None:
    meets_optimum(case(seed, ("doubles", "gaps"), visits=size, workers=workers), Weights.published())


def meets_optimum(problem: Problem, chosen: Weights) -> None:
    """One of a few seeds finds it, and none ever beats it."""
    best = optimum(problem, chosen)
    assert best is not None
    for seed in range(1, SEEDS_TRIED + 1):
        plan = planned(problem, chosen, seed=seed, moves=MANY_MOVES)
        hold(problem, plan, chosen)
        if plan.cost.total <= best + NEAR["abs"]:
            break
    assert plan.cost.total == pytest.approx(best, **NEAR)


@pytest.mark.parametrize("seed", range(4))
def test_a_seed_gives_the_same_plan_again(seed: int) -> None:
    problem = case(seed, visits=STREET[0], workers=STREET[1])
    plans = [asdict(replace(planned(problem, Weights(), seed=seed), cpu_seconds=0.0)) for _ in range(2)]
    assert plans[0] == plans[1]


def test_more_time_never_costs_more_than_the_start() -> None:
    """A plan to start from is never made worse."""
    problem = case(5, visits=STREET[0], workers=STREET[1])
    first = planned(problem, Weights())
    later = solve(problem, Weights(), seconds=LONG, seed=9, moves=MOVES, start=first)
    hold(problem, later, Weights())
    assert later.cost.total <= first.cost.total + 1e-3


def test_it_stops_at_the_target() -> None:
    problem = case(5, ("doubles",), visits=STREET[0], workers=STREET[1])
    first = planned(problem, Weights(), moves=200)
    plan = solve(problem, Weights(), seconds=LONG, seed=1, target=first.cost.total * 1.01)
    assert plan.cost.total <= first.cost.total * 1.01
    assert plan.cpu_seconds < LONG / 2


def test_it_tells_how_far_it_is_and_can_be_stopped() -> None:
    told: list[tuple[float, float]] = []

    def report(share: float, best: float) -> bool:
        told.append((share, best))
        return len(told) < 2

    plan = solve(case(5, visits=STREET[0], workers=STREET[1]), seconds=LONG, report=report)
    assert len(told) == 2
    assert 0 <= told[0][0] <= told[1][0] <= 1
    assert told[1][1] <= told[0][1]
    assert plan.cpu_seconds < LONG / 2


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_thousands_of_days(part: int) -> None:
    for seed in range(1_000 + part * 200, 1_200 + part * 200):
        problem, chosen = case(seed), weights(seed)
        plan = planned(problem, chosen, seed=seed)
        hold(problem, plan, chosen)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_a_street_keeps_every_rule(seed: int) -> None:
    problem, chosen = case(seed, visits=400, workers=120), weights(seed)
    hold(problem, planned(problem, chosen, seed=seed, moves=MANY_MOVES), chosen)
