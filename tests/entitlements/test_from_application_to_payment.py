"""From the application to a service that the approved entitlement pays for, and back to the budget."""

from datetime import date, datetime, timedelta

import pytest
from tests.entitlements.applying import applied, approved, budget, noticed, office, poor, reviewed
from tests.factories import COMMUNITY, NOW, actor, make_item, make_organisation, make_price, make_service_area, system

from yinling.entitlements.models import Entitlement, Quota
from yinling.entitlements.operations import end_entitlement
from yinling.kernel.refusals import Refused
from yinling.orders.models import Order, PayerShare
from yinling.orders.operations import place_order
from yinling.orders.queries import quote
from yinling.orders.states import OrderState
from yinling.settlement.operations import settle_order

JULY = datetime.fromisoformat("2026-07-06T02:00:00+00:00")


def test_an_order_is_paid_by_the_entitlement_that_was_applied_for(wide: object) -> None:
    here, elder = office(), poor()
    year = budget(here, heads=1, fen=1_000_000)
    item, body = make_item(code="N01"), make_organisation()
    make_price(item, body, 8000)
    make_service_area(body)
    seat = actor("seat", COMMUNITY)
    asked = {"elder_id": elder.pk, "item_code": "N01", "starts_at": JULY}
    assert quote(actor=seat, now=NOW, **asked).self_fen == 8000, "nothing is approved yet"
    row = approved(here, noticed(here, reviewed(here, applied(here, elder))))
    given = Entitlement.objects.get(application=row)
    order = place_order(actor=seat, now=JULY - timedelta(days=1), quoted_total_fen=8000, quoted_self_fen=0, **asked)
    share = PayerShare.objects.get(order=order, amount_fen__gt=0)
    assert (share.payer, share.entitlement_id, share.amount_fen) == ("government", given.pk, 8000)
    counter = Quota.objects.get(entitlement=given)
    assert (counter.from_on, counter.cap, counter.reserved) == (date(2026, 7, 1), 15000, 8000)
    for state in (OrderState.ASSIGNED, OrderState.IN_SERVICE, OrderState.SERVED):
        order.state = state
        order.served_at = JULY + timedelta(hours=1)
        order.save()
    settle_order(actor=system(), now=JULY + timedelta(days=1), order_id=order.pk)
    counter.refresh_from_db()
    assert (counter.reserved, counter.used, Order.objects.get(pk=order.pk).state) == (0, 8000, "settled")
    end_entitlement(
        actor=here.street,
        now=JULY + timedelta(days=30),
        entitlement_id=given.pk,
        valid_to=date(2026, 8, 4),
        reason="放弃",
    )
    year.refresh_from_db()
    assert (year.committed_fen, year.committed_heads) == (8000, 0), (
        "what was spent stays, the rest and the place come back"
    )


def test_beyond_the_month_of_the_entitlement_the_elder_pays(wide: object) -> None:
    here, elder = office(), poor()
    budget(here, heads=1, fen=1_000_000)
    item, body = make_item(code="N01"), make_organisation()
    make_price(item, body, 10_000)
    make_service_area(body)
    approved(here, noticed(here, reviewed(here, applied(here, elder))))
    seat = actor("seat", COMMUNITY)
    first = {"elder_id": elder.pk, "item_code": "N01", "starts_at": JULY}
    place_order(actor=seat, now=JULY - timedelta(days=1), quoted_total_fen=10_000, quoted_self_fen=0, **first)
    second = first | {"starts_at": JULY + timedelta(hours=3)}
    assert quote(actor=seat, now=JULY - timedelta(days=1), **second).self_fen == 5000
    with pytest.raises(Refused):
        place_order(actor=seat, now=JULY - timedelta(days=1), quoted_total_fen=10_000, quoted_self_fen=0, **second)
