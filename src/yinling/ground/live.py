"""Telling open screens that something changed. The notice carries topic, id and division only and is sent when the transaction commits."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.db import connection

CHANNEL = "yinling_live"


def tell(topic: str, *, pk: int, div: str, user_id: int | None = None) -> None:
    """Notify the stream; ``user_id`` limits it to one person."""
    tell_each(topic, [(pk, div, user_id)])


def tell_each(topic: str, rows: Iterable[tuple[int, str, int | None]]) -> None:
    """Notify the stream of many rows (number, division, whom it is limited to) in one statement."""
    notices = [
        json.dumps({"topic": topic, "id": pk, "div": div} | ({} if user_id is None else {"user": user_id}))
        for pk, div, user_id in rows
    ]
    if not notices:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, notice) FROM unnest(%s::text[]) AS notice", [CHANNEL, notices])
