"""How many elders there are of which kind, by area: the base number of the disabled (R-PEO-09) and the residents of 65 and over (R-PEO-11).

Counted are those who usually live here and are alive at the end of the day, wherever their hukou is (D-22).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Case, CharField, Count, F, Q, QuerySet, Value, When
from django.db.models.functions import Substr

from yinling.assessment.inputs import ABILITY_SCALES
from yinling.assessment.models import Assessment
from yinling.directory.models import Area
from yinling.directory.queries import standing
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import born_by
from yinling.kernel.words import N_
from yinling.people.models import Elder

BANDS = (
    ("60", 60, 65, N_("60至64岁")), ("65", 65, 70, N_("65至69岁")), ("70", 70, 80, N_("70至79岁")), ("80", 80, 90, N_("80至89岁")),
    ("90", 90, 200, N_("90岁以上")),
)  # fmt: skip
BELOW = {2: 4, 4: 6, 6: 9, 9: 12, 12: 12}
WORDS = {"semi_disabled": N_("半失能"), "disabled": N_("失能")}


@dataclass
class Line:
    """One area or age band with its counts by column."""

    key: str
    label: str
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Report:
    """A report on an area: a line for each area below, for each age band, and the sum of all."""

    areas: list[Line]
    bands: list[Line]
    total: Line


def living_residents(actor: Actor, div: str, on: date) -> QuerySet[Elder]:
    """Elders who usually live in an area and are alive at the end of a day."""
    rows = Elder.objects.visible_to(actor).within(div).filter(merged_into=None, is_resident=True, born_on__lte=on)
    return rows.filter(Q(died_on=None) | Q(died_on__gt=on))


def _band(column: str, on: date) -> Case:
    """Return the age band on a day; the birthday itself counts."""
    cases = [
        When(**{f"{column}__lte": born_by(least, on), f"{column}__gt": born_by(most, on), "then": Value(code)})
        for code, least, most, _ in BANDS
    ]
    return Case(*cases, default=Value(""), output_field=CharField())


def _report(div: str, on: date, found: Iterable[tuple[str, str, Mapping[str, int]]]) -> Report:
    """Add up (area, band, counts) into the lines of a report."""
    size = BELOW[len(div)]
    areas = Area.objects.filter(standing(on), div__gte=div, div__lt=div + ":", is_statistical=False).order_by("div")
    lines = {code: Line(code, name) for code, name in areas.values_list("div", "short_name") if len(code) == size}
    bands = {code: Line(code, label) for code, _, _, label in BANDS}
    total = Line(div, "")
    for area, band, counts in found:
        for line in (lines.setdefault(area, Line(area, area)), bands.get(band), total):
            if line is not None:
                line.counts.update(counts)
    return Report(list(lines.values()), list(bands.values()), total)


def ability_report(actor: Actor, div: str, on: date, band: str = "") -> Report:
    """Count elders by the level of ability that holds on a day, the latest result of each; and in the words of the plans (D-03)."""
    latest = Assessment.objects.filter(in_force(on), scale__in=ABILITY_SCALES).order_by(
        "elder_id", "-assessed_on", "scale"
    )
    people = living_residents(actor, div, on)
    rows = Assessment.objects.filter(pk__in=latest.distinct("elder_id").values("pk"), elder__in=people)
    rows = rows.annotate(area=Substr("elder__div", 1, BELOW[len(div)]), band=_band("elder__born_on", on))
    if band:
        rows = rows.filter(band=band)
    meaning = parameter("assessment.level_map", div, on)
    found = []
    grouped = rows.order_by().values_list("area", "band", "scale", "level").annotate(number=Count("pk"))
    for area, years, scale, level, number in grouped:
        counts = {level: number}
        counts |= {word: number for word, scales in meaning.items() if level in scales.get(scale, ())}
        found.append((area, years, counts))
    return _report(div, on, found)


def residents_report(actor: Actor, div: str, on: date) -> Report:
    """Count residents by age, and beside them those on file who usually live elsewhere and do not count."""
    rows = living_residents(actor, div, on).annotate(area=Substr("div", 1, BELOW[len(div)]), band=_band("born_on", on))
    found = []
    for area, band, elsewhere, number in _grouped(rows, div):
        counts = Counter({"all": number})
        counts["elsewhere"] = number if elsewhere else 0
        counts["over_65"] = number if band not in ("", "60") else 0
        counts["over_80"] = number if band in ("80", "90") else 0
        found.append((area, band, counts))
    away = Elder.objects.visible_to(actor).within(div).filter(merged_into=None, is_resident=False)
    away = away.filter(Q(died_on=None) | Q(died_on__gt=on)).annotate(area=F("div"))
    for area, number in away.order_by().values_list(Substr("div", 1, BELOW[len(div)])).annotate(number=Count("pk")):
        found.append((area, "", Counter({"away": number})))
    return _report(div, on, found)


def _grouped(rows: QuerySet[Elder], div: str) -> Iterable[tuple[str, str, bool, int]]:
    """Counts by area, band and whether the hukou lies outside the city."""
    city = div[:4]
    outside = Q(hukou_div__gt="") & ~Q(hukou_div__startswith=city)
    rows = rows.annotate(elsewhere=Case(When(outside, then=Value(value=True)), default=Value(value=False)))
    return rows.order_by().values_list("area", "band", "elsewhere").annotate(number=Count("pk"))  # type: ignore[return-value]
