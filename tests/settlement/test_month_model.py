"""A month of random orders, cancellations, settlements, reversals, price changes and closings against a slow model of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.factories import (
    CITY,
    NOW,
    actor,
    make_area_tree,
    make_assignment,
    make_elder,
    make_entitlement,
    make_item,
    make_organisation,
    make_price,
    make_scheme,
    make_service_area,
    make_staff,
    make_visit,
    system,
)
from tests.settlement.month_model import AGREED, CAP, Book, Booked, start_of

from yinling.catalogue.models import Price
from yinling.entitlements.models import Agreement, AgreementQuota, Quota
from yinling.kernel.period import local_date, month_start, next_month
from yinling.kernel.refusals import Refusal
from yinling.orders.models import Order
from yinling.orders.operations import cancel_order, place_order
from yinling.settlement.models import Charge, ClaimedTime, Closing, LedgerEntry, LedgerTotal, Posting
from yinling.settlement.operations import close_closing, propose_closing, reverse_order, settle_each, settle_order
from yinling.settlement.queries import balance, months_to_close

pytestmark = pytest.mark.usefixtures("wide")
ACCOUNTS = ("receivable.voucher", "payable.provider", "direct.elder", "direct.provider")
PICK = st.integers(0, 30)
ACTS = st.one_of(
    st.tuples(st.just("place"), st.integers(0, 1), st.integers(0, 6), st.integers(0, 3)),
    st.tuples(st.just("place"), st.integers(0, 1), st.integers(0, 40), st.integers(0, 3)),
    st.tuples(st.just("cancel"), PICK),
    st.tuples(st.just("serve"), PICK, st.sampled_from([0, 0, 65, 70, 90])),
    st.tuples(st.just("serve"), PICK, st.just(0)),
    st.tuples(st.just("settle"), PICK),
    st.tuples(st.just("batch")),
    st.tuples(st.just("reverse"), PICK),
    st.tuples(st.just("price"), st.integers(1, 9999), st.integers(0, 20)),
    st.tuples(st.just("wait"), st.integers(1, 20)),
    st.tuples(st.just("close")),
)


class Month:
    """The platform and the model beside it, taken through the same acts."""

    def __init__(self) -> None:
        make_area_tree()
        self.now = NOW
        self.item, self.body = make_item(), make_organisation()
        make_service_area(self.body)
        self.staff = make_staff(self.body)
        self.prices = [(date(2020, 1, 1), make_price(self.item, self.body, 3001))]
        scheme = make_scheme()
        self.elders = [make_elder(), make_elder()]
        self.vouchers = [make_entitlement(elder, scheme, monthly_cap_fen=CAP) for elder in self.elders]
        self.agreement = Agreement.objects.create(
            organisation=self.body, payer="voucher", kind="purchase", number="购1", monthly_fen=AGREED, valid_from=date(2020, 1, 1),
            recorded_from=NOW,
        )  # fmt: skip
        self.seat, self.finance, self.second = actor("seat", CITY), actor("finance", CITY), actor("finance", CITY)
        self.book, self.numbers = Book(), list[int]()

    def play(self, acts: list[tuple[Any, ...]]) -> None:
        for name, *values in acts:
            getattr(self, f"do_{name}")(*values)
            self.compare()

    def picked(self, number: int, *states: str) -> tuple[Booked, int] | None:
        found = [(one, pk) for one, pk in zip(self.book.orders, self.numbers, strict=True) if one.state in states]
        return found[number % len(found)] if found else None

    def do_place(self, elder: int, days: int, slot: int) -> None:
        start = start_of(self.now, days, slot)
        if any(one.elder == elder and one.start == start and one.state != "cancelled" for one in self.book.orders):
            return
        price = max((one for one in self.prices if one[0] <= local_date(start)), key=lambda one: one[0])[1].amount_fen
        one = self.book.place(elder, start, price)
        row = place_order(
            actor=self.seat, now=self.now, elder_id=self.elders[elder].pk, item_code=self.item.code, starts_at=start, quoted_total_fen=price,
            quoted_self_fen=price - one.voucher, self_pay_consent="老人本人",
        )  # fmt: skip
        self.numbers.append(row.pk)

    def do_cancel(self, number: int) -> None:
        if found := self.picked(number, "placed"):
            cancel_order(actor=self.seat, now=self.now, order_id=found[1], reason="老人外出")
            found[0].state = "cancelled"

    def do_serve(self, number: int, late: int) -> None:
        if not (found := self.picked(number, "placed")):
            return
        one, pk = found
        row = Order.objects.get(pk=pk)
        visit = make_visit(make_assignment(row, self.staff, state="done"))
        visit.state, visit.started_at, visit.ended_at = "done", one.start, one.start + timedelta(minutes=60 + late)
        visit.save()
        for state in ("assigned", "in_service", "served"):
            row.state = state
            row.served_at = visit.ended_at if state == "served" else None
            row.save()
        one.state, one.late = "served", late

    def do_settle(self, number: int) -> None:
        if found := self.picked(number, "placed", "served", "settled", "cancelled"):
            one, pk = found
            if self.book.may_settle(one):
                settle_order(actor=self.finance, now=self.now, order_id=pk)
                self.book.settle(one, self.now)
            else:
                self.refused(lambda: settle_order(actor=self.finance, now=self.now, order_id=pk))

    def do_batch(self) -> None:
        rows = list(Order.objects.filter(state="served").order_by("served_at", "pk"))
        refused = settle_each(system(), self.now, rows)
        for row in rows:
            one = self.book.orders[self.numbers.index(row.pk)]
            assert self.book.may_settle(one) == (row.pk not in refused)
            if row.pk not in refused:
                self.book.settle(one, self.now)

    def do_reverse(self, number: int) -> None:
        if found := self.picked(number, "settled"):
            one, pk = found
            if one.is_live:
                reverse_order(actor=self.finance, now=self.now, order_id=pk, reason="核对有误")
                self.book.reverse(one, self.now)
            else:
                self.refused(lambda: reverse_order(actor=self.finance, now=self.now, order_id=pk, reason="再冲"))

    def do_price(self, fen: int, days: int) -> None:
        last, price = max(self.prices, key=lambda one: one[0])
        first = local_date(self.now) + timedelta(days=days)
        if first > last:
            Price.objects.filter(pk=price.pk).update(valid_to=first)
            self.prices.append((first, make_price(self.item, self.body, fen, valid_from=first)))

    def do_wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    def do_close(self) -> None:
        today = local_date(self.now)
        due = [month for month in months_to_close(CITY, month_start(today)) if next_month(month) <= today]
        if due:
            row = propose_closing(actor=self.finance, now=self.now, month=due[0], div=CITY)
            self.refused(lambda: close_closing(actor=self.finance, now=self.now, closing_id=row.pk))
            close_closing(actor=self.second, now=self.now, closing_id=row.pk)

    def refused(self, act: Any) -> None:
        before = self.counts()
        with pytest.raises(Refusal):
            act()
        assert self.counts() == before

    def counts(self) -> tuple[int, ...]:
        return tuple(model.objects.count() for model in (Posting, LedgerEntry, Charge, ClaimedTime, LedgerTotal))

    def compare(self) -> None:
        """Everything the model can say, the platform says too."""
        book = self.book
        for place, voucher in enumerate(self.vouchers):
            for month, reserved, used in Quota.objects.filter(entitlement=voucher).values_list(
                "from_on", "reserved", "used"
            ):
                assert (reserved, used) == (book.reserved(place, month), book.used(place, month))
                assert reserved + used <= CAP
        for month, reserved, used in AgreementQuota.objects.values_list("from_on", "reserved", "used"):
            everybody = range(len(self.elders))
            assert (reserved, used) == (
                sum(book.reserved(one, month) for one in everybody), sum(book.used(one, month) for one in everybody)
            )  # fmt: skip
            assert reserved + used <= AGREED
        sums = LedgerEntry.objects.values_list("account", "period").annotate(fen=Sum("amount"))
        assert {(account, month): fen for account, month, fen in sums if fen} == book.moved()
        for account in ACCOUNTS:
            for on in (local_date(self.now), local_date(self.now) - timedelta(days=7)):
                assert balance(account, on) == book.balance(account, on)

    def finish(self) -> None:
        """At the end: minutes, charges and states, and what was closed stayed as it was."""
        live = {row.order_id: row for row in ClaimedTime.objects.filter(is_live=True)}
        states = dict(Order.objects.values_list("pk", "state"))
        for one, pk in zip(self.book.orders, self.numbers, strict=True):
            assert states[pk] == one.state
            charged = Charge.objects.filter(order=pk).aggregate(fen=Sum("amount_fen"))["fen"] or 0
            assert charged == (one.price if one.is_live else 0)
            row = live.get(pk)
            assert len(one.claimed) == (_minutes(row.from_at, row.to_at) if row else 0)
        for closing in Closing.objects.filter(closed_at__isnull=False):
            moved = {one["account"]: 0 for one in closing.figures}
            for one in closing.figures:
                moved[one["account"]] += one["moved"]
            for account in ACCOUNTS:
                assert moved.get(account, 0) == self.book.moved().get((account, closing.month), 0)


def _minutes(first: datetime, last: datetime) -> int:
    return int((last - first).total_seconds()) // 60


@contextmanager
def taken_back() -> Iterator[None]:
    """Let the database check what it keeps for the end, then forget the example."""
    mark = transaction.savepoint()
    try:
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    finally:
        transaction.savepoint_rollback(mark)


@pytest.mark.req("R-PAY-04", "R-PAY-09", "R-FUN-10", "D-12", "X-PAY-01")
@settings(
    max_examples=max(8, settings().max_examples // 100), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(st.lists(ACTS, min_size=15, max_size=45))
def test_a_month_of_anything_equals_the_slow_model(acts: list[tuple[Any, ...]]) -> None:
    with taken_back():
        month = Month()
        month.play(acts)
        month.finish()
