"""One provider's services are charged twice again and again."""

import ibis
from ibis.expr.types import Table

from yinling.kernel.words import N_
from yinling.supervision.rules.rule import WARNING, Rule, absent

PERIODS = 100_000
"""More than there are months, so that one number holds which provider and which month it was."""


def find(services: Table, _photos: Table) -> Table:
    """An order whose second charge was refused after too many others of its provider in the same month; once a month.

    A refused charge cost nobody anything (R-PAY-04); many of them are a habit, or a fault at the provider.
    """
    t = services.filter(services.is_first, services.claimed_again_count > services.double_most)
    t = t.mutate(subject_id=t.provider_id * PERIODS + t.claimed_again_month)
    t = t.mutate(turn=ibis.row_number().over(group_by=t.subject_id, order_by=[t.claimed_again_at, t.order_id]))
    t = t.filter(t.turn == 0)
    return t.select(
        subject_id=t.subject_id, order_id=t.order_id, visit_id=absent(), staff_id=absent(), happened_at=t.claimed_again_at,
        claimed_again_count=t.claimed_again_count,
    )  # fmt: skip


RULE = Rule(
    code="repeated_claim",
    title=N_("频繁重复收费"),
    severity=WARNING,
    basis="镇江市医养结合计划 二(五)13（不得重复收费）；X-SUP-06（次数由本平台自定）",
    parameters=("double.most",),
    find=find,
)
