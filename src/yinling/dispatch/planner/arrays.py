"""The plan in work as plain arrays: what the compiled search reads and writes.

Task ``2 v`` is the first task of visit ``v``, ``2 v + 1`` the second; task ``2 n + w`` stands for both ends of worker ``w``'s day. A route
is a ring of tasks: ``next`` of the worker's own task is the first stop, ``prev`` the last. Every route is in the order of the ``key`` of its
visits; because one key counts for both tasks of a double visit, no ring of waits can arise between routes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

NOBODY = -1
NONE = -1
NOT_YET = -1e30
"""The start of a visit that nobody goes to."""
FAR = 1e18
"""Later than any time; stands for "no limit"."""

VISIT = np.dtype(
    [
        ("hold", "f8"),  # the first task of a staggered visit starts no earlier
        ("floor", "f8"),  # no start before: the opening, or the announced start
        ("opens", "f8"),
        ("closes", "f8"),  # later costs
        ("latest", "f8"),  # later is refused, first task
        ("latest_second", "f8"),
        ("gap_low", "f8"),
        ("gap_high", "f8"),
        ("usual", "f8"),  # the announced start, or NOT_YET
        ("after_minutes", "f8"),
        ("loss", "f8"),  # the cost of leaving it out
        ("after", "i4"),  # the visit that must have ended, or NONE
        ("slot", "i4"),  # where it stands in ``bank``, or NONE
        ("tasks", "i1"),
        ("placed", "i1"),
        ("bound", "i1"),  # whether its key is bounded by other visits (``after``, sequences)
    ],
    align=True,
)
TASK = np.dtype(
    [
        ("next", "i4"),
        ("prev", "i4"),
        ("worker", "i4"),
        ("place", "i4"),
        ("home", "i4"),  # the place one arrives at: the same, but for the end of a day
        ("queued", "i4"),
        ("rests", "i4"),  # breaks taken before this task starts
        ("key", "f8"),  # the place in the order of all tasks
        ("minutes", "f8"),
        ("begins", "f8"),
        ("leaves", "f8"),
    ],
    align=True,
)
WORKER = np.dtype(
    [
        ("day_to", "f8"),
        ("most", "f8"),
        ("contract", "f8"),
        ("length", "f8"),  # of the day: the share of the work that is fair
        ("work", "f8"),  # minutes of services and ways
        ("mode", "i4"),
        ("first_break", "i4"),
        ("breaks", "i4"),
        ("bounded", "i1"),  # whether the end of the day or a break must be watched
    ],
    align=True,
)
BREAK = np.dtype([("opens", "f8"), ("closes", "f8"), ("minutes", "f8")], align=True)
RULES = np.dtype(
    [
        ("travel", "f8"),
        ("tardiness", "f8"),
        ("worst", "f8"),
        ("overtime", "f8"),
        ("wish", "f8"),
        ("imbalance", "f8"),
        ("shift", "f8"),
        ("visits", "i4"),
        ("workers", "i4"),
        ("near", "i4"),  # neighbours of each visit
        ("has_hours", "i1"),
        ("has_wishes", "i1"),
        ("has_breaks", "i1"),
    ],
    align=True,
)
SUMS = np.dtype(
    [
        ("travel", "f8"),
        ("tardiness", "f8"),
        ("worst", "f8"),
        ("wish", "f8"),
        ("shift", "f8"),
        ("left", "f8"),  # cost of the visits left out
        ("hours", "f8"),  # cost of overtime and imbalance
        ("work", "f8"),
        ("work_square", "f8"),
        ("work_length", "f8"),
        ("length", "f8"),
        ("length_square", "f8"),
        ("total", "f8"),
        ("best", "f8"),
        ("accepted", "i8"),
        ("banked", "i4"),
        ("is_saved", "i1"),  # whether the best plan lies in ``best_*``
    ],
    align=True,
)
TRIAL = np.dtype(
    [
        ("travel", "f8"),
        ("wish", "f8"),
        ("left", "f8"),
        ("hours", "f8"),
        ("tardiness", "f8"),
        ("shift", "f8"),
        ("grown", "f8"),  # tardiness of the visits whose time changed
        ("change", "f8"),  # of the cost of the plan
        ("peak", "f8"),  # the largest tardiness among the visits whose time changed
        ("worst", "f8"),
        ("fixed", "f8"),  # cost known before any time is worked out
        ("limit", "f8"),
        ("waiting", "i4"),  # visits in the queue
        ("undo", "i4"),
        ("touched", "i4"),
        ("is_peak_lost", "i1"),
        ("is_crowded", "i1"),  # two keys came too close
    ],
    align=True,
)
UNDO = np.dtype(
    [
        ("kind", "i4"),
        ("task", "i4"),
        ("prev", "i4"),
        ("worker", "i4"),
        ("first", "f8"),
        ("second", "f8"),
        ("third", "f8"),
        ("fourth", "f8"),
    ],
    align=True,
)
TOUCHED = np.dtype([("worker", "i4"), ("work", "f8")], align=True)

Rows = Any
"""An array of records, whose fields are attributes."""


class Board(NamedTuple):
    """Everything the search reads and writes. Records in one array lie together in memory, and few arrays make calls cheap."""

    rules: Rows
    visits: Rows
    tasks: Rows
    workers: Rows
    breaks: Rows
    travel: NDArray[np.float32]
    may: NDArray[np.bool_]
    wishes: NDArray[np.float32]
    near: NDArray[np.int32]
    followers: NDArray[np.int32]
    followers_from: NDArray[np.int32]
    leaders: NDArray[np.int32]
    leaders_from: NDArray[np.int32]
    bank: NDArray[np.int32]
    queue: NDArray[np.int32]
    undo: Rows
    touched: Rows
    trial: Rows
    sums: Rows
    best_tasks: Rows
    best_visits: Rows
    dice: NDArray[np.uint64]
