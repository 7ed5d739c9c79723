"""Organisations, their people, and who answers where: for those who may and those who may not."""

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
    CITY,
    COMMUNITY,
    DISTRICT,
    LONG_AGO,
    OTHER_DISTRICT,
    actor,
    make_organisation,
    make_qualification,
    make_service_area,
    make_staff,
    make_user,
)

from yinling.directory.models import Organisation, Qualification, ServiceArea, Staff, Suspension
from yinling.ground.clock import business_now
from yinling.kernel.credit_code import made_up_credit_code
from yinling.kernel.period import local_date

SignIn = Callable[..., Client]
MOST_QUERIES = 8


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def rows_of(html: str) -> list[str]:
    return re.findall(r'id="organisation-(\d+)"', html)


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return sum(
        query["sql"].startswith("SELECT") and "set_config" not in query["sql"] for query in seen.captured_queries
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["a", "b"]),
        ("kind=meal_point", ["b"]),
        ("area=320281", ["b"]),
        ("text=康乐", ["a"]),
        ("text=none", []),
        ("provider=1", ["a"]),
        ("kind=bank", ["a", "b"]),
    ],
)
def test_the_list_is_filtered(sign_in: SignIn, query: str, expected: list[str]) -> None:
    bodies = {
        "a": make_organisation(name="A康乐居家"),
        "b": make_organisation(name="B璜土助餐点", kind="meal_point", div=OTHER_DISTRICT, is_provider=False),
    }
    html = text_of(sign_in("city").get(f"/organisations/?{query}"))
    assert rows_of(html) == [str(bodies[name].pk) for name in expected]
    assert expected or "没有符合条件的机构" in html


def test_a_district_sees_its_bodies_and_a_provider_its_own(sign_in: SignIn) -> None:
    here, there = make_organisation(), make_organisation(div=OTHER_DISTRICT)
    assert rows_of(text_of(sign_in(actor("district", DISTRICT)).get("/organisations/"))) == [str(here.pk)]
    manager = actor("provider_manager", organisation=there)
    assert rows_of(text_of(sign_in(manager).get("/organisations/"))) == [str(there.pk)]


def test_a_body_is_registered_and_wrong_input_comes_back(sign_in: SignIn) -> None:
    client = sign_in("city")
    assert "登记机构" in text_of(client.get("/organisations/new/"))
    form = {
        "name": "无锡康乐居家养老服务有限公司", "short_name": "康乐", "credit_code": made_up_credit_code(77)[:-1] + "0", "kind": "home_care",
        "div": DISTRICT, "address": "人民路3号", "valid_from": "2020-01-01",
    }  # fmt: skip
    wrong = client.post("/do/register_organisation/", form)
    assert wrong.status_code == 422
    assert "校验不通过" in text_of(wrong)
    assert "人民路3号" in text_of(wrong)
    assert not Organisation.objects.exists()
    assert client.post("/do/register_organisation/", form | {"credit_code": made_up_credit_code(77)}).status_code == 302
    assert Organisation.objects.get().short_name == "康乐"


def test_a_site_is_entered_on_its_own_page(sign_in: SignIn) -> None:
    body = make_organisation()
    client = sign_in("city")
    assert 'data-action="register_site"' in text_of(client.get(f"/organisations/{body.pk}/sites/new/"))
    form = {
        "organisation_id": body.pk, "name": "璜土站", "kind": "home_care", "div": DISTRICT, "address": "路1号", "lon": "120.3", "lat": "31.5",
        "datum": "wgs84",
    }  # fmt: skip
    assert client.post("/do/register_site/", form | {"lon": "400"}).status_code == 422
    assert client.post("/do/register_site/", form).status_code == 302
    assert "璜土站" in text_of(client.get(f"/organisations/{body.pk}/"))
    assert client.get("/organisations/999999999/sites/new/").status_code == 404
    assert sign_in("seat").get(f"/organisations/{body.pk}/sites/new/").status_code == 403


def test_who_may_not_register_is_told_who_may(sign_in: SignIn) -> None:
    answer = sign_in("seat").get("/organisations/new/")
    assert answer.status_code == 403
    assert "市级管理员" in text_of(answer)


def test_the_page_of_a_body_shows_certificates_that_end(sign_in: SignIn) -> None:
    today = local_date(business_now())
    body = make_organisation()
    good, late = make_staff(body, name="陈静"), make_staff(body, name="李红", qualified=())
    make_qualification(late, "nurse", valid_to=today)
    make_qualification(late, "health", valid_to=today + timedelta(days=20))
    make_qualification(late, "induction", valid_from=today + timedelta(days=5))
    make_service_area(body, "bathing", DISTRICT)
    Suspension.objects.create(
        div=good.div, staff=good, provider=body, reason="一人多地", cause="finding:1", from_at=business_now()
    )
    html = text_of(sign_in("city").get(f"/organisations/{body.pk}/"))
    for word in (
        "陈静", "李红", "养老护理员证书", f"护士执业证 已于 {today - timedelta(days=1)} 过期", f"健康证 {today + timedelta(days=19)} 到期",
        f"岗前培训 自 {today + timedelta(days=5)} 生效", "暂停派单", "助浴", "梁溪区", body.credit_code,
    ):  # fmt: skip
        assert word in html, word


