"""Which devices of a page are silent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from yinling.devices.models import Device
from yinling.devices.queries import number_of
from yinling.devices.rules import is_silent
from yinling.devices.states import DeviceState


def quiet(rows: Iterable[Device], now: datetime) -> frozenset[int]:
    """Of some devices in use those that missed too many messages; no query."""
    return frozenset(
        row.pk
        for row in rows
        if row.state == DeviceState.ACTIVE
        and is_silent(
            row.last_seen_at, now, interval_s=row.interval_s, factor=number_of("device.silent_factor", row.div, now)
        )
    )
