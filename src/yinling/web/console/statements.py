"""P14: the statements that two persons approve, what is taken off them, their invoices, and the payment list of a payer and month."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.inputs import meant_day
from yinling.kernel.money import yuan
from yinling.kernel.period import add_months, local_date, month_start
from yinling.kernel.words import N_
from yinling.settlement.models import Claim, Invoice, Statement
from yinling.settlement.queries import (
    PAYER_NAMES,
    STATEMENT_PAYERS,
    deductions,
    statement_lines,
    statement_of,
    statement_totals,
    statements,
    to_draft,
)
from yinling.settlement.queries.claims import claim_payers
from yinling.settlement.queries.payouts import payment_of
from yinling.settlement.queries.statements import REFUSED_BY_PAYER, deduction_reasons, whole
from yinling.settlement.states import CLAIM, PAYOUT_LINE, STATEMENT
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.arrivals import open_values
from yinling.web.console.settlement import MOST_EXPORTED, VIEW, by_amount, exported_by, of_provider, settlement_tabs
from yinling.web.console.statement_steps import waiting
from yinling.web.decisions import deciding
from yinling.web.options import Pairs, named
from yinling.web.pages import PAGE_SIZE, Filter, Listing, page, render
from yinling.web.papers import page_table, paper_answer
from yinling.web.queries.settlement_papers import purchase_fields, purchase_paper, statement_fields, statement_paper
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.show import tr


def _in_month(rows: Any, value: Any) -> Any:
    return rows.filter(month=month_start(value))


@named("deduction_reasons")
def deduction_choices(request: Any) -> Pairs:
    """The numbered reasons of the actor's area, without the one that comes by itself."""
    reasons = deduction_reasons(request.actor.div or "", local_date(request.now))
    return [(code, f"{code} {tr(text)}") for code, text in reasons.items() if code != REFUSED_BY_PAYER]


def _listing(request: Any) -> Listing:
    filters = (
        Filter("payer", _("付费方"), lambda found, value: found.filter(payer=value), "choice", STATEMENT_PAYERS),
        Filter("state", _("状态"), lambda found, value: found.filter(state=value), "choice", STATEMENT.choices),
        Filter("month", _("月份"), _in_month, "month"),
        Filter("q", _("编号或服务商"), of_provider),
        by_amount("total_fen"),
    )
    return Listing(request, statements(request.actor), *filters)


@page(VIEW)
def statement_list(request: Any) -> HttpResponse:
    """Statements with their totals, the form that draws one up, and the button for the whole month."""
    listing = _listing(request)
    this = month_start(local_date(request.now))
    draft = action_form(
        request, "draft_statement", {"month": this}, next="/settlement/statements/{id}/", done=N_("对账单已生成"),
        fields={
            "organisation_id": {"options": "providers", "widget": "choice"},
            "month": {"widget": "month", "label": N_("月份"), "help": N_("以前月份尚未列入的费用一并列入")},
        },
    )  # fmt: skip
    return render(
        request, "console/settlement.html", tabs=settlement_tabs(request, "statements"), listing=listing, machine=STATEMENT,
        draft=draft, totals=statement_totals(listing.every), this=this, waiting=waiting(request, listing.rows), **open_values(request),
    )  # fmt: skip


@page(VIEW)
def statement_sheet(request: Any) -> HttpResponse:
    """The list as a workbook."""
    columns = [
        Column(_("对账单"), width=16), Column(_("服务商"), width=28), Column(_("付费方"), width=16), Column(_("月份"), width=10),
        Column(_("状态"), width=10), Column(_("笔数"), COUNT, 8), Column(_("金额（元）"), YUAN), Column(_("扣减（元）"), YUAN),
        Column(_("冲抵预付（元）"), YUAN), Column(_("应付（元）"), YUAN), Column(_("起草")), Column(_("初审")), Column(_("复核")),
    ]  # fmt: skip
    lines = [
        (
            row.code, row.provider.name, tr(PAYER_NAMES[row.payer]), f"{row.month:%Y-%m}", tr(row.get_state_display()), row.line_count,
            row.total_fen, row.deducted_fen, row.offset_fen, row.payable_fen, row.drafted_by.name,
            row.reviewed_by.name if row.reviewed_by else "", row.approved_by.name if row.approved_by else "",
        )
        for row in _listing(request).every[:MOST_EXPORTED]
    ]  # fmt: skip
    return excel(_("对账单"), columns, lines, above=exported_by(request))


