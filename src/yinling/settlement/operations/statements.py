"""Drawing up and approving the statements of providers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.db.models import Q, Sum
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from yinling.accounts.operations import record
from yinling.directory.deciding import explain_hands, move, taken_up
from yinling.directory.models import Area, Organisation
from yinling.directory.rules import person_of, require
from yinling.ground.live import tell
from yinling.ground.operation import explain_constraint, locked, operation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Id, Input, Reason, Seen
from yinling.kernel.period import local_date, month_start
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Hold
from yinling.people.queries.names import reader
from yinling.settlement.models import Deduction, Posting, Statement, StatementLine
from yinling.settlement.operations.deductions import book_deductions, deduct_refused
from yinling.settlement.operations.transfers import offset_advance
from yinling.settlement.queries import (
    STATEMENT_PAYERS,
    statement_candidates,
    to_draft,
)
from yinling.settlement.queries.statements import place_of_statement
from yinling.settlement.rules import check_statement_payer
from yinling.settlement.states import STATEMENT

DRAFT_TASK = "settlement.draft_month"
explain_hands("statement")
explain_constraint("statement_once", "statement.twice", N_("该服务商、付费方和月份已有对账单，请先退回原来的对账单"))
explain_constraint("statement_line_once", "statement.line_twice", N_("有费用已列入另一份对账单，请刷新后重新生成"))


@operation("settlement.statement.draft", label=N_("生成对账单"))
def draft_statement(
    *,
    actor: Actor,
    now: datetime,
    organisation_id: Annotated[int, Input(N_("服务商"), least=1, widget="number")],
    payer: Annotated[str, Input(N_("付费方"), choices=STATEMENT_PAYERS, widget="choice")],
    month: Day,
) -> Statement:
    """Draw up what a payer owes a provider: settled, unfrozen, unreversed charges up to the month's end, as far as the drafter's area goes."""
    organisation = Organisation.objects.filter(pk=organisation_id).first()
    if organisation is None:
        raise NotFound("organisation.not_found", N_("没有这个机构，请从列表中选择"), field="organisation_id")
    div = place_of_statement(organisation, actor.div or "")
    require(actor, "settlement.statement.draft", div=div)
    if payer not in dict(STATEMENT_PAYERS):
        check_statement_payer(payer)
        raise Refused("statement.payer", N_("没有这个付费方，请从列表中选择"), field="payer")
    first = month_start(month)
    if first > local_date(now):
        raise Refused("statement.future", N_("这个月还没有开始，请选择已有服务的月份"), field="month")
    found = statement_candidates(organisation, payer, first, actor.div or "")
    if not found:
        raise Refused(
            "statement.empty",
            N_("这个月没有可以列入的费用。被管制、已冲正或已列入其他对账单的费用不会列入"),
            field="month",
        )
    row = Statement.objects.create(
        div=div, provider=organisation, payer=payer, month=first, total_fen=sum(charge.amount_fen for charge in found),
        line_count=len(found), drafted_at=now, drafted_by_id=person_of(actor), created_at=now, changed_at=now,
    )  # fmt: skip
    StatementLine.objects.bulk_create(
        (StatementLine(div=row.div, statement=row, charge=charge, provider=organisation) for charge in found),
        batch_size=5000,
    )
    totals = {"total_fen": [None, row.total_fen], "line_count": [None, row.line_count]}
    if taken := deduct_refused(actor, now, row):
        row.deducted_fen = taken
        row.save(update_fields=["deducted_fen"])
        totals["deducted_fen"] = [None, taken]
    record(actor=actor, now=now, event="settlement.statement.draft", subject=row, changes=totals)
    tell("settlement", pk=row.pk, div=row.div)
    return row


@operation("settlement.statement.review", label=N_("初审通过"))
def review_statement(*, actor: Actor, now: datetime, statement_id: Id, seen: Seen = None) -> Statement:
    """First of the two approvals."""
    row = taken_up(actor, Statement.objects.all(), statement_id, seen, "review")
    _check_unfrozen(row)
    return move(actor, now, row, "review")


@operation("settlement.statement.approve", label=N_("复核通过"))
def approve_statement(*, actor: Actor, now: datetime, statement_id: Id, seen: Seen = None) -> Statement:
    """Second approval, by a person who neither drew it up nor reviewed it."""
    row = taken_up(actor, Statement.objects.all(), statement_id, seen, "approve")
    _check_unfrozen(row)
    if row.payable_fen < 0:
        raise Refused(
            "statement.negative",
            N_("扣回多于本月费用，应付为负。请退回，待以后月份有费用时一并列入"),
            payable=row.payable_fen,
        )
    book_deductions(actor, now, row)
    return move(actor, now, row, "approve", offset_fen=offset_advance(actor, now, row, row.payable_fen))


@operation("settlement.statement.return", label=N_("退回"))
def return_statement(*, actor: Actor, now: datetime, statement_id: Id, reason: Reason, seen: Seen = None) -> Statement:
    """Give a statement up with a reason; its charges are free for a new one."""
    row = taken_up(actor, Statement.objects.all(), statement_id, seen, "return")
    StatementLine.objects.filter(statement=row).update(is_live=False)
    return move(actor, now, row, "return", reason=reason)


@operation("settlement.statement.object", label=N_("提出异议"))
def object_statement(*, actor: Actor, now: datetime, statement_id: Id, reason: Reason, seen: Seen = None) -> Statement:
    """Say, as the provider, what is wrong with a statement before it is approved: it goes back and is drawn up anew."""
    row = locked(Statement.objects.all(), statement_id, seen)
    require(actor, "settlement.statement.object", div=row.div, provider_id=row.provider_id)
    STATEMENT.target("return", row.state)
    StatementLine.objects.filter(statement=row).update(is_live=False)
    return move(actor, now, row, "return", event="settlement.statement.object", reason=reason)


@operation("settlement.statement.draft_all", label=N_("生成全月对账单"))
def draft_statements(*, actor: Actor, now: datetime, month: Day) -> Area:
    """Have every statement of a month drawn up that is still missing: a worker does it, one provider and payer after the other."""
    area = Area.objects.filter(div=actor.div or "").first()
    if area is None:
        raise Refused("statement.area", N_("请用管辖一个区划的财务角色办理"))
    require(actor, "settlement.statement.draft_all", div=area.div)
    first = month_start(month)
    if first > local_date(now):
        raise Refused("statement.future", N_("这个月还没有开始，请选择已有服务的月份"), field="month")
    count = len(to_draft(area.div, first))
    if not count:
        raise Refused("statement.none_left", N_("这个月没有要生成的对账单"), field="month")
    changes = {"month": [None, first.isoformat()], "count": [None, count]}
    record(actor=actor, now=now, event="settlement.statement.draft_all", subject=area, changes=changes)
    waiting = app.configure_task(DRAFT_TASK, queueing_lock=f"{DRAFT_TASK}:{area.div}:{first:%Y%m}")
    try:
        waiting.defer(div=area.div, month=first.isoformat(), user_id=person_of(actor))
    except AlreadyEnqueued:
        raise NotAllowed("statement.drafting", N_("这个月的对账单已在排队生成，请稍后刷新页面查看")) from None
    return area


def _check_unfrozen(row: Statement) -> None:
    """Refuse while an order on the statement is held, one on it or deducted from it was reversed, or its total is not the sum of its lines.

    Some may be of another district.
    """
    lines = StatementLine.objects.filter(statement=row)
    with scope(reader(row.div)):
        held = (
            Hold.objects.filter(to_at=None, order__in=lines.values("charge__order"))
            .values_list("order_id", flat=True)
            .first()
        )
        total = lines.aggregate(fen=Sum("charge__amount_fen"))["fen"]
        off = Deduction.objects.filter(statement=row).values("line__charge__posting")
        taken_back = Q(reverses__in=lines.values("charge__posting")) | Q(reverses__in=off)
        is_reversed = Posting.objects.filter(taken_back).exists()
    if held is not None:
        raise Refused("statement.held", N_("其中有订单在生成后被管制，请退回对账单，解除后再列入"), order=held)
    if is_reversed:  # at the moment at which it was drawn up: a reversal looks for statements only that are there
        raise Refused("statement.reversed", N_("其中有费用在生成时被冲正，请退回对账单重新生成"))
    if total != row.total_fen:
        raise Refused("statement.total", N_("明细与合计不相等，请退回对账单重新生成"), lines=total, total=row.total_fen)
