"""Pages for elders and families: home, booking in three steps, services with the bill, rating."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.factories import (
    actor,
    make_assignment,
    make_elder,
    make_entitlement,
    make_item,
    make_order,
    make_price,
    make_service_area,
    make_staff,
)
from tests.screens.test_hotline import form_of, queries

from yinling.entitlements.models import Entitlement
from yinling.ground.clock import business_now
from yinling.kernel.period import local_date
from yinling.orders.models import Order
from yinling.visits.models import Evaluation

SignIn = Callable[..., Client]


@pytest.fixture
def her(sign_in: SignIn) -> Client:
    """An elder logged in, for whom one item can be booked: 80 yuan, half of it paid by a voucher."""
    elder = make_elder()
    make_entitlement(elder)
    price = make_price(make_item(code="A01", name="助浴"), amount_fen=8000)
    make_service_area(price.organisation, price.item.family)
    client = sign_in(actor("elder", elders=(elder,)))
    client.elder, client.price = elder, price  # type: ignore[attr-defined]
    return client


def tomorrow() -> str:
    return (local_date(business_now()) + timedelta(days=1)).isoformat()


def served(client: Any, days_ago: int = 0) -> Order:
    return make_order(
        "served", elder=client.elder, price=client.price, starts_at=business_now() - timedelta(days=days_ago, hours=3)
    )


def test_home_says_what_comes_next_and_how_to_ring(her: Client) -> None:
    empty = her.get("/e/").content.decode()
    assert "还没有预约" in empty
    staff = make_staff(her.price.organisation, name="李梅")
    order = make_order("assigned", elder=her.elder, price=her.price, starts_at=business_now() + timedelta(hours=3))
    make_assignment(order, staff, state="accepted")
    html = her.get("/e/").content.decode()
    assert "李梅 上门" in html
    assert 'href="tel:12349"' in html
    assert 'class="button sos" href="tel:120"' in html


def test_home_invites_to_no_booking_after_a_death(her: Client) -> None:
    her.elder.died_on = local_date(business_now())
    her.elder.save()
    html = her.get("/e/").content.decode()
    assert "档案登记为已去世" in html
    assert "/e/book/" not in html


def test_a_service_is_booked_in_three_steps_with_the_price_before(her: Client) -> None:
    first = her.get("/e/book/").content.decode()
    second_address = re.search(r'class="choice" href="([^"]+)"', first)[1]  # type: ignore[index]
    second = her.get(second_address).content.decode()
    third_address = f"{second_address}&day={tomorrow()}&hour=9&note=三楼"
    third = her.get(third_address).content.decode()
    for number, html in enumerate((first, second, third), 1):
        assert f"第 {number} 步，共 3 步" in html
        assert "打电话办" in html
    assert "80.00 元起" in first
    assert "您要付 40.00 元" in third
    assert "一共 80.00 元，消费补贴券付 40.00 元" in third
    answer = her.post("/do/place_order/", form_of(her, third_address, "place_order"))
    assert answer["Location"] == f"/e/services/?elder={her.elder.pk}"
    order = Order.objects.get()
    local = order.starts_at.astimezone()
    assert (order.elder_id, order.channel, order.note, order.self_fen, order.state) == (
        her.elder.pk,
        "app",
        "三楼",
        4000,
        "placed",
    )
    assert (local_date(order.starts_at).isoformat(), (local.astimezone().utctimetuple().tm_hour + 8) % 24) == (
        tomorrow(),
        9,
    )
    assert "预约好了" in her.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("day=&hour=9", "请选择哪一天"),
        ("day=2019-01-01&hour=9", "请从列出的日子里选择"),
        ("day={tomorrow}&hour=", "请选择几点"),
        ("day={tomorrow}&hour=23", "请从列出的时间里选择"),
    ],
)
def test_a_time_chosen_wrongly_is_asked_again(her: Client, query: str, sentence: str) -> None:
    html = her.get(f"/e/book/A01/?{query.format(tomorrow=tomorrow())}").content.decode()
    assert sentence in html
    assert "place_order" not in html


def test_what_nobody_offers_here_is_said_and_a_price_typed_by_hand_is_refused(her: Client) -> None:
    make_item(code="B01", family="meal", name="助餐")
    html = her.get(f"/e/book/B01/?day={tomorrow()}&hour=9").content.decode()
    assert "还没有确定" in html
    form = form_of(her, f"/e/book/A01/?day={tomorrow()}&hour=9", "place_order") | {"quoted_total_fen": "1"}
    assert her.post("/do/place_order/", form).status_code == 422
    assert Order.objects.count() == 0
    assert her.get("/e/book/nothing/").status_code == 404


def test_a_double_click_books_once(her: Client) -> None:
    form = form_of(her, f"/e/book/A01/?day={tomorrow()}&hour=9", "place_order")
    her.post("/do/place_order/", form)
    her.post("/do/place_order/", form)
    assert Order.objects.count() == 1


def test_services_are_listed_with_the_bill_in_plain_words_and_cancelled(her: Client) -> None:
    her.post("/do/place_order/", form_of(her, f"/e/book/A01/?day={tomorrow()}&hour=9", "place_order"))
    html = her.get("/e/services/").content.decode()
    assert "一共 80.00 元，消费补贴券付 40.00 元，<b>您付 40.00 元</b>" in html
    form = form_of(her, "/e/services/", "cancel_order")
    assert her.post("/do/cancel_order/", form | {"reason": ""}).status_code == 422
    her.post("/do/cancel_order/", form | {"reason": "有事"})
    assert Order.objects.get().state == "cancelled"
    assert "已取消" in her.get("/e/services/").content.decode()


@pytest.mark.req("R-CMP-02", "D-21")
def test_a_service_is_rated_once_within_a_week(her: Client) -> None:
    order, old = served(her), served(her, days_ago=9)
    Order.objects.filter(pk=old.pk).update(served_at=old.ends_at)
    html = her.get("/e/services/").content.decode()
    assert re.findall(r'href="/e/rate/(\d+)/"', html) == [str(order.pk)]
    address = f"/e/rate/{order.pk}/"
    form = form_of(her, address, "evaluate_visit")
    assert "请选择“评分”" in her.post("/do/evaluate_visit/", form).content.decode()
    her.post("/do/evaluate_visit/", form | {"score": "5", "comment": "很细心"})
    row = Evaluation.objects.get()
    assert (row.score, row.by, row.comment) == (5, "elder", "很细心")
    assert "已经评价过：5 分" in her.get(address).content.decode()
    late = form_of(her, f"/e/rate/{old.pk}/", "evaluate_visit") | {"score": "1"}
    answer = her.post("/do/evaluate_visit/", late)
    assert (answer.status_code, "不能再评价" in answer.content.decode()) == (422, True)


def test_a_family_chooses_among_its_own_elders(sign_in: SignIn) -> None:
    mother, father, stranger = make_elder(name="王秀英"), make_elder(name="李建国", sex="1"), make_elder(name="陌生人")
    client = sign_in(actor("family", elders=(mother, father)))
    html = client.get("/e/").content.decode()
    assert [name for name in ("王秀英", "李建国", "陌生人") if name in html] == ["王秀英", "李建国"]
    assert "李建国的服务" in client.get("/e/services/", {"elder": father.pk}).content.decode()
    assert client.get("/e/services/", {"elder": stranger.pk}).status_code == 404
    assert client.get("/e/", {"elder": "x"}).status_code == 404


def test_a_family_rates_in_its_own_name_and_not_for_strangers(sign_in: SignIn) -> None:
    mother = make_elder()
    order, other = (
        make_order("served", elder=mother, starts_at=business_now() - timedelta(hours=2)),
        make_order("served"),
    )
    client = sign_in(actor("family", elders=(mother,)))
    client.post("/do/evaluate_visit/", form_of(client, f"/e/rate/{order.pk}/", "evaluate_visit") | {"score": "4"})
    assert Evaluation.objects.get().by == "family"
    assert client.get(f"/e/rate/{other.pk}/").status_code == 404


def test_a_login_without_elder_is_told_what_to_do(sign_in: SignIn) -> None:
    answer = sign_in(actor("family")).get("/e/")
    assert answer.status_code == 404
    assert "还没有关联老人" in answer.content.decode()


@pytest.mark.parametrize("role", ["carer", "supervisor", "finance"])
def test_booking_is_closed_to_other_roles(sign_in: SignIn, role: str) -> None:
    assert sign_in(role).get("/e/book/").status_code == 403


@pytest.mark.parametrize("address", ["/e/", "/e/services/", "/e/book/"])
def test_pages_take_as_many_queries_for_three_services_as_for_one(her: Client, address: str) -> None:
    served(her)
    one = queries(her, address)
    served(her, days_ago=1)
    served(her, days_ago=2)
    assert queries(her, address) == one
    assert one <= 9, one


def test_when_the_cap_is_used_up_the_elder_ticks_how_much_more(her: Client) -> None:
    Entitlement.objects.update(monthly_cap_fen=1000)
    address = f"/e/book/A01/?day={tomorrow()}&hour=9"
    html = her.get(address).content.decode()
    assert "您比平时多付 30.00 元" in html
    assert "我同意多付 30.00 元" in html
    form = form_of(her, address, "place_order")
    assert her.post("/do/place_order/", form).status_code == 422
    assert not Order.objects.exists()
    her.post("/do/place_order/", form | {"_key": "second", "self_pay_consent": "老人或家属（手机确认）"})
    assert Order.objects.get().self_pay_consent == "老人或家属（手机确认）"
