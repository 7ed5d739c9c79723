"""Who may: the one check of rights, and rules of the map."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, cast

from yinling.directory.roles import EXCLUSIVE, ROLES
from yinling.ground.operation import note_checked
from yinling.kernel.actor import Actor
from yinling.kernel.geo import Datum, Position, inside, overlap, to_wgs84
from yinling.kernel.period import DayPeriod
from yinling.kernel.refusals import Denied, Refusal, Refused
from yinling.kernel.words import N_


def may(
    actor: Actor, right: str, *, div: str | None = None, provider_id: int | None = None, elder_id: int | None = None
) -> bool:
    """Whether the actor has the right and the row is the actor's: in the area, of the organisation, or of a linked elder.

    Without ``div`` the right alone decides (reading a list, a table without area).
    """
    if right not in actor.rights:
        return False
    if div is None:
        return True
    if actor.covers(div):
        return True
    if provider_id is not None and provider_id == actor.organisation_id:
        return True
    return actor.acts_for(elder_id, right)


def require(
    actor: Actor, right: str, *, div: str | None = None, provider_id: int | None = None, elder_id: int | None = None
) -> None:
    """Raise Denied unless ``may``; the sentence names the roles that could."""
    note_checked(right)
    if may(actor, right, div=div, provider_id=provider_id, elder_id=elder_id):
        return
    if right in actor.rights and elder_id in actor.elder_ids:
        raise Denied(
            "right.not_represented", N_("您的代理范围不包括这一项，请由老人本人办理，或到社区变更代理范围"), right=right
        )
    if right in actor.rights:
        raise Denied("right.outside", N_("这条记录不在您的管辖范围内，请联系所属地区的工作人员"), right=right)
    names = "、".join(role.name for role in ROLES.values() if right in role.rights and role.code != "system")
    raise Denied("right.missing", N_("您当前的角色不能这样做。可以办理的角色：%(roles)s"), right=right, roles=names)


def person_of(actor: Actor) -> int:
    """Return the user who answers for a step: always a login, never a job."""
    if actor.user_id is None:
        raise Refused("login.needed", N_("这一步须由有账号的人员办理，请登录后再办"))
    return actor.user_id


def check_new_grant(
    *, role: str, held: frozenset[str], proposer_id: int, user_id: int, has_area: bool, has_organisation: bool
) -> None:
    """Refuse a grant to oneself, of an unknown role, without its anchor, or that joins two of the three administrators (X-DJ-03)."""
    if role not in ROLES or role == "system":
        raise Refused("grant.role", N_("没有这个角色，请从列表中选择"), field="role")
    if proposer_id == user_id:
        raise Refused("grant.self", N_("不能为自己授权，请由另一位安全管理员办理"), field="user_id")
    if role in EXCLUSIVE and (held & EXCLUSIVE) - {role}:
        raise Refused("grant.exclusive", N_("系统、安全、审计管理员不得由同一人兼任"), field="role")
    anchor = ROLES[role].anchor
    if anchor == "area" and not has_area:
        raise Refused("grant.area", N_("请选择管辖的行政区划"), field="div")
    if anchor == "organisation" and not has_organisation:
        raise Refused("grant.organisation", N_("请选择所属机构"), field="organisation_id")


def required_text(text: str, field: str, *, most: int = 200) -> str:
    """Return the text without spaces at its ends; refuse none and one that is too long."""
    plain = text.strip()
    if not plain:
        raise Refused("text.missing", N_("这一项必须填写"), field=field)
    if len(plain) > most:
        raise Refused(
            "text.too_long", N_("最多%(most)s个字，现在是%(length)s个"), field=field, most=most, length=len(plain)
        )
    return plain


def known_choice(value: str, choices: Iterable[tuple[str, str]], field: str) -> str:
    """Return the value if it is one of the choices."""
    if value not in {code for code, _ in choices}:
        raise Refused("choice.unknown", N_("请从列表中选择"), field=field)
    return value


@contextmanager
def at_field(field: str) -> Iterator[None]:
    """Say at which input a refusal of the kernel is to be shown."""
    try:
        yield
    except Refusal as refusal:
        refusal.field = refusal.field or field
        raise


def period_of(first: date, last: date | None, field: str = "valid_to") -> DayPeriod:
    """Return the days from the first to the last, both inclusive, as people write them."""
    with at_field(field):
        return DayPeriod.through(first, last)


def position_of(lon: float | None, lat: float | None, datum: str, *, stem: str = "") -> Position | None:
    """Return a position in WGS-84 from what was sent; half a position is refused. ``stem`` begins the names of the inputs."""
    if lon is None and lat is None:
        return None
    if lon is None or lat is None:
        missing = "lon" if lon is None else "lat"
        raise Refused("geo.half", N_("经度和纬度须同时填写，或都不填"), field=f"{stem}{missing}")
    known_choice(datum, [(one.value, "") for one in Datum], "datum")
    with at_field(f"{stem}lon"):
        return to_wgs84(Position(lon, lat, Datum(datum)))


def clock_time(text: str, field: str) -> time:
    """Read ``08:00``."""
    try:
        return time.fromisoformat(text.strip())
    except ValueError:
        raise Refused("time.format", N_("时刻请写成 08:00 的形式"), field=field) from None


def working_hours(day_from: str, day_to: str) -> tuple[time, time]:
    """Read the hours of a working day."""
    hours = (clock_time(day_from, "day_from"), clock_time(day_to, "day_to"))
    if hours[0] >= hours[1]:
        raise Refused("staff.hours", N_("下班时刻应晚于上班时刻"), field="day_to")
    return hours


def break_of(text_from: str, text_to: str, minutes: int, hours: tuple[time, time]) -> tuple[time | None, time | None]:
    """Read within which hours a break lies; it must fit into them, and they into the working day. Without minutes there is none."""
    if not minutes:
        return None, None
    first, last = clock_time(text_from, "break_from"), clock_time(text_to, "break_to")
    length = (last.hour - first.hour) * 60 + last.minute - first.minute
    if length < minutes:
        raise Refused("staff.break", N_("休息时段不够%(minutes)s分钟"), field="break_to", minutes=minutes)
    if first < hours[0] or last > hours[1]:
        raise Refused("staff.break_hours", N_("休息时段应在上班时间内"), field="break_from")
    return first, last


def check_place(kind: str, place: str) -> None:
    """Refuse the registration of a doctor without its region, and a place that is no division code (R-STF-03)."""
    if place and not re.fullmatch(r"\d{2}(\d{2}(\d{2}(\d{3}(\d{3})?)?)?)?", place):
        raise Refused("qualification.place_format", N_("执业地点请填区划代码，如 32 或 320213"), field="place")
    if kind == "doctor" and not place:
        raise Refused("qualification.place", N_("医师执业证必须填写注册执业地点"), field="place")


def check_own_absence(*, actor_staff_id: int | None, staff_id: int, may_for_others: bool) -> None:
    """Refuse that a carer reports the absence of another; who plans the work may."""
    if actor_staff_id != staff_id and not may_for_others:
        raise Denied("absence.other", N_("只能登记自己的缺勤，别人的请由机构登记"))


def check_absence(*, from_at: datetime, to_at: datetime | None, now: datetime) -> None:
    """Refuse an absence that ends before it begins, or that is over."""
    if to_at is not None and to_at <= from_at:
        raise Refused("absence.times", N_("结束时间应晚于开始时间"), field="to_at")
    if to_at is not None and to_at <= now:
        raise Refused("absence.over", N_("这段时间已经过去，请核对"), field="to_at")


LIABILITY, INJURY, ACCIDENT = "liability", "personal_injury", "medical_accident"
POLICY_NAMES = {LIABILITY: N_("责任险"), ACCIDENT: N_("医疗意外险"), INJURY: N_("人身意外险")}


def against_body(
    *, policies: Collection[tuple[str, date, date | None]], listed_from: date | None, days: Collection[date], is_medical: bool
) -> tuple[tuple[str, str], ...]:  # fmt: skip
    """Return what stops a body from serving at home on some days, as code and sentence.

    The policies (kind, first day, day after the last) must hold on each day, that for medical accidents for medical items only
    (R-ORD-13); a body that is not listed for home medical care does no medical item (R-STF-04).
    """
    found = []
    for kind in (LIABILITY, INJURY, ACCIDENT) if is_medical else (LIABILITY, INJURY):
        own = [(first, end) for one, first, end in policies if one == kind]
        if not all(any(first <= day and (end is None or day < end) for first, end in own) for day in days):
            found.append(("insurance", N_("服务机构在服务当天没有有效的%(name)s") % {"name": POLICY_NAMES[kind]}))
    if is_medical and (listed_from is None or min(days) < listed_from):
        found.append(("not_listed", N_("服务机构不在居家医疗服务机构名单上")))
    return tuple(found)


_COLUMNS = ("date", "weekday", "kind", "name", "in_lieu")
_WEEKDAYS = "一二三四五六日"
_KINDS = ("holiday", "makeup_workday")
_SATURDAY = 5


def _calendar_row(line: int, row: dict[str, str | None]) -> tuple[date, str, str]:
    """Read a line of a calendar list; the weekday beside the date shows a list of the wrong year."""
    try:
        day = date.fromisoformat((row["date"] or "").strip())
    except ValueError:
        raise Refused(
            "calendar.date", N_("第%(line)s行的日期不对，应写成 2026-01-01"), field="text", line=line
        ) from None
    if (row["weekday"] or "").strip()[-1:] != _WEEKDAYS[day.weekday()]:
        raise Refused("calendar.weekday", N_("第%(line)s行的日期与星期不符，请核对"), field="text", line=line)
    kind = (row["kind"] or "").strip()
    if kind not in _KINDS or (kind == "makeup_workday" and day.weekday() < _SATURDAY):
        raise Refused(
            "calendar.kind", N_("第%(line)s行：放假写 holiday，周末调休上班写 makeup_workday"), field="text", line=line
        )
    return day, kind, (row["name"] or "").strip()[:40]


def calendar_rows(text: str) -> list[tuple[date, str, str]]:
    """Read a calendar list (CSV with date, weekday, kind, name, in_lieu); raise Refused naming the line."""
    lines = csv.DictReader(text.lstrip("\ufeff").strip().splitlines())
    if tuple(lines.fieldnames or ()) != _COLUMNS:
        raise Refused("calendar.columns", N_("第一行应为 date,weekday,kind,name,in_lieu"), field="text")
    rows = [_calendar_row(number, row) for number, row in enumerate(lines, start=2)]
    if not rows:
        raise Refused("calendar.empty", N_("表中没有任何日期"), field="text")
    days = [day for day, _, _ in rows]
    if twice := next((day for day in days if days.count(day) > 1), None):
        raise Refused("calendar.twice", N_("%(day)s 出现两次，请核对"), field="text", day=twice.isoformat())
    return rows


@dataclass(frozen=True)
class Duty:
    """A body that answers in a division, or in a grid drawn in it."""

    div: str
    body: int
    outline: Mapping[str, Any] | None = None


def bodies_by_area(areas: Iterable[str], duties: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Return the bodies of each area: those of the narrowest duty that covers it. One is right, none a gap, several an overlap (R-ORD-04)."""
    by_div: dict[str, list[int]] = {}
    for div, body in duties:
        by_div.setdefault(div, []).append(body)
    sizes = (12, 9, 6, 4, 2)
    return {
        area: next((by_div[area[:size]] for size in sizes if size <= len(area) and area[:size] in by_div), [])
        for area in areas
    }


