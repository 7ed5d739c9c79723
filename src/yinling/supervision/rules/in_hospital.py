"""A service at home to somebody who was in hospital."""

from ibis.expr.types import Table

from yinling.kernel.words import N_
from yinling.supervision.rules.rule import BLOCK, Rule


def find(services: Table, _photos: Table) -> Table:
    """A visit begun on a full day in hospital; on the first and the last day the hour is not known, as on the day of a death."""
    t = services.filter(services.started_at >= services.hospital_from_at)
    inside = t.filter(t.hospital_to_at.isnull() | (t.started_at < t.hospital_to_at))
    return inside.select(
        subject_id=inside.visit_id, order_id=inside.order_id, visit_id=inside.visit_id, staff_id=inside.staff_id,
        happened_at=inside.started_at, started_at=inside.started_at, hospital_from_at=inside.hospital_from_at,
        hospital_to_at=inside.hospital_to_at,
    )  # fmt: skip


RULE = Rule(
    code="in_hospital",
    title=N_("住院期间上门服务"),
    severity=BLOCK,
    basis="无锡市推进“锡心医养”332计划 二(三)4；X-SUP-05",
    parameters=(),
    find=find,
)
