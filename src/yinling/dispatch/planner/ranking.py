"""What one order costs in a carer's day, part by part and in words. Pure; ``planner.scan`` comes to the same sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from yinling.dispatch.rules import Carer, Job, Trip, neighbours
from yinling.kernel.words import N_

SECONDS_PER_MINUTE = 60
MINUTES_PER_HOUR = 60


@dataclass(frozen=True)
class Weights:
    """What each drawback costs, in minutes on the way (parameters ``dispatch.weight.*``)."""

    travel_minute: float
    new_face: float
    other_dialect: float
    workload_hour: float


@dataclass(frozen=True)
class CostPart:
    """One part of the cost, with the sentence shown to the dispatcher."""

    code: str
    cost: float
    reason: str


def total(parts: Sequence[CostPart]) -> float:
    """Return the cost of all parts: the way first, as ``planner.scan`` adds them, so that both come to the same last digit."""
    return parts[0].cost + sum(part.cost for part in parts[1:])


def cost_parts(job: Job, carer: Carer, trip: Trip, weights: Weights) -> tuple[CostPart, ...]:
    """Return the parts of the cost: way, continuity, dialect, workload."""
    minutes = trip.more_seconds / SECONDS_PER_MINUTE
    parts = [
        CostPart("travel", minutes * weights.travel_minute, _way(job, carer, trip)),
        CostPart("continuity", 0 if carer.served_count else weights.new_face, _continuity(carer)),
    ]
    if job.dialect:
        speaks = job.dialect in carer.dialects
        reason = N_("会说%(dialect)s") if speaks else N_("不会说%(dialect)s")
        parts.append(CostPart("dialect", 0 if speaks else weights.other_dialect, reason % {"dialect": job.dialect}))
    hours = carer.booked_minutes / MINUTES_PER_HOUR
    load = N_("当天已排 %(count)s 单 %(minutes)s 分钟") if carer.booked else N_("当天还没有订单")
    load %= {"count": len(carer.booked), "minutes": carer.booked_minutes}
    parts.append(CostPart("workload", hours * weights.workload_hour, load))
    return tuple(parts)


def _way(job: Job, carer: Carer, trip: Trip) -> str:
    before, after = neighbours(job, carer)
    home = N_("从家里过去约 %(minutes)s 分钟") if carer.starts_at_home else N_("从站点过去约 %(minutes)s 分钟")
    first = (N_("从上一家过去约 %(minutes)s 分钟") if before else home) % {"minutes": _minutes(trip.to_seconds)}
    if after is None:
        return first
    return N_("%(first)s，当天路上共多 %(more)s 分钟") % {"first": first, "more": _minutes(trip.more_seconds)}


def _minutes(seconds: int) -> int:
    return max(0, -(-timedelta(seconds=seconds) // timedelta(minutes=1)))


def _continuity(carer: Carer) -> str:
    if carer.served_count:
        return N_("服务过这位老人 %(count)s 次") % {"count": carer.served_count}
    return N_("第一次服务这位老人")
