"""Writing who is not sent to whom."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.models import Staff
from yinling.directory.rules import known_choice, period_of, require, required_text
from yinling.dispatch.models import Assignment, Avoidance
from yinling.ground.facts import curtail
from yinling.ground.live import tell
from yinling.ground.operation import explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order

explain_constraint("avoidance_no_overlap", "avoidance.exists", N_("已登记这位服务人员回避这位老人"))

AskedBy = Annotated[str, Input(N_("由谁提出"), choices=Avoidance.ASKED_BY, widget="choice")]
LastDay = Annotated[date | None, Input(N_("截止日期"), help=N_("最后一天；一直回避可不填"), widget="date")]
WhoAvoids = Annotated[int, Input(N_("服务人员"), least=1, widget="choice")]


@operation("dispatch.avoidance.record", label=N_("登记回避"))
def record_avoidance(
    *, actor: Actor, now: datetime, order_id: Id, staff_id: WhoAvoids, asked_by: AskedBy, reason: Reason, valid_to: LastDay = None
) -> Avoidance:  # fmt: skip
    """Keep a carer away from the elder of an order from today on. What is already given stays until it is given to another."""
    order = locked(Order.objects.all(), order_id)
    require(actor, "dispatch.avoidance.record", div=order.div, provider_id=order.provider_id)
    staff = Staff.objects.visible_to(actor).filter(pk=staff_id).first()
    if staff is None:
        raise NotFound("staff.not_found", N_("没有这位服务人员，或不在您的权限范围内"), field="staff_id")
    known_choice(asked_by, Avoidance.ASKED_BY, "asked_by")
    days = period_of(local_date(now), valid_to)
    row = Avoidance(
        div=order.div, elder_id=order.elder_id, staff=staff, staff_name=staff.name, provider_id=staff.provider_id, asked_by=asked_by,
        valid_from=days.from_, valid_to=days.to,
    )  # fmt: skip
    return _keep(actor, now, row, "dispatch.avoidance.record", reason)


@operation("dispatch.avoidance.ask", label=N_("不要再派这位服务人员"))
def ask_avoidance(*, actor: Actor, now: datetime, assignment_id: Id, reason: Reason) -> Avoidance:
    """The elder's side asks not to be sent this carer again; it holds at once and until somebody ends it."""
    given = locked(Assignment.objects.all(), assignment_id)
    require(actor, "dispatch.avoidance.ask", div=given.div, elder_id=given.elder_id)
    row = Avoidance(
        div=given.div, elder_id=given.elder_id, staff_id=given.staff_id, staff_name=given.staff_name, provider_id=given.provider_id,
        asked_by="elder", valid_from=local_date(now),
    )  # fmt: skip
    return _keep(actor, now, row, "dispatch.avoidance.ask", reason)


def _keep(actor: Actor, now: datetime, row: Avoidance, event: str, reason: str) -> Avoidance:
    row.reason, row.recorded_from = required_text(reason, "reason", most=500), now
    row.save(force_insert=True)
    changes = {"staff": [None, row.staff_id], "asked_by": [None, row.asked_by]}
    record(actor=actor, now=now, event=event, subject=row, changes=changes, reason=row.reason)
    tell("assignments", pk=row.pk, div=row.div)
    return row


@operation("dispatch.avoidance.end", label=N_("解除回避"))
def end_avoidance(*, actor: Actor, now: datetime, avoidance_id: Id, reason: Reason) -> Avoidance:
    """Let a carer be sent again from today on."""
    row = locked(Avoidance.objects.filter(recorded_to=None), avoidance_id)
    require(actor, "dispatch.avoidance.end", div=row.div, provider_id=row.provider_id, elder_id=row.elder_id)
    why, today = required_text(reason, "reason", most=500), local_date(now)
    if row.valid_to is not None and row.valid_to <= today:
        raise Refused("avoidance.over", N_("回避已经到期"))
    changes = curtail(row, until=today, now=now)
    record(actor=actor, now=now, event="dispatch.avoidance.end", subject=row, changes=changes, reason=why)
    return row
