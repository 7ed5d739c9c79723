"""Orders from above (督办): which are open, which overdue, what was answered."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path

from yinling.hotline.queries import supervisions
from yinling.hotline.states import TICKET
from yinling.kernel.words import N_
from yinling.web.pages import Listing, page, render
from yinling.web.show import tr

TABS = (
    ("open", N_("待答复")),
    ("overdue", N_("已超期")),
    ("answered", N_("已答复")),
    ("late", N_("超期答复")),
    ("all", N_("全部")),
)


@page("hotline.supervision.view")
def supervision_list(request: Any) -> HttpResponse:
    """Orders of a tab, the first due first."""
    tab = request.GET.get("tab", "open")
    tab = tab if tab in dict(TABS) else "open"
    listing = Listing(request, supervisions(request.actor, tab=tab, now=request.now))
    tabs = [(tr(label), f"/line/supervisions/?tab={name}", None, name == tab) for name, label in TABS]
    return render(request, "console/supervisions.html", listing=listing, tabs=tabs, machine=TICKET)


urlpatterns = [path("line/supervisions/", supervision_list)]
