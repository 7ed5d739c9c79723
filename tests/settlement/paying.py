"""What the tests of payments share: orders half borne by a voucher, a payment, a notice, a refund, what the ledger holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db.models import Sum
from tests.factories import (
    NOW,
    actor,
    fund_order,
    make_area_tree,
    make_entitlement,
    make_item,
    make_order,
    make_price,
    make_scheme,
    system,
)

from yinling.kernel.refusals import Refusal, Refused
from yinling.orders.models import Order, OrderLine, PayerShare
from yinling.settlement.models import LedgerEntry, Payment, Refund
from yinling.settlement.operations import (
    ask_payment,
    post,
    refund_payment,
    take_notice,
)
from yinling.settlement.ports import RefundRefused
from yinling.settlement.queries.payments import standing
from yinling.settlement.rules import Side

LATER = NOW + timedelta(days=3)


def use(monkeypatch: pytest.MonkeyPatch, adapter: str) -> None:
    monkeypatch.setitem(django_settings.PORTS, "payment", f"yinling.interop.payment.{adapter}")


def refused(code: str, kind: type[Refusal] = Refused) -> pytest.RaisesExc:
    return pytest.raises(kind, check=lambda refusal: refusal.code == code)


def an_order(state: str = "placed", **values: Any) -> Order:
    """An order of 80.00 yuan, half of it borne by the voucher."""
    make_area_tree()
    order = make_order(state, **values)
    fund_order(order, make_entitlement(order.elder, make_scheme(code=f"p{order.pk}")), 4000)
    return order


def asked(order: Order, now: datetime = NOW) -> Payment:
    who = actor("elder", elders=(order.elder,))
    return ask_payment(actor=who, now=now, order_id=order.pk)


def tell(row: Payment, now: datetime = NOW, **values: Any) -> Payment:
    said = {
        "key": row.key,
        "number": f"N{row.pk}",
        "amount_fen": row.amount_fen,
        "paid_at": now,
        "channel": "demo",
        **values,
    }
    return take_notice(actor=system(), now=now, **said)


def sums(order: Order) -> dict[str, int]:
    """What the ledger holds of an order by account, without what is zero."""
    rows = (
        LedgerEntry.objects.filter(posting__order=order)
        .values("account")
        .annotate(fen=Sum("amount"))
        .order_by("account")
    )
    return {row["account"]: row["fen"] for row in rows if row["fen"]}


def refund(row: Payment, fen: int, now: datetime = LATER) -> Refund:
    row.refresh_from_db()
    return refund_payment(actor=actor("finance"), now=now, payment_id=row.pk, amount_fen=fen, reason="服务没做完")


def refuse_refunds(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the channel makes no refund."""

    def never(*_args: Any, **_values: Any) -> None:
        raise RefundRefused("超过退款期限")

    monkeypatch.setattr("yinling.interop.payment.fake.FakePayment.refund", never)


def top_up(elder: Any, fen: int) -> None:
    """Money the elder paid in at the counter."""
    sides = [
        Side(account=account, amount=amount, business="eldercare", fund="personal", elder_id=elder.pk)
        for account, amount in (("bank", fen), ("prepaid.elder", -fen))
    ]
    post(system(), NOW, key=f"top-up:{elder.pk}", kind="top_up", text="充值", div=elder.div, sides=sides, elder=elder)


def added(order: Order, fen: int, *, is_medical: bool = False) -> OrderLine:
    """A confirmed change line that the elder bears wholly."""
    common = {"div": order.div, "order": order, "elder": order.elder, "provider": order.provider}
    item = make_item(is_medical=is_medical)
    price = make_price(item, order.provider, fen)
    line = OrderLine.objects.create(
        **common, item=item, price=price, kind="item", name=item.name, amount_fen=fen, added_at=NOW, added_by_id=system().user_id,
        confirmed_at=NOW, confirmed_as="本人 王桂英",
    )  # fmt: skip
    PayerShare.objects.create(**common, line=line, payer="self", amount_fen=fen, reason="其余自己付")
    return line


def drop(line: OrderLine) -> None:
    PayerShare.objects.filter(line=line).delete()
    OrderLine.objects.filter(pk=line.pk).update(dropped_at=NOW)


def by_line(order: Order, account: str, kind: str = "") -> dict[int | None, int]:
    return {part.line_id: part.amount_fen for part in standing(order, account, kind)}
