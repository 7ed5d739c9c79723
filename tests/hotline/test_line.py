"""The queue of the line in the database: who is offered to whom, what becomes of calls nobody takes, and that nothing happens twice."""

import random
import threading
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.factories import (
    DISTRICT,
    NOW,
    OTHER_COMMUNITY,
    WIDE,
    actor,
    make_call,
    make_elder,
    make_group,
    make_organisation,
    make_seat,
    system,
)
from tests.refusals import refused as no

from yinling.accounts.models import Notice
from yinling.ground.scope import scope
from yinling.hotline import acd
from yinling.hotline.jobs import work_in_area
from yinling.hotline.models import Call, Callback, CallOffer, Seat, SeatSpan
from yinling.hotline.operations import (
    abandon_call,
    answer_call,
    connect_call,
    cut_call,
    divert_call,
    end_offer,
    hang_up_call,
    hold_call,
    leave_message,
    offer_call,
    overflow_call,
    receive_call,
    resume_call,
    transfer_call,
)
from yinling.hotline.queries import due_steps, duty_number
from yinling.hotline.queries.line import free_seats, waiting_calls
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.people.models import Circumstance, Elder

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)
PHONE, OTHER_PHONE = "19900009001", "19900009002"


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    """The body is refused, and no row of the line differs."""
    models = (Call, CallOffer, Callback, Seat, SeatSpan)
    return no(
        who, kind, code, contents=lambda: {one.__name__: list(one.objects.order_by("pk").values()) for one in models}
    )


def mark(elder: Elder, kind: str = "lives_alone") -> None:
    day = NOW.date() - timedelta(days=30)
    Circumstance.objects.create(elder=elder, div=elder.div, kind=kind, valid_from=day, recorded_from=NOW)


def ring(line: Actor, number: str = "", *, at: Any = NOW, **values: Any) -> Call:
    key = values.pop("key", f"call-{number}-{at}-{random.random()}")
    return receive_call(actor=line, now=at, key=key, number=number, **values)


# Arrival


@pytest.mark.req("R-CALL-06")
def test_alarms_come_first_then_marked_elders_then_the_longest_wait(wide: Any) -> None:
    make_group()
    marked, line = make_elder(phone=PHONE), system()
    mark(marked)
    make_seat()
    with scope(line):
        first = ring(line, "19900008888", at=NOW)
        second = ring(line, PHONE, at=NOW + timedelta(seconds=2))
        third = ring(line, channel="device", at=NOW + timedelta(seconds=4))
        assert [row.rank for row in (first, second, third)] == [2, 1, 0]
        assert [one.call_id for one in acd.in_order(waiting_calls(line, LATER))] == [third.pk, second.pk, first.pk]
        offer = offer_call(actor=line, now=LATER)
    assert offer is not None
    assert offer.call_id == third.pk


def test_a_call_wants_the_skills_of_its_elder_and_starts_in_the_first_group(wide: Any) -> None:
    group, line = make_group(), system()
    make_group(is_first=False)
    elder = make_elder(phone=PHONE, dialect="吴语")
    mark(elder, "bereaved")
    with scope(line):
        call = ring(line, PHONE)
    assert (call.skills, call.group_id, call.rank) == (["dialect", "psychology"], group.pk, 1)


def test_a_doubtful_number_and_one_of_the_dead_name_nobody(wide: Any) -> None:
    line = system()
    mark(make_elder(phone=PHONE))
    make_elder(phone=OTHER_PHONE, died_on=NOW.date())
    with scope(line):
        forged = ring(line, PHONE, is_number_doubtful=True)
        late = ring(line, OTHER_PHONE)
    assert (forged.elder_id, forged.rank, forged.is_number_doubtful) == (None, 2, True)
    assert (late.elder_id, late.rank) == (None, 2)


def test_two_live_calls_of_one_elder_are_two_calls(wide: Any) -> None:
    elder, line = make_elder(phone=PHONE), system()
    with scope(line):
        calls = [ring(line, PHONE, key="one"), ring(line, PHONE, key="two")]
    assert [call.elder_id for call in calls] == [elder.pk, elder.pk]


# Offers


