"""Subscribed messages of a WeChat official account (``/cgi-bin/message/subscribe/bizsend``)."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings

from yinling.accounts.ports import Rejected, Take, Throttled
from yinling.interop.signed import post

EXPIRED = frozenset({40001, 40014, 42001})
REFUSED = frozenset({40003, 40037, 43101, 43107, 47003})
"""A receiver, template or field that WeChat will never take; 43101: the person has not subscribed, or has withdrawn."""
TOO_FAST = frozenset({45009, 45011})
BUSY = -1
FIELD_LENGTH = 20
"""Characters of a field of kind ``thing``."""


class HttpWechat:
    """Asks for a token when it needs one, keeps it while it holds, and sends one message each."""

    _token: ClassVar[tuple[str, float]] = ("", 0.0)

    def send(self, *, open_id: str, title: str, text: str, link: str, key: str) -> Sequence[str]:
        """Send one message; ``client_msg_id`` makes a repetition within a day harmless."""
        template, _colon, names = settings.WECHAT["template"].partition(":")
        fields = [name for name in names.split(",") if name]
        data = {name: {"value": value[:FIELD_LENGTH]} for name, value in zip(fields, (title, text), strict=False)}
        body = {"touser": open_id, "template_id": template, "data": data, "page": link, "client_msg_id": key[-32:]}
        answer = self._ask("/cgi-bin/message/subscribe/bizsend", body)
        if answer.get("errcode") in EXPIRED:
            HttpWechat._token = ("", 0.0)
            answer = self._ask("/cgi-bin/message/subscribe/bizsend", body)
        _check(answer)
        return [str(answer["msgid"])] if "msgid" in answer else ()

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        given = settings.WECHAT
        address = f"{given['url']}{path}?{urlencode({'access_token': self._token_now()})}"
        data = json.dumps(body, ensure_ascii=False).encode()
        status, answer = post(address, data, {"Content-Type": "application/json"}, seconds=float(given["timeout"]))
        if status != 200 or not isinstance(answer, dict):  # noqa: PLR2004 - OK
            raise OSError(f"status {status}")
        return answer

    def _token_now(self) -> str:
        text, until = self._token
        if time.monotonic() < until:
            return text
        given = settings.WECHAT
        body = {"grant_type": "client_credential", "appid": given["key"], "secret": given["secret"]}
        data = json.dumps(body).encode()
        _status, answer = post(
            f"{given['url']}/cgi-bin/stable_token",
            data,
            {"Content-Type": "application/json"},
            seconds=float(given["timeout"]),
        )
        if not isinstance(answer, dict) or "access_token" not in answer:
            raise OSError("no token")
        text = str(answer["access_token"])
        HttpWechat._token = (text, time.monotonic() + max(int(answer.get("expires_in", 0)) - 300, 0))
        return text

    def collect(self, take: Take) -> None:
        """WeChat takes a message or refuses it at once; nothing comes back later."""

    def close(self) -> None:
        """Every message is a request of its own."""


def _check(answer: dict[str, Any]) -> None:
    code = answer.get("errcode", 0)
    if code in TOO_FAST:
        raise Throttled(str(code))
    if code in REFUSED:
        raise Rejected(str(code))
    if code:
        raise OSError(f"errcode {code}")
