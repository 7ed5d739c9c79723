"""The batch planner: from a problem to a plan within a number of CPU seconds.

Simulated annealing on one board (``arrays``), in compiled steps (``kernel*``). What cannot be planned is set aside beforehand
(``soundness``); what found no room is left out at the end, each with its reason (``reasons``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from yinling.dispatch.planner.arrays import Board
from yinling.dispatch.planner.build import board_of
from yinling.dispatch.planner.evaluate import cost_of
from yinling.dispatch.planner.kernel_anneal import anneal
from yinling.dispatch.planner.kernel_whole import loosen, recount, rekey, restore, save
from yinling.dispatch.planner.problem import Plan, Problem, Task, Visit, Weights, Worker
from yinling.dispatch.planner.result import left_of, routes_of
from yinling.dispatch.planner.schedule import Schedule
from yinling.dispatch.planner.soundness import check
from yinling.dispatch.planner.start import prepare

Report = Callable[[float, float], bool]

STEP_MOVES = 4096
"""Moves between two looks at the clock, at first and where a number of moves is the limit."""
STEP_SECONDS = 0.03
STEPS = 100
"""Temperatures at least, where a number of moves is the limit."""
REPORT_SECONDS = 0.5
LAST_ROUNDS = 3
MEASURED_SHARE = 0.02


@dataclass
class Limits:
    """When to stop: after CPU seconds of this thread, or after a number of moves, or at a cost."""

    seconds: float
    moves: int | None
    target: float | None
    began: float
    beyond: float = 0.0
    """The cost of the visits set aside before the search, which does not count them."""
    done: int = 0

    @property
    def share(self) -> float:
        """Share of the time or of the moves that is over."""
        if self.moves is not None:
            return min(1.0, self.done / self.moves) if self.moves else 1.0
        return min(1.0, (time.thread_time() - self.began) / self.seconds) if self.seconds > 0 else 1.0


def solve(
    problem: Problem,
    weights: Weights = Weights(),  # noqa: B008 - frozen
    *,
    seconds: float = 10.0,
    moves: int | None = None,
    seed: int = 1,
    target: float | None = None,
    report: Report | None = None,
    start: Plan | None = None,
) -> Plan:
    """Return the best plan found within ``seconds`` of CPU time of this thread, or with exactly ``moves`` moves.

    The same seed and the same number of moves give the same plan. ``report`` is called about twice a second with the share of the time that
    is over and the best cost so far; it returns False to stop. The search stops at a cost of ``target``. ``start`` is an earlier plan of
    the same visits and workers (by number): what still holds of it is where the search begins.
    """
    warm_up()
    limits = Limits(seconds, moves, target, time.thread_time())
    checked = check(problem)
    board = board_of(problem, checked, weights, seed)
    limits.beyond = float(board.visits.loss[sorted(checked.left)].sum())
    prepare(board, start)
    recount(board)
    save(board)
    _search(board, limits, report, is_replan=start is not None)
    restore(board)
    for _ in range(LAST_ROUNDS):
        loosen(board)
    routes, breaks = routes_of(board)
    left = left_of(problem, checked, board)
    cost = cost_of(problem, routes, left, weights)
    spent = time.thread_time() - limits.began
    return Plan(routes, breaks, left, cost, seed, limits.done, spent, tuple(checked.notes))


def _search(board: Board, limits: Limits, report: Report | None, *, is_replan: bool) -> None:
    """Anneal step by step until a limit is reached."""
    sums = board.sums[0]
    if sums.banked == 0 and not board.visits.placed.any():
        return
    schedule = Schedule(board, is_replan=is_replan)
    step, told = STEP_MOVES, time.thread_time()
    if limits.moves is not None:
        schedule.plan(limits.moves)
    while (share := limits.share) < 1 and not (
        limits.target is not None and sums.best + limits.beyond <= limits.target
    ):
        if limits.moves is not None:
            step = min(STEP_MOVES, 1 + limits.moves // STEPS, limits.moves - limits.done)
        if schedule.chains == 0 and share > MEASURED_SHARE:
            schedule.plan(limits.done / share)
        heat = schedule.heat(share)
        before = time.thread_time()
        anneal(board, step, heat, heat)
        limits.done += step
        rekey(board)
        loosen(board)
        recount(board)
        now = time.thread_time()
        if limits.moves is None:
            step = max(256, int(step * min(2.0, STEP_SECONDS / max(now - before, 1e-6))))
        if report is not None and now - told >= REPORT_SECONDS:
            told = now
            if not report(limits.share, float(sums.best) + limits.beyond):
                return


@cache
def warm_up() -> None:
    """Compile, or load the compiled code: a tiny problem is solved, once in a process."""
    visits = tuple(Visit(str(i), i, 0, 10, (Task("a", 1),) * (1 + i % 2)) for i in range(3))
    workers = (Worker("a", 0, 0), Worker("b", 0, 0))
    problem = Problem(visits, workers, np.ones((1, 3, 3), np.float32), np.ones((4, 2), np.bool_))
    checked = check(problem)
    board = board_of(problem, checked, Weights(), 1)
    prepare(board, None)
    again = board_of(problem, checked, Weights(), 1)
    routes = routes_of(board)[0]
    prepare(again, Plan(routes, (), (), cost_of(problem, routes, (), Weights()), 1, 0, 0.0))
    save(board)
    anneal(board, 16, 1.0, 0.5)
    rekey(board)
    restore(board)
    loosen(board)
