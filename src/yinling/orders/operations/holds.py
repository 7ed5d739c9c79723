"""Stopping the settlement of an order, or its dispatch, and letting it go on."""

from __future__ import annotations

from datetime import datetime

from yinling.accounts.operations import record
from yinling.ground.live import tell
from yinling.ground.operation import explain_constraint
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import NotFound
from yinling.kernel.words import N_
from yinling.orders.models import Hold, Order

explain_constraint("hold_once", "hold.twice", N_("同一原因已经冻结过这张订单"))


def hold_order(*, actor: Actor, now: datetime, order: Order, cause: str, reason: str) -> Hold:
    """Stop the settlement of one order, or, for a circumstance of the elder, its dispatch; once per cause."""
    known = Hold.objects.filter(order=order, cause=cause).first()
    if known is not None:
        return known
    hold = Hold.objects.create(
        div=order.div,
        order=order,
        elder_id=order.elder_id,
        provider_id=order.provider_id,
        cause=cause,
        reason=reason,
        from_at=now,
    )
    record(
        actor=actor, now=now, event="orders.order.hold", subject=order, changes={"hold": [None, cause]}, reason=reason
    )
    tell("orders", pk=order.pk, div=order.div)
    return hold


def release_hold(*, actor: Actor, now: datetime, order: Order, cause: str, reason: str) -> Hold:
    """Let the settlement go on as far as this cause is concerned. Raises NotFound without an open hold of it."""
    hold = Hold.objects.select_for_update(of=("self",)).filter(order=order, cause=cause, to_at=None).first()
    if hold is None:
        raise NotFound("hold.not_found", N_("这张订单没有因此冻结，或已经解除"))
    hold.to_at, hold.released_by_id, hold.release_reason = now, actor.user_id, reason
    hold.save(update_fields=["to_at", "released_by", "release_reason"])
    record(
        actor=actor,
        now=now,
        event="orders.order.release",
        subject=order,
        changes={"hold": [cause, None]},
        reason=reason,
    )
    tell("orders", pk=order.pk, div=order.div)
    return hold
