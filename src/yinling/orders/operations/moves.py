"""Accepting, refusing, cancelling, closing, stopping, suspending and readdressing orders."""

from __future__ import annotations

from datetime import datetime

from yinling.accounts.operations import record
from yinling.directory.rules import require
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.operations.holds import hold_order, release_hold
from yinling.orders.operations.moving import give_back_uses, move, required_reason
from yinling.orders.operations.steps import return_order
from yinling.orders.queries import (
    OPEN_STATES,
    accept_until,
    check_body,
    fate,
    silent_orders,
    suspensions,
)
from yinling.orders.states import ORDER


@operation("orders.order.accept", label=N_("接单"))
def accept_order(*, actor: Actor, now: datetime, order_id: Id, seen: Seen = None) -> Order:
    """The provider takes the order; late acceptance is possible and becomes a warning."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "orders.order.accept", div=order.div, provider_id=order.provider_id)
    if not order.needs_visit:
        raise NotAllowed("order.no_visit", N_("这张订单不用派人上门，供餐以后请直接“确认已供餐”"))
    is_medical = order.lines.filter(item__is_medical=True).exists()
    check_body(order.provider_id, order.starts_at, order.ends_at, is_medical=is_medical)
    return move(actor, now, order, "accept", accepted_at=now)


@operation("orders.order.refuse", label=N_("拒单"))
def refuse_order(*, actor: Actor, now: datetime, order_id: Id, reason: Reason, seen: Seen = None) -> Order:
    """The provider does not take the order: it ends here, and may be placed with another body at that body's price."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "orders.order.refuse", div=order.div, provider_id=order.provider_id)
    ORDER.target("refuse", order.state)
    reason = required_reason(reason)
    give_back_uses(order, now)
    return move(actor, now, order, "refuse", reason=reason, cancel_reason=reason)


@operation("orders.order.cancel", label=N_("取消"))
def cancel_order(*, actor: Actor, now: datetime, order_id: Id, reason: Reason, seen: Seen = None) -> Order:
    """Cancel before the visit starts; reserved caps are given back (D-19). Dispatch withdraws a carer already named."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "orders.order.cancel", div=order.div, elder_id=order.elder_id)
    ORDER.target("cancel", order.state)
    if not order.needs_visit and order.starts_at <= now and not actor.covers(order.div):
        raise NotAllowed("order.meal_time", N_("已经到了用餐时间，不能自己取消。没有用餐的，请拨打热线或告诉供餐机构"))
    reason = required_reason(reason)
    give_back_uses(order, now)
    return move(actor, now, order, "cancel", reason=reason, cancel_reason=reason)


@operation("orders.order.deliver", label=N_("确认已供餐"))
def deliver_order(*, actor: Actor, now: datetime, order_id: Id, seen: Seen = None) -> Order:
    """The body says that the elder had the meal he came for, on its day or later: the order is settled like a visit that was made."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "orders.order.deliver", div=order.div, provider_id=order.provider_id)
    check_delivery(order, now)
    return move(actor, now, order, "deliver", served_at=now)


def check_delivery(order: Order, now: datetime) -> None:
    """Refuse to say of an order that its meal was had, where somebody goes out for it or its day has not come."""
    if order.needs_visit:
        raise NotAllowed("order.needs_visit", N_("这张订单要派人上门，由服务人员签到和签退"))
    if local_date(now) < local_date(order.starts_at):
        raise Refused("order.not_yet", N_("还没有到用餐的日子，请在供餐以后确认"))


