"""Decisions about messages to people."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

_MADE_UP = re.compile(r"(?:\+?86)?1990000\d{4}", re.ASCII)


MOST_FAILURES = 5
FAILURE_WINDOW = timedelta(minutes=5)


def locked_until(failures: Sequence[datetime], now: datetime) -> datetime | None:
    """Return until when a login is locked: five failures within five minutes lock it until the first of them is five minutes old."""
    recent = sorted(at for at in failures if now - at < FAILURE_WINDOW)
    return recent[-MOST_FAILURES] + FAILURE_WINDOW if len(recent) >= MOST_FAILURES else None


def is_made_up(number: str) -> bool:
    """Whether a number belongs to nobody: the pattern of the demonstration, which is never dialled or texted."""
    return _MADE_UP.fullmatch(re.sub(r"[\s-]", "", number)) is not None


def digest_of(row: Any) -> bytes:
    """Return the fingerprint of a journal row's content, the same when written and when read again in whatever time zone."""
    parts = [
        row.business_at.astimezone(UTC).isoformat(), row.user_id, row.user_name, row.role, row.event, row.subject_type, row.subject_id,
        row.div, row.provider_id, row.elder_id, row.staff_id, _as_read(row.changes), row.reason, row.request_id, row.is_refused, row.code,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str).encode()).digest()


EXACT = 2**53
"""Whole numbers up to here are exact in every program."""


def _as_read(value: Any) -> Any:
    """Return a value with its numbers in one form: the database gives 1e19 back as a whole number and -0.0 as 0."""
    if isinstance(value, dict):
        return {name: _as_read(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_read(one) for one in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if abs(value) >= EXACT:
        return repr(float(value))
    return int(value) if value == int(value) else value


def seal_of(previous: bytes, from_xid: int, to_xid: int, digests: Sequence[bytes]) -> bytes:
    """Return the seal of a block of the journal: a hash over the block before, its range, and every fingerprint in it."""
    mac = hashlib.sha256(previous)
    mac.update(f":{from_xid}:{to_xid}:{len(digests)}:".encode())
    for digest in digests:
        mac.update(digest)
    return mac.digest()
