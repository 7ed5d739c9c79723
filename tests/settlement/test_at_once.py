"""Twenty at once: one cap is never exceeded, one order is charged once, one visit has one chain of payers, no entry slips into a closing."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from tests.factories import (
    CITY,
    COMMUNITY,
    NOW,
    WIDE,
    actor,
    fund_order,
    make_area_tree,
    make_elder,
    make_entitlement,
    make_order,
    make_scheme,
    system,
)
from tests.settlement.test_double_claims import TEN, visited

from yinling.entitlements.models import Quota
from yinling.ground.operation import translated
from yinling.ground.scope import scope
from yinling.kernel.refusals import Refusal
from yinling.settlement.jobs import settle_area
from yinling.settlement.models import ClaimedTime, LedgerEntry, Posting
from yinling.settlement.operations import close_closing, post, propose_closing, reverse_order, settle_order
from yinling.settlement.rules import Side

LATER = NOW + timedelta(days=3)
MANY = 20

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> Counter[str]:
    """Run acts at the same moment, each on a connection of its own; return how they ended."""
    gate, said = threading.Barrier(len(acts)), []

    def one(act: Callable[[], Any]) -> None:
        try:
            gate.wait()
            with scope(WIDE):
                act()
            said.append("done")
        except Refusal as refusal:
            said.append(refusal.code)
        except DatabaseError as error:
            said.append(translated(error).code)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(said)


def settling(pk: int) -> Callable[[], Any]:
    who = system()
    return lambda: settle_order(actor=who, now=LATER, order_id=pk)


@pytest.mark.req("D-19")
def test_twenty_settlements_on_one_cap_never_exceed_it() -> None:
    with scope(WIDE):
        elder = make_elder()
        voucher = make_entitlement(elder, make_scheme(), monthly_cap_fen=MANY * 4000)
        orders = []
        for number in range(MANY):
            orders.append(make_order("served", elder=elder, starts_at=TEN + timedelta(hours=number)))
            fund_order(orders[-1], voucher, 4000)
        acts = [settling(order.pk) for order in orders]
        finance = actor("finance")
    assert at_once(*acts) == {"done": MANY}
    with scope(WIDE):
        assert Quota.objects.values_list("reserved", "used").get() == (0, MANY * 4000)
    back = [
        lambda pk=order.pk: reverse_order(actor=finance, now=LATER, order_id=pk, reason="核对") for order in orders[:10]
    ]
    assert at_once(*back, *acts[10:]) == {"done": 10, "settlement.already": 10}
    with scope(WIDE):
        quota = Quota.objects.get()
        assert (quota.reserved, quota.used) == (0, 10 * 4000)
        Quota.objects.update(cap=15 * 4000)
        type(voucher).objects.update(monthly_cap_fen=15 * 4000)
    assert at_once(*acts[:10]) == {"done": 5, "settlement.quota": 5}
    with scope(WIDE):
        assert Quota.objects.values_list("reserved", "used", "cap").get() == (0, 15 * 4000, 15 * 4000)


@pytest.mark.req("R-PAY-04")
def test_twenty_who_settle_one_order_charge_it_once() -> None:
    with scope(WIDE):
        order = make_order("served")
        act = settling(order.pk)
    assert at_once(*[act] * MANY) == {"done": 1, "settlement.already": MANY - 1}
    with scope(WIDE):
        assert (Posting.objects.count(), LedgerEntry.objects.count()) == (1, 2)


@pytest.mark.req("R-PAY-04", "R-LTC-09")
def test_of_twenty_schemes_that_pay_for_the_same_minutes_one_is_charged() -> None:
    with scope(WIDE):
        elder = make_elder()
        acts = [settling(visited(elder, TEN + timedelta(seconds=number), 60).pk) for number in range(MANY)]
    said = at_once(*acts)
    assert said["done"] == 1
    assert said["settlement.time_claimed"] == MANY - 1
    with scope(WIDE):
        assert (Posting.objects.count(), ClaimedTime.objects.count()) == (1, 1)


def test_several_jobs_share_the_work_and_charge_everything_once() -> None:
    with scope(WIDE):
        make_area_tree()
        for _ in range(30):
            make_order("served")
        who = system()
    found: list[int] = []
    at_once(*[lambda: found.append(settle_area(who, LATER))] * 3)
    with scope(WIDE):
        assert Posting.objects.count() == 30
        assert sum(found) == 30


@pytest.mark.req("R-FUN-10")
def test_no_entry_slips_into_a_month_while_it_is_closed() -> None:
    june, july = datetime(2026, 6, 30, 15, tzinfo=UTC), datetime(2026, 7, 1, 2, tzinfo=UTC)
    sides = [Side("bank", 7, "eldercare", "general"), Side("donation.received", -7, "eldercare", "general")]

    def book(key: str) -> Any:
        return post(who, june, key=key, kind="donation", text="", div=COMMUNITY, sides=sides)

    with scope(WIDE):
        make_area_tree()
        who, first, second = system(), actor("finance", CITY), actor("finance", CITY)
        book("first")
        row = propose_closing(actor=first, now=july, month=date(2026, 6, 1), div=CITY)
    posts = [lambda key=str(number): book(key) for number in range(MANY)]
    said = at_once(*posts, lambda: close_closing(actor=second, now=july, closing_id=row.pk))
    with scope(WIDE):
        row.refresh_from_db()
        june_fen = sum(
            LedgerEntry.objects.filter(account="bank", period=date(2026, 6, 1)).values_list("amount", flat=True)
        )
        if row.closed_at is None:
            assert said["closing.changed"] == 1
        else:
            assert june_fen == row.figures[0]["moved"]
            assert set(said) <= {"done", "ledger.closed"}
