"""Reading surveys: how far each village is, and who is still to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Substr

from yinling.directory.models import Area
from yinling.directory.queries import areas_below
from yinling.ground.models import ScopedQuerySet
from yinling.kernel.actor import Actor
from yinling.kernel.period import born_by
from yinling.people.models import Campaign, Elder, SurveyAnswer


@dataclass(frozen=True)
class Coverage:
    """One area of a survey: whom to ask, who was asked, and what they said."""

    div: str
    name: str
    total: int
    asked: int
    outcomes: dict[str, int]

    @property
    def open(self) -> int:
        """How many are still to be asked."""
        return self.total - self.asked


def campaigns(actor: Actor) -> QuerySet[Campaign]:
    """Surveys that reach into the actor's area: of it, of a part of it, or of an area around it; the newest first."""
    around = [actor.div[:size] for size in range(2, len(actor.div))] if actor.div else []
    mine = Q(div__gte=actor.div, div__lt=f"{actor.div}:") if actor.div else Q(pk__in=[])
    return Campaign.objects.filter(mine | Q(div__in=around)).order_by("-ends_on", "-id")


def to_be_asked(actor: Actor, campaign: Campaign, on: date) -> ScopedQuerySet:
    """Living elders of the survey's area and age that the actor may see."""
    rows = Elder.objects.visible_to(actor).within(campaign.div).filter(died_on=None, merged_into=None)
    return rows.filter(born_on__lte=born_by(campaign.least_age, min(on, campaign.ends_on)))


def not_asked(actor: Actor, campaign: Campaign, on: date, div: str = "") -> QuerySet[Any]:
    """Who is still to be asked in an area, those who were not reached last."""
    answers = SurveyAnswer.objects.filter(campaign=campaign, elder=OuterRef("pk"))
    rows = to_be_asked(actor, campaign, on).filter(~Exists(answers.exclude(outcome="not_reached")))
    rows = rows.within(div) if div else rows
    return rows.select_related("household").annotate(was_tried=Exists(answers)).order_by("was_tried", "div", "id")


def coverage(actor: Actor, campaign: Campaign, div: str, on: date) -> list[Coverage]:
    """Return how far each area directly below one is; of a village itself one line. Three queries."""
    areas = list(areas_below(div)) or list(Area.objects.filter(pk=div))
    size = len(areas[0].div) if areas else len(div)
    people = to_be_asked(actor, campaign, on).within(div)
    totals = _by_area(people, size)
    answers = SurveyAnswer.objects.visible_to(actor).within(div).filter(campaign=campaign, elder__in=people)
    counted = answers.annotate(area=Substr("div", 1, size)).values_list("area", "outcome").annotate(count=Count("pk"))
    found: dict[str, dict[str, int]] = {}
    for area, outcome, count in counted.order_by():
        found.setdefault(area, {})[outcome] = count
    return [_line(area, totals, found) for area in areas]


def _by_area(people: QuerySet[Any], size: int) -> dict[str, int]:
    rows = people.annotate(area=Substr("div", 1, size)).values_list("area").annotate(count=Count("pk"))
    return dict(rows.order_by())


def _line(area: Area, totals: dict[str, int], found: dict[str, dict[str, int]]) -> Coverage:
    outcomes = found.get(area.div, {})
    asked = sum(count for outcome, count in outcomes.items() if outcome != "not_reached")
    return Coverage(area.div, area.short_name, totals.get(area.div, 0), asked, outcomes)


def sums(lines: Sequence[Coverage]) -> Coverage:
    """Add the lines up."""
    outcomes: dict[str, Any] = {}
    for line in lines:
        for outcome, count in line.outcomes.items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
    return Coverage("", "", sum(line.total for line in lines), sum(line.asked for line in lines), outcomes)
