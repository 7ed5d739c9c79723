"""P23: every fund's way on one page, from its budget line to what was paid and to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Concat

from yinling.entitlements.models import Budget, BudgetLine
from yinling.kernel.actor import Actor
from yinling.people.models import Elder
from yinling.programmes.subsidies.models import Donation, Spending, Subsidy
from yinling.programmes.subsidies.queries.subsidies import PREFIX as SUBSIDY
from yinling.programmes.subsidies.rules import attribute
from yinling.programmes.subsidies.states import SubsidyState
from yinling.settlement.models import Charge, PayoutLine, Reimbursement, StatementLine
from yinling.settlement.queries.reimbursements import PREFIX as REIMBURSEMENT
from yinling.settlement.states import PayoutLineState, ReimbursementState, StatementState

YEAR_OF_BUDGET = "entitlement__commitments__budget__year"
LINE_OF_BUDGET = "entitlement__commitments__budget__line"


@dataclass
class Way:
    """The stations of one line. What is committed is given to schemes and subsidies; executed was charged or approved; paid left the bank."""

    line: BudgetLine
    budget_fen: int = 0
    given_fen: int = 0
    subsidy_fen: int = 0
    waiting_fen: int = 0
    charged_fen: int = 0
    reimbursed_fen: int = 0
    paid_fen: int = 0
    persons: set[int] = field(default_factory=set)
    bodies: set[int] = field(default_factory=set)

    @property
    def executed_fen(self) -> int:
        """What was charged to schemes, reimbursed to households and approved for organisations."""
        return self.charged_fen + self.reimbursed_fen + self.subsidy_fen

    @property
    def left_fen(self) -> int:
        """What of the approved amount is not arranged yet."""
        return (self.line.approved_fen or 0) - self.line.spent_fen


def ways(lines: Sequence[BudgetLine]) -> list[Way]:
    """Follow each line, in a fixed number of queries."""
    found = {line.pk: Way(line) for line in lines}
    if not found:
        return []
    _budgets(found)
    _charges(found)
    subsidies = list(subsidies_of(found).values_list("pk", "line", "state", "amount_fen", "provider"))
    helped = list(reimbursements_of(found).values_list("pk", LINE_OF_BUDGET, "state", "subsidy_fen", "elder"))
    paid = _paid([f"{SUBSIDY}:{row[0]}" for row in subsidies] + [f"{REIMBURSEMENT}:{row[0]}" for row in helped])
    for pk, line, state, fen, provider in subsidies:
        _subsidy(found[line], state, fen, provider, is_paid=provider is None or f"{SUBSIDY}:{pk}" in paid)
    for pk, line, state, fen, elder in helped:
        _reimbursement(found[line], state, fen, elder, is_paid=f"{REIMBURSEMENT}:{pk}" in paid)
    return list(found.values())


def _budgets(found: dict[int, Way]) -> None:
    rows = Budget.objects.filter(line__in=found, is_in_force=True).order_by().values("line")
    for row in rows.annotate(fen=Sum("amount_fen"), given=Sum("committed_fen")):
        way = found[row["line"]]
        way.budget_fen, way.given_fen = row["fen"] or 0, row["given"] or 0


def _paid(keys: list[str]) -> set[str]:
    """What of these the bank has paid."""
    rows = PayoutLine.objects.filter(key__in=keys, state=PayoutLineState.PAID, is_live=True)
    return set(rows.values_list("key", flat=True)) if keys else set()


def _subsidy(way: Way, state: str, fen: int, provider: int | None, *, is_paid: bool) -> None:
    if state != SubsidyState.APPROVED:
        way.waiting_fen += fen
        return
    way.subsidy_fen += fen
    way.paid_fen += fen if is_paid else 0
    way.bodies |= {provider} if provider else set()


def _reimbursement(way: Way, state: str, fen: int, elder: int, *, is_paid: bool) -> None:
    if state != ReimbursementState.APPROVED:
        way.waiting_fen += fen
        return
    way.reimbursed_fen += fen
    way.paid_fen += fen if is_paid else 0
    way.persons.add(elder)


def subsidies_of(lines: Iterable[int]) -> QuerySet[Subsidy]:
    """Standing subsidies that draw on lines."""
    return Subsidy.objects.filter(line__in=list(lines)).exclude(state=SubsidyState.RETURNED)


def charges_of(lines: Iterable[int]) -> QuerySet[Charge]:
    """What schemes were charged for services in the year of the line that bears their budget."""
    return Charge.objects.filter(
        entitlement__commitments__budget__in=Budget.objects.filter(line__in=list(lines)),
        service_day__year=F(YEAR_OF_BUDGET),
    )


def _charges(found: dict[int, Way]) -> None:
    """Add what was charged; it was paid where its statement was: the key of that payment is ``statement:<number>``."""
    keys = PayoutLine.objects.filter(key__startswith="statement:", state=PayoutLineState.PAID, is_live=True).values(
        "key"
    )
    listed = StatementLine.objects.filter(charge=OuterRef("pk"), is_live=True, statement__state=StatementState.APPROVED)
    listed = listed.annotate(key=Concat(Value("statement:"), Cast("statement", CharField()))).filter(key__in=keys)
    marked = charges_of(found).annotate(is_paid=Exists(listed)).order_by()
    rows: Any = marked.values_list(LINE_OF_BUDGET, "elder", "provider", "is_paid").annotate(fen=Sum("amount_fen"))
    for line, elder, provider, is_paid, fen in rows:
        way = found[line]
        way.charged_fen += fen
        way.paid_fen += fen if is_paid else 0
        way.persons.add(elder)
        way.bodies.add(provider)


def reimbursements_of(lines: Iterable[int]) -> QuerySet[Reimbursement]:
    """Standing reimbursements that lines bear: in the year in which their entitlement began."""
    return Reimbursement.objects.filter(
        entitlement__commitments__budget__in=Budget.objects.filter(line__in=list(lines)),
        entitlement__valid_from__year=F(YEAR_OF_BUDGET),
    ).exclude(state=ReimbursementState.RETURNED)


def totals(found: Iterable[Way]) -> dict[str, int]:
    """Sums of a page of ways; a person on two lines counts once."""
    rows = list(found)
    persons, bodies = set().union(*(one.persons for one in rows)), set().union(*(one.bodies for one in rows))
    return {
        "planned_fen": sum(one.line.planned_fen for one in rows), "approved_fen": sum(one.line.approved_fen or 0 for one in rows),
        "spent_fen": sum(one.line.spent_fen for one in rows), "executed_fen": sum(one.executed_fen for one in rows),
        "paid_fen": sum(one.paid_fen for one in rows), "left_fen": sum(one.left_fen for one in rows),
        "persons": len(persons), "bodies": len(bodies),
    }  # fmt: skip


def budgets_of(line: BudgetLine) -> QuerySet[Budget]:
    """The budgets of schemes that a line bears."""
    return Budget.objects.filter(line=line).select_related("scheme").order_by("scheme__name", "div")


def donations_shown(actor: Actor) -> QuerySet[Donation]:
    """Donations of the actor's area, newest first."""
    return (
        Donation.objects.visible_to(actor)
        .select_related("line", "posting", "entered_by")
        .order_by("-received_on", "-pk")
    )


