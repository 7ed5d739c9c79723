"""What the outside must be able to do so that elders can pay through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class NoticeRefused(Exception):  # noqa: N818 - what happened
    """A notice that is not the channel's, or cannot be read. The text says why, for the journal, without anything of the notice."""


class RefundRefused(Exception):  # noqa: N818 - what the channel said
    """The channel will never do this refund; the text says why."""


@dataclass(frozen=True)
class Asked:
    """What a channel answers to a new payment: where to pay, and its own number if it has one already."""

    link: str
    number: str = ""


@dataclass(frozen=True)
class Notice:
    """What a channel says arrived: for our key, under its number, how much, when."""

    key: str
    number: str
    amount_fen: int
    paid_at: datetime


@dataclass(frozen=True)
class BillRow:
    """One movement on a channel's bill: ``kind`` is pay or refund; ``key`` is our number of the payment or refund."""

    kind: str
    key: str
    number: str
    amount_fen: int


class PaymentChannel(Protocol):
    """A way to pay. Adapters live in ``interop/payment/``. A channel keeps cards and accounts itself: we never ask for them.

    One without a name takes no payments: elders then pay the provider directly, which is only recorded (R-PAY-14).
    """

    name: str

    def order(self, *, key: str, amount_fen: int, title: str, expires_at: datetime) -> Asked:
        """Ask for a payment; a repeated key is the same one. Raises OSError when the channel cannot be reached."""
        ...

    def parse_notice(self, *, headers: Mapping[str, str], body: bytes) -> Notice:
        """Return what a notice says. Raises NoticeRefused when signature, time or content are not right."""
        ...

    def refund(self, *, key: str, payment_key: str, number: str, amount_fen: int, reason: str) -> None:
        """Give money back; a repeated key is the same refund. Raises OSError for "later", RefundRefused for "never"."""
        ...

    def daily_bill(self, day: date) -> Sequence[BillRow]:
        """Return every movement of a day. Raises OSError when there is no bill yet."""
        ...


MADE_UP, NONE = "yinling.interop.payment.fake.FakePayment", "yinling.interop.payment.none.NoPayment"


def payment_channel() -> PaymentChannel:
    """Return the adapter chosen in the settings; without one, the made-up channel in a demonstration and none elsewhere."""
    path = settings.PORTS["payment"] or (MADE_UP if settings.DEMO else NONE)
    adapter: PaymentChannel = import_string(path)()
    return adapter
