"""A cloud call centre behind signed HTTP: its own queue chooses the seat, tells us each step, and takes our commands.

Events arrive at ``/line/events/`` and may come twice, late, or in any order. Each carries all that is known of its call by then
(``from``, ``to``, ``agent``, ``answered_at``, ``ended_at`` ...), so the newest one alone brings our call to where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

from django.conf import settings

from yinling.ground.parameters import parameter
from yinling.hotline.models import Call, Recording, Seat
from yinling.hotline.operations import (
    abandon_call,
    connect_call,
    cut_call,
    hang_up_call,
    receive_call,
    store_recording,
)
from yinling.hotline.states import CallState
from yinling.interop.signed import post_signed
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_

PREFIX, OUTBOUND = "carrier:", "out:"
MOST_SOUND = 64 * 1024 * 1024
FARTHEST = timedelta(hours=12)
"""A time of the carrier that is farther away than this is not believed."""
ENDED_BY = {"caller": "caller", "agent": "seat", "network": "network"}


class CarrierTelephony:
    """Commands to the call centre, and the demonstration's own calls."""

    def ring(self, number: str, *, actor: Actor, now: datetime, key: str = "") -> Call:
        """Bring in a call as an event would."""
        return receive_call(
            actor=actor, now=now, key=key or f"{PREFIX}{now.timestamp()}", number=number, channel="phone"
        )

    def originate(self, *, key: str, agent: str, number: str) -> str:
        """Have the call centre ring an agent and then a number, once per key; return its own name of the call."""
        answer = _command("/calls", {"key": key, "agent": agent, "to": number}, once=key)
        return str(answer.get("call", ""))

    def hang_up(self, call: str) -> None:
        """Have the call centre end a call; one that is over already is no fault."""
        _command(f"/calls/{call}/hangup", {}, once=f"hangup:{call}")


def _command(path: str, body: dict[str, Any], *, once: str) -> dict[str, Any]:
    given = settings.CARRIER
    status, answer = post_signed(
        given["url"].rstrip("/") + path, body, key=given["key"], secret=given["secret"], seconds=float(given["timeout"]), once=once
    )  # fmt: skip
    if status == 404 and path.endswith("/hangup"):  # noqa: PLR2004 - not there any more
        return {}
    if not 200 <= status < 300 or not isinstance(answer, dict):  # noqa: PLR2004 - the good answers
        raise OSError(f"status {status}")
    return answer


@dataclass(frozen=True)
class Event:
    """What a carrier says of one call."""

    call: str
    kind: str
    values: dict[str, Any]

    @classmethod
    def read(cls, body: Any) -> Event:
        """Return the event of a body. Raises Refused for one that names no call."""
        if not isinstance(body, dict) or not isinstance(body.get("call"), str) or not 1 <= len(body["call"]) <= 100:  # noqa: PLR2004 - the column
            raise Refused("line.event", N_("事件没有给出通话标识（call）"))
        kind = str(body.get("event", ""))
        if kind not in ("arrived", "answered", "ended", "recorded"):
            raise Refused("line.event_kind", N_("不认识的事件：%(kind)s"), kind=kind[:20])
        return cls(body["call"], kind, body)

    def text(self, name: str) -> str:
        """Return a text of the event, or nothing."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def moment(self, name: str, now: datetime) -> datetime:
        """Return a time of the event, never in the future; ``now`` where it names none that can be believed."""
        try:
            at = datetime.fromisoformat(self.text(name))
        except ValueError:
            return now
        return min(at, now) if at.tzinfo is not None and abs(at - now) < FARTHEST else now


def area_of(event: Event, areas: list[str], now: datetime) -> str:
    """Return the city whose hotline was called. Raises Refused where several could be meant."""
    called = event.text("to")
    hit = [div for div in areas if str(parameter("hotline.number", div, local_date(now))) == called]
    if len(hit) == 1 or len(areas) == 1:
        return (hit or areas)[0]
    raise Refused("line.called", N_("被叫号码不是任何城市的热线号码"))


def take_event(actor: Actor, event: Event, *, now: datetime, sound: bytes = b"") -> Call:
    """Bring our call to where the carrier says it stands; what is behind us already changes nothing."""
    call = _received(actor, event, now)
    agent = event.text("agent")
    if agent and event.text("answered_at") and call.state == CallState.RINGING:
        moment = max(event.moment("answered_at", now), call.rang_at)
        call = connect_call(actor=actor, now=moment, call_id=call.pk, seat_id=_person(agent, call.div))
    if event.text("ended_at") or event.kind == "ended":
        call = _ended(actor, event, call, now)
    if event.kind == "recorded" and not Recording.objects.filter(call=call, kind="talk").exists():
        seconds = event.values.get("seconds")
        store_recording(
            actor=actor, now=now, call_id=call.pk, content=sound, started_at=call.answered_at or call.rang_at,
            seconds=seconds if isinstance(seconds, int) and 0 <= seconds <= 86_400 else 0,  # noqa: PLR2004 - a day
        )  # fmt: skip
    return call


def _received(actor: Actor, event: Event, now: datetime) -> Call:
    ours = event.text("key")  # of a call that a seat dialled
    known = Call.objects.filter(key=ours if ours.startswith(OUTBOUND) else PREFIX + event.call).first()
    if known is not None:
        return known
    if "from" not in event.values:
        raise NotAllowed("line.early", N_("还没有收到这通来电的到达事件，请稍后重发"))
    return receive_call(
        actor=actor, now=event.moment("arrived_at", now), key=PREFIX + event.call, number=event.text("from"), called=event.text("to"),
        is_number_doubtful=event.values.get("verified") is not True, leg=PREFIX + event.call,
    )  # fmt: skip


def _person(agent: str, div: str) -> int:
    seats = Seat.objects.filter(number=agent, left_on=None)
    near = [seat for seat in seats if div.startswith(seat.div)]
    if len(near) != 1:
        raise Refused("line.agent", N_("没有工号为 %(agent)s 的坐席，请先在坐席管理中登记"), agent=agent[:8])
    return near[0].user_id


def _ended(actor: Actor, event: Event, call: Call, now: datetime) -> Call:
    moment = max(event.moment("ended_at", now), call.answered_at or call.rang_at)
    Call.objects.filter(pk=call.pk, leg__startswith=PREFIX).update(leg="")  # nothing is left there to be ended
    if call.state == CallState.RINGING:
        return abandon_call(actor=actor, now=moment, call_id=call.pk)
    if call.state != CallState.ANSWERED:
        return call
    by = ENDED_BY.get(event.text("by"), "caller")
    if by == "network":
        return cut_call(actor=actor, now=moment, call_id=call.pk)
    return hang_up_call(actor=actor, now=moment, call_id=call.pk, by=by)


def fetch_sound(event: Event) -> bytes:
    """Return the sound that an event names; only from the call centre's own address. Raises OSError when it is not to be had now."""
    base, url = settings.CARRIER["url"].rstrip("/") + "/", event.text("url")
    if not base.startswith(("http://", "https://")) or not url.startswith(base):
        raise Refused("line.sound", N_("录音地址不属于呼叫中心"))
    with urlopen(Request(url), timeout=float(settings.CARRIER["timeout"])) as answer:  # noqa: S310 - checked above
        sound: bytes = answer.read(MOST_SOUND + 1)
    if len(sound) > MOST_SOUND:
        raise Refused("line.sound_size", N_("录音超过 64 MB"))
    return sound
