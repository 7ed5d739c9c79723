"""A plan as the desk draws it: rounds as lanes with a time axis, what is left out, and the same rounds for the map."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from yinling.dispatch.queries import Board, LeftRow, RouteRow, StopRow
from yinling.kernel.period import SHANGHAI
from yinling.kernel.words import N_
from yinling.web.show import clock, tr

MODES = {"walk": N_("步行"), "ebike": N_("电动车"), "bike": N_("自行车"), "car": N_("汽车"), "bus": N_("公交")}
SHOWN = {
    "late": N_("有迟到"), "warned": N_("有提示"), "over": N_("超合同工时"), "no_break": N_("没有排休息"), "locked": N_("已锁定"),
    "idle": N_("没有上门"),
}  # fmt: skip
MIDNIGHT = 24 * 60
FIRST_HOUR, LAST_HOUR = 8, 18
MOST_WAY = 59
MOST_LEFT = 40
NO_BREAK_FROM = 6 * 60
"""Work and ways of so many minutes ask for a rest; shorter days are not warned of."""


@dataclass(frozen=True)
class Bar:
    """One visit in a lane. ``spot`` and ``window`` are the classes of its place on the axis."""

    stop: StopRow
    spot: str
    window: str
    partner: str

    @property
    def key(self) -> str:
        """What names it in addresses: order and slot."""
        return f"{self.stop.order_id}-{self.stop.slot}"

    @property
    def classes(self) -> str:
        """Its look beside the place."""
        marks = {
            "is-late": self.stop.late_minutes > 0, "has-warning": bool(self.stop.warnings), "is-locked": self.stop.is_locked,
        }  # fmt: skip
        return " ".join(name for name, holds in marks.items() if holds)


@dataclass(frozen=True)
class Lane:
    """One carer's day."""

    route: RouteRow
    bars: tuple[Bar, ...]
    rests: tuple[tuple[str, str], ...]

    @property
    def over_minutes(self) -> int:
        """Work and ways beyond the contract hours of the day."""
        contract = self.route.contract_minutes
        return max(0, self.route.work_minutes + self.route.way_minutes - contract) if contract else 0

    @property
    def has_no_break(self) -> bool:
        """Whether a long day has no rest in it."""
        return not self.route.breaks and self.route.work_minutes + self.route.way_minutes > NO_BREAK_FROM

    @property
    def hours(self) -> str:
        """Work and ways of the day, short: 6:56."""
        whole, rest = divmod(self.route.work_minutes + self.route.way_minutes, 60)
        return f"{whole}:{rest:02}"

    @property
    def mode(self) -> str:
        """How the carer travels, in words."""
        return tr(MODES.get(self.route.mode, self.route.mode))


def minute_of(moment: datetime, day: date) -> int:
    """Return the minute of the local day, held within it."""
    start = datetime.combine(day, time(), SHANGHAI)
    return min(max(round((moment - start).total_seconds() / 60), 0), MIDNIGHT)


def spot(start: datetime, end: datetime, day: date) -> str:
    """Return the classes that put a strip on the axis: h08 m30 u09 n15."""
    begin, until = minute_of(start, day), minute_of(end, day)
    return f"h{begin // 60:02} m{begin % 60:02} u{until // 60:02} n{until % 60:02}"


