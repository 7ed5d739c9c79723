"""Stayed far beyond the standard time of the service."""

from ibis.expr.types import Table

from yinling.kernel.words import N_
from yinling.supervision.rules.rule import WARNING, Rule


def find(services: Table, _photos: Table) -> Table:
    """Longer than the share of the standard minutes; exactly the share is allowed. A visit still going on is not judged."""
    t = services.filter(services.ended_at.notnull(), services.started_at.notnull(), services.standard_minutes > 0)
    seconds = t.ended_at - t.started_at
    long = t.filter(seconds > t.visit_max_share * (t.standard_minutes * 60))
    return long.select(
        subject_id=long.visit_id, order_id=long.order_id, visit_id=long.visit_id, staff_id=long.staff_id, happened_at=long.ended_at,
        served_seconds=long.ended_at - long.started_at, standard_minutes=long.standard_minutes,
        most_share=long.visit_max_share.cast("string"),
    )  # fmt: skip


RULE = Rule(
    code="too_long",
    title=N_("服务时长异常偏长"),
    severity=WARNING,
    basis="无锡市推进“锡心医养”332计划 二(三)4；X-SUP-03",
    parameters=("visit.max_share",),
    find=find,
)
