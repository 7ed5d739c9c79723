"""A line without a telephone: calls are made up by hand for demo, training and tests."""

from __future__ import annotations

import uuid
from datetime import datetime

from yinling.hotline.models import Call
from yinling.hotline.operations import receive_call
from yinling.kernel.actor import Actor


class MemoryTelephony:
    """Rings by itself; nobody is at the other end."""

    def ring(self, number: str, *, actor: Actor, now: datetime, key: str = "") -> Call:
        """Bring in a call."""
        name = key or f"memory:{uuid.uuid4().hex}"
        return receive_call(actor=actor, now=now, key=name, number=number, channel="phone")
