"""Seats for a half hour: Erlang C and A against published figures, and calls expected from history."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yinling.hotline.staffing import SLOTS, Target, expected_calls, kind_of, seats_needed, service, trend
from yinling.kernel.workdays import WorkingCalendar

TARGET = Target(answered=0.80, seconds=15, abandoned=0.05)
MONDAY = date(2026, 6, 15)
CALENDAR = WorkingCalendar({date(2026, 10, 1): "holiday", date(2026, 10, 10): "makeup_workday"}, {2026})


def test_the_table_of_garnett_mandelbaum_and_reiman() -> None:
    """48 calls a minute of one minute, 50 seats; patience of two minutes or none (M&SOM 4, 2002, section 1)."""
    endless = service(48 * 30, 60, 50, 15, None)
    assert (round(endless.wait_seconds, 1), round(endless.busy, 2), endless.abandoned) == (20.8, 0.96, 0)
    patient = service(48 * 30, 60, 50, 15, 120)
    assert (round(patient.wait_seconds, 1), round(patient.busy, 2), round(patient.abandoned, 3)) == (3.7, 0.93, 0.031)


def test_the_worked_example_of_erlang_c() -> None:
    """100 calls of three minutes in half an hour, 14 seats: 88.8 % within 20 seconds, 7.8 seconds on average."""
    given_ = service(100, 180, 14, 20, None)
    assert (round(given_.answered, 4), round(given_.wait_seconds, 1), round(given_.busy, 4)) == (0.8884, 7.8, 0.7143)


@pytest.mark.parametrize(
    ("calls", "handling", "patience", "seats", "answered", "abandoned", "busy"),
    [
        (10, 240, 120, 2, 0.6771, 0.195028, 0.536648),
        (10, 240, 120, 3, 0.877803, 0.062485, 0.416673),
        (60, 240, 60, 8, 0.67642, 0.183839, 0.816161),
        (60, 240, 300, 10, 0.761104, 0.048445, 0.761244),
        (100, 180, 90, 9, 0.536546, 0.201103, 0.887663),
        (3, 300, 120, 1, 0.648522, 0.26763, 0.366185),
        (200, 240, 120, 25, 0.589409, 0.125245, 0.933072),
    ],
)
def test_erlang_a_equals_the_chain_of_another_library(
    calls: float, handling: float, patience: float, seats: int, answered: float, abandoned: float, busy: float
) -> None:
    """Figures of pyworkforce 0.5.4, which solves the birth-and-death chain; ours are integrals."""
    found = service(calls, handling, seats, 15, patience)
    assert found.answered == pytest.approx(answered, abs=1e-4)
    assert found.abandoned == pytest.approx(abandoned, abs=1e-4)
    assert found.busy == pytest.approx(busy, abs=1e-4)


@given(st.floats(1, 200), st.floats(30, 600), st.integers(1, 60), st.floats(1, 60))
@settings(max_examples=150, deadline=None)
def test_endless_patience_is_where_patience_leads(calls: float, handling: float, seats: int, within: float) -> None:
    load = calls * handling / 1800
    if seats < load * 1.1:
        return
    endless, long = service(calls, handling, seats, within, None), service(calls, handling, seats, within, 1e7)
    assert long.answered == pytest.approx(endless.answered, abs=2e-3)
    assert long.abandoned == pytest.approx(0, abs=1e-3)


@given(st.floats(0.1, 300), st.floats(30, 900), st.floats(10, 600), st.integers(1, 60))
@settings(max_examples=150, deadline=None)
def test_one_seat_more_never_serves_worse(calls: float, handling: float, patience: float, seats: int) -> None:
    fewer, more = (service(calls, handling, count, 15, patience) for count in (seats, seats + 1))
    assert more.answered >= fewer.answered - 1e-6
    assert more.abandoned <= fewer.abandoned + 1e-6
    assert 0 <= fewer.abandoned <= 1
    assert 0 <= fewer.busy <= 1 + 1e-6


@given(st.floats(0, 200), st.floats(30, 600), st.one_of(st.none(), st.floats(20, 600)))
@settings(max_examples=100, deadline=None)
def test_the_seats_needed_reach_the_target_and_one_fewer_does_not(
    calls: float, handling: float, patience: float | None
) -> None:
    def is_met(seats: int) -> bool:
        found = service(calls, handling, seats, TARGET.seconds, patience)
        return found.answered >= TARGET.answered and found.abandoned <= TARGET.abandoned

    seats = seats_needed(calls, handling, patience, TARGET)
    assert is_met(seats)
    assert seats == 1 or not is_met(seats - 1)


def test_no_call_still_needs_somebody() -> None:
    assert seats_needed(0, 240, 120, TARGET) == 1


def weeks(count: int, per_day: list[int]) -> dict[date, list[int]]:
    """A history of whole weeks, one call count for ten o'clock of each day, growing by the week's number."""
    return {
        MONDAY + timedelta(days=7 * week + day): [0] * 20 + [per_day[week] * (day + 1)] + [0] * 27
        for week in range(count)
        for day in range(7)
    }


def test_a_steady_history_repeats_its_weekday() -> None:
    found = expected_calls(weeks(4, [2, 2, 2, 2]), MONDAY + timedelta(days=28 + 2), CALENDAR)
    assert len(found) == SLOTS
    assert found[20] == pytest.approx(6)
    assert sum(found) == pytest.approx(6)


def test_a_growing_history_goes_on_growing_and_never_more_than_doubles() -> None:
    history = weeks(4, [1, 2, 3, 4])
    assert trend(history, MONDAY + timedelta(days=28)) == pytest.approx(2.0)
    assert expected_calls(history, MONDAY + timedelta(days=28), CALENDAR)[20] == pytest.approx(5)
    assert trend(history, MONDAY + timedelta(days=28 * 4)) == 2.0


def test_two_weeks_are_no_trend_and_no_history_is_no_call() -> None:
    assert trend(weeks(2, [1, 5]), MONDAY + timedelta(days=14)) == 1.0
    assert expected_calls({}, MONDAY, CALENDAR) == [0.0] * SLOTS


def test_a_holiday_is_as_a_sunday_and_a_make_up_saturday_as_the_mean_of_the_week() -> None:
    history = {MONDAY + timedelta(days=day): [day] * SLOTS for day in range(28)}
    history = {day: [day.weekday() + 1] * SLOTS for day in history}
    assert kind_of(date(2026, 10, 1), CALENDAR) == 6
    assert expected_calls(history, date(2026, 10, 1), CALENDAR)[0] == pytest.approx(7)
    assert expected_calls(history, date(2026, 10, 10), CALENDAR)[0] == pytest.approx(3)
