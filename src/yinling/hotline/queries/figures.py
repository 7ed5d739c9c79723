"""The figures of the line: what waits, who sits there, how calls were answered, and what each seat did. Always bounded by time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, DateTimeField, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, ExtractHour, Greatest, Least, Left

from yinling.ground.parameters import parameter
from yinling.hotline.models import Call, Callback, CallOffer, QualitySample, Seat, SeatSpan, Ticket, Transfer
from yinling.hotline.operating import TARGETS, Counts, Measure, measures, summed
from yinling.hotline.states import CallbackState, CallState, SampleState, SeatState
from yinling.kernel.actor import Actor
from yinling.kernel.period import SHANGHAI, day_bounds, local_date, local_midnight

DISTRICT = 6
WRAP_UP = "wrap_up"
"""The reason of a break that finishes a call's paperwork."""
OF_THE_LINE = ("missed", "cut", "message", "asked")


@dataclass(frozen=True)
class Span:
    """Moments from ``start`` up to, not including, ``end``; ``now`` ends what is still going on."""

    start: datetime
    end: datetime
    now: datetime

    @property
    def until(self) -> datetime:
        """The end, or now where that is earlier."""
        return min(self.end, self.now)


def of_days(first: date, last: date, now: datetime) -> Span:
    """The span of days, both inclusive."""
    return Span(local_midnight(first), day_bounds(last)[1], now)


@dataclass(frozen=True)
class Figures:
    """What happened in a time: the whole, by district (six digits, or the shorter division of a call nobody could place), by hour."""

    total: Counts
    districts: dict[str, Counts] = field(default_factory=dict)
    hours: dict[int, Counts] = field(default_factory=dict)


def inbound(actor: Actor, span: Span) -> QuerySet[Call]:
    """Calls that came in during a time."""
    rows = Call.objects.visible_to(actor).filter(rang_at__gte=span.start, rang_at__lt=span.end)
    return rows.filter(is_outbound=False).order_by()


def in_time_seconds(div: str, day: date) -> int:
    """Return within how many seconds a call is to be answered."""
    return int(parameter("line.target.in_time_seconds", div, day))


def counted(*, within_s: int) -> dict[str, Any]:
    """Return the aggregates of ``Counts`` by name."""
    waited = F("answered_at") - F("rang_at")
    answered = Q(answered_at__isnull=False)
    ended = Q(state=CallState.ENDED)
    return {
        "arrived": Count("pk", filter=~Q(state=CallState.RINGING)),
        "answered": Count("pk", filter=answered),
        "in_time": Count("pk", filter=Q(answered_at__lte=F("rang_at") + timedelta(seconds=within_s))),
        "abandoned": Count("pk", filter=Q(state=CallState.ABANDONED)),
        "diverted": Count("pk", filter=Q(state=CallState.DIVERTED)),
        "messages": Count("pk", filter=Q(state=CallState.MESSAGE)),
        "waited": Sum(waited, filter=answered),
        "ended": Count("pk", filter=ended),
        "talked": Sum(F("ended_at") - F("answered_at"), filter=ended),
    }


def _counts(row: dict[str, Any]) -> Counts:
    names = ("arrived", "answered", "in_time", "abandoned", "diverted", "messages")
    return Counts(
        **{name: row[name] for name in names}, waited_s=_seconds(row["waited"]), ended=row["ended"], talked_s=_seconds(row["talked"])
    )  # fmt: skip


def _seconds(length: timedelta | None) -> int:
    return int(length.total_seconds()) if length else 0


def figures(actor: Actor, span: Span, *, within_s: int, provider_id: int | None = None) -> Figures:
    """Count the calls of a time in one pass over the index of their ring: by district and hour, added up for the rest."""
    rows = inbound(actor, span)
    if provider_id is not None:
        rows = rows.filter(provider_id=provider_id)
    groups: Any = rows.annotate(district=Left("div", DISTRICT), hour=ExtractHour("rang_at", tzinfo=SHANGHAI))
    districts: dict[str, list[Counts]] = defaultdict(list)
    hours: dict[int, list[Counts]] = defaultdict(list)
    for row in groups.values("district", "hour").annotate(**counted(within_s=within_s)):
        found = _counts(row)
        districts[row["district"]].append(found)
        hours[row["hour"]].append(found)
    by_district = {name: summed(parts) for name, parts in sorted(districts.items())}
    return Figures(summed(by_district.values()), by_district, {hour: summed(hours[hour]) for hour in sorted(hours)})


def callbacks_on_time(actor: Actor, span: Span, *, provider_id: int | None = None) -> tuple[int, int]:
    """Return how many call-backs due in a time were done by then, of how many."""
    rows: QuerySet[Any] = Callback.objects.filter(due_at__gte=span.start, due_at__lt=span.until, kind__in=OF_THE_LINE)
    rows = rows.filter(call__provider_id=provider_id) if provider_id is not None else _of_area(rows, actor)
    found = rows.aggregate(
        hits=Count("pk", filter=Q(state=CallbackState.DONE, done_at__lte=F("due_at"))), total=Count("pk")
    )
    return found["hits"], found["total"]


