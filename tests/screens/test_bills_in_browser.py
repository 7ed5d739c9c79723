"""Bills in a real browser: large enough for elders, accessible, no wider than the screen, with little to load."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Page, expect
from tests.browser.looking import DESK, PHONE, axe_findings, shoot, sideways, sizes, smallest_text
from tests.factories import WIDE, actor, make_elder, make_representative, system
from tests.screens.test_bills import paid, served
from tests.screens.test_in_browser import enter

from yinling.accounts.models import User
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.settlement.operations import load_payment_bill, raise_bill_objection, refund_payment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TEXT, TARGET, WEIGHT = 18, 60, 20_000


@pytest.fixture(autouse=True)
def _channel(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.DEMO = True
    monkeypatch.setitem(django_settings.PORTS, "payment", "yinling.interop.payment.fake.FakePayment")


def test_an_elder_reads_pays_and_objects(page: Page, live_server: Any) -> None:
    who = enter(page, live_server, "elder")
    with scope(WIDE):
        elder = make_elder(name="王桂英")
        make_representative(elder, User.objects.get(pk=who.user_id), capacity="self")
        order = served(elder)
        late = served(elder)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    weight = 0

    def weigh(response: Any) -> None:
        nonlocal weight
        if response.request.resource_type == "document":
            weight = int(response.headers.get("content-length") or len(response.body()))

    page.on("response", weigh)
    for address, name in (
        ("/e/bills/", "list"),
        (f"/e/bills/{order.pk}/", "one"),
        ("/e/bills/?month=2019-02", "empty"),
    ):
        page.goto(live_server.url + address)
        _fits(page, f"bills-{name}")
        assert weight < WEIGHT
    page.goto(f"{live_server.url}/e/bills/{order.pk}/")
    page.get_by_role("button", name="去付款").click()
    expect(page.locator("h1")).to_have_text("付款")
    _fits(page, "bills-pay")
    page.get_by_role("link", name="去付款").click()
    _fits(page, "bills-cashier")
    page.get_by_role("button", name="付款（演示）").click()
    expect(page.locator("main")).to_contain_text("已经付好")
    page.goto(f"{live_server.url}/e/bills/{late.pk}/")
    page.locator("summary", has_text="我有异议").click()
    page.locator("textarea[name=text]").fill("只来了十分钟")
    _fits(page, "bills-object")
    page.get_by_role("button", name="我有异议").click()
    expect(page.locator("main")).to_contain_text("正在核查")
    _fits(page, "bills-objected")
    page.goto(live_server.url + "/e/bills/print/")
    _fits(page, "bills-paper")
    targets = sizes(page, ".screen-only a, .screen-only button")
    assert [one for one in targets if one["height"] < TARGET or one["width"] < TARGET] == []


def _fits(page: Page, name: str) -> None:
    shoot(page, name)
    assert axe_findings(page) == []
    assert sideways(page) <= 0
    assert [text for text in smallest_text(page) if text["font"] < TEXT] == []
    targets = sizes(page, "main .button, main .choice, main .tabs a, main textarea, header a")
    assert [one for one in targets if one["height"] < TARGET or one["width"] < TARGET] == []


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_of_finance_fit_and_axe_finds_nothing(page: Page, live_server: Any, size: dict[str, int]) -> None:
    enter(page, live_server, "finance")
    with scope(WIDE):
        system()
        elder, now = make_elder(), business_now()
        row = paid(served(elder))
        refund_payment(actor=actor("finance"), now=now, payment_id=row.pk, amount_fen=100, reason="服务没做完")
        objected = served(elder)
        raise_bill_objection(actor=actor("seat"), now=now, order_id=objected.pk, text="没有人来")
        bill = load_payment_bill(
            actor=actor("finance"), now=now - timedelta(0), day=now.date(), text="付款,3202-x,U1,1.00"
        )
    page.set_viewport_size(size)  # type: ignore[arg-type]
    for address, name in (
        ("/settlement/payments/", "list"), (f"/settlement/payments/{row.pk}/", "one"), ("/settlement/payments/bills/", "bills"),
        (f"/settlement/payments/bills/{bill.pk}/", "bill"), ("/settlement/objections/", "objections"),
        (f"/settlement/bills/{objected.pk}/", "objected"), ("/settlement/payments/?key=x", "empty"),
    ):  # fmt: skip
        page.goto(live_server.url + address)
        shoot(page, f"payments-{name}")
        assert axe_findings(page) == []
        assert sideways(page) == 0
