"""Money that payers sent: what is still to come by fund and statement, the form that registers it, and what came."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.money import yuan
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.settlement.arriving import AGES
from yinling.settlement.models import Transfer
from yinling.settlement.operations.arrivals import SENDERS
from yinling.settlement.queries import PAYER_NAMES, fund_name
from yinling.settlement.queries.arrivals import arrivals, open_by_fund, unpaid
from yinling.settlement.queries.claims import claim_payers
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.settlement import settlement_tabs
from yinling.web.pages import PAGE_SIZE, Filter, Listing, page, render

VIEW, HERE = "settlement.transfer.view", "/settlement/arrivals/"
ASKED = ("payer", "fund", "amount_fen", "statements")


def open_values(request: Any) -> dict[str, Any]:
    """What the table of open amounts shows; nothing to a role that does not see it."""
    rows = open_by_fund(request.actor, local_date(request.now)) if request.actor.has(VIEW) else []
    answering = claim_payers(request.actor.div or "", local_date(request.now))
    return {"open": rows, "ages": AGES, "payers": PAYER_NAMES, "fund_name": fund_name, "answering": answering}


@page(VIEW)
def arrival_list(request: Any) -> HttpResponse:
    """What is still to come, and what came."""
    payer = Filter("payer", _("付款方"), lambda found, value: found.filter(payer=value), "choice", SENDERS)
    listing = Listing(request, arrivals(request.actor), payer)
    waiting = unpaid(request.actor, listing.values["payer"] or "")
    back = {
        row.pk: action_form(request, "reverse_transfer", {"transfer_id": row.pk, "seen": row.version}, next=HERE, tone="danger", done=N_("已冲正"))
        for row in listing if not row.is_reversed
    }  # fmt: skip
    return render(
        request, "console/arrivals.html", tabs=settlement_tabs(request, "arrivals"), listing=listing, back=back, form=_form(request),
        is_asked=any(name in request.GET for name in ASKED[1:]), waiting=waiting[:PAGE_SIZE], count=len(waiting), senders=dict(Transfer.SENDERS),
        **open_values(request),
    )  # fmt: skip


def _form(request: Any) -> ActionForm:
    """The form, begun with what a row of the page says."""
    asked = {name: request.GET[name][:20] for name in ASKED if request.GET.get(name)}
    if (fen := asked.pop("amount_fen", "")).isdecimal():
        asked["amount_fen"] = yuan(int(fen))
    return action_form(
        request, "receive_transfer", {"div": request.actor.div, "on": local_date(request.now), **asked}, next=HERE, done=N_("已入账"),
        fields={"div": {"options": "own_areas", "widget": "choice"}},
    )  # fmt: skip


urlpatterns = [path("settlement/arrivals/", arrival_list)]
