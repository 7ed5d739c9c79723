"""The notice of a payment: a POST signed with the shared secret, to ``/hooks/payment/<channel>/``.

The body is ``{"key", "number", "amount", "status": "paid", "paid_at"}``, the amount in fen; a ``currency`` may be said,
but only CNY. A notice may come again as it was: taking it is idempotent, so its nonce is not kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from yinling.ground.clock import real_now
from yinling.interop.signed import Forged, check_signed, signed_headers
from yinling.kernel.money import MOST_FEN
from yinling.settlement.ports import Notice, NoticeRefused

LENGTH = 64


def path_of(channel: str) -> str:
    """Return where a channel sends its notices."""
    return f"/hooks/payment/{channel}/"


def read_notice(*, channel: str, secret: str, headers: Mapping[str, str], body: bytes) -> Notice:
    """Return what a notice says. Raises NoticeRefused when it is forged, too old, or no notice of a payment."""
    try:
        check_signed(headers, secret=secret, path=path_of(channel), body=body, is_new=lambda _nonce: True)
    except Forged as forged:
        raise NoticeRefused(str(forged)) from forged
    try:
        return _notice(json.loads(body))
    except (ValueError, TypeError, KeyError, RecursionError) as fault:
        raise NoticeRefused("the notice cannot be read") from fault


def _notice(found: dict[str, Any]) -> Notice:
    key, number, amount = found["key"], found["number"], found["amount"]
    paid_at = datetime.fromisoformat(found["paid_at"])
    is_text = all(isinstance(one, str) and 0 < len(one) <= LENGTH and one.isprintable() for one in (key, number))
    if found["status"] != "paid" or found.get("currency", "CNY") != "CNY" or not is_text or paid_at.tzinfo is None:
        raise ValueError("fields")
    if type(amount) is not int or not 0 < amount <= MOST_FEN:
        raise ValueError("amount")
    return Notice(key, number, amount, paid_at)


def write_notice(
    *, channel: str, secret: str, notice: Notice, at: datetime | None = None
) -> tuple[dict[str, str], bytes]:
    """Return headers and body of a notice, as a channel makes them."""
    fields = {
        "key": notice.key, "number": notice.number, "amount": notice.amount_fen, "status": "paid", "paid_at": notice.paid_at.isoformat(),
    }  # fmt: skip
    body = json.dumps(fields).encode()
    return signed_headers(key=channel, secret=secret, path=path_of(channel), body=body, at=at or real_now()), body
