"""A month of a small city's books from the settled visits to the closing: stated, claimed, paid out, reconciled, closed by two persons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from django.test import Client
from tests.factories import CITY, actor, make_area_tree, make_organisation, system
from tests.screens.equal import equal_everywhere
from tests.settlement.stated import refused, sent, settled

from yinling.accounts.models import User
from yinling.cli.invariants import QUERIES
from yinling.directory.models import Organisation
from yinling.ground.scope import OpenScope, scope
from yinling.kernel.actor import Actor
from yinling.kernel.money import yuan
from yinling.orders.models import Order
from yinling.orders.operations import hold_order, release_hold
from yinling.settlement import bankfile, remitting
from yinling.settlement.models import Claim, Closing, LedgerEntry, Payout, PayoutLine, Statement
from yinling.settlement.operations import (
    answer_payout,
    approve_payout,
    approve_statement,
    close_closing,
    confirm_account,
    deduct_statement,
    draft_payout,
    draft_statement,
    export_payout,
    load_remittance,
    propose_account,
    propose_closing,
    receive_transfer,
    resubmit_claim,
    reverse_order,
    review_payout,
    review_statement,
    submit_claim,
)
from yinling.settlement.queries import balance, to_draft
from yinling.settlement.queries.arrivals import open_by_fund, unpaid
from yinling.settlement.queries.payables import payables
from yinling.settlement.queries.reconciliation import reconciliation
from yinling.settlement.rules import ACCOUNTS
from yinling.web.queries.settlement_papers import statement_paper

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
IN_JUNE, LAST_OF_JUNE = datetime(2026, 6, 18, 2, tzinfo=UTC), datetime(2026, 6, 30, 15, 59, tzinfo=UTC)
STATED, PAID, AGAIN, OVER = (datetime(2026, 7, day, 2, tzinfo=UTC) for day in (2, 3, 4, 6))
HOLD = "finding:1"


@dataclass
class Month:
    """A month of two providers and three payers, and the two persons who close it."""

    finance: Actor
    second: Actor
    one: Organisation
    other: Organisation
    held: Order = field(init=False)
    statements: dict[tuple[int, str], Statement] = field(default_factory=dict)
    payouts: list[Payout] = field(default_factory=list)

    def do(self, who: Actor, now: datetime, operation: Callable[..., Any], **arguments: Any) -> Any:
        """Run an operation as somebody, seeing only what they may see."""
        with scope(who):
            return operation(actor=who, now=now, **arguments)

    def statement(self, provider: Organisation, payer: str) -> Statement:
        """A statement of the month as it is now."""
        return Statement.objects.get(pk=self.statements[provider.pk, payer].pk)


@pytest.fixture
def month(wide: OpenScope) -> Month:
    """Everything up to the payment of the last fen of June; the books are not closed yet."""
    make_area_tree()
    row = Month(actor("finance"), actor("finance"), make_organisation(), make_organisation())
    _settle(row)
    _state(row)
    _claim(row)
    _accounts(row)
    _pay(row)
    _arrive(row)
    return row


def _settle(row: Month) -> None:
    """Visits of both providers for three payers; one is held, one reversed."""
    for fen in (4000, 3333, 4001):
        settled(row.one, "ltci", fen)
    settled(row.one, "voucher", 2500)
    for fen in (7999, 1):
        settled(row.other, "government", fen)
    settled(row.other, "voucher", 4000)
    row.held = settled(row.other, "government", 6000)
    hold_order(actor=system(), now=IN_JUNE, order=row.held, cause=HOLD, reason="签到位置待核查")
    wrong = settled(row.one, "voucher", 1700)
    row.do(row.finance, LAST_OF_JUNE, reverse_order, order_id=wrong.pk, reason="重复登记的上门")


def _state(row: Month) -> None:
    """Every statement of the month: drawn up, one with a deduction, reviewed by one person and approved by the other."""
    for pair in to_draft(CITY, JUNE):
        asked = {"organisation_id": pair.provider_id, "payer": pair.payer, "month": JUNE}
        row.statements[pair.provider_id, pair.payer] = row.do(row.finance, STATED, draft_statement, **asked)
    about = {"statement_id": row.statement(row.other, "government").pk, "reason": "01", "amount_fen": 1234}
    row.do(row.finance, STATED, deduct_statement, note="少做半小时", **about)
    for one in row.statements.values():
        row.do(row.finance, STATED, review_statement, statement_id=one.pk)
        with refused("statement.two_persons"):
            row.do(row.finance, STATED, approve_statement, statement_id=one.pk)
        row.do(row.second, STATED, approve_statement, statement_id=one.pk)


def _claim(row: Month) -> None:
    """The insurer pays two lines and refuses one, which is sent again and paid."""
    claim = row.do(row.finance, STATED, submit_claim, statement_id=row.statement(row.one, "ltci").pk)
    first, second, third = claim.lines.order_by("number")
    _remit(row, PAID, (claim, first, ""), (claim, second, "102"), (claim, third, ""))
    again = row.do(row.finance, PAID, resubmit_claim, claim_id=claim.pk, reason="已补交服务照片")
    _remit(row, AGAIN, (again, again.lines.get(), ""))


def _remit(row: Month, now: datetime, *answers: tuple[Claim, Any, str]) -> None:
    lines = [
        (claim.code, line.number, "0" if code else yuan(line.claimed_fen), code, "材料不全" if code else "")
        for claim, line, code in answers
    ]
    content = sent(*lines, heads=remitting.HEADS)
    row.do(row.finance, now, load_remittance, payer="ltci", name="回盘.csv", content=content)


def _accounts(row: Month) -> None:
    for number, body in enumerate((row.one, row.other)):
        asked = {
            "organisation_id": body.pk,
            "holder": body.name,
            "bank": "工商银行江城支行",
            "number": f"622202020001234567{number}",
        }
        account = row.do(row.finance, STATED, propose_account, valid_from=JULY, **asked)
        row.do(row.second, STATED, confirm_account, account_id=account.pk)


def _pay(row: Month) -> None:
    """Two batches: the bank sends one payment of the first back, which the second pays."""
    bounced = f"statement:{row.statement(row.other, 'voucher').pk}"
    for now, title in ((PAID, "六月拨付"), (AGAIN, "六月补拨")):
        row.payouts.append(_batch(row, now, title, fails=bounced if now == PAID else ""))


def _batch(row: Month, now: datetime, title: str, fails: str = "") -> Payout:
    """One batch from what is owed to the bank's answer."""
    keys = [one.key for one in payables(row.finance, CITY)]
    made = row.do(row.finance, now, draft_payout, title=title, keys=keys)
    row.do(row.finance, now, review_payout, payout_id=made.pk)
    with refused("payout.two_persons"):
        row.do(row.finance, now, approve_payout, payout_id=made.pk, count=len(keys))
    row.do(row.second, now, approve_payout, payout_id=made.pk, count=len(keys))
    row.do(row.finance, now, export_payout, payout_id=made.pk)
    _bank(row, now, made, fails)
    return Payout.objects.get(pk=made.pk)


