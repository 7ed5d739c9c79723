"""A reimbursement that was wrong is taken back: the household is told, its budget is free, and it may ask again."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import Sum
from tests.factories import CITY, NOW, actor, make_user
from tests.settlement.stated import exported, refused, sent
from tests.settlement.test_reimbursements import drafted, entered, line, move_away, promised, reviewed, spent

from yinling.accounts.models import Notice
from yinling.entitlements.models import Budget, Commitment, Entitlement
from yinling.kernel.money import yuan
from yinling.kernel.refusals import NotAllowed
from yinling.people.models import Representative
from yinling.programmes.subsidies.queries.funds import executed_of, follow
from yinling.settlement import bankfile
from yinling.settlement.models import LedgerEntry, Reimbursement
from yinling.settlement.operations import (
    answer_payout,
    approve_reimbursement,
    collect_reimbursement,
    confirm_account,
    contest_reimbursement,
    propose_account,
    revoke_reimbursement,
    uphold_reimbursement,
)
from yinling.settlement.queries.payables import payables
from yinling.settlement.queries.reimbursements import reimbursable

pytestmark = pytest.mark.usefixtures("wide")
FEN = 120_000
WHY = "发票与实际不符"


def fund(entitlement: Entitlement) -> Budget:
    """A line behind the budget that holds the sum."""
    return Budget.objects.create(
        scheme=entitlement.scheme, div=CITY, year=2026, line=line("lottery", 10**7, "福彩"), amount_fen=10**6, document="文", is_in_force=True,
        proposed_by=make_user(), confirmed_by=make_user(), created_at=NOW, changed_at=NOW,
    )  # fmt: skip


def approved(entitlement: Entitlement) -> Reimbursement:
    return approve_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=reviewed(spent(FEN, entitlement)).pk)


def revoked(row: Reimbursement) -> Reimbursement:
    contest_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=row.pk, reason=WHY)
    return revoke_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=row.pk)


def with_account_of(elder_id: int) -> None:
    account = propose_account(
        actor=actor("finance"), now=NOW, elder_id=elder_id, holder="王秀英", bank="工商银行", number="6222020200012345678",
        valid_from=NOW.date() - timedelta(days=90),
    )  # fmt: skip
    confirm_account(actor=actor("finance"), now=NOW, account_id=account.pk)


def paid(row: Reimbursement) -> None:
    with_account_of(row.elder_id)
    made = exported([f"reimbursement:{row.pk}"])
    one = made.lines.get()
    answer = (made.code, one.pk, yuan(one.amount_fen).replace(",", ""), "成功", "")
    answer_payout(actor=actor("finance"), now=NOW, payout_id=made.pk, content=sent(answer, heads=bankfile.RETURN_HEADS))


def books() -> dict[str, int]:
    rows = LedgerEntry.objects.values_list("account").annotate(fen=Sum("amount")).exclude(fen=0)
    return dict(rows.order_by("account"))


@pytest.mark.req("R-MOD-04", "R-FUN-10")
def test_an_unpaid_one_frees_the_budget_and_a_corrected_one_is_paid() -> None:
    entitlement = promised()
    budget = fund(entitlement)
    row = approved(entitlement)
    watcher = make_user()
    Representative.objects.create(
        div=entitlement.div, elder=entitlement.elder, user=watcher, capacity="family", valid_from=NOW.date(), recorded_from=NOW,
        proof="户口簿",
    )  # fmt: skip
    assert Budget.objects.get(pk=budget.pk).committed_fen == FEN
    done = revoked(row)
    assert (done.state, done.revoke_reason, books()) == ("revoked", WHY, {})
    assert Budget.objects.get(pk=budget.pk).committed_fen == 0
    assert executed_of(budget) == 0
    assert payables(actor("finance"), CITY) == []
    said = Notice.objects.get(user=watcher)
    assert WHY in said.text
    assert done.code in said.text
    assert entitlement in reimbursable(actor("finance"), NOW.date())
    again = spent(FEN - 1, entitlement)
    again = approve_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=reviewed(again).pk)
    assert again.state == "approved"
    assert Budget.objects.get(pk=budget.pk).committed_fen == FEN - 1
    assert [one.key for one in payables(actor("finance"), CITY)] == [f"reimbursement:{again.pk}"]


@pytest.mark.req("R-MOD-04", "R-FUN-10")
def test_a_paid_one_blocks_the_household_until_the_money_is_back() -> None:
    entitlement = promised()
    budget = fund(entitlement)
    row = approved(entitlement)
    paid(row)
    move_away(entitlement.elder)
    done = revoked(row)
    assert (done.state, done.to_recover_fen) == ("recovering", FEN)
    assert books() == {"bank": -FEN, "receivable.recovery": FEN}
    with refused("reimbursement.household"), transaction.atomic():
        drafted(entitlement)
    found, _loose = follow([budget.line])  # type: ignore[list-item]
    assert [(one.executed_fen, one.paid_fen, one.owed_fen, one.recovering_fen) for one in found] == [(0, FEN, 0, FEN)]
    with refused("revocation.too_much"), transaction.atomic():
        collect_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=row.pk, amount_fen=FEN + 1, voucher="A")
    done = collect_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=row.pk, amount_fen=FEN, voucher="A")
    assert (done.state, books()) == ("revoked", {})
    assert Commitment.objects.get(entitlement=entitlement).paid_fen == 0
    back = LedgerEntry.objects.get(posting__kind="recovered", account="bank")
    assert (back.fund, back.plan_year, back.scheme_id) == ("lottery", 2026, entitlement.scheme_id)
    assert entered(drafted(entitlement), ("1", "done", 100)).state == "draft"


def test_two_persons_and_a_reason() -> None:
    row = approved(promised())
    who = actor("finance")
    with refused("text.missing"), transaction.atomic():
        contest_reimbursement(actor=who, now=NOW, reimbursement_id=row.pk, reason="")
    contest_reimbursement(actor=who, now=NOW, reimbursement_id=row.pk, reason=WHY)
    assert payables(actor("finance"), CITY) == []
    with refused("revocation.two_persons"), transaction.atomic():
        revoke_reimbursement(actor=who, now=NOW, reimbursement_id=row.pk)
    uphold_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=row.pk, reason="无误")
    assert [one.key for one in payables(actor("finance"), CITY)] == [f"reimbursement:{row.pk}"]
    with refused("state.not_allowed", NotAllowed), transaction.atomic():
        revoke_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=row.pk)
