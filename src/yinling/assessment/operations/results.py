"""Writing results: concluded here or delivered by another department; and reading the sealed answers behind one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from django.db.models import F

from yinling.accounts.operations import record
from yinling.assessment.inputs import DEPARTMENTS, AssessedOn, Body, Department, Document, Points, Scale
from yinling.assessment.models import Assessment, Form, Request
from yinling.assessment.process import months_valid
from yinling.assessment.queries import content_of, moved
from yinling.assessment.rules import check_result, level_codes, validity
from yinling.assessment.scoring import scale as scale_of
from yinling.assessment.scoring import scales
from yinling.assessment.states import OPEN
from yinling.directory.models import Organisation
from yinling.directory.rules import known_choice, require, required_text
from yinling.ground.facts import curtail
from yinling.ground.live import tell
from yinling.ground.operation import explain_constraint, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.operations.elders import open_file

explain_constraint("assessment_no_overlap", "assessment.overlap", N_("这段时间已有同一标准的评估结果"))


def _level_choices() -> list[tuple[str, str]]:
    """Every level of every scale once, ability first."""
    found: dict[str, str] = {}
    for scale_id in ("gbt42195_2022", "mzt039_2013", "ltc_2021_37", *scales()):
        for code, name in level_codes(scale_id).items():
            found.setdefault(code, name)
    return list(found.items())


Level = Annotated[str, Input(N_("等级"), choices=_level_choices(), widget="choice")]


def write_result(
    *, elder: Elder, provider_id: int, scale: str, level: str, assessed_on: date, now: datetime, **told: Any
) -> Assessment:
    """Put a result on record for its term; it takes over from an earlier one of its scale from its day on."""
    days = validity(assessed_on, months_valid(scale, level, elder.div, assessed_on))
    same = Assessment.objects.filter(elder=elder, scale=scale, recorded_to=None)
    for former in same.filter(valid_to__gt=assessed_on).select_for_update(of=("self",)):
        if former.assessed_on > assessed_on:
            raise Refused("assessment.older", N_("已有更新的评估结果，请核对评估日期"), field="assessed_on")
        curtail(former, until=assessed_on, now=now)
    return Assessment.objects.create(
        div=elder.div, elder=elder, provider_id=provider_id, scale=scale, level=level, assessed_on=assessed_on,
        valid_from=days.from_, valid_to=days.to, recorded_from=now, **told,
    )  # fmt: skip


@operation("assessment.assessment.record", label=N_("登记外部门评估结果"))
def record_assessment(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, elder_id: Id, scale: Scale, level: Level, points: Points = None, assessed_on: AssessedOn,
    organisation_id: Body, department: Department, document: Document,
) -> Assessment:  # fmt: skip
    """Record a result that another department delivered on a document. Our own assessments come from an application."""
    elder = open_file(elder_id)
    require(actor, "assessment.assessment.record", div=elder.div)
    if elder.died_on is not None and elder.died_on < assessed_on:
        raise NotAllowed("elder.dead", N_("此人已登记去世，不能登记此后的评估"))
    known_choice(scale, Assessment.SCALES, "scale")
    known_choice(department, DEPARTMENTS, "department")
    if level not in level_codes(scale):
        raise Refused("assessment.level", N_("该标准没有这一级，请核对"), field="level")
    check_result(scale=scale, level=level, points=points, assessed_on=assessed_on, today=local_date(now))
    body = Organisation.objects.filter(pk=organisation_id).first()
    if body is None:
        raise Refused("organisation.unknown", N_("没有这个机构，请从列表中选择"), field="organisation_id")
    row = write_result(
        elder=elder, provider_id=body.pk, scale=scale, level=level, assessed_on=assessed_on, now=now, points=points,
        scale_version=str(scale_of(scale)["version"]), department=department, document=required_text(document, "document"),
    )  # fmt: skip
    changes = {
        "scale": [None, scale],
        "level": [None, level],
        "points": [None, points],
        "department": [None, department],
    }
    record(actor=actor, now=now, event="assessment.assessment.record", subject=row, changes=changes)
    tell("elders", pk=elder.pk, div=elder.div)
    return row


@operation("assessment.assessment.inspect", label=N_("查看评估答案"))
def inspect_answers(*, actor: Actor, now: datetime, assessment_id: Id, reason: Reason) -> dict[str, Any]:
    """Return every answer behind a result, once; who read it and why is on record."""
    row = Assessment.objects.filter(pk=assessment_id).first()
    if row is None:
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    require(actor, "assessment.assessment.inspect", div=row.div)
    form = Form.objects.filter(request_id=row.request_id or 0).first()
    if form is None:
        raise Refused("assessment.no_form", N_("这是外部门送达的结果，没有评估表"))
    why = required_text(reason, "reason", most=500)
    record(actor=actor, now=now, event="assessment.assessment.inspect", subject=row, changes={}, reason=why)
    return content_of(form)


def follow_elders(div: str) -> int:
    """Bring results and open applications to the area their elders moved to, so that its staff see them; return how many."""
    rows = list(moved(div))
    for row in rows:
        Assessment.objects.filter(pk=row.pk).update(div=row.elder.div)
    asked = Request.objects.filter(home_div__gte=div, home_div__lt=div + ":", state__in=OPEN)
    for request in asked.exclude(home_div=F("elder__div")).select_related("elder"):
        Request.objects.filter(pk=request.pk).update(home_div=request.elder.div)
    return len(rows)