def bodies_at(div: str, point: Position | None, duties: Collection[Duty]) -> list[int]:
    """Return the bodies of an address: of the grids it lies in those of the narrowest division, without one the narrowest division's."""
    drawn = [duty for duty in duties if duty.outline is not None and div.startswith(duty.div)]
    hits = [duty for duty in drawn if point is not None and inside(point, cast("Mapping[str, Any]", duty.outline))]
    if hits:
        deepest = max(len(duty.div) for duty in hits)
        return sorted({duty.body for duty in hits if len(duty.div) == deepest})
    return bodies_by_area([div], [(duty.div, duty.body) for duty in duties if duty.outline is None])[div]


MOST_CORNERS = 1000


def outline_from(text: str, datum: str) -> dict[str, Any] | None:
    """Read a drawn border: GeoJSON (an area, or a feature with one), or one corner a line as longitude and latitude. Empty: none."""
    if not text.strip():
        return None
    known_choice(datum, [(one.value, "") for one in Datum], "datum")
    try:
        polygons = _drawn(text.strip())
        kept = [[_ring(ring, Datum(datum)) for ring in rings] for rings in polygons]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        raise Refused(
            "outline.format", N_("边界应是 GeoJSON 多边形，或每行一个拐点（经度,纬度），至少三个拐点"), field="outline"
        ) from None
    if sum(len(ring) for rings in kept for ring in rings) > MOST_CORNERS:
        raise Refused("outline.size", N_("边界最多%(most)s个拐点，请简化"), field="outline", most=MOST_CORNERS)
    return {"type": "MultiPolygon", "coordinates": kept}


