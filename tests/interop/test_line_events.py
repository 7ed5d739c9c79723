"""What providers tell us at ``/line/…/``: signed, once, in any order."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.accounts.gateway import REAL, Line, message
from tests.factories import NOW, make_area_tree, make_call, make_elder, make_seat, system
from tests.interop.server import Reply, Server

from yinling.accounts.jobs import send_waiting
from yinling.accounts.models import Delivery, Journal, Notice, OptOut
from yinling.ground.clock import real_now
from yinling.hotline.models import Call, Callback, Recording, Seat
from yinling.hotline.operations import hang_up_call
from yinling.interop.signed import signed_headers
from yinling.interop.telephony.carrier_follow import follow
from yinling.interop.telephony.carrier_http import CarrierTelephony
from yinling.kernel.actor import Actor

SECRET = "s3cret"
EVERYWHERE = Actor(None, "系统", "system", div="3", is_system=True)
Post = Callable[..., Any]


@pytest.fixture(autouse=True)
def world(settings: Any, wide: Any) -> None:
    settings.SMS = settings.SMS | {"secret": SECRET}
    settings.CARRIER = settings.CARRIER | {"secret": SECRET, "url": "", "timeout": "30"}
    make_area_tree()
    system()


@pytest.fixture
def post() -> Post:
    client = Client(enforce_csrf_checks=True)

    def send(where: str, body: Any, *, secret: str = SECRET, at: Any = None, headers: Any = None) -> Any:
        data = json.dumps(body).encode()
        made = headers or signed_headers(key="k", secret=secret, path=where, body=data, at=at)
        sent = {
            f"HTTP_{name.upper().replace('-', '_')}": value for name, value in made.items() if name != "Content-Type"
        }
        return client.post(where, data, content_type="application/json", **sent)

    return send


def left() -> Notice:
    row = message("a", REAL, about=make_elder(), now=NOW)
    send_waiting(Line(), EVERYWHERE, now=NOW)
    return row


def test_a_receipt_proves_delivery(post: Post) -> None:
    row = left()
    body = {"receipts": [{"id": "id-a", "status": "delivered", "at": "2026-06-15T10:01:00+08:00"}]}
    assert post("/line/receipts/", body).json() == {"taken": 1}
    assert post("/line/receipts/", body).json() == {"taken": 1}
    assert (Notice.objects.get(pk=row.pk).state, Delivery.objects.count()) == ("delivered", 1)


def test_a_forged_a_skewed_and_a_replayed_receipt_change_nothing(post: Post) -> None:
    row = left()
    body = {"receipts": [{"id": "id-a", "status": "failed"}]}
    assert post("/line/receipts/", body, secret="other").status_code == 401
    for far in (timedelta(minutes=-6), timedelta(minutes=6)):
        assert post("/line/receipts/", body, at=real_now() + far).status_code == 401
    other = signed_headers(key="k", secret=SECRET, path="/line/replies/", body=json.dumps(body).encode())
    assert post("/line/receipts/", body, headers=other).status_code == 401
    assert Notice.objects.get(pk=row.pk).state == "sent"
    once = signed_headers(key="k", secret=SECRET, path="/line/receipts/", body=json.dumps(body).encode())
    assert [post("/line/receipts/", body, headers=once).status_code for _ in range(2)] == [200, 401]


def test_without_a_secret_nothing_is_taken(post: Post, settings: Any) -> None:
    settings.SMS = settings.SMS | {"secret": ""}
    assert post("/line/receipts/", {"receipts": []}, secret="").status_code == 401


@pytest.mark.parametrize(
    "body", [[], {}, {"receipts": 1}, {"receipts": [{}]}, {"receipts": [{"id": "a", "status": "perhaps"}]},
             {"receipts": [{"id": "a", "status": "failed", "at": "yesterday"}]}]
)  # fmt: skip
def test_a_body_that_makes_no_sense_is_refused_and_may_come_again(post: Post, body: Any) -> None:
    headers = signed_headers(key="k", secret=SECRET, path="/line/receipts/", body=json.dumps(body).encode())
    assert [post("/line/receipts/", body, headers=headers).status_code for _ in range(2)] == [400, 400]
    assert not Delivery.objects.exists()


def test_td_ends_the_messages_to_a_number(post: Post) -> None:
    left()
    assert post("/line/replies/", {"replies": [{"from": "+86" + REAL, "text": "TD"}]}).status_code == 200
    assert OptOut.objects.get().to_at is None
    assert post("/line/replies/", {"replies": [{"from": "13900000000", "text": "TD"}]}).status_code == 200
    assert OptOut.objects.count() == 1


# The cloud call centre

ARRIVED = {
    "call": "c1", "event": "arrived", "from": "13912340000", "to": "12349", "verified": True,
    "arrived_at": (real_now() - timedelta(minutes=3)).isoformat(),
}  # fmt: skip
ANSWERED = ARRIVED | {
    "event": "answered",
    "agent": "8001",
    "answered_at": (real_now() - timedelta(minutes=2)).isoformat(),
}
ENDED = ANSWERED | {"event": "ended", "by": "caller", "ended_at": (real_now() - timedelta(minutes=1)).isoformat()}


@pytest.fixture
def seat() -> Seat:
    return make_seat(number="8001")


def test_a_call_arrives_is_answered_and_ends(post: Post, seat: Seat) -> None:
    elder = make_elder(phone="13912340000")
    states = [post("/line/events/", event).json()["state"] for event in (ARRIVED, ANSWERED, ENDED)]
    call = Call.objects.get()
    assert states == ["ringing", "answered", "ended"]
    assert (call.key, call.elder_id, call.seat_id, call.ended_by) == ("carrier:c1", elder.pk, seat.user_id, "caller")
    assert call.rang_at < (call.answered_at or NOW) < (call.ended_at or NOW)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_events_in_any_order_and_twice_give_the_same_end(post: Post, seat: Seat, order: tuple[int, ...]) -> None:
    events = [ARRIVED, ANSWERED, ENDED]
    for place in order:
        for _ in range(2):
            assert post("/line/events/", events[place]).status_code == 200
    call = Call.objects.get()
    assert (call.state, call.seat_id, call.ended_by) == ("ended", seat.user_id, "caller")
    assert Journal.objects.filter(subject_type="call", subject_id=call.pk, is_refused=False).count() == 3


def test_a_caller_who_gave_up_is_called_back(post: Post, seat: Seat) -> None:
    make_elder(phone="13912340000")
    post("/line/events/", ARRIVED)
    post("/line/events/", ARRIVED | {"event": "ended", "by": "caller", "ended_at": real_now().isoformat()})
    assert (Call.objects.get().state, Callback.objects.get().kind) == ("abandoned", "missed")


def test_a_number_the_carrier_does_not_vouch_for_names_nobody(post: Post, seat: Seat) -> None:
    make_elder(phone="13912340000")
    post("/line/events/", ARRIVED | {"verified": False})
    call = Call.objects.get()
    assert (call.is_number_doubtful, call.elder_id) == (True, None)


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        ({"event": "arrived"}, 422, "line.event"),
        ({"call": "c", "event": "exploded"}, 422, "line.event_kind"),
        ({"call": "c", "event": "answered", "agent": "8001"}, 409, "line.early"),
        (ANSWERED | {"agent": "9999"}, 422, "line.agent"),
        (ARRIVED | {"from": "<script>"}, 422, "call.number"),
        (ARRIVED | {"event": "recorded", "url": "http://169.254.169.254/"}, 422, "line.sound"),
    ],
)
def test_events_that_cannot_be_right_change_nothing(post: Post, seat: Seat, event: Any, status: int, code: str) -> None:
    answer = post("/line/events/", event)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Call.objects.exclude(state="ringing").exists()


def test_the_recording_is_fetched_kept_and_fetched_again_when_it_was_not_there(
    post: Post, seat: Seat, server: Server, settings: Any
) -> None:
    settings.CARRIER = settings.CARRIER | {"url": server.address}
    event = ENDED | {"event": "recorded", "url": server.address + "/sounds/c1.wav", "seconds": 60}
    server.reply = lambda _asked: Reply({}, 500)
    assert post("/line/events/", event).status_code == 503
    server.reply = lambda _asked: Reply(raw=b"RIFF0000WAVE")
    assert [post("/line/events/", event).status_code for _ in range(2)] == [200, 200]
    assert (Recording.objects.get().seconds, Call.objects.get().state) == (60, "ended")


def test_commands_are_signed_and_carry_a_key(server: Server, settings: Any) -> None:
    settings.CARRIER = settings.CARRIER | {"url": server.address, "key": "yl"}
    server.reply = lambda _asked: Reply({"call": "c9"})
    line = CarrierTelephony()
    assert line.originate(key="callback:1", agent="8001", number="13912340000") == "c9"
    line.hang_up("c9")
    first, second = server.asked
    assert (first.path, first.body) == ("/calls", {"key": "callback:1", "agent": "8001", "to": "13912340000"})
    assert (second.path, "X-Signature" in second.headers, "Idempotency-Key" in second.headers) == (
        "/calls/c9/hangup",
        True,
        True,
    )
    server.reply = lambda _asked: Reply({}, 404)
    line.hang_up("c9")
    with pytest.raises(OSError, match="404"):
        line.originate(key="k", agent="8001", number="13912340000")


def test_a_call_dialled_here_is_made_there_and_its_end_is_told(
    post: Post, seat: Seat, server: Server, settings: Any
) -> None:
    settings.CARRIER = settings.CARRIER | {"url": server.address}
    server.reply = lambda _asked: Reply({"call": "c7"})
    now = real_now()
    call = make_call(
        number="13912340000",
        key="out:1",
        is_outbound=True,
        seat_id=seat.user_id,
        rang_at=now - timedelta(minutes=1),
        created_at=now,
    )
    assert (follow("3202", now), follow("3202", now)) == (1, 0)
    assert server.asked[0].body == {"key": "out:1", "agent": "8001", "to": "13912340000"}
    event = {"call": "c7", "key": "out:1", "agent": "8001", "to": "12349", "answered_at": now.isoformat()}
    assert post("/line/events/", event | {"event": "answered"}).json()["state"] == "answered"
    assert Call.objects.count() == 1
    hang_up_call(actor=system(), now=real_now(), call_id=call.pk)
    assert (follow("3202", now), follow("3202", now)) == (1, 0)
    assert server.asked[-1].path == "/calls/c7/hangup"
