"""Which parts of the files are missing, by area and by person (R-PEO-05)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Substr

from yinling.assessment.models import Assessment
from yinling.directory.models import Area
from yinling.directory.queries import areas_below
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor
from yinling.kernel.period import add_months
from yinling.kernel.words import N_
from yinling.people.models import Contact, Elder, HealthFact

MONTHS = 12
PARTS = [
    ("phone", N_("电话")), ("address", N_("住址定位")), ("contact", N_("紧急联系人")), ("verified", N_("12个月内核验")),
    ("record", N_("健康档案号")), ("allergy", N_("询问过敏")), ("check", N_("12个月内体检")), ("assessment", N_("能力评估")),
]  # fmt: skip


@dataclass(frozen=True)
class Completeness:
    """One area: its living elders, how many have each part, and how many have all."""

    div: str
    name: str
    total: int
    having: Mapping[str, int]
    complete: int


def _has(on: date) -> dict[str, Any]:
    """Return the condition of each part."""
    own, since = {"elder": OuterRef("pk")}, add_months(on, -MONTHS)
    facts = HealthFact.objects.filter(**own, recorded_to=None)
    return {
        "phone": Q(phone_index__isnull=False),
        "address": Q(household__lon__isnull=False) & ~Q(household__address=""),
        "contact": Exists(Contact.objects.filter(**own)),
        "verified": Q(verified_on__gt=since),
        "record": ~Q(health_record_ref=""),
        "allergy": Exists(facts.filter(kind="allergy")),
        "check": Exists(facts.filter(kind="check", valid_from__gt=since, valid_from__lte=on)),
        "assessment": Exists(Assessment.objects.filter(in_force(on), **own)),
    }


def _living(actor: Actor, div: str) -> QuerySet[Elder]:
    rows = Elder.objects.visible_to(actor).filter(died_on=None, merged_into=None)
    return rows.within(div) if div else rows


def completeness(actor: Actor, div: str, on: date) -> list[Completeness]:
    """Return the areas directly below one, or the village itself. Two or three queries."""
    areas = list(areas_below(div)) or list(Area.objects.filter(pk=div))
    if not areas:
        return []
    has = _has(on)
    every = Q()
    for condition in has.values():
        every &= Q(condition)
    counts = {f"n_{name}": Count("pk", filter=Q(condition)) for name, condition in has.items()}
    rows = _living(actor, div).annotate(area=Substr("div", 1, len(areas[0].div))).order_by().values("area")
    found = {row["area"]: row for row in rows.annotate(total=Count("pk"), complete=Count("pk", filter=every), **counts)}
    return [_line(area, found.get(area.div, {})) for area in areas]


def _line(area: Area, row: Mapping[str, Any]) -> Completeness:
    having = {name: int(row.get(f"n_{name}", 0)) for name, _label in PARTS}
    return Completeness(area.div, area.short_name, int(row.get("total", 0)), having, int(row.get("complete", 0)))


def lacking(actor: Actor, div: str, part: str, on: date) -> QuerySet[Elder]:
    """Living elders whose file has no such part."""
    rows = _living(actor, div).filter(~Q(_has(on)[part])).select_related("household")
    return rows.order_by("div", "id")


def grade_counts(actor: Actor, div: str, on: date) -> dict[str, int]:
    """Return how many living elders have each grade of health management."""
    rows = HealthFact.objects.visible_to(actor).filter(in_force(on), kind="grade", elder__died_on=None)
    rows = rows.within(div) if div else rows
    return dict(rows.order_by().values_list("item").annotate(count=Count("pk")))
