"""Objections to published applications: who and what are sealed, and another person decides."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.queries import working_calendar
from yinling.directory.rules import at_field, known_choice, person_of, require, required_text
from yinling.entitlements.models import Application, Objection
from yinling.entitlements.operations.applications import move, open_application, procedure_for, push
from yinling.entitlements.procedure import act_within
from yinling.entitlements.states import OBJECTION, ApplicationState
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.names import normalise_phone
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

OUTCOMES = [("uphold", N_("异议成立，重新初审")), ("dismiss", N_("异议不成立"))]


@operation("entitlements.objection.raise", label=N_("登记异议"))
def raise_objection(
    *, actor: Actor, now: datetime, application_id: Id, name: Annotated[str, Input(N_("提出人"), help=N_("保密；匿名可不填"), max_length=40)] = "",
    phone: Annotated[str, Input(N_("联系电话"), help=N_("用于答复，保密"), max_length=20)] = "",
    text: Annotated[str, Input(N_("异议内容"), max_length=1000, widget="area")],
) -> Objection:  # fmt: skip
    """Take down what somebody says against a published application, on the last day of the notice still in time."""
    row = open_application(application_id)
    require(actor, "entitlements.objection.raise", div=row.div)
    today = local_date(now)
    if row.notice is None or row.state != ApplicationState.NOTICED or today > row.notice.last_day:
        raise Refused("objection.not_hanging", N_("公示已经结束或还没有开始，其他反映请登记为投诉工单"))
    if today < row.notice.from_on:
        raise Refused("objection.not_hanging", N_("公示已经结束或还没有开始，其他反映请登记为投诉工单"))
    due = act_within(working_calendar(), today, procedure_for(row, today).objection_days)
    made = Objection(
        div=row.div,
        application=row,
        raised_at=now,
        entered_by_id=person_of(actor),
        due_on=due.day,
        created_at=now,
        changed_at=now,
    )
    with at_field("phone"):
        made.seal_field("phone", normalise_phone(phone) if phone.strip() else "")
    made.seal_field("name", name.strip())
    made.seal_field("text", required_text(text, "text", most=1000))
    made.save(force_insert=True)
    record(
        actor=actor,
        now=now,
        event="entitlements.objection.raise",
        subject=made,
        changes={"application": [None, row.pk]},
    )
    tell("applications", pk=row.pk, div=row.div)
    return made


@operation("entitlements.objection.reveal", label=N_("查看异议内容"))
def reveal_objection(*, actor: Actor, now: datetime, objection_id: Id, reason: Reason) -> dict[str, str]:
    """Return in clear who said what; who looked and why is in the journal."""
    row = locked(Objection.objects.all(), objection_id)
    require(actor, "entitlements.objection.reveal", div=row.div)
    why = required_text(reason, "reason", most=500)
    record(actor=actor, now=now, event="entitlements.objection.reveal", subject=row, reason=why)
    return {name: row.unseal_field(name) for name in ("name", "phone", "text")}


@operation("entitlements.objection.decide", label=N_("处理异议"))
def decide_objection(
    *, actor: Actor, now: datetime, objection_id: Id, outcome: Annotated[str, Input(N_("结论"), choices=OUTCOMES, widget="radio")],
    answer: Annotated[str, Input(N_("理由"), help=N_("不要写提出人的姓名"), max_length=500, widget="area")], seen: Seen = None,
) -> Objection:  # fmt: skip
    """Decide an objection, by a person who neither took it down nor reviewed the application. One that holds sends it back to review."""
    row = locked(Objection.objects.all(), objection_id, seen)
    require(actor, "entitlements.objection.decide", div=row.div)
    known_choice(outcome, OUTCOMES, "outcome")
    target = OBJECTION.target(outcome, row.state)
    application = open_application(row.application_id)
    if actor.user_id in (row.entered_by_id, application.reviewed_by_id):
        raise Refused("objection.two_persons", N_("登记人和初审人不能处理异议，请由另一位有权限的人员办理"))
    said = required_text(answer, "answer", most=500)
    changes = changed(row, now=now, state=target, decided_by_id=actor.user_id, decided_at=now, answer=said)
    record(actor=actor, now=now, event="entitlements.objection.decide", subject=row, changes=changes, reason=said)
    if outcome == "uphold":
        _reopen(actor, now, application)
    tell("applications", pk=application.pk, div=application.div)
    return row


def _reopen(actor: Actor, now: datetime, row: Application) -> None:
    """Send an application back to review: what was found and published before counts no more."""
    if row.state not in (ApplicationState.NOTICED, ApplicationState.WAITING):
        return
    move(
        actor, now, row, "reopen", event="entitlements.objection.decide", procedure=procedure_for(row, local_date(now)), reviewed_by_id=None,
        reviewed_at=None, findings="", notice=None, decided_by_id=None, decided_at=None, queued_at=None,
    )  # fmt: skip
    push(now, row, "reopened", N_("您的“%(scheme)s”申请（%(number)s）因公示异议重新初审。"))
