"""The mask of a whole day: who may go to which order, by the same rules as for one order, asked once for all that are alike. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from yinling.dispatch.rules import Away, Carer, Exclusion, Job, Licence, compatibility
from yinling.kernel.period import SHANGHAI

TIMED = frozenset({"hours", "minutes", "break", "overlap", "absent", "travel"})
"""What depends on the hour: the planner finds times that keep these rules, so they are no part of the mask."""
COSTS = frozenset({"area"})
"""What a plan may do at a price."""
Pair = tuple[int, int]
Row = TypeVar("Row")


@dataclass(frozen=True, eq=False)
class Mask:
    """By job and carer, numbered as given: whether the carer may go, and whether that is outside the own area."""

    may: NDArray[np.bool_]
    is_outside: NDArray[np.bool_]
    groups: tuple[NDArray[np.int64], NDArray[np.int64]]
    found: Mapping[Pair, tuple[Exclusion, ...]]
    single: Mapping[Pair, tuple[Exclusion, ...]]

    def against(self, job: int, carer: int) -> tuple[Exclusion, ...]:
        """Return what stands against one carer, whatever the hour."""
        common = self.found[(int(self.groups[0][job]), int(self.groups[1][carer]))]
        return (*common, *self.single.get((job, carer), ()))

    def counted(self, job: int) -> list[tuple[str, int]]:
        """Return the reasons against the carers who may not go, the most frequent first, each with the number of carers."""
        carers = np.flatnonzero(~self.may[job])
        firsts = [next((one for one in self.against(job, int(carer)) if not costs_only(one)), None) for carer in carers]
        return Counter(one.reason for one in firsts if one is not None).most_common()


def costs_only(found: Exclusion) -> bool:
    """Whether a plan may do it at a price."""
    return found.code in COSTS and not found.is_hard


def mask_of(jobs: Sequence[Job], carers: Sequence[Carer], *, day: date, single: Mapping[Pair, Exclusion]) -> Mask:
    """Return the mask of a day. ``single`` holds what stands between one job and one carer (avoidance, declined)."""
    job_groups, job_heads = _grouped(_alike_job(job, day) for job in jobs)
    carer_groups, carer_heads = _grouped(_alike_carer(carer, day) for carer in carers)
    found = {
        (row, column): tuple(one for one in compatibility(job, carer) if one.code not in TIMED)
        for row, job in enumerate(job_heads)
        for column, carer in enumerate(carer_heads)
    }
    shape = (len(job_heads), len(carer_heads))
    may, is_outside = np.ones(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    for place, against in found.items():
        may[place] = all(map(costs_only, against))
        is_outside[place] = any(map(costs_only, against))
    groups = (np.array(job_groups, dtype=np.int64), np.array(carer_groups, dtype=np.int64))
    spread = np.ix_(*groups)
    whole = may[spread].copy()
    for place in single:
        whole[place] = False
    return Mask(whole, is_outside[spread].copy(), groups, found, {place: (one,) for place, one in single.items()})


def _grouped(rows: Iterable[Row]) -> tuple[list[int], list[Row]]:
    """Return the group of each row, and one row of each group."""
    numbers: dict[Row, int] = {}
    groups = [numbers.setdefault(row, len(numbers)) for row in rows]
    return groups, list(numbers)


def _alike_job(job: Job, day: date) -> Job:
    """Return a job without what the mask does not ask: who, where exactly, and the hour."""
    noon = datetime.combine(day, time(12), SHANGHAI)
    return replace(job, order_id=0, elder_id=0, starts_at=noon, ends_at=noon, lon=None, lat=None, dialect="")


def _alike_carer(carer: Carer, day: date) -> Carer:
    """Return a carer without what the mask does not ask; licences only as they stand on the day."""
    return replace(
        carer, staff_id=0, name="", day_from=time(), day_to=time.max, most_minutes=0, lon=None, lat=None, dialects=frozenset(),
        licences=tuple(sorted({_on_day(one, day) for one in carer.licences}, key=repr)), booked=(), served_count=0, declined="", mode="",
        starts_at_home=False, break_from=None, break_to=None, break_minutes=0, contract_minutes=0, away=(), avoided="",
        employed_from=day if carer.employed_from <= day else day + timedelta(days=1),
        employed_to=None if carer.employed_to is None or day < carer.employed_to else day,
    )  # fmt: skip


def _on_day(licence: Licence, day: date) -> Licence:
    holds = licence.valid_from <= day and (licence.valid_to is None or day < licence.valid_to)
    has_credits = licence.is_retired_practice or licence.credits_to is None or day < licence.credits_to
    return Licence(
        licence.kind,
        day if holds else day + timedelta(days=1),
        None,
        licence.place,
        None if has_credits else day,
    )


@dataclass(frozen=True)
class Shift:
    """The hours of a carer on one day in minutes since midnight, and the spans within them without work."""

    day_from: float
    day_to: float
    gaps: tuple[tuple[float, float], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of the day."""
        return self.day_to <= self.day_from


def shift_of(carer: Carer, midnight: datetime) -> Shift:
    """Return what absences leave of the shift: they cut off its ends, or are gaps in it."""
    day_from, day_to = _minute(carer.day_from), _minute(carer.day_to)
    gaps = []
    for start, end in sorted(_span(one, midnight) for one in carer.away):
        if end <= day_from or start >= day_to:
            continue
        if start <= day_from:
            day_from = end
        elif end >= day_to:
            day_to = start
        else:
            gaps.append((start, end))
    return Shift(day_from, day_to, tuple(gap for gap in gaps if day_from <= gap[0] and gap[1] <= day_to))


def _minute(clock: time) -> float:
    return clock.hour * 60 + clock.minute + clock.second / 60


def _span(away: Away, midnight: datetime) -> tuple[float, float]:
    end = float("inf") if away.to_at is None else (away.to_at - midnight) / timedelta(minutes=1)
    return (away.from_at - midnight) / timedelta(minutes=1), end
