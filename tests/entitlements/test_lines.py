"""Budget lines: two persons, the approved amount counts, nothing beyond it, and the check of the lottery fund."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction
from tests.factories import CITY, DISTRICT, NOW, OTHER_DISTRICT, STREET, WIDE, actor, city, make_scheme
from tests.programmes.subsidies.shanwei import AT, HAIFENG, PROVINCE, Money, make_line, make_money
from tests.programmes.subsidies.shanwei import CITY as SHANWEI

from yinling.accounts.models import Journal
from yinling.entitlements.models import Budget, BudgetLine
from yinling.entitlements.operations import approve_line, confirm_budget, fund_budget, propose_line, set_budget, spend
from yinling.entitlements.queries.lines import bearing_lines, lines_shown, lottery_checks, planned_lines
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused


def refused(code: str, kind: type[Refusal] = Refused) -> pytest.RaisesExc:
    return pytest.raises(kind, check=lambda refusal: refusal.code == code)


@pytest.fixture
def money(db: None) -> Iterator[Money]:
    with scope(PROVINCE) as opened:
        yield make_money()
        opened.afterwards.clear()


@pytest.mark.req("R-FUN-04")
def test_the_approved_amount_replaces_the_planned_one_of_the_platform(money: Money) -> None:
    asked = {one["name"]: one for one in planned_lines(money.first, SHANWEI, 2022)}
    assert [one["planned_fen"] for one in asked.values()] == [400_000_000, 100_000_000]
    assert [one["planned_fen"] for one in planned_lines(money.first, SHANWEI, 2023)] == [100_000_000]
    assert planned_lines(money.first, SHANWEI, 2025) == []
    building = asked["居家养老服务平台建设"]
    row = propose_line(
        actor=money.first, now=AT, div=SHANWEI, year=2022, fund=building["fund"], purpose=building["purpose"], name=building["name"],
        planned_fen=building["planned_fen"], document=building["document"],
    )  # fmt: skip
    with refused("line.not_approved"):
        spend(row.pk, 1)
    approve_line(actor=money.second, now=AT, budget_line_id=row.pk, approved_fen=385_000_000)
    row.refresh_from_db()
    assert (row.level, row.planned_fen, row.approved_fen) == ("city", 400_000_000, 385_000_000)
    spend(row.pk, 385_000_000)
    with refused("line.exhausted"):
        spend(row.pk, 1)
    assert "居家养老服务平台建设" not in {one["name"] for one in planned_lines(money.first, SHANWEI, 2022)}


@pytest.mark.req("R-FUN-04", "R-FUN-08")
def test_each_level_has_its_own_lines_and_sees_no_other_levels(money: Money) -> None:
    own = make_line(money.county[:2], 50_000, div=HAIFENG, fund="general", purpose="platform")
    street = make_line((money.county[0], money.county[1]), 10_000, div="441521100", fund="general", purpose="home_care")
    whole = make_line((money.first, money.second), 90_000, fund="general")
    assert [one.level for one in (whole, own, street)] == ["city", "county", "street"]
    assert planned_lines(money.county[0], HAIFENG, 2022) == []
    with scope(money.county[0]):
        assert set(BudgetLine.objects.values_list("pk", flat=True)) == {own.pk, street.pk}
        with refused("line.outside", NotFound):
            spend(whole.pk, 1)
    with refused("right.outside", Denied):
        propose_line(
            actor=money.county[0],
            now=AT,
            div=SHANWEI,
            year=2022,
            fund="general",
            purpose="platform",
            name="x",
            planned_fen=1,
            document="x",
        )
    with refused("line.level"):
        propose_line(
            actor=money.county[0],
            now=AT,
            div="441521100200",
            year=2022,
            fund="general",
            purpose="platform",
            name="x",
            planned_fen=1,
            document="x",
        )
    assert {one.pk for one in bearing_lines(money.first, "441521100", 2022)} == {whole.pk, own.pk, street.pk}


def test_who_plans_a_line_does_not_approve_it_in_operation_and_database(money: Money) -> None:
    row = propose_line(
        actor=money.first,
        now=AT,
        div=SHANWEI,
        year=2022,
        fund="lottery",
        purpose="home_care",
        name="居家",
        planned_fen=100,
        document="文",
    )
    with refused("line.two_persons"):
        approve_line(actor=money.first, now=AT, budget_line_id=row.pk, approved_fen=100)
    with pytest.raises(IntegrityError, match="two_persons"), transaction.atomic():
        BudgetLine.objects.filter(pk=row.pk).update(approved_fen=1, approved_by=money.first.user_id)
    with pytest.raises(IntegrityError, match="approved_pair"), transaction.atomic():
        BudgetLine.objects.filter(pk=row.pk).update(approved_fen=1)
    row.refresh_from_db()
    assert row.approved_fen is None
    approve_line(actor=money.second, now=AT, budget_line_id=row.pk, approved_fen=100)
    with refused("line.approved", NotAllowed):
        approve_line(actor=money.third, now=AT, budget_line_id=row.pk, approved_fen=200)
    with pytest.raises(IntegrityError, match="overspent"), transaction.atomic():
        BudgetLine.objects.filter(pk=row.pk).update(spent_fen=101)


@pytest.mark.parametrize(("field", "value", "code"), [
    ("planned_fen", -1, "line.amount"), ("planned_fen", 10**16, "line.amount"), ("fund", "gold", "choice.unknown"),
    ("purpose", "luck", "choice.unknown"), ("name", " ", "text.missing"), ("document", "", "text.missing"),
])  # fmt: skip
def test_a_line_that_cannot_be_meant_is_refused(money: Money, field: str, value: object, code: str) -> None:
    asked = {
        "div": SHANWEI, "year": 2022, "fund": "lottery", "purpose": "home_care", "name": "居家", "planned_fen": 100, "document": "文"
    } | {field: value}  # fmt: skip
    with refused(code):
        propose_line(actor=money.first, now=AT, **asked)
    assert not BudgetLine.objects.exists()


def test_a_line_that_is_planned_anew_rests_until_it_is_approved_anew(money: Money) -> None:
    row = make_line((money.first, money.second), 1000)
    spend(row.pk, 400)
    asked = {"div": SHANWEI, "year": 2022, "fund": "lottery", "name": row.name, "document": "调整"}
    with refused("line.purpose"):
        propose_line(actor=money.second, now=AT, purpose="welfare", planned_fen=300, **asked)
    again = propose_line(actor=money.second, now=AT, purpose="elder_care", planned_fen=300, **asked)
    assert again.pk == row.pk
    with refused("line.not_approved"):
        spend(row.pk, 1)
    with refused("line.below_spent"):
        approve_line(actor=money.first, now=AT, budget_line_id=row.pk, approved_fen=399)
    approve_line(actor=money.first, now=AT, budget_line_id=row.pk, approved_fen=400)
    with refused("line.exhausted"):
        spend(row.pk, 1)
    spend(row.pk, -400)
    with refused("line.given_back"):
        spend(row.pk, -1)
    events = Journal.objects.filter(subject_type="budgetline", subject_id=row.pk, is_refused=False).order_by("pk")
    assert [one.event.rpartition(".")[2] for one in events] == ["propose", "approve", "propose", "approve"]


@pytest.mark.req("R-FUN-01")
def test_every_level_is_checked_by_itself_and_the_page_says_what_is_missing(money: Money) -> None:
    city = (money.first, money.second)
    make_line(city, 5500, purpose="elder_care")
    make_line(city, 4500, purpose="welfare")
    make_line(city, 10**9, fund="general", purpose="welfare")
    make_line(money.county[:2], 5499, div=HAIFENG, purpose="home_care")
    make_line(money.county[:2], 4501, div=HAIFENG, purpose="welfare")
    make_line(city, 100, year=2023, purpose="welfare")
    found = {
        (one.div, one.year): one
        for year in (2022, 2023)
        for one in lottery_checks(lines_shown(money.first).filter(year=year))
    }
    shown = {
        key: (one.verdict.passes, one.verdict.counted_fen, one.verdict.total_fen, one.verdict.missing_fen)
        for key, one in found.items()
    }
    assert shown == {
        (SHANWEI, 2022): (True, 5500, 10000, 0), (HAIFENG, 2022): (False, 5499, 10000, 1), (SHANWEI, 2023): (False, 0, 100, 55)
    }  # fmt: skip
    assert found[HAIFENG, 2022].clause == "三(五)1"
    assert [one.div for one in lottery_checks(lines_shown(money.county[0]).filter(year=2022))] == [HAIFENG]


@pytest.mark.req("R-FUN-01")
def test_what_is_not_approved_counts_as_planned_and_is_said(money: Money) -> None:
    make_line((money.first, money.second), 5500, purpose="elder_care")
    propose_line(
        actor=money.first,
        now=AT,
        div=SHANWEI,
        year=2022,
        fund="lottery",
        purpose="welfare",
        name="其他",
        planned_fen=4501,
        document="文",
    )
    (found,) = lottery_checks(lines_shown(money.first).filter(year=2022))
    assert (found.verdict.passes, found.is_planned) == (False, True)


# A scheme's budget draws on a line


def budget(amount_fen: int | None = 1000, div: str = DISTRICT) -> Budget:
    scheme = make_scheme(code="weekly_visit", div=CITY)
    row = set_budget(
        actor=actor("district", div=div),
        now=NOW,
        scheme_code=scheme.code,
        div=div,
        year=2026,
        amount_fen=amount_fen,
        heads=5,
        document="文",
    )
    return confirm_budget(actor=actor("district", div=div), now=NOW, budget_id=row.pk)


def line(fen: int, *, year: int = 2026, div: str = DISTRICT) -> BudgetLine:
    first, second = actor("city", div=CITY), actor("city", div=CITY)
    row = propose_line(
        actor=first,
        now=NOW,
        div=div,
        year=year,
        fund="general",
        purpose="home_care",
        name=f"居家{fen}",
        planned_fen=fen,
        document="文",
    )
    return approve_line(actor=second, now=NOW, budget_line_id=row.pk, approved_fen=fen)


def spent(row: BudgetLine) -> int:
    row.refresh_from_db()
    return row.spent_fen


@pytest.mark.usefixtures("wide")
def test_a_budget_takes_its_amount_from_its_line_and_follows_its_changes() -> None:
    city()
    row, bearing, other = budget(), line(1500), line(1200)
    by = actor("city", div=CITY)
    fund_budget(actor=by, now=NOW, budget_id=row.pk, line_id=bearing.pk)
    assert spent(bearing) == 1000
    fund_budget(actor=by, now=NOW, budget_id=row.pk, line_id=other.pk)
    assert (spent(bearing), spent(other)) == (0, 1000)
    more = {"scheme_code": "weekly_visit", "div": DISTRICT, "year": 2026, "document": "追加"}
    set_budget(actor=actor("district", div=DISTRICT), now=NOW, amount_fen=1201, **more)
    with refused("line.exhausted"):
        confirm_budget(actor=by, now=NOW, budget_id=row.pk)
    set_budget(actor=actor("district", div=DISTRICT), now=NOW, heads=9, **more)
    with refused("budget.line_needs_amount"):
        confirm_budget(actor=by, now=NOW, budget_id=row.pk)
    set_budget(actor=actor("district", div=DISTRICT), now=NOW, amount_fen=800, **more)
    confirm_budget(actor=by, now=NOW, budget_id=row.pk)
    assert spent(other) == 800


@pytest.mark.usefixtures("wide")
def test_a_budget_is_borne_by_a_line_of_its_year_and_place_only() -> None:
    city()
    row, by = budget(), actor("city", div=CITY)
    for bearing in (line(5000, year=2027), line(5001, div=OTHER_DISTRICT), line(5002, div=STREET)):
        with refused("budget.line_place"):
            fund_budget(actor=by, now=NOW, budget_id=row.pk, line_id=bearing.pk)
    with refused("line.exhausted"):
        fund_budget(actor=by, now=NOW, budget_id=row.pk, line_id=line(999).pk)
    row.refresh_from_db()
    assert row.line_id is None


# Twenty at once


def _spend(pk: int) -> bool:
    who = Actor(None, "x", "city", WIDE.rights, div="32")
    try:
        with scope(who), transaction.atomic():
            spend(pk, 100)
    except Refused as refusal:
        return refusal.code != "line.exhausted"
    finally:
        connection.close()
    return True


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-FUN-04")
def test_twenty_at_once_spend_no_more_than_was_approved() -> None:
    with scope(WIDE):
        city()
        row = line(1250)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(_spend, [row.pk] * 20))
    with scope(WIDE):
        assert (sum(found), spent(row)) == (12, 1200)
