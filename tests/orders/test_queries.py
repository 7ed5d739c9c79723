"""Lists of orders, each only for whom it concerns, and what jobs find."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.factories import (
    COMMUNITY,
    NOW,
    OTHER_COMMUNITY,
    OTHER_DISTRICT,
    TODAY,
    WIDE,
    actor,
    make_area_tree,
    make_elder,
    make_order,
    make_organisation,
    make_price,
    system,
)

from yinling.ground.asof import AsOf
from yinling.ground.scope import scope
from yinling.orders.jobs import sweep, sweep_city
from yinling.orders.models import Order
from yinling.orders.queries import count_by_state, in_dispatch_order, orders_of, orders_to_stop
from yinling.people.models import Circumstance, Elder

pytestmark = pytest.mark.usefixtures("wide")


def test_each_sees_the_orders_that_concern_him() -> None:
    price = make_price()
    here = make_order(elder=make_elder(COMMUNITY), price=price)
    there = make_order(elder=make_elder(OTHER_COMMUNITY))
    for who, expected in (
        (actor("seat"), {here.pk, there.pk}),
        (actor("district", OTHER_DISTRICT), {there.pk}),
        (actor("provider_manager", organisation=price.organisation), {here.pk}),
        (actor("elder", elders=(here.elder,)), {here.pk}),
        (actor("provider_manager"), set()),
    ):
        assert {order.pk for order in orders_of(who)} == expected
        with scope(who):
            assert {order.pk for order in Order.objects.all()} == expected


def test_waiting_orders_come_urgent_first_then_by_start() -> None:
    late = make_order("accepted", starts_at=NOW + timedelta(days=2))
    soon = make_order(starts_at=NOW + timedelta(days=1))
    urgent = make_order(starts_at=NOW + timedelta(days=3), is_urgent=True)
    make_order("assigned")
    make_order("cancelled")
    assert [order.pk for order in in_dispatch_order(Order.objects.within("3202"))] == [urgent.pk, soon.pk, late.pk]
    assert list(in_dispatch_order(Order.objects.within(OTHER_DISTRICT))) == []


def test_states_are_counted_in_one_query() -> None:
    for state in ("placed", "placed", "served"):
        make_order(state)
    with CaptureQueriesContext(connection) as queries:
        assert count_by_state(orders_of(actor_of_the_city())) == {"placed": 2, "served": 1}
    assert len(queries) == 1


def actor_of_the_city() -> Any:
    from tests.factories import WIDE  # noqa: PLC0415 - beside its one use

    return WIDE


@pytest.mark.req("R-PEO-03")
def test_orders_of_the_dead_and_of_the_moved_are_cancelled_by_the_round() -> None:
    make_area_tree()
    system()
    dead, moved, alive = (make_order(elder=make_elder()) for _ in range(3))
    before_death = make_order("assigned", elder=dead.elder, starts_at=NOW - timedelta(days=3))
    Elder.objects.filter(pk=dead.elder_id).update(died_on=TODAY - timedelta(days=1))
    Circumstance.objects.create(
        div=COMMUNITY, elder=moved.elder, kind="moved_away", body="x", valid_from=TODAY, recorded_from=NOW
    )
    assert {order.pk for order, _fate in orders_to_stop("3202", NOW)} == {dead.pk, moved.pk}
    assert sweep_city("3202", NOW) == 2
    states = dict(Order.objects.values_list("pk", "state"))
    assert states == {dead.pk: "cancelled", moved.pk: "cancelled", alive.pk: "placed", before_death.pk: "assigned"}
    reasons = dict(Order.objects.filter(state="cancelled").values_list("pk", "cancel_reason"))
    assert reasons == {dead.pk: "老人已去世", moved.pk: "老人已迁出"}
    assert sweep_city("3202", NOW) == 0


def test_accepted_orders_nobody_was_named_for_go_back_and_old_settled_ones_are_closed() -> None:
    make_area_tree()
    system()
    silent = make_order("accepted", starts_at=NOW + timedelta(hours=1), accepted_at=NOW - timedelta(hours=5))
    fresh = make_order("accepted", starts_at=NOW + timedelta(hours=1), accepted_at=NOW)
    far = make_order("accepted", accepted_at=NOW - timedelta(hours=5))
    old, recent = (make_order("settled") for _ in range(2))
    Order.objects.filter(pk=old.pk).update(settled_at=NOW - timedelta(days=7))
    Order.objects.filter(pk=recent.pk).update(settled_at=NOW - timedelta(days=6))
    assert sweep_city("3202", NOW) == 2
    states = dict(Order.objects.values_list("pk", "state"))
    assert states == {
        silent.pk: "placed", fresh.pk: "accepted", far.pk: "accepted", old.pk: "closed", recent.pk: "settled",
    }  # fmt: skip


def test_the_round_visits_every_city() -> None:
    make_area_tree()
    system()
    order = make_order("placed", elder=make_elder(died_on=TODAY), starts_at=NOW + timedelta(days=3650))
    make_organisation()
    sweep(0)
    order.refresh_from_db()
    assert order.state == "cancelled"


def test_an_order_still_to_come_is_there_when_looking_back(wide: object) -> None:
    start = NOW + timedelta(days=5)
    order = make_order(starts_at=start, latest_at=start + timedelta(hours=1))
    with scope(WIDE, AsOf(TODAY)):
        assert Order.objects.get(pk=order.pk).latest_at == start + timedelta(hours=1)
    with scope(WIDE, AsOf(TODAY - timedelta(days=1))):
        assert not Order.objects.filter(pk=order.pk).exists()