@page("settlement.statement.draft_all")
def statement_month(request: Any) -> HttpResponse:
    """What of a month is still to be drawn up, the button that has it done, and how far the worker has come."""
    month = month_of(request)
    left = to_draft(request.actor.div or "", month)
    done = statements(request.actor).filter(month=month).exclude(state="returned").count()
    form = action_form(
        request, "draft_statements", {"month": month}, hidden=("month",), next=f"/settlement/drafting/?month={month:%Y-%m}",
        done=N_("已开始生成，完成的会逐份出现在对账单中"), confirm=_("确定生成 %(count)s 份对账单吗？") % {"count": len(left)},
    )  # fmt: skip
    return render(
        request, "console/statement_month.html", month=month, left=left[:PAGE_SIZE], count=len(left), done=done, payers=PAYER_NAMES,
        form=form if left else None, amount=sum(one.amount_fen for one in left), tabs=settlement_tabs(request, "statements"),
    )  # fmt: skip


def month_of(request: Any, *, ago: int = 0) -> date:
    """Return the month named in the address (``2026-06``), else this one or so many before."""
    named_day = meant_day(f"{request.GET.get('month', '')[:7]}-01")
    return month_start(named_day or add_months(month_start(local_date(request.now)), -ago))


def _statement(request: Any, pk: int) -> Statement:
    row = statement_of(request.actor, pk)
    if row is None:
        raise Http404
    return row


@page(VIEW)
def statement_page(request: Any, pk: int) -> HttpResponse:
    """One statement with its lines and what may be done next."""
    row = _statement(request, pk)
    with whole(row):
        listing = Listing(request, statement_lines(row))
        off = list(deductions(row)) if row.deducted_fen else []
    first = (listing.page - 1) * PAGE_SIZE + 1
    paper = statement_paper(row, listing.rows, off)
    table = page_table(
        statement_fields(), [(number, line) for number, line in enumerate(listing.rows, first)], link="order",
        address=lambda one: f"/settlement/orders/{one[1].charge.order_id}/", mark=lambda one: f"line-{one[1].pk}",
    )  # fmt: skip
    return render(
        request, "console/statement.html", row=row, listing=listing, table=table, paper=paper, machine=STATEMENT, payers=PAYER_NAMES,
        deciding=deciding(request, row, f"/settlement/statements/{pk}/"), forms=_forms(request, row, listing.rows),
        deductions=off, reasons=deduction_reasons(row.div, local_date(row.drafted_at)), claim_machine=CLAIM, line_machine=PAYOUT_LINE,
        **_afterwards(request, row),
    )  # fmt: skip


@page(VIEW)
def statement_next(request: Any, pk: int) -> HttpResponse:
    """Go on to the next statement of the month on which the person has a step to take, or back to the month."""
    row = _statement(request, pk)
    mine = Q(pk__in=[])
    if request.actor.has("settlement.statement.review"):
        mine |= Q(state="draft")
    if request.actor.has("settlement.statement.approve"):
        own = Q(drafted_by=request.actor.user_id) | Q(reviewed_by=request.actor.user_id)
        mine |= Q(state="reviewed") & ~own
    others = statements(request.actor).filter(mine, month=row.month).exclude(pk=pk)
    following = others.annotate(is_above=Q(pk__gt=pk)).order_by("is_above", "-pk").values_list("pk", flat=True).first()
    if following is None:
        messages.info(request, _("这个月没有别的对账单等您办理"))
        return HttpResponseRedirect(f"/settlement/?month={row.month:%Y-%m}")
    return HttpResponseRedirect(f"/settlement/statements/{following}/")


def _afterwards(request: Any, row: Statement) -> dict[str, Any]:
    """What followed the approval: claims, the payment, invoices."""
    if row.state != "approved":
        return {"claims": [], "payment": None, "invoices": []}
    is_claimed = row.payer in claim_payers(row.div, local_date(request.now))
    return {
        "claims": list(Claim.objects.filter(statement=row).order_by("attempt")) if is_claimed else [],
        "payment": payment_of(request.actor, f"statement:{row.pk}"),
        "invoices": _invoices(request, row),
    }


