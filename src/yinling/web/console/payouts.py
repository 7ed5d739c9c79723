"""P14: batches of payments from what is owed to the bank's answer, the accounts of payees, receipts of transfers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _

from yinling.ground.models import in_force
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal
from yinling.kernel.words import N_
from yinling.settlement import bankfile
from yinling.settlement.models import BankAccount, Payout, PayoutLine
from yinling.settlement.operations import answer_payout, draft_payout, export_payout
from yinling.settlement.payables import Payable
from yinling.settlement.queries import PAYER_NAMES
from yinling.settlement.queries.payables import payables
from yinling.settlement.queries.payouts import (
    accounts,
    accounts_of,
    bank_file,
    held_lines,
    payout_line,
    payout_lines,
    payout_totals,
    payouts,
    preview_return,
)
from yinling.settlement.states import PAYOUT, PAYOUT_LINE
from yinling.settlement.tables import SKIP
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.choosing import Choice, elder_choice
from yinling.web.console.settlement import MOST_EXPORTED, by_amount, exported_by, numbered, settlement_tabs
from yinling.web.console.ticking import Ticked, ticked
from yinling.web.console.uploads import Wordy, upload
from yinling.web.decisions import deciding
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.papers import page_table, paper_answer
from yinling.web.queries.settlement_papers import payout_fields, payout_paper, receipt_paper
from yinling.web.sheets import COUNT, YUAN, Column, download, excel
from yinling.web.show import refusal_text, tr

VIEW = "settlement.payout.view"
RESULTS = [("成功", N_("成功")), ("失败", N_("失败")), (SKIP, N_("还没有结果，这一行先不导入"))]
SHOWN = 200
"""Amounts that are offered at once; what is left is offered when these are in a batch."""


def _listing(request: Any) -> Listing:
    filters = (
        Filter("state", _("状态"), lambda found, value: found.filter(state=value), "choice", PAYOUT.choices),
        Filter("q", _("名称或编号"), lambda found, text: found.filter(Q(title__icontains=text) | numbered(text))),
        by_amount("total_fen"),
    )
    return Listing(request, payouts(request.actor), *filters)


@page(VIEW)
def payout_list(request: Any) -> HttpResponse:
    """Batches with what the bank has paid and sent back."""
    listing = _listing(request)
    return render(
        request, "console/payouts.html", listing=listing, machine=PAYOUT, totals=payout_totals(listing.every),
        tabs=settlement_tabs(request, "payouts"),
    )  # fmt: skip


@page(VIEW)
def payout_sheet(request: Any) -> HttpResponse:
    """The list as a workbook."""
    columns = [
        Column(_("批次"), width=16), Column(_("名称"), width=28), Column(_("状态"), width=10), Column(_("笔数"), COUNT, 8),
        Column(_("金额（元）"), YUAN), Column(_("已付款（元）"), YUAN), Column(_("银行退回（元）"), YUAN), Column(_("起草"), width=12),
        Column(_("初审"), width=12), Column(_("复核"), width=12),
    ]  # fmt: skip
    lines = [
        (
            row.code, row.title, tr(row.get_state_display()), row.line_count, row.total_fen, row.paid_fen, row.failed_fen,
            *(person.name if person else "" for person in (row.drafted_by, row.reviewed_by, row.approved_by)),
        )
        for row in _listing(request).every[:MOST_EXPORTED]
    ]  # fmt: skip
    return excel(_("拨付批次"), columns, lines, above=exported_by(request))


@page("settlement.payout.draft")
def payout_new(request: Any) -> HttpResponse:
    """What is owed now, with the account it would go to; the chosen amounts become a batch."""
    problem, status = "", 200
    chosen = request.POST.getlist("keys")
    title = request.POST.get("title", "").strip()[:120]
    if request.method == "POST":
        try:
            row = draft_payout(actor=request.actor, now=request.now, title=title, keys=[key[:60] for key in chosen])
        except Refusal as refusal:
            problem, status = refusal_text(refusal), refusal.status
        else:
            return HttpResponseRedirect(f"/settlement/payouts/{row.pk}/")
    owed = payables(request.actor, request.actor.div or "")
    payer = request.GET.get("payer", "")
    found = [one for one in owed if payer in ("", one.payer)]
    shown = found[:SHOWN]
    today = local_date(request.now)
    known = accounts_of(shown, today)
    picked = {one.key for one in shown if one.key in known and (not chosen or one.key in chosen)}
    return render(
        request, "console/payout_new.html", status=status, problem=problem, owed=shown, count=len(found), accounts=known,
        payers=PAYER_NAMES, payer=payer, there=sorted({one.payer for one in owed}), picked=picked,
        sum=_sum(shown, picked), tabs=settlement_tabs(request, "payouts"),
        total=sum(one.amount_fen for one in found), title=title or _("%(month)s 拨付") % {"month": f"{today:%Y-%m}"},
    )  # fmt: skip


def _sum(rows: Iterable[Payable], keys: Collection[str]) -> Ticked:
    return ticked((one.payer, one.amount_fen) for one in rows if one.key in keys)


@page("settlement.payout.draft")
def payout_sum(request: Any) -> HttpResponse:
    """Count and total of the amounts that are ticked now."""
    if not request.htmx:
        return HttpResponseRedirect("/settlement/payouts/new/")
    owed = payables(request.actor, request.actor.div or "")
    found = _sum(owed, set(request.POST.getlist("keys")))
    return render(request, "console/payout_new.html", block="ticked", sum=found, payers=PAYER_NAMES)


def _payout(request: Any, pk: int) -> Payout:
    row = payouts(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


@page(VIEW)
def payout_page(request: Any, pk: int) -> HttpResponse:
    """One batch: its payments, who approved it, and the bank's answer."""
    row = _payout(request, pk)
    states = Filter("state", _("结果"), lambda found, value: found.filter(state=value), "choice", PAYOUT_LINE.choices)
    listing = Listing(request, payout_lines(row), states)
    table = page_table(
        payout_fields(), [(0, line) for line in listing], link="text", mark=lambda one: f"line-{one[1].pk}",
        address=lambda one: f"/settlement/receipts/{one[1].pk}/" if one[1].state == "paid" and request.actor.has("settlement.statement.view") else "",
    )  # fmt: skip
    here = f"/settlement/payouts/{pk}/"
    return render(
        request, "console/payout.html", row=row, listing=listing, table=table, machine=PAYOUT,
        deciding=deciding(request, row, here), held=[(line, _drop(request, line, here)) for line in held_lines(row)],
        can_export=row.state in ("approved", "exported") and request.actor.has("settlement.payout.export"),
        can_answer=row.state in ("exported", "completed") and request.actor.has("settlement.payout.answer"),
    )  # fmt: skip


