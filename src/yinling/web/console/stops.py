"""What a death, a move or a stay away from home stopped for one elder, and the recovery lists that follow late news."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.masks import mask_name
from yinling.kernel.period import ONE_DAY
from yinling.orders.states import ORDER
from yinling.people.models import Elder
from yinling.people.rules import elder_code
from yinling.settlement.models import RECOVERY_KINDS, Recovery
from yinling.settlement.queries import PAYER_NAMES, recoveries, recovery_lines, recovery_totals
from yinling.settlement.states import RECOVERY
from yinling.web.console.settlement import settlement_tabs
from yinling.web.decisions import deciding
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.queries.stops import stops_shown
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.show import moment, tr

VIEW = "settlement.recovery.view"


@page("people.elder.view")
def elder_stops(request: Any, pk: int) -> HttpResponse:
    """What was stopped, what was left and why, what is recovered, and what has to be given again after a correction."""
    elder = Elder.objects.visible_to(request.actor).filter(pk=pk).first()
    if elder is None:
        raise Http404
    found = stops_shown(request.actor, elder, request.now)
    lasts = {cause.fact.pk: cause.fact.valid_to and cause.fact.valid_to - ONE_DAY for cause in found.causes}
    return render(
        request, "console/stops.html", elder=elder, code=elder_code(pk), found=found, lasts=lasts, order_machine=ORDER, machine=RECOVERY,
        payers=PAYER_NAMES,
    )  # fmt: skip


@page(VIEW)
def recovery_list(request: Any) -> HttpResponse:
    """Recovery lists with their totals."""
    state = Filter(
        "state", _("状态"), lambda found, value: found.filter(state=value), "choice", RECOVERY.choices
    )  # fmt: skip
    listing = Listing(request, recoveries(request.actor), state)
    return render(
        request, "console/recoveries.html", tabs=settlement_tabs(request, "recoveries"), listing=listing, machine=RECOVERY,
        totals=recovery_totals(listing.every),
    )  # fmt: skip


def _recovery(request: Any, pk: int) -> Recovery:
    row = recoveries(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


@page(VIEW)
def recovery_page(request: Any, pk: int) -> HttpResponse:
    """One list with its lines, and the next of its two approvals."""
    row = _recovery(request, pk)
    return render(
        request, "console/recovery.html", row=row, listing=Listing(request, recovery_lines(row)), machine=RECOVERY, payers=PAYER_NAMES,
        kinds=dict(RECOVERY_KINDS), deciding=deciding(request, row, f"/settlement/recoveries/{pk}/"),
    )  # fmt: skip


@page(VIEW)
def recovery_excel(request: Any, pk: int) -> HttpResponse:
    """The list as a workbook."""
    row = _recovery(request, pk)
    columns = [
        Column(_("序号"), COUNT, 6), Column(_("订单号"), width=16), Column(_("服务时间"), width=18), Column(_("服务商"), width=18),
        Column(_("项目"), width=22), Column(_("付费方"), width=14), Column(_("处理"), width=8), Column(_("金额（元）"), YUAN, 14),
    ]  # fmt: skip
    kinds = dict(RECOVERY_KINDS)
    lines = [
        (
            number, line.order.code, moment(line.began_at), line.provider.short_name, line.share.line.name, tr(PAYER_NAMES[line.payer]),
            tr(kinds[line.kind]), line.amount_fen,
        )
        for number, line in enumerate(recovery_lines(row), 1)
    ]  # fmt: skip
    above = [
        f"{row.code} {mask_name(row.elder_name)}",  # type: ignore[attr-defined]
        _("自 %(moment)s 起的服务不予支付　状态：%(state)s") % {"moment": moment(row.stopped_at), "state": tr(row.get_state_display())},
    ]  # fmt: skip
    below = (None, _("合计"), None, None, None, None, None, row.recover_fen + row.reject_fen)
    return excel(row.code, columns, lines, above=above, below=below)


urlpatterns = [
    path("elders/<int:pk>/stops/", elder_stops),
    path("settlement/recoveries/", recovery_list),
    path("settlement/recoveries/<int:pk>/", recovery_page),
    path("settlement/recoveries/<int:pk>/excel/", recovery_excel),
]
