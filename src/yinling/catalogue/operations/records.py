"""Putting what was drafted on record, beside what was published before."""

from __future__ import annotations

from copy import copy
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from yinling.catalogue.rules import OnRecord, fit


def put_on_record(row: Any, rivals: QuerySet[Any], now: datetime) -> None:
    """Let a drafted fact hold from its first day; of the published rivals the days before it stay on record, with the same amounts."""
    kept = {one.pk: one for one in rivals.filter(recorded_to=None).exclude(pk=row.pk)}
    place = fit([OnRecord(pk, one.valid_from, one.valid_to) for pk, one in kept.items()], row.valid_from)
    rivals.filter(pk__in=place.closed).update(recorded_to=now)
    for pk in place.shortened:
        rest = copy(kept[pk])
        rest.pk, rest.recorded_from, rest.recorded_to, rest.valid_to = None, now, None, row.valid_from
        rest.save(force_insert=True)
    row.valid_to, row.recorded_from, row.recorded_to = place.valid_to, now, None
    row.save(update_fields=["valid_to", "recorded_from", "recorded_to"])
