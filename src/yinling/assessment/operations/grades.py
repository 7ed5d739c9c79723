"""Grades of health management. They stand in the health-record part of people, but ask for the level of ability."""

from __future__ import annotations

from datetime import datetime

from yinling.accounts.operations import record
from yinling.assessment.queries import current_level
from yinling.directory.rules import require
from yinling.ground.live import tell
from yinling.ground.operation import operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed
from yinling.kernel.words import N_
from yinling.people.grading import Health, grade_of
from yinling.people.models import HealthFact
from yinling.people.operations import write_grade
from yinling.people.operations.elders import open_file
from yinling.people.queries import age, circumstances_on, grade_terms
from yinling.people.queries.health import read_facts


@operation("assessment.health.grade", label=N_("计算分级"))
def grade_health(*, actor: Actor, now: datetime, elder_id: Id) -> HealthFact:
    """Reckon the grade of an elder from level, circumstances and facts, by the rule of the area in force today (R-PEO-06)."""
    elder = open_file(elder_id)
    require(actor, "assessment.health.grade", div=elder.div)
    if elder.died_on is not None:
        raise NotAllowed("elder.dead", N_("此人已登记去世，不能这样做"))
    today = local_date(now)
    level = current_level(elder.pk, today)
    kinds = [fact.kind for fact in read_facts(elder.pk, frozenset({"diagnosis", "medication"}), today)]
    health = Health(
        age=age(elder, today), level=level.level if level else "", circumstances=frozenset(circumstances_on(elder.pk, today)),
        diagnoses=kinds.count("diagnosis"), medications=kinds.count("medication"),
    )  # fmt: skip
    row = write_grade(actor, now, elder, grade_of(health, grade_terms(elder.div, today)))
    record(
        actor=actor,
        now=now,
        event="assessment.health.grade",
        subject=row,
        changes={"grade": [None, row.item], "rule": [None, row.rule]},
    )
    tell("elders", pk=elder.pk, div=elder.div)
    return row
