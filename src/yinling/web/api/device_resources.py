"""What the API reads of devices and of the green channel. A position stands there as long as its alarm is open, and in no list of devices."""

from __future__ import annotations

from typing import Any

from yinling.devices.models import Alarm, AlarmStep, Delivery, Device, DeviceEvent, DeviceTask
from yinling.hotline.models import Handover
from yinling.web.api.resource import Resource, ids, number, on_day, plain_value, texts, visible, within

VERSIONED = "version created_at changed_at"


def _position(row: Alarm) -> dict[str, Any] | None:
    if not row.is_open or row.lon is None:
        return None
    names = ("lon", "lat", "datum", "accuracy_m", "placed_at")
    return {name: plain_value(getattr(row, name)) for name in names}


def _steps(row: Alarm) -> list[dict[str, Any]]:
    names = ("number", "tell", "until", "due_at", "done_at", "outcome", "told_count")
    return [{name: plain_value(getattr(step, name)) for name in names} for step in row.steps.order_by("number")]


DEVICES = [
    Resource(
        "devices", Device, "devices.device.view", visible(Device),
        "div serial kind state maker funding elder_id provider_id site_id place interval_s installed_on removed_on last_seen_at battery "
        f"has_wrong_clock fence_radius_m {VERSIONED}",
        ids("elder", "provider") | texts("kind", "state", "funding", "serial") | {"div": within()},
    ),
    Resource(
        "alarms", Alarm, "devices.alarm.view", visible(Alarm),
        "code div device_id elder_id provider_id call_id kind level state raised_at received_at latest_at message_count is_late is_skewed "
        f"address place_problem acknowledged_at acknowledged_by_id note contacted_at contact departed_at helper rescue_at ended_at "
        f"ended_by_id result {VERSIONED}",
        ids("elder", "device", "provider") | texts("kind", "state") | {"div": within(), "day": on_day("day", "received_at")},
        more={"position": _position}, detail={"steps": _steps},
    ),
    Resource(
        "alarm-steps", AlarmStep, "devices.alarm.view", visible(AlarmStep),
        "div alarm_id number tell until due_at done_at outcome told_count", {"alarm": number("alarm", "alarm_id")},
    ),
    Resource(
        "events", DeviceEvent, "devices.device.view", visible(DeviceEvent),
        "div device_id elder_id provider_id msg_id boot seq copy kind ts_dev ts_rx ts_eff is_skewed is_late verdict",
        ids("device", "elder") | texts("kind") | {"day": on_day("day", "ts_eff")},
    ),
    Resource(
        "tasks", DeviceTask, "devices.device.view", visible(DeviceTask),
        f"div kind state device_id elder_id provider_id count heard opened_at done_at done_by_id note {VERSIONED}",
        ids("device") | texts("kind", "state") | {"div": within()},
    ),
    Resource(
        "deliveries", Delivery, "devices.event.report", visible(Delivery), "div received_at count", detail={"outcomes": lambda row: row.outcomes},
    ),
    Resource(
        "handovers", Handover, "hotline.handover.view", visible(Handover),
        "div emergency_id elder_id provider_id what has_consent notified_at notified_count opened_at accepted_at accepted_by_id answer "
        f"informed_at informed {VERSIONED}", ids("elder", "provider"),
    ),
]  # fmt: skip
