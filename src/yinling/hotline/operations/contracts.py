"""The company that runs the line for the city: its contract, and each month's statement from figures to approval (R-CALL-12)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from yinling.accounts.operations import Recipient, notify, record
from yinling.directory.models import Organisation
from yinling.directory.rules import require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.hotline import operating, rules
from yinling.hotline.models import LineContract, OperatorStatement
from yinling.hotline.queries.contracts import MonthFigures, hands_of, month_figures, operators_of
from yinling.hotline.states import OPERATOR_STATEMENT, OperatorStatementState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Id, Input, Reason, Seen
from yinling.kernel.period import ONE_DAY, local_date, month_start
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_

Company = Annotated[int, Input(N_("运营单位"), least=1, widget="choice")]
Number = Annotated[str, Input(N_("合同编号"), max_length=60)]

explain_constraint("line_contract_number", "line_contract.number", N_("本市已有这个编号的合同，请检查编号"))
explain_constraint("operator_statement_once", "operator_statement.twice", N_("这个月的结算单已生成，请在列表中打开"))


@operation("hotline.line_contract.sign", label=N_("登记合同"))
def sign_line_contract(  # noqa: PLR0913 - what a contract consists of
    *, actor: Actor, now: datetime, organisation_id: Company, number: Number,
    valid_from: Annotated[date, Input(N_("第一天"), widget="date")],
    last_on: Annotated[date, Input(N_("最后一天"), widget="date")],
    monthly_fen: Annotated[int, Input(N_("月费（元）"), least=0, widget="yuan")],
    per_call_fen: Annotated[int, Input(N_("每通接听来电（元）"), least=0, widget="yuan")] = 0,
    deduct_bp_per_point: Annotated[int, Input(N_("每低于目标 1 个百分点扣（万分之）"), least=0, most=10_000, widget="number")] = 0,
    most_deduct_bp: Annotated[int, Input(N_("每月最多扣（万分之）"), least=0, most=10_000, widget="number")] = 1000,
) -> LineContract:  # fmt: skip
    """Note what the city agreed with a company that runs the line. Two contracts of one company do not run at once."""
    div = actor.div or ""
    require(actor, "hotline.line_contract.sign", div=div)
    if not Organisation.objects.filter(pk=organisation_id).exists():
        raise Refused("line_contract.company", N_("没有这家机构，请从列表中选择"), field="organisation_id")
    operating.check_contract(valid_from=valid_from, last_on=last_on, monthly_fen=monthly_fen, per_call_fen=per_call_fen)
    valid_to = last_on + ONE_DAY
    same = LineContract.objects.select_for_update().filter(provider_id=organisation_id, div=div)
    if same.filter(valid_from__lt=valid_to, valid_to__gt=valid_from).exists():
        raise Refused("line_contract.overlap", N_("这家单位在这段时间已有合同，请先终止原合同"), field="valid_from")
    row = LineContract(
        div=div, provider_id=organisation_id, number=required_text(number, "number", most=60), valid_from=valid_from, valid_to=valid_to,
        monthly_fen=monthly_fen, per_call_fen=per_call_fen, deduct_bp_per_point=deduct_bp_per_point,
        most_deduct_bp=most_deduct_bp, created_at=now, changed_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    record(
        actor=actor, now=now, event="hotline.line_contract.sign", subject=row, changes={"number": [None, row.number]}
    )
    return row


@operation("hotline.line_contract.end", label=N_("终止合同"))
def end_line_contract(
    *, actor: Actor, now: datetime, line_contract_id: Id, last_on: Day, reason: Reason, seen: Seen = None
) -> LineContract:
    """End a contract earlier than agreed. A month already settled stays as it is."""
    row = locked(LineContract.objects.all(), line_contract_id, seen)
    require(actor, "hotline.line_contract.end", div=row.div)
    rules.check_written(reason, field="reason")
    if not row.valid_from <= last_on < row.valid_to - ONE_DAY:
        raise Refused("line_contract.end", N_("请填写合同期内、早于原最后一天的日期"), field="last_on")
    changes = changed(row, now=now, valid_to=last_on + ONE_DAY)
    record(actor=actor, now=now, event="hotline.line_contract.end", subject=row, changes=changes, reason=reason)
    return row


@operation("hotline.operator_statement.draft", label=N_("生成结算单"))
def draft_operator_statement(
    *, actor: Actor, now: datetime,
    line_contract_id: Annotated[int, Input(N_("合同"), least=1, widget="choice")],
    month: Annotated[date, Input(N_("月份"), help=N_("选该月任意一天"), widget="date")],
) -> OperatorStatement:  # fmt: skip
    """Count the figures of a month that is over and draw up what is paid. A draft is counted again, anything later stays."""
    contract = locked(LineContract.objects.select_related("provider"), line_contract_id)
    require(actor, "hotline.operator_statement.draft", div=contract.div)
    first = month_start(month)
    terms = terms_of(contract)
    operating.check_month(first, today=local_date(now), terms=terms)
    known = OperatorStatement.objects.select_for_update(of=("self",)).filter(contract=contract, month=first).first()
    if known is not None and known.state != OperatorStatementState.DRAFT:
        raise NotAllowed(
            "operator_statement.sent", N_("这个月的结算单已送出，不能重新生成；如有错误请由运营单位提出异议")
        )
    values = _values(month_figures(actor, contract, first, now), terms, first)
    if known is None:
        row = OperatorStatement(
            div=contract.div, contract=contract, provider_id=contract.provider_id, month=first, created_at=now, changed_at=now, **values
        )  # fmt: skip
        row.save(force_insert=True)
        changes: dict[str, Any] = {"total_fen": [None, row.total_fen]}
    else:
        row = known
        changes = changed(row, now=now, **values)
    record(actor=actor, now=now, event="hotline.operator_statement.draft", subject=row, changes=changes)
    return row


def terms_of(contract: LineContract) -> operating.Terms:
    """Return what a contract says about money."""
    return operating.Terms(
        contract.monthly_fen, contract.per_call_fen, contract.deduct_bp_per_point, contract.most_deduct_bp,
        contract.valid_from, contract.valid_to,
    )  # fmt: skip


def _values(found: MonthFigures, terms: operating.Terms, month: date) -> dict[str, Any]:
    sums = operating.bill(terms, month, found.counts.answered, found.measures)
    reasons = [
        {"code": one.code, "shown": one.shown, "target": str(one.target), "points": points, "fen": fen}
        for one, points, fen in sums.reasons
    ]
    figures = found.counts.__dict__ | {
        "measures": [
            {"code": one.code, "hits": one.hits, "total": one.total, "shown": one.shown, "target": str(one.target), "is_met": one.is_met}
            for one in found.measures
        ]
    }  # fmt: skip
    return {
        "figures": figures, "base_fen": sums.base_fen, "calls_fen": sums.calls_fen, "deduction_fen": sums.deduction_fen,
        "total_fen": sums.total_fen, "reasons": reasons,
    }  # fmt: skip


def _statement(actor: Actor, verb: str, statement_id: int, seen: int | None) -> OperatorStatement:
    row = locked(OperatorStatement.objects.select_related("contract", "provider"), statement_id, seen)
    require(actor, f"hotline.operator_statement.{verb}", div=row.div, provider_id=row.provider_id)
    return row


def _move(
    actor: Actor, now: datetime, row: OperatorStatement, verb: str, *, reason: str = "", **values: Any
) -> OperatorStatement:
    target = OPERATOR_STATEMENT.target(verb, OperatorStatementState(row.state))
    changes = changed(row, now=now, state=target, **values)
    record(
        actor=actor, now=now, event=f"hotline.operator_statement.{verb}", subject=row, changes=changes, reason=reason
    )
    tell("statements", pk=row.pk, div=row.div)
    return row


@operation("hotline.operator_statement.send", label=N_("送运营单位确认"))
def send_operator_statement(
    *, actor: Actor, now: datetime, operator_statement_id: Id, seen: Seen = None
) -> OperatorStatement:
    """Send a draft to the company."""
    row = _move(actor, now, _statement(actor, "send", operator_statement_id, seen), "send", objection="")
    for user_id in operators_of(row.provider_id, now):
        notify(
            now=now, about=row, to=Recipient(user_id=user_id), key=f"operator-statement:{row.pk}:{row.version}:{user_id}",
            title=N_("热线运营结算单待确认"), text=f"{row.month:%Y年%m月}的热线运营结算单已送达，请核对后确认或提出异议。",
            link=f"/line/statements/{row.pk}/",
        )  # fmt: skip
    return row


@operation("hotline.operator_statement.object", label=N_("提出异议"))
def object_operator_statement(
    *, actor: Actor, now: datetime, operator_statement_id: Id, reason: Reason, seen: Seen = None
) -> OperatorStatement:
    """Send a statement back with what is wrong with it; only the company itself."""
    row = _statement(actor, "object", operator_statement_id, seen)
    operating.check_company(provider_id=row.provider_id, organisation_id=actor.organisation_id)
    rules.check_written(reason, field="reason")
    return _move(actor, now, row, "object", reason=reason, objection=reason.strip())


@operation("hotline.operator_statement.confirm", label=N_("确认结算单"))
def confirm_operator_statement(
    *, actor: Actor, now: datetime, operator_statement_id: Id, seen: Seen = None
) -> OperatorStatement:
    """Agree to a statement; only the company itself."""
    row = _statement(actor, "confirm", operator_statement_id, seen)
    operating.check_company(provider_id=row.provider_id, organisation_id=actor.organisation_id)
    return _move(actor, now, row, "confirm")


@operation("hotline.operator_statement.approve", label=N_("审定结算单"))
def approve_operator_statement(
    *, actor: Actor, now: datetime, operator_statement_id: Id, seen: Seen = None
) -> OperatorStatement:
    """Approve what the company agreed to: the city, and not who drew it up, counted it anew or sent it."""
    row = _statement(actor, "approve", operator_statement_id, seen)
    operating.check_other_person(hands=hands_of(row), user_id=None if actor.is_system else actor.user_id)
    return _move(actor, now, row, "approve", approved_by_id=actor.user_id, approved_at=now)
