"""P23: every fund's way on one page, from its budget line to what was paid and to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat, ExtractYear

from yinling.entitlements.models import Budget, BudgetLine, Entitlement
from yinling.ground.scope import current_scope, scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_midnight
from yinling.people.models import Elder
from yinling.people.queries.names import reader
from yinling.programmes.subsidies.models import Donation, Handout, Spending, Subsidy
from yinling.programmes.subsidies.queries.flows import Bearing, bearing, flows, in_year, payments
from yinling.programmes.subsidies.queries.subsidies import PREFIX as SUBSIDY
from yinling.programmes.subsidies.rules import attribute
from yinling.settlement.models import Charge, LedgerEntry, PayoutLine, Posting, Reimbursement
from yinling.settlement.queries.reimbursements import PREFIX as REIMBURSEMENT
from yinling.settlement.rules import PAYABLE, TO_RECOVER
from yinling.settlement.states import GIVEN_UP, GRANTED, GrantState, PayoutLineState


@dataclass
class Way:
    """The stations of one line. What is committed is given to schemes and subsidies; executed was booked; paid has left the bank."""

    line: BudgetLine
    budget_fen: int = 0
    given_fen: int = 0
    subsidy_fen: int = 0
    waiting_fen: int = 0
    charged_fen: int = 0
    reimbursed_fen: int = 0
    recovering_fen: int = 0
    """What was paid, then revoked, and is to come back: out of the bank, and no longer spent on anything."""
    paid_fen: int = 0
    persons: set[int] = field(default_factory=set)
    bodies: set[int] = field(default_factory=set)
    by_budget: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """What of it was executed for each budget that the line bears."""
    used: dict[str, int] = field(default_factory=dict)

    @property
    def executed_fen(self) -> int:
        """What was booked: services of schemes less deductions, reimbursements to households, subsidies to organisations."""
        return self.charged_fen + self.reimbursed_fen + self.subsidy_fen

    @property
    def owed_fen(self) -> int:
        """What was booked and is not paid yet."""
        return self.executed_fen + self.recovering_fen - self.paid_fen

    @property
    def is_over(self) -> bool:
        """Whether more was executed than given to schemes and subsidies: another department granted what no budget was asked for."""
        return self.executed_fen > self.line.spent_fen

    @property
    def left_fen(self) -> int:
        """What of the approved amount is not arranged yet."""
        return (self.line.approved_fen or 0) - self.line.spent_fen


@dataclass
class Loose:
    """What was booked for a scheme in a year and no line bears: its budget is missing, or no money is put behind it."""

    scheme_id: int
    year: int
    executed_fen: int = 0
    paid_fen: int = 0
    recovering_fen: int = 0


def ways(lines: Sequence[BudgetLine], bears: Bearing | None = None) -> list[Way]:
    """Follow each line, in a fixed number of queries."""
    return follow(lines, bears)[0]


def follow(lines: Sequence[BudgetLine], bears: Bearing | None = None) -> tuple[list[Way], list[Loose]]:
    """Follow each line, and tell what none bears: together all that the books know of schemes and subsidies."""
    found = {line.pk: Way(line) for line in lines}
    loose: dict[tuple[int, int], Loose] = {}
    bears = bears or bearing()
    for one in flows(bears):
        if one.line_id is None:
            rest = loose.setdefault((one.scheme_id, one.year), Loose(one.scheme_id, one.year))
            rest.executed_fen += one.executed_fen
            rest.paid_fen += one.paid_fen
        elif way := found.get(one.line_id):
            way.charged_fen += one.executed_fen
            way.by_budget[one.budget.pk if one.budget else 0] += one.executed_fen
            way.paid_fen += one.paid_fen
            way.bodies |= one.bodies
    for row in _rows(found, bears):
        _add(found, loose, bears, row)
    _budgets(found, bears)
    return list(found.values()), [loose[key] for key in sorted(loose) if loose[key].executed_fen or loose[key].paid_fen]


def _budgets(found: dict[int, Way], bears: Bearing) -> None:
    for one in bears.budgets:
        if way := found.get(one.line_id or 0):
            way.budget_fen += one.amount_fen or 0
            way.given_fen += one.committed_fen


@dataclass(frozen=True)
class Row:
    """One sum about lines: subsidies by receiver, what was spent of them by category, reimbursements of a scheme, or a person reached."""

    of: str
    line: int | None
    who: int | None
    scheme: int | None
    where: str | None
    year: int | None
    state: str
    is_paid: bool
    fen: int


def _rows(lines: dict[int, Way], bears: Bearing) -> list[Row]:
    """All that stands beside the books, in one question. A subsidy without a receiver was paid by the treasury itself.

    An entitlement goes with its elder to other areas; what it brought counts where it was booked. So the province looks at what is ours.
    """
    opened = current_scope()
    area = opened.values[0] if opened else ""
    number, text, yes = Cast(Value(None), BigIntegerField()), Cast(Value(None), CharField()), Value(value=True)
    subsidies = subsidies_of(lines).annotate(is_paid=Case(When(provider=None, then=True), default=_is_paid(SUBSIDY)))
    helped = Reimbursement.objects.within(area).exclude(state__in=GIVEN_UP).annotate(is_paid=_is_paid(REIMBURSEMENT))
    began = ExtractYear("entitlement__valid_from")

    def out(name: str) -> Any:
        return F(name) - F("recovered_fen")

    used = Spending.objects.filter(subsidy__in=subsidies_of(lines))
    parts = [
        subsidies.values_list(Value("subsidy"), "line", "provider", number, text, number, "state", "is_paid").annotate(fen=Sum(out("amount_fen"))),
        helped.values_list(
            Value("help"), number, number, "entitlement__scheme", "div", began, "state", "is_paid"
        ).annotate(fen=Sum(out("subsidy_fen"))),
        used.values_list(Value("use"), "subsidy__line", number, number, "category", number, Value(""), yes).annotate(fen=Sum("amount_fen")),
    ]  # fmt: skip
    schemes = {one.scheme_id for one in bears.budgets if one.line_id in lines}
    for year in sorted({way.line.year for way in lines.values()}) if schemes else ():
        marks = (
            Value("person"),
            number,
            "elder",
            "scheme",
            "place",
            Value(year, output_field=BigIntegerField()),
            Value(""),
            yes,
        )
        parts.append(
            _reached(schemes, year, area).values_list(*marks).annotate(fen=Value(0, output_field=BigIntegerField()))
        )
    with scope(reader(area)):
        return [Row(*row) for row in parts[0].order_by().union(*(part.order_by() for part in parts[1:]), all=True)]


def _reached(schemes: set[int], year: int, area: str) -> QuerySet[Any]:
    """Who got something in an area and year: asked of each entitlement, so that no page reads the charges of a city."""
    charged = Charge.objects.within(area).filter(_posted_in(year), entitlement=OuterRef("pk"))
    spent = Reimbursement.objects.within(area).filter(entitlement=OuterRef("pk"), state__in=GRANTED)
    rows = Entitlement.objects.filter(
        Q(Exists(charged)) | (Q(valid_from__year=year) & Q(Exists(spent))), scheme__in=schemes
    )
    return rows.annotate(place=Coalesce(Subquery(charged.values("div")[:1]), Subquery(spent.values("div")[:1])))


def _is_paid(prefix: str) -> Exists:
    key = Concat(Value(f"{prefix}:"), Cast(OuterRef("pk"), CharField()))
    return Exists(PayoutLine.objects.filter(key=key, state=PayoutLineState.PAID, is_live=True))


def _add(found: dict[int, Way], loose: dict[tuple[int, int], Loose], bears: Bearing, row: Row) -> None:
    """Add one sum to its line; a reimbursement that no line bears stands by itself."""
    is_approved, is_back, line, budget = row.state in GRANTED, row.state == GrantState.RECOVERING, row.line, None
    if row.scheme is not None:
        budget = bears.budget((row.scheme, row.where or ""), row.year or 0)
        line = budget.line_id if budget else None
        if line is None and (is_approved or is_back):
            rest = loose.setdefault((row.scheme, row.year or 0), Loose(row.scheme, row.year or 0))
            rest.executed_fen += row.fen if is_approved else 0
            rest.paid_fen += row.fen if row.is_paid else 0
            rest.recovering_fen += row.fen if is_back else 0
    way = found.get(line or 0)
    if way is None:
        return
    if row.of == "person":
        way.persons.add(row.who or 0)
    elif row.of == "use":
        way.used[row.where or ""] = row.fen
    elif is_back:
        way.recovering_fen += row.fen
        way.paid_fen += row.fen
    elif not is_approved:
        way.waiting_fen += row.fen
    else:
        way.paid_fen += row.fen if row.is_paid else 0
        way.reimbursed_fen += row.fen if row.of == "help" else 0
        if budget is not None:
            way.by_budget[budget.pk] += row.fen
        way.subsidy_fen += row.fen if row.of == "subsidy" else 0
        way.bodies |= {row.who} if row.who else set()


def subsidies_of(lines: Iterable[int]) -> QuerySet[Subsidy]:
    """Standing subsidies that draw on lines."""
    return Subsidy.objects.filter(line__in=list(lines)).exclude(state__in=GIVEN_UP)


def charges_of(lines: Iterable[int], bears: Bearing | None = None) -> QuerySet[Charge]:
    """What schemes were charged for services, booked in the year of the line that bears them."""
    known = bears or bearing()
    return Charge.objects.filter(known.rows(known.of(lines), "entitlement__scheme", "div", _posted_in))


def _posted_in(year: int) -> Q:
    first, end = local_midnight(date(year, 1, 1)), local_midnight(date(year + 1, 1, 1))
    return Q(posting__posted_at__gte=first, posting__posted_at__lt=end)


def reimbursements_of(lines: Iterable[int], bears: Bearing | None = None) -> QuerySet[Reimbursement]:
    """Standing reimbursements that lines bear: in the year in which their entitlement began."""
    known = bears or bearing()
    return _borne(known, known.of(lines))


def _borne(bears: Bearing, budgets: Iterable[Budget]) -> QuerySet[Reimbursement]:
    return Reimbursement.objects.filter(_by_budgets(bears, budgets)).exclude(state__in=GIVEN_UP)


def _by_budgets(bears: Bearing, budgets: Iterable[Budget]) -> Q:
    return bears.rows(budgets, "entitlement__scheme", "div", in_year("entitlement__valid_from"))


def executed_of(budget: Budget) -> int:
    """What of a budget was executed, by the books: the figure of its own page and of its line's. The same for whoever looks."""
    with scope(reader(budget.div)):
        bears = bearing(budget.scheme_id)
        booked = flows(bears, budget.scheme_id)
        helped = _borne(bears, [budget]).filter(state__in=GRANTED)
        paid_back = helped.aggregate(fen=Sum("subsidy_fen"))["fen"] or 0
    return int(paid_back) + sum(one.executed_fen for one in booked if one.budget == budget)


