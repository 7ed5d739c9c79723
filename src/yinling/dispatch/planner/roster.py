"""The carers of one day and their stops as arrays, so that very many can be looked through in a millisecond.

Plain values in, no database, no clock. Moments are microseconds since the day's midnight; places are longitude, reduced latitude and
its sine and cosine, NaN where nobody knows them. Nothing here names an elder.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import atan, cos, nan, radians, sin, tan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from yinling.dispatch.planner.distance import metres
from yinling.dispatch.rules import Carer, Licence
from yinling.kernel.period import day_bounds, local_date

MODES = ("walk", "ebike", "car")
EMPLOYMENT, SUSPENDED, QUALIFICATION, AREA, SEX, DECLINED, AVOID, MINUTES, HOURS, BUSY, TRAVEL, ABSENT, BREAK = (1 << bit for bit in range(13))
CODES = (
    "employment", "suspended", "qualification", "area", "sex", "declined", "avoid", "minutes", "hours", "overlap", "travel", "absent", "break",
)  # fmt: skip
"""What keeps a carer away, by bit; the bits from ``HOURS`` on come from where the order would stand in the day."""
NEVER, ALWAYS = -(1 << 62), 1 << 62
_MICROSECOND = timedelta(microseconds=1)
_FLATTENING = 1 / 298.257223563
_FIRST_STOPS, _FIRST_AWAY = 8, 2
_EVER = date.min

Moments = NDArray[np.int64]


class Columns(NamedTuple):
    """One row a carer; ``rest_*`` is the break, ``stop_metres`` the way from the stop before (from the start, for the first)."""

    staff: Moments
    day_from: Moments
    day_to: Moments
    most: Moments
    booked: Moments
    against: NDArray[np.uint16]
    mode: NDArray[np.int8]
    sex: NDArray[np.int8]
    licence: NDArray[np.int32]
    duty: NDArray[np.int32]
    tongue: NDArray[np.int32]
    rest_from: Moments
    rest_to: Moments
    rest: Moments
    start: NDArray[np.float64]
    stops: NDArray[np.int32]
    stop_order: Moments
    stop_from: Moments
    stop_to: Moments
    stop_place: NDArray[np.float64]
    stop_metres: NDArray[np.float64]
    away: NDArray[np.int32]
    away_from: Moments
    away_to: Moments


_KINDS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "against": (np.uint16, ()), "mode": (np.int8, ()), "sex": (np.int8, ()), "licence": (np.int32, ()), "duty": (np.int32, ()),
    "tongue": (np.int32, ()), "start": (np.float64, ("place",)), "stops": (np.int32, ()), "stop_order": (np.int64, ("stops",)),
    "stop_from": (np.int64, ("stops",)), "stop_to": (np.int64, ("stops",)), "stop_place": (np.float64, ("stops", "place")),
    "stop_metres": (np.float64, ("stops",)), "away": (np.int32, ()), "away_from": (np.int64, ("away",)), "away_to": (np.int64, ("away",)),
}  # fmt: skip


class Words:
    """Numbers for the few different values that many carers share: sets of licences, of dialects, duty areas."""

    def __init__(self) -> None:
        self.number: dict[Any, int] = {}

    def of(self, value: Any) -> int:
        """Return the number of a value, a new one for a new value."""
        return self.number.setdefault(value, len(self.number))


@dataclass
class Roster:
    """The carers of a day. ``rows`` are the row numbers by provider, ``row_of`` by carer."""

    day: date
    columns: Columns = field(init=False)
    row_of: dict[int, int] = field(default_factory=dict)
    rows: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    provider_of: dict[int, int] = field(default_factory=dict)
    licences: Words = field(default_factory=Words)
    duties: Words = field(default_factory=Words)
    tongues: Words = field(default_factory=Words)
    size: int = 0

    def __post_init__(self) -> None:
        self.columns = _empty(1, _FIRST_STOPS, _FIRST_AWAY)
        self.midnight = day_bounds(self.day)[0]

    def moment(self, at: datetime) -> int:
        """Return a moment as the arrays hold it."""
        return (at - self.midnight) // _MICROSECOND

    def time_of(self, moment: int) -> datetime:
        """Return a moment of the arrays as the world knows it."""
        return self.midnight + timedelta(microseconds=int(moment))

    def put(self, carers: Iterable[Carer]) -> None:
        """Enter carers, or replace what is known of them."""
        found = list(carers)
        fresh = [one for one in found if one.staff_id not in self.row_of]
        self._grow(self.size + len(fresh), max((len(one.booked) for one in found), default=0), max((len(one.away) for one in found), default=0))
        for one in fresh:
            self.row_of[one.staff_id] = self.size
            self.size += 1
        for one in found:
            if self.provider_of.get(one.staff_id) != one.provider_id:
                self._leave(one.staff_id)
                self.provider_of[one.staff_id] = one.provider_id
        self._join(found)
        for one in found:
            self._write(self.row_of[one.staff_id], one)

    def drop(self, staff_ids: Iterable[int]) -> None:
        """Forget carers who are not sent any more; their rows stay empty."""
        for staff_id in staff_ids:
            self._leave(staff_id)

    def rows_of(self, provider_id: int) -> NDArray[np.int32]:
        """Return the rows of a provider's carers."""
        return self.rows.get(provider_id, np.empty(0, np.int32))

    @property
    def stop_count(self) -> int:
        """How many stops there are."""
        return int(self.columns.stops[: self.size].sum())

    @property
    def byte_count(self) -> int:
        """How much memory the arrays take."""
        return sum(column.nbytes for column in self.columns)

    def _leave(self, staff_id: int) -> None:
        provider_id = self.provider_of.pop(staff_id, None)
        if provider_id is not None:
            rows = self.rows[provider_id]
            self.rows[provider_id] = rows[rows != self.row_of[staff_id]]

    def _join(self, carers: Iterable[Carer]) -> None:
        joining: dict[int, list[int]] = {}
        for one in carers:
            joining.setdefault(one.provider_id, []).append(self.row_of[one.staff_id])
        for provider_id, rows in joining.items():
            self.rows[provider_id] = np.union1d(self.rows_of(provider_id), np.array(rows, np.int32)).astype(np.int32)

    def _grow(self, carers: int, stops: int, away: int) -> None:
        held = self.columns
        sizes = (len(held.staff), held.stop_from.shape[1], held.away_from.shape[1])
        wanted = tuple(have if need <= have else max(need, have * 2) for need, have in zip((carers, stops, away), sizes, strict=True))
        if wanted != sizes:
            self.columns = _empty(*wanted)
            for old, new in zip(held, self.columns, strict=True):
                new[tuple(slice(size) for size in old.shape)] = old

    def _write(self, row: int, carer: Carer) -> None:
        to, day = self.columns, self.day
        is_employed = carer.employed_from <= day and (carer.employed_to is None or day < carer.employed_to)
        to.staff[row] = carer.staff_id
        to.day_from[row], to.day_to[row] = _of_day(carer.day_from), _of_day(carer.day_to)
        to.most[row], to.booked[row] = carer.most_minutes, carer.booked_minutes
        to.against[row] = (0 if is_employed else EMPLOYMENT) | (SUSPENDED if carer.suspension else 0)
        to.mode[row] = MODES.index(carer.mode) if carer.mode in MODES else -1
        to.sex[row] = int(carer.sex or 0)
        to.licence[row] = self.licences.of(licences_on(carer, day))
        to.duty[row], to.tongue[row] = self.duties.of(carer.duty_div), self.tongues.of(carer.dialects)
        to.rest_from[row], to.rest_to[row] = _of_day(carer.break_from or time()), _of_day(carer.break_to or time())
        to.rest[row] = carer.break_minutes * 60_000_000
        to.start[row] = place_of(carer.lon, carer.lat)
        to.away[row] = len(carer.away)
        for column, one in enumerate(sorted(carer.away, key=lambda one: one.from_at)):
            to.away_from[row, column] = self.moment(one.from_at)
            to.away_to[row, column] = ALWAYS if one.to_at is None else self.moment(one.to_at)
        self._write_stops(row, carer)

    def _write_stops(self, row: int, carer: Carer) -> None:
        to, before, until = self.columns, self.columns.start[row], NEVER
        to.stops[row] = len(carer.booked)
        for column, one in enumerate(sorted(carer.booked, key=lambda one: (one.starts_at, one.ends_at, one.order_id))):
            place = place_of(one.lon, one.lat)
            to.stop_order[row, column] = one.order_id
            to.stop_from[row, column], to.stop_to[row, column] = self.moment(one.starts_at), self.moment(one.ends_at)
            to.stop_place[row, column] = place
            to.stop_metres[row, column] = metres(*before, *place)
            if to.stop_to[row, column] > until:
                before, until = place, to.stop_to[row, column]


