"""What every map engine behind HTTP shares: kept ways first, questions in blocks, and the straight line for what is left.

A plan never stops for an engine. What it does not answer is filled in, listed in ``filled``, and noted for the screens; after a failure
this process leaves the engine alone for a while.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from math import ceil, isfinite
from typing import Any, ClassVar

from django.conf import settings
from django.db import DatabaseError, transaction

from yinling.dispatch.operations.travel import note_answer, note_trouble, remember_ways
from yinling.dispatch.ports import Point
from yinling.dispatch.queries.travel import Ways, known_ways
from yinling.ground.clock import real_now
from yinling.ground.parameters import parameter
from yinling.ground.scope import current_scope
from yinling.interop.travel.cells import cell_of, centre_of
from yinling.interop.travel.great_circle import GreatCircle
from yinling.interop.travel.http import NoAnswer
from yinling.kernel.period import local_date
from yinling.kernel.words import N_

logger = logging.getLogger("yinling.travel")

Pair = tuple[int, int]
Missing = dict[int, set[int]]
Answer = Mapping[Pair, float | None]
"""Seconds by (start, end) number; None: no way. A missing pair was not answered."""
PAUSE_SECONDS = 60
"""How long a process leaves an engine alone that failed."""
MOST_SECONDS = 60
"""How long one matrix may wait for an engine in all."""
_A_DAY = 24 * 3600


class Unplaced(Exception):  # noqa: N818 - what happened, not a mistake of ours
    """The engine refused a whole block because of one of its places, or of its size: smaller blocks may do."""


class Engine:
    """Base of the adapters; each says how one block is asked."""

    engine: ClassVar[str]
    most_starts: ClassVar[int] = 50
    most_ends: ClassVar[int] = 50
    _resting: ClassVar[dict[str, float]] = {}

    def __init__(self) -> None:
        """Start with the settings ``TRAVEL_*``."""
        self.url = str(settings.TRAVEL["url"]).rstrip("/")
        self.timeout = float(settings.TRAVEL["timeout"])
        self.filled: frozenset[Pair] = frozenset()
        self._until = 0.0

    def block(self, starts: Sequence[Point], ends: Sequence[Point], mode: str, depart: datetime) -> Answer:
        """Ask the engine for one block. Raises NoAnswer or Unplaced."""
        raise NotImplementedError

    def matrix(
        self, points: Sequence[Point], mode: str, depart: datetime, *, to: Sequence[Point] | None = None
    ) -> list[list[int]]:
        """Return whole seconds, rounded up, between the cells of the places."""
        ends = points if to is None else to
        rows, columns = [cell_of(point) for point in points], [cell_of(point) for point in ends]
        ways = self._ways(set(rows), set(columns), mode, depart)
        filled: list[Pair] = []
        result = []
        for row, start in enumerate(rows):
            known = ways.get(start, {})
            seconds = [known.get(end) for end in columns]
            gaps = [column for column, one in enumerate(seconds) if one is None]
            if gaps:
                places = [ends[column] for column in gaps]
                line = GreatCircle().matrix([points[row]], mode, depart, to=places)[0]
                for column, estimate in zip(gaps, line, strict=True):
                    seconds[column] = estimate
                filled += [(row, column) for column in gaps if columns[column] != start]
            result.append([one or 0 for one in seconds])
        self.filled = frozenset(filled)
        return result

    def _ways(self, starts: set[int], ends: set[int], mode: str, depart: datetime) -> Ways:
        """Return the ways between cells that are kept or can be asked."""
        now = real_now()
        since = now - timedelta(days=int(parameter("travel.cache_days", "", local_date(now))))
        ways = known_ways(self.engine, mode, starts, ends, since=since)
        left = {start: ends - ways.get(start, {}).keys() - {start} for start in starts}
        missing = {start: some for start, some in left.items() if some}
        if missing and self._resting.get(self.engine, 0) <= time.monotonic():
            for start, found in self._fresh(missing, mode, depart, now).items():
                ways.setdefault(start, {}).update(found)
        return ways

    def _fresh(self, missing: Missing, mode: str, depart: datetime, now: datetime) -> Ways:
        """Ask for what is missing, keep it, and note how the engine did."""
        self._until = time.monotonic() + MOST_SECONDS
        fresh: Ways = defaultdict(dict)
        reason = ""
        try:
            for starts, ends in self._blocks(missing):
                for (start, end), seconds in self._asked(starts, ends, mode, depart).items():
                    if end in missing[start]:
                        fresh[start][end] = seconds
        except NoAnswer as error:
            reason = str(error)
            self._resting[self.engine] = time.monotonic() + PAUSE_SECONDS
        silent = sum(len(some) for some in missing.values()) - sum(len(found) for found in fresh.values())
        if not reason and silent:
            reason = N_("答复不完整：%(count)s 段路没有给出") % {"count": silent}
        if fresh:
            _later(partial(remember_ways, self.engine, mode, dict(fresh), at=now))
        if reason:
            logger.warning("travel engine %s: %s", self.engine, reason)
            _later(partial(note_trouble, self.engine, reason, at=now))
        else:
            _later(partial(note_answer, self.engine, at=now))
        return fresh

    def _blocks(self, missing: Missing) -> Iterator[tuple[list[int], list[int]]]:
        rows = sorted(missing)
        for first in range(0, len(rows), self.most_starts):
            starts = rows[first : first + self.most_starts]
            columns = sorted(set().union(*(missing[start] for start in starts)))
            for place in range(0, len(columns), self.most_ends):
                yield starts, columns[place : place + self.most_ends]

    def _asked(self, starts: list[int], ends: list[int], mode: str, depart: datetime) -> dict[Pair, int | None]:
        """Ask for one block; one that is refused is asked again in halves, down to the pair that has no way."""
        if time.monotonic() > self._until:
            raise NoAnswer(N_("太慢：%(seconds)s 秒内没有答完") % {"seconds": MOST_SECONDS})
        try:
            answer = self.block([centre_of(one) for one in starts], [centre_of(one) for one in ends], mode, depart)
        except Unplaced:
            if len(starts) == len(ends) == 1:
                return {(starts[0], ends[0]): None}
            by_start = len(starts) >= len(ends)
            middle = (len(starts) if by_start else len(ends)) // 2
            found: dict[Pair, int | None] = {}
            for part in (slice(None, middle), slice(middle, None)):
                found |= self._asked(
                    starts[part] if by_start else starts, ends if by_start else ends[part], mode, depart
                )
            return found
        return {(starts[row], ends[column]): _whole(seconds) for (row, column), seconds in answer.items()}


def number(value: Any) -> float | None:
    """Return a number of an answer, None for null. Raises NoAnswer for what is no number."""
    if value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError) as error:
        raise NoAnswer(N_("答复中的时间不是数字")) from error
    if isinstance(value, bool) or not isfinite(found):
        raise NoAnswer(N_("答复中的时间不是数字"))
    return found


def _whole(seconds: float | None) -> int | None:
    if seconds is None:
        return None
    if not 0 <= seconds <= _A_DAY:
        raise NoAnswer(N_("答复中的时间不合理：%(seconds)s 秒") % {"seconds": f"{seconds:g}"})
    return ceil(seconds)


def _later(write: Callable[[], None]) -> None:
    """Write when the running transaction has ended, so that a plan's long one keeps nobody else waiting; at once if none is open."""
    opened = current_scope()
    if opened is None:
        _safely(write)
    else:
        opened.afterwards.append(partial(_safely, write))


def _safely(write: Callable[[], None]) -> None:
    """What is only kept for speed must not fail the work it was found in."""
    try:
        with transaction.atomic():
            write()
    except DatabaseError:
        logger.exception("ways of the map engine were not kept")