def payments_of(line: BudgetLine, bears: Bearing) -> QuerySet[LedgerEntry]:
    """What left the bank or an advance for a line, newest first: to providers for services, to households and organisations.

    What the bank sent back and what was paid back after a revocation is less.
    """
    schemes = {one.scheme_id for one in bears.budgets if one.line_id == line.pk}
    decided = (
        Concat(Value(f"{SUBSIDY}:"), Cast("pk", CharField())),
        Concat(Value(f"{REIMBURSEMENT}:"), Cast("pk", CharField())),
    )
    granted = (
        Subsidy.objects.filter(line=line), Reimbursement.objects.filter(_by_budgets(bears, bears.of([line.pk]))),
    )  # fmt: skip
    keys = [rows.annotate(key=key).values("key") for rows, key in zip(granted, decided, strict=True)]
    paid = PayoutLine.objects.filter(Q(key__in=keys[0]) | Q(key__in=keys[1]), posting__isnull=False).values("posting")
    services = payments().filter(scheme__in=schemes, plan_year=line.year).values("pk")
    moved = Q(posting__in=paid) | Q(posting__reverses__in=paid)
    found = Q(pk__in=services) | (moved & Q(account__in=(PAYABLE, "payable.elder")))
    found |= Q(pk__in=_recovered().filter(Q(grant__in=keys[0]) | Q(grant__in=keys[1])).values("pk"))
    rows = LedgerEntry.objects.filter(found)
    return rows.select_related("posting", "provider", "scheme").order_by("-pk")


