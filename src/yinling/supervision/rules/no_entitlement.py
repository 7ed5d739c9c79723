"""A fund pays for somebody who had no entitlement to it on the service day."""

from ibis.expr.types import Table

from yinling.kernel.words import N_
from yinling.supervision.rules.rule import WARNING, Rule


def find(services: Table, _photos: Table) -> Table:
    """An order that was begun, with a share of a scheme that was not the elder's on that day."""
    t = services.filter(services.is_first_visit, services.started_at.notnull(), services.unfunded_fen > 0)
    return t.select(
        subject_id=t.order_id, order_id=t.order_id, visit_id=t.visit_id, staff_id=t.staff_id, happened_at=t.started_at,
        starts_at=t.starts_at, unfunded_fen=t.unfunded_fen,
    )  # fmt: skip


RULE = Rule(
    code="no_entitlement",
    title=N_("无待遇资格使用补贴"),
    severity=WARNING,
    basis="无锡市推进“锡心医养”332计划 二(三)4；X-SUP-06（级别由本平台自定）",
    parameters=(),
    find=find,
)
