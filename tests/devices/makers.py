"""Devices for tests, and what they send."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.factories import LONG_AGO, NOW, serial

from yinling.devices.envelopes import sign
from yinling.devices.models import Device
from yinling.devices.states import DeviceState
from yinling.directory.models import Organisation
from yinling.people.models import Consent, Elder

KEY = "a-key-of-a-test-that-is-long-enough"


def make_device(elder: Elder | None = None, provider: Organisation | None = None, **values: Any) -> Device:
    """A call button in use, heard a minute ago."""
    div = elder.div if elder else (provider.div if provider else "")
    chosen = {
        "serial": f"DEV-{serial():05d}", "kind": "button", "funding": "state", "interval_s": 3600, "created_at": NOW, "changed_at": NOW,
        "last_seen_at": NOW - timedelta(minutes=1), "installed_on": LONG_AGO, **values,
    }  # fmt: skip
    state = chosen.pop("state", DeviceState.ACTIVE)
    row = Device(div=div, elder=elder, provider=provider, **chosen)
    row.seal_field("key", KEY)
    row.save()
    ways = {"registered": [], "active": ["active"], "paused": ["active", "paused"], "removed": ["active", "removed"]}
    for step in ways[state]:
        row.state = step
        row.save()
    return row


def envelope(device: Device, kind: str = "sos", seq: int = 1, at: Any = NOW, **values: Any) -> dict[str, Any]:
    """What a device writes: boot 1, with its clock right."""
    stamp = int(at.timestamp() * 1000) if isinstance(at, datetime) else at
    return {
        "v": 1, "dev": device.serial, "msg_id": f"{device.serial}-{seq}", "seq": seq, "boot": 1, "ts_dev": stamp, "kind": kind, "data": {},
        **values,
    }  # fmt: skip


def message(device: Device, kind: str = "sos", seq: int = 1, at: Any = NOW, *, key: str = KEY, **values: Any) -> str:
    """The same, signed."""
    return sign(envelope(device, kind, seq, at, **values), key)


def pos(lon: float = 120.30, lat: float = 31.57, acc_m: float | None = 10, crs: str = "WGS84") -> dict[str, Any]:
    """A position as devices tell it: at the home of the makers."""
    return {"lon": lon, "lat": lat, "acc_m": acc_m, "crs": crs}


def agree_to_position(elder: Elder) -> Consent:
    """The elder's consent to being located."""
    return Consent.objects.create(
        div=elder.div,
        elder=elder,
        purpose="position",
        text_version="2026-1",
        given_by="self",
        valid_from=LONG_AGO,
        recorded_from=NOW,
    )
