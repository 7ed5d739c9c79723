"""What check-ins say, shown before it is used: before and after, samples, tomorrow, and the decision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.factories import (
    DISTRICT,
    STREET,
    actor,
    make_area_tree,
    make_assignment,
    make_correction,
    make_elder,
    make_household,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_staff,
)
from tests.screens.test_orders import form_of, queries_of

from yinling.dispatch.models import Correction
from yinling.dispatch.operations.travel import note_answer, note_trouble
from yinling.dispatch.queries.learned import travel_factor
from yinling.ground.clock import business_now, real_now
from yinling.kernel.period import SHANGHAI

SignIn = Callable[..., Client]
LIST = "/dispatch/learned/"


@pytest.fixture(autouse=True)
def _tree(sign_in: SignIn) -> None:
    make_area_tree()


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def minutes_of(body: Any, **values: Any) -> Correction:
    chosen = {
        "kind": "minutes",
        "div": DISTRICT,
        "mode": "",
        "engine": "",
        "value": 45,
        "before": 60,
        "low": 40,
        "high": 52,
    }
    return make_correction(**chosen | {"provider": body, "item": make_item(name="助浴"), **values})


def test_who_dispatches_sees_what_waits_first(sign_in: SignIn) -> None:
    used, waiting = make_correction("used", value=1.5), make_correction(hour_from=7, hour_to=9)
    minutes = minutes_of(make_organisation(short_name="安心"), level="severe")
    html = text(sign_in("dispatcher"), LIST)
    assert "崇安寺街道 · 电动自行车 · 7–9 点" in html
    assert "崇安寺街道 · 电动自行车 · 全天" in html
    assert "助浴 · 安心 · 重度失能" in html
    assert "× 1.50" in html
    assert "45 分钟" in html
    places = [html.index(f'id="learned-{row.pk}"') for row in (minutes, waiting, used)]
    assert places == sorted(places)
    assert sign_in("seat").get(LIST).status_code == 403
    assert sign_in("carer").get(f"{LIST}{used.pk}/").status_code == 403


def test_an_empty_list_says_when_there_will_be_something(sign_in: SignIn) -> None:
    client = sign_in("dispatcher")
    assert "还没有结果" in text(client, LIST)
    make_correction()
    assert "没有符合条件的结果" in text(client, f"{LIST}?kind=minutes")
    assert "还没有结果" not in text(client, f"{LIST}?state=proposed&kind=travel")


def test_a_provider_sees_its_own_services_only(sign_in: SignIn) -> None:
    body = make_organisation()
    own, other, ways = minutes_of(body), minutes_of(make_organisation()), make_correction()
    boss = sign_in(actor("provider_manager", organisation=body))
    html = text(boss, LIST)
    assert f'id="learned-{own.pk}"' in html
    assert f'id="learned-{other.pk}"' not in html
    assert [boss.get(f"{LIST}{row.pk}/").status_code for row in (own, other, ways)] == [200, 404, 404]


class Tomorrow:
    """A carer with two visits tomorrow, ten minutes by e-bike from each other and a quarter of an hour between them."""

    def __init__(self) -> None:
        self.body, self.item = make_organisation(), make_item(name="助浴")
        price = make_price(self.item, self.body)
        staff = make_staff(self.body)
        ten = business_now().astimezone(SHANGHAI).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(
            days=1
        )
        for minutes, lon in ((0, 120.300), (75, 120.316)):
            home = make_household(lon=lon, lat=31.57)
            start = ten + timedelta(minutes=minutes)
            make_assignment(
                make_order("assigned", elder=make_elder(household=home), price=price, starts_at=start), staff
            )


def test_one_result_shows_its_samples_and_what_tomorrow_would_be(sign_in: SignIn) -> None:
    at = Tomorrow()
    row = make_correction(value=2.0)
    html = text(sign_in("dispatcher"), f"{LIST}{row.pk}/")
    assert "1 段路，共用" in html
    assert '<td>来不及赶到下一家</td><td class="right number">0</td><td class="right number">1</td>' in html
    assert html.count("<meter") == 3
    assert "大于 1 表示路上比估计的慢" in html
    minutes = minutes_of(at.body, item=at.item, value=80)
    html = text(sign_in("dispatcher"), f"{LIST}{minutes.pk}/")
    assert "2 次上门，共用" in html
    assert "160 分钟" in html


def test_confirming_makes_it_count_and_ending_gives_the_estimate_back(sign_in: SignIn) -> None:
    row = make_correction(value=1.4)
    client, address = sign_in("dispatcher"), f"{LIST}{row.pk}/"
    assert travel_factor(STREET, "ebike") == 1.0
    assert (
        client.post("/do/confirm_correction/", form_of(text(client, address), "confirm_correction")).status_code == 302
    )
    assert travel_factor(STREET, "ebike") == 1.4
    html = text(client, address)
    assert "已采用，从下一次排班和推荐起生效" in html
    assert "confirm_correction" not in html
    values = form_of(html, "end_correction")
    assert client.post("/do/end_correction/", values | {"reason": ""}).status_code == 422
    assert client.post("/do/end_correction/", values | {"reason": "修路结束"}).status_code == 302
    assert travel_factor(STREET, "ebike") == 1.0
    html = text(client, address)
    assert "修路结束" in html
    assert "这条结果已有定论" in html


def test_rejecting_needs_a_reason(sign_in: SignIn) -> None:
    row = make_correction()
    client = sign_in("dispatcher")
    values = form_of(text(client, f"{LIST}{row.pk}/"), "reject_correction")
    assert client.post("/do/reject_correction/", values | {"reason": " "}).status_code == 422
    assert client.post("/do/reject_correction/", values | {"reason": "封路"}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.reason) == ("rejected", "封路")


def test_an_engine_that_fails_is_named_here_and_among_the_states_of_the_system(sign_in: SignIn, settings: Any) -> None:
    settings.PORTS = settings.PORTS | {"travel": "yinling.interop.travel.osrm.Osrm"}
    client, operator = sign_in("dispatcher"), sign_in("system_admin")
    assert "还没有问过" in text(operator, "/system/")
    note_trouble("osrm", "超时", at=real_now())
    for one, address in ((client, LIST), (client, "/dispatch/"), (client, "/dispatch/plans/"), (operator, "/system/")):
        html = text(one, address)
        assert "按直线估算" in html
        assert "超时" in html
    note_answer("osrm", at=real_now())
    assert "路线引擎暂时没有回答" not in text(client, LIST)
    assert "正常" in text(operator, "/system/")
    settings.PORTS = settings.PORTS | {"travel": "yinling.interop.travel.great_circle.GreatCircle"}
    assert "直线估算，不用路线引擎" in text(operator, "/system/")


def test_the_list_alone_is_rendered_for_htmx(sign_in: SignIn) -> None:
    row = make_correction()
    client = sign_in("dispatcher")
    html = client.get(LIST, headers={"HX-Request": "true", "HX-Target": "learned-list"}).content.decode()
    assert f'id="learned-{row.pk}"' in html
    assert "<h1" not in html


def test_pages_take_the_same_few_queries_for_one_row_and_for_many(sign_in: SignIn) -> None:
    client, body = sign_in("dispatcher"), make_organisation()
    row = make_correction()
    minutes_of(body)
    text(client, LIST)
    before = queries_of(client, LIST), queries_of(client, f"{LIST}{row.pk}/")
    for number in range(5):
        make_correction(hour_from=number, hour_to=number + 1)
        minutes_of(body)
    Tomorrow()
    assert queries_of(client, LIST) == before[0]
    assert max(queries_of(client, LIST), queries_of(client, f"{LIST}{row.pk}/")) <= 8
