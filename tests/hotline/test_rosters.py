"""The duty roster: no uncovered minute, swaps and leaves that keep it so, and who did not come."""

from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from tests.factories import CITY, NOW, TODAY, actor, make_group, make_roster, make_seat, make_shift, system
from tests.refusals import refused as no

from yinling.accounts.models import Journal, Notice
from yinling.ground.scope import scope
from yinling.hotline.jobs import check_shifts_in_area, warn_in_area
from yinling.hotline.models import Roster, Seat, SeatGroup, SeatLeave, SeatSpan, Shift, ShiftSwap
from yinling.hotline.operations import (
    add_shift,
    agree_swap,
    approve_swap,
    ask_leave,
    ask_swap,
    cancel_leave,
    cancel_swap,
    check_shift,
    copy_roster,
    draft_roster,
    end_seat,
    free_seat,
    grant_leave,
    move_shift,
    note_arrival,
    publish_roster,
    refuse_leave,
    refuse_swap,
    remove_shift,
    sign_in_seat,
    warn_of_end,
    withdraw_roster,
)
from yinling.hotline.queries import (
    candidates,
    covered_until,
    duty_rules,
    faults_of,
    holes_of,
    leave_effect,
    posts_of,
    published_holes,
    shares_of,
    shifts_of,
)
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_midnight
from yinling.kernel.refusals import Denied, NotAllowed, Refusal, Refused

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TOMORROW = local_midnight(TODAY + DAY)
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def leader(wide: Any) -> Actor:
    return actor("line_leader")


@pytest.fixture
def group(wide: Any) -> SeatGroup:
    return make_group()


def people(count: int, group: SeatGroup) -> list[tuple[Actor, Seat]]:
    """Seats that are off, with the persons on them."""
    found = []
    for _ in range(count):
        who = actor("seat")
        found.append((who, make_seat(who, group=group, state="off")))
    return found


def three_shifts(group: SeatGroup, seats: list[Seat], leader: Actor) -> tuple[Roster, list[Shift]]:
    """Tomorrow, published: the first three seats in turn."""
    roster = make_roster(group)
    for number in range(3):
        make_shift(roster, seats[number], 8 * number, 8 * number + 8)
    with scope(leader):
        publish_roster(actor=leader, now=NOW, roster_id=roster.pk)
    roster.refresh_from_db()
    return roster, list(shifts_of(roster))


def contents() -> dict[str, list[dict[str, Any]]]:
    models = (Roster, Shift, ShiftSwap, SeatLeave, Seat, Notice)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    return no(who, kind, code, contents=contents)


# Drafting and publishing


@pytest.mark.req("R-CALL-03", "X-CAL-06")
@pytest.mark.parametrize(("rotation", "count"), [("3x8", 4), ("2x12", 4)])
def test_a_draft_by_rotation_covers_a_month_and_is_published(
    leader: Actor, group: SeatGroup, rotation: str, count: int
) -> None:
    people(count, group)
    start, end = local_midnight(date(2026, 12, 1)), local_midnight(date(2027, 1, 1))
    with scope(leader):
        roster = draft_roster(
            actor=leader, now=NOW, group_id=group.pk, from_at=start, to_at=end, least=1, rotation=rotation
        )
        assert holes_of(roster) == []
        publish_roster(actor=leader, now=LATER, roster_id=roster.pk)
    roster.refresh_from_db()
    assert (roster.state, roster.published_by_id) == ("published", leader.user_id)
    assert set(Shift.objects.filter(roster=roster).values_list("is_live", flat=True)) == {True}
    assert Notice.objects.filter(key__startswith=f"roster:{roster.pk}:").count() == count
    assert Journal.objects.filter(event="hotline.roster.publish", subject_id=roster.pk).count() == 1


