"""Orders that carers take on the phone, orders for two on every page, and the span that an elder leaves open."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from tests.factories import (
    actor,
    make_area_tree,
    make_assignment,
    make_elder,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_service_area,
    make_staff,
    make_visit,
)
from tests.screens.test_hotline import form_of, queries

from yinling.dispatch.models import Assignment
from yinling.dispatch.queries import claims as reading
from yinling.ground.clock import business_now
from yinling.ground.parameters import parameter
from yinling.kernel.period import SHANGHAI, local_date
from yinling.orders.models import Hold, Order

SignIn = Callable[..., Client]
OPENED: dict[str, Any] = {"dispatch.claim_allowed": 1}


def tomorrow(hour: int) -> datetime:
    return datetime.combine(local_date(business_now()) + timedelta(days=1), time(hour), SHANGHAI)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        reading, "parameter", lambda key, area, day: OPENED[key] if key in OPENED else parameter(key, area, day)
    )


class Phone:
    """A carer's phone, and an open order of the own organisation for tomorrow."""

    def __init__(self, sign_in: SignIn) -> None:
        make_area_tree()
        self.staff = make_staff(qualified=("induction", "care_worker"))
        self.price = make_price(make_item(), self.staff.provider)
        self.order = self.wanted(10)
        self.client = sign_in(actor("carer", staff=self.staff))
        self.address = f"/m/open/?day={tomorrow(10).date().isoformat()}"

    def wanted(self, hour: int) -> Order:
        """One more open order."""
        return make_order(price=self.price, starts_at=tomorrow(hour), latest_at=tomorrow(hour + 1))

    def page(self, address: str = "") -> str:
        """The text of a page."""
        answer = self.client.get(address or self.address)
        assert answer.status_code == 200
        return str(answer.content.decode())


@pytest.fixture
def phone(sign_in: SignIn, opened: None) -> Phone:
    return Phone(sign_in)


def test_an_open_order_names_street_item_and_hour_and_is_taken_with_one_button(phone: Phone) -> None:
    html = phone.page()
    assert all(text in html for text in ("生活照料", "10:00", "崇安寺街道"))
    assert not any(text in html for text in (phone.order.elder_name, phone.order.address))
    assert "/m/open/" in phone.page("/m/")
    answer = phone.client.post("/do/claim_order/", form_of(phone.client, phone.address, "claim_order"))
    row = Assignment.objects.get(order=phone.order)
    assert (answer["Location"], row.state) == (f"/m/{row.pk}/", "accepted")
    assert phone.order.address in phone.page(f"/m/{row.pk}/")
    assert "这一天没有可以抢的订单" in phone.page()


def test_who_is_late_reads_why(phone: Phone) -> None:
    form = form_of(phone.client, phone.address, "claim_order")
    other = make_staff(phone.staff.provider)
    make_assignment(phone.order, other)
    Order.objects.filter(pk=phone.order.pk).update(state="assigned")
    answer = phone.client.post("/do/claim_order/", form | {"seen": ""})
    assert answer.status_code == 409
    assert "已被别人接走" in answer.content.decode()


def test_an_order_taken_is_given_back_on_its_page(phone: Phone) -> None:
    phone.client.post("/do/claim_order/", form_of(phone.client, phone.address, "claim_order"))
    row = Assignment.objects.get()
    given = form_of(phone.client, f"/m/{row.pk}/", "release_assignment") | {"reason": "家里有事"}
    Order.objects.filter(pk=row.order_id)
    assert phone.client.post("/do/release_assignment/", given)["Location"] == "/m/"
    row.refresh_from_db()
    assert (row.state, row.end_reason) == ("released", "家里有事")


def test_what_the_desk_named_shows_no_way_back(phone: Phone) -> None:
    row = make_assignment(
        make_order("assigned", price=phone.price, starts_at=tomorrow(14)), phone.staff, state="accepted"
    )
    assert "release_assignment" not in phone.page(f"/m/{row.pk}/")


def test_the_list_takes_few_queries_however_long(phone: Phone) -> None:
    phone.page()
    few = queries(phone.client, phone.address)
    for hour in (11, 12, 13, 14, 15):
        phone.wanted(hour)
    assert queries(phone.client, phone.address) <= few


