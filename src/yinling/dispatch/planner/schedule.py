"""The temperature over the time of a search, measured from the problem.

A chain falls from a temperature at which nearly every order of visits is taken to one at which only gains are. A small problem is soon
cold, and may be cold in a bad corner that no small move leaves: there several shorter chains find more than a long one. A large problem
takes all the time for one chain. The figures hold for every problem; what differs is the mean way and the number of moves a task gets.
"""

from __future__ import annotations

import math

from yinling.dispatch.planner.arrays import Board
from yinling.dispatch.planner.soundness import NO_WAY

HOT = 2.0
COLD = 0.01
REPLAN = 0.05
"""Temperatures in mean ways. A re-plan starts low enough to keep what is good."""
CHAIN_MOVES = 3_000
"""Times the tasks to the power of 1.5: a search of so many moves is one chain; of four times as many two, and so on with the square root."""
ROUNDING = 0.4


class Schedule:
    """Which temperature when."""

    def __init__(self, board: Board, *, is_replan: bool) -> None:
        ways = board.travel[0]
        real = ways[(ways > 0) & (ways < NO_WAY)]
        cost = float(real.mean()) * float(board.rules[0].travel) if real.size else 0.0
        way = cost or 1.0
        self.hot = (REPLAN if is_replan else HOT) * way
        self.cold = COLD * way
        self.is_replan = is_replan
        self.tasks = max(1, int(board.visits.tasks.sum()))
        self.chains = 0

    def plan(self, moves: float) -> None:
        """Decide on the number of chains, once the number of moves is about known."""
        wanted = int(math.sqrt(moves / (self.tasks**1.5 * CHAIN_MOVES)) + ROUNDING)
        self.chains = 1 if self.is_replan else max(1, wanted)

    def heat(self, share: float) -> float:
        """Return the temperature at a share of the search."""
        inside = math.modf(min(share, 1.0 - 1e-9) * max(self.chains, 1))[0]
        return float(self.hot * (self.cold / self.hot) ** inside)