def hours_of(board: Board, day: date) -> tuple[int, int]:
    """Return the first and last hour that the axis shows: of all rounds, so that pages and filters do not shift it."""
    moments = [
        (row.starts_at - timedelta(minutes=row.way_minutes), row.ends_at)
        for route in board.routes
        for row in route.stops
    ]
    first = min((minute_of(start, day) // 60 for start, _end in moments), default=FIRST_HOUR)
    last = max((-(-minute_of(end, day) // 60) for _start, end in moments), default=LAST_HOUR)
    return min(first, FIRST_HOUR), max(last, LAST_HOUR)


def partners(routes: Iterable[RouteRow]) -> Mapping[tuple[int, int], str]:
    """Return the name of the other carer of each part of a double visit."""
    names: dict[int, dict[int, str]] = defaultdict(dict)
    for route in routes:
        for row in route.stops:
            if row.carers_needed > 1:
                names[row.order_id][row.slot] = route.name
    return {
        (order_id, slot): "、".join(name for other, name in found.items() if other != slot)
        for order_id, found in names.items()
        for slot in found
    }


def lanes_of(routes: Sequence[RouteRow], day: date, pairs: Mapping[tuple[int, int], str]) -> list[Lane]:
    """Return rounds as they are drawn."""
    return [Lane(route, tuple(_bar(row, day, pairs) for row in route.stops), _rests(route, day)) for route in routes]


def _bar(row: StopRow, day: date, pairs: Mapping[tuple[int, int], str]) -> Bar:
    minutes = min(row.way_minutes, MOST_WAY)
    place = f"{spot(row.starts_at, row.ends_at, day)} w{minutes:02}"
    return Bar(row, place, spot(row.earliest_at, row.latest_at, day), pairs.get((row.order_id, row.slot), ""))


def _rests(route: RouteRow, day: date) -> tuple[tuple[str, str], ...]:
    return tuple((spot(start, end, day), f"{clock(start)}–{clock(end)}") for start, end in route.breaks)


def holds(lane: Lane, mark: str) -> bool:
    """Whether a lane belongs to one choice of ``SHOWN``."""
    stops = lane.route.stops
    return {
        "late": any(row.late_minutes for row in stops), "warned": any(row.warnings for row in stops), "over": lane.over_minutes > 0,
        "no_break": lane.has_no_break, "locked": lane.route.is_locked or any(row.is_locked for row in stops), "idle": not stops,
    }.get(mark, True)  # fmt: skip


def with_text(lanes: Sequence[Lane], text: str) -> list[Lane]:
    """Return the lanes of carers or elders whose name has a text in it, or with an order of that code."""
    return [
        lane
        for lane in lanes
        if text in lane.route.name or any(text in row.elder_name or text == row.code for row in lane.route.stops)
    ]


def map_data(lanes: Iterable[Lane], left: Iterable[LeftRow]) -> str:
    """What the map draws: the rounds of this page, from start to end, and what is left out as single dots."""
    routes = [_route(lane) for lane in lanes]
    dots = [
        {"lon": row.lon, "lat": row.lat, "id": f"v{row.order_id}-{row.slot}", "text": f"{_('未排入')} {row.elder_name}"}
        for row in left
        if row.lon is not None
    ]
    return json.dumps(
        [*routes, *([{"name": _("未排入"), "stops": dots, "dots": True}] if dots else [])], ensure_ascii=False
    )


def _route(lane: Lane) -> dict[str, Any]:
    route = lane.route
    ends = [
        {"lon": place[0], "lat": place[1], "text": text} if place else None
        for place, text in ((route.start, _("出发")), (route.end, _("返回")))
    ]
    places = [
        {
            "lon": row.lon,
            "lat": row.lat,
            "id": f"v{row.order_id}-{row.slot}",
            "text": f"{row.number} {clock(row.starts_at)} {row.elder_name}",
        }
        for row in route.stops
        if row.lon is not None
    ]
    if not places:
        return {"name": route.name, "staff": route.staff_id, "stops": []}
    return {"name": route.name, "staff": route.staff_id, "stops": [end for end in (ends[0], *places, ends[1]) if end]}


def find(board: Board, order_id: int, slot: int) -> tuple[RouteRow | None, StopRow | LeftRow] | None:
    """Return a part of an order and the round it is in; without a round it is left out."""
    for route in board.routes:
        for row in route.stops:
            if (row.order_id, row.slot) == (order_id, slot):
                return route, row
    return next(((None, row) for row in board.left if (row.order_id, row.slot) == (order_id, slot)), None)
