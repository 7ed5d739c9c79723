"""What is due, what a page lists, what an order left behind."""

from datetime import timedelta

import pytest
from tests.factories import (
    COMMUNITY,
    NOW,
    OTHER_COMMUNITY,
    OTHER_DISTRICT,
    actor,
    make_elder,
    make_hold,
    make_order,
    system,
)

from yinling.directory.rules import require
from yinling.kernel.period import local_date, month_start
from yinling.kernel.refusals import Denied
from yinling.orders.models import Order
from yinling.settlement.models import Posting
from yinling.settlement.operations import reverse_order, settle_order
from yinling.settlement.queries import (
    account_name,
    balances,
    due_orders,
    held_orders,
    order_account,
    order_totals,
    settled_orders,
    statement_totals,
    statements,
    waiting_orders,
)

pytestmark = pytest.mark.usefixtures("wide")
LATER = NOW + timedelta(days=3)


def test_an_order_is_due_after_the_waiting_time() -> None:
    order = make_order("served")
    end = order.served_at
    assert list(due_orders("3202", end + timedelta(minutes=59))) == []
    assert list(due_orders("3202", end + timedelta(minutes=60))) == [order]
    make_hold(order)
    assert list(due_orders("3202", end + timedelta(minutes=60))) == []


def test_totals_and_account_of_an_order() -> None:
    order = make_order("served")
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    finance = actor("finance")
    rows = settled_orders(finance)
    assert order_totals(rows) == {"count": 1, "total_fen": 8000, "self_fen": 8000, "paid_fen": 0}
    assert rows.get().is_charged
    assert not rows.get().is_held
    account = order_account(Order.objects.get(pk=order.pk))
    assert account.live is not None
    assert len(account.entries) == 2
    reverse_order(actor=finance, now=LATER, order_id=order.pk, reason="误")
    assert order_account(order).live is None
    assert not settled_orders(finance).get().is_charged
    assert Posting.objects.count() == 2


def test_the_ledger_adds_up_to_zero_over_accounts() -> None:
    settle_order(actor=system(), now=LATER, order_id=make_order("served").pk)
    rows = balances(actor("auditor"), month_start(local_date(LATER)))
    assert [(account_name(row["account"]), row["amount"]) for row in rows] == [
        ("个人直接支付", 8000),
        ("服务商直接收取", -8000),
    ]


def test_lists_show_the_own_area_only_and_need_the_right() -> None:
    near = make_order("served", elder=make_elder(COMMUNITY))
    make_hold(near)
    far = make_order("served", elder=make_elder(OTHER_COMMUNITY))
    there = actor("finance", OTHER_DISTRICT)
    assert list(waiting_orders(there)) == [far]
    assert list(held_orders(there)) == []
    assert [hold.order_id for hold in held_orders(actor("finance"))] == [near.pk]
    assert statement_totals(statements(there)) == {
        "count": 0, "live_fen": 0, "approved_fen": 0, "deducted_fen": 0, "payable_fen": 0,
    }  # fmt: skip
    for query in (waiting_orders, held_orders, settled_orders, statements):
        with pytest.raises(Denied):
            query(actor("assessor"))
    with pytest.raises(Denied):
        require(actor("assessor"), "settlement.order.view")
