"""Bad input: each gets its sentence, an unchanged database and exactly one refused row of the journal; nothing brings the platform down."""

from __future__ import annotations

import json
import random
from datetime import date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from tests.acceptance.conftest import Foreign, MakeApi, body_for, description, resolved
from tests.api.conftest import Api, tomorrow
from tests.factories import (
    COMMUNITY,
    OTHER_COMMUNITY,
    actor,
    make_elder,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_service_area,
    make_staff,
)  # fmt: skip

from yinling.accounts.models import Journal, User
from yinling.directory.models import Qualification
from yinling.directory.roles import DEMO_ROLES, ROLES
from yinling.ground.scope import OpenScope, scope
from yinling.kernel.id_number import made_up
from yinling.orders.models import Order
from yinling.people.models import Elder

BORN = date(1944, 5, 6)
NUMBER = made_up(77, BORN, "female").number
WRONG_CHECK = NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1")
ELDER = {
    "name": "王小美", "sex": "2", "born_on": BORN.isoformat(), "id_type": "id", "id_number": NUMBER, "phone": "19900007777",
    "div": COMMUNITY, "address": "中山路1号",
}  # fmt: skip
CASES: list[tuple[str, dict[str, Any], int, str]] = [
    ("missing", {"name": None}, 422, "request.invalid"),
    ("blank", {"name": "  "}, 422, "text.missing"),
    ("too long", {"name": "长" * 41}, 422, "request.invalid"),
    ("wrong kind", {"name": 5}, 422, "request.invalid"),
    ("wrong day", {"born_on": "1944-02-30"}, 422, "request.invalid"),
    ("a day out of range", {"born_on": "0001-01-01"}, 422, "request.invalid"),
    ("not a choice", {"sex": "7"}, 422, "request.invalid"),
    ("unknown name", {"price": 1}, 422, "request.invalid"),
    ("a NUL", {"address": "a\x00b"}, 422, "request.invalid"),
    ("a number beyond all", {"lon": 10**400, "lat": 3}, 422, "request.invalid"),
    ("no number", {"lon": "NaN", "lat": 3}, 422, "request.invalid"),
    ("a place off the earth", {"lon": 181, "lat": 3}, 422, "request.invalid"),
    ("wrong checksum", {"id_number": WRONG_CHECK}, 422, "id.checksum"),
    ("future birth", {"born_on": "2031-05-06", "id_type": "none", "id_number": ""}, 422, "elder.born_in_future"),
    ("under 60", {"born_on": "1980-05-06", "id_type": "none", "id_number": ""}, 422, "elder.under_60"),
    ("foreign area", {"div": OTHER_COMMUNITY}, 403, "right.outside"),
]


def chinese(text: str) -> bool:
    return any("一" <= sign <= "鿿" for sign in text)


def assert_refused(answer: Any, wide: OpenScope, caller: Api, status: int, code: str) -> None:
    """The sentence, and the one row of the journal, written after the roll-back."""
    told = answer.json()
    assert (answer.status_code, told["code"], answer["Content-Type"]) == (status, code, "application/problem+json")
    assert chinese(told["detail"])
    assert len(wide.afterwards) == 1
    with scope(caller.actor):
        wide.afterwards.pop()()
        row = Journal.objects.latest("pk")
    assert (row.is_refused, row.code, row.user_id, row.role) == (True, code, caller.actor.user_id, caller.actor.role)


