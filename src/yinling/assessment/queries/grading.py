"""Whose grade of health management has to be reckoned anew."""

from __future__ import annotations

from datetime import date

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery

from yinling.assessment.models import Assessment
from yinling.ground.models import in_force
from yinling.people.models import Circumstance, Elder, HealthFact
from yinling.people.queries import grade_terms


def due_for_grading(div: str, on: date) -> QuerySet[Elder]:
    """Living elders with a health record and no grade in force, an old rule's, or one older than what is known of them now."""
    version = str(grade_terms(div, on)["version"])
    own = {"elder": OuterRef("pk")}
    facts = HealthFact.objects.filter(**own)
    grades = facts.filter(in_force(on), kind="grade")
    since = Subquery(grades.order_by().values("elder").annotate(last=Max("recorded_from")).values("last"))
    news = [
        Exists(facts.exclude(kind="grade").filter(recorded_from__gt=OuterRef("graded_at"))),
        Exists(Circumstance.objects.filter(**own, recorded_from__gt=OuterRef("graded_at"))),
        Exists(Assessment.objects.filter(**own, recorded_from__gt=OuterRef("graded_at"))),
    ]
    rows = Elder.objects.within(div).filter(Exists(facts), died_on=None, merged_into=None).annotate(graded_at=since)
    changed = Q(graded_at=None) | Q(Exists(grades.exclude(rule=version)))
    for one in news:
        changed |= Q(one)
    return rows.filter(changed).order_by(F("graded_at").asc(nulls_first=True), "pk")