@operation("orders.order.close", label=N_("完成"))
def close_order(*, actor: Actor, now: datetime, order_id: Id, seen: Seen = None) -> Order:
    """End a settled order: nothing more is expected."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "orders.order.close", div=order.div)
    return move(actor, now, order, "close")


@operation("orders.order.return", label=N_("退回"))
def return_silent_order(*, actor: Actor, now: datetime, order_id: Id, seen: Seen = None) -> Order:
    """Take back an order that the provider accepted and for which nobody was named in time."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "orders.order.return", div=order.div)
    if not silent_orders(order.div, now).filter(pk=order.pk).exists():
        raise Refused("order.not_silent", N_("这张订单还没有超过派人时限，不用退回"))
    return return_order(actor=actor, now=now, order=order, reason=N_("接单后未在规定时间内派人"))


@operation("orders.order.stop", label=N_("因老人情况取消"))
def stop_order(*, actor: Actor, now: datetime, order_id: Id) -> Order:
    """Cancel an order that lies after a death or a move, or whose time passed while nobody was at home; its caps are given back."""
    order = locked(Order.objects.all(), order_id)
    require(actor, "orders.order.stop", div=order.div)
    found = fate(order, now)
    if found.verb != "cancel":
        raise Refused("order.not_stopped", N_("老人的情况不影响这张订单，如需取消请用“取消”"))
    give_back_uses(order, now)
    for hold in suspensions().filter(order=order):
        release_hold(actor=actor, now=now, order=order, cause=hold.cause, reason=found.reason)
    return move(actor, now, order, "cancel", reason=found.reason, cause=found.cause, cancel_reason=found.reason)


@operation("orders.order.suspend", label=N_("暂停派单"))
def suspend_order(*, actor: Actor, now: datetime, order_id: Id) -> Order:
    """Let an order wait while the elder is away: nobody is sent, and a carer named before is free again."""
    order = locked(Order.objects.all(), order_id)
    require(actor, "orders.order.suspend", div=order.div)
    found = fate(order, now)
    if found.verb != "suspend":
        raise Refused("order.not_suspended", N_("服务当天老人在家，订单不用暂停"))
    if ORDER.allows("return", order.state):
        return_order(actor=actor, now=now, order=order, reason=found.reason, cause=found.cause)
    hold_order(actor=actor, now=now, order=order, cause=found.cause, reason=found.reason)
    return order


@operation("orders.order.resume", label=N_("恢复派单"))
def resume_order(*, actor: Actor, now: datetime, order_id: Id) -> Order:
    """Let a suspended order be dispatched again: the elder will be at home. The time to accept begins anew."""
    order = locked(Order.objects.all(), order_id)
    require(actor, "orders.order.resume", div=order.div)
    held = list(suspensions().filter(order=order))
    if not held or fate(order, now).verb != "keep":
        raise Refused("order.still_away", N_("订单没有暂停，或者服务当天老人仍不在家"))
    for hold in held:
        release_hold(actor=actor, now=now, order=order, cause=hold.cause, reason=N_("老人已回家"))
    due = accept_until(now, is_urgent=order.is_urgent, div=order.div) if order.needs_visit else None
    changes = changed(order, now=now, accept_due_at=due)
    record(actor=actor, now=now, event="orders.order.resume", subject=order, changes=changes)
    return order


@operation("orders.order.readdress", label=N_("更新上门地址"))
def readdress_order(*, actor: Actor, now: datetime, order_id: Id) -> Order:
    """Send an open order to the home its elder lives in now: the copy of address, position and door code is made anew."""
    order = locked(Order.objects.select_related("elder__household"), order_id)
    require(actor, "orders.order.readdress", div=order.div)
    home = order.elder.household
    if order.state not in OPEN_STATES or order.starts_at <= now:
        raise NotAllowed("order.on_its_way", N_("服务已经开始或已经结束，不能再改地址"))
    if (order.address, order.door_code) == (home.address, home.door_code):
        raise Refused("order.same_home", N_("订单上的地址已经是现住址"))
    changes = changed(order, now=now, address=home.address, lon=home.lon, lat=home.lat, door_code=home.door_code)
    record(actor=actor, now=now, event="orders.order.readdress", subject=order, changes=changes)
    tell("orders", pk=order.pk, div=order.div)
    return order
