"""Every way into the ledger, taken again later in the same words: nothing is booked, charged or counted a second time."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Count, Sum
from tests.api.conftest import Api
from tests.factories import (
    CITY,
    NOW,
    actor,
    fund_order,
    make_area_tree,
    make_elder,
    make_entitlement,
    make_order,
    make_scheme,
    system,
)
from tests.settlement.paying import an_order, asked, refund, tell, top_up, use
from tests.settlement.stated import LATER, approved, claimed, drafted, exported, sent, with_account
from tests.settlement.test_distributions import AFTER, body_with_two, draft
from tests.settlement.test_reimbursements import reviewed, spent

import yinling
from yinling.entitlements.models import AgreementQuota, BudgetLine, Quota
from yinling.entitlements.operations import approve_line, propose_line
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal
from yinling.programmes.subsidies.models import Donation
from yinling.programmes.subsidies.operations import (
    approve_subsidy,
    draft_subsidy,
    review_subsidy,
    withdraw_donation,
)
from yinling.settlement import bankfile, channel, remitting
from yinling.settlement.models import ClaimLine, LedgerEntry, Payment, PayoutLine, Posting, Statement, Transfer
from yinling.settlement.operations import (
    answer_claim_line,
    answer_payout,
    appeal_claim_line,
    approve_distribution,
    approve_reimbursement,
    approve_statement,
    book_transfer,
    deduct_statement,
    finish_refund,
    load_remittance,
    pay_from_balance,
    propose_transfer,
    receive_transfer,
    reverse_order,
    reverse_transfer,
    review_statement,
    settle_order,
    take_transfer,
)
from yinling.settlement.queries.arrivals import KIND

pytestmark = pytest.mark.usefixtures("wide")
Act = Callable[[], Any]
LATE = LATER + timedelta(days=9)
KEPT: dict[Any, tuple[str, ...]] = {
    Quota: ("reserved", "used"), AgreementQuota: ("reserved", "used"), BudgetLine: ("approved_fen", "spent_fen"),
    Payment: ("state", "matched_fen", "refunded_fen"), PayoutLine: ("state", "is_live"), ClaimLine: ("state", "paid_fen"),
    Statement: ("state", "deducted_fen", "offset_fen"), Transfer: ("amount_fen", "posting_id"),
}  # fmt: skip


def money() -> tuple[Any, ...]:
    """All that a second booking would move."""
    sums = LedgerEntry.objects.values_list("account").annotate(Sum("amount"), Count("pk")).order_by("account")
    return list(sums), [list(model.objects.order_by("pk").values_list("pk", *names)) for model, names in KEPT.items()]


def an_order_served() -> Any:
    order = make_order("served")
    fund_order(order, make_entitlement(order.elder, make_scheme(code=f"v{order.pk}")), 4000)
    return order


def settling() -> Iterator[Act]:
    order, finance = an_order_served(), actor("finance")
    yield lambda: settle_order(actor=system(), now=LATE, order_id=order.pk)
    yield lambda: reverse_order(actor=finance, now=LATE, order_id=order.pk, reason="误")


def advancing() -> Iterator[Act]:
    """An advance, its offset and a deduction at the approval of a statement, what is taken back by a reversal, the advance's return."""
    row, finance, other, third = drafted(payer="government"), actor("finance"), actor("finance"), actor("finance")
    line = row.lines.order_by("pk").first()
    about = {"reason": "01", "note": "少做", "amount_fen": 701, "line_id": line.pk}
    deduct_statement(actor=finance, now=LATER, statement_id=row.pk, **about)
    common = {"provider_id": row.provider_id, "payer": "government", "business": "eldercare", "note": "凭证"}
    given = propose_transfer(actor=finance, now=LATER, kind="advance", amount_fen=3001, **common)
    yield lambda: book_transfer(actor=other, now=LATE, transfer_id=given.pk)
    review_statement(actor=other, now=LATER, statement_id=row.pk)
    yield lambda: approve_statement(actor=third, now=LATE, statement_id=row.pk)
    yield lambda: reverse_order(actor=finance, now=LATE, order_id=line.charge.order_id, reason="误")
    more = propose_transfer(actor=finance, now=LATER, kind="advance", amount_fen=500, **common)
    book_transfer(actor=other, now=LATE, transfer_id=more.pk)
    back = propose_transfer(actor=finance, now=LATE, kind="advance_return", amount_fen=500, **common)
    yield lambda: book_transfer(actor=other, now=LATE, transfer_id=back.pk)


def claiming() -> Iterator[Act]:
    claim, finance = claimed(), actor("finance")
    rows = ((claim.code, 1, "40.00", "", ""), (claim.code, 2, "10.00", "101", "部分"))
    told = {"payer": "ltci", "name": "回盘.csv"}
    yield lambda: load_remittance(actor=finance, now=LATE, content=sent(*rows, heads=remitting.HEADS), **told)
    turned = sent(*reversed(rows), heads=remitting.HEADS)
    yield lambda: load_remittance(actor=finance, now=LATE, content=turned, **told)
    line = claim.lines.get(number=2)
    appeal_claim_line(actor=finance, now=LATE, claim_line_id=line.pk, text="有记录")
    said = {"claim_line_id": line.pk, "paid_fen": 4000, "text": "同意"}
    yield lambda: answer_claim_line(actor=finance, now=LATE, **said)


def paying_out() -> Iterator[Act]:
    row, finance = approved(payer="government"), actor("finance")
    with_account(row.provider)
    made = exported([f"statement:{row.pk}"])
    line = made.lines.get()
    for said in (("成功", ""), ("失败", "户名不符")):
        content = sent((made.code, line.pk, "80.00", *said), heads=bankfile.RETURN_HEADS)
        yield lambda content=content: answer_payout(actor=finance, now=LATE, payout_id=made.pk, content=content)


