"""The business clock: real time plus one offset, which only a demonstration may move.

The offset is one row, read at each request and at each round of a job. Technical times (log, token, seal, queue) use ``real_now``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
LATEST = datetime(2041, 1, 1, tzinfo=UTC)


def real_now() -> datetime:
    """Return the time of the machine, aware, UTC."""
    return datetime.now(UTC)


def offset() -> timedelta:
    """Return how far the business clock is ahead of the machine."""
    if not settings.DEMO:
        return timedelta(0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT seconds FROM ground_clockoffset WHERE id = 1")
        row = cursor.fetchone()
    return timedelta(seconds=row[0] if row else 0)


def business_now() -> datetime:
    """Return the time that deadlines, ages and prices follow."""
    return real_now() + offset()