def test_all_wanted_skills_come_before_the_longest_idle(wide: Any) -> None:
    line, group = system(), make_group()
    make_elder(phone=PHONE, dialect="吴语")
    idle = make_seat(group=group, idle_since=NOW - timedelta(hours=1))
    able = make_seat(group=group, idle_since=NOW - timedelta(minutes=1), skills=["dialect"])
    with scope(line):
        plain, dialect = ring(line, "19900008888", at=NOW), ring(line, PHONE, at=NOW + timedelta(seconds=1))
        offers = [offer_call(actor=line, now=LATER) for _ in range(3)]
    assert [(one.call_id, one.seat_id) for one in offers if one] == [
        (plain.pk, idle.user_id),
        (dialect.pk, able.user_id),
    ]


def test_who_talks_dials_pauses_or_has_lost_the_phone_is_offered_nothing(wide: Any) -> None:
    line, group = system(), make_group()
    talking, dialling = actor("seat"), actor("seat")
    make_seat(talking, group=group)
    make_seat(dialling, group=group)
    make_call(seat=talking)
    make_call(is_outbound=True, seat_id=dialling.user_id)
    make_seat(group=group, state="paused")
    make_seat(group=group, state="off")
    make_seat(group=group, registered_until=NOW)
    make_seat(group=make_group(is_first=False))
    near = make_seat(actor("seat", DISTRICT), group=group, div=DISTRICT)
    there = make_elder(phone=PHONE, div=OTHER_COMMUNITY)
    with scope(line):
        assert ring(line, PHONE).div == there.div
        assert offer_call(actor=line, now=LATER) is None
        assert [one.seat_id for one in free_seats(line, LATER) if one.group_id == group.pk] == [near.pk]


def test_the_ring_is_told_to_the_seat_alone(wide: Any) -> None:
    line, who = system(), actor("seat")
    make_seat(who)
    with scope(line), CaptureQueriesContext(connection) as seen:
        call = ring(line, PHONE)
        offer_call(actor=line, now=NOW)
    told = [one["sql"].replace("\\", "") for one in seen.captured_queries if "pg_notify" in one["sql"]]
    assert [
        sql
        for sql in told
        if '"topic": "ring"' in sql and f'"id": {call.pk}' in sql and f'"user": {who.user_id}' in sql
    ]


def test_two_misses_in_a_row_pause_the_seat_and_the_next_one_is_tried(wide: Any) -> None:
    line, group, who = system(), make_group(), actor("seat")
    sleepy = make_seat(who, group=group, idle_since=NOW - timedelta(hours=1))
    leader = make_seat(group=group, state="off", is_leader=True)
    awake = make_seat(group=group)
    with scope(line):
        ring(line, PHONE, at=NOW)
        first = offer_call(actor=line, now=NOW)
        assert first is not None
        assert first.expires_at == NOW + timedelta(seconds=15)
        assert [step.verb for step in due_steps(line, first.expires_at)] == ["expire"]
        end_offer(actor=line, now=first.expires_at, offer_id=first.pk, outcome="no_answer")
        assert end_offer(actor=line, now=LATER, offer_id=first.pk, outcome="failed").outcome == "no_answer"
        second = offer_call(actor=line, now=first.expires_at)
        ring(line, OTHER_PHONE, at=NOW)
        third = offer_call(actor=line, now=first.expires_at)
        assert second is not None
        assert third is not None
        assert (second.seat_id, third.seat_id) == (awake.user_id, sleepy.user_id)
        end_offer(actor=line, now=LATER, offer_id=third.pk, outcome="declined")
    sleepy.refresh_from_db()
    assert (sleepy.state, sleepy.reason, sleepy.miss_count) == ("paused", "missed", 0)
    assert set(Notice.objects.values_list("user_id", flat=True)) == {who.user_id, leader.user_id}


def test_the_caller_hanging_up_is_no_miss_and_only_the_own_seat_declines(wide: Any) -> None:
    line, who, other = system(), actor("seat"), actor("seat")
    seat = make_seat(who)
    with scope(line):
        call = ring(line, PHONE)
        offer = offer_call(actor=line, now=NOW)
    assert offer is not None
    with refused(other, Denied, "seat.not_own"):
        end_offer(actor=other, now=NOW, offer_id=offer.pk, outcome="declined")
    with refused(line, Refused, "choice.unknown"):
        end_offer(actor=line, now=NOW, offer_id=offer.pk, outcome="answered")
    with refused(line, NotFound, "row.not_found"):
        end_offer(actor=line, now=NOW, offer_id=10**9, outcome="declined")
    with scope(line):
        abandon_call(actor=line, now=NOW, call_id=call.pk)
    seat.refresh_from_db()
    offer.refresh_from_db()
    assert (offer.outcome, seat.miss_count) == ("cancelled", 0)


