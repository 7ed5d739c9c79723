"""What an elder may have: results of assessments and entitlements with what is left of them, in one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import BigIntegerField, CharField, F, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, Least

from yinling.assessment.models import Assessment
from yinling.assessment.rules import level_label
from yinling.entitlements.models import Entitlement, Quota
from yinling.kernel.period import ONE_DAY, month_start


@dataclass(frozen=True)
class Benefit:
    """A result (``kind`` assessment: what = level, by = scale, number = points) or an entitlement (what = scheme, by = payer, number = left)."""

    kind: str
    pk: int
    what: str
    by: str
    valid_from: date
    valid_to: date | None
    number: int | None

    @property
    def level_name(self) -> str:
        """The name of the level in its scale."""
        return level_label(self.by, self.what)

    @property
    def last_day(self) -> date | None:
        """The last day on which it holds."""
        return None if self.valid_to is None else self.valid_to - ONE_DAY

    def holds(self, on: date) -> bool:
        """Whether it holds on a day."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


def benefits(elder_id: int, on: date) -> tuple[list[Benefit], list[Benefit]]:
    """Return (results, entitlements) on record, the newest first."""
    same = Quota.objects.filter(
        elder=elder_id, entitlement__scheme__code=OuterRef("scheme__code"), unit="fen", per="month"
    )
    taken = same.filter(from_on=month_start(on)).order_by().values("unit").annotate(all=Sum(F("reserved") + F("used")))
    used = Least(F("monthly_cap_fen"), Coalesce(Subquery(taken.values("all")), Value(0)))
    results = _columns(Assessment, elder_id, "assessment", F("level"), F("scale"), Cast("points", BigIntegerField()))
    number = Cast(F("monthly_cap_fen") - used, BigIntegerField())  # one month of a scheme, however often it was renewed
    grants = _columns(
        Entitlement,
        elder_id,
        "entitlement",
        F("scheme__name"),
        F("scheme__payer"),
        number,
    )
    rows = [Benefit(**row) for row in results.union(grants, all=True).order_by("-valid_from", "-pk")]
    return [row for row in rows if row.kind == "assessment"], [row for row in rows if row.kind == "entitlement"]


def _columns(model: Any, elder_id: int, kind: str, what: Any, by: Any, number: Any) -> Any:
    return (
        model.objects.filter(elder_id=elder_id, recorded_to=None)
        .annotate(
            kind_=Value(kind, output_field=CharField()),
            what_=Cast(what, CharField()),
            by_=Cast(by, CharField()),
            number_=number,
        )
        .values(
            "valid_from", "valid_to", kind=F("kind_"), pk=F("id"), what=F("what_"), by=F("by_"), number=F("number_")
        )
    )
