"""Where one order fits best into the days of all carers: every gap of every day, the whole window, exactly priced, the hard rules held.

Pure: a roster and an enquiry in, the best fits out. The words that a dispatcher reads come from ``dispatch.rules`` for the few carers
shown; that both agree is proved by tests/dispatch/test_insertion.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yinling.dispatch.planner import scan
from yinling.dispatch.planner.roster import AVOID, CODES, DECLINED, MODES, Roster, as_licences, place_of
from yinling.dispatch.rules import Carer, Job, licence_exclusions

PAIR = 2
FREE = "free"


@dataclass(frozen=True)
class Prices:
    """What the drawbacks cost in minutes on the way, and how fast people go: seconds a metre and the learned factor by mode."""

    travel_minute: float
    new_face: float
    other_dialect: float
    workload_hour: float
    pace: tuple[float, ...]
    factor: tuple[float, ...]
    mode: str


@dataclass(frozen=True)
class Enquiry:
    """One order as it is asked about; ISO moments, so that it can be sent. ``known`` served the elder before, ``wish`` is the appointed start.

    ``named`` are carers whose place in the ranking is wanted whatever it is.
    """

    order_id: int
    provider_id: int
    day: str
    div: str
    lon: float | None
    lat: float | None
    earliest: str
    latest: str
    wish: str
    seconds: float
    needs: tuple[str, ...]
    wants_sex: str
    dialect: str
    prices: Prices
    known: tuple[int, ...] = ()
    declined: tuple[int, ...] = ()
    avoided: tuple[int, ...] = ()
    named: tuple[int, ...] = ()
    limit: int = 10
    carers: int = 1

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is sent."""
        return asdict(self)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Enquiry:
        """Return what was sent."""
        prices = Prices(**{name: tuple(one) if isinstance(one, list) else one for name, one in values["prices"].items()})
        rest = {name: tuple(one) if isinstance(one, list) else one for name, one in values.items() if name != "prices"}
        return cls(**rest, prices=prices)


@dataclass(frozen=True)
class Fit:
    """A carer, or two who start together, when, and at what cost."""

    staff_ids: tuple[int, ...]
    starts_at: datetime
    cost: float


