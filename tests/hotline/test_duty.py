"""Coverage to the minute, rotation, fairness and what stands against a shift."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yinling.hotline.duty import (
    Hole,
    Post,
    check_roster_span,
    check_span,
    fairness,
    faults,
    fill,
    fits,
    following,
    holes,
    is_night,
    pieces,
    repeated,
    slots,
    told,
    worse,
)
from yinling.kernel.period import local_midnight
from yinling.kernel.refusals import Refused
from yinling.kernel.workdays import WorkingCalendar

MONDAY = local_midnight(date(2026, 6, 15))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
REST = 11 * HOUR
THREE, TWO = ["00:00", "08:00", "16:00"], ["08:00", "20:00"]
CALENDAR = WorkingCalendar({date(2026, 10, 1): "holiday", date(2026, 10, 10): "makeup_workday"}, {2026})


def is_off(day: date) -> bool:
    return not CALENDAR.is_working(day)


def post(first: float, last: float, who: int = 1) -> Post:
    """A shift by hours after Monday 00:00."""
    return Post(MONDAY + first * HOUR, MONDAY + last * HOUR, who)


def month_of(people: int, clock_times: list[str], least: int = 1) -> tuple[datetime, datetime, list[Post]]:
    start, end = local_midnight(date(2026, 6, 1)), local_midnight(date(2026, 7, 1))
    shifts = slots(start, end, clock_times)
    return start, end, fill(
        shifts, list(range(people)), least=least, taken=[], leaves={}, rest=REST, is_off=is_off
    )  # fmt: skip


# Coverage

MINUTES = 240
shift = st.tuples(st.integers(-30, MINUTES + 30), st.integers(1, 150), st.integers(1, 4))


def by_the_minute(posts: list[Post], least: int) -> dict[datetime, int]:
    """The model: how many people are missing in each minute."""
    found = {}
    for number in range(MINUTES):
        moment = MONDAY + number * MINUTE
        present = {one.who for one in posts if one.start <= moment < one.end}
        if len(present) < least:
            found[moment] = least - len(present)
    return found


def unfolded(found: list[Hole]) -> dict[datetime, int]:
    return {
        hole.start + number * MINUTE: hole.missing
        for hole in found
        for number in range((hole.end - hole.start) // MINUTE)
    }


@pytest.mark.req("R-CALL-03", "X-CAL-06")
@given(st.lists(shift, max_size=12), st.integers(1, 3))
@settings(max_examples=300, deadline=None)
def test_the_holes_are_exactly_the_minutes_in_which_somebody_is_missing(
    rows: list[tuple[int, int, int]], least: int
) -> None:
    posts = [Post(MONDAY + a * MINUTE, MONDAY + (a + n) * MINUTE, who) for a, n, who in rows]
    found = holes(posts, MONDAY, MONDAY + MINUTES * MINUTE, least)
    assert unfolded(found) == by_the_minute(posts, least)
    assert all(one.end < after.start or one.missing != after.missing for one, after in pairwise(found))


@given(st.lists(shift, max_size=8), st.lists(shift, max_size=8), st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_a_change_is_worse_exactly_where_it_takes_somebody_who_is_needed(
    old: list[tuple[int, int, int]], new: list[tuple[int, int, int]], least: int
) -> None:
    before, after = (
        [Post(MONDAY + a * MINUTE, MONDAY + (a + n) * MINUTE, who) for a, n, who in rows] for rows in (old, new)
    )
    was, now = by_the_minute(before, least), by_the_minute(after, least)
    expected = {moment: missing for moment, missing in now.items() if missing > was.get(moment, 0)}
    assert unfolded(worse(before, after, MONDAY, MONDAY + MINUTES * MINUTE, least)) == expected


@pytest.mark.req("R-CALL-03")
def test_a_single_minute_is_a_hole() -> None:
    posts = [post(0, 8), Post(MONDAY + 8 * HOUR + MINUTE, MONDAY + DAY, 2)]
    assert holes(posts, MONDAY, MONDAY + DAY, 1) == [Hole(MONDAY + 8 * HOUR, MONDAY + 8 * HOUR + MINUTE, 1)]
    assert holes([post(0, 8), post(8, 24, 2)], MONDAY, MONDAY + DAY, 1) == []


def test_one_person_twice_is_still_one_person() -> None:
    assert [one.missing for one in holes([post(0, 8), post(0, 8)], MONDAY, MONDAY + 8 * HOUR, 2)] == [1]


# Rotation


@pytest.mark.req("R-CALL-03", "X-CAL-06")
@pytest.mark.parametrize(
    ("people", "clock_times", "least"), [(4, THREE, 1), (5, THREE, 1), (4, TWO, 1), (9, THREE, 2), (12, TWO, 3)]
)
def test_a_rotation_covers_every_minute_with_rest_and_evenly(people: int, clock_times: list[str], least: int) -> None:
    start, end, posts = month_of(people, clock_times, least)
    assert holes(posts, start, end, least) == []
    assert [one for one in faults(posts, {}, rest=REST, week_hours=168) if one.kind != "week"] == []
    shares = fairness(posts, list(range(people)), is_off)
    assert max(one.minutes for one in shares) - min(one.minutes for one in shares) <= 12 * 60
    assert max(one.nights for one in shares) - min(one.nights for one in shares) <= 2


def test_with_too_few_people_the_place_stays_empty_instead_of_breaking_the_rest() -> None:
    start, end, posts = month_of(2, THREE)
    assert holes(posts, start, end, 1)
    assert faults(posts, {}, rest=REST, week_hours=168) == []


def test_who_is_on_leave_gets_no_shift_and_does_not_work_it_off() -> None:
    start, end = local_midnight(date(2026, 6, 1)), local_midnight(date(2026, 7, 1))
    leave = (start, start + 14 * DAY)
    posts = fill(
        slots(start, end, THREE), [0, 1, 2, 3, 4], least=1, taken=[], leaves={0: [leave]}, rest=REST, is_off=is_off
    )
    own = [one for one in posts if one.who == 0]
    assert min(one.start for one in own) >= leave[1]
    assert len(own) <= 11, "sixteen days' share, not a month's"
    assert holes(posts, start, end, 1) == []


def test_shifts_elsewhere_count_for_the_rest() -> None:
    taken = [Post(MONDAY - 8 * HOUR, MONDAY, 0)]
    posts = fill(slots(MONDAY, MONDAY + DAY, THREE), [0, 1], least=1, taken=taken, leaves={}, rest=REST, is_off=is_off)
    assert [(one.who, one.start) for one in posts] == [(1, MONDAY), (0, MONDAY + 16 * HOUR)]


@pytest.mark.parametrize(
    ("first", "last", "clock_times", "count"),
    [
        (date(2026, 2, 1), date(2026, 3, 1), THREE, 84),
        (date(2028, 2, 1), date(2028, 3, 1), THREE, 87),
        (date(2026, 12, 28), date(2027, 1, 4), THREE, 21),
        (date(2026, 12, 28), date(2027, 1, 4), TWO, 15),
        (date(1988, 4, 10), date(1988, 4, 24), ["00:00"], 14),
    ],
)
def test_slots_cross_months_years_and_old_summer_time_without_a_gap(
    first: date, last: date, clock_times: list[str], count: int
) -> None:
    start, end = local_midnight(first), local_midnight(last)
    found = slots(start, end, clock_times)
    assert len(found) == count
    assert [one[0] for one in found] == [start, *(one[1] for one in found[:-1])]
    assert found[-1][1] == end


def test_a_night_over_the_border_of_the_year_is_one_night_of_both_weeks() -> None:
    night = Post(datetime(2026, 12, 31, 12, tzinfo=UTC), datetime(2027, 1, 1, 0, tzinfo=UTC), 1)
    assert is_night(night.start, night.end)
    assert not is_night(MONDAY + 16 * HOUR, MONDAY + DAY)
    share = fairness([night], [1, 2], lambda day: day == date(2027, 1, 1))
    assert [(one.who, one.minutes, one.nights, one.off_minutes) for one in share] == [(1, 720, 1, 480), (2, 0, 0, 0)]


def test_a_holiday_counts_as_a_day_off_and_a_make_up_saturday_does_not() -> None:
    holiday, saturday = local_midnight(date(2026, 10, 1)), local_midnight(date(2026, 10, 10))
    posts = [Post(holiday, holiday + 8 * HOUR, 1), Post(saturday, saturday + 8 * HOUR, 2)]
    assert {one.who: one.off_minutes for one in fairness(posts, [], is_off)} == {1: 480, 2: 0}


# What must not be


@pytest.mark.req("X-CAL-06")
@pytest.mark.parametrize(
    ("second", "kind"),
    [(post(19, 24), ""), (post(18.99, 24), "rest"), (post(8, 16), "rest"), (post(7, 16), "two_posts")],
)
def test_eleven_hours_between_shifts_and_never_two_posts(second: Post, kind: str) -> None:
    found = faults([post(0, 8), second], {}, rest=REST, week_hours=44)
    assert [one.kind for one in found] == ([kind] if kind else [])
    assert fits((second.start, second.end), [post(0, 8)], REST) is not bool(kind)


def test_a_shift_in_a_leave_and_a_long_week_are_named() -> None:
    posts = [post(24 * day, 24 * day + 8) for day in range(6)]
    found = faults(posts, {1: [(MONDAY + 7 * HOUR, MONDAY + 9 * HOUR)]}, rest=REST, week_hours=44)
    assert [(one.kind, one.minutes) for one in found] == [("leave", 0), ("week", 48 * 60)]


@pytest.mark.parametrize(
    ("leave", "left"),
    [((0, 8), []), ((3, 5), [(0, 3), (5, 8)]), ((3, 20), [(0, 3)]), ((-3, 5), [(5, 8)]), ((9, 10), [(0, 8)])],
)
def test_what_is_left_of_a_shift_beside_a_leave(leave: tuple[int, int], left: list[tuple[int, int]]) -> None:
    found = pieces(post(0, 8), (MONDAY + leave[0] * HOUR, MONDAY + leave[1] * HOUR))
    assert found == [(MONDAY + a * HOUR, MONDAY + b * HOUR) for a, b in left]


# The next week or month


def test_the_next_month_follows_a_whole_one_and_keeps_weekdays() -> None:
    start, end, posts = month_of(5, THREE)
    target = following(start, end)
    assert target == (end, local_midnight(date(2026, 8, 1)))
    copied = repeated(posts, (start, end), target)
    assert holes(copied, *target, 1) == []
    by_start = {one.start: one.who for one in posts}
    assert by_start[copied[0].start - 28 * DAY] == copied[0].who


def test_the_next_week_follows_a_week_over_the_end_of_the_year() -> None:
    start = local_midnight(date(2026, 12, 28))
    posts = fill(
        slots(start, start + 7 * DAY, TWO), [1, 2, 3, 4], least=1, taken=[], leaves={}, rest=REST, is_off=is_off
    )
    target = following(start, start + 7 * DAY)
    copied = repeated(posts, (start, start + 7 * DAY), target)
    assert target == (start + 7 * DAY, start + 14 * DAY)
    assert [(one.start - 7 * DAY, one.who) for one in copied] == [(one.start, one.who) for one in posts]


# Words and limits


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        ((8, 10.5), "2026-06-15 08:00–10:30"),
        ((16, 24), "2026-06-15 16:00–24:00"),
        ((20, 32), "2026-06-15 20:00–06-16 08:00"),
        ((0, 24 * 16), "2026-06-15 00:00–06-30 24:00"),
    ],
)
def test_a_time_is_told_as_people_write_it(hours: tuple[float, float], text: str) -> None:
    assert told(MONDAY + hours[0] * HOUR, MONDAY + hours[1] * HOUR) == text


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (timedelta(0), "duty.backwards"),
        (timedelta(hours=1, seconds=30), "duty.minutes"),
        (timedelta(days=63), "roster.long"),
    ],
)
def test_impossible_times_are_refused(end: timedelta, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_roster_span(MONDAY, MONDAY + end, MONDAY - DAY)
    assert refusal.value.code == code


def test_a_roster_of_the_past_is_refused() -> None:
    with pytest.raises(Refused, match=r"roster\.past"):
        check_roster_span(MONDAY, MONDAY + DAY, MONDAY + DAY)
    check_span(MONDAY, MONDAY + MINUTE)
