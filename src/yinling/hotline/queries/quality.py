"""Reading quality checks: what could be drawn, what was drawn, and how seats do."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db.models import Avg, Count, Exists, F, OuterRef, Q, QuerySet

from yinling.ground.parameters import parameter
from yinling.hotline.models import Call, QualitySample, Ticket
from yinling.hotline.operating import Candidate
from yinling.hotline.states import CallState, SampleState
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_midnight, next_month


def criteria(div: str, day: date) -> list[dict[str, Any]]:
    """Return what a call is judged by, with the most points of each."""
    return list(parameter("quality.criteria", div, day))


def candidates(actor: Actor, month: date) -> list[Candidate]:
    """Answered calls of a month that are over and were not drawn yet, with whether a complaint came of them."""
    complaints = Ticket.objects.filter(call=OuterRef("pk"), kind="complaint")
    drawn = QualitySample.objects.filter(call=OuterRef("pk"))
    rows = Call.objects.visible_to(actor).filter(
        ~Exists(drawn), rang_at__gte=local_midnight(month), rang_at__lt=local_midnight(next_month(month)),
        state=CallState.ENDED, seat__isnull=False,
    )  # fmt: skip
    rows = rows.annotate(talked=F("ended_at") - F("answered_at"), is_complaint=Exists(complaints)).order_by("pk")
    return [
        Candidate(pk, seat_id, int(talked / timedelta(seconds=1)), is_complaint)
        for pk, seat_id, talked, is_complaint in rows.values_list("pk", "seat_id", "talked", "is_complaint")
    ]


def drawn_of(actor: Actor, month: date) -> dict[int, int]:
    """Return how many calls of a month were drawn of each seat."""
    rows = QualitySample.objects.visible_to(actor).filter(
        call__rang_at__gte=local_midnight(month), call__rang_at__lt=local_midnight(next_month(month))
    )
    return dict(rows.order_by().values_list("seat_id").annotate(number=Count("pk")))


def samples(actor: Actor) -> QuerySet[QualitySample]:
    """Samples one may see: all of the area for those who judge, else one's own."""
    rows = QualitySample.objects.visible_to(actor).select_related("call", "seat", "scored_by")
    if not actor.has("hotline.sample.score"):
        rows = rows.filter(Q(seat_id=actor.user_id) | Q(provider_id=actor.organisation_id, provider__isnull=False))
    return rows.order_by("-drawn_at", "-id")


def results(rows: QuerySet[QualitySample]) -> list[dict[str, Any]]:
    """Return for each seat how many were drawn, judged and objected to, and the mean."""
    groups: Any = rows.order_by().values("seat_id", "seat__name").annotate(
        drawn=Count("pk"), scored=Count("pk", filter=~Q(state=SampleState.DRAWN)), mean=Avg("total"),
        objected=Count("pk", filter=Q(state=SampleState.OBJECTED)),
    )  # fmt: skip
    return list(groups.order_by("seat__name", "seat_id"))
