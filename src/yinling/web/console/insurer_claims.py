"""P14: claims to insurers: what may be sent, what came back, files of answers with their faults by line, refused lines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.masks import mask_name
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.settlement.models import Claim
from yinling.settlement.operations import load_remittance
from yinling.settlement.queries import PAYER_NAMES
from yinling.settlement.queries.claims import (
    OUTSIDE,
    ageing,
    claim_lines,
    claim_payers,
    claim_totals,
    claimable,
    claims,
    preview_remittance,
    refusal_reasons,
    refused_lines,
    remittances,
)
from yinling.settlement.queries.ledger import beside
from yinling.settlement.queries.statements import whole
from yinling.settlement.remitting import HEADS
from yinling.settlement.states import CLAIM, CLAIM_LINE
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.settlement import MOST_EXPORTED, by_amount, called, exported_by, of_provider, settlement_tabs
from yinling.web.console.uploads import Wordy, upload
from yinling.web.options import Pairs, named
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, YUAN, Column, comma_separated, excel
from yinling.web.show import day, moment, tr

VIEW = "settlement.claim.view"
SHOWN = 10


@named("refusal_reasons")
def refusal_choices(request: Any) -> Pairs:
    """The payers' numbered reasons in the actor's area, and none."""
    reasons = refusal_reasons(request.actor.div or "", local_date(request.now))
    return [("", _("全额支付")), *[(code, f"{code} {tr(text)}") for code, text in reasons.items()]]


def _payers(request: Any) -> Pairs:
    """Who pays by claim in the actor's area."""
    return [(code, PAYER_NAMES[code]) for code in claim_payers(request.actor.div or "", local_date(request.now))]


def _listing(request: Any) -> Listing:
    payers = _payers(request)
    filters = (
        Filter("payer", _("付费方"), lambda found, value: found.filter(payer=value), "choice", payers),
        Filter("state", _("状态"), lambda found, value: found.filter(state=value), "choice", CLAIM.choices),
        Filter("month", _("对账月份"), lambda found, value: found.filter(statement__month=value), "month"),
        Filter("q", _("编号或服务商"), of_provider),
        Filter("refused", _("只看有拒付"), lambda found, _yes: found.filter(refused_count__gt=0), "check"),
        by_amount("claimed_fen"),
    )
    return Listing(request, claims(request.actor), *filters)


@page(VIEW)
def claim_list(request: Any) -> HttpResponse:
    """Claims with their sums and age, and the statements that may be claimed."""
    listing, payers = _listing(request), _payers(request)
    ready = list(claimable(request.actor).filter(payer__in=[code for code, _name in payers])[: SHOWN + 1])
    forms = [
        (
            row,
            action_form(
                request,
                "submit_claim",
                {"statement_id": row.pk},
                next="/settlement/claims/{id}/",
                done=N_("已申报"),
                tone="",
            ),
        )
        for row in ready[:SHOWN]
    ]
    return render(
        request, "console/claims.html", tabs=settlement_tabs(request, "claims"), listing=listing, machine=CLAIM, payers=PAYER_NAMES,
        totals=claim_totals(listing.every), ages=ageing(request.actor, request.now), ready=forms, more=len(ready) > SHOWN,
    )  # fmt: skip


@page(VIEW)
def claim_sheet(request: Any) -> HttpResponse:
    """The list as a workbook."""
    columns = [
        Column(_("申报编号"), width=18), Column(_("对账单"), width=16), Column(_("服务商"), width=28), Column(_("付费方"), width=16),
        Column(_("状态"), width=10), Column(_("行数"), COUNT, 8), Column(_("申报（元）"), YUAN), Column(_("已支付（元）"), YUAN),
        Column(_("待回复（元）"), YUAN), Column(_("拒付行"), COUNT, 8), Column(_("申报时间"), width=18),
    ]  # fmt: skip
    lines = [
        (
            row.code, row.statement.code, row.provider.name, tr(PAYER_NAMES[row.payer]), tr(row.get_state_display()), row.line_count,
            row.claimed_fen, row.paid_fen, row.open_fen, row.refused_count, moment(row.submitted_at),
        )
        for row in _listing(request).every[:MOST_EXPORTED]
    ]  # fmt: skip
    return excel(_("申报"), columns, lines, above=exported_by(request))


