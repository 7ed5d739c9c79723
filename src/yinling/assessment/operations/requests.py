"""Applying for an assessment, and what the centre does with the application before anybody goes out."""

from __future__ import annotations

from datetime import datetime

from yinling.accounts.operations import record
from yinling.assessment import inputs
from yinling.assessment.inputs import Applicant, Change, Former, Mode, Purpose, Scale, WhyNow
from yinling.assessment.models import Assessment, Request
from yinling.assessment.process import process, setting
from yinling.assessment.queries import CONSENT, current_result, has_consent, held_of, serving
from yinling.assessment.rules import check_appeal, check_occasion, check_second, check_six_abilities, station
from yinling.assessment.states import REQUEST
from yinling.directory.models import Area
from yinling.directory.rules import known_choice, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.models import Circumstance, Elder
from yinling.people.operations.elders import open_file
from yinling.people.queries import circumstances_on

explain_constraint("request_once", "request.open", N_("同一标准和用途已有办理中的申请，请不要重复申请"))


@operation("assessment.request.apply", label=N_("申请评估"))
def request_assessment(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, elder_id: Id, scale: Scale, purpose: Purpose, reason: WhyNow, mode: Mode, change_declared: Change = "",
    former_id: Former = None, applied_as: Applicant,
) -> Request:  # fmt: skip
    """Apply for an assessment. A valid result for the purpose blocks it unless a change is declared (R-ASM-01, R-ASM-08)."""
    elder = open_file(elder_id)
    require(actor, "assessment.request.apply", div=elder.div, elder_id=elder.pk)
    _check_choices(scale=scale, purpose=purpose, reason=reason, mode=mode, applied_as=applied_as)
    if applied_as == "staff" and actor.elder_ids:
        raise Refused("request.applicant", N_("请选择您与老人的关系"), field="applied_as")
    if elder.died_on is not None:
        raise NotAllowed("elder.dead", N_("此人已登记去世，不能申请评估"))
    former = _former(elder, former_id, scale, reason, now)
    _check_grounds(elder, scale, purpose, reason, change_declared, former, now)
    row = Request(
        div=_station(elder, scale, reason, now), home_div=elder.div, elder=elder, former=former, scale=scale, purpose=purpose, reason=reason,
        mode=mode, change_declared=change_declared.strip(), applied_as=applied_as, applied_by_id=actor.user_id, elder_name=elder.name,
        elder_sex=elder.sex, born_on=elder.born_on, address=elder.household.address, created_at=now, changed_at=now,
    )  # fmt: skip
    row.seal_field("phone", elder.unseal_field("phone"))
    row.save(force_insert=True)
    changes = {"scale": [None, scale], "purpose": [None, purpose], "reason": [None, reason]}
    record(
        actor=actor, now=now, event="assessment.request.apply", subject=row, changes=changes, reason=row.change_declared
    )
    tell("assessments", pk=row.pk, div=row.div)
    return row


def _check_choices(*, scale: str, purpose: str, reason: str, mode: str, applied_as: str) -> None:
    known_choice(scale, inputs.SCALES, "scale")
    known_choice(purpose, inputs.PURPOSES, "purpose")
    known_choice(reason, inputs.REASONS, "reason")
    known_choice(mode, inputs.MODES, "mode")
    known_choice(applied_as, inputs.APPLICANTS, "applied_as")
    check_occasion(scale, mode, purpose)


def _former(elder: Elder, former_id: int | None, scale: str, reason: str, now: datetime) -> Assessment | None:
    """Return the result appealed or assessed again; without a choice, the one in force."""
    if former_id is None:
        return current_result(elder.pk, scale, local_date(now)) if reason != "appeal" else None
    former = Assessment.objects.filter(pk=former_id, elder=elder, recorded_to=None).first()
    if former is None:
        raise Refused("request.no_former", N_("没有这个评估结果，请从老人的评估页提出"), field="former_id")
    return former


