"""Meals one comes for: confirmed many at once, reminded of, and ended when nobody said that they were had (R-MEA-05, R-MEA-07)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import Message, Recipient, Worded, notify_each, record
from yinling.directory.models import Grant, Organisation
from yinling.directory.rules import require
from yinling.directory.states import GrantState
from yinling.ground.operation import locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input
from yinling.kernel.period import SHANGHAI, local_date
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.operations.moves import check_delivery
from yinling.orders.operations.moving import give_back_uses, move, move_each
from yinling.orders.operations.steps import Told, tell_elder_side
from yinling.orders.queries import lapsed_meals, unconfirmed_meals

MOST_AT_ONCE = 200
LAPSED = N_("供餐机构没有确认供餐，按未用餐处理，不收费，额度已退回")
OrderIds = Annotated[list[int], Input(N_("订单"), widget="check")]


@operation("orders.order.deliver", label=N_("批量确认已供餐"))
def deliver_orders(*, actor: Actor, now: datetime, order_ids: OrderIds) -> Order:
    """The body says of many orders that the elders had their meals, of all or of none."""
    require(actor, "orders.order.deliver")
    wanted = sorted(set(order_ids))
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise Refused("meals.count", N_("请勾选 1 到 %(most)s 份用餐"), field="order_ids", most=MOST_AT_ONCE)
    orders = list(Order.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk"))
    if len(orders) != len(wanted):
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    for order in orders:
        require(actor, "orders.order.deliver", div=order.div, provider_id=order.provider_id)
        check_delivery(order, now)
    move_each(actor, now, [(order, {"served_at": now}) for order in orders], "deliver")
    return orders[0]


@operation("orders.order.lapse", label=N_("未确认供餐，自动结束"))
def lapse_order(*, actor: Actor, now: datetime, order_id: Id) -> Order:
    """End a meal that nobody confirmed in time: not had, not charged, its limits given back, the elder side told."""
    order = locked(Order.objects.all(), order_id)
    require(actor, "orders.order.lapse", div=order.div)
    if not lapsed_meals(order.div, now).filter(pk=order.pk).exists():
        raise Refused("order.not_lapsed", N_("这份用餐已经确认，或者还没有超过确认期限"))
    give_back_uses(order, now)
    move(actor, now, order, "cancel", reason=LAPSED, cause="meal.confirm_days", cancel_reason=LAPSED)
    said = Worded("meal_lapsed", {"at": f"{order.starts_at.astimezone(SHANGHAI):%m-%d %H:%M}"})
    tell_elder_side(now, [order], lambda one: Told(f"lapsed:{one.pk}", N_("用餐没有确认，不收费"), said))
    return order


@operation("orders.order.remind", label=N_("提醒确认供餐"))
def remind_of_meals(*, actor: Actor, now: datetime, organisation_id: Id) -> Organisation:
    """Tell those who manage a body, once a day, how many meals of past meal times wait for its word."""
    body = locked(Organisation.objects.all(), organisation_id)
    require(actor, "orders.order.remind")
    count, day = unconfirmed_meals(actor.div or "", now).filter(provider=body).count(), local_date(now)
    if not count:
        raise Refused("meals.none", N_("没有等待确认的用餐"))
    held = Grant.objects.filter(organisation=body, role="provider_manager", state=GrantState.ACTIVE)
    title = N_("有用餐等待确认")
    notify_each(
        now=now,
        messages=[
            Message(
                body, Recipient(user_id=user), f"meals:{body.pk}:{day}:user:{user}", title, text=f"{count} 份", link="/meals/"
            )
            for user in sorted(set(held.values_list("user_id", flat=True)))
        ],
    )  # fmt: skip
    record(
        actor=actor,
        now=now,
        event="orders.order.remind",
        subject=body,
        changes={"count": [None, count]},
        div=actor.div or "",
    )
    return body
