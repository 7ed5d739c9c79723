"""What is booked does not depend on who looks: elders move, bodies work in several districts, people ask for what is not theirs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import Sum
from tests.factories import (
    CITY,
    DISTRICT,
    NOW,
    OTHER_COMMUNITY,
    OTHER_DISTRICT,
    OTHER_STREET,
    TODAY,
    actor,
    city,
    fund_order,
    make_elder,
    make_entitlement,
    make_hold,
    make_order,
    make_organisation,
    make_scheme,
    make_staff,
    system,
)
from tests.settlement.paying import an_order, asked, tell, use
from tests.settlement.stated import LATER, approved, batch, exported, refused, settled, with_account
from tests.settlement.test_distributions import draft, nursing, visited

from yinling.accounts.models import Journal
from yinling.entitlements.operations import follow_elders
from yinling.ground.scope import scope
from yinling.orders.models import Hold, Order
from yinling.people.models import Elder, Household
from yinling.people.operations import bury_elder
from yinling.settlement.channel import tend_payments
from yinling.settlement.jobs import recover_overpaid
from yinling.settlement.models import LedgerEntry, Payout, Recovery, RecoveryLine
from yinling.settlement.operations import (
    approve_recovery,
    approve_statement,
    deduct_statement,
    draft_statement,
    pay_from_balance,
    receive_transfer,
    reverse_order,
    review_recovery,
    review_statement,
    settle_order,
    take_transfer,
)
from yinling.settlement.queries import due_orders, elder_balance, recoveries, shares_of_statement, to_draft
from yinling.settlement.queries.payables import payables
from yinling.settlement.queries.payments import own_payables
from yinling.settlement.queries.payouts import payment_of, payout_line

pytestmark = pytest.mark.usefixtures("wide")
JUNE = date(2026, 6, 1)


def move_away(elder: Elder, div: str = OTHER_COMMUNITY) -> None:
    """The elder and what follows an elder lie in another district now; what was booked stays where it was."""
    Household.objects.filter(pk=elder.household_id).update(div=div)
    Elder.objects.filter(pk=elder.pk).update(div=div)
    follow_elders(CITY)


def owed(account: str, *names: str) -> dict[Any, int]:
    """What stands open on an account, by dimensions."""
    sums = LedgerEntry.objects.filter(account=account).order_by().values_list(*names).annotate(fen=Sum("amount"))
    return {tuple(key): fen for *key, fen in sums if fen}


@pytest.mark.req("R-FUN-03")
def test_a_statement_is_booked_to_the_fund_of_its_charges_though_the_elder_moved() -> None:
    city()
    order = settled(make_organisation())
    move_away(order.elder)
    one, two, three = (actor("finance", DISTRICT) for _ in range(3))
    with scope(one):
        row = draft_statement(actor=one, now=LATER, organisation_id=order.provider_id, payer="ltci", month=JUNE)
        line = row.lines.get()
        deduct_statement(
            actor=one, now=LATER, statement_id=row.pk, reason="01", note="少做", amount_fen=1000, line_id=line.pk
        )
    with scope(two):
        review_statement(actor=two, now=LATER, statement_id=row.pk)
    with scope(three):
        done = approve_statement(actor=three, now=LATER, statement_id=row.pk)
        (part,) = shares_of_statement(done).payable
    scheme = order.shares.get(payer="ltci").entitlement.scheme
    assert (part.fund, part.scheme_id) == ("insurance", scheme.pk)
    assert owed("receivable.ltci", "fund", "scheme_id") == {("insurance", scheme.pk): 3000}
    assert owed("payable.provider", "fund", "scheme_id") == {("insurance", scheme.pk): -3000}


def test_who_moved_can_be_billed_back_by_the_district_of_the_service() -> None:
    city()
    order = settled(make_organisation())
    move_away(order.elder)
    who = actor("finance", DISTRICT)
    with scope(who):
        reverse_order(actor=who, now=LATER, order_id=order.pk, reason="误")
    assert owed("receivable.ltci", "fund") == {}


@pytest.mark.req("R-PAY-16")
def test_what_an_elder_paid_in_is_one_balance_wherever_it_was_used() -> None:
    city()
    elder = make_elder()
    home = elder.div
    here, there = actor("finance", DISTRICT), actor("station", OTHER_DISTRICT)

    def taken(kind: str, fen: int, note: str) -> None:
        with scope(here):
            take_transfer(actor=here, now=NOW, elder_id=elder.pk, kind=kind, amount_fen=fen, method="cash", note=note)

    taken("top_up", 10_000, "收 1")
    move_away(elder)
    elder.refresh_from_db()
    order = make_order(elder=elder)
    with scope(there):
        pay_from_balance(actor=there, now=NOW, order_id=order.pk)
    move_away(elder, home)
    with scope(here):
        assert elder_balance("prepaid.elder", elder.pk, home) == -2_000
    with refused("transfer.balance"):
        taken("top_up_return", 2_001, "退 1")
    taken("top_up_return", 2_000, "退 2")
    assert elder_balance("prepaid.elder", elder.pk, home) == 0


def test_the_share_of_staff_is_of_all_that_the_body_earned_whoever_reckons_it() -> None:
    city()
    body = make_organisation(kind="health_centre")
    nurse = make_staff(body, kind="nurse", qualified="nurse")
    price = nursing(body)
    visited(nurse, price)
    visited(nurse, price, hour=3, elder=make_elder(OTHER_COMMUNITY))
    who = actor("finance", DISTRICT)
    with scope(who):
        row = draft(body, who)
    assert row.income_fen == 20_000
    assert row.parts.get().score["inputs"]["visits"] == 2


@pytest.mark.req("R-PEO-03")
def test_a_service_booked_at_the_old_home_is_recovered_too() -> None:
    city()
    elder = make_elder()
    order = make_order("served", elder=elder, starts_at=NOW - timedelta(days=2))
    fund_order(order, make_entitlement(elder, make_scheme()), 4000)
    move_away(elder)
    street = actor("street", OTHER_STREET)
    with scope(street):
        bury_elder(actor=street, now=NOW, elder_id=elder.pk, died_on=TODAY - timedelta(days=5), evidence="火化证 1 号")
    assert recover_overpaid(system(), NOW) == 1
    assert set(RecoveryLine.objects.values_list("order_id", flat=True)) == {order.pk}
    assert Recovery.objects.get().reject_fen == 8000


@pytest.mark.parametrize(
    ("role", "code", "due"),
    [
        ("seat", "right.missing", 1), ("finance", "order.held", 1), ("finance", "settlement.gap", 1), ("system", "busy", 1),
        ("system", "order.held", 1), ("system", "settlement.gap", 0),
    ],
)  # fmt: skip
def test_only_what_the_job_itself_was_refused_for_good_waits_for_a_person(role: str, code: str, due: int) -> None:
    city()
    order = make_order("served")
    Journal.objects.create(
        div=order.div, business_at=NOW, user_name="某人", role=role, event="settlement.order.settle", subject_type="order",
        subject_id=order.pk, is_refused=True, code=code, digest=b"0" * 32,
    )  # fmt: skip
    with scope(system()):
        assert due_orders(CITY, LATER).count() == due


def test_a_body_sees_the_receipt_of_its_payment_and_not_the_batch() -> None:
    city()
    row = approved(body=make_organisation())
    with_account(row.provider)
    (line,) = exported([f"statement:{row.pk}"]).lines.all()
    own, other = (actor("provider_manager", organisation=body) for body in (row.provider, make_organisation()))
    with scope(own):
        found = payout_line(own, line.pk)
        assert found is not None
        assert (found.payout.code, found.account.last4) == (line.payout.code, "5678")
        assert payment_of(own, line.key) == line
        assert not Payout.objects.exists()
    with scope(other):
        assert (payout_line(other, line.pk), payment_of(other, line.key)) == (None, None)


def test_what_the_city_has_in_a_batch_no_district_pays_again() -> None:
    city()
    row = approved(body=make_organisation())
    with_account(row.provider)
    who = actor("finance", DISTRICT)
    with scope(who):
        assert [one.key for one in payables(who, DISTRICT)] == [f"statement:{row.pk}"]
    batch([f"statement:{row.pk}"])
    with scope(who):
        assert payables(who, DISTRICT) == []


def test_what_is_held_in_another_district_is_not_paid_by_that_of_the_body() -> None:
    city()
    row = approved(body=make_organisation())
    order = row.lines.order_by("pk").first().charge.order
    hold = make_hold(order)
    who = actor("finance", DISTRICT)
    Order.objects.filter(pk=order.pk).update(div=OTHER_COMMUNITY)
    Hold.objects.filter(pk=hold.pk).update(div=OTHER_COMMUNITY)
    with scope(who):
        assert not Hold.objects.exists()
        assert payables(who, DISTRICT) == []


def test_what_elders_paid_through_the_platform_only_the_city_pays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "fake.FakePayment")
    order = an_order("served")
    tell(asked(order))
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    tend_payments(system(), LATER)
    for div, fen in ((CITY, [4000]), (DISTRICT, [])):
        who = actor("finance", div)
        with scope(who):
            assert [one.amount_fen for one in own_payables(who, div)] == fen


@pytest.mark.req("R-PEO-03")
def test_who_moved_to_another_city_is_on_the_list_of_the_one_that_paid() -> None:
    city()
    order = make_order("served", starts_at=NOW - timedelta(days=2))
    move_away(order.elder, "320505001001")
    Elder.objects.filter(pk=order.elder_id).update(died_on=TODAY - timedelta(days=5))
    assert (recover_overpaid(system(), NOW), recover_overpaid(system(), NOW)) == (1, 0)
    who = actor("finance")
    with scope(who):
        (row,) = recoveries(who)
    assert (row.div, row.state, row.elder_name) == (CITY, "draft", order.elder_name)


@pytest.mark.req("R-PEO-03")
def test_what_was_paid_for_a_service_after_a_death_goes_back_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "fake.FakePayment")
    order = an_order("served")
    payment = tell(asked(order))
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    tend_payments(system(), LATER)
    Elder.objects.filter(pk=order.elder_id).update(died_on=TODAY - timedelta(days=1))
    recover_overpaid(system(), LATER)
    row = Recovery.objects.get()
    review_recovery(actor=actor("finance"), now=LATER, recovery_id=row.pk)
    tend_payments(system(), LATER)
    assert not payment.refunds.exists()
    approve_recovery(actor=actor("finance"), now=LATER, recovery_id=row.pk)
    for _ in range(2):
        tend_payments(system(), LATER)
    assert [(one.amount_fen, one.state) for one in payment.refunds.all()] == [(4000, "asked")]


@pytest.mark.req("R-PAY-16")
def test_a_receipt_counts_once_though_the_elder_moved() -> None:
    city()
    elder = make_elder()
    here, there = actor("finance", DISTRICT), actor("finance", OTHER_DISTRICT)
    asked_for: dict[str, Any] = {
        "elder_id": elder.pk,
        "kind": "top_up",
        "amount_fen": 100,
        "method": "cash",
        "note": "收 1",
    }
    with scope(here):
        take_transfer(actor=here, now=NOW, **asked_for)
    move_away(elder)
    with scope(there), refused("transfer.receipt"):
        take_transfer(actor=there, now=NOW, **asked_for)


def test_one_bank_receipt_is_not_registered_in_two_districts() -> None:
    city()
    here, there = actor("finance", DISTRICT), actor("finance", OTHER_DISTRICT)
    came: dict[str, Any] = {"payer": "government", "fund": "general", "on": TODAY, "amount_fen": 100, "note": "回单 1"}
    with scope(here):
        receive_transfer(actor=here, now=LATER, **came)
    with scope(there), refused("arrival.known"):
        receive_transfer(actor=there, now=LATER, **came)


@pytest.mark.req("R-PAY-12")
def test_each_district_draws_up_its_own_part_and_the_city_what_is_left() -> None:
    city()
    body, later = make_organisation(), make_organisation()
    settled(body)
    settled(body, elder=make_elder(OTHER_COMMUNITY))
    settled(later, elder=make_elder(OTHER_COMMUNITY))
    made = []
    for div in (DISTRICT, OTHER_DISTRICT):
        who = actor("finance", div)
        with scope(who):
            assert body.pk in {one.provider_id for one in to_draft(div, JUNE)}
            made.append(draft_statement(actor=who, now=LATER, organisation_id=body.pk, payer="ltci", month=JUNE))
    assert [(one.div, one.total_fen) for one in made] == [(DISTRICT, 4000), (OTHER_DISTRICT, 4000)]
    who = actor("finance")
    with scope(who):
        assert [(one.provider_id, one.amount_fen) for one in to_draft(CITY, JUNE)] == [(later.pk, 4000)]
        row = draft_statement(actor=who, now=LATER, organisation_id=later.pk, payer="ltci", month=JUNE)
    who = actor("finance", DISTRICT)
    with scope(who):
        assert review_statement(actor=who, now=LATER, statement_id=row.pk).total_fen == 4000
