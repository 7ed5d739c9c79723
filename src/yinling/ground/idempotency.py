"""Twice is once: a repeated write from outside gets the first answer, stored in the same transaction as its effect."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from yinling.ground.clock import real_now
from yinling.ground.models import IdempotencyKey
from yinling.ground.operation import undone_together
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_

KEPT = timedelta(days=7)
# A second request waits here for the first, then finds its row.
TAKE = """INSERT INTO ground_idempotencykey (user_id, key, route, body_hash, created_at) VALUES (%s, %s, %s, %s, now())
    ON CONFLICT (user_id, key) DO NOTHING RETURNING id"""
KEEP = "UPDATE ground_idempotencykey SET status = %s, answer = %s WHERE id = %s"


def once(
    *, user_id: int, key: str, route: str, body: Any, perform: Callable[[], tuple[int, Any]], savepoint: bool = True
) -> tuple[int, Any, bool]:
    """Return ``(status, answer, repeated)``: performed now, or the stored answer of the first time.

    Raises Refused (422) for a known key with another body, NotAllowed (409) while the first is still in flight.
    The key's row is inserted first, and kept only with the effect. Who asks the database nothing more after a refusal needs no savepoint.
    """
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).digest()
    with transaction.atomic(savepoint=savepoint), undone_together(), connection.cursor() as cursor:
        cursor.execute(TAKE, [user_id, key, route, digest])
        if (taken := cursor.fetchone()) is None:
            return _stored(IdempotencyKey.objects.get(user_id=user_id, key=key), route, digest)
        status, answer = perform()
        cursor.execute(KEEP, [status, json.dumps(answer), *taken])
    return status, answer, False


def _stored(row: IdempotencyKey, route: str, digest: bytes) -> tuple[int, Any, bool]:
    if bytes(row.body_hash) != digest or row.route != route:
        raise Refused("idempotency.other_body", N_("同一个幂等键已用于另一项请求，请换一个新的键"))
    if row.status is None:
        raise NotAllowed("idempotency.in_flight", N_("同一项请求正在处理，请稍后再试"))
    return row.status, row.answer, True


def forget_old_keys() -> int:
    """Delete keys older than a week; return how many."""
    return IdempotencyKey.objects.filter(created_at__lt=real_now() - KEPT).delete()[0]
