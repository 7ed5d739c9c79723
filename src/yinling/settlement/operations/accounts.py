"""Where payees are paid: proposed by one person, confirmed by another, ended with a reason, shown in clear only with one."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated

from django.db.models import Q

from yinling.accounts.operations import record
from yinling.directory.models import Organisation
from yinling.directory.rules import person_of, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Id, Input, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.settlement.models import BankAccount, PayoutLine
from yinling.settlement.states import PayoutLineState

explain_constraint("bank_account_of_body", "account.overlap", N_("这个机构在这段时间已有收款账户，请先停用原来的"))
explain_constraint("bank_account_of_elder", "account.overlap", N_("这位老人在这段时间已有收款账户，请先停用原来的"))
explain_constraint("bank_account_two_persons", "account.two_persons", N_("登记人不能确认，请由另一位财务人员办理"))
NUMBER = re.compile(r"[0-9]{8,32}", re.ASCII)
CALCULATED = ("=", "+", "-", "@")
"""What a spreadsheet at the bank would calculate instead of showing."""

Holder = Annotated[str, Input(N_("户名"), max_length=120)]
Bank = Annotated[str, Input(N_("开户行"), max_length=120)]
Number = Annotated[str, Input(N_("账号"), help=N_("8 至 32 位数字，可带空格"), max_length=60)]


@operation("settlement.account.propose", label=N_("登记收款账户"))
def propose_account(
    *,
    actor: Actor,
    now: datetime,
    organisation_id: Annotated[int | None, Input(N_("机构"), least=1, widget="number")] = None,
    elder_id: Annotated[int | None, Input(N_("老年人编号"), least=1, widget="number")] = None,
    holder: Holder,
    bank: Bank,
    number: Number,
    valid_from: Day,
) -> BankAccount:
    """Register an account of an organisation or an elder. Nothing is paid to it until somebody else has confirmed it."""
    div, organisation, elder = _payee(organisation_id, elder_id)
    require(actor, "settlement.account.propose", div=div, provider_id=organisation_id, elder_id=elder_id)
    plain = re.sub(r"[\s-]", "", number)
    if not NUMBER.fullmatch(plain):
        raise Refused("account.number", N_("账号应为 8 至 32 位数字"), field="number")
    row = BankAccount(
        div=div, organisation=organisation, provider=organisation, elder=elder, holder=_name(holder, "holder"), bank=_name(bank, "bank"),
        last4=plain[-4:], proposed_by_id=person_of(actor), valid_from=valid_from, recorded_from=now, created_at=now, changed_at=now,
    )  # fmt: skip
    row.seal_field("number", plain)
    row.save()
    changes = {"last4": [None, row.last4], "valid_from": [None, valid_from.isoformat()]}
    record(actor=actor, now=now, event="settlement.account.propose", subject=row, changes=changes)
    tell("settlement", pk=row.pk, div=row.div)
    return row


def _payee(organisation_id: int | None, elder_id: int | None) -> tuple[str, Organisation | None, Elder | None]:
    if (organisation_id is None) == (elder_id is None):
        raise Refused("account.whose", N_("请选择一个机构，或填写一位老年人的编号"), field="organisation_id")
    if organisation_id is not None:
        organisation = Organisation.objects.filter(pk=organisation_id).first()
        if organisation is None:
            raise NotFound("organisation.not_found", N_("没有这个机构，请从列表中选择"), field="organisation_id")
        return organisation.div, organisation, None
    elder = Elder.objects.filter(pk=elder_id or 0).first()
    if elder is None:
        raise NotFound("elder.not_found", N_("没有这位老人，或者不在您的权限范围内"), field="elder_id")
    return elder.div, None, elder


def _name(text: str, field: str) -> str:
    name = required_text(text, field, most=120)
    if name.startswith(CALCULATED) or any(ord(sign) < ord(" ") for sign in name):
        raise Refused("account.name", N_("户名和开户行不能以 = + - @ 开头，也不能换行"), field=field)
    return name


@operation("settlement.account.confirm", label=N_("确认"))
def confirm_account(*, actor: Actor, now: datetime, account_id: Id, seen: Seen = None) -> BankAccount:
    """Confirm an account as the second person. The one in force before ends on the day this one begins."""
    row = locked(BankAccount.objects.all(), account_id, seen)
    require(actor, "settlement.account.confirm", div=row.div)
    if row.recorded_to is not None or row.confirmed_by_id is not None:
        raise NotAllowed("account.done", N_("这个账户已经处理，请刷新页面"))
    if actor.user_id == row.proposed_by_id:
        raise Refused("account.two_persons", N_("登记人不能确认，请由另一位财务人员办理"))
    before = _standing(row)
    for other in before:
        if other.valid_from >= row.valid_from:
            raise Refused("account.overlap", N_("已有从这一天或以后开始使用的收款账户，请先停用它"), account=other.pk)
        changed(other, now=now, valid_to=row.valid_from)
    changes = changed(row, now=now, confirmed_by_id=actor.user_id)
    replaced = {"replaces": [None, before[0].pk]} if before else {}
    record(actor=actor, now=now, event="settlement.account.confirm", subject=row, changes=changes | replaced)
    tell("settlement", pk=row.pk, div=row.div)
    return row


def _standing(row: BankAccount) -> list[BankAccount]:
    """The confirmed accounts of the same payee that reach into the days of this one."""
    payee = Q(organisation=row.organisation_id) if row.organisation_id else Q(elder=row.elder_id)
    reaches = Q(valid_to=None) | Q(valid_to__gt=row.valid_from)
    rows = BankAccount.objects.select_for_update(of=("self",))
    rows = rows.filter(payee, reaches, recorded_to=None, confirmed_by__isnull=False)
    return list(rows.order_by("valid_from"))


@operation("settlement.account.end", label=N_("停用"))
def end_account(*, actor: Actor, now: datetime, account_id: Id, reason: Reason, seen: Seen = None) -> BankAccount:
    """End an account from today on, or reject one that is not confirmed. Refused while a payment to it is on its way."""
    row = locked(BankAccount.objects.all(), account_id, seen)
    require(actor, "settlement.account.end", div=row.div)
    why = required_text(reason, "reason", most=500)
    if row.recorded_to is not None or (row.valid_to is not None and row.valid_to <= local_date(now)):
        raise NotAllowed("account.done", N_("这个账户已经处理，请刷新页面"))
    if PayoutLine.objects.filter(account=row, state=PayoutLineState.PENDING, is_live=True).exists():
        raise NotAllowed("account.in_use", N_("有付款正在使用这个账户，请等银行回复或退回批次后再停用"))
    values: dict[str, date | datetime] = {"recorded_to": now}
    if row.confirmed_by_id is not None and row.valid_from < local_date(now):
        values = {"valid_to": local_date(now)}
    changes = changed(row, now=now, **values)
    record(actor=actor, now=now, event="settlement.account.end", subject=row, changes=changes, reason=why)
    tell("settlement", pk=row.pk, div=row.div)
    return row


@operation("settlement.account.reveal", label=N_("查看完整账号"))
def reveal_account(*, actor: Actor, now: datetime, account_id: Id, reason: Reason) -> dict[str, str]:
    """Return the number in clear; who looked and why is in the journal."""
    row = locked(BankAccount.objects.all(), account_id)
    require(actor, "settlement.account.reveal", div=row.div)
    why = required_text(reason, "reason", most=500)
    record(actor=actor, now=now, event="settlement.account.reveal", subject=row, reason=why)
    return {"account_number": row.unseal_field("number")}
