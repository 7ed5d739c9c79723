"""Paying the elder's own part through a channel: asked, told, closed, given back, and every way these can cross."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from hypothesis import given
from hypothesis import strategies as st
from tests.factories import (
    CITY,
    COMMUNITY,
    NOW,
    OTHER_DISTRICT,
    WIDE,
    actor,
    fund_order,
    make_area_tree,
    make_elder,
    make_entitlement,
    make_item,
    make_order,
    make_price,
    make_scheme,
    system,
)

from yinling.accounts.models import Journal
from yinling.ground.scope import scope
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.orders.models import Order
from yinling.orders.operations import cancel_order
from yinling.people.models import Representative
from yinling.settlement import channel
from yinling.settlement.models import LedgerEntry, Payment, PaymentBill, Posting, Refund
from yinling.settlement.operations import (
    ask_payment,
    close_payment,
    fail_refund,
    finish_refund,
    load_payment_bill,
    pay_from_balance,
    post,
    refund_payment,
    reverse_order,
    settle_order,
    take_notice,
)
from yinling.settlement.paying import Movement, Part, compare, fill, read_bill, steps, write_bill
from yinling.settlement.ports import RefundRefused
from yinling.settlement.queries.payments import balance_of
from yinling.settlement.rules import Side

LATER = NOW + timedelta(days=3)


@pytest.fixture(autouse=True)
def _channel(settings: Any) -> None:
    settings.PORTS = settings.PORTS | {"payment": "yinling.interop.payment.fake.FakePayment"}


def refused(code: str, kind: type[Refusal] = Refused) -> pytest.RaisesExc:
    return pytest.raises(kind, check=lambda refusal: refusal.code == code)


def an_order(state: str = "placed", **values: Any) -> Order:
    """An order of 80.00 yuan, half of it borne by the voucher."""
    make_area_tree()
    order = make_order(state, **values)
    fund_order(order, make_entitlement(order.elder, make_scheme(code=f"p{order.pk}")), 4000)
    return order


def asked(order: Order, now: datetime = NOW) -> Payment:
    who = actor("elder", elders=(order.elder,))
    return ask_payment(actor=who, now=now, order_id=order.pk)


def tell(row: Payment, now: datetime = NOW, **values: Any) -> Payment:
    said = {"key": row.key, "number": f"N{row.pk}", "amount_fen": row.amount_fen, "paid_at": now, "channel": "demo", **values}
    return take_notice(actor=system(), now=now, **said)


def sums(order: Order) -> dict[str, int]:
    """What the ledger holds of an order by account, without what is zero."""
    rows = LedgerEntry.objects.filter(posting__order=order).values("account").annotate(fen=Sum("amount")).order_by("account")
    return {row["account"]: row["fen"] for row in rows if row["fen"]}


def refund(row: Payment, fen: int, now: datetime = LATER) -> Refund:
    row.refresh_from_db()
    return refund_payment(actor=actor("finance"), now=now, payment_id=row.pk, amount_fen=fen, reason="服务没做完")


def top_up(elder: Any, fen: int) -> None:
    """Money the elder paid in at the counter."""
    sides = [
        Side(account=account, amount=amount, business="eldercare", fund="personal", elder_id=elder.pk)
        for account, amount in (("bank", fen), ("prepaid.elder", -fen))
    ]
    post(system(), NOW, key=f"top-up:{elder.pk}", kind="top_up", text="充值", div=elder.div, sides=sides, elder=elder)


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
def test_without_a_channel_the_elder_pays_directly_and_is_told_so(settings: Any) -> None:
    settings.PORTS = settings.PORTS | {"payment": "yinling.interop.payment.none.NoPayment"}
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
    from yinling.people.queries import representation  # noqa: PLC0415

    elders, withheld = representation(daughter.user_id or 0, date(2026, 6, 15))
    narrowed = daughter.__class__(**{**daughter.__dict__, "elder_ids": elders, "withheld": withheld})
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
    assert (paid.state, paid.channel, balance_of(order.elder_id)) == ("paid", "balance", 6000)
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


# --- giving back


@pytest.mark.usefixtures("wide")
def test_a_refund_is_booked_when_the_channel_made_it_and_never_above_what_was_paid() -> None:
    order = an_order("served")
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    row = tell(asked(order, LATER), LATER)
    first = refund(row, 1500)
    assert sums(order)["bank"] == 4000
    with refused("payment.refund_pending", NotAllowed):
        refund(row, 100)
    for _ in range(2):
        finish_refund(actor=system(), now=LATER, refund_id=first.pk)
    assert sums(order) == {
        "bank": 2500, "direct.elder": 1500, "direct.provider": -1500, "receivable.voucher": 4000, "payable.provider": -6500
    }  # fmt: skip
    for fen in (2501, 0, -1, 10**14):
        with refused("payment.refund_too_much"):
            refund(row, fen)
    finish_refund(actor=system(), now=LATER, refund_id=refund(row, 2500).pk)
    row.refresh_from_db()
    assert (row.state, row.refunded_fen, row.matched_fen) == ("refunded", 4000, 0)
    assert sums(order) == {
        "direct.elder": 4000, "direct.provider": -4000, "receivable.voucher": 4000, "payable.provider": -4000
    }  # fmt: skip


@pytest.mark.usefixtures("wide")
def test_a_notice_repeated_during_and_after_a_refund_changes_nothing() -> None:
    order = an_order()
    row = tell(asked(order))
    back = refund(row, 4000)
    assert tell(row, LATER).state == "paid"
    finish_refund(actor=system(), now=LATER, refund_id=back.pk)
    assert tell(row, LATER).state == "refunded"
    assert sums(order) == {}


@pytest.mark.usefixtures("wide")
def test_a_refund_the_channel_refuses_waits_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    order = an_order()
    row = tell(asked(order))
    cancel_order(actor=actor("seat"), now=NOW, order_id=order.pk, reason="老人住院")

    def never(*_args: Any, **_values: Any) -> None:
        raise RefundRefused("超过退款期限")

    monkeypatch.setattr("yinling.interop.payment.fake.FakePayment.refund", never)
    channel.tend_payments(system(), LATER)
    channel.send_refunds(system(), LATER)
    channel.tend_payments(system(), LATER)
    back = Refund.objects.get()
    assert (back.state, back.note) == ("failed", "超过退款期限")
    assert sums(order) == {"bank": 4000, "received.order": -4000}
    row.refresh_from_db()
    assert (row.state, row.refunded_fen) == ("paid", 0)


@pytest.mark.usefixtures("wide")
def test_a_channel_that_cannot_be_reached_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    row = tell(asked(an_order()))
    refund(row, 4000)
    tries = iter([OSError("no answer"), None])

    def shaky(*_args: Any, **_values: Any) -> None:
        if (fault := next(tries)) is not None:
            raise fault

    monkeypatch.setattr("yinling.interop.payment.fake.FakePayment.refund", shaky)
    assert [channel.send_refunds(system(), LATER) for _ in range(3)] == [0, 1, 0]
    assert Refund.objects.get().state == "done"


@pytest.mark.usefixtures("wide")
def test_a_refund_of_the_balance_goes_back_to_the_balance_at_once() -> None:
    order = an_order()
    top_up(order.elder, 5000)
    row = pay_from_balance(actor=actor("elder", elders=(order.elder,)), now=NOW, order_id=order.pk)
    assert refund(row, 4000).state == "done"
    assert balance_of(order.elder_id) == 5000
    assert sums(order) == {}


@pytest.mark.usefixtures("wide")
def test_the_balance_is_never_overdrawn() -> None:
    elder = make_elder()
    top_up(elder, 7000)
    first, second = an_order(elder=elder), an_order(elder=elder, starts_at=NOW + timedelta(days=2))
    pay_from_balance(actor=actor("station"), now=NOW, order_id=first.pk)
    with refused("payment.balance"):
        pay_from_balance(actor=actor("station"), now=NOW, order_id=second.pk)
    assert balance_of(elder.pk) == 3000


@pytest.mark.usefixtures("wide")
def test_only_finance_refunds_and_nobody_says_by_hand_that_money_came() -> None:
    row = asked(an_order())
    for role in ("finance", "city", "station", "seat"):
        with refused("right.missing", Denied):
            take_notice(
                actor=actor(role), now=NOW, key=row.key, number="X", amount_fen=4000, paid_at=NOW, channel="demo"
            )  # fmt: skip
    tell(row)
    for role in ("seat", "station", "auditor"):
        with refused("right.missing", Denied):
            refund_payment(actor=actor(role), now=NOW, payment_id=row.pk, amount_fen=1, reason="错")
    with refused("text.missing"):
        refund_payment(actor=actor("finance"), now=NOW, payment_id=row.pk, amount_fen=1, reason=" ")
    assert not Refund.objects.exists()


@pytest.mark.usefixtures("wide")
def test_a_payment_that_is_paid_is_not_closed_and_a_closed_refund_not_failed() -> None:
    row = tell(asked(an_order()))
    with refused("state.not_allowed", NotAllowed):
        close_payment(actor=actor("finance"), now=NOW, payment_id=row.pk)
    back = refund(row, 4000)
    finish_refund(actor=system(), now=LATER, refund_id=back.pk)
    with refused("state.not_allowed", NotAllowed):
        fail_refund(actor=system(), now=LATER, refund_id=back.pk, why="x")


# --- many at once, and any order of things


@pytest.mark.django_db(transaction=True)
def test_twenty_notices_at_once_book_once() -> None:
    with scope(WIDE):
        row = asked(an_order())
        who = system()

    def one(_number: int) -> str:
        try:
            with scope(who):
                return str(
                    take_notice(
                        actor=who, now=NOW, key=row.key, number="N1", amount_fen=4000, paid_at=NOW, channel="demo"
                    ).state
                )  # fmt: skip
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(one, range(20))) == {"paid"}
    with scope(WIDE):
        assert Posting.objects.filter(kind="payment").count() == 1
        assert LedgerEntry.objects.filter(account="bank").aggregate(fen=Sum("amount"))["fen"] == 4000


ACTS = st.sampled_from(["ask", "tell", "tell_old", "refund", "send", "tend", "cancel", "settle", "reverse", "balance"])


@pytest.mark.usefixtures("wide")
@given(st.lists(ACTS, max_size=14), st.integers(1, 4000))
def test_paid_less_refunded_is_what_moved_at_the_bank(acts: list[str], part: int) -> None:
    order = an_order("served" if "cancel" not in acts else "placed", elder=make_elder(COMMUNITY))
    top_up(order.elder, 5000)
    for step, act in enumerate(acts):
        now = NOW + timedelta(hours=13 * step)
        rows = list(Payment.objects.filter(order=order).exclude(channel="balance").order_by("pk"))
        try:
            if act == "ask":
                asked(order, now)
            elif act in ("tell", "tell_old") and rows:
                tell(rows[-1 if act == "tell" else 0], now)
            elif act == "refund" and rows:
                refund(rows[-1], part, now)
            elif act == "send":
                channel.send_refunds(system(), now)
            elif act == "tend":
                channel.tend_payments(system(), now)
            elif act == "cancel":
                cancel_order(actor=actor("seat"), now=now, order_id=order.pk, reason="x")
            elif act == "settle":
                settle_order(actor=system(), now=now, order_id=order.pk)
            elif act == "reverse":
                reverse_order(actor=actor("finance"), now=now, order_id=order.pk, reason="x")
            elif act == "balance":
                pay_from_balance(actor=actor("station"), now=now, order_id=order.pk)
        except Refusal:
            continue
    _check(order)
    for _ in range(2):
        channel.tend_payments(system(), LATER + timedelta(days=30))
        channel.send_refunds(system(), LATER + timedelta(days=30))
    _check(order)
    assert not Payment.objects.filter(order=order, state__in=["asked", "surplus"]).exists()


def _check(order: Order) -> None:
    """Paid less given back equals the bank; what is not offset stands as received; the offset is what the provider is owed more."""
    paid = Payment.objects.filter(order=order, paid_at__isnull=False)
    moved = {True: 0, False: 0}
    for row in paid:
        assert 0 <= row.matched_fen <= row.left_fen
        moved[row.channel == "balance"] += row.left_fen
    found = sums(order)
    matched = sum(row.matched_fen for row in paid)
    assert found.get("bank", 0) == moved[False]
    assert found.get("prepaid.elder", 0) == moved[True]
    assert found.get("received.order", 0) == matched - moved[True] - moved[False]
    assert moved[True] + moved[False] <= 8000
    assert sum(found.values()) == 0


# --- the channel's bill


@pytest.mark.usefixtures("wide")
def test_a_bill_that_is_right_shows_no_difference_and_one_that_is_not_shows_each() -> None:
    rows = [tell(asked(an_order())) for _ in range(3)]
    day = NOW.date()
    assert channel.fetch_bill(system(), LATER, day) is True
    bill = PaymentBill.objects.get()
    assert (bill.ours_fen, bill.theirs_fen, bill.differences, bill.day) == (12000, 12000, [], day)
    text = write_bill(
        [
            Movement("pay", rows[0].key, "N", 4000), Movement("pay", rows[1].key, "N", 3999), Movement("pay", f"{CITY}-x", "N9", 100),
            Movement("refund", f"{CITY}-y", "N9", 100), Movement("pay", rows[0].key, "N", 4000),
        ]
    )  # fmt: skip
    load_payment_bill(actor=actor("finance"), now=LATER, day=day, text=text)
    bill = PaymentBill.objects.get()
    assert sorted((one["what"], one["kind"]) for one in bill.differences) == [
        ("amount", "pay"), ("missing_here", "pay"), ("missing_here", "refund"), ("missing_there", "pay"), ("twice", "pay")
    ]  # fmt: skip
    assert bill.theirs_fen == 4000 + 3999 + 100 - 100 + 4000


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize(
    "line", ["pay,k", "got,k,n,1.00", "pay,,n,1.00", "pay,k,n,-1", "pay,k,n,0", "pay,k,n,1.005", "pay,k,n,x", "付款,k,n,1e3"]
)  # fmt: skip
def test_one_wrong_line_refuses_the_whole_bill(line: str) -> None:
    make_area_tree()
    with refused("bill.line") as found:
        load_payment_bill(actor=actor("finance"), now=NOW, day=NOW.date(), text=f"pay,a,b,1.00\n\n{line}\n")
    assert found.value.values["line"] == 3
    assert not PaymentBill.objects.exists()


@pytest.mark.usefixtures("wide")
def test_a_day_that_has_not_come_has_no_bill() -> None:
    make_area_tree()
    with refused("bill.day"):
        load_payment_bill(actor=actor("finance"), now=NOW, day=LATER.date())


@pytest.mark.usefixtures("wide")
def test_a_refusal_leaves_one_row_in_the_journal() -> None:
    row = asked(an_order())
    with scope(system()), refused("payment.amount"):
        tell(row, amount_fen=1)
    assert Journal.objects.filter(event="settlement.payment.take", is_refused=True).count() <= 1


MOVEMENTS = st.lists(
    st.builds(Movement, st.sampled_from(["pay", "refund"]), st.text("abc", min_size=1, max_size=3), st.just("n"), st.integers(1, 10**9)),
    unique_by=lambda one: (one.kind, one.key),
)  # fmt: skip


@given(MOVEMENTS)
def test_a_bill_written_is_the_bill_read_and_does_not_differ_from_itself(rows: list[Movement]) -> None:
    assert read_bill(write_bill(rows)) == rows
    assert compare(rows, reversed(rows)) == []


@given(MOVEMENTS, MOVEMENTS)
def test_differences_explain_the_difference_of_the_sums(ours: list[Movement], theirs: list[Movement]) -> None:
    explained = sum((row["theirs_fen"] - row["ours_fen"]) * (1 if row["kind"] == "pay" else -1) for row in compare(ours, theirs))
    assert explained == sum(one.signed_fen for one in theirs) - sum(one.signed_fen for one in ours)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=5), st.integers(0, 10**7), st.integers(0, 10**7))
def test_lines_are_filled_one_after_the_other_and_add_up(amounts: list[int], before: int, after: int) -> None:
    parts = [Part(number, "eldercare", fen, NOW.date()) for number, fen in enumerate(amounts, 1)]
    filled = fill(parts, before)
    assert sum(fen for _part, fen in filled.values()) == before
    assert all(fen <= part.amount_fen for part, fen in filled.values())
    assert sum(fen for _part, fen in steps(parts, before, after)) == after - before


