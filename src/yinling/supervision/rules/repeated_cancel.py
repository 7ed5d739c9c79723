"""One elder cancels, or one provider refuses, again and again."""

import ibis
from ibis.expr.types import Column, Table

from yinling.kernel.words import N_
from yinling.supervision.rules.rule import WARNING, Rule, absent

DAY = 86_400
PERIODS = 100_000
"""More than there are periods of a day each, so that one number holds who it was and in which period."""


def find(services: Table, _photos: Table) -> Table:
    """An order given up as the n-th of its elder or its provider within so many days, once in each such span of days.

    Counting "at least so many" stays true when older orders are not at hand, which a live round does not read.
    """
    t = services.filter(services.is_first, services.placed_at.notnull(), services.cancelled_at.notnull())
    elders = t.filter(~t.is_declined)
    elders = elders.mutate(who=elders.elder_id, least=elders.cancel_elder_least)
    providers = t.filter(t.is_declined)
    providers = providers.mutate(who=-providers.provider_id, least=providers.cancel_provider_least)
    return _often(elders.union(providers))


def _often(t: Table) -> Table:
    earlier = t.view()
    before = earlier.cancelled_at < t.cancelled_at
    same = (earlier.cancelled_at == t.cancelled_at) & (earlier.order_id <= t.order_id)
    recent = earlier.cancelled_at > t.cancelled_at - t.cancel_days * DAY
    pairs = t.join(earlier, [t.who == earlier.who, recent, before | same])
    counted = pairs.group_by(["who", "order_id", "cancelled_at", "least", "cancel_days"]).aggregate(
        cancel_count=pairs.count()
    )
    often = counted.filter(counted.cancel_count >= counted.least)
    often = often.mutate(subject_id=_subject(often))
    first = often.mutate(turn=_turn(often))
    first = first.filter(first.turn == 0)
    return first.select(
        subject_id=first.subject_id, order_id=first.order_id, visit_id=absent(), staff_id=absent(), happened_at=first.cancelled_at,
        cancel_count=first.cancel_count, cancel_days=first.cancel_days,
    )  # fmt: skip


def _subject(t: Table) -> Column:
    period = (t.cancelled_at // (t.cancel_days * DAY)).cast("int64")
    return (t.who > 0).ifelse(t.who * PERIODS + period, t.who * PERIODS - period)


def _turn(t: Table) -> Column:
    return ibis.row_number().over(group_by=t.subject_id, order_by=[t.cancelled_at, t.order_id])


RULE = Rule(
    code="repeated_cancel",
    title=N_("频繁取消"),
    severity=WARNING,
    basis="无锡市推进“锡心医养”332计划 二(三)4；X-SUP-06（次数和天数由本平台自定）",
    parameters=("cancel.days", "cancel.elder_least", "cancel.provider_least"),
    find=find,
)
