"""Freezing the bill of an order at placing: its lines, what each payer bears, and the counters that reserves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from yinling.catalogue.models import Price, ServiceItem
from yinling.directory.queries import system_actor
from yinling.entitlements.models import Entitlement
from yinling.entitlements.operations import reserve_each
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order, OrderLine, PayerShare
from yinling.orders.payers import PricedLine, Share


@dataclass(frozen=True)
class FrozenLine:
    """A line of the bill with the item and the price it stands on, and how its amount came about."""

    line: PricedLine
    item: ServiceItem
    price: Price
    detail: dict[str, Any] = field(default_factory=dict)


def freeze(order: Order, lines: Sequence[FrozenLine], shares: Sequence[Share], **values: Any) -> list[OrderLine]:
    """Write lines and shares of an order; ``values`` are further fields of the lines."""
    common = {"div": order.div, "order": order, "elder_id": order.elder_id, "provider_id": order.provider_id}
    rows = [
        OrderLine(
            **common, item=one.item, price=one.price, kind=one.line.kind, name=one.line.name, quantity=one.line.quantity,
            minutes=one.line.minutes, amount_fen=one.line.amount_fen, detail=one.detail, **values,
        )
        for one in lines
    ]  # fmt: skip
    OrderLine.objects.bulk_create(rows)
    PayerShare.objects.bulk_create(
        PayerShare(
            **common, line=rows[share.line], payer=share.payer, entitlement_id=share.entitlement_id, amount_fen=share.amount_fen,
            reason=share.reason, uses=[use.as_json() for use in share.uses],
        )
        for share in shares
    )  # fmt: skip
    return rows


def reserve_shares(actor: Actor, now: datetime, order: Order, shares: Sequence[Share]) -> None:
    """Reserve every counter that shares use, in the periods of the service day (D-19); what another order took makes the quote stale.

    A family sees what its elder holds, and may not move what is left of an agreement over all elders: the system does.
    """
    known = Entitlement.objects.in_bulk({share.entitlement_id for share in shares if share.uses})
    uses = [(known.get(share.entitlement_id), use) for share in shares for use in share.uses]
    if not uses:
        return
    with scope(system_actor(order.div[:2]), savepoint=False):
        short = reserve_each(actor, now, uses)
    if short:
        raise Refused("quote.changed", N_("补贴额度刚被用去一部分，请重新报价并告知老人"), field="quoted_total_fen")
