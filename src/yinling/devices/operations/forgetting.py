"""What devices said when nothing had happened is deleted after its time; what it proves stands elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from django.db import connection

from yinling.accounts.operations import record
from yinling.devices.models import DeviceEvent
from yinling.devices.queries import number_of
from yinling.directory.rules import require
from yinling.ground.operation import note_recorded, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Input
from yinling.kernel.words import N_

MOST = 100_000


@operation("devices.event.forget")
def forget_event(
    *, actor: Actor, now: datetime, div: Annotated[str, Input(N_("区划"), max_length=12)],
    most: Annotated[int, Input(N_("最多删除的条数"), least=1)] = MOST,
) -> int:  # fmt: skip
    """Delete heartbeats of a city that are older than its parameter says, and deliveries of that time that held nothing else of note.

    The device row keeps when it was last heard, tasks about silence keep when that had been. Returns how many rows went.
    """
    require(actor, "devices.event.forget", div=div)
    before = now - timedelta(days=number_of("device.heartbeat_days", div, now))
    with connection.cursor() as cursor:
        cursor.execute("SELECT heartbeats, deliveries FROM devices_forget(%s, %s)", [before, most])
        heartbeats, deliveries = cursor.fetchone()
    if heartbeats or deliveries:
        told = {"before": before.isoformat(), "heartbeats": heartbeats, "deliveries": deliveries}
        record(actor=actor, now=now, event="devices.event.forget", subject=DeviceEvent(div=div), changes=told)
    else:
        note_recorded()  # nothing was old enough
    return int(heartbeats + deliveries)
