"""Prices of groups, on-site rates and packages on their pages, public and not; and what is added at the door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.factories import (
    CITY,
    actor,
    make_area_tree,
    make_assignment,
    make_elder,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_staff,
    make_visit,
)  # fmt: skip
from tests.screens.test_orders import form_of

from yinling.catalogue.models import CalloutRate, Package, PriceList
from yinling.ground.clock import business_now
from yinling.kernel.period import local_date
from yinling.orders.models import Order, OrderLine

SignIn = Callable[..., Client]
APPROVED = {"basis": "approved", "document": "锡发改〔2026〕1号", "document_on": "2026-06-01"}


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def publish(one: Client, two: Client, values: dict[str, Any], whose: str = "") -> PriceList:
    """Draft on the page of one person, publish on the page of another."""
    form = form_of(text(one, f"/price-lists/new/{whose}"), "draft_price_list")
    answer = one.post("/do/draft_price_list/", form | {"valid_from": local_date(business_now()).isoformat()} | values)
    assert answer.status_code == 302, answer.content.decode()
    row = PriceList.objects.latest("pk")
    publishing = form_of(text(two, f"/price-lists/{row.pk}/"), "publish_price_list")
    assert two.post("/do/publish_price_list/", publishing).status_code == 302
    return row


@pytest.mark.req("R-PAY-02", "R-PAY-03", "R-PAY-07", "R-PAY-08", "R-ORD-16")
def test_prices_of_a_group_and_a_rate_are_drafted_published_and_read_by_everybody(sign_in: SignIn) -> None:
    make_area_tree()
    make_item(code="A01", charges_callout=True)
    body = make_organisation(price_group="level1")
    one, two = (sign_in(actor("city")) for _ in range(2))
    group = publish(
        one, two, APPROVED | {"price_group": "level1", "div": CITY, "prices": "A01, 88, 50"}, "?whose=group"
    )
    assert "一级及基层医疗机构" in text(one, "/price-lists/")
    assert "2026-06-01" in text(one, f"/price-lists/{group.pk}/")
    manager, other = (sign_in(actor("provider_manager", organisation=body)) for _ in range(2))
    own = publish(
        manager, other,
        {"organisation_id": body.pk, "basis": "market", "callout_km": "2", "callout_free_m": "3000", "callout_night": "20", "callout_nurse": "15"},
    )  # fmt: skip
    rate = CalloutRate.objects.get(recorded_to=None)
    assert (rate.km_fen, rate.free_m, rate.night_fen, rate.level_fen) == (200, 3000, 2000, {"nurse": 1500})
    assert "护士上门加收 15.00 元" in text(manager, f"/price-lists/{own.pk}/")
    anybody = Client()
    listed = text(anybody, "/prices/")
    for address in ("/prices/callout/", "/prices/packages/", f"/prices/{body.pk}/"):
        assert f'href="{address}"' in listed
    for said in ("一级及基层医疗机构", "价格主管部门核定", "锡发改〔2026〕1号", "2026-06-01", "88.00 元"):
        assert said in listed
        assert said in text(anybody, f"/prices/{body.pk}/")
    # 50 base, a nurse 15, five kilometres 10, the evening 20
    assert "上门服务费 95.00 元" in text(anybody, f"/prices/{body.pk}/")
    rates = text(anybody, "/prices/callout/")
    assert body.short_name in rates
    assert "超出 3 公里的路程，5 公里 10.00 元" in rates
    assert body.short_name not in text(anybody, "/prices/callout/?div=320281")
    assert "没有机构公布上门服务费" in text(anybody, "/prices/callout/?q=nobody")
    assert "没有符合条件的项目" in text(anybody, "/prices/?q=nothing")
    assert "88.00 元" not in text(anybody, "/prices/?basis=market")
    assert anybody.get("/prices/99999999/").status_code == 404


def test_a_form_without_number_and_date_comes_back_with_the_sentence_at_its_field(sign_in: SignIn) -> None:
    body = make_organisation()
    make_item(code="A01")
    client = sign_in(actor("provider_manager", organisation=body))
    form = form_of(text(client, "/price-lists/new/"), "draft_price_list")
    assert "whose=group" not in text(client, "/price-lists/new/")
    answer = client.post(
        "/do/draft_price_list/",
        form | {"basis": "approved", "prices": "A01, 5", "organisation_id": body.pk, "valid_from": "2099-01-01"},
    )
    assert (answer.status_code, PriceList.objects.count()) == (422, 0)
    assert "必须填写文号" in answer.content.decode()


@pytest.mark.req("R-PAY-02")
def test_the_group_of_a_body_is_set_on_its_page(sign_in: SignIn) -> None:
    make_area_tree()
    body, client = make_organisation(), sign_in(actor("city"))
    form = form_of(text(client, f"/organisations/{body.pk}/"), "classify_organisation")
    assert (
        client.post("/do/classify_organisation/", form | {"price_group": "level2", "reason": "核定"}).status_code == 302
    )
    assert "二级医疗机构" in text(client, f"/organisations/{body.pk}/")


@pytest.mark.req("R-FAM-03", "R-PAY-08")
def test_a_package_goes_from_the_draft_to_the_public_page(sign_in: SignIn) -> None:
    make_area_tree()
    make_item(code="A01")
    one, two = (sign_in(actor("city")) for _ in range(2))
    assert "/catalogue/packages/" in text(one, "/price-lists/")
    assert "还没有服务包" in text(one, "/catalogue/packages/")
    values = {
        "code": "P1", "name": "失能老人基础包", "div": CITY, "audience": "disabled", "lines": "A01, 12, 整次", "price_fen": "360", "payers": ["self"],
        "document": "家医〔2026〕1号", "valid_from": local_date(business_now()).isoformat(),
    }  # fmt: skip
    form = form_of(text(one, "/catalogue/packages/new/"), "draft_package")
    assert one.post("/do/draft_package/", form | values | {"lines": "A01, 12"}).status_code == 422
    answer = one.post("/do/draft_package/", form | values | {"_key": "second"})
    row = Package.objects.get()
    assert answer["Location"] == f"/catalogue/packages/{row.pk}/"
    assert "publish_package" not in text(one, f"/catalogue/packages/{row.pk}/")
    assert "失能老人基础包" not in text(Client(), "/prices/packages/")
    publishing = form_of(text(two, f"/catalogue/packages/{row.pk}/"), "publish_package")
    assert two.post("/do/publish_package/", publishing).status_code == 302
    public = text(Client(), "/prices/packages/?audience=disabled")
    for said in ("失能老人基础包", "每年 360.00 元", "整次，含上门服务费", "个人自付"):
        assert said in public
    assert "失能老人基础包" not in text(Client(), "/prices/packages/?audience=healthy")
    assert "A01, 12, 整次" in text(one, f"/catalogue/packages/new/?like={row.pk}")
    assert "discard_package" not in text(one, f"/catalogue/packages/{row.pk}/")
    assert one.get("/catalogue/packages/99999999/").status_code == 404
    assert sign_in("seat").get("/catalogue/packages/").status_code == 403


@pytest.mark.req("D-18")
def test_a_carer_adds_at_the_door_and_the_family_agrees_on_its_own_page(sign_in: SignIn) -> None:
    body, elder = make_organisation(), make_elder()
    price = make_price(make_item(code="A01", name="助浴"), body)
    make_price(make_item(code="B01", name="理发"), body, 3000)
    staff = make_staff(body)
    order = make_order("in_service", elder=elder, price=price, starts_at=business_now() - timedelta(minutes=10))
    assignment = make_assignment(order, staff, state="accepted")
    make_visit(assignment)
    carer, family = sign_in(actor("carer", staff=staff)), sign_in(actor("family", elders=(elder,)))
    assert f'href="/m/{assignment.pk}/add/"' in text(carer, f"/m/{assignment.pk}/")
    page = text(carer, f"/m/{assignment.pk}/add/")
    assert "理发 30.00 元 / 次" in page
    added = carer.post("/do/add_line/", form_of(page, "add_line") | {"item_code": "B01", "quantity": "1"})
    assert added.status_code == 302, added.content.decode()
    row = OrderLine.objects.latest("pk")
    page = text(carer, f"/m/{assignment.pk}/")
    assert "同意，自付 30.00 元" in page
    assert "没有确认不能签退" in page
    services = text(family, "/e/services/")
    agreed = family.post("/do/confirm_line/", form_of(services, "confirm_line"))
    assert agreed.status_code == 302, agreed.content.decode()
    row.refresh_from_db()
    assert row.confirmed_at is not None
    assert row.confirmed_as.startswith("家属 ")
    assert Order.objects.get().total_fen == 11000
    assert "已确认" in text(carer, f"/m/{assignment.pk}/")
    dropped = family.post("/do/drop_line/", form_of(text(family, "/e/services/"), "drop_line"))
    assert (dropped.status_code, Order.objects.get().total_fen) == (302, 8000)
