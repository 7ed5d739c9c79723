"""Invoices of providers for approved statements: the number once, the amount to the fen, cancelled with a reason and never changed."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.rules import person_of, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Id, Input, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.settlement.models import Invoice, Statement
from yinling.settlement.states import DecisionState

explain_constraint("invoice_once", "invoice.twice", N_("这个发票号码已登记，请核对"))
explain_constraint("invoice_positive", "invoice.amount", N_("发票金额应大于 0"))
NUMBER = re.compile(r"[0-9A-Za-z-]{6,40}", re.ASCII)


@operation("settlement.invoice.register", label=N_("登记发票"))
def register_invoice(
    *,
    actor: Actor,
    now: datetime,
    statement_id: Id,
    number: Annotated[str, Input(N_("发票号码"), max_length=40)],
    issued_on: Day,
    amount_fen: Annotated[int, Input(N_("发票金额（元）"), least=1, widget="yuan")],
) -> Invoice:
    """Register the provider's invoice for an approved statement: exactly what is payable, one valid invoice at a time."""
    row = locked(Statement.objects.select_related("provider"), statement_id)
    require(actor, "settlement.invoice.register", div=row.div, provider_id=row.provider_id)
    if row.state != DecisionState.APPROVED:
        raise NotAllowed("invoice.not_approved", N_("对账单审定后才能登记发票"))
    plain = re.sub(r"\s", "", number)
    if not NUMBER.fullmatch(plain):
        raise Refused("invoice.number", N_("发票号码应为 6 至 40 位数字或字母"), field="number")
    if not row.month <= issued_on <= local_date(now):
        raise Refused("invoice.day", N_("开票日期应在对账月份以后、今天以前"), field="issued_on")
    if amount_fen != row.payable_fen:
        raise Refused("invoice.amount", N_("发票金额应等于应付金额"), field="amount_fen", payable=row.payable_fen)
    if Invoice.objects.filter(statement=row, cancelled_at=None).exists():
        raise NotAllowed("invoice.already", N_("这份对账单已有发票，请先作废原发票"))
    made = Invoice.objects.create(
        div=row.div, number=plain, issued_on=issued_on, title=row.provider.name[:120], amount_fen=amount_fen, statement=row,
        provider_id=row.provider_id, entered_by_id=person_of(actor), entered_at=now, created_at=now, changed_at=now,
    )  # fmt: skip
    changes = {"number": [None, plain], "amount_fen": [None, amount_fen], "statement": [None, row.pk]}
    record(actor=actor, now=now, event="settlement.invoice.register", subject=made, changes=changes)
    tell("settlement", pk=row.pk, div=row.div)
    return made


@operation("settlement.invoice.cancel", label=N_("作废发票"))
def cancel_invoice(*, actor: Actor, now: datetime, invoice_id: Id, reason: Reason, seen: Seen = None) -> Invoice:
    """Cancel an invoice; its number may then be registered anew."""
    row = locked(Invoice.objects.all(), invoice_id, seen)
    require(actor, "settlement.invoice.cancel", div=row.div, provider_id=row.provider_id)
    if row.cancelled_at is not None:
        raise NotAllowed("invoice.cancelled", N_("这张发票已经作废"))
    why = required_text(reason, "reason", most=200)
    changes = changed(row, now=now, cancelled_at=now, cancel_reason=why)
    record(actor=actor, now=now, event="settlement.invoice.cancel", subject=row, changes=changes, reason=why)
    tell("settlement", pk=row.statement_id, div=row.div)
    return row
