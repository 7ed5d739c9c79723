"""Telling open screens that something changed. The notice carries topic, id and division only and is sent when the transaction commits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection

CHANNEL = "yinling_live"
_waiting: ContextVar[list[str] | None] = ContextVar("waiting", default=None)


@contextmanager
def told_together() -> Iterator[None]:
    """Send what is told inside by one statement at the end, and nothing if the end is not reached."""
    outer, own = _waiting.get(), list[str]()
    token = _waiting.set(own)
    try:
        yield
    finally:
        _waiting.reset(token)
    if outer is None:
        _send(own)
    else:
        outer += own


def tell(topic: str, *, pk: int, div: str, user_id: int | None = None) -> None:
    """Notify the stream; ``user_id`` limits it to one person."""
    tell_each(topic, [(pk, div, user_id)])


def tell_each(topic: str, rows: Iterable[tuple[int, str, int | None]]) -> None:
    """Notify the stream of many rows: number, division, whom it is limited to."""
    notices = [
        json.dumps({"topic": topic, "id": pk, "div": div} | ({} if user_id is None else {"user": user_id}))
        for pk, div, user_id in rows
    ]
    if (waiting := _waiting.get()) is None:
        _send(notices)
    else:
        waiting += notices


def _send(notices: Sequence[str]) -> None:
    if notices:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_notify(%s, notice) FROM unnest((SELECT %s::text[])) AS notice", [CHANNEL, list(notices)]
            )
