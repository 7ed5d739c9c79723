"""Plans of a day: asking for one, stopping, moving and locking by hand, copying, re-planning around an absence."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from yinling.directory.rules import require
from yinling.dispatch.models import DayPlan
from yinling.ground.operation import locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Id, Input, Moment, Seen
from yinling.kernel.words import N_

AreaCode = Annotated[str, Input(N_("区划代码"), max_length=12, widget="hidden")]
ProviderId = Annotated[int, Input(N_("服务机构"), least=1, widget="hidden")]
CarerId = Annotated[int, Input(N_("服务人员"), least=1, widget="hidden")]
NoCarerId = Annotated[int | None, Input(N_("服务人员"), help=N_("不填即移出计划"), least=1, widget="hidden")]
OrderId = Annotated[int, Input(N_("订单"), least=1, widget="hidden")]
Slot = Annotated[int, Input(N_("第几位服务人员"), least=1, most=2, widget="hidden")]
Position = Annotated[int | None, Input(N_("第几站"), least=0, widget="hidden")]
StartsAt = Annotated[datetime | None, Input(N_("上门时间"), widget="moment")]
Seconds = Annotated[
    int | None, Input(N_("计算秒数"), help=N_("每条街道的计算时间，不填按参数"), least=1, most=600, widget="number")
]
Seed = Annotated[int, Input(N_("随机种子"), help=N_("同一种子得出同一计划"), least=0, most=2**31 - 1, widget="hidden")]
Locked = Annotated[bool, Input(N_("锁定"), widget="check")]


@operation("dispatch.plan.request", label=N_("排班"))
def request_plan(
    *, actor: Actor, now: datetime, provider_id: ProviderId, div: AreaCode, day: Day, seconds: Seconds = None, seed: Seed = 1
) -> DayPlan:  # fmt: skip
    """Ask for a plan of a provider's day in an area; a worker computes it."""
    raise NotImplementedError


@operation("dispatch.plan.stop", label=N_("停止计算"))
def stop_plan(*, actor: Actor, now: datetime, plan_id: Id, seen: Seen = None) -> DayPlan:
    """Ask the worker to stop and keep the best found so far."""
    raise NotImplementedError


@operation("dispatch.plan.discard", label=N_("弃用"))
def discard_plan(*, actor: Actor, now: datetime, plan_id: Id, seen: Seen = None) -> DayPlan:
    """Lay a version aside that was never published."""
    raise NotImplementedError


@operation("dispatch.plan.move", label=N_("移动"))
def move_visit(
    *, actor: Actor, now: datetime, plan_id: Id, order_id: OrderId, slot: Slot, staff_id: NoCarerId = None, position: Position = None,
    starts_at: StartsAt = None, seen: Seen = None,
) -> DayPlan:  # fmt: skip
    """Give a visit of a version not yet published to a carer, at a place in the round (from 0) or at a time; the journal keeps where it was."""
    raise NotImplementedError


@operation("dispatch.plan.lock", label=N_("锁定上门"))
def lock_visit(*, actor: Actor, now: datetime, plan_id: Id, order_id: OrderId, is_locked: Locked, seen: Seen = None) -> DayPlan:  # fmt: skip
    """Hold a visit at its carer and time when the day is planned anew, or let it go."""
    raise NotImplementedError


@operation("dispatch.plan.lock_staff", label=N_("锁定人员"))
def lock_staff(*, actor: Actor, now: datetime, plan_id: Id, staff_id: CarerId, is_locked: Locked, seen: Seen = None) -> DayPlan:  # fmt: skip
    """Hold the whole round of a carer as it is when the day is planned anew, or let it go."""
    raise NotImplementedError


@operation("dispatch.plan.copy", label=N_("复制为新版本"))
def copy_plan(*, actor: Actor, now: datetime, plan_id: Id, seen: Seen = None) -> DayPlan:
    """Make a new version of a plan that may be changed by hand."""
    raise NotImplementedError


@operation("dispatch.plan.replan", label=N_("重排"))
def replan(*, actor: Actor, now: datetime, plan_id: Id, staff_id: CarerId, seen: Seen = None) -> DayPlan:
    """Give the visits of a carer who does not come to others, with the fewest changes for elders: a new version."""
    raise NotImplementedError


@operation("dispatch.plan.request_all", label=N_("全市排班"))
def plan_city(
    *, actor: Actor, now: datetime, div: AreaCode, day: Day, seconds: Seconds = None, seed: Seed = 1
) -> DayPlan:
    """Ask for plans of all streets of an area, for every provider with orders that day; return the last one."""
    raise NotImplementedError


@operation("dispatch.plan.publish", label=N_("发布"))
def publish_plan(
    *, actor: Actor, now: datetime, plan_id: Id,
    count: Annotated[int | None, Input(N_("上门次数"), help=N_("超过 20 次时，请填写上门次数以确认"), least=0, widget="number")] = None,
    seen: Seen = None,
) -> DayPlan:  # fmt: skip
    """Appoint the times, offer the visits to their carers, and tell each carer once."""
    raise NotImplementedError
