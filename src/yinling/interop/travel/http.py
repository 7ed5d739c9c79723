"""One question to a server that may be slow, wrong or gone: an answer in JSON within a time, or a reason in words."""

from __future__ import annotations

import json
import time
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from yinling.kernel.words import N_

MOST_BYTES = 64 * 1024 * 1024
_PART = 64 * 1024


class NoAnswer(Exception):  # noqa: N818 - what happened, not a mistake of ours
    """The server gave nothing that can be used; the text says why, for the operator."""


def ask(url: str, *, seconds: float, body: Any = None) -> tuple[int, Any]:
    """Return status and JSON of a GET, or of a POST where there is a body. Raises NoAnswer."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise NoAnswer(N_("没有设置路线引擎的地址（TRAVEL_URL），或地址不是 http(s)://"))
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json", "User-Agent": "Yinling"})  # noqa: S310 - checked above
    until = time.monotonic() + seconds
    try:
        try:
            with urlopen(request, timeout=seconds) as response:  # noqa: S310 - checked above
                return response.status, _json(_read(response, until))
        except HTTPError as error:
            return error.code, _json(_read(error.fp, until))
    except (OSError, HTTPException) as error:
        raise NoAnswer(_words(error)) from error


def _read(response: Any, until: float) -> bytes:
    """Read part by part: a server that sends a byte a second must not hold a plan."""
    parts, size = [], 0
    while part := response.read1(_PART):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise NoAnswer(N_("答复太大"))
        if time.monotonic() > until:
            raise NoAnswer(N_("超时"))
    return b"".join(parts)


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NoAnswer(N_("答复不是 JSON")) from error


def _words(error: Exception) -> str:
    """Say why without the address, which may hold a key."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return N_("超时")
    if isinstance(reason, ConnectionRefusedError):
        return N_("连接被拒绝，服务没有启动")
    return N_("连接失败：%(what)s") % {"what": getattr(reason, "strerror", None) or type(reason).__name__}
