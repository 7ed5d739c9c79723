"""How long ways and services really took, from finished visits: read for the weekly job that learns from them.

A way is counted from "on the way" to check-in. Where nobody pressed "on the way", it is counted from check-out to a check-in after the
booked time: whoever arrives late has not waited at the door. Far check-ins, rests and forgotten check-outs do not count.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef
from django.db.models.functions import JSONObject

from yinling.assessment.queries import levels_of
from yinling.dispatch.ports import Point, TravelTime, engine_name, travel_time
from yinling.dispatch.queries.learned import AREAS, Key
from yinling.dispatch.samples import ALL_DAY, Limits, Summary, band_of, summarise, way_ratio
from yinling.ground.parameters import parameter
from yinling.kernel.period import SHANGHAI, local_date
from yinling.orders.models import OrderLine
from yinling.visits.models import CheckIn, Visit
from yinling.visits.states import VisitState

PAIRS_AT_ONCE = 10
_MINUTE = 60
_FIELDS = (
    "staff_id", "staff__mode", "provider_id", "provider__div", "elder_id", "div", "departed_at", "started_at", "ended_at",
    "order__starts_at", "order__lon", "order__lat", "lines", "is_far",
)  # fmt: skip


@dataclass(frozen=True)
class Way:
    """One way from home to home: how many seconds it took, and when it began."""

    start: Point
    end: Point
    mode: str
    left_at: datetime
    seconds: float


@dataclass(frozen=True)
class Work:
    """One service of one item: how many minutes it took and how many were booked."""

    elder_id: int
    minutes: float
    booked: int


@dataclass(frozen=True)
class Measured:
    """What visits say of one thing; ``booked`` is what holds for it as long as nothing was confirmed."""

    key: Key
    booked: float
    summary: Summary
    since: date

    def as_arguments(self) -> dict[str, Any]:
        """Return what ``propose_correction`` takes, besides what holds before."""
        names = ("kind", "div", "provider_id", "mode", "engine", "hour_from", "hour_to", "item_id", "level")
        return dict(zip(names, self.key, strict=True)) | {
            "measured": asdict(self.summary), "measured_from": self.since,
        }  # fmt: skip


def measured(city: str, now: datetime) -> list[Measured]:
    """Return everything enough finished visits of a city speak of."""
    today = local_date(now)
    since = now - timedelta(days=int(parameter("learned.days", city, today)))
    most = int(parameter("learned.samples_most", city, today))
    ways: dict[Key, deque[Way]] = defaultdict(lambda: deque(maxlen=most))
    work: dict[Key, deque[Work]] = defaultdict(lambda: deque(maxlen=most))
    engine, before = engine_name(), dict[int, Any]()
    for visit in _finished(city, since, now):
        way = way_between(before.get(visit.staff_id), visit, _mode(visit, city, today))
        before[visit.staff_id] = visit
        if way is not None:
            for key in way_keys(visit.div, way, engine):
                ways[key].append(way)
        if (done := work_of_visit(visit)) is not None:
            item_id, one = done
            home = visit.provider__div if visit.provider__div.startswith(city) else city
            work[("minutes", home, visit.provider_id, "", "", *ALL_DAY, item_id, "")].append(one)
    least = int(parameter("learned.samples_least", city, today))
    first = local_date(since)
    return [*_ways_summed(ways, least, _limits(city, today), first), *_work_summed(work, least, city, today, first)]


def _finished(city: str, since: datetime, now: datetime) -> Iterator[Any]:
    """Stream the finished visits of a city in the order of the clock."""
    lines = OrderLine.objects.filter(order=OuterRef("order"), kind="item").order_by("pk")
    far = CheckIn.objects.filter(
        visit=OuterRef("pk"), distance_m__gt=int(parameter("checkin.radius_m", city, local_date(now)))
    )
    rows = Visit.objects.within(city).filter(
        state=VisitState.DONE, started_at__gte=since, started_at__lt=now, ended_at__isnull=False
    )
    parts = JSONObject(item="item_id", quantity="quantity", minutes="minutes")
    rows = rows.annotate(lines=ArraySubquery(lines.values_list(parts, flat=True)), is_far=Exists(far))
    return rows.order_by("started_at", "pk").values_list(*_FIELDS, named=True).iterator(chunk_size=5000)


def _mode(visit: Any, city: str, today: date) -> str:
    return visit.staff__mode or str(parameter("dispatch.mode", visit.div or city, today))


def way_between(before: Any, visit: Any, mode: str) -> Way | None:
    """Return the way between two visits of a carer, if their times tell how long it took."""
    if before is None or before.is_far or visit.is_far:
        return None
    left_at = visit.departed_at or (before.ended_at if visit.started_at > visit.order__starts_at else None)
    if left_at is None or not before.ended_at <= left_at < visit.started_at:
        return None
    places = (before.order__lon, before.order__lat, visit.order__lon, visit.order__lat)
    if None in places:
        return None
    start, end = Point(*places[:2]), Point(*places[2:])
    return Way(start, end, mode, left_at, (visit.started_at - left_at).total_seconds())


def way_keys(div: str, way: Way, engine: str) -> list[Key]:
    """Return what a way speaks of: its street and its district, its hours and the whole day."""
    bands = (band_of(way.left_at.astimezone(SHANGHAI).hour), ALL_DAY)
    return [
        ("travel", div[:length], None, way.mode, engine, *band, None, "")
        for length in AREAS
        if len(div) >= length
        for band in bands
    ]


def work_of_visit(visit: Any) -> tuple[int, Work] | None:
    """Return item and minutes of a visit for one single item; of several, nobody knows which took how long."""
    if len(visit.lines) != 1 or visit.lines[0]["quantity"] != 1 or visit.is_far or not visit.lines[0]["minutes"]:
        return None
    line = visit.lines[0]
    minutes = (visit.ended_at - visit.started_at).total_seconds() / _MINUTE
    return line["item"], Work(visit.elder_id, minutes, line["minutes"])


def _limits(city: str, today: date) -> Limits:
    names = ("least_seconds", "most_seconds", "most_ratio")
    return Limits(*(parameter(f"learned.way.{name}", city, today) for name in names))


def _ways_summed(ways: Mapping[Key, Iterable[Way]], least: int, limits: Limits, since: date) -> Iterator[Measured]:
    estimates = _estimates({way for found in ways.values() for way in found}, travel_time())
    for key, found in sorted(ways.items(), key=lambda pair: repr(pair[0])):
        ratios = [way_ratio(way.seconds, estimates[way], limits) for way in found if way in estimates]
        if summary := summarise([ratio for ratio in ratios if ratio is not None], least=least):
            yield Measured(key, 1.0, summary, since)


def _estimates(ways: Iterable[Way], clock: TravelTime) -> dict[Way, int]:
    """Return what the engine says of each way. What the straight line stood in for says nothing about the engine."""
    found: dict[Way, int] = {}
    by_mode: dict[str, list[Way]] = defaultdict(list)
    for way in ways:
        by_mode[way.mode].append(way)
    for mode, some in by_mode.items():
        rows = iter(sorted(some, key=lambda way: (way.left_at, way.start.lon, way.end.lon)))
        while part := list(islice(rows, PAIRS_AT_ONCE)):
            matrix = clock.matrix([way.start for way in part], mode, part[0].left_at, to=[way.end for way in part])
            filled: frozenset[tuple[int, int]] = getattr(clock, "filled", frozenset())
            found |= {way: matrix[place][place] for place, way in enumerate(part) if (place, place) not in filled}
    return found


def _work_summed(
    work: Mapping[Key, Iterable[Work]], least: int, city: str, today: date, since: date
) -> Iterator[Measured]:
    shortest = float(parameter("learned.visit.least_minutes", city, today))
    ratio = float(parameter("learned.visit.most_ratio", city, today))
    for key, found in sorted(work.items(), key=lambda pair: repr(pair[0])):
        good = [one for one in found if shortest <= one.minutes <= ratio * one.booked]
        levels = levels_of([one.elder_id for one in good], today) if len(good) >= least else {}
        for level in ("", *sorted(set(levels.values()) - {""})):
            some = [one for one in good if not level or levels.get(one.elder_id) == level]
            if summary := summarise([one.minutes for one in some], least=least):
                yield Measured((*key[:-1], level), some[-1].booked, summary, since)
