"""Computing the figures."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.rules import require
from yinling.ground.live import tell
from yinling.ground.operation import operation
from yinling.indicators.definitions import INDICATORS, VERSION
from yinling.indicators.models import Value
from yinling.indicators.queries import areas_of, figures, span_of
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Input
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_

LONGEST_DAYS = 366


@operation("indicators.value.compute", label=N_("重新计算"))
def compute_values(
    *,
    actor: Actor,
    now: datetime,
    div: Annotated[str, Input(N_("行政区划"), max_length=12, widget="hidden")],
    period_from: Day,
    period_to: Annotated[date, Input(N_("截止日期"), help=N_("不含当日"), widget="date")],
) -> Value:
    """Count every indicator of a division and those below it anew and store the values; earlier ones stay beside them."""
    require(actor, "indicators.value.compute", div=div)
    if period_to <= period_from or (period_to - period_from).days > LONGEST_DAYS:
        raise Refused("indicator.period", N_("请选择开始早于结束、最长一年的时段"), field="period_to")
    areas = areas_of(div, period_to - timedelta(days=1))
    if not areas or areas[0].div != div:
        raise NotFound("area.not_found", N_("没有这个行政区划，请从列表中选择"), field="div")
    span = span_of(period_from, period_to, now)
    values = [
        Value(
            code=code, div=one, period_from=period_from, period_to=period_to, numerator=figure.numerator, denominator=figure.denominator,
            version=VERSION, computed_at=now,
        )
        for code, indicator in INDICATORS.items()
        for one, figure in figures(indicator, [area.div for area in areas], span).items()
    ]  # fmt: skip
    Value.objects.bulk_create(values)  # the first stands for all in the journal
    record(
        actor=actor, now=now, event="indicators.value.compute", subject=values[0], div=div,
        changes={"period": [period_from.isoformat(), period_to.isoformat()], "values": [None, len(values)]},
    )  # fmt: skip
    tell("indicators", pk=values[0].pk, div=div)
    return values[0]
