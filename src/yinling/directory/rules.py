"""Who may: the one check of rights, and rules of the map."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time

from yinling.directory.roles import EXCLUSIVE, ROLES
from yinling.ground.operation import note_checked
from yinling.kernel.actor import Actor
from yinling.kernel.geo import Datum, Position, to_wgs84
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


def position_of(lon: float | None, lat: float | None, datum: str) -> Position | None:
    """Return a position in WGS-84 from what was sent; half a position is refused."""
    if lon is None and lat is None:
        return None
    if lon is None or lat is None:
        raise Refused("geo.half", N_("经度和纬度须同时填写，或都不填"), field="lon" if lon is None else "lat")
    known_choice(datum, [(one.value, "") for one in Datum], "datum")
    with at_field("lon"):
        return to_wgs84(Position(lon, lat, Datum(datum)))


def clock_time(text: str, field: str) -> time:
    """Read ``08:00``."""
    try:
        return time.fromisoformat(text.strip())
    except ValueError:
        raise Refused("time.format", N_("时刻请写成 08:00 的形式"), field=field) from None


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


def token_hash(plain: str) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(plain.encode()).digest()
