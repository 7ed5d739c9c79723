"""What stands on which statement, and what may."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, ExtractYear

from yinling.directory.models import Organisation
from yinling.directory.rules import require
from yinling.entitlements.models import PAYERS
from yinling.ground.models import ScopedQuerySet
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import next_month
from yinling.orders.models import Hold
from yinling.people.queries.names import reader
from yinling.settlement.models import (
    Charge,
    Claim,
    ClaimLine,
    Deduction,
    LedgerEntry,
    Posting,
    Statement,
    StatementLine,
)
from yinling.settlement.rules import PAYABLE, SELF, fund_of_payer
from yinling.settlement.sharing import Part, Parts, Shares, less, shares, spread, whole_by_line
from yinling.settlement.states import ClaimLineState, ClaimState, DecisionState

STATEMENT_PAYERS = [(code, name) for code, name in PAYERS if code != SELF]
PAYABLE_FEN = F("total_fen") - F("deducted_fen") - F("offset_fen")
REFUSED_BY_PAYER = "06"
"""The reason of a deduction that comes by itself."""
DIMENSIONS = {
    "medical": F("charge__line__item__is_medical"), "fund": F("charge__entitlement__scheme__fund"), "payer": F("charge__payer"),
    "scheme": F("charge__entitlement__scheme_id"), "year": ExtractYear("charge__service_day"),
}  # fmt: skip
"""What a charge was booked with. An entitlement goes with its elder to other areas, so only the system of the province sees all of them."""


def open_charges(month: date) -> ScopedQuerySet:
    """Charges that a statement could take: served up to the month's end, settled, not held, not taken back, on no live statement.

    What a reversal took back is deducted once the charge itself was paid for by a statement, and is left out together with it before.
    """
    on_live = StatementLine.objects.filter(charge=OuterRef("pk"), is_live=True)
    held = Hold.objects.filter(order=OuterRef("order"), to_at=None)
    taken_back = Posting.objects.filter(reverses=OuterRef("posting"))
    original_on_live = StatementLine.objects.filter(
        is_live=True,
        charge__posting=OuterRef("posting__reverses"),
        charge__line=OuterRef("line"),
        charge__payer=OuterRef("payer"),
    )
    fresh = Q(posting__reverses=None) & ~Exists(taken_back) & ~Exists(held)
    deduction = Q(posting__reverses__isnull=False) & Exists(original_on_live)
    rows = Charge.objects.filter(service_day__lt=next_month(month))
    return rows.filter(~Exists(on_live)).filter(fresh | deduction)


def place_of_statement(organisation: Organisation, area: str) -> str:
    """Where a statement lies that is drawn up in an area: at its provider's, or, for one of elsewhere, in that area."""
    return organisation.div if organisation.div.startswith(area) else area


def statement_candidates(organisation: Organisation, payer: str, month: date, div: str) -> list[Charge]:
    """The charges of one provider and one payer for a statement of an area, in the order of the services.

    What stands on a statement that lies elsewhere, as the city's of a whole provider, is not taken again: the province looks.
    """
    rows = open_charges(month).within(div).filter(provider=organisation, payer=payer)
    with scope(reader(div)):
        return list(rows.order_by("service_day", "id"))


@dataclass(frozen=True)
class ToDraft:
    """One statement of a month that is still to be drawn up."""

    provider_id: int
    provider: str
    payer: str
    count: int
    amount_fen: int


def to_draft(div: str, month: date) -> list[ToDraft]:
    """Providers and payers with charges of an area up to a month and without a live statement of it there."""
    place = Case(When(provider__div__startswith=div, then=F("provider__div")), default=Value(div))
    live = Statement.objects.filter(
        ~Q(state=DecisionState.RETURNED), provider=OuterRef("provider"), payer=OuterRef("payer"), month=month, div=place
    )
    rows = open_charges(month).within(div).filter(~Q(payer=SELF), ~Exists(live))
    sums = rows.values("provider_id", "provider__short_name", "payer").annotate(
        count=Count("id"), fen=Sum("amount_fen")
    )
    with scope(reader(div)):
        return [
            ToDraft(row["provider_id"], row["provider__short_name"], row["payer"], row["count"], row["fen"])
            for row in sums.order_by("provider__short_name", "provider_id", "payer")
        ]


