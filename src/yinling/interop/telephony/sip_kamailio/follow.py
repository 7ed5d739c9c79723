"""What an event of the edge means for the rows, and what the rows mean for the edge.

Nothing is remembered here that is not in the database or at the edge: after the death of a line process the next one compares the two and
goes on. The edge forgets a call only when it hears "done".
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import Q

from yinling.ground.clock import business_now, real_now
from yinling.ground.scope import scope
from yinling.hotline.models import Call, CallOffer, Seat
from yinling.hotline.operations import (
    abandon_call,
    connect_call,
    cut_call,
    divert_call,
    end_offer,
    enter_late_call,
    hang_up_call,
    leave_message,
    offer_call,
    overflow_call,
    receive_call,
    register_phone,
)
from yinling.hotline.queries import due_steps, duty_number
from yinling.hotline.states import CallState
from yinling.interop.telephony.sip_kamailio.events import EdgeCall, EdgeLink, edge_call, moment
from yinling.interop.telephony.sip_kamailio.files import DUTY, Edge
from yinling.interop.telephony.sip_kamailio.media import MediaError, ask, pick_up
from yinling.interop.telephony.sip_kamailio.sounds import Music, Sounds
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal

T = TypeVar("T")
log = logging.getLogger("yinling.line")

SEAT_NAME = re.compile(r"seat(\d{1,18})", re.ASCII)
REGISTERED_FOR = timedelta(seconds=400)
LONGEST_MESSAGE = timedelta(minutes=3)
DIALLED_WITHIN = timedelta(seconds=60)
MOST_DUTY_SEATS = 4
FORBIDDEN, NOT_AVAILABLE = 403, 480
PASSED_ON = "transfer-"
BACK_AGAIN, BACK_MS = -1, 20000
OUTCOMES = {486: "declined", 480: "declined", 603: "declined", 600: "declined", 408: "no_answer", 487: "no_answer"}
"""SIP's reasons in the words of an offer; whatever else comes back, the seat was not reached."""


def seat_name(user_id: int) -> str:
    """Return the name under which a person's phone registers."""
    return f"seat{user_id}"


def user_of(name: str) -> int | None:
    """Return the person behind a registered name."""
    found = SEAT_NAME.fullmatch(name)
    return int(found[1]) if found else None


