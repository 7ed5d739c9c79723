"""Objections to a bill: a ticket for the seats, and the order frozen until somebody has decided."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import Message, Recipient, Worded, notify_each, record
from yinling.accounts.wording import LONGEST
from yinling.directory.queries import system_actor
from yinling.directory.rules import known_choice, require, required_text
from yinling.ground.live import tell
from yinling.ground.models import in_force
from yinling.ground.operation import locked, operation
from yinling.ground.scope import scope
from yinling.hotline.models import Ticket
from yinling.hotline.operations.tickets import end_awaited, write_ticket
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason
from yinling.kernel.money import yuan
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed
from yinling.kernel.words import N_
from yinling.orders.models import Hold, Order
from yinling.orders.operations import hold_order, release_hold
from yinling.orders.states import OrderState
from yinling.people.models import Representative
from yinling.settlement.models import Payment, Refund
from yinling.settlement.operations.orders import reverse_order, void_order
from yinling.settlement.operations.payments import close_open, release
from yinling.settlement.operations.refunds import begin_refund
from yinling.settlement.queries.ledger import live_posting
from yinling.settlement.queries.payments import OBJECTION, SETTLED, objection_of, paid_for, recovery_of
from yinling.settlement.states import PaymentState, RecoveryState, RefundState

RESULTS = [("kept", N_("账单没有错，照账单付")), ("reversed", N_("账单错了，不收钱，退还已付的钱"))]
OPEN_TO_OBJECTION = frozenset({OrderState.SERVED, *SETTLED})
CHANNEL_OF = {"elder": "app", "family": "app"}


@operation("settlement.bill_objection.raise", label=N_("我有异议"))
def raise_bill_objection(
    *, actor: Actor, now: datetime, order_id: Id,
    text: Annotated[str, Input(N_("哪里不对"), help=N_("例如：没有来人、时间不够、多收了钱"), max_length=500, widget="area")],
) -> Ticket:  # fmt: skip
    """Say that a bill is wrong: the seats get a complaint, and nobody pays or is paid for it until it is decided."""
    order = locked(Order.objects.all(), order_id)
    require(actor, "settlement.bill_objection.raise", div=order.div, elder_id=order.elder_id)
    said = required_text(text, "text", most=500)
    if order.state not in OPEN_TO_OBJECTION:
        raise NotAllowed("objection.no_bill", N_("这张订单还没有账单。对服务有意见，请用“投诉和建议”"))
    if objection_of(order) is not None:
        raise NotAllowed("objection.open", N_("这张账单的异议正在核查，有结果会告诉您"))
    ticket = Ticket(
        div=order.div, elder_id=order.elder_id, kind="complaint", level="normal", title=f"账单异议 {order.code}", text=said,
        channel=CHANNEL_OF.get(actor.role, "console"), awaits=f"{OBJECTION}{order.pk}",
    )  # fmt: skip
    write_ticket(actor, now, ticket)
    hold_order(actor=actor, now=now, order=order, cause=f"{OBJECTION}{ticket.pk}", reason=said)
    close_open(actor, now, order, N_("账单有异议，查清以前不收钱"))
    record(
        actor=actor,
        now=now,
        event="settlement.bill_objection.raise",
        subject=order,
        changes={"ticket": [None, ticket.pk]},
    )
    tell("settlement", pk=order.pk, div=order.div)
    return ticket


@operation("settlement.bill_objection.decide", label=N_("处理异议"))
def decide_bill_objection(
    *, actor: Actor, now: datetime, order_id: Id, result: Annotated[str, Input(N_("结论"), choices=RESULTS, widget="radio")], reason: Reason
) -> Order:  # fmt: skip
    """Keep a bill, or take it back with everything that was paid for it; the ticket ends with the words that the elder reads."""
    order = locked(Order.objects.all(), order_id)
    require(actor, "settlement.bill_objection.decide", div=order.div)
    known_choice(result, RESULTS, "result")
    why = required_text(reason, "reason", most=400)
    hold = objection_of(order)
    if hold is None:
        raise NotAllowed("objection.none", N_("这张订单没有待处理的异议，请刷新页面"))
    said = _in_words(result, why, paid_for(order))
    release_hold(actor=actor, now=now, order=order, cause=hold.cause, reason=said)
    if result == "reversed":
        _take_back(actor, now, order, why)
    _answer(actor, now, hold, said)
    _tell_elder_side(now, order, hold, said)
    record(
        actor=actor,
        now=now,
        event="settlement.bill_objection.decide",
        subject=order,
        changes={"result": [None, result]},
        reason=why,
    )
    tell("settlement", pk=order.pk, div=order.div)
    return order


def _take_back(actor: Actor, now: datetime, order: Order, why: str) -> None:
    """Reverse the settlement, or end what was never billed, and give back what was paid. The job follows where a refund is under way."""
    if order.state == OrderState.SERVED and recovery_of(order) != RecoveryState.APPROVED:
        void_order(actor, now, order, why)
    if live_posting(order) is not None:
        reverse_order(actor=actor, now=now, order_id=order.pk, reason=why)
    pending = set(
        Refund.objects.filter(payment__order=order, state=RefundState.ASKED).values_list("payment", flat=True)
    )
    paid = Payment.objects.select_for_update(of=("self",)).filter(order=order, state=PaymentState.PAID)
    for row in paid.order_by("pk"):
        release(actor, now, row, order, why)
        if row.pk not in pending:
            begin_refund(actor, now, row, order, row.left_fen, why)


def _in_words(result: str, why: str, paid_fen: int) -> str:
    """What the elder is told."""
    if result == "kept":
        return N_("我们查过了，这张账单没有错：%(why)s") % {"why": why}
    said = N_("我们查过了，是账单错了：%(why)s。这次不收您的钱") % {"why": why}
    return said + (N_("，您已经付的 %(paid)s 元会退给您") % {"paid": yuan(paid_fen)} if paid_fen else "")


def _answer(actor: Actor, now: datetime, hold: Hold, said: str) -> None:
    """End the ticket of an objection with the decision."""
    ticket = Ticket.objects.select_for_update(of=("self",)).filter(pk=int(hold.cause.removeprefix(OBJECTION))).first()
    if ticket is not None:
        end_awaited(actor, now, ticket, said)


def _tell_elder_side(now: datetime, order: Order, hold: Hold, said: str) -> None:
    """Say the answer to each login that sees the elder's bills, and by SMS. Who decides sees no representatives, so the system looks."""
    key, title = f"objection:{hold.pk}", N_("账单异议的答复")
    with scope(system_actor(order.div[:2]), savepoint=False):
        who = Representative.objects.filter(in_force(local_date(now)), elder=order.elder_id, covers_bills=True)
        found = [
            Message(
                order, Recipient(user_id=user), f"{key}:user:{user}", title, said[:LONGEST], f"/e/bills/{order.pk}/"
            )
            for user in sorted(set(who.values_list("user_id", flat=True)))
        ]
        if number := order.unseal_field("phone"):
            to, worded = Recipient(channel="sms", address=number), Worded("ticket_note", {"text": said})
            found.append(Message(order, to, f"{key}:sms", title, template=worded))
        notify_each(now=now, messages=found)
