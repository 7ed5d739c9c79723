"""Sending carers: assigning, reassigning, the carer's answer, and what becomes of offers nobody answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.operations import Recipient, notify, record
from yinling.directory.models import Staff, Suspension
from yinling.directory.rules import require
from yinling.dispatch.models import LIVE, Assignment
from yinling.dispatch.queries import BEST, cause_of_end, died_on, exclusions_of, orphans, plan_for
from yinling.dispatch.rules import check_alive, check_at_home, check_choice, check_own, check_time
from yinling.dispatch.states import ASSIGNMENT
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import SHANGHAI
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.operations import mark_accepted, mark_assigned, return_order
from yinling.orders.queries import accept_until, suspensions
from yinling.orders.states import ORDER, OrderState

explain_constraint(
    "assignment_no_overlap", "dispatch.overlap", N_("这位服务人员在这段时间刚被派了其他订单，请另选一人")
)
explain_constraint("assignment_once", "dispatch.twice", N_("这张订单已派给这位服务人员"))

StaffId = Annotated[int, Input(N_("服务人员"), least=1, widget="number")]
ChoiceReason = Annotated[
    str, Input(N_("选择原因"), help=N_("没有选推荐的前三位时必须填写"), max_length=500, widget="area")
]


@operation("dispatch.order.assign", label=N_("派单"))
def assign_order(
    *, actor: Actor, now: datetime, order_id: Id, staff_id: StaffId, choice_reason: ChoiceReason = "", seen: Seen = None
) -> Assignment:
    """Offer an order to a carer who may go; one beside the three proposals needs a reason."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "dispatch.order.assign", div=order.div, provider_id=order.provider_id)
    ORDER.target("assign", order.state)
    row = _offer(actor, now, order, staff_id, choice_reason)
    mark_assigned(actor=actor, now=now, order=order)
    return _announce(actor, now, row, "dispatch.order.assign", choice_reason.strip())


