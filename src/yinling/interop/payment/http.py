"""An aggregator of ways to pay (WeChat, Alipay, UnionPay) behind signed JSON. Its notices come to ``/hooks/payment/<name>/``.

``POST {url}/orders``, ``/refunds`` and ``/bills``; the key of each makes it happen once. The platform never sees a card or an account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings

from yinling.interop.payment.notices import path_of, read_notice
from yinling.interop.signed import post_signed
from yinling.settlement.ports import Asked, BillRow, Notice, RefundRefused

OK = 200
NEVER = frozenset({400, 409, 422})
"""What is wrong with the refund itself: it was made otherwise, or is more than was paid."""
KINDS = ("pay", "refund")


class HttpPayment:
    """The adapter; address, key and secret are in ``PAYMENT_*``."""

    def __init__(self) -> None:
        self.name: str = settings.PAYMENT["name"]

    def order(self, *, key: str, amount_fen: int, title: str, expires_at: datetime) -> Asked:
        """Ask for a payment."""
        body = {
            "key": key, "amount": amount_fen, "title": title, "expires_at": expires_at.isoformat(), "notify": path_of(self.name)
        }  # fmt: skip
        answer = self._answer("orders", body, key)
        link, number = str(answer.get("link", "")), str(answer.get("number", ""))
        if not link.startswith("https://") or len(link) > 300 or len(number) > 64:  # noqa: PLR2004 - the columns that keep them
            raise OSError("the answer names no link")
        return Asked(link, number)

    def parse_notice(self, *, headers: Mapping[str, str], body: bytes) -> Notice:
        """Read a signed notice."""
        return read_notice(channel=self.name, secret=settings.PAYMENT["secret"], headers=headers, body=body)

    def refund(self, *, key: str, payment_key: str, number: str, amount_fen: int, reason: str) -> None:
        """Give money back."""
        body = {"key": key, "payment": payment_key, "number": number, "amount": amount_fen, "reason": reason}
        status, answer = self._post("refunds", body, key)
        if status in NEVER:
            raise RefundRefused(
                str(answer.get("message") or answer.get("code") or status)[:200]
                if isinstance(answer, dict)
                else str(status)
            )
        if status != OK:
            raise OSError(f"status {status}")

    def daily_bill(self, day: date) -> Sequence[BillRow]:
        """Return the channel's bill of a day."""
        rows = self._answer("bills", {"day": day.isoformat()}, "").get("rows")
        if not isinstance(rows, list):
            raise OSError("the answer has no rows")
        try:
            return [_row(one) for one in rows]
        except (KeyError, TypeError, ValueError) as fault:
            raise OSError("a row of the bill cannot be read") from fault

    def _answer(self, noun: str, body: dict[str, Any], once: str) -> dict[str, Any]:
        status, answer = self._post(noun, body, once)
        if status != OK or not isinstance(answer, dict):
            raise OSError(f"status {status}")
        return answer

    def _post(self, noun: str, body: dict[str, Any], once: str) -> tuple[int, Any]:
        given = settings.PAYMENT
        url = f"{given['url'].rstrip('/')}/{noun}"
        return post_signed(
            url, body, key=given["key"], secret=given["secret"], seconds=float(given["timeout"]), once=once
        )


def _row(found: dict[str, Any]) -> BillRow:
    if found["kind"] not in KINDS or type(found["amount"]) is not int or found["amount"] <= 0:
        raise ValueError("row")
    return BillRow(found["kind"], str(found["key"])[:64], str(found["number"])[:64], found["amount"])
