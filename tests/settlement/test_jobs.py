"""The job settles what is due and goes on past what is refused."""

from datetime import timedelta

import pytest
from tests.factories import city, make_elder, make_hold, make_item, make_order, make_price, system

from yinling.accounts.models import Journal
from yinling.ground.clock import business_now
from yinling.orders.models import Order
from yinling.settlement.jobs import settle_due
from yinling.settlement.models import Posting

pytestmark = pytest.mark.usefixtures("wide")


def test_due_orders_are_settled_held_and_repeated_ones_are_not() -> None:
    city()
    system()
    due = make_order("served")
    held = make_order("served")
    make_hold(held)
    fresh = make_order("served")
    Order.objects.filter(pk=fresh.pk).update(served_at=business_now() - timedelta(minutes=59))
    elder, item = make_elder(), make_item()
    first, twice = (make_order("served", elder=elder, price=make_price(item)) for _ in range(2))
    assert settle_due() == 2
    assert set(Posting.objects.values_list("order_id", flat=True)) == {due.pk, first.pk}
    assert set(Order.objects.filter(state="served").values_list("pk", flat=True)) == {held.pk, fresh.pk, twice.pk}


def test_a_refused_order_waits_for_a_person_and_fills_no_journal() -> None:
    city()
    system()
    order = make_order("served")
    Journal.objects.create(
        div=order.div, business_at=business_now(), user_name="系统", role="system", event="settlement.order.settle", subject_type="order",
        subject_id=order.pk, is_refused=True, code="settlement.repeated", digest=b"0" * 32,
    )  # fmt: skip
    assert settle_due() == 0
    assert Order.objects.get(pk=order.pk).state == "served"
