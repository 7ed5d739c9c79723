"""Reading contracts with operator companies, and the figures of a month that their statements are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet

from yinling.accounts.models import Journal
from yinling.directory.models import Grant
from yinling.directory.states import GrantState
from yinling.hotline.models import LineContract, OperatorStatement
from yinling.hotline.operating import Counts, Measure
from yinling.hotline.queries.figures import Span, line_measures
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_midnight, next_month

WROTE = ("hotline.operator_statement.draft", "hotline.operator_statement.send")


@dataclass(frozen=True)
class MonthFigures:
    """What a company did in a month, as far as its contract ran."""

    counts: Counts
    measures: list[Measure]


def month_figures(actor: Actor, contract: LineContract, month: date, now: datetime) -> MonthFigures:
    """Count the calls of a company's own line in a month."""
    first, end = max(month, contract.valid_from), min(next_month(month), contract.valid_to)
    span = Span(local_midnight(first), local_midnight(end), now)
    found, measures = line_measures(actor, span, provider_id=contract.provider_id, div=contract.div)
    return MonthFigures(found.total, measures)


def contracts(actor: Actor) -> QuerySet[LineContract]:
    """Contracts of the area, or of one's own company."""
    return LineContract.objects.visible_to(actor).select_related("provider").order_by("-valid_from", "-id")


def operator_statements(actor: Actor) -> QuerySet[OperatorStatement]:
    """Statements of the area; a company sees its own once they were sent."""
    rows = OperatorStatement.objects.visible_to(actor).select_related("contract", "provider", "approved_by")
    if not actor.has("hotline.operator_statement.send") and not actor.div:
        rows = rows.exclude(state="draft", objection="")
    return rows.order_by("-month", "-id")


def hands_of(row: OperatorStatement) -> list[int | None]:
    """Who drew a statement up, counted it anew, or sent it."""
    rows = Journal.objects.filter(
        subject_type="operatorstatement", subject_id=row.pk, event__in=WROTE, is_refused=False
    )
    return list(rows.values_list("user_id", flat=True))


def operators_of(provider_id: int, now: datetime) -> list[int]:
    """Return the logins that look after the line for a company."""
    rows = Grant.objects.filter(
        Q(to_at=None) | Q(to_at__gt=now), organisation_id=provider_id, role="line_operator", state=GrantState.ACTIVE,
        from_at__lte=now, user__is_active=True,
    )  # fmt: skip
    return list(rows.order_by("user_id").values_list("user_id", flat=True).distinct())
