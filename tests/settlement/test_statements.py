"""Deductions, objections, the whole month at once, and what the ledger says of it."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.db.models import Sum
from tests.factories import OTHER_DISTRICT, actor, city, make_hold, make_organisation
from tests.settlement.stated import JUNE, LATER, approved, drafted, refused, settled

from yinling.kernel.refusals import Denied, NotAllowed
from yinling.settlement.drafting import draft_month
from yinling.settlement.models import Charge, ClaimLine, Deduction, LedgerEntry, Posting, Statement
from yinling.settlement.operations import (
    abandon_claim_line,
    approve_statement,
    deduct_statement,
    draft_statement,
    draft_statements,
    object_statement,
    return_statement,
    reverse_order,
    review_statement,
    submit_claim,
)
from yinling.settlement.queries import deductions, shares_of_statement, statement_totals, statements, to_draft
from yinling.settlement.queries.purchase import purchased

pytestmark = pytest.mark.usefixtures("wide")
JULY = date(2026, 7, 1)


def deduct(row: Statement, fen: int, **values: object) -> Statement:
    chosen = {"reason": "01", "note": "少做半小时", "amount_fen": fen, **values}
    return deduct_statement(actor=actor("finance"), now=LATER, statement_id=row.pk, **chosen)


def balance(account: str) -> int:
    return LedgerEntry.objects.filter(account=account).aggregate(fen=Sum("amount"))["fen"] or 0


def test_a_deduction_lowers_what_is_payable_and_is_booked_at_approval() -> None:
    row = drafted()
    line = row.lines.order_by("pk").first()
    deduct(row, 1000, line_id=line.pk)
    deduct(row, 501)
    row.refresh_from_db()
    assert (row.total_fen, row.deducted_fen, row.payable_fen) == (8000, 1501, 6499)
    assert not Posting.objects.filter(kind="deduction").exists()
    row = approved(row)
    assert [(one.reason, one.amount_fen) for one in deductions(row)] == [("01", 1000), ("01", 501)]
    assert (balance("payable.provider"), balance("receivable.ltci")) == (-6499, 6499)
    assert sum(shares_of_statement(row).payable.values()) == 6499


@pytest.mark.parametrize(
    ("fen", "values", "code", "field"),
    [
        (8001, {}, "deduction.too_much", "amount_fen"),
        (0, {}, "deduction.amount", "amount_fen"),
        (-1, {}, "deduction.amount", "amount_fen"),
        (1, {"reason": "77"}, "deduction.reason", "reason"),
        (1, {"reason": "06"}, "deduction.reason", "reason"),
        (1, {"note": " "}, "deduction.note", "note"),
        (1, {"line_id": 999_999}, "deduction.line", "line_id"),
    ],
)
def test_what_cannot_be_deducted(fen: int, values: dict[str, object], code: str, field: str) -> None:
    row = drafted()
    with refused(code) as refusal:
        deduct(row, fen, **values)
    assert refusal.value.field == field
    row.refresh_from_db()
    assert (row.deducted_fen, row.version) == (0, 0)
    assert not Deduction.objects.exists()


def test_a_line_is_not_deducted_twice_nor_after_the_first_approval() -> None:
    row = drafted()
    line = row.lines.order_by("pk").first()
    deduct(row, 4000, line_id=line.pk)
    with refused("deduction.too_much"):
        deduct(row, 1, line_id=line.pk)
    with refused("deduction.too_much"):
        deduct(row, 4001)
    review_statement(actor=actor("finance"), now=LATER, statement_id=row.pk)
    with refused("deduction.late", NotAllowed):
        deduct(row, 1)
    with refused("right.outside", Denied):
        deduct_statement(
            actor=actor("finance", OTHER_DISTRICT), now=LATER, statement_id=row.pk, reason="01", amount_fen=1, note="误"
        )
    with pytest.raises(DatabaseError), transaction.atomic():
        Deduction.objects.update(amount_fen=1)


def test_the_provider_objects_and_the_statement_goes_back() -> None:
    row = drafted()
    body = actor("provider_manager", div="", organisation=row.provider)
    with refused("text.missing"):
        object_statement(actor=body, now=LATER, statement_id=row.pk, reason=" ")
    stranger = actor("provider_manager", div="", organisation=make_organisation())
    with refused("right.outside", Denied):
        object_statement(actor=stranger, now=LATER, statement_id=row.pk, reason="金额不符")
    back = object_statement(actor=body, now=LATER, statement_id=row.pk, reason="少列一笔")
    assert (back.state, back.return_reason) == ("returned", "少列一笔")
    assert not row.lines.filter(is_live=True).exists()
    done = approved()
    with refused("state.not_allowed", NotAllowed):
        object_statement(
            actor=actor("provider_manager", div="", organisation=done.provider),
            now=LATER,
            statement_id=done.pk,
            reason="误",
        )


def test_what_was_taken_off_the_whole_is_given_back_with_its_share_of_a_reversed_order() -> None:
    row = drafted()
    deduct(row, 1001)
    row = approved(row)
    first, second = (line.charge.order for line in row.lines.order_by("pk"))
    reverse_order(actor=actor("finance"), now=LATER, order_id=first.pk, reason="误")
    back = Charge.objects.get(order=first, payer="ltci", amount_fen__lt=0)
    assert back.amount_fen in (-3500, -3499)
    left = 6999 + back.amount_fen
    assert (balance("payable.provider"), balance("receivable.ltci")) == (-left, left)
    reverse_order(actor=actor("finance"), now=LATER, order_id=second.pk, reason="误")
    assert (balance("payable.provider"), balance("receivable.ltci")) == (0, 0)
    assert sum(one.amount_fen for one in Charge.objects.filter(payer="ltci", amount_fen__lt=0)) == -6999


def test_a_negative_statement_waits_for_a_later_month() -> None:
    row = approved()
    order = row.lines.order_by("pk").first().charge.order
    reverse_order(actor=actor("finance"), now=LATER, order_id=order.pk, reason="误")
    july = LATER + timedelta(days=30)
    back = draft_statement(actor=actor("finance"), now=july, organisation_id=row.provider_id, payer="ltci", month=JULY)
    assert back.total_fen == -4000
    review_statement(actor=actor("finance"), now=july, statement_id=back.pk)
    with refused("statement.negative"):
        approve_statement(actor=actor("finance"), now=july, statement_id=back.pk)
    return_statement(actor=actor("finance"), now=july, statement_id=back.pk, reason="待八月一并列入")
    settled(row.provider)
    settled(row.provider)
    again = draft_statement(actor=actor("finance"), now=july, organisation_id=row.provider_id, payer="ltci", month=JULY)
    assert (again.total_fen, again.line_count) == (4000, 3)


def test_the_whole_month_is_drafted_at_once_and_late_items_come_later() -> None:
    one, other = make_organisation(), make_organisation()
    settled(one)
    settled(one, "government")
    settled(other)
    held = settled(other, "government")
    make_hold(held)
    who = actor("finance")
    assert {(pair.provider_id, pair.payer, pair.amount_fen) for pair in to_draft("3202", JUNE)} == {
        (one.pk, "ltci", 4000), (one.pk, "government", 4000), (other.pk, "ltci", 4000),
    }  # fmt: skip
    assert draft_month("3202", JUNE, who.user_id) == 3
    assert draft_month("3202", JUNE, who.user_id) == 0
    assert set(Statement.objects.values_list("drafted_by", flat=True)) == {who.user_id}
    settled(one)
    assert to_draft("3202", JUNE) == []
    assert [(pair.provider_id, pair.payer) for pair in to_draft("3202", JULY)] == [(one.pk, "ltci")]


def test_asking_for_the_whole_month_hands_it_to_a_worker() -> None:
    city()
    settled(make_organisation())
    who = actor("finance")
    area = draft_statements(actor=who, now=LATER, month=JUNE)
    assert area.div == "3202"
    with refused("statement.none_left"):
        draft_statements(actor=who, now=LATER, month=date(2026, 5, 1))
    with refused("statement.future"):
        draft_statements(actor=who, now=LATER, month=date(2026, 8, 1))
    with refused("right.missing", Denied):
        draft_statements(actor=actor("district"), now=LATER, month=JUNE)


@pytest.mark.req("R-PAY-12")
def test_the_payment_list_holds_confirmed_orders_and_names_what_is_frozen() -> None:
    body = make_organisation()
    settled(body, "government")
    make_hold(settled(body, "government"))
    settled(body)
    row = draft_statement(actor=actor("finance"), now=LATER, organisation_id=body.pk, payer="government", month=JUNE)
    deduct(row, 100)
    [line] = purchased(actor("finance"), "government", JUNE)
    assert (line.statement_id, line.total_fen, line.deducted_fen, line.payable_fen, line.frozen_fen) == (
        row.pk, 4000, 100, 3900, 4000,
    )  # fmt: skip
    assert purchased(actor("finance"), "government", JUNE, state="approved") == []
    approved(row)
    assert [one.state for one in purchased(actor("finance"), "government", JUNE, state="approved")] == ["approved"]
    assert purchased(actor("finance", OTHER_DISTRICT), "government", JUNE) == []
    with refused("right.missing", Denied):
        purchased(actor("seat"), "government", JUNE)


def test_totals_of_the_list() -> None:
    row = drafted()
    deduct(row, 1000)
    approved(row)
    drafted()
    assert statement_totals(statements(actor("finance"))) == {
        "count": 2, "live_fen": 16000, "approved_fen": 8000, "deducted_fen": 1000, "payable_fen": 7000,
    }  # fmt: skip


def test_a_reversal_takes_back_what_was_paid_and_not_what_was_deducted_before() -> None:
    row = drafted(count=1)
    line = row.lines.get()
    deduct(row, 1000, line_id=line.pk)
    row = approved(row)
    order = line.charge.order
    reverse_order(actor=actor("finance"), now=LATER, order_id=order.pk, reason="查实没有上门")
    assert order.shares.filter(payer="ltci").get().amount_fen == 4000
    settled(row.provider)
    july = draft_statement(
        actor=actor("finance"),
        now=LATER + timedelta(days=30),
        organisation_id=row.provider_id,
        payer="ltci",
        month=JULY,
    )
    assert sorted(july.lines.values_list("charge__amount_fen", flat=True)) == [-3000, 4000]
    assert row.payable_fen + july.payable_fen == 4000
    assert (balance("payable.provider"), balance("receivable.ltci")) == (-4000, 4000)


def test_what_is_deducted_on_a_draft_is_not_reversed() -> None:
    row = drafted(count=1)
    line = row.lines.get()
    claim = submit_claim(actor=actor("finance"), now=LATER, statement_id=approved(row).pk)
    ClaimLine.objects.filter(claim=claim).update(state="refused", refusal="101")
    abandon_claim_line(actor=actor("finance"), now=LATER, claim_line_id=claim.lines.get().pk, reason="确无资格")
    settled(row.provider)
    draft_statement(
        actor=actor("finance"),
        now=LATER + timedelta(days=30),
        organisation_id=row.provider_id,
        payer="ltci",
        month=JULY,
    )
    with refused("settlement.on_statement"):
        reverse_order(actor=actor("finance"), now=LATER, order_id=line.charge.order_id, reason="误")


def test_the_month_is_not_asked_for_twice_while_it_waits_for_the_worker() -> None:
    city()
    settled(make_organisation())
    who = actor("finance")
    draft_statements(actor=who, now=LATER, month=JUNE)
    with refused("statement.drafting", NotAllowed):
        draft_statements(actor=who, now=LATER, month=JUNE)


def test_what_was_reversed_at_the_moment_the_statement_was_drawn_up_goes_back() -> None:
    """The reversal did not see the statement yet: a deduction from its line would be taken from the provider a second time."""
    row = drafted(count=1)
    charge = row.lines.get().charge
    Posting.objects.create(
        div=charge.div,
        key="reversal:0",
        kind="reversal",
        order=charge.order,
        reverses=charge.posting,
        text="同时冲正",
        posted_at=LATER,
    )
    with refused("statement.reversed"):
        review_statement(actor=actor("finance"), now=LATER, statement_id=row.pk)