@pytest.mark.req("R-CALL-03")
def test_publishing_is_refused_while_one_minute_is_uncovered_and_the_hole_is_named(
    leader: Actor, group: SeatGroup
) -> None:
    (_, one), (_, two) = people(2, group)
    roster = make_roster(group)
    make_shift(roster, one, 0, 12)
    make_shift(roster, two, 12 + 1 / 60, 24)
    with refused(leader, Refused, "roster.hole"):
        publish_roster(actor=leader, now=NOW, roster_id=roster.pk)
    why = Journal.objects.filter(code="roster.hole").latest("pk").changes["why"]
    assert why == {"span": "2026-06-16 12:00–12:01", "missing": 1, "count": 1}


@pytest.mark.req("R-CALL-03")
def test_two_seats_wanted_and_one_there_is_a_hole(leader: Actor, group: SeatGroup) -> None:
    (_, one), (_, two) = people(2, group)
    roster = make_roster(group, hours=12, least=2)
    make_shift(roster, one, 0, 12)
    make_shift(roster, two, 0, 11)
    assert [(hole.start, hole.missing) for hole in holes_of(roster)] == [(roster.from_at + 11 * HOUR, 1)]
    with refused(leader, Refused, "roster.hole"):
        publish_roster(actor=leader, now=NOW, roster_id=roster.pk)


@pytest.mark.req("X-CAL-06")
@pytest.mark.parametrize(
    ("shifts", "code"),
    [
        ([(0, 0, 8), (1, 8, 16), (0, 16, 24)], "shift.rest"),
        ([(0, 0, 12), (0, 12, 24)], "shift.rest"),
    ],
)
def test_publishing_is_refused_with_less_than_eleven_hours_of_rest(
    leader: Actor, group: SeatGroup, shifts: list[tuple[int, int, int]], code: str
) -> None:
    seats = [seat for _, seat in people(2, group)]
    roster = make_roster(group)
    for who, first, last in shifts:
        make_shift(roster, seats[who], first, last)
    with refused(leader, Refused, code):
        publish_roster(actor=leader, now=NOW, roster_id=roster.pk)


@pytest.mark.req("X-CAL-06")
def test_rest_counts_over_the_border_between_two_rosters(leader: Actor, group: SeatGroup) -> None:
    seats = [seat for _, seat in people(3, group)]
    _roster, shifts = three_shifts(group, seats, leader)
    following = make_roster(group, from_at=TOMORROW + DAY, hours=8)
    make_shift(following, shifts[2].seat, 0, 8)
    with refused(leader, Refused, "shift.rest"):
        publish_roster(actor=leader, now=NOW, roster_id=following.pk)
    earlier = make_roster(group, from_at=TOMORROW - 8 * HOUR, hours=8)
    make_shift(earlier, shifts[0].seat, 0, 8)
    with refused(leader, Refused, "shift.rest"):
        publish_roster(actor=leader, now=NOW, roster_id=earlier.pk)


@pytest.mark.req("X-CAL-06")
def test_nobody_is_in_two_posts_of_two_published_rosters(leader: Actor, group: SeatGroup) -> None:
    seats = [seat for _, seat in people(3, group)]
    three_shifts(group, seats, leader)
    other = make_roster(make_group(is_first=False), hours=8)
    make_shift(other, seats[0], 0, 8)
    with refused(leader, Refused, "shift.two_posts"):
        publish_roster(actor=leader, now=NOW, roster_id=other.pk)


def test_one_time_of_a_group_has_one_published_roster(leader: Actor, group: SeatGroup) -> None:
    seats = [seat for _, seat in people(5, group)]
    three_shifts(group, seats, leader)
    twice = make_roster(group, hours=12)
    make_shift(twice, seats[3], 0, 12)
    with refused(leader, Refused, "roster.overlap"):
        publish_roster(actor=leader, now=NOW, roster_id=twice.pk)


