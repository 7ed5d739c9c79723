"""Each fund's way out of the ledger: what services of schemes cost, which line bears it, what of it was paid; the sum is the ledger's."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.models import QuerySet, Sum
from django.test import Client
from tests.factories import (
    CITY,
    DISTRICT,
    NOW,
    OTHER_DISTRICT,
    actor,
    city,
    fund_order,
    make_entitlement,
    make_order,
    make_scheme,
    make_user,
    system,
)
from tests.settlement.stated import approved, exported, sent, with_account
from tests.settlement.test_out_of_sight import move_away
from tests.settlement.test_reimbursements import approved as approved_expense
from tests.settlement.test_reimbursements import line, promised, spent

from yinling.accounts.models import User
from yinling.directory.models import Organisation
from yinling.entitlements.models import Budget, BudgetLine, Entitlement, Scheme
from yinling.ground.scope import OpenScope, scope
from yinling.kernel.money import yuan
from yinling.orders.models import Order
from yinling.people.queries.names import reader
from yinling.programmes.subsidies.queries.flows import Bearing, bearing, flows
from yinling.programmes.subsidies.queries.funds import (
    by_area,
    charges_of,
    executed_of,
    follow,
    payments_of,
    persons_of,
    totals,
    ways,
)
from yinling.settlement import bankfile
from yinling.settlement.models import LedgerEntry, PayoutLine, Statement
from yinling.settlement.operations import answer_payout, deduct_statement, draft_statement, settle_order

LATER = NOW + timedelta(days=3)


@pytest.fixture(autouse=True)
def town(wide: OpenScope) -> None:
    city()


def settled(fen: int) -> tuple[Order, Entitlement]:
    order = make_order("served")
    entitlement = make_entitlement(
        order.elder, make_scheme(code=f"v{order.pk}", payer="government", fund="general"), once_fen=1
    )
    fund_order(order, entitlement, fen)
    return settle_order(actor=system(), now=LATER, order_id=order.pk), entitlement


def stated(order: Order, deducted: int = 0) -> Statement:
    """An approved statement with the order's charges, less what was taken off."""
    finance = actor("finance")
    row = draft_statement(
        actor=finance, now=LATER, organisation_id=order.provider_id, payer="government", month=date(2026, 6, 1)
    )
    if deducted:
        deduct_statement(actor=finance, now=LATER, statement_id=row.pk, reason="01", amount_fen=deducted, note="少做")
    return approved(row)


def pay(row: Statement) -> None:
    """The bank pays a statement."""
    with_account(row.provider)
    made = exported([f"statement:{row.pk}"])
    line = made.lines.get()
    answer = (made.code, line.pk, yuan(line.amount_fen).replace(",", ""), "成功", "")
    answer_payout(
        actor=actor("finance"), now=LATER, payout_id=made.pk, content=sent(answer, heads=bankfile.RETURN_HEADS)
    )


def fund(scheme: Scheme, line: BudgetLine, *, div: str = CITY, year: int = 2026) -> Budget:
    """Put a line behind the budget of a scheme, as a person does: nobody applied for anything."""
    return Budget.objects.create(
        scheme=scheme, div=div, year=year, line=line, amount_fen=10**7, document="文", is_in_force=True, proposed_by=make_user(),
        confirmed_by=make_user(), created_at=NOW, changed_at=NOW,
    )  # fmt: skip


def booked() -> tuple[int, int]:
    """What the ledger says by itself: all that schemes and subsidies cost, and what of it left the bank or an advance."""
    rows = LedgerEntry.objects.filter(account__in=["payable.provider", "payable.elder"])
    paid = rows.filter(posting__kind__in=["payout", "payout_back", "offset"])
    cost = rows.exclude(posting__kind__in=["payout", "payout_back", "offset"])
    return -_sum(cost), _sum(paid)


def _sum(rows: QuerySet[LedgerEntry]) -> int:
    return int(rows.aggregate(fen=Sum("amount"))["fen"] or 0)


