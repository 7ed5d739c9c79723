"""P07: the best three with a button each, the manual choice, and the carers' day as list and map."""

from __future__ import annotations

import html as markup
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.factories import actor, make_item, make_order, make_organisation, make_price, make_staff
from tests.screens.test_orders import form_of, queries_of

from yinling.directory.models import Staff, Suspension
from yinling.dispatch.models import Assignment
from yinling.ground.clock import business_now
from yinling.ground.parameters import parameter
from yinling.kernel.period import SHANGHAI, local_date
from yinling.orders.models import Order

SignIn = Callable[..., Client]


class Desk:
    """A provider with four carers and a waiting order for tomorrow at ten of the real clock."""

    def __init__(self) -> None:
        self.body = make_organisation()
        self.price = make_price(make_item(), self.body)
        self.carers = [make_staff(self.body, qualified=("induction", "care_worker")) for _ in range(4)]
        morning = business_now().astimezone(SHANGHAI).replace(hour=10, minute=0, second=0, microsecond=0)
        self.start = morning + timedelta(days=1)
        self.order = self.wanted()

    def wanted(self, **values: Any) -> Order:
        return make_order("placed", price=self.price, **{"starts_at": self.start, **values})


@pytest.fixture
def desk(sign_in: SignIn) -> Desk:
    return Desk()


def cards_of(html: str) -> list[str]:
    return re.findall(r'<li class="card" id="carer-(\d+)">', html)


def test_the_three_best_are_shown_with_reasons_and_a_named_carer_with_what_stands_against(
    sign_in: SignIn, desk: Desk
) -> None:
    Suspension.objects.create(
        div=desk.carers[0].div,
        staff=desk.carers[0],
        provider=desk.body,
        reason="照片重复",
        cause="finding:1",
        from_at=business_now(),
    )
    client = sign_in("dispatcher")
    html = client.get("/dispatch/").content.decode()
    assert cards_of(html) == [str(carer.pk) for carer in desk.carers[1:]]
    assert html.count("从站点过去约") == 3
    assert html.count("</svg>") >= 3
    assert 'data-key="d"' in html
    asked = client.get("/dispatch/", {"order": desk.order.pk, "who": desk.carers[0].name}).content.decode()
    assert "已暂停派单：照片重复" in asked
    assert "没有姓名含“赵六六”的服务人员" in client.get("/dispatch/", {"who": "赵六六"}).content.decode()
    several = client.get("/dispatch/", {"order": desk.order.pk, "who": "护理"}).content.decode()
    assert several.count("who=%23") == len(desk.carers)


def test_more_shows_up_to_ten(sign_in: SignIn, desk: Desk) -> None:
    client = sign_in("dispatcher")
    assert len(cards_of(client.get("/dispatch/").content.decode())) == 3
    html = client.get(f"/dispatch/?order={desk.order.pk}&more=1").content.decode()
    assert cards_of(html) == [str(carer.pk) for carer in desk.carers]


def test_orders_that_carers_may_take_have_a_tab_where_the_city_allows_it(sign_in: SignIn, desk: Desk) -> None:
    boss = sign_in(actor("provider_manager", organisation=desk.body))
    allowed = bool(parameter("dispatch.claim_allowed", desk.body.div, local_date(business_now())))
    assert ("/dispatch/?tab=open" in boss.get("/dispatch/").content.decode()) is allowed
    html = boss.get("/dispatch/?tab=open").content.decode()
    assert ("关闭本机构抢单" in html) is allowed


def test_the_best_is_assigned_with_one_button(sign_in: SignIn, desk: Desk) -> None:
    client = sign_in("dispatcher")
    values = form_of(client.get("/dispatch/").content.decode(), "assign_order")
    answer = client.post("/do/assign_order/", values)
    row = Assignment.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, "/dispatch/")
    assert (row.staff_id, row.rank, row.order) == (desk.carers[0].pk, 1, desk.order)
    html = client.get("/dispatch/").content.decode()
    assert "现在没有这样的订单" in html
    assert "已派单，等待服务人员接受" in html


