"""An organisation takes no order for a day on which it may not serve at home: policies, and the list for home medical care."""

from datetime import timedelta

import pytest
from tests.factories import (
    COMMUNITY,
    LONG_AGO,
    NOW,
    TODAY,
    actor,
    make_area_tree,
    make_elder,
    make_item,
    make_order,
    make_organisation,
    make_policy,
    make_price,
    make_service_area,
)

from yinling.directory.models import Policy
from yinling.ground.scope import scope
from yinling.kernel.refusals import Refusal
from yinling.orders.models import Order
from yinling.orders.operations import accept_order, place_order
from yinling.orders.queries import quote
from yinling.orders.states import OrderState

pytestmark = pytest.mark.usefixtures("wide")
TOMORROW = NOW + timedelta(days=1)
DAY = TODAY + timedelta(days=1)


def code_of(*, is_medical: bool, policies: dict[str, int], listed: bool = True) -> str:
    """Quote and place at a body whose policies end so many days after the service day; return why it was refused, or nothing."""
    make_area_tree()
    body = make_organisation(
        insured=False, does_home_medical=listed, home_medical_filed_on=LONG_AGO if listed else None
    )
    for kind, days in policies.items():
        make_policy(body, kind, valid_to=DAY + timedelta(days=days))
    item = make_item(is_medical=is_medical)
    price, elder, seat = make_price(item, body), make_elder(), actor("seat")
    before = Order.objects.count()
    with scope(seat):
        try:
            quote(actor=seat, elder_id=elder.pk, item_code=item.code, starts_at=TOMORROW, now=NOW, provider_id=body.pk)
            place_order(
                actor=seat, now=NOW, elder_id=elder.pk, item_code=item.code, starts_at=TOMORROW, provider_id=body.pk,
                quoted_total_fen=price.amount_fen, quoted_self_fen=price.amount_fen, channel="console",
            )  # fmt: skip
        except Refusal as refusal:
            assert Order.objects.count() == before
            return refusal.code if refusal.field == "provider_id" else ""
    assert Order.objects.count() == before + 1
    return ""


ALL = {"liability": 1, "personal_injury": 1, "medical_accident": 1}


@pytest.mark.req("R-ORD-13")
@pytest.mark.parametrize(
    ("is_medical", "policies", "expected"),
    [
        (True, ALL, ""),
        (False, ALL, ""),
        (False, {"liability": 1, "personal_injury": 1}, ""),
        (True, {"liability": 1, "personal_injury": 1}, "order.insurance"),
        (True, ALL | {"medical_accident": 0}, "order.insurance"),
        (False, ALL | {"liability": 0}, "order.insurance"),
        (False, ALL | {"personal_injury": 0}, "order.insurance"),
        (False, {}, "order.insurance"),
    ],
)
def test_no_order_without_the_policies_of_the_service_day(
    *, is_medical: bool, policies: dict[str, int], expected: str
) -> None:
    assert code_of(is_medical=is_medical, policies=policies) == expected


@pytest.mark.req("R-STF-04")
def test_a_body_that_is_not_listed_takes_no_medical_order_and_any_other() -> None:
    assert code_of(is_medical=True, policies=ALL, listed=False) == "order.not_listed"
    assert code_of(is_medical=True, policies=ALL, listed=True) == ""
    assert code_of(is_medical=False, policies=ALL, listed=False) == ""


@pytest.mark.req("R-ORD-13")
def test_an_order_placed_before_the_policy_ended_is_not_accepted_after() -> None:
    body = make_organisation()
    order = make_order("placed", price=make_price(make_item(), body))
    Policy.objects.filter(organisation=body, kind="liability").update(valid_to=DAY)
    manager = actor("provider_manager", organisation=body)
    with scope(manager):
        with pytest.raises(Refusal) as refused:
            accept_order(actor=manager, now=NOW, order_id=order.pk)
        assert refused.value.code == "order.insurance"
        assert Order.objects.get(pk=order.pk).state == OrderState.PLACED
        make_policy(body, valid_from=DAY)
        accept_order(actor=manager, now=NOW, order_id=order.pk)


@pytest.mark.req("R-ORD-04")
def test_an_order_goes_to_the_body_of_the_grid_in_which_the_home_lies() -> None:
    make_area_tree()
    wide, near = make_organisation(), make_organisation()
    item, elder, seat = make_item(), make_elder(), actor("seat")
    make_price(item, wide)
    make_price(item, near)
    make_service_area(wide, item.family)
    corners = [[120.29, 31.56], [120.31, 31.56], [120.31, 31.58], [120.29, 31.58], [120.29, 31.56]]
    outline = {"type": "MultiPolygon", "coordinates": [[corners]]}
    with scope(seat):
        asked = {"actor": seat, "elder_id": elder.pk, "item_code": item.code, "starts_at": TOMORROW, "now": NOW}
        assert quote(**asked).provider == wide
        make_service_area(near, item.family, COMMUNITY, outline=outline, name="一网格")
        assert quote(**asked).provider == near
