"""The money side of the made-up city: every list of it has rows, in the states a newcomer wants to see, and the amounts add up."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q, Sum

from yinling.catalogue.models import CalloutRate
from yinling.demo.logins import actor_of
from yinling.directory.queries import system_actor
from yinling.entitlements.models import Agreement, Budget, BudgetLine
from yinling.ground.clock import real_now
from yinling.ground.scope import scope
from yinling.hotline.models import Ticket
from yinling.kernel.period import local_date, month_start
from yinling.orders.models import Hold, OrderLine
from yinling.programmes.family_doctor.models import DoctorContract
from yinling.programmes.home_beds.models import HomeSickbed
from yinling.programmes.subsidies.models import Donation, Spending, Subsidy
from yinling.programmes.subsidies.queries.funds import executed_of, follow
from yinling.programmes.subsidies.queries.rates import record_of
from yinling.settlement.models import (
    Claim,
    ClaimLine,
    Closing,
    Distribution,
    LedgerEntry,
    Payment,
    Payout,
    PayoutLine,
    Refund,
    Reimbursement,
    Remittance,
    StaffShare,
    Statement,
    Transfer,
)
from yinling.settlement.queries.arrivals import open_by_fund
from yinling.settlement.queries.payables import payables
from yinling.settlement.queries.tries import described, tries
from yinling.supervision.queries import site_check_figures

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo_city")]


def city() -> Any:
    """The scope of the whole city."""
    return scope(system_actor("3202"))


@pytest.mark.req("R-PAY-03")
def test_medical_bodies_publish_on_site_rates_and_orders_are_priced_by_them() -> None:
    with city():
        rates = {row.organisation_id: row for row in CalloutRate.objects.all()}
        assert all(row.km_fen and row.night_fen and row.holiday_fen and row.level_fen for row in rates.values())
        lines = list(OrderLine.objects.filter(kind="callout").select_related("order"))
        assert lines
        for line in lines:
            assert line.provider_id in rates
            assert sum(fen for _name, fen in line.detail["parts"]) == line.detail["asked_fen"]
            assert line.order.distance_method in ("straight_line", "unknown")
        assert {name for line in lines for name, _fen in line.detail["parts"]} >= {"基本上门费", "医师上门"}


def test_an_insurer_paid_refused_and_was_asked_again() -> None:
    with city():
        claims = list(Claim.objects.order_by("pk"))
        assert "ltci" in {row.payer for row in claims}
        again = next(row for row in claims if row.attempt == 2)
        first = next(row for row in claims if row.statement_id == again.statement_id and row.attempt == 1)
        assert Counter(ClaimLine.objects.filter(claim=first).values_list("state", flat=True))["resubmitted"] == 1
        assert set(ClaimLine.objects.filter(claim=again).values_list("state", flat=True)) == {"paid"}
        answered = ClaimLine.objects.filter(claim__statement=first.statement_id, state="paid").aggregate(
            fen=Sum("paid_fen")
        )["fen"]
        assert answered == Statement.objects.get(pk=first.statement_id).total_fen
        assert Remittance.objects.filter(payer=first.payer).count() >= 2


def test_statements_are_paid_and_one_payment_came_back() -> None:
    with city():
        assert set(Statement.objects.values_list("state", flat=True)) >= {"approved"}
        assert set(Payout.objects.values_list("state", flat=True)) == {"completed"}
    finance = actor_of("finance", real_now())
    with scope(finance):
        assert payables(finance, "3202"), "what came back, or was not paid yet, can be put into a batch"


@pytest.mark.req("R-STF-19", "R-STF-22")
def test_staff_get_at_least_seventy_per_cent_by_points() -> None:
    with city():
        rows = list(Distribution.objects.all())
        assert "approved" in {row.state for row in rows}
        for row in rows:
            parts = StaffShare.objects.filter(distribution=row)
            assert row.share_fen * 10 >= row.pool_fen * 7 > 0
            assert sum(part.amount_fen for part in parts) == row.share_fen
            assert all(part.points > 0 for part in parts)
            assert row.to_on <= local_date(real_now())


@pytest.mark.req("R-FUN-05", "R-FUN-06", "R-FUN-07", "R-FUN-11", "R-PAY-18")
def test_subsidies_stand_in_every_state_with_what_they_rest_on() -> None:
    with city():
        rows = list(Subsidy.objects.select_related("line", "provider"))
        assert {row.state for row in rows} == {"draft", "reviewed", "approved", "returned"}
        assert {row.kind for row in rows} >= {"canteen", "award_township", "building", "training"}
        for row in rows:
            if row.kind == "canteen":
                assert row.provider is not None
                assert row.facts["meal_days"] == {
                    str(month): days for month, days in record_of(row.provider, row.result_year).meal_days.items()
                }
                assert len(row.facts["meal_days"]) == 12
            if row.kind == "award_township":
                assert row.booking_year == row.result_year + 1
            if row.kind == "training":
                assert row.line.fund == "unemployment_skill"
            if row.state == "approved":
                assert len({row.entered_by_id, row.reviewed_by_id, row.approved_by_id}) == 3
        assert Spending.objects.filter(category="equipment").exists()
        for line in BudgetLine.objects.all():
            spent = sum(row.amount_fen for row in rows if row.line_id == line.pk and row.state == "approved")
            assert spent <= line.spent_fen <= (line.approved_fen or 0)


@pytest.mark.req("R-FUN-03")
def test_a_line_stands_behind_all_that_schemes_cost() -> None:
    finance = actor_of("finance", real_now())
    with scope(finance):
        lines = list(BudgetLine.objects.all())
        found, loose = follow(lines)
        assert loose == []
        assert [one.line.name for one in found if one.is_over] == []
        reached = {one.line.fund for one in found if one.persons}
        assert {"lottery", "civil_affairs", "central_subsidy"} <= reached
        for one in found:
            assert sum(one.by_budget.values()) + one.subsidy_fen == one.executed_fen
        assert {budget.line_id is None for budget in Budget.objects.all() if executed_of(budget)} == {False}


def _sums(*names: str, **wanted: Any) -> Counter[tuple[Any, ...]]:
    """Sums of the ledger by columns."""
    rows = LedgerEntry.objects.filter(unit="fen", **wanted).order_by().values_list(*names).annotate(fen=Sum("amount"))
    return Counter({tuple(row[:-1]): row[-1] for row in rows if row[-1]})


@pytest.mark.req("R-FUN-03", "R-FUN-10")
def test_the_ways_of_all_funds_are_the_ledger_to_the_fen() -> None:
    with scope(actor_of("finance", real_now())):
        found, loose = follow(list(BudgetLine.objects.all()))
        of_others = LedgerEntry.objects.filter(account__in=["payable.provider", "payable.elder"], unit="fen").exclude(
            fund="personal"
        )
        went = Q(posting__key__startswith="payout:") | Q(posting__key__startswith="offset:")
        paid = of_others.filter(went).aggregate(fen=Sum("amount"))["fen"] or 0
        cost = -(of_others.exclude(went).aggregate(fen=Sum("amount"))["fen"] or 0)
        at_once = -sum(_sums("account", account="direct.treasury").values())
        open_fen = sum(_sums("account", account="receivable.recovery").values())
        assert open_fen == sum(one.recovering_fen for one in found)
        assert sum(one.executed_fen for one in [*found, *loose]) == cost + at_once - open_fen
        assert sum(one.paid_fen for one in [*found, *loose]) == paid + at_once
        by_line: Counter[tuple[Any, ...]] = Counter()
        for one in found:
            if one.subsidy_fen:
                by_line[one.line.fund, one.line.year] += one.subsidy_fen
        assert by_line == _sums("fund", "plan_year", account="expense.subsidy")
        helped = sum(one.reimbursed_fen for one in found)
        assert helped == sum(_sums("fund", account="expense.reimbursement").values())


@pytest.mark.req("R-FUN-09")
def test_donations_have_receipts_without_gaps() -> None:
    with city():
        numbers = sorted(Donation.objects.values_list("receipt_number", flat=True))
        assert [int(number.rpartition("-")[2]) for number in numbers] == list(range(1, len(numbers) + 1))
        assert Donation.objects.filter(is_anonymous=True).exists()


def test_contracts_beds_agreements_transfers_and_closed_months_are_there() -> None:
    this = month_start(local_date(real_now()))
    with city():
        assert DoctorContract.objects.filter(state="signed", fee_order__state__in=["settled", "closed"]).exists()
        assert {"approved", "applied"} <= set(HomeSickbed.objects.values_list("state", flat=True))
        assert set(Agreement.objects.values_list("kind", flat=True)) == {"designation", "purchase", "cooperation"}
        assert {"advance", "arrival", "top_up", "deposit"} <= set(Transfer.objects.values_list("kind", flat=True))
        assert all(one.fen > 0 for one in open_by_fund(actor_of("finance", real_now()), local_date(real_now())))
        bank = LedgerEntry.objects.filter(account="bank").order_by().values_list("fund").annotate(fen=Sum("amount"))
        short = {fund for fund, fen in bank if fen < 0}
        assert short <= {"medical_insurance", "commercial"}, (
            "only insurers' money may come after it was paid out or advanced"
        )
        closed = Closing.objects.filter(closed_at__isnull=False)
        assert closed.exists()
        assert all(row.month < this for row in closed)


def test_households_are_reimbursed_pay_doubt_and_give_back() -> None:
    with city():
        made = list(Reimbursement.objects.order_by("pk"))
        assert [row.state for row in made] == ["approved", "draft"]
        assert len({made[0].entered_by_id, made[0].reviewed_by_id, made[0].approved_by_id}) == 3
        assert PayoutLine.objects.get(key=f"reimbursement:{made[0].pk}").state == "paid"
        assert sorted(Payment.objects.values_list("state", flat=True)) == ["paid", "refunded"]
        assert Refund.objects.get().state == "done"
        hold = Hold.objects.get(to_at=None, cause__startswith="objection:")
        assert Ticket.objects.get(pk=hold.cause.partition(":")[2]).kind == "complaint"


@pytest.mark.req("R-PAY-04")
def test_one_visit_was_to_be_charged_while_another_was_paid_and_the_auditor_sees_both() -> None:
    auditor = actor_of("auditor", real_now())
    with scope(auditor):
        (one,) = described(auditor, tries(auditor).filter(code="settlement.time_claimed"))
    assert one.tried is not None
    assert one.before is not None
    assert one.tried.posting is None
    assert one.before.posting is not None
    assert one.tried.order.elder_id == one.before.order.elder_id


@pytest.mark.req("X-PAY-04")
def test_services_that_vouchers_paid_for_wait_for_a_look_on_site() -> None:
    """Of last month a share is drawn in every county."""
    last = month_start(month_start(local_date(real_now())) - timedelta(days=1))
    city = actor_of("city", real_now())
    with scope(city):
        figures = [one for one in site_check_figures(city, last) if one.services]
    assert figures
    assert all(one.drawn >= max(1, one.services * one.share) for one in figures)