def test_publishing_with_somebody_on_leave_is_refused(leader: Actor, group: SeatGroup) -> None:
    [(_, one)] = people(1, group)
    SeatLeave.objects.create(
        div=CITY, seat=one, kind="annual", reason="x", from_at=TOMORROW + HOUR, to_at=TOMORROW + 2 * HOUR, created_at=NOW, changed_at=NOW
    )  # fmt: skip
    SeatLeave.objects.update(state="granted")
    roster = make_roster(group, hours=8)
    make_shift(roster, one, 0, 8)
    with refused(leader, Refused, "shift.leave"):
        publish_roster(actor=leader, now=NOW, roster_id=roster.pk)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"to_at": TOMORROW}, "duty.backwards"),
        ({"from_at": TOMORROW - 3 * DAY, "to_at": TOMORROW - 2 * DAY}, "roster.past"),
        ({"to_at": TOMORROW + 70 * DAY}, "roster.long"),
        ({"rotation": "4x6"}, "choice.unknown"),
        ({"seats": [10**9]}, "roster.seats"),
        ({"group_id": 10**9}, "roster.group"),
    ],
)
def test_impossible_drafts_are_refused(leader: Actor, group: SeatGroup, values: dict[str, Any], code: str) -> None:
    people(1, group)
    asked = {"group_id": group.pk, "from_at": TOMORROW, "to_at": TOMORROW + DAY, **values}
    with refused(leader, Refused, code):
        draft_roster(actor=leader, now=NOW, **asked)


def test_a_group_without_seats_has_no_roster(leader: Actor, group: SeatGroup) -> None:
    with refused(leader, Refused, "roster.nobody"):
        draft_roster(actor=leader, now=NOW, group_id=group.pk, from_at=TOMORROW, to_at=TOMORROW + DAY)


def test_a_seat_plans_nothing(wide: Any, group: SeatGroup) -> None:
    [(who, _)] = people(1, group)
    with refused(who, Denied, "right.missing"):
        draft_roster(actor=who, now=NOW, group_id=group.pk, from_at=TOMORROW, to_at=TOMORROW + DAY)


def test_a_copy_for_the_next_week_leaves_out_who_has_left(leader: Actor, group: SeatGroup) -> None:
    seats = [seat for _, seat in people(5, group)]
    with scope(leader):
        first = draft_roster(actor=leader, now=NOW, group_id=group.pk, from_at=TOMORROW, to_at=TOMORROW + 7 * DAY)
        Seat.objects.filter(pk=seats[0].pk).update(left_on=TODAY)
        copy = copy_roster(actor=leader, now=LATER, roster_id=first.pk)
    assert (copy.from_at, copy.to_at, copy.state, copy.least) == (first.to_at, first.to_at + 7 * DAY, "draft", 1)
    before = [(row.from_at + 7 * DAY, row.seat_id) for row in shifts_of(first) if row.seat_id != seats[0].pk]
    assert [(row.from_at, row.seat_id) for row in shifts_of(copy)] == before
    assert holes_of(copy)


def test_withdrawing_takes_the_shifts_out_of_force_but_not_once_it_runs(leader: Actor, group: SeatGroup) -> None:
    roster, _ = three_shifts(group, [seat for _, seat in people(3, group)], leader)
    with refused(leader, NotAllowed, "roster.begun"):
        withdraw_roster(actor=leader, now=TOMORROW, roster_id=roster.pk, reason="x")
    with scope(leader):
        withdraw_roster(actor=leader, now=LATER, roster_id=roster.pk, reason="改排")
    assert not Shift.objects.filter(is_live=True).exists()
    with refused(leader, NotAllowed, "state.not_allowed"):
        publish_roster(actor=leader, now=LATER, roster_id=roster.pk)


# Single shifts


