"""The same photo as proof of two visits."""

import ibis
from ibis.expr.types import Table

from yinling.kernel.words import N_
from yinling.supervision.rules.rule import BLOCK, Rule


def find(_services: Table, photos: Table) -> Table:
    """Every visit after the first that shows the photo; sending it twice within one visit is a repeated upload."""
    copies = ibis.window(group_by=photos.sha256, order_by=[photos.received_at, photos.photo_id])
    p = photos.mutate(
        earlier_visit_id=photos.visit_id.first().over(copies),
        earlier_received_at=photos.received_at.first().over(copies),
    )
    p = p.filter(p.visit_id != p.earlier_visit_id)
    turn = ibis.row_number().over(group_by=p.visit_id, order_by=[p.received_at, p.photo_id])
    p = p.mutate(turn=turn)
    p = p.filter(p.turn == 0)
    return p.select(
        subject_id=p.visit_id, order_id=p.order_id, visit_id=p.visit_id, staff_id=p.staff_id, happened_at=p.received_at, sha256=p.sha256,
        earlier_visit_id=p.earlier_visit_id, earlier_received_at=p.earlier_received_at, received_at=p.received_at,
    )  # fmt: skip


RULE = Rule(
    code="same_photo",
    title=N_("同一照片重复使用"),
    severity=BLOCK,
    basis="无锡市推进“锡心医养”332计划 二(三)4；X-SUP-05",
    parameters=(),
    find=find,
)
