"""The papers of settlement: each table once, for page, workbook, PDF and API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from django.utils.translation import gettext as _

from yinling.kernel.actor import Actor
from yinling.kernel.masks import mask_name
from yinling.kernel.period import local_date
from yinling.settlement.models import Decided, Deduction, Payout, PayoutLine, Statement, StatementLine
from yinling.settlement.queries import PAYER_NAMES, statement_lines
from yinling.settlement.queries.payouts import payout_lines
from yinling.settlement.queries.purchase import Purchased, purchased
from yinling.settlement.queries.statements import deduction_reasons, deductions, whole
from yinling.settlement.states import PAYOUT, PAYOUT_LINE, STATEMENT
from yinling.web.papers import Field, Paper, signers
from yinling.web.sheets import COUNT, YUAN
from yinling.web.show import day, tr


def statement_fields() -> list[Field]:
    """The columns of a statement; a row is (number, line)."""
    return [
        Field("number", _("序号"), lambda row: row[0], COUNT, 6),
        Field("order", _("订单号"), lambda row: row[1].charge.order.code, width=15),
        Field("service_day", _("服务日期"), lambda row: day(row[1].charge.service_day), width=11),
        Field("elder", _("老年人"), lambda row: mask_name(row[1].charge.order.elder_name), width=9),
        Field("item", _("项目"), lambda row: _item(row[1]), width=20),
        Field("amount_fen", _("金额（元）"), lambda row: row[1].charge.amount_fen, YUAN, 12),
        Field("posting", _("凭证"), lambda row: row[1].charge.posting.code, width=15),
    ]


def _item(line: StatementLine) -> str:
    name = tr(line.charge.line.name)
    return f"{name}（{_('冲正扣回')}）" if line.charge.amount_fen < 0 else name


def statement_sums(row: Statement, off: Iterable[Deduction]) -> list[tuple[str, str, int]]:
    """The sums below a statement: total, what is taken off by reason, the advance, what is payable."""
    reasons = deduction_reasons(row.div, local_date(row.drafted_at))
    taken: dict[str, int] = {}
    for one in off:
        taken[one.reason] = taken.get(one.reason, 0) + one.amount_fen
    sums = [("total_fen", _("合计"), row.total_fen)]
    sums += [
        (
            f"deducted_{code}_fen",
            _("扣减：%(reason)s") % {"reason": f"{code} {tr(reasons.get(code, code))}"},
            -taken[code],
        )
        for code in sorted(taken)
    ]
    if row.offset_fen:
        sums.append(("offset_fen", _("冲抵预付款"), -row.offset_fen))
    return [*sums, ("payable_fen", _("应付"), row.payable_fen)]


def statement_paper(
    row: Statement, lines: Iterable[StatementLine] | None = None, off: Sequence[Deduction] | None = None
) -> Paper:
    """One provider's statement of one payer and month; a page that has read lines and deductions hands them over."""
    with whole(row):
        found = list(statement_lines(row)) if lines is None else lines
        taken = (list(deductions(row)) if row.deducted_fen else ()) if off is None else off
    return Paper(
        row.code, _("养老服务费用对账单"), statement_fields(), list(enumerate(found, 1)),
        facts=[
            (_("服务商"), row.provider.name), (_("付费方"), tr(PAYER_NAMES[row.payer])), (_("月份"), f"{row.month:%Y-%m}"),
            (_("状态"), tr(row.get_state_display())), (_("笔数"), str(row.line_count)),
        ],
        sums=statement_sums(row, taken), total="payable_fen", signatures=[*_signed(row), f"{_('服务商签章')} ____________"],
    )  # fmt: skip


def _signed(row: Decided) -> list[str]:
    return [f"{label} {name} {day(at)}" if at else f"{label} ____________" for label, name, at in signers(row)]


def purchase_fields() -> list[Field]:
    """The columns of the payment list of purchased services; a row is (number, provider's line)."""
    return [
        Field("number", _("序号"), lambda row: row[0], COUNT, 6),
        Field("statement", _("对账单"), lambda row: row[1].code, width=14),
        Field("provider", _("服务商"), lambda row: row[1].provider, width=26),
        Field("line_count", _("笔数"), lambda row: row[1].line_count, COUNT, 8),
        Field("total_fen", _("确认金额（元）"), lambda row: row[1].total_fen, YUAN, 14),
        Field("deducted_fen", _("扣减（元）"), lambda row: row[1].deducted_fen, YUAN, 12),
        Field("offset_fen", _("冲抵预付（元）"), lambda row: row[1].offset_fen, YUAN, 12),
        Field("payable_fen", _("应付（元）"), lambda row: row[1].payable_fen, YUAN, 14),
        Field("frozen_fen", _("冻结未列入（元）"), lambda row: row[1].frozen_fen, YUAN, 14),
        Field(
            "state", _("状态"), lambda row: tr(STATEMENT.states(row[1].state).label) if row[1].state else "", width=10
        ),
    ]