def arriving() -> Iterator[Act]:
    make_area_tree()
    approved(payer="government")
    finance, on = actor("finance"), local_date(LATER)
    about = {"payer": "government", "fund": "general", "amount_fen": 9000, "on": on, "note": "回单 1"}
    yield lambda: receive_transfer(actor=finance, now=LATE, **about)
    row = Transfer.objects.get()
    yield lambda: reverse_transfer(actor=finance, now=LATE, transfer_id=row.pk, reason="误")


def at_the_counter() -> Iterator[Act]:
    elder, finance = make_elder(), actor("finance")
    for kind in ("deposit", "top_up"):
        for suffix, fen in (("", 500), ("_return", 200)):
            about = {"kind": kind + suffix, "amount_fen": fen, "method": "cash", "note": f"收据 {suffix}"}
            yield lambda about=about: take_transfer(actor=finance, now=LATE, elder_id=elder.pk, **about)


def paying() -> Iterator[Act]:
    order = an_order("served")
    row = asked(order)
    yield lambda: tell(row, LATER, paid_at=LATER)
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    yield lambda: channel.tend_payments(system(), LATE)
    back = refund(row, 1500)
    yield lambda: finish_refund(actor=system(), now=LATE, refund_id=back.pk)


def paying_from_the_balance() -> Iterator[Act]:
    order = an_order("served")
    top_up(order.elder, 20_000)
    who = actor("elder", elders=(order.elder,))
    yield lambda: pay_from_balance(actor=who, now=LATE, order_id=order.pk)


def reimbursing() -> Iterator[Act]:
    row, finance = reviewed(spent(123_456)), actor("finance")
    yield lambda: approve_reimbursement(actor=finance, now=LATE, reimbursement_id=row.pk)


def sharing() -> Iterator[Act]:
    body, *_people = body_with_two()
    row, second = draft(body), actor("provider_manager", organisation=body)
    yield lambda: approve_distribution(actor=second, now=AFTER, distribution_id=row.pk)


def a_line(fund: str) -> BudgetLine:
    make_area_tree()
    asked_for = {"div": CITY, "year": 2026, "fund": fund, "purpose": "elder_care", "name": fund, "document": "预算"}
    row = propose_line(actor=actor("finance", CITY), now=NOW, planned_fen=10_000, **asked_for)
    return approve_line(actor=actor("finance", CITY), now=NOW, budget_line_id=row.pk, approved_fen=10_000)


def subsidising() -> Iterator[Act]:
    line, first, second, third = a_line("general"), *(actor("finance", CITY) for _ in range(3))
    about = {"kind": "project", "line_id": line.pk, "result_year": 2026, "actual_fen": 7000, "evidence": "合同"}
    row = draft_subsidy(actor=first, now=NOW, **about)
    review_subsidy(actor=second, now=NOW, subsidy_id=row.pk)
    yield lambda: approve_subsidy(actor=third, now=LATE, subsidy_id=row.pk)


def giving() -> Iterator[Act]:
    """Two donors may give the same sum on the same day: it is the request that counts once, by its key."""
    line, api = a_line("donation"), Api(actor("finance", CITY))
    about = {"donor": "李先生", "amount_fen": 5000, "line_id": line.pk, "received_on": "2026-06-01"}
    yield lambda: answered(api.post("/donations/register", about, key="once"))
    row, other = Donation.objects.get(), actor("finance", CITY)
    yield lambda: withdraw_donation(actor=other, now=LATE, donation_id=row.pk, reason="捐赠人撤回")


def answered(answer: Any) -> None:
    assert answer.status_code == 201, answer.content


CASES: list[tuple[Callable[[], Iterator[Act]], set[str]]] = [
    (settling, {"order", "reversal"}), (advancing, {"advance", "deduction", "offset", "reversal", "advance_return"}),
    (claiming, {"remittance"}), (paying_out, {"payout", "payout_back"}), (arriving, {"arrival", "arrival_back"}),
    (at_the_counter, {"deposit", "deposit_return", "top_up", "top_up_return"}), (paying, {"payment", "match", "refund"}),
    (paying_from_the_balance, {"payment"}), (reimbursing, {"reimbursement"}), (sharing, {"distribution"}), (subsidising, {"subsidy"}),
    (giving, {"donation"}),
]  # fmt: skip


@pytest.mark.req("R-FUN-10", "R-PAY-04")
@pytest.mark.parametrize(("case", "kinds"), CASES, ids=[case.__name__ for case, _kinds in CASES])
def test_what_is_done_again_moves_nothing(
    monkeypatch: pytest.MonkeyPatch, case: Callable[[], Iterator[Act]], kinds: set[str]
) -> None:
    use(monkeypatch, "fake.FakePayment")
    for act in case():
        act()
        done = money()
        for _ in range(2):
            with suppress(Refusal):
                act()
            assert money() == done
    assert kinds <= set(Posting.objects.values_list("kind", flat=True))


def posted_kinds() -> set[str]:
    """The kinds of posting that the source names, read from every call of ``post``."""
    found = {"order", KIND, *(kind for kind, _label in Transfer.KINDS)}
    for file in Path(yinling.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "post":
                named = {one.arg: one.value for one in node.keywords}
                if "sides" in named and isinstance(kind := named["kind"], ast.Constant):
                    found.add(str(kind.value))
    return found


def test_every_kind_of_posting_is_done_again_above() -> None:
    assert posted_kinds() == set().union(*(kinds for _case, kinds in CASES))
