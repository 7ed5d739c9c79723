"""Every page of the console as of an earlier day: it says so, shows that day and offers nothing to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.api.conftest import Api
from tests.factories import actor, city, make_elder, make_finding, make_order, make_ticket

from yinling.orders.operations import cancel_order
from yinling.web.navigation import MORE, NAVIGATION

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
ROLES = ("city", "street", "seat", "dispatcher", "finance", "supervisor", "system_admin")
BANNER = "只能查看，不能办理"


def look(client: Client, day: str, known: str = "") -> Any:
    return client.post("/as-of/", {"as_of": day, "known_on": known, "next": "/elders/"})


@pytest.mark.parametrize("role", ROLES)
def test_every_page_answers_as_of_a_day(sign_in: SignIn, role: str) -> None:
    client = sign_in(role)
    order = make_order("placed", elder=make_elder(phone="13912345678"))
    make_finding(order)
    make_ticket(elder=order.elder)
    assert look(client, "2026-06-20").status_code == 302
    own: Any = client.actor  # type: ignore[attr-defined]
    pages = [entry.path for entry in (*NAVIGATION, *MORE) if own.has(entry.right)]
    pages += [f"/elders/{order.elder_id}/"] if own.has("people.elder.view") else []
    pages += [f"/orders/{order.pk}/"] if own.has("orders.order.view") else []
    assert pages
    for path in pages:
        answer = client.get(path, {"as_of": "2026-06-20"})
        assert answer.status_code == 200, path
        assert BANNER in answer.text, path
        assert 'action="/do/' not in answer.text, path


def test_the_list_shows_the_states_of_that_day(sign_in: SignIn) -> None:
    client = sign_in("dispatcher")
    order = make_order("placed")
    cancel_order(
        actor=actor("dispatcher"),
        now=order.created_at + timedelta(days=2),
        order_id=order.pk,
        reason="家属取消",
        seen=order.version,
    )
    waiting = {"tab": "waiting"}
    assert order.elder_name not in client.get("/orders/", waiting).text
    assert order.elder_name in client.get("/orders/", waiting | {"as_of": "2026-06-16"}).text


def test_the_choice_stays_until_today_is_chosen(sign_in: SignIn) -> None:
    client = sign_in("street")
    look(client, "2026-06-01")
    assert BANNER in client.get("/elders/").text
    look(client, "")
    assert BANNER not in client.get("/elders/").text


def test_a_day_that_is_none_is_refused(sign_in: SignIn) -> None:
    client = sign_in("street")
    answer = client.get("/elders/", {"as_of": "2026-02-31"})
    assert answer.status_code == 422
    assert "日期写法" in answer.text
    look(client, "昨天")
    assert BANNER not in client.get("/elders/").text


def test_today_and_later_are_today(sign_in: SignIn) -> None:
    client = sign_in("street")
    assert BANNER not in client.get("/elders/", {"as_of": (timezone.localdate() + timedelta(days=3)).isoformat()}).text


def test_a_program_asks_in_the_address(wide: Any) -> None:
    city()
    api = Api(actor("dispatcher"))
    order = make_order("placed")
    cancel_order(
        actor=actor("dispatcher"),
        now=order.created_at + timedelta(days=2),
        order_id=order.pk,
        reason="家属取消",
        seen=order.version,
    )
    assert api.get(f"/orders/{order.pk}").json()["state"] == "cancelled"
    assert api.get(f"/orders/{order.pk}", as_of="2026-06-16").json()["state"] == "placed"
    assert api.get(f"/orders/{order.pk}", as_of="2026-13-01").status_code == 422
