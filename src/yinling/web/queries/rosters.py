"""The duty roster as a sheet: a line a person, a column a day, and how many are on duty in each half hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from yinling.hotline.duty import Fault, Hole, Post, Share, holes, levels
from yinling.hotline.models import Roster, Seat, Shift
from yinling.hotline.queries import duty_rules, faults_of, posts_of, shares_of
from yinling.hotline.staffing import HALF_HOUR, SLOTS
from yinling.kernel.period import SHANGHAI, local_date, local_midnight, week_start

WEEK_DAYS = 7


@dataclass
class Line:
    """One person: shifts by the day on which they begin, and the share of the whole roster."""

    seat: Seat
    share: Share
    days: dict[date, list[Shift]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class Sheet:
    """A roster ready to be shown."""

    days: list[date]
    lines: list[Line]
    cover: dict[date, list[int | None]]
    holes: list[Hole]
    faults: list[Fault]
    names: dict[int, Seat]
    count: int

    def short(self, day: date, least: int) -> int:
        """How many half hours of a day lack somebody."""
        return sum(1 for count in self.cover[day] if count is not None and count < least)


def days_of(roster: Roster) -> list[date]:
    """Every local day that a roster touches."""
    first, last = local_date(roster.from_at), local_date(roster.to_at - timedelta(microseconds=1))
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def week_of(roster: Roster, day: date) -> list[date]:
    """The days of a roster in the week of a day."""
    days = days_of(roster)
    monday = week_start(min(max(day, days[0]), days[-1]))
    return [one for one in days if monday <= one < monday + timedelta(days=WEEK_DAYS)]


def sheet(roster: Roster, rows: Sequence[Shift], seats: Sequence[Seat], days: list[date]) -> Sheet:
    """Lay out the shifts of a roster on some of its days; people without a shift have an empty line."""
    posts = posts_of(rows)
    people = {seat.pk: seat for seat in seats} | {row.seat_id: row.seat for row in rows}
    shares = {one.who: one for one in shares_of(posts, list(people))}
    lines = {pk: Line(seat, shares[pk]) for pk, seat in people.items()}
    for row in rows:
        lines[row.seat_id].days[local_date(row.from_at)].append(row)
    rules = duty_rules(roster.div, local_date(roster.from_at))
    return Sheet(
        days=days, lines=sorted(lines.values(), key=lambda line: line.seat.number), cover=cover(roster, posts, days),
        holes=holes(posts, roster.from_at, roster.to_at, roster.least), faults=faults_of(roster, posts, rules), names=people,
        count=len(rows),
    )  # fmt: skip


def cover(roster: Roster, posts: Sequence[Post], days: Sequence[date]) -> dict[date, list[int | None]]:
    """The fewest people on duty in each half hour of some days; None outside the roster."""
    steps = levels(posts, roster.from_at, roster.to_at)
    found: dict[date, list[int | None]] = {day: [None] * SLOTS for day in days}
    for step in steps:
        for moment in half_hours(step.start, step.end):
            slots = found.get(local_date(moment))
            if slots is None:
                continue
            place = slot_of(moment)
            known = slots[place]
            slots[place] = step.count if known is None else min(known, step.count)
    return found


def half_hours(start: datetime, end: datetime) -> list[datetime]:
    """The beginnings of all half hours that a time touches."""
    first = local_midnight(local_date(start))
    first += (start - first) // HALF_HOUR * HALF_HOUR
    count = -((first - end) // HALF_HOUR)
    return [first + number * HALF_HOUR for number in range(count)]


def slot_of(moment: datetime) -> int:
    """Which half hour of its local day a moment lies in."""
    local = moment.astimezone(SHANGHAI)
    return local.hour * 2 + local.minute // 30


def slot_name(slot: int) -> str:
    """``08:30``."""
    return f"{slot // 2:02d}:{slot % 2 * 30:02d}"