@dataclass(frozen=True)
class Gift:
    """What one donation bore of one household's or organisation's money (R-MOD-32)."""

    donation: Donation
    use: Any
    fen: int


def gifts(line: BudgetLine) -> list[Gift]:
    """Say of a donation line which donation bore what: money is pooled, the earlier donation is used first (R-FUN-03)."""
    given = {row.pk: row for row in Donation.objects.filter(line=line).order_by("received_on", "pk")}
    helped = reimbursements_of([line.pk]).filter(state=ReimbursementState.APPROVED).select_related("elder", "household")
    uses: list[Any] = [*helped.order_by("approved_at", "pk")]
    uses += (
        subsidies_of([line.pk])
        .filter(state=SubsidyState.APPROVED)
        .select_related("provider")
        .order_by("approved_at", "pk")
    )
    uses.sort(key=lambda one: (one.approved_at, one.pk))
    parts = attribute(
        [(row.pk, row.amount_fen) for row in given.values()],
        [
            (place, one.subsidy_fen if isinstance(one, Reimbursement) else one.amount_fen)
            for place, one in enumerate(uses)
        ],
    )
    return [Gift(given[number], uses[place], fen) for number, place, fen in parts]


def spent_by_category(lines: Iterable[int]) -> dict[str, int]:
    """What receivers spent of the subsidies of lines, by category."""
    rows = Spending.objects.filter(subsidy__in=subsidies_of(lines)).order_by().values_list("category")
    return dict(rows.annotate(fen=Sum("amount_fen")))


@dataclass(frozen=True)
class Trail:
    """The money of one household: what it was promised, what was paid back, by which fund, posting and payment (R-MOD-20)."""

    reimbursement: Reimbursement
    line: BudgetLine | None
    payment: PayoutLine | None
    gifts: list[Gift]


def trail(row: Reimbursement, line: BudgetLine | None) -> Trail:
    """Follow one reimbursement from its fund to its payment."""
    payment = PayoutLine.objects.filter(key=f"{REIMBURSEMENT}:{row.pk}", is_live=True).select_related("payout").first()
    own = [one for one in gifts(line) if one.use == row] if line is not None and line.fund == "donation" else []
    return Trail(row, line, payment, own)


def persons_of(line: BudgetLine) -> QuerySet[Elder]:
    """The people whom a line has reached, by charges and reimbursements."""
    charged = charges_of([line.pk]).values("elder")
    helped = reimbursements_of([line.pk]).filter(state=ReimbursementState.APPROVED).values("elder")
    return Elder.objects.filter(Q(pk__in=charged) | Q(pk__in=helped)).order_by("div", "pk")


def by_area(found: Iterable[Way]) -> dict[str, dict[str, int]]:
    """The sums of ways by area, in the order of the map."""
    rows: dict[str, list[Way]] = defaultdict(list)
    for one in found:
        rows[one.line.div].append(one)
    return {div: totals(rows[div]) for div in sorted(rows)}
