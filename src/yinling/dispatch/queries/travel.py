"""Ways that a map engine gave before, and whether the engine answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import connection

from yinling.dispatch.models import TravelEngine
from yinling.dispatch.ports import engine_name

_KNOWN = """
    SELECT from_cell, to_cell, seconds FROM dispatch_travelcache
    WHERE engine = %s AND mode = %s AND from_cell = ANY (%s) AND to_cell = ANY (%s) AND fetched_at > %s
"""


def known_ways(
    engine: str, mode: str, starts: Collection[int], ends: Collection[int], *, since: datetime
) -> dict[tuple[int, int], int | None]:
    """Return the seconds between cells as an engine said them after ``since``; None where it knows no way."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [engine, mode, sorted(starts), sorted(ends), since])
        return {(start, end): seconds for start, end, seconds in cursor.fetchall()}


def engine_state() -> TravelEngine | None:
    """Return how the engine in use last answered, or nothing if it was not asked yet (the straight line never is)."""
    return TravelEngine.objects.filter(engine=engine_name()).first()


def engine_trouble() -> TravelEngine | None:
    """Return the engine in use while it fails and ways are estimated by the straight line instead, for a note on the screen."""
    return TravelEngine.objects.filter(engine=engine_name(), failing_since__isnull=False).first()