def _of_area(rows: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Rows of the area of who asks; of a company the policies leave those of its own line."""
    return rows.filter(div__gte=actor.div, div__lt=actor.div + ":") if actor.div else rows


def first_calls(actor: Actor, span: Span, *, provider_id: int | None = None) -> tuple[int, int]:
    """Return how many calls were resolved at once, of those from which a ticket came.

    At once: every ticket of the call was closed within minutes of the end of the call, without being passed on, split or opened again.
    """
    tickets = Ticket.objects.filter(call=OuterRef("pk"))
    minutes = int(parameter("ticket.first_call_minutes", actor.div or "", local_date(span.until)))
    settled_by = F("call__ended_at") + timedelta(minutes=minutes)
    late = tickets.filter(Q(closed_at=None) | Q(closed_at__gt=settled_by) | Q(reopen_count__gt=0))
    moved = Transfer.objects.filter(ticket__call=OuterRef("pk"))
    rows = inbound(actor, span).filter(Exists(tickets))
    if provider_id is not None:
        rows = rows.filter(provider_id=provider_id)
    split = Ticket.objects.filter(parent__call=OuterRef("pk"))
    found = rows.aggregate(
        hits=Count("pk", filter=Q(~Exists(late)) & Q(~Exists(moved)) & Q(~Exists(split))), total=Count("pk")
    )
    return found["hits"], found["total"]


def quality(actor: Actor, span: Span, *, provider_id: int | None = None) -> tuple[int, int]:
    """Return the points of the calls listened to that were made in a time, and how many they are."""
    rows = QualitySample.objects.visible_to(actor).exclude(state=SampleState.DRAWN)
    rows = rows.filter(call__rang_at__gte=span.start, call__rang_at__lt=span.end)
    if provider_id is not None:
        rows = rows.filter(provider_id=provider_id)
    found = rows.aggregate(points=Sum("total"), number=Count("pk"))
    return found["points"] or 0, found["number"]


def targets(div: str, day: date) -> dict[str, Any]:
    """Return the targets of an area on a day, by measure."""
    return {code: parameter(key, div, day) for code, key in TARGETS.items()}


def line_measures(
    actor: Actor, span: Span, *, provider_id: int | None = None, div: str = "", has_quality: bool = True
) -> tuple[Figures, list[Measure]]:
    """Return the figures of a time and every measure against its target (R-CALL-08). A company does not see the tickets of the city."""
    place, day = div or actor.div or "", local_date(span.until)
    found = figures(actor, span, within_s=in_time_seconds(place, day), provider_id=provider_id)
    sees_tickets = actor.has("hotline.ticket.view") or actor.is_system
    return found, measures(
        found.total, targets(place, day), callbacks=callbacks_on_time(actor, span, provider_id=provider_id),
        first_calls=first_calls(actor, span, provider_id=provider_id) if sees_tickets else None,
        quality=quality(actor, span, provider_id=provider_id) if has_quality else None,
    )  # fmt: skip


# Now


@dataclass(frozen=True)
class Place:
    """A seat on the wall: what it is doing and since when."""

    seat: Seat
    doing: str
    since: datetime | None
    reason: str = ""


@dataclass(frozen=True)
class Waiting:
    """Who waits now: how many, by rank, and since when the longest."""

    count: int
    by_rank: dict[int, int]
    since: datetime | None


def waiting_now(actor: Actor) -> Waiting:
    """Calls that ring, from the index of those that wait."""
    rows = Call.objects.visible_to(actor).filter(state=CallState.RINGING, is_outbound=False)
    groups = list(rows.order_by().values("rank").annotate(number=Count("pk"), since=Min("rang_at")))
    counts = {row["rank"]: row["number"] for row in groups}
    return Waiting(sum(counts.values()), counts, min((row["since"] for row in groups), default=None))


def places(actor: Actor) -> list[Place]:
    """Every seat with what it is doing: talking and ringing come from the calls, the rest from its state. One query."""
    talking = Call.objects.filter(seat=OuterRef("user"), state=CallState.ANSWERED).values("answered_at")
    ringing = CallOffer.objects.filter(seat=OuterRef("user"), ended_at=None).values("offered_at")
    span = SeatSpan.objects.filter(seat=OuterRef("pk"), to_at=None).values("from_at")
    seats = Seat.objects.visible_to(actor).filter(left_on=None).select_related("user", "group")
    seats = seats.annotate(
        talking_at=Subquery(talking[:1]), ringing_at=Subquery(ringing[:1]), span_at=Subquery(span[:1])
    )
    return [_place(seat) for seat in seats.order_by("number")]


def _place(seat: Any) -> Place:
    if seat.talking_at:
        return Place(seat, "talking", seat.talking_at)
    if seat.ringing_at:
        return Place(seat, "ringing", seat.ringing_at)
    if seat.state == SeatState.PAUSED and seat.reason == WRAP_UP:
        return Place(seat, "after", seat.span_at)
    return Place(seat, str(seat.state), seat.span_at, seat.reason)


# Seats over a time


@dataclass(frozen=True)
class Work:
    """What a seat did in a time. Seconds; ``quality`` and ``satisfaction`` are means, with how many they come from."""

    seat: Seat
    signed_in_s: int = 0
    ready_s: int = 0
    break_s: int = 0
    after_s: int = 0
    talked_s: int = 0
    answered: int = 0
    made: int = 0
    missed: int = 0
    talk_s: int | None = None
    quality: float | None = None
    checked: int = 0
    satisfaction: float | None = None
    asked: int = 0


def work_of_seats(actor: Actor, span: Span) -> list[Work]:
    """What each seat did, from one query for each of spans, calls, offers, quality and satisfaction."""
    seats = list(Seat.objects.visible_to(actor).select_related("user", "group").order_by("number", "pk"))
    users = [seat.user_id for seat in seats]
    spans, calls, missed = _spans(seats, span), _calls(actor, users, span), _missed(users, span)
    points, scores = _means(actor, users, span)
    found = []
    for seat in seats:
        own, talk = spans[seat.pk], calls.get(seat.user_id, {})
        if seat.left_on is not None and not own and not talk:
            continue
        talked, ended = _seconds(talk.get("talked")), talk.get("ended", 0)
        mean, checked = points.get(seat.user_id, (None, 0))
        score, asked = scores.get(seat.user_id, (None, 0))
        found.append(Work(
            seat, sum(own.values()), own["ready"], own["break"], own["after"], talked, talk.get("answered", 0), talk.get("made", 0),
            missed.get(seat.user_id, 0), round(talked / ended) if ended else None, mean, checked, score, asked,
        ))  # fmt: skip
    return found


def _spans(seats: Iterable[Seat], span: Span) -> dict[int, dict[str, int]]:
    """Return the seconds of each seat, as far as they lie in the time, by what they were."""
    until = Value(span.until, output_field=DateTimeField())
    rows = SeatSpan.objects.filter(seat__in=[seat.pk for seat in seats], from_at__lt=span.until)
    rows = rows.filter(Q(to_at=None) | Q(to_at__gt=span.start))
    length = Least(Coalesce("to_at", until), until) - Greatest(
        "from_at", Value(span.start, output_field=DateTimeField())
    )
    found: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for seat_id, state, reason, total in (
        rows.order_by().values_list("seat_id", "state", "reason").annotate(total=Sum(length))
    ):
        kind = "ready" if state == SeatState.READY else "after" if reason == WRAP_UP else "break"
        found[seat_id][kind] += _seconds(total)
    return found


def _calls(actor: Actor, users: list[int], span: Span) -> dict[int, dict[str, Any]]:
    rows = Call.objects.visible_to(actor).filter(
        seat_id__in=users, rang_at__gte=span.start, rang_at__lt=span.end, answered_at__isnull=False
    )
    groups: Any = rows.order_by().values("seat_id").annotate(
        answered=Count("pk", filter=Q(is_outbound=False)), made=Count("pk", filter=Q(is_outbound=True)),
        ended=Count("pk", filter=Q(state=CallState.ENDED)), talked=Sum(F("ended_at") - F("answered_at"), filter=Q(state=CallState.ENDED)),
    )  # fmt: skip
    return {row["seat_id"]: row for row in groups}


def _missed(users: list[int], span: Span) -> dict[int, int]:
    rows = CallOffer.objects.filter(seat_id__in=users, offered_at__gte=span.start, offered_at__lt=span.end)
    rows = rows.filter(outcome__in=["no_answer", "declined"])
    return dict(rows.order_by().values_list("seat_id").annotate(number=Count("pk")))


def _means(
    actor: Actor, users: list[int], span: Span
) -> tuple[dict[int, tuple[float, int]], dict[int, tuple[float, int]]]:
    """Return each seat's mean of its quality checks, and how content callers were with tickets of the calls it answered; one query."""
    points = QualitySample.objects.visible_to(actor).exclude(state=SampleState.DRAWN)
    points = points.filter(call__rang_at__gte=span.start, call__rang_at__lt=span.end).order_by()
    scores = Callback.objects.filter(kind="satisfaction", score__isnull=False, ticket__call__seat_id__in=users)
    scores = scores.filter(done_at__gte=span.start, done_at__lt=span.end).order_by()
    of_calls = points.values_list(Value("points"), "seat_id").annotate(mean=Avg("total"), number=Count("pk"))
    of_tickets = scores.values_list(Value("scores"), "ticket__call__seat_id").annotate(
        mean=Avg("score"), number=Count("pk")
    )
    found: dict[str, dict[int, tuple[float, int]]] = {"points": {}, "scores": {}}
    for kind, seat_id, mean, number in of_calls.union(of_tickets, all=True):
        found[kind][seat_id] = (float(mean), number)
    return found["points"], found["scores"]
