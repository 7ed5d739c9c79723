"""M01: a carer's round as the phone shows it: the way to each door, who comes along, and what changed since the last look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from yinling.directory.models import Staff
from yinling.dispatch.models import LIVE, Assignment, PlannedVisit
from yinling.dispatch.ports import Point, travel_time
from yinling.dispatch.states import AssignmentState
from yinling.ground.parameters import parameter
from yinling.kernel.period import day_bounds, local_date
from yinling.visits.queries import Stop

LOOK = timedelta(minutes=10)
"""What is new stays marked for so long after it was first shown."""
LOOKED = "looked"
_SECONDS_A_MINUTE = 60


@dataclass(frozen=True)
class Round:
    """What stands beside the stops, by assignment: minutes on the way, names of partners, and what is new; and what was withdrawn."""

    ways: dict[int, int] = field(default_factory=dict)
    partners: dict[int, str] = field(default_factory=dict)
    news: frozenset[int] = frozenset()
    gone: tuple[Assignment, ...] = ()
    offered: int = 0


def round_of(request: Any, stops: Sequence[Stop], day: date) -> Round:
    """Return the round of a day: four queries, however many stops."""
    rows = [stop.assignment for stop in stops]
    since = _last_look(request)
    return Round(
        ways=_ways(rows), partners=_partners(rows), offered=sum(row.state == AssignmentState.OFFERED for row in rows),
        news=frozenset(row.pk for row in rows if since and _is_new(row, since)), gone=_gone(request, rows, day, since),
    )  # fmt: skip


def _last_look(request: Any) -> datetime | None:
    """When the person last looked, before this look began; looks within ten minutes are one."""
    kept = request.session.get(LOOKED) or {}
    before, at = (datetime.fromisoformat(kept[name]) if kept.get(name) else None for name in ("before", "at"))
    if request.asked is None and (at is None or request.now - at > LOOK):
        before = at
        request.session[LOOKED] = {"before": at.isoformat() if at else "", "at": request.now.isoformat()}
    return before


def _is_new(row: Assignment, since: datetime) -> bool:
    """Whether somebody else changed it: an own answer is no news."""
    return row.changed_at > since and row.changed_at not in (row.accepted_at, row.ended_at)


def _gone(request: Any, rows: Sequence[Assignment], day: date, since: datetime | None) -> tuple[Assignment, ...]:
    if since is None or not request.actor.staff_id:
        return ()
    start, end = day_bounds(day)
    ended = (AssignmentState.WITHDRAWN, AssignmentState.EXPIRED)
    found = Assignment.objects.filter(
        staff_id=request.actor.staff_id, starts_at__gte=start, starts_at__lt=end, state__in=ended, ended_at__gt=since
    ).exclude(order__in=[row.order_id for row in rows])  # fmt: skip
    return tuple(found.select_related("order").order_by("starts_at"))


def _partners(rows: Sequence[Assignment]) -> dict[int, str]:
    doubles = {row.order_id: row for row in rows if row.order.carers_needed > 1}
    if not doubles:
        return {}
    others = Assignment.objects.filter(order__in=list(doubles), state__in=[*LIVE, AssignmentState.DONE])
    names: dict[int, list[str]] = {}
    for one in others.order_by("slot", "pk"):
        mine = doubles[one.order_id]
        if one.staff_id != mine.staff_id:
            names.setdefault(mine.pk, []).append(one.staff_name)
    return {pk: "、".join(found) for pk, found in names.items()}


def _ways(rows: Sequence[Assignment]) -> dict[int, int]:
    """Minutes from the stop before: as the plan says, else as the travel times say now; the first from site or home."""
    if not rows:
        return {}
    planned: dict[tuple[int | None, int], int] = {
        (one.plan_id, one.order_id): one.way_minutes
        for one in PlannedVisit.objects.filter(
            plan__in={row.plan_id for row in rows if row.plan_id}, staff=rows[0].staff_id
        )
    }
    found = {row.pk: planned[(row.plan_id, row.order_id)] for row in rows if (row.plan_id, row.order_id) in planned}
    asked = [(number, row) for number, row in enumerate(rows) if row.pk not in found]
    if not asked:
        return found
    staff = Staff.objects.select_related("site").get(pk=rows[0].staff_id)
    start = (staff.home_lon, staff.home_lat) if staff.starts_at_home else (staff.site.lon, staff.site.lat)
    mode = staff.mode or str(parameter("dispatch.mode", rows[0].div, local_date(rows[0].starts_at)))
    places = [start, *((row.order.lon, row.order.lat) for row in rows)]
    for number, row in asked:
        if (minutes := _minutes(places[number], places[number + 1], mode, row.starts_at)) is not None:
            found[row.pk] = minutes
    return found


def _minutes(start: tuple[Any, Any], goal: tuple[Any, Any], mode: str, at: datetime) -> int | None:
    if None in start or None in goal:
        return None
    return round(travel_time().matrix([Point(*start)], mode, at, to=[Point(*goal)])[0][0] / _SECONDS_A_MINUTE)
