"""Calls from the trunk to a seat and back, as sipp plays both sides."""

from __future__ import annotations

import pytest
from tests.factories import WIDE, make_elder, system
from tests.sip.conftest import Line

from yinling.bench.sipline import (
    ANSWERED,
    BYE,
    CANCEL,
    HOLD,
    PAUSE,
    REFUSED,
    RINGING,
    RINGS,
    seat_answers,
    seat_refuses,
    seat_rings,
    wait_until,
)
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.hotline.operations import hang_up_call

PROMPT_SECONDS = 10
"""How long a call takes is measured by the bench; here it only must not be as long as a ring that nobody hears."""
NOT_REACHED = RINGING + '<recv response="480" timeout="$patience"/>' + REFUSED


def test_a_call_is_entered_rings_at_a_seat_is_answered_and_ends(line: Line) -> None:
    line.start()
    seat = line.seat()
    caller = line.caller(number="13800138000")
    assert caller.end() == 0
    (call,) = line.wait_over()
    assert (call.state, call.seat_id, call.ended_by) == ("ended", seat.user_id, "caller")
    assert call.leg
    assert call.number_last4 == "8000"
    assert not call.is_number_doubtful
    (offer,) = line.offers()
    assert offer.outcome == "answered"
    assert caller.seconds()[0] < PROMPT_SECONDS


def test_the_seat_hangs_up(line: Line) -> None:
    line.start()
    line.seat()
    caller = line.caller(ANSWERED, '<recv request="BYE" timeout="30000"/>')
    (call,) = line.wait(1, state="answered")
    with scope(system()):
        hang_up_call(actor=system(), now=business_now(), call_id=call.pk, by="seat")
    (call,) = line.wait_over()
    assert (call.state, call.ended_by) == ("ended", "seat")
    wait_until(lambda: caller.process.poll() is not None, 20, "the caller hears the end")


def test_a_seat_that_does_not_answer_and_one_that_refuses_are_passed_by(line: Line) -> None:
    line.start()
    first = line.seat(*seat_refuses("486 Busy Here"), idle_since=business_now().replace(year=2020))
    second = line.seat(*seat_answers())
    assert line.caller().end() == 0
    (call,) = line.wait_over()
    assert call.seat_id == second.user_id
    assert call.offer_count == 2
    assert [(one.seat_id, one.outcome) for one in line.offers()] == [
        (first.user_id, "declined"),
        (second.user_id, "answered"),
    ]


@pytest.mark.req("R-CALL-06")
def test_who_gives_up_while_waiting_is_to_be_called_back(line: Line) -> None:
    line.start()
    line.seat()
    talking = line.caller(talk_ms=6000)
    line.wait(1, state="answered")
    assert line.caller(RINGS, '<pause milliseconds="300"/>', CANCEL).end() == 0
    (call,) = line.wait(1, state="abandoned")
    assert call.ended_by == "caller"
    assert talking.end() == 0
    (task,) = line.callbacks()
    assert (task.kind, task.call_id) == ("missed", call.pk)


def test_who_gives_up_while_it_rings_frees_the_seat(line: Line) -> None:
    line.start()
    line.seat(*seat_rings())
    assert line.caller(RINGS, '<pause milliseconds="3000"/>', CANCEL).end() == 0
    (call,) = line.wait_over()
    assert call.state == "abandoned"
    assert [one.outcome for one in line.offers()] == ["cancelled"]


def test_hold_passes_through(line: Line) -> None:
    line.start()
    line.seat()
    caller = line.caller(ANSWERED, PAUSE, HOLD, PAUSE, BYE)
    assert caller.end() == 0, caller.log()
    (call,) = line.wait_over()
    assert call.ended_by == "caller"


def test_a_call_waits_until_a_seat_is_there(line: Line) -> None:
    line.start()
    seat = line.seat()
    first = line.caller(talk_ms=5000)
    line.wait(1, state="answered")
    second = line.caller()
    line.wait(1, state="ringing")
    assert [first.end(), second.end()] == [0, 0]
    calls = line.wait_over(2)
    assert [one.seat_id for one in calls] == [seat.user_id] * 2
    assert calls[0].ended_at < calls[1].answered_at


def test_two_calls_of_one_elder_are_two_calls_of_that_elder(line: Line) -> None:
    with scope(WIDE):
        elder = make_elder(phone="13912345678")
    line.start()
    line.seat()
    line.seat()
    runs = [line.caller(number="13912345678", talk_ms=1500) for _ in range(2)]
    assert [run.end() for run in runs] == [0, 0]
    calls = line.wait_over(2)
    assert [one.elder_id for one in calls] == [elder.pk] * 2
    assert calls[0].seat_id != calls[1].seat_id
