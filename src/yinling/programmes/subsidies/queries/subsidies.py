"""Reading subsidies: lists, what was spent of them, and what is to be paid out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import CharField, Count, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, Concat

from yinling.directory.rules import require
from yinling.entitlements.models import BudgetLine
from yinling.kernel.actor import Actor
from yinling.programmes.subsidies.models import Spending, Subsidy
from yinling.programmes.subsidies.queries.rates import PROJECT, offer
from yinling.programmes.subsidies.rules import MainUse, main_use
from yinling.settlement.models import LedgerEntry, PayoutLine
from yinling.settlement.payables import Payable
from yinling.settlement.queries.payables import not_in_batch
from yinling.settlement.rules import Side
from yinling.settlement.states import GIVEN_UP, GRANTED, GrantState

PREFIX = "subsidy"
OWED = "payable.provider"


def subsidies_shown(actor: Actor) -> QuerySet[Subsidy]:
    """Subsidies of the actor's area or body, newest first, with the state of their payment and what was spent of them."""
    require(actor, "subsidies.subsidy.view")
    paid = PayoutLine.objects.filter(key=Concat(Value(f"{PREFIX}:"), Cast(OuterRef("pk"), CharField())), is_live=True)
    spent = Spending.objects.filter(subsidy=OuterRef("pk")).order_by().values("subsidy").annotate(fen=Sum("amount_fen"))
    rows = Subsidy.objects.visible_to(actor).select_related(
        "provider", "entered_by", "reviewed_by", "approved_by", "contested_by", "revoked_by", "posting"
    )
    rows = rows.annotate(
        payout_state=Subquery(paid.values("state")[:1]), used_fen=Coalesce(Subquery(spent.values("fen")[:1]), Value(0))
    )
    return rows.order_by("-booking_year", "-pk")


def lines_seen(actor: Actor, rows: Iterable[Subsidy]) -> dict[int, BudgetLine]:
    """The lines of a list that the actor sees: a county does not see the city's line that pays its canteen, nor a body any."""
    found = BudgetLine.objects.visible_to(actor).filter(pk__in={row.line_id for row in rows})
    return {line.pk: line for line in found}


def subsidy_totals(rows: QuerySet[Subsidy]) -> dict[str, Any]:
    """Count and sums of a list."""
    approved = Q(state__in=GRANTED)
    standing = ~Q(state__in=GIVEN_UP)
    return rows.order_by().aggregate(
        count=Count("id", filter=standing), fen=Coalesce(Sum("amount_fen", filter=standing), Value(0)),
        approved_fen=Coalesce(Sum("amount_fen", filter=approved), Value(0)),
        bodies=Count("provider", filter=standing, distinct=True),
    )  # fmt: skip


def uses_of(rows: Iterable[Subsidy]) -> dict[int, MainUse]:
    """How the subsidies of a list were used so far, of those whose rate asks (R-FUN-06)."""
    asked = {}
    for row in rows:
        found = None if row.kind == PROJECT else offer(row.kind, row.div, row.result_year)
        if found is not None and found.rate.main_use:
            asked[row.pk] = found.rate
    by_category: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for pk, category, fen in Spending.objects.filter(subsidy__in=asked).values_list(
        "subsidy", "category", "amount_fen"
    ):
        by_category[pk].append((category, fen))
    judged = {pk: main_use(rate, by_category[pk]) for pk, rate in asked.items()}
    return {pk: one for pk, one in judged.items() if one is not None}


def spendings_of(row: Subsidy) -> QuerySet[Spending]:
    """What the receiver spent, oldest first."""
    return Spending.objects.filter(subsidy=row).select_related("entered_by").order_by("spent_on", "pk")


def owed(actor: Actor, div: str) -> list[Payable]:
    """Approved subsidies of bodies: what a payout batch of the level that bears them may pay."""
    rows = Subsidy.objects.visible_to(actor).filter(state=GrantState.APPROVED, provider__isnull=False)
    rows = not_in_batch(rows, PREFIX)
    if div:
        rows = rows.filter(div__startswith=div, line__div__startswith=div)
    return [payable(row) for row in rows.select_related("line", "provider").order_by("pk")]


def payable(row: Subsidy) -> Payable:
    """Return an approved subsidy as a batch sees it."""
    fund = row.line.fund
    return Payable(
        key=f"{PREFIX}:{row.pk}", text=f"{row.code} {row.get_kind_display()} {row.part}".strip(), provider_id=row.provider_id, elder_id=None,
        payer="donation" if fund == "donation" else "government", fund=fund, amount_fen=row.amount_fen, account=OWED,
    )  # fmt: skip


def sides_of(line: PayoutLine) -> list[Side]:
    """The debit side of a paid subsidy: what its posting left open, with the fund and the year that bore it."""
    entries = LedgerEntry.objects.filter(posting__key=line.key, account=OWED)
    return [
        Side(
            one.account, -one.amount, one.business, one.fund, one.scheme_id, one.plan_year, provider_id=one.provider_id
        )
        for one in entries
    ]
