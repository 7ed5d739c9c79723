"""Money of payments that goes back, the balance paid in beforehand, many at once and in any order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.factories import (
    CITY,
    COMMUNITY,
    NOW,
    WIDE,
    actor,
    make_elder,
    system,
)
from tests.settlement.paying import (
    LATER,
    added,
    an_order,
    asked,
    by_line,
    drop,
    refund,
    refuse_refunds,
    refused,
    sums,
    tell,
    top_up,
    use,
)

from yinling.ground.scope import scope
from yinling.kernel.refusals import Denied, NotAllowed, Refusal
from yinling.orders.models import Order, OrderLine
from yinling.orders.operations import cancel_order
from yinling.settlement import channel
from yinling.settlement.models import LedgerEntry, Payment, Posting, Refund
from yinling.settlement.operations import (
    close_payment,
    credit_refund,
    decide_bill_objection,
    fail_refund,
    finish_refund,
    pay_from_balance,
    raise_bill_objection,
    refund_payment,
    reverse_order,
    settle_order,
    take_notice,
    take_transfer,
)
from yinling.settlement.queries.bills import bill_of
from yinling.settlement.queries.ledger import live_posting
from yinling.settlement.queries.payments import balance_of, movements, own_part, paid_for, stuck_refunds


@pytest.fixture(autouse=True)
def _channel(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "fake.FakePayment")


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
    refuse_refunds(monkeypatch)
    channel.tend_payments(system(), LATER)
    channel.send_refunds(system(), LATER)
    channel.tend_payments(system(), LATER)
    back = Refund.objects.get()
    assert (back.state, back.note) == ("failed", "超过退款期限")
    assert sums(order) == {"bank": 4000, "received.order": -4000}
    row.refresh_from_db()
    assert (row.state, row.refunded_fen) == ("paid", 0)


@pytest.mark.usefixtures("wide")
def test_what_the_channel_will_not_give_back_goes_to_the_balance_and_from_there_into_the_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order, finance = an_order("served"), actor("finance")
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    row = tell(asked(order, LATER), LATER)
    first = refund(row, 1500)
    with refused("state.not_allowed", NotAllowed):
        credit_refund(actor=finance, now=LATER, refund_id=first.pk, reason="渠道超过期限")
    refuse_refunds(monkeypatch)
    channel.send_refunds(system(), LATER)
    with refused("text.missing"):
        credit_refund(actor=finance, now=LATER, refund_id=first.pk, reason=" ")
    with pytest.raises(Denied):
        credit_refund(actor=actor("station"), now=LATER, refund_id=first.pk, reason="渠道超过期限")
    assert [one.pk for one in stuck_refunds()] == [first.pk]
    assert credit_refund(actor=finance, now=LATER, refund_id=first.pk, reason="渠道超过期限").state == "credited"
    row.refresh_from_db()
    assert (row.refunded_fen, row.matched_fen, balance_of(order.elder_id, order.div)) == (1500, 2500, 1500)
    assert sums(order) == {
        "bank": 4000, "prepaid.elder": -1500, "direct.elder": 1500, "direct.provider": -1500, "receivable.voucher": 4000,
        "payable.provider": -6500,
    }  # fmt: skip
    assert not stuck_refunds().exists()
    with refused("state.not_allowed", NotAllowed):
        credit_refund(actor=finance, now=LATER, refund_id=first.pk, reason="再来一次")
    assert [one.kind for one in movements(CITY, "demo", LATER.date())] == ["pay"], "the channel moved nothing"
    take_transfer(
        actor=finance, now=LATER, elder_id=order.elder_id, kind="top_up_return", amount_fen=1500, method="cash", note="TK-1"
    )  # fmt: skip
    assert balance_of(order.elder_id, order.div) == 0


@pytest.mark.usefixtures("wide")
def test_a_refused_refund_that_was_tried_again_is_not_credited_above_what_was_paid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = tell(asked(an_order("served")))
    first = refund(row, 4000)
    refuse_refunds(monkeypatch)
    channel.send_refunds(system(), LATER)
    second = refund(row, 3000)
    with refused("payment.refund_pending", NotAllowed):
        credit_refund(actor=actor("finance"), now=LATER, refund_id=first.pk, reason="渠道超过期限")
    finish_refund(actor=system(), now=LATER, refund_id=second.pk)
    with refused("payment.refund_too_much"):
        credit_refund(actor=actor("finance"), now=LATER, refund_id=first.pk, reason="渠道超过期限")
    row.refresh_from_db()
    assert (row.refunded_fen, stuck_refunds().exists()) == (3000, False)


@pytest.mark.usefixtures("wide")
def test_refunds_of_a_channel_that_is_no_longer_there_do_not_keep_others_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, new = tell(asked(an_order())), tell(asked(an_order()))
    Payment.objects.filter(pk=old.pk).update(channel="gone")
    for row in (old, new):
        refund(row, 4000)
    monkeypatch.setattr(channel, "MOST_A_ROUND", 1)
    assert channel.send_refunds(system(), LATER) == 1
    assert set(Refund.objects.values_list("payment", "state")) == {(old.pk, "asked"), (new.pk, "done")}


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
    assert balance_of(order.elder_id, order.div) == 5000
    assert sums(order) == {}


@pytest.mark.usefixtures("wide")
def test_the_balance_is_never_overdrawn() -> None:
    elder = make_elder()
    top_up(elder, 7000)
    first, second = an_order(elder=elder), an_order(elder=elder, starts_at=NOW + timedelta(days=2))
    pay_from_balance(actor=actor("station"), now=NOW, order_id=first.pk)
    with refused("payment.balance"):
        pay_from_balance(actor=actor("station"), now=NOW, order_id=second.pk)
    assert balance_of(elder.pk, elder.div) == 3000


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


@pytest.mark.django_db(transaction=True)
def test_one_balance_pays_one_order_however_many_ask_at_once() -> None:
    with scope(WIDE):
        elder = make_elder()
        top_up(elder, 4000)
        orders = [an_order(elder=elder, starts_at=NOW + timedelta(days=day)) for day in range(1, 7)]
        who = actor("station")

    def one(pk: int) -> str:
        try:
            with scope(who):
                return str(pay_from_balance(actor=who, now=NOW, order_id=pk).state)
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        said = sorted(pool.map(one, [order.pk for order in orders]))
    assert said == ["paid", *["payment.balance"] * 5]
    with scope(WIDE):
        assert balance_of(elder.pk, elder.div) == 0


ACTS = st.sampled_from(
    [
        "ask",
        "ask",
        "tell",
        "tell",
        "tell_old",
        "refund",
        "send",
        "tend",
        "cancel",
        "settle",
        "reverse",
        "balance",
        "add",
        "drop",
        "object",
        "keep",
        "take_back",
    ]
)


@pytest.mark.usefixtures("wide")
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(ACTS, max_size=14), st.integers(1, 4000))
def test_paid_less_refunded_is_what_moved_at_the_bank(acts: list[str], part: int) -> None:
    order = an_order("served" if "cancel" not in acts else "placed", elder=make_elder(COMMUNITY))
    top_up(order.elder, 5000)
    for step, act in enumerate(acts):
        try:
            _do(act, order, part, NOW + timedelta(hours=13 * step))
        except Refusal:
            continue
    _check(order)
    for _ in range(2):
        channel.tend_payments(system(), LATER + timedelta(days=30))
        channel.send_refunds(system(), LATER + timedelta(days=30))
    _check(order)
    assert not Payment.objects.filter(order=order, state__in=["asked", "surplus"]).exists()
    order.refresh_from_db()
    if order.state == "settled" and live_posting(order):
        assert paid_for(order) <= own_part(order), "nobody has paid more than the own part"
    if acts and acts[-1] == "take_back" and bill_of(order).is_reversed:
        assert paid_for(order) == 0, "what was taken back by an objection is given back"


def _do(act: str, order: Order, part: int, now: datetime) -> None:
    """One thing that may happen to an order or its payments."""
    rows = list(Payment.objects.filter(order=order).exclude(channel="balance").order_by("pk"))
    common = {"now": now, "order_id": order.pk}
    acts: dict[str, Callable[[], Any]] = {
        "ask": lambda: asked(order, now),
        "tell": lambda: rows and tell(rows[-1], now),
        "tell_old": lambda: rows and tell(rows[0], now),
        "refund": lambda: rows and refund(rows[-1], part, now),
        "send": lambda: channel.send_refunds(system(), now),
        "tend": lambda: channel.tend_payments(system(), now),
        "cancel": lambda: cancel_order(actor=actor("seat"), reason="x", **common),
        "settle": lambda: settle_order(actor=system(), **common),
        "reverse": lambda: reverse_order(actor=actor("finance"), reason="x", **common),
        "balance": lambda: pay_from_balance(actor=actor("station"), **common),
        "object": lambda: raise_bill_objection(actor=actor("seat"), text="x", **common),
        "keep": lambda: decide_bill_objection(actor=actor("finance"), result="kept", reason="x", **common),
        "take_back": lambda: decide_bill_objection(actor=actor("finance"), result="reversed", reason="x", **common),
    }
    if act in ("add", "drop"):  # at the door only, before the bill is booked
        order.refresh_from_db()
        extra = OrderLine.objects.filter(order=order, added_at__isnull=False, dropped_at=None).first()
        if order.state == "served" and not live_posting(order):
            if act == "add":
                added(order, part, is_medical=part % 2 == 1)
            elif extra:
                drop(extra)
        return
    acts[act]()


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
    assert all(fen > 0 for fen in by_line(order, "received.order").values()), "no line owes what another has"
    assert sum(by_line(order, "payable.provider", "match").values()) == matched
    assert sum(found.values()) == 0
