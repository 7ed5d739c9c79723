"""The pages of tickets, knowledge, orders from above and exchange in a real browser: size, contrast, keys, and that typed text stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.looking import DESK, PHONE, axe_findings, shoot, sideways
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    WIDE,
    actor,
    make_call,
    make_elder,
    make_organisation,
    make_service_area,
    make_ticket,
)
from tests.screens.test_in_browser import enter
from tests.screens.test_tickets import make_article, make_exchange

from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.hotline.models import Callback, Ticket, TicketTemplate
from yinling.hotline.operations import annotate_ticket, merge_ticket, remind_ticket, supervise_ticket
from yinling.kernel.period import local_date

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def some() -> tuple[Ticket, Ticket, Ticket]:
    """A new ticket with a proposal, one under pressure, and one closed whose elder was not content."""
    now = business_now()
    day, elder, seat, district = (
        local_date(now),
        make_elder(phone="19900009001"),
        actor("seat"),
        actor("district", div=DISTRICT),
    )
    body = make_organisation(short_name="安心居家")
    make_organisation(kind="department", name="梁溪区住建局", short_name="梁溪住建")
    make_service_area(body, family="cleaning", div=COMMUNITY)
    new = make_ticket(family="cleaning", title="厨房漏水", elder=elder, opened_at=now)
    pressed = make_ticket(
        "handling", provider=body, title="护理员迟到", kind="complaint", elder=elder, opened_at=now, escalation=2
    )
    twin = make_ticket(title="护理员又迟到", elder=elder, opened_at=now)
    done = make_ticket("closed", elder=elder, title="扶手松动", opened_at=now)
    common = {"actor": seat, "now": now, "ticket_id": pressed.pk}
    remind_ticket(**common, text="老人第二次来电")
    annotate_ticket(**common, text="家属情绪激动")
    annotate_ticket(**common, text="明天上午上门道歉", is_internal=False)
    merge_ticket(actor=seat, now=now, ticket_id=twin.pk, into_id=pressed.pk, reason="同一件事")
    supervise_ticket(
        actor=district, now=now, ticket_id=pressed.pk, reason="三日内查清并答复", due_on=day + timedelta(days=3)
    )
    make_exchange(pressed, foreign_state="已派发", error="HTTP 503")
    task = Callback.objects.create(
        div=done.div, ticket=done, kind="satisfaction", due_at=now, next_at=now, created_at=now, changed_at=now
    )
    task.state, task.score, task.note, task.done_at = "done", 1, "还是松的", now
    task.save()
    make_article(valid_from=day)
    make_article(
        title="助餐点地址", valid_from=day - timedelta(days=30), valid_to=day + timedelta(days=9), use_count=12
    )
    TicketTemplate.objects.create(
        div=CITY,
        name="换护理员",
        kind="request",
        title="想更换一位护理员",
        text="原因：",
        created_at=now,
        changed_at=now,
    )
    return new, pressed, done


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_fit_and_axe_finds_nothing(page: Page, live_server: Any, size: dict[str, int]) -> None:
    enter(page, live_server, "line_leader")
    with scope(WIDE):
        new, pressed, done = some()
        call = make_call(number="19900009001")
    page.set_viewport_size(size)  # type: ignore[arg-type]
    for address, name in (
        ("/tickets/?tab=all", "queue"), (f"/tickets/{new.pk}/", "new"), (f"/tickets/{pressed.pk}/", "pressed"), (f"/tickets/{done.pk}/", "done"),
        ("/tickets/new/", "form"), (f"/tickets/bulk/?id={new.pk}&id={pressed.pk}", "bulk"), (f"/tickets/{new.pk}/exchange/", "export"),
        ("/line/knowledge/", "knowledge"), ("/line/knowledge/new/", "article-new"), ("/line/templates/", "templates"),
        ("/line/supervisions/", "supervisions"), ("/line/exchange/", "exchange"), (f"/calls/{call.pk}/", "call"), ("/public/complaint/", "complaint"),
    ):  # fmt: skip
        page.goto(live_server.url + address)
        shoot(page, f"tickets-{name}")
        assert axe_findings(page) == []
        assert sideways(page) == 0


def test_searching_beside_the_form_keeps_what_was_typed_and_a_template_fills_the_rest(
    page: Page, live_server: Any
) -> None:
    enter(page, live_server, "seat")
    with scope(WIDE):
        some()
    page.goto(live_server.url + "/tickets/new/")
    page.locator("#ticket-form textarea[name=text]").fill("已经说了两次")
    page.locator("#answers-text").press_sequentially("补贴")
    expect(page.locator("#answers")).to_contain_text("消费补贴怎么申请")
    expect(page.locator("#ticket-form textarea[name=text]")).to_have_value("已经说了两次")
    page.locator("h1").click()
    page.keyboard.press("1")
    expect(page.locator("#ticket-form input[name=title]")).to_have_value("想更换一位护理员")
    expect(page.locator("#ticket-form textarea[name=text]")).to_have_value("已经说了两次")


def test_one_key_gives_a_new_ticket_to_the_proposed_bodies(page: Page, live_server: Any) -> None:
    enter(page, live_server, "seat")
    with scope(WIDE):
        new, _pressed, _done = some()
    page.goto(f"{live_server.url}/tickets/{new.pk}/")
    page.keyboard.press("a")
    expect(page.locator("#toasts")).to_contain_text("已按建议分派")
    with scope(WIDE):
        assert Ticket.objects.filter(parent=new).count() == 2


def test_what_an_elder_complains_of_fits_her_page(page: Page, live_server: Any) -> None:
    enter(page, live_server, "seat")
    with scope(WIDE):
        elder = make_elder()
        who = actor("elder", elders=(elder,))
        make_ticket("closed", elder=elder, kind="complaint", title="来得太晚", result="已道歉")
    from django.test import Client  # noqa: PLC0415 - only here

    from yinling.accounts.models import User  # noqa: PLC0415 - only here

    client = Client()
    with scope(WIDE):
        client.force_login(User.objects.get(pk=who.user_id))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(live_server.url + "/e/complaint/")
    shoot(page, "tickets-elder")
    assert axe_findings(page) == []
    assert sideways(page) == 0