@operation("dispatch.order.reassign", label=N_("改派"))
def reassign_order(
    *, actor: Actor, now: datetime, order_id: Id, staff_id: StaffId, reason: Reason, seen: Seen = None
) -> Assignment:
    """Take an order from one carer and offer it to another, before the visit starts."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "dispatch.order.reassign", div=order.div, provider_id=order.provider_id)
    if not reason.strip():
        raise Refused("reason.missing", N_("请写明改派的原因"), field="reason")
    return_order(actor=actor, now=now, order=order, reason=reason.strip())
    current = Assignment.objects.select_for_update(of=("self",)).filter(order=order, state__in=LIVE).first()
    if current is None:
        raise Refused("dispatch.nobody", N_("这张订单还没有派人，请直接派单"))
    if current.staff_id == staff_id:
        raise Refused("dispatch.same", N_("订单已经派给这位服务人员，请选择另一位"), field="staff_id")
    withdraw(actor=actor, now=now, assignment=current, reason=reason.strip())
    row = _offer(actor, now, order, staff_id, reason)
    mark_assigned(actor=actor, now=now, order=order)
    return _announce(actor, now, row, "dispatch.order.reassign", reason.strip())


def _offer(actor: Actor, now: datetime, order: Order, staff_id: int, choice_reason: str) -> Assignment:
    staff = Staff.objects.visible_to(actor).filter(pk=staff_id).first()
    if staff is None:
        raise NotFound("staff.not_found", N_("没有这位服务人员，或不在您的权限范围内"), field="staff_id")
    check_time(order.ends_at, now)
    check_alive(died_on(order.elder_id))
    check_at_home(is_suspended=suspensions().filter(order=order).exists())
    ranked = plan_for(order).ranked
    place = next((place for place, one in enumerate(ranked, 1) if one.carer.staff_id == staff_id), None)
    against = [] if place else exclusions_of(order, staff)
    check_choice(exclusions=against, is_among_best=place is not None and place <= BEST, choice_reason=choice_reason)
    reasons = [part.reason for part in ranked[place - 1].parts] if place else [one.reason for one in against]
    _clear_orphans(actor, now, staff)
    due = accept_until(now, is_urgent=order.is_urgent, div=order.div)
    return Assignment.objects.create(
        div=order.div, order=order, elder_id=order.elder_id, provider_id=order.provider_id, staff=staff, staff_name=staff.name,
        starts_at=order.starts_at, ends_at=order.ends_at, offered_at=now, accept_due_at=due, assigned_by_id=actor.user_id, rank=place,
        reasons=reasons, choice_reason=choice_reason.strip(), created_at=now, changed_at=now,
    )  # fmt: skip


def _clear_orphans(actor: Actor, now: datetime, staff: Staff) -> None:
    """An order cancelled a moment ago must not keep its carer busy until the next round of the job."""
    for row in orphans().filter(staff=staff).select_for_update(of=("self",)):
        withdraw(actor=actor, now=now, assignment=row, reason=N_("订单已取消"))


def _announce(actor: Actor, now: datetime, row: Assignment, event: str, reason: str) -> Assignment:
    chosen = {"staff": [None, row.staff_id], "rank": [None, row.rank]}
    record(actor=actor, now=now, event=event, subject=row, changes=chosen, reason=reason)
    if (user_id := row.staff.user_id) is not None:
        start = row.starts_at.astimezone(SHANGHAI)
        text = N_("%(when)s 上门，请尽快接受或谢绝") % {"when": f"{start:%m-%d %H:%M}"}
        to = Recipient(user_id=user_id)
        notify(now=now, about=row, to=to, key=f"assignment:{row.pk}", title=N_("新派单"), text=text, link="/m/")
    tell("assignments", pk=row.pk, div=row.div)
    return row


def _move(
    actor: Actor, now: datetime, row: Assignment, verb: str, *, reason: str = "", cause: str = "", **values: Any
) -> Assignment:
    changes: dict[str, Any] = changed(row, now=now, state=ASSIGNMENT.target(verb, row.state), **values)
    changes |= {"cause": cause} if cause else {}
    record(actor=actor, now=now, event=f"dispatch.assignment.{verb}", subject=row, changes=changes, reason=reason)
    tell("assignments", pk=row.pk, div=row.div)
    return row


def _with_order(assignment_id: int, seen: int | None) -> tuple[Assignment, Order]:
    """Lock order and assignment in the same sequence as assigning does: order first."""
    found = Assignment.objects.filter(pk=assignment_id).values_list("order_id", flat=True).first()
    if found is None:
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    order = locked(Order.objects.all(), found)
    return locked(Assignment.objects.all(), assignment_id, seen), order


@operation("dispatch.assignment.accept", label=N_("接受"))
def accept_assignment(*, actor: Actor, now: datetime, assignment_id: Id, seen: Seen = None) -> Assignment:
    """The carer takes the order, or the provider for the carer. A suspended carer takes no new orders (R-ORD-07)."""
    row, order = _with_order(assignment_id, seen)
    require(actor, "dispatch.assignment.accept", div=row.div, provider_id=row.provider_id)
    check_own(actor_staff_id=actor.staff_id, staff_id=row.staff_id, is_dispatcher=actor.has("dispatch.order.assign"))
    ASSIGNMENT.target("accept", row.state)
    check_alive(died_on(row.elder_id))
    if order.state != OrderState.ASSIGNED:
        raise NotAllowed("dispatch.order_gone", N_("订单已取消，不用上门了"))
    if Suspension.objects.filter(staff_id=row.staff_id, to_at=None).exists():
        raise Refused("dispatch.suspended", N_("已暂停派单，解除之前不能接受新的订单，请联系监管人员"))
    mark_accepted(actor=actor, now=now, order=order)
    return _move(actor, now, row, "accept", accepted_at=now)


@operation("dispatch.assignment.refuse", label=N_("谢绝"))
def refuse_assignment(
    *, actor: Actor, now: datetime, assignment_id: Id, reason: Reason, seen: Seen = None
) -> Assignment:
    """The carer does not go; the order waits for dispatch again."""
    row, order = _with_order(assignment_id, seen)
    require(actor, "dispatch.assignment.refuse", div=row.div, provider_id=row.provider_id)
    check_own(actor_staff_id=actor.staff_id, staff_id=row.staff_id, is_dispatcher=actor.has("dispatch.order.assign"))
    ASSIGNMENT.target("refuse", row.state)
    if not reason.strip():
        raise Refused("reason.missing", N_("请写明谢绝的原因"), field="reason")
    _return(actor, now, order, N_("服务人员谢绝：%(reason)s") % {"reason": reason.strip()})
    return _move(actor, now, row, "refuse", reason=reason.strip(), ended_at=now, end_reason=reason.strip())


@operation("dispatch.assignment.expire", label=N_("收回"))
def expire_assignment(*, actor: Actor, now: datetime, assignment_id: Id, seen: Seen = None) -> Assignment:
    """An offer nobody answered in time ends; the order waits for dispatch again (X-CALL-05)."""
    row, order = _with_order(assignment_id, seen)
    require(actor, "dispatch.assignment.expire", div=row.div, provider_id=row.provider_id)
    ASSIGNMENT.target("expire", row.state)
    if row.accept_due_at > now:
        raise Refused("assignment.in_time", N_("还没有超过接受时限，不能收回"))
    reason = N_("超时未接受")
    _return(actor, now, order, reason)
    return _move(actor, now, row, "expire", reason=reason, ended_at=now, end_reason=reason)


@operation("dispatch.assignment.withdraw", label=N_("收回"))
def withdraw_orphan(*, actor: Actor, now: datetime, assignment_id: Id, seen: Seen = None) -> Assignment:
    """Free the carer of an order that was cancelled or suspended, and say so."""
    row, order = _with_order(assignment_id, seen)
    require(actor, "dispatch.assignment.withdraw", div=row.div, provider_id=row.provider_id)
    if not orphans().filter(pk=row.pk).exists():
        raise Refused("assignment.needed", N_("订单没有取消，请用“改派”"))
    reason = N_("订单已取消") if order.state == OrderState.CANCELLED else N_("订单已暂停或退回")
    withdraw(actor=actor, now=now, assignment=row, reason=reason, cause=cause_of_end(order))
    _tell_off(now, row)
    return row


def _tell_off(now: datetime, row: Assignment) -> None:
    if (user_id := row.staff.user_id) is None:
        return
    start = row.starts_at.astimezone(SHANGHAI)
    text = N_("%(when)s 的上门已撤回，不用去了") % {"when": f"{start:%m-%d %H:%M}"}
    to = Recipient(user_id=user_id)
    notify(now=now, about=row, to=to, key=f"withdrawn:{row.pk}", title=N_("派单已撤回"), text=text, link="/m/")


def _return(actor: Actor, now: datetime, order: Order, reason: str) -> None:
    """Give the order back, unless it was cancelled meanwhile."""
    if ORDER.allows("return", order.state):
        return_order(actor=actor, now=now, order=order, reason=reason)


def withdraw(*, actor: Actor, now: datetime, assignment: Assignment, reason: str, cause: str = "") -> Assignment:
    """End an assignment without the carer's doing."""
    return _move(actor, now, assignment, "withdraw", reason=reason, cause=cause, ended_at=now, end_reason=reason)


def finish_assignment(*, actor: Actor, now: datetime, assignment: Assignment) -> Assignment:
    """The visit of an accepted assignment is over."""
    return _move(actor, now, assignment, "finish", ended_at=now)