def _drop(request: Any, line: PayoutLine, here: str) -> ActionForm:
    return action_form(
        request, "drop_payout_line", {"payout_line_id": line.pk}, next=here, done=N_("已移出"), tone="danger"
    )


@page(VIEW)
def payout_file(request: Any, pk: int, kind: str) -> HttpResponse:
    """The batch as a workbook or as PDF, without account numbers."""
    return paper_answer(payout_paper(_payout(request, pk)), kind, request.now)


@page("settlement.payout.export")
def payout_bank(request: Any, pk: int) -> HttpResponse:
    """The file for the bank; who took it stands in the journal. The same file again has the same bytes."""
    if request.method != "POST":
        return HttpResponseRedirect(f"/settlement/payouts/{pk}/")
    row = export_payout(actor=request.actor, now=request.now, payout_id=pk)
    return download(bank_file(row), "text/csv; charset=utf-8", f"{row.code}.csv")


@page("settlement.payout.answer")
def payout_answer(request: Any, pk: int) -> HttpResponse:
    """Upload the bank's answer: first every fault by line, then, if there is none, the button that books it."""
    row = _payout(request, pk)
    found = upload(
        request,
        "return",
        lambda file: preview_return(request.actor, row, file),
        lambda content, _name, layout: answer_payout(actor=request.actor, now=request.now, payout_id=pk, content=content, layout=layout),
        [Wordy("result", N_("结果"), RESULTS)],
    )  # fmt: skip
    if found is None:
        return HttpResponseRedirect(f"/settlement/payouts/{pk}/")
    return render(
        request, "console/payout_answer.html", status=found.status, row=row, found=found, heads=bankfile.RETURN_HEADS,
        words={state: word for word, state in bankfile.RESULTS.items()},
    )  # fmt: skip