@pytest.mark.req("R-CALL-03")
def test_a_published_roster_keeps_holding(leader: Actor, group: SeatGroup) -> None:
    seats = [seat for _, seat in people(4, group)]
    _, shifts = three_shifts(group, seats, leader)
    with refused(leader, Refused, "roster.opens_hole"):
        remove_shift(actor=leader, now=LATER, shift_id=shifts[0].pk)
    first = shifts[0]
    with refused(leader, Refused, "roster.opens_hole"):
        move_shift(
            actor=leader, now=LATER, shift_id=first.pk, seat_id=first.seat_id, from_at=first.from_at, to_at=first.to_at - HOUR
        )  # fmt: skip
    with refused(leader, Refused, "shift.rest"):
        move_shift(
            actor=leader, now=LATER, shift_id=first.pk, seat_id=shifts[1].seat_id, from_at=first.from_at, to_at=first.to_at
        )  # fmt: skip
    with scope(leader):
        moved = move_shift(
            actor=leader, now=LATER, shift_id=first.pk, seat_id=seats[3].pk, from_at=first.from_at, to_at=first.to_at
        )  # fmt: skip
    assert moved.seat_id == seats[3].pk
    told = Notice.objects.filter(key__startswith=f"shift:{first.pk}:").values_list("user_id", flat=True)
    assert set(told) == {seats[0].user_id, seats[3].user_id}


def test_a_second_person_may_come_and_go(leader: Actor, group: SeatGroup) -> None:
    seats = [seat for _, seat in people(4, group)]
    roster, _ = three_shifts(group, seats, leader)
    with scope(leader):
        extra = add_shift(
            actor=leader, now=LATER, roster_id=roster.pk, seat_id=seats[3].pk, from_at=TOMORROW, to_at=TOMORROW + 8 * HOUR
        )  # fmt: skip
        assert extra.is_live
        remove_shift(actor=leader, now=LATER, shift_id=extra.pk)
    extra.refresh_from_db()
    assert (extra.is_out, extra.is_live) == (True, False)


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [(-1, 7, "shift.outside"), (0, 13, "shift.long"), (8, 8, "duty.backwards"), (1, 9, "shift.two_posts")],
)
def test_impossible_shifts_are_refused(leader: Actor, group: SeatGroup, first: int, last: int, code: str) -> None:
    [(_, seat)] = people(1, group)
    roster = make_roster(group)
    make_shift(roster, seat, 0, 8)
    with refused(leader, Refused, code):
        add_shift(
            actor=leader, now=NOW, roster_id=roster.pk, seat_id=seat.pk, from_at=TOMORROW + first * HOUR, to_at=TOMORROW + last * HOUR
        )  # fmt: skip


def test_who_has_left_gets_no_shift_and_what_has_begun_is_not_moved(leader: Actor, group: SeatGroup) -> None:
    seats = [seat for _, seat in people(4, group)]
    roster, shifts = three_shifts(group, seats, leader)
    Seat.objects.filter(pk=seats[3].pk).update(left_on=TODAY)
    with refused(leader, Refused, "shift.seat"):
        add_shift(
            actor=leader, now=NOW, roster_id=roster.pk, seat_id=seats[3].pk, from_at=TOMORROW, to_at=TOMORROW + HOUR
        )
    with refused(leader, NotAllowed, "shift.begun"):
        remove_shift(actor=leader, now=TOMORROW + HOUR, shift_id=shifts[0].pk)


def test_faults_of_a_draft_are_shown_and_shares_counted(leader: Actor, group: SeatGroup) -> None:
    seats = [seat for _, seat in people(2, group)]
    roster = make_roster(group)
    make_shift(roster, seats[0], 0, 8)
    make_shift(roster, seats[0], 16, 24)
    posts = posts_of(shifts_of(roster))
    assert [one.kind for one in faults_of(roster, posts, duty_rules(CITY, TODAY))] == ["rest"]
    shares = {one.who: one.minutes for one in shares_of(posts, [seat.pk for seat in seats])}
    assert shares == {seats[0].pk: 960, seats[1].pk: 0}


# Swaps


def asked(group: SeatGroup, leader: Actor) -> tuple[ShiftSwap, list[tuple[Actor, Seat]], list[Shift]]:
    """The person of the first shift asks the fourth."""
    everybody = people(4, group)
    _, shifts = three_shifts(group, [seat for _, seat in everybody], leader)
    who = everybody[0][0]
    with scope(who):
        swap = ask_swap(actor=who, now=LATER, shift_id=shifts[0].pk, to_seat_id=everybody[3][1].pk, reason="家中有事")
    return swap, everybody, shifts


