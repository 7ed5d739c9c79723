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
Entry = tuple[tuple[float, float], int, float, tuple[int, int]]


def prepare(board: Board, start: Plan | None) -> None:
    """Fill the board: first what the earlier plan says, then the rest at its best place."""
    recount(board)
    if start is not None:
        for keys, visit, starts, workers in in_order(board, start.routes):
            load_visit(board, visit, keys, starts, workers[0], workers[1])
    insert_all(board, 0.0)


def in_order(board: Board, routes: Sequence[Sequence[Stop]]) -> list[Entry]:
    """Return (keys, visit, start, carers) of the visits of a plan, so that the keys keep the order of every route."""
    count, carers = len(board.visits), len(board.workers)
    found: dict[int, dict[int, tuple[int, float]]] = {}
    for worker, route in enumerate(routes[:carers]):
        for stop in route:
            if 0 <= stop.visit < count and board.visits[stop.visit].slot >= 0:
                found.setdefault(stop.visit, {})[stop.task] = (worker, stop.starts)
    whole = {visit: tasks for visit, tasks in found.items() if sorted(tasks) == list(range(board.visits[visit].tasks))}
    apart = {visit for visit, tasks in whole.items() if len(tasks) > 1 and board.visits[visit].gap_high > 0}
    times = {
        _event(visit, task, apart): time for visit, tasks in whole.items() for task, (_, time) in sorted(tasks.items())
    }
    keys: dict[int, float] = {}
    last = float("-inf")
    for event in _topological(routes[:carers], times, apart):
        keys[event] = last = max(times[event], last + KEY_STEP)
    entries = []
    for visit, tasks in whole.items():
        (first, starts), (second, _) = tasks[0], tasks.get(1, tasks[0])
        entries.append(((keys[2 * visit], keys[_event(visit, 1, apart)]), visit, starts, (first, second)))
    return sorted(entries)


def _event(visit: int, task: int, apart: set[int]) -> int:
    """Return what stands for a task in the order: the first of its visit, unless the two are staggered."""
    return 2 * visit + task if visit in apart else 2 * visit


def _topological(routes: Sequence[Sequence[Stop]], times: dict[int, float], apart: set[int]) -> list[int]:
    """Return the tasks in an order that all routes agree with, earliest first; those in a circle come last, by their time."""
    behind: dict[int, list[int]] = {event: [] for event in times}
    waiting = dict.fromkeys(times, 0)
    chains = [[_event(stop.visit, stop.task, apart) for stop in route] for route in routes]
    chains += [[2 * visit, 2 * visit + 1] for visit in apart]
    for chain in chains:
        for one, other in pairwise(event for event in chain if event in times):
            behind[one].append(other)
            waiting[other] += 1
    ready = [(times[event], event) for event, count in waiting.items() if count == 0]
    ready.sort()
    order: list[int] = []
    while ready:
        _, event = heappop(ready)
        order.append(event)
        for other in behind[event]:
            waiting[other] -= 1
            if waiting[other] == 0:
                heappush(ready, (times[other], other))
    return order + sorted(set(times) - set(order), key=lambda event: (times[event], event))
