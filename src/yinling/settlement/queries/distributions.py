"""Reading how the net income of home medical care is shared: what came in, what was drafted, and what each person gets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from yinling.directory.models import Staff
from yinling.directory.rules import require
from yinling.kernel.actor import Actor
from yinling.kernel.period import month_start, next_month
from yinling.settlement.distributing import Score
from yinling.settlement.models import Deduction, Distribution, LedgerEntry, StaffShare, Statement, StatementLine
from yinling.settlement.queries.scorecards import scores_of
from yinling.settlement.queries.statements import WHOLE, whole_taken
from yinling.settlement.rules import EARNED_DIRECTLY, PAYABLE
from yinling.settlement.states import DistributionState

BED_SOURCE = "home_beds.bed"
"""How an order begins its source that the programme of home sickbeds placed: the fee of building a bed has no visit."""


@dataclass(frozen=True)
class OwnMonth:
    """What a person did in a month."""

    month: date
    score: Score

    @property
    def hours(self) -> str:
        """Hours with one decimal."""
        return f"{self.score.minutes / 60:.1f}"


def medical_income(provider_id: int, from_on: date, to_on: date) -> int:
    """Return what a body earned by medical care at homes, as booked in the months from the first up to, not including, the last.

    Whoever pays counts; what a reversal took back, and what statements took off, is off. Bed-days and goods without a visit are no home care.
    """
    booked = LedgerEntry.objects.filter(
        account__in=[PAYABLE, EARNED_DIRECTLY], provider_id=provider_id, business="medical", unit="fen", period__gte=from_on, period__lt=to_on
    )  # fmt: skip
    rows = booked.filter(_at_home("line"))
    return -int(rows.aggregate(fen=Coalesce(Sum("amount"), Value(0)))["fen"]) - _deducted(booked)


def _at_home(line: str) -> Q:
    return Q(**{f"{line}__order__needs_visit": True}) | Q(**{f"{line}__order__source__startswith": BED_SOURCE})


def _deducted(booked: QuerySet[LedgerEntry]) -> int:
    """What statements took off medical care at homes: they are booked by statement, so its lines say which of it was at homes."""
    keys = (
        booked.filter(posting__kind="deduction", line=None).order_by().values_list("posting__key", flat=True).distinct()
    )
    statements = Statement.objects.filter(pk__in=[int(key.rpartition(":")[2]) for key in keys])
    care = _at_home("charge__line") & Q(charge__line__item__is_medical=True)
    named = Deduction.objects.filter(statement__in=statements, line__in=StatementLine.objects.filter(care))
    total = int(named.aggregate(fen=Coalesce(Sum("amount_fen"), Value(0)))["fen"])
    for row in statements.filter(pk__in=WHOLE):
        fens = whole_taken(row)
        total += sum(
            fens[pk] for pk in StatementLine.objects.filter(care, pk__in=list(fens)).values_list("pk", flat=True)
        )
    return total


def distributions(actor: Actor) -> QuerySet[Distribution]:
    """Distributions the actor may see, the newest period first."""
    require(actor, "settlement.distribution.view")
    rows = Distribution.objects.visible_to(actor).select_related("provider", "drafted_by", "approved_by", "posting")
    return rows.order_by("-from_on", "-id")


def parts_in(row: Distribution) -> QuerySet[StaffShare]:
    """The parts of a distribution in ascending staff number."""
    return StaffShare.objects.filter(distribution=row).select_related("staff").order_by("staff_id")


def own_shares(actor: Actor) -> QuerySet[StaffShare]:
    """What the actor got or is to get, the newest first; one that was returned is no income."""
    require(actor, "settlement.income.view")
    rows = StaffShare.objects.filter(staff_id=actor.staff_id or 0).exclude(
        distribution__state=DistributionState.RETURNED
    )
    return rows.select_related("distribution__provider").order_by("-distribution__from_on", "-id")


def own_months(actor: Actor, today: date, count: int) -> list[OwnMonth]:
    """What the actor did in this month and those before it."""
    require(actor, "settlement.income.view")
    staff = Staff.objects.filter(pk=actor.staff_id or 0).first()
    found: list[OwnMonth] = []
    month = month_start(today)
    while staff is not None and len(found) < count:
        scores = scores_of([staff.pk], month, next_month(month), area=staff.div)
        found.append(OwnMonth(month, scores[staff.pk]))
        month = month_start(month.replace(day=1) - date.resolution)
    return found
