"""From the problem to the board: arrays, compact and complete, with the neighbours of every visit."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yinling.dispatch.planner import arrays
from yinling.dispatch.planner.arrays import FAR, NONE, NOT_YET, Board
from yinling.dispatch.planner.kernel_near import nearest
from yinling.dispatch.planner.problem import Problem, Visit, Weights
from yinling.dispatch.planner.soundness import Checked, sound_breaks

NEIGHBOURS = 24
WHOLE_DAY = 1440.0
MANY = 1 << 30
SCRATCH = 256


def records(size: int, kind: np.dtype[Any]) -> arrays.Rows:
    """Return empty records whose fields are attributes."""
    return np.zeros(size, kind).view(np.recarray)


def board_of(problem: Problem, checked: Checked, weights: Weights, seed: int) -> Board:
    """Return a board with nobody sent anywhere: all visits that can be done lie in the bank."""
    count, carers = len(problem.visits), len(problem.workers)
    visits, tasks = _visits(problem, checked, weights), _tasks(problem, checked)
    workers, breaks = _workers(problem)
    followers, leaders = _order(problem, visits)
    sums = records(1, arrays.SUMS)
    sums.length, sums.length_square = max(workers.length.sum(), 1.0), (workers.length**2).sum()
    rules = _rules(problem, weights, workers)
    near = nearest(visits, tasks, checked.travel[0], checked.may, min(NEIGHBOURS, max(count - 1, 1)))
    rules.near = near.shape[1]
    wishes = np.zeros((1, 1), np.float32) if problem.wishes is None else _by_task(problem, problem.wishes)
    board = Board(
        rules=rules,
        visits=visits,
        tasks=tasks,
        workers=workers,
        breaks=breaks,
        travel=checked.travel,
        may=checked.may,
        wishes=wishes,
        near=near,
        followers=followers[0],
        followers_from=followers[1],
        leaders=leaders[0],
        leaders_from=leaders[1],
        bank=np.zeros(count + 1, np.int32),
        queue=np.zeros(2 * count + 1, np.int32),
        undo=records(8 * count + SCRATCH, arrays.UNDO),
        touched=records(min(carers, 64) + SCRATCH, arrays.TOUCHED),
        trial=records(1, arrays.TRIAL),
        sums=sums,
        best_tasks=tasks.copy(),
        best_visits=visits.copy(),
        dice=np.array([(seed * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64 or 1], np.uint64),
    )
    for number in np.argsort(visits.floor, kind="stable"):
        if number not in checked.left:
            visits[number].slot = board.sums[0].banked
            board.bank[board.sums[0].banked] = number
            board.sums[0].banked += 1
    return board


def _by_task(problem: Problem, rows: NDArray[Any]) -> NDArray[Any]:
    """Spread rows counted task by task to two rows a visit."""
    out = np.zeros((2 * len(problem.visits), rows.shape[1]), rows.dtype)
    at = 0
    for number, visit in enumerate(problem.visits):
        for second in range(len(visit.tasks)):
            out[2 * number + second] = rows[at]
            at += 1
    return out


def _visits(problem: Problem, checked: Checked, weights: Weights) -> arrays.Rows:
    rows = records(len(problem.visits), arrays.VISIT)
    numbers = {visit.id: number for number, visit in enumerate(problem.visits)}
    for number, visit in enumerate(problem.visits):
        row = rows[number]
        row.opens, row.latest, row.latest_second = span(visit)
        row.floor = row.opens
        row.closes = min(FAR, visit.closes)
        row.gap_low, row.gap_high = visit.gap[0], min(visit.gap[1], FAR)
        row.usual = NOT_YET
        if visit.usual is not None and weights.shift > 0:
            row.usual = visit.usual
            row.floor = max(row.opens, min(visit.usual, row.latest))
        row.after = numbers[visit.after] if visit.after and number not in checked.left else NONE
        row.after_minutes = visit.after_minutes
        row.loss = weights.left_out * visit.priority * len(visit.tasks)
        row.slot = NONE
        row.tasks = len(visit.tasks)
    return rows


def span(visit: Visit) -> tuple[float, float, float]:
    """Return the earliest start and the latest starts of both tasks that the hard rules allow."""
    latest = min(visit.closes, FAR) if visit.is_hard else FAR
    if visit.start is None:
        return visit.opens, latest, latest
    return visit.start, visit.start, min(latest, visit.start + min(visit.gap[1], FAR))


def _tasks(problem: Problem, checked: Checked) -> arrays.Rows:
    count = len(problem.visits)
    rows = records(2 * count + len(problem.workers), arrays.TASK)
    rows.begins = NOT_YET
    rows.leaves = NOT_YET
    for number, visit in enumerate(problem.visits):
        place = 0 if number in checked.left else visit.place
        for second, task in enumerate(visit.tasks):
            row = rows[2 * number + second]
            row.minutes = task.minutes
        rows[2 * number : 2 * number + 2].key = visit.opens
        rows[2 * number : 2 * number + 2].place = place
        rows[2 * number : 2 * number + 2].home = place
    for number, worker in enumerate(problem.workers):
        row = rows[2 * count + number]
        row.next = row.prev = 2 * count + number
        row.worker = number
        if number not in checked.away:
            row.place, row.home = worker.start, worker.end
            row.leaves = worker.day_from
    return rows


def _workers(problem: Problem) -> tuple[arrays.Rows, arrays.Rows]:
    rows = records(len(problem.workers), arrays.WORKER)
    taken = [sound_breaks(worker) for worker in problem.workers]
    rests = [rest for each in taken for rest in each]
    breaks = records(max(len(rests), 1), arrays.BREAK)
    for number, rest in enumerate(rests):
        breaks[number] = rest
    at = 0
    for number, worker in enumerate(problem.workers):
        row = rows[number]
        row.day_to = min(worker.day_to, FAR)
        row.most = min(worker.most_minutes, FAR)
        row.contract = min(worker.contract_minutes, FAR)
        row.length = day_length(worker.day_from, worker.day_to)
        row.mode = worker.mode
        row.first_break, row.breaks = at, len(taken[number])
        row.bounded = row.day_to < FAR or row.breaks > 0
        at += len(taken[number])
    return rows, breaks


def day_length(day_from: float, day_to: float) -> float:
    """Return the length of a worker's day, at most a whole day: the share of the work that is fair goes by it."""
    return max(0.0, min(day_to - day_from, WHOLE_DAY))


