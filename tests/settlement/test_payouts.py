"""Accounts of payees, batches, the bank's answer, and invoices."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.db.models import Sum
from tests.factories import NOW, OTHER_DISTRICT, actor, make_elder, make_organisation
from tests.settlement.stated import JUNE, LATER, approved, batch, drafted, exported, refused, sent, with_account

from yinling.accounts.models import Journal
from yinling.kernel.refusals import Denied, NotAllowed, NotFound
from yinling.orders.models import Order
from yinling.orders.operations import hold_order, release_hold
from yinling.settlement import bankfile
from yinling.settlement.models import BankAccount, Invoice, LedgerEntry, Payout, PayoutLine, Posting, Statement
from yinling.settlement.operations import (
    answer_payout,
    approve_payout,
    book_transfer,
    cancel_invoice,
    confirm_account,
    end_account,
    export_payout,
    propose_account,
    propose_transfer,
    register_invoice,
    return_payout,
    reveal_account,
    review_payout,
)
from yinling.settlement.payables import KINDS, Payable, register
from yinling.settlement.queries.files import open_file
from yinling.settlement.queries.payables import payables
from yinling.settlement.queries.payouts import bank_file, payout_totals, payouts, preview_return

pytestmark = pytest.mark.usefixtures("wide")


def ready(payer: str = "government", count: int = 1) -> Statement:
    """An approved statement whose provider has an account."""
    row = approved(payer=payer, count=count)
    with_account(row.provider)
    return row


def key(row: Statement) -> str:
    return f"statement:{row.pk}"


def answer(row: Payout, *lines: tuple[int, str, str, str]) -> Payout:
    rows = [(row.code, *line) for line in lines]
    return answer_payout(
        actor=actor("finance"), now=LATER, payout_id=row.pk, content=sent(*rows, heads=bankfile.RETURN_HEADS)
    )


def balance(account: str) -> int:
    return LedgerEntry.objects.filter(account=account).aggregate(fen=Sum("amount"))["fen"] or 0


def test_what_is_owed_stands_in_one_batch_and_is_paid_once() -> None:
    row = ready()
    who = actor("finance")
    assert [(one.key, one.amount_fen) for one in payables(who, "3202")] == [(key(row), 4000)]
    made = exported([key(row)])
    assert payables(who, "3202") == []
    with refused("payout.gone"):
        batch([key(row)])
    line = made.lines.get()
    done = answer(made, (line.pk, "40.00", "成功", ""))
    line.refresh_from_db()
    assert (done.state, line.state, line.posting.key) == ("completed", "paid", f"payout:{line.pk}")
    assert (balance("payable.provider"), balance("bank")) == (0, -4000)
    with refused("payout.gone"):
        batch([key(row)])
    again = answer(done, (line.pk, "40.00", "成功", ""))
    assert (again.version, Posting.objects.filter(kind="payout").count()) == (done.version, 1)
    assert payout_totals(payouts(who)) == {"count": 1, "total_fen": 4000, "paid_fen": 4000, "failed_fen": 0}


def test_medical_and_elder_care_money_are_paid_apart() -> None:
    from tests.factories import fund_order, make_entitlement, make_item, make_order, make_price, make_scheme, system  # noqa: PLC0415

    from yinling.settlement.operations import draft_statement, settle_order  # noqa: PLC0415

    body = make_organisation()
    for is_medical in (True, False):
        order = make_order("served", price=make_price(make_item(is_medical=is_medical), body))
        fund_order(order, make_entitlement(order.elder, make_scheme(payer="government", fund="general")), 4000)
        settle_order(actor=system(), now=LATER, order_id=order.pk)
    row = draft_statement(actor=actor("finance"), now=LATER, organisation_id=body.pk, payer="government", month=JUNE)
    approved(row)
    with_account(body)
    made = exported([key(row)])
    answer(made, (made.lines.get().pk, "80.00", "成功", ""))
    sums = LedgerEntry.objects.filter(posting__kind="payout", account="bank").values_list("business", "fund", "amount")
    assert sorted(sums) == [("eldercare", "general", -4000), ("medical", "general", -4000)]


@pytest.mark.req("R-PAY-16")
def test_an_advance_is_offset_at_approval_and_the_rest_is_paid() -> None:
    draft = drafted(payer="medical_insurance")
    given = propose_transfer(
        actor=actor("finance"), now=LATER, kind="advance", provider_id=draft.provider_id, payer="medical_insurance", business="eldercare",
        amount_fen=3001, note="预付一季度",
    )  # fmt: skip
    book_transfer(actor=actor("finance"), now=LATER, transfer_id=given.pk)
    row = approved(draft)
    assert (row.offset_fen, row.payable_fen) == (3001, 4999)
    with_account(row.provider)
    made = exported([key(row)])
    answer(made, (made.lines.get().pk, "49.99", "成功", ""))
    assert (balance("payable.provider"), balance("advance.medical_insurance"), balance("bank")) == (0, 0, -8000)


def test_one_wrong_line_and_nothing_counts() -> None:
    one, other = ready(), ready()
    made = exported([key(one), key(other)])
    first, second = made.lines.order_by("pk")
    with refused("bank.wrong") as refusal:
        answer(made, (first.pk, "40.00", "成功", ""), (second.pk, "40.01", "成功", ""))
    assert (refusal.value.values["count"], refusal.value.values["lines"]) == (1, "3")
    assert set(PayoutLine.objects.values_list("state", flat=True)) == {"pending"}
    assert not Posting.objects.filter(kind="payout").exists()
    text = "\n".join([",".join(bankfile.RETURN_HEADS), f"{made.code},{first.pk},40.00,成功,", "X,1,1,成功,"])
    shown = preview_return(
        actor("finance"), made, open_file(actor("finance"), "return", text.encode("utf-8-sig"), LATER.date())
    )
    assert ([one.code for one in shown.problems], shown.paid_fen) == (["bank.batch"], 4100)


def test_what_the_bank_sends_back_is_owed_again_and_paid_in_a_later_batch() -> None:
    row = ready()
    made = exported([key(row)])
    line = made.lines.get()
    done = answer(made, (line.pk, "40.00", "失败", "户名不符"))
    assert (done.state, balance("payable.provider"), balance("bank")) == ("completed", -4000, 0)
    line.refresh_from_db()
    assert (line.answer, line.is_live, line.posting) == ("户名不符", False, None)
    with refused("bank.wrong") as refusal:
        answer(made, (line.pk, "40.00", "成功", ""))
    assert refusal.value.values["codes"] == ["bank.answered"]
    later = exported([key(row)])
    paid = later.lines.get()
    answer(later, (paid.pk, "40.00", "成功", ""))
    assert balance("bank") == -4000
    # The bank takes a paid amount back days later.
    answer(later, (paid.pk, "40.00", "失败", "账户已销户"))
    assert (balance("bank"), balance("payable.provider")) == (0, -4000)
    assert [one.key for one in payables(actor("finance"), "3202")] == [key(row)]


def test_two_persons_and_the_number_of_payments() -> None:
    row, drafter, reviewer = ready(), actor("finance"), actor("finance")
    made = batch([key(row)], drafter)
    with refused("state.not_allowed", NotAllowed):
        approve_payout(actor=reviewer, now=LATER, payout_id=made.pk, count=1)
    with refused("state.not_allowed", NotAllowed):
        export_payout(actor=reviewer, now=LATER, payout_id=made.pk)
    review_payout(actor=reviewer, now=LATER, payout_id=made.pk, seen=0)
    for person in (drafter, reviewer):
        with refused("payout.two_persons"):
            approve_payout(actor=person, now=LATER, payout_id=made.pk, count=1)
    with refused("payout.count"):
        approve_payout(actor=actor("finance"), now=LATER, payout_id=made.pk, count=2)
    with pytest.raises(DatabaseError, match="payout_two_persons"), transaction.atomic():
        Payout.objects.filter(pk=made.pk).update(approved_by_id=reviewer.user_id)
    approve_payout(actor=actor("finance"), now=LATER, payout_id=made.pk, count=1, seen=1)
    with refused("payout.not_exported", NotAllowed):
        answer(made, (made.lines.get().pk, "40.00", "成功", ""))
    with refused("right.missing", Denied):
        export_payout(actor=actor("auditor"), now=LATER, payout_id=made.pk)


def test_the_file_for_the_bank_is_the_same_twice() -> None:
    row = ready()
    made = exported([key(row)])
    content = bank_file(made)
    assert made.file_digest == bankfile.digest(content)
    line = made.lines.get()
    assert content.decode("utf-8-sig").split("\r\n")[1] == (
        f"{made.code},{line.pk},{row.provider.name},6222020200012345678,工商银行江城支行,40.00,{made.code} {row.code}"
    )
    again = export_payout(actor=actor("finance"), now=LATER + timedelta(days=1), payout_id=made.pk)
    assert (again.file_digest, again.exported_at, bank_file(again)) == (made.file_digest, LATER, content)
    Payout.objects.filter(pk=made.pk).update(file_digest="0" * 64)
    with refused("payout.file_changed", NotAllowed):
        export_payout(actor=actor("finance"), now=LATER, payout_id=made.pk)


def test_a_returned_batch_frees_its_amounts() -> None:
    row = ready()
    made = batch([key(row)])
    with refused("payout.gone"):
        batch([key(row)])
    return_payout(actor=actor("finance"), now=LATER, payout_id=made.pk, reason="金额待核")
    assert batch([key(row)]).total_fen == 4000
    with pytest.raises(DatabaseError, match="payout_line_once"), transaction.atomic():
        PayoutLine.objects.filter(payout=made).update(is_live=True)


def test_what_cannot_be_drafted() -> None:
    row = approved(payer="government")
    with refused("payout.no_account"):
        batch([key(row)])
    with refused("payout.nothing"):
        batch([])
    with refused("payout.gone"):
        batch(["statement:999999"])
    with refused("payout.gone"):
        batch(["nonsense"])
    with refused("right.missing", Denied):
        batch([key(row)], actor("district"))
    draft = drafted(payer="government")
    assert key(draft) not in [one.key for one in payables(actor("finance"), "3202")]
    assert not Payout.objects.exists()


def test_an_account_that_was_ended_stops_the_batch() -> None:
    row = approved(payer="government")
    account = with_account(row.provider)
    made = batch([key(row)])
    with refused("account.in_use", NotAllowed):
        end_account(actor=actor("finance"), now=LATER, account_id=account.pk, reason="销户")
    BankAccount.objects.filter(pk=account.pk).update(valid_to=date(2026, 6, 2))
    with refused("payout.account_ended"):
        review_payout(actor=actor("finance"), now=LATER, payout_id=made.pk)


@pytest.mark.req("R-PAY-12")
def test_what_is_held_after_the_statement_was_approved_is_not_paid_out() -> None:
    row = ready()
    made = batch([key(row)])
    order = Order.objects.get(pk=row.lines.get().charge.order_id)
    cause = {"actor": actor("supervisor"), "now": LATER, "order": order, "cause": "objection:1"}
    hold_order(**cause, reason="老人说没有人来")
    with refused("payout.held"):
        review_payout(actor=actor("finance"), now=LATER, payout_id=made.pk)
    return_payout(actor=actor("finance"), now=LATER, payout_id=made.pk, reason="有异议")
    with refused("payout.gone"):
        batch([key(row)])
    release_hold(**cause, reason="已核实")
    again = batch([key(row)])
    review_payout(actor=actor("finance"), now=LATER, payout_id=again.pk)
    hold_order(**cause | {"cause": "objection:2"}, reason="又有异议")
    with refused("payout.held"):
        approve_payout(actor=actor("finance"), now=LATER, payout_id=again.pk, count=1)


def test_a_later_context_registers_what_it_owes() -> None:
    elder, told = make_elder(), []
    owed = Payable("test:1", "测试补助", None, elder.pk, "government", "lottery", 20000, "payable.elder")
    register(
        "test",
        lambda _actor, _div: [owed],
        lambda _actor, _now, line, posting: told.append((line.key, posting and posting.key)),
    )
    try:
        account = propose_account(
            actor=actor("finance"), now=NOW, elder_id=elder.pk, holder=elder.name, bank="农业银行", number="6228 4800 0000 0000 018",
            valid_from=date(2026, 1, 1),
        )  # fmt: skip
        confirm_account(actor=actor("finance"), now=NOW, account_id=account.pk)
        made = exported(["test:1"])
        line = made.lines.get()
        answer(made, (line.pk, "200.00", "成功", ""))
        answer(made, (line.pk, "200.00", "失败", "退汇"))
    finally:
        del KINDS["test"]
    assert told == [("test:1", f"payout:{line.pk}"), ("test:1", None)]
    sides = LedgerEntry.objects.filter(posting__key=f"payout:{line.pk}").values_list(
        "account", "amount", "fund", "elder"
    )
    assert sorted(sides) == [("bank", -20000, "lottery", elder.pk), ("payable.elder", 20000, "lottery", elder.pk)]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"number": "12345"}, "account.number"),
        ({"number": "6222020200012345678a"}, "account.number"),
        ({"holder": "=1+1"}, "account.name"),
        ({"holder": " "}, "text.missing"),
        ({"bank": "行\n行"}, "account.name"),
        ({"elder_id": 1}, "account.whose"),
    ],
)
def test_what_is_no_account(values: dict[str, object], code: str) -> None:
    chosen = {
        "organisation_id": make_organisation().pk,
        "holder": "江城护理站",
        "bank": "工商银行",
        "number": "6222020200012345678",
        **values,
    }
    with refused(code):
        propose_account(actor=actor("finance"), now=NOW, valid_from=date(2026, 1, 1), **chosen)
    assert not BankAccount.objects.exists()


def test_two_persons_for_an_account_and_the_new_one_replaces_the_old() -> None:
    body, who = make_organisation(), actor("finance")
    old = with_account(body)
    new = propose_account(
        actor=who,
        now=LATER,
        organisation_id=body.pk,
        holder=body.name,
        bank="建设银行",
        number="6217000000000000018",
        valid_from=date(2026, 7, 1),
    )
    with refused("account.two_persons"):
        confirm_account(actor=who, now=LATER, account_id=new.pk)
    with pytest.raises(DatabaseError, match="bank_account_two_persons"), transaction.atomic():
        BankAccount.objects.filter(pk=new.pk).update(confirmed_by_id=who.user_id)
    confirm_account(actor=actor("finance"), now=LATER, account_id=new.pk)
    old.refresh_from_db()
    assert old.valid_to == date(2026, 7, 1)
    with refused("account.done", NotAllowed):
        confirm_account(actor=actor("finance"), now=LATER, account_id=new.pk)


def test_the_number_is_sealed_and_shown_with_a_reason_only() -> None:
    row = with_account(make_organisation())
    assert row.last4 == "5678"
    assert b"6222020200012345678" not in bytes(row.number_enc)
    with refused("text.missing"):
        reveal_account(actor=actor("finance"), now=LATER, account_id=row.pk, reason=" ")
    with refused("right.missing", Denied):
        reveal_account(actor=actor("auditor"), now=LATER, account_id=row.pk, reason="核对")
    assert reveal_account(actor=actor("finance"), now=LATER, account_id=row.pk, reason="核对") == {
        "account_number": "6222020200012345678"
    }
    entry = Journal.objects.get(event="settlement.account.reveal", is_refused=False)
    assert (entry.reason, entry.subject_id) == ("核对", row.pk)
    assert "6222020200012345678" not in str(Journal.objects.values_list("changes", flat=True))
    end_account(actor=actor("finance"), now=LATER, account_id=row.pk, reason="销户")
    with refused("row.not_found", NotFound):
        reveal_account(actor=actor("finance"), now=LATER, account_id=999_999, reason="核对")


def invoice(row: Statement, **values: object) -> Invoice:
    chosen = {"number": "24322000000012345678", "issued_on": date(2026, 6, 17), "amount_fen": row.payable_fen, **values}
    return register_invoice(actor=actor("finance"), now=LATER, statement_id=row.pk, **chosen)


def test_an_invoice_is_what_is_payable_and_cancelled_with_a_reason() -> None:
    row = approved(payer="government")
    for values, code, field in (
        ({"amount_fen": 7999}, "invoice.amount", "amount_fen"), ({"number": "12"}, "invoice.number", "number"),
        ({"issued_on": date(2026, 5, 31)}, "invoice.day", "issued_on"), ({"issued_on": date(2027, 1, 1)}, "invoice.day", "issued_on"),
    ):  # fmt: skip
        with refused(code) as refusal:
            invoice(row, **values)
        assert refusal.value.field == field
    with refused("invoice.not_approved", NotAllowed):
        invoice(drafted())
    made = invoice(row)
    with refused("invoice.already", NotAllowed):
        invoice(row, number="24322000000012345679")
    body = actor("provider_manager", div="", organisation=row.provider)
    cancel_invoice(actor=body, now=LATER, invoice_id=made.pk, reason="抬头有误")
    with refused("invoice.cancelled", NotAllowed):
        cancel_invoice(actor=body, now=LATER, invoice_id=made.pk, reason="再次")
    assert invoice(row).number == made.number


def test_a_foreign_area_sees_nothing() -> None:
    row = ready()
    made = batch([key(row)])
    there = actor("finance", OTHER_DISTRICT)
    assert payables(there, OTHER_DISTRICT) == []
    with refused("right.outside", Denied):
        review_payout(actor=there, now=LATER, payout_id=made.pk)
