"""What later steps write about orders. These have no right of their own: the operation of the later step has checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from yinling.accounts.operations import Message, Recipient, Worded, notify_each, record
from yinling.directory.queries import system_actor
from yinling.ground.kept import Given, Kept, one_of
from yinling.ground.models import in_force
from yinling.ground.operation import changed
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import SHANGHAI, local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.operations.moving import give_back_uses, move, move_each, write_each
from yinling.orders.queries import (
    accept_until,
)
from yinling.orders.rules import check_window
from yinling.orders.states import ORDER
from yinling.people.models import Representative

PROVINCE = 2
WHO: Kept[Any] = Kept(
    lambda: Representative.objects.filter(
        in_force(Given("day")), one_of("elder_id", "elders"), covers_orders=True
    ).values_list("elder_id", "user_id")
)


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
    write_each(actor, now, "orders.order.appoint", new)
    tell_elder_side(now, [order for order, _at in moved], _appointed)


@dataclass(frozen=True)
class Told:
    """What the elder side is told about an order, once per key."""

    key: str
    title: str
    template: Worded


def _appointed(order: Order) -> Told:
    key, at = f"appointed:{order.pk}:{order.starts_at:%Y%m%d%H%M}", order.starts_at.astimezone(SHANGHAI)
    return Told(key, N_("上门时间已约定"), Worded("appointed", {"at": f"{at:%m-%d %H:%M}"}))


def tell_elder_side(now: datetime, orders: Iterable[Order], word: Callable[[Order], Told]) -> None:
    """Say something of orders to each login that orders for the elder, and by SMS."""
    by_province: dict[str, list[Order]] = {}
    for order in orders:
        by_province.setdefault(order.div[:PROVINCE], []).append(order)
    for province, own in by_province.items():
        _tell_in(now, province, own, word)


def _tell_in(now: datetime, province: str, orders: Sequence[Order], word: Callable[[Order], Told]) -> None:
    """Tell the elder sides of a province. A provider sees no representatives, so the system looks."""
    with scope(system_actor(province), savepoint=False):
        users: dict[int, set[int]] = {}
        for elder_id, user_id in WHO.rows(day=local_date(now), elders=sorted({order.elder_id for order in orders})):
            users.setdefault(elder_id, set()).add(user_id)
        found = [
            one for order in orders for one in _messages(order, sorted(users.get(order.elder_id, ())), word(order))
        ]
        notify_each(now=now, messages=found)


def _messages(order: Order, users: Iterable[int], told: Told) -> Iterator[Message]:
    for user_id in users:
        to = Recipient(user_id=user_id)
        yield Message(order, to, f"{told.key}:user:{user_id}", told.title, link="/e/services/", template=told.template)
    if number := order.unseal_field("phone"):
        to = Recipient(channel="sms", address=number)
        yield Message(order, to, f"{told.key}:sms", told.title, template=told.template)


def mark_assigned_each(*, actor: Actor, now: datetime, orders: Iterable[Order]) -> None:
    """Carers were named for orders."""
    move_each(actor, now, [(order, {}) for order in orders], "assign")


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
    move_each(actor, now, rows, "return", reason=reason, cause=cause)


def mark_started(*, actor: Actor, now: datetime, order: Order) -> Order:
    """The carer checked in."""
    return move(actor, now, order, "mark_started")


def mark_served(*, actor: Actor, now: datetime, order: Order) -> Order:
    """The carer checked out."""
    return move(actor, now, order, "mark_served", served_at=now)


def mark_settled_each(*, actor: Actor, now: datetime, orders: Iterable[Order]) -> None:
    """The ledger has them: many in few statements."""
    move_each(actor, now, [(order, {"settled_at": now}) for order in orders], "mark_settled")


def mark_failed(*, actor: Actor, now: datetime, order: Order, reason: str) -> Order:
    """The visit did not take place; reserved caps are given back."""
    ORDER.target("mark_failed", order.state)
    give_back_uses(order, now)
    return move(actor, now, order, "mark_failed", reason=reason, cancel_reason=reason)
