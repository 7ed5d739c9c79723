"""Receipts of money from a bank's file: what each line would pay and every fault, then one button."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.period import local_date
from yinling.settlement.arriving import HEADS
from yinling.settlement.operations import load_transfers
from yinling.settlement.queries import PAYER_NAMES, fund_name
from yinling.settlement.queries.arrivals import open_by_fund
from yinling.settlement.queries.claims import claim_payers
from yinling.settlement.queries.receipts import SENDERS, preview_arrivals
from yinling.web.console.settlement import settlement_tabs
from yinling.web.console.uploads import upload
from yinling.web.pages import page, render
from yinling.web.sheets import comma_separated

RIGHT = "settlement.transfer.load"


@page(RIGHT)
def arrivals_new(request: Any) -> HttpResponse:
    """Upload receipts: first what each of them would pay and every fault by line, then, if there is none, the button that books them."""
    found = upload(
        request,
        lambda data: preview_arrivals(request.actor, data, local_date(request.now)),
        lambda content, _name: load_transfers(actor=request.actor, now=request.now, content=content),
    )
    if found is None:
        return HttpResponseRedirect("/settlement/arrivals/")
    return render(
        request, "console/arrivals_new.html", status=found.status, found=found, heads=HEADS, senders=dict(SENDERS), fund_name=fund_name,
        tabs=settlement_tabs(request, "arrivals"),
    )  # fmt: skip


@page(RIGHT)
def arrivals_form(request: Any) -> HttpResponse:
    """The table to be filled in: what every payer owes out of which fund. Day and number are on the bank's receipt."""
    today = local_date(request.now)
    answering = claim_payers(request.actor.div or "", today)
    rows = [
        ("", "", PAYER_NAMES[one.payer], fund_name(one.fund), Decimal(one.fen).scaleb(-2), request.actor.div, "")
        for one in open_by_fund(request.actor, today)
        if one.fen > 0 and one.payer not in answering
    ]
    return comma_separated(_("到账"), HEADS, rows)


urlpatterns = [
    path("settlement/arrivals/new/", arrivals_new),
    path("settlement/arrivals/new/csv/", arrivals_form),
]