@dataclass(frozen=True)
class Found:
    """The best fits; the place of those who were named; how many carers may go (``free``), and what first keeps the others away."""

    best: tuple[Fit, ...]
    named: dict[int, tuple[int, Fit]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is sent."""
        fits = [_sent(one) for one in self.best]
        return {"best": fits, "named": {str(pk): [place, _sent(one)] for pk, (place, one) in self.named.items()}, "counts": self.counts}

    @classmethod
    def of(cls, values: dict[str, Any]) -> Found:
        """Return what was sent."""
        named = {int(pk): (place, _received(one)) for pk, (place, one) in values["named"].items()}
        return cls(tuple(map(_received, values["best"])), named, values["counts"])


def best_insertions(roster: Roster, asked: Enquiry) -> Found:
    """Return the cheapest feasible insertions of an order. Equal costs go by the number of the carer, the same each time."""
    rows = roster.rows_of(asked.provider_id)
    wanted = wanted_of(roster, asked)
    return _pairs(roster, asked, wanted, rows) if asked.carers == PAIR else _singles(roster, asked, wanted, rows)


def wanted_of(roster: Roster, asked: Enquiry) -> scan.Wanted:
    """Return the order as the scan takes it."""
    length = round(asked.seconds * scan.SECOND)
    prices = asked.prices
    more, knows = np.zeros(roster.size, np.uint16), np.zeros(roster.size, np.bool_)
    for staff_ids, bit in ((asked.declined, DECLINED), (asked.avoided, AVOID)):
        more[_rows(roster, staff_ids)] |= bit
    knows[_rows(roster, asked.known)] = True
    return scan.Wanted(
        order=asked.order_id, place=np.array(place_of(asked.lon, asked.lat)), earliest=_moment(roster, asked.earliest),
        latest=_moment(roster, asked.latest), wish=_moment(roster, asked.wish), length=length, minutes=int(asked.seconds // 60),
        sex=int(asked.wants_sex or 0), mode=MODES.index(prices.mode), pace=np.array(prices.pace, float), factor=np.array(prices.factor, float),
        price=np.array([prices.travel_minute, prices.new_face, prices.other_dialect, prices.workload_hour], float),
        fits_licence=_fitting_licences(roster, asked),
        fits_duty=np.array([not duty or not asked.div or asked.div.startswith(duty) for duty in roster.duties.number], np.bool_),
        speaks=np.array([not asked.dialect or asked.dialect in spoken for spoken in roster.tongues.number], np.bool_), more=more, knows=knows,
    )  # fmt: skip


def _fitting_licences(roster: Roster, asked: Enquiry) -> NDArray[np.bool_]:
    """Ask the rule itself, once for each set of licences that anybody holds."""
    moment = datetime.fromisoformat(asked.wish)
    job = Job(asked.order_id, 0, asked.provider_id, moment, moment, needs=tuple((kind, kind) for kind in asked.needs), div=asked.div)
    answers = [not licence_exclusions(job, _holder(*held), roster.day) for held in roster.licences.number]
    return np.array(answers, np.bool_)


def _holder(is_doctor: bool, held: frozenset[tuple[str, str]]) -> Carer:  # noqa: FBT001 - a key of the roster
    kind = "doctor" if is_doctor else ""
    return Carer(0, "", 0, "", time(), time(), 0, date.min, licences=as_licences(held), kind=kind)


def _singles(roster: Roster, asked: Enquiry, wanted: scan.Wanted, rows: NDArray[np.int32]) -> Found:
    c, count = roster.columns, len(rows)
    cost, start, against = np.empty(count), np.empty(count, np.int64), np.empty(count, np.uint16)
    scan.scan_single(c, wanted, rows, scan.spans(_most_spans(roster)), cost, start, against)
    staff = c.staff[rows]
    best = _cheapest(cost, staff, asked.limit)
    fits = tuple(Fit((int(staff[one]),), roster.time_of(start[one]), float(cost[one])) for one in best)
    named = {}
    for staff_id in asked.named:
        for one in np.flatnonzero((staff == staff_id) & np.isfinite(cost)):
            place = 1 + int(((cost < cost[one]) | ((cost == cost[one]) & (staff < staff_id))).sum())
            named[staff_id] = (place, Fit((staff_id,), roster.time_of(start[one]), float(cost[one])))
    return Found(fits, named, _counts(against))


def _pairs(roster: Roster, asked: Enquiry, wanted: scan.Wanted, rows: NDArray[np.int32]) -> Found:
    c = roster.columns
    out, against = scan.spans(len(rows) * _most_spans(roster)), np.empty(len(rows), np.uint16)
    count = scan.scan_all(c, wanted, rows, out, against)
    by_cost = np.lexsort((out.first[:count], c.staff[out.row[:count]], out.cost[:count]))
    pairs, starts, costs = np.empty((asked.limit, PAIR), np.int64), np.empty(asked.limit, np.int64), np.empty(asked.limit)
    found = scan.scan_pairs(out, by_cost, wanted.wish, pairs, starts, costs)
    fits = tuple(
        Fit((int(c.staff[one]), int(c.staff[other])), roster.time_of(start), float(cost))
        for (one, other), start, cost in zip(pairs[:found], starts[:found], costs[:found], strict=True)
    )
    named = {staff_id: (place, one) for place, one in reversed(list(enumerate(fits, 1))) for staff_id in one.staff_ids if staff_id in asked.named}
    return Found(fits, named, _counts(against))


def _cheapest(cost: NDArray[np.float64], staff: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Return the places of the cheapest, best first, without sorting all."""
    finite = np.flatnonzero(np.isfinite(cost))
    if len(finite) > limit:
        bound = np.partition(cost[finite], limit - 1)[limit - 1]
        finite = finite[cost[finite] <= bound]
    return finite[np.lexsort((staff[finite], cost[finite]))][:limit]


def _counts(against: NDArray[np.uint16]) -> dict[str, int]:
    lowest = against & (~against + np.uint16(1))
    found = {code: int((lowest == 1 << bit).sum()) for bit, code in enumerate(CODES)}
    return {FREE: int((against == 0).sum())} | {code: number for code, number in found.items() if number}


def _most_spans(roster: Roster) -> int:
    """Every gap of a day can be cut by each absence, and each part in two by the break."""
    c = roster.columns
    return 2 * (c.stop_from.shape[1] + 1 + c.away_from.shape[1])


def _rows(roster: Roster, staff_ids: Sequence[int]) -> list[int]:
    return [roster.row_of[one] for one in staff_ids if one in roster.row_of]


def _moment(roster: Roster, iso: str) -> int:
    return roster.moment(datetime.fromisoformat(iso))


def _sent(one: Fit) -> list[Any]:
    return [list(one.staff_ids), one.starts_at.isoformat(), one.cost]


def _received(values: list[Any]) -> Fit:
    staff_ids, starts_at, cost = values
    return Fit(tuple(staff_ids), datetime.fromisoformat(starts_at), cost)