def _recovered() -> QuerySet[LedgerEntry]:
    """What came back after revocations; ``grant`` is the key of the payment, with which the key of the posting begins."""
    parts = [
        Func(F("posting__key"), Value(":"), Value(place), function="split_part", output_field=CharField())
        for place in (1, 2)
    ]
    grant = Concat(parts[0], Value(":"), parts[1], output_field=CharField())
    return LedgerEntry.objects.filter(account=TO_RECOVER, amount__lt=0).annotate(grant=grant)


def totals(found: Iterable[Way]) -> dict[str, int]:
    """Sums of a page of ways; a person on two lines counts once."""
    rows = list(found)
    persons, bodies = set().union(*(one.persons for one in rows)), set().union(*(one.bodies for one in rows))
    return {
        "planned_fen": sum(one.line.planned_fen for one in rows), "approved_fen": sum(one.line.approved_fen or 0 for one in rows),
        "spent_fen": sum(one.line.spent_fen for one in rows), "executed_fen": sum(one.executed_fen for one in rows),
        "paid_fen": sum(one.paid_fen for one in rows), "recovering_fen": sum(one.recovering_fen for one in rows),
        "owed_fen": sum(one.owed_fen for one in rows), "left_fen": sum(one.left_fen for one in rows),
        "persons": len(persons), "bodies": len(bodies),
    }  # fmt: skip


def standing_donations() -> QuerySet[Donation]:
    """Donations that were not taken back."""
    return Donation.objects.filter(~Exists(Posting.objects.filter(reverses=OuterRef("posting"))), withdrawn_at=None)


