"""The seam of planning: plain values in, ranked proposals with their cost parts out. No database, no clock, no network.

Ranking of one order among carers stands here; the optimiser of whole days takes the same values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from yinling.dispatch.rules import Carer, Exclusion, Job, Trip, compatibility, neighbours
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


@dataclass(frozen=True)
class Ranked:
    """A carer who may go, at what cost; the lowest cost is the best."""

    carer: Carer
    cost: float
    parts: tuple[CostPart, ...]


@dataclass(frozen=True)
class Excluded:
    """A carer who may not go, with every reason."""

    carer: Carer
    against: tuple[Exclusion, ...]

    @property
    def is_final(self) -> bool:
        """Whether no reason of a dispatcher can overrule it."""
        return any(one.is_hard for one in self.against)


@dataclass(frozen=True)
class Plan:
    """The carers who may go, best first, and why each other one may not."""

    ranked: tuple[Ranked, ...]
    excluded: tuple[Excluded, ...]


def rank(job: Job, carers: Sequence[Carer], trips: Mapping[int, Trip], weights: Weights) -> Plan:
    """Rank those who may go by cost; equal costs go in the order of staff numbers, so that a repetition gives the same list."""
    ranked: list[Ranked] = []
    excluded: list[Excluded] = []
    for carer in carers:
        trip = trips.get(carer.staff_id, Trip())
        if against := compatibility(job, carer, trip):
            excluded.append(Excluded(carer, tuple(against)))
            continue
        parts = cost_parts(job, carer, trip, weights)
        ranked.append(Ranked(carer, round(sum(part.cost for part in parts), 3), parts))
    ranked.sort(key=lambda one: (one.cost, one.carer.staff_id))
    return Plan(tuple(ranked), tuple(excluded))


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
