"""Working days from the yearly notice of the State Council, and deadlines counted in them (X-CAL-03, X-CALL-05)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from yinling.kernel.period import ONE_DAY, local_midnight

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

DayKind = Literal["holiday", "makeup_workday"]
_SATURDAY = 5


@dataclass(frozen=True)
class WorkingDeadline:
    """The last day to act.

    Provisional if a year on the way has no list yet: to be counted again when it is loaded (X-CAL-03).
    """

    day: date
    is_provisional: bool

    @property
    def due_at(self) -> datetime:
        """24:00 local of that day, in UTC: acting before this moment is in time."""
        return local_midnight(self.day + ONE_DAY)


class WorkingCalendar:
    """Days off and make-up working days of the years loaded.

    In any other year Monday to Friday are working days, and nothing else is (X-CAL-03).
    """

    def __init__(self, days: Mapping[date, DayKind], years: Iterable[int]) -> None:
        self._days = dict(days)
        self.years = frozenset(years)

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[date, str]], years: Iterable[int] | None = None) -> WorkingCalendar:
        """Build it from (day, kind) rows; without ``years``, for the years of the rows.

        ValueError for an unknown kind or a day given twice.
        """
        days: dict[date, DayKind] = {}
        for day, kind in rows:
            known = next((word for word in get_args(DayKind) if word == kind), None)
            if known is None or day in days:
                raise ValueError(f"{day}: {kind!r} is no kind of day, or the day is given twice")
            days[day] = known
        return cls(days, {day.year for day in days} if years is None else years)

    def is_provisional(self, day: date) -> bool:
        """Whether the list of the day's year is missing."""
        return day.year not in self.years

    def is_working(self, day: date) -> bool:
        """Whether offices work on this day."""
        kind = None if self.is_provisional(day) else self._days.get(day)
        return day.weekday() < _SATURDAY if kind is None else kind == "makeup_workday"

    def add_working_days(self, day: date, count: int) -> WorkingDeadline:
        """Count working days from the day after, whatever the hour of the event (X-CALL-05); none is the day itself.

        ValueError for a negative count.
        """
        if count < 0:
            raise ValueError("working days are counted forwards")
        is_provisional = self.is_provisional(day)
        while count:
            day += ONE_DAY
            count -= self.is_working(day)
            is_provisional |= self.is_provisional(day)
        return WorkingDeadline(day, is_provisional)

    def due_at(self, day: date, count: int) -> datetime:
        """24:00 local of the last of so many working days after ``day``, in UTC."""
        return self.add_working_days(day, count).due_at

    def act_by(self, day: date) -> WorkingDeadline:
        """Move the last day for acting towards an authority off rest days, forwards (X-TIME-03).

        Never for a span of validity and never for a safety duty.
        """
        is_provisional = self.is_provisional(day)
        while not self.is_working(day):
            day += ONE_DAY
            is_provisional |= self.is_provisional(day)
        return WorkingDeadline(day, is_provisional)
