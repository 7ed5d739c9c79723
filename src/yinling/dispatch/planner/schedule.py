"""The temperature over the time of a search, measured from the problem."""

from __future__ import annotations

import math
import os

import numpy as np

from yinling.dispatch.planner.arrays import Board
HOT=float(os.environ.get("HOT","2"))
COLD=float(os.environ.get("COLD","0.01"))
CHAIN=float(os.environ.get("CHAIN","40000"))
ADD=float(os.environ.get("ADD","0.4"))


class Schedule:
    """Several chains, each from hot to cold: many short ones for a small problem, one long one for a large one."""

    def __init__(self, board: Board, *, is_replan: bool) -> None:
        ways = board.travel[0]
        leg = float(np.mean(ways[(ways > 0) & (ways < 1e5)])) if (ways > 0).any() else 1.0
        self.leg = max(leg * float(board.rules[0].travel), 1e-3)
        self.hot, self.cold = HOT * self.leg, COLD * self.leg
        self.tasks = max(1, int(board.visits.tasks.sum()))
        self.chains = 0

    def plan(self, moves: float) -> None:
        """Decide on the number of chains, once the number of moves is about known."""
        self.chains = max(1, int(math.sqrt(moves / (self.tasks * CHAIN)) + ADD))

    def heat(self, share: float) -> float:
        """Return the temperature at a share of the search."""
        inside = math.modf(min(share, 1.0 - 1e-9) * max(self.chains, 1))[0]
        return float(self.hot * (self.cold / self.hot) ** inside)
