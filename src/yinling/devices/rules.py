"""Decisions about devices: what is an alarm, which time counts, where the fence ends, who is told when. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from yinling.kernel.geo import Datum, Position, distance_m, to_wgs84
from yinling.kernel.refusals import NotAllowed, Refusal, Refused
from yinling.kernel.words import N_

LIFE, HAZARD, ATTENTION = 0, 1, 2
LEVELS = [(LIFE, N_("生命")), (HAZARD, N_("险情")), (ATTENTION, N_("关注"))]
CHAINS = {LIFE: "life", HAZARD: "hazard", ATTENTION: "attention"}
DEVICE_KINDS = [
    ("button", N_("一键呼叫器")), ("smoke", N_("烟雾报警器")), ("gas", N_("燃气报警器")), ("water", N_("溢水报警器")), ("door", N_("门磁")),
    ("bed", N_("离床感应")), ("infrared", N_("红外探测器")), ("band", N_("定位手环")), ("fall", N_("跌倒报警器")), ("phone", N_("平安通")),
]  # fmt: skip
FUNDINGS = [
    ("state", N_("财政配置")), ("lottery", N_("福彩公益金")), ("donation", N_("社会捐赠")), ("provider", N_("服务机构配置")),
    ("self", N_("自费购买")),
]  # fmt: skip
ALARM_KINDS = [
    ("sos", N_("一键呼叫")), ("fall", N_("跌倒")), ("smoke", N_("烟雾")), ("gas", N_("燃气泄漏")), ("water", N_("溢水")), ("door", N_("门磁异常")),
    ("bed", N_("离床未归")), ("motion", N_("长时间无活动")), ("vital", N_("体征异常")), ("geo", N_("走出围栏")),
]  # fmt: skip
HEARTBEATS = ("hb", "batt")
"""What a device says when nothing has happened: never an alarm, so it is not kept for ever."""
EVENT_KINDS = [*ALARM_KINDS, ("hb", N_("心跳")), ("batt", N_("电量"))]
CONTACTS = [("reached", N_("已联系上")), ("no_answer", N_("无人接听")), ("no_speech", N_("接通无人说话"))]
PEOPLE = [
    ("seat", N_("坐席")), ("family", N_("家属")), ("leader", N_("热线班长")), ("community", N_("社区")), ("volunteer", N_("最近的志愿者和邻居")),
    ("rescue", N_("由坐席拨打120")),
]  # fmt: skip
ENDS = ("acknowledged", "contacted", "ended")
_ALWAYS = {"sos": LIFE, "fall": LIFE, "smoke": HAZARD, "gas": HAZARD, "water": HAZARD}
_IF_SAID = {"door": ATTENTION, "bed": ATTENTION, "motion": ATTENTION, "vital": HAZARD}
_SENSED = {"smoke", "gas", "water"}
_CLEAR = {"clear", "normal", "restored"}
OUT, IN = "out", "in"
_CRS = {
    "wgs84": Datum.WGS84, "epsg4326": Datum.WGS84, "gcj02": Datum.GCJ02, "cgcs2000": Datum.CGCS2000, "epsg4490": Datum.CGCS2000,
    "bd09": Datum.BD09, "bd09ll": Datum.BD09,
}  # fmt: skip


def level_of(kind: str, data: Mapping[str, Any]) -> int | None:
    """Return the level of the alarm that a message is, or None. A call for help and a fall are alarms whatever else the message says."""
    if kind in _SENSED and str(data.get("state", "")).lower() in _CLEAR:
        return None
    if kind in _ALWAYS:
        return _ALWAYS[kind]
    return _IF_SAID[kind] if kind in _IF_SAID and data.get("alarm") is True else None


def effective(
    at_device: datetime | None, received_at: datetime, *, ahead_s: int, oldest_days: int
) -> tuple[datetime, bool]:
    """Return the time that counts, and whether the device's clock was not believed.

    A message from earlier was stored on the way and keeps its time; one from the future or from before all memory has a wrong clock.
    """
    if at_device is None:
        return received_at, True
    ahead = at_device - received_at > timedelta(seconds=ahead_s)
    ancient = received_at - at_device > timedelta(days=oldest_days)
    return (received_at, True) if ahead or ancient else (min(at_device, received_at), False)


@dataclass(frozen=True)
class Place:
    """Where a device was, in WGS-84, with the system in which it was told; or why that cannot be said."""

    lon: float | None = None
    lat: float | None = None
    datum: str = ""
    accuracy_m: float | None = None
    problem: str = ""

    @property
    def position(self) -> Position | None:
        """The point, if there is one."""
        if self.lon is None or self.lat is None:
            return None
        return Position(self.lon, self.lat, Datum.WGS84, self.accuracy_m)


def place_of(pos: Mapping[str, Any] | None) -> Place:
    """Read a position. One without a known coordinate system stands nowhere: GCJ-02 and WGS-84 are 500 m apart."""
    if not pos:
        return Place()
    name = "".join(letter for letter in str(pos.get("crs", "")).lower() if letter.isalnum())
    if name not in _CRS:
        return Place(problem="no_crs")
    try:
        accuracy = None if pos.get("acc_m") is None else float(pos["acc_m"])
        point = to_wgs84(Position(float(pos["lon"]), float(pos["lat"]), _CRS[name], accuracy))
    except (KeyError, TypeError, ValueError, Refusal):
        return Place(problem="unreadable")
    return Place(round(point.lon, 6), round(point.lat, 6), _CRS[name].value, accuracy)


PLACE_PROBLEMS = [
    ("no_crs", N_("设备没有注明坐标系，位置不可用")), ("unreadable", N_("位置无法识别")), ("withheld", N_("本人已撤回定位同意")),
]  # fmt: skip


def verdict(home: Position, seen: Position, *, radius_m: int, margin_m: int, most_accuracy_m: int) -> str:
    """Say whether somebody is outside or inside a fence; in the margin between, and with a vague position, neither (R-IOT-06)."""
    vague = seen.accuracy_m or 0
    if vague > most_accuracy_m:
        return ""
    away = distance_m(home, seen)
    if away - vague > radius_m + margin_m:
        return OUT
    return IN if away <= radius_m else ""


@dataclass(frozen=True)
class Link:
    """One step of the chain: how long after the alarm, who is told, and what makes it needless."""

    after_s: int
    tell: tuple[str, ...]
    until: str


def chain_of(value: Sequence[Mapping[str, Any]]) -> list[Link]:
    """Read a chain from its parameter. ValueError for one that names nobody we know."""
    known = dict(PEOPLE)
    links = [Link(int(one["after_s"]), tuple(one["tell"]), str(one["until"])) for one in value]
    if not links or any(link.until not in ENDS or not link.tell or set(link.tell) - known.keys() for link in links):
        raise ValueError("alarm.chain: after_s, tell and until of each step")
    return sorted(links, key=lambda link: link.after_s)


def is_needless(until: str, *, is_acknowledged: bool, is_contacted: bool, is_ended: bool) -> bool:
    """Whether a step has nothing more to do."""
    return is_ended or (until == "acknowledged" and is_acknowledged) or (until == "contacted" and is_contacted)


def is_silent(seen_at: datetime | None, now: datetime, *, interval_s: int, factor: int) -> bool:
    """Whether a device has missed so many of its messages."""
    return seen_at is None or now - seen_at > timedelta(seconds=interval_s * factor)


def check_batch(count: int, most: int) -> None:
    """Refuse no messages, and more than are taken at once."""
    if not count:
        raise Refused("event.none", N_("没有消息"), field="messages")
    if count > most:
        raise Refused(
            "event.too_many", N_("一次最多上报%(most)s条消息，请分批"), field="messages", most=most, count=count
        )


def check_owner(*, elder_id: int | None, provider_id: int | None) -> None:
    """A device belongs to an elder, or to a facility, or to an elder in a facility."""
    if elder_id is None and provider_id is None:
        raise Refused("device.owner", N_("请填写使用的老人，或所在的机构"), field="elder_id")


def check_acknowledge(*, state: str, by: str) -> None:
    """Of two who take up an alarm the second hears who was first."""
    if state == "raised":
        return
    if state in ("resolved", "false_alarm"):
        raise NotAllowed("alarm.ended", N_("这个报警已经结束"))
    raise NotAllowed("alarm.taken", N_("这个报警已由%(name)s受理"), name=by or "—")


def check_open(state: str) -> None:
    """What happened during an alarm is noted while it is open."""
    if state in ("resolved", "false_alarm"):
        raise NotAllowed("alarm.ended", N_("这个报警已经结束"))


def check_contact(*, contact: str, is_contacted: bool) -> None:
    """The first contact is noted once."""
    if contact not in dict(CONTACTS):
        raise Refused("choice.unknown", N_("请从列表中选择"), field="contact")
    if is_contacted:
        raise NotAllowed("alarm.contacted", N_("已登记联系上老人，不能重复登记"))


def check_fence(*, lon: float | None, lat: float | None, has_home: bool) -> None:
    """A fence stands around a point: the one given, or the home."""
    if (lon is None) != (lat is None):
        raise Refused("geo.half", N_("经度和纬度须同时填写，或都不填"), field="lon" if lon is None else "lat")
    if lon is None and not has_home:
        raise Refused("fence.no_home", N_("住址没有位置，请填写围栏中心的经纬度"), field="lon")
