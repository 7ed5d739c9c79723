"""The search changes sums move by move; they must always be what a full count of the routes gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.dispatch.cases import EXTRAS, case, weights

from yinling.bench.checker import cost_of, violations
from yinling.dispatch.planner.build import board_of
from yinling.dispatch.planner.kernel_anneal import anneal
from yinling.dispatch.planner.kernel_whole import recount, rekey
from yinling.dispatch.planner.problem import Cost, Plan, Problem, Weights
from yinling.dispatch.planner.result import left_of, routes_of
from yinling.dispatch.planner.soundness import Checked, check
from yinling.dispatch.planner.start import prepare

SEEDS = st.integers(0, 2**32 - 1)
NEAR = {"rel": 1e-5, "abs": 1e-2}
NO_COST = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
ROUNDS = 4


def plan_on(board: Any, problem: Problem, checked: Checked) -> Plan:
    routes, breaks = routes_of(board)
    return Plan(routes, breaks, left_of(problem, checked, board), NO_COST, 1, 0, 0.0)


def beyond(problem: Problem, checked: Checked, chosen: Weights) -> float:
    """What the visits cost that were set aside before the search, which does not count them."""
    return sum(
        chosen.left_out * problem.visits[number].priority * len(problem.visits[number].tasks) for number in checked.left
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=SEEDS,
    extras=st.sets(st.sampled_from(EXTRAS)),
    drawn=SEEDS,
    moves=st.integers(1, 400),
    heat=st.sampled_from((0.01, 5.0, 500.0)),
)
def test_sums_kept_move_by_move_are_the_sums_of_the_whole_plan(
    seed: int, extras: set[str], drawn: int, moves: int, heat: float
) -> None:
    problem, chosen = case(seed, sorted(extras)), replace(weights(drawn), left_out=1_000.0)
    checked = check(problem)
    board = board_of(problem, checked, chosen, 1 + drawn % 1_000)
    prepare(board, None)
    for _ in range(ROUNDS):
        anneal(board, moves, heat, heat)
        kept = float(board.sums[0].total)
        plan = plan_on(board, problem, checked)
        counted = cost_of(problem, plan, chosen).total - beyond(problem, checked, chosen)
        assert kept == pytest.approx(counted, **NEAR)
        rekey(board)
        recount(board)
        assert float(board.sums[0].total) == pytest.approx(kept, **NEAR)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=SEEDS, moves=st.integers(1, 300))
def test_every_plan_on_the_way_keeps_the_rules(seed: int, moves: int) -> None:
    """Not only the best one at the end: a search may be stopped at any moment."""
    problem = case(seed)
    checked = check(problem)
    board = board_of(problem, checked, Weights(), 1)
    prepare(board, None)
    for _ in range(ROUNDS):
        anneal(board, moves, 100.0, 100.0)
        assert violations(problem, plan_on(board, problem, checked)) == []
