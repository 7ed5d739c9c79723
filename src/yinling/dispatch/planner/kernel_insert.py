"""The best place for a visit that is not in the plan: all places are rated roughly, the best of them exactly."""

from __future__ import annotations

import numpy as np

from yinling.dispatch.planner.arrays import FAR, NONE, Board
from yinling.dispatch.planner.jit import allocating, inlined
from yinling.dispatch.planner.kernel import draw, late, link, open_trial, own, set_key, take_back, take_in, way
from yinling.dispatch.planner.kernel_moves import any_floor, behind, is_led, key_between
from yinling.dispatch.planner.kernel_times import earliest, is_worth_it, keep

EXACT_TRIES = 6


@inlined
def rate(b: Board, task: int, prev: int, worker: int) -> float:
    """Return about what a task costs behind ``prev``: its own way and tardiness, and those of the next stop."""
    rules, visit = b.rules[0], task >> 1
    follower = b.tasks[prev].next
    starts = max(earliest(b, visit), b.tasks[prev].leaves + way(b, prev, task, worker))
    if starts > b.visits[visit].latest_second:
        return FAR
    ways = way(b, prev, task, worker) + way(b, task, follower, worker)
    if prev != follower:
        ways -= way(b, prev, follower, worker)
    cost = rules.travel * ways + rules.tardiness * late(b, visit, starts)
    if rules.has_wishes:
        cost += rules.wish * b.wishes[task, worker]
    if rules.has_hours:
        cost += rate_hours(b, worker, ways + b.tasks[task].minutes)
    ready = starts + b.tasks[task].minutes + way(b, task, follower, worker)
    if follower < 2 * rules.visits and ready > b.tasks[follower].begins:
        if ready > b.visits[follower >> 1].latest_second:
            return FAR
        was = late(b, follower >> 1, b.tasks[follower].begins)
        cost += rules.tardiness * (late(b, follower >> 1, ready) - was)
    elif follower >= 2 * rules.visits and ready > b.workers[worker].day_to:
        return FAR
    return float(cost)


@inlined
def rate_hours(b: Board, worker: int, minutes: float) -> float:
    """Return the cost of more work for a worker, by overtime and by distance from the fair share."""
    rules, sums = b.rules[0], b.sums[0]
    row = b.workers[worker]
    work = row.work + minutes
    if work > row.most:
        return FAR
    over = max(0.0, work - row.contract) - max(0.0, row.work - row.contract)
    share = sums.work / sums.length * row.length
    spread = (work - share) ** 2 - (row.work - share) ** 2
    return float(rules.overtime * over + rules.imbalance * spread / 3600)


@allocating
def best_places(b: Board, visit: int, costs: np.ndarray, places: np.ndarray, blink: float) -> int:
    """Fill in the best rated places (task, stop before, worker), cheapest first; return how many. Each is overlooked by chance."""
    found = 0
    for task in range(2 * visit, 2 * visit + b.visits[visit].tasks):
        for worker in range(b.rules[0].workers):
            if not b.may[task, worker]:
                continue
            end = own(b, worker)
            prev = end
            while True:
                if blink == 0.0 or draw(b) > blink:
                    cost = rate(b, task, prev, worker)
                    if cost < FAR and (found < len(costs) or cost < costs[-1]):
                        at = insert_sorted(costs, places, found, cost)
                        found = min(found + 1, len(costs))
                        places[at, 0], places[at, 1], places[at, 2] = task, prev, worker
                prev = b.tasks[prev].next
                if prev == end:
                    break
    return found


@inlined
def insert_sorted(costs: np.ndarray, places: np.ndarray, found: int, cost: float) -> int:
    """Make room for a cost in the sorted list, dropping the dearest where it is full; return where it stands."""
    at = min(found, len(costs) - 1)
    while at > 0 and costs[at - 1] > cost:
        costs[at] = costs[at - 1]
        for i in range(places.shape[1]):
            places[at, i] = places[at - 1, i]
        at -= 1
    costs[at] = cost
    return at


@inlined
def best_mate(b: Board, task: int, worker: int) -> int:
    """Return the best rated worker for the other task of a visit whose key is known, or NONE."""
    other = task ^ 1
    key = b.tasks[other].key
    best, mate = FAR, NONE
    for one in range(b.rules[0].workers):
        if one != worker and b.may[other, one]:
            prev = behind(b, one, key, own(b, one))
            if prev != NONE:
                cost = rate(b, other, prev, one)
                if cost < best:
                    best, mate = cost, one
    return mate


@inlined
def try_place(b: Board, task: int, prev: int, worker: int, mate: int) -> int:
    """Put a visit from the bank at a place; return who does the other task, NONE where it cannot be done."""
    visit = task >> 1
    floor = any_floor(b, visit)
    key = key_between(b, visit, task, prev, worker)
    if key == FAR:
        return NONE
    take_in(b, visit)
    set_key(b, visit, key, floor)
    if b.visits[visit].tasks == 1:
        link(b, task, prev, worker)
        return worker
    if mate == NONE:
        mate = best_mate(b, task, worker)
    if mate == NONE:
        return NONE
    link(b, task, prev, worker)
    at = behind(b, mate, key, own(b, mate))
    if at == NONE:
        return NONE
    link(b, task ^ 1, at, mate)
    return mate


@allocating
def insert_best(b: Board, visit: int, blink: float) -> bool:
    """Bring a visit from the bank to its best place; False where it fits nowhere, or only at a higher cost than leaving it out."""
    if not is_led(b, visit):
        return False
    costs = np.full(EXACT_TRIES, FAR)
    places = np.zeros((EXACT_TRIES, 3), dtype=np.int64)
    found = best_places(b, visit, costs, places, blink)
    best, chosen, chosen_mate = 0.0, NONE, NONE
    for i in range(found):
        open_trial(b)
        mate = try_place(b, places[i, 0], places[i, 1], places[i, 2], NONE)
        if mate != NONE and is_worth_it(b, best) and b.trial[0].change < best:
            best, chosen, chosen_mate = b.trial[0].change, i, mate
        take_back(b)
    if chosen == NONE:
        return False
    open_trial(b)
    mate = try_place(b, places[chosen, 0], places[chosen, 1], places[chosen, 2], chosen_mate)
    if mate != NONE and is_worth_it(b, FAR):
        keep(b)
        return True
    take_back(b)
    return False


@allocating
def insert_all(b: Board, blink: float) -> None:
    """Bring in all visits left out, in the order in which they stand in the bank."""
    size = b.sums[0].banked
    waiting = b.bank[:size].copy()
    for i in range(size):
        insert_best(b, waiting[i], blink)