def part_of(row: Any) -> Part:
    business = "medical" if row["medical"] else "eldercare"
    return Part(business, row["fund"] or fund_of_payer(row["payer"]), row["scheme"], row["year"])


def parts_by_line(lines: QuerySet[StatementLine], div: str) -> dict[int, Part]:
    """The dimensions of the ledger that each of some lines was booked with."""
    with scope(reader(div)):
        return {row["pk"]: part_of(row) for row in lines.values("pk", **DIMENSIONS)}


def parts_of(row: Statement) -> Parts:
    """The live lines of a statement by the dimensions of the ledger."""
    rows = StatementLine.objects.filter(statement=row, is_live=True).values(**DIMENSIONS)
    with scope(reader(row.div)):
        return {part_of(one): one["fen"] for one in rows.annotate(fen=Sum("charge__amount_fen")).order_by()}


WHOLE = Deduction.objects.filter(line=None).values("statement")
"""The statements that something was taken off as a whole."""


def _taken(row: Statement) -> tuple[Parts, int]:
    """What was taken off a statement: by named lines, by their dimensions, and off the whole."""
    named: Parts = {}
    whole = 0
    taken = Deduction.objects.filter(statement=row)
    parts = parts_by_line(StatementLine.objects.filter(pk__in=taken.values("line")), row.div)
    for line, fen in taken.order_by().values_list("line").annotate(fen=Sum("amount_fen")):
        if line is None:
            whole += fen
        else:
            named[parts[line]] = named.get(parts[line], 0) + fen
    return named, whole


def shares_of_statement(row: Statement) -> Shares:
    """How the deductions and the advance of a statement fall on its parts, and what is left to pay of each."""
    named, whole = _taken(row)
    return shares(parts_of(row), named=named, whole=whole, offset=_offset_of(row))


def whole_taken(row: Statement) -> dict[int, int]:
    """What of the deductions from a whole statement falls on each of its lines."""
    named, whole = _taken(row)
    if not whole:
        return {}
    own = StatementLine.objects.filter(statement=row, is_live=True)
    off = dict(
        Deduction.objects.filter(statement=row, line__in=own)
        .order_by()
        .values_list("line")
        .annotate(fen=Sum("amount_fen"))
    )
    parts = parts_by_line(own, row.div)
    with scope(reader(row.div)):
        left = {pk: (parts[pk], fen - off.get(pk, 0)) for pk, fen in own.values_list("pk", "charge__amount_fen")}
    return whole_by_line(left, spread(whole, less(parts_of(row), named)))


@dataclass(frozen=True)
class Deducted:
    """What was taken off one charge by deductions of statements, and the dimensions it was booked with."""

    charge_id: int
    line_id: int
    payer: str
    service_day: date
    part: Part
    fen: int


def deducted_of(posting: Posting) -> list[Deducted]:
    """What statements took off the charges of a posting, by name or from the whole. A statement may lie elsewhere, so the province looks."""
    with scope(reader(posting.div)):
        lines = StatementLine.objects.filter(charge__posting=posting).exclude(statement__state=DecisionState.RETURNED)
        taken = Deduction.objects.filter(line__in=lines).exclude(statement__state=DecisionState.RETURNED)
        off = Counter(dict(taken.order_by().values_list("line").annotate(fen=Sum("amount_fen"))))
        for row in Statement.objects.filter(pk__in=lines.values("statement")).filter(pk__in=WHOLE):
            off.update(whole_taken(row))
        parts = parts_by_line(lines, posting.div)
        names = ("pk", "charge", "charge__line", "charge__payer", "charge__service_day")
        return [
            Deducted(charge, item, payer, day, parts[pk], off[pk])
            for pk, charge, item, payer, day in lines.order_by("pk").values_list(*names)
            if off[pk]
        ]


def undecided_statement_of(posting: Posting) -> int | None:
    """A statement, not yet approved or returned, on which charges of a posting stand or are deducted."""
    open_states = [DecisionState.DRAFT, DecisionState.REVIEWED]
    with scope(reader(posting.div)):
        rows = Statement.objects.filter(state__in=open_states)
        on_it = Q(pk__in=StatementLine.objects.filter(charge__posting=posting, is_live=True).values("statement"))
        off_it = Q(pk__in=Deduction.objects.filter(line__charge__posting=posting).values("statement"))
        return rows.filter(on_it | off_it).order_by("pk").values_list("pk", flat=True).first()


