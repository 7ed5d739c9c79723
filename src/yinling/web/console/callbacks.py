"""Whom the line has to call (P09): the list, and one task with what can be done about it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.accounts.models import Journal
from yinling.hotline.models import RANKS, Callback
from yinling.hotline.queries.callbacks import CALLBACK_TABS, callback_counts, callback_list
from yinling.hotline.states import CALLBACK
from yinling.kernel.masks import mask_phone
from yinling.kernel.words import N_
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import tally, tr

EVENTS = {
    "open": N_("登记"), "take": N_("领取"), "finish": N_("完成回拨"), "try_again": N_("未拨通"), "give_up": N_("放弃回拨"), "remind": N_("超时提醒"),
}  # fmt: skip


@page("hotline.callback.view")
def callbacks(request: Any) -> HttpResponse:
    """The tasks of a tab, the most urgent first."""
    tab = request.GET.get("tab", "due")
    tab = tab if tab in dict(CALLBACK_TABS) else "due"
    listing = Listing(
        request, callback_list(request.actor, now=request.now, tab=tab),
        Filter("kind", _("类别"), lambda rows, value: rows.filter(kind=value), "choice", Callback.KINDS),
        Filter("rank", _("次序"), lambda rows, value: rows.filter(rank=value), "choice", [(str(key), text) for key, text in RANKS]),
        Filter("mine", _("只看我的"), lambda rows, _value: rows.filter(seat_id=request.actor.user_id), "check"),
    )  # fmt: skip
    counts = callback_counts(request.actor, now=request.now)
    tabs = [
        (tr(label), f"/callbacks/?tab={name}", tally(counts.get(name)), name == tab) for name, label in CALLBACK_TABS
    ]
    address = request.get_full_path()
    return render(
        request, "console/callbacks.html", listing=listing, tabs=tabs, tab=tab, machine=CALLBACK, address=address
    )


@page("hotline.callback.view")
def callback_page(request: Any, pk: int) -> HttpResponse:
    """One task: whom to call, why, what was tried."""
    rows = Callback.objects.visible_to(request.actor).select_related("elder", "call", "ticket__call", "seat", "made")
    task = rows.filter(pk=pk).first()
    if task is None:
        raise Http404
    steps = Journal.objects.filter(subject_type="callback", subject_id=pk, is_refused=False).order_by("-pk")
    history = [
        (row.business_at, row.user_name, tr(EVENTS.get(row.event.rsplit(".", 1)[-1], row.event)), row.reason)
        for row in steps[:20]
    ]
    return render(
        request, "console/callback.html", task=task, machine=CALLBACK, number=_number(task), history=history,
        forms=_forms(request, task) if task.state == "open" else {},
    )  # fmt: skip


def _number(task: Callback) -> str:
    """Return the number that will be dialled, masked."""
    call = task.call or (task.ticket.call if task.ticket else None)
    found = (call.unseal_field("number") if call else "") or (task.elder.unseal_field("phone") if task.elder else "")
    return mask_phone(found)


def _forms(request: Any, task: Callback) -> dict[str, ActionForm]:
    here = f"/callbacks/{task.pk}/"
    initial = {"callback_id": task.pk, "seen": task.version}
    only = ("note", "score") if task.kind == "satisfaction" else ("note",)
    return {
        "dial": action_form(
            request, "dial_call", {"callback_id": task.pk}, next="/calls/{id}/", submit=N_("拨打"), hidden=("number",), key_hint="D",
        ),
        "take": action_form(request, "take_callback", initial, next=here, tone="", key_hint="T"),
        "finish": action_form(request, "finish_callback", initial, next="/callbacks/", only=only),
        "try_again": action_form(request, "try_again_callback", initial, next="/callbacks/", tone=""),
        "give_up": action_form(request, "give_up_callback", initial, next="/callbacks/", tone="danger"),
    }  # fmt: skip


urlpatterns = [path("callbacks/", callbacks), path("callbacks/<int:pk>/", callback_page)]