def purchase_paper(actor: Actor, payer: str, month: date, *, state: str = "") -> Paper:
    """The payment list of one payer and month: every provider's confirmed amounts, without frozen orders (R-PAY-12)."""
    rows: list[Purchased] = purchased(actor, payer, month, state=state)
    sums = [
        (name, head, sum(getattr(row, name) for row in rows))
        for name, head in (
            ("total_fen", _("确认金额合计")), ("deducted_fen", _("扣减合计")), ("offset_fen", _("冲抵预付合计")), ("payable_fen", _("应付合计")),
            ("frozen_fen", _("冻结未列入合计")),
        )
    ]  # fmt: skip
    return Paper(
        f"Z-{payer}-{month:%y%m}", _("%(payer)s支付清单") % {"payer": tr(PAYER_NAMES[payer])}, purchase_fields(), list(enumerate(rows, 1)),
        facts=[(_("月份"), f"{month:%Y-%m}"), (_("服务商数"), str(len({row.provider_id for row in rows})))], sums=sums, total="payable_fen",
        signatures=[f"{_('制表')} ____________", f"{_('审核')} ____________", f"{_('负责人')} ____________"],
    )  # fmt: skip


def payout_fields() -> list[Field]:
    """The columns of a batch of payments; a row is (number, payment)."""
    return [
        Field("line", _("流水号"), lambda row: str(row[1].pk), width=8),
        Field("text", _("款项"), lambda row: row[1].text, width=24),
        Field("payer", _("付费方"), lambda row: tr(PAYER_NAMES[row[1].payer]), width=12),
        Field("holder", _("收款户名"), lambda row: row[1].account.holder, width=22),
        Field("bank", _("开户行"), lambda row: row[1].account.bank, width=20),
        Field("last4", _("账号末四位"), lambda row: row[1].account.last4, width=8),
        Field("amount_fen", _("金额（元）"), lambda row: row[1].amount_fen, YUAN, 13),
        Field("state", _("结果"), lambda row: tr(PAYOUT_LINE.states(row[1].state).label), width=9),
        Field("answer", _("原因"), lambda row: row[1].answer, width=14),
    ]


def payout_paper(row: Payout, lines: Iterable[PayoutLine] | None = None) -> Paper:
    """One batch of payments."""
    found = list(payout_lines(row) if lines is None else lines)
    paid = sum(line.amount_fen for line in found if line.state == "paid")
    failed = sum(line.amount_fen for line in found if line.state == "failed")
    return Paper(
        row.code, _("拨付清单"), payout_fields(), list(enumerate(found, 1)),
        facts=[(_("批次名称"), row.title), (_("状态"), tr(PAYOUT.states(row.state).label)), (_("笔数"), str(row.line_count))],
        sums=[("total_fen", _("合计"), row.total_fen), ("paid_fen", _("已付款"), paid), ("failed_fen", _("银行退回"), failed)], total="total_fen",
        signatures=_signed(row),
    )  # fmt: skip


def receipt_paper(line: PayoutLine) -> Paper:
    """The receipt of one transfer that the bank has made."""
    at = line.answered_at
    return Paper(
        f"R-{line.payout.code}-{line.pk}", _("付款回单"),
        [
            Field("text", _("款项"), lambda row: row.text, width=26),
            Field("payer", _("付费方"), lambda row: tr(PAYER_NAMES[row.payer]), width=12),
            Field("holder", _("收款户名"), lambda row: row.account.holder, width=24),
            Field("last4", _("账号末四位"), lambda row: row.account.last4, width=8),
            Field("amount_fen", _("金额（元）"), lambda row: row.amount_fen, YUAN, 13),
        ],
        [line],
        facts=[(_("批次"), line.payout.code), (_("付款日期"), day(at) if at else ""), (_("凭证"), line.posting.code if line.posting else "")],
        sums=[("amount_fen", _("付款金额"), line.amount_fen)], total="amount_fen",
        signatures=[f"{_('经办')} ____________", f"{_('签章')} ____________"],
    )  # fmt: skip
