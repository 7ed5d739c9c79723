"""One month reconciled: settled, stated, frozen, paid, open; differences must be 0 before the books are closed."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.settlement.queries import PAYER_NAMES, fund_name
from yinling.settlement.queries.laid_out import laid_out
from yinling.settlement.queries.reconciliation import Reconciliation, reconciliation
from yinling.web.console.arrivals import open_values
from yinling.web.console.settlement import VIEW, settlement_tabs
from yinling.web.console.statements import month_of
from yinling.web.pages import page, render
from yinling.web.papers import Field, PageTable, page_table
from yinling.web.sheets import YUAN, Column, excel
from yinling.web.show import tr

SETTLED = (
    ("settled_fen", N_("结算")), ("stated_fen", N_("已列入对账单")), ("waiting_fen", N_("未列入")), ("frozen_fen", N_("冻结")),
    ("ledger_fen", N_("账簿应收")), ("difference_fen", N_("差异")),
)  # fmt: skip
STATED = (
    ("total_fen", N_("对账单合计")), ("open_fen", N_("未审定")), ("deducted_fen", N_("扣减")), ("offset_fen", N_("冲抵预付")),
    ("payable_fen", N_("应付")), ("paid_fen", N_("已付款")), ("in_batch_fen", N_("拨付中")), ("outstanding_fen", N_("未拨付")),
    ("claimed_fen", N_("申报")), ("received_fen", N_("付费方已付")), ("due_fen", N_("付费方未付")), ("difference_fen", N_("差异")),
)  # fmt: skip


def _fields(columns: tuple[tuple[str, str], ...]) -> list[Field]:
    payer = Field("payer", _("付费方"), lambda row: tr(PAYER_NAMES[row.payer]) if row.payer else _("合计"), width=16)
    return [payer, *(Field(name, tr(head), attrgetter(name), YUAN, 15) for name, head in columns)]


def _tables(found: Reconciliation) -> list[tuple[str, list[Field], list[Any]]]:
    """Both tables with their sums as the last row."""
    return [
        (_("当月服务的结算去向"), _fields(SETTLED), [*found.settled, found.settled_sum] if found.settled else []),
        (_("当月对账单的支付情况"), _fields(STATED), [*found.stated, found.stated_sum] if found.stated else []),
    ]  # fmt: skip


@page(VIEW)
def month_page(request: Any) -> HttpResponse:
    """Both tables of a month."""
    month = month_of(request)
    found = reconciliation(request.actor, month)
    tables: list[tuple[str, PageTable]] = [(title, page_table(fields, rows)) for title, fields, rows in _tables(found)]
    return render(
        request, "console/settlement_month.html", month=month, found=found, tables=tables, tabs=settlement_tabs(request, "month"),
        **open_values(request),
    )  # fmt: skip


@page(VIEW)
def month_excel(request: Any) -> HttpResponse:
    """Both tables in one sheet."""
    month = month_of(request)
    (first, fields, settled), (second, others, stated) = _tables(reconciliation(request.actor, month))
    width = max(len(fields), len(others))
    columns = [Column(one.head, one.kind, one.width) for one in fields] + [Column("", YUAN, 15)] * (width - len(fields))
    rows: list[list[Any]] = [[one.value(row) for one in fields] + [None] * (width - len(fields)) for row in settled]
    rows += [[second] + [None] * (width - 1), [one.head for one in others]]
    rows += [[one.value(row) for one in others] for row in stated]
    return excel(f"Y-{month:%Y-%m}", columns, rows, above=[f"{_('月度核对')} {month:%Y-%m}", first])


@page(VIEW)
def laid_out_page(request: Any) -> HttpResponse:
    """What is laid out for funds; the pages of the month and of funds load it as a part of theirs."""
    return render(
        request, "console/laid_out.html", laid=laid_out(request.actor, local_date(request.now)), payers=PAYER_NAMES, fund_name=fund_name,
        tabs=settlement_tabs(request, "month"),
    )  # fmt: skip


urlpatterns = [
    path("settlement/laid-out/", laid_out_page),
    path("settlement/month/", month_page),
    path("settlement/month/excel/", month_excel),
]
