"""Reading results of assessments."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from yinling.assessment.models import Assessment
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor


def current_level(elder_id: int, on: date) -> Assessment | None:
    """Return the result that holds for an elder on a day; of two scales, the one assessed last."""
    rows = Assessment.objects.filter(in_force(on), elder_id=elder_id)
    return rows.order_by("-assessed_on", "scale").first()


def assessments_of(actor: Actor, elder_id: int) -> QuerySet[Assessment]:
    """Every result of an elder on record, the newest first."""
    rows = Assessment.objects.visible_to(actor).filter(elder_id=elder_id, recorded_to=None)
    return rows.select_related("provider").order_by("-assessed_on", "-id")


def at_level(level: str, on: date) -> QuerySet[Assessment]:
    """Results of a level that hold on a day, to filter elders by."""
    return Assessment.objects.filter(in_force(on), level=level)


def levels_of(elder_ids: list[int], on: date) -> dict[int, str]:
    """Return the level of each elder of a list on a day."""
    rows = Assessment.objects.filter(in_force(on), elder_id__in=elder_ids).order_by("assessed_on", "-scale")
    return dict(rows.values_list("elder_id", "level"))
