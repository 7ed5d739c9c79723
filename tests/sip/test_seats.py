"""Seats in calls: recorded, passed on, and gone in the middle of it."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import socket
import struct
import wave
from typing import Any

import numpy as np
import pytest
from django.utils.module_loading import import_string
from tests.factories import WIDE, actor, make_seat, system
from tests.sip.conftest import Line

from yinling.bench.sipline import ANSWERED, BYE, PAUSE, SDP, seat_refuses, wait_until
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.hotline.models import Recording
from yinling.hotline.operations import hang_up_call, transfer_call
from yinling.hotline.queries import sound_of
from yinling.interop.telephony.sip_kamailio import files
from yinling.interop.telephony.sip_kamailio.follow import seat_name

TONE_HZ, RATE = 440, 8000
HEARS_BYE = """
  <recv request="BYE" timeout="20000"/>
  <send><![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0
  ]]></send>
"""
REFERRED = (
    """
  <recv request="REFER" timeout="20000"><action>
    <ereg regexp="transfer-[0-9]+-[0-9a-f]+" search_in="hdr" header="Refer-To:" assign_to="1"/><log message="[$1]"/>
  </action></recv>
  <send><![CDATA[
      SIP/2.0 202 Accepted
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:trunk@[local_ip]:[local_port]>
      Content-Length: 0
  ]]></send>
