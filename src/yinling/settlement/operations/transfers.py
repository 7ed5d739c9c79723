"""Money apart from orders: advances to providers, deposits and top-ups of elders, and their way back (R-PAY-16)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from django.db.models import Sum

from yinling.accounts.operations import record
from yinling.directory.models import Organisation
from yinling.directory.rules import known_choice, person_of, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.queries.names import reader
from yinling.settlement.models import BUSINESSES, LedgerEntry, Posting, Statement, Transfer
from yinling.settlement.operations.ledger import post, wait_for
from yinling.settlement.operations.payments import lock_balance
from yinling.settlement.queries import STATEMENT_PAYERS, advance_balance, elder_balance, shares_of_statement
from yinling.settlement.rules import (
    ADVANCE,
    BANK,
    BUSINESS,
    DEPOSIT,
    MOST_FEN,
    PAYABLE,
    PREPAID,
    SELF,
    SELF_FUND,
    Side,
    fund_of_payer,
    shared_out,
)
from yinling.settlement.sharing import Part

TWO_PERSONS = N_("提出人不能确认，请由另一位财务人员办理")
explain_constraint("transfer_two_persons", "transfer.two_persons", TWO_PERSONS)
explain_constraint("settlement_transfer_key_key", "transfer.receipt", N_("这个收据号或银行回单号已经登记过，请核对"))

ADVANCE_KINDS = Transfer.KINDS[:2]
ELDER_KINDS = Transfer.KINDS[2:6]
METHODS = [("cash", N_("现金")), ("card", N_("刷卡")), ("transfer", N_("转账"))]
BACK = "_return"

Amount = Annotated[int, Input(N_("金额（元）"), least=1, most=MOST_FEN, widget="yuan")]
Provider = Annotated[int, Input(N_("服务商"), least=1, widget="number")]
Payer = Annotated[str, Input(N_("付费方"), choices=STATEMENT_PAYERS, widget="choice")]
Business = Annotated[str, Input(N_("收支类别"), choices=BUSINESSES, widget="choice")]
Receipt = Annotated[str, Input(N_("收据或凭证号"), help=N_("必须填写，审计人员会核对"), max_length=200)]


@operation("settlement.transfer.propose", label=N_("提出预付"))
def propose_transfer(
    *, actor: Actor, now: datetime, kind: Annotated[str, Input(N_("种类"), choices=ADVANCE_KINDS, widget="choice")], provider_id: Provider,
    payer: Payer, amount_fen: Amount, business: Business, note: Receipt,
) -> Transfer:  # fmt: skip
    """Propose an advance to a provider, or its return; another person books it. No more comes back than is left of it."""
    provider = Organisation.objects.filter(pk=provider_id).first()
    if provider is None:
        raise NotFound("organisation.not_found", N_("没有这个机构，请从列表中选择"), field="provider_id")
    require(actor, "settlement.transfer.propose", div=provider.div)
    known_choice(kind, ADVANCE_KINDS, "kind")
    known_choice(payer, STATEMENT_PAYERS, "payer")
    known_choice(business, BUSINESSES, "business")
    paper = required_text(note, "note")
    if kind == f"advance{BACK}":
        _check_left(advance_balance(provider, payer, business), amount_fen)
    row = Transfer.objects.create(
        div=provider.div, key=f"transfer:{secrets.token_hex(12)}", kind=kind, payer=payer, provider=provider, amount_fen=amount_fen,
        business=business, method="transfer", note=paper, proposed_by_id=person_of(actor), proposed_at=now, created_at=now, changed_at=now,
    )  # fmt: skip
    changes = {"kind": [None, kind], "payer": [None, payer], "amount_fen": [None, amount_fen]}
    record(actor=actor, now=now, event="settlement.transfer.propose", subject=row, changes=changes)
    tell("settlement", pk=row.pk, div=row.div)
    return row


@operation("settlement.transfer.book", label=N_("确认预付"))
def book_transfer(*, actor: Actor, now: datetime, transfer_id: Id, seen: Seen = None) -> Transfer:
    """Book what another person proposed: the bank pays or receives, the advance of that payer and provider rises or falls."""
    row = locked(Transfer.objects.all(), transfer_id, seen)
    require(actor, "settlement.transfer.book", div=row.div)
    if row.posting_id is not None:
        raise NotAllowed("transfer.booked", N_("这笔款项已经入账，请刷新页面"))
    if actor.user_id == row.proposed_by_id:
        raise Refused("transfer.two_persons", TWO_PERSONS)
    assert row.provider is not None  # noqa: S101 - an advance has its provider
    if row.kind.endswith(BACK):
        wait_for(_advance_lock(row.provider.pk, row.payer))
        _check_left(advance_balance(row.provider, row.payer, row.business), row.amount_fen)
    fund = fund_of_payer(row.payer)
    posting = _post(
        actor,
        now,
        row,
        f"{ADVANCE}.{row.payer}",
        fund,
        fen=-row.amount_fen if row.kind.endswith(BACK) else row.amount_fen,
    )
    changes = changed(row, now=now, posting_id=posting.pk, booked_by_id=person_of(actor))
    record(actor=actor, now=now, event="settlement.transfer.book", subject=row, changes=changes)
    tell("settlement", pk=row.pk, div=row.div)
    return row


@operation("settlement.transfer.withdraw", label=N_("撤回"))
def withdraw_transfer(*, actor: Actor, now: datetime, transfer_id: Id, reason: Reason, seen: Seen = None) -> Transfer:
    """Take a proposal back that nobody has booked: no money moved, so its row goes; what it was and why it went stays in the journal."""
    row = locked(Transfer.objects.all(), transfer_id, seen)
    require(actor, "settlement.transfer.withdraw", div=row.div)
    if row.posting_id is not None:
        raise NotAllowed("transfer.booked", N_("这笔款项已经入账，不能撤回。预付款请办理退回"))
    why = required_text(reason, "reason", most=500)
    gone = {
        name: [getattr(row, name), None] for name in ("kind", "payer", "provider_id", "amount_fen", "business", "note")
    }
    record(actor=actor, now=now, event="settlement.transfer.withdraw", subject=row, changes=gone, reason=why)
    tell("settlement", pk=row.pk, div=row.div)
    Transfer.objects.filter(pk=row.pk).delete()
    return row


@operation("settlement.transfer.take", label=N_("收付老人款项"))
def take_transfer(
    *, actor: Actor, now: datetime, elder_id: Id, kind: Annotated[str, Input(N_("种类"), choices=ELDER_KINDS, widget="choice")],
    amount_fen: Amount, method: Annotated[str, Input(N_("方式"), choices=METHODS, widget="choice")], note: Receipt,
) -> Transfer:  # fmt: skip
    """Take a deposit or a top-up of an elder at the counter, or give it back; no more goes back than is left. A receipt counts once."""
    elder = Elder.objects.filter(pk=elder_id, merged_into=None).first()
    if elder is None:
        raise NotFound("elder.not_found", N_("没有这位老人，请重新查找"), field="elder_id")
    require(actor, "settlement.transfer.take", div=elder.div)
    known_choice(kind, ELDER_KINDS, "kind")
    known_choice(method, METHODS, "method")
    paper = required_text(note, "note", most=60)
    key = f"{kind}:{elder.pk}:{paper}"
    wait_for(key)
    with scope(reader(elder.div)):  # whoever takes it twice may do so at the old home and at the new one
        is_known = Transfer.objects.filter(key=key).exists()
    if is_known:
        raise Refused("transfer.receipt", N_("这个收据号已经登记过，请核对"), field="note")
    account = DEPOSIT if kind.startswith("deposit") else PREPAID
    is_back = kind.endswith(BACK)
    if is_back:
        lock_balance(elder.pk)
        _check_left(-elder_balance(account, elder.pk, elder.div), amount_fen)
    row = Transfer.objects.create(
        div=elder.div, key=key, kind=kind, payer=SELF, elder=elder, amount_fen=amount_fen, method=method, note=paper,
        proposed_by_id=person_of(actor), proposed_at=now, created_at=now, changed_at=now,
    )  # fmt: skip
    posting = _post(actor, now, row, account, SELF_FUND, fen=amount_fen if is_back else -amount_fen)
    changes = changed(row, now=now, posting_id=posting.pk, booked_by_id=person_of(actor))
    record(
        actor=actor, now=now, event="settlement.transfer.take", subject=row,
        changes=changes | {"kind": [None, kind], "amount_fen": [None, amount_fen]},
    )  # fmt: skip
    tell("settlement", pk=row.pk, div=row.div)
    return row


def offset_advance(actor: Actor, now: datetime, statement: Statement, amount_fen: int) -> int:
    """Pay a statement being approved out of what was advanced to the provider; return how much of it that was.

    Plain, called by the approval. Medical and elder-care money stay apart: each part is offset by the advance of its own business.
    """
    wait_for(_advance_lock(statement.provider_id, statement.payer))
    known = Posting.objects.filter(key=f"offset:{statement.pk}").first()
    if known is not None:
        return _offset_of(known)
    sides = []
    wanted, payable = amount_fen, shares_of_statement(statement).payable
    for business in BUSINESS:
        left = min(wanted, max(0, advance_balance(statement.provider, statement.payer, business)))
        for part, fen in shared_out([one for one in payable.items() if one[0].business == business], left):
            sides += [_side(PAYABLE, fen, part), _side(f"{ADVANCE}.{statement.payer}", -fen, part)]
            wanted -= fen
    if not sides:
        return 0
    post(
        actor, now, key=f"offset:{statement.pk}", kind="offset", text=statement.code, div=statement.div, sides=sides, provider=statement.provider
    )  # fmt: skip
    return amount_fen - wanted


def _offset_of(posting: Posting) -> int:
    rows = LedgerEntry.objects.filter(posting=posting, account=PAYABLE)
    return int(rows.aggregate(fen=Sum("amount"))["fen"])


def _side(account: str, fen: int, part: Part) -> Side:
    return Side(account, fen, part.business, part.fund, part.scheme_id, part.plan_year)


def _post(actor: Actor, now: datetime, row: Transfer, account: str, fund: str, *, fen: int) -> Posting:
    sides: Iterable[tuple[str, int]] = ((account, fen), (BANK, -fen))
    return post(
        actor, now, key=f"transfer:{row.pk}", kind=row.kind, text=row.note, div=row.div, provider=row.provider, elder=row.elder,
        sides=[
            Side(account=name, amount=amount, business=row.business, fund=fund, plan_year=local_date(now).year) for name, amount in sides
        ],
    )  # fmt: skip


def _check_left(left: int, wanted: int) -> None:
    if wanted > left:
        raise Refused(
            "transfer.balance", N_("余额不够，不能退这么多，请刷新页面后核对余额"), field="amount_fen", left_fen=left
        )


def _advance_lock(provider_id: int, payer: str) -> str:
    return f"advance:{provider_id}:{payer}"
