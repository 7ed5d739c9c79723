"""A day to be planned: plain values, no database, no clock, no network. Times are minutes since midnight, ways are minutes.

The problem is the published home health care routing and scheduling problem (Mankowska, Meisel and Bierwirth 2014) with what a city
needs besides: shifts, breaks, hours, own ends of the day, wishes, locks, precedence, modes of travel and visits left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FOREVER = float("inf")


@dataclass(frozen=True)
class Task:
    """What one carer does at a visit. ``id`` tells the two tasks of a visit apart (the service, in published instances)."""

    id: str
    minutes: float


@dataclass(frozen=True)
class Visit:
    """One visit by one or two carers.

    ``opens``/``closes`` bound the start: never before the one; after the other only at a cost, or not at all where ``is_hard``.
    ``gap`` bounds the start of the second task minus that of the first: (0, 0) is together. Two tasks take two carers.
    ``after`` names a visit that must have ended ``after_minutes`` before this one starts (medicine before the meal).
    ``carers`` and ``start`` are locks: one carer number a task (-1 is free), and a moment; what is locked is not moved.
    A hard window binds both tasks; a locked ``start`` is that of the first. A visit whose ``after`` is left out is left out too.
    ``usual`` is the start announced before: to move it costs ``Weights.shift`` a minute (re-planning with few changes for elders).
    """

    id: str
    place: int
    opens: float
    closes: float
    tasks: tuple[Task, ...]
    gap: tuple[float, float] = (0.0, 0.0)
    is_hard: bool = False
    priority: float = 1.0
    after: str = ""
    after_minutes: float = 0.0
    carers: tuple[int, ...] = ()
    start: float | None = None
    usual: float | None = None


@dataclass(frozen=True)
class Break:
    """A rest of ``minutes`` that starts between ``opens`` and ``closes``, wherever the carer is then; it never overlaps a way or a visit.

    It is taken at the door where there is room before the visit, or where it would be too late afterwards; before leaving where the arrival
    would be too late; otherwise at home after the work.
    """

    opens: float
    closes: float
    minutes: float


@dataclass(frozen=True)
class Worker:
    """A carer on that day.

    The way out starts at place ``start`` not before ``day_from`` and ends at place ``end`` by ``day_to`` (hard). ``most_minutes`` bounds
    work and ways together without waiting (hard); what goes beyond ``contract_minutes`` costs ``Weights.overtime`` a minute.
    ``mode`` is the row of ``Problem.travel``.
    """

    id: str
    start: int
    end: int
    day_from: float = 0.0
    day_to: float = FOREVER
    most_minutes: float = FOREVER
    contract_minutes: float = FOREVER
    breaks: tuple[Break, ...] = ()
    mode: int = 0


@dataclass(frozen=True)
class Weights:
    """What one unit of each drawback costs. The cost of a plan is their sum; the published objective is ``Weights.published()``."""

    travel: float = 1.0  # a minute on the way
    tardiness: float = 3.0  # a minute after the window closes, of every task
    worst: float = 0.0  # a minute of the largest tardiness
    overtime: float = 2.0  # a minute beyond the contract hours
    wish: float = 1.0  # one unit of ``Problem.wishes``: new face, other dialect, other area ...
    imbalance: float = 0.02  # a squared hour of work away from the fair share (by length of day)
    shift: float = 0.5  # a minute away from the announced start
    left_out: float = 1000.0  # a task nobody goes to, times the priority of its visit

    @classmethod
    def published(cls) -> Weights:
        """One third each of travel, total and largest tardiness; nobody may be left out (Mankowska et al. 2014)."""
        third = 1 / 3
        return cls(third, third, third, overtime=0, wish=0, imbalance=0, shift=0, left_out=1e6)


@dataclass(frozen=True, eq=False)
class Problem:
    """Everything a plan rests on.

    ``travel``: float32 [modes, places, places], minutes; NaN where a place is not known. ``may``: bool [tasks, workers], the tasks
    counted visit by visit; ``wishes``: float32 [tasks, workers] >= 0. ``sequences``: worker number -> visits locked to that worker in
    this order (a hand-made round).
    """

    visits: tuple[Visit, ...]
    workers: tuple[Worker, ...]
    travel: NDArray[np.float32]
    may: NDArray[np.bool_]
    wishes: NDArray[np.float32] | None = None
    sequences: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Stop:
    """One task in a route. ``way`` minutes bring the carer from the stop before (or the start of the day) to the door at ``arrives``."""

    visit: int
    task: int
    arrives: float
    starts: float
    ends: float
    way: float


@dataclass(frozen=True)
class Left:
    """A visit nobody goes to, with the reason: a code of ``planner.reasons`` and the values its sentence needs."""

    visit: int
    code: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Cost:
    """The cost vector: each part in its own unit (minutes, tasks), and ``total``, weighted."""

    travel: float
    tardiness: float
    worst: float
    overtime: float
    wish: float
    imbalance: float
    shift: float
    left_out: float
    total: float


@dataclass(frozen=True)
class Plan:
    """Routes by worker number, what was left out and why, the cost, and how it was found."""

    routes: tuple[tuple[Stop, ...], ...]
    breaks: tuple[tuple[tuple[float, float], ...], ...]
    """Per worker the [from, to) of each break taken."""
    left: tuple[Left, ...]
    cost: Cost
    seed: int
    moves: int
    cpu_seconds: float
    notes: tuple[str, ...] = ()
    """Codes of what was wrong with the input (a carer given twice ...)."""
