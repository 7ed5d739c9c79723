"""Giving money of a payment back: decided here, sent to the channel by a job, booked when the channel says that it went."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.rules import known_choice, person_of, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.settlement.models import Payment, Refund
from yinling.settlement.operations.payments import Fen, give_back, held_payment, rematch, waive
from yinling.settlement.paying import BALANCE
from yinling.settlement.queries.ledger import live_posting
from yinling.settlement.queries.payments import own_part
from yinling.settlement.rules import BANK, PREPAID
from yinling.settlement.states import PAYMENT, REFUND, PaymentState, RefundState

Cause = Annotated[str, Input(N_("退款原因"), choices=Refund.CAUSES, widget="radio")]
explain_constraint("refund_open_once", "payment.refund_pending", N_("这笔付款已有一笔退款正在办理，请等它办完"))


@operation("settlement.payment.refund", label=N_("退款"))
def refund_payment(
    *, actor: Actor, now: datetime, payment_id: Id, amount_fen: Fen, cause: Cause = "", reason: Reason, seen: Seen = None
) -> Refund:  # fmt: skip
    """Give all or part of a payment back, with the reason. Never more than was paid.

    The bill stands, and what is not paid of it is asked for; or it was wrong, and this part of it is not.
    """
    row, order = held_payment(actor, "refund", payment_id, seen)
    if cause:
        known_choice(cause, Refund.CAUSES, "cause")
    if cause == Refund.WRONG_BILL:
        _check_waivable(row, order, amount_fen)
    return begin_refund(actor, now, row, order, amount_fen, reason, cause)


def _check_waivable(row: Payment, order: Order, fen: int) -> None:
    """Refuse to correct a bill that is not there: of a service not billed yet, taken back, or that nobody has to pay so much of."""
    if row.state != PaymentState.PAID or live_posting(order) is None:
        raise Refused(
            "payment.no_bill",
            N_("这笔款没有已结算的账单可更正。多付的请选“付错或多付”；服务没做好的，请登记异议"),
            field="cause",
        )
    if fen > own_part(order):
        raise Refused("payment.waive_too_much", N_("退款超过账单里个人要付的金额，请核对"), field="amount_fen")


def begin_refund(
    actor: Actor, now: datetime, row: Payment, order: Order, fen: int, reason: str, cause: str = ""
) -> Refund:
    """Decide a refund. Plain; payment and order are locked. Money paid from the balance goes back there at once."""
    why = required_text(reason, "reason")
    PAYMENT.target("refund", PaymentState(row.state))
    _check_left(row, fen)
    number = Refund.objects.filter(payment=row).count() + 1
    refund = Refund(
        div=row.div, key=f"{row.key}-R{number}", payment=row, elder_id=row.elder_id, provider_id=row.provider_id, amount_fen=fen, reason=why,
        cause=cause, asked_by_id=person_of(actor), asked_at=now, created_at=now, changed_at=now,
    )  # fmt: skip
    refund.save(force_insert=True)
    record(
        actor=actor,
        now=now,
        event="settlement.payment.refund",
        subject=row,
        changes={"refund_fen": [None, fen]},
        reason=why,
    )
    if row.channel == BALANCE:
        _finish(actor, now, refund, row, order)
    tell("settlement", pk=row.pk, div=row.div)
    return refund


def _check_left(row: Payment, fen: int) -> None:
    """Refuse to give back more than is left of a payment, and a second refund while one is under way."""
    if fen <= 0 or fen > row.left_fen:
        raise Refused(
            "payment.refund_too_much",
            N_("退款须大于 0，且不超过还没退的金额"),
            field="amount_fen",
            left_fen=row.left_fen,
        )
    if Refund.objects.filter(payment=row, state=RefundState.ASKED).exists():
        raise NotAllowed("payment.refund_pending", N_("这笔付款已有一笔退款正在办理，请等它办完"))


@operation("settlement.refund.finish", label=N_("登记退款成功"))
def finish_refund(*, actor: Actor, now: datetime, refund_id: Id) -> Refund:
    """Book a refund that the channel has made. Said twice, it is booked once."""
    refund, row, order = _held(actor, "finish", refund_id)
    if refund.state == RefundState.DONE:
        record(
            actor=actor,
            now=now,
            event="settlement.refund.finish",
            subject=refund,
            changes={"again": [None, refund.key]},
        )
        return refund
    _finish(actor, now, refund, row, order)
    return refund


def _finish(
    actor: Actor, now: datetime, refund: Refund, row: Payment, order: Order, *, verb: str = "finish", reason: str = ""
) -> None:
    target = REFUND.target(verb, RefundState(refund.state))
    account = PREPAID if row.channel == BALANCE or verb == "credit" else BANK
    rematch(actor, now, row, order, less=refund.amount_fen)
    give_back(actor, now, order, refund.amount_fen, account, key=f"refund:{refund.pk}")
    if refund.cause == Refund.WRONG_BILL and live_posting(order) is not None:
        waive(actor, now, order, refund.amount_fen, key=f"waiver:{refund.pk}")
    changes = changed(refund, now=now, state=target, ended_at=now)
    record(actor=actor, now=now, event=f"settlement.refund.{verb}", subject=refund, changes=changes, reason=reason)
    values: dict[str, object] = {"refunded_fen": row.refunded_fen + refund.amount_fen}
    if values["refunded_fen"] == row.amount_fen:
        values |= {"state": PAYMENT.target("refund", PaymentState(row.state)), "ended_at": now}
    changed(row, now=now, **values)


@operation("settlement.refund.fail", label=N_("登记退款失败"))
def fail_refund(
    *, actor: Actor, now: datetime, refund_id: Id, why: Annotated[str, Input(N_("渠道的答复"), max_length=200)]
) -> Refund:
    """Note that the channel will not make a refund: somebody has to decide how the money goes back."""
    refund, _row, _order = _held(actor, "fail", refund_id)
    target = REFUND.target("fail", RefundState(refund.state))
    changes = changed(refund, now=now, state=target, ended_at=now, note=why[:200])
    record(actor=actor, now=now, event="settlement.refund.fail", subject=refund, changes=changes)
    tell("settlement", pk=refund.payment_id, div=refund.div)
    return refund


@operation("settlement.refund.credit", label=N_("转入预存余额"))
def credit_refund(*, actor: Actor, now: datetime, refund_id: Id, reason: Reason, seen: Seen = None) -> Refund:
    """Give what the channel will not give back to the elder's balance: it pays other bills, or is paid out at the counter."""
    refund, row, order = _held(actor, "credit", refund_id, seen)
    REFUND.target("credit", RefundState(refund.state))
    why = required_text(reason, "reason")
    _check_left(row, refund.amount_fen)
    _finish(actor, now, refund, row, order, verb="credit", reason=why)
    tell("settlement", pk=row.pk, div=row.div)
    return refund


def _held(actor: Actor, verb: str, refund_id: int, seen: int | None = None) -> tuple[Refund, Payment, Order]:
    """Return a refund with payment and order, all locked, the order first; the right checked."""
    known = Refund.objects.filter(pk=refund_id).select_related("payment").first()
    if known is None:
        require(actor, f"settlement.refund.{verb}")
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    order = locked(Order.objects.all(), known.payment.order_id)
    row = locked(Payment.objects.all(), known.payment_id)
    refund = locked(Refund.objects.all(), refund_id, seen)
    require(actor, f"settlement.refund.{verb}", div=refund.div)
    return refund, row, order