@pytest.mark.req("R-CALL-03", "X-CAL-06")
def test_a_swap_is_agreed_approved_and_leaves_no_hole(leader: Actor, group: SeatGroup) -> None:
    swap, everybody, shifts = asked(group, leader)
    colleague, seat = everybody[3]
    with scope(colleague):
        agree_swap(actor=colleague, now=LATER, swap_id=swap.pk)
    with refused(everybody[1][0], Denied, "right.missing"):
        approve_swap(actor=everybody[1][0], now=LATER, swap_id=swap.pk)
    with scope(leader):
        approve_swap(actor=leader, now=LATER, swap_id=swap.pk)
        assert published_holes(leader, LATER) == []
    swap.refresh_from_db()
    assert swap.state == "approved"
    assert shifts_of(shifts[0].roster)[0].seat_id == seat.pk
    told = set(Notice.objects.filter(title="换班已批准，请按新的班次到岗").values_list("user_id", flat=True))
    assert told == {everybody[0][1].user_id, seat.user_id}


def test_two_shifts_are_exchanged(leader: Actor, group: SeatGroup) -> None:
    everybody = people(3, group)
    _, shifts = three_shifts(group, [seat for _, seat in everybody], leader)
    (who, mine), (colleague, theirs), _ = everybody
    with scope(who):
        swap = ask_swap(
            actor=who, now=LATER, shift_id=shifts[0].pk, to_seat_id=theirs.pk, back_id=shifts[1].pk, reason="换早中班"
        )
    with scope(colleague):
        agree_swap(actor=colleague, now=LATER, swap_id=swap.pk)
    with scope(leader):
        approve_swap(actor=leader, now=LATER, swap_id=swap.pk)
    assert [row.seat_id for row in shifts_of(shifts[0].roster)][:2] == [theirs.pk, mine.pk]


@pytest.mark.req("X-CAL-06")
def test_a_swap_that_breaks_the_rest_is_refused_at_once(leader: Actor, group: SeatGroup) -> None:
    everybody = people(4, group)
    _, shifts = three_shifts(group, [seat for _, seat in everybody], leader)
    who = everybody[0][0]
    with refused(who, Refused, "shift.rest"):
        ask_swap(actor=who, now=LATER, shift_id=shifts[0].pk, to_seat_id=everybody[1][1].pk, reason="x")
    with refused(everybody[1][0], Denied, "swap.other"):
        ask_swap(actor=everybody[1][0], now=LATER, shift_id=shifts[0].pk, to_seat_id=everybody[3][1].pk, reason="x")
    with refused(who, Refused, "swap.colleague"):
        ask_swap(actor=who, now=LATER, shift_id=shifts[0].pk, to_seat_id=everybody[0][1].pk, reason="x")
    with refused(who, Refused, "swap.back"):
        ask_swap(
            actor=who, now=LATER, shift_id=shifts[0].pk, to_seat_id=everybody[3][1].pk, back_id=shifts[1].pk, reason="x"
        )  # fmt: skip
    with refused(who, NotAllowed, "shift.begun"):
        ask_swap(actor=who, now=TOMORROW, shift_id=shifts[0].pk, to_seat_id=everybody[3][1].pk, reason="x")


def test_a_swap_whose_shift_is_gone_is_not_approved(leader: Actor, group: SeatGroup) -> None:
    swap, everybody, shifts = asked(group, leader)
    colleague = everybody[3][0]
    with refused(everybody[0][0], Refused, "swap.open"):
        ask_swap(actor=everybody[0][0], now=LATER, shift_id=shifts[0].pk, to_seat_id=everybody[3][1].pk, reason="x")
    with scope(colleague):
        agree_swap(actor=colleague, now=LATER, swap_id=swap.pk)
    free_seat(leader, LATER, everybody[0][1], TOMORROW, TOMORROW + DAY)
    with refused(leader, Refused, "swap.gone"):
        approve_swap(actor=leader, now=LATER, swap_id=swap.pk)