class Follower:
    """One line process' view of one area's line."""

    def __init__(self, link: EdgeLink, actor: Actor, edge: Edge) -> None:
        self.link, self.actor, self.edge = link, actor, edge
        self.calls: dict[str, EdgeCall] = {}
        self.again: dict[str, EdgeCall] = {}
        self.passed_on: dict[str, int] = {}
        """Calls that the trunk made on our demand (REFER) -> the row that they go on with."""
        self.referred: set[int] = set()
        self.asked: set[str] = set()
        """Callers who have been asked for a message."""
        self.is_synced = threading.Event()
        self.is_behind: Callable[[], bool] = lambda: False
        """Whether what the edge told is still unread: an offer may be answered already, so none is given up."""
        self.duty: dict[str, Any] = {}
        self.sounds = Sounds(edge, actor.div or "")
        self.music = Music(link, edge, self.sounds)
        self._desks_done = 0
        self._lock = threading.Lock()

    # From the edge

    def note_synced(self, desks: int) -> None:
        """One desk has heard all that the edge knows; when all have, the rows can be compared."""
        with self._lock:
            self._desks_done += 1
            if self._desks_done >= desks:
                self.is_synced.set()

    def hear(self, message: dict[str, Any]) -> None:
        """Take up one message of the edge. Messages of one call must come in their order."""
        if message.get("event") == "call":
            self.follow(edge_call(message))
        elif message.get("event") == "offer":
            self._pick_up(message)
        elif message.get("event") == "registered":
            self.note_phone(message["seat"], is_on=bool(message["is_on"]))

    def run(self, operation: Callable[..., T], **arguments: Any) -> T:
        """Run one operation in a transaction of its own, committed when this returns."""
        with scope(self.actor):
            return operation(actor=self.actor, now=business_now(), **arguments)

    def tried(self, operation: Callable[..., Any], **arguments: Any) -> str:
        """Run an operation that somebody else may have done, or made impossible, meanwhile; return the code of the refusal."""
        try:
            self.run(operation, **arguments)
        except Refusal as refusal:
            log.info("%s: %s", getattr(operation, "__name__", operation), refusal.code)
            return str(refusal.code)
        return ""

    def note_phone(self, name: str, *, is_on: bool) -> None:
        """A soft-phone has registered, or is gone."""
        user_id = user_of(name)
        if user_id is not None:
            self.tried(register_phone, user_id=user_id, until=business_now() + REGISTERED_FOR if is_on else None)

    def follow(self, seen: EdgeCall) -> None:
        """Bring the row of a call to where the edge is."""
        self.calls[seen.call] = seen
        self.music.note(seen)
        if seen.called.startswith(PASSED_ON):
            self._follow_passed_on(seen)
        elif seen.kind == "out":
            self._follow_dialled(seen)
        elif seen.late:
            self._follow_late(seen)
        elif seen.state == "ended":
            row = self._row(seen) or self._receive(seen)
            self._finish(seen, row)
        else:
            self._follow_incoming(seen)

    def _follow_incoming(self, seen: EdgeCall) -> None:
        row = self._row(seen) or self._receive(seen)
        if seen.state == "arrived":
            self.link.tell(op="wait", call=seen.call, leg=seen.leg, row=row.pk)
        elif seen.state == "waiting":
            self._go_on(seen, row)
        elif seen.state == "answered":
            self._connect(seen, row)

    def _receive(self, seen: EdgeCall) -> Call:
        """Enter a call; this is committed before the edge hears what to do. A number that is none does not lose the call."""
        values = {"key": seen.call, "leg": seen.leg, "called": seen.called[:20]}
        try:
            return self.run(receive_call, number=seen.number, is_number_doubtful=bool(seen.doubtful), **values)
        except Refusal:
            return self.run(receive_call, number="", is_number_doubtful=True, **values)

    def _row(self, seen: EdgeCall) -> Call | None:
        with scope(self.actor):
            rows = Call.objects.filter(pk=seen.row) if seen.row else Call.objects.filter(key=seen.call)
            return rows.first()

    def _connect(self, seen: EdgeCall, row: Call) -> None:
        """A seat has answered. If the row cannot become a conversation any more, nobody talks without a row."""
        user_id = user_of(seen.seat)
        if user_id is None or row.state == CallState.DIVERTED:
            return
        refused = self.tried(connect_call, call_id=row.pk, seat_id=user_id)
        if refused == "call.busy":
            self.again[seen.call] = seen  # the end of the seat's last call is being entered beside us
        elif refused and not seen.late:
            self.link.tell(op="hangup", call=seen.call, by="platform")

    # A waiting call

    def _go_on(self, seen: EdgeCall, row: Call) -> None:
        """Let a waiting call ring at the seat it is offered to, look for one, or lead it away."""
        if row.state != CallState.RINGING:
            self._lead_away(seen, row)
            return
        with scope(self.actor):
            offer = CallOffer.objects.filter(call=row, ended_at=None, is_transfer=False).first()
        if offer is not None and offer.pk == seen.missed:
            self.tried(end_offer, offer_id=offer.pk, outcome=OUTCOMES.get(seen.code, "failed"))
            offer = None
        if offer is not None:
            self._ring(seen, offer)
        else:
            self.look()

    def _ring(self, seen: EdgeCall, offer: CallOffer) -> None:
        left = offer.expires_at - business_now()
        ring = max(1000, int(left.total_seconds() * 1000))
        self.link.tell(
            op="offer", call=seen.call, leg=seen.leg, row=offer.call_id, offer=offer.pk, seat=seat_name(offer.seat_id), ring=ring
        )  # fmt: skip

    def _lead_away(self, seen: EdgeCall, row: Call) -> None:
        """Somebody decided that no seat will answer."""
        if row.state == CallState.DIVERTED:
            with scope(self.actor):
                number = duty_number(row)
            self.link.tell(op="divert", call=seen.call, leg=seen.leg, number=number)
        elif row.state == CallState.MESSAGE:
            if seen.call not in self.asked:
                self.asked.add(seen.call)
                self.link.tell(op="message", call=seen.call, leg=seen.leg)
        else:
            self.link.tell(op="reject", call=seen.call, leg=seen.leg, code=NOT_AVAILABLE)

    def _pick_up(self, told: dict[str, Any]) -> None:
        """Nobody is there: rtpengine answers the caller, speaks, and writes down what is said. Or only: something to hear meanwhile."""
        seen = self.calls.get(told["call"])
        row = self._row(seen) if seen is not None else None
        if row is not None and row.state == CallState.RINGING:
            self.music.play(told)
        if row is None or row.state != CallState.MESSAGE:
            return
        words = {
            "call": told["call"],
            "from_tag": told["from_tag"],
            "sdp": told["sdp"],
            "prompt": self.sounds.prompt("after_hours"),
        }
        try:
            sdp = pick_up(self.edge.media_port, self.edge.host, row=row.pk, **words)
        except MediaError as error:
            log.warning("no message can be left: %s", error)
            self.link.tell(op="reject", call=told["call"], leg=told["leg"], code=NOT_AVAILABLE)
        else:
            self.link.tell(op="pick_up", call=told["call"], leg=told["leg"], sdp=sdp)

    def _end_message(self, seen: EdgeCall) -> None:
        """A message has its length too: what comes after it is not kept."""
        began = moment(seen.answered_at)
        if began is not None and real_now() - began > LONGEST_MESSAGE:
            with suppress(MediaError):
                ask(self.edge.media_port, command="delete", call_id=seen.call)
            self._done(seen)

    def look(self) -> None:
        """Give waiting calls to free seats until there is nothing to give."""
        while (offer := self.run(offer_call)) is not None:
            with scope(self.actor):
                row = Call.objects.get(pk=offer.call_id)
            seen = self.calls.get(row.key)
            if seen is not None and seen.state == "waiting":
                self._ring(seen, offer)

    # The end

    def _finish(self, seen: EdgeCall, row: Call) -> None:
        """Enter the end of a call, then let the edge forget it. A call that was passed on goes on in another one of the trunk."""
        if any(number == row.pk and call != seen.call for call, number in [*self.passed_on.items()]):
            self._done(seen)
            return
        if row.state == CallState.RINGING and seen.answered_at and user_of(seen.seat) is not None:
            self._connect(replace(seen, late=1), row)
            if seen.call in self.again:
                return  # later, when the row of the seat's other call has ended
            row = self._row(seen) or row
        if row.state == CallState.RINGING:
            self.tried(abandon_call, call_id=row.pk)
        elif row.state == CallState.ANSWERED and seen.by == "network":
            self.tried(cut_call, call_id=row.pk)
        elif row.state == CallState.ANSWERED:
            self.tried(hang_up_call, call_id=row.pk, by=seen.by or "caller")
        self._done(seen)

    def _done(self, seen: EdgeCall) -> None:
        self.calls.pop(seen.call, None)
        self.asked.discard(seen.call)
        self.again.pop(seen.call, None)
        self.passed_on.pop(seen.call, None)
        self.link.tell(op="done", call=seen.call)

    def _follow_late(self, seen: EdgeCall) -> None:
        """The edge decided alone. It is entered when it is over; a call that had a row goes on in it."""
        row = self._row(seen)
        if row is not None:
            if seen.answered_at and user_of(seen.seat) is not None:
                self._connect(seen, row)
            elif seen.answered_at and row.state == CallState.RINGING:
                self.tried(divert_call, call_id=row.pk)
            if seen.is_over:
                self._finish(seen, self._row(seen) or row)
            return
        if not seen.is_over:
            return
        refused = self.tried(
            enter_late_call, key=seen.call, number=seen.number, rang_at=self._at(seen.rang_at), answered_at=self._at(seen.answered_at),
            ended_at=self._at(seen.ended_at), seat_id=user_of(seen.seat) if seen.answered_at else None,
        )  # fmt: skip
        if refused == "call.busy":
            self.again[seen.call] = seen  # the seat is talking just now
            return
        if refused:
            log.error("a call of the outage could not be entered: %s", refused)
        self._done(seen)

    def _at(self, text: str) -> Any:
        """A time of the edge in business time."""
        at = moment(text)
        return at if at is None else at + (business_now() - real_now())

    # Passed on

    def _refer(self) -> None:
        """Ask the trunk to call again for callers whom a seat passes on."""
        with scope(self.actor):
            offers = list(CallOffer.objects.filter(is_transfer=True, ended_at=None).select_related("call"))
        for offer in offers:
            seen = next(
                (
                    one
                    for one in [*self.calls.values()]
                    if self._number(one) == offer.call_id or one.call == offer.call.key
                ),
                None,
            )
            if offer.pk not in self.referred and seen is not None and seen.state == "answered":
                self.referred.add(offer.pk)
                self.link.tell(op="refer", call=seen.call, target=f"{PASSED_ON}{offer.pk}-{self._proof(offer.pk)}")

    def _proof(self, number: int) -> str:
        """What shows that a call of the trunk was asked for by us."""
        return hmac.new(self.edge.secret.encode(), f"transfer {number}".encode(), hashlib.sha256).hexdigest()[:20]

    def _number(self, seen: EdgeCall) -> int:
        return self.passed_on.get(seen.call) or seen.row

    def _follow_passed_on(self, seen: EdgeCall) -> None:
        """The trunk calls again for a caller: the colleague's phone rings, and if nobody takes it there, the first seat's again."""
        number, _dash, proof = seen.called.removeprefix(PASSED_ON).partition("-")
        with scope(self.actor):
            offer = CallOffer.objects.filter(pk=number, is_transfer=True).select_related("call").first()
        if offer is None or not hmac.compare_digest(proof, self._proof(offer.pk)):
            self._refuse(seen)
            return
        row = offer.call
        self.passed_on[seen.call] = row.pk
        if seen.is_over:
            self._finish(seen, row)
        elif seen.state == "arrived":
            self.link.tell(op="wait", call=seen.call, leg=seen.leg, row=row.pk)
            for one in [*self.calls.values()]:
                if (
                    one.call != seen.call
                    and one.state == "answered"
                    and (self._number(one) == row.pk or one.call == row.key)
                ):
                    self.link.tell(op="hangup", call=one.call, by="platform")
        elif seen.state == "waiting":
            self._ring_passed_on(seen, offer)
        elif seen.state == "answered":
            self._connect(seen, row)

    def _ring_passed_on(self, seen: EdgeCall, offer: CallOffer) -> None:
        row = offer.call
        if row.state != CallState.ANSWERED or row.seat_id is None:
            self._lead_away(seen, row)
        elif offer.ended_at is None and offer.pk != seen.missed:
            self._ring(seen, offer)
        elif seen.missed != BACK_AGAIN:
            self.tried(end_offer, offer_id=offer.pk, outcome=OUTCOMES.get(seen.code, "failed"))
            seat = seat_name(row.seat_id)
            self.link.tell(
                op="offer", call=seen.call, leg=seen.leg, row=row.pk, offer=BACK_AGAIN, seat=seat, ring=BACK_MS
            )
        else:
            self.tried(cut_call, call_id=row.pk)
            self.link.tell(op="reject", call=seen.call, leg=seen.leg, code=NOT_AVAILABLE)

    # Out

    def _follow_dialled(self, seen: EdgeCall) -> None:
        row = self._row(seen)
        if row is None or not row.is_outbound or user_of(seen.seat) != row.seat_id:
            self._refuse(seen)
        elif seen.state == "arrived":
            with scope(self.actor):
                number = row.unseal_field("number")
            is_fresh = row.state == CallState.RINGING and business_now() - row.rang_at < DIALLED_WITHIN
            if is_fresh and number and not self._is_dialled(seen, row):
                self.link.tell(op="dial", call=seen.call, leg=seen.leg, row=row.pk, number=number)
            else:
                self._refuse(seen)
        elif seen.state == "answered":
            self._connect(seen, row)
        elif seen.is_over:
            self._finish(seen, row)

    def _is_dialled(self, seen: EdgeCall, row: Call) -> bool:
        """Whether the row has its call already: one operation is one call."""
        return any(one.row == row.pk and one.call != seen.call and not one.is_over for one in [*self.calls.values()])

    def _refuse(self, seen: EdgeCall) -> None:
        if seen.is_over:
            self._done(seen)
        else:
            log.warning("an outbound call of %s without a row was refused", seen.seat)
            self.link.tell(op="reject", call=seen.call, leg=seen.leg, code=FORBIDDEN)

    # From the rows

    def tick(self) -> None:
        """What is due by time or was decided elsewhere: every second, and whenever the rows tell of a change."""
        self._take_steps()
        self.look()
        self.music.look([*self.calls.values()])
        self._refer()
        self._compare()
        self._tell_duty()
        for name in [*self.again]:
            seen = self.again.pop(name, None)  # it may have ended beside us
            if (known := self.calls.get(name, seen)) is not None:
                self.follow(known)

    def _take_steps(self) -> None:
        verbs: dict[str, Callable[..., Any]] = {
            "overflow": overflow_call,
            "divert": divert_call,
            "message": leave_message,
        }
        with scope(self.actor):
            steps = due_steps(self.actor, business_now())
        for step in steps:
            if step.verb == "expire":
                if not self.is_behind():
                    self.tried(end_offer, offer_id=step.offer_id, outcome="no_answer")
            else:
                self.tried(verbs[step.verb], call_id=step.call_id)

    def _compare(self) -> None:
        """Tell the edge of calls that ended or went another way in the rows, and close rows of which the edge knows nothing."""
        live = [one for one in [*self.calls.values()] if not one.late and not one.is_over]
        with scope(self.actor):
            here = Q(key__in=[one.call for one in live]) | Q(pk__in=[self._number(one) for one in live])
            found = list(Call.objects.filter(here))
            gone = Q(leg__gt="") | Q(is_outbound=True, rang_at__lt=business_now() - 2 * DIALLED_WITHIN)
            open_rows = list(Call.objects.filter(gone, ended_at=None))
        by_key, by_number = {row.key: row for row in found}, {row.pk: row for row in found}
        for seen in live:
            row = by_number.get(self._number(seen)) or by_key.get(seen.call)
            if row is None or row.state in (CallState.RINGING, CallState.ANSWERED):
                continue
            if seen.state == "waiting":
                self._lead_away(seen, row)
            elif seen.state == "message":
                self._end_message(seen)
            elif seen.state == "answered" and row.state != CallState.DIVERTED:
                self.link.tell(op="hangup", call=seen.call, by="seat")
        known, numbers = set(self.calls), {self._number(one) for one in [*self.calls.values()]}
        for row in open_rows:
            if row.key not in known and row.pk not in numbers:
                self.tried(cut_call if row.state == CallState.ANSWERED else abandon_call, call_id=row.pk)

    def _tell_duty(self) -> None:
        """Whom the edge rings at when it is alone: written down too, for an edge that starts alone."""
        now = business_now()
        with scope(self.actor):
            seats = Seat.objects.filter(left_on=None, registered_until__gt=now).exclude(state="off")
            users = list(
                seats.order_by("-state", "idle_since", "pk").values_list("user_id", flat=True)[:MOST_DUTY_SEATS]
            )
            phone = duty_number(Call(div=self.actor.div or ""))
        duty = {"seats": [seat_name(one) for one in users], "phone": phone, "prompt": self.sounds.prompt("recording")}
        if duty != self.duty:
            self.link.tell(op="duty", seats=",".join(duty["seats"]), phone=phone, prompt=duty["prompt"])
            path = self.edge.folder / DUTY
            path.with_suffix(".new").write_text(json.dumps(duty), "utf-8")
            path.with_suffix(".new").replace(path)
            self.duty = duty
