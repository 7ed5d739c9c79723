from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.workdays import WorkingCalendar, WorkingDeadline

OFF = {1: (1, 2, 3), 2: range(15, 24), 4: (4, 5, 6), 5: range(1, 6), 6: (19, 20, 21), 9: (25, 26, 27), 10: range(1, 8)}
MAKEUP = [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)]
ROWS = [(date(2026, month, number), "holiday") for month, numbers in OFF.items() for number in numbers]
ROWS += [(date(2026, month, number), "makeup_workday") for month, number in MAKEUP]
CALENDAR = WorkingCalendar.from_rows(ROWS)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.req("X-CAL-01")
@pytest.mark.parametrize(
    ("text", "is_working"),
    [
        ("2026-01-01", False),
        ("2026-01-04", True),
        ("2026-01-05", True),
        ("2026-01-10", False),
        ("2026-02-14", True),
        ("2026-02-23", False),
        ("2026-02-24", True),
        ("2026-10-10", True),
    ],
)
def test_working_days_of_2026(text: str, is_working: bool) -> None:  # noqa: FBT001 - a table of cases
    assert CALENDAR.is_working(day(text)) is is_working


@pytest.mark.req("X-CAL-03")
def test_a_year_without_list_knows_only_monday_to_friday() -> None:
    calendar = WorkingCalendar({day("2027-01-01"): "holiday"}, {2026})
    assert calendar.is_working(day("2027-01-01"))
    assert calendar.is_provisional(day("2027-01-01"))
    assert not calendar.is_working(day("2027-01-02"))
    assert not calendar.is_provisional(day("2026-12-31"))


@pytest.mark.req("X-CAL-03", "X-CALL-05")
@pytest.mark.parametrize(
    ("text", "count", "due", "is_provisional"),
    [
        ("2026-02-13", 3, "2026-02-25", False),
        ("2026-11-20", 3, "2026-11-25", False),
        ("2026-11-20", 0, "2026-11-20", False),
        ("2026-12-31", 1, "2027-01-01", True),
        ("2026-12-30", 1, "2026-12-31", False),
        ("2027-03-01", 0, "2027-03-01", True),
    ],
)
def test_counting_starts_the_day_after(text: str, count: int, due: str, is_provisional: bool) -> None:  # noqa: FBT001
    assert CALENDAR.add_working_days(day(text), count) == WorkingDeadline(day(due), is_provisional)


def test_counting_backwards_is_an_error() -> None:
    with pytest.raises(ValueError, match="forwards"):
        CALENDAR.add_working_days(day("2026-01-01"), -1)


@pytest.mark.req("X-CALL-05")
def test_a_deadline_ends_at_24_local() -> None:
    assert CALENDAR.due_at(day("2026-11-20"), 3) == datetime(2026, 11, 25, 16, tzinfo=UTC)


@pytest.mark.req("X-TIME-03")
@pytest.mark.parametrize(
    ("last", "moved", "is_provisional"),
    [
        ("2026-11-20", "2026-11-20", False),
        ("2026-11-21", "2026-11-23", False),
        ("2026-02-14", "2026-02-14", False),
        ("2026-02-15", "2026-02-24", False),
        ("2027-01-02", "2027-01-04", True),
    ],
)
def test_a_deadline_to_act_moves_off_rest_days(last: str, moved: str, is_provisional: bool) -> None:  # noqa: FBT001
    assert CALENDAR.act_by(day(last)) == WorkingDeadline(day(moved), is_provisional)


@pytest.mark.req("X-TIME-03", "X-CAL-03")
def test_a_deadline_moved_into_a_year_without_list_is_provisional() -> None:
    calendar = WorkingCalendar.from_rows([(day("2026-12-31"), "holiday")])
    assert calendar.act_by(day("2026-12-31")) == WorkingDeadline(day("2027-01-01"), is_provisional=True)


def test_years_may_be_stated() -> None:
    assert WorkingCalendar.from_rows([(day("2023-12-30"), "holiday")], years=[2024]).years == {2024}
    assert CALENDAR.years == {2026}


@pytest.mark.parametrize(
    "rows", [[(day("2026-01-01"), "feast")], [(day("2026-01-01"), "holiday"), (day("2026-01-01"), "makeup_workday")]]
)
def test_wrong_rows_are_an_error(rows: list[tuple[date, str]]) -> None:
    with pytest.raises(ValueError, match="no kind of day, or the day is given twice"):
        WorkingCalendar.from_rows(rows)


@given(st.dates(date(2025, 1, 1), date(2028, 1, 1)), st.integers(0, 60))
def test_a_deadline_has_the_working_days_before_it(start: date, count: int) -> None:
    due = CALENDAR.add_working_days(start, count).day
    passed = [start + timedelta(days=number + 1) for number in range((due - start).days)]
    assert sum(map(CALENDAR.is_working, passed)) == count
    assert count == 0 or CALENDAR.is_working(due)
