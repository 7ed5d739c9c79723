"""Writing through the API: the same operation, right and refusal as on the screens; once per key."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.test import Client
from tests.api.conftest import Api, tomorrow
from tests.factories import (
    OTHER_COMMUNITY,
    actor,
    make_elder,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_service_area,
)
from tests.settlement.test_replays import a_line

from yinling.accounts.models import Journal, User
from yinling.directory.models import ApiToken, Grant
from yinling.ground.clock import real_now
from yinling.ground.models import IdempotencyKey
from yinling.hotline.models import Ticket
from yinling.orders.models import Order

MakeApi = Callable[..., Api]
TICKET = {
    "kind": "request",
    "level": "normal",
    "title": "需要助浴",
    "text": "",
    "channel": "phone",
    "div": "320213021001",
}


def place(caller: Api, **values: object) -> dict[str, object]:
    elder, item, body = make_elder(), make_item(), make_organisation()
    make_price(item, body, 8000)
    make_service_area(body)
    return {
        "elder_id": elder.pk,
        "item_code": item.code,
        "starts_at": tomorrow(),
        "quoted_total_fen": 8000,
        **values,
    }


def test_an_order_is_placed_and_cancelled(api: MakeApi) -> None:
    caller = api("seat")
    placed = caller.post("/orders/place", place(caller))
    assert placed.status_code == 201, placed.content
    told = placed.json()
    assert (told["state"], told["total_fen"]) == ("placed", 8000)
    cancelled = caller.post(f"/orders/{told['id']}/cancel", {"reason": "老人住院", "seen": told["version"]})
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")


def test_a_write_without_key_is_refused(api: MakeApi) -> None:
    caller = api("seat")
    answer = caller.client.post("/api/v1/tickets/open", json.dumps(TICKET), content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency.missing")
    assert not Ticket.objects.exists()


def test_the_same_key_gets_the_same_answer(api: MakeApi) -> None:
    caller = api("seat")
    first, second = (caller.post("/tickets/open", TICKET, key="one") for _ in range(2))
    assert first.json() == second.json()
    assert (first.status_code, second.status_code, second["Idempotency-Replayed"]) == (201, 201, "true")
    assert Ticket.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(api: MakeApi) -> None:
    caller = api("seat")
    caller.post("/tickets/open", TICKET, key="one")
    answer = caller.post("/tickets/open", TICKET | {"title": "别的"}, key="one")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency.other_body")


def test_a_refused_write_frees_its_key(api: MakeApi) -> None:
    caller = api("seat")
    body = place(caller)
    assert caller.post("/orders/place", body | {"quoted_total_fen": 1}, key="one").status_code == 422
    assert caller.post("/orders/place", body, key="one").status_code == 201


def test_a_price_typed_by_hand_is_refused_with_code_and_journal(api: MakeApi) -> None:
    caller = api("seat")
    answer = caller.post("/orders/place", place(caller, quoted_total_fen=1))
    problem = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert set(problem) >= {"type", "title", "status", "code", "detail", "subject"}
    assert problem["status"] == 422
    assert not Order.objects.exists()


def test_a_stale_version_is_a_conflict(api: MakeApi) -> None:
    order = make_order()
    answer = api("seat").post(f"/orders/{order.pk}/cancel", {"reason": "x", "seen": order.version + 7})
    assert (answer.status_code, answer.json()["code"], answer.json()["subject"]) == (
        409,
        "row.stale",
        f"order:{order.pk}",
    )


def test_a_wrong_state_is_a_conflict(api: MakeApi) -> None:
    order = make_order("cancelled")
    answer = api("seat").post(f"/orders/{order.pk}/cancel", {"reason": "再取消一次"})
    assert (answer.status_code, answer.json()["code"]) == (409, "state.not_allowed")


def test_a_row_of_another_area_does_not_exist(api: MakeApi) -> None:
    order = make_order(elder=make_elder(OTHER_COMMUNITY))
    answer = api(actor("seat", div="320213")).post(f"/orders/{order.pk}/cancel", {"reason": "别区"})
    assert (answer.status_code, answer.json()["code"]) == (404, "row.not_found")


def test_without_the_right_it_is_denied(api: MakeApi) -> None:
    answer = api("volunteer").post("/tickets/open", TICKET)
    assert (answer.status_code, answer.json()["code"]) == (403, "right.missing")


def test_shape_is_checked_before_meaning(api: MakeApi) -> None:
    caller = api("seat")
    for body in (
        TICKET | {"title": "长" * 500},
        TICKET | {"kind": "nonsense"},
        TICKET | {"extra": 1},
        {},
        TICKET | {"title": 3},
    ):
        answer = caller.post("/tickets/open", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid"), body
    assert not Ticket.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_a_moment_needs_its_offset(api: MakeApi) -> None:
    caller = api("seat")
    answer = caller.post("/orders/place", place(caller, starts_at="2026-11-25T10:00:00"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].endswith("starts_at")


def test_broken_json_is_a_problem(api: MakeApi) -> None:
    caller = api("seat")
    answer = caller.client.post(
        "/api/v1/tickets/open", "{", content_type="application/json", headers={"Idempotency-Key": "k"}
    )
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_a_token_ends_with_its_grant_its_time_and_its_end(api: MakeApi) -> None:
    caller = api("seat")
    assert caller.get("/me").status_code == 200
    token = ApiToken.objects.get()
    ApiToken.objects.filter(pk=token.pk).update(expires_at=real_now() - timedelta(seconds=1))
    assert caller.get("/me").status_code == 401
    ApiToken.objects.filter(pk=token.pk).update(expires_at=real_now() + timedelta(days=1), ended_at=real_now())
    assert caller.get("/me").status_code == 401
    ApiToken.objects.filter(pk=token.pk).update(ended_at=None)
    grant = Grant.objects.get(pk=caller.actor.grant_id)
    grant.state, grant.to_at, grant.ended_by_id = "ended", grant.from_at, grant.proposed_by_id
    grant.save()
    assert caller.get("/me").status_code == 401


def test_a_new_token_is_told_once_and_not_kept(api: MakeApi) -> None:
    caller = api("city")
    first, second = (caller.post("/tokens/issue", {"name": "对接", "days": 30}, key="one").json() for _ in range(2))
    assert first["token"]
    assert "token" not in second
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(answer::text, '') FROM ground_idempotencykey")
        assert first["token"] not in cursor.fetchone()[0]


def test_a_revealed_number_is_not_kept(api: MakeApi) -> None:
    elder = make_elder(phone="19900001234")
    told = api("seat").post(f"/elders/{elder.pk}/reveal", {"reason": "核对身份"}).json()
    assert "19900001234" in told.values()
    assert "19900001234" not in str(IdempotencyKey.objects.values())
    assert Journal.objects.filter(event="people.elder.reveal", elder_id=elder.pk).exists()


def test_the_session_needs_the_csrf_token(api: MakeApi) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(pk=actor("seat").user_id))
    answer = client.post(
        "/api/v1/tickets/open", json.dumps(TICKET), content_type="application/json", headers={"Idempotency-Key": "k"}
    )
    assert answer.status_code == 403
    assert not Ticket.objects.exists()


def test_the_two_roles_of_one_person_are_two_tokens(api: MakeApi) -> None:
    caller = api("seat")
    assert caller.post("/tickets/open", TICKET).status_code == 201
    row = Journal.objects.filter(event="hotline.ticket.open").get()
    assert (row.role, row.user_id) == ("seat", caller.actor.user_id)


def test_a_donation_is_taken_back_and_the_answer_says_when(api: MakeApi) -> None:
    line, one, other = a_line("donation"), api("finance"), api("finance")
    about = {"donor": "李先生", "amount_fen": 5000, "line_id": line.pk, "received_on": "2026-06-01"}
    row = one.post("/donations/register", about).json()
    assert row["back_at"] is None
    answer = other.post(f"/donations/{row['id']}/withdraw", {"reason": "退还捐赠人", "seen": row["version"]})
    assert answer.status_code == 200, answer.content
    assert answer.json()["back_at"] == other.get(f"/donations/{row['id']}").json()["back_at"]
    assert answer.json()["back_at"].endswith("+08:00")
