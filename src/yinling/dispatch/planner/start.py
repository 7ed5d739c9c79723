"""The plan to begin with: an earlier one, as far as it still holds, or everything put where it costs least."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import pairwise

from yinling.dispatch.planner.arrays import Board
from yinling.dispatch.planner.kernel_insert import insert_all
from yinling.dispatch.planner.kernel_load import load_visit
from yinling.dispatch.planner.kernel_whole import recount
from yinling.dispatch.planner.problem import Plan, Stop

KEY_STEP = 1e-3
Entry = tuple[float, int, float, tuple[int, int]]


def prepare(board: Board, start: Plan | None) -> None:
    """Fill the board: first what the earlier plan says, then the rest at its best place."""
    recount(board)
    if start is not None:
        for key, visit, starts, workers in in_order(board, start.routes):
            load_visit(board, visit, key, starts, workers[0], workers[1])
    insert_all(board, 0.0)


def in_order(board: Board, routes: Sequence[Sequence[Stop]]) -> list[Entry]:
    """Return (key, visit, start, carers) of the visits of a plan, so that the keys keep the order of every route."""
    count, carers = len(board.visits), len(board.workers)
    found: dict[int, dict[int, tuple[int, float]]] = {}
    for worker, route in enumerate(routes[:carers]):
        for stop in route:
            if 0 <= stop.visit < count and board.visits[stop.visit].slot >= 0:
                found.setdefault(stop.visit, {})[stop.task] = (worker, stop.starts)
    whole = {visit: tasks for visit, tasks in found.items() if sorted(tasks) == list(range(board.visits[visit].tasks))}
    times = {visit: sum(time for _, time in tasks.values()) / len(tasks) for visit, tasks in whole.items()}
    ordered: list[Entry] = []
    last = float("-inf")
    for visit in _topological(routes[:carers], times):
        last = max(times[visit], last + KEY_STEP)
        first, starts = whole[visit][0]
        ordered.append((last, visit, starts, (first, whole[visit].get(1, (first, 0.0))[0])))
    return ordered


def _topological(routes: Sequence[Sequence[Stop]], times: dict[int, float]) -> list[int]:
    """Return the visits in an order that all routes agree with, earliest first; those in a circle come last, by their time."""
    behind: dict[int, list[int]] = {visit: [] for visit in times}
    waiting = dict.fromkeys(times, 0)
    for route in routes:
        chain = [stop.visit for stop in route if stop.visit in times]
        for one, other in pairwise(chain):
            behind[one].append(other)
            waiting[other] += 1
    ready = [(times[visit], visit) for visit, count in waiting.items() if count == 0]
    ready.sort()
    order: list[int] = []
    while ready:
        _, visit = heappop(ready)
        order.append(visit)
        for other in behind[visit]:
            waiting[other] -= 1
            if waiting[other] == 0:
                heappush(ready, (times[other], other))
    return order + sorted(set(times) - set(order), key=lambda visit: (times[visit], visit))
