"""Ending a dated fact without losing what was on record before."""

from __future__ import annotations

from copy import copy
from datetime import date, datetime

from yinling.ground.models import DatedFact, Sealed


def curtail(row: DatedFact, *, until: date, now: datetime) -> dict[str, list[str | None]]:
    """Make a locked fact hold up to, not including, a day; return the changes.

    The row keeps its key, so that what points to it still does; a copy keeps what was on record until now. A fact of which no day
    is left is taken off the record.
    """
    moment = max(now, row.recorded_from)
    if until <= row.valid_from:
        row.recorded_to = moment
        row.save(update_fields=["recorded_to"])
        return {"recorded_to": [None, moment.isoformat()]}
    kept, before = copy(row), row.valid_to
    kept._state = copy(row._state)  # noqa: SLF001 - Django's own way to copy a row
    kept.pk, kept._state.adding, kept.recorded_to = None, True, moment  # noqa: SLF001 - as above
    if isinstance(kept, Sealed):
        kept.seal_anew()
    kept.save(force_insert=True)
    row.valid_to, row.recorded_from = until, moment
    row.save(update_fields=["valid_to", "recorded_from"])
    return {"valid_to": [before.isoformat() if before else None, until.isoformat()]}
