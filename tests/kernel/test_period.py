from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.period import (
    SHANGHAI,
    DayPeriod,
    Span,
    add_months,
    add_years,
    age_on,
    born_by,
    day_bounds,
    last_day_of_span,
    local_date,
    local_midnight,
    month_start,
    next_month,
    span_from_first_day,
    week_start,
)
from yinling.kernel.refusals import Refused

DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - to be refused


def day(text: str) -> date:
    return date.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def period(text: str) -> DayPeriod:
    from_, to = text.split("..")
    return DayPeriod(day(from_), day(to) if to else None)


@pytest.mark.req("X-TIME-06")
def test_a_day_begins_in_shanghai() -> None:
    assert local_date(utc("2026-03-01T15:59:59")) == day("2026-03-01")
    assert local_date(utc("2026-03-01T16:00:00")) == day("2026-03-02")
    assert local_date(datetime(2026, 3, 1, 23, tzinfo=timezone(-timedelta(hours=5)))) == day("2026-03-02")
    assert local_midnight(day("2026-03-02")) == utc("2026-03-01T16:00:00")
    assert local_midnight(day("2026-03-02")).tzinfo is UTC
    assert day_bounds(day("2026-03-02")) == (utc("2026-03-01T16:00:00"), utc("2026-03-02T16:00:00"))


@pytest.mark.req("X-TIME-06")
def test_summer_time_of_1988_does_not_move_the_day() -> None:
    start, end = day_bounds(day("1988-07-01"))
    assert (local_date(start), local_date(end)) == (day("1988-07-01"), day("1988-07-02"))
    assert start == utc("1988-06-30T15:00:00")


@given(DAYS)
def test_midnight_belongs_to_its_day(some: date) -> None:
    start, end = day_bounds(some)
    assert local_date(start) == some == local_date(end - timedelta(microseconds=1))
    assert local_date(start - timedelta(microseconds=1)) == some - timedelta(days=1)


def test_a_moment_without_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="time zone"):
        local_date(NAIVE)
    with pytest.raises(ValueError, match="time zone"):
        Span(NAIVE, utc("2026-01-01"))
    with pytest.raises(ValueError, match="time zone"):
        Span(utc("2026-01-01"), NAIVE)
    with pytest.raises(ValueError, match="time zone"):
        Span(utc("2026-01-01"), utc("2026-01-02")).contains(NAIVE)


@pytest.mark.req("X-TIME-07")
def test_week_and_month() -> None:
    assert [week_start(day(f"2026-11-{number}")) for number in (15, 16, 22)] == [
        day("2026-11-09"),
        day("2026-11-16"),
        day("2026-11-16"),
    ]
    assert month_start(day("2026-02-28")) == day("2026-02-01")
    assert next_month(day("2026-01-31")) == day("2026-02-01")
    assert next_month(day("2026-12-01")) == day("2027-01-01")


@pytest.mark.req("X-TIME-02")
@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-08-31", 1, "2026-09-30"),
        ("2026-11-15", 2, "2027-01-15"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2026-01-15", 0, "2026-01-15"),
        ("2024-02-29", 12, "2025-02-28"),
    ],
)
def test_add_months(start: str, months: int, end: str) -> None:
    assert add_months(day(start), months) == day(end)


@given(DAYS, st.integers(-600, 600))
def test_months_land_in_the_month_and_never_later_in_it(start: date, months: int) -> None:
    end = add_months(start, months)
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day <= start.day
    assert end.day == start.day or (end + timedelta(days=1)).day == 1


def test_add_years() -> None:
    assert add_years(day("2024-02-29"), 1) == day("2025-02-28")
    assert add_years(day("2024-02-29"), 4) == day("2028-02-29")


@pytest.mark.req("X-TIME-01", "X-TIME-02", "D-17")
@pytest.mark.parametrize(
    ("event", "length", "last"),
    [
        ("2026-01-01", {"days": 3}, "2026-01-04"),
        ("2026-01-31", {"months": 1}, "2026-02-28"),
        ("2026-05-13", {"years": 2}, "2028-05-13"),
        ("2024-02-29", {"years": 1}, "2025-02-28"),
        ("2026-01-31", {"months": 1, "days": 1}, "2026-03-01"),
        ("2026-01-31", {}, "2026-01-31"),
    ],
)
def test_a_span_from_an_event_runs_through_the_corresponding_day(event: str, length: dict[str, int], last: str) -> None:
    assert last_day_of_span(day(event), **length) == day(last)


@pytest.mark.req("D-17")
@pytest.mark.parametrize(
    ("first", "length", "last"),
    [
        ("2022-03-01", {"years": 10}, "2032-02-29"),
        ("2026-01-01", {"years": 1}, "2026-12-31"),
        ("2026-01-15", {"months": 1}, "2026-02-14"),
        ("2026-01-31", {"months": 1}, "2026-02-28"),
        ("2024-02-29", {"years": 1}, "2025-02-28"),
        ("2026-01-01", {"days": 7}, "2026-01-07"),
    ],
)
def test_a_span_from_its_first_day_ends_the_day_before(first: str, length: dict[str, int], last: str) -> None:
    span = span_from_first_day(day(first), **length)
    assert (span.from_, span.last_day) == (day(first), day(last))