def test_a_swap_is_refused_or_cancelled_by_whom_it_concerns(leader: Actor, group: SeatGroup) -> None:
    swap, everybody, _ = asked(group, leader)
    bystander = everybody[1][0]
    with refused(bystander, Denied, "swap.other"):
        agree_swap(actor=bystander, now=LATER, swap_id=swap.pk)
    with refused(bystander, Denied, "swap.other"):
        cancel_swap(actor=bystander, now=LATER, swap_id=swap.pk)
    with scope(everybody[3][0]):
        refuse_swap(actor=everybody[3][0], now=LATER, swap_id=swap.pk, reason="当天有事")
    swap.refresh_from_db()
    assert (swap.state, swap.answer) == ("refused", "当天有事")
    with refused(everybody[0][0], NotAllowed, "state.not_allowed"):
        cancel_swap(actor=everybody[0][0], now=LATER, swap_id=swap.pk)


# Leaves


def leave_of(who: Actor, kind: str, first: datetime, last: datetime, *, now: datetime = LATER) -> SeatLeave:
    with scope(who):
        return ask_leave(actor=who, now=now, kind=kind, from_at=first, to_at=last, reason="家中有事")


@pytest.mark.req("R-CALL-03")
def test_a_leave_that_leaves_a_hole_is_refused_and_names_whom_to_call(leader: Actor, group: SeatGroup) -> None:
    everybody = people(4, group)
    _, shifts = three_shifts(group, [seat for _, seat in everybody], leader)
    leave = leave_of(everybody[0][0], "annual", TOMORROW, TOMORROW + DAY)
    effect = leave_effect(leave, LATER)
    assert [(hole.start, hole.end) for hole in effect.holes] == [(TOMORROW, TOMORROW + 8 * HOUR)]
    assert [seat.pk for seat in effect.callable] == [everybody[3][1].pk]
    with refused(leader, Refused, "leave.hole"):
        grant_leave(actor=leader, now=LATER, leave_id=leave.pk)
    why = Journal.objects.filter(code="leave.hole").latest("pk").changes["why"]
    assert (why["span"], why["seats"]) == ("2026-06-16 00:00–08:00", everybody[3][1].number)
    with scope(leader):
        first = shifts[0]
        move_shift(
            actor=leader, now=LATER, shift_id=first.pk, seat_id=everybody[3][1].pk, from_at=first.from_at, to_at=first.to_at
        )  # fmt: skip
        granted = grant_leave(actor=leader, now=LATER, leave_id=leave.pk)
        assert granted.state == "granted"
        assert published_holes(leader, LATER) == []
        assert everybody[0][1] not in candidates(group, TOMORROW, TOMORROW + HOUR)


@pytest.mark.req("R-CALL-03")
def test_illness_of_today_holds_at_once_and_raises_the_alarm(leader: Actor, group: SeatGroup) -> None:
    everybody = people(4, group)
    roster, shifts = three_shifts(group, [seat for _, seat in everybody], leader)
    who = everybody[1][0]
    at = TOMORROW + 9 * HOUR
    leave = leave_of(who, "sick", TOMORROW + 10 * HOUR, TOMORROW + DAY, now=at)
    assert leave.state == "granted"
    shifts[1].refresh_from_db()
    assert (shifts[1].from_at, shifts[1].to_at) == (TOMORROW + 8 * HOUR, TOMORROW + 10 * HOUR)
    with scope(leader):
        [(found, holes)] = published_holes(leader, at)
    assert (found.pk, [(one.start, one.end) for one in holes]) == (
        roster.pk, [(TOMORROW + 10 * HOUR, TOMORROW + 16 * HOUR)],
    )  # fmt: skip
    alarm = Notice.objects.get(title="紧急：排班出现缺口", user_id=leader.user_id)
    assert everybody[3][1].number in alarm.text
    with scope(leader):
        add_shift(
            actor=leader, now=at, roster_id=roster.pk, seat_id=everybody[3][1].pk, from_at=TOMORROW + 10 * HOUR, to_at=TOMORROW + 16 * HOUR
        )  # fmt: skip
        assert published_holes(leader, at) == []


