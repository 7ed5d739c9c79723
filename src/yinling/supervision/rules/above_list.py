"""More was asked than the published list allows."""

from ibis.expr.types import Table

from yinling.kernel.words import N_
from yinling.supervision.rules.rule import BLOCK, Rule, absent


def find(services: Table, _photos: Table) -> Table:
    """A line above the price that holds on the service day of the lists published by placing; without such a price nothing is allowed.

    Our own choice is to block, since an elder must not pay the difference: the money of this order waits. The carer set no price and
    is not stopped.
    """
    t = services.filter(services.is_first, services.placed_at.notnull())
    t = t.filter(~t.order_state.isin(["draft", "cancelled", "failed"]), t.charged_fen > t.allowed_fen)
    return t.select(
        subject_id=t.order_id, order_id=t.order_id, visit_id=t.visit_id, staff_id=absent(), happened_at=t.placed_at,
        charged_fen=t.charged_fen, allowed_fen=t.allowed_fen,
    )  # fmt: skip


RULE = Rule(
    code="above_list",
    title=N_("收费高于公布价目"),
    severity=BLOCK,
    basis="无锡市推进“锡心医养”332计划 二(三)4；X-SUP-06（是否管制由本平台自定）",
    parameters=(),
    find=find,
)
