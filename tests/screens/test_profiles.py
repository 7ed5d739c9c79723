"""The page that sets the city profiles side by side, its CSV, and the same through the API."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.api.conftest import Api
from tests.factories import actor, make_user

from yinling.ground.parameters import profiles
from yinling.kernel.actor import Actor

SignIn = Callable[..., Client]
VOUCHER, PURCHASE, RADIUS = (
    "scheme.national_voucher.grades",
    "scheme.government_purchase.grades",
    "checkin.radius_m",
)


def test_every_profile_stands_beside_the_product_with_clause(sign_in: SignIn) -> None:
    text = sign_in("city").get("/profiles/").content.decode()
    assert len(profiles()) == 6
    for profile in profiles():
        assert profile.code in text
        assert profile.name in text
    assert f'id="key-{RADIUS}"' in text
    row = text[text.index(f'id="key-{PURCHASE}"') :].split("</tr>")[0]
    assert row.count("<td>") == 1 + 6
    assert "启东市居家养老服务计划（S4） 三(一)" in row
    assert "2015-01-01 起" in row
    assert "由各城市规定" in row


def test_what_is_alike_everywhere_can_be_left_out(sign_in: SignIn) -> None:
    client = sign_in("system_admin")
    text = client.get("/profiles/", {"differs": "1"}).content.decode()
    assert f'id="key-{RADIUS}"' not in text
    assert f'id="key-{PURCHASE}"' in text
    nothing = client.get("/profiles/", {"differs": "1", "q": RADIUS}).content.decode()
    assert "没有符合条件的参数" in nothing


def test_values_are_those_of_the_day(sign_in: SignIn) -> None:
    client = sign_in("city")
    for day, shown in (
        ("2025-06-01", "支付服务价格的 30 %，每月最高 200.00 元"),
        ("2026-06-01", "支付服务价格的 50 %，每月最高 800.00 元"),
    ):
        row = client.get("/profiles/", {"q": VOUCHER, "on": day}).content.decode()
        assert shown in row[row.index('id="scheme-national_voucher"') :].split("</td>")[4]
    assert client.get("/profiles/", {"on": "nonsense"}).status_code == 200


def test_schemes_stand_side_by_side_with_their_clause(sign_in: SignIn) -> None:
    text = sign_in("city").get("/profiles/", {"q": "scheme."}).content.decode()
    row = text[text.index('id="scheme-home_modification"') :].split("</tr>")[0]
    cells = dict(zip([city.code for city in profiles()], row.split("<td>")[1:], strict=True))
    assert "无此项目" in cells["zhenjiang-yyjh"]
    assert "一次性，最高 2,000.00 元" in cells["chongqing-shilaohua-2020"]
    assert "重庆市居家适老化改造方案（S2A） 二(一)、二(二)1、四" in cells["chongqing-shilaohua-2020"]
    assert "金额未配置" in cells["wuxi-332"]
    assert "80周岁及以上，并且空巢或独居" in cells["wuxi-332"]
    meals = text[text.index('id="scheme-meal_subsidy"') :].split("</tr>")[0]
    assert "321183" in meals
    assert "午餐每份 9.00 元" in meals
    assert 'id="scheme-' not in sign_in("city").get("/profiles/", {"q": "checkin"}).content.decode()


def test_it_is_a_csv_too(sign_in: SignIn) -> None:
    answer = sign_in("city").get("/profiles/csv/", {"q": PURCHASE, "on": "2026-06-01"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 1 + 6
    found = {row["区划代码"]: row for row in rows}
    assert (found[""]["城市方案"], found[""]["值"]) == ("产品默认", "未规定")
    assert found["320681"]["条款"] == "三(一)"
    assert (found["320681"]["自行规定"], found["320681"]["生效"]) == ("是", "2015-01-01")


def test_navigation_offers_it_to_city_and_system_admin_only(sign_in: SignIn) -> None:
    for role in ("city", "system_admin"):
        assert 'href="/profiles/"' in sign_in(role).get("/settings/").content.decode()
    assert 'href="/profiles/"' not in sign_in("supervisor").get("/settings/").content.decode()


@pytest.mark.parametrize("address", ["/profiles/", "/profiles/csv/"])
def test_without_a_role_it_is_refused(sign_in: SignIn, client: Client, address: str) -> None:
    sign_in("city")
    client.force_login(make_user(username="neu"))
    assert client.get(address).status_code == 403
    assert Client().get(address).status_code == 302


def test_page_takes_few_queries(sign_in: SignIn) -> None:
    client = sign_in("city")
    client.get("/profiles/")
    with CaptureQueriesContext(connection) as seen:
        client.get("/profiles/")
    assert (
        sum(not one["sql"].startswith(("SAVEPOINT", "RELEASE")) and "set_config" not in one["sql"] for one in seen) <= 8
    )


def test_the_api_tells_the_same(sign_in: SignIn) -> None:
    sign_in("city")
    acting: Actor = actor("city")
    told = Api(acting).get("/profiles", q=PURCHASE, on="2026-06-01", differs="true").json()
    assert [profile["code"] for profile in told["profiles"]] == [profile.code for profile in profiles()]
    (item,) = told["items"]
    assert (item["key"], item["differs"], item["product"]) == (PURCHASE, True, None)
    assert item["cities"]["qidong-jujia"]["clause"] == "三(一)"
    assert item["cities"]["wuxi-332"] == {
        "value": [
            {
                "name": "低保或重点优抚老年人",
                "groups": [{"label": "低保或重点优抚", "any": [{"kind": ["dibao", "veteran_care"]}]}],
                "amounts": {"share_bp": 10000, "monthly_cap_fen": 15000, "note": "演示用（虚构）"},
            }
        ],
        "area": "3202", "document": "演示用地方政策（虚构）", "clause": "一至三", "from": "2015-01-01", "to": None,
    }  # fmt: skip
    wrong = Api(acting).get("/profiles", on="nonsense")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "request.invalid")
