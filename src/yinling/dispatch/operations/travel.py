"""Keeping what map engines say. Nobody's doing and no decision: without right and journal, like the rounds of supervision."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models import F
from django.db.models.functions import Coalesce

from yinling.dispatch.models import TravelCache, TravelEngine
from yinling.dispatch.queries.travel import Ways

ROWS_AT_ONCE = 10_000
_LONGEST_REASON = 300
_REMEMBER = """
    INSERT INTO dispatch_travelcache (engine, mode, from_cell, to_cell, seconds, fetched_at)
    SELECT %s, %s, f, t, s, %s FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) AS new (f, t, s)
    ON CONFLICT ON CONSTRAINT travel_cache_once DO UPDATE SET seconds = excluded.seconds, fetched_at = excluded.fetched_at
"""


def remember_ways(engine: str, mode: str, ways: Ways, *, at: datetime) -> None:
    """Keep seconds between cells. Always in the same order, so that two writers never wait for each other in a ring."""
    rows = [(start, end, ways[start][end]) for start in sorted(ways) for end in sorted(ways[start])]
    with connection.cursor() as cursor:
        for first in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[first : first + ROWS_AT_ONCE]
            cursor.execute(_REMEMBER, [engine, mode, at, *(list(column) for column in zip(*part, strict=True))])


def forget_ways(before: datetime) -> int:
    """Remove what was fetched before a moment; return how many ways."""
    return TravelCache.objects.filter(fetched_at__lt=before).delete()[0]


def note_answer(engine: str, *, at: datetime) -> None:
    """Note that an engine answers; a trouble noted before is over."""
    values = {"answered_at": at, "failing_since": None, "reason": ""}
    if not TravelEngine.objects.filter(engine=engine).update(**values):
        TravelEngine.objects.get_or_create(engine=engine, defaults=values)


def note_trouble(engine: str, reason: str, *, at: datetime) -> None:
    """Note that an engine does not answer, since when and why; the straight line stands in."""
    TravelEngine.objects.get_or_create(engine=engine)
    TravelEngine.objects.filter(engine=engine).update(
        failing_since=Coalesce(F("failing_since"), at), failed_at=at, reason=reason[:_LONGEST_REASON]
    )