"""
    + HEARS_BYE
)


def test_an_answered_call_is_recorded_with_what_the_caller_said(line: Line, tmp_path: Any) -> None:
    line.start()
    line.seat()
    wave_form = (9000 * np.sin(2 * np.pi * TONE_HZ * np.arange(RATE * 2) / RATE)).astype(np.int16)
    path = tmp_path / "tone.al"
    path.write_bytes(a_law(wave_form))
    play = f'<nop><action><exec rtp_stream="{path},1,8,PCMA/8000"/></action></nop>'
    assert line.caller(ANSWERED, play, PAUSE, BYE, talk_ms=2300).end() == 0
    (call,) = line.wait_over()
    wait_until(lambda: bool(recordings()), 25, "the recording is kept")
    (row,) = recordings()
    assert row.call_id == call.pk
    assert 1 <= row.seconds <= 10
    with scope(WIDE), wave.open(io.BytesIO(sound_of(row))) as sound:
        heard = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).reshape(-1, 2)[:, 0].astype(float)
    spectrum = np.abs(np.fft.rfft(heard[2000 : 2000 + RATE]))
    assert int(spectrum.argmax()) == TONE_HZ


@pytest.mark.req("R-CALL-06")
def test_who_calls_when_nobody_is_there_leaves_a_message(line: Line, tmp_path: Any) -> None:
    line.start()
    wave_form = (9000 * np.sin(2 * np.pi * TONE_HZ * np.arange(RATE * 2) / RATE)).astype(np.int16)
    path = tmp_path / "tone.al"
    path.write_bytes(a_law(wave_form))
    play = f'<nop><action><exec rtp_stream="{path},1,8,PCMA/8000"/></action></nop>'
    assert line.caller(ANSWERED, play, PAUSE, BYE, talk_ms=2300).end() == 0
    (call,) = line.wait_over()
    assert call.state == "message"
    assert [(one.kind, one.call_id) for one in line.callbacks()] == [("message", call.pk)]
    wait_until(lambda: bool(recordings()), 25, "the message is kept")
    (row,) = recordings()
    assert (row.kind, row.call_id) == ("message", call.pk)
    assert row.seconds >= 1


def recordings() -> list[Recording]:
    with scope(WIDE):
        return list(Recording.objects.select_related("file"))


def a_law(samples: Any) -> bytes:
    """Encode by looking for the nearest code of the decoding table."""
    table = import_string("yinling.interop.telephony.sip_kamailio.spool.LAWS")[8].astype(int)
    order = np.argsort(table)
    places = np.searchsorted(table[order], samples.astype(int)).clip(0, 255)
    return bytes(order[places].astype(np.uint8))


def pass_on(line: Line, first: Any, second: Any, caller: Any) -> Any:
    """Seat one passes the call to seat two, and the trunk does as it is asked."""
    (call,) = line.wait(1, state="answered", seat_id=first.user_id)
    with scope(system()):
        transfer_call(actor=system(), now=business_now(), call_id=call.pk, to_seat_id=second.user_id)
    wait_until(lambda: bool(target(caller)), 15, "the trunk is asked")
    return line.caller(called=target(caller), talk_ms=600)


def target(caller: Any) -> str:
    return "".join(path.read_text() for path in caller.folder.glob(f"{caller.name}_*_logs.log")).strip()


def test_a_call_is_passed_on_to_a_colleague(line: Line) -> None:
    line.start()
    first = line.seat()
    caller = line.caller(ANSWERED, REFERRED)
    line.wait(1, state="answered")
    second = line.seat()
    again = pass_on(line, first, second, caller)
    assert [caller.end(), again.end()] == [0, 0], again.log()
    (call,) = line.wait_over()
    assert (call.state, call.seat_id, call.ended_by) == ("ended", second.user_id, "caller")
    assert len(line.calls()) == 1


def test_a_call_that_the_colleague_does_not_take_comes_back(line: Line) -> None:
    line.start()
    first = line.seat()
    caller = line.caller(ANSWERED, REFERRED)
    line.wait(1, state="answered")
    second = line.seat(*seat_refuses("480 Temporarily Unavailable"))
    again = pass_on(line, first, second, caller)
    assert [caller.end(), again.end()] == [0, 0], again.log()
    (call,) = line.wait_over()
    assert (call.state, call.seat_id) == ("ended", first.user_id)


class Page:
    """As much of a seat's page as the edge sees: SIP over a WebSocket."""

    def __init__(self, line: Line, user_id: int) -> None:
        self.edge, self.name, self.rest = line.edge, seat_name(user_id), b""
        self.wire = socket.create_connection((line.edge.host, line.edge.ws_port), 20)
        key = base64.b64encode(os.urandom(16)).decode()
        head = f"GET / HTTP/1.1\r\nHost: {line.edge.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        self.wire.sendall(f"{head}Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.wire.recv(4096)
        assert b"101" in answer.partition(b"\r\n")[0], answer
        self.rest = answer.partition(b"\r\n\r\n")[2]

    def send(self, text: str) -> None:
        data = text.encode()
        head = struct.pack("!BBH", 0x81, 0x80 | 126, len(data))
        self.wire.sendall(head + b"\0\0\0\0" + data)

    def heard(self) -> str:
        """The next SIP message; pings are passed over."""
        while True:
            while len(self.rest) < 4:
                self.rest += self.wire.recv(65536)
            size, start = self.rest[1] & 127, 2
            if size == 126:
                size, start = struct.unpack_from("!H", self.rest, 2)[0], 4
            while len(self.rest) < start + size:
                self.rest += self.wire.recv(65536)
            kind, body = self.rest[0] & 15, self.rest[start : start + size]
            self.rest = self.rest[start + size :]
            if kind in (1, 2):
                return body.decode()

    def register(self) -> None:
        def text(number: int, proof: str) -> str:
            where = f"sip:{self.edge.domain}"
            return (
                f"REGISTER {where} SIP/2.0\r\nVia: SIP/2.0/WS page.invalid;branch=z9hG4bK{os.urandom(6).hex()}\r\nMax-Forwards: 70\r\n"
                f"From: <sip:{self.name}@{self.edge.domain}>;tag=p1\r\nTo: <sip:{self.name}@{self.edge.domain}>\r\nCall-ID: {self.name}-page\r\n"
                f"CSeq: {number} REGISTER\r\nContact: <sip:{self.name}@page.invalid;transport=ws>;expires=300\r\n{proof}Content-Length: 0\r\n\r\n"
            )

        def md5(value: str) -> str:
            return hashlib.md5(value.encode()).hexdigest()  # noqa: S324 - as SIP's digest has it

        self.send(text(1, ""))
        nonce = re.search(r'nonce="([^"]+)"', self.heard())[1]
        name, password = files.credential(self.edge.secret, self.name, 4102444800)
        domain, uri = self.edge.domain, f"sip:{self.edge.domain}"
        answer = md5(f"{md5(f'{name}:{domain}:{password}')}:{nonce}:{md5(f'REGISTER:{uri}')}")
        fields = f'username="{name}", realm="{domain}", nonce="{nonce}", uri="{uri}", response="{answer}"'
        self.send(text(2, f"Authorization: Digest {fields}\r\n"))
        assert self.heard().startswith("SIP/2.0 200")

    def answer(self) -> str:
        """Take the call that rings; return what the edge sent."""
        invite = self.heard()
        assert invite.startswith("INVITE")
        wanted = ("via:", "record-route:", "from:", "call-id:", "cseq:")
        kept = [one for one in invite.split("\r\n") if one.lower().startswith(wanted)]
        to = next(one for one in invite.split("\r\n") if one.lower().startswith("to:"))
        body = SDP.replace("\n      ", "\r\n").replace("[local_ip_type]", "4").replace("[media_ip_type]", "4")
        body = (
            body.replace("[local_ip]", "127.0.0.1").replace("[media_ip]", "127.0.0.1").replace("[media_port]", "9")
            + "\r\n"
        )
        secure = (
            "a=setup:active",
            f"a=fingerprint:sha-256 {':'.join(['AA'] * 32)}",
            "a=ice-ufrag:abcd",
            f"a=ice-pwd:{'a' * 24}",
            "a=rtcp-mux",
        )
        body = body.replace("RTP/AVP", "UDP/TLS/RTP/SAVPF") + "".join(f"{one}\r\n" for one in secure)
        head = ["SIP/2.0 200 OK", *kept, f"{to};tag=page1", f"Contact: <sip:{self.name}@page.invalid;transport=ws>"]
        self.send("\r\n".join([*head, "Content-Type: application/sdp", f"Content-Length: {len(body)}", "", body]))
        return invite


