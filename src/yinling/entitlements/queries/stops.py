"""Reading what death, a move or a stay away from home does to entitlements."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import F, Q, QuerySet

from yinling.entitlements.models import Entitlement
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.kernel.period import ONE_DAY
from yinling.people.models import Circumstance
from yinling.people.queries import stopping_facts
from yinling.people.stops import DEATH, RESTING, cause_of


def to_be_stopped(div: str, on: date, elder_id: int | None = None) -> QuerySet[Entitlement]:
    """Entitlements on record beyond the death or the moving away of their elder, in an area or of one elder (R-PEO-03)."""
    away = Circumstance.objects.within(div).filter(in_force(on), kind="moved_away").values("elder_id")
    beyond = Q(valid_to=None) | Q(valid_to__gt=F("elder__died_on") + timedelta(days=1))
    dead = Q(elder__died_on__lte=on) & beyond
    left = (Q(valid_to=None) | Q(valid_to__gt=on)) & Q(elder_id__in=away)
    rows = Entitlement.objects.within(div).filter(dead | left, recorded_to=None)
    if elder_id is not None:
        rows = rows.filter(elder_id=elder_id)
    return rows.select_related("elder").order_by("id")


def last_day_of(row: Entitlement, today: date) -> tuple[date | None, str]:
    """Return the last day an entitlement may have, and what causes that: the day of death, or the one before moving away."""
    ends: list[tuple[date, str]] = []
    if (died_on := row.elder.died_on) is not None:
        ends.append((died_on, f"people.elder:{row.elder_id}"))
    for fact in stopping_facts([row.elder_id]):
        if fact.kind == DEATH and ends:
            ends[0] = (ends[0][0], cause_of(fact.pk))
        holds = fact.valid_from <= today and (fact.valid_to is None or today < fact.valid_to)
        if fact.kind == "moved_away" and holds:
            ends.append((fact.valid_from - ONE_DAY, cause_of(fact.pk)))
    return min(ends) if ends else (None, "")


def resting_payers(circumstances: frozenset[str] | set[str], div: str, on: date) -> set[str]:
    """Return whose money rests while the elder is in hospital or in a home; the others go on paying."""
    found: set[str] = set()
    for kind in circumstances & set(RESTING):
        found |= set(parameter(f"stops.resting.{kind}", div, on))
    return found
