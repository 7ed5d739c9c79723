"""Reading reimbursements: lists, items of the invoice, what bears them, and the trail of a household's money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, Concat

from yinling.assessment.scoring import scale
from yinling.directory.rules import require
from yinling.entitlements.models import Budget, BudgetLine, Entitlement
from yinling.entitlements.queries.applications import nearest_budget
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.settlement.models import LedgerEntry, PayoutLine, Reimbursement
from yinling.settlement.reimbursing import Line, Result, reckon
from yinling.settlement.rules import Side
from yinling.settlement.states import GIVEN_UP, GRANTED, GrantState

PREFIX = "reimbursement"
BASE = "base"
AFTER_END = timedelta(days=366)
"""So long after its end an entitlement is offered for work accepted before."""


@dataclass(frozen=True)
class Item:
    """One item of the list that a scheme reimburses; two items may have the same name, never the same code."""

    code: str
    name: str
    is_base: bool


def item_list(scheme_code: str, div: str, on: date) -> dict[str, Item]:
    """Return the items of a scheme by code; nothing for a scheme that is not reimbursed by items."""
    name = parameter("reimbursement.item_lists", div, on).get(scheme_code)
    if name is None:
        return {}
    rows = [item for domain in scale(name)["domains"] for item in domain["items"]]
    return {one["code"]: Item(one["code"], one["zh"], one["type"] == BASE) for one in rows}


def is_strict(div: str, on: date) -> bool:
    """Whether "not applicable" is no end of a base item here (D-10)."""
    return bool(parameter("reimbursement.base_strict", div, on))


def result_of(row: Reimbursement, lines: list[Line] | None = None) -> Result:
    """Reckon a reimbursement anew from its lines, the list in force at its acceptance, and what other funds bore."""
    entitlement = row.entitlement
    items = item_list(entitlement.scheme.code, row.div, row.accepted_on)
    found = [Line.from_json(one) for one in row.lines] if lines is None else lines
    return reckon(
        found, [one.code for one in items.values() if one.is_base], entitlement.once_fen or 0,
        strict=is_strict(row.div, row.accepted_on), borne_fen=borne_by_others(row),
    )  # fmt: skip


def borne_by_others(row: Reimbursement) -> int:
    """What other schemes paid back of the same invoice; what is to come back is still out."""
    out = (*GRANTED, GrantState.RECOVERING)
    others = Reimbursement.objects.filter(
        household_id=row.household_id, contractor=row.contractor, invoice_number=row.invoice_number, state__in=out
    ).exclude(pk=row.pk)  # fmt: skip
    return int(others.aggregate(fen=Sum("subsidy_fen"))["fen"] or 0)


def line_of(row: Reimbursement) -> BudgetLine | None:
    """Return the line that bears it: that of the budget that holds money for its entitlement, else of the nearest of its place and year.

    To be read in a scope that shows the entitlement.
    """
    year = row.entitlement.valid_from.year
    held = Budget.objects.filter(commitments__entitlement=row.entitlement_id, year=year).select_related("line").first()
    budget = held or nearest_budget(row.entitlement.scheme_id, row.div, year)
    return budget.line if budget else None


def standing_for(scheme_id: Any, whose: Q) -> QuerySet[Reimbursement]:
    """Reimbursements of a scheme that were not given up, of a home or a person."""
    return Reimbursement.objects.filter(whose, entitlement__scheme=scheme_id).exclude(state__in=GIVEN_UP)


def reimbursable(actor: Actor, on: date) -> QuerySet[Entitlement]:
    """Entitlements to a sum paid once whose household has no reimbursement of the same scheme yet; also those that ended within a year.

    Work that was accepted in time is paid back after the end, and after a death.
    """
    require(actor, "settlement.reimbursement.view")
    home = OuterRef("elder__household")
    taken = standing_for(
        OuterRef("scheme"), Q(household=home) | Q(elder__household=home) | Q(entitlement=OuterRef("pk"))
    )
    late = Q(valid_to=None) | Q(valid_to__gt=on - AFTER_END)
    rows = Entitlement.objects.visible_to(actor).filter(late, valid_from__lte=on, recorded_to=None, once_fen__gt=0)
    return rows.filter(~Exists(taken)).select_related("elder", "scheme").order_by("valid_from", "pk")


def reimbursements_shown(actor: Actor) -> QuerySet[Reimbursement]:
    """Reimbursements of the actor's area with the state of their payment, newest first.

    To be read in the scope of a ``reader`` of the area: elders and their entitlements move away, what was paid back stays.
    """
    require(actor, "settlement.reimbursement.view")
    paid = PayoutLine.objects.filter(key=Concat(Value(f"{PREFIX}:"), Cast(OuterRef("pk"), CharField())), is_live=True)
    rows = Reimbursement.objects.visible_to(actor).select_related(
        "elder",
        "household",
        "entitlement__scheme",
        "entered_by",
        "reviewed_by",
        "approved_by",
        "contested_by",
        "revoked_by",
        "posting",
    )
    return rows.annotate(payout_state=Subquery(paid.values("state")[:1])).order_by("-pk")


def reimbursement_totals(rows: QuerySet[Reimbursement]) -> dict[str, Any]:
    """Count and sums of a list."""
    standing = ~Q(state__in=GIVEN_UP)
    approved = Q(state__in=GRANTED)
    return rows.order_by().aggregate(
        count=Count("id", filter=standing), actual_fen=Coalesce(Sum("actual_fen", filter=standing), Value(0)),
        subsidy_fen=Coalesce(Sum("subsidy_fen", filter=approved), Value(0)), self_fen=Coalesce(Sum("self_fen", filter=approved), Value(0)),
    )  # fmt: skip


def sides_of_reimbursement(line: PayoutLine) -> list[Side]:
    """The debit side of a paid reimbursement: what its posting left open, with the fund that bore it."""
    entries = LedgerEntry.objects.filter(posting__key=line.key, account="payable.elder")
    return [
        Side(one.account, -one.amount, one.business, one.fund, one.scheme_id, one.plan_year, elder_id=one.elder_id)
        for one in entries
    ]
