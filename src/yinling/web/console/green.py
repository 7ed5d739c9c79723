"""The green channel: what a medical body has been told of, and how far each emergency has come."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.hotline.models import Handover
from yinling.hotline.queries.handovers import handovers
from yinling.web.actions import action_form
from yinling.web.pages import Filter, Listing, page, render

VIEW = "hotline.handover.view"


@page(VIEW)
def green_list(request: Any) -> HttpResponse:
    """Emergencies of the body, or of the area, newest first."""
    listing = Listing(
        request, _of_call(request, handovers(request.actor)),
        Filter("waiting", _("未接收"), lambda found, _yes: found.filter(accepted_at=None), "check"),
    )  # fmt: skip
    return render(request, "console/green.html", listing=listing)


def _of_call(request: Any, rows: Any) -> Any:
    number = request.GET.get("call", "")
    is_number = number.isascii() and number.isdigit() and len(number) < 19  # noqa: PLR2004 - digits of a row's number
    return rows.filter(emergency__call_id=int(number)) if is_number else rows


@page(VIEW)
def green_page(request: Any, pk: int) -> HttpResponse:
    """One emergency: its times, the summary on demand, and what can be done."""
    row = handovers(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    here, initial = f"/green/{pk}/", {"handover_id": pk, "seen": row.version}
    return render(
        request, "console/green_one.html", row=row, bar=_bar(row),
        summary=action_form(request, "open_handover", {"handover_id": pk}, tone=""),
        accept=None if row.accepted_at else action_form(request, "accept_handover", initial, next=here),
        inform=None if row.informed_at else action_form(request, "inform_handover", initial, next=here, tone=""),
    )  # fmt: skip


def _bar(row: Handover) -> list[tuple[str, str, Any]]:
    points = [
        (_("已通知"), row.notified_at), (_("已查看摘要"), row.opened_at), (_("已接收"), row.accepted_at), (_("已事后告知"), row.informed_at),
    ]  # fmt: skip
    return [(label, "done" if at else "todo", at) for label, at in points]


urlpatterns = [path("green/", green_list), path("green/<int:pk>/", green_page)]
