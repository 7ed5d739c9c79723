"""The page of what was stopped, the recovery lists, and that a screen or the API stops everything at once."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from zipfile import ZipFile

import pytest
from django.test import Client
from tests.api.conftest import Api
from tests.factories import (
    COMMUNITY,
    OTHER_COMMUNITY,
    actor,
    make_assignment,
    make_elder,
    make_entitlement,
    make_order,
    make_price,
    make_staff,
    system,
)
from tests.screens.test_people import MOST_QUERIES, queries_of, text_of

from yinling.dispatch.models import Assignment
from yinling.entitlements.models import Entitlement
from yinling.ground.clock import business_now
from yinling.kernel.period import local_date, local_midnight
from yinling.orders.models import Hold, Order
from yinling.people.models import Circumstance, Elder
from yinling.settlement.models import Recovery

SignIn = Callable[..., Client]


def ago(days: int) -> date:
    """A day before the day of the requests."""
    return local_date(business_now()) - timedelta(days=days)


def death(elder: Elder, **values: str) -> dict[str, Any]:
    return {"elder_id": elder.pk, "died_on": ago(2).isoformat(), "evidence": "通知", "seen": "0", **values}


def story() -> tuple[Elder, Order, Order, Entitlement]:
    """An elder with an order tomorrow and one served yesterday."""
    system()
    elder = make_elder()
    staff = make_staff()
    price = make_price(organisation=staff.provider)
    ahead = make_order("assigned", elder=elder, price=price, starts_at=business_now() + timedelta(days=1))
    make_assignment(ahead, staff, state="accepted")
    late = make_order("served", elder=elder, price=price, starts_at=local_midnight(ago(1)) + timedelta(hours=10))
    return elder, ahead, late, make_entitlement(elder)


@pytest.mark.req("R-PEO-03")
def test_registering_a_death_on_the_screen_stops_everything_in_the_same_moment(sign_in: SignIn) -> None:
    elder, ahead, late, entitlement = story()
    street = sign_in(actor("street", "320213021"))
    died = ago(2)
    answer = street.post("/do/bury_elder/", death(elder, died_at="08:30"))
    assert answer.status_code in (200, 302), text_of(answer)
    assert Elder.objects.get(pk=elder.pk).died_at == local_midnight(died) + timedelta(hours=8, minutes=30)
    assert Order.objects.get(pk=ahead.pk).state == "cancelled"
    assert Assignment.objects.get().state == "withdrawn"
    assert Entitlement.objects.get(pk=entitlement.pk).valid_to == died + timedelta(days=1)
    assert Hold.objects.get(to_at=None).order_id == late.pk
    html = text_of(street.get(f"/elders/{elder.pk}/stops/"))
    for word in (
        "去世",
        "订单已取消",
        "派单已撤回",
        "待遇已终止",
        "登记有效",
        f"/orders/{ahead.pk}/",
        f"<td>{entitlement.scheme.name}</td>",
        f"{died} 08:30",
    ):
        assert word in html, word
    assert "更正后须重新办理" not in html
    row = Recovery.objects.get()
    assert (row.reject_fen, row.line_count) == (late.total_fen, 1)


@pytest.mark.req("R-PEO-03")
def test_a_correction_says_what_has_to_be_given_again(sign_in: SignIn) -> None:
    elder, ahead, late, entitlement = story()
    street = sign_in(actor("street", "320213021"))
    street.post("/do/bury_elder/", death(elder))
    street.post("/do/correct_death/", {"elder_id": elder.pk, "reason": "登记错人", "seen": "1"})
    html = text_of(street.get(f"/elders/{elder.pk}/stops/"))
    again = html[html.index("更正后须重新办理") :]
    for word in ("登记已更正", "重新下单", "重新给予待遇"):
        assert word in html, word
    assert f"/orders/{ahead.pk}/" in again
    assert entitlement.scheme.name in again
    assert Recovery.objects.get().state == "returned"
    assert not Hold.objects.filter(to_at=None, order=late).exists()


@pytest.mark.req("R-PEO-03")
def test_hospital_and_discharge_on_the_screen(sign_in: SignIn) -> None:
    elder, ahead, _late, entitlement = story()
    community = sign_in(actor("community", COMMUNITY))
    community.post(
        "/do/record_circumstance/",
        {"elder_id": elder.pk, "kind": "in_hospital", "valid_from": ago(0).isoformat(), "body": "市一院"},
    )
    ahead.refresh_from_db()
    assert (ahead.state, Hold.objects.filter(order=ahead, to_at=None).count()) == ("placed", 1)
    html = text_of(community.get(f"/elders/{elder.pk}/stops/"))
    for word in ("住院", "暂停的订单", "已暂停", "暂停的待遇", entitlement.scheme.name):
        assert word in html, word
    fact = Circumstance.objects.get(kind="in_hospital")
    community.post(
        "/do/end_circumstance/", {"circumstance_id": fact.pk, "valid_to": ago(0).isoformat(), "reason": "今日出院"}
    )
    assert not Hold.objects.filter(order=ahead, to_at=None).exists()
    assert "暂停的订单" not in text_of(community.get(f"/elders/{elder.pk}/stops/"))


def test_what_was_left_says_why(sign_in: SignIn) -> None:
    elder, *_ = story()
    going = make_order("in_service", elder=elder, starts_at=business_now() - timedelta(minutes=30))
    street = sign_in(actor("street", "320213021"))
    street.post("/do/bury_elder/", death(elder))
    html = text_of(street.get(f"/elders/{elder.pk}/stops/"))
    assert "没有停止的订单" in html
    assert "服务正在进行" in html
    assert going.code in html


def test_the_page_of_stops_is_empty_narrow_and_foreign(sign_in: SignIn) -> None:
    elder, other = make_elder(), make_elder(OTHER_COMMUNITY)
    client = sign_in(actor("community", COMMUNITY))
    assert "没有停止任何服务" in text_of(client.get(f"/elders/{elder.pk}/stops/"))
    assert client.get(f"/elders/{other.pk}/stops/").status_code == 404
    assert sign_in("volunteer").get(f"/elders/{elder.pk}/stops/").status_code == 403


def test_the_page_of_stops_takes_as_many_queries_for_three_as_for_one(sign_in: SignIn) -> None:
    elder, *_ = story()
    street = sign_in(actor("street", "320213021"))
    street.post("/do/bury_elder/", death(elder))
    few = queries_of(street, f"/elders/{elder.pk}/stops/")
    other, *_ = story()
    for number in range(3):
        make_order(elder=other, starts_at=business_now() + timedelta(days=2 + number))
    street.post("/do/bury_elder/", death(other))
    assert queries_of(street, f"/elders/{other.pk}/stops/") == few <= MOST_QUERIES


def test_the_api_stops_at_once_too(sign_in: SignIn) -> None:
    elder, ahead, *_ = story()
    api = Api(actor("street", "320213021"))
    answer = api.post(f"/elders/{elder.pk}/bury", {"died_on": ago(2).isoformat(), "evidence": "通知", "seen": 0})
    assert answer.status_code == 200, text_of(answer)
    assert Order.objects.get(pk=ahead.pk).state == "cancelled"
    row = Recovery.objects.get()
    assert Api(actor("finance")).get(f"/recoveries/{row.pk}").json()["lines"][0]["kind"] == "reject"
    assert Api(actor("seat")).get(f"/recoveries/{row.pk}").status_code == 403


def recovered(sign_in: SignIn) -> Recovery:
    elder, *_ = story()
    sign_in(actor("street", "320213021")).post("/do/bury_elder/", death(elder))
    return Recovery.objects.latest("pk")


def test_recovery_lists_are_for_those_who_answer_for_money(sign_in: SignIn) -> None:
    assert "没有追回清单" in text_of(sign_in("finance").get("/settlement/recoveries/"))
    row = recovered(sign_in)
    for role in ("finance", "auditor", "district", "city"):
        html = text_of(
            sign_in(role if role != "district" else actor("district", "320213")).get("/settlement/recoveries/")
        )
        assert row.code in html
    for role in ("seat", "provider_manager"):
        assert sign_in(role).get("/settlement/recoveries/").status_code == 403
        assert sign_in(role).get(f"/settlement/recoveries/{row.pk}/").status_code == 403
    assert sign_in("finance").get("/settlement/recoveries/999999/").status_code == 404


def test_two_persons_decide_on_the_page(sign_in: SignIn) -> None:
    row = recovered(sign_in)
    first, second = sign_in("finance"), sign_in("finance")
    address = f"/settlement/recoveries/{row.pk}/"
    html = text_of(first.get(address))
    assert re.findall(r'data-action="(\w+)"', html) == ["review_recovery", "return_recovery"]
    assert "拒付" in html
    first.post("/do/review_recovery/", {"recovery_id": row.pk, "seen": row.version})
    html = text_of(first.get(address))
    assert "请由另一位有权限的人员复核" in html
    assert "approve_recovery" not in html
    row.refresh_from_db()
    second.post("/do/approve_recovery/", {"recovery_id": row.pk, "seen": row.version})
    row.refresh_from_db()
    assert row.state == "approved"
    assert not re.findall(r'data-action="(?!lift)(\w+)_recovery"', text_of(second.get(address)))
    assert not re.findall(r'data-action="(\w+)"', text_of(sign_in("auditor").get(address)))
    book = ZipFile(io.BytesIO(second.get(f"{address}excel/").content))
    assert any("sheet" in name for name in book.namelist())


def test_the_recovery_pages_take_as_many_queries_for_three_as_for_one(sign_in: SignIn) -> None:
    row = recovered(sign_in)
    finance = sign_in("finance")
    few = queries_of(finance, "/settlement/recoveries/")
    one = queries_of(finance, f"/settlement/recoveries/{row.pk}/")
    last = row
    for _ in range(2):
        last = recovered(sign_in)
    assert queries_of(finance, "/settlement/recoveries/") == few <= MOST_QUERIES
    assert queries_of(finance, f"/settlement/recoveries/{last.pk}/") == one <= MOST_QUERIES
