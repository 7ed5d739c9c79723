"""The desk and the caller's screen in a real browser: the screen that opens by itself, what is typed stays, keys, axe, narrow windows."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from tests.browser.looking import DESK, axe_findings, shoot, sideways
from tests.factories import (
    WIDE,
    actor,
    make_area_tree,
    make_call,
    make_callback,
    make_contact,
    make_elder,
    make_item,
    make_organisation,
    make_price,
    make_seat,
    make_staff,
    make_ticket,
)

from yinling.accounts.models import User
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.hotline.models import Call, CallOffer, SeatGroup
from yinling.kernel.actor import Actor
from yinling.people.models import Elder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NUMBER = "19900009001"


@pytest.fixture
def seat(page: Page, live_server: Any) -> Actor:
    """A leader's seat with a caller, a colleague, a task and a provider; logged in to the browser."""
    with scope(WIDE):
        make_area_tree()
        who, now = actor("line_leader"), business_now()
        make_seat(who, number="8001", idle_since=now)
        make_seat(number="8002", idle_since=now, skills=["dialect"])
        elder = make_elder(name="王桂英", phone=NUMBER, dialect="吴语")
        make_contact(elder, phone="19900005555")
        make_ticket(elder=elder)
        make_callback(
            call=make_call(number="19900001234", rang_at=now - timedelta(minutes=20)), due_at=now + timedelta(minutes=4)
        )
        Call.objects.update(state="abandoned", ended_at=now)
        body = make_organisation()
        make_price(make_item(), body)
        make_staff(body, day_from=time(8), day_to=time(18))
        client = Client()
        client.force_login(User.objects.get(pk=who.user_id))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    return who


def ringing(who: Actor) -> Call:
    """A call that rings at the seat."""
    with scope(WIDE):
        now = business_now()
        call = make_call(number=NUMBER, elder=Elder.objects.get(), rang_at=now, rank=1, group=SeatGroup.objects.get())
        CallOffer.objects.create(
            call=call, seat_id=who.user_id, div=call.div, offered_at=now, expires_at=now + timedelta(seconds=15)
        )
    return call


def tell(page: Page, call: Call) -> None:
    """What the live stream tells this seat's browser."""
    page.evaluate("id => document.body.dispatchEvent(new CustomEvent('live:ring', { detail: { id } }))", call.pk)


def test_the_callers_screen_opens_by_itself_and_the_call_is_answered_by_key(
    page: Page, live_server: Any, seat: Actor
) -> None:
    page.set_viewport_size(DESK)
    page.goto(live_server.url + "/desk/")
    expect(page.locator("#present-seats")).to_contain_text("8002")
    assert axe_findings(page) == []
    shoot(page, "desk")
    call = ringing(seat)
    tell(page, call)
    page.wait_for_url(f"**/calls/{call.pk}/")
    expect(page.locator("h1")).to_contain_text("王桂英")
    expect(page.locator("#call-services")).to_contain_text("助餐配餐")
    assert axe_findings(page) == []
    assert not sideways(page)
    shoot(page, "call-ringing")
    page.keyboard.press("F2")
    expect(page.locator("#call-now")).to_contain_text("通话中")
    page.keyboard.press("F9")
    expect(page.locator("#call-now")).to_contain_text("保持中")
    page.keyboard.press("e")
    expect(page.locator("textarea[name=what]")).to_be_visible()
    shoot(page, "call-emergency")


def test_what_is_typed_is_not_lost_when_a_call_comes(page: Page, live_server: Any, seat: Actor) -> None:
    page.goto(live_server.url + "/tickets/new/")
    page.locator("input[name=title]").fill("护士迟到")
    call = ringing(seat)
    tell(page, call)
    expect(page.locator("#ring")).to_contain_text("有来电")
    expect(page.locator("input[name=title]")).to_have_value("护士迟到")
    page.locator("h1").first.click()
    page.keyboard.press("F2")
    page.wait_for_url(f"**/calls/{call.pk}/")


@pytest.mark.parametrize(
    "address", ["/callbacks/", "/line/groups/", "/line/seats/", "/line/trainings/", "/line/availability/"]
)
def test_these_pages_are_clean_and_fit(page: Page, live_server: Any, seat: Actor, address: str) -> None:
    page.set_viewport_size(DESK)
    page.goto(live_server.url + address)
    expect(page.locator("h1")).to_be_visible()
    assert axe_findings(page) == []
    assert not sideways(page)
    shoot(page, address.strip("/").replace("/", "-"))
    first = page.locator("tr[data-row] a").first
    if address in ("/callbacks/", "/line/groups/", "/line/seats/"):
        first.click()
        expect(page.locator("h1")).to_be_visible()
        assert axe_findings(page) == []
        shoot(page, address.strip("/").replace("/", "-") + "-one")
