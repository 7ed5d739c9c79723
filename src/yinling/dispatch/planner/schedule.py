"""The temperature over the time of a search, measured from the problem."""
from __future__ import annotations
import os
from yinling.dispatch.planner.arrays import Board

class Schedule:
    def __init__(self, board: Board, *, is_replan: bool) -> None:
        self.hot = float(os.environ.get("HOT", "20"))
        self.cold = float(os.environ.get("COLD", "0.05"))
        self.kind = os.environ.get("KIND", "one")

    def heat(self, share: float) -> float:
        return self.hot * (self.cold / self.hot) ** share

    def step_share(self, share: float, step: int, done: int) -> float:
        return 0.0
