"""A service to somebody who was dead."""

from ibis.expr.types import Table

from yinling.kernel.words import N_
from yinling.supervision.rules.rule import BLOCK, Rule


def find(services: Table, _photos: Table) -> Table:
    """A visit begun after the day of death; on the day itself the hour of death is not known."""
    after = services.filter(services.started_at >= services.death_over_at)
    return after.select(
        subject_id=after.visit_id, order_id=after.order_id, visit_id=after.visit_id, staff_id=after.staff_id, happened_at=after.started_at,
        started_at=after.started_at, death_over_at=after.death_over_at,
    )  # fmt: skip


RULE = Rule(
    code="deceased",
    title=N_("为已故老人服务"),
    severity=BLOCK,
    basis="无锡市推进“锡心医养”332计划 二(三)4；X-SUP-05",
    parameters=(),
    find=find,
)
