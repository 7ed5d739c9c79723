"""Complaints and suggestions of an elder or family about a service, in three fields (R-CALL-15)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path

from yinling.hotline.models import Ticket
from yinling.hotline.operations.intake import LODGED
from yinling.hotline.states import TICKET
from yinling.kernel.words import N_
from yinling.web.actions import action_form
from yinling.web.elder.views import _person, _show
from yinling.web.pages import page

SHOWN = 10


@page("hotline.ticket.open")
def complain(request: Any) -> HttpResponse:
    """Say what was not right; below it, what became of what was said before."""
    person = _person(request)
    form = action_form(
        request, "open_ticket", {"elder_id": person.elder.pk, "kind": "complaint", "channel": "app"}, next=f"/e/complaint/?{person.query}",
        hidden=("level", "family", "channel"), fields={"kind": {"options": LODGED}}, submit=N_("提交"), done=N_("已收到，我们会尽快答复"),
    )  # fmt: skip
    rows = Ticket.objects.visible_to(request.actor).filter(elder=person.elder, kind__in=dict(LODGED))
    return _show(
        request, "complaint", person, form=form, rows=list(rows.order_by("-opened_at", "-id")[:SHOWN]), machine=TICKET
    )


urlpatterns = [path("e/complaint/", complain)]
