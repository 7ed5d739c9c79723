"""The neighbours of every visit: those that go best before or after it."""

from __future__ import annotations

import numpy as np

from yinling.dispatch.planner.arrays import FAR, NONE, Rows
from yinling.dispatch.planner.jit import allocating, compiled

WAIT_WEIGHT = 0.2
LATE_WEIGHT = 1.0


@allocating
def nearest(visits: Rows, tasks: Rows, travel: np.ndarray, may: np.ndarray, size: int) -> np.ndarray:
    """Return for each visit those that go best before or after it, by way, waiting and tardiness, with a worker in common."""
    count = len(visits)
    near = np.full((count, max(size, 1)), NONE, np.int32)
    for one in range(count):
        far = np.empty(count)
        for other in range(count):
            far[other] = min(distance(visits, tasks, travel, one, other), distance(visits, tasks, travel, other, one))
        far[one] = FAR
        wanted = min(8 * size, count - 1)
        bound = np.partition(far, wanted)[wanted] if wanted > 0 else FAR
        close = np.nonzero(far <= bound)[0]
        found = 0
        for at in np.argsort(far[close]):
            other = close[at]
            if found < size and other != one and share_worker(may, one, other):
                near[one, found] = other
                found += 1
    return near


@compiled
def distance(visits: Rows, tasks: Rows, travel: np.ndarray, one: int, other: int) -> float:
    """Return how badly ``other`` goes behind ``one``."""
    ways = travel[tasks[2 * one].place, tasks[2 * other].place]
    minutes = tasks[2 * one].minutes + ways
    waits = visits[other].opens - (visits[one].closes + minutes)
    comes_late = visits[one].opens + minutes - visits[other].closes
    return float(ways + WAIT_WEIGHT * max(0.0, waits) + LATE_WEIGHT * max(0.0, comes_late))


@compiled
def share_worker(may: np.ndarray, one: int, other: int) -> bool:
    """Whether somebody may serve both visits."""
    for worker in range(may.shape[1]):
        if (may[2 * one, worker] or may[2 * one + 1, worker]) and (
            may[2 * other, worker] or may[2 * other + 1, worker]
        ):
            return True
    return False
