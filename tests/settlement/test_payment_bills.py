"""A channel's bill of a day beside ours, and the arithmetic of lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories import (
    CITY,
    NOW,
    actor,
    make_area_tree,
    system,
)
from tests.settlement.paying import LATER, an_order, asked, refused, sums, tell, top_up, use

from yinling.accounts.models import Journal
from yinling.ground.scope import scope
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed
from yinling.settlement import channel
from yinling.settlement.models import PaymentBill, Posting
from yinling.settlement.operations import load_payment_bill, pay_from_balance
from yinling.settlement.paying import Movement, Part, compare, off, off_lines, onto, read_bill, write_bill
from yinling.settlement.ports import BillRow


@pytest.fixture(autouse=True)
def _channel(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "fake.FakePayment")


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
def test_money_whose_notice_was_lost_is_taken_from_the_channels_bill(monkeypatch: pytest.MonkeyPatch) -> None:
    lost, other, late = asked(an_order()), asked(an_order()), an_order()
    closed = asked(late)
    top_up(late.elder, 4000)
    pay_from_balance(actor=actor("station"), now=NOW, order_id=late.pk)
    theirs = [
        BillRow("pay", lost.key, "N1", 4000), BillRow("pay", other.key, "N2", 3999), BillRow("pay", closed.key, "N3", 4000),
        BillRow("pay", f"{CITY}-x", "N9", 100),
    ]  # fmt: skip
    monkeypatch.setattr("yinling.interop.payment.fake.FakePayment.daily_bill", lambda *_args: theirs)
    for _ in range(2):
        channel.fetch_bill(system(), LATER, NOW.date())
    for row in (lost, other, closed):
        row.refresh_from_db()
    assert [(row.state, row.channel_number) for row in (lost, other, closed)] == [
        ("paid", "N1"),
        ("asked", ""),
        ("surplus", "N3"),
    ]
    assert local_date(lost.paid_at) == NOW.date(), "on the day of the bill"  # type: ignore[arg-type]
    assert sums(lost.order) == {"bank": 4000, "received.order": -4000}
    assert [(one["what"], one["key"]) for one in PaymentBill.objects.get().differences] == [
        ("missing_here", other.key), ("missing_here", f"{CITY}-x")
    ]  # fmt: skip
    assert tell(lost, LATER, number="N1").state == "paid", "its notice comes after all"
    assert Posting.objects.filter(kind="payment", order=lost.order).count() == 1


@pytest.mark.usefixtures("wide")
def test_nobody_says_by_pasting_a_bill_that_money_came() -> None:
    row = asked(an_order())
    load_payment_bill(actor=actor("finance"), now=LATER, day=NOW.date(), text=f"付款,{row.key},N1,40.00")
    row.refresh_from_db()
    assert (row.state, PaymentBill.objects.get().differences[0]["what"]) == ("asked", "missing_here")


@pytest.mark.usefixtures("wide")
def test_without_a_channel_there_is_no_bill_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    make_area_tree()
    use(monkeypatch, "none.NoPayment")
    assert channel.fetch_bill(system(), LATER, NOW.date()) is False
    with refused("payment.no_channel", NotAllowed):
        load_payment_bill(actor=actor("finance"), now=LATER, day=NOW.date())
    assert not PaymentBill.objects.exists()


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
    explained = sum(
        (row["theirs_fen"] - row["ours_fen"]) * (1 if row["kind"] == "pay" else -1) for row in compare(ours, theirs)
    )
    assert explained == sum(one.signed_fen for one in theirs) - sum(one.signed_fen for one in ours)


AMOUNTS = st.lists(st.integers(1, 10**6), min_size=1, max_size=5)


@given(AMOUNTS, st.lists(st.integers(-(10**6), 10**6), max_size=8))
def test_lines_are_filled_one_after_the_other_and_every_fen_stands_somewhere(
    amounts: list[int], moves: list[int]
) -> None:
    parts = [Part(number, "eldercare", fen, NOW.date()) for number, fen in enumerate(amounts, 1)]
    held: dict[int | None, int] = {}
    for move in moves:
        standing = [Part(line, "eldercare", fen, NOW.date()) for line, fen in held.items() if fen]
        fen = max(move, -sum(held.values()))
        for part, change in onto(parts, standing, fen) if fen > 0 else off(standing, -fen):
            held[part.line_id] = held.get(part.line_id, 0) + change
        assert all(amount >= 0 for amount in held.values())
        assert all(held.get(part.line_id, 0) <= part.amount_fen for part in parts)
        short = sum(part.amount_fen - held.get(part.line_id, 0) for part in parts)
        assert not (fen > 0 and held.get(None) and short), "nothing stands without a line while one lacks money"


@given(AMOUNTS, AMOUNTS, st.integers(0, 10**6))
def test_money_for_one_line_pays_another_only_where_its_own_is_missing(
    has: list[int], owed: list[int], fen: int
) -> None:
    standing = [Part(number, "eldercare", amount, NOW.date()) for number, amount in enumerate(has, 1)]
    parts = [Part(number, "eldercare", amount, NOW.date()) for number, amount in enumerate(owed, 3)]
    wanted = onto(parts, [], min(fen, sum(has), sum(owed)))
    taken: dict[int | None, int] = {}
    for part, amount in off_lines(standing, wanted):
        taken[part.line_id] = taken.get(part.line_id, 0) - amount
    assert sum(taken.values()) == sum(amount for _part, amount in wanted)
    lines = {part.line_id: amount for part, amount in wanted}
    for part in standing:
        assert min(part.amount_fen, lines.get(part.line_id, 0)) <= taken.get(part.line_id, 0) <= part.amount_fen
