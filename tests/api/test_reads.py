"""Reading through the API: rights, scope, masks, filters, pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from tests.api.conftest import Api, tomorrow
from tests.factories import (
    LONG_AGO,
    NOW,
    OTHER_COMMUNITY,
    actor,
    make_elder,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_service_area,
    make_staff,
    make_ticket,
    make_user,
)  # fmt: skip

from yinling.accounts.models import User
from yinling.catalogue.models import PriceList
from yinling.directory.roles import DEMO_ROLES, ROLES
from yinling.entitlements.models import Agreement
from yinling.kernel.period import SHANGHAI
from yinling.web.api.resources import RESOURCES

MakeApi = Callable[..., Api]


def test_without_a_token_nothing_is_read(client: Client, db: None) -> None:
    answer = client.get("/api/v1/orders")
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer.json()["code"] == "token.invalid"
    assert client.get("/api/v1/orders", headers={"Authorization": "Bearer forged"}).status_code == 401


def test_me_tells_role_area_and_rights(api: MakeApi) -> None:
    told = api("seat").get("/me").json()
    assert (told["role"], told["div"]) == ("seat", "3202")
    assert "hotline.call.answer" in told["rights"]


@pytest.mark.parametrize("noun", RESOURCES)
def test_every_list_opens_for_a_role_with_its_right(api: MakeApi, noun: str) -> None:
    role = next(
        code for code in DEMO_ROLES if RESOURCES[noun].right in ROLES[code].rights and ROLES[code].anchor == "area"
    )
    answer = api(role).get(f"/{noun}")
    assert answer.status_code == 200, answer.content
    assert set(answer.json()) == {"items", "page", "size", "has_next"}


@pytest.mark.parametrize("noun", ["orders", "elders", "journal", "findings", "statements", "grants"])
def test_a_list_without_the_right_is_refused(api: MakeApi, noun: str) -> None:
    answer = api("volunteer").get(f"/{noun}")
    assert answer.status_code == 403
    assert answer.json()["code"] == "right.missing"
    assert answer["Content-Type"] == "application/problem+json"


def test_elders_are_masked_in_lists(api: MakeApi) -> None:
    elder = make_elder(phone="19900001234")
    caller = api("seat")
    listed = caller.get("/elders").json()["items"][0]
    assert (listed["name"], listed["phone"]) == ("王*", "****1234")
    text = caller.get(f"/elders/{elder.pk}").content.decode()
    assert "王秀英" in text
    for clear in ("19900001234", elder.unseal_field("id_number")):
        assert clear not in text
        assert clear not in caller.get("/elders").content.decode()


def test_an_elder_of_another_area_does_not_exist(api: MakeApi) -> None:
    elder = make_elder(OTHER_COMMUNITY)
    answer = api(actor("district", div="320213")).get(f"/elders/{elder.pk}")
    assert (answer.status_code, answer.json()["code"]) == (404, "row.not_found")
    assert api("city").get(f"/elders/{elder.pk}").status_code == 200


def test_an_elder_sees_own_orders_only(api: MakeApi) -> None:
    mine, other = make_order(), make_order()
    caller = api(actor("elder", elders=(mine.elder,)))
    assert [row["id"] for row in caller.get("/orders").json()["items"]] == [mine.pk]
    assert caller.get(f"/orders/{other.pk}").status_code == 404


def test_a_body_reads_its_own_agreements_and_drafts_of_prices_only(api: MakeApi) -> None:
    own, other = make_organisation(), make_organisation()
    for body in (own, other):
        Agreement.objects.create(
            organisation=body, kind="purchase", payer="government", number="1", monthly_fen=100, valid_from=LONG_AGO, recorded_from=NOW
        )  # fmt: skip
        PriceList.objects.create(
            organisation=body, basis="tender", document="投标", drafted_by=make_user(), created_at=NOW, changed_at=NOW
        )
        make_price(organisation=body)
    program = api(actor("provider_manager", organisation=own))
    agreements = program.get("/agreements").json()["items"]
    assert [one["organisation_id"] for one in agreements] == [own.pk]
    lists = program.get("/price-lists").json()["items"]
    assert sorted((one["organisation_id"], one["state"]) for one in lists) == [
        (own.pk, "draft"), (own.pk, "published"), (other.pk, "published")
    ]  # fmt: skip


def test_an_order_comes_with_lines_shares_and_holds(api: MakeApi) -> None:
    order = make_order()
    told = api("dispatcher").get(f"/orders/{order.pk}").json()
    assert told["code"] == order.code
    assert (
        sum(line["amount_fen"] for line in told["lines"])
        == told["total_fen"]
        == sum(share["amount_fen"] for share in told["shares"])
    )
    assert told["holds"] == []
    assert told["starts_at"].endswith("+08:00")


def test_filters_and_pages(api: MakeApi) -> None:
    for _ in range(3):
        make_ticket()
    make_ticket("closed")
    caller = api("seat")
    first = caller.get("/tickets", state="open", size=2).json()
    assert (len(first["items"]), first["has_next"]) == (2, True)
    last = caller.get("/tickets", state="open", size=2, page=2).json()
    assert (len(last["items"]), last["has_next"]) == (1, False)
    assert len(caller.get("/tickets", state="open,closed").json()["items"]) == 4


@pytest.mark.parametrize("query", [{"elder": "x"}, {"elder": "9" * 30}, {"size": 101}, {"page": 0}])
def test_a_wrong_filter_is_refused(api: MakeApi, query: dict[str, object]) -> None:
    answer = api("seat").get("/tickets", **query)
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")


def test_the_quote_is_read_before_placing(api: MakeApi) -> None:
    elder, item, body = make_elder(), make_item(), make_organisation()
    make_price(item, body, 8000)
    make_service_area(body)
    query = {"elder_id": elder.pk, "item_code": item.code, "starts_at": tomorrow()}
    told = api("seat").get("/orders/quote", **query).json()
    assert (told["total_fen"], told["self_fen"], told["provider_id"]) == (8000, 8000, body.pk)


@pytest.mark.req("R-MEA-05", "R-MEA-07")
def test_meals_are_read_by_channel_and_form(api: MakeApi) -> None:
    elder, body = make_elder(), make_organisation(kind="care_home")
    item = make_item(family="meal", units=["lunch", "delivery"])
    price = make_price(item, body, 1500)
    query = {
        "elder_id": elder.pk,
        "item_code": item.code,
        "provider_id": body.pk,
        "starts_at": tomorrow(12),
    }
    caller = api("seat")
    told = caller.get("/orders/quote", **query).json()
    assert (told["meal_channel"], told["meal_forms"]) == ("care_home", ["delivery"])
    order, _other = make_order(price=price, meal_channel="care_home"), make_order()
    for narrow, expected in (
        ({"meal_channel": "care_home"}, [order.pk]), ({"meal_channel": "canteen,internet"}, []), ({"meal_form": "delivery"}, [order.pk]),
        ({"meal_form": "dining"}, []),
    ):  # fmt: skip
        assert [row["id"] for row in caller.get("/orders", **narrow).json()["items"]] == expected
    assert caller.get(f"/orders/{order.pk}").json()["meal_channel"] == "care_home"


def test_carers_are_proposed_with_reasons_and_why_not_another(api: MakeApi) -> None:
    order = make_order("placed")
    fit, newcomer = (
        make_staff(order.provider, qualified=("induction", "care_worker")),
        make_staff(order.provider, qualified=()),
    )
    caller = api("dispatcher")
    answer = caller.get(f"/orders/{order.pk}/proposals", limit=10, staff_id=newcomer.pk)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    [best] = told["items"]
    assert (best["rank"], best["staff_id"], best["second"], told["is_live"]) == (1, fit.pk, None, False)
    assert best["starts_at"].startswith(order.starts_at.astimezone(SHANGHAI).isoformat()[:16])
    assert best["cost"] == pytest.approx(sum(part["minutes"] for part in best["parts"]), abs=0.01)
    assert told["counts"]["free"] == 1
    assert any("岗前培训" in sentence for sentence in told["why"])
    assert "why" not in caller.get(f"/orders/{order.pk}/proposals").json()
    assert caller.get(f"/orders/{order.pk}/proposals", limit=11).status_code == 422


def test_elders_are_found_by_initials(api: MakeApi) -> None:
    elder = make_elder()
    items = api("seat").get("/elders/search", q="wxy").json()["items"]
    assert [row["id"] for row in items] == [elder.pk]
    assert api("seat").get("/elders/search").status_code == 422


def test_the_timeline_of_an_elder(api: MakeApi) -> None:
    caller = api("community")
    elder = make_elder()
    body = {"elder_id": elder.pk, "kind": "child", "name": "王芳", "phone": "19900005678", "rank": 1}
    assert caller.post("/contacts/add", body).status_code == 201
    events = [row["event"] for row in caller.get(f"/elders/{elder.pk}/timeline").json()["items"]]
    assert events == ["people.contact.add"]


def test_the_session_of_the_pages_reads_too(client: Client, api: MakeApi) -> None:
    client.force_login(User.objects.get(pk=actor("seat").user_id))
    assert client.get("/api/v1/me").json()["role"] == "seat"


def test_the_documentation_needs_no_outside_file(client: Client, api: MakeApi) -> None:
    html = client.get("/api/v1/docs").content.decode()
    assert "/api/v1/orders/{id}/cancel" in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html
    assert "/api/v1/orders/place" in client.get("/api/v1/openapi.json").json()["paths"]


def test_an_unknown_address_is_a_problem(api: MakeApi) -> None:
    answer = api("seat").get("/nowhere")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
