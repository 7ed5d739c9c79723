"""What cannot be planned is found before the search: such visits are left out with a reason, such workers stay at home with a note."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from yinling.dispatch.planner.problem import Left, Problem, Visit, Worker

NO_WAY = 1e9
"""Minutes that stand for "cannot be reached": dearer than any visit left out."""
PAIR = 2


@dataclass
class Checked:
    """The problem with its faults set aside. ``may`` has two rows a visit; the second is empty where one carer goes."""

    may: NDArray[np.bool_]
    travel: NDArray[np.float32]
    left: dict[int, Left] = field(default_factory=dict)
    away: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def leave(self, visit: int, code: str, /, **values: object) -> None:
        """Set a visit aside; the first reason found stands."""
        self.left.setdefault(visit, Left(visit, code, values))


def check(problem: Problem) -> Checked:
    """Return what can be planned of the problem."""
    known = known_places(problem.travel)
    travel = np.ascontiguousarray(problem.travel, dtype=np.float32)
    checked = Checked(may=spread(problem), travel=np.nan_to_num(travel, nan=NO_WAY, posinf=NO_WAY, neginf=NO_WAY))
    if np.isnan(travel[:, known][:, :, known]).any():
        checked.notes.append("ways_missing:")
    _check_workers(problem, known, checked)
    seen: set[str] = set()
    for number, visit in enumerate(problem.visits):
        if code := _fault(visit, known, seen):
            checked.leave(number, code, visit=visit.id)
        seen.add(visit.id)
    _apply_locks(problem, checked)
    _check_order(problem, checked)
    _check_carers(problem, checked)
    _leave_followers(problem, checked)
    for number in checked.left:
        checked.may[2 * number : 2 * number + 2] = False
    return checked


def known_places(travel: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return the places that have at least one way from and to another place, in every mode."""
    places = travel.shape[1]
    if places < PAIR:
        return np.ones(places, np.bool_)
    finite = np.isfinite(travel)
    finite[:, range(places), range(places)] = False
    known: NDArray[np.bool_] = (finite.any(axis=2) & finite.any(axis=1)).all(axis=0)
    return known


def spread(problem: Problem) -> NDArray[np.bool_]:
    """Return who may do which task, two rows a visit."""
    may = np.zeros((2 * len(problem.visits), len(problem.workers)), np.bool_)
    at = 0
    for number, visit in enumerate(problem.visits):
        for second in range(min(len(visit.tasks), PAIR)):
            may[2 * number + second] = problem.may[at + second]
        at += len(visit.tasks)
    return may


def _check_workers(problem: Problem, known: NDArray[np.bool_], checked: Checked) -> None:
    seen: set[str] = set()
    for number, worker in enumerate(problem.workers):
        code = ""
        if worker.id in seen:
            code = "carer_twice"
        elif (
            math.isnan(worker.day_from + worker.day_to)
            or worker.day_to < worker.day_from
            or math.isinf(worker.day_from)
        ):
            code = "carer_hours"
        elif (
            not _is_known(worker.start, known)
            or not _is_known(worker.end, known)
            or not 0 <= worker.mode < len(problem.travel)
        ):
            code = "carer_place"
        if code:
            checked.notes.append(f"{code}:{worker.id}")
            checked.away.add(number)
            checked.may[:, number] = False
        elif len(sound_breaks(worker)) < len(worker.breaks):
            checked.notes.append(f"break_impossible:{worker.id}")
        seen.add(worker.id)


def _is_known(place: int, known: NDArray[np.bool_]) -> bool:
    return 0 <= place < len(known) and bool(known[place])


def sound_breaks(worker: Worker) -> list[tuple[float, float, float]]:
    """Return the breaks that can be taken at all as (opens, closes, minutes), in their order."""
    rests = ((rest.opens, rest.closes, rest.minutes) for rest in worker.breaks)
    return sorted(
        rest for rest in rests if rest[0] <= rest[1] and rest[1] >= worker.day_from and 0 <= rest[2] < math.inf
    )


def _fault(visit: Visit, known: NDArray[np.bool_], seen: set[str]) -> str:
    """Return the code of what is wrong with the visit by itself."""
    minutes = [task.minutes for task in visit.tasks]
    window_sound = visit.opens <= visit.closes and math.isfinite(visit.opens)
    minutes_sound = all(0 <= one < math.inf for one in minutes) and 0 <= visit.gap[0] <= visit.gap[1]
    faults = (
        ("visit_twice", visit.id in seen),
        ("tasks", not 1 <= len(minutes) <= PAIR),
        ("place_unknown", not _is_known(visit.place, known)),
        ("window", not window_sound or not minutes_sound or math.isnan(visit.after_minutes)),
        ("lock_conflict", visit.start is not None and not _is_start_sound(visit, visit.start)),
    )
    return next((code for code, is_wrong in faults if is_wrong), "")


def _is_start_sound(visit: Visit, start: float) -> bool:
    last = start + visit.gap[0] if len(visit.tasks) == PAIR else start
    return math.isfinite(start) and start >= visit.opens and (last <= visit.closes or not visit.is_hard)