def test_a_leave_in_the_middle_keeps_both_ends_of_a_shift(leader: Actor, group: SeatGroup) -> None:
    everybody = people(3, group)
    roster, _ = three_shifts(group, [seat for _, seat in everybody], leader)
    with scope(leader):
        free_seat(leader, LATER, everybody[0][1], TOMORROW + 3 * HOUR, TOMORROW + 5 * HOUR)
    own = [(row.from_at, row.to_at) for row in shifts_of(roster) if row.seat_id == everybody[0][1].pk]
    assert own == [(TOMORROW, TOMORROW + 3 * HOUR), (TOMORROW + 5 * HOUR, TOMORROW + 8 * HOUR)]
    assert set(shifts_of(roster).values_list("is_live", flat=True)) == {True}


def test_leaves_are_answered_by_the_leader_only_and_not_by_oneself(leader: Actor, group: SeatGroup) -> None:
    [(who, _)] = people(1, group)
    leave = leave_of(who, "personal", TOMORROW, TOMORROW + DAY)
    with refused(who, Denied, "right.missing"):
        grant_leave(actor=who, now=LATER, leave_id=leave.pk)
    with refused(who, Refused, "leave.twice"):
        ask_leave(actor=who, now=LATER, kind="annual", from_at=TOMORROW, to_at=TOMORROW + HOUR, reason="x")
    with scope(leader):
        refuse_leave(actor=leader, now=LATER, leave_id=leave.pk, reason="人手不足")
    leave.refresh_from_db()
    assert (leave.state, leave.answer) == ("refused", "人手不足")
    make_seat(leader, group=group, state="off")
    own = leave_of(leader, "annual", TOMORROW, TOMORROW + DAY)
    with refused(leader, Denied, "leave.self"):
        grant_leave(actor=leader, now=LATER, leave_id=own.pk)


def test_leaves_of_others_and_of_the_past_are_refused(leader: Actor, group: SeatGroup) -> None:
    (who, _), (_, other) = people(2, group)
    with refused(who, Denied, "leave.other"):
        ask_leave(
            actor=who, now=LATER, kind="annual", from_at=TOMORROW, to_at=TOMORROW + DAY, reason="x", seat_id=other.pk
        )
    with refused(who, Refused, "leave.past"):
        ask_leave(actor=who, now=LATER, kind="sick", from_at=TOMORROW - 3 * DAY, to_at=TOMORROW, reason="x")
    with refused(leader, Refused, "leave.seat"):
        ask_leave(actor=leader, now=LATER, kind="sick", from_at=TOMORROW, to_at=TOMORROW + DAY, reason="x")


def test_a_leave_is_taken_back_until_it_is_over(leader: Actor, group: SeatGroup) -> None:
    (who, _), (other, _) = people(2, group)
    leave = leave_of(who, "annual", TOMORROW, TOMORROW + DAY)
    with refused(other, Denied, "leave.other"):
        cancel_leave(actor=other, now=LATER, leave_id=leave.pk)
    with refused(who, NotAllowed, "leave.over"):
        cancel_leave(actor=who, now=TOMORROW + 2 * DAY, leave_id=leave.pk)
    with scope(who):
        assert cancel_leave(actor=who, now=LATER, leave_id=leave.pk).state == "cancelled"


@pytest.mark.req("R-CALL-03")
def test_ending_a_seat_takes_its_shifts_and_raises_the_alarm(leader: Actor, group: SeatGroup) -> None:
    everybody = people(4, group)
    _, shifts = three_shifts(group, [seat for _, seat in everybody], leader)
    with scope(leader):
        end_seat(actor=leader, now=LATER, seat_id=shifts[0].seat_id, reason="离职")
        assert len(published_holes(leader, LATER)) == 1
    assert Notice.objects.filter(title="紧急：排班出现缺口", user_id=leader.user_id).count() == 1


# Who came


