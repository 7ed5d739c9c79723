"""The payment list of one payer and month, above all of government purchase: what is confirmed, and what is frozen and left out (R-PAY-12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Sum

from yinling.directory.rules import require
from yinling.kernel.actor import Actor
from yinling.kernel.period import next_month
from yinling.orders.models import Hold
from yinling.settlement.models import Charge, Posting, Statement, StatementLine
from yinling.settlement.queries.ledger import beside
from yinling.settlement.states import DecisionState


@dataclass(frozen=True)
class Purchased:
    """One provider's line on the list: its statement, and what of it was held back. Without statement only the frozen amount."""

    provider_id: int
    provider: str
    statement_id: int | None
    code: str
    state: str
    line_count: int
    total_fen: int
    deducted_fen: int
    offset_fen: int
    frozen_fen: int

    @property
    def payable_fen(self) -> int:
        """What is left to pay."""
        return self.total_fen - self.deducted_fen - self.offset_fen


def purchased(actor: Actor, payer: str, month: date, *, state: str = "") -> list[Purchased]:
    """The list by provider. Only settled, unfrozen orders stand on statements; what is frozen is named beside."""
    require(actor, "settlement.statement.view")
    rows = Statement.objects.visible_to(actor).filter(payer=payer, month=month).exclude(state=DecisionState.RETURNED)
    if state:
        rows = rows.filter(state=state)
    held = frozen(actor, payer, month)
    found = [
        Purchased(
            row.provider_id, row.provider.name, row.pk, row.code, str(row.state), row.line_count, row.total_fen, row.deducted_fen,
            row.offset_fen, held.pop(row.provider_id, ("", 0))[1],
        )
        for row in rows.select_related("provider").order_by("provider__name", "id")
    ]  # fmt: skip
    if state:
        return found
    return found + [Purchased(pk, name, None, "", "", 0, 0, 0, 0, fen) for pk, (name, fen) in sorted(held.items())]


def frozen(actor: Actor, payer: str, month: date) -> dict[int, tuple[str, int]]:
    """What is settled but held, by provider: charges up to the month's end on no statement."""
    on_live = StatementLine.objects.filter(charge=OuterRef("pk"), is_live=True)
    held = Hold.objects.filter(order=OuterRef("order"), to_at=None)
    taken_back = Posting.objects.filter(reverses=OuterRef("posting"))
    rows = Charge.objects.visible_to(actor).filter(
        Exists(held), ~Exists(on_live), ~Exists(taken_back), payer=payer, service_day__lt=next_month(month), posting__reverses=None
    )  # fmt: skip
    sums = rows.values("provider_id", "provider__name").annotate(fen=Sum("amount_fen")).order_by("provider_id")
    with beside(actor):  # a charge may stand on a statement of the city
        return {row["provider_id"]: (row["provider__name"], row["fen"]) for row in sums}
