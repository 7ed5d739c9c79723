"""What became of one entitlement's money, for its case file: charged, stated and paid by month (R-PAY-13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import CharField, Exists, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, Concat, TruncMonth

from yinling.kernel.actor import Actor
from yinling.settlement.models import Charge, PayoutLine, StatementLine
from yinling.settlement.queries.ledger import beside
from yinling.settlement.states import DecisionState, PayoutLineState

MOST_MONTHS = 12


@dataclass(frozen=True)
class MonthOfCase:
    """One month of an entitlement: what was charged to it, what of that stands on an approved statement, and what the bank has paid."""

    month: date
    charged_fen: int
    approved_fen: int
    paid_fen: int


def settlement_of(actor: Actor, entitlement_id: int) -> list[MonthOfCase]:
    """The last months of an entitlement, newest first; nothing for a role that does not see settlement."""
    if not actor.has("settlement.order.view"):
        return []
    lines = StatementLine.objects.filter(charge=OuterRef("pk"), is_live=True, statement__state=DecisionState.APPROVED)
    key = Concat(Value("statement:"), Cast(OuterRef("on_statement"), CharField()))
    paid = PayoutLine.objects.filter(key=key, is_live=True, state=PayoutLineState.PAID)
    rows = Charge.objects.visible_to(actor).filter(entitlement=entitlement_id)
    rows = rows.annotate(on_statement=Subquery(lines.values("statement")[:1])).annotate(is_paid=Exists(paid))
    sums = rows.annotate(month=TruncMonth("service_day")).values("month").annotate(
        charged=Sum("amount_fen"), approved=Coalesce(Sum("amount_fen", filter=Q(on_statement__isnull=False)), Value(0)),
        paid=Coalesce(Sum("amount_fen", filter=Q(is_paid=True)), Value(0)),
    )  # fmt: skip
    with beside(actor):  # the statement lies where its provider does, the batch with whoever pays
        return [
            MonthOfCase(row["month"], row["charged"], row["approved"], row["paid"])
            for row in sums.order_by("-month")[:MOST_MONTHS]
        ]
