"""What samples of finished visits say, by medians: one lost phone, one long chat or one forgotten check-out moves nothing. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, quantiles

ALL_DAY = (0, 24)
BANDS = ((0, 7), (7, 9), (9, 11), (11, 13), (13, 17), (17, 19), (19, 24))
"""Hours in which roads are alike: the peaks of the morning, of noon and of the evening, and what lies between."""
_BARS = 10
_LEAST_FOR_QUARTILES = 2


@dataclass(frozen=True)
class Summary:
    """The median, the bounds of the middle half, how many samples there were, and their bars ``(from, to, count)``."""

    value: float
    low: float
    high: float
    count: int
    bars: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True)
class Limits:
    """Which ways between two visits count (parameters ``learned.way.*``)."""

    least_seconds: int
    most_seconds: int
    most_ratio: float


def summarise(samples: Sequence[float], *, least: int) -> Summary | None:
    """Return what samples say, or nothing if there are fewer than ``least``."""
    if len(samples) < max(least, _LEAST_FOR_QUARTILES):
        return None
    low, _, high = quantiles(samples, n=4, method="inclusive")
    return Summary(median(samples), low, high, len(samples), bars(samples))


def bars(samples: Sequence[float]) -> tuple[tuple[float, float, int], ...]:
    """Return a histogram of ten equal bars from the smallest to the largest sample; the last holds its upper edge."""
    first, last = min(samples), max(samples)
    width = (last - first) / _BARS
    if first + width == first:
        return ((first, last, len(samples)),)
    counts = Counter(min(int((one - first) / width), _BARS - 1) for one in samples)
    edges = [first + width * number for number in range(_BARS)] + [last]
    return tuple((*edge, counts[number]) for number, edge in enumerate(pairwise(edges)))


def is_news(value: float, before: float, *, share: float) -> bool:
    """Whether a value differs from the one in use by more than a share of it."""
    return abs(value - before) > share * before


def band_of(hour: int) -> tuple[int, int]:
    """Return the band an hour of the day lies in."""
    return next(band for band in BANDS if band[0] <= hour < band[1])


def way_ratio(actual_seconds: float, estimated_seconds: int, limits: Limits) -> float | None:
    """Return actual to estimated, or nothing when the two visits tell nothing about the way: too near, a rest between, out of reason."""
    if estimated_seconds < limits.least_seconds or not 0 < actual_seconds <= limits.most_seconds:
        return None
    ratio = actual_seconds / estimated_seconds
    return ratio if 1 / limits.most_ratio <= ratio <= limits.most_ratio else None


def verdict(summary: Summary, *, before: float, proposed: float | None, rejected: float | None, share: float) -> str:
    """Return what to do about a result: "propose" it, "drop" the older proposal it has overtaken, or nothing.

    A result near what is used is no news; one near the last rejected is not asked again every week.
    """
    is_dull = not is_news(summary.value, before, share=share)
    is_known = rejected is not None and not is_news(summary.value, rejected, share=share)
    if is_dull or is_known:
        return "" if proposed is None else "drop"
    return "" if proposed is not None and not is_news(summary.value, proposed, share=share / 2) else "propose"
