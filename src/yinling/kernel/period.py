"""Days, months, ages, spans of validity and spans of time, all in Asia/Shanghai (X-TIME, D-17)."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

SHANGHAI = ZoneInfo("Asia/Shanghai")
ONE_DAY = timedelta(days=1)
_MONTHS = 12


def _require_aware(moment: datetime) -> None:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")


def local_date(moment: datetime) -> date:
    """The day on the wall calendar in China. ValueError for a moment without a zone."""
    _require_aware(moment)
    return moment.astimezone(SHANGHAI).date()


def local_midnight(day: date) -> datetime:
    """The first moment of a local day, in UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """First moment of the day and first moment of the next, in UTC: ``start <= moment < end``."""
    return local_midnight(day), local_midnight(day + ONE_DAY)


def week_start(day: date) -> date:
    """Monday of the week (X-TIME-07)."""
    return day - timedelta(days=day.weekday())


def month_start(day: date) -> date:
    """First day of the month."""
    return day.replace(day=1)


def next_month(day: date) -> date:
    """First day of the following month."""
    return add_months(month_start(day), 1)


def add_months(day: date, months: int) -> date:
    """The corresponding day; without one, the last day of that month (X-TIME-02). Months may be negative."""
    year, month = divmod(day.year * _MONTHS + day.month - 1 + months, _MONTHS)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def add_years(day: date, years: int) -> date:
    """The corresponding day in another year; 29 February becomes the 28th in a common year (X-TIME-02)."""
    return add_months(day, years * _MONTHS)


def _require_forward(years: int, months: int, days: int) -> None:
    if min(years, months, days) < 0:
        raise ValueError("a span does not run backwards")


def last_day_of_span(event_day: date, *, years: int = 0, months: int = 0, days: int = 0) -> date:
    """Last day, inclusive, of a span counted from the day of an event (D-17).

    The day of the event is not counted (X-TIME-01), so the span runs through the corresponding day (X-TIME-02) to
    24:00. Rest days do not lengthen it; for a deadline to act see ``WorkingCalendar.act_by``. ValueError if negative.
    """
    _require_forward(years, months, days)
    return add_months(event_day, years * _MONTHS + months) + timedelta(days=days)


def age_on(born: date, day: date) -> int:
    """Full years of age; it changes on the calendar birthday (X-TIME-04, D-05).

    Who was born on 29 February is a year older on the 28th in a common year. ValueError for a day before birth.
    """
    if day < born:
        raise ValueError("nobody has an age before birth")
    years = day.year - born.year
    return years if add_years(born, years) <= day else years - 1


def born_by(age: int, day: date) -> date:
    """Return the last birthday of those who have this age on a day, who was born on 29 February included (X-TIME-04)."""
    born = add_years(day, -age)
    return born + ONE_DAY if add_years(born + ONE_DAY, age) <= day else born


@dataclass(frozen=True, order=True)
class DayPeriod:
    """Days from ``from_`` up to, not including, ``to``; None is open. Stored so, shown with the ``last_day`` (D-17).

    Raises Refused ``period.empty`` if no day is left.
    """

    from_: date
    to: date | None = None

    def __post_init__(self) -> None:
        if isinstance(self.from_, datetime) or isinstance(self.to, datetime):
            raise ValueError("a period of days is made of days, not of moments")  # noqa: TRY004 - one kind of error for wrong dates
        if self.to is not None and self.to <= self.from_:
            raise Refused("period.empty", N_("结束日期不能早于开始日期，请检查。"))

    @classmethod
    def through(cls, first: date, last: date | None) -> DayPeriod:
        """Make the period from its first and last day, both inclusive, as people write them."""
        return cls(first, None if last is None else last + ONE_DAY)

    @property
    def last_day(self) -> date | None:
        """The last day on which it holds; None if it is open."""
        return None if self.to is None else self.to - ONE_DAY

    def contains(self, day: date) -> bool:
        """Whether it holds on this day."""
        return self.from_ <= day and (self.to is None or day < self.to)

    def intersection(self, other: DayPeriod) -> DayPeriod | None:
        """The days of both; None if there are none."""
        from_ = max(self.from_, other.from_)
        to = min((period.to for period in (self, other) if period.to is not None), default=None)
        return None if to is not None and to <= from_ else DayPeriod(from_, to)

    def overlaps(self, other: DayPeriod) -> bool:
        """Whether some day belongs to both."""
        return self.intersection(other) is not None


def span_from_first_day(first: date, *, years: int = 0, months: int = 0, days: int = 0) -> DayPeriod:
    """Lease, contract, entitlement: ends on the day before the corresponding day (D-17).

    Where that day does not exist (a month from 31 January), the day before it is the last day of the month (X-TIME-02).
    """
    _require_forward(years, months, days)
    to = add_months(first, years * _MONTHS + months)
    if to.day != first.day:
        to += ONE_DAY
    return DayPeriod(first, to + timedelta(days=days))


@dataclass(frozen=True, order=True)
class Span:
    """From one moment up to, not including, another.

    ValueError without a zone, Refused ``span.backwards`` if it ends before it starts.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        _require_aware(self.start)
        _require_aware(self.end)
        if self.end < self.start:
            raise Refused("span.backwards", N_("结束时间不能早于开始时间，请检查。"))

    @property
    def minutes(self) -> int:
        """Full minutes."""
        return (self.end - self.start) // timedelta(minutes=1)

    def contains(self, moment: datetime) -> bool:
        """Whether the moment lies in it."""
        _require_aware(moment)
        return self.start <= moment < self.end

    def overlaps(self, other: Span) -> bool:
        """Whether some time belongs to both; touching is not overlapping."""
        return max(self.start, other.start) < min(self.end, other.end)
