"""Objections to a bill: a ticket, a frozen order, and a decision that keeps the bill or takes it back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from tests.factories import (
    NOW,
    OTHER_DISTRICT,
    actor,
    fund_order,
    make_area_tree,
    make_entitlement,
    make_order,
    make_scheme,
    system,
)
from tests.settlement.paying import refuse_refunds, sums

from yinling.accounts.models import Notice
from yinling.entitlements.models import Quota
from yinling.hotline.models import Callback, Ticket
from yinling.hotline.operations import (
    close_ticket,
    merge_ticket,
    open_ticket,
    resolve_ticket,
    split_ticket,
    take_ticket,
)
from yinling.kernel.refusals import Denied, NotAllowed, Refusal, Refused
from yinling.orders.models import Hold, Order
from yinling.people.models import Representative
from yinling.settlement import channel
from yinling.settlement.models import Payment, Refund
from yinling.settlement.operations import (
    ask_payment,
    decide_bill_objection,
    raise_bill_objection,
    refund_payment,
    settle_order,
    take_notice,
)
from yinling.settlement.queries import live_posting
from yinling.settlement.queries.bills import bill_of

pytestmark = pytest.mark.usefixtures("wide")
LATER = NOW + timedelta(days=3)


@pytest.fixture(autouse=True)
def _channel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(django_settings.PORTS, "payment", "yinling.interop.payment.fake.FakePayment")


def refused(code: str, kind: type[Refusal] = Refused) -> pytest.RaisesExc:
    return pytest.raises(kind, check=lambda refusal: refusal.code == code)


def an_order(state: str = "served") -> Order:
    make_area_tree()
    order = make_order(state)
    fund_order(order, make_entitlement(order.elder, make_scheme(code=f"o{order.pk}")), 4000)
    return order


def objected(order: Order, **values: Any) -> Ticket:
    who = actor("elder", elders=(order.elder,))
    return raise_bill_objection(**{"actor": who, "now": LATER, "order_id": order.pk, "text": "没有人来", **values})


def decide(order: Order, result: str, who: Any = None) -> Order:
    return decide_bill_objection(
        actor=who or actor("finance"), now=LATER, order_id=order.pk, result=result, reason="查了定位"
    )


def paid(order: Order) -> Payment:
    return told(ask_payment(actor=actor("elder", elders=(order.elder,)), now=NOW, order_id=order.pk))


def told(row: Payment) -> Payment:
    return take_notice(
        actor=system(), now=NOW, key=row.key, number=f"N{row.pk}", amount_fen=row.amount_fen, paid_at=NOW, channel="demo"
    )  # fmt: skip


def test_an_objection_opens_a_ticket_and_freezes_the_order() -> None:
    order = an_order()
    ticket = objected(order)
    assert (ticket.kind, ticket.elder_id, ticket.text, ticket.channel, ticket.state) == (
        "complaint", order.elder_id, "没有人来", "app", "open"
    )  # fmt: skip
    hold = Hold.objects.get(order=order)
    assert (hold.cause, hold.reason) == (f"objection:{ticket.pk}", "没有人来")
    with refused("order.held"):
        settle_order(actor=system(), now=LATER, order_id=order.pk)
    with refused("payment.objected", NotAllowed):
        ask_payment(actor=actor("elder", elders=(order.elder,)), now=LATER, order_id=order.pk)
    assert bill_of(order).is_objected
    with refused("objection.open", NotAllowed):
        objected(order)
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize("state", ["placed", "assigned", "in_service", "cancelled", "failed"])
def test_what_has_no_bill_is_not_objected_to(state: str) -> None:
    with refused("objection.no_bill", NotAllowed):
        objected(an_order(state))
    assert not Ticket.objects.exists()


def test_an_objection_says_what_is_wrong_and_comes_from_whoever_it_concerns() -> None:
    order = an_order()
    for text, code in ((" ", "text.missing"), ("长" * 501, "text.too_long")):
        with refused(code):
            objected(order, text=text)
    for who in (actor("family"), actor("dispatcher"), actor("station", div=OTHER_DISTRICT)):
        with pytest.raises(Denied):
            objected(order, actor=who)
    assert not Hold.objects.exists()


def test_a_bill_that_is_kept_goes_on_and_the_answer_stands_on_it() -> None:
    order = an_order()
    ticket = objected(order)
    decide(order, "kept", actor("supervisor"))
    hold = Hold.objects.get(order=order)
    assert hold.to_at == LATER
    assert settle_order(actor=system(), now=LATER, order_id=order.pk).state == "settled"
    answer = bill_of(order).objections[0].answer
    assert answer == "我们查过了，这张账单没有错：查了定位"
    ticket.refresh_from_db()
    assert (ticket.state, ticket.result, ticket.awaits) == ("closed", answer, ""), "the ticket ends with the decision"
    objected(order, text="还是不对")
    assert Ticket.objects.count() == 2


@pytest.mark.parametrize("taken", [False, True])
def test_a_ticket_ends_with_the_decision_and_not_before(taken: bool) -> None:  # noqa: FBT001 - a table
    order, seat = an_order(), actor("seat")
    ticket = objected(order)
    assert ticket.awaits == f"objection:{order.pk}"
    other = open_ticket(actor=seat, now=LATER, elder_id=order.elder_id, kind="complaint", title="还是那张账单")
    if taken:
        take_ticket(actor=seat, now=LATER, ticket_id=ticket.pk)
        with refused("ticket.awaits", NotAllowed):
            close_ticket(actor=seat, now=LATER, ticket_id=ticket.pk, result="已解释")
        resolve_ticket(actor=seat, now=LATER, ticket_id=ticket.pk, result="机构说做了")
        with refused("ticket.awaits", NotAllowed):
            close_ticket(actor=seat, now=LATER, ticket_id=ticket.pk, result="已解释")
    else:
        with refused("ticket.awaits", NotAllowed):
            merge_ticket(actor=seat, now=LATER, ticket_id=ticket.pk, into_id=other.pk, reason="同一件事")
    assert Hold.objects.get(order=order).to_at is None
    decide(order, "kept")
    ticket.refresh_from_db()
    assert (ticket.state, ticket.result) == ("closed", "我们查过了，这张账单没有错：查了定位")
    assert Callback.objects.get(ticket=ticket).kind == "satisfaction", "and the elder is asked how it went"


def test_while_a_part_of_the_ticket_is_with_others_it_is_resolved_and_closes_after_them() -> None:
    order, seat = an_order(), actor("seat")
    ticket = objected(order)
    child = split_ticket(
        actor=seat, now=LATER, ticket_id=ticket.pk, organisation_id=order.provider_id, title="请说明到达时间"
    )
    decide(order, "kept")
    ticket.refresh_from_db()
    assert (ticket.state, ticket.awaits) == ("resolved", "")
    take_ticket(actor=seat, now=LATER, ticket_id=child.pk)
    close_ticket(actor=seat, now=LATER, ticket_id=child.pk, result="已说明")
    assert close_ticket(actor=seat, now=LATER, ticket_id=ticket.pk, result=ticket.result).state == "closed"


@pytest.mark.parametrize("state", ["served", "settled"])
def test_a_bill_that_is_taken_back_is_reversed_and_what_was_paid_goes_back(state: str) -> None:
    order = an_order()
    row = paid(order)
    if state == "settled":
        settle_order(actor=system(), now=LATER, order_id=order.pk)
        channel.tend_payments(system(), LATER)
    objected(order)
    decide(order, "reversed")
    order.refresh_from_db()
    assert order.state == "settled"
    assert live_posting(order) is None
    channel.send_refunds(system(), LATER)
    row.refresh_from_db()
    assert (row.state, row.refunded_fen, row.matched_fen) == ("refunded", row.amount_fen, 0)
    bill = bill_of(order)
    assert (bill.is_reversed, bill.own_fen, bill.others_fen, bill.left_fen) == (True, 0, 0, 0)
    said = "我们查过了，是账单错了：查了定位。这次不收您的钱，您已经付的 40.00 元会退给您"
    assert (bill.objections[0].answer, Ticket.objects.get().result, Ticket.objects.get().state) == (
        said,
        said,
        "closed",
    )


@pytest.mark.parametrize("ends", ["done", "failed"])
def test_what_is_left_of_a_payment_goes_back_once_its_refund_under_way_has_ended(
    ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, finance = an_order(), actor("finance")
    row = paid(order)
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    channel.tend_payments(system(), LATER)
    refund_payment(actor=finance, now=LATER, payment_id=row.pk, amount_fen=1000, reason="少做了一项")
    objected(order)
    decide(order, "reversed", finance)
    row.refresh_from_db()
    assert (row.state, row.matched_fen, row.refunded_fen) == ("surplus", 0, 0)
    assert Refund.objects.count() == 1, "one at a time"
    if ends == "failed":
        refuse_refunds(monkeypatch)
    for _ in range(3):
        channel.tend_payments(system(), LATER)
        channel.send_refunds(system(), LATER)
    row.refresh_from_db()
    if ends == "failed":
        assert (row.state, row.refunded_fen, Refund.objects.get().state) == ("surplus", 0, "failed"), (
            "waits for a person"
        )
        return
    assert (row.state, row.refunded_fen) == ("refunded", 4000)
    assert [one.amount_fen for one in Refund.objects.order_by("pk")] == [1000, 3000]
    assert sums(order) == {}


def test_a_bill_that_may_never_be_booked_can_be_taken_back(wide: object) -> None:
    """The same service was charged by another order: settling this one is refused for ever, and the elder objects to it."""
    first = an_order()
    second = make_order("served", elder=first.elder, price=first.lines.get().price, starts_at=first.starts_at)
    voucher = make_entitlement(second.elder, make_scheme(code="twice"))
    fund_order(second, voucher, 4000)
    settle_order(actor=system(), now=LATER, order_id=first.pk)
    with refused("settlement.repeated"):
        settle_order(actor=system(), now=LATER, order_id=second.pk)
    row = paid(second)
    objected(second, text="同一次服务收了两次")
    decide(second, "reversed")
    channel.send_refunds(system(), LATER)
    row.refresh_from_db()
    second.refresh_from_db()
    assert (second.state, live_posting(second), row.state) == ("settled", None, "refunded")
    assert sums(second) == {}
    assert live_posting(first) is not None
    assert list(Quota.objects.filter(entitlement=voucher).values_list("reserved", "used")) == [(0, 0)]
    assert bill_of(second).own_fen == 0


def test_who_may_not_reverse_may_not_decide_so() -> None:
    order = an_order()
    objected(order)
    with pytest.raises(Denied):
        decide(order, "reversed", actor("supervisor"))
    for who in (actor("seat"), actor("elder", elders=(order.elder,))):
        with refused("right.missing", Denied):
            decide(order, "kept", who)
    with refused("choice.unknown"):
        decide(order, "halved")
    assert Hold.objects.get(order=order).to_at is None


def test_what_nobody_objected_to_is_not_decided() -> None:
    with refused("objection.none", NotAllowed):
        decide(an_order(), "kept")


def test_an_objection_closes_the_payment_nobody_made_and_money_that_comes_all_the_same_goes_back() -> None:
    order = an_order()
    row = ask_payment(actor=actor("elder", elders=(order.elder,)), now=NOW, order_id=order.pk)
    channel.link_of(system(), NOW, row.pk, "养老服务")
    objected(order, now=NOW)
    row.refresh_from_db()
    assert row.state == "closed"
    with refused("payment.closed", NotAllowed):
        channel.link_of(system(), NOW, row.pk, "养老服务")
    assert told(row).state == "surplus"
    channel.tend_payments(system(), NOW)
    channel.send_refunds(system(), NOW)
    assert sums(order) == {}
    decide(order, "kept")
    assert ask_payment(actor=actor("elder", elders=(order.elder,)), now=LATER, order_id=order.pk).amount_fen == 4000


def test_the_answer_is_told_to_each_login_that_sees_the_bills_and_by_sms_once() -> None:
    order = an_order()
    order.seal_field("phone", "13912345678")
    order.save()
    daughter, son = actor("family", elders=(order.elder,)), actor("family", elders=(order.elder,))
    Representative.objects.filter(user=son.user_id).update(covers_bills=False)
    raise_bill_objection(actor=daughter, now=LATER, order_id=order.pk, text="没有人来")
    decide(order, "kept")
    answer = "我们查过了，这张账单没有错：查了定位"
    said = Notice.objects.filter(key__startswith="objection:").order_by("pk")
    assert [(one.user_id, one.channel, one.text, one.link) for one in said] == [
        (daughter.user_id, "screen", answer, f"/e/bills/{order.pk}/"), (None, "sms", answer, "")
    ]  # fmt: skip


def test_who_has_neither_phone_nor_login_is_answered_by_the_call_after_the_ticket() -> None:
    order = an_order()
    order.seal_field("phone", "")
    order.save()
    ticket = raise_bill_objection(actor=actor("seat"), now=LATER, order_id=order.pk, text="没有人来")
    decide(order, "kept")
    assert not Notice.objects.filter(key__startswith="objection:").exists()
    assert Callback.objects.get(ticket=ticket).kind == "satisfaction"
