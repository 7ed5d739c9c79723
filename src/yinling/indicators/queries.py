"""Figures and the rows behind them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import BooleanField, Case, QuerySet, When
from django.db.models import Value as Literal

from yinling.directory.models import Area
from yinling.directory.queries import areas_below
from yinling.directory.rules import require
from yinling.ground.parameters import parameters
from yinling.indicators.definitions import INDICATORS, Indicator, Span
from yinling.indicators.models import Value
from yinling.indicators.rules import MINUTES, Figure, median_seconds, reaches, share
from yinling.kernel.actor import Actor
from yinling.kernel.parameters import Entry
from yinling.kernel.period import local_midnight, month_start, next_month, week_start
from yinling.kernel.refusals import Refused

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
    column = indicator.duration or "is_hit"
    found = marked(indicator, span).order_by().values_list("div", column)
    rows = [(div, mark) for div, mark in found if any(div.startswith(one) for one in wanted)]
    return {div: _figure(indicator, [mark for row_div, mark in rows if row_div.startswith(div)]) for div in wanted}


def _figure(indicator: Indicator, marks: list[Any]) -> Figure:
    if indicator.unit == MINUTES:
        return median_seconds([int(mark.total_seconds()) for mark in marks])
    return share([bool(mark) for mark in marks])


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


def areas_of(div: str) -> list[Area]:
    """A division and those directly below it."""
    own = Area.objects.filter(div=div).defer("outline")
    return [*own, *areas_below(div)]


def latest_values(
    actor: Actor, divs: Iterable[str], period_from: date, period_to: date
) -> dict[tuple[str, str], Value]:
    """The newest value of each indicator and division for a period."""
    require(actor, "indicators.value.view")
    rows = Value.objects.filter(div__in=list(divs), period_from=period_from, period_to=period_to)
    return {(row.code, row.div): row for row in rows.order_by("computed_at", "id")}


def shown(actor: Actor, div: str, period_from: date, period_to: date) -> list[list[Shown]]:
    """For each indicator the values of a division and those below it, as far as computed."""
    areas = areas_of(div)
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
