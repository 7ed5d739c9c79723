"""Reading how the net income of home medical care is shared: what came in, what was drafted, and what each person gets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from yinling.directory.models import Staff
from yinling.directory.rules import require
from yinling.kernel.actor import Actor
from yinling.kernel.period import month_start, next_month
from yinling.settlement.distributing import Score, lacking
from yinling.settlement.models import Deduction, Distribution, LedgerEntry, StaffShare, Statement, StatementLine
from yinling.settlement.queries.scorecards import scores_of
from yinling.settlement.queries.statements import WHOLE, whole_taken
from yinling.settlement.rules import EARNED_DIRECTLY, PAYABLE
from yinling.settlement.states import DistributionState

BOOKED = (DistributionState.APPROVED, DistributionState.CORRECTED)
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


def lacking_before(provider_id: int, from_on: date) -> int:
    """What the months of a body before a day lacked and later ones have not borne yet. Drafts count, corrections once they are booked."""
    rows = (
        Distribution.objects.filter(provider_id=provider_id, from_on__lt=from_on)
        .filter(_STANDS)
        .order_by("from_on", "pk")
    )
    return lacking((row.result_fen, row.carried_fen) for row in rows)


_STANDS = Q(state=DistributionState.APPROVED) | Q(state=DistributionState.DRAFT, corrects=None)
"""What counts for its months now."""


def open_differences(provider_id: int) -> dict[int, int]:
    """What corrections of a body's months left open by person: to be paid with the next distribution, or, negative, set off against it."""
    rows = StaffShare.objects.filter(distribution__provider=provider_id)
    sums: Counter[int] = Counter()
    booked = rows.filter(distribution__corrects__isnull=False, distribution__state__in=BOOKED)
    for staff, fen in booked.values_list("staff", "amount_fen"):
        sums[staff] += fen
    replaced = Distribution.objects.filter(provider_id=provider_id, corrects__isnull=False, state__in=BOOKED).values(
        "corrects"
    )
    for staff, fen in rows.filter(distribution__in=replaced).values_list("staff", "amount_fen"):
        sums[staff] -= fen
    for staff, fen in rows.exclude(distribution__state=DistributionState.RETURNED).values_list("staff", "brought_fen"):
        sums[staff] -= fen
    return {staff: fen for staff, fen in sums.items() if fen}


@dataclass(frozen=True)
class Difference:
    """What a correction changes for one person."""

    staff: Staff
    before_fen: int
    after_fen: int

    @property
    def fen(self) -> int:
        """More (or, negative, less) than before."""
        return self.after_fen - self.before_fen


def differences(row: Distribution) -> list[Difference]:
    """What a correction changes, person by person."""
    if row.corrects_id is None:
        return []
    parts = (
        StaffShare.objects.filter(distribution__in=[row.pk, row.corrects_id]).select_related("staff").order_by("staff")
    )
    found: dict[int, Difference] = {}
    for part in parts:
        known = found.get(part.staff_id, Difference(part.staff, 0, 0))
        if part.distribution_id == row.pk:
            found[part.staff_id] = replace(known, after_fen=part.amount_fen)
        else:
            found[part.staff_id] = replace(known, before_fen=part.amount_fen)
    return list(found.values())


def successor(row: Distribution) -> Distribution | None:
    """The correction of a distribution that stands, booked or not."""
    return Distribution.objects.filter(corrects=row).exclude(state=DistributionState.RETURNED).first()


def parts_in(row: Distribution) -> QuerySet[StaffShare]:
    """The parts of a distribution in ascending staff number."""
    return StaffShare.objects.filter(distribution=row).select_related("staff").order_by("staff_id")


def own_shares(actor: Actor) -> QuerySet[StaffShare]:
    """What the actor got or is to get, the newest first; one that was returned is no income."""
    require(actor, "settlement.income.view")
    rows = StaffShare.objects.filter(staff_id=actor.staff_id or 0).exclude(
        distribution__state=DistributionState.RETURNED
    )
    replaced = StaffShare.objects.filter(distribution=OuterRef("distribution__corrects"), staff=OuterRef("staff"))
    rows = rows.annotate(before_fen=Subquery(replaced.values("amount_fen")[:1]))
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
