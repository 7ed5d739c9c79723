"""How money that arrives from a payer pays what it owes: the oldest statement first, what is left over kept for the next ones. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from yinling.settlement.rules import shared_out
from yinling.settlement.sharing import Part, Parts

AGES = (30, 60, 90)
"""Days after which what is owed moves into the next column of the ageing table."""


@dataclass(frozen=True)
class Owed:
    """What a payer owes of one statement out of one fund, by the dimensions of the ledger. What was taken back afterwards is negative."""

    provider_id: int
    month: date
    parts: Parts

    @property
    def fen(self) -> int:
        """All of it."""
        return sum(self.parts.values())


@dataclass(frozen=True)
class Paid:
    """What of the money goes to one part of a statement; without a provider it is kept, or taken from what was kept (negative)."""

    part: Part
    fen: int
    provider_id: int | None = None
    month: date | None = None


def allotted(fen: int, owed: Iterable[Owed], kept: int, *, spare: Part) -> list[Paid]:
    """Divide money over statements in their order. ``kept`` came before and pays with it; ``spare`` is the part that what is left belongs to."""
    found, left = [], fen + kept
    for one in owed:
        parts = one.parts
        if one.fen > left:
            parts = dict(shared_out(sorted(parts.items(), key=lambda each: each[0].order), left))
        found += [Paid(part, amount, one.provider_id, one.month) for part, amount in parts.items() if amount]
        left -= sum(parts.values())
        if left <= 0:
            break
    return [*found, Paid(spare, left - kept)] if left != kept else found


def aged(balance: int, fresh: Sequence[int]) -> tuple[int, ...]:
    """Divide what is open by age: money that came paid the oldest first, so what is open is the newest. ``fresh`` is owed since, by window."""
    found, rest = [], max(0, balance)
    for debit in fresh:
        found.append(max(0, min(rest, debit)))
        rest -= found[-1]
    return (*found, rest)
