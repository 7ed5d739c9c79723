"""Figures and targets."""

from decimal import Decimal

import pytest

from yinling.indicators.rules import DOWN, MINUTES, PERCENT, UP, Figure, median_seconds, reaches, share


@pytest.mark.parametrize(
    ("numerator", "denominator", "target", "reached"),
    [
        (67996, 100000, 68, False),
        (68, 100, 68, True),
        (67, 100, Decimal("66.7"), True),
        (2, 3, Decimal("66.7"), False),
        (0, 0, 68, None),
        (1, 2, None, None),
    ],
)
def test_a_share_is_compared_unrounded(
    numerator: int,
    denominator: int,
    target: Decimal | int | None,
    reached: bool | None,  # noqa: FBT001 - a table of cases
) -> None:
    assert reaches(Figure(PERCENT, numerator, denominator), target, UP) is reached


@pytest.mark.parametrize(("seconds", "reached"), [(1800, True), (1801, False)])
def test_a_time_reaches_its_target_from_above(seconds: int, reached: bool) -> None:  # noqa: FBT001
    assert reaches(Figure(MINUTES, seconds, 1), 30, DOWN) is reached


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        (Figure(PERCENT, 67996, 100000), "68.0"),
        (Figure(PERCENT, 1, 3), "33.3"),
        (Figure(PERCENT, 5, 5), "100.0"),
        (Figure(PERCENT, 0, 0), ""),
        (Figure(MINUTES, 93, 4), "1.6"),
    ],
)
def test_a_figure_is_shown_with_one_decimal_and_nothing_for_nothing(figure: Figure, shown: str) -> None:
    assert figure.shown == shown


def test_nothing_divided_by_nothing_is_no_figure() -> None:
    assert share([]).exact is None
    assert share([(1, 2), (0, 3)]) == Figure(PERCENT, 1, 5)
    assert median_seconds([]).exact is None


def test_the_median_is_the_time_of_a_real_row() -> None:
    assert median_seconds([60, 600, 120, 30]) == Figure(MINUTES, 60, 4)
    assert median_seconds([60, 600, 120]) == Figure(MINUTES, 120, 3)
