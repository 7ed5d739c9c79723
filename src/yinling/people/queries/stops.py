"""Reading what stops an elder's services and benefits."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from yinling.people.models import Circumstance, Elder
from yinling.people.stops import DEATH, STOPPING, Stop, cause_of, end_of_life, stop_of


def stopping_facts(elder_ids: Iterable[int]) -> QuerySet[Circumstance]:
    """Circumstances on record that stop something, the latest first."""
    rows = Circumstance.objects.filter(elder_id__in=list(elder_ids), kind__in=STOPPING, recorded_to=None)
    return rows.order_by("-valid_from", "-id")


def stops_of(elder_ids: Iterable[int]) -> dict[int, list[Stop]]:
    """Return what stops each of some elders. A death counts from its hour, if that is known. Two queries."""
    wanted = list(elder_ids)
    deaths = {
        row.pk: row for row in Elder.objects.filter(pk__in=wanted, died_on__isnull=False).only("died_on", "died_at")
    }
    causes = {pk: f"people.elder:{pk}" for pk in deaths}
    found: dict[int, list[Stop]] = {}
    for fact in stopping_facts(wanted):
        if fact.kind == DEATH:
            causes[fact.elder_id] = cause_of(fact.pk)
        else:
            days = (fact.valid_from, fact.valid_to)
            found.setdefault(fact.elder_id, []).append(stop_of(fact.kind, cause_of(fact.pk), days))
    for pk, row in deaths.items():
        if row.died_on is not None:
            stop = Stop(DEATH, causes[pk], end_of_life(row.died_on, row.died_at))
            found.setdefault(pk, []).insert(0, stop)
    return found


def stopped_elders(div: str) -> QuerySet[Elder]:
    """Elders of an area whose death or whose stay away is on record."""
    away = Circumstance.objects.within(div).filter(kind__in=STOPPING, recorded_to=None)
    return Elder.objects.filter(Q(died_on__isnull=False) | Q(pk__in=away.values("elder_id")))
