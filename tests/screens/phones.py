"""A line that rings in pages, and people who sit on it, for tests of the soft-phone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests import factories
from tests.factories import NOW

from yinling.hotline.models import Call, CallOffer, Seat
from yinling.kernel.actor import Actor

WIRE = "ws://127.0.0.1:9/"
PORT = "tests.screens.phones.PageLine"


class PageLine:
    """A line that hands out credentials and never rings."""

    ws_url = WIRE

    @staticmethod
    def seat_credentials(user: Any) -> dict[str, Any]:
        """What the edge would accept."""
        return {
            "uri": f"sip:{user.pk}@line.test", "ws_url": WIRE, "username": f"1700000000:{user.pk}", "password": "secret-of-an-hour",
            "expires": "2096-10-02T07:06:40+00:00",
        }  # fmt: skip


def make_seat(who: Actor, *, state: str = "ready", at: datetime = NOW, number: str = "") -> Seat:
    """A place on the line for an actor, its phone registered for the hour."""
    named = {"number": number} if number else {}
    return factories.make_seat(who, state=state, registered_until=at + timedelta(hours=1), **named)


def make_offer(call: Call, who: Actor, *, at: datetime = NOW, is_transfer: bool = False) -> CallOffer:
    """A call ringing at a seat."""
    return CallOffer.objects.create(
        div=call.div, call=call, seat_id=who.user_id, is_transfer=is_transfer, offered_at=at, expires_at=at + timedelta(seconds=20)
    )  # fmt: skip
