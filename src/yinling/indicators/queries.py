"""Figures and the rows behind them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BooleanField, Case, Count, Q, QuerySet, When
from django.db.models import Value as Literal

from yinling.directory.models import Area
from yinling.directory.queries import areas_below, standing
from yinling.directory.rules import require
from yinling.ground.models import in_force
from yinling.ground.parameters import parameters
from yinling.indicators.definitions import INDICATORS, Indicator, Span
from yinling.indicators.models import Value
from yinling.indicators.rules import MINUTES, PERCENT, Figure, median_seconds, reaches, share
from yinling.kernel.actor import Actor
from yinling.kernel.parameters import Entry
from yinling.kernel.period import local_midnight, month_start, next_month, week_start
from yinling.kernel.refusals import Refused
from yinling.people.models import Circumstance

WEEK, MONTH = "week", "month"


@dataclass(frozen=True)
class Shown:
    """One indicator of one division as a page shows it: the figure, its target with source, and whether it is reached."""

    indicator: Indicator
    area: Area
    value: Value
    figure: Figure
    target: Entry | None

    @property
    def is_reached(self) -> bool | None:
        """Compared unrounded; None without figure or target."""
        return reaches(self.figure, None if self.target is None else self.target.value, self.indicator.direction)


def span_of(period_from: date, period_to: date, now: datetime) -> Span:
    """The moments of a period of days, half-open."""
    return Span(local_midnight(period_from), local_midnight(period_to), now)


def period_around(day: date, kind: str) -> tuple[date, date]:
    """The week or month of a day, half-open."""
    if kind == MONTH:
        return month_start(day), next_month(day)
    first = week_start(day)
    return first, first + timedelta(days=7)


def figures(indicator: Indicator, divs: Iterable[str], span: Span) -> dict[str, Figure]:
    """Count one indicator for divisions, from one reading of its rows."""
    wanted = list(divs)
    within = reduce(or_, (Q(div__gte=div, div__lt=div + ":") for div in wanted), Q(pk__in=[]))
    rows = marked(indicator, span).filter(within).order_by()
    if indicator.unit == MINUTES:
        found = [(div, int(waited.total_seconds())) for div, waited in rows.values_list("div", indicator.duration)]
        return {one: median_seconds([seconds for div, seconds in found if div.startswith(one)]) for one in wanted}
    counts = list(rows.values_list("div").annotate(hits=Count("pk", filter=Q(is_hit=True)), total=Count("pk")))
    return {one: share((hits, total) for div, hits, total in counts if div.startswith(one)) for one in wanted}


@dataclass(frozen=True)
class Group:
    """One need group of a figure about persons: how many of it count, of how many."""

    kind: str
    figure: Figure


def groups_behind(actor: Actor, code: str, div: str, span: Span) -> list[Group]:
    """A figure about persons by need group (D-13): a person stands once in each of the own groups, and once in the figure itself."""
    rows = rows_behind(actor, code, div, span)
    hits = rows.filter(is_hit=True).order_by().values("pk")
    facts = Circumstance.objects.filter(in_force(span.last_day), elder__in=rows.order_by().values("pk"))
    counts = (
        facts.order_by()
        .values_list("kind")
        .annotate(total=Count("elder", distinct=True), hits=Count("elder", distinct=True, filter=Q(elder__in=hits)))
    )
    return [Group(kind, Figure(PERCENT, counted, total)) for kind, total, counted in sorted(counts)]


def marked(indicator: Indicator, span: Span) -> QuerySet[Any]:
    """The rows of an indicator, each with ``is_hit``."""
    rows = indicator.rows(span)
    if indicator.hit is None:
        return rows
    hit = Case(When(indicator.hit, then=Literal(value=True)), default=Literal(value=False), output_field=BooleanField())
    told: QuerySet[Any] = rows.annotate(is_hit=hit)
    return told


def rows_behind(actor: Actor, code: str, div: str, span: Span, *, which: str = "all") -> QuerySet[Any]:
    """The rows of a figure that the actor may see: all of the denominator, those that count (``hit``) or those that do not (``miss``)."""
    require(actor, "indicators.value.view", div=div)
    indicator = INDICATORS[code]
    rows = marked(indicator, span).filter(div__gte=div, div__lt=div + ":")
    if which != "all" and not indicator.duration:
        rows = rows.filter(is_hit=which == "hit")
    return rows.order_by("-waited" if indicator.duration else "is_hit", "id")


def target_of(indicator: Indicator, div: str, day: date) -> Entry | None:
    """The target in force with its document and clause, if the area has one."""
    try:
        return parameters().entry(indicator.target_key, div, day)
    except Refused:
        return None


def areas_of(div: str, on: date) -> list[Area]:
    """A division and those directly below it, in the tree of a day."""
    own = Area.objects.filter(standing(on), div=div).defer("outline")
    return [*own, *areas_below(div, on)]


def latest_values(
    actor: Actor, divs: Iterable[str], period_from: date, period_to: date
) -> dict[tuple[str, str], Value]:
    """The newest value of each indicator and division for a period."""
    require(actor, "indicators.value.view")
    rows = Value.objects.filter(div__in=list(divs), period_from=period_from, period_to=period_to)
    return {(row.code, row.div): row for row in rows.order_by("computed_at", "id")}


def shown(actor: Actor, div: str, period_from: date, period_to: date) -> list[list[Shown]]:
    """For each indicator the values of a division and those below it, as far as computed."""
    areas = areas_of(div, period_to - timedelta(days=1))
    values = latest_values(actor, [area.div for area in areas], period_from, period_to)
    table = []
    for code, indicator in INDICATORS.items():
        line = []
        for area in areas:
            value = values.get((code, area.div))
            if value is not None:
                target = target_of(indicator, area.div, period_to - timedelta(days=1))
                line.append(Shown(indicator, area, value, figure_of(value), target))
        table.append(line)
    return table


def figure_of(value: Value) -> Figure:
    """A stored value as a figure; an indicator that is no longer defined counts as a share."""
    indicator = INDICATORS.get(value.code)
    return Figure(indicator.unit if indicator else "percent", value.numerator, value.denominator or 0)
