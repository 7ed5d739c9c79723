"""Which messages an elder wants: kind by kind, one button each."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path

from yinling.accounts.models import WANTED, OptOut
from yinling.kernel.words import N_
from yinling.web.actions import action_form
from yinling.web.elder.views import _person, _show
from yinling.web.pages import page


@page("people.optout.record")
def messages(request: Any) -> HttpResponse:
    """What is sent to the phone, and the button that stops or brings back each kind; calls for help are always sent."""
    person = _person(request)
    here = f"/e/messages/?{person.query}"
    refused = {row.kind: row for row in OptOut.objects.filter(elder_id=person.elder.pk, to_at=None)}
    entries = []
    for kind, label in WANTED:
        row = refused.get(kind) or refused.get("")
        if row is not None:
            form = action_form(
                request, "end_optout", {"optout_id": row.pk}, next=here, only=("optout_id",), hidden=("optout_id",),
                submit=N_("恢复接收"), done=N_("已恢复接收"),
            )  # fmt: skip
        else:
            form = action_form(
                request, "record_optout", {"elder_id": person.elder.pk, "kind": kind}, next=here, only=("elder_id",),
                hidden=("elder_id", "kind"), submit=N_("不再接收"), done=N_("已停止接收"), tone="",
            )  # fmt: skip
        entries.append((label, row, form))
    return _show(request, "messages", person, entries=entries)


urlpatterns = [path("e/messages/", messages)]
