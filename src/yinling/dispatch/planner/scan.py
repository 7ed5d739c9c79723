"""Looking through the days of many carers for where one order fits: compiled, exact, nothing left out.

What is announced stands: an order is put between two stops of a day or it is not put. All moments are microseconds of the day.
"""

from __future__ import annotations

from math import ceil, isnan, sqrt
from typing import Any, NamedTuple

import numpy as np

from yinling.dispatch.planner.distance import AXIS_M, metres
from yinling.dispatch.planner.jit import compiled, inlined
from yinling.dispatch.planner.roster import (
    ABSENT,
    ALWAYS,
    AREA,
    BREAK,
    BUSY,
    HOURS,
    MINUTES,
    NEVER,
    PLACE,
    QUALIFICATION,
    SECOND,
    SEX,
    TRAVEL,
    Columns,
    Rows,
)

SECONDS_PER_MINUTE = 60
MINUTES_PER_HOUR = 60
FOUND = BREAK << 1
TRUEST = 0.996
"""How much the truth is at least of the way on a ball: the flattening of the earth takes 0.34 %."""
ROUGH_AXIS_M = AXIS_M * 1.0001
ROUNDED_M = 2.0
"""More than rounding moves a place: 0.8 m east and 0.4 m north."""

WANTED = np.dtype(
    [
        ("earliest", "i8"),
        ("latest", "i8"),
        ("wish", "i8"),
        ("step", "i8"),  # starts other than the wish lie on it where there is room
        ("length", "i8"),
        ("minutes", "i8"),
        *PLACE,
        ("minute_price", "f8"),  # of a minute on the way
        ("face_price", "f8"),
        ("tongue_price", "f8"),
        ("hour_price", "f8"),
        ("mode", "i4"),  # of carers who have none of their own
        ("sex", "i4"),
    ],
    align=True,
)
PACE = np.dtype([("pace", "f8"), ("factor", "f8")], align=True)
"""By mode: seconds a metre, and what check-ins correct them by."""
SPAN = np.dtype([("first", "i8"), ("last", "i8"), ("cost", "f8"), ("row", "i8")], align=True)
"""Where an order may start in a day."""
PAIRED = np.dtype([("one", "i8"), ("other", "i8"), ("cost", "f8"), ("start", "i8")], align=True)


class Question(NamedTuple):
    """One order as the scan takes it. ``fits_*`` and ``speaks`` answer for the roster's words; ``more`` and ``knows`` go by row."""

    wanted: Rows
    paces: Rows
    fits_licence: Any
    fits_duty: Any
    speaks: Any
    more: Any
    knows: Any


def spans(size: int) -> Rows:
    """Return room for so many."""
    return np.empty(size, SPAN).view(np.recarray)


@inlined
def seconds(way: float, pace: float, factor: float) -> int:
    """Return the whole seconds of a way, as the straight line estimates them and check-ins corrected them; nothing for an unknown one."""
    if isnan(way):
        return 0
    return int(ceil(ceil(way * pace) * factor))  # noqa: RUF046 - compiled, ceil gives a float


@inlined
def between(a: Any, b: Any) -> float:
    """Return the metres between two places."""
    return metres(a.lon, a.low, a.sin, a.cos, b.lon, b.low, b.sin, b.cos)


@inlined
def roughly(a: Any, b: Any) -> float:
    """Return about how many metres lie between a rounded place and another: never less than the truth, which is ``surely`` that or more."""
    north, east = a.low - b.low, a.lon - b.lon
    return ROUGH_AXIS_M * sqrt(north * north + a.cos * b.cos * east * east) + ROUNDED_M


@inlined
def surely(rough: float) -> float:
    """Return how many metres it is at least, of what ``roughly`` said."""
    return (rough - 2 * ROUNDED_M) * TRUEST


@inlined
def standing(gate: Any, row: int, q: Question) -> int:
    """Return what keeps a carer away wherever in the day the order would stand."""
    w = q.wanted[0]
    found = gate.against | q.more[row]
    if not q.fits_licence[gate.licence]:
        found |= QUALIFICATION
    if not q.fits_duty[gate.duty]:
        found |= AREA
    if w.sex and gate.sex != w.sex:
        found |= SEX
    if gate.booked + w.minutes > gate.most:
        found |= MINUTES
    return int(found)


@inlined
def standing_cost(gate: Any, row: int, q: Question) -> float:
    """Return what a new face, another dialect and the work booked cost together."""
    w = q.wanted[0]
    face = 0.0 if q.knows[row] else w.face_price
    tongue = 0.0 if q.speaks[gate.tongue] else w.tongue_price
    return float(face + tongue + gate.booked / MINUTES_PER_HOUR * w.hour_price)


@inlined
def rests_elsewhere(c: Columns, row: int, gap: int) -> bool:
    """Whether the break fits between other stops than those of a gap."""
    carer, stops = c.carers[row], c.gates[row].stops
    free = carer.rest_from
    for number in range(stops):
        stop = c.stops[row, number]
        if number != gap and min(stop.begins, carer.rest_to) - free >= carer.rest:
            return True
        free = max(free, stop.ends)
    return bool(gap != stops and carer.rest_to - free >= carer.rest)


