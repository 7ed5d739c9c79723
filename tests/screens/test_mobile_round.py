"""M01: the carer's round on the phone: ways, windows, partners, one button for all offers, and what changed since the last look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.factories import actor, make_assignment, make_item, make_order, make_price
from tests.screens.planned import Street
from tests.screens.test_orders import form_of, queries_of

from yinling.dispatch.models import Assignment
from yinling.ground.clock import business_now

SignIn = Callable[..., Client]


@pytest.fixture
def street(sign_in: SignIn) -> Street:
    return Street()


def given(street: Street, hour: int, staff: Any = None, state: str = "accepted", **values: Any) -> Assignment:
    order = make_order(
        "assigned",
        price=street.price,
        starts_at=street.at(hour),
        earliest_at=street.at(hour - 1),
        latest_at=street.at(hour + 1),
    )
    return make_assignment(
        order, staff or street.carers[0], state=state, accept_due_at=business_now() + timedelta(hours=2), **values
    )


def tomorrow(street: Street) -> str:
    return f"/m/?day={street.day}"


def test_the_round_tells_ways_windows_and_places_in_order(sign_in: SignIn, street: Street) -> None:
    first, second = given(street, 13), given(street, 9)
    plan = street.plan()
    Assignment.objects.filter(pk=first.pk).update(plan=plan)
    street.visit(plan, street.carers[0], first.order, way_minutes=17)
    html = sign_in(actor("carer", staff=street.carers[0])).get(tomorrow(street)).content.decode()
    assert html.index(second.order.elder_name) < html.rindex(first.order.elder_name)
    assert "1. <time" in html
    assert html.count("路上约") == 2
    assert "路上约 17 分" in html
    assert "可上门时段 08:00–10:00" in html


def test_a_double_visit_names_the_partner_without_a_number(sign_in: SignIn, street: Street) -> None:
    price = make_price(make_item(carers_needed=2), street.body)
    order = make_order("assigned", price=price, starts_at=street.at(9))
    make_assignment(order, street.carers[0], state="accepted")
    client = sign_in(actor("carer", staff=street.carers[0]))
    assert "另一位还没有确定" in client.get(tomorrow(street)).content.decode()
    make_assignment(order, street.carers[1], state="offered", slot=2)
    html = client.get(tomorrow(street)).content.decode()
    assert "与 王芳 同去" in html
    assert "tel:" not in html


def test_all_offers_of_the_day_are_taken_with_one_button(sign_in: SignIn, street: Street) -> None:
    given(street, 9, state="offered")
    client = sign_in(actor("carer", staff=street.carers[0]))
    assert 'data-action="accept_all"' not in client.get(tomorrow(street)).content.decode()
    given(street, 12, state="offered")
    html = client.get(tomorrow(street)).content.decode()
    assert "接受全部 2 次" in html
    answer = client.post("/do/accept_all/", form_of(html, "accept_all"))
    assert (answer.status_code, answer["Location"]) == (302, tomorrow(street))
    assert set(Assignment.objects.values_list("state", flat=True)) == {"accepted"}


def test_what_came_and_what_was_withdrawn_since_the_last_look_is_marked(sign_in: SignIn, street: Street) -> None:
    client = sign_in(actor("carer", staff=street.carers[0]))
    old, lost = given(street, 9), given(street, 12)
    Assignment.objects.update(changed_at=business_now() - timedelta(days=2))
    first = client.get(tomorrow(street)).content.decode()
    assert "有变化" not in first
    assert "已撤回" not in first
    session = client.session
    session["looked"] = {"before": "", "at": (business_now() - timedelta(hours=1)).isoformat()}
    session.save()
    Assignment.objects.filter(pk=lost.pk).update(state="withdrawn", ended_at=business_now())
    fresh = given(street, 15, state="offered", changed_at=business_now())
    for _look in range(2):
        html = client.get(tomorrow(street)).content.decode()
        assert html.count("有变化") == 1
        assert html.index("有变化") > html.index(f"/m/{fresh.pk}/")
        assert html.count("已撤回") == 1
        assert f"<del>12:00 {lost.order.elder_name}</del>" in html
    assert f"/m/{old.pk}/" in html


def test_the_round_takes_the_same_few_queries_for_one_stop_and_for_three(sign_in: SignIn, street: Street) -> None:
    client = sign_in(actor("carer", staff=street.carers[0]))
    given(street, 9)
    queries_of(client, tomorrow(street))
    before = queries_of(client, tomorrow(street))
    given(street, 11)
    given(street, 13)
    assert queries_of(client, tomorrow(street)) == before