def _bank(row: Month, now: datetime, made: Payout, fails: str) -> None:
    lines = [
        (made.code, line.pk, yuan(line.amount_fen).replace(",", ""), *(("失败", "户名不符") if line.key == fails else ("成功", "")))
        for line in made.lines.order_by("pk")
    ]  # fmt: skip
    content = sent(*lines, heads=bankfile.RETURN_HEADS)
    row.do(row.finance, now, answer_payout, payout_id=made.pk, content=content)


def _arrive(row: Month) -> None:
    """What the treasury owes of the statements comes in; the insurer's money came with its answers."""
    for number, (payer, fen) in enumerate((("voucher", 6500), ("government", 6766))):
        asked = {"payer": payer, "fund": "general", "amount_fen": fen, "on": AGAIN.date(), "note": f"回单 {number}"}
        row.do(row.finance, AGAIN, receive_transfer, **asked)


def closed(row: Month) -> Closing:
    """June, proposed by one person and closed by the other."""
    made = row.do(row.finance, OVER, propose_closing, month=JUNE, div=CITY)
    with refused("closing.two_persons"):
        row.do(row.finance, OVER, close_closing, closing_id=made.pk)
    return row.do(row.second, OVER, close_closing, closing_id=made.pk)  # type: ignore[no-any-return]


def signed_in(who: Actor) -> Client:
    """The browser of somebody."""
    client = Client()
    client.force_login(User.objects.get(pk=who.user_id))
    client.actor = who  # type: ignore[attr-defined]
    return client


