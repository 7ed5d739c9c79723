"""Placing, accepting, refusing, cancelling and closing orders; and what later steps write about them.

The plain functions at the end have no right of their own: the operation of the later step has checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, cast

from yinling.accounts.operations import Message, Recipient, Worded, notify_each, record, record_each
from yinling.directory.queries import system_actor
from yinling.directory.rules import require
from yinling.entitlements.models import Entitlement
from yinling.entitlements.operations import give_back, reserve
from yinling.ground.live import tell, tell_each
from yinling.ground.models import in_force
from yinling.ground.operation import changed, changed_each, explain_constraint, locked, operation
from yinling.ground.scope import scope
from yinling.hotline.models import CHANNELS, Ticket
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Moment, Reason, Seen
from yinling.kernel.period import SHANGHAI, local_date, month_start
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Hold, Order, OrderLine, PayerShare
from yinling.orders.queries import (
    OPEN_STATES,
    Quote,
    accept_until,
    check_body,
    fate,
    has_same_order,
    quote,
    silent_orders,
    suspensions,
    window,
)
from yinling.orders.rules import check_quoted, check_window, latest_start
from yinling.orders.states import ORDER
from yinling.people.models import Elder, Representative
from yinling.people.queries import consent_withdrawn

PROVINCE = 2
LATER = [
    ("0", N_("只在这个时间")), ("30", N_("可晚 30 分钟")), ("60", N_("可晚 1 小时")), ("120", N_("可晚 2 小时"))
]  # fmt: skip
explain_constraint("order_time", "order.time", N_("结束时间必须晚于开始时间"))
explain_constraint("hold_once", "hold.twice", N_("同一原因已经冻结过这张订单"))


@operation("orders.order.place", label=N_("下单"))
def place_order(  # noqa: PLR0913 - what an order consists of
    *,
    actor: Actor,
    now: datetime,
    elder_id: Id,
    item_code: Annotated[str, Input(N_("服务项目"), max_length=20)],
    starts_at: Moment,
    quoted_total_fen: Annotated[int, Input(N_("报价总额（分）"), least=0, widget="hidden")],
    provider_id: Annotated[
        int | None, Input(N_("服务机构"), help=N_("不选则由责任机构服务"), least=1, widget="number")
    ] = None,
    ticket_id: Annotated[int | None, Input(N_("工单"), least=1, widget="hidden")] = None,
    channel: Annotated[str, Input(N_("来源"), choices=tuple(CHANNELS), widget="hidden")] = "console",
    note: Annotated[str, Input(N_("备注"), help=N_("给服务人员的说明"), max_length=500, widget="area")] = "",
    is_urgent: Annotated[bool, Input(N_("紧急"), widget="check")] = False,
    quoted_self_fen: Annotated[int | None, Input(N_("报价自付（分）"), least=0, widget="hidden")] = None,
    flexible_minutes: Annotated[
        int | None,
        Input(
            N_("最多可推迟"),
            help=N_("派单时可在这段时间内另约上门时间；不选按本地惯例"),
            choices=LATER,
            widget="choice",
        ),
    ] = None,
) -> Order:
    """Place an order at exactly the quote that was shown; price and payers are frozen, caps are reserved (D-18, D-19)."""
    elder = Elder.objects.select_for_update(of=("self",)).filter(pk=elder_id).first()  # one order of an elder at a time
    if elder is not None and elder.merged_into_id is not None:
        raise NotAllowed("elder.merged", N_("这份档案已并入另一份，请在那份档案中下单"))
    offer = quote(
        actor=actor, elder_id=elder_id, item_code=item_code, starts_at=starts_at, now=now, provider_id=provider_id
    )
    check_quoted(
        quoted_fen=quoted_total_fen, total_fen=offer.total_fen, quoted_self_fen=quoted_self_fen, self_fen=offer.self_fen
    )
    if consent_withdrawn(elder_id, "service", local_date(now)):
        raise NotAllowed("order.consent", N_("老人已撤回“服务与派单”的同意。请先征得同意并登记，再下单"))
    if channel not in dict(CHANNELS):
        raise Refused("order.channel", N_("没有这种来源，请重新选择"), field="channel")
    if has_same_order(elder_id, offer.item, offer.starts_at, offer.ends_at):
        raise Refused("order.same", N_("老人在这个时间已有同一项目的订单，请换一个时间"), field="starts_at")
    usual = window(offer.elder.div, local_date(offer.starts_at))
    order = _draft(
        offer, now, channel=channel, note=note.strip(), is_urgent=is_urgent, ticket=_ticket(ticket_id, elder_id),
        latest_at=latest_start(offer.starts_at, flexible_minutes, usual),
    )  # fmt: skip
    _freeze(offer, order)
    _reserve(offer, actor, now)
    due = accept_until(now, is_urgent=is_urgent, div=order.div)
    changes = changed(order, now=now, state=ORDER.target("place", order.state), placed_at=now, accept_due_at=due)
    frozen = {"total_fen": [None, order.total_fen], "self_fen": [None, order.self_fen], "price": [None, offer.price.pk]}
    record(actor=actor, now=now, event="orders.order.place", subject=order, changes=changes | frozen)
    tell("orders", pk=order.pk, div=order.div)
    return order


def _ticket(ticket_id: int | None, elder_id: int) -> Ticket | None:
    if ticket_id is None:
        return None
    ticket = Ticket.objects.filter(pk=ticket_id).first()
    if ticket is None:
        raise NotFound("ticket.not_found", N_("没有这张工单，或不在您的权限范围内"), field="ticket_id")
    if ticket.elder_id not in (None, elder_id):
        raise Refused("order.ticket_elder", N_("工单登记的是另一位老人，请核对"), field="ticket_id")
    return ticket


def _draft(
    offer: Quote, now: datetime, *, channel: str, note: str, is_urgent: bool, ticket: Ticket | None, latest_at: datetime
) -> Order:
    elder, home = offer.elder, offer.elder.household
    order = Order(
        div=elder.div, elder=elder, provider=offer.provider, ticket=ticket, channel=channel, elder_name=elder.name,
        elder_sex=elder.sex, address=home.address, lon=home.lon, lat=home.lat, door_code=home.door_code, wants_sex=elder.wants_sex,
        dialect=elder.dialect, starts_at=offer.starts_at, ends_at=offer.ends_at, is_urgent=is_urgent, note=note,
        earliest_at=offer.starts_at, latest_at=latest_at,
        carers_needed=offer.item.carers_needed,
        total_fen=offer.total_fen, self_fen=offer.self_fen, created_at=now, changed_at=now,
    )  # fmt: skip
    order.seal_field("phone", elder.unseal_field("phone"))
    order.save(force_insert=True)
    return order


def _freeze(offer: Quote, order: Order) -> None:
    common = {"div": order.div, "order": order, "elder_id": order.elder_id, "provider_id": order.provider_id}
    lines = [
        OrderLine(
            **common, item=offer.item, price=offer.price, kind=line.kind, name=line.name, minutes=line.minutes,
            amount_fen=line.amount_fen,
        )
        for line in offer.lines
    ]  # fmt: skip
    OrderLine.objects.bulk_create(lines)
    PayerShare.objects.bulk_create(
        PayerShare(
            **common, line=lines[share.line], payer=share.payer, entitlement_id=share.entitlement_id, amount_fen=share.amount_fen,
            reason=share.reason,
        )
        for share in offer.shares
    )  # fmt: skip


def _reserve(offer: Quote, actor: Actor, now: datetime) -> None:
    """Reserve the caps in the month of the service day (D-19); what another order took meanwhile makes the quote stale."""
    sums = {pk: amount for (_, pk), amount in offer.by_payer.items() if pk is not None}
    month = month_start(local_date(offer.starts_at))
    for entitlement in Entitlement.objects.filter(pk__in=sums).order_by("pk"):
        wanted = sums[entitlement.pk]
        granted = reserve(actor=actor, now=now, entitlement=entitlement, month=month, wanted_fen=wanted)
        if granted != wanted:
            raise Refused("quote.changed", N_("补贴额度刚被用去一部分，请重新报价并告知老人"), field="quoted_total_fen")


def _give_back(order: Order, now: datetime) -> None:
    """Give reserved caps back.

    Whoever ends an order (a provider, a carer) may not see the elder's entitlements, so the system does it; the elder may have moved
    to another city of the province since.
    """
    system = system_actor(order.div[:2])
    with scope(system):
        month = month_start(local_date(order.starts_at))
        shares = PayerShare.objects.filter(order=order, entitlement__isnull=False, amount_fen__gt=0)
        for share in shares.select_related("entitlement").order_by("entitlement_id", "pk"):
            entitlement = cast("Entitlement", share.entitlement)
            give_back(actor=system, now=now, entitlement=entitlement, month=month, amount_fen=share.amount_fen)


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Refused("reason.missing", N_("请写明原因"), field="reason")
    return reason.strip()


def _move(
    actor: Actor, now: datetime, order: Order, verb: str, *, reason: str = "", cause: str = "", **values: Any
) -> Order:
    """Make one transition of a locked order, journal it and tell open screens."""
    _move_each(actor, now, [(order, values)], verb, reason=reason, cause=cause)
    return order


def _move_each(
    actor: Actor, now: datetime, orders: Sequence[tuple[Order, dict[str, Any]]], verb: str, *, reason: str = "", cause: str = ""
) -> None:  # fmt: skip
    """Make the same transition of many locked orders, each with further values, in a few statements."""
    target = [(order, {"state": ORDER.target(verb, order.state)} | values) for order, values in orders]
    why = {"cause": cause} if cause else {}
    _write_each(actor, now, f"orders.order.{verb}", target, why, reason)


def _write_each(
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


@operation("orders.order.accept", label=N_("接单"))
def accept_order(*, actor: Actor, now: datetime, order_id: Id, seen: Seen = None) -> Order:
    """The provider takes the order; late acceptance is possible and becomes a warning."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "orders.order.accept", div=order.div, provider_id=order.provider_id)
    is_medical = order.lines.filter(item__is_medical=True).exists()
    check_body(order.provider_id, order.starts_at, order.ends_at, is_medical=is_medical)
    return _move(actor, now, order, "accept", accepted_at=now)


