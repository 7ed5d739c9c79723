"""Bed-days by the usual rule, never lost and never doubled at the end of a month; and what an approval needs."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.period import DayPeriod, month_start
from yinling.kernel.refusals import Refused
from yinling.programmes.home_beds.rules import (
    PIECES,
    Month,
    bed_days,
    billable,
    check_discharge,
    check_pieces,
    months_of,
    paid_days,
)

pytestmark = pytest.mark.req("R-BED-06", "X-PAY-03")
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
JUNE = DayPeriod(date(2026, 6, 1), date(2026, 7, 1))


@pytest.mark.parametrize(
    ("admitted", "discharged", "within", "count"),
    [
        (date(2026, 6, 10), date(2026, 6, 15), JUNE, 5),
        (date(2026, 6, 10), date(2026, 6, 10), JUNE, 1),
        (date(2026, 5, 30), date(2026, 6, 1), JUNE, 0),
        (date(2026, 5, 30), date(2026, 6, 2), JUNE, 1),
        (date(2026, 6, 30), date(2026, 7, 4), JUNE, 1),
        (date(2026, 5, 1), None, JUNE, 30),
        (date(2028, 1, 31), date(2028, 3, 1), DayPeriod(date(2028, 2, 1), date(2028, 3, 1)), 29),
    ],
)
def test_admission_counts_and_discharge_does_not(
    admitted: date, discharged: date | None, within: DayPeriod, count: int
) -> None:
    assert bed_days(admitted, discharged, within) == count


def test_days_without_an_end_cannot_be_counted() -> None:
    with pytest.raises(ValueError, match="without an end"):
        bed_days(date(2026, 6, 1), None, DayPeriod(date(2026, 6, 1)))


@given(admitted=DAYS, length=st.integers(0, 800))
def test_the_months_add_up_to_the_whole_stay(admitted: date, length: int) -> None:
    discharged = admitted + timedelta(days=length)
    months = list(months_of(admitted, discharged, date(2035, 1, 1)))
    assert sum(month.days for month in months) == max(1, length)
    covered = [month.from_on + timedelta(days=number) for month in months for number in range(month.days)]
    assert covered == [admitted + timedelta(days=number) for number in range(max(1, length))]
    assert all(month_start(day) == month.first for month in months for day in (month.from_on,))


@given(admitted=DAYS, length=st.integers(0, 800), looks=st.lists(st.integers(0, 900), max_size=6))
def test_billing_again_and_again_bills_each_day_once(admitted: date, length: int, looks: list[int]) -> None:
    """However often and whenever somebody looks, and although the discharge is only known on its day."""
    discharged, billed = admitted + timedelta(days=length), dict[date, int]()
    for look in [*sorted(looks), 2000]:
        today = admitted + timedelta(days=look)
        for month in billable(admitted, discharged if discharged <= today else None, today):
            assert billed.setdefault(month.first, month.days) == month.days
    assert sum(billed.values()) == max(1, length)


def test_a_month_is_billed_when_it_is_over_or_the_elder_was_discharged() -> None:
    admitted = date(2026, 5, 20)
    assert billable(admitted, None, date(2026, 6, 15)) == [Month(date(2026, 5, 1), 12, admitted)]
    ended = billable(admitted, date(2026, 6, 15), date(2026, 6, 15))
    assert [(month.code, month.days) for month in ended] == [("202605", 12), ("202606", 14)]
    assert billable(date(2026, 6, 15), date(2026, 6, 15), date(2026, 6, 15)) == [
        Month(date(2026, 6, 1), 1, date(2026, 6, 15))
    ]


@given(admitted=DAYS, length=st.integers(0, 100))
def test_a_stay_that_begins_when_another_ends_shares_no_day_with_it(admitted: date, length: int) -> None:
    discharged = admitted + timedelta(days=length)
    next_one = paid_days(discharged, discharged + timedelta(days=3))
    assert paid_days(admitted, discharged).overlaps(next_one) is (length == 0)


@pytest.mark.parametrize(
    ("discharged", "billed_until", "code"),
    [
        (date(2026, 5, 31), None, "stay.before_admission"),
        (date(2026, 6, 16), None, "stay.in_future"),
        (date(2026, 6, 10), date(2026, 6, 11), "stay.billed"),
    ],
)
def test_impossible_discharges_are_refused(discharged: date, billed_until: date | None, code: str) -> None:
    with pytest.raises(Refused) as refused:
        check_discharge(
            admitted_on=date(2026, 6, 1), discharged_on=discharged, today=date(2026, 6, 15), billed_until=billed_until
        )
    assert refused.value.code == code


def test_a_discharge_on_the_first_day_that_is_not_billed_is_right() -> None:
    check_discharge(
        admitted_on=date(2026, 5, 1),
        discharged_on=date(2026, 6, 1),
        today=date(2026, 6, 15),
        billed_until=date(2026, 6, 1),
    )


@pytest.mark.req("R-BED-01")
@pytest.mark.parametrize("missing", PIECES)
def test_each_missing_piece_is_named(missing: str) -> None:
    with pytest.raises(Refused) as refused:
        check_pieces(set(PIECES) - {missing})
    assert (refused.value.code, refused.value.values["what"]) == (f"bed.no_{missing}", PIECES[missing])


@pytest.mark.req("R-BED-01")
def test_all_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        check_pieces({"level", "consent"})
    assert refused.value.code == "bed.no_diagnosis"
    assert refused.value.values["what"] == "、".join(
        PIECES[one] for one in ("diagnosis", "home_check", "doctor", "nurse")
    )
    check_pieces(set(PIECES))
