"""Left well before the standard time of the service was over."""

from ibis.expr.types import Table

from yinling.kernel.words import N_
from yinling.supervision.rules.rule import WARNING, Rule


def find(services: Table, _photos: Table) -> Table:
    """Shorter than the share of the standard minutes; exactly the share is enough."""
    t = services.filter(services.ended_at.notnull(), services.started_at.notnull(), services.standard_minutes > 0)
    seconds = t.ended_at - t.started_at
    short = t.filter(seconds < t.visit_min_share * (t.standard_minutes * 60))
    return short.select(
        subject_id=short.visit_id, order_id=short.order_id, visit_id=short.visit_id, staff_id=short.staff_id, happened_at=short.ended_at,
        served_seconds=short.ended_at - short.started_at, standard_minutes=short.standard_minutes,
        share=short.visit_min_share.cast("string"),
    )  # fmt: skip


RULE = Rule(
    code="too_short",
    title=N_("服务时长不足"),
    severity=WARNING,
    basis="无锡市推进“锡心医养”332计划 二(三)4；X-SUP-03",
    parameters=("visit.min_share",),
    find=find,
)