def _rules(problem: Problem, weights: Weights, workers: arrays.Rows) -> arrays.Rows:
    rules = records(1, arrays.RULES)
    row = rules[0]
    row.travel, row.tardiness, row.worst = weights.travel, weights.tardiness, weights.worst
    row.overtime, row.wish, row.imbalance, row.shift = weights.overtime, weights.wish, weights.imbalance, weights.shift
    row.visits, row.workers = len(problem.visits), len(problem.workers)
    is_counted = (
        weights.imbalance > 0 or (workers.most < FAR).any() or (weights.overtime > 0 and (workers.contract < FAR).any())
    )
    row.has_hours = bool(is_counted or workers.bounded.any())
    row.has_wishes = problem.wishes is not None and weights.wish != 0
    row.has_breaks = bool((workers.breaks > 0).any())
    return rules


Pairs = tuple[NDArray[np.int32], NDArray[np.int32]]


def _order(problem: Problem, visits: arrays.Rows) -> tuple[Pairs, Pairs]:
    """Return who must follow and who must lead each visit, each as (numbers, where those of a visit begin)."""
    numbers = {visit.id: number for number, visit in enumerate(problem.visits)}
    pairs = {(int(row.after), number) for number, row in enumerate(visits) if row.after != NONE}
    for names in problem.sequences.values():
        chain = [numbers[name] for name in names if name in numbers]
        pairs.update(combinations(chain, 2))  # not only neighbours: one between them may be left out
    for pair in pairs:
        visits.bound[list(pair)] = 1
    backward = {(later, earlier) for earlier, later in pairs}
    return _lists(pairs, len(visits)), _lists(backward, len(visits))


def _lists(pairs: set[tuple[int, int]], count: int) -> Pairs:
    ordered = sorted(pairs)
    starts = np.zeros(count + 1, np.int32)
    for one, _ in ordered:
        starts[one + 1] += 1
    return np.array([other for _, other in ordered] or [0], np.int32), np.cumsum(starts, dtype=np.int32)