@inlined
def keep(out: Any, count: int, row: int, cost: float, first: int, last: int) -> int:
    """Write one span, if it holds a moment; return how many there are."""
    if first > last or count >= len(out):
        return count
    span = out[count]
    span.first, span.last, span.cost, span.row = first, last, cost, row
    return count + 1


@inlined
def keep_rested(c: Columns, row: int, w: Any, gap: Any, out: Any, count: int, cost: float, starts: Any) -> int:
    """Write the part of a span that leaves the carer the break."""
    carer = c.carers[row]
    first, last = starts
    number, _previous, before, after = gap
    if carer.rest == 0 or rests_elsewhere(c, row, number):
        return keep(out, count, row, cost, first, last)
    until, since = min(after, carer.rest_to) - carer.rest, max(before, carer.rest_from) + carer.rest
    early = until - w.length if until >= carer.rest_from else NEVER
    late = since if since <= carer.rest_to else ALWAYS
    if early + 1 >= late:
        return keep(out, count, row, cost, first, last)
    count = keep(out, count, row, cost, first, min(last, early))
    return keep(out, count, row, cost, max(first, late), last)


@inlined
def keep_present(
    c: Columns, row: int, w: Any, gap: Any, out: Any, count: int, cost: float, starts: Any
) -> tuple[int, int]:
    """Write the parts of a span in which the carer is there; return how many there are, and how far it went."""
    first, last = starts
    reached, moment, had = ABSENT, first, count
    pauses = c.gates[row].away
    for number in range(pauses + 1):
        upto = last if number == pauses else min(last, c.away[row, number].begins - w.length)
        if moment <= upto:
            reached = BREAK
            count = keep_rested(c, row, w, gap, out, count, cost, (moment, upto))
        if number < pauses:
            moment = max(moment, c.away[row, number].ends)
    return count, FOUND if count > had else reached


@inlined
def keep_gap(c: Columns, row: int, q: Question, gap: Any, out: Any, count: int, base: float) -> tuple[int, int]:
    """Write the starts between two stops, exactly; return how many there are, and how far it went."""
    gate, w = c.gates[row], q.wanted[0]
    number, previous, before, after = gap
    mode = q.paces[gate.mode if gate.mode >= 0 else w.mode]
    first, last = max(w.earliest, gate.day_from), min(w.latest, gate.day_to - w.length)
    there = between(c.carers[row], w) if previous < 0 else between(c.spots[row, previous], w)
    to, on, saved = seconds(there, mode.pace, mode.factor), 0, 0
    first = max(first, before + to * SECOND if previous >= 0 else before)
    if number < gate.stops:
        goal = c.spots[row, number]
        onward = between(w, goal)
        on = seconds(onward, mode.pace, mode.factor)
        if not (isnan(there) or isnan(onward)):
            saved = seconds(goal.metres, mode.pace, mode.factor)
        last = min(last, after - w.length - on * SECOND)
    if first > last:
        return count, TRAVEL
    cost = (to + on - saved) / SECONDS_PER_MINUTE * w.minute_price + base
    return keep_present(c, row, w, gap, out, count, cost, (first, last))


@inlined
def try_gap(
    c: Columns, row: int, q: Question, gap: Any, rough: Any, out: Any, count: int, prices: Any
) -> tuple[int, int]:
    """Write the starts between two stops, unless rough ways already tell that there is none, or none that costs little enough.

    ``prices`` are what the carer costs without the way, and the most that the order may cost.
    """
    gate, w = c.gates[row], q.wanted[0]
    base, bound = prices
    number, previous, before, after = gap
    mode = q.paces[gate.mode if gate.mode >= 0 else w.mode]
    pace, loss = mode.pace * mode.factor, 1 + mode.factor
    first, last = max(w.earliest, gate.day_from, before), min(w.latest, gate.day_to - w.length, after - w.length)
    to, on, has_next = surely(rough[0]) * pace, surely(rough[1]) * pace, number < gate.stops
    if previous >= 0 and before + to * SECOND > last:
        return count, TRAVEL
    if has_next and after - w.length - on * SECOND < first:
        return count, TRAVEL
    saved = (c.stops[row, number].metres + ROUNDED_M) * pace + loss if has_next else 0.0
    if (to + on - saved) / SECONDS_PER_MINUTE * w.minute_price + base > bound:
        if previous >= 0:
            first = max(first, before + int(rough[0] * pace + loss + 1) * SECOND)
        if has_next:
            last = min(last, after - w.length - int(rough[1] * pace + loss + 1) * SECOND)
        found, _why = keep_present(c, row, w, gap, out, count, base, (first, last))
        if found > count:
            return count, FOUND
    return keep_gap(c, row, q, gap, out, count, base)


