"""One chain of payers for each service and each minute (R-PAY-04), whichever way an order is settled."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Sum
from tests.factories import (
    NOW,
    actor,
    fund_order,
    make_assignment,
    make_elder,
    make_entitlement,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_scheme,
    make_staff,
    make_visit,
    system,
)

from yinling.accounts.models import Journal
from yinling.entitlements.models import Quota
from yinling.kernel.refusals import Refused
from yinling.orders.models import Order, OrderLine, PayerShare
from yinling.people.models import Elder
from yinling.settlement.models import Charge, ClaimedItem, ClaimedTime, LedgerEntry, Posting
from yinling.settlement.operations import reverse_order, settle_each, settle_order

pytestmark = pytest.mark.usefixtures("wide")
LATER = NOW + timedelta(days=3)
TEN = NOW + timedelta(days=1)


def visited(
    elder: Elder, start: datetime, minutes: int, payer: str = "voucher", *, fen: int = 4000, family: str = "daily_care"
) -> Order:
    """A served order of so many minutes at the door, so much of it borne by a payer."""
    staff = make_staff()
    price = make_price(make_item(family=family), staff.provider)
    order = make_order("in_service", elder=elder, price=price, starts_at=start)
    if fen:
        fund_order(order, make_entitlement(elder, make_scheme(code=f"s{order.pk}", payer=payer)), fen)
    visit = make_visit(make_assignment(order, staff, state="done"))
    visit.started_at, visit.ended_at, visit.state = start, start + timedelta(minutes=minutes), "done"
    visit.save()
    order.state, order.served_at = "served", visit.ended_at
    order.save()
    return order


def settle(order: Order) -> Order:
    return settle_order(actor=system(), now=LATER, order_id=order.pk)


def ledger() -> tuple[int, int, int, int]:
    return Posting.objects.count(), LedgerEntry.objects.count(), Charge.objects.count(), ClaimedTime.objects.count()


@pytest.mark.req("R-PAY-04", "R-LTC-09")
@pytest.mark.parametrize(
    ("first", "second"), [("contract", "ltci"), ("ltci", "medical_insurance"), ("voucher", "government")]
)
def test_the_same_visit_to_two_schemes_is_refused_the_second_time_and_nobody_is_charged(
    first: str, second: str
) -> None:
    elder = make_elder()
    one, other = visited(elder, TEN, 60, first), visited(elder, TEN + timedelta(minutes=5), 60, second)
    settle(one)
    before, counters = ledger(), list(Quota.objects.order_by("pk").values_list("reserved", "used"))
    with pytest.raises(Refused) as refusal:
        settle(other)
    assert refusal.value.code == "settlement.time_claimed"
    assert ledger() == before
    assert list(Quota.objects.order_by("pk").values_list("reserved", "used")) == counters
    assert Order.objects.get(pk=other.pk).state == "served"


@pytest.mark.req("R-PAY-04")
def test_a_batch_refuses_the_second_claim_journals_it_for_the_auditor_and_settles_the_others() -> None:
    elder = make_elder()
    one, other, third = visited(elder, TEN, 60), visited(elder, TEN, 60, "ltci"), visited(make_elder(), TEN, 60)
    refused = settle_each(system(), LATER, [one, other, third])
    assert {pk: refusal.code for pk, refusal in refused.items()} == {other.pk: "settlement.time_claimed"}
    assert set(Posting.objects.values_list("order_id", flat=True)) == {one.pk, third.pk}
    row = Journal.objects.get(is_refused=True)
    assert (row.event, row.code, row.subject_id, row.elder_id) == (
        "settlement.order.settle",
        "settlement.time_claimed",
        other.pk,
        elder.pk,
    )


def test_a_short_overlap_is_left_to_the_first_and_a_long_one_is_refused() -> None:
    elder = make_elder()
    settle(visited(elder, TEN, 60))
    late = settle(visited(elder, TEN + timedelta(minutes=50), 60, "ltci"))
    own = ClaimedTime.objects.get(order=late)
    assert (own.from_at, own.to_at) == (TEN + timedelta(minutes=60), TEN + timedelta(minutes=110))
    with pytest.raises(Refused) as refusal:
        settle(visited(elder, TEN + timedelta(minutes=99), 60, "government"))
    assert refusal.value.code == "settlement.time_claimed"


def test_a_meal_runs_beside_others_and_what_the_elder_pays_alone_claims_no_minutes() -> None:
    elder = make_elder()
    for order in (visited(elder, TEN, 60), visited(elder, TEN, 60, family="meal"), visited(elder, TEN, 60, fen=0)):
        settle(order)
    assert ClaimedTime.objects.count() == 1


@pytest.mark.req("R-PAY-04")
def test_raw_sql_cannot_claim_the_same_minutes_or_the_same_service_twice() -> None:
    elder = make_elder()
    order = settle(visited(elder, TEN, 60))
    other = settle(visited(elder, TEN + timedelta(hours=3), 60))
    time, item = ClaimedTime.objects.get(order=other), ClaimedItem.objects.get(order=other)
    first = ClaimedItem.objects.get(order=order)
    with pytest.raises(IntegrityError, match="claimed_time_once"), transaction.atomic():
        ClaimedTime.objects.filter(pk=time.pk).update(from_at=TEN + timedelta(minutes=59))
    with pytest.raises(IntegrityError, match="claimed_item_once"), transaction.atomic():
        ClaimedItem.objects.filter(pk=item.pk).update(item=first.item_id, starts_at=first.starts_at)


def test_every_item_of_an_order_is_claimed_once() -> None:
    elder, item = make_elder(), make_item()
    staff = make_staff()
    one = make_order("served", elder=elder, price=make_price(make_item(), staff.provider))
    add_line(one, item)
    two = make_order("served", elder=elder, price=make_price(item, make_organisation()))
    settle(one)
    assert ClaimedItem.objects.filter(order=one).count() == 2
    with pytest.raises(Refused) as refusal:
        settle(two)
    assert refusal.value.code == "settlement.repeated"


def add_line(order: Order, item: object, **values: object) -> OrderLine:
    """One more line of 10.00 yuan, which the elder bears."""
    common = {"div": order.div, "order": order, "elder_id": order.elder_id, "provider_id": order.provider_id}
    known = order.lines.order_by("pk").first()
    line = OrderLine.objects.create(
        **common, **{"item": item, "price": known.price, "kind": "item", "name": "加项", "amount_fen": 1000, **values}
    )
    PayerShare.objects.create(**common, line=line, payer="self", amount_fen=1000, reason="自付")
    return line


@pytest.mark.req("D-18")
def test_a_change_line_is_billed_when_confirmed_left_out_when_dropped_and_stops_the_bill_while_open() -> None:
    order = make_order("served")
    line = add_line(order, make_item(), added_at=NOW)
    with pytest.raises(Refused) as refusal:
        settle(order)
    assert refusal.value.code == "settlement.unconfirmed"
    OrderLine.objects.filter(pk=line.pk).update(dropped_at=NOW)
    settle(order)
    assert Charge.objects.filter(order=order).aggregate(fen=Sum("amount_fen"))["fen"] == 8000
    other = make_order("served")
    add_line(other, make_item(), added_at=NOW, confirmed_at=NOW)
    settle(other)
    assert Charge.objects.filter(order=other).aggregate(fen=Sum("amount_fen"))["fen"] == 9000


def test_a_reversal_frees_minutes_service_and_counter_and_the_order_is_billed_anew() -> None:
    elder = make_elder()
    order, other = visited(elder, TEN, 60), visited(elder, TEN, 60, "ltci")
    settle(order)
    with pytest.raises(Refused):
        settle(other)
    reverse_order(actor=actor("finance"), now=LATER, order_id=order.pk, reason="签到有误")
    assert Quota.objects.get(entitlement__scheme__payer="voucher").used == 0
    assert not ClaimedTime.objects.filter(is_live=True).exists()
    settle(other)
    with pytest.raises(Refused) as refusal:
        settle(order)
    assert refusal.value.code == "settlement.time_claimed"
    reverse_order(actor=actor("finance"), now=LATER, order_id=other.pk, reason="同一次服务")
    settle(order)
    assert (
        list(Posting.objects.filter(order=order).order_by("pk").values_list("key", flat=True))[-1]
        == f"order:{order.pk}:2"
    )
    assert (
        LedgerEntry.objects.filter(elder=elder, account="receivable.voucher").aggregate(fen=Sum("amount"))["fen"]
        == 4000
    )


def test_what_needs_no_visit_is_settled_without_minutes() -> None:
    order = make_order("served", needs_visit=False, source="home_beds.bed:7:2026-06")
    settle(order)
    assert Order.objects.get(pk=order.pk).state == "settled"
    assert not ClaimedTime.objects.exists()


def test_many_are_settled_as_one_is() -> None:
    orders = [visited(make_elder(), TEN, 60) for _ in range(3)]
    assert settle_each(system(), LATER, orders) == {}
    for order in orders:
        order.refresh_from_db()
        assert (order.state, order.settled_at) == ("settled", LATER)
        assert list(LedgerEntry.objects.filter(posting__order=order).order_by("id").values_list("account", "amount")) == [
            ("direct.elder", 4000), ("direct.provider", -4000), ("receivable.voucher", 4000), ("payable.provider", -4000)
        ]  # fmt: skip
    assert list(Quota.objects.values_list("reserved", "used")) == [(0, 4000)] * 3
    assert Journal.objects.filter(event="settlement.order.settle", is_refused=False).count() == 3
    assert settle_each(system(), LATER, []) == {}


def test_a_batch_says_nothing_of_what_the_next_round_looks_at_again() -> None:
    order = settle(make_order("served"))
    refused = settle_each(system(), LATER, [order])
    assert [one.code for one in refused.values()] == ["settlement.already"]
    assert not Journal.objects.filter(is_refused=True).exists()


def test_claims_cannot_be_deleted_with_an_open_ledger() -> None:
    settle(visited(make_elder(), TEN, 60))
    with pytest.raises(DatabaseError), transaction.atomic():
        Posting.objects.all().delete()
