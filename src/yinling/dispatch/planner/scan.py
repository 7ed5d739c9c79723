"""Looking through the days of many carers for where one order fits: compiled, exact, nothing left out.

What is announced stands: an order is put between two stops of a day or it is not put. All moments are microseconds of the day.
"""

from __future__ import annotations

from math import ceil, isnan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from yinling.dispatch.planner.distance import metres
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
    QUALIFICATION,
    SEX,
    TRAVEL,
    Columns,
)

SECOND = 1_000_000
SECONDS_PER_MINUTE = 60
MINUTES_PER_HOUR = 60


class Wanted(NamedTuple):
    """One order as the scan takes it. ``fits`` columns answer for the numbers of the roster's words; ``more`` and ``knows`` go by row.

    ``price`` is a minute on the way, a new face, another dialect, an hour booked; ``pace`` seconds a metre by mode, ``factor`` what was
    learned; a carer without a mode goes by ``mode``.
    """

    order: int
    place: NDArray[np.float64]
    earliest: int
    latest: int
    wish: int
    length: int
    minutes: int
    sex: int
    mode: int
    pace: NDArray[np.float64]
    factor: NDArray[np.float64]
    price: NDArray[np.float64]
    fits_licence: NDArray[np.bool_]
    fits_duty: NDArray[np.bool_]
    speaks: NDArray[np.bool_]
    more: NDArray[np.uint16]
    knows: NDArray[np.bool_]


