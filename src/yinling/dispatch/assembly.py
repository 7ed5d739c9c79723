"""From what is known of a day to the problem the planner solves. Plain values in and out: no database, no clock.

Minutes count from the day's midnight. Wishes are minutes on the way: what the dispatcher would go out of the way for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from yinling.dispatch.masks import Mask, Shift
from yinling.dispatch.planner.problem import FOREVER, Break, Problem, Task, Visit, Weights, Worker
from yinling.dispatch.rules import Carer

Place = tuple[float, float]
Served = Mapping[tuple[int, int], int]
"""How often a carer (second) was at an elder's (first) before."""


@dataclass(frozen=True)
class Terms:
    """What an area sets for its plans: weights, prices of wishes in minutes, what counts as urgent, and who comes before whom."""

    weights: Weights
    new_face: float
    other_dialect: float
    other_area: float
    urgent: float
    is_hard: bool
    lead_minutes: float
    precedence: tuple[tuple[str, str, float], ...]
    mode: str


@dataclass(frozen=True)
class Wanted:
    """One order of the day. ``carers`` names who is fixed for each slot (0 is free), ``start`` when, ``usual`` the time announced."""

    order_id: int
    elder_id: int
    opens: float
    closes: float
    minutes: tuple[float, ...]
    place: Place | None
    families: tuple[str, ...] = ()
    dialect: str = ""
    is_urgent: bool = False
    carers: tuple[int, ...] = ()
    start: float | None = None
    usual: float | None = None
    is_elsewhere: bool = False
    """Whether the order belongs to another area and only keeps its carer busy: one entry a carer."""

    @property
    def id(self) -> str:
        """The name of the visit."""
        return f"{self.order_id}/{self.carers[0]}" if self.is_elsewhere else str(self.order_id)

    @property
    def is_fixed(self) -> bool:
        """Whether carers and time stand."""
        return self.start is not None and bool(self.carers) and all(self.carers)


@dataclass(frozen=True, eq=False)
class Atlas:
    """The places of a day, numbered; one more, the last, stands for all that nobody knows, where there are such."""

    places: tuple[Place, ...]
    number: Mapping[Place, int]
    has_nowhere: bool

    def of(self, place: Place | None) -> int:
        """Return the number of a place."""
        return len(self.places) if place is None else self.number[place]


def place_of(lon: float | None, lat: float | None) -> Place | None:
    """Return a place, or nothing where it is not known: missing, no number, or the zero point in the sea."""
    if lon is None or lat is None or not (isfinite(lon) and isfinite(lat)) or (lon == 0 and lat == 0):
        return None
    return lon, lat


def atlas_of(wanted: Iterable[Wanted], carers: Iterable[Carer]) -> Atlas:
    """Number all places of a day."""
    known = [one.place for one in wanted] + [place_of(carer.lon, carer.lat) for carer in carers]
    places = tuple(dict.fromkeys(place for place in known if place is not None))
    return Atlas(places, {place: number for number, place in enumerate(places)}, None in known)


