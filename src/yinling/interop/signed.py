"""Requests signed with a shared secret, both ways: what we ask of a gateway, and what its provider tells us.

The signature is HMAC-SHA256 over method, path, time, nonce and the hash of the body. A request is taken within ``SKEW`` of its time
and once per nonce; an idempotency key makes a repetition harmless.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from yinling.ground.clock import real_now

SKEW = timedelta(minutes=5)
MOST_BYTES = 1024 * 1024
_NONCE = re.compile(r"[A-Za-z0-9_.:-]{8,64}", re.ASCII)


class Forged(Exception):  # noqa: N818 - what happened
    """A request that is not taken; the text says why, for the log."""


def signature(secret: str, method: str, path: str, at: str, nonce: str, body: bytes) -> str:
    """Return the signature of a request."""
    text = "\n".join([method, path, at, nonce, hashlib.sha256(body).hexdigest()])
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def signed_headers(*, key: str, secret: str, path: str, body: bytes, at: datetime | None = None) -> dict[str, str]:
    """Return the headers of a signed POST."""
    moment, nonce = str(int((at or real_now()).timestamp())), uuid.uuid4().hex
    return {
        "Content-Type": "application/json",
        "X-Key": key,
        "X-Timestamp": moment,
        "X-Nonce": nonce,
        "X-Signature": signature(secret, "POST", path, moment, nonce, body),
    }


def check_signed(
    headers: Mapping[str, str], *, secret: str, path: str, body: bytes, is_new: Callable[[str], bool], now: datetime | None = None
) -> None:  # fmt: skip
    """Raise Forged for a POST whose signature, time or nonce is not right. ``is_new`` keeps a nonce and says whether it was unknown."""
    if not secret:
        raise Forged("no secret is set")
    at, nonce = headers.get("X-Timestamp", ""), headers.get("X-Nonce", "")
    if not (at.isascii() and at.isdigit() and len(at) <= 12) or not _NONCE.fullmatch(nonce):  # noqa: PLR2004 - far beyond our days
        raise Forged("time or nonce is missing")
    right = signature(secret, "POST", path, at, nonce, body)
    if not hmac.compare_digest(right.encode(), headers.get("X-Signature", "").encode()):
        raise Forged("the signature is wrong")
    if abs((now or real_now()) - datetime.fromtimestamp(int(at), UTC)) > SKEW:
        raise Forged("the time is too far off")
    if not is_new(nonce):
        raise Forged("the nonce was used before")


class _NoRedirect(HTTPRedirectHandler):
    """A secret is for one address: where that one sends us we do not go."""

    def redirect_request(self, *_parts: Any) -> None:
        return None


_open = build_opener(_NoRedirect).open


def post_signed(
    url: str, body: dict[str, Any], *, key: str, secret: str, seconds: float, once: str = ""
) -> tuple[int, Any]:
    """Send a signed POST; return status and JSON of the answer. Raises OSError when nothing usable came back."""
    data = json.dumps(body, ensure_ascii=False).encode()
    headers = signed_headers(key=key, secret=secret, path=urlsplit(url).path, body=data)
    if once:
        headers["Idempotency-Key"] = hashlib.sha256(once.encode()).hexdigest()
    return post(url, data, headers, seconds=seconds)


def post(url: str, data: bytes | None, headers: Mapping[str, str], *, seconds: float) -> tuple[int, Any]:
    """Send a request; return status and JSON. Raises OSError without the address, which may hold a key."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise OSError("the address is not set or not http(s)://")
    request = Request(url, data, {"User-Agent": "Yinling", **headers})  # noqa: S310 - checked above
    try:
        try:
            with _open(request, timeout=seconds) as answer:
                return answer.status, _json(answer.read(MOST_BYTES + 1))
        except HTTPError as error:
            with error:
                return error.code, _json(error.read(MOST_BYTES + 1), or_none=True)
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise OSError(f"no answer: {type(reason).__name__}") from error


def _json(text: bytes, *, or_none: bool = False) -> Any:
    if len(text) <= MOST_BYTES:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    if or_none:
        return None
    raise OSError("the answer is no JSON")
