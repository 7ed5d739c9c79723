"""Reading results of assessments, each in its own scale."""

from __future__ import annotations

from datetime import date

from django.db.models import CharField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet

from yinling.assessment.inputs import ABILITY_SCALES
from yinling.assessment.models import Assessment, ScaleConfirmation
from yinling.assessment.queries.policies import gated_part, is_confirmed
from yinling.assessment.rules import Held
from yinling.assessment.scoring import scales
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor
from yinling.kernel.period import DayPeriod


def current_level(elder_id: int, on: date) -> Assessment | None:
    """Return the result that says an elder's level of ability on a day; of the two ability scales, the one assessed last."""
    rows = Assessment.objects.filter(in_force(on), elder_id=elder_id, scale__in=ABILITY_SCALES)
    return rows.order_by("-assessed_on", "scale").first()


def current_result(elder_id: int, scale: str, on: date) -> Assessment | None:
    """Return the result of one scale that holds for an elder on a day, provisional or not."""
    return Assessment.objects.filter(in_force(on), elder_id=elder_id, scale=scale).first()


def deciding_result(elder_id: int, scale: str, on: date) -> Assessment | None:
    """Return the result of one scale on which a benefit may rest: none while it is provisional, none without a level."""
    row = current_result(elder_id, scale, on)
    return None if row is None or not row.level or is_provisional(row, on) else row


def deciding(rows: QuerySet[Assessment], on: date) -> QuerySet[Assessment]:
    """Return of some results those on which a benefit may rest: none of a gated scale that nobody has confirmed for their area,
    none without a level.
    """
    gated = [scale_id for scale_id in scales() if gated_part(scale_id)]
    stands = ScaleConfirmation.objects.filter(
        in_force(on), scale=OuterRef("scale"), scale_version=OuterRef("scale_version")
    )
    stands = stands.annotate(place=ExpressionWrapper(OuterRef("div"), CharField())).filter(place__startswith=F("div"))
    return rows.exclude(level="").exclude(Q(scale__in=gated) & ~Exists(stands))


def is_provisional(row: Assessment, on: date) -> bool:
    """Whether a result is shown but decides nothing: part of its scale waits for a named person's confirmation."""
    return not is_confirmed(row.scale, row.scale_version, row.div, on)


def held_of(row: Assessment, on: date) -> Held:
    """Return a result as the rules see it."""
    return Held(
        scale=row.scale, level=row.level, assessed_on=row.assessed_on, valid=DayPeriod(row.valid_from, row.valid_to), purpose=row.purpose,
        is_provisional=is_provisional(row, on),
    )  # fmt: skip


def assessments_of(actor: Actor, elder_id: int) -> QuerySet[Assessment]:
    """Every result of an elder on record, the newest first."""
    rows = Assessment.objects.visible_to(actor).filter(elder_id=elder_id, recorded_to=None)
    return rows.select_related("provider").order_by("-assessed_on", "-id")


def at_level(level: str, on: date) -> QuerySet[Assessment]:
    """Results of a level of ability that hold on a day, to filter elders by."""
    return Assessment.objects.filter(in_force(on), level=level, scale__in=ABILITY_SCALES)


def levels_of(elder_ids: list[int], on: date) -> dict[int, str]:
    """Return the level of ability of each elder of a list on a day."""
    rows = Assessment.objects.filter(in_force(on), elder_id__in=elder_ids, scale__in=ABILITY_SCALES)
    return dict(rows.order_by("assessed_on", "-scale").values_list("elder_id", "level"))


def moved(div: str) -> QuerySet[Assessment]:
    """Results that do not lie where their elders live."""
    return Assessment.objects.within(div).exclude(div=F("elder__div")).select_related("elder")