def test_a_call_is_connected_once(wide: Any) -> None:
    line, who, other = system(), actor("seat"), actor("seat")
    body = make_organisation()
    seat, second = make_seat(who, group=make_group(provider=body), miss_count=1), make_seat(other)
    with scope(line):
        call = ring(line, PHONE)
        offer_call(actor=line, now=NOW)
        connected = connect_call(actor=line, now=NOW, call_id=call.pk, seat_id=seat.user_id)
        assert connect_call(actor=line, now=LATER, call_id=call.pk, seat_id=seat.user_id).answered_at == NOW
    seat.refresh_from_db()
    assert (connected.state, connected.seat_id, connected.provider_id, seat.miss_count) == (
        "answered",
        who.user_id,
        body.pk,
        0,
    )
    assert CallOffer.objects.get().outcome == "answered"
    with refused(line, NotAllowed, "call.taken"):
        connect_call(actor=line, now=LATER, call_id=call.pk, seat_id=second.user_id)
    with scope(line):
        another = ring(line, OTHER_PHONE)
    with refused(line, NotAllowed, "call.busy"):
        connect_call(actor=line, now=LATER, call_id=another.pk, seat_id=seat.user_id)
    with scope(line):
        ended = hang_up_call(actor=line, now=LATER, call_id=call.pk, by="caller")
    seat.refresh_from_db()
    assert (ended.ended_by, seat.idle_since) == ("caller", LATER)


def test_a_colleague_takes_over_a_call_that_is_passed_on(wide: Any) -> None:
    line, who, colleague = system(), actor("seat"), actor("seat")
    first, second, away = make_seat(who), make_seat(colleague), make_seat(state="paused")
    call = make_call(seat=who)
    with refused(colleague, Denied, "call.other_seat_line"):
        transfer_call(actor=colleague, now=NOW, call_id=call.pk, to_seat_id=first.user_id)
    with refused(who, NotAllowed, "transfer.busy"):
        transfer_call(actor=who, now=NOW, call_id=call.pk, to_seat_id=away.user_id)
    with refused(who, Refused, "transfer.self"):
        transfer_call(actor=who, now=NOW, call_id=call.pk, to_seat_id=first.user_id)
    with scope(who):
        transfer_call(actor=who, now=NOW, call_id=call.pk, to_seat_id=second.user_id)
        call.refresh_from_db()
        assert (call.seat_id, call.state) == (who.user_id, "answered")
    with scope(line):
        moved = connect_call(actor=line, now=LATER, call_id=call.pk, seat_id=second.user_id)
        assert offer_call(actor=line, now=LATER) is None
    first.refresh_from_db()
    assert (moved.seat_id, moved.answered_at, first.idle_since) == (colleague.user_id, NOW, LATER)


def test_a_call_is_held_and_taken_up_again(wide: Any) -> None:
    who, other = actor("seat"), actor("seat")
    call, waiting = make_call(seat=who), make_call()
    with refused(other, Denied, "call.other_seat_line"):
        hold_call(actor=other, now=NOW, call_id=call.pk)
    with refused(who, NotAllowed, "call.not_talking"):
        hold_call(actor=who, now=NOW, call_id=waiting.pk)
    with refused(who, NotAllowed, "call.not_held"):
        resume_call(actor=who, now=NOW, call_id=call.pk)
    with scope(who):
        assert hold_call(actor=who, now=NOW, call_id=call.pk).held_at == NOW
    with refused(who, NotAllowed, "call.held"):
        hold_call(actor=who, now=LATER, call_id=call.pk)
    with scope(who):
        assert resume_call(actor=who, now=LATER, call_id=call.pk).held_at is None


# Where calls go


