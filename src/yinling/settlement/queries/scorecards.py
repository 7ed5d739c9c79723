"""Scorecards: what each person did in a period and how good it was, from the rows of the visits (R-STF-21)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from yinling.directory.models import Staff
from yinling.directory.rules import require
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_midnight
from yinling.orders.models import OrderLine
from yinling.settlement.distributing import Grading, Score
from yinling.visits.models import Visit
from yinling.visits.states import VisitState

_SCORES = """
SELECT v.staff_id, count(*) AS visits,
    coalesce(sum(floor(extract(epoch FROM v.ended_at - v.started_at) / 60)), 0)::bigint AS minutes,
    count(e.id) AS evaluated, count(e.id) FILTER (WHERE e.score >= %(content)s) AS satisfied, coalesce(sum(e.score), 0)::bigint AS stars,
    count(*) FILTER (WHERE work.is_whole AND v.signed_by <> ''
        AND EXISTS (SELECT FROM visits_evidence p WHERE p.visit_id = v.id)) AS complete,
    count(*) FILTER (WHERE v.started_at > a.starts_at + make_interval(mins => %(late)s)) AS late,
    count(*) FILTER (WHERE extract(epoch FROM v.ended_at - v.started_at) < work.minutes * 60 * %(least)s) AS short
FROM visits_visit v
JOIN dispatch_assignment a ON a.id = v.assignment_id
LEFT JOIN visits_evaluation e ON e.order_id = v.order_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.minutes), 0) AS minutes, bool_or(i.is_medical) AS is_medical, coalesce(bool_and(
        CASE WHEN jsonb_array_length(i.steps) > 0 THEN v.tasks @> i.steps ELSE v.tasks ? i.name END), true) AS is_whole
    FROM orders_orderline l JOIN catalogue_serviceitem i ON i.id = l.item_id
    WHERE l.order_id = v.order_id AND l.kind = 'item' AND l.dropped_at IS NULL
) AS work
WHERE v.state = 'done' AND v.staff_id = ANY(%(staff)s) AND v.ended_at >= %(since)s AND v.ended_at < %(until)s
    AND v.started_at >= %(since)s::timestamptz - interval '2 days' AND v.started_at < %(until)s
    AND (work.is_medical OR NOT %(medical)s) AND (%(provider)s::bigint IS NULL OR v.provider_id = %(provider)s)
GROUP BY v.staff_id
"""
"""A visit is complete with every step of every item ticked, a signature and at least one picture. Its lateness and shortness are those
of supervision (X-SUP-03, X-SUP-04)."""


@dataclass(frozen=True)
class Scorecard:
    """One person's period and its grade."""

    staff: Staff
    score: Score
    grade: str


def scores_of(
    staff_ids: Sequence[int], from_on: date, to_on: date, *, area: str, provider_id: int | None = None, medical_only: bool = False
) -> dict[int, Score]:  # fmt: skip
    """Return the scores of people for the days from the first up to, not including, the last; who did nothing has zeros."""
    found = {number: Score(number, 0, 0) for number in staff_ids}
    values: dict[str, Any] = {
        "content": parameter("scorecard.content_stars", area, from_on), "late": parameter("visit.late_minutes", area, from_on),
        "least": parameter("visit.min_share", area, from_on), "staff": list(staff_ids), "since": local_midnight(from_on),
        "until": local_midnight(to_on), "medical": medical_only, "provider": provider_id,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_SCORES, values)
        names = [column.name for column in cursor.description or ()]
        for row in cursor.fetchall():
            score = Score(**dict(zip(names, row, strict=True)))
            found[score.staff_id] = score
    return found


def people_scored(actor: Actor) -> QuerySet[Staff]:
    """People who visit, of the actor's area or body, by body and number."""
    require(actor, "settlement.score.view")
    rows = Staff.objects.visible_to(actor).exclude(kind="office").select_related("provider")
    return rows.order_by("provider__short_name", "id")


def scorecards(people: Sequence[Staff], from_on: date, to_on: date, *, area: str) -> list[Scorecard]:
    """Return the cards of people in their order: one question for all."""
    scores = scores_of([one.pk for one in people], from_on, to_on, area=area)
    grading = Grading.of(parameter("scorecard.grades", area, from_on))
    return [Scorecard(one, scores[one.pk], grading.grade(scores[one.pk])) for one in people]


def medical_visitors(provider_id: int, from_on: date, to_on: date, kinds: Sequence[str]) -> list[Staff]:
    """The people of these kinds who did medical visits for a body in a period, in ascending number."""
    medical = OrderLine.objects.filter(order=OuterRef("order"), kind="item", item__is_medical=True, dropped_at=None)
    went = Visit.objects.filter(
        Exists(medical), provider_id=provider_id, state=VisitState.DONE, ended_at__gte=local_midnight(from_on),
        ended_at__lt=local_midnight(to_on), staff__kind__in=list(kinds),
    )  # fmt: skip
    return list(Staff.objects.filter(pk__in=went.values("staff_id")).order_by("pk"))
