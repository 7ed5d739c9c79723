"""What was learned from check-ins: what a dispatcher has confirmed (the only door through which plans read it), and what waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise

from django.db.models import Case, Q, QuerySet, When

from yinling.dispatch.models import LIVE, Assignment, Correction
from yinling.dispatch.ports import Point, engine_name, travel_time
from yinling.dispatch.samples import ALL_DAY
from yinling.dispatch.states import AssignmentState, CorrectionState
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import SHANGHAI, day_bounds, local_date
from yinling.orders.models import Order, OrderLine

MOST_WAYS = 20
"""Ways of a day looked at to tell what a result would change: enough to judge by, little enough for a page."""

Key = tuple[str, str, int | None, str, str, int, int, int | None, str]
"""Kind, division, provider, mode, engine, hours from and to, item, level: what a result speaks of."""
STREET, DISTRICT = 9, 6
AREAS = (STREET, DISTRICT)
"""Lengths of the divisions for which ways are learned; a street with too few samples follows its district."""


@dataclass(frozen=True)
class Learned:
    """Everything confirmed for one division, read by one query: factors on ways, and minutes of items."""

    div: str
    ways: Mapping[tuple[str, str, int, int], float] = field(default_factory=dict)
    minutes: Mapping[tuple[int | None, int | None, str], float] = field(default_factory=dict)

    def factor(self, mode: str, hour: int | None = None) -> float:
        """Return what estimated ways are multiplied by: street before district, the hour's band before the whole day, else 1."""
        for length in AREAS:
            bands = {
                (hour_from, hour_to): value
                for (div, own, hour_from, hour_to), value in self.ways.items()
                if div == self.div[:length] and own == mode
            }
            for (hour_from, hour_to), value in bands.items():
                if hour is not None and hour_from <= hour < hour_to and (hour_from, hour_to) != ALL_DAY:
                    return value
            if ALL_DAY in bands:
                return bands[ALL_DAY]
        return 1.0

    def factor_at(self, mode: str, at: datetime) -> float:
        """Return the factor at a moment."""
        return self.factor(mode, at.astimezone(SHANGHAI).hour)

    def minutes_of(self, item_id: int, provider_id: int, level: str = "") -> int | None:
        """Return how long an item takes a provider's people for an elder of a level, or nothing if that was not learned."""
        for key in ((item_id, provider_id, level), (item_id, provider_id, "")):
            if key in self.minutes:
                return round(self.minutes[key])
        return None


def learned(div: str, *, items: Iterable[int] = (), engine: str = "") -> Learned:
    """Return what is in use for the ways of a division and for some items. Who estimates by another engine than the chosen one names it."""
    ways = Q(kind="travel", engine=engine or engine_name(), div__in=areas_of(div))
    work = Q(kind="minutes", item_id__in=list(items))
    rows = list(Correction.objects.filter(ways | work, state=CorrectionState.USED))
    return Learned(
        div,
        {(row.div, row.mode, row.hour_from, row.hour_to): row.value for row in rows if row.kind == "travel"},
        {(row.item_id, row.provider_id, row.level): row.value for row in rows if row.kind == "minutes"},
    )


def areas_of(div: str) -> list[str]:
    """Return the divisions whose ways count for one."""
    return [div[:length] for length in AREAS]


def travel_factor(div: str, mode: str, hour: int | None = None) -> float:
    """Return what estimated ways in a division are multiplied by, at an hour or over the whole day. 1 if nothing was confirmed."""
    return learned(div).factor(mode, hour)


def service_minutes(item_id: int, provider_id: int, level: str = "") -> int | None:
    """Return the confirmed minutes of an item for a provider's people, or nothing: then the booked time holds. Pay never follows it."""
    return learned("", items=[item_id]).minutes_of(item_id, provider_id, level)


@dataclass(frozen=True)
class Standing:
    """What stands for one key: the row used, the one that waits, and the one last rejected."""

    used: Correction | None = None
    proposed: Correction | None = None
    rejected: Correction | None = None


def standings(div: str) -> dict[Key, Standing]:
    """Return what stands below a division, by key."""
    states = [CorrectionState.USED, CorrectionState.PROPOSED, CorrectionState.REJECTED]
    found: dict[Key, dict[str, Correction]] = defaultdict(dict)
    for row in Correction.objects.within(div).filter(state__in=states).order_by("pk"):
        found[key_of(row)][str(row.state)] = row
    return {key: Standing(**rows) for key, rows in found.items()}