def _claim(request: Any, pk: int) -> Claim:
    row = claims(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


@page(VIEW)
def claim_page(request: Any, pk: int) -> HttpResponse:
    """One claim with the payer's answers, and what may be done about refused lines."""
    row = _claim(request, pk)
    here = f"/settlement/claims/{pk}/"
    rows = claim_lines(row)
    states = Filter("state", _("状态"), lambda found, value: found.filter(state=value), "choice", CLAIM_LINE.choices)
    with whole(row):
        listing = Listing(request, rows, states)
    values = {"claim_id": pk, "seen": row.version}
    forms: dict[str, ActionForm] = {}
    if row.refused_count:  # type: ignore[attr-defined]
        forms["resubmit"] = action_form(
            request,
            "resubmit_claim",
            values,
            next="/settlement/claims/{id}/",
            only=("reason",),
            done=N_("已重新申报"),
            submit=N_("全部重新申报"),
        )
    if CLAIM.allows("withdraw", row.state):
        forms["withdraw"] = action_form(request, "withdraw_claim", values, next=here, tone="danger", done=N_("已撤回"))
    lines = [(line, _line_forms(request, line, here)) for line in listing]
    return render(
        request, "console/claim.html", row=row, listing=listing, lines=lines, machine=CLAIM, line_machine=CLAIM_LINE, payers=PAYER_NAMES,
        forms=forms, reasons=refusal_reasons(row.div, local_date(request.now)),
    )  # fmt: skip


def _line_forms(request: Any, line: Any, here: str) -> list[ActionForm]:
    values = {"claim_line_id": line.pk, "seen": line.version}
    if line.state == "refused":
        return [
            action_form(
                request, "appeal_claim_line", values, next=here, tone="", fields={"text": {"label": N_("申诉理由")}}
            ),
            action_form(request, "abandon_claim_line", values, next=here, tone="danger"),
        ]
    if line.state == "appealed":
        fields = {"refusal": {"options": "refusal_reasons"}}
        return [
            action_form(
                request, "answer_claim_line", values | {"paid_fen": line.claimed_fen}, next=here, tone="", fields=fields
            )
        ]
    return []


@page(VIEW)
def claim_file(request: Any, pk: int, kind: str) -> HttpResponse:
    """The claim for its payer, line by line: CSV for the payer's system, or a workbook."""
    row = _claim(request, pk)
    heads = [_("申报编号"), _("行号"), _("订单号"), _("服务日期"), _("老年人"), _("项目"), _("申报金额（元）")]
    with whole(row):
        lines = list(claim_lines(row).exclude(refusal=OUTSIDE))
    rows = [
        (row.code, line.number, line.line.charge.order.code, day(line.line.charge.service_day), mask_name(line.line.charge.order.elder_name),
         tr(line.line.charge.line.name), line.claimed_fen)
        for line in lines
    ]  # fmt: skip
    if kind == "csv":
        return comma_separated(row.code, heads, [(*cells, Decimal(fen).scaleb(-2)) for *cells, fen in rows])
    kinds = [None, COUNT, None, None, None, None, YUAN]
    columns = [Column(head, kind or "text", 16) for head, kind in zip(heads, kinds, strict=True)]
    above = [f"{row.code} {row.provider.name}", f"{_('付费方')}：{tr(PAYER_NAMES[row.payer])}"]
    return excel(
        row.code,
        columns,
        rows,
        above=above,
        below=(None, _("合计"), None, None, None, None, sum(cells[-1] for cells in rows)),
    )


@page("settlement.remittance.load")
def remittance_new(request: Any) -> HttpResponse:
    """Upload a payer's file: first every fault by line, then, if there is none, the button that books it."""
    day_of = local_date(request.now)
    payers = _payers(request)
    payer = request.POST.get("payer", "")
    reasons = [
        (code, f"{code} {tr(text)}")
        for code, text in refusal_reasons(request.actor.div or "", day_of).items()
        if code != OUTSIDE
    ]
    found = upload(
        request,
        "remittance",
        lambda file: preview_remittance(request.actor, payer, file, day_of),
        lambda content, name, layout: load_remittance(
            actor=request.actor, now=request.now, payer=payer, name=name, content=content, layout=layout
        ),
        [Wordy("refusal", N_("拒付代码"), reasons)],
        payer=payer,
    )
    if found is None:
        return HttpResponseRedirect("/settlement/remittances/")
    return render(
        request, "console/remittance_new.html", status=found.status, payers=payers, payer=payer, found=found, heads=HEADS,
        reasons=[(code, text.partition(" ")[2]) for code, text in reasons],
        tabs=settlement_tabs(request, "claims"),
    )  # fmt: skip


@page(VIEW)
def remittance_list(request: Any) -> HttpResponse:
    """Files of answers that were read."""
    listing = Listing(request, remittances(request.actor))
    return render(
        request,
        "console/remittances.html",
        listing=listing,
        payers=PAYER_NAMES,
        tabs=settlement_tabs(request, "claims"),
    )


@page(VIEW)
def refused_list(request: Any) -> HttpResponse:
    """Refused lines on which somebody has to decide."""
    with beside(request.actor):  # a body's claim has services of other districts, too
        listing = Listing(
            request,
            refused_lines(request.actor),
            Filter("q", _("服务商"), lambda rows, text: rows.filter(called(text))),
        )
    reasons = refusal_reasons(request.actor.div or "", local_date(request.now))
    return render(
        request, "console/claims_refused.html", listing=listing, reasons=reasons, payers=PAYER_NAMES, tabs=settlement_tabs(request, "claims")
    )  # fmt: skip


urlpatterns = [
    path("settlement/claims/", claim_list),
    path("settlement/claims/excel/", claim_sheet),
    path("settlement/claims/refused/", refused_list),
    path("settlement/claims/<int:pk>/", claim_page),
    path("settlement/claims/<int:pk>/csv/", claim_file, {"kind": "csv"}),
    path("settlement/claims/<int:pk>/excel/", claim_file, {"kind": "excel"}),
    path("settlement/remittances/", remittance_list),
    path("settlement/remittances/new/", remittance_new),
]