def _offset_of(row: Statement) -> Parts:
    """What an advance has paid of a statement, as it was booked."""
    rows = LedgerEntry.objects.filter(posting__key=f"offset:{row.pk}", account=PAYABLE)
    sums = rows.values_list("business", "fund", "scheme_id", "plan_year").annotate(fen=Sum("amount")).order_by()
    return {Part(*dimensions): fen for *dimensions, fen in sums}


def deductions(row: Statement) -> QuerySet[Deduction]:
    """What was taken off a statement."""
    rows = Deduction.objects.filter(statement=row).select_related(
        "made_by", "line__charge__order", "line__charge__line"
    )
    return rows.order_by("id")


def deduction_reasons(div: str, day: date) -> dict[str, str]:
    """The numbered reasons for which something may be taken off."""
    return dict(parameter("settlement.deduction_reasons", div, day))


def given_up(row: Statement, *states: ClaimLineState) -> QuerySet[Any]:
    """Lines that this provider's payer refused and that were given up, or are in ``states``, with what is not taken off yet (``left_fen``).

    What the platform itself refused of a claim that was withdrawn is not given up: its statement may be claimed again.
    """
    off = Deduction.objects.filter(line=OuterRef("line"), reason=REFUSED_BY_PAYER)
    taken = off.exclude(statement__state=DecisionState.RETURNED).order_by().values("line")
    rows = ClaimLine.objects.filter(
        ~Q(refusal=""), ~Q(claim__state=ClaimState.WITHDRAWN), provider=row.provider_id, claim__payer=row.payer,
        state__in=[ClaimLineState.ABANDONED, *states],
    )  # fmt: skip
    known = Coalesce(Subquery(taken.annotate(fen=Sum("amount_fen")).values("fen")), Value(0))
    return rows.annotate(left_fen=F("claimed_fen") - F("paid_fen") - known).filter(left_fen__gt=0)


def refused_for_good(row: Statement) -> QuerySet[Any]:
    """What was given up and not reversed since: its money was or will be paid out, and a reversal takes off all of it."""
    taken_back = Posting.objects.filter(reverses=OuterRef("line__charge__posting"))
    return given_up(row).filter(~Exists(taken_back)).select_related("claim").order_by("id")


def statement_of(actor: Actor, pk: int) -> Statement | None:
    """One statement the actor may see."""
    return statements(actor).filter(pk=pk).first()


def statements(actor: Actor) -> QuerySet[Statement]:
    """Statements the actor may see, newest first."""
    require(actor, "settlement.statement.view")
    rows = Statement.objects.visible_to(actor).select_related("provider", "drafted_by", "reviewed_by", "approved_by")
    return rows.order_by("-month", "-id")


def statement_totals(rows: QuerySet[Statement]) -> dict[str, int]:
    """Count and sum of the statements of a list."""
    names = ("id", "total_fen", "deducted_fen", "offset_fen")
    sums = rows.order_by().values_list("state").annotate(Count("id"), *(Sum(name) for name in names[1:]))
    by_state = {state: dict(zip(names, values, strict=True)) for state, *values in sums}
    live = [one for state, one in by_state.items() if state != DecisionState.RETURNED]
    approved = by_state.get(DecisionState.APPROVED, dict.fromkeys(names, 0))
    return {
        "count": sum(one["id"] for one in by_state.values()), "live_fen": sum(one["total_fen"] for one in live),
        "approved_fen": approved["total_fen"], "deducted_fen": sum(one["deducted_fen"] for one in live),
        "payable_fen": approved["total_fen"] - approved["deducted_fen"] - approved["offset_fen"],
    }  # fmt: skip


def whole(row: Statement | Claim) -> AbstractContextManager[Any]:
    """Read all lines of what one sees: the services of a body's statement may be of another district than the statement."""
    return scope(reader(row.div), savepoint=False)


def statement_lines(statement: Statement) -> QuerySet[StatementLine]:
    """The charges on a statement with what a reader checks them by; to be read ``whole``."""
    rows = StatementLine.objects.filter(statement=statement)
    rows = rows.select_related("charge__line", "charge__order", "charge__posting", "charge__entitlement__scheme")
    return rows.order_by("charge__service_day", "id")
