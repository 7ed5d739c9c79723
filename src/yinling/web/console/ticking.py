"""What is ticked in a list: how many and how much of it, in figures and capitals, by payer. The server says it at every tick."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ticked:
    """Count and sum of what is ticked, and both by payer."""

    count: int
    fen: int
    payers: dict[str, tuple[int, int]]


def ticked(rows: Iterable[tuple[str, int]]) -> Ticked:
    """Add up payer and amount of each row."""
    payers: dict[str, tuple[int, int]] = {}
    for payer, fen in rows:
        count, total = payers.get(payer, (0, 0))
        payers[payer] = (count + 1, total + fen)
    return Ticked(sum(count for count, _fen in payers.values()), sum(fen for _count, fen in payers.values()), payers)