class Spans(NamedTuple):
    """Where an order may start in the days looked at: from, to, what it costs, whose day."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    cost: NDArray[np.float64]
    row: NDArray[np.int64]


def spans(size: int) -> Spans:
    """Return room for so many."""
    whole = (np.empty(size, np.int64) for _column in range(3))
    first, last, row = whole
    return Spans(first, last, np.empty(size), row)


@inlined
def seconds(way: float, pace: float, factor: float) -> int:
    """Return the whole seconds of a way, as the straight line estimates them and check-ins corrected them; nothing for an unknown one."""
    if isnan(way):
        return 0
    return int(ceil(ceil(way * pace) * factor))


@inlined
def between(a: Any, b: Any) -> float:
    """Return the metres between two places."""
    return metres(a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3])


@inlined
def standing(c: Columns, w: Wanted, row: int) -> int:
    """Return what keeps a carer away wherever in the day the order would stand."""
    found = int(c.against[row]) | int(w.more[row])
    if not w.fits_licence[c.licence[row]]:
        found |= QUALIFICATION
    if not w.fits_duty[c.duty[row]]:
        found |= AREA
    if w.sex and c.sex[row] != w.sex:
        found |= SEX
    if c.booked[row] + w.minutes > c.most[row]:
        found |= MINUTES
    return found


@inlined
def standing_cost(c: Columns, w: Wanted, row: int) -> tuple[float, float, float]:
    """Return what a new face, another dialect and the work booked cost."""
    face = 0.0 if w.knows[row] else w.price[1]
    tongue = 0.0 if w.speaks[c.tongue[row]] else w.price[2]
    return face, tongue, c.booked[row] / MINUTES_PER_HOUR * w.price[3]


@compiled
def rests_elsewhere(c: Columns, w: Wanted, row: int, gap: int) -> bool:
    """Whether the break fits between other stops than those of a gap."""
    free = c.rest_from[row]
    for stop in range(c.stops[row] + 1):
        is_end = stop == c.stops[row]
        if not is_end and c.stop_order[row, stop] == w.order:
            continue
        upto = c.rest_to[row] if is_end else min(c.stop_from[row, stop], c.rest_to[row])
        if stop != gap and upto - free >= c.rest[row]:
            return True
        if not is_end:
            free = max(free, c.stop_to[row, stop])
    return False


@compiled
def keep(out: Spans, count: int, row: int, cost: float, first: int, last: int) -> int:
    """Write one span, if it holds a moment; return how many there are."""
    if first > last or count >= len(out.first):
        return count
    out.first[count], out.last[count], out.cost[count], out.row[count] = first, last, cost, row
    return count + 1


@compiled
def keep_rested(c: Columns, w: Wanted, row: int, gap: tuple[int, int, int], out: Spans, count: int, cost: float, first: int, last: int) -> int:  # noqa: PLR0913, PLR0917 - compiled code has no objects to pass
    """Write the part of a span that leaves the carer the break."""
    number, before, after = gap
    if c.rest[row] == 0 or rests_elsewhere(c, w, row, number):
        return keep(out, count, row, cost, first, last)
    until, since = min(after, c.rest_to[row]) - c.rest[row], max(before, c.rest_from[row]) + c.rest[row]
    early = until - w.length if until >= c.rest_from[row] else NEVER
    late = since if since <= c.rest_to[row] else ALWAYS
    if early + 1 >= late:
        return keep(out, count, row, cost, first, last)
    count = keep(out, count, row, cost, first, min(last, early))
    return keep(out, count, row, cost, max(first, late), last)


@compiled
def keep_present(c: Columns, w: Wanted, row: int, gap: tuple[int, int, int], out: Spans, count: int, cost: float, first: int, last: int) -> tuple[int, int]:  # noqa: PLR0913, PLR0917 - as above
    """Write the parts of a span in which the carer is there; return how many there are, and how far it went."""
    reached, moment, had = ABSENT, first, count
    for one in range(c.away[row] + 1):
        is_end = one == c.away[row]
        upto = last if is_end else min(last, c.away_from[row, one] - w.length)
        if moment <= upto:
            reached = BREAK
            count = keep_rested(c, w, row, gap, out, count, cost, moment, upto)
        if not is_end:
            moment = max(moment, c.away_to[row, one])
    return count, 0 if count > had else reached


@compiled
def keep_gap(c: Columns, w: Wanted, row: int, gap: tuple[int, int, int], ends: tuple[int, int], out: Spans, count: int, way: float) -> tuple[int, int]:  # noqa: PLR0913, PLR0917 - as above
    """Write the starts between two stops (-1: the start of the day; the number of stops: its end). ``way`` is that between them."""
    stop, before, after = gap
    previous, following = ends
    mode = c.mode[row] if c.mode[row] >= 0 else w.mode
    pace, factor = w.pace[mode], w.factor[mode]
    first, last = max(w.earliest, c.day_from[row]), min(w.latest, c.day_to[row] - w.length)
    there = between(c.start[row], w.place) if previous < 0 else between(c.stop_place[row, previous], w.place)
    to, on, saved = seconds(there, pace, factor), 0, 0
    first = max(first, before + to * SECOND if previous >= 0 else before)
    if following >= 0:
        onward = between(w.place, c.stop_place[row, following])
        on = seconds(onward, pace, factor)
        if not (isnan(there) or isnan(onward)):
            saved = seconds(way, pace, factor)
        last = min(last, after - w.length - on * SECOND)
    if first > last:
        return count, TRAVEL
    face, tongue, load = standing_cost(c, w, row)
    cost = (to + on - saved) / SECONDS_PER_MINUTE * w.price[0] + face + tongue + load
    return keep_present(c, w, row, gap, out, count, cost, first, last)


@compiled
def look_at(c: Columns, w: Wanted, row: int, out: Spans, count: int) -> tuple[int, int]:
    """Write every start a carer's day has for the order; return how many spans there are now, and what prevented it if none was added."""
    begin, end = max(w.earliest, c.day_from[row]), min(w.latest, c.day_to[row] - w.length)
    if begin > end:
        return count, HOURS
    reached, had, free, previous, is_cut = BUSY, count, NEVER, -1, False
    for stop in range(c.stops[row] + 1):
        is_end = stop == c.stops[row]
        if not is_end and c.stop_order[row, stop] == w.order:
            is_cut = True
            continue
        after = ALWAYS if is_end else c.stop_from[row, stop]
        if max(begin, free) <= min(end, after - w.length):
            way = c.stop_metres[row, stop] if not (is_end or is_cut) else 0.0
            if is_cut and not is_end:
                way = between(c.start[row] if previous < 0 else c.stop_place[row, previous], c.stop_place[row, stop])
            count, why = keep_gap(c, w, row, (stop, free, after), (previous, -1 if is_end else stop), out, count, way)
            reached = max(reached, why)
        if after - w.length > end:
            break
        if not is_end and c.stop_to[row, stop] > free:
            free, previous = c.stop_to[row, stop], stop
    return count, 0 if count > had else reached