@operation("orders.order.refuse", label=N_("拒单"))
def refuse_order(*, actor: Actor, now: datetime, order_id: Id, reason: Reason, seen: Seen = None) -> Order:
    """The provider does not take the order: it ends here, and may be placed with another body at that body's price."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "orders.order.refuse", div=order.div, provider_id=order.provider_id)
    ORDER.target("refuse", order.state)
    reason = _reason(reason)
    _give_back(order, now)
    return _move(actor, now, order, "refuse", reason=reason, cancel_reason=reason)


@operation("orders.order.cancel", label=N_("取消"))
def cancel_order(*, actor: Actor, now: datetime, order_id: Id, reason: Reason, seen: Seen = None) -> Order:
    """Cancel before the visit starts; reserved caps are given back (D-19). Dispatch withdraws a carer already named."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "orders.order.cancel", div=order.div, elder_id=order.elder_id)
    ORDER.target("cancel", order.state)
    reason = _reason(reason)
    _give_back(order, now)
    return _move(actor, now, order, "cancel", reason=reason, cancel_reason=reason)


@operation("orders.order.close", label=N_("完成"))
def close_order(*, actor: Actor, now: datetime, order_id: Id, seen: Seen = None) -> Order:
    """End a settled order: nothing more is expected."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "orders.order.close", div=order.div)
    return _move(actor, now, order, "close")


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
    _give_back(order, now)
    for hold in suspensions().filter(order=order):
        release_hold(actor=actor, now=now, order=order, cause=hold.cause, reason=found.reason)
    return _move(actor, now, order, "cancel", reason=found.reason, cause=found.cause, cancel_reason=found.reason)


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
    due = accept_until(now, is_urgent=order.is_urgent, div=order.div)
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


def appoint(*, actor: Actor, now: datetime, order: Order, starts_at: datetime) -> Order:
    """Appoint another start within the agreed window, and tell the elder side once for each new time."""
    appoint_each(actor=actor, now=now, starts=[(order, starts_at)])
    return order


def appoint_each(*, actor: Actor, now: datetime, starts: Iterable[tuple[Order, datetime]]) -> None:
    """Appoint the starts of many orders, as ``appoint`` for each, in a few statements."""
    moved = [(order, at) for order, at in starts if at != order.starts_at]
    for order, at in moved:
        check_window(at, earliest_at=order.earliest_at, latest_at=order.latest_at)
    new = [(order, {"starts_at": at, "ends_at": at + (order.ends_at - order.starts_at)}) for order, at in moved]
    _write_each(actor, now, "orders.order.appoint", new)
    by_province: dict[str, list[Order]] = {}
    for order, _at in moved:
        by_province.setdefault(order.div[:PROVINCE], []).append(order)
    for province, orders in by_province.items():
        _tell_elder_side(now, province, orders)


def _tell_elder_side(now: datetime, province: str, orders: Sequence[Order]) -> None:
    """Say the new time to each login that orders for the elder, and by SMS. A provider sees no representatives, so the system looks."""
    with scope(system_actor(province)):
        who = Representative.objects.filter(
            in_force(local_date(now)), elder_id__in={order.elder_id for order in orders}, covers_orders=True
        )
        users: dict[int, set[int]] = {}
        for elder_id, user_id in who.values_list("elder_id", "user_id"):
            users.setdefault(elder_id, set()).add(user_id)
        found = [one for order in orders for one in _messages(order, sorted(users.get(order.elder_id, ())))]
        notify_each(now=now, messages=found)


def _messages(order: Order, users: Iterable[int]) -> Iterator[Message]:
    key, at = f"appointed:{order.pk}:{order.starts_at:%Y%m%d%H%M}", order.starts_at.astimezone(SHANGHAI)
    title, said = N_("上门时间已约定"), Worded("appointed", {"at": f"{at:%m-%d %H:%M}"})
    for user_id in users:
        to = Recipient(user_id=user_id)
        yield Message(order, to, f"{key}:user:{user_id}", title, link="/e/services/", template=said)
    if number := order.unseal_field("phone"):
        yield Message(order, Recipient(channel="sms", address=number), f"{key}:sms", title, template=said)


def mark_assigned(*, actor: Actor, now: datetime, order: Order) -> Order:
    """A carer was named."""
    return _move(actor, now, order, "assign")


def mark_assigned_each(*, actor: Actor, now: datetime, orders: Iterable[Order]) -> None:
    """Carers were named for many orders at once."""
    _move_each(actor, now, [(order, {}) for order in orders], "assign")


def mark_accepted(*, actor: Actor, now: datetime, order: Order) -> Order:
    """The carer took the order: it counts as accepted if the provider had not said so before."""
    if order.accepted_at is None:
        changes = changed(order, now=now, accepted_at=now)
        record(actor=actor, now=now, event="orders.order.mark_accepted", subject=order, changes=changes)
    return order


def return_order(*, actor: Actor, now: datetime, order: Order, reason: str, cause: str = "") -> Order:
    """Nobody goes after all: the order waits for dispatch again, with a new time to accept."""
    return_orders(actor=actor, now=now, orders=[order], reason=reason, cause=cause)
    return order


def return_orders(*, actor: Actor, now: datetime, orders: Iterable[Order], reason: str, cause: str = "") -> None:
    """Let many orders wait for dispatch again, as ``return_order`` for each, in a few statements."""
    rows = [
        (row, {"accepted_at": None, "accept_due_at": accept_until(now, is_urgent=row.is_urgent, div=row.div)})
        for row in orders
    ]
    _move_each(actor, now, rows, "return", reason=reason, cause=cause)


def mark_started(*, actor: Actor, now: datetime, order: Order) -> Order:
    """The carer checked in."""
    return _move(actor, now, order, "mark_started")


def mark_served(*, actor: Actor, now: datetime, order: Order) -> Order:
    """The carer checked out."""
    return _move(actor, now, order, "mark_served", served_at=now)


def mark_settled(*, actor: Actor, now: datetime, order: Order) -> Order:
    """The ledger has it."""
    return _move(actor, now, order, "mark_settled", settled_at=now)


def mark_failed(*, actor: Actor, now: datetime, order: Order, reason: str) -> Order:
    """The visit did not take place; reserved caps are given back."""
    ORDER.target("mark_failed", order.state)
    _give_back(order, now)
    return _move(actor, now, order, "mark_failed", reason=reason, cancel_reason=reason)


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