@inlined
def look_at(c: Columns, row: int, q: Question, out: Any, count: int, bound: float) -> tuple[int, int]:
    """Write the starts a carer's day has for the order; return how many spans there are now, and what prevented it if there is no start.

    Starts that cost more than ``bound`` need not be written.
    """
    gate, w = c.gates[row], q.wanted[0]
    begin, end = max(w.earliest, gate.day_from), min(w.latest, gate.day_to - w.length)
    if begin > end:
        return count, HOURS
    reached, free, previous, rough = BUSY, NEVER, -1, -1.0
    base = standing_cost(gate, row, q)
    for number in range(gate.stops + 1):
        is_end = number == gate.stops
        after, ahead = ALWAYS if is_end else c.stops[row, number].begins, -1.0
        if max(begin, free) <= min(end, after - w.length):
            if rough < 0:
                rough = roughly(gate, w) if previous < 0 else roughly(c.stops[row, previous], w)
            ahead = 0.0 if is_end else roughly(c.stops[row, number], w)
            count, why = try_gap(c, row, q, (number, previous, free, after), (rough, ahead), out, count, (base, bound))
            reached = max(reached, why)
        if is_end or after - w.length > end:
            break
        if c.stops[row, number].ends > free:
            free, previous, rough = c.stops[row, number].ends, number, ahead
    return count, 0 if reached == FOUND else reached


@inlined
def enter(best: Any, cost: float) -> float:
    """Put a cost among the least ones, if it belongs there; return the greatest of them."""
    place = len(best) - 1
    if cost >= best[place]:
        return float(best[place])
    while place > 0 and best[place - 1] > cost:
        best[place] = best[place - 1]
        place -= 1
    best[place] = cost
    return float(best[len(best) - 1])


@inlined
def nearest(w: Any, first: int, last: int) -> int:
    """Return the start in a span nearest to the wish, on the step if the span holds one."""
    start = min(max(w.wish, first), last)
    if start == w.wish:
        return int(start)
    stepped = -(-first // w.step) * w.step if start == first else last // w.step * w.step
    return int(stepped if first <= stepped <= last else start)


@inlined
def least(w: Any, own: Any, count: int) -> tuple[float, int]:
    """Return the least cost of some spans, and the start nearest to the wish at that cost."""
    cost, start = np.inf, 0
    for number in range(count):
        one = own[number]
        moment = nearest(w, one.first, one.last)
        is_nearer = one.cost == cost and abs(moment - w.wish) < abs(start - w.wish)
        if one.cost < cost or is_nearer:
            cost, start = one.cost, moment
    return cost, start


@compiled
def scan_single(c: Columns, q: Question, rows: Any, own: Any, best: Any, floor: float, found: Any) -> None:
    """For each row write (``found``) the least cost, the start nearest to the wish at that cost, and what keeps the carer away.

    ``best`` starts full of infinity and ends with the least costs; a row that costs more than the last of them and than ``floor`` may be
    left at infinity.
    """
    cost, start, against = found
    bound = np.inf
    for number in range(len(rows)):
        row = rows[number]
        cost[number], start[number] = np.inf, 0
        against[number] = standing(c.gates[row], row, q)
        if against[number] == 0:
            count, against[number] = look_at(c, row, q, own, 0, max(bound, floor))
            cost[number], start[number] = least(q.wanted[0], own, count)
            bound = enter(best, cost[number])


@compiled
def scan_all(c: Columns, q: Question, rows: Any, out: Any, against: Any) -> int:
    """Write every span of every row that may go; return how many."""
    count = 0
    for number in range(len(rows)):
        row = rows[number]
        against[number] = standing(c.gates[row], row, q)
        if against[number] == 0:
            count, against[number] = look_at(c, row, q, out, count, np.inf)
    return count


@compiled
def scan_pairs(out: Any, by_cost: Any, q: Question, pairs: Any) -> int:
    """Write the cheapest pairs of different carers who can start together, best first; return how many. ``first`` of a pair is its start.

    Spans are taken in the order of their cost, so that a pair that costs more than the last one kept ends the search for its first half.
    """
    count = 0
    for a in range(len(by_cost)):
        one = out[by_cost[a]]
        if count == len(pairs) and 2 * one.cost >= pairs[count - 1].cost:
            break
        for b in range(a + 1, len(by_cost)):
            other = out[by_cost[b]]
            total = one.cost + other.cost
            if count == len(pairs) and total >= pairs[count - 1].cost:
                break
            first, last = max(one.first, other.first), min(one.last, other.last)
            if one.row != other.row and first <= last:
                count = enter_pair(pairs, count, one.row, other.row, total, nearest(q.wanted[0], first, last))
    return count


@compiled
def enter_pair(pairs: Any, count: int, one: int, other: int, cost: float, start: int) -> int:
    """Put a pair at its place among the best, once; return how many there are."""
    for number in range(count):
        known = pairs[number]
        if (known.one == one and known.other == other) or (known.one == other and known.other == one):
            if known.cost <= cost:
                return count
            for later in range(number, count - 1):
                pairs[later] = pairs[later + 1]
            count -= 1
            break
    count = min(count + 1, len(pairs))
    place = count - 1
    while place > 0 and pairs[place - 1].cost > cost:
        pairs[place] = pairs[place - 1]
        place -= 1
    entered = pairs[place]
    entered.one, entered.other, entered.cost, entered.start = one, other, cost, start
    return count
