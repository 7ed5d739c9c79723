"""Money that payers sent: what is still to come by fund and statement, the form that registers it, and what came."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.money import yuan
from yinling.kernel.period import ONE_DAY, local_date, local_midnight
from yinling.kernel.words import N_
from yinling.settlement.arriving import AGES
from yinling.settlement.models import Transfer
from yinling.settlement.queries import PAYER_NAMES, fund_name
from yinling.settlement.queries.arrivals import arrivals, open_by_fund, unpaid
from yinling.settlement.queries.claims import claim_payers
from yinling.settlement.queries.receipts import SENDERS
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.settlement import MOST_EXPORTED, exported_by, settlement_tabs
from yinling.web.pages import PAGE_SIZE, Filter, Listing, page, render
from yinling.web.sheets import YUAN, Column, excel
from yinling.web.shell import area_name
from yinling.web.show import day, tr

VIEW, HERE = "settlement.transfer.view", "/settlement/arrivals/"
ASKED = ("payer", "fund", "amount_fen", "statements")


def _sees_owed(request: Any) -> bool:
    """Whether the role sees what payers owe: of statements, besides what came."""
    return all(request.actor.has(right) for right in (VIEW, "settlement.statement.view"))


def open_values(request: Any) -> dict[str, Any]:
    """What the table of open amounts shows; nothing to a role that does not see it."""
    rows = open_by_fund(request.actor, local_date(request.now)) if _sees_owed(request) else []
    answering = claim_payers(request.actor.div or "", local_date(request.now))
    return {"open": rows, "ages": AGES, "payers": PAYER_NAMES, "fund_name": fund_name, "answering": answering}


def _listing(request: Any) -> Listing:
    filters = (
        Filter("payer", _("付款方"), lambda found, value: found.filter(payer=value), "choice", SENDERS),
        Filter("since", _("到账日期从"), lambda found, value: found.filter(proposed_at__gte=local_midnight(value)), "date"),
        Filter("until", _("到"), lambda found, value: found.filter(proposed_at__lt=local_midnight(value + ONE_DAY)), "date"),
        Filter("q", _("银行回单号"), lambda found, text: found.filter(note__icontains=text)),
    )  # fmt: skip
    return Listing(request, arrivals(request.actor), *filters)


@page(VIEW)
def arrival_list(request: Any) -> HttpResponse:
    """What is still to come, and what came."""
    listing = _listing(request)
    sees_owed = _sees_owed(request)
    waiting = unpaid(request.actor, listing.values["payer"] or "") if sees_owed else []
    back = {
        row.pk: action_form(request, "reverse_transfer", {"transfer_id": row.pk, "seen": row.version}, next=HERE, tone="danger", done=N_("已冲正"))
        for row in listing if not row.is_reversed
    }  # fmt: skip
    return render(
        request, "console/arrivals.html", tabs=settlement_tabs(request, "arrivals"), listing=listing, back=back, form=_form(request),
        is_asked=any(name in request.GET for name in ASKED[1:]), sees_owed=sees_owed,
        waiting=waiting[:PAGE_SIZE], count=len(waiting), senders=dict(Transfer.SENDERS),
        **open_values(request),
    )  # fmt: skip


@page(VIEW)
def arrival_sheet(request: Any) -> HttpResponse:
    """What came, as a workbook."""
    columns = [
        Column(_("到账日期"), width=12), Column(_("付款方"), width=20), Column(_("资金来源"), width=20), Column(_("区划"), width=14),
        Column(_("金额（元）"), YUAN), Column(_("银行回单号"), width=24), Column(_("凭证"), width=16), Column(_("登记")), Column(_("状态"), width=10),
    ]  # fmt: skip
    senders = dict(Transfer.SENDERS)
    lines = [
        (
            day(row.proposed_at), tr(senders[row.payer]), tr(fund_name(row.fund)), area_name(row.div), row.amount_fen, row.note, row.posting.code,
            row.booked_by.name, _("已冲正") if row.is_reversed else _("已入账"),
        )
        for row in _listing(request).every[:MOST_EXPORTED]
    ]  # fmt: skip
    return excel(_("到账记录"), columns, lines, above=exported_by(request))


def _form(request: Any) -> ActionForm:
    """The form, begun with what a row of the page says."""
    asked = {name: request.GET[name][:20] for name in ASKED if request.GET.get(name)}
    if (fen := asked.pop("amount_fen", "")).isdecimal():
        asked["amount_fen"] = yuan(int(fen))
    return action_form(
        request, "receive_transfer", {"div": request.actor.div, "on": local_date(request.now), **asked}, next=HERE, done=N_("已入账"),
        fields={"div": {"options": "own_areas", "widget": "choice"}},
    )  # fmt: skip


urlpatterns = [path("settlement/arrivals/", arrival_list), path("settlement/arrivals/excel/", arrival_sheet)]
