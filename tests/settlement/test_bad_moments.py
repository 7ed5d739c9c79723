"""What comes at a bad moment: a cancellation after settling, a scheme that ends, a death between order and visit."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from tests.factories import (
    NOW,
    actor,
    make_area_tree,
    make_elder,
    make_entitlement,
    make_item,
    make_organisation,
    make_price,
    make_scheme,
    make_service_area,
    system,
)
from tests.settlement.paying import LATER, asked, refused, sums, tell, use

from yinling.entitlements.models import Entitlement, Quota
from yinling.entitlements.operations import end_entitlement
from yinling.kernel.period import SHANGHAI
from yinling.kernel.refusals import NotAllowed
from yinling.orders.models import Order, PayerShare
from yinling.orders.operations import cancel_order, place_order, stop_order
from yinling.orders.queries import quote
from yinling.people.operations import bury_elder
from yinling.settlement import channel
from yinling.settlement.models import Charge, Posting
from yinling.settlement.operations import reverse_order, settle_order

pytestmark = pytest.mark.usefixtures("wide")
JUNE_30 = date(2026, 6, 30)


@pytest.fixture(autouse=True)
def _channel(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "fake.FakePayment")


class Home:
    """An elder for whom a voucher bears half of a service of 80.01 yuan."""

    def __init__(self) -> None:
        make_area_tree()
        self.elder, self.body, self.item, self.seat = make_elder(), make_organisation(), make_item(), actor("seat")
        make_price(self.item, self.body, 8_001)
        make_service_area(self.body, self.item.family)
        self.held = make_entitlement(self.elder, make_scheme(), share_bp=5000, monthly_cap_fen=20_000)

    def offer(self, starts_at: datetime) -> Any:
        return quote(actor=self.seat, elder_id=self.elder.pk, item_code=self.item.code, starts_at=starts_at, now=NOW)

    def place(self, starts_at: datetime) -> Order:
        offer = self.offer(starts_at)
        return place_order(
            actor=self.seat, now=NOW, elder_id=self.elder.pk, item_code=self.item.code, starts_at=starts_at,
            quoted_total_fen=offer.total_fen, quoted_self_fen=offer.self_fen,
        )  # fmt: skip

    def counters(self) -> list[tuple[int, int]]:
        return list(Quota.objects.order_by("from_on").values_list("reserved", "used"))


@pytest.fixture
def home() -> Home:
    return Home()


def serve(order: Order) -> None:
    for state in ("assigned", "in_service", "served"):
        Order.objects.filter(pk=order.pk).update(state=state, served_at=LATER if state == "served" else None)


def parts(order: Order) -> dict[str, int]:
    return dict(PayerShare.objects.filter(order=order, amount_fen__gt=0).values_list("payer", "amount_fen"))


@pytest.mark.req("D-12")
def test_half_a_fen_goes_to_the_payer_and_the_parts_are_the_whole(home: Home) -> None:
    order = home.place(NOW + timedelta(days=1))
    assert parts(order) == {"voucher": 4_001, "self": 4_000}
    assert home.counters() == [(4_001, 0)]


def test_what_is_settled_is_not_cancelled_and_only_a_reversal_gives_the_counters_back(home: Home) -> None:
    order = home.place(NOW + timedelta(days=1))
    serve(order)
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    with refused("state.not_allowed", NotAllowed):
        cancel_order(actor=home.seat, now=LATER, order_id=order.pk, reason="不要了")
    assert home.counters() == [(0, 4_001)]
    reverse_order(actor=actor("finance"), now=LATER, order_id=order.pk, reason="核对有误")
    assert home.counters() == [(0, 0)]
    with refused("state.not_allowed", NotAllowed):
        cancel_order(actor=home.seat, now=LATER, order_id=order.pk, reason="不要了")
    assert home.counters() == [(0, 0)], "nothing is given back twice"
    assert Posting.objects.count() == 2


@pytest.mark.req("D-19")
def test_a_scheme_that_ends_at_midnight_pays_the_visit_that_began_before(home: Home) -> None:
    """The visit goes from 23:30 on the last day to half past midnight; the day of its start counts, also for the month of the cap."""
    Entitlement.objects.filter(pk=home.held.pk).update(valid_to=JUNE_30 + timedelta(days=1))
    late = datetime(2026, 6, 30, 23, 30, tzinfo=SHANGHAI)
    order = home.place(late)
    assert parts(order) == {"voucher": 4_001, "self": 4_000}
    assert home.offer(late + timedelta(minutes=30)).self_fen == 8_001
    serve(order)
    settle_order(actor=system(), now=LATER + timedelta(days=20), order_id=order.pk)
    assert list(Charge.objects.filter(payer="voucher").values_list("amount_fen", "service_day")) == [(4_001, JUNE_30)]
    assert list(Quota.objects.values_list("from_on", "used")) == [(date(2026, 6, 1), 4_001)]


@pytest.mark.req("D-19")
def test_a_scheme_ended_between_order_and_visit_pays_what_was_placed_and_nothing_after(home: Home) -> None:
    start = NOW + timedelta(days=2)
    order = home.place(start)
    end_entitlement(
        actor=actor("street"), now=NOW, entitlement_id=home.held.pk, valid_to=NOW.date(), reason="不再符合条件"
    )
    assert home.offer(start + timedelta(hours=4)).self_fen == 8_001
    serve(order)
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    assert home.counters() == [(0, 4_001)]


@pytest.mark.req("D-19")
def test_a_death_between_order_and_visit_gives_caps_and_money_back(home: Home) -> None:
    order = home.place(NOW + timedelta(days=3))
    open_, paid = home.place(NOW + timedelta(days=4)), tell(asked(order))
    waiting = asked(open_)
    bury_elder(
        actor=actor("street"), now=NOW + timedelta(days=1), elder_id=home.elder.pk, died_on=(NOW + timedelta(days=1)).date(), evidence="死亡证明"
    )  # fmt: skip
    for row in (order, open_):
        stop_order(actor=system(), now=NOW + timedelta(days=1), order_id=row.pk)
    assert home.counters() == [(0, 0)]
    assert tell(waiting, LATER).state == "surplus", "money that was on its way is not kept either"
    for _ in range(2):
        channel.tend_payments(system(), LATER)
        channel.send_refunds(system(), LATER)
    for row in (paid, waiting):
        row.refresh_from_db()
        assert (row.state, row.refunded_fen) == ("refunded", 4_000)
    assert [sums(row) for row in (order, open_)] == [{}, {}]
    assert not Charge.objects.exists()
