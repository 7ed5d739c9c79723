"""The carers of one day and their stops as arrays, so that very many can be looked through in a millisecond.

Plain values in, no database, no clock. Moments are microseconds since the day's midnight; places are longitude, reduced latitude and
its sine and cosine, NaN where nobody knows them. Nothing here names an elder.

The way from the memory takes most of the time of a scan, so what it asks of every carer and stop lies together and is small: places to a
metre or two decide nearly everything, and the exact ones are read where they do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import atan, cos, nan, radians, sin, tan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from yinling.dispatch.planner.distance import FLATTENING, metres
from yinling.dispatch.rules import Carer, Licence
from yinling.kernel.period import day_bounds

MODES = ("walk", "ebike", "car")
EMPLOYMENT, SUSPENDED, QUALIFICATION, AREA, SEX, DECLINED, AVOID, MINUTES, HOURS, BUSY, TRAVEL, ABSENT, BREAK = (
    1 << bit for bit in range(13)
)
CODES = (
    "employment", "suspended", "qualification", "area", "sex", "declined", "avoid", "minutes", "hours", "overlap", "travel", "absent", "break",
)  # fmt: skip
"""What keeps a carer away, by bit; the bits from ``HOURS`` on come from where the order would stand in the day."""
NEVER, ALWAYS = -(1 << 62), 1 << 62
SECOND = 1_000_000
MINUTE = 60 * SECOND
_MICROSECOND = timedelta(microseconds=1)
_FIRST_STOPS, _FIRST_AWAY = 8, 2
_EVER = date.min

PLACE = [("lon", "f8"), ("low", "f8"), ("sin", "f8"), ("cos", "f8")]
ABOUT = [("lon", "f4"), ("low", "f4"), ("cos", "f4")]
"""A place, rounded."""
GATE = np.dtype(
    [
        ("day_from", "i8"),
        ("day_to", "i8"),
        ("booked", "i4"),  # minutes
        ("most", "i4"),
        ("against", "i4"),  # what keeps the carer away all day
        ("licence", "i4"),  # numbers of words
        ("duty", "i4"),
        ("tongue", "i4"),
        ("stops", "i2"),
        ("away", "i2"),
        ("mode", "i1"),  # of MODES, or -1
        ("sex", "i1"),
        *ABOUT,  # where the day starts
    ],
    align=True,
)
"""What is asked of every carer."""
CARER = np.dtype(
    [
        ("staff", "i8"),
        ("rest_from", "i8"),  # the hours in which the break lies, and how long it is
        ("rest_to", "i8"),
        ("rest", "i8"),
        *PLACE,  # where the day starts
    ],
    align=True,
)
TIME = [("begins", "i8"), ("ends", "i8")]
AWAY = np.dtype(TIME, align=True)
STOP = np.dtype([*TIME, *ABOUT, ("metres", "f4")], align=True)
"""A stop, and about how far it is from the stop before, from the start for the first."""
SPOT = np.dtype([*PLACE, ("metres", "f8")], align=True)
"""The place of a stop and how far it is, exactly."""

Rows = Any
"""A record array; the type checker knows no fields of one."""


class Columns(NamedTuple):
    """One row a carer; stops, their spots and absences lie in the same row of their own arrays, in the order of the day."""

    gates: Rows
    carers: Rows
    stops: Rows
    spots: Rows
    away: Rows


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
        self._grow(
            self.size + len(fresh),
            max((len(one.booked) for one in found), default=0),
            max((len(one.away) for one in found), default=0),
        )
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
        return int(self.columns.gates.stops[: self.size].sum())

    def totals(self) -> tuple[int, int, int]:
        """Return how many carers and stops there are, and the sum of the seconds at which these begin."""
        rows = np.concatenate([np.empty(0, np.int32), *self.rows.values()])
        held = self.columns.gates.stops[rows]
        is_stop = np.arange(self.columns.stops.shape[1]) < held[:, None]
        begins = self.columns.stops.begins[rows][is_stop] // SECOND
        return len(rows), int(held.sum()), int(begins.sum())

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
        sizes = (len(held.carers), held.stops.shape[1], held.away.shape[1])
        wanted = [
            have if need <= have else max(need, have * 2)
            for need, have in zip((carers, stops, away), sizes, strict=True)
        ]
        if wanted != list(sizes):
            self.columns = _empty(*wanted)
            for old, new in zip(held, self.columns, strict=True):
                new[tuple(slice(size) for size in old.shape)] = old

    def _write(self, number: int, carer: Carer) -> None:
        day = self.day
        is_employed = carer.employed_from <= day and (carer.employed_to is None or day < carer.employed_to)
        row: dict[str, Any] = {
            "staff": carer.staff_id, "day_from": _of_day(carer.day_from), "day_to": _of_day(carer.day_to),
            "rest_from": _of_day(carer.break_from or time()), "rest_to": _of_day(carer.break_to or time()),
            "rest": carer.break_minutes * MINUTE, "booked": carer.booked_minutes, "most": carer.most_minutes,
            **place_of(carer.lon, carer.lat), "against": (0 if is_employed else EMPLOYMENT) | (SUSPENDED if carer.suspension else 0),
            "licence": self.licences.of(licences_on(carer, day)), "duty": self.duties.of(carer.duty_div),
            "tongue": self.tongues.of(carer.dialects), "stops": len(carer.booked), "away": len(carer.away),
            "mode": MODES.index(carer.mode) if carer.mode in MODES else -1, "sex": int(carer.sex or 0),
        }  # fmt: skip
        for column, kind in ((self.columns.gates, GATE), (self.columns.carers, CARER)):
            column[number] = tuple(row[name] for name in kind.names or ())
        for column, one in enumerate(sorted(carer.away, key=lambda one: one.from_at)):
            upto = ALWAYS if one.to_at is None else self.moment(one.to_at)
            self.columns.away[number, column] = (self.moment(one.from_at), upto)
        self._write_stops(number, carer)

    def _write_stops(self, number: int, carer: Carer) -> None:
        before, until = place_of(carer.lon, carer.lat), NEVER
        for column, one in enumerate(sorted(carer.booked, key=lambda one: (one.starts_at, one.ends_at, one.order_id))):
            place, begins, ends = place_of(one.lon, one.lat), self.moment(one.starts_at), self.moment(one.ends_at)
            way = metres(*before.values(), *place.values())
            self.columns.stops[number, column] = (begins, ends, *(place[name] for name, _kind in ABOUT), way)
            self.columns.spots[number, column] = (*place.values(), way)
            if ends > until:
                before, until = place, ends


def licences_on(carer: Carer, day: date) -> tuple[bool, frozenset[tuple[str, str]]]:
    """Return whether a carer is a doctor, and the kinds and places of what holds on a day with its credits (see ``rules._licence``)."""
    held = (one for one in carer.licences if one.valid_from <= day and (one.valid_to is None or day < one.valid_to))
    kept = (one for one in held if one.is_retired_practice or one.credits_to is None or day < one.credits_to)
    return carer.kind == "doctor", frozenset((one.kind, one.place) for one in kept)


def as_licences(held: frozenset[tuple[str, str]]) -> tuple[Licence, ...]:
    """Return what ``licences_on`` kept as the rules take it."""
    return tuple(Licence(kind, _EVER, None, place) for kind, place in sorted(held))


def place_of(lon: float | None, lat: float | None) -> dict[str, float]:
    """Return a place as the arrays hold it."""
    if lon is None or lat is None:
        return dict.fromkeys(("lon", "low", "sin", "cos"), nan)
    low = atan((1 - FLATTENING) * tan(radians(lat)))
    return {"lon": radians(lon), "low": low, "sin": sin(low), "cos": cos(low)}


def _of_day(at: time) -> int:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond) // _MICROSECOND


def _empty(carers: int, stops: int, away: int) -> Columns:
    shapes: list[tuple[Any, Any]] = [
        (carers, GATE), (carers, CARER), ((carers, stops), STOP), ((carers, stops), SPOT), ((carers, away), AWAY)
    ]  # fmt: skip
    return Columns(*(np.zeros(shape, kind).view(np.recarray) for shape, kind in shapes))
