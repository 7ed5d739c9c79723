"""What a payer's answers do: lines are paid or refused, the money is booked, and a claim that has no open line is answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from yinling.ground.operation import changed_each
from yinling.kernel.actor import Actor
from yinling.settlement.models import Claim, ClaimLine, StatementLine
from yinling.settlement.operations.ledger import post
from yinling.settlement.queries.statements import parts_by_line
from yinling.settlement.remitting import Answer
from yinling.settlement.rules import BANK, RECEIVABLE, Side
from yinling.settlement.sharing import Part
from yinling.settlement.states import CLAIM, CLAIM_LINE, ClaimLineState


def answer_lines(actor: Actor, now: datetime, answers: Sequence[tuple[ClaimLine, Answer]], *, key: str) -> int:
    """Write answers to locked lines and book what was paid, one posting a claim under ``key``; return how much that is."""
    received: dict[int, dict[int, int]] = {}
    moves: list[tuple[Any, dict[str, Any]]] = []
    for line, answer in answers:
        fen = answer.paid_fen - line.paid_fen
        if fen:
            received.setdefault(line.claim_id, {})[line.line_id] = fen
        verb = "pay" if answer.paid_fen == line.claimed_fen else "refuse"
        moves.append(
            (line, {"state": CLAIM_LINE.target(verb, line.state), "paid_fen": answer.paid_fen, "refusal": answer.refusal,
                    "refusal_text": answer.text})
        )  # fmt: skip
    changed_each(moves, now=now)
    claims = {line.claim_id: line.claim for line, _answer in answers}
    for pk in sorted(received):
        _book(actor, now, claims[pk], received[pk], f"{key}:{pk}")
    _finish(list(claims), now)
    return sum(sum(lines.values()) for lines in received.values())


def _book(actor: Actor, now: datetime, claim: Claim, received: dict[int, int], key: str) -> None:
    """Debit the bank with what came in, by the dimensions that the lines were charged with."""
    parts: dict[Part, int] = {}
    for line, part in parts_by_line(StatementLine.objects.filter(pk__in=received), claim.div).items():
        parts[part] = parts.get(part, 0) + received[line]
    sides = []
    for part in sorted(parts, key=lambda one: one.order):
        if fen := parts[part]:
            common: dict[str, Any] = {
                "business": part.business, "fund": part.fund, "scheme_id": part.scheme_id, "plan_year": part.plan_year
            }  # fmt: skip
            sides += [Side(BANK, fen, **common), Side(f"{RECEIVABLE}.{claim.payer}", -fen, **common)]
    if sides:
        post(
            actor, now, key=key, kind="remittance", text=claim.code, div=claim.div, sides=sides, provider=claim.provider
        )


def _finish(claims: Sequence[int], now: datetime) -> None:
    """Mark claims answered whose lines are."""
    waiting = ClaimLine.objects.filter(claim=OuterRef("pk"), state=ClaimLineState.SUBMITTED)
    rows = Claim.objects.select_for_update().filter(~Exists(waiting), pk__in=claims).order_by("pk")
    done: list[tuple[Any, dict[str, Any]]] = [
        (row, {"state": CLAIM.target("answer", row.state), "answered_at": now})
        for row in rows
        if CLAIM.allows("answer", row.state)
    ]
    changed_each(done, now=now)