def _drawn(text: str) -> list[Any]:
    """Return the polygons of a text, whatever its form."""
    if not text.startswith("{"):
        return [[[[float(number) for number in re.split(r"[,，\s]+", line.strip())] for line in text.splitlines()]]]
    shape = json.loads(text)
    if shape["type"] == "FeatureCollection":
        (shape,) = shape["features"]
    if shape["type"] == "Feature":
        shape = shape["geometry"]
    polygons = {"Polygon": [shape["coordinates"]], "MultiPolygon": shape["coordinates"]}
    return list(polygons[shape["type"]])


def _ring(corners: list[Any], datum: Datum) -> list[list[float]]:
    """Return a closed ring in WGS-84, to 0.1 m."""
    with at_field("outline"):
        places = [to_wgs84(Position(float(lon), float(lat), datum)) for lon, lat, *_ in corners]
    ring = [[round(place.lon, 6), round(place.lat, 6)] for place in places]
    if ring[0] != ring[-1]:
        ring.append(ring[0])
    if len({tuple(corner) for corner in ring}) < 3:  # noqa: PLR2004 - a triangle
        raise ValueError("no area")
    return ring


def check_grid(outline: Mapping[str, Any], others: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Refuse a grid that covers a part of another one for the same services (R-ORD-04)."""
    for name, other in others:
        if overlap(outline, other):
            raise Refused(
                "service_area.grid_overlap", N_("与网格“%(name)s”重叠，请调整边界"), field="outline", name=name
            )


def first_gap(days: DayPeriod, held: Iterable[DayPeriod]) -> date | None:
    """Return the first of some days on which none of the periods holds; nothing if every day is covered."""
    day = days.from_
    for period in sorted(held, key=lambda one: one.from_):
        if period.contains(day):
            if period.to is None:
                return None
            day = period.to
    return day if days.to is None or day < days.to else None


def token_hash(plain: str) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(plain.encode()).digest()
