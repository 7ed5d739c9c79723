"""Telling open screens that something changed. The notice carries topic, id and division only and is sent when the transaction commits."""

from __future__ import annotations

import json

from django.db import connection

CHANNEL = "yinling_live"


def tell(topic: str, *, pk: int, div: str, user_id: int | None = None) -> None:
    """Notify the stream; ``user_id`` limits it to one person."""
    payload = {"topic": topic, "id": pk, "div": div}
    if user_id is not None:
        payload["user"] = user_id
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps(payload)])
