"""How far an order has come, read from the rows beside it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.factories import NOW, make_assignment, make_order, make_price, make_staff, make_user, make_visit

from yinling.orders.models import Hold, Order
from yinling.visits.models import Evaluation, Visit
from yinling.visits.queries import stage, with_progress

pytestmark = pytest.mark.django_db


def order_in(state: str, visit: str = "", **values: Any) -> Order:
    """An order in a state, with a visit in a state of its own."""
    staff = make_staff()
    order = make_order(state, price=make_price(organisation=staff.provider))
    if visit:
        make_visit(make_assignment(order, staff, state="accepted"), state=visit, **values)
    return order


def hold(order: Order) -> None:
    Hold.objects.create(
        div=order.div,
        order=order,
        elder_id=order.elder_id,
        provider_id=order.provider_id,
        reason="核查",
        cause="test",
        from_at=NOW,
    )


@pytest.mark.req("R-ORD-01")
@pytest.mark.parametrize(
    ("state", "visit", "expected"),
    [
        ("draft", "", "draft"),
        ("placed", "", "placed"),
        ("accepted", "", "accepted"),
        ("assigned", "", "dispatched"),
        ("assigned", "en_route", "en_route"),
        ("in_service", "on_site", "on_site"),
        ("served", "done", "done"),
        ("settled", "done", "settled"),
        ("closed", "done", "closed"),
        ("cancelled", "", "cancelled"),
        ("failed", "aborted", "failed"),
    ],
)
def test_the_stage_follows_order_and_visit(wide: Any, state: str, visit: str, expected: str) -> None:
    assert stage(order_in(state, visit)) == expected


@pytest.mark.req("R-ORD-01")
def test_signature_hold_and_evaluation_are_stages_too(wide: Any) -> None:
    signed = order_in("served", "done", signed_by="王秀英")
    assert stage(signed) == "confirmed"
    hold(signed)
    assert stage(signed) == "disputed"
    Hold.objects.update(to_at=NOW + timedelta(hours=1), released_by=make_user())
    assert stage(signed) == "confirmed"
    rated = order_in("settled", "done")
    Evaluation.objects.create(
        div=rated.div, order=rated, elder_id=rated.elder_id, provider_id=rated.provider_id, score=5, by="elder", user=make_user(),
        evaluated_at=NOW,
    )  # fmt: skip
    assert stage(rated) == "evaluated"


def test_the_stages_of_many_orders_take_one_query(wide: Any) -> None:
    for state in ("placed", "assigned", "served"):
        order_in(state)
    with CaptureQueriesContext(connection) as seen:
        assert sorted(stage(order) for order in with_progress(Order.objects.all())) == ["dispatched", "done", "placed"]
    assert len(seen.captured_queries) == 1
    assert Visit.objects.count() == 0