@compiled
def scan_single(c: Columns, w: Wanted, rows: Any, own: Spans, cost: Any, start: Any, against: Any) -> None:  # noqa: PLR0913, PLR0917 - as above
    """For each row write the least cost, the start nearest to the wish at that cost, and what keeps the carer away."""
    for number in range(len(rows)):
        row = rows[number]
        cost[number], start[number] = np.inf, 0
        against[number] = standing(c, w, row)
        if against[number]:
            continue
        count, why = look_at(c, w, row, own, 0)
        against[number] = why
        for one in range(count):
            nearest = min(max(w.wish, own.first[one]), own.last[one])
            is_nearer = own.cost[one] == cost[number] and abs(nearest - w.wish) < abs(start[number] - w.wish)
            if own.cost[one] < cost[number] or is_nearer:
                cost[number], start[number] = own.cost[one], nearest


@compiled
def scan_all(c: Columns, w: Wanted, rows: Any, out: Spans, against: Any) -> int:
    """Write every span of every row that may go; return how many."""
    count = 0
    for number in range(len(rows)):
        row = rows[number]
        against[number] = standing(c, w, row)
        if not against[number]:
            count, against[number] = look_at(c, w, row, out, count)
    return count


@compiled
def scan_pairs(out: Spans, by_cost: Any, wish: int, pairs: Any, starts: Any, costs: Any) -> int:  # noqa: PLR0913, PLR0917 - as above
    """Write the cheapest pairs of different carers who can start together, best first; return how many.

    Spans are taken in the order of their cost, so that a pair that costs more than the last one kept ends the search for its first half.
    """
    count = 0
    for a in range(len(by_cost)):
        i = by_cost[a]
        for b in range(a + 1, len(by_cost)):
            j = by_cost[b]
            total = out.cost[i] + out.cost[j]
            if count == len(pairs) and total >= costs[count - 1]:
                break
            first, last = max(out.first[i], out.first[j]), min(out.last[i], out.last[j])
            if out.row[i] != out.row[j] and first <= last:
                start = min(max(wish, first), last)
                count = enter_pair(out.row[i], out.row[j], total, start, count, pairs, starts, costs)
        if count == len(pairs) and a + 1 < len(by_cost) and 2 * out.cost[by_cost[a + 1]] >= costs[count - 1]:
            break
    return count


@compiled
def enter_pair(one: int, other: int, total: float, start: int, count: int, pairs: Any, starts: Any, costs: Any) -> int:  # noqa: PLR0913, PLR0917 - as above
    """Put a pair at its place among the best, once; return how many there are."""
    for place in range(count):
        if (pairs[place, 0] == one and pairs[place, 1] == other) or (pairs[place, 0] == other and pairs[place, 1] == one):
            if costs[place] <= total:
                return count
            for later in range(place, count - 1):
                pairs[later], starts[later], costs[later] = pairs[later + 1], starts[later + 1], costs[later + 1]
            count -= 1
            break
    place = count
    while place > 0 and costs[place - 1] > total:
        place -= 1
    if place == len(pairs):
        return count
    count = min(count + 1, len(pairs))
    for later in range(count - 1, place, -1):
        pairs[later], starts[later], costs[later] = pairs[later - 1], starts[later - 1], costs[later - 1]
    pairs[place, 0], pairs[place, 1], starts[place], costs[place] = one, other, start, total
    return count