def travel_of(atlas: Atlas, ways: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the ways of each mode, with NaN from and to the place nobody knows."""
    known = len(atlas.places)
    size = known + atlas.has_nowhere
    travel = np.full((len(ways), size, size), np.nan, dtype=np.float32)
    for mode, way in enumerate(ways):
        travel[mode, :known, :known] = way
    return travel


def visits_of(wanted: Sequence[Wanted], carers: Sequence[Carer], atlas: Atlas, terms: Terms) -> tuple[Visit, ...]:
    """Return the orders as visits; those of one elder never overlap, and come in the order that is due."""
    number = {carer.staff_id: place for place, carer in enumerate(carers)}
    after = _after(wanted, terms.precedence)
    return tuple(
        Visit(
            id=one.id, place=atlas.of(one.place), opens=one.opens, closes=one.closes,
            tasks=tuple(Task(str(slot), minutes) for slot, minutes in enumerate(one.minutes, 1)), is_hard=terms.is_hard,
            priority=terms.urgent if one.is_urgent else 1.0, after=after.get(one.id, ("", 0.0))[0],
            after_minutes=after.get(one.id, ("", 0.0))[1],
            carers=tuple(number.get(staff_id, -1) for staff_id in one.carers) if any(one.carers) else (),
            start=one.start, usual=one.usual,
        )
        for one in wanted
    )  # fmt: skip


def _after(wanted: Sequence[Wanted], rules: Sequence[tuple[str, str, float]]) -> dict[str, tuple[str, float]]:
    """Return for each order of an elder with several the one it must wait for, and the minutes between."""
    by_elder: dict[int, list[Wanted]] = {}
    for one in wanted:
        by_elder.setdefault(one.elder_id, []).append(one)
    found = {}
    for several in by_elder.values():
        row = _in_order(several, rules)
        for first, second in pairwise(row):
            if not (first.is_fixed and second.is_fixed) and may_meet(first, second):
                found[second.id] = (first.id, _between(first, second, rules))
    return found


def _in_order(several: Sequence[Wanted], rules: Sequence[tuple[str, str, float]]) -> list[Wanted]:
    """Sort the orders of one elder by time, then bring forward what must come first where its window allows."""
    row = sorted(several, key=lambda one: (one.opens if one.start is None else one.start, one.closes, one.order_id))
    for _ in row:
        for place in range(len(row) - 1):
            first, second = row[place], row[place + 1]
            is_due = _rule(second, first, rules) is not None and _rule(first, second, rules) is None
            if is_due and second.opens + max(second.minutes) <= (first.closes if first.start is None else first.start):
                row[place], row[place + 1] = second, first
    return row


def _rule(first: Wanted, second: Wanted, rules: Sequence[tuple[str, str, float]]) -> float | None:
    found = (minutes for before, after, minutes in rules if before in first.families and after in second.families)
    return next(found, None)


def _between(first: Wanted, second: Wanted, rules: Sequence[tuple[str, str, float]]) -> float:
    return _rule(first, second, rules) or 0.0


def may_meet(first: Wanted, second: Wanted) -> bool:
    """Whether two visits could overlap in time, however they are planned within their windows."""
    first_end = (first.closes if first.start is None else first.start) + max(first.minutes)
    second_end = (second.closes if second.start is None else second.start) + max(second.minutes)
    return first.opens < second_end and second.opens < first_end


def worker_of(carer: Carer, shift: Shift, atlas: Atlas, modes: Sequence[str], mode: str) -> Worker:
    """Return a carer as the planner sees one."""
    place = atlas.of(place_of(carer.lon, carer.lat))
    gaps = [Break(start, start, end - start) for start, end in shift.gaps]
    return Worker(
        id=str(carer.staff_id), start=place, end=place, day_from=shift.day_from, day_to=max(shift.day_from, shift.day_to),
        most_minutes=float(carer.most_minutes), contract_minutes=float(carer.contract_minutes or FOREVER),
        breaks=tuple(sorted([*gaps, *_rest(carer, shift)], key=lambda one: one.opens)), mode=modes.index(carer.mode or mode),
    )  # fmt: skip


def _rest(carer: Carer, shift: Shift) -> list[Break]:
    """Return the rest of the day, unless an absence leaves no room for it or is rest enough."""
    if not carer.break_minutes or carer.break_from is None or carer.break_to is None:
        return []
    opens = carer.break_from.hour * 60.0 + carer.break_from.minute
    closes = carer.break_to.hour * 60.0 + carer.break_to.minute - carer.break_minutes
    opens, closes = max(opens, shift.day_from), min(closes, shift.day_to - carer.break_minutes)
    if closes < opens or any(start < closes + carer.break_minutes and opens < end for start, end in shift.gaps):
        return []
    return [Break(opens, closes, float(carer.break_minutes))]


def wishes_of(
    wanted: Sequence[Wanted], carers: Sequence[Carer], mask: Mask, served: Served, terms: Terms
) -> NDArray[np.float32]:
    """Return what each carer would cost each order: a new face, another dialect, another area."""
    wishes = np.zeros((len(wanted), len(carers)), dtype=np.float32)
    wishes[mask.is_outside] += terms.other_area
    speak = {one.dialect for one in wanted if one.dialect}
    deaf = {word: np.array([word not in carer.dialects for carer in carers], dtype=np.bool_) for word in speak}
    number = {carer.staff_id: column for column, carer in enumerate(carers)}
    rows: dict[int, list[int]] = {}
    for row, one in enumerate(wanted):
        rows.setdefault(one.elder_id, []).append(row)
        if one.dialect:
            wishes[row, deaf[one.dialect]] += terms.other_dialect
    with_history = {elder_id for elder_id, _staff_id in served}
    for elder_id in with_history:
        wishes[rows.get(elder_id, []), :] += terms.new_face
    for (elder_id, staff_id), count in served.items():
        if staff_id in number:
            wishes[rows.get(elder_id, []), number[staff_id]] -= terms.new_face * count / (1 + count)
    return wishes


def by_task(wanted: Sequence[Wanted], rows: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return rows by order as rows by task."""
    spread: NDArray[np.generic] = np.repeat(rows, [len(one.minutes) for one in wanted], axis=0)
    return spread


def allowed(wanted: Sequence[Wanted], carers: Sequence[Carer], mask: Mask, closed: Iterable[int]) -> NDArray[np.bool_]:
    """Return who may go by task: the mask, but for carers whose round is ``closed`` to others, and always who is fixed."""
    number = {carer.staff_id: column for column, carer in enumerate(carers)}
    may = mask.may.copy()
    may[:, [number[staff_id] for staff_id in closed if staff_id in number]] = False
    tasks = np.repeat(may, [len(one.minutes) for one in wanted], axis=0)
    row = 0
    for one in wanted:
        for slot, staff_id in enumerate(one.carers):
            if staff_id in number:
                tasks[row + slot, number[staff_id]] = True
        row += len(one.minutes)
    return tasks


def pinned(problem: Problem, fixed: Mapping[int, tuple[tuple[int, ...], float | None]]) -> Problem:
    """Return the problem with some visits (by number) held at their carers, and at their start if one is named."""
    visits = tuple(
        replace(visit, carers=fixed[number][0], start=fixed[number][1]) if number in fixed else visit
        for number, visit in enumerate(problem.visits)
    )
    may = problem.may.copy()
    row = 0
    for number, visit in enumerate(visits):
        for task, worker in enumerate(fixed[number][0] if number in fixed else ()):
            if worker >= 0:
                may[row + task, worker] = True
        row += len(visit.tasks)
    return replace(problem, visits=visits, may=may)


STREET = 9


def areas_to_plan(homes: Iterable[str], duties: Collection[str], div: str) -> list[str]:
    """Return the areas in which the orders of some homes are planned: the street, or the widest duty area of a carer around it.

    Carers whose area is wider than a street could be sent to two streets at once by two plans.
    """
    found = set()
    for home in homes:
        street = home[:STREET]
        wide = [duty for duty in duties if len(div) <= len(duty) < len(street) and street.startswith(duty)]
        found.add(min(wide, key=len, default=street))
    return sorted(found)


def nearest(here: Place | None, others: Mapping[int, Place], count: int) -> list[int]:
    """Return the nearest of some places, the nearest first. Degrees are good enough to tell neighbours apart."""
    if here is None:
        return []
    return sorted(others, key=lambda key: ((others[key][0] - here[0]) ** 2 + (others[key][1] - here[1]) ** 2, key))[
        :count
    ]
