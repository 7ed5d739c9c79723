"""What the telephone line must do for the desk."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from yinling.hotline.models import Call
from yinling.kernel.actor import Actor


class Telephony(Protocol):
    """A line that brings calls in: each arrival becomes ``receive_call`` with the line's own key of the call."""

    def ring(self, number: str, *, actor: Actor, now: datetime, key: str = "") -> Call:
        """Let a call come in from a number as if from outside (demo, training); an empty number is withheld.

        ``key`` is the line's own name of the call; without one it gets a new one.
        """
        ...
