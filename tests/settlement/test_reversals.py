"""One visit that draws on every kind of counter: what placing sets aside, settling uses, and a cancellation or a reversal restores."""

from __future__ import annotations

import pytest
from tests.factories import NOW, TODAY, actor, make_entitlement, system
from tests.orders.test_paying import START, Visit
from tests.settlement.stated import refused

from yinling.entitlements.models import AgreementQuota, Entitlement, Quota
from yinling.ground.scope import OpenScope
from yinling.kernel.period import ONE_DAY
from yinling.orders.models import Order
from yinling.orders.operations import cancel_order
from yinling.settlement.models import ClaimedItem, LedgerEntry
from yinling.settlement.operations import reverse_order, settle_order

COUNTERS = {"visit": 1, "minute": 45, "fen": 4500, "item:N1": 1, "agreed fen": 4500, "agreed time": 1}
LIMITS = [{"unit": "visit", "per": "week", "most": 2}, {"unit": "minute", "per": "week", "most": 300}]


@pytest.fixture
def order(wide: OpenScope) -> Order:
    """Placed under a contract that counts visits, minutes, money and the item, by an agreement that counts times and money."""
    at = Visit()
    items = {"N1": {"funds": "visit", "count": 9}}
    at.fund("contract", share_bp=10_000, monthly_cap_fen=50_000, limits=LIMITS, items=items)
    at.agree("contract", kind="purchase", monthly_fen=90_000, monthly_count=7)
    return at.place()


def counters() -> dict[str, tuple[int, int]]:
    """What is set aside and what is used, of every counter there is."""
    found = {row.unit: (row.reserved, row.used) for row in Quota.objects.all()}
    return found | {f"agreed {row.unit}": (row.reserved, row.used) for row in AgreementQuota.objects.all()}


def settle(order: Order) -> None:
    settle_order(actor=system(), now=START, order_id=order.pk)


@pytest.mark.req("D-19", "R-FAM-03", "R-PAY-09")
def test_a_reversal_restores_every_counter_and_billing_anew_uses_them_again(order: Order) -> None:
    assert counters() == {unit: (amount, 0) for unit, amount in COUNTERS.items()}
    for state in ("assigned", "in_service", "served"):
        Order.objects.filter(pk=order.pk).update(state=state, served_at=START if state == "served" else None)
    for _ in range(2):
        settle(order)
        assert counters() == {unit: (0, amount) for unit, amount in COUNTERS.items()}
        reverse_order(actor=actor("finance"), now=START, order_id=order.pk, reason="核对有误")
        assert counters() == dict.fromkeys(COUNTERS, (0, 0))
        assert not ClaimedItem.objects.filter(is_live=True).exists()
        assert sum(LedgerEntry.objects.values_list("amount", flat=True)) == 0
        assert sum(LedgerEntry.objects.filter(account="payable.provider").values_list("amount", flat=True)) == 0


@pytest.mark.req("D-19", "R-FAM-03", "R-PAY-09")
def test_a_cancellation_restores_every_counter(order: Order) -> None:
    cancel_order(actor=actor("seat"), now=NOW, order_id=order.pk, reason="老人外出")
    assert counters() == dict.fromkeys(COUNTERS, (0, 0))


def served(order: Order) -> Order:
    for state in ("assigned", "in_service", "served"):
        Order.objects.filter(pk=order.pk).update(state=state, served_at=START if state == "served" else None)
    return order


@pytest.mark.req("D-19")
@pytest.mark.parametrize(("used_meanwhile", "cap"), [(True, 4500), (False, 4500), (False, 9000)])
def test_an_order_billed_anew_finds_what_was_used_under_the_renewal_too(
    wide: OpenScope,
    *,
    used_meanwhile: bool,
    cap: int,
) -> None:
    at = Visit()
    first = at.fund("voucher", share_bp=10_000, monthly_cap_fen=4500)
    order = served(at.place(self_pay_consent="本人"))
    settle(order)
    reverse_order(actor=actor("finance"), now=START, order_id=order.pk, reason="核对有误")
    renewed = START.date() + ONE_DAY
    Entitlement.objects.filter(pk=first.pk).update(valid_to=renewed)
    make_entitlement(at.elder, first.scheme, share_bp=10_000, monthly_cap_fen=cap, valid_from=renewed)
    assert renewed.month == TODAY.month
    if not used_meanwhile:
        settle(order)
        assert at.quote(starts_at=START + ONE_DAY).self_fen == (7500 if cap == 4500 else 3000)
        return
    assert at.place(starts_at=START + ONE_DAY, self_pay_consent="本人").self_fen == 3000
    with refused("settlement.quota"):
        settle(order)
    assert sum(row.reserved + row.used for row in Quota.objects.filter(unit="fen")) == 4500
