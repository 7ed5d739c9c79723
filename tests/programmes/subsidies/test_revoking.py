"""An approved subsidy that was wrong is taken back by two persons: at once if unpaid, else once its money has come back."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.test import Client
from tests.factories import actor
from tests.programmes.subsidies.shanwei import (
    AT,
    CITY,
    PROVINCE,
    Money,
    canteen,
    decided,
    drafted,
    make_line,
    make_money,
)
from tests.settlement.stated import sent
from tests.settlement.test_payouts_at_once import at_once

from yinling.accounts.models import Journal, Notice, User
from yinling.directory.models import Organisation
from yinling.entitlements.models import BudgetLine
from yinling.ground.scope import scope
from yinling.kernel.money import yuan
from yinling.kernel.refusals import NotAllowed, Refusal, Refused
from yinling.programmes.subsidies.models import Subsidy
from yinling.programmes.subsidies.operations import (
    collect_subsidy,
    contest_subsidy,
    draft_subsidy,
    record_spending,
    revoke_subsidy,
    uphold_subsidy,
)
from yinling.programmes.subsidies.queries.flows import bearing
from yinling.programmes.subsidies.queries.funds import follow, payments_of
from yinling.programmes.subsidies.queries.subsidies import owed, subsidies_shown
from yinling.settlement import bankfile
from yinling.settlement.models import LedgerEntry, Payout, Posting
from yinling.settlement.operations import (
    answer_payout,
    approve_payout,
    confirm_account,
    draft_payout,
    export_payout,
    propose_account,
    review_payout,
)
from yinling.settlement.operations.closings import close_closing, propose_closing

FEN = 60_000_00
WHY = "供餐月份登记有误"


def refused(code: str, kind: type[Refusal] = Refused) -> pytest.RaisesExc:
    return pytest.raises(kind, check=lambda refusal: refusal.code == code)


@pytest.fixture
def money(db: None) -> Iterator[Money]:
    with scope(PROVINCE) as opened:
        yield make_money()
        opened.afterwards.clear()


@pytest.fixture
def line(money: Money) -> BudgetLine:
    return make_line((money.first, money.second), 2 * FEN)


@pytest.fixture
def given(money: Money, line: BudgetLine) -> Subsidy:
    """An approved subsidy of a canteen."""
    return decided(money, drafted(money.first, line, canteen()))


def contested(money: Money, row: Subsidy) -> Subsidy:
    return contest_subsidy(actor=money.first, now=AT, subsidy_id=row.pk, reason=WHY)


def revoked(money: Money, row: Subsidy) -> Subsidy:
    contested(money, row)
    return revoke_subsidy(actor=money.second, now=AT, subsidy_id=row.pk)


def collected(money: Money, row: Subsidy, fen: int, voucher: str = "HD-1") -> Subsidy:
    return collect_subsidy(actor=money.first, now=AT, subsidy_id=row.pk, amount_fen=fen, voucher=voucher)


def with_account(money: Money, row: Subsidy) -> None:
    body = row.provider
    assert isinstance(body, Organisation)
    account = propose_account(
        actor=money.first, now=AT, organisation_id=body.pk, holder=body.name, bank="工商银行", number="6222020200012345678",
        valid_from=date(2023, 1, 1),
    )  # fmt: skip
    confirm_account(actor=money.second, now=AT, account_id=account.pk)


def batch(money: Money, row: Subsidy) -> Payout:
    with_account(money, row)
    return draft_payout(actor=money.first, now=AT, title="补助", keys=[f"subsidy:{row.pk}"])


def exported(money: Money, row: Subsidy) -> Payout:
    made = batch(money, row)
    review_payout(actor=money.second, now=AT, payout_id=made.pk)
    approve_payout(actor=money.third, now=AT, payout_id=made.pk, count=1)
    return export_payout(actor=money.third, now=AT, payout_id=made.pk)


def answered(money: Money, made: Payout, word: str = "成功", why: str = "") -> None:
    line = made.lines.get()
    rows = (made.code, line.pk, yuan(line.amount_fen).replace(",", ""), word, why)
    answer_payout(actor=money.first, now=AT, payout_id=made.pk, content=sent(rows, heads=bankfile.RETURN_HEADS))


def paid(money: Money, row: Subsidy) -> Subsidy:
    answered(money, exported(money, row))
    return row


def books() -> dict[str, int]:
    """What the ledger says by account."""
    rows = LedgerEntry.objects.values_list("account").annotate(fen=Sum("amount")).exclude(fen=0)
    return dict(rows.order_by("account"))


def left(line: BudgetLine) -> int:
    return BudgetLine.objects.values_list("spent_fen", flat=True).get(pk=line.pk)


@pytest.mark.req("R-FUN-10", "R-PAY-18")
def test_an_unpaid_subsidy_is_reversed_its_line_free_and_the_body_told_why(
    money: Money, line: BudgetLine, given: Subsidy
) -> None:
    manager = actor("provider_manager", organisation=given.provider)
    row = revoked(money, given)
    assert (row.state, row.revoke_reason, row.contested_by_id, row.revoked_by_id) == (
        "revoked", WHY, money.first.user_id, money.second.user_id,
    )  # fmt: skip
    assert (books(), left(line)) == ({}, 0)
    back = Posting.objects.get(reverses=given.posting)
    assert {(one.fund, one.plan_year, one.provider_id) for one in back.entries.all()} == {
        ("lottery", 2022, given.provider_id)
    }
    with scope(manager):
        assert [(one.pk, one.revoke_reason) for one in subsidies_shown(manager)] == [(given.pk, WHY)]
    told = Notice.objects.get(user_id=manager.user_id)
    assert WHY in told.text
    assert told.link == f"/subsidies/{given.pk}/"
    journal = Journal.objects.filter(
        event__in=["subsidies.subsidy.contest", "subsidies.subsidy.revoke"], is_refused=False
    )
    assert [one.reason for one in journal] == [WHY, WHY]


def test_a_corrected_one_may_follow_for_the_same_place_and_year(money: Money, line: BudgetLine, given: Subsidy) -> None:
    asked = {"kind": "canteen", "line_id": line.pk, "result_year": 2022, "provider_id": given.provider_id}
    facts = {"opened_on": date(2022, 1, 1), "meal_months": list(range(1, 13)), "evidence": "复核表"}
    contested(money, given)
    with refused("subsidy.twice"):
        draft_subsidy(actor=money.first, now=AT, **asked, **facts)
    revoke_subsidy(actor=money.second, now=AT, subsidy_id=given.pk)
    again = decided(money, draft_subsidy(actor=money.first, now=AT, **asked, **facts))
    assert (again.state, left(line)) == ("approved", FEN)
    assert [one.key for one in owed(PROVINCE, "")] == [f"subsidy:{again.pk}"]


def test_who_asks_does_not_agree_and_the_database_says_so_too(money: Money, line: BudgetLine, given: Subsidy) -> None:
    contested(money, given)
    with refused("revocation.two_persons"), transaction.atomic():
        revoke_subsidy(actor=money.first, now=AT, subsidy_id=given.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Subsidy.objects.filter(pk=given.pk).update(revoked_by_id=money.first.user_id)
    with refused("state.not_allowed", NotAllowed), transaction.atomic():
        contested(money, given)
    with refused("text.missing"), transaction.atomic():
        uphold_subsidy(actor=money.first, now=AT, subsidy_id=given.pk, reason=" ")
    assert left(line) == FEN


def test_a_contested_one_is_neither_paid_nor_used_until_it_is_upheld(money: Money, given: Subsidy) -> None:
    made = batch(money, given)
    contested(money, given)
    with refused("payout.held"), transaction.atomic():
        review_payout(actor=money.second, now=AT, payout_id=made.pk)
    with refused("revocation.in_batch", NotAllowed), transaction.atomic():
        revoke_subsidy(actor=money.second, now=AT, subsidy_id=given.pk)
    with refused("spending.not_approved"), transaction.atomic():
        record_spending(
            actor=money.first, now=AT, subsidy_id=given.pk, category="equipment", amount_fen=1, spent_on=date(2023, 1, 2), text="灶",
            voucher="1",
        )  # fmt: skip
    uphold_subsidy(actor=money.second, now=AT, subsidy_id=given.pk, reason="核对无误")
    review_payout(actor=money.second, now=AT, payout_id=made.pk)
    contested(money, given)
    with refused("payout.held"), transaction.atomic():
        approve_payout(actor=money.third, now=AT, payout_id=made.pk, count=1)
    assert Subsidy.objects.get(pk=given.pk).revoke_reason == WHY


def test_what_is_at_the_bank_waits_for_the_answer(money: Money, line: BudgetLine, given: Subsidy) -> None:
    made = exported(money, given)
    contested(money, given)
    with refused("revocation.in_batch", NotAllowed), transaction.atomic():
        revoke_subsidy(actor=money.second, now=AT, subsidy_id=given.pk)
    answered(money, made, "失败", "账号有误")
    row = revoke_subsidy(actor=money.second, now=AT, subsidy_id=given.pk)
    assert (row.state, books(), left(line)) == ("revoked", {}, 0)


@pytest.mark.req("R-FUN-10", "R-FUN-03")
def test_a_paid_one_is_recovered_to_its_line_fund_and_year_and_paid_only_then_anew(
    money: Money, line: BudgetLine, given: Subsidy
) -> None:
    row = revoked(money, paid(money, given))
    assert (row.state, row.to_recover_fen, left(line)) == ("recovering", FEN, FEN)
    assert books() == {"bank": -FEN, "receivable.recovery": FEN}
    assert owed(PROVINCE, "") == []
    with refused("subsidy.twice"), transaction.atomic():
        drafted(money.first, line, given.provider)
    row = collected(money, given, 20_000_00)
    assert (row.state, row.to_recover_fen, left(line)) == ("recovering", 40_000_00, 40_000_00)
    with refused("revocation.voucher"), transaction.atomic():
        collected(money, given, 20_000_00)
    with refused("revocation.too_much"), transaction.atomic():
        collected(money, given, 40_000_01, "HD-2")
    row = collected(money, given, 40_000_00, "HD-2")
    assert (row.state, row.recovered_fen, left(line), books()) == ("revoked", FEN, 0, {})
    entries = LedgerEntry.objects.filter(posting__kind="recovered", account="bank")
    assert {(one.fund, one.plan_year, one.amount) for one in entries} == {
        ("lottery", 2022, 20_000_00), ("lottery", 2022, 40_000_00),
    }  # fmt: skip
    again = decided(money, drafted(money.first, line, given.provider))
    assert [one.key for one in owed(PROVINCE, "")] == [f"subsidy:{again.pk}"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Subsidy.objects.filter(pk=given.pk).update(recovered_fen=FEN + 1)


def test_a_payment_that_the_bank_sends_back_after_the_revocation_has_come_back(
    money: Money, line: BudgetLine, given: Subsidy
) -> None:
    made = exported(money, given)
    answered(money, made)
    revoked(money, given)
    answered(money, made, "失败", "账户已销户")
    given.refresh_from_db()
    assert (given.state, books(), left(line)) == ("revoked", {}, 0)
    assert owed(PROVINCE, "") == []


def test_money_of_a_project_comes_back_to_the_treasury(money: Money) -> None:
    line = make_line((money.first, money.second), FEN, year=2023, purpose="platform")
    row = decided(money, drafted(money.first, line, None, kind="project", result_year=2023, actual_fen=FEN))
    assert revoked(money, row).state == "recovering"
    assert books() == {"direct.treasury": -FEN, "receivable.recovery": FEN}
    assert collected(money, row, FEN).state == "revoked"
    assert (books(), left(line)) == ({}, 0)


def test_what_comes_back_while_the_line_is_planned_anew_is_taken(
    money: Money, line: BudgetLine, given: Subsidy
) -> None:
    revoked(money, paid(money, given))
    BudgetLine.objects.filter(pk=line.pk).update(approved_fen=None, approved_by=None)
    assert collected(money, given, FEN).state == "revoked"
    assert left(line) == 0


@pytest.mark.req("R-FUN-03", "R-FUN-10")
def test_the_way_of_the_fund_follows_every_step_to_the_fen(money: Money, line: BudgetLine, given: Subsidy) -> None:
    other = decided(money, drafted(money.first, line, canteen()))

    def figures() -> tuple[int, ...]:
        found, loose = follow([BudgetLine.objects.get(pk=line.pk)])
        (way,) = found
        assert loose == []
        assert sum(one.amount for one in payments_of(line, bearing())) == way.paid_fen
        rows = LedgerEntry.objects
        assert sum(rows.filter(account="expense.subsidy").values_list("amount", flat=True)) == way.executed_fen
        assert -sum(rows.filter(account="bank").values_list("amount", flat=True)) == way.paid_fen
        assert -sum(rows.filter(account="payable.provider").values_list("amount", flat=True)) == way.owed_fen
        assert sum(rows.filter(account="receivable.recovery").values_list("amount", flat=True)) == way.recovering_fen
        return way.executed_fen, way.paid_fen, way.owed_fen, way.recovering_fen, way.line.spent_fen

    assert figures() == (2 * FEN, 0, 2 * FEN, 0, 2 * FEN)
    contested(money, other)
    paid(money, given)
    assert figures() == (2 * FEN, FEN, FEN, 0, 2 * FEN)
    revoke_subsidy(actor=money.second, now=AT, subsidy_id=other.pk)
    revoked(money, given)
    assert figures() == (0, FEN, 0, FEN, FEN)
    collected(money, given, 1)
    assert figures() == (0, FEN - 1, 0, FEN - 1, FEN - 1)
    collected(money, given, FEN - 1, "HD-2")
    assert figures() == (0, 0, 0, 0, 0)


def test_a_closed_month_takes_no_correction_the_next_one_does(money: Money, given: Subsidy) -> None:
    later = AT + timedelta(days=40)
    row = propose_closing(actor=money.first, now=later, div=CITY, month=date(2023, 2, 1))
    close_closing(actor=money.second, now=later, closing_id=row.pk)
    contest_subsidy(actor=money.first, now=AT, subsidy_id=given.pk, reason=WHY)
    revoke_subsidy(actor=money.second, now=AT, subsidy_id=given.pk)
    back = Posting.objects.get(reverses=given.posting)
    assert {(one.period, one.plan_year) for one in back.entries.all()} == {(date(2023, 3, 1), 2022)}


def test_the_page_offers_each_step_to_whom_it_belongs(money: Money, line: BudgetLine, given: Subsidy) -> None:
    def page(who: object) -> str:
        client = Client()
        client.force_login(User.objects.get(pk=who.user_id))  # type: ignore[attr-defined]
        return client.get(f"/subsidies/{given.pk}/").content.decode()

    assert "/do/contest_subsidy/" in page(money.first)
    contested(money, given)
    assert "/do/revoke_subsidy/" not in page(money.first)
    assert "您已提请撤销" in page(money.first)
    assert "/do/revoke_subsidy/" in page(money.second)
    uphold_subsidy(actor=money.second, now=AT, subsidy_id=given.pk, reason="无误")
    revoked(money, paid(money, given))
    text = page(money.third)
    assert "/do/collect_subsidy/" in text
    assert "还应追回 60,000.00 元" in text
    client = Client()
    client.force_login(User.objects.get(pk=money.first.user_id))
    assert "待追回" in client.get("/funds/?year=2022").content.decode()
    assert client.get("/funds/excel/?year=2022").status_code == 200
    assert client.get(f"/funds/{line.pk}/?rows=payments").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_who_collect_the_same_voucher_one_books_it() -> None:
    with scope(PROVINCE):
        money = make_money()
        line = make_line((money.first, money.second), 2 * FEN)
        row = decided(money, drafted(money.first, line, canteen()))
        revoked(money, paid(money, row))
    people = (money.first, money.second, money.third)
    calls = [
        (one, lambda who: collect_subsidy(actor=who, now=AT, subsidy_id=row.pk, amount_fen=10_000_00, voucher="X"))
        for one in people
    ]
    assert at_once(calls) == ["done", "revocation.voucher", "revocation.voucher"]
    with scope(PROVINCE):
        assert Subsidy.objects.get(pk=row.pk).recovered_fen == 10_000_00
        assert left(line) == 50_000_00


@pytest.mark.django_db(transaction=True)
def test_who_contests_while_another_makes_a_batch_is_not_paid_by() -> None:
    with scope(PROVINCE):
        money = make_money()
        line = make_line((money.first, money.second), 2 * FEN)
        row = decided(money, drafted(money.first, line, canteen()))
        with_account(money, row)
    found = at_once(
        [
            (money.second, lambda who: contest_subsidy(actor=who, now=AT, subsidy_id=row.pk, reason=WHY)),
            (money.third, lambda who: draft_payout(actor=who, now=AT, title="补助", keys=[f"subsidy:{row.pk}"])),
        ]
    )  # fmt: skip
    assert found in (["done", "done"], ["done", "payout.gone"])
    with scope(PROVINCE):
        for made in Payout.objects.all():
            with refused("payout.held"), transaction.atomic():
                review_payout(actor=money.first, now=AT, payout_id=made.pk)
