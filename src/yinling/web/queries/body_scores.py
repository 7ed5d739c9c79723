"""What counts in the assessment of a body: visits and how content people were, home sickbeds, beds for nursing (R-BED-08)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Avg, Count, Q, Sum

from yinling.directory.models import Organisation, Site
from yinling.kernel.period import local_midnight
from yinling.programmes.home_beds.models import HomeSickbed
from yinling.visits.models import Evaluation, Visit
from yinling.visits.states import VisitState


@dataclass(frozen=True)
class BodyScore:
    """One body's month: visits done, evaluations and their average, home sickbeds held and newly approved, beds of its sites."""

    visits: int = 0
    evaluated: int = 0
    average: float | None = None
    sickbeds: int = 0
    new_sickbeds: int = 0
    beds: int = 0


def body_scores(bodies: Sequence[Organisation], from_on: date, to_on: date) -> dict[int, BodyScore]:
    """Return the scores of bodies: four questions for all of them."""
    ids = [body.pk for body in bodies]
    since, until = local_midnight(from_on), local_midnight(to_on)
    done = Visit.objects.filter(provider__in=ids, state=VisitState.DONE, ended_at__gte=since, ended_at__lt=until)
    visits = dict(done.order_by().values_list("provider_id").annotate(count=Count("pk")))
    rated = Evaluation.objects.filter(provider__in=ids, evaluated_at__gte=since, evaluated_at__lt=until)
    marks = {pk: (count, round(float(mean), 1)) for pk, count, mean in _marks(rated)}
    held = Q(withdrawn_on=None) | Q(withdrawn_on__gte=from_on)
    approved = HomeSickbed.objects.filter(held, provider__in=ids, approved_on__lt=to_on)
    beds = {
        pk: (count, fresh)
        for pk, count, fresh in approved.order_by()
        .values_list("provider_id")
        .annotate(count=Count("pk"), fresh=Count("pk", filter=Q(approved_on__gte=from_on)))
    }
    sites = dict(
        Site.objects.filter(organisation__in=ids).order_by().values_list("organisation_id").annotate(sum=Sum("beds"))
    )
    return {
        pk: BodyScore(
            visits=visits.get(pk, 0), evaluated=marks.get(pk, (0, None))[0], average=marks.get(pk, (0, None))[1],
            sickbeds=beds.get(pk, (0, 0))[0], new_sickbeds=beds.get(pk, (0, 0))[1], beds=sites.get(pk) or 0,
        )
        for pk in ids
    }  # fmt: skip


def _marks(rows: object) -> list[tuple[int, int, float]]:
    found = rows.order_by().values_list("provider_id").annotate(count=Count("pk"), mean=Avg("score"))  # type: ignore[attr-defined]
    return list(found)
