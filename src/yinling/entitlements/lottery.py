"""How much of the welfare-lottery fund of a level goes to elder care in a year (R-FUN-01, R-FUN-02). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

LOTTERY = "lottery"
WHOLE_BP = 10_000


@dataclass(frozen=True)
class Share:
    """The least part, in 1/10000, of the lottery fund that must go to some purposes."""

    least_bp: int
    purposes: tuple[str, ...]

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Share:
        """Read the value of ``funds.lottery_share``."""
        return cls(int(value["least_bp"]), tuple(value["purposes"]))


@dataclass(frozen=True)
class Verdict:
    """The sums of one level in one year, and whether the part is reached: exactly, without rounding."""

    total_fen: int
    counted_fen: int
    least_bp: int

    @property
    def passes(self) -> bool:
        """Whether the part is at least what is asked for; where there is no lottery money, nothing is asked."""
        return self.counted_fen * WHOLE_BP >= self.total_fen * self.least_bp

    @property
    def share_bp(self) -> int:
        """The part in 1/10000, rounded down: 54.999 % is never shown as 55 %."""
        return self.counted_fen * WHOLE_BP // self.total_fen if self.total_fen else 0

    @property
    def missing_fen(self) -> int:
        """What would have to be moved to those purposes, within the same total."""
        return max(0, -(-self.total_fen * self.least_bp // WHOLE_BP) - self.counted_fen)


def judge(lines: Iterable[tuple[str, str, int]], share: Share) -> Verdict:
    """Add up lines of one level and year: (fund, purpose, fen); other funds do not count."""
    lottery = [(purpose, fen) for fund, purpose, fen in lines if fund == LOTTERY]
    return Verdict(sum(fen for _, fen in lottery), _of(lottery, share.purposes), share.least_bp)


def _of(lottery: Iterable[tuple[str, int]], purposes: Collection[str]) -> int:
    return sum(fen for purpose, fen in lottery if purpose in purposes)
