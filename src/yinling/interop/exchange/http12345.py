"""A 12345 platform with a signed HTTP interface: ``POST {EXCHANGE_URL}/tickets``.

Body: the message as JSON. Headers: ``X-App-Key``, ``X-Timestamp`` (seconds), ``X-Nonce`` (random, once) and ``X-Signature``, the
HMAC-SHA256 in hexadecimal, under the shared secret, of key, timestamp, nonce and the SHA-256 of the body, one a line.
The answer is ``{"code": 0, "number": "..."}``; another code is a refusal with ``message``. The message's ``key`` makes a second sending the first.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from django.conf import settings

from yinling.ground.clock import real_now
from yinling.hotline.ports import ExchangeRefused

MOST_BYTES = 64 * 1024
TRY_LATER = (408, 425, 429)
SERVER_FAULT = 500


def signature_of(secret: str, *, key: str, timestamp: str, nonce: str, body: bytes) -> str:
    """Return the signature of a request."""
    text = "\n".join((key, timestamp, nonce, hashlib.sha256(body).hexdigest()))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class Http12345:
    """Sends one message a request; what the server cannot take now is tried again by the loop."""

    def send(self, message: dict[str, Any]) -> str:
        """Send a message and return the number of the ticket there."""
        status, answer = self._ask(json.dumps(message, ensure_ascii=False, sort_keys=True).encode())
        if status >= SERVER_FAULT or status in TRY_LATER:
            raise OSError(f"HTTP {status}")
        if not isinstance(answer, dict) or answer.get("code") != 0:
            said = str(answer.get("message", "")) if isinstance(answer, dict) else ""
            raise ExchangeRefused(f"HTTP {status} {said}"[:200])
        return str(answer.get("number") or "")[:64]

    def _ask(self, body: bytes) -> tuple[int, Any]:
        given = settings.EXCHANGE
        url = f"{given['url'].rstrip('/')}/tickets"
        if urlsplit(url).scheme not in ("http", "https"):
            raise OSError("EXCHANGE_URL is not http(s)://")
        timestamp, nonce = str(int(real_now().timestamp())), secrets.token_hex(16)
        signature = signature_of(given["secret"], key=given["key"], timestamp=timestamp, nonce=nonce, body=body)
        headers = {
            "Content-Type": "application/json; charset=utf-8", "User-Agent": "Yinling", "X-App-Key": given["key"], "X-Timestamp": timestamp,
            "X-Nonce": nonce, "X-Signature": signature,
        }  # fmt: skip
        request = Request(url, body, headers, method="POST")  # noqa: S310 - checked above
        try:
            with urlopen(request, timeout=float(given["timeout"])) as response:  # noqa: S310 - checked above
                return response.status, _json(response.read(MOST_BYTES))
        except HTTPError as error:
            return error.code, _json(error.read(MOST_BYTES))
        except HTTPException as error:
            raise OSError(type(error).__name__) from error


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