@pytest.mark.parametrize(("changes", "status", "code"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_wrong_elder_is_refused(
    api: MakeApi, wide: OpenScope, changes: dict[str, Any], status: int, code: str
) -> None:
    caller = api(actor("community", div=COMMUNITY))
    body = {name: value for name, value in (ELDER | changes).items() if value is not None}
    assert_refused(caller.post("/elders/register", body), wide, caller, status, code)
    assert not Elder.objects.exists()


@pytest.mark.parametrize(("content", "status"), [(b'{"name":', 400), (b"[]", 422), (b'{"lon":NaN}', 422), (b"", 422)])
def test_what_is_no_json_is_refused(api: MakeApi, wide: OpenScope, content: bytes, status: int) -> None:
    caller = api("seat")
    headers = {"Idempotency-Key": "one"}
    answer = caller.client.post("/api/v1/elders/register", content, content_type="application/json", headers=headers)
    assert_refused(answer, wide, caller, status, {400: "request.bad", 422: "request.invalid"}[status])


def bookable() -> dict[str, Any]:
    elder, item, body = make_elder(), make_item(), make_organisation()
    make_price(item, body, 8000)
    make_service_area(body)
    return {"elder_id": elder.pk, "item_code": item.code, "starts_at": tomorrow(), "quoted_total_fen": 8000}


def test_a_price_typed_by_hand_is_refused(api: MakeApi, wide: OpenScope) -> None:
    caller = api("seat")
    answer = caller.post("/orders/place", bookable() | {"quoted_total_fen": 7999})
    assert_refused(answer, wide, caller, 422, "quote.changed")
    assert not Order.objects.exists()


def test_a_double_click_is_one_order(api: MakeApi, wide: OpenScope) -> None:
    caller, body = api("seat"), bookable()
    first, second = (caller.post("/orders/place", body, key="click") for _ in range(2))
    assert (first.status_code, second.status_code, first.json()) == (201, 201, second.json())
    assert Order.objects.count() == 1
    assert wide.afterwards == []
    assert_refused(
        caller.post("/orders/place", body | {"note": "x"}, key="click"), wide, caller, 422, "idempotency.other_body"
    )


def test_a_stale_page_is_refused_and_stands_on_the_elders_timeline(api: MakeApi, wide: OpenScope) -> None:
    caller, order = api("seat"), make_order()
    answer = caller.post(f"/orders/{order.pk}/cancel", {"reason": "x", "seen": order.version + 1})
    assert answer.json()["subject"] == f"order:{order.pk}"
    assert_refused(answer, wide, caller, 409, "row.stale")
    assert Journal.objects.latest("pk").elder_id == order.elder_id
    assert Order.objects.get().version == order.version


def test_a_carer_whose_certificate_ran_out_is_not_sent(api: MakeApi, wide: OpenScope) -> None:
    start = datetime.fromisoformat(tomorrow())
    caller, order = api("dispatcher"), make_order(starts_at=start)
    staff = make_staff(order.provider, qualified=("induction", "care_worker"))
    Qualification.objects.filter(staff=staff, kind="care_worker").update(valid_to=start.date())
    body = {"staff_id": staff.pk, "choice_reason": "老人点名"}
    assert_refused(caller.post(f"/orders/{order.pk}/assign", body), wide, caller, 422, "dispatch.qualification")
    assert Order.objects.get().state == "placed"


def test_a_write_without_key_leaves_its_row(api: MakeApi, wide: OpenScope) -> None:
    caller = api("seat")
    answer = caller.client.post("/api/v1/elders/register", json.dumps(ELDER), content_type="application/json")
    assert_refused(answer, wide, caller, 400, "idempotency.missing")
    assert not Elder.objects.exists()


@pytest.mark.parametrize("number", ["9223372036854775808", "1" + "0" * 60, "0"])
def test_a_number_no_row_can_have_is_refused(api: MakeApi, wide: OpenScope, number: str) -> None:
    caller = api("seat")
    answer = caller.post(f"/orders/{number}/cancel", {"reason": "x"})
    assert_refused(answer, wide, caller, 422, "request.invalid")


@pytest.mark.parametrize(
    "changes", [{"name": ""}, {"name": "长" * 41}, {"born_on": "31.2.1944"}, {"id_number": WRONG_CHECK}]
)
def test_a_screen_refuses_the_same_and_keeps_what_was_typed(
    client: Client, api: MakeApi, wide: OpenScope, changes: dict[str, str]
) -> None:
    who = actor("community", div=COMMUNITY)
    client.force_login(User.objects.get(pk=who.user_id))
    answer = client.post("/do/register_elder/", ELDER | {"datum": "wgs84", "_key": "k"} | changes)
    assert answer.status_code == 422
    assert "中山路1号" in answer.content.decode()
    assert len(wide.afterwards) == 1
    with scope(who):
        wide.afterwards.pop()()
        row = Journal.objects.latest("pk")
    assert (row.is_refused, row.event, row.user_id) == (True, "people.elder.register", who.user_id)
    assert not Elder.objects.exists()


def test_an_unknown_method_is_a_problem(api: MakeApi) -> None:
    answer = api("seat").client.delete("/api/v1/orders/1")
    assert (answer.status_code, answer.json()["code"]) == (405, "request.method")


BAD: list[Any] = [
    "", "\x00", "a\x00b", "长" * 30_000, "\ud800", None, True, [], {}, [1], {"a": "\x00"}, -1, 2**31, 2**63, 10**400, 1e308, "NaN",
    "0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-03-05T10:00:00", "%s%(x)s{0}",
]  # fmt: skip


def holder(right: str) -> str:
    """Return a role that may do it, the city's first."""
    roles = [code for code in DEMO_ROLES if right in ROLES[code].rights]
    return next((code for code in roles if ROLES[code].anchor == "area"), (roles or ["seat"])[0])


def test_nothing_brings_a_write_down(api: MakeApi, foreign: Foreign, wide: OpenScope) -> None:
    chance, faults = random.Random(5), []
    callers: dict[str, Any] = {}
    for place, methods in description()["paths"].items():
        operation = methods.get("post")
        if operation is None or operation["operationId"] == "move_clock":
            continue
        right = operation["x-right"]
        caller = callers.setdefault(holder(right), None) or api(holder(right))
        callers[holder(right)] = caller
        row = foreign.rows.get(right.split(".")[1])
        where = place.removeprefix("/api/v1").replace("{id}", str(row.pk if row else 1))
        for bad in chance.sample(BAD, 6):
            body = body_for(operation, foreign.rows)
            if body:
                body[chance.choice(list(body))] = bad
            with connection.cursor() as cursor:
                cursor.execute("SAVEPOINT one")
                answer = caller.post(where, body)
                cursor.execute("ROLLBACK TO one")
            if answer.status_code >= 500 or (
                answer.status_code >= 400 and answer["Content-Type"] != "application/problem+json"
            ):
                faults.append((operation["operationId"], body, answer.status_code))
            wide.afterwards.clear()
    assert faults == []


def test_nothing_brings_a_read_down(api: MakeApi) -> None:
    faults = []
    callers: dict[str, Any] = {}
    for place, methods in description()["paths"].items():
        operation = methods.get("get")
        if operation is None:
            continue
        role = holder(operation["x-right"])
        caller = callers.setdefault(role, None) or api(role)
        callers[role] = caller
        names = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
        for bad in ("\x00", "9999-12-31", "0", "9" * 30, "-1", "长" * 300):
            where = place.removeprefix("/api/v1").replace("{id}", "%00" if bad == "\x00" else "1")
            answer = caller.get(where, **dict.fromkeys(names, bad))
            if answer.status_code >= 500:
                faults.append((place, bad))
    assert faults == []


def test_the_description_is_whole() -> None:
    """Every reference leads somewhere, names are unique, and every write asks for its key."""
    paths = description()["paths"]
    operations = [one for methods in paths.values() for one in methods.values()]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names))
    for methods in paths.values():
        if "post" in methods:
            headers = [one["name"] for one in methods["post"]["parameters"] if one["in"] == "header"]
            assert headers == ["Idempotency-Key"]
            for content in methods["post"].get("requestBody", {}).get("content", {}).values():
                assert "properties" in resolved(content["schema"])
