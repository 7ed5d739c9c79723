"""Figures, sums and draws as pure functions."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.hotline.operating import (
    AT_LEAST,
    BELOW,
    Candidate,
    Counts,
    Measure,
    Terms,
    bill,
    check_month,
    check_points,
    days_in_force,
    drawn,
    kind_of,
    measures,
    summed,
)
from yinling.kernel.refusals import Refused

TARGETS = {"answered": 95, "in_time": 80, "abandoned": 5, "callback": 95, "first_call": 70, "quality": 85}
TERMS = Terms(1_000_000, 200, 50, 500, date(2026, 1, 1), date(2027, 1, 1))
JUNE = date(2026, 6, 1)


def measure(hits: int, total: int, target: str = "95", direction: str = AT_LEAST) -> Measure:
    return Measure("answered", "接通率", hits, total, Decimal(target), direction)


@pytest.mark.parametrize(
    ("hits", "total", "direction", "target", "met", "short", "shown"),
    [
        (95, 100, AT_LEAST, "95", True, 0, "95.0"),
        (949, 1000, AT_LEAST, "95", False, 0, "94.9"),
        (94, 100, AT_LEAST, "95", False, 1, "94.0"),
        (9399, 10000, AT_LEAST, "95", False, 1, "93.9"),
        (92, 100, AT_LEAST, "95", False, 3, "92.0"),
        (499, 10000, BELOW, "5", True, 0, "5.0"),
        (5, 100, BELOW, "5", False, 0, "5.0"),
        (7, 100, BELOW, "5", False, 2, "7.0"),
        (0, 0, AT_LEAST, "95", None, 0, ""),
        (94996, 100000, AT_LEAST, "95", False, 0, "94.9"),
    ],
)
def test_a_figure_is_compared_unrounded(
    *, hits: int, total: int, direction: str, target: str, met: bool | None, short: int, shown: str
) -> None:
    one = measure(hits, total, target, direction)
    assert (one.is_met, one.points_short, one.shown) == (met, short, shown)


def test_counts_add_up() -> None:
    parts = [Counts(3, 2, 1, 1, 0, 0, 20, 2, 120), Counts(1, 1, 1, 0, 0, 0, 4, 0, 0)]
    assert summed(parts) == Counts(4, 3, 2, 1, 0, 0, 24, 2, 120)
    assert (summed(parts).speed_s, summed(parts).talk_s) == (8, 60)
    assert (Counts().speed_s, Counts().talk_s) == (None, None)


@pytest.mark.req("R-CALL-08")
def test_every_measure_stands_against_its_target() -> None:
    found = measures(
        Counts(arrived=100, answered=96, in_time=70, abandoned=4), TARGETS, callbacks=(9, 10), first_calls=(8, 10), quality=(170, 2)
    )  # fmt: skip
    assert [(one.code, one.shown, one.is_met) for one in found] == [
        ("answered", "96.0", True), ("in_time", "72.9", False), ("abandoned", "4.0", True), ("callback", "90.0", False),
        ("first_call", "80.0", True), ("quality", "85.0", True),
    ]  # fmt: skip
    assert [one.code for one in measures(Counts(), TARGETS)] == ["answered", "in_time", "abandoned"]


@pytest.mark.req("R-CALL-12")
def test_a_month_is_paid_to_the_fen() -> None:
    short = [measure(92, 100), measure(74, 100, "80")]
    found = bill(TERMS, JUNE, 1234, short)
    assert (found.base_fen, found.calls_fen) == (1_000_000, 246_800)
    assert found.deduction_fen == 56_106  # 9 points at 50 bp of 12,468.00 yuan, half up
    assert [(one.hits, points, fen) for one, points, fen in found.reasons] == [(92, 3, 18_702), (74, 6, 37_404)]
    assert found.total_fen == 1_190_694


def test_no_more_than_the_most_is_deducted() -> None:
    found = bill(TERMS, JUNE, 0, [measure(50, 100)])
    assert (found.deduction_fen, found.total_fen) == (50_000, 950_000)


@pytest.mark.parametrize(
    ("first", "end", "part"),
    [
        (date(2026, 6, 1), date(2026, 7, 1), Fraction(1)),
        (date(2026, 6, 16), date(2027, 1, 1), Fraction(1, 2)),
        (date(2026, 1, 1), date(2026, 6, 11), Fraction(1, 3)),
        (date(2026, 7, 1), date(2026, 8, 1), Fraction(0)),
    ],
)
def test_a_month_begun_or_ended_is_paid_by_days(first: date, end: date, part: Fraction) -> None:
    assert days_in_force(Terms(1, 0, 0, 0, first, end), JUNE) == part


@given(
    monthly=st.integers(0, 10**9), per_call=st.integers(0, 10**4), answered=st.integers(0, 10**5), bp=st.integers(0, 10_000),
    most=st.integers(0, 10_000), hits=st.lists(st.integers(0, 100), max_size=6),
)  # fmt: skip
def test_reasons_always_add_up_to_the_deduction(
    monthly: int, per_call: int, answered: int, bp: int, most: int, hits: list[int]
) -> None:
    terms = Terms(monthly, per_call, bp, most, date(2026, 6, 3), date(2026, 6, 21))
    found = bill(terms, JUNE, answered, [measure(number, 100) for number in hits])
    assert sum(fen for _one, _points, fen in found.reasons) == found.deduction_fen
    assert 0 <= found.deduction_fen <= found.base_fen + found.calls_fen
    assert found.total_fen >= 0


def test_a_month_is_settled_when_it_is_over_and_under_contract() -> None:
    check_month(JUNE, today=date(2026, 7, 1), terms=TERMS)
    with pytest.raises(Refused) as early:
        check_month(JUNE, today=date(2026, 6, 30), terms=TERMS)
    with pytest.raises(Refused) as outside:
        check_month(date(2025, 12, 1), today=date(2026, 7, 1), terms=TERMS)
    assert (early.value.code, outside.value.code) == ("operator_statement.month", "operator_statement.outside")


WEIGHTS = {"plain": 1, "short": 2, "long": 2, "complaint": 4}


def test_the_draw_takes_every_seat_and_is_the_same_again() -> None:
    calls = [Candidate(number, 1 + number % 3, 60) for number in range(60)]
    first = drawn(calls, per_seat=4, seed="a", weights=WEIGHTS, short_s=30, long_s=600)
    again = drawn(reversed(calls), per_seat=4, seed="a", weights=WEIGHTS, short_s=30, long_s=600)
    other = drawn(calls, per_seat=4, seed="b", weights=WEIGHTS, short_s=30, long_s=600)
    assert first == again
    assert first != other
    assert sorted(1 + number % 3 for number in first) == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]
    assert drawn(calls[:1], per_seat=4, seed="a", weights=WEIGHTS, short_s=30, long_s=600) == [0]


def test_complaints_are_drawn_about_four_times_as_often() -> None:
    calls = [Candidate(number, 1, 60, is_complaint=number % 2 == 0) for number in range(20)]
    first = [
        drawn(calls, per_seat=1, seed=str(seed), weights=WEIGHTS, short_s=30, long_s=600)[0] for seed in range(2000)
    ]
    assert 0.77 < sum(1 for number in first if number % 2 == 0) / 2000 < 0.83


@pytest.mark.parametrize(
    ("talked", "complaint", "kind"),
    [(10, False, "short"), (30, False, "plain"), (600, False, "plain"), (601, False, "long"), (10, True, "complaint")],
)
def test_what_sort_a_call_is(*, talked: int, complaint: bool, kind: str) -> None:
    assert kind_of(Candidate(1, 1, talked, complaint), short_s=30, long_s=600) == kind


CRITERIA = [{"code": "greeting", "points": 10}, {"code": "solution", "points": 90}]


def test_points_are_whole_and_within_each_criterion() -> None:
    assert check_points({"greeting": 10, "solution": 71}, CRITERIA) == 81
    for wrong, code in (
        ({"greeting": 10}, "sample.criteria"), ({"greeting": 10, "solution": 1, "x": 1}, "sample.criteria"),
        ({"greeting": 11, "solution": 1}, "sample.points"), ({"greeting": -1, "solution": 1}, "sample.points"),
        ({"greeting": 1.5, "solution": 1}, "sample.points"), ({"greeting": True, "solution": 1}, "sample.points"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refusal:
            check_points(wrong, CRITERIA)
        assert refusal.value.code == code
