"""How many seats a half hour needs: what is expected from history, Erlang C for callers who wait for ever, Erlang A for those who give up.

Pure. The loss and delay formulas of Erlang are those of the library ``call-center-tools``. Erlang A (M/M/n+M, Palm 1957) is put together
from them as Zeltyn and Mandelbaum do ("Call centers with impatient customers: many-server asymptotics of the M/M/n+G queue", Queueing
Systems 51, 2005, section 9): no library for Python 3.11 has it without a whole optimiser behind it (docs/decisions/0005).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from math import exp, inf
from statistics import fmean

from call_center_tools import erlang_b, erlang_c

from yinling.kernel.period import week_start
from yinling.kernel.workdays import WorkingCalendar

HALF_HOUR = timedelta(minutes=30)
SLOTS = 48
_SECONDS = 1800
_SATURDAY, _SUNDAY = 5, 6
_MAKE_UP = 7
"""The kind of a make-up working day: as the mean of Monday to Friday."""
_TREND = (0.5, 2.0)
_FEWEST_WEEKS = 3
_PARTS = 400
_FAR = 40.0
_NO_CALL = 1e-9
MOST_SEATS = 500


@dataclass(frozen=True)
class Target:
    """What is wanted: a share of the callers answered within so many seconds, and no more than a share who give up."""

    answered: float
    seconds: float
    abandoned: float


@dataclass(frozen=True)
class Service:
    """What so many seats give: share of callers answered in time, share who give up, mean wait in seconds, share of time busy."""

    answered: float
    abandoned: float
    wait_seconds: float
    busy: float


def service(calls: float, handling: float, seats: int, within: float, patience: float | None) -> Service:
    """Return what seats give in a half hour with so many calls of so many seconds; without patience nobody gives up."""
    if calls < _NO_CALL:
        return Service(1.0, 0.0, 0.0, 0.0)
    if patience is None:
        return _erlang_c(calls, handling, seats, within)
    return _erlang_a(calls / _SECONDS, handling, seats, within, 1 / patience)


def _erlang_c(calls: float, handling: float, seats: int, within: float) -> Service:
    """M/M/n. With no more seats than load the queue grows for ever."""
    load = calls * handling / _SECONDS
    if seats <= load:
        return Service(0.0, 0.0, inf, 1.0)
    delayed = erlang_c(load, seats)
    late = delayed * exp(-(seats - load) * within / handling)
    return Service(1 - late, 0.0, delayed * handling / (seats - load), load / seats)


def _erlang_a(arrive: float, handling: float, seats: int, within: float, leave: float) -> Service:
    """M/M/n+M by the building blocks E and J: the wait offered has the density λ·g(x)/(E + λJ) beside its mass at nought.

    g(x) = exp(λ(1 - e^-θx)/θ - nμx) may be huge, so that everything is divided by its greatest value.
    """
    rate = seats / handling

    def power(x: float) -> float:
        return arrive * (1 - exp(-leave * x)) / leave - rate * x

    end = 1 / rate
    while power(end) > -_FAR:
        end *= 2
    top = max(0.0, *(power(end * part / _PARTS) for part in range(_PARTS)))
    block = exp(-top) / erlang_b(arrive * handling, seats - 1)
    offered = _integral(lambda x: exp(power(x) - top), end)
    served = _integral(lambda x: exp(power(x) - top - leave * x), min(within, end))
    whole = block + arrive * offered
    abandoned = min(1.0, max(0.0, (exp(-top) + (arrive - rate) * offered) / whole))
    answered = min(1.0, (block + arrive * served) / whole)
    return Service(answered, abandoned, abandoned / leave, arrive * (1 - abandoned) / rate)


def _integral(function: Callable[[float], float], end: float) -> float:
    """Simpson's rule from nought."""
    step = end / _PARTS
    values = [function(step * part) for part in range(_PARTS + 1)]
    return step / 3 * (values[0] + 4 * sum(values[1:-1:2]) + 2 * sum(values[2:-1:2]) + values[-1])


@lru_cache(maxsize=4096)
def seats_needed(calls: float, handling: float, patience: float | None, target: Target) -> int:
    """Return the fewest seats that reach the target; at least one, for the line is never without anybody (R-CALL-03)."""
    load = calls * handling / _SECONDS
    seats = max(1, int(load * (1 - target.abandoned)))
    while seats < MOST_SEATS:
        given = service(calls, handling, seats, target.seconds, patience)
        if given.answered >= target.answered and given.abandoned <= target.abandoned:
            break
        seats += 1
    return seats


# What is to be expected


def kind_of(day: date, calendar: WorkingCalendar) -> int:
    """Return what kind of day one is: a holiday in the week is as a Sunday, a make-up Saturday as a day of the week (X-CAL-01)."""
    is_working = calendar.is_working(day)
    if day.weekday() < _SATURDAY:
        return day.weekday() if is_working else _SUNDAY
    return _MAKE_UP if is_working else day.weekday()


def expected_calls(history: Mapping[date, Sequence[int]], day: date, calendar: WorkingCalendar) -> list[float]:
    """Return the calls to expect in each half hour of a day: the mean of days of its kind, times the trend of the weeks."""
    if not history:
        return [0.0] * SLOTS
    kinds = {one: kind_of(one, calendar) for one in history}
    days = [history[one] for one in sorted(history) if _is_like(kinds[one], kind_of(day, calendar))]
    chosen = days or list(history.values())
    factor = trend(history, day)
    return [factor * fmean(counts[slot] for counts in chosen) for slot in range(SLOTS)]


def _is_like(kind: int, wanted: int) -> bool:
    return kind < _SATURDAY if wanted == _MAKE_UP else kind == wanted


def trend(history: Mapping[date, Sequence[int]], day: date) -> float:
    """Return by how much the week of a day is above or below the mean of the weeks, along the straight line through them.

    Whole weeks only; fewer than three say nothing; never below half nor above double.
    """
    weeks: dict[date, list[int]] = {}
    for one, counts in history.items():
        weeks.setdefault(week_start(one), []).append(sum(counts))
    totals = {monday: sum(counts) for monday, counts in weeks.items() if len(counts) == 7}  # noqa: PLR2004 - days of a week
    if len(totals) < _FEWEST_WEEKS or not any(totals.values()):
        return 1.0
    first = min(totals)
    points = [((monday - first).days / 7, total) for monday, total in totals.items()]
    middle, mean = fmean(x for x, _ in points), fmean(y for _, y in points)
    slope = sum((x - middle) * (y - mean) for x, y in points) / sum((x - middle) ** 2 for x, _ in points)
    value = mean + slope * ((week_start(day) - first).days / 7 - middle)
    return min(max(value / mean, _TREND[0]), _TREND[1])
