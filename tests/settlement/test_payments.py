"""Paying the elder's own part through a channel: asked, told, closed, and every way these can cross."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    NOW,
    OTHER_DISTRICT,
    actor,
    fund_order,
    make_elder,
    make_entitlement,
    make_item,
    make_order,
    make_price,
    system,
)
from tests.settlement.paying import LATER, added, an_order, asked, by_line, drop, refused, sums, tell, top_up, use

from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.orders.operations import cancel_order
from yinling.people.models import Elder, Representative
from yinling.people.queries import representation
from yinling.settlement import channel
from yinling.settlement.models import LedgerEntry, Payment, Posting, Recovery, Refund
from yinling.settlement.operations import (
    approve_recovery,
    ask_payment,
    decide_bill_objection,
    draft_recovery,
    pay_from_balance,
    raise_bill_objection,
    reverse_order,
    review_recovery,
    settle_order,
    take_transfer,
)
from yinling.settlement.queries.bills import bill_of
from yinling.settlement.queries.payments import balance_of


@pytest.fixture(autouse=True)
def _channel(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "fake.FakePayment")


# --- asking


@pytest.mark.usefixtures("wide")
def test_an_elder_is_asked_for_the_own_part_only_and_asking_again_is_the_same_payment() -> None:
    order = an_order()
    row = asked(order)
    assert (row.amount_fen, row.state, row.channel, row.key.partition("-")[0]) == (4000, "asked", "demo", CITY)
    assert row.expires_at == NOW + timedelta(hours=24)
    assert asked(order).pk == row.pk
    assert not Posting.objects.exists()


@pytest.mark.usefixtures("wide")
def test_after_its_time_another_payment_is_asked_for() -> None:
    order = an_order()
    first, second = asked(order), asked(order, LATER)
    first.refresh_from_db()
    assert first.pk != second.pk
    assert (first.state, second.state) == ("closed", "asked")


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("state", ["cancelled", "failed", "draft"])
def test_nothing_is_paid_for_an_order_that_is_not_served(state: str) -> None:
    with refused("payment.state", NotAllowed):
        asked(an_order(state))
    assert not Payment.objects.exists()


@pytest.mark.usefixtures("wide")
def test_an_order_others_bear_wholly_is_not_paid_by_the_elder() -> None:
    order = make_order("served")
    fund_order(order, make_entitlement(order.elder), order.total_fen)
    with refused("payment.nothing", NotAllowed):
        asked(order)


@pytest.mark.usefixtures("wide")
def test_without_a_channel_the_elder_pays_directly_and_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "none.NoPayment")
    with refused("payment.no_channel", NotAllowed):
        asked(an_order())
    assert not Payment.objects.exists()


@pytest.mark.usefixtures("wide")
def test_whoever_does_not_act_for_the_elder_in_orders_cannot_pay() -> None:
    order = an_order()
    for who in (actor("family", elders=(make_elder(),)), actor("station", div=OTHER_DISTRICT), actor("carer")):
        with pytest.raises(Denied):
            ask_payment(actor=who, now=NOW, order_id=order.pk)
    daughter = actor("family", elders=(order.elder,))
    Representative.objects.filter(user=daughter.user_id).update(covers_orders=False)
    elders, withheld = representation(daughter.user_id or 0, NOW)
    narrowed = replace(daughter, elder_ids=elders, withheld=withheld)
    with refused("right.not_represented", Denied):
        ask_payment(actor=narrowed, now=NOW, order_id=order.pk)
    assert not Payment.objects.exists()


# --- the channel's word


@pytest.mark.usefixtures("wide")
def test_paid_before_the_service_stands_as_received_until_the_order_is_settled() -> None:
    order = an_order("served")
    row = tell(asked(order))
    assert (row.state, row.channel_number) == ("paid", f"N{row.pk}")
    assert sums(order) == {"bank": 4000, "received.order": -4000}
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    assert channel.tend_payments(system(), LATER) == 1
    assert sums(order) == {"bank": 4000, "receivable.voucher": 4000, "payable.provider": -8000}
    assert channel.tend_payments(system(), LATER) == 0
    assert Payment.objects.get().matched_fen == 4000


@pytest.mark.usefixtures("wide")
@pytest.mark.req("R-PAY-14")
def test_the_elders_part_is_recorded_as_direct_unless_it_came_through_the_platform() -> None:
    direct, through = an_order("served"), an_order("served")
    for order in (direct, through):
        settle_order(actor=system(), now=LATER, order_id=order.pk)
    tell(asked(through, LATER), LATER)
    assert sums(direct) == {
        "direct.elder": 4000, "direct.provider": -4000, "receivable.voucher": 4000, "payable.provider": -4000
    }  # fmt: skip
    assert sums(through) == {"bank": 4000, "receivable.voucher": 4000, "payable.provider": -8000}


@pytest.mark.usefixtures("wide")
def test_a_reversal_takes_the_offset_back_and_the_money_stands_as_received() -> None:
    order = an_order("served")
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    row = tell(asked(order, LATER), LATER)
    reverse_order(actor=actor("finance"), now=LATER, order_id=order.pk, reason="算错了")
    channel.tend_payments(system(), LATER)
    row.refresh_from_db()
    assert (row.state, row.matched_fen) == ("paid", 0)
    assert sums(order) == {"bank": 4000, "received.order": -4000}


@pytest.mark.usefixtures("wide")
def test_medical_and_elder_care_money_stay_apart() -> None:
    order = an_order("served", price=make_price(make_item(is_medical=True)))
    tell(asked(order))
    assert set(LedgerEntry.objects.values_list("business", "fund", "elder", "provider", "line")) == {
        ("medical", "personal", order.elder_id, order.provider_id, order.lines.get().pk)
    }


@pytest.mark.usefixtures("wide")
def test_a_notice_that_comes_twice_is_booked_once() -> None:
    order = an_order()
    row = asked(order)
    for _ in range(3):
        tell(row)
    assert sums(order) == {"bank": 4000, "received.order": -4000}
    assert Posting.objects.count() == 1


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize(
    ("wrong", "code", "kind"),
    [
        ({"amount_fen": 3999}, "payment.amount", Refused), ({"amount_fen": 10**14}, "payment.amount", Refused),
        ({"key": "3202-unknown"}, "payment.unknown", NotFound), ({"channel": "other"}, "payment.unknown", NotFound),
    ],
)  # fmt: skip
def test_a_wrong_notice_changes_nothing(wrong: dict[str, Any], code: str, kind: type[Refusal]) -> None:
    order = an_order()
    row = asked(order)
    with refused(code, kind):
        tell(row, **wrong)
    row.refresh_from_db()
    assert (row.state, row.paid_at) == ("asked", None)
    assert not Posting.objects.exists()


@pytest.mark.usefixtures("wide")
def test_a_second_number_for_a_payment_that_is_paid_is_refused() -> None:
    row = tell(asked(an_order()))
    with refused("payment.other_number"):
        tell(row, number="ANOTHER")
    assert Posting.objects.count() == 1


@pytest.mark.usefixtures("wide")
def test_one_number_of_the_channel_pays_one_payment() -> None:
    first, second = asked(an_order()), asked(an_order())
    tell(first, number="SAME")
    with refused("payment.number"):
        tell(second, number="SAME")
    assert Posting.objects.count() == 1


@pytest.mark.usefixtures("wide")
def test_money_that_comes_after_closing_is_taken_while_it_is_owed() -> None:
    order = an_order()
    row = asked(order)
    assert channel.tend_payments(system(), LATER) == 1
    row.refresh_from_db()
    assert row.state == "closed"
    assert tell(row, LATER).state == "paid"
    assert sums(order) == {"bank": 4000, "received.order": -4000}


@pytest.mark.usefixtures("wide")
def test_two_payments_that_cross_leave_one_and_send_the_other_back() -> None:
    order = an_order()
    first, second = asked(order), asked(order, LATER)
    assert tell(second, LATER).state == "paid"
    assert tell(first, LATER).state == "surplus"
    assert sums(order) == {"bank": 8000, "received.order": -8000}
    channel.tend_payments(system(), LATER)
    channel.send_refunds(system(), LATER)
    first.refresh_from_db()
    assert (first.state, first.refunded_fen) == ("refunded", 4000)
    assert sums(order) == {"bank": 4000, "received.order": -4000}


@pytest.mark.usefixtures("wide")
def test_late_money_of_an_old_payment_closes_the_new_one() -> None:
    order = an_order()
    first, second = asked(order), asked(order, LATER)
    assert tell(first, LATER).state == "paid"
    second.refresh_from_db()
    assert second.state == "closed"
    assert tell(second, LATER).state == "surplus"


@pytest.mark.usefixtures("wide")
def test_a_counter_payment_and_a_notice_that_cross_do_not_pay_twice() -> None:
    order = an_order()
    row = asked(order)
    top_up(order.elder, 10000)
    paid = pay_from_balance(actor=actor("station"), now=NOW, order_id=order.pk)
    assert (paid.state, paid.channel, balance_of(order.elder_id, order.div)) == ("paid", "balance", 6000)
    assert tell(row).state == "surplus"
    channel.tend_payments(system(), LATER)
    channel.send_refunds(system(), LATER)
    assert sums(order) == {"prepaid.elder": 4000, "received.order": -4000}


@pytest.mark.usefixtures("wide")
def test_money_for_an_order_that_was_cancelled_meanwhile_goes_back() -> None:
    order = an_order()
    paid, late = asked(order), an_order()
    tell(paid)
    row = asked(late)
    for one in (order, late):
        cancel_order(actor=actor("seat"), now=NOW, order_id=one.pk, reason="老人住院")
    assert tell(row).state == "surplus"
    channel.tend_payments(system(), LATER)
    assert Refund.objects.filter(state="asked").count() == 2
    assert channel.send_refunds(system(), LATER) == 2
    assert [sums(one) for one in (order, late)] == [{}, {}]
    assert set(Payment.objects.values_list("state", flat=True)) == {"refunded"}


# --- what is added at the door after paying


@pytest.mark.usefixtures("wide")
def test_what_is_added_after_paying_is_a_further_payment_of_the_same_bill() -> None:
    order = an_order("served")
    first = tell(asked(order))
    with refused("payment.nothing", NotAllowed):
        asked(order)
    extra = added(order, 1500)
    assert (bill_of(order).left_fen, bill_of(order).can_pay, bill_of(order).standing) == (1500, True, "付了一部分")
    second = asked(order)
    assert (second.pk != first.pk, second.amount_fen) == (True, 1500)
    assert asked(order).pk == second.pk, "one at a time"
    assert tell(second).state == "paid"
    with refused("payment.nothing", NotAllowed):
        asked(order)
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    channel.tend_payments(system(), LATER)
    assert sums(order) == {"bank": 5500, "receivable.voucher": 4000, "payable.provider": -9500}
    assert by_line(order, "payable.provider", "match") == {order.lines.first().pk: 4000, extra.pk: 1500}
    bill = bill_of(order)
    assert ([row.amount_fen for row in bill.payments], bill.left_fen, bill.standing) == ([4000, 1500], 0, "已付清")
    assert [(line.name, line.agreed_by) for line in bill.added] == [(extra.name, "本人 王桂英")]
    assert channel.tend_payments(system(), LATER) == 0
    assert not Refund.objects.exists()


@pytest.mark.usefixtures("wide")
def test_what_is_taken_off_after_paying_goes_back_and_the_businesses_stay_apart() -> None:
    order = an_order("served")
    extra = added(order, 1500, is_medical=True)
    row = tell(asked(order))
    assert row.amount_fen == 5500
    drop(extra)
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    channel.tend_payments(system(), LATER)
    channel.send_refunds(system(), LATER)
    channel.tend_payments(system(), LATER)
    row.refresh_from_db()
    assert (row.state, row.refunded_fen, row.matched_fen) == ("paid", 1500, 4000)
    assert sums(order) == {"bank": 4000, "receivable.voucher": 4000, "payable.provider": -8000}
    assert by_line(order, "received.order") == {}, "nothing is left on either line or business"


@pytest.mark.usefixtures("wide")
def test_of_two_payments_too_much_goes_back_from_the_last_one_once() -> None:
    order = an_order("served")
    first = tell(asked(order))
    extra = added(order, 1500)
    second = tell(asked(order))
    drop(extra)
    added(order, 500)
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    for _ in range(3):
        channel.tend_payments(system(), LATER)
        channel.send_refunds(system(), LATER)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.refunded_fen, first.matched_fen, second.refunded_fen, second.matched_fen) == (0, 4000, 1000, 500)
    assert sums(order) == {"bank": 4500, "receivable.voucher": 4000, "payable.provider": -8500}
    assert Refund.objects.count() == 1


@pytest.mark.usefixtures("wide")
def test_a_notice_of_the_old_amount_and_one_of_the_new_do_not_pay_twice() -> None:
    """The link of 40 yuan was open when 15 yuan were added; the elder pays both links."""
    order = an_order("served")
    old = asked(order)
    added(order, 1500)
    new = asked(order)
    old.refresh_from_db()
    assert (old.state, new.amount_fen) == ("closed", 5500)
    assert tell(old).state == "paid"
    new.refresh_from_db()
    assert new.state == "closed"
    assert tell(new).state == "surplus"
    assert tell(new).state == "surplus", "said again"
    assert tell(old).state == "paid"
    channel.tend_payments(system(), LATER)
    channel.send_refunds(system(), LATER)
    assert sums(order) == {"bank": 4000, "received.order": -4000}
    assert asked(order, LATER).amount_fen == 1500


@pytest.mark.usefixtures("wide")
def test_after_a_reversal_both_payments_stand_as_received() -> None:
    order = an_order("served")
    tell(asked(order))
    added(order, 1500)
    tell(asked(order))
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    channel.tend_payments(system(), LATER)
    reverse_order(actor=actor("finance"), now=LATER, order_id=order.pk, reason="算错了")
    channel.tend_payments(system(), LATER)
    assert sums(order) == {"bank": 5500, "received.order": -5500}
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    channel.tend_payments(system(), LATER)
    assert sums(order) == {"bank": 5500, "receivable.voucher": 4000, "payable.provider": -9500}


# --- a service after a death


@pytest.mark.usefixtures("wide")
def test_what_stands_on_a_recovery_list_is_not_paid_and_what_comes_all_the_same_goes_back_once() -> None:
    order, finance = an_order("served"), actor("finance")
    open_ = asked(order)
    make_recovery(order, state="draft")
    with refused("payment.objected", NotAllowed):
        asked(order, LATER)
    bill = bill_of(order)
    assert (bill.standing, bill.can_pay, bill.is_reversed) == ("正在核查，先不付钱", False, False)
    assert tell(open_).state == "surplus"
    Recovery.objects.update(state="reviewed")
    approve_recovery(actor=finance, now=LATER, recovery_id=Recovery.objects.get().pk)
    with refused("payment.nothing", NotAllowed):
        asked(order, LATER)
    bill = bill_of(order)
    assert (bill.standing, bill.own_fen, bill.can_pay) == ("账单已取消，不收钱", 0, False)
    for _ in range(2):
        channel.tend_payments(system(), LATER)
        channel.send_refunds(system(), LATER)
    assert sums(order) == {}
    assert Refund.objects.count() == 1


@pytest.mark.usefixtures("wide")
def test_an_objection_to_a_service_on_an_approved_recovery_list_can_be_decided() -> None:
    order = an_order("served")
    make_recovery(order, state="reviewed")
    approve_recovery(actor=actor("finance"), now=LATER, recovery_id=Recovery.objects.get().pk)
    raise_bill_objection(actor=actor("seat"), now=LATER, order_id=order.pk, text="人已经不在了")
    decide_bill_objection(actor=actor("finance"), now=LATER, order_id=order.pk, result="reversed", reason="查了登记")
    assert bill_of(order).standing == "账单已取消，不收钱"


def make_recovery(order: Any, *, state: str) -> None:
    """A list of what a death takes back, with the order on it."""
    Elder.objects.filter(pk=order.elder_id).update(died_on=local_date(NOW) - timedelta(days=9))
    draft_recovery(actor=system(), now=NOW, elder_id=order.elder_id)
    if state == "reviewed":
        row = Recovery.objects.get()
        review_recovery(actor=actor("finance"), now=NOW, recovery_id=row.pk)


# --- two files of one person


@pytest.mark.usefixtures("wide")
def test_money_paid_in_under_a_file_that_was_merged_is_still_there() -> None:
    kept, gone = make_elder(), make_elder()
    top_up(gone, 5000)
    Elder.objects.filter(pk=gone.pk).update(merged_into=kept)
    assert balance_of(kept.pk, kept.div) == 5000
    order = an_order(elder=kept)
    assert pay_from_balance(actor=actor("station"), now=NOW, order_id=order.pk).state == "paid"
    assert balance_of(kept.pk, kept.div) == 1000
    with refused("elder.not_found", NotFound):
        take_transfer(
            actor=actor("finance"), now=NOW, elder_id=gone.pk, kind="top_up_return", amount_fen=1, method="cash", note="1"
        )  # fmt: skip
