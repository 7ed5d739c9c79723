"""P14 for bodies: what was paid to the own body, for what, and what the bank sent back."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.period import ONE_DAY, local_midnight
from yinling.settlement.models import PayoutLine
from yinling.settlement.queries.payouts import received, received_totals
from yinling.settlement.states import PAYOUT_LINE
from yinling.web.console.settlement import MOST_EXPORTED, VIEW, exported_by, settlement_tabs
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import YUAN, Column, excel
from yinling.web.show import moment, tr

ORIGINS = {"statement": "/settlement/statements/{}/", "subsidy": "/subsidies/{}/"}
OWN_PARTS = "payment"


def _listing(request: Any) -> Listing:
    if not request.actor.organisation_id:
        raise Http404
    return Listing(
        request, received(request.actor), Filter("state", _("结果"), lambda found, value: found.filter(state=value), "choice", PAYOUT_LINE.choices),
        Filter("q", _("款项"), lambda found, text: found.filter(text__icontains=text)),
        Filter("since", _("银行答复日期从"), lambda found, value: found.filter(answered_at__gte=local_midnight(value)), "date"),
        Filter("until", _("到"), lambda found, value: found.filter(answered_at__lt=local_midnight(value + ONE_DAY)), "date"),
    )  # fmt: skip


def origin_of(line: PayoutLine) -> str:
    """Return the page of what is paid; of what elders paid through the platform, the orders with it."""
    prefix, _colon, number = line.key.partition(":")
    return "/settlement/settled/" if prefix == OWN_PARTS else ORIGINS.get(prefix, "").format(number)


@page(VIEW)
def received_list(request: Any) -> HttpResponse:
    """Payments to the own body with their sums and receipts."""
    listing = _listing(request)
    return render(
        request, "console/received.html", tabs=settlement_tabs(request, "received"), listing=listing, totals=received_totals(listing.every),
        machine=PAYOUT_LINE, origin_of=origin_of,
    )  # fmt: skip


@page(VIEW)
def received_sheet(request: Any) -> HttpResponse:
    """The list as a workbook, to be compared with the body's bank account."""
    columns = [
        Column(_("款项"), width=36), Column(_("付费方"), width=16), Column(_("金额（元）"), YUAN), Column(_("结果"), width=10),
        Column(_("银行答复"), width=18), Column(_("说明"), width=28),
    ]  # fmt: skip
    lines = [
        (
            row.text, tr(row.get_payer_display()), row.amount_fen, tr(row.get_state_display()),
            moment(row.answered_at) if row.answered_at else "", row.answer,
        )
        for row in _listing(request).every[:MOST_EXPORTED]
    ]  # fmt: skip
    return excel(_("收到的拨付"), columns, lines, above=exported_by(request))


urlpatterns = [path("settlement/received/", received_list), path("settlement/received/excel/", received_sheet)]