def balanced() -> None:
    """Every posting in every unit, the whole, and all that must never be false."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        wrong = {}
        for name, (_, query) in QUERIES.items():
            cursor.execute(query)
            wrong[name] = cursor.fetchall()
    assert {name: rows for name, rows in wrong.items() if rows} == {}
    assert LedgerEntry.objects.aggregate(sum=Sum("amount"))["sum"] == 0


@pytest.mark.req("R-PAY-12")
def test_settled_visits_are_stated_claimed_and_paid_out(month: Month) -> None:
    figures = {
        (one.provider_id, one.payer): (one.state, one.total_fen, one.payable_fen)
        for one in Statement.objects.order_by("pk")
    }
    assert figures == {
        (month.one.pk, "ltci"): ("approved", 11334, 11334), (month.one.pk, "voucher"): ("approved", 2500, 2500),
        (month.other.pk, "government"): ("approved", 8000, 6766), (month.other.pk, "voucher"): ("approved", 4000, 4000),
    }  # fmt: skip
    claims = Claim.objects.order_by("attempt")
    assert [[str(line.state) for line in claim.lines.order_by("number")] for claim in claims] == [
        ["paid", "resubmitted", "paid"], ["paid"],
    ]  # fmt: skip
    assert [(made.state, made.line_count, made.total_fen) for made in month.payouts] == [
        ("completed", 4, 24600), ("completed", 1, 4000),
    ]  # fmt: skip
    assert list(PayoutLine.objects.exclude(answer="").values_list("state", "is_live")) == [("failed", False)]
    assert payables(month.finance, CITY) == []
    # Still owed, to a provider and by the treasury, is only what is held; the bank has nothing that is not owed.
    day = OVER.date()
    assert balance("payable.provider", day) == -6000
    assert [balance(f"receivable.{payer}", day) for payer in ("ltci", "voucher", "government")] == [0, 0, 6000]
    assert balance("receivable.government", day, provider_id=month.other.pk) == 6000
    assert balance("bank", day) == 0
    with scope(month.finance):
        assert [(one.payer, one.fen) for one in open_by_fund(month.finance, day)] == [("government", 6000)]
        assert unpaid(month.finance) == []
    balanced()


@pytest.mark.req("R-PAY-12")
def test_what_was_held_is_stated_paid_and_arrives_in_the_next_month_and_nothing_stays_open(month: Month) -> None:
    release_hold(actor=month.finance, now=OVER, order=month.held, cause=HOLD, reason="位置已核实")
    asked = {"organisation_id": month.other.pk, "payer": "government", "month": JULY}
    made = month.do(month.finance, OVER, draft_statement, **asked)
    month.do(month.finance, OVER, review_statement, statement_id=made.pk)
    month.do(month.second, OVER, approve_statement, statement_id=made.pk)
    _batch(month, OVER, "七月拨付")
    asked = {"payer": "government", "fund": "general", "amount_fen": 6000, "on": OVER.date(), "note": "回单 9"}
    month.do(month.finance, OVER, receive_transfer, statements=[made.code], **asked)
    for account in ACCOUNTS:
        if account.startswith(("receivable.", "payable.", "bank")):
            assert balance(account, OVER.date()) == 0, account
    balanced()


@pytest.mark.req("R-PAY-12")
def test_the_month_reconciles_and_its_figures_are_equal_everywhere(month: Month) -> None:
    with scope(month.finance):
        sums = reconciliation(month.finance, JUNE)
    settled_sum, stated_sum = sums.settled_sum, sums.stated_sum
    assert sums.difference_fen == 0
    assert (settled_sum.settled_fen, settled_sum.stated_fen, settled_sum.frozen_fen, settled_sum.waiting_fen) == (
        31834, 25834, 6000, 0,
    )  # fmt: skip
    assert (stated_sum.payable_fen, stated_sum.paid_fen, stated_sum.outstanding_fen) == (24600, 24600, 0)
    assert (stated_sum.claimed_fen, stated_sum.received_fen, stated_sum.due_fen) == (11334, 24600, 0)
    client = signed_in(month.finance)
    page = client.get("/settlement/month/?month=2026-06").content.decode()
    assert "差异为 0" in page
    assert "付费方未到账" in page
    row = month.statement(month.other, "government")
    stem = f"/settlement/statements/{row.pk}/"
    text = equal_everywhere(client, stem + "print/", stem + "KIND/", statement_paper(row), 6)
    assert "67.66" in text


@pytest.mark.req("R-FUN-10")
def test_two_persons_close_the_books_and_late_items_go_to_the_next_month(month: Month) -> None:
    made = closed(month)
    assert (made.closed_by_id, made.closed_at) == (month.second.user_id, OVER)
    assert sum(one["moved"] for one in made.figures) == 0
    june = LedgerEntry.objects.filter(period=JUNE)
    before = june.count()
    # The release of the held visit and a visit whose settlement comes late: both are June's service, stated and booked in July.
    release_hold(actor=month.finance, now=OVER, order=month.held, cause=HOLD, reason="位置已核实")
    with scope(system(CITY)):
        late = settled(month.one, "voucher", 900, at=LAST_OF_JUNE)
    entry = LedgerEntry.objects.filter(posting__order=late).first()
    assert entry is not None
    assert (entry.booked_on, entry.service_day, entry.period) == (date(2026, 6, 30), date(2026, 6, 16), JULY)
    with pytest.raises(DatabaseError, match="the period is closed"), transaction.atomic():
        values = {one.attname: getattr(entry, one.attname) for one in entry._meta.concrete_fields if one.name != "id"}
        LedgerEntry.objects.create(**values | {"period": JUNE})
    assert june.count() == before
    assert {(pair.provider_id, pair.payer, pair.amount_fen) for pair in to_draft(CITY, JULY)} == {
        (month.one.pk, "voucher", 900), (month.other.pk, "government", 6000),
    }  # fmt: skip
    assert to_draft(CITY, JUNE) == []
    balanced()
