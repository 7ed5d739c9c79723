"""Elders: the list, registration, the file and its timeline, for those who may and those who may not."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.factories import (
    COMMUNITY,
    NOW,
    OTHER_COMMUNITY,
    TODAY,
    actor,
    make_call,
    make_contact,
    make_elder,
    make_entitlement,
    make_household,
    make_order,
    make_organisation,
    make_representative,
    make_scheme,
    make_ticket,
    make_user,
)

from yinling.accounts.models import Journal
from yinling.assessment.models import Assessment
from yinling.kernel.id_number import made_up
from yinling.people.models import Circumstance, Consent, Elder
from yinling.web.queries.benefits import benefits
from yinling.web.queries.timeline import timeline

SignIn = Callable[..., Client]
MOST_QUERIES = 8


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def rows_of(html: str) -> list[str]:
    return re.findall(r'id="elder-(\d+)"', html)


def level(elder: Elder, code: str = "severe") -> None:
    Assessment.objects.create(
        div=elder.div, elder=elder, provider=make_organisation(), scale="gbt42195_2022", level=code, points=40, assessed_on=date(2026, 1, 1),
        valid_from=date(2026, 1, 1), recorded_from=NOW,
    )  # fmt: skip


def fact(elder: Elder, kind: str = "lives_alone") -> None:
    Circumstance.objects.create(
        div=elder.div, elder=elder, kind=kind, body="公园社区", valid_from=date(2026, 1, 1), recorded_from=NOW
    )


def queries_of(client: Client, address: str) -> int:
    """Count the statements of a page: those that set the scope or a savepoint are no questions."""
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return sum(
        query["sql"].startswith("SELECT") and "set_config" not in query["sql"] for query in seen.captured_queries
    )


def test_the_list_shows_the_own_area_only(sign_in: SignIn) -> None:
    here, there = make_elder(name="王秀英"), make_elder(OTHER_COMMUNITY, name="李建国")
    level(here)
    fact(here)
    html = text_of(sign_in(actor("community", COMMUNITY)).get("/elders/"))
    assert rows_of(html) == [str(here.pk)]
    assert all(word in html for word in ("王秀英", "公园社区", "重度失能", "独居", f"E-{here.pk:06d}"))
    assert "李建国" not in html
    assert rows_of(text_of(sign_in("city").get("/elders/"))) == [str(there.pk), str(here.pk)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("area=320213", ["old"]),
        ("area=320281100200", ["dead", "young"]),
        ("area=9999", ["dead", "young", "old"]),
        ("level=severe", ["old"]),
        ("level=total", []),
        ("kind=lives_alone", ["old"]),
        ("age=60-69", ["young"]),
        ("age=90-", ["dead", "old"]),
        ("living=1", ["young", "old"]),
        ("age=x&page=zero", ["dead", "young", "old"]),
        ("page=2", []),
    ],
)
def test_the_list_is_filtered(sign_in: SignIn, query: str, expected: list[str]) -> None:
    old = make_elder(born_on=date(1930, 1, 1))
    young = make_elder(OTHER_COMMUNITY, born_on=date(1964, 1, 1))
    dead = make_elder(OTHER_COMMUNITY, born_on=date(1930, 1, 1), died_on=date(2025, 1, 1))
    level(old)
    fact(old)
    people = {"old": old, "young": young, "dead": dead}
    html = text_of(sign_in("city").get(f"/elders/?{query}"))
    assert rows_of(html) == [str(people[name].pk) for name in expected]
    assert expected or "没有符合条件的老年人" in html


def test_search_finds_by_name_pinyin_and_phone_and_says_when_there_is_nobody(sign_in: SignIn) -> None:
    elder = make_elder(name="单雄信", phone="19900002468")
    client = sign_in("seat")
    for text in ("单雄信", "单雄心", "shanxx", "sxx", "199 0000 2468", "2468"):
        expected = [str(elder.pk)] if text != "shanxx" else []
        assert rows_of(text_of(client.get("/elders/", {"q": text}))) == expected
    html = text_of(client.get("/elders/", {"q": "赵子龙"}))
    assert "没有找到“赵子龙”" in html
    assert "/elders/new/" in html
    assert rows_of(text_of(client.get("/elders/", {"q": "<script>"}))) == []


def test_who_may_not_see_elders_is_told_who_may(sign_in: SignIn) -> None:
    client = sign_in("system_admin")
    for address in ("/elders/", "/elders/new/", "/elders/1/", "/elders/1/change/"):
        answer = client.get(address)
        assert answer.status_code == 403
        assert "坐席" in text_of(answer)


def test_an_elder_outside_the_area_does_not_exist(sign_in: SignIn) -> None:
    elder = make_elder(OTHER_COMMUNITY)
    client = sign_in(actor("community", COMMUNITY))
    assert client.get(f"/elders/{elder.pk}/").status_code == 404
    assert client.get(f"/elders/{elder.pk}/change/").status_code == 404


BORN = date(1946, 3, 1)


def registration(**values: Any) -> dict[str, Any]:
    return {
        "name": "王秀英", "sex": "2", "born_on": "1946-03-01", "id_type": "id", "id_number": made_up(800_001, BORN, "female").number,
        "phone": "19900001357", "div": COMMUNITY, "address": "中山路8号", "datum": "wgs84", **values,
    }  # fmt: skip


def test_register_opens_the_file(sign_in: SignIn) -> None:
    client = sign_in("station")
    assert "登记老年人" in text_of(client.get("/elders/new/?name=王秀英&phone=19900001357"))
    answer = client.post("/do/register_elder/", registration())
    elder = Elder.objects.get()
    assert answer.status_code == 302
    assert (elder.name, elder.phone_last4) == ("王秀英", "1357")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": ""}, "请填写“姓名”"),
        ({"name": "长" * 41}, "40"),
        ({"born_on": "gestern"}, "格式不对"),
        ({"born_on": "2030-01-01", "id_type": "none", "id_number": ""}, "晚于今天"),
        ({"born_on": "1990-01-01", "id_type": "none", "id_number": ""}, "年满60周岁"),
        ({"id_number": "990000194603010020"}, "校验不通过"),
        ({"phone": "12"}, "电话号码不对"),
        ({"div": OTHER_COMMUNITY}, "请选择"),
    ],
)
def test_a_wrong_registration_keeps_what_was_typed(sign_in: SignIn, values: dict[str, str], sentence: str) -> None:
    client = sign_in(actor("station", COMMUNITY))
    form = registration(**values)
    page = text_of(client.get("/elders/new/"))
    start = page.index('data-action="register_elder"')
    signed = re.search(r'name="_form" value="([^"]*)"', page[start:])
    assert signed is not None
    answer = client.post("/do/register_elder/", form | {"_form": signed[1]})
    html = text_of(answer)
    assert answer.status_code == 422
    assert sentence in html
    assert "中山路8号" in html
    assert not Elder.objects.exists()


def full_file() -> Elder:
    home = make_household()
    elder = make_elder(name="王秀英", household=home, phone="13912345678")
    make_elder(name="张建国", household=home, sex="1")
    make_contact(elder, phone="13800001111")
    make_representative(elder, make_user(name="王芳"), capacity="guardian")
    Consent.objects.create(
        div=elder.div,
        elder=elder,
        purpose="health",
        text_version="2026-1",
        given_by="self",
        valid_from=TODAY,
        recorded_from=NOW,
    )
    level(elder)
    fact(elder)
    make_entitlement(elder, make_scheme(name="消费补贴"))
    return elder


def test_the_file_shows_everything_masked(sign_in: SignIn) -> None:
    elder = full_file()
    order, ticket = make_order("served", elder=elder), make_ticket(elder=elder)
    make_call(number="13912345678", elder=elder)
    number = elder.unseal_field("id_number")
    html = text_of(sign_in("seat").get(f"/elders/{elder.pk}/"))
    assert "13912345678" not in html
    assert "13800001111" not in html
    assert number not in html
    for word in (
        "139****5678", "138****1111",
        f"{number[:3]}***********{number[-4:]}", "张建国", "王芳", "监护人", "健康信息共享", "重度失能", "独居", "消费补贴",
        "800.00",
        f"/orders/{order.pk}/", f"/tickets/{ticket.pk}/", "生活照料", "待结算", "需要助浴", "来电",
    ):  # fmt: skip
        assert word in html, word


def test_full_numbers_need_the_right_and_a_reason_and_leave_a_trace(sign_in: SignIn) -> None:
    elder = make_elder(phone="13912345678")
    community = sign_in(actor("community", COMMUNITY))
    assert "reveal_elder" not in text_of(community.get(f"/elders/{elder.pk}/"))
    assert community.post("/do/reveal_elder/", {"elder_id": elder.pk, "reason": "看看"}).status_code == 403
    seat = sign_in("seat")
    assert "reveal_elder" in text_of(seat.get(f"/elders/{elder.pk}/"))
    assert seat.post("/do/reveal_elder/", {"elder_id": elder.pk, "reason": ""}).status_code == 422
    assert "13912345678" in text_of(seat.post("/do/reveal_elder/", {"elder_id": elder.pk, "reason": "回访"}))
    html = text_of(seat.get(f"/elders/{elder.pk}/"))
    assert "13912345678" not in html
    assert "查看完整证件号和电话" in html
    assert "回访" in html
    assert Journal.objects.filter(event="people.elder.reveal", is_refused=False).count() == 1


def test_what_a_role_may_not_do_is_not_offered(sign_in: SignIn) -> None:
    elder = full_file()
    html = text_of(sign_in("inspector").get(f"/elders/{elder.pk}/"))
    assert not re.findall(r'data-action="(\w+)"', html)
    street = sign_in(actor("street", "320213021"))
    changes = re.findall(r'data-action="(\w+)"', text_of(street.get(f"/elders/{elder.pk}/change/")))
    assert changes == [
        "update_elder", "relocate_elder", "record_assessment", "grant_entitlement", "appoint_representative", "bury_elder",
        "end_entitlement",
    ]  # fmt: skip


def test_of_the_dead_the_file_is_only_corrected(sign_in: SignIn) -> None:
    elder = make_elder(died_on=TODAY)
    client = sign_in("seat")
    html = text_of(client.get(f"/elders/{elder.pk}/"))
    assert "已去世 2026-06-15" in html
    assert "/orders/new/" not in html
    assert re.findall(r'data-action="(\w+)"', text_of(client.get(f"/elders/{elder.pk}/change/"))) == ["update_elder"]


def test_contact_and_circumstance_are_added_from_the_file(sign_in: SignIn) -> None:
    elder = make_elder()
    client = sign_in(actor("community", COMMUNITY))
    client.post(
        "/do/add_contact/", {"elder_id": elder.pk, "kind": "child", "name": "王芳", "phone": "19900009999", "rank": "1"}
    )
    client.post(
        "/do/record_circumstance/",
        {"elder_id": elder.pk, "kind": "dibao", "valid_from": "2026-01-01", "body": "民政局"},
    )
    html = text_of(client.get(f"/elders/{elder.pk}/"))
    assert all(word in html for word in ("王芳", "199****9999", "低保", "添加联系人", "登记人群类别"))


@pytest.mark.parametrize(
    "address", ["/elders/", "/elders/?level=severe&kind=lives_alone&age=80-89&area=320213", "/elders/?q=王秀英"]
)
def test_the_list_takes_as_many_queries_for_three_as_for_one(sign_in: SignIn, address: str) -> None:
    client = sign_in("district")
    one = full_file()
    few = queries_of(client, address)
    for _ in range(2):
        other = make_elder(born_on=one.born_on)
        level(other)
        fact(other)
    assert queries_of(client, address) == few <= MOST_QUERIES


def test_the_file_takes_eight_queries_however_long_it_is(sign_in: SignIn) -> None:
    client = sign_in("seat")
    elder = full_file()
    make_order(elder=elder)
    few = queries_of(client, f"/elders/{elder.pk}/")
    make_order("cancelled", elder=elder, starts_at=NOW + timedelta(days=3))
    make_ticket("closed", elder=elder)
    make_contact(elder)
    fact(elder, "dibao")
    make_entitlement(elder)
    assert queries_of(client, f"/elders/{elder.pk}/") == few <= MOST_QUERIES


def test_the_timeline_is_one_row_a_thing_the_latest_first(sign_in: SignIn, django_assert_max_num_queries: Any) -> None:
    elder, other = make_elder(), make_elder()
    order = make_order("assigned", elder=elder, starts_at=NOW + timedelta(days=2))
    ticket = make_ticket(elder=elder, opened_at=NOW - timedelta(days=1))
    make_ticket(elder=other)
    seat = sign_in("seat")
    seat.post("/do/reveal_elder/", {"elder_id": elder.pk, "reason": ""})
    with django_assert_max_num_queries(3):
        entries = timeline(seat.actor, elder.pk)  # type: ignore[attr-defined]
    assert [(entry.kind, entry.address) for entry in entries if not entry.is_refused] == [
        ("order", f"/orders/{order.pk}/"),
        ("ticket", f"/tickets/{ticket.pk}/"),
    ]
    at = [entry.at for entry in entries]
    assert at == sorted(at, reverse=True)
    assert timeline(seat.actor, elder.pk, 1)[0].kind == "order"  # type: ignore[attr-defined]


def test_benefits_know_what_is_left_this_month(sign_in: SignIn) -> None:
    sign_in("seat")
    elder = full_file()
    results, entitlements = benefits(elder.pk, TODAY)
    assert [(row.what, row.holds(TODAY), row.last_day, row.number) for row in results] == [("severe", True, None, 40)]
    assert [(row.what, row.by, row.number) for row in entitlements] == [("消费补贴", "voucher", 80000)]


def test_a_street_takes_a_wrong_death_back_and_a_seat_does_not(sign_in: SignIn) -> None:
    elder = make_elder(died_on=TODAY)
    street = sign_in(actor("street", "320213021"))
    html = text_of(street.get(f"/elders/{elder.pk}/change/"))
    assert re.findall(r'data-action="(\w+)"', html) == ["update_elder", "correct_death"]
    assert sign_in("seat").post("/do/correct_death/", {"elder_id": elder.pk, "reason": "登记错人"}).status_code == 403
    assert Elder.objects.get(pk=elder.pk).died_on == TODAY
    values = {"elder_id": elder.pk, "reason": "登记错人", "seen": 0}
    assert street.post("/do/correct_death/", values).status_code in (200, 302)
    assert Elder.objects.get(pk=elder.pk).died_on is None
    html = text_of(street.get(f"/elders/{elder.pk}/"))
    assert "已去世" not in html
    assert "更正去世登记" in html  # on the timeline


def test_a_representative_is_ended_from_the_file(sign_in: SignIn) -> None:
    elder = make_elder()
    row = make_representative(elder, make_user(name="王芳"), capacity="guardian")
    client = sign_in("seat")
    html = text_of(client.get(f"/elders/{elder.pk}/"))
    assert 'data-action="end_representative"' in html
    assert client.post("/do/end_representative/", {"representative_id": row.pk, "reason": ""}).status_code == 422
    assert "王芳" in text_of(client.get(f"/elders/{elder.pk}/"))
    assert client.post(
        "/do/end_representative/", {"representative_id": row.pk, "reason": "变更监护人"}
    ).status_code in (200, 302)
    assert "没有代理人" in text_of(client.get(f"/elders/{elder.pk}/"))


def test_an_insurance_grade_is_named_and_shown_as_provisional_until_it_is_confirmed(sign_in: SignIn) -> None:
    elder = make_elder()
    Assessment.objects.create(
        div=elder.div, elder=elder, provider=make_organisation(), scale="ltc_2021_37", level="3", assessed_on=date(2026, 1, 1),
        valid_from=date(2026, 1, 1), recorded_from=NOW,
    )  # fmt: skip
    html = text_of(sign_in("city").get(f"/elders/{elder.pk}/"))
    assert re.search(r"重度失能Ⅰ级</span> <span[^>]*>暂定<", html)
    assert "未评估" in html


def test_the_timeline_shows_no_code_of_a_refusal(sign_in: SignIn) -> None:
    elder = make_elder()
    Journal.objects.create(
        business_at=NOW, user_name="某人", role="city", event="people.elder.bury", subject_type="elder", subject_id=elder.pk, div=elder.div,
        elder_id=elder.pk, changes={}, is_refused=True, code="elder.some_code",
    )  # fmt: skip
    html = text_of(sign_in("city").get(f"/elders/{elder.pk}/"))
    assert "被拒绝" in html
    assert "elder.some_code" not in html