@page("settlement.statement.view")
def receipt_page(request: Any, pk: int, kind: str = "") -> HttpResponse:
    """The receipt of one transfer, on a page to be printed or as PDF."""
    line = payout_line(request.actor, pk)
    if line is None or line.state != "paid":
        raise Http404
    paper = receipt_paper(line)
    if kind:
        return paper_answer(paper, kind, request.now)
    elsewhere = "/settlement/received/" if request.actor.organisation_id else "/settlement/"
    back = f"/settlement/payouts/{line.payout_id}/" if request.actor.has(VIEW) else elsewhere
    return render(
        request, "console/paper_print.html", paper=paper, table=page_table(paper.fields, paper.rows), back=back,
        pdf=f"/settlement/receipts/{pk}/pdf/",
    )  # fmt: skip


@page("settlement.account.view")
def account_list(request: Any) -> HttpResponse:
    """Accounts of payees, those to be confirmed first; numbers by their last four digits."""
    today = local_date(request.now)
    filters = (
        Filter("holder", _("户名"), lambda found, value: found.filter(holder__contains=value)),
        Filter("open", _("只看待确认"), lambda found, _yes: found.filter(confirmed_by=None, recorded_to=None), "check"),
        Filter(
            "live",
            _("只看在用"),
            lambda found, _yes: found.filter(in_force(today), confirmed_by__isnull=False),
            "check",
        ),
    )
    listing = Listing(request, accounts(request.actor), *filters)
    who = elder_choice(request)
    propose = _propose(request, who, today)
    rows = [(row, _account_forms(request, row, today)) for row in listing]
    return render(
        request, "console/bank_accounts.html", listing=listing, rows=rows, propose=propose, who=who, today=today,
        is_asked=who.elder is not None or "organisation" in request.GET, tabs=settlement_tabs(request, "accounts"),
    )  # fmt: skip


def _propose(request: Any, who: Choice, today: date) -> ActionForm:
    """The form for an account: of the elder chosen, else of a body."""
    own = request.actor.organisation_id
    is_known = bool(own or who.elder)
    whose = {"elder_id": who.elder.pk} if who.elder else {"organisation_id": own or request.GET.get("organisation")}
    body = {} if is_known else {"organisation_id": {"options": "providers", "widget": "choice", "required": True}}
    return action_form(
        request, "propose_account", whose | {"valid_from": today}, next="/settlement/accounts/", done=N_("已登记，待另一人确认"),
        hidden=("organisation_id", "elder_id") if is_known else ("elder_id",), fields=body | {"valid_from": {"label": N_("启用日期")}},
    )  # fmt: skip


def _account_forms(request: Any, row: BankAccount, today: Any) -> list[ActionForm]:
    here, values = "/settlement/accounts/", {"account_id": row.pk, "seen": row.version}
    if row.recorded_to is not None or (row.valid_to is not None and row.valid_to <= today):
        return []
    forms = []
    if row.confirmed_by_id is None and row.proposed_by_id != request.actor.user_id:
        forms.append(action_form(request, "confirm_account", values, next=here, done=N_("已确认"), tone=""))
    forms.append(action_form(request, "reveal_account", {"account_id": row.pk}, tone=""))
    forms.append(action_form(request, "end_account", values, next=here, tone="danger"))
    return forms


urlpatterns = [
    path("settlement/payouts/", payout_list),
    path("settlement/payouts/excel/", payout_sheet),
    path("settlement/payouts/new/", payout_new),
    path("settlement/payouts/sum/", payout_sum),
    path("settlement/payouts/<int:pk>/", payout_page),
    path("settlement/payouts/<int:pk>/excel/", payout_file, {"kind": "excel"}),
    path("settlement/payouts/<int:pk>/pdf/", payout_file, {"kind": "pdf"}),
    path("settlement/payouts/<int:pk>/bank/", payout_bank),
    path("settlement/payouts/<int:pk>/answer/", payout_answer),
    path("settlement/receipts/<int:pk>/", receipt_page),
    path("settlement/receipts/<int:pk>/pdf/", receipt_page, {"kind": "pdf"}),
    path("settlement/accounts/", account_list),
]
