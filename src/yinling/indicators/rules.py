"""Figures compared without rounding: 67.996 % does not reach 68 %; nothing divided by nothing is no figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

PERCENT, MINUTES = "percent", "minutes"
UP, DOWN = "up", "down"
SECONDS_PER_MINUTE = 60


@dataclass(frozen=True)
class Figure:
    """A value with what it was computed from. A share counts rows; a duration keeps the median in seconds over ``denominator`` rows."""

    unit: str
    numerator: int
    denominator: int

    @property
    def exact(self) -> Fraction | None:
        """The unrounded value in its unit; None is n/a."""
        if not self.denominator:
            return None
        if self.unit == PERCENT:
            return Fraction(self.numerator * 100, self.denominator)
        return Fraction(self.numerator, SECONDS_PER_MINUTE)

    @property
    def shown(self) -> str:
        """One decimal, half up; empty for n/a."""
        if self.exact is None:
            return ""
        tenths = (self.exact * 10 + Fraction(1, 2)).__floor__()
        return f"{tenths // 10}.{tenths % 10}"


def reaches(figure: Figure, target: Decimal | int | str | None, direction: str) -> bool | None:
    """Whether a figure meets its target, compared unrounded. None without a figure or a target."""
    if figure.exact is None or target is None:
        return None
    wanted = Fraction(target)
    return figure.exact >= wanted if direction == UP else figure.exact <= wanted


def share(counts: Iterable[tuple[int, int]]) -> Figure:
    """Add up hits and rows, counted part by part."""
    hits, rows = (sum(column) for column in list(zip(*counts, strict=True)) or [(), ()])
    return Figure(PERCENT, hits, rows)


def median_seconds(seconds: Sequence[int]) -> Figure:
    """The median of durations; between two middle ones the lower, so that it is the time of a real row."""
    ordered = sorted(seconds)
    return Figure(MINUTES, ordered[(len(ordered) - 1) // 2] if ordered else 0, len(ordered))
