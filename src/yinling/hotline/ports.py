"""What the outside must do for the desk: the telephone line, and the other lines that know the same tickets."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from yinling.hotline.models import Call
from yinling.kernel.actor import Actor


class Telephony(Protocol):
    """A line that brings calls in: each arrival becomes ``receive_call`` with the line's own key of the call.

    What else a line does with a call (offer it to a seat, let it wait, refuse, end, pass on or divert it) it reads from the rows: nobody
    tells it, so that nothing is lost when one of the two is away.
    """

    def ring(self, number: str, *, actor: Actor, now: datetime, key: str = "") -> Call:
        """Let a call come in from a number as if from outside (demo, training); an empty number is withheld.

        ``key`` is the line's own name of the call; without one it gets a new one.
        """
        ...


class ExchangeRefused(Exception):  # noqa: N818 - an answer, not an error
    """The other line understood a message and will not have it; the text says why. Sending it again is of no use."""


class TicketExchange(Protocol):
    """Another line, such as 12345, that is told of tickets and their states."""

    def send(self, message: dict[str, Any]) -> str:
        """Send a message once per ``message["key"]``; return the number of the ticket there, if the answer names one.

        Raises OSError when the way is shut for now, ExchangeRefused when the other line will not have it.
        """
        ...


class SeatLine(Telephony, Protocol):
    """A line that rings in the pages of seats."""

    @property
    def ws_url(self) -> str:
        """Where a seat's page connects."""
        ...

    def seat_credentials(self, user: Any) -> dict[str, str]:
        """Return what a seat's page needs to join the line: uri, ws_url, username, password, and until when they hold (expires)."""
        ...