@pytest.mark.req("R-FUN-03")
def test_services_count_on_the_line_behind_the_budget_of_their_scheme_and_year() -> None:
    first, entitlement = settled(4000)
    second, other = settled(3000)
    lottery, general = line("lottery", 10**7, "福彩"), line("general", 10**7, "一般")
    fund(entitlement.scheme, lottery)
    fund(other.scheme, general)
    a, b, c = ways([lottery, general, line("donation", 0, "捐赠")])
    assert [(one.charged_fen, one.paid_fen, one.persons) for one in (a, b, c)] == [
        (4000, 0, {first.elder_id}), (3000, 0, {second.elder_id}), (0, 0, set())
    ]  # fmt: skip
    pay(stated(first))
    assert [(one.paid_fen, one.owed_fen, one.bodies) for one in ways([lottery, general])] == [
        (4000, 0, {first.provider_id}), (0, 3000, set()),
    ]  # fmt: skip
    sums = totals(ways([lottery, general]))
    assert (sums["executed_fen"], sums["paid_fen"], sums["persons"], sums["bodies"]) == (7000, 4000, 2, 1)
    assert by_area(ways([lottery, general])) == {CITY: sums}
    assert [one.order_id for one in charges_of([lottery.pk])] == [first.pk]
    assert [(one.pk, one.fen) for one in persons_of(general)] == [(second.elder_id, 3000)]
    assert [one.amount for one in payments_of(lottery, bearing())] == [4000]
    assert ways([]) == []


@pytest.mark.req("R-FUN-03")
def test_what_is_deducted_or_reversed_is_not_executed_and_what_came_back_not_paid() -> None:
    order, entitlement = settled(4000)
    lottery = line("lottery", 10**7, "福彩")
    fund(entitlement.scheme, lottery)
    pay(stated(order, deducted=1500))
    [way] = ways([lottery])
    assert (way.charged_fen, way.paid_fen, way.owed_fen) == (2500, 2500, 0)
    paid = PayoutLine.objects.select_related("payout").get()
    answer = (paid.payout.code, paid.pk, "25.00", "失败", "账号有误")
    answer_payout(
        actor=actor("finance"), now=LATER, payout_id=paid.payout_id, content=sent(answer, heads=bankfile.RETURN_HEADS)
    )
    [way] = ways([lottery])
    assert (way.charged_fen, way.paid_fen, way.owed_fen) == (2500, 0, 2500)


