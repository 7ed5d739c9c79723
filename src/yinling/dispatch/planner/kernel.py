"""Small steps of the search on the board: dice, ways, links, keys, the bank of visits left out, and how all of it is undone."""

from __future__ import annotations

from typing import Any

import numpy as np

from yinling.dispatch.planner.arrays import NONE, NOT_YET, Board
from yinling.dispatch.planner.jit import compiled, inlined

SHIFT_A = np.uint64(13)
SHIFT_B = np.uint64(7)
SHIFT_C = np.uint64(17)
SHIFT_DOWN = np.uint64(11)
UNIT = 2.0**-53
HALF = 0.5

UNLINKED, LINKED, TAILS, KEYED, TIMED, BANKED, TAKEN = range(7)
"""Kinds of rows in the log of a trial."""


@inlined
def draw(b: Board) -> float:
    """Return a random number in [0, 1). Shifts only: the same with and without the compiler."""
    x = b.dice[0]
    x ^= x << SHIFT_A
    x ^= x >> SHIFT_B
    x ^= x << SHIFT_C
    b.dice[0] = x
    return float(x >> SHIFT_DOWN) * UNIT


@inlined
def pick(b: Board, size: int) -> int:
    """Return a random number of 0 .. size - 1."""
    return int(draw(b) * size)


@inlined
def coin(b: Board) -> bool:
    """Return heads or tails."""
    return draw(b) < HALF


@inlined
def way(b: Board, task: int, to: int, worker: int) -> float:
    """Return the minutes from a task (or the start of the day) to another (or the end of the day)."""
    return float(b.travel[b.workers[worker].mode, b.tasks[task].place, b.tasks[to].home])


@inlined
def own(b: Board, worker: int) -> int:
    """Return the task that stands for both ends of the worker's day."""
    return int(2 * b.rules[0].visits + worker)


@inlined
def note(b: Board, kind: int, task: int) -> Any:
    """Add a row to the log of the trial."""
    trial = b.trial[0]
    row = b.undo[trial.undo]
    trial.undo += 1
    row.kind = kind
    row.task = task
    return row


@inlined
def is_split(b: Board, visit: int) -> bool:
    """Whether the two tasks of a staggered visit stand apart in the order."""
    return bool(b.tasks[2 * visit].key != b.tasks[2 * visit + 1].key)


@inlined
def event_of(b: Board, task: int) -> int:
    """Return the task that stands for this one in the queue: the first of its visit, unless the two stand apart."""
    return task if is_split(b, task >> 1) else 2 * (task >> 1)


@inlined
def wake(b: Board, task: int) -> None:
    """Have the times of the task worked out anew, with those of its visit's other task where the two have one key."""
    if task < 2 * b.rules[0].visits:
        event = event_of(b, task)
        if b.tasks[event].queued == 0:
            trial = b.trial[0]
            b.tasks[event].queued = 1
            b.queue[trial.waiting] = event
            trial.waiting += 1


@inlined
def touch(b: Board, worker: int, minutes: float) -> None:
    """Add minutes to the work of a worker, whose work before the trial is kept."""
    trial = b.trial[0]
    row = b.workers[worker]
    is_known = False
    for i in range(trial.touched):
        if b.touched[i].worker == worker:
            is_known = True
    if not is_known:
        b.touched[trial.touched].worker = worker
        b.touched[trial.touched].work = row.work
        trial.touched += 1
    row.work += minutes


@inlined
def charge(b: Board, task: int, worker: int, ways: float, sign: float) -> None:
    """Book a task that leaves (-1) or enters (+1) a route, with the change of ways."""
    trial = b.trial[0]
    trial.travel += ways
    if b.rules[0].has_wishes:
        trial.wish += sign * b.wishes[task, worker]
    if b.rules[0].has_hours:
        touch(b, worker, ways + sign * b.tasks[task].minutes)


