"""What is done to the whole plan at once: count it anew, give its keys anew, keep it, return to it."""

from __future__ import annotations

import numpy as np

from yinling.dispatch.planner.arrays import FAR, NOT_YET, Board
from yinling.dispatch.planner.jit import allocating, compiled
from yinling.dispatch.planner.kernel import event_of, is_split, open_trial, own, set_keys, take_back, wake
from yinling.dispatch.planner.kernel_moves import tail_sums
from yinling.dispatch.planner.kernel_times import imbalance, is_worth_it, keep, settle

KEY_STEP = 1e-3


@compiled
def recount(b: Board) -> bool:
    """Work out all times and sums anew from the links; False where a hard rule is broken."""
    sums, trial, rules = b.sums[0], b.trial[0], b.rules[0]
    open_trial(b)
    for task in range(2 * rules.visits):
        b.tasks[task].begins = NOT_YET
        b.tasks[task].leaves = NOT_YET
        b.tasks[task].rests = 0
    _queue_all(b)
    sums.tardiness, sums.worst, sums.shift = 0.0, 0.0, 0.0
    trial.fixed, trial.limit = 0.0, FAR
    is_right = settle(b)
    for i in range(trial.waiting):
        b.tasks[b.queue[i]].queued = 0
    sums.tardiness, sums.worst, sums.shift = trial.tardiness, trial.peak, trial.shift
    sums.left = 0.0
    for i in range(sums.banked):
        sums.left += b.visits[b.bank[i]].loss
    _count_routes(b)
    sums.total = rules.travel * sums.travel + rules.wish * sums.wish + sums.left + sums.hours
    sums.total += rules.tardiness * sums.tardiness + rules.worst * sums.worst + rules.shift * sums.shift
    return is_right


@allocating
def _queue_all(b: Board) -> None:
    order = by_key(b)
    trial = b.trial[0]
    for i in range(len(order) - 1, -1, -1):
        task = order[i]
        if b.visits[task >> 1].placed and event_of(b, task) == task:
            b.queue[trial.waiting] = task
            b.tasks[task].queued = 1
            trial.waiting += 1


@allocating
def by_key(b: Board) -> np.ndarray:
    """Return the tasks in the order of their keys."""
    keys = np.empty(2 * b.rules[0].visits)
    for task in range(len(keys)):
        keys[task] = b.tasks[task].key
    return np.argsort(keys)


@compiled
def _count_routes(b: Board) -> None:
    sums, rules = b.sums[0], b.rules[0]
    sums.travel, sums.wish, sums.work, sums.work_square, sums.work_length = 0.0, 0.0, 0.0, 0.0, 0.0
    overtime = 0.0
    for worker in range(rules.workers):
        ways, minutes, wish = tail_sums(b, own(b, worker), worker)
        row = b.workers[worker]
        row.work = ways + minutes
        sums.travel += ways
        sums.wish += wish
        sums.work += row.work
        sums.work_square += row.work * row.work
        sums.work_length += row.work * row.length
        overtime += max(0.0, row.work - row.contract)
    spread = imbalance(b, sums.work, sums.work_square, sums.work_length)
    sums.hours = rules.overtime * overtime + rules.imbalance * spread


@allocating
def rekey(b: Board) -> None:
    """Give all keys anew in the same order, with room between them and as near as possible to the times of the visits."""
    last = np.full(b.rules[0].workers, -FAR)
    order = by_key(b)
    apart = np.zeros(b.rules[0].visits, np.bool_)
    for visit in range(len(apart)):
        apart[visit] = is_split(b, visit)
    for i in range(len(order)):
        task = order[i]
        visit = task >> 1
        if b.visits[visit].placed == 0 or (task & 1 and not apart[visit]):
            continue
        row = b.tasks[task]
        key = row.begins
        low = last[row.worker]
        is_double = b.visits[visit].tasks > 1 and not apart[visit]
        if is_double:
            key = 0.5 * (key + b.tasks[task + 1].begins)
            low = max(low, last[b.tasks[task + 1].worker])
        if task & 1:
            low = max(low, b.tasks[task - 1].key)
        row.key = max(key, low_of_leaders(b, visit, low) + KEY_STEP)
        last[row.worker] = row.key
        if not apart[visit]:
            b.tasks[task + 1].key = row.key
        if is_double:
            last[b.tasks[task + 1].worker] = row.key


@compiled
def low_of_leaders(b: Board, visit: int, low: float) -> float:
    """Return the largest key among those that must come before a visit, at least ``low``."""
    for k in range(b.leaders_from[visit], b.leaders_from[visit + 1]):
        if b.visits[b.leaders[k]].placed:
            low = max(low, b.tasks[2 * b.leaders[k] + 1].key)
    return low


@compiled
def loosen(b: Board) -> None:
    """Let first tasks that are held back for their second start as early as the second now allows, where that costs nothing."""
    for visit in range(b.rules[0].visits):
        row = b.visits[visit]
        if row.placed == 0 or row.hold <= 0.0 or not is_split(b, visit):
            continue
        hold = max(0.0, b.tasks[2 * visit + 1].begins - row.gap_high)
        if hold < row.hold:
            open_trial(b)
            set_keys(b, visit, b.tasks[2 * visit].key, b.tasks[2 * visit + 1].key, row.floor, hold)
            wake(b, 2 * visit)
            if is_worth_it(b, 0.0):
                keep(b)
            else:
                take_back(b)


@compiled
def save(b: Board) -> None:
    """Keep the plan as it is as the best."""
    for i in range(len(b.tasks)):
        b.best_tasks[i] = b.tasks[i]
    for i in range(len(b.visits)):
        b.best_visits[i] = b.visits[i]
    b.sums[0].best = b.sums[0].total
    b.sums[0].is_saved = 1


@compiled
def restore(b: Board) -> None:
    """Return to the best plan."""
    for i in range(len(b.tasks)):
        b.tasks[i] = b.best_tasks[i]
    banked = 0
    for i in range(len(b.visits)):
        b.visits[i] = b.best_visits[i]
        slot = b.visits[i].slot
        if slot >= 0:
            b.bank[slot] = i
            banked += 1
    b.sums[0].banked = banked
    recount(b)
