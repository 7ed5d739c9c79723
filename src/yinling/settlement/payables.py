"""What can be paid out, by kind: later contexts register their own, so that one batch pays everybody and nobody twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from yinling.kernel.actor import Actor


@dataclass(frozen=True)
class Payable:
    """One amount that is owed to one payee. ``key`` is ``<prefix>:<number>`` and is paid once; ``account`` is what the ledger owes it on."""

    key: str
    text: str
    provider_id: int | None
    elder_id: int | None
    payer: str
    fund: str
    amount_fen: int
    account: str
    business: str = "eldercare"
    scheme_id: int | None = None


Finder = Callable[[Actor, str], Sequence[Payable]]
OnPaid = Callable[[Actor, datetime, Any, Any], None]
SidesOf = Callable[[Any], Sequence[Any]]
Held = Callable[[Collection[int]], Collection[int]]


@dataclass(frozen=True)
class Kind:
    """How payables of one prefix are found, booked and followed up."""

    finder: Finder
    on_paid: OnPaid | None
    sides: SidesOf | None
    held: Held | None


KINDS: dict[str, Kind] = {}


def register(
    prefix: str, finder: Finder, on_paid: OnPaid | None = None, *, sides: SidesOf | None = None, held: Held | None = None
) -> None:  # fmt: skip
    """Register a kind of payable.

    ``finder(actor, div)`` lists what is owed now and stands in no live batch (``not_in_batch``). ``on_paid(actor, now, line, posting)`` is
    called in the transaction that books the payment, and, with ``posting=None``, when the bank sends the money back. ``sides(line)`` gives
    the debit sides where one account is not enough. ``held(numbers)`` says which of them may not be paid now, though a batch has them.
    """
    KINDS[prefix] = Kind(finder, on_paid, sides, held)


def follow_up(prefix: str, on_paid: OnPaid) -> None:
    """Say what follows a payment of a registered kind, where its queries cannot."""
    KINDS[prefix] = replace(KINDS[prefix], on_paid=on_paid)


def kind_of(key: str) -> Kind | None:
    """Return the kind that a key belongs to."""
    return KINDS.get(key.partition(":")[0])
