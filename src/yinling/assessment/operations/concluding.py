"""What others say to a submitted form, and the result that comes of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from yinling.accounts.operations import record
from yinling.assessment.inputs import Opinion
from yinling.assessment.models import Assessor, Form, Request
from yinling.assessment.operations.arranging import first_people, qualification_text
from yinling.assessment.operations.results import write_result
from yinling.assessment.process import process
from yinling.assessment.queries import died_on, person_of
from yinling.assessment.rules import check_notice, check_reviewers, qualified_by
from yinling.assessment.states import FORM, REQUEST, RequestState
from yinling.directory.models import Staff
from yinling.directory.queries import system_actor
from yinling.directory.rules import require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Reason, Seen
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.models import Elder

OTHERS = ("reviewer", "confirming")


@operation("assessment.request.review", label=N_("复核"))
def review_request(*, actor: Actor, now: datetime, request_id: Id, opinion: Opinion, seen: Seen = None) -> Request:
    """Somebody who was not there has looked at the form."""
    row = locked(Request.objects.select_related("former"), request_id, seen)
    require(actor, "assessment.request.review", div=row.div)
    return _add_opinion(actor, now, row, "reviewer", opinion)


@operation("assessment.request.confirm", label=N_("专家确认"))
def confirm_request(*, actor: Actor, now: datetime, request_id: Id, opinion: Opinion, seen: Seen = None) -> Request:
    """An expert who was not there confirms the proposed conclusion."""
    row = locked(Request.objects.select_related("former"), request_id, seen)
    require(actor, "assessment.request.confirm", div=row.div)
    return _add_opinion(actor, now, row, "confirming", opinion)


def _add_opinion(actor: Actor, now: datetime, row: Request, capacity: str, opinion: str) -> Request:
    if row.state != RequestState.SUBMITTED:
        raise NotAllowed("request.not_submitted", N_("评估表尚未提交或结果已定，不能复核或确认"))
    staff = Staff.objects.filter(user_id=actor.user_id or 0).first()
    if staff is None:
        raise Refused("assessor.no_staff", N_("您的账号没有对应的工作人员登记，请联系机构管理员"))
    if staff.pk in first_people(row):
        raise Refused("request.first_people", N_("%(name)s 参加过原评估，复评须回避"), name=staff.name)
    if Assessor.objects.filter(request=row, staff=staff).exists():
        raise Refused("assessor.twice", N_("同一人在一次评估中只能承担一项职责"))
    today = local_date(now)
    person, held = person_of(staff, capacity, today), ""
    if capacity == "confirming":
        held = qualified_by(person, process(row.scale, row.div, today))
    text = required_text(opinion, "opinion", most=500)
    Assessor.objects.create(
        div=row.div, request=row, elder_id=row.elder_id, provider_id=row.body_id, staff=staff, capacity=capacity, staff_name=staff.name,
        qualification=qualification_text(person, held) if held else "", opinion=text, assigned_at=now, signed_at=now,
    )  # fmt: skip
    verb = "review" if capacity == "reviewer" else "confirm"
    return _told(actor, now, row, verb, changed(row, now=now) | {"staff": [None, staff.pk]}, text)


@operation("assessment.request.notice", label=N_("开始公示"))
def notice_request(*, actor: Actor, now: datetime, request_id: Id, seen: Seen = None) -> Request:
    """Put a conclusion that gives benefits up for public notice. The notice names no illness and no answers."""
    row = locked(Request.objects.select_related("form"), request_id, seen)
    require(actor, "assessment.request.notice", div=row.div)
    target, today = REQUEST.target("notice", row.state), local_date(now)
    rules = process(row.scale, row.div, today)
    if row.form.level not in rules.notice_levels:
        raise Refused("request.no_notice", N_("该等级不需要公示，可以直接认定"))
    _check_others(row)
    until = today + timedelta(days=rules.notice_days) + ONE_DAY
    changes = changed(row, now=now, state=target, notice_from=today, notice_to=until)
    return _told(actor, now, row, "notice", changes)


@operation("assessment.request.return", label=N_("退回重评"))
def return_request(*, actor: Actor, now: datetime, request_id: Id, reason: Reason, seen: Seen = None) -> Request:
    """Send a form back to those who wrote it: a reviewer or an objection found a fault. All sign again."""
    row = locked(Request.objects.all(), request_id, seen)
    require(actor, "assessment.request.return", div=row.div)
    target, why = REQUEST.target("return", row.state), required_text(reason, "reason", most=500)
    form = locked(Form.objects.filter(request=row), Form.objects.get(request=row).pk)
    values = changed(
        form,
        now=now,
        state=FORM.target("return", form.state),
        outcome={},
        level="",
        needed_families=[],
        submitted_at=None,
    )
    record(actor=actor, now=now, event="assessment.form.return", subject=form, changes=values)
    Assessor.objects.filter(request=row, capacity__in=OTHERS).delete()
    Assessor.objects.filter(request=row).update(signed_at=None)
    changes = changed(row, now=now, state=target, submitted_at=None, notice_from=None, notice_to=None)
    return _told(actor, now, row, "return", changes, why)


@operation("assessment.request.conclude", label=N_("认定结果"))
def conclude_request(*, actor: Actor, now: datetime, request_id: Id, seen: Seen = None) -> Request:
    """Put the result on record where the elder lives, for the term that its scale and level have."""
    row = locked(Request.objects.select_related("form"), request_id, seen)
    require(actor, "assessment.request.conclude", div=row.div)
    target, today, form = REQUEST.target("conclude", row.state), local_date(now), row.form
    died = died_on(row.elder_id)
    if died is not None and form.assessed_on is not None and died < form.assessed_on:
        raise NotAllowed("elder.dead", N_("此人已登记去世，不能登记此后的评估"))
    _check_others(row)
    check_notice(process(row.scale, row.div, today), form.level, notice_to=row.notice_to, today=today)
    _write(row, form, now)
    changes = changed(row, now=now, state=target, concluded_at=now)
    return _told(actor, now, row, "conclude", changes | {"level": [None, form.level]})


def _check_others(row: Request) -> None:
    found = list(Assessor.objects.filter(request=row, capacity__in=OTHERS).values_list("capacity", flat=True))
    day = row.form.assessed_on or local_date(row.created_at)
    check_reviewers(process(row.scale, row.div, day), found.count("reviewer"), found.count("confirming"))


def _write(row: Request, form: Form, now: datetime) -> None:
    """Write the result as the system: the elder may live in another county than the station that answers for the application."""
    outcome = form.outcome
    points = outcome.get("total", outcome.get("not_achieved"))
    with scope(system_actor(row.home_div[:2])):
        elder = Elder.objects.select_for_update(of=("self",)).get(pk=row.elder_id)
        write_result(
            elder=elder, provider_id=row.body_id, scale=row.scale, level=form.level, assessed_on=form.assessed_on or local_date(now), now=now,
            request=row, scale_version=form.scale_version, points=points, purpose=row.purpose, reason=row.reason, mode=row.mode,
            outcome=outcome, needed_families=form.needed_families,
        )  # fmt: skip


def _told(
    actor: Actor, now: datetime, row: Request, verb: str, changes: dict[str, list[object]], why: str = ""
) -> Request:
    record(actor=actor, now=now, event=f"assessment.request.{verb}", subject=row, changes=changes, reason=why)
    tell("assessments", pk=row.pk, div=row.div)
    if verb == "conclude":
        tell("elders", pk=row.elder_id, div=row.home_div)
    return row
