"""Simulated annealing: moves at a falling temperature, the best plan kept."""

from __future__ import annotations

import math

from yinling.dispatch.planner.arrays import Board
from yinling.dispatch.planner.jit import compiled, inlined
from yinling.dispatch.planner.kernel import draw, open_trial, take_back
from yinling.dispatch.planner.kernel_moves import (
    bring_in,
    change_worker,
    exchange_tails,
    relocate,
    relocate_chain,
    swap,
)
from yinling.dispatch.planner.kernel_times import is_worth_it, keep
from yinling.dispatch.planner.kernel_whole import rekey, save

SAME = 1e-7
"""A gain smaller than this is none."""
BRING_IN_SHARE = 0.2
"""Of the moves, while visits are left out."""
RELOCATE, CHANGE_WORKER, CHAIN, SWAP = 0.62, 0.70, 0.75, 0.92
"""Shares of the other moves, added up; the rest exchanges tails."""
COOLING_STEP = 64


@inlined
def move(b: Board) -> bool:
    """Change something; False where nothing is to be judged."""
    if b.sums[0].banked > 0 and draw(b) < BRING_IN_SHARE:
        return bring_in(b)
    x = draw(b)
    if x < RELOCATE:
        return relocate(b)
    if x < CHANGE_WORKER:
        return change_worker(b)
    if x < CHAIN:
        return relocate_chain(b)
    if x < SWAP:
        return swap(b)
    return exchange_tails(b)


@compiled
def anneal(b: Board, moves: int, hot: float, cold: float) -> None:
    """Make a number of moves while the temperature falls from ``hot`` to ``cold``."""
    sums, trial = b.sums[0], b.trial[0]
    heat = hot
    for i in range(moves):
        if i % COOLING_STEP == 0:
            heat = hot * math.exp(math.log(cold / hot) * i / moves)
        open_trial(b)
        if not move(b):
            take_back(b)
            if trial.is_crowded:
                rekey(b)
            continue
        if not is_worth_it(b, -heat * math.log(1.0 - draw(b))):
            take_back(b)
        elif trial.change > SAME and sums.is_saved == 0:
            # the best plan is about to be left: keep it before
            take_back(b)
            save(b)
        else:
            keep(b)
            sums.accepted += 1
            if sums.total < sums.best - SAME:
                sums.best = sums.total
                sums.is_saved = 0
    if sums.is_saved == 0:
        save(b)
