"""Short messages through a cloud gateway: one signed POST each. Receipts and replies come to ``/line/receipts/`` and ``/line/replies/``."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from yinling.accounts.ports import Rejected, Take, Throttled
from yinling.accounts.rules import bare_number
from yinling.interop.signed import post_signed

OK, TOO_MANY, SERVER = 200, 429, 500
CLIENT_FAULTS = frozenset({400, 422})
"""What is wrong with the message itself; a wrong account or address (401, 403, 404) is ours and is tried again."""


class HttpSms:
    """``POST {url}/messages`` with number, text and the key; the answer names the provider's ids: ``{"ids": ["…"]}``."""

    def send(self, *, number: str, text: str, key: str) -> Sequence[str]:
        """Send once per key: the gateway answers a repeated ``Idempotency-Key`` with the first answer."""
        given = settings.SMS
        body = {"to": bare_number(number), "text": given["signature"] + text, "key": key}
        status, answer = post_signed(
            given["url"].rstrip("/") + "/messages", body, key=given["key"], secret=given["secret"], seconds=float(given["timeout"]), once=key
        )  # fmt: skip
        code = str(answer.get("code", ""))[:40] if isinstance(answer, dict) else ""
        if status == TOO_MANY:
            raise Throttled(code or "429")
        if status in CLIENT_FAULTS:
            raise Rejected(code or str(status))
        ids = answer.get("ids") if isinstance(answer, dict) else None
        if status >= SERVER or not OK <= status < 300 or not isinstance(ids, list):  # noqa: PLR2004 - the good answers
            raise OSError(f"status {status} {code}".strip())
        return [str(one)[:100] for one in ids]

    def collect(self, take: Take) -> None:
        """The provider calls us."""

    def close(self) -> None:
        """Every message is a request of its own."""
