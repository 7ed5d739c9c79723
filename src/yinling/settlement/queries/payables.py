"""What is owed now and can be put into a batch: approved statements, approved reimbursements, and what later contexts register."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Concat

from yinling.directory.rules import require
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.orders.models import Hold
from yinling.people.queries.names import reader
from yinling.settlement.models import LedgerEntry, PayoutLine, Reimbursement, Statement, StatementLine
from yinling.settlement.payables import KINDS, Payable, register
from yinling.settlement.queries.reimbursements import sides_of_reimbursement
from yinling.settlement.queries.statements import PAYABLE_FEN, shares_of_statement
from yinling.settlement.rules import PAYABLE, Side, fund_of_payer
from yinling.settlement.sharing import Part
from yinling.settlement.states import DecisionState

PERSON = "payable.elder"


def payables(actor: Actor, div: str) -> list[Payable]:
    """Everything that is owed in an area and stands in no live batch.

    Finders look through the province: a batch of the city pays what its districts owe, and a service in another district may be held.
    """
    require(actor, "settlement.payout.view")
    with scope(reader(div)):
        return [one for kind in KINDS.values() for one in kind.finder(actor, div) if one.amount_fen > 0]


def number_of(key: str) -> int:
    """Return the number of the row that a key names."""
    return int(key.partition(":")[2])


def not_in_batch(rows: Any, prefix: str) -> Any:
    """Leave out what stands in a live batch or was paid long ago, before anything is read."""
    key = Concat(Value(f"{prefix}:"), Cast(OuterRef("pk"), CharField()))
    return rows.filter(~Exists(PayoutLine.objects.filter(is_live=True, key=key)))


def frozen_lines(statement: Any) -> Any:
    """The lines of a statement whose order something holds now, as an objection does: nothing of it is paid until it is released."""
    held = Hold.objects.filter(order=OuterRef("charge__order"), to_at=None)
    return StatementLine.objects.filter(Exists(held), statement=statement, is_live=True)


def _statements(actor: Actor, div: str) -> Sequence[Payable]:
    rows = not_in_batch(
        Statement.objects.visible_to(actor).within(div).filter(state=DecisionState.APPROVED), "statement"
    )
    rows = rows.filter(~Exists(frozen_lines(OuterRef("pk"))))
    rows = rows.annotate(payable=PAYABLE_FEN).filter(payable__gt=0).select_related("provider").order_by("month", "id")
    return [
        Payable(
            key=f"statement:{row.pk}", text=f"{row.code} {row.provider.short_name}", provider_id=row.provider_id, elder_id=None, payer=row.payer,
            fund=fund_of_payer(row.payer), amount_fen=row.payable_fen, account=PAYABLE,
        )
        for row in rows
    ]  # fmt: skip


def sides_of_statement(line: PayoutLine) -> list[Side]:
    """The debit sides of a paid statement: what is left of each part after deductions and advance."""
    row = Statement.objects.get(pk=number_of(line.key))
    return [_side(PAYABLE, part, fen) for part, fen in shares_of_statement(row).payable.items()]


def _side(account: str, part: Part, fen: int) -> Side:
    return Side(account, fen, part.business, part.fund, part.scheme_id, part.plan_year)


def _reimbursements(actor: Actor, div: str) -> Sequence[Payable]:
    rows = Reimbursement.objects.visible_to(actor).within(div).filter(state=DecisionState.APPROVED, subsidy_fen__gt=0)
    rows = not_in_batch(rows, "reimbursement")
    posted = LedgerEntry.objects.filter(posting=OuterRef("posting"), account=PERSON)
    rows = rows.annotate(fund=Subquery(posted.values("fund")[:1]))
    return [
        Payable(
            key=f"reimbursement:{row.pk}", text=f"{row.code} {row.entitlement.scheme.name}", provider_id=None, elder_id=row.elder_id,
            payer=row.entitlement.scheme.payer, fund=row.fund, amount_fen=row.subsidy_fen, account=PERSON,
            scheme_id=row.entitlement.scheme_id,
        )
        for row in rows.select_related("entitlement__scheme").order_by("id")
    ]  # fmt: skip


def _held_statements(numbers: Collection[int]) -> set[int]:
    held = Hold.objects.filter(to_at=None).values("order")
    rows = StatementLine.objects.filter(statement__in=numbers, is_live=True, charge__order__in=held)
    return set(rows.values_list("statement_id", flat=True))


def revoked_of(model: Any) -> Callable[[Collection[int]], set[int]]:
    """Return what says which rows of a model are no longer approved, or somebody asks for them to be taken back."""
    return lambda numbers: set(
        model.objects.filter(pk__in=numbers).exclude(state=DecisionState.APPROVED).values_list("pk", flat=True)
    )


register("statement", _statements, sides=sides_of_statement, held=_held_statements)
register("reimbursement", _reimbursements, sides=sides_of_reimbursement, held=revoked_of(Reimbursement))
