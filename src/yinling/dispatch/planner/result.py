"""From the board back to a plan: stops with their times, rests, and why the rest was left out."""

from __future__ import annotations

from typing import Any

from yinling.dispatch.planner.arrays import Board
from yinling.dispatch.planner.problem import Left, Problem, Stop
from yinling.dispatch.planner.soundness import Checked

EPS = 1e-6
Rest = tuple[float, float]


def routes_of(board: Board) -> tuple[tuple[tuple[Stop, ...], ...], tuple[tuple[Rest, ...], ...]]:
    """Return the stops and the rests of every worker."""
    days = [_day(board, worker) for worker in range(len(board.workers))]
    return tuple(tuple(stops) for stops, _ in days), tuple(tuple(rests) for _, rests in days)


def _day(board: Board, worker: int) -> tuple[list[Stop], list[Rest]]:
    """Follow one route. Rests fall as the search counted them: at the door when there is time, else before leaving."""
    row = board.workers[worker]
    pending = [board.breaks[row.first_break + i] for i in range(row.breaks)]
    end = 2 * len(board.visits) + worker
    stops: list[Stop] = []
    rests: list[Rest] = []
    at, free = end, float(board.tasks[end].leaves)
    while (task := int(board.tasks[at].next)) != end:
        begins = float(board.tasks[task].begins)
        ways = float(board.travel[row.mode, board.tasks[at].place, board.tasks[task].home])
        arrives = free + ways
        door = arrives
        for rest in pending[len(rests) : board.tasks[task].rests]:
            start = max(door, float(rest.opens))
            if start > rest.closes or start + rest.minutes > begins + EPS:
                start = max(free, float(rest.opens))
                free = start + float(rest.minutes)
                arrives = door = free + ways
            else:
                door = start + float(rest.minutes)
            rests.append((start, start + float(rest.minutes)))
        stops.append(Stop(task >> 1, task & 1, arrives, begins, begins + float(board.tasks[task].minutes), ways))
        at, free = task, begins + float(board.tasks[task].minutes)
    if stops:
        rests += _evening(
            pending[len(rests) :], free, float(board.travel[row.mode, board.tasks[at].place, board.tasks[end].home])
        )
    return stops, rests


def _evening(pending: list[Any], free: float, ways: float) -> list[Rest]:
    """Return the rests after the last stop: before the way home where they would be too late after it, else at home."""
    rests: list[Rest] = []
    for rest in pending:
        opens, closes, minutes = float(rest.opens), float(rest.closes), float(rest.minutes)
        start = max(free + ways, opens)
        if start > closes:
            start = max(free, opens)
            free = start + minutes
        else:
            free = start + minutes - ways
        rests.append((start, start + minutes))
    return rests


def left_of(problem: Problem, checked: Checked, board: Board) -> tuple[Left, ...]:
    """Return what was left out, with the reason."""
    left = dict(checked.left)
    numbers = {visit.id: number for number, visit in enumerate(problem.visits)}
    for slot in range(board.sums[0].banked):
        number = int(board.bank[slot])
        visit = problem.visits[number]
        if visit.after and not board.visits[numbers[visit.after]].placed:
            left[number] = Left(number, "after_missing", {"visit": visit.after})
        elif _is_locked_against(problem, number):
            left[number] = Left(number, "lock_conflict")
        else:
            left[number] = Left(number, "capacity")
    return tuple(left[number] for number in sorted(left))


def _is_locked_against(problem: Problem, number: int) -> bool:
    """Whether another visit is locked to the same carer at an overlapping time."""
    visit = problem.visits[number]
    if visit.start is None:
        return False
    for other, row in enumerate(problem.visits):
        if other == number or row.start is None or not set(visit.carers) & set(row.carers) - {-1}:
            continue
        if row.start < visit.start + visit.tasks[0].minutes and visit.start < row.start + row.tasks[0].minutes:
            return True
    return False