@pytest.mark.req("R-FUN-03", "R-FUN-10")
def test_the_sum_of_the_page_is_the_ledger_also_of_what_no_line_bears() -> None:
    orders = [settled(fen) for fen in (4000, 3000, 2000)]
    lottery = line("lottery", 10**7, "福彩")
    fund(orders[0][1].scheme, lottery)
    given = promised()
    approved_expense(spent(120_000, given))
    row = stated(orders[1][0], deducted=500)
    pay(row)
    pay(stated(orders[0][0], deducted=1))
    for _ in range(2):
        found, loose = follow([lottery])
        executed = sum(one.executed_fen for one in [*found, *loose])
        paid = sum(one.paid_fen for one in [*found, *loose])
        assert (executed, paid) == booked()
        assert executed == 3999 + 2500 + 2000 + 120_000
        assert paid == 3999 + 2500
        assert {(one.scheme_id, one.executed_fen, one.paid_fen) for one in loose} == {
            (orders[1][1].scheme_id, 2500, 2500), (orders[2][1].scheme_id, 2000, 0), (given.scheme_id, 120_000, 0),
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("SELECT settlement_merge_totals()")


@pytest.mark.req("R-FUN-03", "R-FUN-10")
def test_budget_page_line_and_ledger_say_the_same_of_a_budget() -> None:
    """Services less deductions and what households got back: one figure, for whoever looks."""
    order, entitlement = settled(4000)
    lottery = line("lottery", 10**7, "福彩")
    services = fund(entitlement.scheme, lottery)
    helped = promised()
    once = fund(helped.scheme, lottery)
    approved_expense(spent(120_000, helped))
    stated(order, deducted=500)
    for one in (entitlement, helped):
        move_away(one.elder)
    (way,) = ways([lottery])
    assert {services.pk: 3500, once.pk: 120_000} == dict(way.by_budget)
    assert sum(way.by_budget.values()) == way.executed_fen == booked()[0]
    for who in (actor("finance"), actor("district", DISTRICT)):
        with scope(who):
            assert [executed_of(one) for one in (services, once)] == [3500, 120_000]
        client = Client()
        client.force_login(User.objects.get(pk=who.user_id))
        assert "35.00 元" in client.get(f"/budgets/{services.pk}/").content.decode()
        assert "1,200.00 元" in client.get(f"/budgets/{once.pk}/").content.decode()


def test_what_is_executed_beyond_what_was_arranged_is_marked() -> None:
    _order, entitlement = settled(4000)
    lottery = line("lottery", 10**7, "福彩")
    fund(entitlement.scheme, lottery)
    for spent_fen, over in ((3999, True), (4000, False)):
        BudgetLine.objects.filter(pk=lottery.pk).update(spent_fen=spent_fen)
        lottery.refresh_from_db()
        assert [one.is_over for one in ways([lottery])] == [over]


def test_a_districts_budget_bears_nothing_of_another_district() -> None:
    _order, entitlement = settled(4000)
    part = line("lottery", 10**7, "区")
    fund(entitlement.scheme, part, div=OTHER_DISTRICT)
    found, loose = follow([part])
    assert [(one.charged_fen, one.persons) for one in found] == [(0, set())]
    assert [(one.scheme_id, one.executed_fen) for one in loose] == [(entitlement.scheme_id, 4000)]


def test_a_body_that_is_paid_at_home_for_work_beside_it_was_paid_for_that_work() -> None:
    order, entitlement = settled(4000)
    part = line("lottery", 10**7, "区")
    fund(entitlement.scheme, part, div=DISTRICT)
    Organisation.objects.filter(pk=order.provider_id).update(div=OTHER_DISTRICT)
    pay(stated(order))
    found, loose = follow([part])
    assert [(one.charged_fen, one.paid_fen, one.owed_fen) for one in found] == [(4000, 4000, 0)]
    assert loose == []


def test_a_budget_of_another_year_does_not_count_the_services_of_this() -> None:
    _order, entitlement = settled(4000)
    lottery = line("lottery", 10**7, "福彩")
    fund(entitlement.scheme, lottery, year=2027)
    assert [(one.charged_fen, one.executed_fen, one.persons) for one in ways([lottery])] == [(0, 0, set())]


def test_the_nearest_budget_bears_and_the_wider_one_the_rest() -> None:
    order, entitlement = settled(4000)
    whole, part = line("general", 10**7, "市"), line("lottery", 10**7, "区")
    fund(entitlement.scheme, whole)
    fund(entitlement.scheme, part, div=DISTRICT)
    assert [(one.charged_fen, one.persons) for one in ways([whole, part])] == [(0, set()), (4000, {order.elder_id})]
    assert [[one.order_id for one in charges_of([row.pk])] for row in (whole, part)] == [[], [order.pk]]
    Budget.objects.filter(line=part).update(div=OTHER_DISTRICT)
    assert [one.charged_fen for one in ways([whole, part])] == [4000, 0]


def test_what_is_owed_is_what_was_booked_last() -> None:
    scheme, moved = make_scheme(), []
    budget = Budget(scheme=scheme, div=CITY, year=2026, line_id=7)
    rows = [(scheme.pk, CITY, 2025, -100), (scheme.pk, CITY, 2026, -50)]
    moved += [(pk, div, None, None, year, False, fen) for pk, div, year, fen in rows]
    moved += [(scheme.pk, CITY, None, None, 2026, False, 70), (scheme.pk, CITY, 3, CITY, 2026, True, 70)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("yinling.programmes.subsidies.queries.flows._moved", lambda _scheme: moved)
        found = {one.year: (one.line_id, one.executed_fen, one.paid_fen) for one in flows(Bearing([budget]))}
    assert found == {2025: (None, 100, 70), 2026: (7, 50, 0)}


@pytest.mark.req("R-FUN-03")
def test_who_moved_counts_where_the_money_was_booked() -> None:
    order, entitlement = settled(4000)
    lottery = line("lottery", 10**7, "福彩")
    fund(entitlement.scheme, lottery)
    helped = promised()
    fund(helped.scheme, lottery)
    approved_expense(spent(50_000, helped))
    for one in (entitlement, helped):
        move_away(one.elder)
    with scope(actor("finance", DISTRICT)) as _, scope(reader(lottery.div)):
        assert {one.pk: one.fen for one in persons_of(lottery)} == {order.elder_id: 4000, helped.elder_id: 50_000}
    for div, persons, fen in ((DISTRICT, {order.elder_id, helped.elder_id}, 50_000), (OTHER_DISTRICT, set(), 0)):
        with scope(actor("finance", div)):
            (way,) = ways([lottery])
        assert (way.persons, way.reimbursed_fen) == (persons, fen)
