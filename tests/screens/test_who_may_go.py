"""The pages about who may go and who answers: people, policies, what ends soon, grids, the public list."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook
from tests.factories import (
    COMMUNITY,
    DISTRICT,
    LONG_AGO,
    STREET,
    actor,
    make_absence,
    make_area_tree,
    make_assignment,
    make_elder,
    make_evaluation,
    make_household,
    make_item,
    make_order,
    make_organisation,
    make_policy,
    make_price,
    make_qualification,
    make_service_area,
    make_site,
    make_staff,
)

from yinling.directory.models import Absence, Area, Policy, ServiceArea, Staff
from yinling.dispatch.models import Avoidance
from yinling.ground.clock import business_now
from yinling.kernel.period import SHANGHAI, local_date

SignIn = Callable[..., Client]
pytestmark = pytest.mark.usefixtures("wide")
MOST_QUERIES = 8
CORNERS = "120.29,31.56\n120.31,31.56\n120.31,31.58\n120.29,31.58"


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return sum(
        query["sql"].startswith("SELECT") and "set_config" not in query["sql"] for query in seen.captured_queries
    )


def test_the_page_of_a_person_shows_and_changes_what_planning_asks(sign_in: SignIn) -> None:
    make_area_tree()
    body = make_organisation()
    person = make_staff(body, name="陈静")
    make_qualification(
        person, "nurse", place="32", practice_scope="护理", valid_to=local_date(business_now()) + timedelta(days=9)
    )
    client = sign_in(actor("provider_manager", organisation=body))
    page = f"/organisations/{body.pk}/staff/{person.pk}/"
    assert f'href="{page}"' in text_of(client.get(f"/organisations/{body.pk}/"))
    html = text_of(client.get(page))
    for word in ("陈静", "护士执业证", "8 天后到期", "没有登记缺勤", "地区默认", "崇安寺街道"):
        assert word in html, word
    form = {
        "staff_id": person.pk, "name": "陈静", "day_from": "08:00", "day_to": "18:00", "most_minutes_a_day": 420, "mode": "walk",
        "contract_minutes_a_day": 300, "break_minutes": 30, "break_from": "11:00", "break_to": "13:00", "duty_div": STREET, "datum": "wgs84",
    }  # fmt: skip
    wrong = client.post("/do/update_staff/", form | {"break_to": "11:10"})
    assert wrong.status_code == 422
    assert "休息时段不够30分钟" in text_of(wrong)
    assert client.post("/do/update_staff/", form).status_code == 302
    assert (Staff.objects.get().mode, Staff.objects.get().duty_div) == ("walk", STREET)
    assert "11:00–13:00 之间 30 分钟" in text_of(client.get(page))
    now = business_now().astimezone(SHANGHAI) + timedelta(hours=1)
    absent = {"staff_id": person.pk, "kind": "sick", "from_at": now.strftime("%Y-%m-%dT%H:%M"), "reason": "发烧"}
    assert client.post("/do/report_absence/", absent).status_code == 302
    assert "待定" in text_of(client.get(page))
    end = {"absence_id": Absence.objects.get().pk, "reason": "好了"}
    assert client.post("/do/end_absence/", end).status_code == 302
    assert "已撤回" in text_of(client.get(page))


def test_people_of_another_body_have_no_page(sign_in: SignIn) -> None:
    person = make_staff()
    page = f"/organisations/{person.provider_id}/staff/{person.pk}/"
    assert sign_in(actor("provider_manager")).get(page).status_code == 404
    assert sign_in("finance").get(page).status_code == 403
    seat = text_of(sign_in("seat").get(page))
    assert person.name in seat
    assert "data-action" not in seat


@pytest.mark.req("R-ORD-13")
def test_the_page_of_a_body_shows_its_policies_and_what_is_missing(sign_in: SignIn) -> None:
    today = local_date(business_now())
    body = make_organisation(insured=False)
    make_policy(body, "liability", valid_to=today + timedelta(days=20))
    make_policy(body, "personal_injury", valid_to=today)
    client = sign_in("city")
    html = text_of(client.get(f"/organisations/{body.pk}/"))
    for word in ("19 天后到期", "已过期", "今天没有有效的医疗意外险", "今天没有有效的人身意外险"):
        assert word in html, word
    assert "今天没有有效的责任险" not in html
    page = f"/organisations/{body.pk}/policies/new/"
    assert 'data-action="record_policy"' in text_of(client.get(page))
    form = {
        "organisation_id": body.pk, "kind": "medical_accident", "insurer": "平安保险", "number": "P1", "valid_from": today.isoformat(),
        "valid_to": (today + timedelta(days=364)).isoformat(),
    }  # fmt: skip
    assert client.post("/do/record_policy/", form | {"valid_to": "2019-01-01"}).status_code == 422
    assert client.post("/do/record_policy/", form).status_code == 302
    assert "今天没有有效的医疗意外险" not in text_of(client.get(f"/organisations/{body.pk}/"))
    assert sign_in("seat").get(page).status_code == 403
    assert sign_in(actor("provider_manager")).get(page).status_code == 404


@pytest.mark.req("R-ORD-13", "R-STF-02")
def test_what_ends_soon_is_one_filtered_list(sign_in: SignIn) -> None:
    today = local_date(business_now())
    body = make_organisation(insured=False, short_name="康乐居家")
    person = make_staff(body, name="陈静", qualified=())
    for days, number in ((20, "P20"), (50, "P50"), (0, "P0")):
        make_policy(make_organisation(insured=False), number=number, valid_to=today + timedelta(days=days))
    make_policy(body, "personal_injury", number="PX", valid_to=today + timedelta(days=10))
    make_qualification(person, "nurse", number="Z10", valid_to=today + timedelta(days=10))
    client = sign_in("city")

    def shown(query: str) -> list[str]:
        return re.findall(r'class="number">(P\w+|Z\w+)<', text_of(client.get(f"/organisations/expiring/?{query}")))

    assert shown("") == ["PX", "P20"]
    assert shown("days=60") == ["PX", "P20", "P50"]
    assert shown("days=0") == ["P0"]
    assert shown("kind=liability") == ["P20"]
    assert shown("what=staff") == ["Z10"]
    assert shown("days=never") == ["PX", "P20"]
    assert "没有这样的保单或证书" in text_of(client.get("/organisations/expiring/?kind=medical_accident"))
    manager = sign_in(actor("provider_manager", organisation=body))
    assert re.findall(r'class="number">(P\w+)<', text_of(manager.get("/organisations/expiring/"))) == ["PX"]
    assert "人员证书" not in text_of(sign_in("finance").get("/organisations/expiring/?what=staff"))


@pytest.mark.req("R-ORD-04")
def test_grids_are_drawn_checked_by_home_and_exported(sign_in: SignIn) -> None:
    make_area_tree()
    body = make_organisation(short_name="康乐")
    make_household(COMMUNITY, lon=120.30, lat=31.57)
    make_household(COMMUNITY, lon=120.35, lat=31.57)
    client = sign_in("city")
    form = {
        "organisation_id": body.pk, "family": "bathing", "div": STREET, "valid_from": LONG_AGO.isoformat(), "name": "一网格", "outline": CORNERS,
        "datum": "wgs84", "villages": "",
    }  # fmt: skip
    assert client.post("/do/assign_service_area/", form | {"outline": "120.29"}).status_code == 422
    assert client.post("/do/assign_service_area/", form).status_code == 302
    html = text_of(client.get("/coverage/?family=bathing"))
    for word in ("一网格", "无人负责的社区（村）", "重复负责的社区（村）", "按住户位置核对", "无重复", "1 / 2"):
        assert word in html, word
    told = json.loads(re.search(r'data-routes="([^"]*)"', html).group(1).replace("&#34;", '"'))  # type: ignore[union-attr]
    assert told[0]["rings"][0][0] == [31.56, 120.29]
    whole = {"organisation_id": body.pk, "family": "bathing", "div": "3202", "valid_from": LONG_AGO.isoformat()}
    assert client.post("/do/assign_service_area/", whole).status_code == 302
    html = text_of(client.get("/coverage/?family=bathing"))
    assert "无空白" in html
    assert "每户都有唯一责任机构" in html
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get("/coverage/?family=bathing&export=1").content))
    assert [row[3] for row in book.get_sheet_by_index(0).to_python()[1:]] == ["唯一"] * 3
    grid = ServiceArea.objects.get(name="一网格")
    assert (
        client.post(
            "/do/end_service_area/", {"service_area_id": grid.pk, "until": LONG_AGO.isoformat(), "reason": "撤销"}
        ).status_code
        == 302
    )
    assert "一网格" not in text_of(client.get("/coverage/?family=bathing"))
    assert "end_service_area" not in text_of(sign_in("seat").get("/coverage/?family=bathing"))


@pytest.mark.req("R-ORD-02")
def test_the_public_list_shows_price_standard_provider_distance_and_rating(client: Client) -> None:
    make_area_tree()
    near, far = make_organisation(short_name="近处"), make_organisation(short_name="远处")
    far.sites.all().delete()
    make_site(far, lon=120.40, lat=31.57)
    item = make_item(standard="GB/T 43153")
    price, dear = make_price(item, far, 8000), make_price(item, near, 9000)
    now = business_now()
    for number in range(6):
        for one, score in ((price, 3 + number % 2), (dear, 5)):
            if one == dear and number:
                continue
            order = make_order("served", price=one, starts_at=now - timedelta(days=number + 1))
            make_evaluation(order, score=score, evaluated_at=now - timedelta(hours=number))
    html = text_of(client.get(f"/prices/?div={DISTRICT}"))
    for word in ("近处", "远处", "GB/T 43153", "80.00", "90.00", "3.5 分，6 条", "1 条"):
        assert word in html, word
    assert "5.0 分" not in html, "of one evaluation no average is told"
    assert "公里" not in re.sub(r"<p class=.help.>.*?</p>", "", html)
    assert html.index("远处") < html.index("近处"), "cheapest first"
    html = text_of(client.get(f"/prices/?div={DISTRICT}&near={COMMUNITY}"))
    assert html.index("近处") < html.index("远处"), "nearest first"
    away = re.findall(r"([\d.]+) 公里", html)
    assert [float(one) for one in away] == [pytest.approx(0.7, abs=0.1), pytest.approx(9.5, abs=0.1)]
    assert "最低 ¥80.00" in html or "最低 80.00" in html
    assert Area.objects.get(pk=COMMUNITY).short_name in html
    assert client.get(f"/prices/?div={DISTRICT}&near=999").status_code == 200


@pytest.mark.req("R-STF-04")
def test_the_list_for_home_medical_care_is_public(client: Client) -> None:
    make_area_tree()
    assert "还没有机构备案" in text_of(client.get("/public/home-medical/"))
    listed = make_organisation(home_medical_number="备字7号")
    hidden = make_organisation(does_home_medical=False, home_medical_filed_on=None)
    html = text_of(client.get("/public/home-medical/"))
    assert listed.name in html
    assert "备字7号" in html
    assert hidden.name not in html


def test_a_carer_is_kept_away_from_the_page_of_the_order_and_by_the_family(sign_in: SignIn) -> None:
    make_area_tree()
    elder = make_elder()
    order = make_order("assigned", elder=elder)
    carer = make_staff(order.provider, name="陈静")
    given = make_assignment(order, carer)
    desk = sign_in("dispatcher")
    assert "record_avoidance" in text_of(desk.get(f"/orders/{order.pk}/"))
    form = {"order_id": order.pk, "staff_id": carer.pk, "asked_by": "elder", "reason": "不习惯"}
    assert desk.post("/do/record_avoidance/", form).status_code == 302
    html = text_of(desk.get(f"/orders/{order.pk}/"))
    assert "解除回避：陈静" in html
    assert (
        desk.post("/do/end_avoidance/", {"avoidance_id": Avoidance.objects.get().pk, "reason": "和好"}).status_code
        == 302
    )
    home = sign_in(actor("family", elders=(elder,)))
    assert "不要再派陈静" in text_of(home.get("/e/services/"))
    assert home.post("/do/ask_avoidance/", {"assignment_id": given.pk, "reason": "不习惯"}).status_code == 302
    assert "可以再派陈静" in text_of(home.get("/e/services/"))
    assert "avoidance" not in text_of(sign_in("finance").get(f"/orders/{order.pk}/"))


def test_as_many_queries_for_three_as_for_one(sign_in: SignIn) -> None:
    make_area_tree()
    body = make_organisation()
    person = make_staff(body)
    today = local_date(business_now())
    make_policy(body, valid_to=today + timedelta(days=5), number="A")
    make_absence(person)
    client = sign_in("city")
    Policy.objects.exclude(number="A").delete()
    make_service_area(
        body,
        "bathing",
        STREET,
        outline={"type": "MultiPolygon", "coordinates": [[[[120, 31], [121, 31], [121, 32], [120, 31]]]]},
        name="一",
    )
    addresses = (
        "/organisations/expiring/", "/organisations/expiring/?what=staff", f"/organisations/{body.pk}/staff/{person.pk}/",
        "/coverage/?family=bathing",
    )  # fmt: skip
    before = [queries_of(client, address) for address in addresses]
    for number in range(2):
        make_policy(make_organisation(insured=False), valid_to=today + timedelta(days=number))
        make_qualification(make_staff(body), "nurse", valid_to=today + timedelta(days=number))
        make_qualification(person, ("nurse", "health")[number], valid_to=today + timedelta(days=number))
        make_household(COMMUNITY)
    assert [queries_of(client, address) for address in addresses] == before
    assert max(before) <= MOST_QUERIES
