"""Groups, seats and their state, trainings, and the list of whom to call back."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    DISTRICT,
    NOW,
    actor,
    make_call,
    make_callback,
    make_elder,
    make_group,
    make_organisation,
    make_seat,
    make_ticket,
    make_user,
    system,
)
from tests.refusals import refused as no

from yinling.accounts.models import Journal, Notice
from yinling.ground.scope import scope
from yinling.hotline.jobs import remind_in_area
from yinling.hotline.models import Callback, CallOffer, Seat, SeatGroup, SeatSpan, SeatTraining, TicketNote
from yinling.hotline.operations import (
    add_group,
    add_seat,
    arrange_callback,
    end_seat,
    finish_callback,
    give_up_callback,
    move_seat,
    offer_call,
    open_callback,
    pause_seat,
    receive_call,
    record_training,
    register_phone,
    resume_seat,
    sign_in_seat,
    sign_out_seat,
    take_callback,
    try_again_callback,
    update_group,
)
from yinling.hotline.queries import callback_list
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    """The body is refused, and no row of seats and call-backs differs."""
    models = (SeatGroup, Seat, SeatSpan, SeatTraining, Callback, CallOffer, TicketNote)
    return no(
        who, kind, code, contents=lambda: {one.__name__: list(one.objects.order_by("pk").values()) for one in models}
    )


# Groups and seats


def test_the_leader_sets_up_groups_that_follow_each_other(wide: Any) -> None:
    leader, body = actor("line_leader"), make_organisation(kind="call_centre")
    with scope(leader):
        last = add_group(actor=leader, now=NOW, name="二组", duty_phone="0510-81234567")
        first = add_group(
            actor=leader,
            now=NOW,
            name=" 一组 ",
            organisation_id=body.pk,
            skills=["dialect"],
            overflow_id=last.pk,
            is_first=True,
        )
    assert (first.name, first.div, first.provider_id, first.overflow_id, first.is_first) == (
        "一组",
        CITY,
        body.pk,
        last.pk,
        True,
    )
    assert (last.duty_last4, last.unseal_field("duty")) == ("4567", "051081234567")
    with refused(leader, Refused, "group.circle"):
        update_group(actor=leader, now=NOW, group_id=last.pk, name="二组", overflow_id=first.pk)
    with refused(leader, Refused, "dial.number"):
        update_group(actor=leader, now=NOW, group_id=last.pk, name="二组", duty_phone="0044123456")
    with refused(leader, Refused, "group.name"):
        add_group(actor=leader, now=NOW, name="一组")
    with refused(leader, Refused, "group.first"):
        add_group(actor=leader, now=NOW, name="三组", is_first=True)
    with refused(leader, Refused, "group.overflow"):
        add_group(actor=leader, now=NOW, name="三组", overflow_id=10**9)
    with refused(leader, Refused, "group.operator"):
        add_group(actor=leader, now=NOW, name="三组", organisation_id=10**9)
    with refused(leader, Refused, "choice.unknown"):
        add_group(actor=leader, now=NOW, name="三组", skills=["cooking"])
    who = actor("seat")
    with refused(who, Denied, "right.missing"):
        add_group(actor=who, now=NOW, name="三组")
    with scope(leader):
        changed = update_group(actor=leader, now=LATER, group_id=last.pk, name="二线组", seen=last.version)
    assert (changed.name, changed.duty_last4, changed.unseal_field("duty")) == ("二线组", "", "")


def test_a_seat_needs_the_role_for_the_whole_area_of_its_group(wide: Any) -> None:
    leader, group = actor("line_leader"), make_group()
    near, clerk, who = actor("seat", DISTRICT), make_user(), actor("seat")
    for user_id in (near.user_id or 0, clerk.pk, 10**9):
        with refused(leader, Refused, "seat.grant"):
            add_seat(actor=leader, now=NOW, user_id=user_id, group_id=group.pk, number="8001")
    with refused(leader, Refused, "seat.number"):
        add_seat(actor=leader, now=NOW, user_id=who.user_id or 0, group_id=group.pk, number="08")
    with refused(leader, Refused, "seat.group"):
        add_seat(actor=leader, now=NOW, user_id=who.user_id or 0, group_id=10**9, number="8001")
    with scope(leader):
        seat = add_seat(
            actor=leader, now=NOW, user_id=who.user_id or 0, group_id=group.pk, number="8001", skills=["policy"]
        )
    assert (seat.state, seat.number, seat.skills, seat.div) == ("off", "8001", ["policy"], CITY)
    with refused(leader, Refused, "seat.twice"):
        add_seat(actor=leader, now=NOW, user_id=who.user_id or 0, group_id=group.pk, number="8002")
    other = actor("seat")
    with refused(leader, Refused, "seat.number_taken"):
        add_seat(actor=leader, now=NOW, user_id=other.user_id or 0, group_id=group.pk, number="8001")


def test_a_seat_moves_ends_and_comes_back_with_its_past(wide: Any) -> None:
    leader, who = actor("line_leader"), actor("seat")
    first, second, far = make_group(), make_group(is_first=False), make_group(div=DISTRICT)
    seat = make_seat(who, group=first)
    with refused(leader, Refused, "seat.area"):
        move_seat(actor=leader, now=NOW, seat_id=seat.pk, group_id=far.pk, number="8005")
    with scope(leader):
        moved = move_seat(actor=leader, now=NOW, seat_id=seat.pk, group_id=second.pk, number="8005", is_leader=True)
        assert (moved.group_id, moved.number, moved.is_leader) == (second.pk, "8005", True)
    call = make_call(seat=who)
    with refused(leader, NotAllowed, "seat.talking"):
        end_seat(actor=leader, now=NOW, seat_id=seat.pk, reason="离职")
    call.state, call.ended_at = "ended", NOW
    call.save()
    with scope(leader):
        ended = end_seat(actor=leader, now=NOW, seat_id=seat.pk, reason="离职")
        assert (ended.left_on, ended.state) == (NOW.date(), "off")
        back = add_seat(actor=leader, now=LATER, user_id=who.user_id or 0, group_id=first.pk, number="8006")
    assert (back.pk, back.left_on, back.number) == (seat.pk, None, "8006")


def test_a_seat_goes_through_its_day_and_each_span_is_kept(wide: Any) -> None:
    who, other, leader = actor("seat"), actor("seat"), actor("line_leader")
    seat = make_seat(who, state="off")
    times = [NOW + timedelta(minutes=number) for number in range(4)]
    with scope(who):
        assert sign_in_seat(actor=who, now=times[0], seat_id=seat.pk).idle_since == times[0]
        paused = pause_seat(actor=who, now=times[1], seat_id=seat.pk, reason="meal")
        assert (paused.state, paused.reason, paused.idle_since) == ("paused", "meal", None)
        assert resume_seat(actor=who, now=times[2], seat_id=seat.pk).reason == ""
    with refused(other, Denied, "seat.not_own"):
        sign_out_seat(actor=other, now=LATER, seat_id=seat.pk)
    with refused(who, Refused, "choice.unknown"):
        pause_seat(actor=who, now=LATER, seat_id=seat.pk, reason="holiday")
    with refused(who, NotAllowed, "state.not_allowed"):
        resume_seat(actor=who, now=LATER, seat_id=seat.pk)
    with scope(leader):
        sign_out_seat(actor=leader, now=times[3], seat_id=seat.pk)
    spans = list(SeatSpan.objects.order_by("pk").values_list("state", "reason", "from_at", "to_at"))
    assert spans == [
        ("ready", "", times[0], times[1]), ("paused", "meal", times[1], times[2]), ("ready", "", times[2], times[3])
    ]  # fmt: skip


def test_who_talks_stays_and_what_rings_goes_back_to_the_queue(wide: Any) -> None:
    who, line = actor("seat"), system()
    seat = make_seat(who)
    with scope(line):
        receive_call(actor=line, now=NOW, key="one", number="19900009001")
        offer = offer_call(actor=line, now=NOW)
    assert offer is not None
    with scope(who):
        pause_seat(actor=who, now=LATER, seat_id=seat.pk)
    offer.refresh_from_db()
    seat.refresh_from_db()
    assert (offer.outcome, seat.miss_count, seat.state) == ("declined", 0, "paused")
    make_call(seat=who)
    with refused(who, NotAllowed, "seat.talking"):
        sign_out_seat(actor=who, now=LATER, seat_id=seat.pk)


def test_the_edge_says_whether_a_phone_is_there_and_a_renewal_is_no_news(wide: Any) -> None:
    line, who = system(), actor("seat")
    seat = make_seat(who)
    until = NOW + timedelta(minutes=10)
    with scope(line):
        register_phone(actor=line, now=NOW, user_id=who.user_id or 0, until=until)
        register_phone(actor=line, now=LATER, user_id=who.user_id or 0, until=until + timedelta(minutes=1))
        seat.refresh_from_db()
        assert seat.registered_until == until + timedelta(minutes=1)
        assert Journal.objects.filter(event="hotline.phone.register").count() == 1
        gone = register_phone(actor=line, now=LATER, user_id=who.user_id or 0)
    assert gone.registered_until == LATER
    with refused(line, NotFound, "row.not_found"):
        register_phone(actor=line, now=NOW, user_id=10**9)


# Trainings


@pytest.mark.req("R-CALL-07")
def test_a_training_by_the_12345_line_is_on_record_and_never_changed(wide: Any) -> None:
    leader, seat = actor("line_leader"), make_seat()
    values = {
        "seat_id": seat.pk,
        "title": "话务礼仪",
        "body": "12345 政务服务便民热线",
        "topic": "service",
        "minutes": 120,
    }
    with scope(leader):
        row = record_training(actor=leader, now=NOW, held_on=NOW.date(), score=88, **values)
    assert (row.seat_id, row.body, row.topic, row.minutes, row.score, row.is_passed) == (
        seat.pk, "12345 政务服务便民热线", "service", 120, 88, True,
    )  # fmt: skip
    with refused(leader, Refused, "training.twice"):
        record_training(actor=leader, now=NOW, held_on=NOW.date(), **values)
    with refused(leader, Refused, "training.future"):
        record_training(actor=leader, now=NOW, held_on=NOW.date() + timedelta(days=1), **values)
    who = actor("seat")
    with refused(who, Denied, "right.missing"):
        record_training(actor=who, now=NOW, held_on=NOW.date(), **values)


# Call-backs


@pytest.mark.req("R-CALL-06")
def test_one_seat_at_a_time_works_on_a_call_back(wide: Any) -> None:
    first, second = actor("seat"), actor("seat")
    task = make_callback(call=make_call())
    with scope(first):
        assert take_callback(actor=first, now=NOW, callback_id=task.pk, seen=0).seat_id == first.user_id
    with refused(second, NotAllowed, "callback.taken"):
        take_callback(actor=second, now=LATER, callback_id=task.pk)
    with refused(first, Stale, "row.stale"):
        finish_callback(actor=first, now=LATER, callback_id=task.pk, note="已解答", seen=0)
    with scope(second):
        take_callback(actor=second, now=NOW + timedelta(minutes=16), callback_id=task.pk)
        done = finish_callback(actor=second, now=NOW + timedelta(minutes=17), callback_id=task.pk, note="已解答")
    assert (done.state, done.note, done.seat_id) == ("done", "已解答", second.user_id)
    with refused(second, NotAllowed, "callback.over"):
        try_again_callback(actor=second, now=NOW + timedelta(minutes=40), callback_id=task.pk)
    with refused(second, NotAllowed, "state.not_allowed"):
        give_up_callback(actor=second, now=NOW + timedelta(minutes=40), callback_id=task.pk, reason="不必了")


@pytest.mark.req("R-CALL-06")
def test_after_the_last_try_the_ticket_and_the_leader_hear_of_it(wide: Any) -> None:
    who, leader = actor("seat"), make_seat(actor("line_leader"), is_leader=True)
    ticket = make_ticket(elder=make_elder())
    task = make_callback("satisfaction", ticket=ticket, div=ticket.div)
    with scope(who):
        for number in range(3):
            at = NOW + timedelta(minutes=20 * number)
            row = try_again_callback(actor=who, now=at, callback_id=task.pk, note="无人接听")
    assert (row.state, row.try_count) == ("failed", 3)
    note = TicketNote.objects.get()
    assert (note.is_internal, "3" in note.text, "无人接听" in note.text) == (True, True, True)
    assert Notice.objects.get().user_id == leader.user_id


def test_a_follow_up_asks_for_one_to_five_points(wide: Any) -> None:
    who, ticket = actor("seat"), make_ticket(elder=make_elder())
    with scope(who):
        task = open_callback(actor=who, now=NOW, kind="satisfaction", ticket=ticket, due_at=LATER)
    assert (task.elder_id, task.div, task.ticket_id) == (ticket.elder_id, ticket.div, ticket.pk)
    with refused(who, Refused, "callback.score"):
        finish_callback(actor=who, now=NOW, callback_id=task.pk, note="满意")
    with scope(who):
        assert finish_callback(actor=who, now=NOW, callback_id=task.pk, note="满意", score=5).score == 5


def test_a_promised_call_comes_up_at_its_time(wide: Any) -> None:
    who, call, withheld = actor("seat"), make_call(number="19900009001"), make_call()
    with refused(who, Refused, "callback.past"):
        arrange_callback(actor=who, now=NOW, call_id=call.pk, at=NOW, note="问补贴")
    with refused(who, Refused, "callback.nobody"):
        arrange_callback(actor=who, now=NOW, call_id=withheld.pk, at=LATER, note="问补贴")
    with scope(who):
        task = arrange_callback(actor=who, now=NOW, call_id=call.pk, at=LATER, note="问补贴")
        assert not callback_list(who, now=NOW, tab="due").exists()
        assert callback_list(who, now=LATER, tab="due").get() == task
    assert (task.kind, task.next_at, task.due_at, task.note) == (
        "asked",
        LATER,
        LATER + timedelta(minutes=15),
        "问补贴",
    )


def test_leaders_are_reminded_once_of_a_call_back_that_is_late(wide: Any) -> None:
    leader, jobs = make_seat(actor("line_leader"), is_leader=True), system()
    make_callback(call=make_call())
    assert remind_in_area(jobs) == 1
    assert remind_in_area(jobs) == 0
    assert Notice.objects.get().user_id == leader.user_id