def test_a_page_rings_knows_its_call_and_not_the_callers_number(line: Line) -> None:
    line.start()
    with scope(WIDE):
        seat = make_seat(actor("seat"), group=line.group)
    page = Page(line, seat.user_id)
    page.register()
    caller = line.caller(
        number="13812349876",
        headers="P-Asserted-Identity: <sip:13812349876@trunk>\n      X-Call-Id: forged",
        talk_ms=400,
    )
    invite = page.answer()
    (call,) = line.wait(1, state="answered")
    assert f"X-Call-Id: {call.pk}\r\n" in invite
    assert "forged" not in invite
    assert "13812349876" not in invite.partition("\r\n\r\n")[0].replace("ct=", "")
    assert "UDP/TLS/RTP/SAVPF" in invite
    assert "a=fingerprint" in invite
    assert caller.process.poll() is None
    page.wire.close()
    caller.stop()


@pytest.mark.req("R-CALL-06")
def test_a_page_that_closes_in_a_call_ends_it_and_the_caller_is_called_back(line: Line) -> None:
    line.start()
    with scope(WIDE):
        seat = make_seat(actor("seat"), group=line.group)
    page = Page(line, seat.user_id)
    page.register()
    caller = line.caller(ANSWERED, HEARS_BYE)
    page.answer()
    line.wait(1, state="answered")
    page.wire.close()
    assert caller.end() == 0, "the caller hears the end"
    (call,) = line.wait_over()
    assert (call.state, call.ended_by) == ("ended", "network")
    assert [one.kind for one in line.callbacks()] == ["cut"]


def test_the_platform_ends_a_call_on_both_sides(line: Line) -> None:
    line.start()
    with scope(WIDE):
        seat = make_seat(actor("seat"), group=line.group)
    page = Page(line, seat.user_id)
    page.register()
    caller = line.caller(ANSWERED, HEARS_BYE)
    page.answer()
    (call,) = line.wait(1, state="answered")
    assert page.heard().startswith("ACK"), "the call stands on both sides"
    with scope(system()):
        hang_up_call(actor=system(), now=business_now(), call_id=call.pk)
    assert caller.end() == 0
    heard = page.heard()
    while heard.startswith("ACK"):
        heard = page.heard()
    assert heard.startswith("BYE")
    page.wire.close()