def _forms(request: Any, row: Statement, lines: list[Any]) -> dict[str, ActionForm]:
    pk, here = row.pk, f"/settlement/statements/{row.pk}/"
    forms: dict[str, ActionForm] = {}
    if STATEMENT.allows("return", row.state) and not request.actor.has("settlement.statement.return"):
        forms["object"] = action_form(
            request, "object_statement", {"statement_id": pk, "seen": row.version}, next=here, tone="danger"
        )
    if row.state == "draft":
        choices = [("", _("整份对账单"))]
        choices += [
            (one.pk, f"{one.charge.order.code} {tr(one.charge.line.name)} {yuan(one.charge.amount_fen)}")
            for one in lines
        ]
        fields: dict[str, Any] = {
            "reason": {"options": "deduction_reasons"}, "note": {"label": N_("依据")},
            "line_id": {"options": [(str(value), text) for value, text in choices], "widget": "choice", "help": N_("本页的明细；其他行请翻页")},
        }  # fmt: skip
        forms["deduct"] = action_form(
            request, "deduct_statement", {"statement_id": pk, "seen": row.version}, next=here, tone="", fields=fields
        )
    if row.state == "approved":
        values = {"statement_id": pk, "amount_fen": row.payable_fen, "issued_on": local_date(request.now)}
        forms["invoice"] = action_form(
            request, "register_invoice", values, next=here, tone="", fields={"issued_on": {"label": N_("开票日期")}}
        )
        if row.payer in claim_payers(row.div, local_date(request.now)):
            forms["claim"] = action_form(
                request, "submit_claim", {"statement_id": pk}, next="/settlement/claims/{id}/", done=N_("已申报")
            )
    return forms


def _invoices(request: Any, row: Statement) -> list[tuple[Invoice, ActionForm | None]]:
    here = f"/settlement/statements/{row.pk}/"

    def cancel(one: Invoice) -> ActionForm:
        return action_form(
            request, "cancel_invoice", {"invoice_id": one.pk, "seen": one.version}, next=here, tone="danger"
        )

    rows = Invoice.objects.filter(statement=row).select_related("entered_by").order_by("pk")
    return [(one, cancel(one) if one.cancelled_at is None else None) for one in rows]


@page(VIEW)
def statement_print(request: Any, pk: int) -> HttpResponse:
    """The statement on paper: totals in figures and in capital characters, places for signatures."""
    paper = statement_paper(_statement(request, pk))
    return render(
        request, "console/paper_print.html", paper=paper, table=page_table(paper.fields, paper.rows), back=f"/settlement/statements/{pk}/"
    )  # fmt: skip


@page(VIEW)
def statement_file(request: Any, pk: int, kind: str) -> HttpResponse:
    """The statement as a workbook or as PDF."""
    return paper_answer(statement_paper(_statement(request, pk)), kind, request.now)


@page(VIEW)
def purchase_list(request: Any) -> HttpResponse:
    """The payment list of a payer and month; of government purchase unless another payer is asked for (R-PAY-12)."""
    payer, month, state = _asked(request)
    paper = purchase_paper(request.actor, payer, month, state=state)
    listing = Listing(request, list(paper.rows))
    table = page_table(
        purchase_fields(), listing.rows, link="statement", mark=lambda row: f"provider-{row[1].provider_id}",
        address=lambda row: f"/settlement/statements/{row[1].statement_id}/" if row[1].statement_id else "",
    )  # fmt: skip
    return render(
        request, "console/purchase.html", paper=paper, listing=listing, table=table, payer=payer, month=month, state=state,
        payers=STATEMENT_PAYERS, states=STATEMENT.choices, tabs=settlement_tabs(request, "purchase"),
        query=f"payer={payer}&month={month:%Y-%m}&state={state}",
    )  # fmt: skip


def _asked(request: Any) -> tuple[str, date, str]:
    payer, state = request.GET.get("payer", ""), request.GET.get("state", "")
    return (
        payer if payer in dict(STATEMENT_PAYERS) else "government", month_of(request, ago=1), state if state in dict(STATEMENT.choices) else ""
    )  # fmt: skip


@page(VIEW)
def purchase_file(request: Any, kind: str) -> HttpResponse:
    """The payment list as a workbook or as PDF."""
    payer, month, state = _asked(request)
    return paper_answer(purchase_paper(request.actor, payer, month, state=state), kind, request.now)


urlpatterns = [
    path("settlement/", statement_list),
    path("settlement/excel/", statement_sheet),
    path("settlement/drafting/", statement_month),
    path("settlement/purchase/", purchase_list),
    path("settlement/purchase/excel/", purchase_file, {"kind": "excel"}),
    path("settlement/purchase/pdf/", purchase_file, {"kind": "pdf"}),
    path("settlement/statements/<int:pk>/", statement_page),
    path("settlement/statements/<int:pk>/next/", statement_next),
    path("settlement/statements/<int:pk>/print/", statement_print),
    path("settlement/statements/<int:pk>/excel/", statement_file, {"kind": "excel"}),
    path("settlement/statements/<int:pk>/pdf/", statement_file, {"kind": "pdf"}),
]
