"""The one list of what is taken back or not paid, when news of a death or a move came late (R-PEO-03)."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from yinling.accounts.operations import record
from yinling.directory.deciding import explain_hands, move, taken_up
from yinling.directory.rules import require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Reason, Seen
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.orders.models import Hold, Order
from yinling.orders.operations import hold_order, release_hold
from yinling.orders.states import OrderState
from yinling.people.models import Elder
from yinling.people.queries.names import reader
from yinling.settlement.models import Recovery, RecoveryLine
from yinling.settlement.operations.orders import reverse_order
from yinling.settlement.queries import Overpaid, live_posting, overpaid, stands
from yinling.settlement.states import RecoveryState

explain_hands("recovery")
explain_constraint("recovery_line_once", "recovery.line_twice", N_("有费用已列入另一份追回清单，请刷新页面"))


@operation("settlement.recovery.draft", label=N_("生成追回清单"))
def draft_recovery(*, actor: Actor, now: datetime, elder_id: Id) -> Recovery:
    """List every service performed after a death or a move: what was paid is recovered, what was not is rejected.

    Its orders are held at once, so that nothing more is paid. News of further services is added to the list while it is a draft.
    """
    area = actor.div or ""
    with scope(reader(area)):
        elder = locked(Elder.objects.all(), elder_id)
    div = (
        elder.div if elder.div.startswith(area) else area
    )  # who moved to another city is on a list of the one that paid
    require(actor, "settlement.recovery.draft", div=div)
    by_cause: dict[str, list[Overpaid]] = defaultdict(list)
    for one in overpaid(area, now, elder_id):
        by_cause[one.cause].append(one)
    if not by_cause:
        raise Refused("recovery.nothing", N_("此人去世或迁出以后没有服务，不用追回"))
    cause, found = next(iter(by_cause.items()))
    # Whoever settles one of them waits, and then finds it held.
    list(Order.objects.select_for_update(of=("self",)).filter(pk__in=[one.order.pk for one in found]).order_by("pk"))
    row = _draft_of(elder, div, cause, found[0].stopped_at, now)
    for one in found:
        RecoveryLine.objects.bulk_create(_line(row, one, share) for share in one.shares)
        hold_order(
            actor=actor,
            now=now,
            order=one.order,
            cause=row.cause_text,
            reason=N_("服务发生在去世或迁出以后，列入追回清单"),
        )
    changes: dict[str, Any] = changed(row, now=now, **_totals(row))
    record(
        actor=actor, now=now, event="settlement.recovery.draft", subject=row,
        changes=changes | {"cause": cause, "orders": [one.order.code for one in found]},
    )  # fmt: skip
    tell("settlement", pk=row.pk, div=row.div)
    return row


def _draft_of(elder: Elder, div: str, cause: str, stopped_at: datetime, now: datetime) -> Recovery:
    known = Recovery.objects.select_for_update(of=("self",)).within(div)
    known = known.filter(elder=elder, cause=cause, state=RecoveryState.DRAFT)
    return known.first() or Recovery.objects.create(
        div=div, elder=elder, cause=cause, stopped_at=stopped_at, drafted_at=now, created_at=now, changed_at=now
    )


def _line(row: Recovery, one: Overpaid, share: Any) -> RecoveryLine:
    return RecoveryLine(
        div=row.div, recovery=row, order=one.order, share=share, elder_id=row.elder_id, provider_id=one.order.provider_id,
        payer=share.payer, amount_fen=share.amount_fen, kind=one.kind_of(share), began_at=one.began_at,
    )  # fmt: skip


def _totals(row: Recovery) -> dict[str, int]:
    lines = list(RecoveryLine.objects.filter(recovery=row).values_list("kind", "amount_fen"))
    return {
        "recover_fen": sum(fen for kind, fen in lines if kind == "recover"),
        "reject_fen": sum(fen for kind, fen in lines if kind == "reject"),
        "line_count": len(lines),
    }


@operation("settlement.recovery.review", label=N_("初审通过"))
def review_recovery(*, actor: Actor, now: datetime, recovery_id: Id, seen: Seen = None) -> Recovery:
    """First of the two approvals."""
    row = taken_up(actor, Recovery.objects.all(), recovery_id, seen, "review")
    _check_stands(row)
    return move(actor, now, row, "review", cause=row.cause)


@operation("settlement.recovery.approve", label=N_("复核通过"))
def approve_recovery(*, actor: Actor, now: datetime, recovery_id: Id, seen: Seen = None) -> Recovery:
    """Second approval, by another person: settled orders are reversed, so that what was paid is deducted; the others stay unpaid."""
    row = taken_up(actor, Recovery.objects.all(), recovery_id, seen, "approve")
    _check_stands(row)
    reason = N_("去世或迁出以后的服务，追回清单 %(code)s") % {"code": row.code}
    for order in _orders_of(row):
        if live_posting(order) is not None:
            reverse_order(actor=actor, now=now, order_id=order.pk, reason=reason)
        if order.state != OrderState.SERVED:
            _release(actor, now, row, order, reason)
    return move(actor, now, row, "approve", cause=row.cause)


@operation("settlement.recovery.return", label=N_("退回"))
def return_recovery(*, actor: Actor, now: datetime, recovery_id: Id, reason: Reason, seen: Seen = None) -> Recovery:
    """Give a list up with a reason: its orders are paid as usual, and not listed again for the same cause."""
    row = taken_up(actor, Recovery.objects.all(), recovery_id, seen, "return")
    return _give_up(actor, now, row, "return", reason)


@operation("settlement.recovery.lift", label=N_("撤销追回"))
def lift_recovery(*, actor: Actor, now: datetime, recovery_id: Id, reason: Reason, seen: Seen = None) -> Recovery:
    """Undo an approved list whose cause was registered by mistake: unpaid services are settled, reversed ones can be settled anew."""
    row = taken_up(actor, Recovery.objects.all(), recovery_id, seen, "lift")
    if stands(row):
        raise Refused("recovery.cause_stands", N_("去世或迁出的登记没有更正，不能撤销追回"))
    return _give_up(actor, now, row, "lift", reason)


def _give_up(actor: Actor, now: datetime, row: Recovery, verb: str, reason: str) -> Recovery:
    why = required_text(reason, "reason", most=500)
    for order in _orders_of(row):
        _release(actor, now, row, order, why)
    RecoveryLine.objects.filter(recovery=row).update(is_live=False)
    return move(actor, now, row, verb, reason=why, cause=row.cause)


def _check_stands(row: Recovery) -> None:
    if not stands(row):
        raise Refused("recovery.cause_gone", N_("去世或迁出的登记已更正，这份清单将自动退回"))


def _orders_of(row: Recovery) -> list[Order]:
    numbers = RecoveryLine.objects.filter(recovery=row, is_live=True).values("order")
    return list(Order.objects.select_for_update(of=("self",)).filter(pk__in=numbers).order_by("pk"))


def _release(actor: Actor, now: datetime, row: Recovery, order: Order, reason: str) -> None:
    if Hold.objects.filter(order=order, cause=row.cause_text, to_at=None).exists():
        release_hold(actor=actor, now=now, order=order, cause=row.cause_text, reason=reason)