def test_without_the_city_there_is_nothing_to_take(
    sign_in: SignIn, opened: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = Phone(sign_in)
    monkeypatch.setitem(OPENED, "dispatch.claim_allowed", 0)
    assert "这一天没有可以抢的订单" in phone.page()
    assert "/m/open/" not in phone.page("/m/")
    assert sign_in("seat").get("/m/open/").status_code == 403


def pair(*, state: str = "assigned") -> tuple[Order, list[Assignment]]:
    body = make_organisation()
    price = make_price(make_item(carers_needed=2), body)
    order = make_order(state, price=price, starts_at=business_now())
    people = [make_staff(body, name=name) for name in ("张三", "李四")]
    return order, [make_assignment(order, one, state="accepted", slot=slot) for slot, one in enumerate(people, 1)]


def test_both_carers_stand_on_the_order_and_on_each_others_phone(sign_in: SignIn) -> None:
    order, (first, second) = pair(state="in_service")
    make_visit(first)
    html = sign_in("seat").get(f"/orders/{order.pk}/").content.decode()
    assert "张三（已接受）、李四（已接受）" in html
    assert "两人同去" in html
    carer = sign_in(actor("carer", staff=second.staff))
    assert "张三" in carer.get(f"/m/{second.pk}/").content.decode()
    inside = sign_in(actor("carer", staff=first.staff)).get(f"/m/{first.pk}/").content.decode()
    assert "李四" in inside


def test_a_missing_second_is_named_on_the_order(sign_in: SignIn) -> None:
    order, (first, second) = pair(state="placed")
    second.state = "withdrawn"
    second.save()
    assert "还差一人" in sign_in("seat").get(f"/orders/{order.pk}/").content.decode()
    assert "另一位还没有派定" in sign_in(actor("carer", staff=first.staff)).get(f"/m/{first.pk}/").content.decode()


def test_the_supervisor_reviews_what_one_did_alone_on_the_order(sign_in: SignIn) -> None:
    order = make_order("served")
    Hold.objects.create(
        div=order.div, order=order, elder=order.elder, provider=order.provider, reason="只有 1 人完成", cause="visits.alone",
        from_at=business_now(),
    )  # fmt: skip
    client = sign_in("supervisor")
    form = form_of(client, f"/orders/{order.pk}/", "review_visit") | {"reason": "家属在场帮忙"}
    assert client.post("/do/review_visit/", form).status_code == 302
    assert not Hold.objects.filter(to_at=None).exists()
    assert "review_visit" not in sign_in("seat").get(f"/orders/{order.pk}/").content.decode()


@pytest.fixture
def offered(wide: Any) -> Any:
    body = make_organisation()
    make_service_area(body)
    return make_price(make_item(), body)


def test_the_seat_books_with_a_span(sign_in: SignIn, offered: Any) -> None:
    elder = make_elder()
    client = sign_in("seat")
    address = f"/orders/new/?elder={elder.pk}&item_code={offered.item.code}&starts_at={tomorrow(10):%Y-%m-%dT%H:%M}"
    assert "按本地惯例，可晚 30 分钟" in client.get(address).content.decode()
    form = form_of(client, f"{address}&flexible_minutes=120", "place_order")
    assert client.post("/do/place_order/", form).status_code == 302
    order = Order.objects.get()
    assert (order.earliest_at, order.latest_at) == (tomorrow(10), tomorrow(12))
    assert "10:00 到 12:00 之间开始都可以" in client.get(f"/orders/{order.pk}/").content.decode()
    form = form_of(client, address.replace("T10:", "T15:"), "place_order")
    client.post("/do/place_order/", form)
    assert Order.objects.get(starts_at=tomorrow(15)).latest_at == tomorrow(15) + timedelta(minutes=30)


def test_an_elder_says_how_late_it_may_be_and_reads_the_appointed_hour(sign_in: SignIn, offered: Any) -> None:
    elder = make_elder()
    client = sign_in(actor("elder", elders=(elder,)))
    book = f"/e/book/{offered.item.code}/?day={tomorrow(9).date().isoformat()}&hour=9"
    assert "晚 1 小时也可以" in client.get(f"/e/book/{offered.item.code}/").content.decode()
    assert "之间都可以" not in client.get(book).content.decode()
    assert "上午 9 点 到 上午 10 点 之间都可以" in client.get(f"{book}&later=60").content.decode()
    client.post("/do/place_order/", form_of(client, f"{book}&later=60", "place_order"))
    order = Order.objects.get()
    assert order.latest_at == tomorrow(10)
    assert "上午 9 点 到 上午 10 点 之间开始" in client.get("/e/services/").content.decode()
    Order.objects.filter(pk=order.pk).update(starts_at=tomorrow(10), ends_at=tomorrow(11), state="assigned")
    for page in ("/e/services/", "/e/"):
        assert "上午 10 点（比预约的时间有调整）" in client.get(page).content.decode()
    assert "请从列出的选项里选择" in client.get(f"{book}&later=45").content.decode()
