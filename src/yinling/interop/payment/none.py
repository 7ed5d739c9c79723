"""No way to pay through the platform: the default outside demonstrations."""

# ruff: noqa: ARG002 - the port's signatures

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from yinling.settlement.ports import Asked, BillRow, Notice, NoticeRefused, RefundRefused


class NoPayment:
    """Takes nothing, so that nothing looks paid that was not."""

    name = ""

    def order(self, *, key: str, amount_fen: int, title: str, expires_at: datetime) -> Asked:
        """There is nobody to ask."""
        raise OSError("no payment channel is set")

    def parse_notice(self, *, headers: Mapping[str, str], body: bytes) -> Notice:
        """Nobody may say that money came."""
        raise NoticeRefused("no payment channel is set")

    def refund(self, *, key: str, payment_key: str, number: str, amount_fen: int, reason: str) -> None:
        """Nothing was paid here."""
        raise RefundRefused("no payment channel is set")

    def daily_bill(self, day: date) -> Sequence[BillRow]:
        """An empty bill."""
        return ()
