"""Reimbursing households as spent: item by item, two persons, and the trail of the money."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.accounts.operations import record
from yinling.ground.files import content_of
from yinling.ground.scope import scope
from yinling.kernel.masks import mask_name
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.queries.names import reader
from yinling.programmes.subsidies.queries.funds import Trail, trail
from yinling.settlement.models import ExpensePaper
from yinling.settlement.queries.reimbursements import (
    item_list,
    line_of,
    reimbursable,
    reimbursement_totals,
    reimbursements_shown,
    result_of,
)
from yinling.settlement.reimbursing import OUTCOMES
from yinling.settlement.states import PAYOUT_LINE, REIMBURSEMENT
from yinling.web.actions import action_form
from yinling.web.console.funds import fund_tabs, paid_deciding
from yinling.web.console.people import area_filter
from yinling.web.console.settlement import numbered
from yinling.web.options import named
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import YUAN, Column, excel
from yinling.web.shell import area_name
from yinling.web.show import day, tr

VIEW = "settlement.reimbursement.view"
EXPORTED = 5000


@named("reimbursable")
def reimbursable_choices(request: Any) -> list[tuple[str, str]]:
    """Holders of a sum paid once whose household has not been reimbursed."""
    rows = reimbursable(request.actor, local_date(request.now))[:300]
    return [(str(row.pk), f"{row.elder.name} {row.scheme.name} {area_name(row.elder.div)}") for row in rows]


def _found(rows: Any, text: str) -> Any:
    return rows.filter(numbered(text) | Q(contractor__icontains=text) | Q(invoice_number__icontains=text))


def _listing(request: Any) -> Listing:
    area, _names = area_filter(request)
    filters = (
        Filter("state", _("状态"), lambda rows, value: rows.filter(state=value), "choice", REIMBURSEMENT.choices),
        Filter("q", _("编号、施工单位或发票号码"), _found),
        area,
    )
    return Listing(request, reimbursements_shown(request.actor), *filters)


def _reading(request: Any) -> Any:
    """The scope in which the papers of an area are whole: some of its elders live elsewhere by now."""
    return scope(reader(request.actor.div or ""))


@page(VIEW)
def reimbursement_list(request: Any) -> HttpResponse:
    """Reimbursements with their sums."""
    with _reading(request):
        listing = _listing(request)
        totals = reimbursement_totals(listing.every)
    return render(
        request, "console/reimbursements.html", tabs=fund_tabs(request, "reimbursements"), listing=listing, machine=REIMBURSEMENT,
        totals=totals, payout=PAYOUT_LINE,
        excel=listing.address().replace("/reimbursements/", "/reimbursements/excel/", 1),
    )  # fmt: skip


@page(VIEW)
def reimbursements_excel(request: Any) -> HttpResponse:
    """The list as a workbook."""
    with _reading(request):
        rows = list(_listing(request).every[:EXPORTED])
    states = dict(REIMBURSEMENT.choices)
    columns = [
        Column(_("编号"), width=14), Column(_("老年人"), width=10), Column(_("待遇"), width=20), Column(_("施工单位"), width=24),
        Column(_("发票号码"), width=16), Column(_("验收日期"), width=12), Column(_("实际支出（元）"), YUAN), Column(_("补贴（元）"), YUAN),
        Column(_("个人承担（元）"), YUAN), Column(_("状态"), width=10),
    ]  # fmt: skip
    lines = [
        (
            row.code, mask_name(row.elder.name), row.entitlement.scheme.name, row.contractor, row.invoice_number, day(row.accepted_on),
            row.actual_fen, row.subsidy_fen, row.self_fen, tr(states[row.state]),
        )
        for row in rows
    ]  # fmt: skip
    return excel(_("报销"), columns, lines)


@page("settlement.reimbursement.draft")
def reimbursement_new(request: Any) -> HttpResponse:
    """Begin a reimbursement: whose, which work, accepted when."""
    form = action_form(
        request, "draft_reimbursement", next="/reimbursements/{id}/", done=N_("已登记，请逐项填写"),
        fields={"entitlement_id": {"options": "reimbursable", "widget": "choice", "label": N_("待遇")}},
    )  # fmt: skip
    has_any = reimbursable(request.actor, local_date(request.now)).exists()
    return render(
        request, "console/reimbursement_new.html", tabs=fund_tabs(request, "reimbursements"), form=form, has_any=has_any
    )


def _row(request: Any, pk: int) -> tuple[Any, Trail]:
    with _reading(request):
        row = reimbursements_shown(request.actor).filter(pk=pk).first()
        if row is None:
            raise Http404
        return row, trail(row, line_of(row), request.actor.div or "")


@page(VIEW)
def reimbursement_page(request: Any, pk: int) -> HttpResponse:
    """One reimbursement: its items and what is open, papers, who decided, and where the money came from and went."""
    here = f"/reimbursements/{pk}/"
    row, found = _row(request, pk)
    items = item_list(row.entitlement.scheme.code, row.div, row.accepted_on)
    choices = [
        (one.code, f"{one.code} {one.name}（{_('基础') if one.is_base else _('可选')}）") for one in items.values()
    ]
    enter = action_form(
        request,
        "enter_item",
        {"reimbursement_id": pk, "seen": row.version},
        next=here,
        fields={"item": {"options": choices, "widget": "choice"}},
    )
    attach = action_form(request, "attach_expense", {"reimbursement_id": pk}, next=here)
    is_draft = row.state == "draft"
    return render(
        request, "console/reimbursement.html", row=row, result=result_of(row), items=items, machine=REIMBURSEMENT,
        deciding=paid_deciding(request, row, here),
        enter=enter if is_draft else None, attach=attach if is_draft else None, outcomes=dict(OUTCOMES), payout=PAYOUT_LINE,
        papers=list(ExpensePaper.objects.filter(reimbursement=row).order_by("pk")), trail=found,
    )  # fmt: skip


@page(VIEW)
def expense_picture(request: Any, pk: int) -> HttpResponse:
    """The picture of a paper. That it was looked at stands in the journal."""
    paper = ExpensePaper.objects.visible_to(request.actor).select_related("file", "reimbursement").filter(pk=pk).first()
    if paper is None:
        raise Http404
    record(actor=request.actor, now=request.now, event=VIEW, subject=paper.reimbursement)
    answer = HttpResponse(content_of(paper.file), content_type=paper.file.content_type)
    answer["Cache-Control"] = "private, max-age=600"
    return answer


urlpatterns = [
    path("reimbursements/", reimbursement_list),
    path("reimbursements/excel/", reimbursements_excel),
    path("reimbursements/new/", reimbursement_new),
    path("reimbursements/<int:pk>/", reimbursement_page),
    path("reimbursements/papers/<int:pk>/", expense_picture),
]
