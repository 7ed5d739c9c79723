"""Money that arrives from a payer: it pays the oldest approved statements, or those named. A bank's receipt counts once; a slip is reversed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.rules import person_of, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import local_date, local_midnight
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.settlement.arriving import Paid, Receipt, codes_in
from yinling.settlement.files import MOST_BYTES, bytes_of, explain
from yinling.settlement.models import Posting, Transfer
from yinling.settlement.operations.layouts import LayoutSaid
from yinling.settlement.operations.ledger import post, sides_of, wait_for
from yinling.settlement.operations.transfers import Amount
from yinling.settlement.queries.arrivals import KIND
from yinling.settlement.queries.files import table_of
from yinling.settlement.queries.ledger import FUND_CHOICES
from yinling.settlement.queries.receipts import (
    MOST_PAPER,
    SENDERS,
    Desk,
    key_of,
    known_receipts,
    laid_out,
    read_receipts,
)
from yinling.settlement.rules import APPROPRIATION, BANK, RECEIVABLE, Side, opposite
from yinling.settlement.sharing import Part

Sender = Annotated[str, Input(N_("付款方"), choices=SENDERS, widget="choice")]
Fund = Annotated[str, Input(N_("资金来源"), choices=FUND_CHOICES, widget="choice")]
ArrivedOn = Annotated[date, Input(N_("到账日期"), help=N_("以银行回单为准"), widget="date")]
Reference = Annotated[str, Input(N_("银行回单号"), help=N_("一个回单号只能登记一次"), max_length=MOST_PAPER)]
Place = Annotated[str, Input(N_("区划"), help=N_("款项用于哪个区划的对账单"), max_length=12)]
Codes = Annotated[
    list[str] | None, Input(N_("对账单"), help=N_("每行一个编号；不填则先付最早的对账单"), widget="area", max_length=20)
]


@operation("settlement.transfer.receive", label=N_("登记到账"))
def receive_transfer(  # noqa: PLR0913 - what is written on the bank's receipt, and what it is for
    *, actor: Actor, now: datetime, payer: Sender, fund: Fund, amount_fen: Amount, on: ArrivedOn, note: Reference, div: Place = "",
    statements: Codes = None,
) -> Transfer:  # fmt: skip
    """Book money that arrived: the bank has more, the payer owes less. More than it owes is kept and pays with what comes next.

    What the treasury sends for subsidies and reimbursements pays no statement: the city itself spends it.
    """
    area = div or actor.div or ""
    require(actor, "settlement.transfer.receive", div=area)
    one = Receipt(payer, fund, amount_fen, on, note.strip(), area, codes_in(statements or ()))
    wait_for(_queue(payer))
    if known_receipts(area, [one]):
        raise Refused("arrival.known", N_("这个银行回单号已经登记过，请核对"), field="note")
    row = _book(actor, now, one, Desk(actor, local_date(now)).lay(one), "receive")
    tell("settlement", pk=row.pk, div=row.div)
    return row


@operation("settlement.transfer.load", label=N_("导入到账文件"))
def load_transfers(
    *, actor: Actor, now: datetime, content: Annotated[str, Input(N_("文件"), max_length=MOST_BYTES * 2)], layout: LayoutSaid = None
) -> list[Transfer]:  # fmt: skip
    """Book the receipts of a file in its order. Nothing counts while one line is wrong; what is registered already is left out.

    ``content`` is base64. A file is read by ``layout``, else as was said of its headings before.
    """
    require(actor, "settlement.transfer.load", div=actor.div or "")
    today = local_date(now)
    file = read_receipts(actor, table_of(actor, "arrival", bytes_of(content), today, layout), today)
    for payer in sorted({one.payer for one in file.receipts}):
        wait_for(_queue(payer))
    shown = laid_out(actor, file, today)
    if shown.problems:
        raise Refused(
            "arrival.wrong",
            N_("文件有 %(count)s 处错误（第 %(lines)s 行），全部改正前不会入账"),
            field="content",
            **explain(shown.problems),
        )
    if not shown.fresh:
        raise NotAllowed("arrival.nothing_new", N_("文件里的回单都已经登记，没有新的到账"))
    rows = [_book(actor, now, one.receipt, one.paid, "load") for one in shown.fresh]
    tell("settlement", pk=rows[0].pk, div=actor.div or "")
    return rows


def _queue(payer: str) -> str:
    """What everybody waits for who lays money of a payer on what it owes."""
    return f"{KIND}:{payer}"


def _book(actor: Actor, now: datetime, one: Receipt, paid: Sequence[Paid], verb: str) -> Transfer:
    """Write one arrival with its posting and its journal row."""
    row = Transfer.objects.create(
        div=one.area, key=key_of(one), kind=KIND, payer=one.payer, amount_fen=one.fen, method="transfer", note=one.paper,
        proposed_by_id=person_of(actor), proposed_at=local_midnight(one.on), created_at=now, changed_at=now,
    )  # fmt: skip
    account = APPROPRIATION if one.payer == Transfer.TREASURY else f"{RECEIVABLE}.{one.payer}"
    posting = post(
        actor, now, key=f"{KIND}:{row.pk}", kind=KIND, text=f"{one.paper} {one.on}", div=one.area, sides=_sides(paid, account)
    )  # fmt: skip
    changes = changed(row, now=now, posting_id=posting.pk, booked_by_id=person_of(actor))
    about = {
        "payer": [None, one.payer],
        "fund": [None, one.fund],
        "amount_fen": [None, one.fen],
        "on": [None, str(one.on)],
    }
    record(actor=actor, now=now, event=f"settlement.transfer.{verb}", subject=row, changes=changes | about)
    return row


def _sides(paid: Sequence[Paid], account: str) -> list[Side]:
    """The payer owes less of each statement, marked by its provider, month and area; the bank has it by the same dimensions and area."""
    bank: dict[tuple[Part, str], int] = {}
    sides = []
    for one in paid:
        part = one.part
        bank[part, one.div] = bank.get((part, one.div), 0) + one.fen
        sides.append(
            Side(
                account, -one.fen, part.business, part.fund, part.scheme_id, part.plan_year, service_day=one.month, provider_id=one.provider_id,
                div=one.div,
            )
        )  # fmt: skip
    return sides + [
        Side(BANK, fen, part.business, part.fund, part.scheme_id, part.plan_year, div=div)
        for (part, div), fen in bank.items()
        if fen
    ]


@operation("settlement.transfer.reverse", label=N_("冲正到账"))
def reverse_transfer(*, actor: Actor, now: datetime, transfer_id: Id, reason: Reason, seen: Seen = None) -> Transfer:
    """Take wrongly registered money back by a counter-posting; its receipt may be registered anew."""
    row = locked(Transfer.objects.select_related("posting"), transfer_id, seen)
    require(actor, "settlement.transfer.reverse", div=row.div)
    why = required_text(reason, "reason", most=200)
    if row.kind != KIND or row.posting is None:
        raise NotAllowed("arrival.none", N_("只有到账可以这样冲正"))
    if Posting.objects.filter(reverses=row.posting).exists():
        raise NotAllowed("arrival.reversed", N_("这笔到账已经冲正，请刷新页面"))
    post(
        actor, now, key=f"{KIND}:{row.pk}:back", kind="arrival_back", text=f"{row.note} {why}", div=row.div, sides=opposite(sides_of(row.posting)),
        reverses=row.posting,
    )  # fmt: skip
    changes = changed(row, now=now, key=f"{row.key}:{row.pk}")
    record(actor=actor, now=now, event="settlement.transfer.reverse", subject=row, changes=changes, reason=why)
    tell("settlement", pk=row.pk, div=row.div)
    return row
