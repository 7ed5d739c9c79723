"""Subsidies by the plan of Shanwei: facts, two persons, the line, the ledger, use, and donations."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Sum
from tests.factories import actor, make_organisation, make_site
from tests.programmes.subsidies.shanwei import (
    AT,
    CHENGQU,
    CITY,
    HAIFENG,
    MEALS,
    OVERSEAS,
    PROVINCE,
    Money,
    canteen,
    decided,
    drafted,
    make_line,
    make_money,
)

from yinling.accounts.models import Journal
from yinling.entitlements.models import BudgetLine
from yinling.ground.scope import scope
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.programmes.subsidies.models import Donation, Spending, Subsidy
from yinling.programmes.subsidies.operations import (
    approve_subsidy,
    draft_subsidy,
    record_spending,
    register_donation,
    return_subsidy,
    review_subsidy,
    withdraw_donation,
)
from yinling.programmes.subsidies.queries.funds import donations_shown, gifts, standing_donations, ways
from yinling.programmes.subsidies.queries.rates import offered
from yinling.programmes.subsidies.queries.subsidies import owed, sides_of, subsidies_shown, uses_of
from yinling.settlement.models import LedgerEntry, PayoutLine, Posting
from yinling.settlement.payables import KINDS


def refused(code: str, kind: type[Refusal] = Refused) -> pytest.RaisesExc:
    return pytest.raises(kind, check=lambda refusal: refusal.code == code)


@pytest.fixture
def money(db: None) -> Iterator[Money]:
    with scope(PROVINCE) as opened:
        yield make_money()
        opened.afterwards.clear()


def two(money: Money) -> tuple[Any, Any]:
    return money.first, money.second


@pytest.mark.req("R-FUN-07", "R-FUN-03")
def test_a_canteen_is_paid_by_the_right_level_posted_with_its_fund_and_owed(money: Money) -> None:
    line = make_line(two(money), 60_000_000)
    row = decided(money, drafted(money.first, line, canteen()))
    row.refresh_from_db()
    line.refresh_from_db()
    assert (row.state, row.amount_fen, row.booking_year, line.spent_fen) == ("approved", 6_000_000, 2022, 6_000_000)
    sides = LedgerEntry.objects.filter(posting=row.posting).order_by("-amount")
    assert [(one.account, one.amount, one.fund, one.plan_year, one.provider_id) for one in sides] == [
        ("expense.subsidy", 6_000_000, "lottery", 2022, row.provider_id), ("payable.provider", -6_000_000, "lottery", 2022, row.provider_id)
    ]  # fmt: skip
    (found,) = owed(money.first, CITY)
    assert (found.key, found.amount_fen, found.fund, found.provider_id) == (
        f"subsidy:{row.pk}",
        6_000_000,
        "lottery",
        row.provider_id,
    )
    assert found.account == "payable.provider"
    assert KINDS["subsidy"].finder is owed
    (side,) = sides_of(PayoutLine(key=found.key))
    assert (side.account, side.amount, side.fund, side.plan_year) == ("payable.provider", 6_000_000, "lottery", 2022)


@pytest.mark.req("R-FUN-07")
def test_the_county_pays_its_own_canteens_and_the_city_pays_those_of_the_three_areas(money: Money) -> None:
    lottery = make_line(two(money), 60_000_000)
    general = make_line(two(money), 60_000_000, fund="general", name="一般")
    county = make_line(money.county[:2], 60_000_000, div=HAIFENG, fund="general")
    for div in (CHENGQU, OVERSEAS):
        with refused("subsidy.fund"):
            drafted(money.first, general, canteen(div))
        drafted(money.first, lottery, canteen(div))
    with refused("subsidy.level"):
        drafted(money.first, lottery, canteen(HAIFENG))
    with refused("subsidy.line_place"):
        drafted(money.first, county, canteen(CHENGQU))
    row = drafted(money.county[0], county, canteen(HAIFENG))
    review_subsidy(actor=money.county[1], now=AT, subsidy_id=row.pk)
    assert approve_subsidy(actor=money.county[2], now=AT, subsidy_id=row.pk).amount_fen == 6_000_000


def test_a_county_neither_draws_on_the_city_nor_decides_for_it(money: Money) -> None:
    line = make_line(two(money), 60_000_000)
    row = drafted(money.first, line, canteen())
    with scope(money.county[0]):
        with refused("line.outside", NotFound):
            drafted(money.county[0], line, canteen(HAIFENG))
        with refused("row.not_found", NotFound):
            review_subsidy(actor=money.county[0], now=AT, subsidy_id=row.pk)
    with refused("right.outside", Denied):
        review_subsidy(actor=money.county[0], now=AT, subsidy_id=row.pk)


@pytest.mark.req("R-FUN-05")
def test_ten_township_centres_win_and_an_eleventh_is_refused(money: Money) -> None:
    line = make_line(two(money), 10**9, year=2023, fund="general")
    asked = {"kind": "award_township", "opened_on": None, "meal_months": None, "evidence": "评定文件"}
    for _ in range(10):
        drafted(money.first, line, make_organisation(div=HAIFENG, insured=False), **asked)
    with refused("subsidy.full"):
        drafted(money.first, line, make_organisation(div=HAIFENG, insured=False), **asked)
    first = Subsidy.objects.order_by("pk").first()
    assert first is not None
    return_subsidy(actor=money.second, now=AT, subsidy_id=first.pk, reason="评定有误")
    drafted(money.first, line, make_organisation(div=HAIFENG, insured=False), **asked)
    assert Subsidy.objects.exclude(state="returned").aggregate(fen=Sum("amount_fen"))["fen"] == 500_000_000
    county = make_line(money.county[:2], 10**9, div=HAIFENG, year=2023, fund="general")
    with refused("subsidy.level"):
        drafted(money.county[0], county, make_organisation(div=HAIFENG, insured=False), **asked)


@pytest.mark.req("R-FUN-05")
def test_an_award_is_neither_booked_nor_approved_in_the_year_of_its_result(money: Money) -> None:
    asked = {"kind": "award_village", "opened_on": None, "meal_months": None, "evidence": "评定文件"}
    with refused("subsidy.booking_year"):
        drafted(money.first, make_line(two(money), 10**9, fund="general"), make_organisation(div=HAIFENG), **asked)
    line = make_line(two(money), 10**9, year=2023, fund="general")
    early = datetime(2022, 12, 31, 15, 59, tzinfo=UTC)
    row = drafted(money.first, line, make_organisation(div=HAIFENG), **asked, now=early)
    review_subsidy(actor=money.second, now=early, subsidy_id=row.pk)
    with refused("subsidy.too_early"):
        approve_subsidy(actor=money.third, now=early, subsidy_id=row.pk)
    midnight = datetime(2022, 12, 31, 16, 0, tzinfo=UTC)
    assert approve_subsidy(actor=money.third, now=midnight, subsidy_id=row.pk).state == "approved"


def test_two_persons_decide_and_the_database_says_so_too(money: Money) -> None:
    line = make_line(two(money), 60_000_000)
    row = drafted(money.first, line, canteen())
    with pytest.raises(NotAllowed):
        approve_subsidy(actor=money.second, now=AT, subsidy_id=row.pk)
    review_subsidy(actor=money.second, now=AT, subsidy_id=row.pk)
    for who in (money.first, money.second):
        with refused("subsidy.two_persons"):
            approve_subsidy(actor=who, now=AT, subsidy_id=row.pk)
    with pytest.raises(IntegrityError, match="two_persons"), transaction.atomic():
        Subsidy.objects.filter(pk=row.pk).update(approved_by=money.second.user_id)
    assert not Posting.objects.exists()
    assert BudgetLine.objects.get(pk=line.pk).spent_fen == 0
    approve_subsidy(actor=money.third, now=AT, subsidy_id=row.pk)
    with pytest.raises(NotAllowed):
        approve_subsidy(actor=money.third, now=AT, subsidy_id=row.pk)
    with pytest.raises(NotAllowed):
        return_subsidy(actor=money.third, now=AT, subsidy_id=row.pk, reason="x")


@pytest.mark.req("R-FUN-04")
def test_an_approval_beyond_the_line_is_refused_and_changes_nothing(money: Money) -> None:
    line = make_line(two(money), 11_999_999)
    first, second = (drafted(money.first, line, canteen()) for _ in range(2))
    decided(money, first)
    review_subsidy(actor=money.second, now=AT, subsidy_id=second.pk)
    with refused("line.exhausted"):
        approve_subsidy(actor=money.third, now=AT, subsidy_id=second.pk)
    second.refresh_from_db()
    assert (second.state, Posting.objects.count(), BudgetLine.objects.get(pk=line.pk).spent_fen) == (
        "reviewed",
        1,
        6_000_000,
    )


def test_the_same_canteen_is_not_paid_twice_for_a_year(money: Money) -> None:
    line, body = make_line(two(money), 60_000_000), canteen()
    make_site(body)
    drafted(money.first, line, body, part="一号食堂")
    drafted(money.first, line, body, part="二号食堂")
    with refused("subsidy.twice"):
        drafted(money.first, line, body, part="一号食堂")
    assert Subsidy.objects.count() == 2


@pytest.mark.req("R-FUN-07")
def test_a_second_line_does_not_pay_the_same_canteen_again(money: Money) -> None:
    first, second = (make_line(two(money), 60_000_000, name=name) for name in ("一", "二"))
    body = canteen()
    row = decided(money, drafted(money.first, first, body))
    with refused("subsidy.twice"):
        drafted(money.first, second, body)
    with refused("subsidy.places"):
        drafted(money.first, second, body, part="新址")
    assert list(Subsidy.objects.values_list("pk", flat=True)) == [row.pk]


def test_the_end_of_a_year_is_not_known_before_it(money: Money) -> None:
    line = make_line(two(money), 60_000_000)
    with refused("subsidy.year_not_over"):
        drafted(money.first, line, canteen(), now=datetime(2022, 12, 30, 15, 59, tzinfo=UTC))
    assert drafted(money.first, line, canteen(), now=datetime(2022, 12, 30, 16, 0, tzinfo=UTC)).amount_fen == 6_000_000


@pytest.mark.parametrize(("changes", "code"), [
    ({"kind": "luck"}, "choice.unknown"), ({"evidence": " "}, "text.missing"), ({"meal_months": [0, *MEALS]}, "subsidy.months"),
    ({"meal_months": [13]}, "subsidy.months"), ({"count": 2}, "subsidy.count"), ({"result_year": 2021}, "subsidy.no_rate"),
    ({"kind": "building"}, "subsidy.no_rate"), ({"kind": "project"}, "subsidy.actual"), ({"kind": "project", "actual_fen": -5}, "subsidy.actual"),
])  # fmt: skip
def test_facts_that_cannot_be_are_refused(money: Money, changes: dict[str, Any], code: str) -> None:
    line = make_line(two(money), 60_000_000)
    with refused(code):
        drafted(money.first, line, canteen(), **changes)
    assert not Subsidy.objects.exists()
    assert Journal.objects.filter(event="subsidies.subsidy.draft", is_refused=False).count() == 0


@pytest.mark.req("R-FUN-04")
def test_a_project_books_what_was_paid_within_its_approved_amount(money: Money) -> None:
    line = make_line(two(money), 385_000_000, fund="general", purpose="platform", name="平台建设")
    asked = {"kind": "project", "opened_on": None, "meal_months": None, "evidence": "合同"}
    paid = decided(money, drafted(money.first, line, None, **asked, part="首付款", actual_fen=200_000_000))
    assert {one.account for one in LedgerEntry.objects.filter(posting=paid.posting)} == {
        "expense.subsidy",
        "direct.treasury",
    }
    rest = drafted(money.first, line, None, **asked, part="尾款", actual_fen=185_000_001)
    review_subsidy(actor=money.second, now=AT, subsidy_id=rest.pk)
    with refused("line.exhausted"):
        approve_subsidy(actor=money.third, now=AT, subsidy_id=rest.pk)
    assert owed(money.first, CITY) == []


@pytest.mark.req("R-PAY-18", "R-PAY-19", "R-PAY-20")
def test_which_kinds_there_are_is_the_citys_and_the_districts_own_word() -> None:
    assert set(offered("321111", 2023)) == {"building", "operating", "project"}
    assert set(offered("321183", 2023)) == {"building", "operating", "model", "project"}
    assert set(offered("320681", 2021)) == {"building", "operating", "training", "project"}
    assert set(offered(CITY, 2022)) == {"canteen", "award_township", "award_village", "project"}


# Use


def spent(money: Money, row: Subsidy, category: str, fen: int, **values: Any) -> Spending:
    asked = {"spent_on": date(2023, 1, 20), "text": "购置", "voucher": "凭-1", "now": AT} | values
    return record_spending(actor=money.first, subsidy_id=row.pk, category=category, amount_fen=fen, **asked)


@pytest.mark.req("R-FUN-06")
def test_an_award_spent_otherwise_is_marked_until_it_is_not(money: Money) -> None:
    line = make_line(two(money), 10**9, year=2023, fund="general")
    asked = {"kind": "award_village", "opened_on": None, "meal_months": None, "evidence": "评定文件"}
    row = decided(money, drafted(money.first, line, make_organisation(div=HAIFENG), **asked))
    spent(money, row, "wages", 5_000_000)
    assert [one.holds for one in uses_of([row]).values()] == [False]
    spent(money, row, "equipment", 5_000_000)
    assert [one.holds for one in uses_of([row]).values()] == [False]
    spent(money, row, "services", 1_000_000)
    assert [(one.holds, one.spent_fen, one.main_fen) for one in uses_of([row]).values()] == [
        (True, 11_000_000, 6_000_000)
    ]
    (shown,) = subsidies_shown(money.first)
    assert shown.used_fen == 11_000_000


@pytest.mark.parametrize(("category", "fen", "values", "code"), [
    ("equipment", 6_000_001, {}, "spending.more_than_given"), ("equipment", 0, {}, "spending.zero"), ("equipment", -1, {}, "spending.below_zero"),
    ("luck", 1, {}, "choice.unknown"), ("rent", 1, {"spent_on": date(2021, 12, 31)}, "spending.day"),
    ("rent", 1, {"spent_on": date(2023, 2, 2)}, "spending.day"), ("rent", 1, {"voucher": ""}, "text.missing"),
])  # fmt: skip
def test_a_use_that_cannot_be_is_refused(
    money: Money, category: str, fen: int, values: dict[str, Any], code: str
) -> None:
    row = decided(money, drafted(money.first, make_line(two(money), 60_000_000), canteen()))
    with refused(code):
        spent(money, row, category, fen, **values)
    assert not Spending.objects.exists()


def test_a_use_is_never_changed_and_the_body_enters_its_own(money: Money) -> None:
    body = canteen()
    draft = drafted(money.first, make_line(two(money), 60_000_000), body)
    with refused("spending.not_approved"):
        spent(money, draft, "rent", 1)
    row = decided(money, draft)
    manager, stranger = actor("provider_manager", organisation=body), actor("provider_manager")
    asked = {"category": "rent", "amount_fen": 100, "spent_on": date(2023, 1, 1), "text": "房租", "voucher": "1"}
    with scope(manager):
        made = record_spending(actor=manager, now=AT, subsidy_id=row.pk, **asked)
        with refused("line.outside", NotFound):
            draft_subsidy(
                actor=manager,
                now=AT,
                kind="canteen",
                line_id=row.line_id,
                result_year=2022,
                provider_id=body.pk,
                evidence="x",
            )
    with scope(stranger), refused("row.not_found", NotFound):
        record_spending(actor=stranger, now=AT, subsidy_id=row.pk, **asked)
    with pytest.raises(DatabaseError), transaction.atomic():
        Spending.objects.filter(pk=made.pk).update(amount_fen=1)


# Donations


def donated(money: Money, line: BudgetLine, fen: int, **values: Any) -> Donation:
    asked = {"donor": "汕尾市某企业", "received_on": date(2022, 3, 1), "now": AT} | values
    return register_donation(actor=money.first, line_id=line.pk, amount_fen=fen, **asked)


@pytest.mark.req("R-FUN-09")
def test_a_donation_has_a_numbered_receipt_is_posted_and_may_be_spent(money: Money) -> None:
    line = make_line(two(money), 0, fund="donation", purpose="home_care")
    first, second = donated(money, line, 50_000), donated(money, line, 70_000, donor="李先生", is_anonymous=True)
    assert [first.receipt_number, second.receipt_number] == [f"JZ{CITY}-2022-000001", f"JZ{CITY}-2022-000002"]
    county = make_line(money.county[:2], 0, div=HAIFENG, fund="donation", purpose="home_care")
    other = register_donation(
        actor=money.county[0], now=AT, donor="x", amount_fen=1, line_id=county.pk, received_on=date(2022, 1, 1)
    )
    assert other.receipt_number == f"JZ{HAIFENG}-2022-000001"
    line.refresh_from_db()
    assert (line.approved_fen, line.planned_fen, line.spent_fen) == (120_000, 120_000, 0)
    balances = (
        LedgerEntry.objects.filter(div=CITY).values_list("account").annotate(fen=Sum("amount")).order_by("account")
    )
    assert list(balances) == [("bank", 120_000), ("donation.received", -120_000)]
    assert set(LedgerEntry.objects.values_list("fund", flat=True)) == {"donation"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Donation.objects.filter(pk=second.pk).update(receipt_number=first.receipt_number)


@pytest.mark.parametrize(("values", "code"), [
    ({"fen": 0}, "donation.amount"), ({"fen": -1}, "donation.amount"), ({"fen": 10**16}, "donation.amount"),
    ({"received_on": date(2023, 1, 1)}, "donation.day"), ({"received_on": date(2023, 2, 2)}, "donation.day"), ({"donor": " "}, "text.missing"),
])  # fmt: skip
def test_a_donation_that_cannot_be_is_refused(money: Money, values: dict[str, Any], code: str) -> None:
    line = make_line(two(money), 0, fund="donation")
    with refused(code):
        donated(money, line, values.pop("fen", 100), **values)
    line.refresh_from_db()
    assert (line.approved_fen, Donation.objects.count(), Posting.objects.count()) == (0, 0, 0)


def test_a_donation_goes_only_into_a_line_of_donations(money: Money) -> None:
    with refused("donation.line"):
        donated(money, make_line(two(money), 100), 100)


@pytest.mark.req("R-FUN-09")
def test_a_donation_is_taken_back_by_another_person_and_its_number_stays(money: Money) -> None:
    line = make_line(two(money), 0, fund="donation")
    first, second = donated(money, line, 50_000), donated(money, line, 70_000)
    with refused("donation.two_persons"):
        withdraw_donation(actor=money.first, now=AT, donation_id=first.pk, reason="退还捐赠人")
    withdraw_donation(actor=money.second, now=AT, donation_id=first.pk, reason="退还捐赠人")
    with refused("donation.withdrawn", NotAllowed):
        withdraw_donation(actor=money.second, now=AT, donation_id=first.pk, reason="退还捐赠人")
    line.refresh_from_db()
    assert (line.approved_fen, line.planned_fen) == (70_000, 70_000)
    balances = LedgerEntry.objects.values_list("account").annotate(fen=Sum("amount")).order_by("account")
    assert list(balances) == [("bank", 70_000), ("donation.received", -70_000)]
    shown = {row.pk: row.back_at for row in donations_shown(money.first)}
    assert shown == {first.pk: AT, second.pk: None}
    assert donated(money, line, 1).receipt_number.endswith("000003")
    project = {"kind": "project", "opened_on": None, "meal_months": None, "actual_fen": 70_001}
    decided(money, drafted(money.first, line, canteen(), **project))
    assert {one.donation.pk for one in gifts(line)} == {second.pk, Donation.objects.latest("pk").pk}
    with refused("line.exhausted"):
        withdraw_donation(actor=money.second, now=AT, donation_id=second.pk, reason="x")
    assert {row.pk for row in standing_donations()} == {second.pk, Donation.objects.latest("pk").pk}


@pytest.mark.req("R-FUN-09")
def test_the_purpose_of_donated_money_stays(money: Money) -> None:
    line = make_line(two(money), 0, fund="donation", purpose="home_care")
    donated(money, line, 50_000)
    with refused("line.purpose"):
        make_line(two(money), 50_000, fund="donation", purpose="welfare", name=line.name)
    line.refresh_from_db()
    assert (line.purpose, line.approved_fen) == ("home_care", 50_000)


@pytest.mark.req("R-FUN-03", "R-FUN-09")
def test_pooled_donations_are_used_in_the_order_in_which_they_came(money: Money) -> None:
    line = make_line(two(money), 0, fund="donation")
    donated(money, line, 4_000_000, donor="甲")
    donated(money, line, 9_000_000, donor="乙")
    asked = {"kind": "project", "opened_on": None, "meal_months": None}
    for part in ("一期", "二期"):
        decided(money, drafted(money.first, line, canteen(), **asked, part=part, actual_fen=6_000_000))
    assert [(one.donation.donor, one.use.part, one.fen) for one in gifts(line)] == [
        ("甲", "一期", 4_000_000), ("乙", "一期", 2_000_000), ("乙", "二期", 6_000_000)
    ]  # fmt: skip
    (way,) = ways([line])
    assert (way.subsidy_fen, way.executed_fen, len(way.bodies), way.waiting_fen) == (12_000_000, 12_000_000, 2, 0)


def test_nobody_without_a_login_enters_money(money: Money) -> None:
    line = make_line(two(money), 100, fund="donation")
    with refused("login.needed"):
        drafted(PROVINCE, line, canteen(), kind="project", actual_fen=5)
    with refused("login.needed"):
        register_donation(
            actor=PROVINCE, now=AT, donor="x", amount_fen=1, line_id=line.pk, received_on=date(2022, 1, 1)
        )
