"""The list of orders, one order, and the page on which one is placed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.factories import (
    NOW,
    actor,
    make_elder,
    make_entitlement,
    make_hold,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_service_area,
)

from yinling.catalogue.models import Price
from yinling.entitlements.models import Entitlement
from yinling.ground.clock import business_now
from yinling.kernel.period import SHANGHAI
from yinling.orders.models import Order
from yinling.orders.rules import Stage
from yinling.web.console.orders import stage_bar

SignIn = Callable[..., Client]


def form_of(html: str, name: str) -> dict[str, str]:
    """Return the hidden values of the first form of an operation."""
    start = html.index(f'data-action="{name}"')
    part = html[start : html.index("</form>", start)]
    found = re.findall(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?', part)
    return dict(found)


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len([query for query in queries if "set_config" not in query["sql"] and "SAVEPOINT" not in query["sql"]])


def test_the_list_shows_stage_deadline_and_counts(sign_in: SignIn) -> None:
    placed, served = make_order("placed", is_urgent=True), make_order("served")
    make_hold(served)
    html = sign_in("seat").get("/orders/").content.decode()
    assert {placed.code, served.code} == set(re.findall(r">(W-\d+-\d+)</a>", html))
    assert "紧急" in html
    assert "核查中" in html
    assert "已冻结" in html
    assert re.findall(r'class="count">(\d+)<', html) == ["1", "0", "0", "1"]


def test_tabs_and_filters_narrow_the_list(sign_in: SignIn) -> None:
    client = sign_in("seat")
    one, other = make_order("placed", elder=make_elder(name="李建国")), make_order("cancelled")
    for address, expected in (
        ("/orders/?tab=waiting", {one.code}),
        ("/orders/?tab=ended", {other.code}),
        ("/orders/?q=李", {one.code}),
        (f"/orders/?q={other.code}", {other.code}),
        ("/orders/?q=W-x", set()),
        (f"/orders/?provider={one.provider_id}", {one.code}),
        ("/orders/?from=2099-01-01", set()),
        ("/orders/?to=2020-01-01", set()),
        ("/orders/?from=no-date&tab=nonsense", {one.code, other.code}),
    ):
        html = client.get(address).content.decode()
        assert set(re.findall(r">(W-\d+-\d+)</a>", html)) == expected, address
    assert "没有符合条件的订单" in client.get("/orders/?q=W-x").content.decode()


def test_pages_take_the_same_few_queries_for_one_row_and_for_three(sign_in: SignIn) -> None:
    client = sign_in("seat")
    first = make_order("assigned")
    make_hold(first)
    client.get("/orders/")
    listed, single = queries_of(client, "/orders/"), queries_of(client, f"/orders/{first.pk}/")
    for cause in ("finding:1", "finding:2"):
        make_order("assigned")
        make_hold(first, cause)
    assert (queries_of(client, "/orders/"), queries_of(client, f"/orders/{first.pk}/")) == (listed, single)
    assert listed <= 8
    assert single <= 9  # one more than usual: the holds of a frozen order


def test_an_order_shows_its_lines_payers_holds_and_what_happened(sign_in: SignIn) -> None:
    order = make_order("served")
    make_hold(order, reason="签到位置距住址 1500 米")
    html = sign_in("seat").get(f"/orders/{order.pk}/").content.decode()
    assert "80.00 元" in html
    assert "个人自付" in html
    assert "签到位置距住址 1500 米" in html
    assert "已入账" not in html


def test_a_person_sees_only_the_buttons_that_lead_on(sign_in: SignIn) -> None:
    order = make_order("placed")
    boss = actor("provider_manager", organisation=order.provider)
    assert set(re.findall(r'data-action="(\w+)"', sign_in("seat").get(f"/orders/{order.pk}/").content.decode())) == {
        "cancel_order"
    }
    assert set(re.findall(r'data-action="(\w+)"', sign_in(boss).get(f"/orders/{order.pk}/").content.decode())) == {
        "accept_order", "refuse_order",
    }  # fmt: skip
    over = make_order("closed")
    assert "data-action" not in sign_in("seat").get(f"/orders/{over.pk}/").content.decode()


def test_an_order_is_cancelled_from_its_page(sign_in: SignIn) -> None:
    order, client = make_order("placed"), sign_in("seat")
    values = form_of(client.get(f"/orders/{order.pk}/").content.decode(), "cancel_order")
    answer = client.post("/do/cancel_order/", values | {"reason": " "})
    assert answer.status_code == 422
    answer = client.post("/do/cancel_order/", values | {"reason": "老人改期"})
    assert (answer.status_code, answer["Location"]) == (302, f"/orders/{order.pk}/")
    order.refresh_from_db()
    assert (order.state, order.cancel_reason) == ("cancelled", "老人改期")
    again = client.post("/do/cancel_order/", form_of_stale(values) | {"reason": "再次"})
    assert again.status_code == 409


def form_of_stale(values: dict[str, str]) -> dict[str, str]:
    return values | {"_key": "another"}


def test_what_is_not_mine_is_not_there(sign_in: SignIn) -> None:
    order = make_order()
    assert sign_in(actor("provider_manager")).get(f"/orders/{order.pk}/").status_code == 404
    assert sign_in("assessor").get("/orders/").status_code == 403
    assert sign_in("assessor").get("/orders/new/").status_code == 403
    assert sign_in("seat").get("/orders/999999/").status_code == 404
    assert sign_in("seat").get("/orders/new/?elder=999999").status_code == 404


def test_without_an_elder_the_page_leads_to_the_search(sign_in: SignIn) -> None:
    assert 'href="/elders/"' in sign_in("seat").get("/orders/new/?elder=x").content.decode()


class Booking:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.elder = make_elder()
        self.item = make_item(code="A01")
        self.body = make_organisation()
        now = business_now()
        make_price(self.item, self.body, 8001, recorded_from=now - timedelta(days=1))
        make_service_area(self.body, recorded_from=now - timedelta(days=1))
        make_entitlement(self.elder)
        self.start = (now + timedelta(days=1)).astimezone(SHANGHAI).replace(hour=10, minute=0, second=0, microsecond=0)

    def page(self, **values: Any) -> str:
        chosen = {"elder": self.elder.pk, "item_code": "A01", "starts_at": f"{self.start:%Y-%m-%dT%H:%M}", **values}
        return self.client.get("/orders/new/", chosen).content.decode()


@pytest.fixture
def booking(sign_in: SignIn) -> Booking:
    return Booking(sign_in("seat"))


def test_the_quote_is_shown_before_confirming_and_the_order_is_placed_at_it(booking: Booking) -> None:
    html = booking.page()
    assert [text for text in ("80.01 元", "40.01 元", "40.00 元", "消费补贴券承担 50%") if text not in html] == []
    assert not Order.objects.exists()
    values = form_of(html, "place_order")
    answer = booking.client.post("/do/place_order/", values | {"note": "按门铃"})
    order = Order.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/orders/{order.pk}/")
    assert (order.total_fen, order.self_fen, order.note, order.starts_at) == (8001, 4000, "按门铃", booking.start)
    assert order.provider == booking.body


def test_a_price_typed_by_hand_and_a_price_changed_meanwhile_are_refused(booking: Booking) -> None:
    values = form_of(booking.page(), "place_order")
    answer = booking.client.post("/do/place_order/", values | {"quoted_total_fen": "1", "quoted_self_fen": "1"})
    assert answer.status_code == 422
    assert 'data-code="quote.changed"' in answer.content.decode()
    Price.objects.update(amount_fen=9000)
    answer = booking.client.post("/do/place_order/", values | {"_key": "second"})
    assert (answer.status_code, Order.objects.count()) == (422, 0)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"starts_at": "2020-01-01T10:00"}, "服务时间已经过去"),
        ({"starts_at": "2099-01-01T10:00"}, "最多提前 60 天预约"),
        ({"starts_at": "morgen"}, "请先改正标出的内容"),
        ({"item_code": "ZZZ"}, "请先改正标出的内容"),
    ],
)
def test_wrong_input_gets_its_sentence_and_no_button(booking: Booking, values: dict[str, str], text: str) -> None:
    html = booking.page(**values)
    assert text in html
    assert 'data-action="place_order"' not in html


def test_at_first_the_page_proposes_tomorrow_at_ten_and_asks_for_an_item(booking: Booking) -> None:
    html = booking.page(item_code="", starts_at="")
    assert f'value="{booking.start:%Y-%m-%dT%H:%M}"' in html
    assert "选择项目和时间后" in html


def test_the_stage_bar_shows_what_lies_behind_and_where_an_order_ended() -> None:
    assert [step[1] for step in stage_bar(Stage.ON_SITE)] == ["done"] * 4 + ["now"] + ["todo"] * 5
    assert stage_bar(Stage.CANCELLED) == [("待派单", "done", ""), ("已取消", "now", "")]
    assert stage_bar(Stage.DRAFT) == [("草稿", "now", "")]


def test_a_live_part_is_rendered_alone(sign_in: SignIn) -> None:
    order, client = make_order(starts_at=NOW + timedelta(days=400)), sign_in("seat")
    headers = {"HX-Request": "true", "HX-Target": "order-list"}
    html = client.get("/orders/", headers=headers).content.decode()
    assert order.code in html
    assert "<html" not in html


def test_when_the_cap_is_used_up_the_box_for_consent_says_how_much_more(booking: Booking) -> None:
    Entitlement.objects.update(monthly_cap_fen=1000)
    html = booking.page()
    assert [
        text for text in ("老人比平时多付 30.01 元，须", "谁同意多付 30.01 元", "本月只剩 10.00 元") if text not in html
    ] == []
    values = form_of(html, "place_order")
    answer = booking.client.post("/do/place_order/", values)
    assert (answer.status_code, Order.objects.count()) == (422, 0), "nobody agreed"
    booking.client.post("/do/place_order/", values | {"_key": "second", "self_pay_consent": "女儿王芳"})
    assert Order.objects.get().self_pay_consent == "女儿王芳"


def test_without_a_used_up_cap_nobody_is_asked(booking: Booking) -> None:
    assert "谁同意多付" not in booking.page()


@pytest.mark.req("R-PAY-01")
def test_several_items_are_quoted_and_ordered_as_one_visit(booking: Booking) -> None:
    make_price(make_item(code="G01", name="换药包", kind="consumable", standard_minutes=0, steps=[]), booking.body, 500)
    html = booking.page(more_items="G01*2")
    assert [text for text in ("换药包 × 2", "90.01 元") if text not in html] == []
    booking.client.post("/do/place_order/", form_of(html, "place_order"))
    assert sorted(Order.objects.get().lines.values_list("name", "quantity", "amount_fen")) == [
        ("换药包", 2, 1000),
        ("生活照料", 1, 8001),
    ]
    assert "看不懂" in booking.page(more_items="**")
    assert 'value="G01"' not in html, "goods are no choice of their own"


def lunch(kind: str = "meal_point", form: str = "delivery", **values: Any) -> Price:
    body = make_organisation(kind=kind)
    item = make_item(
        code=f"LU-{form}", family="meal", name="午餐", units=["lunch", form], needs_visit=form == "delivery", **values
    )
    return make_price(item, body, 1500)


@pytest.mark.req("R-MEA-05", "R-MEA-07")
def test_a_meal_is_ordered_with_its_channel_and_found_by_channel_and_form(sign_in: SignIn) -> None:
    brought, eaten, client, elder = lunch(), lunch("care_home", "dining"), sign_in("seat"), make_elder()
    start = f"{business_now().astimezone(SHANGHAI) + timedelta(days=1):%Y-%m-%dT12:00}"
    codes = {}
    for price, chosen in ((brought, ""), (eaten, "internet")):
        page = f"/orders/new/?elder={elder.pk}&item_code={price.item.code}&provider_id={price.organisation_id}&starts_at={start}"
        html = client.get(f"{page}&meal_channel={chosen}").content.decode()
        for word in ("供餐渠道", "幸福食堂", "社区助餐", "养老机构配送餐", "互联网+送餐"):
            assert word in html
        values = form_of(html, "place_order")
        assert values["meal_channel"] == (chosen or "canteen")
        assert client.post("/do/place_order/", values).status_code == 302
        codes[price.pk] = Order.objects.latest("pk")
    html = client.get(f"/orders/{codes[eaten.pk].pk}/").content.decode()
    assert "互联网+送餐" in html
    assert "就餐" in html
    for address, order in (
        ("?meal=canteen", codes[brought.pk]), ("?meal=internet", codes[eaten.pk]), ("?form=dining", codes[eaten.pk]),
        ("?form=delivery", codes[brought.pk]),
    ):  # fmt: skip
        found = set(re.findall(r">(W-\d+-\d+)</a>", client.get(f"/orders/{address}").content.decode()))
        assert found == {order.code}, address
    assert not re.findall(r">(W-\d+-\d+)</a>", client.get("/orders/?form=making").content.decode())


def test_who_serves_a_meal_at_the_table_confirms_it_and_accepts_nothing(sign_in: SignIn) -> None:
    price = lunch("meal_point", "dining")
    order = make_order("placed", price=price, needs_visit=False, meal_channel="canteen", starts_at=business_now())
    html = sign_in(actor("provider_manager", organisation=order.provider)).get(f"/orders/{order.pk}/").content.decode()
    assert set(re.findall(r'data-action="(\w+)"', html)) == {"deliver_order", "refuse_order"}


def test_an_item_that_is_no_meal_asks_for_no_channel(sign_in: SignIn) -> None:
    price, elder = make_price(), make_elder()
    start = f"{business_now().astimezone(SHANGHAI) + timedelta(days=1):%Y-%m-%dT12:00}"
    page = f"/orders/new/?elder={elder.pk}&item_code={price.item.code}&provider_id={price.organisation_id}&starts_at={start}"
    assert "供餐渠道" not in sign_in("seat").get(page).content.decode()


def test_the_bodies_to_choose_from_are_those_with_a_price_on_the_day_of_the_visit(sign_in: SignIn) -> None:
    elder, item, now = make_elder(), make_item(), business_now()
    later, gone = make_organisation(), make_organisation()
    first = now.astimezone(SHANGHAI).date() + timedelta(days=3)
    make_price(item, later, valid_from=first, recorded_from=now - timedelta(days=1))
    make_price(item, gone, valid_to=first, recorded_from=now - timedelta(days=1))
    page = f"/orders/new/?elder={elder.pk}&item_code={item.code}&starts_at="
    soon, then = (
        sign_in("seat").get(f"{page}{day}T10:00").content.decode() for day in (first - timedelta(days=1), first)
    )
    assert (gone.short_name in soon, later.short_name in soon) == (True, False)
    assert (gone.short_name in then, later.short_name in then) == (False, True)