def test_people_of_a_body_are_shown_to_whom_may_see_them(sign_in: SignIn) -> None:
    body = make_organisation()
    make_staff(body, name="陈静")
    for role, sees in [("seat", True), ("dispatcher", True), ("finance", False), ("assessor", False)]:
        html = text_of(sign_in(role).get(f"/organisations/{body.pk}/"))
        assert ("陈静" in html) == sees
        assert not re.findall(r'data-action="(\w+)"', html)
    other = actor("provider_manager", organisation=make_organisation())
    assert "陈静" not in text_of(sign_in(other).get(f"/organisations/{body.pk}/"))
    assert sign_in("city").get("/organisations/999999999/").status_code == 404


def test_a_manager_enters_staff_and_certificates_on_the_page(sign_in: SignIn) -> None:
    body = make_organisation()
    make_staff(body)
    client = sign_in(actor("provider_manager", organisation=body))
    html = text_of(client.get(f"/organisations/{body.pk}/"))
    assert re.findall(r'data-action="(\w+)"', html) == [*["end_policy"] * 3, "register_staff", "qualify_staff"]
    form = {
        "organisation_id": body.pk, "site_id": body.sites.get().pk, "name": "陈静", "kind": "nurse", "sex": "2", "day_from": "08:00",
        "day_to": "17:00", "employed_from": "2026-01-01",
    }  # fmt: skip
    assert client.post("/do/register_staff/", form).status_code == 302
    staff = Staff.objects.get(name="陈静")
    form = {
        "staff_id": staff.pk, "kind": "nurse", "number": "N-1", "issuer": "市卫健委", "valid_from": "2026-01-01", "valid_to": "2025-01-01"
    }  # fmt: skip
    wrong = client.post("/do/qualify_staff/", form)
    assert wrong.status_code == 422
    assert "结束日期不能早于开始日期" in text_of(wrong)
    assert client.post("/do/qualify_staff/", form | {"valid_to": "2030-12-31"}).status_code == 302
    assert Qualification.objects.filter(staff=staff).count() == 1


@pytest.mark.req("R-ORD-04")
def test_coverage_lists_gaps_and_a_new_duty_closes_them(sign_in: SignIn) -> None:
    body = make_organisation(short_name="康乐")
    make_service_area(body, "bathing", COMMUNITY)
    client = sign_in("city")
    html = text_of(client.get("/coverage/?family=bathing"))
    assert all(word in html for word in ("学前社区", "利城村", "康乐", "无重复"))
    assert "公园社区" not in html
    form = {"organisation_id": body.pk, "family": "bathing", "div": CITY, "valid_from": LONG_AGO.isoformat()}
    assert client.post("/do/assign_service_area/", form).status_code == 302
    assert ServiceArea.objects.count() == 2
    assert "无空白" in text_of(client.get("/coverage/?family=bathing"))
    assert "无空白" not in text_of(client.get("/coverage/?family=<script>"))
    assert "assign_service_area" not in text_of(sign_in("seat").get("/coverage/"))


@pytest.mark.parametrize("address", ["/organisations/", "/organisations/{pk}/", "/coverage/?family=bathing"])
def test_as_many_queries_for_three_as_for_one(sign_in: SignIn, address: str) -> None:
    client = sign_in("city")
    body = make_organisation()
    make_staff(body, user=make_user())
    make_service_area(body, "bathing", DISTRICT)
    address = address.format(pk=body.pk)
    few = queries_of(client, address)
    for _ in range(2):
        make_service_area(make_organisation(), "bathing", COMMUNITY if _ else OTHER_DISTRICT)
        make_staff(body, qualified=("health", "nurse"))
    assert queries_of(client, address) == few
    assert few <= MOST_QUERIES


def test_the_tree_is_walked_and_a_name_corrected(sign_in: SignIn) -> None:
    admin = sign_in("system_admin")
    html = text_of(admin.get("/areas/"))
    assert re.findall(r'id="area-(\d+)"', html) == [DISTRICT, OTHER_DISTRICT]
    html = text_of(admin.get(f"/areas/?area={COMMUNITY}"))
    assert "没有下级区划" in html
    assert 'data-action="rename_area"' in html
    form = {"div": COMMUNITY, "name": "公园里社区居委会", "short_name": "公园里社区", "reason": "民政批复"}
    assert admin.post("/do/rename_area/", form | {"name": ""}).status_code == 422
    assert admin.post("/do/rename_area/", form).status_code == 302
    assert "公园里社区居委会" in text_of(admin.get("/areas/?area=320213021"))
    seat = sign_in("seat")
    assert "rename_area" not in text_of(seat.get("/areas/?area=x"))
    assert seat.post("/do/rename_area/", form).status_code == 403