def _apply_locks(problem: Problem, checked: Checked) -> None:
    """Only the locked carer may do a locked task; a visit in a hand-made round takes the carer of that round."""
    for number, visit in enumerate(problem.visits):
        if number in checked.left or not visit.carers:
            continue
        named = [carer for carer in visit.carers if carer >= 0]
        is_wrong = (
            len(visit.carers) != len(visit.tasks)
            or len(set(named)) < len(named)
            or any(c >= len(problem.workers) for c in named)
        )
        for second, carer in enumerate(visit.carers):
            if not is_wrong and carer >= 0:
                _only(checked, 2 * number + second, carer)
                is_wrong = not checked.may[2 * number + second, carer]
        if is_wrong:
            checked.leave(number, "lock_conflict")
    numbers = {visit.id: number for number, visit in reversed(list(enumerate(problem.visits)))}
    for worker, names in problem.sequences.items():
        for name in names:
            if name not in numbers or not 0 <= worker < len(problem.workers):
                checked.notes.append(f"sequence_unknown:{name}")
            elif numbers[name] not in checked.left and not _hand_over(checked, numbers[name], worker):
                checked.leave(numbers[name], "lock_conflict")


def _only(checked: Checked, task: int, worker: int) -> None:
    keeps = checked.may[task, worker]
    checked.may[task] = False
    checked.may[task, worker] = keeps


def _hand_over(checked: Checked, visit: int, worker: int) -> bool:
    """Lock the first task of a visit that the worker may do to that worker; False where there is none."""
    for task in (2 * visit, 2 * visit + 1):
        if checked.may[task, worker]:
            _only(checked, task, worker)
            checked.may[task ^ 1, worker] = False
            return True
    return False


def _check_order(problem: Problem, checked: Checked) -> None:
    """Leave out, one by one, visits whose order runs in a circle."""
    numbers = {visit.id: number for number, visit in reversed(list(enumerate(problem.visits)))}
    for number, visit in enumerate(problem.visits):
        if visit.after and visit.after not in numbers:
            checked.leave(number, "after_missing", visit=visit.after)
    while circle := _circle(problem, checked, numbers):
        for number in circle:
            checked.leave(number, "lock_conflict")


def _circle(problem: Problem, checked: Checked, numbers: dict[str, int]) -> list[int]:
    sorter: TopologicalSorter[int] = TopologicalSorter()
    for earlier, later in order_pairs(problem, numbers):
        if earlier not in checked.left and later not in checked.left:
            sorter.add(later, earlier)
    try:
        sorter.prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def order_pairs(problem: Problem, numbers: dict[str, int]) -> Iterator[tuple[int, int]]:
    """Yield (earlier, later) of all visits whose order is given."""
    for number, visit in enumerate(problem.visits):
        if visit.after in numbers:
            yield numbers[visit.after], number
    for names in problem.sequences.values():
        chain = [numbers[name] for name in names if name in numbers]
        yield from pairwise(chain)


def _check_carers(problem: Problem, checked: Checked) -> None:
    for number, visit in enumerate(problem.visits):
        if number in checked.left:
            continue
        rows = checked.may[2 * number : 2 * number + len(visit.tasks)]
        empty = [task.id for task, row in zip(visit.tasks, rows, strict=True) if not row.any()]
        if empty:
            checked.leave(number, "nobody_may", task=empty[0])
        elif len(rows) == PAIR and not _two_carers(rows):
            checked.leave(number, "pair_needs_two")
        elif code := _timing_fault(problem, checked, number):
            checked.leave(number, code)


def _two_carers(rows: NDArray[np.bool_]) -> bool:
    return bool(rows[0].sum() > 1 or rows[1].sum() > 1 or (rows[0] != rows[1]).any())


def _timing_fault(problem: Problem, checked: Checked, number: int) -> str:
    """Return why no carer could do the visit, were it the only one of the day."""
    visit = problem.visits[number]
    for second in range(len(visit.tasks)):
        answers = [
            _alone(problem, checked, visit, second, int(w)) for w in np.nonzero(checked.may[2 * number + second])[0]
        ]
        if "" not in answers:
            return "shift" if "shift" in answers else "window"
    return ""


def _alone(problem: Problem, checked: Checked, visit: Visit, second: int, number: int) -> str:
    worker = problem.workers[number]
    if worker.day_to == math.inf and worker.most_minutes == math.inf and not visit.is_hard and visit.start is None:
        return ""
    there = float(checked.travel[worker.mode, worker.start, visit.place])
    back = float(checked.travel[worker.mode, visit.place, worker.end])
    opens = visit.opens if visit.start is None else visit.start
    latest = visit.closes if visit.is_hard or visit.start is not None else math.inf
    if visit.start is not None:
        latest = visit.start
    if second:
        opens, latest = opens + visit.gap[0], latest + (visit.gap[1] if visit.start is not None else 0)
    starts = max(opens, worker.day_from + there)
    minutes = visit.tasks[second].minutes
    if starts > latest + 1e-6:
        return "window" if worker.day_from + there <= latest else "shift"
    if starts + minutes + back > worker.day_to + 1e-6 or there + minutes + back > worker.most_minutes + 1e-6:
        return "shift"
    return ""


def _leave_followers(problem: Problem, checked: Checked) -> None:
    """Leave out what must follow a visit that is left out, and what must follow that."""
    numbers: dict[str, int] = {visit.id: number for number, visit in reversed(list(enumerate(problem.visits)))}
    is_last: Callable[[int], bool] = lambda number: numbers.get(problem.visits[number].after, -1) not in checked.left  # noqa: E731
    waiting = [number for number, visit in enumerate(problem.visits) if visit.after and number not in checked.left]
    while followers := [number for number in waiting if not is_last(number) and number not in checked.left]:
        for number in followers:
            checked.leave(number, "after_missing", visit=problem.visits[number].after)
