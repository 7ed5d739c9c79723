"""What elders paid through the platform is paid out to providers only as far as it is still owed when the file goes to the bank."""

from __future__ import annotations

import pytest
from tests.factories import actor, system
from tests.settlement.paying import an_order, asked, tell, use
from tests.settlement.stated import LATER, batch, refused, with_account

from yinling.orders.models import Order
from yinling.settlement.channel import tend_payments
from yinling.settlement.models import Payment, Payout
from yinling.settlement.operations import (
    approve_payout,
    decide_bill_objection,
    export_payout,
    raise_bill_objection,
    refund_payment,
    review_payout,
    settle_order,
)
from yinling.settlement.operations.refunds import finish_refund
from yinling.settlement.queries.payables import payables

pytestmark = pytest.mark.usefixtures("wide")


@pytest.fixture(autouse=True)
def _channel(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "fake.FakePayment")


def paid() -> tuple[Order, str]:
    """An order of which the elder paid 40.00 yuan through the platform, settled and offset; and the key under which that is owed."""
    order = an_order("served")
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    tell(asked(order), channel="demo")
    tend_payments(system(), LATER)
    [owed] = [one for one in payables(actor("finance"), "3202") if one.key.startswith("payment:")]
    assert owed.amount_fen == 4000
    with_account(order.provider)
    return order, owed.key


def approved_batch(key: str) -> Payout:
    row = batch([key])
    review_payout(actor=actor("finance"), now=LATER, payout_id=row.pk)
    return approve_payout(actor=actor("finance"), now=LATER, payout_id=row.pk, count=1)


def test_an_objection_raised_after_the_batch_was_drawn_up_keeps_the_money_from_the_bank() -> None:
    order, key = paid()
    row = approved_batch(key)
    family = actor("family", elders=(order.elder,))
    raise_bill_objection(actor=family, now=LATER, order_id=order.pk, text="没有人来")
    with refused("payout.held"):
        export_payout(actor=actor("finance"), now=LATER, payout_id=row.pk)
    decide_bill_objection(actor=actor("finance"), now=LATER, order_id=order.pk, result="kept", reason="已核实")
    assert export_payout(actor=actor("finance"), now=LATER, payout_id=row.pk).state == "exported"


def test_what_went_back_to_the_elder_meanwhile_is_not_paid_to_the_provider() -> None:
    order, key = paid()
    row = batch([key])
    review_payout(actor=actor("finance"), now=LATER, payout_id=row.pk)
    payment = Payment.objects.get(order=order).pk
    refund = refund_payment(actor=actor("finance"), now=LATER, payment_id=payment, amount_fen=1, reason="多收了")
    finish_refund(actor=system(), now=LATER, refund_id=refund.pk)
    with refused("payout.held"):
        approve_payout(actor=actor("finance"), now=LATER, payout_id=row.pk, count=1)
