"""A line that rings in pages, and people who sit on it, for tests of the soft-phone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.factories import CITY, NOW, serial

from yinling.hotline.models import Call, CallOffer, Seat, SeatGroup
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
            "expires": 4_000_000_000, "ice": [],
        }  # fmt: skip


def make_seat(who: Actor, *, state: str = "ready", at: datetime = NOW, number: str = "", **values: Any) -> Seat:
    """A place on the line for an actor, its phone registered for the hour."""
    group, _new = SeatGroup.objects.get_or_create(
        div=CITY, name="一组", defaults={"created_at": at, "changed_at": at, "is_first": True}
    )
    seat = Seat.objects.create(
        user_id=who.user_id, group=group, div=CITY, number=number or f"8{serial() % 1000:03d}", created_at=at, changed_at=at,
        registered_until=at + timedelta(hours=1), **values,
    )  # fmt: skip
    if state != "off":
        seat.state, seat.idle_since = "ready", at
        seat.save()
    if state == "paused":
        seat.state = "paused"
        seat.save()
    return seat


def make_offer(call: Call, who: Actor, *, at: datetime = NOW, is_transfer: bool = False) -> CallOffer:
    """A call ringing at a seat."""
    return CallOffer.objects.create(
        div=call.div, call=call, seat_id=who.user_id, is_transfer=is_transfer, offered_at=at, expires_at=at + timedelta(seconds=20)
    )  # fmt: skip
