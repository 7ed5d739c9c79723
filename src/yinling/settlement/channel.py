"""What the jobs of payments do in one city, and what asks the channel: nothing is held while the network is asked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from yinling.ground.rounds import tried
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import day_bounds
from yinling.kernel.refusals import NotAllowed
from yinling.kernel.words import N_
from yinling.settlement.models import Payment
from yinling.settlement.operations import (
    close_payment,
    fail_refund,
    finish_refund,
    link_payment,
    load_payment_bill,
    match_payment,
    refund_payment,
    take_notice,
)
from yinling.settlement.paying import Movement, write_bill
from yinling.settlement.ports import BillRow, PaymentChannel, RefundRefused, payment_channel
from yinling.settlement.queries.payments import (
    ENDED_UNSERVED,
    expired_payments,
    payments_to_return,
    refunds_to_send,
    unmatched_payments,
    unnoticed,
)
from yinling.settlement.states import PaymentState

MOST_A_ROUND = 500
CANCELLED = N_("订单已取消，自动退款")
SURPLUS = N_("重复付款，或者已经不用付，自动退回")
ABOVE = N_("多付的部分，自动退回")
RECOVERED = N_("服务发生在去世或迁出以后，已撤销，自动退款")
logger = logging.getLogger("yinling.settlement")


def tend_payments(actor: Actor, now: datetime) -> int:
    """Close what expired, offset what was settled, give back what came too much; return how many rows moved."""
    area = actor.div or ""
    with scope(actor):
        expired = list(expired_payments(area, now).values_list("pk", flat=True)[:MOST_A_ROUND])
        late = list(unmatched_payments(area).values_list("pk", flat=True)[:MOST_A_ROUND])
        too_much = [(row.pk, *_back(row)) for row in payments_to_return(area)[:MOST_A_ROUND]]
    done = sum(tried(actor, now, close_payment, payment_id=pk) for pk in expired)
    done += sum(tried(actor, now, match_payment, payment_id=pk) for pk in late)
    return done + sum(
        tried(actor, now, refund_payment, payment_id=pk, amount_fen=fen, reason=why) for pk, fen, why in too_much
    )


def _back(row: Any) -> tuple[int, str]:
    """How much of a payment goes back, and why."""
    if row.state == PaymentState.SURPLUS:
        return row.left_fen, SURPLUS
    if row.order.state in ENDED_UNSERVED:
        return row.left_fen, CANCELLED
    return min(row.above_fen, row.left_fen - row.matched_fen), RECOVERED if row.is_recovered else ABOVE


def send_refunds(actor: Actor, now: datetime) -> int:
    """Tell the channel of refunds; return how many it made. One that cannot be reached is asked again in the next round."""
    channel = payment_channel()
    with scope(actor):
        waiting = list(refunds_to_send(actor.div or "", channel.name)[:MOST_A_ROUND])
    done = 0
    for row in waiting:
        try:
            channel.refund(
                key=row.key, payment_key=row.payment.key, number=row.payment.channel_number, amount_fen=row.amount_fen, reason=row.reason
            )  # fmt: skip
        except RefundRefused as refusal:
            tried(actor, now, fail_refund, refund_id=row.pk, why=str(refusal)[:200])
        except OSError as fault:
            logger.warning("refund %s: %s", row.key, fault)
        else:
            done += tried(actor, now, finish_refund, refund_id=row.pk)
    return done


def fetch_bill(actor: Actor, now: datetime, day: date) -> bool:
    """Compare the channel's bill of a day with ours, after taking what it was paid without our having heard of it; whether there was one."""
    channel = payment_channel()
    if not channel.name:
        return False
    try:
        rows = channel.daily_bill(day)
    except OSError as fault:
        logger.warning("bill of %s: %s", day, fault)
        return False
    _take_unnoticed(actor, now, day, channel.name, rows)
    text = write_bill(Movement(one.kind, one.key, one.number, one.amount_fen) for one in rows)
    return tried(actor, now, load_payment_bill, day=day, text=text)


def _take_unnoticed(actor: Actor, now: datetime, day: date, channel: str, rows: Sequence[BillRow]) -> None:
    """Take what the channel's bill says was paid and no notice told of: a notice may be lost. What does not fit is refused and stays a difference."""
    paid = {row.key: row for row in rows if row.kind == "pay"}
    with scope(actor):
        missed = unnoticed(actor.div or "", channel, paid)
    start, end = day_bounds(day)
    for key, row in missed.items():
        if row.asked_at < end:
            tried(
                actor, now, take_notice, key=key, number=paid[key].number, amount_fen=paid[key].amount_fen, channel=channel,
                paid_at=max(start, row.asked_at),
            )  # fmt: skip


def link_of(actor: Actor, now: datetime, payment_id: int, title: str, channel: PaymentChannel | None = None) -> str:
    """Return where a payment is to be made, asked of the channel once. Raises OSError when it cannot be reached."""
    with scope(actor):
        row = Payment.objects.get(pk=payment_id)
        if row.state != PaymentState.ASKED or row.expires_at <= now:
            raise NotAllowed("payment.closed", N_("这笔付款已经结束，请回到账单重新付款"))
        if row.link:
            return str(row.link)
    way = channel or payment_channel()
    asked = way.order(key=row.key, amount_fen=row.amount_fen, title=title, expires_at=row.expires_at)
    with scope(actor):
        return link_payment(actor=actor, now=now, payment_id=payment_id, link=asked.link, number=asked.number).link
