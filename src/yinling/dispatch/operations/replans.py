"""Planning anew around a carer who does not come."""

from __future__ import annotations

from datetime import datetime

from yinling.accounts.operations import record
from yinling.directory.queries import absences_on
from yinling.directory.rules import require
from yinling.dispatch.models import DayPlan, PlannedVisit
from yinling.dispatch.operations.plans import CarerId, check_lockable, hand_over, one_at_a_time
from yinling.dispatch.operations.runs import complete, is_past, move, new_version
from yinling.dispatch.operations.solving import day_of, holds_of, replan_seconds, search_day
from yinling.ground.operation import locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Seen
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

MOST_AT_ONCE = 1000
"""Visits of a plan that is planned anew while the dispatcher waits; a larger one is left to a worker."""


@operation("dispatch.plan.replan", label=N_("重排"))
def replan(*, actor: Actor, now: datetime, plan_id: Id, staff_id: CarerId, seen: Seen = None) -> DayPlan:
    """Give the visits of a carer who does not come to others, with the fewest changes for elders: a new version."""
    base = locked(DayPlan.objects.all(), plan_id, seen)
    require(actor, "dispatch.plan.replan", div=base.div, provider_id=base.provider_id)
    check_lockable(base)
    if is_past(base.day, now):
        raise Refused("plan.past", N_("这一天已经过去，不能再排班"))
    if not absences_on(base.day, [staff_id]):
        raise Refused("plan.not_absent", N_("还没有登记这位服务人员当天缺勤，请先登记缺勤，再重排"), field="staff_id")
    one_at_a_time(base.provider_id, base.day)
    chosen = {"seconds": replan_seconds(base.div, base.day), "seed": 1, "absent": staff_id}
    row = new_version(
        actor=actor, now=now, provider_id=base.provider_id, div=base.div, day=base.day, cause="absence", base=base, settings=chosen
    )  # fmt: skip
    record(
        actor=actor,
        now=now,
        event="dispatch.plan.replan",
        subject=row,
        changes={"base": [None, base.pk]},
        staff_id=staff_id,
    )
    if PlannedVisit.objects.filter(plan=base).count() > MOST_AT_ONCE:
        hand_over(row)
        return row
    move(actor, now, row, "run")
    day = day_of(row, now)
    return complete(actor=actor, now=now, row=row, day=day, solution=search_day(row, day, holds=holds_of(day, base)))