def test_a_manual_choice_asks_a_reason_and_keeps_what_was_typed(sign_in: SignIn, desk: Desk) -> None:
    client, last = sign_in("dispatcher"), desk.carers[3]
    html = client.get(f"/dispatch/?order={desk.order.pk}").content.decode()
    values = form_of(html[html.index("另选人员") :], "assign_order") | {"staff_id": str(last.pk)}
    answer = client.post("/do/assign_order/", values | {"choice_reason": ""})
    assert (answer.status_code, Assignment.objects.count()) == (422, 0)
    answer = client.post("/do/assign_order/", values | {"choice_reason": "家属点名"})
    assert (answer.status_code, Assignment.objects.get().choice_reason) == (302, "家属点名")


def test_an_assigned_order_is_given_to_another_with_a_reason(sign_in: SignIn, desk: Desk) -> None:
    client = sign_in("dispatcher")
    client.post("/do/assign_order/", form_of(client.get("/dispatch/").content.decode(), "assign_order"))
    html = client.get("/dispatch/?tab=assigned").content.decode()
    assert desk.carers[0].name in html
    values = form_of(html, "reassign_order") | {"staff_id": str(desk.carers[2].pk)}
    assert client.post("/do/reassign_order/", values | {"reason": ""}).status_code == 422
    assert client.post("/do/reassign_order/", values | {"reason": "请假"}).status_code == 302
    assert sorted(Assignment.objects.values_list("staff_id", "state")) == [
        (desk.carers[0].pk, "withdrawn"), (desk.carers[2].pk, "offered"),
    ]  # fmt: skip


def test_the_list_on_the_left_is_rendered_alone_and_an_unknown_order_shows_none(sign_in: SignIn, desk: Desk) -> None:
    client = sign_in("dispatcher")
    html = client.get("/dispatch/", headers={"HX-Request": "true", "HX-Target": "waiting-list"}).content.decode()
    assert desk.order.code in html
    assert "推荐人员" not in html
    assert "从左边选一张订单" in client.get("/dispatch/?order=999999").content.decode()


def test_only_who_dispatches_gets_in(sign_in: SignIn, desk: Desk) -> None:
    assert sign_in("seat").get("/dispatch/").status_code == 403
    assert sign_in("assessor").get("/dispatch/day/").status_code == 403
    stranger = sign_in(actor("provider_manager"))
    assert desk.order.code not in stranger.get("/dispatch/").content.decode()
    boss = sign_in(actor("provider_manager", organisation=desk.body))
    assert desk.order.code in boss.get("/dispatch/").content.decode()


def test_pages_take_the_same_few_queries_for_one_row_and_for_three(sign_in: SignIn, desk: Desk) -> None:
    client = sign_in("dispatcher")
    tomorrow = f"/dispatch/day/?day={local_date(desk.start)}"

    def assign() -> None:
        client.post("/do/assign_order/", form_of(client.get("/dispatch/").content.decode(), "assign_order"))

    assign()
    desk.wanted()
    before = queries_of(client, "/dispatch/"), queries_of(client, tomorrow)
    assign()
    desk.wanted(starts_at=desk.start + timedelta(hours=3))
    assign()
    for hours in (4, 5, 6):
        desk.wanted(starts_at=desk.start + timedelta(hours=hours))
    assert (queries_of(client, "/dispatch/"), queries_of(client, tomorrow)) == before
    assert max(before) <= 8
    assert queries_of(client, f"/dispatch/?who=%23{desk.carers[3].pk}") <= 8


def test_the_day_shows_each_carers_stops_as_list_and_map(sign_in: SignIn, desk: Desk) -> None:
    client = sign_in("dispatcher")
    client.post("/do/assign_order/", form_of(client.get("/dispatch/").content.decode(), "assign_order"))
    html = client.get(f"/dispatch/day/?day={local_date(desk.start)}").content.decode()
    routes = json.loads(markup.unescape(re.search(r'data-routes="([^"]*)"', html)[1]))  # type: ignore[index]
    assert [route["name"] for route in routes] == [desk.carers[0].name]
    assert [stop["text"] for stop in routes[0]["stops"]] == [
        f"站点 {desk.body.short_name}",
        f"1 10:00 {desk.order.elder_name}",
    ]
    assert f'10:00 – 11:00</td><td><a href="/orders/{desk.order.pk}/">{desk.order.elder_name}' in html
    assert "这一天没有派单" in client.get("/dispatch/day/?day=nonsense").content.decode()
    Staff.objects.filter(pk=desk.carers[0].pk).update(name="赵一")
    assert "赵一" in client.get(f"/dispatch/day/?day={local_date(desk.start)}&q=赵").content.decode()
