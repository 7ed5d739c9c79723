"""What is taken off a statement before it is approved: by a person with a numbered reason, or because its payer refused for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from django.db.models import Sum

from yinling.accounts.operations import record
from yinling.directory.rules import person_of, require
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Note, Seen
from yinling.kernel.money import yuan
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.settlement.models import Deduction, Posting, Statement, StatementLine
from yinling.settlement.operations.ledger import post, wait_for
from yinling.settlement.queries.statements import (
    REFUSED_BY_PAYER,
    Deducted,
    deduction_reasons,
    refused_for_good,
    shares_of_statement,
    whole,
)
from yinling.settlement.rules import PAYABLE, RECEIVABLE, Side
from yinling.settlement.states import DecisionState

explain_constraint("deduction_positive", "deduction.amount", N_("扣减金额应大于 0"))


@operation("settlement.statement.deduct", label=N_("扣减"))
def deduct_statement(
    *,
    actor: Actor,
    now: datetime,
    statement_id: Id,
    reason: Annotated[str, Input(N_("扣减原因"), max_length=20, widget="choice")],
    amount_fen: Annotated[int, Input(N_("扣减金额（元）"), least=1, widget="yuan")],
    note: Note,
    line_id: Annotated[
        int | None, Input(N_("明细行"), help=N_("不选则从整份对账单扣减"), least=1, widget="number")
    ] = None,
    seen: Seen = None,
) -> Statement:
    """Take an amount off a draft, from one line or from the whole. Never more than is there; after the first approval nothing is taken off."""
    row = locked(Statement.objects.all(), statement_id, seen)
    require(actor, "settlement.statement.deduct", div=row.div)
    if row.state != DecisionState.DRAFT:
        raise NotAllowed("deduction.late", N_("只有待初审的对账单可以扣减。已初审的请先退回，再重新生成"))
    if reason not in deduction_reasons(row.div, local_date(now)) or reason == REFUSED_BY_PAYER:
        raise Refused("deduction.reason", N_("请从列表中选择扣减原因"), field="reason")
    if not note.strip():
        raise Refused("deduction.note", N_("请写明扣减的依据"), field="note")
    left, line = _left(row, line_id)
    if amount_fen <= 0:
        raise Refused("deduction.amount", N_("扣减金额应大于 0"), field="amount_fen")
    if amount_fen > left:
        raise Refused("deduction.too_much", N_("扣减不能超过剩余金额 %(left)s 元"), field="amount_fen", left=yuan(left))
    Deduction.objects.create(
        div=row.div, statement=row, line=line, provider_id=row.provider_id, reason=reason, note=note.strip()[:500], amount_fen=amount_fen,
        made_by_id=person_of(actor), made_at=now,
    )  # fmt: skip
    changes = changed(row, now=now, deducted_fen=row.deducted_fen + amount_fen)
    about = {"reason": reason, "line": line_id}
    record(
        actor=actor,
        now=now,
        event="settlement.statement.deduct",
        subject=row,
        changes=changes | about,
        reason=note.strip()[:500],
    )
    tell("settlement", pk=row.pk, div=row.div)
    return row


def _left(row: Statement, line_id: int | None) -> tuple[int, StatementLine | None]:
    """Return how much can still be taken off the statement or the line."""
    left = row.total_fen - row.deducted_fen
    if line_id is None:
        return left, None
    with whole(row):
        line = StatementLine.objects.filter(statement=row, pk=line_id).select_related("charge").first()
    if line is None:
        raise Refused("deduction.line", N_("这一行不在这份对账单上"), field="line_id")
    taken = Deduction.objects.filter(line=line).exclude(statement__state=DecisionState.RETURNED)
    own = line.charge.amount_fen - (taken.aggregate(fen=Sum("amount_fen"))["fen"] or 0)
    return min(left, own), line


def deduct_refused(actor: Actor, now: datetime, row: Statement) -> int:
    """Take off what the payer refused for good on earlier statements, as far as this one covers it; return how much.

    What it does not cover is left to the next one. Two statements of one payer are drawn up one after the other.
    """
    wait_for(f"refused:{row.provider_id}:{row.payer}")
    rows, taken = [], 0
    for line in refused_for_good(row):
        fen = min(line.left_fen, row.total_fen - taken)
        if fen <= 0:
            break
        rows.append(
            Deduction(
                div=row.div, statement=row, line_id=line.line_id, provider_id=row.provider_id, reason=REFUSED_BY_PAYER,
                note=f"{line.claim.code} {line.number} {line.refusal} {line.refusal_text}"[:500], amount_fen=fen,
                made_by_id=person_of(actor), made_at=now,
            )
        )  # fmt: skip
        taken += fen
    Deduction.objects.bulk_create(rows)
    return taken


def undo_deductions(actor: Actor, now: datetime, order: Order, counter: Posting, taken: Sequence[Deducted]) -> None:
    """Book back what was deducted of a settlement that is reversed: the reversal takes back all of it, and nothing is taken twice."""
    sides = []
    for one in taken:
        side = Side(
            PAYABLE, -one.fen, one.part.business, one.part.fund, one.part.scheme_id, one.part.plan_year, one.line_id, one.service_day
        )  # fmt: skip
        sides += [side, replace(side, account=f"{RECEIVABLE}.{one.payer}", amount=one.fen)]
    if sides:
        post(
            actor, now, key=f"deduction_back:{counter.pk}", kind="deduction", text=order.code, div=counter.div, sides=sides, order=order,
            provider=order.provider_id, elder=order.elder_id,
        )  # fmt: skip


def book_deductions(actor: Actor, now: datetime, row: Statement) -> None:
    """Book what was taken off: the provider is not owed it, and the payer does not owe it."""
    sides = []
    for part, fen in shares_of_statement(row).deducted.items():
        common = {
            "business": part.business,
            "fund": part.fund,
            "scheme_id": part.scheme_id,
            "plan_year": part.plan_year,
        }
        sides += [Side(PAYABLE, fen, **common), Side(f"{RECEIVABLE}.{row.payer}", -fen, **common)]  # type: ignore[arg-type]
    if sides:
        post(
            actor, now, key=f"deduction:{row.pk}", kind="deduction", text=row.code, div=row.div, sides=sides, provider=row.provider
        )  # fmt: skip
