"""Sending approved statements to insurers, and deciding what becomes of lines they refuse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

from django.db.models import Max

from yinling.accounts.operations import record
from yinling.directory.rules import person_of, require
from yinling.ground.live import tell
from yinling.ground.operation import changed, changed_each, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.money import MOST_FEN
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.settlement.models import Claim, ClaimLine, Statement, StatementLine
from yinling.settlement.operations.answers import answer_lines
from yinling.settlement.queries.claims import (
    OUTSIDE,
    as_known,
    claim_payers,
    claimed_amounts,
    outside_agreement,
    refusal_reasons,
    reversed_lines,
)
from yinling.settlement.queries.statements import whole
from yinling.settlement.remitting import Answer, check
from yinling.settlement.states import CLAIM, CLAIM_LINE, ClaimLineState, ClaimState, DecisionState

OUTSIDE_TEXT = N_("服务当天不在服务商与付费方的协议内，没有送付费方")
explain_constraint("claim_once", "claim.twice", N_("这份对账单刚刚已由他人申报，请刷新页面"))


@operation("settlement.claim.submit", label=N_("申报"))
def submit_claim(*, actor: Actor, now: datetime, statement_id: Id) -> Claim:
    """Claim an approved statement from its payer, line by line, less what was taken off.

    What lies outside the provider's agreement with the payer is refused here and not sent (R-LTC-05).
    """
    statement = locked(Statement.objects.all(), statement_id)
    require(actor, "settlement.claim.submit", div=statement.div)
    if statement.state != DecisionState.APPROVED:
        raise NotAllowed("claim.not_approved", N_("对账单审定后才能申报"))
    if statement.payer not in claim_payers(statement.div, local_date(now)):
        raise Refused("claim.payer", N_("这个付费方不按申报付款，对账单审定后直接拨付"))
    if Claim.objects.filter(statement=statement).exclude(state=ClaimState.WITHDRAWN).exists():
        raise NotAllowed("claim.already", N_("这份对账单已经申报。被拒付的行可以重新申报"))
    amounts = claimed_amounts(statement)
    if not amounts:
        raise Refused("claim.nothing", N_("这份对账单没有可以申报的金额"))
    return _send(actor, now, statement, "settlement.claim.submit", list(amounts.items()))


def _send(
    actor: Actor, now: datetime, statement: Statement, event: str, lines: Sequence[tuple[StatementLine, int]]
) -> Claim:
    last = Claim.objects.filter(statement=statement).aggregate(last=Max("attempt"))["last"] or 0
    total = sum(fen for _line, fen in lines)
    outside = outside_agreement(statement, [line for line, _fen in lines])
    if len(outside) == len(lines):
        sentence = N_("服务商在这些服务当天与付费方没有包含这些项目的协议，不能申报。请核对协议登记")
        raise Refused("claim.outside_agreement", sentence, lines=len(lines))
    row = Claim.objects.create(
        div=statement.div, statement=statement, provider_id=statement.provider_id, payer=statement.payer, attempt=last + 1,
        submitted_by_id=person_of(actor), submitted_at=now, claimed_fen=total, created_at=now, changed_at=now,
    )  # fmt: skip
    made = ClaimLine.objects.bulk_create(
        [
            ClaimLine(
                div=row.div, claim=row, line=line, number=number, provider_id=row.provider_id, claimed_fen=fen, created_at=now, changed_at=now
            )
            for number, (line, fen) in enumerate(lines, 1)
        ], batch_size=5000,
    )  # fmt: skip
    barred = {"state": ClaimLineState.REFUSED, "refusal": OUTSIDE, "refusal_text": OUTSIDE_TEXT}
    changed_each([(line, dict(barred)) for line in made if line.line_id in outside], now=now)
    changes = {"claimed_fen": [None, total], "lines": [None, len(lines)], "attempt": [None, row.attempt]}
    if outside:
        changes |= {"outside": [None, len(outside)]}
    record(actor=actor, now=now, event=event, subject=row, changes=changes)
    tell("settlement", pk=row.pk, div=row.div)
    return row


@operation("settlement.claim.withdraw", label=N_("撤回申报"))
def withdraw_claim(*, actor: Actor, now: datetime, claim_id: Id, reason: Reason, seen: Seen = None) -> Claim:
    """Take a claim back before its payer has answered any line of it; the statement may be claimed again.

    Not what was sent again: those lines are decided on one by one.
    """
    row = locked(Claim.objects.all(), claim_id, seen)
    require(actor, "settlement.claim.withdraw", div=row.div)
    target = CLAIM.target("withdraw", row.state)
    lines = _lines(row)
    if any(line.state != ClaimLineState.SUBMITTED and line.refusal != OUTSIDE for line in lines):
        raise NotAllowed("claim.answered", N_("已有回复的申报不能撤回，请按行重新申报、申诉或不再申报"))
    if ClaimLine.objects.filter(claim__statement=row.statement_id, state=ClaimLineState.RESUBMITTED).exists():
        raise NotAllowed(
            "claim.sent_again", N_("重新申报的不能撤回，否则这些费用不能再申报。请等付费方回复后申诉或不再申报")
        )
    why = _written(reason)
    _move_lines(lines, "abandon", now)
    changes = changed(row, now=now, state=target)
    record(actor=actor, now=now, event="settlement.claim.withdraw", subject=row, changes=changes, reason=why)
    tell("settlement", pk=row.pk, div=row.div)
    return row


@operation("settlement.claim.resubmit", label=N_("重新申报"))
def resubmit_claim(
    *,
    actor: Actor,
    now: datetime,
    claim_id: Id,
    numbers: Annotated[list[int] | None, Input(N_("行号"), help=N_("不填则重新申报所有被拒付的行"))] = None,
    reason: Reason,
    seen: Seen = None,
) -> Claim:
    """Send the refused lines again, or those named, as a new claim with the next number of attempt: only what is not paid yet."""
    row = locked(Claim.objects.select_related("statement"), claim_id, seen)
    require(actor, "settlement.claim.resubmit", div=row.div)
    why = _written(reason)
    statement = locked(Statement.objects.all(), row.statement_id)
    lines = [line for line in _lines(row) if line.state == ClaimLineState.REFUSED]
    if numbers:
        wrong = sorted(set(numbers) - {line.number for line in lines})
        if wrong:
            raise Refused(
                "claim.not_refused",
                N_("第 %(lines)s 行没有被拒付，不能重新申报"),
                field="numbers",
                lines="、".join(map(str, wrong)),
            )
        lines = [line for line in lines if line.number in set(numbers)]
    _check_standing(row, lines)
    if not lines:
        raise NotAllowed("claim.none_refused", N_("没有被拒付的行，不用重新申报"))
    _move_lines(lines, "resubmit", now)
    rest = [(line.line, line.claimed_fen - line.paid_fen) for line in lines]
    changed(row, now=now)
    made = _send(actor, now, statement, "settlement.claim.submit", rest)
    changes = {"attempt": [row.attempt, made.attempt], "lines": [None, len(rest)]}
    record(actor=actor, now=now, event="settlement.claim.resubmit", subject=row, changes=changes, reason=why)
    return made


@operation("settlement.claim_line.appeal", label=N_("申诉"))
def appeal_claim_line(*, actor: Actor, now: datetime, claim_line_id: Id, text: Reason, seen: Seen = None) -> ClaimLine:
    """Object to a refusal; the payer answers by file or in writing."""
    row = locked(ClaimLine.objects.select_related("claim"), claim_line_id, seen)
    require(actor, "settlement.claim_line.appeal", div=row.div)
    target = CLAIM_LINE.target("appeal", row.state)
    _check_standing(row.claim, [row])
    changes = changed(row, now=now, state=target, appeal=_written(text, "text"), appealed_at=now)
    record(
        actor=actor, now=now, event="settlement.claim_line.appeal", subject=row, changes=changes, reason=text.strip()
    )
    tell("settlement", pk=row.claim_id, div=row.div)
    return row


@operation("settlement.claim_line.answer", label=N_("登记申诉结果"))
def answer_claim_line(
    *,
    actor: Actor,
    now: datetime,
    claim_line_id: Id,
    paid_fen: Annotated[
        int, Input(N_("累计支付金额（元）"), help=N_("扣回的行填负数"), least=-MOST_FEN, most=MOST_FEN, widget="yuan")
    ],
    refusal: Annotated[str, Input(N_("拒付代码"), help=N_("全额支付的不选"), max_length=20, widget="choice")] = "",
    text: Annotated[str, Input(N_("答复"), max_length=300, widget="area")],
    seen: Seen = None,
) -> ClaimLine:
    """Register what the payer answered to an appeal in writing."""
    row = locked(ClaimLine.objects.select_related("claim"), claim_line_id, seen)
    require(actor, "settlement.claim_line.answer", div=row.div)
    if row.state != ClaimLineState.APPEALED:
        raise NotAllowed("claim_line.no_appeal", N_("这一行没有待答复的申诉"))
    answer = Answer(1, row.claim.code, row.number, paid_fen, refusal, _written(text, "text"))
    reasons = refusal_reasons(row.div, local_date(now))
    known = as_known({answer.address: row})
    for problem in check([answer], known, payer=row.claim.payer, reasons=reasons):
        raise Refused(problem.code, problem.sentence, field="paid_fen", **problem.values)
    before = {"state": row.state, "paid_fen": row.paid_fen}
    answer_lines(actor, now, [(row, answer)], key=f"appeal:{row.pk}:{row.version}")
    changes = {name: [before[name], getattr(row, name)] for name in before}
    record(actor=actor, now=now, event="settlement.claim_line.answer", subject=row, changes=changes, reason=answer.text)
    tell("settlement", pk=row.claim_id, div=row.div)
    return row


@operation("settlement.claim_line.abandon", label=N_("不再申报"))
def abandon_claim_line(
    *, actor: Actor, now: datetime, claim_line_id: Id, reason: Reason, seen: Seen = None
) -> ClaimLine:
    """Give a refused line up: it is taken off the provider's next statement."""
    row = locked(ClaimLine.objects.select_related("claim"), claim_line_id, seen)
    require(actor, "settlement.claim_line.abandon", div=row.div)
    target = CLAIM_LINE.target("abandon", row.state)
    if row.state != ClaimLineState.REFUSED:
        raise NotAllowed("claim_line.waiting", N_("这一行还没有被拒付，请撤回整份申报"))
    changes = changed(row, now=now, state=target)
    record(
        actor=actor,
        now=now,
        event="settlement.claim_line.abandon",
        subject=row,
        changes=changes,
        reason=_written(reason),
    )
    tell("settlement", pk=row.claim_id, div=row.div)
    return row


def _check_standing(row: Claim, lines: Sequence[ClaimLine]) -> None:
    """Refuse to ask again for a service that was taken back: the payer, who never paid it, is not asked to give it back either."""
    with whole(row):
        gone = reversed_lines(lines)
    if gone:
        numbers = "、".join(str(line.number) for line in gone)
        raise Refused(
            "claim.reversed", N_("第 %(lines)s 行的服务已冲正，请登记“不再申报”"), field="numbers", lines=numbers
        )


def _lines(row: Claim) -> list[ClaimLine]:
    """The lines of a claim, locked in one order, so that two who work on it wait for each other."""
    rows = ClaimLine.objects.select_for_update(of=("self",)).filter(claim=row).select_related("line")
    return list(rows.order_by("pk"))


def _move_lines(lines: Iterable[ClaimLine], verb: str, now: datetime) -> None:
    moves: list[tuple[Any, dict[str, Any]]] = [(line, {"state": CLAIM_LINE.target(verb, line.state)}) for line in lines]
    changed_each(moves, now=now)


def _written(text: str, field: str = "reason") -> str:
    if not text.strip():
        raise Refused("claim.reason", N_("请写明原因"), field=field)
    return text.strip()
