"""Settling orders, and taking settlements back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from yinling.accounts.operations import record
from yinling.directory.rules import require
from yinling.entitlements.models import Entitlement
from yinling.entitlements.operations import confirm_use, reserve, undo_use
from yinling.ground.live import tell
from yinling.ground.operation import explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Reason
from yinling.kernel.period import local_date, month_start
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Hold, Order, OrderLine, PayerShare
from yinling.orders.operations import mark_settled
from yinling.orders.states import ORDER, OrderState
from yinling.settlement.models import Charge, LedgerEntry, Posting, RecoveryLine, StatementLine
from yinling.settlement.queries import (
    as_share,
    item_line,
    live_posting,
    shares_of,
    times_billed,
)
from yinling.settlement.rules import Entry, check_complete, claim_key, entries

explain_constraint("ledger_balanced", "ledger.not_balanced", N_("借贷不平，未入账。请联系管理员"))

REPEATED = N_("同一位老人同一时间的同一项服务已经结算过，不能重复收费。请核对订单")


@operation("settlement.order.settle", label=N_("结算"))
def settle_order(*, actor: Actor, now: datetime, order_id: Id) -> Order:
    """Charge every payer of a served order with what was frozen at placing. Refused while something holds the order."""
    order = locked(Order.objects.all(), order_id)
    require(actor, "settlement.order.settle", div=order.div)
    standing = live_posting(order)
    if standing is not None:
        raise NotAllowed(
            "settlement.already", N_("这张订单已经结算。如有错误，请先冲正再重新结算"), posting=standing.key
        )
    is_anew = order.state in (OrderState.SETTLED, OrderState.CLOSED)
    if not is_anew:
        ORDER.target("mark_settled", order.state)
    hold = Hold.objects.filter(order=order, to_at=None).order_by("from_at").first()
    if hold is not None:
        raise Refused("order.held", N_("这张订单被管制，暂停结算。请由监管员核查解除后再结算"), cause=hold.cause)
    if RecoveryLine.objects.filter(order=order, is_live=True).exists():
        raise Refused("settlement.recovered", N_("这张订单在追回清单上，不能结算。去世或迁出登记有误的，请先更正登记"))
    posting = _charge(actor, now, order, is_anew=is_anew)
    if not is_anew:
        mark_settled(actor=actor, now=now, order=order)
    record(
        actor=actor, now=now, event="settlement.order.settle", subject=order,
        changes={"posting": [None, posting.key], "total_fen": [None, order.total_fen]},
    )  # fmt: skip
    tell("settlement", pk=order.pk, div=order.div)
    return order


def _charge(actor: Actor, now: datetime, order: Order, *, is_anew: bool) -> Posting:
    """Write posting, entries and charges of an order and use up its quotas."""
    frozen = shares_of(order)
    shares = [as_share(row) for row in frozen]
    lines = list(OrderLine.objects.filter(order=order).order_by("id"))
    check_complete({line.pk: line.amount_fen for line in lines}, shares)
    day = local_date(order.starts_at)
    named = item_line(lines)
    billed = Posting.objects.filter(order=order, kind="order").count()
    posting = Posting.objects.create(
        div=order.div, key=f"order:{order.pk}" + (f":{billed + 1}" if billed else ""), kind="order", order=order,
        provider_id=order.provider_id, elder_id=order.elder_id, text=order.code, posted_at=now, posted_by_id=actor.user_id,
        claim=_claim(order, named) if named else None,
    )  # fmt: skip
    _write(posting, entries(shares, service_day=day, period=month_start(local_date(now))))
    Charge.objects.bulk_create(_charge_row(posting, row, day) for row in frozen if row.amount_fen)
    for entitlement, fen in _funded(frozen):
        _use(actor, now, entitlement, month_start(day), fen, is_anew=is_anew)
    return posting


def _use(actor: Actor, now: datetime, entitlement: Entitlement, month: date, fen: int, *, is_anew: bool) -> None:
    """Use up what placing had reserved; an order billed anew must find its money again first."""
    if is_anew and reserve(actor=actor, now=now, entitlement=entitlement, month=month, wanted_fen=fen) < fen:
        raise Refused("settlement.quota", N_("冲正后额度已被别的订单使用，不能按原份额重新结算，请另开订单"), fen=fen)
    confirm_use(actor=actor, now=now, entitlement=entitlement, month=month, amount_fen=fen)


def _claim(order: Order, line: OrderLine) -> str:
    """Return the claim of a service; refuse one that another order was charged for (R-PAY-04)."""
    billed = times_billed(elder_id=order.elder_id, item_id=line.item_id, starts_at=order.starts_at)
    claim = claim_key(elder_id=order.elder_id, item_id=line.item_id, starts_at=order.starts_at, billed=billed)
    other = Posting.objects.filter(claim=claim).first()
    if other is not None:
        raise Refused("settlement.repeated", REPEATED, order=other.order_id)
    return claim


def _funded(frozen: Iterable[PayerShare]) -> list[tuple[Entitlement, int]]:
    return [(row.entitlement, row.amount_fen) for row in frozen if row.entitlement and row.amount_fen]


def _charge_row(posting: Posting, row: PayerShare, day: date) -> Charge:
    return Charge(
        div=posting.div, posting=posting, order_id=row.order_id, line_id=row.line_id, elder_id=row.elder_id,
        provider_id=row.provider_id, payer=row.payer, entitlement_id=row.entitlement_id, amount_fen=row.amount_fen, service_day=day,
    )  # fmt: skip


def _write(posting: Posting, sides: Iterable[Entry]) -> None:
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            div=posting.div, posting=posting, account=side.account, amount=side.amount, business=side.business, fund=side.fund,
            scheme_id=side.scheme_id, plan_year=side.plan_year, provider_id=posting.provider_id, elder_id=posting.elder_id,
            line_id=side.line_id, service_day=side.service_day, booked_on=local_date(posting.posted_at), period=side.period,
        )
        for side in sides
    )  # fmt: skip


@operation("settlement.order.reverse", label=N_("冲正"))
def reverse_order(*, actor: Actor, now: datetime, order_id: Id, reason: Reason) -> Order:
    """Take the charges of an order back by counter-entries and give quotas back. The order stays settled and may be billed anew.

    Refused while a charge stands on a statement that is not decided. One that was approved is deducted from the next statement.
    """
    order = locked(Order.objects.all(), order_id)
    require(actor, "settlement.order.reverse", div=order.div)
    if not reason.strip():
        raise Refused("settlement.reason", N_("请写明冲正原因"), field="reason")
    posting = live_posting(order)
    if posting is None:
        raise NotAllowed("settlement.nothing", N_("这张订单没有可以冲正的结算"))
    pending = StatementLine.objects.filter(
        charge__posting=posting, is_live=True, statement__state__in=["draft", "reviewed"]
    ).first()
    if pending is not None:
        raise Refused(
            "settlement.on_statement",
            N_("这笔费用已列入未审定的对账单，请先退回对账单再冲正"),
            statement=pending.statement_id,
        )
    counter = Posting.objects.create(
        div=posting.div, key=f"reversal:{posting.pk}", kind="reversal", order=order, provider_id=posting.provider_id,
        elder_id=posting.elder_id, reverses=posting, text=reason.strip()[:200], posted_at=now, posted_by_id=actor.user_id,
    )  # fmt: skip
    period = month_start(local_date(now))
    _write(counter, [replace(side, amount=-side.amount, period=period) for side in _sides(posting)])
    Charge.objects.bulk_create(
        _counter_charge(counter, row) for row in Charge.objects.filter(posting=posting).order_by("id")
    )
    for entitlement, fen in _funded(shares_of(order)):
        month = month_start(local_date(order.starts_at))
        undo_use(actor=actor, now=now, entitlement=entitlement, month=month, amount_fen=fen)
    record(
        actor=actor, now=now, event="settlement.order.reverse", subject=order, reason=reason,
        changes={"posting": [posting.key, counter.key]},
    )  # fmt: skip
    tell("settlement", pk=order.pk, div=order.div)
    return order


def _sides(posting: Posting) -> list[Entry]:
    """The entries of a settled order as the rules see them; each has its line and its service day."""
    return [
        Entry(
            line_id=row.line_id, account=row.account, amount=row.amount, business=row.business, fund=row.fund, scheme_id=row.scheme_id,
            plan_year=row.plan_year, service_day=row.service_day, period=row.period,
        )
        for row in LedgerEntry.objects.filter(posting=posting).order_by("id") if row.line_id is not None and row.service_day is not None
    ]  # fmt: skip


def _counter_charge(counter: Posting, row: Charge) -> Charge:
    return Charge(
        div=row.div, posting=counter, order_id=row.order_id, line_id=row.line_id, elder_id=row.elder_id, provider_id=row.provider_id,
        payer=row.payer, entitlement_id=row.entitlement_id, amount_fen=-row.amount_fen, service_day=row.service_day,
    )  # fmt: skip
