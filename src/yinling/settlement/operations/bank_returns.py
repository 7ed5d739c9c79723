"""The bank's answer to a batch: all of it or nothing. What was paid is booked, what came back is owed again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.directory.rules import require
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.settlement import bankfile
from yinling.settlement.bankfile import Result
from yinling.settlement.files import MOST_BYTES, bytes_of, explain
from yinling.settlement.models import Payout, PayoutLine, Posting
from yinling.settlement.operations.layouts import LayoutSaid
from yinling.settlement.operations.ledger import post, sides_of
from yinling.settlement.payables import kind_of
from yinling.settlement.queries.files import table_of
from yinling.settlement.queries.payouts import as_paid
from yinling.settlement.rules import BANK, Side, opposite
from yinling.settlement.states import PAYOUT, PAYOUT_LINE, PayoutLineState, PayoutState


@operation("settlement.payout.answer", label=N_("导入银行回单"))
def answer_payout(
    *, actor: Actor, now: datetime, payout_id: Id, content: Annotated[str, Input(N_("文件"), max_length=MOST_BYTES * 2)], layout: LayoutSaid = None
) -> Payout:  # fmt: skip
    """Apply the bank's answer. Nothing counts while one line is wrong; the same answer again changes nothing. ``content`` is base64."""
    row = locked(Payout.objects.all(), payout_id)
    require(actor, "settlement.payout.answer", div=row.div)
    if row.state not in (PayoutState.EXPORTED, PayoutState.COMPLETED):
        raise NotAllowed("payout.not_exported", N_("这个批次还没有送银行，不能导入回单"))
    results, problems = bankfile.read(
        table_of(actor, "return", bytes_of(content), local_date(now), layout), batch=row.code
    )
    rows = PayoutLine.objects.select_for_update(of=("self",)).filter(payout=row).order_by("pk")
    lines = {line.pk: line for line in rows}
    known = as_paid(lines.values())
    problems += bankfile.check(results, known, batch=row.code)
    if problems:
        raise Refused(
            "bank.wrong",
            N_("文件有 %(count)s 处错误（第 %(lines)s 行），全部改正前不会入账"),
            field="content",
            **explain(problems),
        )
    fresh = [(lines[one.number], one) for one in results if not known[one.number].is_repeat(one)]
    for line, result in fresh:
        if result.state == "paid":
            _pay(actor, now, line)
        else:
            _fail(actor, now, line, result)
    return _finish(actor, now, row, results, fresh)


def _pay(actor: Actor, now: datetime, line: PayoutLine) -> None:
    """Book a payment: what was owed is owed no more, the bank has less."""
    kind = kind_of(line.key)
    debit: Sequence[Side] = (
        kind.sides(line)
        if kind and kind.sides
        else [Side(line.owed_on, line.amount_fen, line.business, line.fund, line.scheme_id)]
    )
    if sum(side.amount for side in debit) != line.amount_fen:
        raise Refused("payout.amount", N_("%(text)s 的应付金额已变化，未入账，请联系管理员"), text=line.text)
    sides = [*debit, *(replace(side, account=BANK, amount=-side.amount) for side in debit)]
    posting = post(
        actor, now, key=f"payout:{line.pk}", kind="payout", text=line.text, div=line.div, sides=sides, provider=line.provider, elder=line.elder_id
    )  # fmt: skip
    changed(line, now=now, state=PAYOUT_LINE.target("pay", line.state), answered_at=now, posting=posting)
    _follow_up(actor, now, line, posting)


def _fail(actor: Actor, now: datetime, line: PayoutLine, result: Result) -> None:
    """Note that a payment did not arrive; one that was booked already is booked back. The amount is owed again."""
    if line.state == PayoutLineState.PAID and line.posting is not None:
        post(
            actor, now, key=f"payout:{line.pk}:back", kind="payout_back", text=f"{line.text} {result.reason}", div=line.div,
            sides=opposite(sides_of(line.posting)), provider=line.provider, elder=line.elder_id, reverses=line.posting,
        )  # fmt: skip
    changed(
        line,
        now=now,
        state=PAYOUT_LINE.target("fail", line.state),
        answer=result.reason,
        answered_at=now,
        is_live=False,
    )
    _follow_up(actor, now, line, None)


def _follow_up(actor: Actor, now: datetime, line: PayoutLine, posting: Posting | None) -> None:
    kind = kind_of(line.key)
    if kind is not None and kind.on_paid is not None:
        kind.on_paid(actor, now, line, posting)


def _finish(actor: Actor, now: datetime, row: Payout, results: Sequence[Result], fresh: Sequence[Any]) -> Payout:
    """Journal the answer; a batch without an open payment is complete."""
    is_open = PayoutLine.objects.filter(payout=row, state=PayoutLineState.PENDING).exists()
    values: dict[str, Any] = {}
    if not is_open and row.state == PayoutState.EXPORTED:
        values = {"state": PAYOUT.target("complete", row.state), "completed_at": now}
    changes = changed(row, now=now, **values) if fresh or values else {}
    sums = {
        state: sum(result.amount_fen for _line, result in fresh if result.state == state)
        for state in ("paid", "failed")
    }
    changes |= {
        "lines": [None, len(results)],
        "fresh": [None, len(fresh)],
        **{f"{name}_fen": [None, fen] for name, fen in sums.items()},
    }
    record(actor=actor, now=now, event="settlement.payout.answer", subject=row, changes=changes)
    tell("settlement", pk=row.pk, div=row.div)
    return row
