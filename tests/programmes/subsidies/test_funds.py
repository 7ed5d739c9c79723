"""Each fund's way: what services were charged to the schemes that a line bears, in which year, and what of it was paid."""

from datetime import date, timedelta

import pytest
from tests.factories import (
    CITY,
    NOW,
    city,
    fund_order,
    make_entitlement,
    make_order,
    make_scheme,
    make_user,
    system,
)
from tests.settlement.test_reimbursements import bear, line

from yinling.entitlements.models import Entitlement
from yinling.orders.models import Order
from yinling.programmes.subsidies.queries.funds import by_area, charges_of, persons_of, totals, ways
from yinling.settlement.models import BankAccount, Charge, Payout, PayoutLine, Statement, StatementLine
from yinling.settlement.operations import settle_order

pytestmark = pytest.mark.usefixtures("wide")
LATER = NOW + timedelta(days=3)


def settled(fen: int) -> tuple[Order, Entitlement]:
    city()
    order = make_order("served")
    entitlement = make_entitlement(order.elder, make_scheme(code=f"v{order.pk}"), once_fen=1)
    fund_order(order, entitlement, fen)
    return settle_order(actor=system(), now=LATER, order_id=order.pk), entitlement


def pay(order: Order) -> None:
    """The bank has paid an approved statement with the order's charges."""
    provider = order.provider
    common = {"div": CITY, "created_at": NOW, "changed_at": NOW}
    statement = Statement.objects.create(
        provider=provider,
        payer="voucher",
        month=date(2026, 6, 1),
        total_fen=1,
        line_count=1,
        drafted_at=NOW,
        drafted_by=make_user(),
        **common,
    )
    for charge in Charge.objects.filter(order=order, payer="voucher"):
        StatementLine.objects.create(div=CITY, statement=statement, charge=charge, provider=provider)
    for state in ("reviewed", "approved"):
        statement.state = state
        statement.save()
    account = BankAccount.objects.create(
        organisation=provider, provider=provider, holder="x", bank="x", last4="0000", proposed_by=make_user(), valid_from=date(2026, 1, 1),
        recorded_from=NOW, **common,
    )  # fmt: skip
    batch = Payout.objects.create(
        title="x", total_fen=1, line_count=1, drafted_by=make_user(), drafted_at=NOW, **common
    )
    paid = PayoutLine.objects.create(
        payout=batch, key=f"statement:{statement.pk}", text="x", provider=provider, account=account, payer="voucher", fund="lottery",
        amount_fen=1, **common,
    )  # fmt: skip
    paid.state = "paid"
    paid.save()


@pytest.mark.req("R-FUN-03")
def test_charges_count_on_the_line_that_bears_their_scheme_in_the_year_of_the_service() -> None:
    first, entitlement = settled(4000)
    second, other = settled(3000)
    lottery, general = line("lottery", 10**7, "福彩"), line("general", 10**7, "一般")
    bear(entitlement, lottery)
    bear(other, general)
    a, b, c = ways([lottery, general, line("donation", 0, "捐赠")])
    assert [(one.charged_fen, one.paid_fen, one.persons) for one in (a, b, c)] == [
        (4000, 0, {first.elder_id}), (3000, 0, {second.elder_id}), (0, 0, set())
    ]  # fmt: skip
    pay(first)
    assert [one.paid_fen for one in ways([lottery, general])] == [4000, 0]
    sums = totals(ways([lottery, general]))
    assert (sums["executed_fen"], sums["paid_fen"], sums["persons"], sums["bodies"]) == (7000, 4000, 2, 2)
    assert by_area(ways([lottery, general])) == {CITY: sums}
    assert [one.order_id for one in charges_of([lottery.pk])] == [first.pk]
    assert list(persons_of(general)) == [second.elder]
    assert ways([]) == []


def test_a_budget_of_another_year_does_not_count_the_services_of_this() -> None:
    _order, entitlement = settled(4000)
    lottery = line("lottery", 10**7, "福彩")
    bear(entitlement, lottery)
    budget = entitlement.commitments.get().budget
    type(budget).objects.filter(pk=budget.pk).update(year=2027)
    assert [(one.charged_fen, one.executed_fen, one.persons) for one in ways([lottery])] == [(0, 0, set())]
