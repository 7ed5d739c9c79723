"""What is taken off a statement before it is approved: by a person with a numbered reason, or because its payer refused for good."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.db.models import Sum

from yinling.accounts.operations import record
from yinling.directory.rules import require
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Note, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.settlement.models import Deduction, Statement, StatementLine
from yinling.settlement.operations.ledger import post
from yinling.settlement.queries.statements import (
    REFUSED_BY_PAYER,
    deduction_reasons,
    refused_for_good,
    shares_of_statement,
)
from yinling.settlement.rules import PAYABLE, RECEIVABLE, Side
from yinling.settlement.states import StatementState

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
    if row.state != StatementState.DRAFT:
        raise NotAllowed("deduction.late", N_("只有待初审的对账单可以扣减。已初审的请先退回，再重新生成"))
    if reason not in deduction_reasons(row.div, local_date(now)) or reason == REFUSED_BY_PAYER:
        raise Refused("deduction.reason", N_("请从列表中选择扣减原因"), field="reason")
    if not note.strip():
        raise Refused("deduction.note", N_("请写明扣减的依据"), field="note")
    left, line = _left(row, line_id)
    if amount_fen <= 0:
        raise Refused("deduction.amount", N_("扣减金额应大于 0"), field="amount_fen")
    if amount_fen > left:
        raise Refused("deduction.too_much", N_("扣减不能超过剩余金额"), field="amount_fen", left=left)
    Deduction.objects.create(
        div=row.div, statement=row, line=line, provider_id=row.provider_id, reason=reason, note=note.strip()[:500], amount_fen=amount_fen,
        made_by_id=_person(actor), made_at=now,
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
    line = StatementLine.objects.filter(statement=row, pk=line_id).select_related("charge").first()
    if line is None:
        raise Refused("deduction.line", N_("这一行不在这份对账单上"), field="line_id")
    taken = Deduction.objects.filter(line=line).exclude(statement__state=StatementState.RETURNED)
    own = line.charge.amount_fen - (taken.aggregate(fen=Sum("amount_fen"))["fen"] or 0)
    return min(left, own), line


def _person(actor: Actor) -> int:
    if actor.user_id is None:
        raise Refused("statement.nobody", N_("对账单须由有账号的人员办理"))
    return actor.user_id


def deduct_refused(actor: Actor, now: datetime, row: Statement) -> int:
    """Take off what the payer refused for good on earlier statements, as far as this one covers it; return how much."""
    rows, taken = [], 0
    for line in refused_for_good(row):
        fen = line.claimed_fen - line.paid_fen
        if taken + fen > row.total_fen:
            break
        rows.append(
            Deduction(
                div=row.div, statement=row, line_id=line.line_id, provider_id=row.provider_id, reason=REFUSED_BY_PAYER,
                note=f"{line.claim.code} {line.number} {line.refusal} {line.refusal_text}"[:500], amount_fen=fen,
                made_by_id=_person(actor), made_at=now,
            )
        )  # fmt: skip
        taken += fen
    Deduction.objects.bulk_create(rows)
    return taken


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