def donations_shown(actor: Actor) -> QuerySet[Donation]:
    """Donations of the actor's area, newest first; ``back_at`` says when one was taken back."""
    back = Posting.objects.filter(reverses=OuterRef("posting"))
    rows = Donation.objects.visible_to(actor).select_related("line", "posting", "entered_by")
    back_at = Coalesce(Subquery(back.values("posted_at")[:1]), F("withdrawn_at"))
    return rows.annotate(back_at=back_at).order_by("-received_on", "-pk")


def handouts_of(row: Donation) -> QuerySet[Handout]:
    """To whom given goods were handed, oldest first. To be read in a scope that shows who has moved away since."""
    return (
        Handout.objects.filter(donation=row)
        .select_related("elder", "provider", "entered_by")
        .order_by("handed_on", "pk")
    )


def goods_totals(rows: QuerySet[Any]) -> dict[str, int]:
    """Count and estimated value of standing gifts in kind: never added to money."""
    found: dict[str, int] = (
        rows.filter(kind=Donation.GOODS, back_at=None)
        .order_by()
        .aggregate(count=Count("pk"), fen=Coalesce(Sum("amount_fen"), Value(0)))
    )
    return found


@dataclass(frozen=True)
class Gift:
    """What one donation bore of one household's or organisation's money (R-MOD-32)."""

    donation: Donation
    use: Any
    fen: int


def gifts(line: BudgetLine, bears: Bearing | None = None) -> list[Gift]:
    """Say of a donation line which donation bore what: money is pooled, the earlier donation is used first (R-FUN-03).

    Whoever looks gets the same answer: an elder who has moved away keeps the place in the order.
    """
    out = (*GRANTED, GrantState.RECOVERING)
    with scope(reader(line.div)):
        given = {row.pk: row for row in standing_donations().filter(line=line).order_by("received_on", "pk")}
        helped = reimbursements_of([line.pk], bears).select_related("elder", "household")
        paid = subsidies_of([line.pk]).select_related("provider")
        uses: list[Any] = [*helped.filter(state__in=out), *paid.filter(state__in=out)]
    uses.sort(key=lambda one: (one.approved_at, one.pk))
    parts = attribute(
        [(row.pk, row.amount_fen) for row in given.values()],
        [(place, one.granted_fen - one.recovered_fen) for place, one in enumerate(uses)],
    )
    return [Gift(given[number], uses[place], fen) for number, place, fen in parts]


@dataclass(frozen=True)
class Trail:
    """The money of one household: what it was promised, what was paid back, by which fund, posting and payment (R-MOD-20)."""

    reimbursement: Reimbursement
    line: BudgetLine | None
    payment: PayoutLine | None
    gifts: list[Gift]
    is_above: bool = False
    """Whether the money is of a level whose lines the reader does not see."""


def trail(row: Reimbursement, line: BudgetLine | None, area: str = "") -> Trail:
    """Follow one reimbursement from its fund to its payment, as far as a reader of an area sees it."""
    if line is not None and not line.div.startswith(area):
        return replace(trail(row, None), is_above=True)
    payment = PayoutLine.objects.filter(key=f"{REIMBURSEMENT}:{row.pk}", is_live=True).select_related("payout").first()
    own = [one for one in gifts(line) if one.use == row] if line is not None and line.fund == "donation" else []
    return Trail(row, line, payment, own)


def persons_of(line: BudgetLine, bears: Bearing | None = None) -> QuerySet[Elder]:
    """The people whom a line has reached, by charges and reimbursements, with what it has borne for each of them.

    To be read, like all rows behind a line, in a scope that shows who has moved away since (``reader`` of the line's area).
    """
    charged = charges_of([line.pk], bears)
    helped = reimbursements_of([line.pk], bears).filter(state__in=GRANTED)
    sums = [
        Coalesce(
            Subquery(
                rows.filter(elder=OuterRef("pk")).order_by().values("elder").annotate(fen=Sum(amount)).values("fen")
            ),
            Value(0),
        )
        for rows, amount in ((charged, "amount_fen"), (helped, "subsidy_fen"))
    ]
    rows = Elder.objects.filter(Q(pk__in=charged.values("elder")) | Q(pk__in=helped.values("elder")))
    return rows.annotate(fen=sums[0] + sums[1]).order_by("div", "pk")


def by_area(found: Iterable[Way]) -> dict[str, dict[str, int]]:
    """The sums of ways by area, in the order of the map."""
    rows: dict[str, list[Way]] = defaultdict(list)
    for one in found:
        rows[one.line.div].append(one)
    return {div: totals(rows[div]) for div in sorted(rows)}
