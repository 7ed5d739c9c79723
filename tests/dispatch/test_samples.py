"""What samples say: by medians, from enough of them, and only if it is news."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.dispatch.samples import ALL_DAY, BANDS, Limits, band_of, bars, is_news, summarise, verdict, way_ratio

LIMITS = Limits(least_seconds=180, most_seconds=5400, most_ratio=4)
SAMPLES = st.lists(st.floats(0.25, 4), min_size=2, max_size=60)


def test_the_median_stands_and_outliers_move_nothing() -> None:
    calm = summarise([1.2] * 25 + [1.4] * 6, least=30)
    wild = summarise([1.2] * 25 + [4.0] * 6, least=30)
    assert calm is not None
    assert wild is not None
    assert (calm.value, calm.low, calm.high, calm.count) == (1.2, 1.2, 1.2, 31)
    assert wild.value == calm.value


def test_too_few_samples_say_nothing() -> None:
    assert summarise([1.5] * 29, least=30) is None
    assert summarise([], least=0) is None
    assert summarise([1.5], least=1) is None
    assert summarise([1.5] * 30, least=30) is not None


@given(SAMPLES)
def test_every_sample_is_in_one_bar_and_the_quartiles_hold_the_median(samples: list[float]) -> None:
    found = summarise(samples, least=2)
    assert found is not None
    assert min(samples) <= found.low <= found.value <= found.high <= max(samples)
    assert sum(count for _, _, count in found.bars) == len(samples)


@given(SAMPLES)
def test_bars_touch_and_cover_everything(samples: list[float]) -> None:
    drawn = bars(samples)
    assert (drawn[0][0], drawn[-1][1]) == (min(samples), max(samples))
    assert all(one[1] == other[0] for one, other in pairwise(drawn))


def test_the_bands_cover_the_day_once() -> None:
    assert [band_of(hour)[0] <= hour < band_of(hour)[1] for hour in range(24)] == [True] * 24
    assert sum(end - start for start, end in BANDS) == ALL_DAY[1]


@pytest.mark.parametrize(
    ("actual", "estimated", "ratio"),
    [
        (600, 300, 2.0), (300, 300, 1.0), (75, 300, 0.25), (1200, 300, 4.0),
        (60, 120, None),  # too near to tell
        (5401, 3000, None),  # rested between
        (1201, 300, None), (74, 300, None), (0, 300, None), (-5, 300, None),
    ],
)  # fmt: skip
def test_only_plausible_ways_count(actual: float, estimated: int, ratio: float | None) -> None:
    assert way_ratio(actual, estimated, LIMITS) == ratio


def test_news_is_a_share_of_what_is_used() -> None:
    assert is_news(1.09, 1.0, share=0.08)
    assert not is_news(1.07, 1.0, share=0.08)
    assert is_news(54, 60, share=0.08)


@pytest.mark.parametrize(
    ("value", "before", "proposed", "rejected", "wanted"),
    [
        (1.3, 1.0, None, None, "propose"),
        (1.02, 1.0, None, None, ""),
        (1.02, 1.0, 1.3, None, "drop"),
        (1.3, 1.0, 1.31, None, ""),
        (1.5, 1.0, 1.3, None, "propose"),
        (1.3, 1.0, None, 1.32, ""),
        (1.3, 1.0, 1.6, 1.32, "drop"),
        (1.6, 1.0, None, 1.3, "propose"),
        (1.31, 1.3, None, None, ""),
    ],
)
def test_what_becomes_of_a_result(
    value: float, before: float, proposed: float | None, rejected: float | None, wanted: str
) -> None:
    summary = summarise([value] * 40, least=30)
    assert summary is not None
    assert verdict(summary, before=before, proposed=proposed, rejected=rejected, share=0.08) == wanted
