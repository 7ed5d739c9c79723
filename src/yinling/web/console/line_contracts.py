"""The company that runs the line: contracts, and monthly statements from draft to approval, on paper and as a workbook (R-CALL-12)."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.hotline.models import OperatorStatement
from yinling.hotline.operating import NAMES
from yinling.hotline.queries import contracts, operator_statements
from yinling.hotline.states import OPERATOR_STATEMENT
from yinling.kernel.money import capital
from yinling.kernel.period import ONE_DAY, add_months, local_date, month_start
from yinling.kernel.words import N_
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.line import line_tabs
from yinling.web.decisions import step_forms
from yinling.web.pages import Listing, page, render
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.show import day, moment, tr

CONTRACTS, STATEMENTS = "hotline.line_contract.view", "hotline.operator_statement.view"
VERBS = ("send", "confirm", "object", "approve")


@page(CONTRACTS)
def contract_list(request: Any) -> HttpResponse:
    """Contracts and statements, with the forms for new ones."""
    today = local_date(request.now)
    rows = [(row, row.valid_to - ONE_DAY, _end_form(request, row, today)) for row in contracts(request.actor)]
    known = [(str(row.pk), f"{row.number} {row.provider.short_name}") for row, _last, _form in rows]
    sign = action_form(
        request, "sign_line_contract", {"valid_from": today}, next="/line/contracts/",
        fields={"organisation_id": {"options": "organisations", "widget": "choice"}},
    )  # fmt: skip
    draft = action_form(
        request, "draft_operator_statement", {"month": add_months(month_start(today), -1)}, next="/line/statements/{id}/",
        fields={"line_contract_id": {"options": known, "widget": "choice"}},
    )  # fmt: skip
    return render(
        request, "console/line_contracts.html", tabs=line_tabs(request, "contracts"), rows=rows, sign=sign, draft=draft if known else None,
        listing=Listing(request, operator_statements(request.actor)), machine=OPERATOR_STATEMENT, today=today,
    )  # fmt: skip


def _end_form(request: Any, row: Any, today: Any) -> ActionForm | None:
    if row.valid_to <= today:
        return None
    return action_form(
        request, "end_line_contract", {"line_contract_id": row.pk, "seen": row.version}, next="/line/contracts/", tone="danger",
        fields={"last_on": {"label": N_("合同最后一天")}},
    )  # fmt: skip


def _statement(request: Any, pk: int) -> OperatorStatement:
    row = operator_statements(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _lines(row: OperatorStatement) -> list[tuple[str, int]]:
    """(text, fen) of a statement: what is added, and each deduction with its reason; the fen add up to the total."""
    lines = [
        (_("月费（合同 %(number)s）") % {"number": row.contract.number}, row.base_fen),
        (_("接听来电 %(n)s 通") % {"n": row.figures.get("answered", 0)}, row.calls_fen),
    ]
    lines += [
        (
            _("扣减：%(name)s %(shown)s，目标 %(target)s，差 %(points)s 个百分点")
            % {"name": tr(NAMES[one["code"]]), "shown": one["shown"], "target": one["target"], "points": one["points"]},
            -one["fen"],
        )
        for one in row.reasons
    ]
    return lines


def _measures(row: OperatorStatement) -> list[dict[str, Any]]:
    return [one | {"name": tr(NAMES[one["code"]])} for one in row.figures.get("measures", [])]


@page(STATEMENTS)
def statement_page(request: Any, pk: int) -> HttpResponse:
    """One statement with its figures, its sum and what may be done next."""
    row = _statement(request, pk)
    here = f"/line/statements/{pk}/"
    is_own = row.provider_id == request.actor.organisation_id
    verbs = VERBS if is_own else [verb for verb in VERBS if verb not in ("confirm", "object")]
    forms = step_forms(request, row, OPERATOR_STATEMENT, verbs, here, noun="operator_statement")
    again = action_form(
        request, "draft_operator_statement", {"line_contract_id": row.contract_id, "month": row.month}, next=here,
        hidden=("line_contract_id", "month"), submit=N_("重新计算"), tone="",
    )  # fmt: skip
    return render(
        request, "console/line_statement.html", row=row, machine=OPERATOR_STATEMENT, lines=_lines(row), measures=_measures(row), forms=forms,
        again=again if row.state == "draft" else None,
    )  # fmt: skip


@page(STATEMENTS)
def statement_print(request: Any, pk: int) -> HttpResponse:
    """The statement on paper."""
    row = _statement(request, pk)
    return render(
        request, "console/line_statement_print.html", row=row, machine=OPERATOR_STATEMENT, lines=_lines(row), measures=_measures(row)
    )  # fmt: skip


@page(STATEMENTS)
def statement_excel(request: Any, pk: int) -> HttpResponse:
    """The statement as a workbook, equal to the paper to the fen."""
    row = _statement(request, pk)
    columns = [Column(_("序号"), COUNT, 6), Column(_("内容"), width=48), Column(_("金额（元）"), YUAN, 16)]
    lines = [(number, text, fen) for number, (text, fen) in enumerate(_lines(row), 1)]
    above = [
        _("热线运营结算单 %(month)s　%(name)s") % {"month": f"{row.month:%Y-%m}", "name": row.provider.name},
        _("合同：%(number)s　状态：%(state)s　审定：%(when)s") % {
            "number": row.contract.number, "state": tr(OPERATOR_STATEMENT.states(row.state).label), "when": moment(row.approved_at),
        },
        _("合计（大写）：%(amount)s") % {"amount": capital(row.total_fen)},
        *(f"{one['name']} {one['shown'] or '—'} / {one['target']}" for one in _measures(row)),
    ]  # fmt: skip
    return excel(f"line-{day(row.month)}-{row.pk}", columns, lines, above=above, below=(None, _("合计"), row.total_fen))


urlpatterns = [
    path("line/contracts/", contract_list),
    path("line/statements/<int:pk>/", statement_page),
    path("line/statements/<int:pk>/print/", statement_print),
    path("line/statements/<int:pk>/excel/", statement_excel),
]
