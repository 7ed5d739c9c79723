"""The list on which a canteen says which meals were had, and its paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from tests.factories import actor, make_item, make_order, make_organisation, make_price
from tests.screens.test_orders import queries_of

from yinling.catalogue.models import Price
from yinling.ground.clock import business_now
from yinling.kernel.period import day_bounds, local_date
from yinling.orders.models import Order

SignIn = Callable[..., Client]
pytestmark = [pytest.mark.usefixtures("wide"), pytest.mark.req("R-MEA-05", "R-MEA-07")]


def start(days: int = 0) -> datetime:
    """The beginning of today, or of a day beside it: pages follow the business clock."""
    return day_bounds(local_date(business_now()) + timedelta(days=days))[0]


def lunch() -> Price:
    body = make_organisation(kind="meal_point")
    item = make_item(family="meal", units=["lunch", "dining"], needs_visit=False, name="午餐套餐")
    return make_price(item, body, 1500)


def waiting(price: Price, **values: object) -> Order:
    chosen = {"starts_at": start(), "needs_visit": False, "meal_channel": "canteen", **values}
    return make_order(price=price, **chosen)  # type: ignore[arg-type]


def shown(html: str) -> set[int]:
    return {int(part.split('"', 1)[0]) for part in html.split('id="meal-')[1:]}


def test_the_canteen_sees_its_meals_of_today_and_before_and_confirms_those_that_were_had(sign_in: SignIn) -> None:
    price = lunch()
    today, before = waiting(price), waiting(price, starts_at=start(-1))
    later, other = waiting(price, starts_at=start(1)), waiting(lunch())
    client = sign_in(actor("provider_manager", organisation=price.organisation))
    html = client.get("/meals/").content.decode()
    assert shown(html) == {today.pk, before.pk}
    assert "午餐套餐" in html
    assert shown(client.get("/meals/", {"meal": "dinner"}).content.decode()) == set()
    assert shown(client.get("/meals/", {"day": f"{local_date(start())}"}).content.decode()) == {today.pk}
    assert client.get("/meals/?all=1").content.decode().count(" checked") == 2
    assert client.post("/meals/?meal=lunch", {"order_ids": [today.pk]}).headers["Location"] == "/meals/?meal=lunch"
    assert shown(client.get("/meals/").content.decode()) == {before.pk}
    states = dict(Order.objects.values_list("pk", "state"))
    assert states == {today.pk: "served", before.pk: "placed", later.pk: "placed", other.pk: "placed"}


def test_what_cannot_be_confirmed_is_said_and_the_ticks_stay(sign_in: SignIn) -> None:
    price = lunch()
    mine, other = waiting(price), waiting(lunch())
    client = sign_in(actor("provider_manager", organisation=price.organisation))
    for numbers in ([], [mine.pk, other.pk], ["9" * 30]):
        answer = client.post("/meals/", {"order_ids": numbers})
        assert answer.status_code in (404, 422)
        assert 'role="alert"' in answer.content.decode()
    assert set(Order.objects.values_list("state", flat=True)) == {"placed"}
    assert client.post("/meals/", {"order_ids": [mine.pk, other.pk]}).content.decode().count(" checked") == 1


def test_the_list_has_a_paper_and_needs_the_right_and_as_many_queries_for_three_meals_as_for_one(
    sign_in: SignIn,
) -> None:
    price = lunch()
    client = sign_in(actor("provider_manager", organisation=price.organisation))
    assert "没有等待确认的用餐" in client.get("/meals/").content.decode()
    waiting(price)
    one = queries_of(client, "/meals/")
    waiting(price)
    waiting(price)
    assert one == queries_of(client, "/meals/") <= 8
    assert client.get("/meals/print/").content.decode().count("午餐套餐") == 3
    assert sign_in("seat").get("/meals/").status_code == 403


def test_all_of_a_page_are_ticked_there_and_no_others_once_they_are_confirmed(sign_in: SignIn) -> None:
    price = lunch()
    for _number in range(52):
        waiting(price)
    client = sign_in(actor("provider_manager", organisation=price.organisation))
    link = re.findall(r'href="([^"]+)" data-key="a"', client.get("/meals/?page=2").content.decode())[0]
    html = client.get(link.replace("&amp;", "&")).content.decode()
    assert (html.count(" checked"), len(shown(html))) == (2, 2)
    here = re.findall(r'<form method="post" action="(/meals/[^"]*)"', html)[0].replace("&amp;", "&")
    after = client.post(here, {"order_ids": re.findall(r'name="order_ids" value="(\d+)"', html)})["Location"]
    html = client.get(after.replace("page=2", "page=1")).content.decode()
    assert (html.count(" checked"), len(shown(html))) == (0, 50)
