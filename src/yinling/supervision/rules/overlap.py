"""One carer in two homes at once."""

import ibis
from ibis.expr.types import Table

from yinling.kernel.words import N_
from yinling.supervision.rules.rule import BLOCK, Rule


def find(services: Table, _photos: Table) -> Table:
    """A visit that starts before any earlier one of the carer ended; touching is no overlap, and one still open ends now.

    The greatest end so far is kept, since a long visit may reach over several later ones and the row before does not show it.
    """
    t = services.filter(services.started_at.notnull(), services.visit_id.notnull())
    t = t.mutate(until=t.ended_at.fill_null(t.as_of))
    before = ibis.window(group_by=t.staff_id, order_by=[t.started_at, t.visit_id], preceding=(None, 1))
    t = t.mutate(earlier_ended_at=t.until.max().over(before), earlier_visit_id=t.visit_id.argmax(t.until).over(before))
    both = t.filter(t.started_at < t.earlier_ended_at)
    return both.select(
        subject_id=both.visit_id, order_id=both.order_id, visit_id=both.visit_id, staff_id=both.staff_id, happened_at=both.started_at,
        started_at=both.started_at, earlier_visit_id=both.earlier_visit_id, earlier_ended_at=both.earlier_ended_at,
    )  # fmt: skip


RULE = Rule(
    code="overlap",
    title=N_("同一人员服务时间重叠"),
    severity=BLOCK,
    basis="无锡市推进“锡心医养”332计划 二(三)4；X-SUP-05",
    parameters=(),
    find=find,
)
