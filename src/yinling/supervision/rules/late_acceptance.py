"""Nobody accepted in time: neither the provider the order nor the carer the offer."""

from ibis import ifelse
from ibis.expr.types import Table

from yinling.kernel.words import N_
from yinling.supervision.rules.rule import WARNING, Rule, absent


def find(services: Table, _photos: Table) -> Table:
    """The order by itself, once; each offer to a carer by itself. An answer in the second it was due is in time."""
    t = services
    answered = ifelse(t.order_accepted_at.isnull(), t.first_offered_at, t.order_accepted_at)
    orders = t.filter(
        t.is_first, t.order_accept_due_at.notnull(), ~t.order_state.isin(["draft", "cancelled"]),
        t.order_accept_due_at < answered.fill_null(t.as_of),
    )  # fmt: skip
    orders = orders.select(
        subject_id=orders.order_id, order_id=orders.order_id, visit_id=absent(), staff_id=absent(), happened_at=orders.order_accept_due_at,
        accept_due_at=orders.order_accept_due_at,
        accepted_at=ifelse(orders.order_accepted_at.isnull(), orders.first_offered_at, orders.order_accepted_at),
    )  # fmt: skip
    offers = t.filter(t.assignment_id.notnull())
    replied = ifelse(offers.accepted_at.isnull(), offers.assignment_ended_at, offers.accepted_at)
    late = (offers.assignment_state == "expired") | (offers.accept_due_at < replied.fill_null(offers.as_of))
    offers = offers.filter(late)
    offers = offers.select(
        subject_id=-offers.assignment_id, order_id=offers.order_id, visit_id=offers.visit_id, staff_id=offers.staff_id,
        happened_at=offers.accept_due_at, accept_due_at=offers.accept_due_at, accepted_at=offers.accepted_at,
    )  # fmt: skip
    return orders.union(offers)


RULE = Rule(
    code="late_acceptance",
    title=N_("接单超时"),
    severity=WARNING,
    basis="无锡市推进“锡心医养”332计划 二(三)4；X-SUP-04、X-CALL-05",
    parameters=(),
    find=find,
)
