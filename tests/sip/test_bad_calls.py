"""What strangers, machines and mistakes send: nothing of it stops the line, and nothing is believed that nobody vouches for."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest
from tests.factories import WIDE, actor, make_elder
from tests.sip.conftest import Line

from yinling.bench.sipline import ANSWERED_OR_REFUSED, REFUSED, RINGING, wait_until
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.hotline.operations import dial_call
from yinling.interop.telephony.sip_kamailio.follow import seat_name

BAD = RINGING + '<recv response="{code}" timeout="20000"/>' + REFUSED


def refused(code: int) -> str:
    return BAD.replace("{code}", str(code))


def test_a_number_that_only_stands_in_from_names_nobody(line: Line) -> None:
    with scope(WIDE):
        make_elder(phone="13912340001")
    line.start()
    line.seat()
    assert line.caller(number="13912340001", headers="P-Note: none").end() == 0
    (call,) = line.wait_over()
    assert (call.is_number_doubtful, call.elder_id, call.number_last4) == (True, None, "0001")


def test_a_withheld_number_is_a_call_like_any_other(line: Line) -> None:
    line.start()
    line.seat()
    headers = "P-Asserted-Identity: <sip:13912340002@trunk>\n      Privacy: id"
    assert line.caller(number="anonymous", headers=headers).end() == 0
    (call,) = line.wait_over()
    assert (call.number_last4, call.is_number_doubtful, call.state) == ("", False, "ended")


def test_scripts_quotes_and_very_long_names_in_headers_go_no_further(line: Line) -> None:
    line.start()
    line.seat()
    junk = ("Subject: <img src=x onerror=alert(1)>", "Call-Info: <http://x/>", "X-Call-Id: 999999")
    headers = "\n      ".join(["P-Asserted-Identity: <sip:13912340003@trunk>", *junk])
    name = '"' + "<script>alert(1)</script>" * 60 + '" '
    assert line.caller(number="13912340003", headers=headers, display=name).end() == 0
    (call,) = line.wait_over()
    assert call.state == "ended"
    assert call.number_last4 == "0003"


def test_what_is_no_sip_is_dropped_and_others_are_served(line: Line) -> None:
    line.start()
    line.seat()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for junk in (
            b"\x00" * 1400,
            b"INVITE sip:12349@x SIP/2.0\r\n" * 40,
            b"INVITE sip:12349 SIP/2.0\r\nCall-ID: a\r\nb\r\n\r\n",
            b"'" * 60000,
        ):
            sender.sendto(junk, (line.edge.host, line.edge.trunk_port))
    assert line.caller().end() == 0
    assert len(line.wait_over()) == 1


def test_a_wrong_number_is_told_so_and_leaves_no_row(line: Line) -> None:
    line.start()
    assert line.caller(refused(404), called="12345").end() == 0
    assert line.calls() == []


def test_nobody_but_the_trunk_is_let_in(line: Line) -> None:
    line.start()
    assert line.caller(refused(403), host="127.0.0.9").end() == 0
    assert line.calls() == []


def test_one_number_that_floods_is_held_back_and_others_are_served(line: Line) -> None:
    line.start()
    for _ in range(2):
        line.seat()
    flood = line.caller(ANSWERED_OR_REFUSED, number="13912349999", count=60, rate=60, timeout=20)
    time.sleep(0.3)
    others = [line.caller(talk_ms=300) for _ in range(3)]
    assert [one.end() for one in others] == [0, 0, 0]
    flood.stop()
    wait_until(lambda: len([one for one in line.calls() if one.number_last4 == "9999"]) <= 5, 3, "five at most")
    assert len([one for one in line.calls() if one.number_last4 != "9999"]) == 3


def test_strangers_who_flood_reach_nothing(line: Line) -> None:
    line.start()
    line.seat()
    flood = line.caller(refused(403), count=400, rate=200, timeout=10, host="127.0.0.8")
    assert line.caller().end() == 0
    flood.stop()
    assert len(line.wait_over()) == 1
    assert len(line.calls()) == 1


def test_a_password_of_another_seat_or_of_nobody_registers_nothing(line: Line) -> None:
    line.stage.register("seat77", 15999, expected=401, secret="somebody else's")
    line.stage.register("seat77", 15999, expected=403, registered="seat78")
    line.stage.register("seat77", 15999, expected=401, expires=int(time.time()) - 5)


def dialled(line: Line, user_id: int) -> int:
    who = replace(actor("seat"), user_id=user_id)
    with scope(who):
        return dial_call(actor=who, now=business_now(), number="13812345678").pk


def test_a_seat_calls_out_what_an_operation_has_entered(line: Line) -> None:
    line.start()
    seat = line.seat()
    line.listens(line.gateway_port)
    with scope(WIDE):
        number = dialled(line, seat.user_id)
    run = line.stage.dial(seat_name(seat.user_id), str(number))
    assert run.end() == 0, run.log()
    (call,) = line.wait_over()
    assert (call.state, call.ended_by, call.pk) == ("ended", "seat", number)


@pytest.mark.parametrize("target", ["13812345678", "0", "00861012345", "99999999999"])
def test_a_number_without_an_operation_is_not_dialled(line: Line, target: str) -> None:
    line.start()
    seat = line.seat()
    line.listens(line.gateway_port)
    run = line.stage.dial(seat_name(seat.user_id), target, expected=403)
    assert run.end() == 0, run.log()
    assert line.calls() == []


def test_the_row_of_another_seat_is_not_dialled_and_none_twice(line: Line) -> None:
    line.start()
    seat, other = line.seat(), line.seat()
    line.listens(line.gateway_port)
    with scope(WIDE):
        number = dialled(line, seat.user_id)
    assert line.stage.dial(seat_name(other.user_id), str(number), expected=403).end() == 0
    assert line.stage.dial(seat_name(seat.user_id), str(number)).end() == 0
    line.wait_over()
    assert line.stage.dial(seat_name(seat.user_id), str(number), expected=403).end() == 0
