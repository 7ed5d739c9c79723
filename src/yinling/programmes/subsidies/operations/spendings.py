"""What a receiver spent of a subsidy, by category (R-FUN-06)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from django.db.models import Sum

from yinling.accounts.operations import record
from yinling.directory.rules import known_choice, person_of, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input
from yinling.kernel.money import MOST_FEN
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.programmes.subsidies.models import Spending, Subsidy
from yinling.settlement.states import GrantState

Category = Annotated[str, Input(N_("用途类别"), choices=Spending.CATEGORIES, widget="choice")]
Spent = Annotated[
    int, Input(N_("金额（元）"), help=N_("更正以前多登记的，填负数"), least=-MOST_FEN, most=MOST_FEN, widget="yuan")
]
SpentOn = Annotated[date, Input(N_("支出日期"), widget="date")]
Text = Annotated[str, Input(N_("内容"), help=N_("买了什么，付给谁"), max_length=200)]
Voucher = Annotated[str, Input(N_("凭证号"), max_length=60)]


@operation("subsidies.spending.record", label=N_("登记使用"))
def record_spending(
    *, actor: Actor, now: datetime, subsidy_id: Id, category: Category, amount_fen: Spent, spent_on: SpentOn, text: Text, voucher: Voucher
) -> Spending:  # fmt: skip
    """Record what an approved subsidy was spent on; never more than it, and no category below zero."""
    row = locked(Subsidy.objects.all(), subsidy_id)
    require(actor, "subsidies.spending.record", div=row.div, provider_id=row.provider_id)
    known_choice(category, Spending.CATEGORIES, "category")
    if row.state != GrantState.APPROVED:
        raise Refused("spending.not_approved", N_("补助审定以后才能登记使用"))
    if not row.result_year <= spent_on.year or spent_on > local_date(now):
        raise Refused("spending.day", N_("支出日期应在结果年度以后，且不晚于今天"), field="spent_on")
    if amount_fen == 0:
        raise Refused("spending.zero", N_("金额不能为零"), field="amount_fen")
    rows = Spending.objects.filter(subsidy=row)
    if (rows.aggregate(fen=Sum("amount_fen"))["fen"] or 0) + amount_fen > row.amount_fen:
        raise Refused("spending.more_than_given", N_("使用合计超过补助金额，请核对"), field="amount_fen")
    if (rows.filter(category=category).aggregate(fen=Sum("amount_fen"))["fen"] or 0) + amount_fen < 0:
        raise Refused("spending.below_zero", N_("更正的金额多于该类别已登记的金额"), field="amount_fen")
    found = Spending.objects.create(
        div=row.div, subsidy=row, provider_id=row.provider_id, category=category, amount_fen=amount_fen, spent_on=spent_on,
        text=required_text(text, "text"), voucher=required_text(voucher, "voucher", most=60), entered_by_id=person_of(actor), entered_at=now,
    )  # fmt: skip
    record(
        actor=actor, now=now, event="subsidies.spending.record", subject=row,
        changes={"category": [None, category], "amount_fen": [None, amount_fen], "voucher": [None, found.voucher]},
    )  # fmt: skip
    tell("budgets", pk=row.pk, div=row.div)
    return found
