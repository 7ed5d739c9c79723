"""Recording results of assessments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from django.db.models import F

from yinling.accounts.operations import record
from yinling.assessment.models import Assessment
from yinling.assessment.rules import check_result, validity
from yinling.directory.models import Organisation
from yinling.directory.rules import known_choice, require
from yinling.ground.facts import curtail
from yinling.ground.operation import explain_constraint, locked, operation
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.models import Elder

explain_constraint("assessment_no_overlap", "assessment.overlap", N_("这段时间已有同一标准的评估结果"))

Scale = Annotated[str, Input(N_("评估标准"), choices=Assessment.SCALES, widget="choice")]
Level = Annotated[str, Input(N_("等级"), choices=Assessment.LEVELS, widget="choice")]
Points = Annotated[int | None, Input(N_("总分"), least=0, most=90, widget="number")]
AssessedOn = Annotated[date, Input(N_("评估日期"), widget="date")]
Body = Annotated[int, Input(N_("评估机构"), least=1, widget="choice")]


@operation("assessment.assessment.record", label=N_("登记评估结果"))
def record_assessment(
    *, actor: Actor, now: datetime, elder_id: Id, scale: Scale, level: Level, points: Points = None, assessed_on: AssessedOn,
    organisation_id: Body,
) -> Assessment:  # fmt: skip
    """Record a result; it replaces an earlier one of the same scale from its day on. An older result than the one on record is refused."""
    elder = locked(Elder.objects.all(), elder_id)
    require(actor, "assessment.assessment.record", div=elder.div)
    if elder.died_on is not None and elder.died_on < assessed_on:
        raise NotAllowed("elder.dead", N_("此人已登记去世，不能登记此后的评估"))
    known_choice(scale, Assessment.SCALES, "scale")
    known_choice(level, Assessment.LEVELS, "level")
    check_result(scale=scale, level=level, points=points, assessed_on=assessed_on, today=local_date(now))
    body = Organisation.objects.filter(pk=organisation_id).first()
    if body is None:
        raise Refused("organisation.unknown", N_("没有这个机构，请从列表中选择"), field="organisation_id")
    days = validity(assessed_on, int(parameter("assessment.valid_months", elder.div, assessed_on)))
    same = Assessment.objects.filter(elder=elder, scale=scale, recorded_to=None)
    for former in same.filter(valid_to__gt=assessed_on).select_for_update(of=("self",)):
        if former.assessed_on > assessed_on:
            raise Refused("assessment.older", N_("已有更新的评估结果，请核对评估日期"), field="assessed_on")
        curtail(former, until=assessed_on, now=now)
    row = Assessment.objects.create(
        div=elder.div, elder=elder, provider=body, scale=scale, level=level, points=points, assessed_on=assessed_on,
        valid_from=days.from_, valid_to=days.to, recorded_from=now,
    )  # fmt: skip
    changes = {"scale": [None, scale], "level": [None, level], "points": [None, points]}
    record(actor=actor, now=now, event="assessment.assessment.record", subject=row, changes=changes)
    return row


def follow_elders(div: str) -> int:
    """Bring results to the area their elders moved to, so that its staff see them; return how many."""
    moved = Assessment.objects.within(div).exclude(div=F("elder__div")).select_related("elder")
    for row in moved:
        Assessment.objects.filter(pk=row.pk).update(div=row.elder.div)
    return len(moved)
