"""The soft-phone's window and credentials: who gets them, what they say, which page may talk to the line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.factories import actor, make_call, make_elder
from tests.screens.phones import PORT, WIRE, make_offer, make_seat

from yinling.ground.clock import business_now
from yinling.hotline.models import Seat
from yinling.web import environment
from yinling.web.console import phone as phone_page

SignIn = Callable[..., Client]
NUMBER = "19900009001"
SCOPE = "set_config('yinling.scope'"


@pytest.fixture
def line(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that rings in pages, with the files of the browser there."""
    settings.PORTS = settings.PORTS | {"telephony": PORT}
    monkeypatch.setattr(phone_page, "vendor", lambda path: f"/static/vendor/{path}")
    monkeypatch.setitem(environment.pages().globals, "vendor", lambda path: f"/static/vendor/{path}")


def text_of(client: Client, address: str = "/phone/") -> str:
    """What a page says."""
    answer = client.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_line_without_pages_says_so_and_the_desk_is_as_before(sign_in: SignIn) -> None:
    client = sign_in("seat")
    assert "不带网页软电话" in text_of(client)
    assert "phone-bar" not in text_of(client, "/desk/")
    answer = client.get("/phone/credentials/")
    assert (answer.status_code, answer.json()["code"]) == (409, "phone.no_line")


@pytest.mark.usefixtures("line")
def test_without_the_files_of_the_browser_the_window_says_what_is_missing(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_page, "vendor", lambda _path: "")
    who = actor("seat")
    make_seat(who)
    html = text_of(sign_in(who))
    assert "JsSIP" in html
    assert "npm" in html
    assert "phone.js" not in html


@pytest.mark.usefixtures("line")
def test_credentials_are_for_a_signed_in_seat_only(sign_in: SignIn) -> None:
    nobody, away, here = actor("seat"), actor("seat"), actor("seat")
    make_seat(away, state="off")
    make_seat(here)
    codes = [sign_in(who).get("/phone/credentials/").json()["code"] for who in (nobody, away)]
    assert codes == ["phone.no_seat", "phone.signed_out"]
    answer = sign_in(here).get("/phone/credentials/")
    assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (200, True)
    assert answer.json()["uri"] == f"sip:{here.user_id}@line.test"


@pytest.mark.usefixtures("line")
def test_a_seat_that_has_left_the_line_gets_no_credentials(sign_in: SignIn) -> None:
    who = actor("seat")
    seat = make_seat(who)
    Seat.objects.filter(pk=seat.pk).update(left_on="2026-06-01")
    assert sign_in(who).get("/phone/credentials/").json()["code"] == "phone.no_seat"


@pytest.mark.usefixtures("line")
@pytest.mark.parametrize("address", ["/phone/", "/phone/credentials/"])
@pytest.mark.parametrize("role", ["dispatcher", "carer", "supervisor", "system_admin"])
def test_the_phone_is_closed_to_other_roles(sign_in: SignIn, role: str, address: str) -> None:
    assert sign_in(role).get(address).status_code == 403


@pytest.mark.usefixtures("line")
def test_only_the_window_of_the_phone_may_talk_to_the_line(sign_in: SignIn) -> None:
    who = actor("seat")
    make_seat(who)
    client, wire = sign_in(who), WIRE.rstrip("/")
    allowed = {
        address: client.get(address)["Content-Security-Policy"] for address in ("/phone/", "/desk/", "/tickets/")
    }
    assert {address: wire in policy for address, policy in allowed.items()} == {
        "/phone/": True, "/desk/": False, "/tickets/": False,
    }  # fmt: skip


@pytest.mark.usefixtures("line")
def test_the_window_says_who_is_calling_with_the_number_masked(sign_in: SignIn) -> None:
    elder, who = make_elder(phone=NUMBER), actor("seat")
    make_seat(who)
    client, call = sign_in(who), make_call(number=NUMBER, elder=elder, rank=0)
    assert elder.name not in text_of(client)  # it waits, and rings nowhere yet
    make_offer(call, who)
    html = text_of(client)
    for shown in (elder.name, "****9001", "紧急呼叫", f'data-id="{call.pk}" data-phase="ringing"'):
        assert shown in html
    assert NUMBER not in html


@pytest.mark.usefixtures("line")
def test_a_call_that_rings_at_a_colleague_is_not_shown(sign_in: SignIn) -> None:
    elder, who, other = make_elder(phone=NUMBER), actor("seat"), actor("seat")
    make_seat(who)
    make_seat(other)
    make_offer(make_call(number=NUMBER, elder=elder), other)
    assert elder.name not in text_of(sign_in(who))


@pytest.mark.usefixtures("line")
def test_a_call_can_go_to_colleagues_who_are_ready_and_free(sign_in: SignIn) -> None:
    now, who = business_now(), actor("seat")
    make_seat(who, at=now)
    free, away, resting, silent, talking, rung = (actor("seat") for _ in range(6))
    make_seat(free, at=now, number="8801")
    make_seat(away, at=now, number="8802", state="off")
    make_seat(resting, at=now, number="8803", state="paused")
    make_seat(silent, at=now - timedelta(hours=2), number="8804")
    make_seat(talking, at=now, number="8805")
    make_seat(rung, at=now, number="8806")
    make_call(seat=talking)
    make_offer(make_call(), rung)
    make_call(number=NUMBER, seat=who)
    html = text_of(sign_in(who))
    assert [number for number in range(8801, 8807) if f"{number} " in html] == [8801]
    assert f'data-to="{free.user_id}"' in html


@pytest.mark.usefixtures("line")
def test_the_state_of_the_seat_is_changed_in_the_window(sign_in: SignIn) -> None:
    found = {}
    for state in ("off", "ready", "paused"):
        who = actor("seat")
        make_seat(who, state=state)
        html = text_of(sign_in(who))
        verbs = ("sign_in_seat", "pause_seat", "resume_seat", "sign_out_seat")
        found[state] = [verb for verb in verbs if f'data-action="{verb}"' in html]
    assert found == {
        "off": ["sign_in_seat"], "ready": ["pause_seat", "sign_out_seat"], "paused": ["resume_seat", "sign_out_seat"],
    }  # fmt: skip


@pytest.mark.usefixtures("line")
def test_the_live_part_of_the_window_takes_few_queries(sign_in: SignIn) -> None:
    who = actor("seat")
    make_seat(who, at=business_now())
    for _ in range(3):
        make_seat(actor("seat"), at=business_now())
    client = sign_in(who)
    make_call(number=NUMBER, elder=make_elder(), seat=who)
    headers = {"HX-Request": "true", "HX-Target": "now"}
    client.get("/phone/", headers=headers)
    with CaptureQueriesContext(connection) as seen:
        html = client.get("/phone/", headers=headers).content.decode()
    own = [one["sql"] for one in seen.captured_queries if SCOPE not in one["sql"] and "SAVEPOINT" not in one["sql"]]
    assert "<html" not in html
    assert len(own) <= 8


@pytest.mark.usefixtures("line")
def test_the_bar_stands_on_the_pages_of_seats_only(sign_in: SignIn) -> None:
    found = {
        role: 'id="phone-bar"' in text_of(sign_in(role), "/elders/") for role in ("seat", "line_leader", "district")
    }
    assert found == {"seat": True, "line_leader": True, "district": False}
