"""Budget lines: planned by one person, approved by another, and spent through one function only."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.db.models import F
from django.db.models.functions import Greatest

from yinling.accounts.operations import record
from yinling.directory.models import Area
from yinling.directory.rules import known_choice, person_of, require, required_text
from yinling.entitlements.models import FUNDS, PURPOSES, Budget, BudgetLine
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, OptionalReason, Seen
from yinling.kernel.money import MOST_FEN
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_

explain_constraint("budget_line_not_overspent", "line.exhausted", N_("这笔资金余额不足，请刷新页面后查看余额"))
explain_constraint("budget_line_two_persons", "line.two_persons", N_("编列人不能审批，请由另一位有权限的人员办理"))

DONATION = "donation"
LEVEL_OF = {"city": "city", "district": "county", "street": "street"}
Year = Annotated[int, Input(N_("年度"), least=2015, most=2100, widget="number")]
Div = Annotated[str, Input(N_("区划"), help=N_("由哪一级的预算列支，就选哪一级"), max_length=12)]
Fund = Annotated[str, Input(N_("资金来源"), choices=FUNDS, widget="choice")]
Purpose = Annotated[str, Input(N_("用途"), choices=PURPOSES, widget="choice")]
Planned = Annotated[int, Input(N_("计划金额（元）"), help=N_("以审核为准"), least=0, most=MOST_FEN, widget="yuan")]
Approved = Annotated[
    int, Input(N_("审定金额（元）"), help=N_("审核后的金额，代替计划金额"), least=0, most=MOST_FEN, widget="yuan")
]
Document = Annotated[str, Input(N_("依据"), help=N_("预算文件或计划的名称和文号"), max_length=200)]


@operation("entitlements.budget_line.propose", label=N_("编列资金"))
def propose_line(  # noqa: PLR0913 - what a line consists of
    *, actor: Actor, now: datetime, div: Div, year: Year, fund: Fund, purpose: Purpose,
    name: Annotated[str, Input(N_("项目名称"), max_length=100)], planned_fen: Planned, document: Document,
) -> BudgetLine:  # fmt: skip
    """Plan a line of the budget of one level, or a new amount of one. A line that was approved rests until it is approved anew."""
    require(actor, "entitlements.budget_line.propose", div=div)
    level = LEVEL_OF.get(Area.objects.filter(pk=div).values_list("level", flat=True).first() or "")
    if level is None:
        raise Refused("line.level", N_("资金编列在市、县（区）或镇（街）一级，请从列表中选择"), field="div")
    known_choice(fund, FUNDS, "fund")
    known_choice(purpose, PURPOSES, "purpose")
    paper, title = required_text(document, "document"), required_text(name, "name", most=100)
    if not 0 <= planned_fen <= MOST_FEN:
        raise Refused("line.amount", N_("金额不能为负，也不能过大，请核对"), field="planned_fen")
    row, is_new = BudgetLine.objects.get_or_create(
        div=div, year=year, fund=fund, name=title,
        defaults={
            "level": level, "purpose": purpose, "planned_fen": planned_fen, "document": paper, "proposed_by_id": person_of(actor),
            "created_at": now, "changed_at": now,
        },
    )  # fmt: skip
    row = locked(BudgetLine.objects.all(), row.pk)
    if row.purpose != purpose and row.spent_fen:
        raise Refused("line.purpose", N_("这笔资金已有支出，不能改变用途，请另列一项"), field="purpose")
    if row.purpose != purpose and fund == DONATION:
        raise Refused("line.purpose", N_("捐赠按登记的用途使用，不能改变用途，请另列一项"), field="purpose")
    changes = changed(
        row, now=now, purpose=purpose, planned_fen=planned_fen, document=paper, proposed_by_id=person_of(actor), approved_fen=None,
        approved_by_id=None, approved_at=None,
    )  # fmt: skip
    first = {"planned_fen": [None, planned_fen]} if is_new else {}
    record(actor=actor, now=now, event="entitlements.budget_line.propose", subject=row, changes=changes | first)
    tell("budgets", pk=row.pk, div=row.div)
    return row


@operation("entitlements.budget_line.approve", label=N_("审定资金"))
def approve_line(
    *, actor: Actor, now: datetime, budget_line_id: Id, approved_fen: Approved, reason: OptionalReason = "", seen: Seen = None
) -> BudgetLine:  # fmt: skip
    """Approve a line by another person: the approved amount replaces the planned one (R-FUN-04)."""
    row = locked(BudgetLine.objects.all(), budget_line_id, seen)
    require(actor, "entitlements.budget_line.approve", div=row.div)
    if row.approved_fen is not None:
        raise NotAllowed("line.approved", N_("这笔资金已经审定。要调整金额，请重新编列"))
    if actor.user_id == row.proposed_by_id:
        raise Refused("line.two_persons", N_("编列人不能审批，请由另一位有权限的人员办理"))
    if not 0 <= approved_fen <= MOST_FEN:
        raise Refused("line.amount", N_("金额不能为负，也不能过大，请核对"), field="approved_fen")
    if approved_fen < row.spent_fen:
        raise Refused(
            "line.below_spent", N_("少于已经安排的 %(fen)s 分，请核对"), field="approved_fen", fen=row.spent_fen
        )
    changes = changed(row, now=now, approved_fen=approved_fen, approved_by_id=person_of(actor), approved_at=now)
    record(
        actor=actor, now=now, event="entitlements.budget_line.approve", subject=row, changes=changes, reason=reason.strip()
    )  # fmt: skip
    tell("budgets", pk=row.pk, div=row.div)
    return row


def open_line(line_id: int, *, to_spend: bool = True) -> BudgetLine:
    """Return an approved line, locked, from which something is to be paid; what comes back, comes back while its amount is under review too."""
    row = BudgetLine.objects.select_for_update(of=("self",)).filter(pk=line_id).first()
    if row is None:
        raise NotFound("line.outside", N_("没有这笔资金，或者它由别的地区列支，请由列支的一级办理"), field="line_id")
    if to_spend and row.approved_fen is None:
        raise Refused("line.not_approved", N_("这笔资金还没有审定，不能支出"), field="line_id")
    return row


def spend(line_id: int, fen: int) -> BudgetLine:
    """Take money from a line, or give it back (negative): the one way in which a line is spent. Refuses more than was approved."""
    row = open_line(line_id, to_spend=fen > 0)
    left = (row.approved_fen or 0) - row.spent_fen
    if fen > 0 and fen > left:
        raise Refused("line.exhausted", N_("这笔资金余额不足：还剩 %(left)s 分，需要 %(fen)s 分"), left=left, fen=fen)
    if row.spent_fen + fen < 0:
        raise Refused("line.given_back", N_("退回的金额多于已经安排的金额，请核对"), fen=-fen)
    BudgetLine.objects.filter(pk=row.pk).update(spent_fen=F("spent_fen") + fen)
    tell("budgets", pk=row.pk, div=row.div)
    return row


def raise_line(line_id: int, fen: int) -> BudgetLine:
    """Let a line grow by money that has come in, a donation; or shrink again (negative) by what nothing was arranged with."""
    row = open_line(line_id)
    left = (row.approved_fen or 0) - row.spent_fen
    if -fen > left:
        raise Refused("line.exhausted", N_("这笔资金余额不足：还剩 %(left)s 分，需要 %(fen)s 分"), left=left, fen=-fen)
    BudgetLine.objects.filter(pk=row.pk).update(
        approved_fen=F("approved_fen") + fen, planned_fen=Greatest(F("planned_fen") + fen, 0)
    )
    tell("budgets", pk=row.pk, div=row.div)
    return row


@operation("entitlements.budget.fund", label=N_("挂接资金"))
def fund_budget(
    *, actor: Actor, now: datetime, budget_id: Id, line_id: Annotated[int, Input(N_("资金"), least=1, widget="number")], seen: Seen = None
) -> Budget:  # fmt: skip
    """Say which line bears the budget of a scheme; its whole amount is taken from the line, and later changes of it are."""
    row = locked(Budget.objects.all(), budget_id, seen)
    require(actor, "entitlements.budget.fund", div=row.div)
    line = open_line(line_id)
    if not row.is_in_force or row.amount_fen is None:
        raise Refused("budget.line_needs_amount", N_("先确认预算并写明金额，才能挂接资金"), field="line_id")
    if line.year != row.year or not row.div.startswith(line.div):
        raise Refused("budget.line_place", N_("资金的年度和区划须与预算一致，请从列表中选择"), field="line_id")
    if row.line_id is not None:
        spend(row.line_id, -row.amount_fen)
    spend(line.pk, row.amount_fen)
    changes = changed(row, now=now, line_id=line.pk)
    record(actor=actor, now=now, event="entitlements.budget.fund", subject=row, changes=changes)
    tell("budgets", pk=row.pk, div=row.div)
    return row


def follow_limit(budget: Budget, wanted_fen: int | None) -> None:
    """Take what a new limit of a budget adds from its line, or give back what it leaves."""
    if budget.line_id is None:
        return
    if wanted_fen is None:
        raise Refused("budget.line_needs_amount", N_("已挂接资金的预算必须写明金额"), field="amount_fen")
    spend(budget.line_id, wanted_fen - (budget.amount_fen or 0))