def licences_on(carer: Carer, day: date) -> tuple[bool, frozenset[tuple[str, str]]]:
    """Return whether a carer is a doctor, and the kinds and places of what holds on a day with its credits (see ``rules._licence``)."""
    held = (one for one in carer.licences if one.valid_from <= day and (one.valid_to is None or day < one.valid_to))
    kept = (one for one in held if one.is_retired_practice or one.credits_to is None or day < one.credits_to)
    return carer.kind == "doctor", frozenset((one.kind, one.place) for one in kept)


def as_licences(held: frozenset[tuple[str, str]]) -> tuple[Licence, ...]:
    """Return what ``licences_on`` kept as the rules take it."""
    return tuple(Licence(kind, _EVER, None, place) for kind, place in sorted(held))


def place_of(lon: float | None, lat: float | None) -> tuple[float, float, float, float]:
    """Return a place as the arrays hold it."""
    if lon is None or lat is None:
        return (nan, nan, nan, nan)
    reduced = atan((1 - _FLATTENING) * tan(radians(lat)))
    return radians(lon), reduced, sin(reduced), cos(reduced)


def day_of(moment: datetime) -> date:
    """Return the day whose roster an order asks."""
    return local_date(moment)


def _of_day(at: time) -> int:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond) // _MICROSECOND


def _empty(carers: int, stops: int, away: int) -> Columns:
    sizes = {"place": 4, "stops": stops, "away": away}
    kinds = {name: _KINDS.get(name, (np.int64, ())) for name in Columns._fields}
    return Columns(**{name: np.zeros((carers, *(sizes[one] for one in shape)), kind) for name, (kind, shape) in kinds.items()})
