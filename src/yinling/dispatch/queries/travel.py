"""Ways that a map engine gave before, and whether the engine answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import connection

from yinling.dispatch.models import TravelEngine
from yinling.dispatch.ports import STRAIGHT_LINE, engine_name

Ways = dict[int, dict[int, int | None]]
"""Seconds by cell of start and cell of end; None where the engine knows no way."""
_KNOWN = """
    SELECT from_cell, array_agg(to_cell), array_agg(seconds) FROM dispatch_travelcache
    WHERE engine = %s AND mode = %s AND from_cell = ANY (%s) AND to_cell = ANY (%s) AND fetched_at > %s
    GROUP BY from_cell
"""


def known_ways(engine: str, mode: str, starts: Collection[int], ends: Collection[int], *, since: datetime) -> Ways:
    """Return the ways between cells as an engine said them after ``since``."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [engine, mode, sorted(starts), sorted(ends), since])
        return {start: dict(zip(found, seconds, strict=True)) for start, found, seconds in cursor.fetchall()}


def engine_state() -> TravelEngine | None:
    """Return how the engine in use last answered, or nothing if it was not asked yet (the straight line never is)."""
    return TravelEngine.objects.filter(engine=engine_name()).first()


def engine_trouble() -> TravelEngine | None:
    """Return the engine in use while it fails and ways are estimated by the straight line instead, for a note on the screen."""
    if engine_name() == STRAIGHT_LINE:
        return None
    return TravelEngine.objects.filter(engine=engine_name(), failing_since__isnull=False).first()
