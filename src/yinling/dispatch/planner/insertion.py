"""Where one order fits best into the days of all carers: every gap of every day, the whole window, exactly priced, the hard rules held.

Pure: a roster and an enquiry in, the best fits out. The words that a dispatcher reads come from ``dispatch.rules`` for the few carers
shown; that both agree is proved by tests/dispatch/test_insertion.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yinling.dispatch.planner import scan
from yinling.dispatch.planner.enquiry import Enquiry, Fit, Found
from yinling.dispatch.planner.roster import (
    AVOID,
    CODES,
    DECLINED,
    MODES,
    SECOND,
    Columns,
    Roster,
    as_licences,
    place_of,
)
from yinling.dispatch.rules import Carer, Job, licence_exclusions
from yinling.kernel.period import day_bounds

PAIR = 2
FREE = "free"
HALF_A_DAY = timedelta(hours=12)


def best_insertions(roster: Roster, asked: Enquiry) -> Found:
    """Return the cheapest feasible insertions of an order. Equal costs go by the number of the carer, the same each time."""
    rows = roster.rows_of(asked.provider_id)
    question = question_of(roster, asked)
    return (
        _pairs(roster, asked, question, rows)
        if asked.carers_needed == PAIR
        else _singles(roster, asked, question, rows)
    )


def question_of(roster: Roster, asked: Enquiry) -> scan.Question:
    """Return the order as the scan takes it."""
    prices = asked.prices
    more, knows = np.zeros(roster.size, np.int32), np.zeros(roster.size, np.bool_)
    for staff_ids, bit in ((asked.declined, DECLINED), (asked.avoided, AVOID)):
        more[_rows(roster, staff_ids)] |= bit
    knows[_rows(roster, asked.known)] = True
    row: dict[str, Any] = {
        "earliest": _moment(roster, asked.earliest), "latest": _moment(roster, asked.latest),
        "wish": _moment(roster, asked.wish), "step": round(asked.step_seconds * SECOND), "length": round(asked.seconds * SECOND),
        "minutes": int(asked.seconds // 60),
        **place_of(asked.lon, asked.lat), "minute_price": prices.travel_minute, "face_price": prices.new_face,
        "tongue_price": prices.other_dialect, "hour_price": prices.workload_hour, "mode": MODES.index(prices.mode),
        "sex": int(asked.wants_sex or 0),
    }  # fmt: skip
    return scan.Question(
        wanted=_records([tuple(row[name] for name in scan.WANTED.names or ())], scan.WANTED),
        paces=_records(list(zip(prices.pace, prices.factor, strict=True)), scan.PACE), fits_licence=_fitting_licences(roster, asked),
        fits_duty=np.array([not duty or not asked.div or asked.div.startswith(duty) for duty in roster.duties.number], np.bool_),
        speaks=np.array([not asked.dialect or asked.dialect in spoken for spoken in roster.tongues.number], np.bool_), more=more, knows=knows,
    )  # fmt: skip


def _records(rows: Any, kind: Any) -> Any:
    return np.array(rows, kind).view(np.recarray)


def _fitting_licences(roster: Roster, asked: Enquiry) -> NDArray[np.bool_]:
    """Ask the rule itself, once for each set of licences that anybody holds."""
    return np.array([_fits(asked.day, asked.needs, asked.div, *held) for held in roster.licences.number], np.bool_)


@lru_cache(maxsize=10_000)
def _fits(day: str, needs: tuple[str, ...], div: str, is_doctor: bool, held: frozenset[tuple[str, str]]) -> bool:  # noqa: FBT001 - as below
    noon = day_bounds(date.fromisoformat(day))[0] + HALF_A_DAY
    job = Job(0, 0, 0, noon, noon, needs=tuple((kind, kind) for kind in needs), div=div)
    return not licence_exclusions(job, _holder(is_doctor, held))


def _holder(is_doctor: bool, held: frozenset[tuple[str, str]]) -> Carer:  # noqa: FBT001 - a key of the roster
    kind = "doctor" if is_doctor else ""
    return Carer(0, "", 0, "", time(), time(), 0, date.min, licences=as_licences(held), kind=kind)


def _singles(roster: Roster, asked: Enquiry, question: scan.Question, rows: NDArray[np.int32]) -> Found:
    c, own, staff = roster.columns, scan.spans(_most_spans(roster)), roster.columns.carers.staff
    wished = [roster.row_of[one] for one in asked.named if roster.provider_of.get(one) == asked.provider_id]
    exact, starts, floor = np.empty(0), np.empty(0, np.int64), -np.inf
    if wished:
        exact, starts, _against, _bound = _scanned(c, question, np.array(wished, np.int32), own, len(wished) + 1, floor)
        floor = exact[np.isfinite(exact)].max(initial=floor)
    cost, start, against, bound = _scanned(c, question, rows, own, asked.limit, floor)
    near = np.flatnonzero((cost <= bound) & (cost < np.inf))
    best = near[np.lexsort((staff[rows[near]], cost[near]))][: asked.limit]
    fits = tuple(Fit((int(staff[rows[one]]),), roster.time_of(start[one]), float(cost[one])) for one in best)
    named = {}
    for row, own_cost, own_start in zip(wished, exact, starts, strict=True):
        if np.isfinite(own_cost):
            staff_id = int(staff[row])
            before = int((cost < own_cost).sum()) + int((staff[rows[cost == own_cost]] < staff_id).sum())
            named[staff_id] = (before + 1, Fit((staff_id,), roster.time_of(int(own_start)), float(own_cost)))
    return Found(fits, named, _counts(against))


def _scanned(
    c: Columns, question: scan.Question, rows: NDArray[np.int32], own: Any, limit: int, floor: float
) -> tuple[Any, Any, Any, float]:
    """Return cost, start and what is against each row, and the last of the least costs."""
    count, best = len(rows), np.full(limit, np.inf)
    cost, start, against = np.empty(count), np.empty(count, np.int64), np.empty(count, np.int32)
    scan.scan_single(c, question, rows, own, best, floor, (cost, start, against))
    return cost, start, against, float(best[-1])


def _pairs(roster: Roster, asked: Enquiry, question: scan.Question, rows: NDArray[np.int32]) -> Found:
    c, staff = roster.columns, roster.columns.carers.staff
    out, against = scan.spans(len(rows) * _most_spans(roster)), np.empty(len(rows), np.int32)
    held = out[: scan.scan_all(c, question, rows, out, against)]
    by_cost = np.lexsort((held.first, staff[held.row], held.cost))
    pairs = _records(np.empty(asked.limit, scan.PAIRED), scan.PAIRED)
    best = pairs[: scan.scan_pairs(out, by_cost, question, pairs)]
    fits = tuple(
        Fit((int(staff[one.one]), int(staff[one.other])), roster.time_of(one.start), float(one.cost)) for one in best
    )
    named = {
        staff_id: (place, one)
        for place, one in reversed(list(enumerate(fits, 1)))
        for staff_id in one.staff_ids
        if staff_id in asked.named
    }
    return Found(fits, named, _counts(against))


def _counts(against: NDArray[np.int32]) -> dict[str, int]:
    counts, by_lowest = np.bincount(against), Counter[int]()
    for kind in np.flatnonzero(counts).tolist():
        by_lowest[kind & -kind] += int(counts[kind])
    found = {code: by_lowest[1 << bit] for bit, code in enumerate(CODES)}
    return {FREE: by_lowest[0]} | {code: number for code, number in found.items() if number}


def _most_spans(roster: Roster) -> int:
    """Every gap of a day can be cut by each absence, and each part in two by the break."""
    c = roster.columns
    return 2 * (c.stops.shape[1] + 1 + c.away.shape[1])


def _rows(roster: Roster, staff_ids: Sequence[int]) -> list[int]:
    return [roster.row_of[one] for one in staff_ids if one in roster.row_of]


def _moment(roster: Roster, iso: str) -> int:
    return roster.moment(datetime.fromisoformat(iso))