def key_of(row: Correction) -> Key:
    """Return what a row speaks of."""
    return (
        row.kind, row.div, row.provider_id, row.mode, row.engine, row.hour_from, row.hour_to, row.item_id, row.level,
    )  # fmt: skip


def corrections_of(actor: Actor) -> QuerySet[Correction]:
    """What an actor may see of what was learned, what waits for a decision first."""
    waiting_first = Case(
        When(state=CorrectionState.PROPOSED, then=0), When(state=CorrectionState.USED, then=1), default=2
    )
    rows = Correction.objects.visible_to(actor).select_related("provider", "item", "decided_by")
    return rows.order_by(waiting_first, "-pk")


@dataclass(frozen=True)
class Impact:
    """What a result would change on a day: how many ways or visits, their minutes before and after, and how many would no longer fit."""

    day: date
    count: int
    minutes_before: float
    minutes_after: float
    tight_before: int
    tight_after: int
    is_sample: bool


def impact(row: Correction, day: date) -> Impact:
    """Return what a result would change in the visits assigned for a day."""
    start, end = day_bounds(day)
    rows = (
        Assignment.objects.within(row.div)
        if row.kind == "travel"
        else Assignment.objects.filter(provider=row.provider_id)
    )
    rows = rows.filter(starts_at__gte=start, starts_at__lt=end, state__in=[*LIVE, AssignmentState.DONE])
    ordered = list(rows.select_related("order", "staff").order_by("staff_id", "starts_at"))
    if row.kind == "minutes":
        return _impact_of_minutes(row, day, ordered)
    pairs = [(one, other) for one, other in pairwise(ordered) if one.staff_id == other.staff_id]
    return _impact_of_ways(row, day, [pair for pair in pairs if _is_meant(row, *pair)])


def _is_meant(row: Correction, one: Assignment, other: Assignment) -> bool:
    """Whether a way falls under a result: its mode, its hours, both homes on the map."""
    mode = one.staff.mode or parameter("dispatch.mode", row.div, local_date(one.ends_at))
    hour = one.ends_at.astimezone(SHANGHAI).hour
    places = (one.order.lon, one.order.lat, other.order.lon, other.order.lat)
    return mode == row.mode and row.hour_from <= hour < row.hour_to and None not in places


def _impact_of_ways(row: Correction, day: date, pairs: list[tuple[Assignment, Assignment]]) -> Impact:
    chosen = pairs[:MOST_WAYS]
    if not chosen:
        return Impact(day, 0, 0, 0, 0, 0, is_sample=False)
    starts, ends = ([_home(pair[side].order) for pair in chosen] for side in (0, 1))
    matrix = travel_time().matrix(starts, row.mode, chosen[0][0].ends_at, to=ends)
    ways = [matrix[place][place] / 60 for place in range(len(chosen))]
    free = [(other.starts_at - one.ends_at).total_seconds() / 60 for one, other in chosen]
    before, after = (
        sum(way * factor > gap for way, gap in zip(ways, free, strict=True)) for factor in (row.before, row.value)
    )
    minutes = sum(ways)
    is_sample = len(pairs) > len(chosen)
    return Impact(day, len(chosen), minutes * row.before, minutes * row.value, before, after, is_sample=is_sample)


def _home(order: Order) -> Point:
    return Point(order.lon or 0.0, order.lat or 0.0)


def _impact_of_minutes(row: Correction, day: date, ordered: list[Assignment]) -> Impact:
    lines = OrderLine.objects.filter(order__in=[one.order_id for one in ordered], kind="item", quantity=1)
    booked = {line.order_id: line.minutes for line in lines if line.item_id == row.item_id}
    mine = {one.pk: booked[one.order_id] for one in ordered if one.order_id in booked}
    pairs = [pair for pair in pairwise(ordered) if pair[0].pk in mine and pair[0].staff_id == pair[1].staff_id]
    free = [(other.starts_at - one.starts_at).total_seconds() / 60 for one, other in pairs]
    before, after = (sum(minutes > gap for gap in free) for minutes in (row.before, row.value))
    return Impact(day, len(mine), row.before * len(mine), row.value * len(mine), before, after, is_sample=False)
