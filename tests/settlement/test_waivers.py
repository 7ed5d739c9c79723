"""A refund by finance says whether the bill stands: a part that was wrong is not asked for again, what was paid by mistake is."""

import pytest
from django.db import transaction
from tests.factories import actor, system
from tests.settlement.paying import LATER, an_order, asked, refused, sums, tell, use

from yinling.kernel.refusals import NotAllowed
from yinling.orders.models import Order
from yinling.settlement.models import Payment, Refund
from yinling.settlement.operations import (
    ask_payment,
    finish_refund,
    refund_payment,
    reverse_order,
    settle_order,
)
from yinling.settlement.queries.bills import bill_of
from yinling.settlement.queries.payments import own_part, payments_to_return, unmatched_payments

pytestmark = pytest.mark.usefixtures("wide")


@pytest.fixture(autouse=True)
def _channel(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "fake.FakePayment")


def paid() -> tuple[Order, Payment, int]:
    """A settled order whose own part was paid, and how much that is."""
    order = settle_order(actor=system(), now=LATER, order_id=an_order("served").pk)
    row = tell(asked(order, LATER), LATER)
    row.refresh_from_db()
    return order, row, row.amount_fen


def back(row: Payment, fen: int, cause: str) -> Refund:
    found = refund_payment(
        actor=actor("finance"), now=LATER, payment_id=row.pk, amount_fen=fen, cause=cause, reason="时间算多了"
    )
    if found.state == "asked":
        found = finish_refund(actor=system(), now=LATER, refund_id=found.pk)
    row.refresh_from_db()
    return found


@pytest.mark.req("R-PAY-14")
def test_a_part_of_a_bill_that_was_wrong_is_not_asked_for_again() -> None:
    order, row, fen = paid()
    before = sums(order)
    back(row, 1_000, Refund.WRONG_BILL)
    bill = bill_of(order)
    assert (bill.own_fen, bill.waived_fen, bill.left_fen, bill.can_pay) == (fen - 1_000, 1_000, 0, False)
    assert bill.standing == "已付清"
    assert own_part(order) == fen - 1_000
    with refused("payment.nothing", NotAllowed), transaction.atomic():
        ask_payment(actor=actor("finance"), now=LATER, order_id=order.pk)
    after = sums(order)
    assert after["payable.provider"] == before["payable.provider"] + 1_000
    assert after["bank"] == before["bank"] - 1_000
    assert {name: after.get(name, 0) for name in ("direct.elder", "direct.provider")} == {
        name: before.get(name, 0) for name in ("direct.elder", "direct.provider")
    }  # fmt: skip
    assert not unmatched_payments(order.div).exists()
    assert not payments_to_return(order.div).exists()


def test_what_was_paid_by_mistake_is_asked_for_again() -> None:
    order, row, fen = paid()
    back(row, 1_000, Refund.OVERPAID)
    bill = bill_of(order)
    assert (bill.own_fen, bill.waived_fen, bill.left_fen) == (fen, 0, 1_000)
    assert ask_payment(actor=actor("finance"), now=LATER, order_id=order.pk).amount_fen == 1_000


def test_both_causes_together_and_the_rest_can_be_waived_too() -> None:
    order, row, fen = paid()
    back(row, 1_000, Refund.OVERPAID)
    back(row, 500, Refund.WRONG_BILL)
    bill = bill_of(order)
    assert (bill.own_fen, bill.paid_fen, bill.left_fen) == (fen - 500, fen - 1_500, 1_000)
    back(row, fen - 1_500, Refund.WRONG_BILL)
    bill = bill_of(order)
    assert (bill.own_fen, bill.paid_fen, bill.left_fen) == (1_000, 0, 1_000)


def test_a_reversal_takes_the_waiver_back_and_a_new_bill_is_whole() -> None:
    order, row, fen = paid()
    back(row, 1_000, Refund.WRONG_BILL)
    reverse_order(actor=actor("finance"), now=LATER, order_id=order.pk, reason="误")
    assert own_part(order) == 0
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    assert own_part(order) == fen
    assert bill_of(order).waived_fen == 0


def test_a_bill_that_is_not_there_or_smaller_is_not_corrected() -> None:
    order = an_order()
    row = tell(asked(order))
    with refused("payment.no_bill"), transaction.atomic():
        back(row, 100, Refund.WRONG_BILL)
    with refused("choice.unknown"), transaction.atomic():
        back(row, 100, "because")
    assert not Refund.objects.exists()
    assert sums(order)["bank"] == row.amount_fen
