"""What a grade on record does to an entitlement that follows it: given, prolonged, changed with the week, ended. Pure (R-LTC-01)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from yinling.kernel.period import ONE_DAY, DayPeriod, week_start

A_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Wanted:
    """What the grade gives (share, sums by unit, limits), and the days on which somebody has it."""

    given: Mapping[str, Any]
    days: DayPeriod


@dataclass(frozen=True)
class Held:
    """An entitlement on record: its key, what it gives, its days."""

    pk: int
    given: Mapping[str, Any]
    days: DayPeriod


@dataclass(frozen=True)
class End:
    """End an entitlement after a day; before its first day: as if it had never been."""

    pk: int
    last_day: date


@dataclass(frozen=True)
class Give:
    """Give what is wanted for some days."""

    days: DayPeriod


def steps(wanted: Wanted | None, held: Sequence[Held], today: date) -> list[End | Give]:
    """Return what is to be done so that what is held follows the grade. Another grade counts from Monday, because limits are by week."""
    current = next((one for one in held if one.days.contains(today)), None)
    later = [one for one in held if one.days.from_ > today]
    if wanted is None:
        ends = [End(current.pk, today - ONE_DAY)] if current else []
        return [*ends, *map(_undo, later)]
    to, done = wanted.days.to, list[End | Give]()
    if current is None:
        start = max([wanted.days.from_, *(one.days.to for one in held if one.days.to and one.days.to <= today)])
    elif current.given == wanted.given:
        if current.days.to is None or (to is not None and to <= current.days.to):
            return [*([End(current.pk, to - ONE_DAY)] if to and to != current.days.to else []), *map(_undo, later)]
        start = current.days.to
    else:
        monday = week_start(today) + A_WEEK
        start = monday if current.days.to is None else min(monday, current.days.to)
        if start != current.days.to:
            done.append(End(current.pk, start - ONE_DAY))
    if to is not None and to <= start:
        return [*done, *map(_undo, later)]
    new = DayPeriod(start, to)
    kept = [one for one in later if one.days == new and one.given == wanted.given]
    done += [_undo(one) for one in later if one not in kept]
    return done if kept else [*done, Give(new)]


def _undo(one: Held) -> End:
    return End(one.pk, one.days.from_ - ONE_DAY)