def test_spans_do_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        last_day_of_span(day("2026-01-01"), days=-1)
    with pytest.raises(ValueError, match="backwards"):
        span_from_first_day(day("2026-01-01"), months=-1)
    with pytest.raises(Refused):
        span_from_first_day(day("2026-01-01"))


@pytest.mark.req("X-TIME-04", "D-05")
@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        ("1946-11-21", "2026-11-20", 79),
        ("1946-11-21", "2026-11-21", 80),
        ("1944-02-29", "2023-02-27", 78),
        ("1944-02-29", "2023-02-28", 79),
        ("1944-02-29", "2024-02-28", 79),
        ("1944-02-29", "2024-02-29", 80),
        ("2026-01-01", "2026-01-01", 0),
    ],
)
def test_age(born: str, on: str, age: int) -> None:
    assert age_on(day(born), day(on)) == age
    assert born_by(age + 1, day(on)) < day(born) <= born_by(age, day(on))


def test_nobody_has_an_age_before_birth() -> None:
    with pytest.raises(ValueError, match="before birth"):
        age_on(day("2026-01-02"), day("2026-01-01"))


@pytest.mark.req("X-TIME-04")
@given(DAYS, st.integers(0, 40000))
def test_age_grows_by_one_a_year(born: date, days: int) -> None:
    now = born + timedelta(days=days)
    age = age_on(born, now)
    assert add_years(born, age) <= now < add_years(born, age + 1)


def test_a_period_is_half_open() -> None:
    year = period("2026-01-01..2027-01-01")
    assert [year.contains(day(text)) for text in ("2025-12-31", "2026-01-01", "2026-12-31", "2027-01-01")] == [
        False,
        True,
        True,
        False,
    ]
    assert year.last_day == day("2026-12-31")
    assert DayPeriod.through(day("2026-01-01"), day("2026-12-31")) == year
    assert DayPeriod.through(day("2026-01-01"), None) == period("2026-01-01..")
    assert period("2026-01-01..").last_day is None
    assert period("2026-01-01..").contains(day("2999-01-01"))


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("2026-01-01..2026-02-01", "2026-01-15..2026-03-01", "2026-01-15..2026-02-01"),
        ("2026-01-01..2026-02-01", "2026-02-01..2026-03-01", None),
        ("2026-01-01..", "2026-02-01..2026-03-01", "2026-02-01..2026-03-01"),
        ("2026-01-01..", "2026-02-01..", "2026-02-01.."),
        ("2026-03-01..", "2026-02-01..2026-03-01", None),
    ],
)
def test_intersection(one: str, other: str, both: str | None) -> None:
    expected = None if both is None else period(both)
    assert period(one).intersection(period(other)) == expected == period(other).intersection(period(one))
    assert period(one).overlaps(period(other)) == (both is not None)


def test_a_period_without_days_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        period("2026-01-01..2026-01-01")
    assert caught.value.code == "period.empty"


@pytest.mark.parametrize(("from_", "to"), [(utc("2026-01-01"), None), (day("2026-01-01"), utc("2026-01-02"))])
def test_a_period_of_moments_is_an_error(from_: date, to: date | None) -> None:
    with pytest.raises(ValueError, match="not of moments"):
        DayPeriod(from_, to)


@given(DAYS, DAYS, DAYS, DAYS, DAYS)
def test_intersection_holds_what_both_hold(a: date, b: date, c: date, d: date, some: date) -> None:
    one, other = (DayPeriod.through(min(pair), max(pair)) for pair in ((a, b), (c, d)))
    both = one.intersection(other)
    assert (both is not None and both.contains(some)) == (one.contains(some) and other.contains(some))


def test_span() -> None:
    visit = Span(utc("2026-01-01T01:00:00"), utc("2026-01-01T02:30:59"))
    assert visit.minutes == 90
    assert visit.contains(datetime(2026, 1, 1, 9, tzinfo=SHANGHAI))
    assert not visit.contains(visit.end)
    assert not visit.contains(utc("2026-01-01T00:59:59"))
    assert visit.overlaps(Span(utc("2026-01-01T02:00:00"), utc("2026-01-01T03:00:00")))
    assert not visit.overlaps(Span(visit.end, utc("2026-01-01T03:00:00")))
    assert not visit.overlaps(Span(utc("2026-01-01T02:00:00"), utc("2026-01-01T02:00:00")))


def test_a_span_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        Span(utc("2026-01-02"), utc("2026-01-01"))
    assert caught.value.code == "span.backwards"
