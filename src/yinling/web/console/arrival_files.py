"""Receipts of money from a bank's file: what each line would pay and every fault, then one button."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.settlement.arriving import HEADS, IN, OUT
from yinling.settlement.operations import load_transfers
from yinling.settlement.queries import PAYER_NAMES, fund_name
from yinling.settlement.queries.arrivals import open_by_fund
from yinling.settlement.queries.claims import claim_payers
from yinling.settlement.queries.ledger import FUND_CHOICES
from yinling.settlement.queries.receipts import SENDERS, preview_arrivals
from yinling.settlement.rules import PAYER_FUNDS
from yinling.settlement.tables import SKIP
from yinling.web.console.settlement import settlement_tabs
from yinling.web.console.uploads import Wordy, upload
from yinling.web.pages import page, render
from yinling.web.sheets import comma_separated
from yinling.web.show import tr

RIGHT = "settlement.transfer.load"


@page(RIGHT)
def arrivals_new(request: Any) -> HttpResponse:
    """Upload receipts: first what each of them would pay and every fault by line, then, if there is none, the button that books them."""
    found = upload(
        request,
        "arrival",
        lambda file: preview_arrivals(request.actor, file, local_date(request.now)),
        lambda content, _name, layout: load_transfers(actor=request.actor, now=request.now, content=content, layout=layout),
        (Wordy("payer", N_("谁付的"), _senders(request)), Wordy("mark", N_("收支"), [(IN, N_("收入")), (OUT, N_("支出"))])),
    )  # fmt: skip
    if found is None:
        return HttpResponseRedirect("/settlement/arrivals/")
    return render(
        request, "console/arrivals_new.html", status=found.status, found=found, heads=HEADS, senders=dict(SENDERS), fund_name=fund_name,
        tabs=settlement_tabs(request, "arrivals"),
    )  # fmt: skip


def _senders(request: Any) -> list[tuple[str, str]]:
    """Whose money a name on a bank's line may be: a payer, out of the fund that it usually has or another; or nobody's who pays here."""
    answering = claim_payers(request.actor.div or "", local_date(request.now))
    found = [(SKIP, _("不在这里登记（保险回盘、利息、退款、个人付款等）"))]
    for code, label in SENDERS:
        usual = PAYER_FUNDS.get(code, "")
        if code not in answering:
            found += [
                (f"{code}/{fund}", f"{tr(label)} · {tr(name)}")
                for fund, name in sorted(FUND_CHOICES, key=lambda one: one[0] != usual)
            ]
    return found


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
