"""Settling orders, one or many, and taking settlements back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from yinling.accounts.operations import record, record_each, write_refusal
from yinling.directory.queries import system_actor
from yinling.directory.rules import require
from yinling.ground.live import tell, tell_each
from yinling.ground.operation import explain_constraint, locked, operation
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Reason
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refusal, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.operations import mark_settled_each
from yinling.orders.states import ORDER, OrderState
from yinling.settlement.models import Charge, ClaimedItem, ClaimedTime, Posting
from yinling.settlement.operations.counters import confirm_shares, find_again, undo_shares
from yinling.settlement.operations.deductions import undo_deductions
from yinling.settlement.operations.ledger import Wanted, post, post_each, sides_of
from yinling.settlement.queries import live_posting
from yinling.settlement.queries.orders import PASSING
from yinling.settlement.queries.payments import WAIVED
from yinling.settlement.queries.settling import Claims, Due, ItemClaim, claims_beside, dues, lines_and_shares
from yinling.settlement.queries.statements import deducted_of, undecided_statement_of
from yinling.settlement.rules import Minutes, Share, Side, entries, gap, opposite, own_minutes

REPEATED = N_("同一位老人同一时间的同一项服务已经结算过，不能重复收费。请核对订单")
TIME_CLAIMED = N_("这次服务的时间已由另一次服务结算，同一分钟不能重复收费。请核对签到签退时间")
explain_constraint("claimed_item_once", "settlement.repeated", REPEATED)
explain_constraint("claimed_time_once", "settlement.time_claimed", TIME_CLAIMED)

ANEW = (OrderState.SETTLED, OrderState.CLOSED)


@dataclass(frozen=True)
class Bill:
    """What settling one order writes."""

    due: Due
    sides: list[Side]
    claims: list[ItemClaim]
    minutes: Minutes | None

    @property
    def key(self) -> str:
        """The key under which it is posted: once, and once more after each reversal."""
        billed = self.due.times_billed
        return f"order:{self.due.order.pk}" + (f":{billed + 1}" if billed else "")


@operation("settlement.order.settle", label=N_("结算"))
def settle_order(*, actor: Actor, now: datetime, order_id: Id) -> Order:
    """Charge every payer of a served order with what was frozen at placing. Refused while something holds the order.

    The second claim of the same service, or of the same minutes by another chain of payers, is refused (R-PAY-04).
    """
    order = locked(Order.objects.all(), order_id)
    require(actor, "settlement.order.settle", div=order.div)
    if refusal := _settled(actor, now, [order]).get(order.pk):
        raise refusal
    return order


def settle_each(actor: Actor, now: datetime, orders: Sequence[Order]) -> dict[int, Refusal]:
    """Settle many locked orders in few statements; return what was refused, by order.

    What is refused is left as it was, and journalled as a refusal of its own, so that one bad order never stops the others.
    """
    for div in {order.div for order in orders}:
        require(actor, "settlement.order.settle", div=div)
    refused = _settled(actor, now, orders) if orders else {}
    by_id = {order.pk: order for order in orders}
    for pk, refusal in refused.items():
        if refusal.code not in PASSING:
            asked = {"actor": actor, "now": now, "order_id": pk, "elder_id": by_id[pk].elder_id}
            write_refusal(right="settlement.order.settle", refusal=refusal, arguments=asked)
    return refused


def _settled(actor: Actor, now: datetime, orders: Sequence[Order]) -> dict[int, Refusal]:
    """Write what can be settled; return why the others cannot. The system of the province sees elders who moved to another city."""
    with scope(system_actor(orders[0].div[:2]), savepoint=False):
        due = dues(orders)
        claims = claims_beside(due)
        found = [(one.order.pk, _bill(actor, now, one, claims)) for one in due]
        if bills := [one for _pk, one in found if isinstance(one, Bill)]:
            _write(actor, now, bills)
        return {pk: one for pk, one in found if not isinstance(one, Bill)}


def _bill(actor: Actor, now: datetime, due: Due, claims: Claims) -> Bill | Refusal:
    """Return what to write for an order, or why not."""
    keys = due.item_claims
    minutes = _minutes(due, claims)
    refusal = _barred(due) or _repeated(claims, keys)
    if refusal is None and isinstance(minutes, Refusal):
        refusal = minutes
    if refusal is None and due.order.state in ANEW and not find_again(actor, now, due.shares):
        refusal = Refused(
            "settlement.quota", N_("冲正后额度已被别的订单使用，不能按原份额重新结算，请另开订单"), order=due.order.pk
        )
    if refusal is not None:
        return refusal
    own = minutes if isinstance(minutes, tuple) else None
    claims.add(due.order, keys, own)
    day = local_date(due.order.starts_at)
    return Bill(due, entries(due.shares, service_day=day), keys, own)


def _barred(due: Due) -> Refusal | None:
    """Why an order may not be settled as it stands."""
    if due.standing:
        return NotAllowed(
            "settlement.already", N_("这张订单已经结算。如有错误，请先冲正再重新结算"), posting=due.standing
        )
    if due.order.state not in ANEW and not ORDER.allows("mark_settled", due.order.state):
        return NotAllowed("state.not_allowed", N_("服务还没有完成，不能结算"), state=str(due.order.state))
    return _stopped(due) or _incomplete(due)


def _stopped(due: Due) -> Refusal | None:
    """What somebody put in the way of an order."""
    if due.hold:
        return Refused("order.held", N_("这张订单被管制，暂停结算。请由监管员核查解除后再结算"), cause=due.hold)
    if due.is_recovered:
        return Refused("settlement.recovered", N_("这张订单在追回清单上，不能结算。去世或迁出登记有误的，请先更正登记"))
    return None


def _incomplete(due: Due) -> Refusal | None:
    """What is missing of a bill."""
    if due.unconfirmed:
        return Refused(
            "settlement.unconfirmed",
            N_("有现场增加的项目老人一方还没有确认，请先确认或取消这个项目"),
            line=due.unconfirmed.pk,
        )
    wrong = gap({line.pk: line.amount_fen for line in due.lines}, due.shares)
    if wrong:
        return Refused(
            "settlement.gap", N_("各付费方的份额与项目金额不相等，不能结算，请联系管理员核对订单"), lines=wrong
        )
    return None


def _repeated(claims: Claims, keys: Iterable[ItemClaim]) -> Refusal | None:
    """Why the services cannot be charged: another order was charged for one of them."""
    other = next((claims.items[key] for key in keys if key in claims.items), None)
    return None if other is None else Refused("settlement.repeated", REPEATED, order=other)


def _minutes(due: Due, claims: Claims) -> Minutes | Refusal | None:
    """Return the minutes that a funded visit claims, none for what may run beside others, or why they cannot be charged."""
    if due.visited is None or not due.is_funded:
        return None
    day = local_date(due.visited[0])
    if due.families <= set(parameter("claims.beside", due.order.div, day)):
        return None
    tolerance = timedelta(minutes=parameter("claims.tolerance_minutes", due.order.div, day))
    own = own_minutes(due.visited, claims.minutes[due.order.elder_id], tolerance=tolerance)
    return own or Refused("settlement.time_claimed", TIME_CLAIMED, from_at=due.visited[0], to_at=due.visited[1])


def _write(actor: Actor, now: datetime, bills: Sequence[Bill]) -> None:
    """Write postings, claims, charges, counters, states and journal rows of many orders."""
    postings = post_each(actor, now, [_wanted(bill) for bill in bills])
    pairs = list(zip(postings, bills, strict=True))
    Charge.objects.bulk_create(
        _charge(posting, bill, share) for posting, bill in pairs for share in bill.due.shares if share.amount_fen
    )
    ClaimedItem.objects.bulk_create(_item(posting, bill, key) for posting, bill in pairs for key in bill.claims)
    ClaimedTime.objects.bulk_create(_time(posting, bill, bill.minutes) for posting, bill in pairs if bill.minutes)
    confirm_shares(actor, now, (share for bill in bills for share in bill.due.shares))
    fresh = [bill.due.order for bill in bills if bill.due.order.state not in ANEW]
    mark_settled_each(actor=actor, now=now, orders=fresh)
    record_each(
        actor=actor, now=now, event="settlement.order.settle",
        subjects=[
            (bill.due.order, {"posting": [None, posting.key], "total_fen": [None, _total(bill)]}) for posting, bill in pairs
        ],
    )  # fmt: skip
    streets = {bill.due.order.div: bill.due.order for bill in bills}
    tell_each("settlement", [(order.pk, div, None) for div, order in streets.items()])


def _total(bill: Bill) -> int:
    return sum(line.amount_fen for line in bill.due.lines)


def _wanted(bill: Bill) -> Wanted:
    order = bill.due.order
    return Wanted(bill.key, "order", order.code, order.div, bill.sides, order.pk, order.provider_id, order.elder_id)


def _charge(posting: Posting, bill: Bill, share: Share) -> Charge:
    order = bill.due.order
    return Charge(
        div=order.div, posting=posting, order_id=order.pk, line_id=share.line_id, elder_id=order.elder_id,
        provider_id=order.provider_id, payer=share.payer, entitlement_id=share.entitlement_id, amount_fen=share.amount_fen,
        service_day=share.day or local_date(order.starts_at),
    )  # fmt: skip


def _item(posting: Posting, bill: Bill, key: ItemClaim) -> ClaimedItem:
    order = bill.due.order
    elder, item, start = key
    return ClaimedItem(
        div=order.div,
        posting=posting,
        order_id=order.pk,
        elder_id=elder,
        provider_id=order.provider_id,
        item_id=item,
        starts_at=start,
    )


def _time(posting: Posting, bill: Bill, minutes: Minutes) -> ClaimedTime:
    order = bill.due.order
    return ClaimedTime(
        div=order.div, posting=posting, order_id=order.pk, elder_id=order.elder_id, provider_id=order.provider_id, from_at=minutes[0],
        to_at=minutes[1],
    )  # fmt: skip


def void_order(actor: Actor, now: datetime, order: Order, reason: str) -> None:
    """End a served order that is never to be billed: charged without claiming its services or minutes, and taken back at once.

    Plain; the order is locked. So the books show both, and what another order was charged for already does not stand in the way.
    """
    require(actor, "settlement.order.settle", div=order.div)
    with scope(system_actor(order.div[:2]), savepoint=False):
        due = dues([order])[0]
        if (refusal := _barred(due)) is not None:
            raise refusal
        _write(actor, now, [Bill(due, entries(due.shares, service_day=local_date(order.starts_at)), [], None)])
    reverse_order(actor=actor, now=now, order_id=order.pk, reason=reason)


@operation("settlement.order.reverse", label=N_("冲正"))
def reverse_order(*, actor: Actor, now: datetime, order_id: Id, reason: Reason) -> Order:
    """Take the charges of an order back by counter-entries; give counters, services and minutes back. It may be billed anew.

    Refused while a charge stands on a statement that is not decided. One that was approved is deducted from the next statement, less what
    was taken off it before.
    """
    order = locked(Order.objects.all(), order_id)
    require(actor, "settlement.order.reverse", div=order.div)
    if not reason.strip():
        raise Refused("settlement.reason", N_("请写明冲正原因"), field="reason")
    posting = live_posting(order)
    if posting is None:
        raise NotAllowed("settlement.nothing", N_("这张订单没有可以冲正的结算"))
    if (pending := undecided_statement_of(posting)) is not None:
        raise Refused(
            "settlement.on_statement", N_("这笔费用已列入未审定的对账单，请先退回对账单再冲正"), statement=pending
        )
    counter = post(
        actor, now, key=f"reversal:{posting.pk}", kind="reversal", text=reason.strip(), div=posting.div,
        sides=opposite(sides_of(posting)), order=order, provider=posting.provider_id, elder=posting.elder_id, reverses=posting,
    )  # fmt: skip
    for waiver in Posting.objects.filter(order=order, kind=WAIVED, reverses=None, posted_at__gte=posting.posted_at):
        post(
            actor, now, key=f"waiver_back:{waiver.pk}", kind=WAIVED, text=reason.strip(), div=waiver.div, sides=opposite(sides_of(waiver)),
            order=order, provider=waiver.provider_id, elder=waiver.elder_id, reverses=waiver,
        )  # fmt: skip
    taken = deducted_of(posting)
    off = {one.charge_id: one.fen for one in taken}
    charges = Charge.objects.filter(posting=posting).order_by("id")
    counters = [_counter_charge(counter, row, row.amount_fen - off.get(row.pk, 0)) for row in charges]
    Charge.objects.bulk_create(one for one in counters if one.amount_fen)
    undo_deductions(actor, now, order, counter, taken)
    ClaimedItem.objects.filter(posting=posting).update(is_live=False)
    ClaimedTime.objects.filter(posting=posting).update(is_live=False)
    with scope(system_actor(order.div[:2]), savepoint=False):
        _lines, shares = lines_and_shares([order.pk])
        undo_shares(actor, now, shares[order.pk])
    record(
        actor=actor, now=now, event="settlement.order.reverse", subject=order, reason=reason,
        changes={"posting": [posting.key, counter.key]},
    )  # fmt: skip
    tell("settlement", pk=order.pk, div=order.div)
    return order


def _counter_charge(counter: Posting, row: Charge, fen: int) -> Charge:
    return Charge(
        div=row.div, posting=counter, order_id=row.order_id, line_id=row.line_id, elder_id=row.elder_id, provider_id=row.provider_id,
        payer=row.payer, entitlement_id=row.entitlement_id, amount_fen=-fen, service_day=row.service_day,
    )  # fmt: skip
