"""What stands about devices beside an elder: on the screen of a call, on the file, on the family's page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from yinling.devices.models import Alarm, Device
from yinling.devices.queries import devices_of, last_alarm, number_of, open_alarms_of
from yinling.devices.rules import is_silent
from yinling.devices.states import DeviceState
from yinling.kernel.actor import Actor

__all__ = ["Beside", "beside", "devices_of", "last_alarm", "open_alarms_of", "quiet"]


@dataclass(frozen=True)
class Beside:
    """The devices of an elder, which of them are silent, and the open or last alarm."""

    devices: list[Device] = field(default_factory=list)
    silent: frozenset[int] = frozenset()
    alarm: Alarm | None = None


def quiet(rows: list[Device], now: datetime) -> frozenset[int]:
    """Of some devices in use those that missed too many messages; no query."""
    return frozenset(
        row.pk
        for row in rows
        if row.state == DeviceState.ACTIVE
        and is_silent(
            row.last_seen_at, now, interval_s=row.interval_s, factor=number_of("device.silent_factor", row.div, now)
        )
    )


def beside(actor: Actor, elder_id: int, now: datetime) -> Beside:
    """Return what a seat sees of an elder's devices: two queries, none without the right."""
    if not actor.has("devices.device.view"):
        return Beside()
    rows = devices_of(actor, elder_id)
    return Beside(rows, quiet(rows, now), last_alarm(actor, elder_id) if actor.has("devices.alarm.view") else None)