@pytest.mark.req("R-CALL-03")
def test_who_does_not_come_is_missed_and_leader_and_next_are_alarmed(leader: Actor, group: SeatGroup) -> None:
    everybody = people(3, group)
    _, shifts = three_shifts(group, [seat for _, seat in everybody], leader)
    robot = system()
    with refused(robot, NotAllowed, "shift.not_due"):
        check_shift(actor=robot, now=TOMORROW + timedelta(minutes=9), shift_id=shifts[0].pk)
    with scope(robot):
        check_shift(actor=robot, now=TOMORROW + timedelta(minutes=10), shift_id=shifts[0].pk)
    shifts[0].refresh_from_db()
    assert (shifts[0].came_at, shifts[0].missed_at) == (None, TOMORROW + timedelta(minutes=10))
    told = Notice.objects.filter(title="紧急：值班人员未到岗")
    assert {row.user_id for row in told} == {leader.user_id, shifts[1].seat.user_id}
    assert all(row.is_urgent for row in told)
    assert all(shifts[0].seat.number in row.text for row in told)


@pytest.mark.req("R-CALL-03")
def test_the_duty_phone_gets_the_alarm_by_sms(leader: Actor, wide: Any) -> None:
    group = make_group(duty="13900000001")
    everybody = people(3, group)
    _, shifts = three_shifts(group, [seat for _, seat in everybody], leader)
    with scope(system()):
        check_shift(actor=system(), now=TOMORROW + HOUR, shift_id=shifts[0].pk)
    [sms] = Notice.objects.filter(channel="sms")
    assert (sms.unseal_field("address"), sms.is_urgent, sms.title) == ("13900000001", True, "紧急：值班人员未到岗")


def test_who_was_ready_before_the_shift_came_with_it(leader: Actor, group: SeatGroup) -> None:
    everybody = people(3, group)
    _, shifts = three_shifts(group, [seat for _, seat in everybody], leader)
    SeatSpan.objects.create(div=CITY, seat=shifts[0].seat, state="ready", from_at=TOMORROW - HOUR)
    with scope(system()):
        check_shift(actor=system(), now=TOMORROW + timedelta(minutes=10), shift_id=shifts[0].pk)
    shifts[0].refresh_from_db()
    assert (shifts[0].came_at, shifts[0].missed_at) == (TOMORROW, None)


def test_signing_in_notes_the_arrival_also_of_somebody_late(leader: Actor, group: SeatGroup) -> None:
    everybody = people(3, group)
    _, shifts = three_shifts(group, [seat for _, seat in everybody], leader)
    who, seat = everybody[0]
    at = TOMORROW + timedelta(minutes=25)
    with scope(who):
        sign_in_seat(actor=who, now=at, seat_id=seat.pk)
    shifts[0].refresh_from_db()
    assert shifts[0].came_at == at
    assert note_arrival(at + HOUR, seat) == 0


def test_the_job_asks_only_of_shifts_that_run(leader: Actor, group: SeatGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    three_shifts(group, [seat for _, seat in people(3, group)], leader)
    for at, count in (
        (TOMORROW + timedelta(minutes=5), 0),
        (TOMORROW + timedelta(minutes=11), 1),
        (TOMORROW + HOUR, 0),
    ):
        monkeypatch.setattr("yinling.hotline.jobs.business_now", lambda at=at: at)
        assert check_shifts_in_area(system()) == count


def test_the_leader_is_reminded_once_a_day_before_the_rosters_end(
    leader: Actor, group: SeatGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert covered_until(group, NOW) is None
    roster, _ = three_shifts(group, [seat for _, seat in people(3, group)], leader)
    assert covered_until(group, TOMORROW) == roster.to_at
    monkeypatch.setattr("yinling.hotline.jobs.business_now", lambda: TOMORROW)
    assert [warn_in_area(system()), warn_in_area(system())] == [1, 1]
    assert Notice.objects.filter(key__startswith="roster-end:").count() == 1
    Roster.objects.filter(pk=roster.pk).update(to_at=TOMORROW + 30 * DAY)
    with refused(system(), NotAllowed, "roster.covered"):
        warn_of_end(actor=system(), now=TOMORROW, group_id=group.pk)
