"""Paying the elder's own part of an order: asking, what the channel says, closing, paying from money paid in beforehand.

Whoever touches a payment holds its order first, so that a notice, a refund and a counter payment that cross come one after the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

from django.db import connection

from yinling.accounts.operations import record
from yinling.directory.queries import city_of
from yinling.directory.rules import person_of, require
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Key, Moment, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.settlement.models import Payment
from yinling.settlement.operations.ledger import post
from yinling.settlement.paying import BALANCE, RECEIVED, Laid, Part, off, off_lines, onto
from yinling.settlement.ports import payment_channel
from yinling.settlement.queries.ledger import live_posting
from yinling.settlement.queries.payments import (
    MATCHED,
    UNPAYABLE,
    WAIVED,
    balance_of,
    is_checked,
    own_part,
    paid_for,
    self_parts,
    standing,
    waived,
)
from yinling.settlement.rules import (
    BANK,
    EARNED_DIRECTLY,
    PAID_DIRECTLY,
    PAYABLE,
    PREPAID,
    SELF_FUND,
    Side,
)
from yinling.settlement.states import PAYMENT, PaymentState

explain_constraint("payment_open_once", "payment.open", N_("这张订单已经有一笔付款，请刷新页面查看"))
explain_constraint("payment_number_once", "payment.number", N_("渠道单号已用于另一笔付款，未入账"))

Number = Annotated[str, Input(N_("渠道单号"), max_length=64)]
Fen = Annotated[int, Input(N_("金额（元）"), least=1, widget="yuan")]


@operation("settlement.payment.ask", label=N_("去付款"))
def ask_payment(*, actor: Actor, now: datetime, order_id: Id) -> Payment:
    """Ask for what is still to be paid of the elder's own part of an order, before or after the service.

    Asking again gives the payment that is open. What is added at the door after paying is a further payment of the same bill.
    """
    order = locked(Order.objects.all(), order_id)
    require(actor, "settlement.payment.ask", div=order.div, elder_id=order.elder_id)
    fen = _to_pay(order)
    row = Payment.objects.select_for_update().filter(order=order, state=PaymentState.ASKED).first()
    if row is not None and (row.amount_fen != fen or row.expires_at <= now):
        _close(actor, now, row, N_("金额或时限已变，改用新的付款"))
        row = None
    if row is None:
        channel = payment_channel().name
        if not channel:
            raise NotAllowed("payment.no_channel", N_("平台没有开通网上付款，请直接付给服务机构"))
        hours = int(parameter("payment.expiry_hours", order.div, local_date(now)))
        row = _new(actor, now, order, fen, channel=channel, expires_at=now + timedelta(hours=hours))
    record(
        actor=actor,
        now=now,
        event="settlement.payment.ask",
        subject=row,
        changes={"amount_fen": [None, row.amount_fen]},
    )
    return row


def _to_pay(order: Order) -> int:
    """What is still to be paid of an order. Refused when it is nothing, or while somebody looks into the bill."""
    if order.state in UNPAYABLE:
        raise NotAllowed("payment.state", N_("这张订单没有生效或者已经取消，不用付款"))
    if is_checked(order):
        raise NotAllowed("payment.objected", N_("这张账单正在核查，查清以前不用付款"))
    fen = own_part(order) - paid_for(order)
    if fen <= 0:
        raise NotAllowed("payment.nothing", N_("这张订单没有要付的钱，或者已经付清"))
    return fen


def _new(actor: Actor, now: datetime, order: Order, fen: int, *, channel: str, expires_at: datetime) -> Payment:
    row = Payment(
        div=order.div, key=f"{city_of(order.div) or order.div[:4]}-{uuid.uuid4().hex}", order=order, elder_id=order.elder_id,
        provider_id=order.provider_id, channel=channel, amount_fen=fen, asked_by_id=person_of(actor), asked_at=now, expires_at=expires_at,
        created_at=now, changed_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    return row


@operation("settlement.payment.link", label=N_("登记付款链接"))
def link_payment(
    *,
    actor: Actor,
    now: datetime,
    payment_id: Id,
    link: Annotated[str, Input(N_("链接"), max_length=300)],
    number: Number = "",
) -> Payment:
    """Keep where the channel wants to be paid."""
    row = locked(Payment.objects.all(), payment_id)
    require(actor, "settlement.payment.link", div=row.div)
    if row.state != PaymentState.ASKED:
        raise NotAllowed("payment.closed", N_("这笔付款已经结束，请回到账单重新付款"))
    changes = changed(row, now=now, link=link, channel_number=number or row.channel_number)
    record(actor=actor, now=now, event="settlement.payment.link", subject=row, changes=changes)
    return row


@operation("settlement.payment.take", label=N_("接收付款通知"))
def take_notice(
    *, actor: Actor, now: datetime, key: Key, number: Number, amount_fen: Fen, paid_at: Moment, channel: Key
) -> Payment:
    """Book money that a channel says arrived. A repeated notice is the first; one that comes too late or twice is kept and sent back.

    Refused for an unknown payment, another amount, another number of the channel: such a case shows on the channel's daily bill.
    """
    known = Payment.objects.filter(key=key, channel=channel).first()
    require(actor, "settlement.payment.take", div=known.div if known else None)
    if known is None:
        raise NotFound("payment.unknown", N_("没有这笔付款，未入账"), number=number)
    order = locked(Order.objects.all(), known.order_id)
    row = locked(Payment.objects.all(), known.pk)
    if row.channel_number not in ("", number):
        raise Refused("payment.other_number", N_("渠道单号与登记的不同，未入账，请核对渠道账单"), number=number)
    if row.amount_fen != amount_fen:
        raise Refused(
            "payment.amount", N_("金额与应付的不同，未入账，请核对渠道账单"), fen=amount_fen, asked_fen=row.amount_fen
        )
    if row.paid_at is not None:
        record(actor=actor, now=now, event="settlement.payment.take", subject=row, changes={"again": [None, number]})
        return row
    verb = "pay" if _is_owed(row, order) else "overpay"
    if verb == "pay":
        close_open(actor, now, order, N_("这张订单已收到另一笔付款"), but=row)
    _arrive(actor, now, row, order, verb, number=number, paid_at=paid_at)
    return row


def _is_owed(row: Payment, order: Order) -> bool:
    """Whether money that arrives is owed: what it is more than that goes back, the whole payment, so that nobody pays twice."""
    return not is_checked(order) and row.amount_fen <= own_part(order) - paid_for(order)


def _arrive(
    actor: Actor, now: datetime, row: Payment, order: Order, verb: str, *, number: str, paid_at: datetime
) -> None:
    """Book money that arrived, and offset it if the order is settled already."""
    target = PAYMENT.target(verb, PaymentState(row.state))
    source = PREPAID if row.channel == BALANCE else BANK
    parts = self_parts(order) or [_whole(order)]
    sides = _sides(order, onto(parts, standing(order, RECEIVED), row.amount_fen), source, RECEIVED)
    post(
        actor, now, key=f"payment:{row.pk}", kind="payment", text=order.code, div=order.div, sides=sides, order=order, provider=order.provider,
        elder=order.elder_id,
    )  # fmt: skip
    changes = changed(row, now=now, state=target, channel_number=number, paid_at=paid_at)
    event = "settlement.payment.pay_from_balance" if row.channel == BALANCE else "settlement.payment.take"
    record(actor=actor, now=now, event=event, subject=row, changes=changes)
    rematch(actor, now, row, order)
    tell("settlement", pk=row.pk, div=row.div)


def _whole(order: Order) -> Part:
    """The part of an order of which the elder bears nothing: money that arrived all the same has to stand somewhere."""
    return Part(None, "eldercare", 0, local_date(order.starts_at))


def _sides(order: Order, moves: Iterable[Laid], *accounts: str) -> list[Side]:
    """Return the sides of every step: debit the first account, credit the second, if there is one; a negative step goes the other way."""
    return [
        Side(
            account=account, amount=fen * sign, business=part.business, fund=SELF_FUND, plan_year=part.service_day.year, line_id=part.line_id,
            service_day=part.service_day, provider_id=order.provider_id, elder_id=order.elder_id,
        )
        for part, fen in moves
        for account, sign in zip(accounts, (1, -1), strict=False)
    ]  # fmt: skip


def give_back(actor: Actor, now: datetime, order: Order, fen: int, account: str, *, key: str) -> None:
    """Book money that went back to whoever paid, off what stands as received. Plain; the rows are locked."""
    sides = _sides(order, off(standing(order, RECEIVED), fen), account, RECEIVED)
    post(
        actor, now, key=key, kind="refund", text=order.code, div=order.div, sides=sides, order=order, provider=order.provider, elder=order.elder_id
    )  # fmt: skip


def waive(actor: Actor, now: datetime, order: Order, fen: int, *, key: str) -> None:
    """Take back what of the elder's part was recorded as the provider's and was wrong: its income is less. Plain; the rows are locked."""
    moves = off(standing(order, EARNED_DIRECTLY), fen)
    if moves:
        post(
            actor, now, key=key, kind=WAIVED, text=order.code, div=order.div, sides=_sides(order, moves, PAID_DIRECTLY, EARNED_DIRECTLY),
            order=order, provider=order.provider, elder=order.elder_id,
        )  # fmt: skip


def rematch(actor: Actor, now: datetime, row: Payment, order: Order, *, less: int = 0) -> bool:
    """Offset what was paid against the settlement of the order, or take that back: the platform then owes it to the provider.

    Plain; payment and order are locked. ``less`` is what goes back in the same breath.
    Settling recorded the elder's part as paid to the provider directly; here that is taken back.
    """
    parts = self_parts(order)
    is_due = row.state == PaymentState.PAID and live_posting(order) is not None
    others = Payment.objects.filter(order=order).exclude(pk=row.pk).values_list("matched_fen", flat=True)
    open_fen = max(sum(part.amount_fen for part in parts) - waived(order) - sum(others), 0)
    wanted = min(row.left_fen - less, open_fen) if is_due else 0
    if wanted == row.matched_fen:
        return False
    offset = standing(order, PAYABLE, "match")
    if wanted > row.matched_fen:
        moves = onto(parts, offset, wanted - row.matched_fen)
        received = off_lines(standing(order, RECEIVED), moves)
    else:
        moves = off(offset, row.matched_fen - wanted)
        received = [(part, -fen) for part, fen in moves]
    sides = [
        *_sides(order, [(part, -fen) for part, fen in received], RECEIVED),
        *_sides(order, [(part, -fen) for part, fen in moves], PAYABLE),
        *_sides(order, moves, EARNED_DIRECTLY, PAID_DIRECTLY),
    ]
    post(
        actor, now, key=f"{MATCHED}{row.pk}:{row.version}", kind="match", text=order.code, div=order.div, sides=sides, order=order,
        provider=order.provider, elder=order.elder_id,
    )  # fmt: skip
    changes = changed(row, now=now, matched_fen=wanted)
    record(actor=actor, now=now, event="settlement.payment.match", subject=row, changes=changes)
    return True


@operation("settlement.payment.match", label=N_("对冲"))
def match_payment(*, actor: Actor, now: datetime, payment_id: Id) -> Payment:
    """Bring the offset of a payment in line with the settlement of its order."""
    row, order = held_payment(actor, "match", payment_id)
    if not rematch(actor, now, row, order):
        raise NotAllowed("payment.matched", N_("这笔付款不需要对冲"))
    return row


def held_payment(actor: Actor, verb: str, payment_id: int, seen: int | None = None) -> tuple[Payment, Order]:
    """Return a payment and its order, both locked, the right checked."""
    known = Payment.objects.filter(pk=payment_id).first()
    order = locked(Order.objects.all(), known.order_id) if known else None
    row = locked(Payment.objects.all(), payment_id, seen)
    require(actor, f"settlement.payment.{verb}", div=row.div)
    if order is None:
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    return row, order


@operation("settlement.payment.close", label=N_("关闭"))
def close_payment(*, actor: Actor, now: datetime, payment_id: Id, seen: Seen = None) -> Payment:
    """Close a payment nobody made. Money that arrives later all the same is taken if still owed, else sent back."""
    row, _order = held_payment(actor, "close", payment_id, seen)
    _close(actor, now, row, "")
    return row


def close_open(actor: Actor, now: datetime, order: Order, note: str, *, but: Payment | None = None) -> None:
    """Close the payment of an order that nobody made yet. Plain; the order is locked."""
    open_ = Payment.objects.select_for_update().filter(order=order, state=PaymentState.ASKED)
    for row in open_.exclude(pk=but.pk) if but else open_:
        _close(actor, now, row, note)


def _close(actor: Actor, now: datetime, row: Payment, note: str) -> None:
    target = PAYMENT.target("close", PaymentState(row.state))
    changes = changed(row, now=now, state=target, ended_at=now, note=note)
    record(actor=actor, now=now, event="settlement.payment.close", subject=row, changes=changes)


def release(actor: Actor, now: datetime, row: Payment, order: Order, why: str) -> None:
    """Give a payment up whose bill was taken back: what is left of it goes back once its refund under way has ended. Plain; all locked."""
    rematch(actor, now, row, order)
    changes = changed(row, now=now, state=PAYMENT.target("release", PaymentState(row.state)))
    record(actor=actor, now=now, event="settlement.payment.release", subject=row, changes=changes, reason=why)


@operation("settlement.payment.pay_from_balance", label=N_("用余额付款"))
def pay_from_balance(*, actor: Actor, now: datetime, order_id: Id) -> Payment:
    """Pay the elder's own part from what was paid in at the counter. A payment still open at a channel is closed."""
    order = locked(Order.objects.all(), order_id)
    require(actor, "settlement.payment.pay_from_balance", div=order.div, elder_id=order.elder_id)
    fen = _to_pay(order)
    lock_balance(order.elder_id)
    balance = balance_of(order.elder_id, order.div)
    if balance < fen:
        raise Refused(
            "payment.balance", N_("余额不够，请先到服务站充值，或者换一种方式付款"), balance_fen=balance, fen=fen
        )
    close_open(actor, now, order, N_("这张订单已用余额付款"))
    row = _new(actor, now, order, fen, channel=BALANCE, expires_at=now)
    _arrive(actor, now, row, order, "pay", number="", paid_at=now)
    return row


def lock_balance(elder_id: int) -> None:
    """Let one payment at a time read and use the balance of an elder."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('settlement.balance'), %s)", [elder_id % 2**31])
