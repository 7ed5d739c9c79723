"""The lists of a scheme: who could have it and has not applied, who holds it and no longer may, whose time runs out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Substr

from yinling.entitlements.models import Application, Entitlement, Scheme, Standing
from yinling.entitlements.states import OPEN
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor

STREET = 9
EXPIRING_DAYS = 60
FITS, HOLDS, CANDIDATES, LOST = range(4)
"""Places in the counts of an area."""


def _applying() -> QuerySet[Application]:
    return Application.objects.filter(
        elder_id=OuterRef("elder_id"), scheme_id=OuterRef("scheme_id"), state__in=[str(one) for one in OPEN]
    )


_FITS = Q(grade__isnull=False)
_COUNTS = {
    "fits": Count("pk", filter=_FITS),
    "holds": Count("pk", filter=Q(is_held=True)),
    "candidates": Count("pk", filter=Q(_FITS, ~Exists(_applying()), is_held=False)),
    "lost": Count("pk", filter=Q(grade=None)),
}


def candidates(actor: Actor, scheme: Scheme, on: date) -> QuerySet[Standing]:
    """Elders who fit by the list and neither hold the scheme nor have an application on its way (R-PAY-11)."""
    return (
        Standing.objects.visible_to(actor)
        .filter(_FITS, ~Exists(_holding(on)), ~Exists(_applying()), scheme=scheme, is_held=False)
        .select_related("elder")
        .order_by("div", "elder_id")
    )


def lost(actor: Actor, scheme: Scheme, on: date) -> QuerySet[Standing]:
    """Elders who hold the scheme and by the list no longer meet its conditions."""
    rows = Standing.objects.visible_to(actor).filter(Exists(_holding(on)), scheme=scheme, grade=None)
    return rows.select_related("elder").order_by("div", "elder_id")


def expiring(actor: Actor, scheme: Scheme, on: date) -> QuerySet[Entitlement]:
    """Entitlements of a scheme that end within 60 days, the first to end first."""
    soon = on + timedelta(days=EXPIRING_DAYS)
    rows = Entitlement.objects.visible_to(actor).filter(in_force(on), scheme=scheme, valid_to__lte=soon)
    return rows.select_related("elder").order_by("valid_to", "pk")


def _holding(on: date) -> QuerySet[Entitlement]:
    return Entitlement.objects.filter(in_force(on), elder_id=OuterRef("elder_id"), scheme_id=OuterRef("scheme_id"))


def counted(scheme: Scheme, div: str) -> dict[str, list[int]]:
    """Count the list of a scheme in an area by street: fits, holds, could apply, no longer fits."""
    return _by(Standing.objects.within(div).filter(scheme=scheme), STREET)


def counts_below(actor: Actor, scheme: Scheme, areas: Mapping[str, str]) -> list[tuple[str, list[int]]]:
    """Return the counts of areas (code to name) below the actor's. Streets and what is above them were counted with the list."""
    found = [(div, name) for div, name in areas.items() if div.startswith(scheme.div) or scheme.div.startswith(div)]
    if any(len(div) > STREET for div, _name in found):
        live = _by(Standing.objects.visible_to(actor).filter(scheme=scheme), 12)
        return [(name, live.get(div, [0, 0, 0, 0])) for div, name in found]
    return [(name, counts_of(scheme, div)) for div, name in found]


def counts_of(scheme: Scheme, div: str) -> list[int]:
    """Return the counts of an area no smaller than a street, as reckoned."""
    rows = [counts for street, counts in scheme.reckoned_counts.items() if street.startswith(div)]
    return [sum(column) for column in zip(*rows, strict=True)] if rows else [0, 0, 0, 0]


def _by(rows: QuerySet[Standing], size: int) -> dict[str, list[int]]:
    grouped = rows.annotate(part=Substr(F("div"), 1, size)).values("part").annotate(**_COUNTS).order_by("part")
    return {part: numbers for part, *numbers in grouped.values_list("part", *_COUNTS)}