@pytest.mark.req("R-CALL-06")
def test_a_call_overflows_to_the_next_group_and_to_the_duty_phone_in_the_end(wide: Any) -> None:
    line = system()
    last = make_group(is_first=False, duty="19900007777")
    first = make_group(overflow=last)
    make_seat(group=first)
    make_seat(group=last)
    make_call(seat=actor("seat"), group=first)
    with scope(line):
        Seat.objects.update(idle_since=LATER + timedelta(hours=1))
        call = ring(line, PHONE)
        assert due_steps(line, NOW + timedelta(seconds=39)) == []
        assert [step.verb for step in due_steps(line, NOW + timedelta(seconds=40))] == ["overflow"]
        assert overflow_call(actor=line, now=LATER, call_id=call.pk).group_id == last.pk
        assert [step.verb for step in due_steps(line, NOW + timedelta(seconds=80))] == ["divert"]
        assert duty_number(call) == "19900007777"
    with refused(line, Refused, "group.no_overflow"):
        overflow_call(actor=line, now=LATER, call_id=call.pk)
    with scope(line):
        gone = divert_call(actor=line, now=LATER, call_id=call.pk)
    assert (gone.state, gone.ended_at) == ("diverted", LATER)
    with refused(line, NotAllowed, "call.not_waiting"):
        divert_call(actor=line, now=LATER, call_id=call.pk)


@pytest.mark.req("R-CALL-06")
def test_after_hours_a_caller_leaves_a_message_and_is_called_back(wide: Any) -> None:
    line, elder = system(), make_elder(phone=PHONE)
    make_seat(group=make_group(), state="off")
    with scope(line):
        call = ring(line, PHONE)
        assert [step.verb for step in due_steps(line, NOW)] == ["message"]
        left = leave_message(actor=line, now=NOW, call_id=call.pk)
    task = Callback.objects.get()
    assert (left.state, task.kind, task.elder_id, task.due_at) == (
        "message",
        "message",
        elder.pk,
        NOW + timedelta(minutes=10),
    )


def test_the_loop_of_a_line_without_its_own_process_serves_the_queue(wide: Any) -> None:
    line = system()
    seat = make_seat(idle_since=NOW)
    with scope(line):
        ring(line, PHONE)
    assert work_in_area(line) == 1
    assert CallOffer.objects.get().seat_id == seat.user_id


# Nobody is lost


@pytest.mark.req("R-CALL-06")
def test_who_gave_up_is_called_back_alarms_within_a_minute(wide: Any) -> None:
    line, elder = system(), make_elder(phone=PHONE)
    with scope(line):
        alarm = ring(line, PHONE, channel="device", key="sos")
        plain = ring(line, OTHER_PHONE, key="plain")
        withheld = ring(line, "", key="withheld")
        for call in (plain, withheld, alarm):
            abandon_call(actor=line, now=LATER, call_id=call.pk)
    rows = Callback.objects.order_by("rank")
    assert [(row.elder_id, row.call_id, row.due_at - LATER) for row in rows] == [
        (elder.pk, alarm.pk, timedelta(minutes=1)),
        (None, plain.pk, timedelta(minutes=10)),
    ]


def test_who_called_three_times_in_vain_is_one_task_and_settled_by_an_answer(wide: Any) -> None:
    line, who = system(), actor("seat")
    make_elder(phone=PHONE)
    with scope(line):
        for number in range(3):
            call = ring(line, PHONE, key=f"call-{number}")
            abandon_call(actor=line, now=NOW + timedelta(minutes=number), call_id=call.pk)
        assert Callback.objects.count() == 1
        again = ring(line, PHONE, key="again")
    with scope(who):
        answer_call(actor=who, now=LATER, call_id=again.pk)
    task = Callback.objects.get()
    assert (task.state, task.made_id) == ("done", again.pk)


def test_a_conversation_that_breaks_off_is_taken_up_at_once(wide: Any) -> None:
    line, who, elder = system(), actor("seat"), make_elder()
    seat, call = make_seat(who), make_call(elder=elder, seat=who)
    with scope(line):
        cut = cut_call(actor=line, now=LATER, call_id=call.pk)
    task = Callback.objects.get()
    seat.refresh_from_db()
    assert (cut.state, cut.ended_at, cut.ended_by) == ("ended", LATER, "network")
    assert (task.kind, task.due_at, seat.idle_since) == ("cut", LATER + timedelta(minutes=1), LATER)