@inlined
def cut(b: Board, task: int) -> None:
    """Take a task out of its route without any bookkeeping."""
    row = b.tasks[task]
    b.tasks[row.prev].next = row.next
    b.tasks[row.next].prev = row.prev


@inlined
def tie(b: Board, task: int, prev: int, worker: int) -> None:
    """Put a task into a route without any bookkeeping."""
    row = b.tasks[task]
    row.prev = prev
    row.next = b.tasks[prev].next
    row.worker = worker
    b.tasks[row.next].prev = task
    b.tasks[prev].next = task


@inlined
def unlink(b: Board, task: int) -> None:
    """Take a task out of its route."""
    row = b.tasks[task]
    ways = -way(b, row.prev, task, row.worker) - way(b, task, row.next, row.worker)
    if row.prev != row.next:
        ways += way(b, row.prev, row.next, row.worker)
    charge(b, task, row.worker, ways, -1.0)
    log = note(b, UNLINKED, task)
    log.prev = row.prev
    log.worker = row.worker
    cut(b, task)
    wake(b, row.next)


@inlined
def link(b: Board, task: int, prev: int, worker: int) -> None:
    """Put a task into a route."""
    follower = b.tasks[prev].next
    ways = way(b, prev, task, worker) + way(b, task, follower, worker)
    if prev != follower:
        ways -= way(b, prev, follower, worker)
    charge(b, task, worker, ways, 1.0)
    note(b, LINKED, task)
    tie(b, task, prev, worker)
    wake(b, task)
    wake(b, follower)


@inlined
def set_keys(b: Board, visit: int, key: float, second: float, floor: float, hold: float) -> None:
    """Give a visit other places in the order, and another earliest start."""
    row = b.visits[visit]
    log = note(b, KEYED, visit)
    log.first = b.tasks[2 * visit].key
    log.second = b.tasks[2 * visit + 1].key
    log.third = row.floor
    log.fourth = row.hold
    b.tasks[2 * visit].key = key
    b.tasks[2 * visit + 1].key = second
    row.floor = floor
    row.hold = hold


@inlined
def set_key(b: Board, visit: int, key: float, floor: float) -> None:
    """Give all of a visit one place in the order, and another earliest start."""
    set_keys(b, visit, key, key, floor, 0.0)


@inlined
def set_times(b: Board, task: int, begins: float, leaves: float, rests: int) -> None:
    """Give a task other times."""
    row = b.tasks[task]
    log = note(b, TIMED, task)
    log.first = row.begins
    log.second = row.leaves
    log.prev = row.rests
    row.begins = begins
    row.leaves = leaves
    row.rests = rests


@inlined
def into_bank(b: Board, visit: int) -> None:
    """Put a visit among those left out, without bookkeeping."""
    sums = b.sums[0]
    b.bank[sums.banked] = visit
    b.visits[visit].slot = sums.banked
    b.visits[visit].placed = 0
    sums.banked += 1


@inlined
def from_bank(b: Board, visit: int) -> None:
    """Take a visit from those left out, without bookkeeping."""
    sums = b.sums[0]
    sums.banked -= 1
    last = b.bank[sums.banked]
    slot = b.visits[visit].slot
    b.bank[slot] = last
    b.visits[last].slot = slot
    b.visits[visit].slot = NONE
    b.visits[visit].placed = 1


@inlined
def late(b: Board, visit: int, begins: float) -> float:
    """Return the tardiness of a start."""
    return max(0.0, begins - b.visits[visit].closes)


@inlined
def count_times(b: Board, task: int, begins: float) -> None:
    """Book that a task starts at another time than before; NOT_YET is no start at all."""
    trial = b.trial[0]
    visit = task >> 1
    usual = b.visits[visit].usual
    before = b.tasks[task].begins
    was = late(b, visit, before)
    now = late(b, visit, begins)
    trial.tardiness += now - was
    trial.grown += now
    trial.peak = max(trial.peak, now)
    if was > now and was >= b.sums[0].worst:
        trial.is_peak_lost = 1
    if usual != NOT_YET and task & 1 == 0:
        if before != NOT_YET:
            trial.shift -= abs(before - usual)
        if begins != NOT_YET:
            trial.shift += abs(begins - usual)


