"""Which provider has somebody free when, today and tomorrow: what an operator tells a caller (R-CALL-11)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from yinling.catalogue.queries import asking, families_asked
from yinling.directory.models import Absence, Organisation, Staff
from yinling.dispatch.models import LIVE, Assignment
from yinling.kernel.actor import Actor
from yinling.kernel.period import SHANGHAI, local_date

PARTS = ((8, 10), (10, 12), (12, 14), (14, 16), (16, 18))
"""The parts of a day that people speak of."""
AT_THE_DOOR = ("care_worker", "medical_care_worker", "nurse", "doctor")


@dataclass(frozen=True)
class Part:
    """A part of a day: from when to when."""

    from_at: datetime
    to_at: datetime


@dataclass(frozen=True)
class Free:
    """A provider's free people in each part."""

    provider: Organisation
    families: list[str]
    people: int
    counts: list[int]


def parts_ahead(now: datetime, days: int = 2) -> list[Part]:
    """Return the parts of today and the following days that have not begun."""
    dates = [local_date(now) + timedelta(days=number) for number in range(days)]
    parts = [
        Part(datetime.combine(one, time(first), SHANGHAI), datetime.combine(one, time(last), SHANGHAI))
        for one in dates
        for first, last in PARTS
    ]
    return [one for one in parts if one.from_at > now]


def providers_with(actor: Actor, family: str, now: datetime) -> QuerySet[Organisation]:
    """Return providers in business that ask a published price today, in a family or in any."""
    day = local_date(now)
    rows = Organisation.objects.filter(Q(valid_to=None) | Q(valid_to__gt=day), is_provider=True, valid_from__lte=day)
    within = rows.filter(div__gte=actor.div or "", div__lt=(actor.div or "") + ":")
    return within.filter(asking(day, now, family=family)).order_by("div", "short_name")


def availability(providers: Sequence[Organisation], now: datetime) -> list[Free]:
    """Return who is free when: four queries, whatever the number of providers."""
    parts, numbers = parts_ahead(now), [one.pk for one in providers]
    families = families_asked(providers, local_date(now), now)
    people = _people(numbers, parts, now)
    busy = _busy([one.pk for found in people.values() for one in found], parts)
    return [
        Free(
            one,
            sorted(families[one.pk]),
            len(people[one.pk]),
            [_count(people[one.pk], busy, part) for part in parts],
        )
        for one in providers
    ]


def _people(numbers: list[int], parts: list[Part], now: datetime) -> dict[int, list[Staff]]:
    last = local_date(parts[-1].to_at)
    rows = Staff.objects.filter(provider_id__in=numbers, kind__in=AT_THE_DOOR, employed_from__lte=last)
    found: dict[int, list[Staff]] = defaultdict(list)
    for row in rows.filter(Q(employed_to=None) | Q(employed_to__gt=local_date(now))):
        found[row.provider_id].append(row)
    return found


def _busy(staff_ids: list[int], parts: list[Part]) -> dict[int, list[tuple[datetime, datetime]]]:
    """When each person is not free: on the way to somebody, or absent."""
    start, end = parts[0].from_at, parts[-1].to_at
    found: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    away = Absence.objects.filter(Q(to_at=None) | Q(to_at__gt=start), staff_id__in=staff_ids, from_at__lt=end)
    visits = Assignment.objects.filter(staff_id__in=staff_ids, state__in=LIVE, starts_at__lt=end, ends_at__gt=start)
    spans: Iterable[tuple[Any, ...]] = [
        *away.values_list("staff_id", "from_at", "to_at"), *visits.values_list("staff_id", "starts_at", "ends_at")
    ]  # fmt: skip
    for number, from_at, to_at in spans:
        found[number].append((from_at, to_at or end))
    return found


def _count(people: list[Staff], busy: dict[int, list[tuple[datetime, datetime]]], part: Part) -> int:
    return sum(
        1
        for one in people
        if one.day_from <= part.from_at.astimezone(SHANGHAI).time()
        and one.day_to >= part.to_at.astimezone(SHANGHAI).time()
        and one.employed_from <= local_date(part.from_at)
        and (one.employed_to is None or one.employed_to > local_date(part.from_at))
        and not any(from_at < part.to_at and to_at > part.from_at for from_at, to_at in busy[one.pk])
    )