# Many at once


def slow_model(line: Actor, at: Any) -> tuple[int, int] | None:
    """What the next offer must be: everything read plainly, every pair looked at."""
    busy = set(Call.objects.filter(state__in=["ringing", "answered"]).values_list("seat_id", flat=True))
    rings = {row.call_id: row.seat_id for row in CallOffer.objects.filter(ended_at=None)}
    found = []
    for call in Call.objects.filter(state="ringing", is_outbound=False):
        for seat in Seat.objects.filter(state="ready").select_related("group"):
            if call.pk in rings or seat.user_id in rings.values() or seat.user_id in busy or call.offer_count >= 5:
                continue
            if seat.group_id != call.group_id or not seat.idle_since or seat.idle_since > at:
                continue
            tried = CallOffer.objects.filter(
                call=call, seat_id=seat.user_id, outcome__in=["no_answer", "declined", "failed"]
            ).exists()
            lacks = not set(call.skills) <= {*seat.skills, *seat.group.skills}
            found.append(
                ((call.rank, call.rang_at, call.pk, tried, lacks, seat.idle_since, seat.pk), call.pk, seat.user_id)
            )
    return min(found)[1:] if found else None


@pytest.mark.parametrize("seed", range(3))
def test_a_day_on_the_line_goes_as_the_slow_model_says(wide: Any, seed: int) -> None:
    dice, line, group = random.Random(seed), system(), make_group()
    make_elder(phone=PHONE, dialect="吴语")
    people = [make_seat(group=group, skills=dice.choice([[], ["dialect"]]), idle_since=NOW) for _ in range(3)]
    users = [seat.user_id for seat in people]
    with scope(line):
        for step in range(40):
            at = NOW + timedelta(seconds=10 * step)
            live = list(Call.objects.filter(state="ringing").order_by("pk"))
            offer = CallOffer.objects.filter(ended_at=None).order_by("?").first()
            talk = Call.objects.filter(state="answered").order_by("pk").first()
            deed = dice.choice(["ring", "ring", "answer", "miss", "give_up", "hang_up"])
            if deed == "ring":
                ring(line, dice.choice([PHONE, OTHER_PHONE]), at=at, channel=dice.choice(["phone", "phone", "device"]))
            elif deed == "answer" and offer:
                connect_call(actor=line, now=at, call_id=offer.call_id, seat_id=offer.seat_id)
            elif deed == "miss" and offer:
                end_offer(actor=line, now=at, offer_id=offer.pk, outcome="no_answer")
            elif deed == "give_up" and live:
                abandon_call(actor=line, now=at, call_id=dice.choice(live).pk)
            elif deed == "hang_up" and talk:
                hang_up_call(actor=line, now=at, call_id=talk.pk)
            Seat.objects.filter(state="paused").update(state="ready", idle_since=at)
            expected = slow_model(line, at)
            given = offer_call(actor=line, now=at)
            assert ((given.call_id, given.seat_id) if given else None) == expected
            assert set(CallOffer.objects.filter(ended_at=None).values_list("seat_id", flat=True)) <= set(users)


@pytest.mark.django_db(transaction=True)
def test_workers_beside_each_other_give_no_call_two_seats_and_no_seat_two_calls() -> None:
    with scope(WIDE):
        line, group = system(), make_group()
        seats = [make_seat(group=group) for _ in range(4)]
        calls = [make_call(group=group) for _ in range(8)]
    gate = threading.Barrier(6)
    faults: list[Exception] = []

    def work() -> None:
        try:
            gate.wait()
            for _ in range(4):
                with scope(line):
                    offer_call(actor=line, now=LATER)
        except Exception as fault:  # noqa: BLE001 - told at the end
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with scope(line):
        while offer_call(actor=line, now=LATER):  # those above may have found every row locked each time
            pass
    with scope(WIDE):
        rows = list(CallOffer.objects.values_list("call_id", "seat_id"))
    assert faults == []
    assert {seat for _call, seat in rows} == {seat.user_id for seat in seats}
    assert {call for call, _seat in rows} <= {call.pk for call in calls}
    assert len(rows) == len({call for call, _seat in rows}) == len(seats)