@compiled
def leave_out(b: Board, visit: int) -> None:
    """Take a visit out of all routes into the bank."""
    for task in range(2 * visit, 2 * visit + b.visits[visit].tasks):
        unlink(b, task)
        count_times(b, task, NOT_YET)
        set_times(b, task, NOT_YET, NOT_YET, 0)
    into_bank(b, visit)
    note(b, BANKED, visit)
    b.trial[0].left += b.visits[visit].loss


@inlined
def take_in(b: Board, visit: int) -> None:
    """Take a visit out of the bank; its tasks are linked by the caller."""
    from_bank(b, visit)
    note(b, TAKEN, visit)
    b.trial[0].left -= b.visits[visit].loss


@compiled
def swap_rings(b: Board, one: int, other: int, worker: int, mate: int) -> None:
    """Exchange what follows ``one`` in the route of ``worker`` with what follows ``other`` in that of ``mate``."""
    tasks = b.tasks
    end, mates_end = own(b, worker), own(b, mate)
    head, mates_head = tasks[one].next, tasks[other].next
    tail, mates_tail = tasks[end].prev, tasks[mates_end].prev
    _hang(b, one, end, mates_head, mates_tail, mates_end, worker)
    _hang(b, other, mates_end, head, tail, end, mate)


@inlined
def _hang(b: Board, at: int, end: int, head: int, tail: int, old_end: int, worker: int) -> None:
    """Hang the chain ``head .. tail`` (empty where ``head`` is its old end) behind ``at``, the last of its route."""
    tasks = b.tasks
    if head == old_end:
        tasks[at].next = end
        tasks[end].prev = at
        return
    tasks[at].next = head
    tasks[head].prev = at
    tasks[tail].next = end
    tasks[end].prev = tail
    task = head
    while task != end:
        tasks[task].worker = worker
        task = tasks[task].next


@inlined
def open_trial(b: Board) -> None:
    """Start a change of the plan."""
    trial = b.trial[0]
    trial.travel = 0.0
    trial.wish = 0.0
    trial.left = 0.0
    trial.hours = 0.0
    trial.tardiness = 0.0
    trial.shift = 0.0
    trial.grown = 0.0
    trial.peak = 0.0
    trial.waiting = 0
    trial.undo = 0
    trial.touched = 0
    trial.is_peak_lost = 0
    trial.is_crowded = 0


@compiled
def take_back(b: Board) -> None:
    """Undo the whole trial, last step first."""
    trial = b.trial[0]
    tasks = b.tasks
    for i in range(trial.undo - 1, -1, -1):
        row = b.undo[i]
        kind = row.kind
        if kind == TIMED:
            tasks[row.task].begins = row.first
            tasks[row.task].leaves = row.second
            tasks[row.task].rests = row.prev
        elif kind == LINKED:
            cut(b, row.task)
        elif kind == UNLINKED:
            tie(b, row.task, row.prev, row.worker)
        elif kind == KEYED:
            tasks[2 * row.task].key = row.first
            tasks[2 * row.task + 1].key = row.second
            b.visits[row.task].floor = row.third
            b.visits[row.task].hold = row.fourth
        else:
            _take_back_rarely(b, kind, row.task, row.prev)
    for i in range(trial.touched):
        b.workers[b.touched[i].worker].work = b.touched[i].work
    for i in range(trial.waiting):
        tasks[b.queue[i]].queued = 0


@inlined
def _take_back_rarely(b: Board, kind: int, task: int, prev: int) -> None:
    if kind == TAILS:
        # the two ends of the exchange were noted as (task, prev); their routes are those of what they are linked to
        swap_rings(b, task, prev, b.tasks[task].worker, b.tasks[prev].worker)
    elif kind == BANKED:
        from_bank(b, task)
    else:
        into_bank(b, task)
