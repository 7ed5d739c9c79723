"""Messages that leave the house: what went to whom with its proof, wordings, and who wants none."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.accounts.models import KINDS, MessageTemplate, Notice, OptOut
from yinling.accounts.queries import number_index, sent_messages, template_codes, wordings
from yinling.accounts.states import NOTICE
from yinling.accounts.wording import LONGEST, check_template, filled, parts_of
from yinling.ground.parameters import parameter
from yinling.kernel.period import day_bounds, local_date
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_
from yinling.web.actions import action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import refusal_text, tr

NAMES = {
    "appointed": N_("上门时间调整"), "application": N_("待遇申请进展"), "emergency": N_("紧急求助通知联系人"),
    "meal_lapsed": N_("用餐没有确认"),
    "ticket_note": N_("工单回复来电人"),
}  # fmt: skip
OUTSIDE = [one for one in Notice.CHANNELS if one[0] != "screen"]
STUCK = ("failed", "dropped")


def _of_day(rows: Any, day: date) -> Any:
    start, end = day_bounds(day)
    return rows.filter(created_at__gte=start, created_at__lt=end)


@page("accounts.message.view")
def messages(request: Any) -> HttpResponse:
    """What was sent to whom, newest first; what did not get there is one tab away."""
    state = request.GET.get("state", "")
    choices: list[tuple[str, str]] = [("", N_("全部")), *NOTICE.choices]
    tabs = [
        (tr(label), f"/messages/?state={value}" if value else "/messages/", None, value == state)
        for value, label in choices
    ]
    rows = sent_messages(request.actor)
    listing = Listing(
        request, rows.filter(state=state) if state in dict(NOTICE.choices) else rows,
        Filter("number", _("收件号码（完整）"), lambda rows, text: rows.filter(address_index=number_index(text))),
        Filter("channel", _("通道"), lambda rows, value: rows.filter(channel=value), "choice", OUTSIDE),
        Filter("kind", _("种类"), lambda rows, value: rows.filter(kind=value), "choice", KINDS),
        Filter("day", _("日期"), _of_day, "date"),
    )  # fmt: skip
    return render(
        request,
        "console/messages.html",
        listing=listing,
        tabs=tabs,
        state=state,
        machine=NOTICE,
        kinds=KINDS,
        notice=Notice,
    )


@page("accounts.message.view")
def message(request: Any, pk: int) -> HttpResponse:
    """One message: its text, its way, and the proof of every part."""
    row = sent_messages(request.actor).filter(pk=pk).first()
    if row is None:
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    resend = None
    if row.state in STUCK:
        resend = action_form(request, "resend_message", {"message_id": row.pk}, next=f"/messages/{row.pk}/")
    return render(
        request, "console/message.html", row=row, resend=resend, machine=NOTICE, kinds=KINDS, notice=Notice,
        deliveries=row.deliveries.order_by("round", "pk"), parts=parts_of(settings.SMS["signature"] + row.text),
    )  # fmt: skip


@page("accounts.wording.view")
def wording_list(request: Any) -> HttpResponse:
    """Every wording with its text in force here, filled with samples, and its length."""
    div = request.actor.div or ""
    codes = template_codes()
    found = wordings([(code, div) for code in codes], request.now)
    rows = [
        (code, NAMES.get(code, code), found[code, div], _shown(found[code, div].text, found[code, div].places))
        for code in codes
    ]
    return render(request, "console/wordings.html", rows=rows, kinds=KINDS)


def _shown(text: str, samples: Any) -> tuple[str, int]:
    """Return a wording as a phone shows it, and as how many messages it is charged."""
    whole = settings.SMS["signature"] + filled(text, samples)
    return whole, parts_of(whole)


@page("accounts.wording.view")
def wording(request: Any, code: str) -> HttpResponse:
    """One wording: what is in force, a new one with its preview, and every earlier one."""
    if code not in template_codes():
        raise Http404
    div = request.actor.div or ""
    one = wordings([(code, div)], request.now)[code, div]
    text = request.GET.get("text", one.text)[:LONGEST]
    problem = ""
    try:
        words = parameter("message.forbidden_words", div, local_date(request.now))
        check_template(text, places=one.places, forbidden=words, signature=settings.SMS["signature"])
    except Refused as refusal:
        problem = refusal_text(refusal)
    history = list(MessageTemplate.objects.filter(code=code, area=div).select_related("written_by").order_by("-number"))
    write = action_form(
        request, "write_wording", {"code": code, "text": text}, next=f"/messages/wordings/{code}/", hidden=("code",)
    )
    end = None
    if history and history[0].to_at is None:
        end = action_form(
            request, "end_wording", {"wording_id": history[0].pk}, next=f"/messages/wordings/{code}/", tone="danger"
        )
    return render(
        request, "console/wording.html", code=code, name=NAMES.get(code, code), one=one, write=write, end=end, history=history,
        problem=problem, shown=_shown(text, one.places), kinds=KINDS,
    )  # fmt: skip


@page("people.optout.view")
def optouts(request: Any) -> HttpResponse:
    """Who wants no messages, of which kind, since when, and how that was said."""
    rows = OptOut.objects.visible_to(request.actor).filter(to_at=None).order_by("-pk")
    listing = Listing(
        request, rows,
        Filter("number", _("号码（完整）"), lambda rows, text: rows.filter(address_index=number_index(text))),
        Filter("source", _("来源"), lambda rows, value: rows.filter(source=value), "choice", OptOut.SOURCES),
    )  # fmt: skip
    look: dict[str, Any] = {"next": "/messages/optouts/", "tone": "", "only": ("reason",)}
    ends = {row.pk: action_form(request, "end_optout", {"optout_id": row.pk}, **look) for row in listing}
    form = action_form(request, "record_optout", next="/messages/optouts/", only=("number", "kind"))
    return render(
        request, "console/optouts.html", listing=listing, ends=ends, form=form, kinds=KINDS, sources=OptOut.SOURCES
    )


urlpatterns = [
    path("messages/", messages),
    path("messages/<int:pk>/", message),
    path("messages/wordings/", wording_list),
    path("messages/wordings/<slug:code>/", wording),
    path("messages/optouts/", optouts),
]
