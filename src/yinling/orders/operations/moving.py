"""What every change of an order does: the transition, the journal, open screens, and caps given back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from yinling.accounts.operations import record_each
from yinling.directory.queries import system_actor
from yinling.entitlements.operations import give_back_each
from yinling.entitlements.rules import uses_from_json
from yinling.ground.live import tell_each
from yinling.ground.operation import changed_each
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order, PayerShare
from yinling.orders.states import ORDER


def give_back_uses(order: Order, now: datetime) -> None:
    """Give back exactly what the shares of an order reserved.

    Whoever ends an order (a provider, a carer) may not see the elder's entitlements, so the system does it; the elder may have moved
    to another city of the province since.
    """
    system = system_actor(order.div[:2])
    with scope(system, savepoint=False):
        shares = PayerShare.objects.filter(order=order).exclude(uses=[])
        kept = [(pk, use) for pk, uses in shares.values_list("entitlement_id", "uses") for use in uses_from_json(uses)]
        give_back_each(system, now, kept)


def required_reason(reason: str) -> str:
    """Return a reason; refuse an empty one."""
    if not reason.strip():
        raise Refused("reason.missing", N_("请写明原因"), field="reason")
    return reason.strip()


def move(
    actor: Actor, now: datetime, order: Order, verb: str, *, reason: str = "", cause: str = "", **values: Any
) -> Order:
    """Make one transition of a locked order, journal it and tell open screens."""
    move_each(actor, now, [(order, values)], verb, reason=reason, cause=cause)
    return order


def move_each(
    actor: Actor, now: datetime, orders: Sequence[tuple[Order, dict[str, Any]]], verb: str, *, reason: str = "", cause: str = ""
) -> None:  # fmt: skip
    """Make the same transition of many locked orders, each with further values, in a few statements."""
    target = [(order, {"state": ORDER.target(verb, order.state)} | values) for order, values in orders]
    why = {"cause": cause} if cause else {}
    write_each(actor, now, f"orders.order.{verb}", target, why, reason)


def write_each(
    actor: Actor, now: datetime, event: str, orders: Sequence[tuple[Order, dict[str, Any]]], why: dict[str, str] | None = None,
    reason: str = "",
) -> None:  # fmt: skip
    """Write new values of many locked orders, journal each order and tell open screens."""
    if not orders:
        return
    rows = [order for order, _values in orders]
    subjects = [(row, changes | (why or {})) for row, changes in zip(rows, changed_each(orders, now=now), strict=True)]
    record_each(actor=actor, now=now, event=event, subjects=subjects, reason=reason)
    tell_each("orders", [(row.pk, row.div, None) for row in rows])