def _check_grounds(
    elder: Elder, scale: str, purpose: str, reason: str, change: str, former: Assessment | None, now: datetime
) -> None:  # fmt: skip
    today = local_date(now)
    rules = process(scale, elder.div, today)
    if reason == "appeal":
        held = None if former is None else held_of(former, today)
        was_appeal = former is not None and former.reason == "appeal"
        check_appeal(held, scale_id=scale, was_appeal=was_appeal, process=rules, on=today)
    if scale == "cq6":
        groups = setting("cq6", "groups", elder.div, today)
        check_six_abilities(circumstances_on(elder.pk, today), groups, is_recognised=_is_recognised(elder, now))
    found = serving(elder.pk, scale, purpose, elder.div, today, consents=has_consent(elder.pk, CONSENT, today))
    check_second(found, scale_id=scale, reason=reason, change_declared=change, on=today, process=rules)


def _is_recognised(elder: Elder, now: datetime) -> bool:
    """Whether a scattered destitute person already counts as disabled: by the six abilities, or by the detail of the recognition."""
    former = current_result(elder.pk, "cq6", local_date(now))
    told = Circumstance.objects.filter(elder=elder, kind="destitute", recorded_to=None, detail__contains="失能")
    return (former is not None and former.level == "lost") or told.exists()


def _station(elder: Elder, scale: str, reason: str, now: datetime) -> str:
    rule = setting(scale, "station", elder.div, local_date(now))
    place = station(reason, elder.div, elder.hukou_div, rule)
    if place != elder.div and not Area.objects.filter(div=place).exists():
        raise Refused(
            "request.hukou_elsewhere",
            N_("老人户籍在外地，动态评估须向户籍地服务站申请；本地需要的请选“常规评估”"),
            field="reason",
        )
    return place


@operation("assessment.request.verify", label=N_("核实受理"))
def verify_request(*, actor: Actor, now: datetime, request_id: Id, seen: Seen = None) -> Request:
    """The county centre has verified the application that came to a station."""
    row = locked(Request.objects.all(), request_id, seen)
    require(actor, "assessment.request.verify", div=row.div)
    changes = changed(row, now=now, state=REQUEST.target("verify", row.state), verified_at=now)
    return _told(actor, now, row, "assessment.request.verify", changes)


@operation("assessment.request.reject", label=N_("不予受理"))
def reject_request(*, actor: Actor, now: datetime, request_id: Id, reason: Reason, seen: Seen = None) -> Request:
    """The centre does not take the application on, and says why."""
    row = locked(Request.objects.all(), request_id, seen)
    require(actor, "assessment.request.reject", div=row.div)
    why = required_text(reason, "reason", most=500)
    changes = changed(row, now=now, state=REQUEST.target("reject", row.state), end_reason=why)
    return _told(actor, now, row, "assessment.request.reject", changes, why)


@operation("assessment.request.withdraw", label=N_("撤回申请"))
def withdraw_request(*, actor: Actor, now: datetime, request_id: Id, reason: Reason, seen: Seen = None) -> Request:
    """Take an application back before anybody has assessed. The home's own station may do so, too."""
    row = locked(Request.objects.all(), request_id, seen)
    at_home = row.home_div if actor.covers(row.home_div) else row.div
    require(actor, "assessment.request.withdraw", div=at_home, elder_id=row.elder_id)
    why = required_text(reason, "reason", most=500)
    changes = changed(row, now=now, state=REQUEST.target("withdraw", row.state), end_reason=why)
    return _told(actor, now, row, "assessment.request.withdraw", changes, why)


def _told(
    actor: Actor, now: datetime, row: Request, event: str, changes: dict[str, list[object]], why: str = ""
) -> Request:
    record(actor=actor, now=now, event=event, subject=row, changes=changes, reason=why)
    tell("assessments", pk=row.pk, div=row.div)
    return row
