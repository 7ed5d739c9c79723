"""A made-up way to pay, for demonstrations and tests: its cashier is a page of ours, and its bill is always right."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.conf import settings

from yinling.directory.queries import cities, system_actor
from yinling.ground.scope import scope
from yinling.interop.payment.notices import read_notice, write_notice
from yinling.settlement.ports import Asked, BillRow, Notice
from yinling.settlement.queries.payments import movements


def cashier_of(key: str) -> str:
    """Return the address of the cashier for a payment."""
    return f"/demo/pay/{key}/"


def secret() -> str:
    """Return a secret of this installation that nobody else knows: notices of the fake are signed as those of a real channel."""
    return hashlib.sha256(b"payment:" + str(settings.SECRET_KEY).encode()).hexdigest()


class FakePayment:
    """Takes every payment and gives every refund."""

    name = "demo"

    def order(self, *, key: str, amount_fen: int, title: str, expires_at: datetime) -> Asked:  # noqa: ARG002 - the port's signature
        """Return our own page."""
        return Asked(cashier_of(key))

    def parse_notice(self, *, headers: Mapping[str, str], body: bytes) -> Notice:
        """Read a notice as of any channel."""
        return read_notice(channel=self.name, secret=secret(), headers=headers, body=body)

    def refund(self, *, key: str, payment_key: str, number: str, amount_fen: int, reason: str) -> None:
        """Nothing ever fails here."""

    def daily_bill(self, day: date) -> Sequence[BillRow]:
        """Return what we know ourselves."""
        found: list[BillRow] = []
        for city in list(cities()):
            with scope(system_actor(city.div)):
                rows = movements(city.div, self.name, day)
            found += [BillRow(one.kind, one.key, one.number, one.amount_fen) for one in rows]
        return found

    def pay(self, *, key: str, amount_fen: int, at: datetime) -> tuple[dict[str, str], bytes]:
        """Return the signed notice of a payment made at the made-up cashier."""
        number = "D" + hashlib.sha256(key.encode()).hexdigest()[:24]
        return write_notice(channel=self.name, secret=secret(), notice=Notice(key, number, amount_fen, at))
