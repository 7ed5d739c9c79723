"""The public list without log-in, price lists by two persons, and the texts of the items."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from tests.factories import actor, make_item, make_organisation, make_price
from tests.screens.test_orders import form_of, queries_of

from yinling.catalogue.models import Price, PriceList
from yinling.ground.clock import business_now
from yinling.kernel.period import local_date

SignIn = Callable[..., Client]


@pytest.mark.req("R-ORD-10", "R-ORD-16", "R-PAY-08")
def test_anybody_reads_the_list_with_five_kinds_of_information_and_their_dates(sign_in: SignIn) -> None:
    body, now = make_organisation(), business_now()
    item = make_item(code="A01", guide="电话预约", support_policy="可用消费补贴券")
    make_price(item, body, 8800, valid_from=local_date(now) - timedelta(days=9), recorded_from=now - timedelta(days=9))
    for address in (
        "/catalogue/",
        "/prices/",
        "/catalogue/?div=320213",
        f"/catalogue/?day={local_date(now)}&div=nonsense",
    ):
        answer = Client().get(address)
        html = answer.content.decode()
        assert answer.status_code == 200
        for text in (
            "洗漱、穿衣、整理",
            "电话预约",
            "GB/T 43153",
            "可用消费补贴券",
            "88.00 元",
            body.short_name,
            "2026-06-15",
        ):
            assert text in html, (address, text)
        assert str(local_date(now) - timedelta(days=9)) in html
    assert body.short_name not in Client().get("/catalogue/?div=320281").content.decode()
    assert "88.00 元" not in Client().get("/catalogue/?day=2019-01-01").content.decode()


@pytest.mark.req("R-ORD-10")
def test_the_five_basic_services_are_always_on_the_page(sign_in: SignIn) -> None:
    html = Client().get("/catalogue/?day=nonsense").content.decode()
    assert [text for text in ("助餐", "生活照料", "康复护理", "紧急救援", "精神慰藉") if text not in html] == []


def test_before_any_city_is_loaded_the_page_says_so(db: None) -> None:
    assert "还没有载入城市数据" in Client().get("/catalogue/").content.decode()


def test_one_person_drafts_and_another_publishes(sign_in: SignIn) -> None:
    body, item = make_organisation(), make_item(code="A01")
    one, two = (sign_in(actor("provider_manager", organisation=body)) for _ in range(2))
    values = form_of(one.get("/price-lists/new/").content.decode(), "draft_price_list") | {
        "organisation_id": body.pk, "basis": "market", "document": "价目 2026", "prices": "A01, 九十",
        "valid_from": local_date(business_now()).isoformat(),
    }  # fmt: skip
    answer = one.post("/do/draft_price_list/", values)
    assert answer.status_code == 422
    assert "九十" in answer.content.decode()
    answer = one.post("/do/draft_price_list/", values | {"prices": "A01, 90", "_key": "second"})
    row = PriceList.objects.get()
    assert answer["Location"] == f"/price-lists/{row.pk}/"
    assert "publish_price_list" not in one.get(f"/price-lists/{row.pk}/").content.decode()
    values = form_of(two.get(f"/price-lists/{row.pk}/").content.decode(), "publish_price_list")
    assert two.post("/do/publish_price_list/", values).status_code == 302
    assert Price.objects.get(item=item, recorded_to=None).amount_fen == 9000
    html = two.get(f"/price-lists/{row.pk}/").content.decode()
    assert "90.00 元" in html
    assert "data-action" not in html


def test_price_lists_are_for_those_who_keep_them(sign_in: SignIn) -> None:
    price = make_price()
    stranger = sign_in(actor("provider_manager"))
    assert stranger.get(f"/price-lists/{price.price_list_id}/").status_code == 404
    assert sign_in("seat").get("/price-lists/").status_code == 403
    assert sign_in("seat").get("/items/").status_code == 403
    assert sign_in("city").get(f"/price-lists/{price.price_list_id}/").status_code == 200


def test_an_item_is_changed_on_its_page(sign_in: SignIn) -> None:
    item, client = make_item(code="A01"), sign_in("city")
    html = client.get(f"/items/{item.pk}/").content.decode()
    values = form_of(html, "update_item") | {
        "name": "生活照料", "description": "洗漱", "standard": "GB/T 43153", "standard_minutes": 60, "steps": "洗漱\n穿衣",
        "needs_qualification": "care_worker", "guide": "电话预约", "support_policy": "", "is_active": "on",
    }  # fmt: skip
    assert client.post("/do/update_item/", values | {"standard_minutes": 5000}).status_code == 422
    assert client.post("/do/update_item/", values).status_code == 302
    item.refresh_from_db()
    assert (item.guide, item.steps, item.is_active) == ("电话预约", ["洗漱", "穿衣"], True)
    assert client.get("/items/99999999/").status_code == 404
    assert "A01" in client.get("/items/?q=A0").content.decode()
    assert "没有符合条件的项目" in client.get("/items/?family=meal").content.decode()


def test_the_page_of_a_drug_saves_what_it_shows(sign_in: SignIn) -> None:
    """It takes no minutes at the door, and its page must not ask for some."""
    drug, client = make_item(code="DR01", kind="drug", standard_minutes=0, steps=[]), sign_in("city")
    values = form_of(client.get(f"/items/{drug.pk}/").content.decode(), "update_item") | {
        "name": "胰岛素", "description": "3ml", "standard": "药典", "standard_minutes": 0, "steps": "", "needs_qualification": "nurse",
        "guide": "凭处方", "support_policy": "", "is_active": "on",
    }  # fmt: skip
    assert client.post("/do/update_item/", values).status_code == 302
    drug.refresh_from_db()
    assert (drug.name, drug.guide) == ("胰岛素", "凭处方")


def test_pages_take_the_same_few_queries_for_one_row_and_for_three(sign_in: SignIn) -> None:
    client = sign_in("city")
    make_price()
    addresses = (
        "/catalogue/",
        "/price-lists/",
        "/items/",
        "/price-lists/new/",
        "/catalogue/packages/",
        "/prices/callout/",
        "/prices/packages/",
    )
    client.get("/items/")
    client.get("/catalogue/")
    before = [queries_of(client, address) for address in addresses]
    for _ in range(2):
        make_price()
    assert [queries_of(client, address) for address in addresses] == before
    assert max(before) <= 8
