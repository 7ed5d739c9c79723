"""Money that arrives from a payer: it pays the oldest approved statements, or those named. A bank's receipt counts once; a slip is reversed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.models import Area
from yinling.directory.rules import known_choice, person_of, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.money import yuan
from yinling.kernel.period import local_date, local_midnight
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.queries.names import reader
from yinling.settlement.arriving import Owed, Paid, allotted
from yinling.settlement.models import Posting, Statement, Transfer
from yinling.settlement.operations.ledger import post, sides_of, wait_for
from yinling.settlement.operations.transfers import Amount
from yinling.settlement.queries.arrivals import KIND, kept, owed_out_of, unpaid
from yinling.settlement.queries.claims import claim_payers
from yinling.settlement.queries.ledger import FUND_CHOICES
from yinling.settlement.queries.statements import STATEMENT_PAYERS
from yinling.settlement.rules import APPROPRIATION, BANK, RECEIVABLE, Side, opposite
from yinling.settlement.sharing import Part, Parts

SENDERS = [*STATEMENT_PAYERS, (Transfer.TREASURY, dict(Transfer.SENDERS)[Transfer.TREASURY])]

Sender = Annotated[str, Input(N_("付款方"), choices=SENDERS, widget="choice")]
Fund = Annotated[str, Input(N_("资金来源"), choices=FUND_CHOICES, widget="choice")]
ArrivedOn = Annotated[date, Input(N_("到账日期"), help=N_("以银行回单为准"), widget="date")]
Reference = Annotated[str, Input(N_("银行回单号"), help=N_("一个回单号只能登记一次"), max_length=60)]
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
    paper = _checked(payer, fund, area, on, note, local_date(now))
    key = f"{KIND}:{area[:4]}:{paper}"
    wait_for(f"{KIND}:{payer}")
    with scope(reader(area)):  # one receipt of the city may be registered in two of its districts
        is_known = Transfer.objects.filter(key=key).exists()
    if is_known:
        raise Refused("arrival.known", N_("这个银行回单号已经登记过，请核对"), field="note")
    named = {code.strip().upper() for code in statements or () if code.strip()}
    owed: Iterable[Owed] = owed_out_of(fund, _chosen(actor, payer, area, named))
    before = 0 if named else kept(actor, payer, fund)
    owed = list(owed) if named else owed
    if named and amount_fen > (left := sum(one.fen for one in owed)):
        raise Refused(
            "arrival.too_much",
            N_("这些对账单用这项资金还应付 %(left)s 元，少于到账金额，请核对"),
            field="amount_fen",
            left=yuan(left),
        )
    row = Transfer.objects.create(
        div=area, key=key, kind=KIND, payer=payer, amount_fen=amount_fen, method="transfer", note=paper, proposed_by_id=person_of(actor),
        proposed_at=local_midnight(on), created_at=now, changed_at=now,
    )  # fmt: skip
    spare = Part("eldercare", fund, None, on.year)
    account = APPROPRIATION if payer == Transfer.TREASURY else f"{RECEIVABLE}.{payer}"
    posting = post(
        actor, now, key=f"{KIND}:{row.pk}", kind=KIND, text=f"{paper} {on}", div=area,
        sides=_sides(allotted(amount_fen, owed, before, spare=spare), account),
    )  # fmt: skip
    changes = changed(row, now=now, posting_id=posting.pk, booked_by_id=person_of(actor))
    about = {"payer": [None, payer], "fund": [None, fund], "amount_fen": [None, amount_fen], "on": [None, str(on)]}
    record(actor=actor, now=now, event="settlement.transfer.receive", subject=row, changes=changes | about)
    tell("settlement", pk=row.pk, div=row.div)
    return row


def _checked(payer: str, fund: str, area: str, on: date, note: str, today: date) -> str:
    """Return the receipt's number; refuse what cannot be on a receipt, and payers whose money is booked from their answers."""
    known_choice(payer, SENDERS, "payer")
    known_choice(fund, FUND_CHOICES, "fund")
    if not Area.objects.filter(pk=area).exists():
        raise Refused("arrival.area", N_("没有这个区划，请从列表中选择"), field="div")
    if payer in claim_payers(area, today):
        raise Refused("arrival.by_claim", N_("这个付费方按申报付款，请导入它的回盘文件，到账随之入账"), field="payer")
    if on > today:
        raise Refused("arrival.day", N_("到账日期不能晚于今天"), field="on")
    return required_text(note, "note", most=60)


def _chosen(actor: Actor, payer: str, area: str, wanted: set[str]) -> list[Statement]:
    """Return the statements that money may pay, oldest first; those named, if any are."""
    found = {one.statement.code: one.statement for one in unpaid(actor, payer, area)}
    if unknown := wanted - found.keys():
        raise Refused(
            "arrival.statement", N_("这些不是这个付费方、这个区划未付清的对账单：%(codes)s"), field="statements",
            codes="、".join(sorted(unknown)),
        )  # fmt: skip
    return [row for code, row in found.items() if not wanted or code in wanted]


def _sides(paid: Sequence[Paid], account: str) -> list[Side]:
    """The payer owes less of each statement (marked by provider and month); the bank has it by the same dimensions."""
    bank: Parts = {}
    sides = []
    for one in paid:
        part = one.part
        bank[part] = bank.get(part, 0) + one.fen
        sides.append(
            Side(account, -one.fen, part.business, part.fund, part.scheme_id, part.plan_year, service_day=one.month, provider_id=one.provider_id)
        )  # fmt: skip
    return sides + [
        Side(BANK, fen, part.business, part.fund, part.scheme_id, part.plan_year) for part, fen in bank.items() if fen
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
