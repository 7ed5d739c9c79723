"""What the pop shows beside the caller that later steps of the platform know: devices, the last alarm, and what can be ordered by phone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject

from yinling.catalogue.models import FAMILIES
from yinling.catalogue.queries import active_items
from yinling.devices.models import ALARM_KINDS, Alarm, Device
from yinling.devices.queries import OPEN
from yinling.devices.states import DeviceState
from yinling.kernel.actor import Actor
from yinling.kernel.words import N_

AT_ONCE = 5
DEMANDS = (
    ("housekeeping", N_("家政服务"), ("cleaning",), ""),
    ("daily", N_("生活照料"), ("daily_care", "bathing"), "daily_care"),
    ("meals", N_("助餐配餐"), ("meal",), "meals"),
    ("health", N_("医疗保健"), ("medical", "nursing", "rehab_nursing", "escort"), "medical"),
    ("stay", N_("临时托养"), (), "short_stay"),
    ("comfort", N_("精神慰藉"), ("comfort",), "comfort"),
    ("culture", N_("文化娱乐"), (), "culture"),
    ("rescue", N_("紧急救援"), ("rescue",), ""),
)
"""What a caller asks for (S2B 四(一)): families of the list that are ordered, and what a place offers where somebody has to be asked."""


@dataclass(frozen=True)
class Demand:
    """One thing callers ask for: its items, and the capability of the places that offer it."""

    code: str
    label: str
    items: list[tuple[str, str]] = field(default_factory=list)
    offers: str = ""


def demands() -> list[Demand]:
    """Return the top level of the list with every active item once, in one query."""
    named = dict(FAMILIES)
    by_family: dict[str, list[tuple[str, str]]] = {code: [] for code in named}
    for item in active_items():
        by_family[item.family].append((item.code, item.name))
    return [
        Demand(code, label, [item for family in families for item in by_family[family]], offers)
        for code, label, families, offers in DEMANDS
    ]


@dataclass(frozen=True)
class LastAlarm:
    """What the pop says of an alarm."""

    pk: int
    label: str
    raised_at: datetime
    is_open: bool
    address: str


@dataclass(frozen=True)
class Things:
    """The devices of an elder and the alarm that matters: the open one, else the last."""

    devices: list[Any] = field(default_factory=list)
    alarm: LastAlarm | None = None


def things_of(actor: Actor, elder_id: int | None) -> Things:
    """Return an elder's devices and alarm in one query; nothing for a role that may not see them."""
    if elder_id is None or not actor.has("devices.device.view"):
        return Things()
    recent = Alarm.objects.filter(device_id=OuterRef("pk")).order_by("-received_at", "-pk")[:AT_ONCE]
    told = JSONObject(pk="pk", kind="kind", state="state", raised_at="raised_at", address="address")
    rows = Device.objects.visible_to(actor).filter(elder_id=elder_id).order_by("state", "kind", "pk")
    devices = list(rows.annotate(told=ArraySubquery(recent.values(json=told))))
    alarms = [_alarm(one) for device in devices for one in device.told] if actor.has("devices.alarm.view") else []
    alarms.sort(key=lambda one: (one.is_open, one.raised_at), reverse=True)
    in_place = [device for device in devices if device.state != DeviceState.REMOVED]
    return Things(in_place, alarms[0] if alarms else None)


def _alarm(told: dict[str, Any]) -> LastAlarm:
    label = str(dict(ALARM_KINDS).get(told["kind"], told["kind"]))
    at = datetime.fromisoformat(told["raised_at"])
    return LastAlarm(told["pk"], label, at, told["state"] in OPEN, told["address"])
