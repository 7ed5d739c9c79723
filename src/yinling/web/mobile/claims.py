"""Open orders that a carer may take, where the city allows it: street, item and time, nothing more before the order is the carer's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.dispatch.queries import open_orders
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.web.actions import action_form
from yinling.web.pages import page, render

DAYS_SHOWN = 3


@page("dispatch.order.claim")
def open_list(request: Any) -> HttpResponse:
    """The orders of a day that may be taken, each with one button; who is first has it."""
    first = local_date(request.now)
    days = [first + timedelta(days=number) for number in range(DAYS_SHOWN)]
    day = next((one for one in days if one.isoformat() == request.GET.get("day")), first)
    labels = (_("今天"), _("明天"), _("后天"))
    tabs = [
        (label, f"/m/open/?day={one.isoformat()}", None, one == day) for one, label in zip(days, labels, strict=True)
    ]
    rows = open_orders(request.actor, day, request.now)
    offers = [(row, _claim(request, row.order_id, row.version)) for row in rows]
    return render(request, "mobile/open.html", offers=offers, tabs=tabs, day=day)


def _claim(request: Any, order_id: int, version: int) -> Any:
    initial = {"order_id": order_id, "seen": version}
    return action_form(request, "claim_order", initial, next="/m/{id}/", done=N_("接到了，请按时上门"))


urlpatterns = [path("m/open/", open_list)]
