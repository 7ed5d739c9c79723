"""The desk: calls on the line, who is calling, new tickets, the queue of tickets and one ticket."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yinling.accounts.models import Journal
from yinling.directory.models import Organisation
from yinling.ground.models import ClockOffset
from yinling.hotline.models import KINDS, LEVELS, Call, Ticket, TicketNote
from yinling.hotline.operations import STEP_LABELS
from yinling.hotline.queries import (
    TABS,
    calls_on_the_line,
    pop,
    pop_calls,
    queue,
    queue_counts,
    recent_calls,
)
from yinling.hotline.states import CALL, TICKET
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.queries import orders_of
from yinling.orders.rules import STAGE_LABELS
from yinling.orders.states import ORDER
from yinling.people.models import Elder
from yinling.people.queries import age, find_elders
from yinling.visits.queries import stage, with_progress
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import tally, tr

RUNNING = ("placed", "accepted", "assigned", "in_service", "served")
FOUND = 10
SOME = 200


class RingForm(forms.Form):
    """A made-up call of the demonstration."""

    number = forms.CharField(
        required=False, max_length=20, validators=[RegexValidator(r"^[\d\s+()-]*$", N_("号码只能是数字"))]
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, label_suffix="")
        self.fields["number"].label = _("来电号码")
        self.fields["number"].help_text = _("留空：号码隐藏的来电")
        self.fields["number"].widget.attrs["inputmode"] = "tel"


def _answer(request: Any, call: Call, *, is_first: bool) -> ActionForm:
    hint = "F2" if is_first else ""
    return action_form(
        request, "answer_call", {"call_id": call.pk, "seen": call.version}, next=f"/calls/{call.pk}/", key_hint=hint
    )


@page("hotline.call.answer")
def desk(request: Any, ring_form: RingForm | None = None, status: int = 200) -> HttpResponse:
    """P02: what rings now, one's own call, and what was answered last."""
    calls = list(calls_on_the_line(request.actor))
    ringing = [call for call in calls if call.state == "ringing"]
    rows = [
        (
            call,
            _answer(request, call, is_first=place == 0),
            action_form(request, "abandon_call", {"call_id": call.pk}, next="/desk/", tone=""),
        )
        for place, call in enumerate(ringing)
    ]
    return render(
        request, "console/desk.html", status=status, rows=rows, own=next((call for call in calls if call.state == "answered"), None),
        recent=recent_calls(request.actor), machine=CALL, ring_form=ring_form or RingForm() if settings.DEMO else None,
        stream=_stream(request) if settings.DEMO else None,
    )  # fmt: skip


def _stream(request: Any) -> ActionForm:
    """The switch of the demonstration's own calls."""
    row = ClockOffset.objects.filter(pk=1).first()
    pace = str(row.calls_an_hour) if row else "0"
    return action_form(
        request,
        "set_activity",
        {"calls_an_hour": pace},
        next="/desk/",
        submit=N_("设置"),
        tone="",
        done=N_("已设置自动来电"),
    )


@require_POST
@page("hotline.call.receive")
def ring(request: Any) -> HttpResponse:
    """Let a call come in as if from outside; only a demonstration can."""
    if not settings.DEMO:
        raise Http404
    form = RingForm(request.POST)
    if not form.is_valid():
        return desk(request, ring_form=form, status=422)
    number = _somebody(request) if "somebody" in request.POST else form.cleaned_data["number"]
    line = import_string(settings.PORTS["telephony"])()
    line.ring(number, actor=request.actor, now=request.now)
    return HttpResponseRedirect("/desk/")


def _somebody(request: Any) -> str:
    """Return the number of some made-up elder of the area."""
    rows = Elder.objects.visible_to(request.actor).filter(is_made_up=True, died_on=None).order_by("-id")[:SOME]
    elders = list(rows)
    return secrets.choice(elders).unseal_field("phone") if elders else ""


@page("hotline.call.view")
def call_page(request: Any, pk: int) -> HttpResponse:
    """P03: who is calling and what is known, emergency hand-over first."""
    call = pop_calls(request.actor, request.now).filter(pk=pk).first()
    if call is None:
        raise Http404
    shown = pop(request.actor, call, now=request.now)
    here, text = f"/calls/{pk}/", request.GET.get("q", "").strip()
    found = find_elders(request.actor, text, limit=FOUND) if text and shown.elder is None else []
    today = local_date(request.now)
    choices = [(elder, age(elder, today), _identify(request, call, elder)) for elder in (found or shown.candidates)]
    return render(
        request, "console/call.html", pop=shown, call=call, machine=CALL, ticket_machine=TICKET, text=text, choices=choices,
        hand_over=action_form(request, "hand_over_call", {"call_id": pk}, next=here, tone="danger"),
        answer=_answer(request, call, is_first=True),
        hang_up=action_form(request, "hang_up_call", {"call_id": pk}, next=here, tone="", key_hint="F4"),
        steps=[_emergency_steps(request, row, here) for row in shown.emergencies],
        orders=_staged(_running(request, shown.elder)) if shown.elder else [],
    )  # fmt: skip


def _identify(request: Any, call: Call, elder: Elder) -> ActionForm:
    values = {"call_id": call.pk, "elder_id": elder.pk, "seen": call.version}
    return action_form(request, "identify_call", values, next=f"/calls/{call.pk}/", tone="")


def _emergency_steps(request: Any, row: Any, here: str) -> tuple[Any, list[tuple[str, str, Any]], ActionForm | None]:
    times = [(_("移交"), row.handed_over_at), *((tr(label), getattr(row, f"{step}_at")) for step, label in STEP_LABELS)]
    bar = [(label, "done" if at else "todo", at) for label, at in times]
    left = [(step, tr(label)) for step, label in STEP_LABELS if getattr(row, f"{step}_at") is None]
    if row.ended_at is not None:
        return row, bar, None
    values = {"emergency_id": row.pk, "step": left[0][0]}
    return (
        row,
        bar,
        action_form(request, "advance_emergency", values, next=here, fields={"step": {"options": left}}, tone=""),
    )


def _running(request: Any, elder: Elder) -> Any:
    return orders_of(request.actor).filter(elder_id=elder.pk, state__in=RUNNING)


def _staged(orders: Any) -> list[tuple[Order, str]]:
    """Orders with the label of their stage, in one query."""
    rows = with_progress(orders).prefetch_related("lines")
    return [(order, tr(STAGE_LABELS[stage(order)])) for order in rows]


@page("hotline.ticket.open")
def new_ticket(request: Any) -> HttpResponse:
    """P04: a ticket from a call, for an elder, or about nobody in particular."""
    call = _row(Call.objects.visible_to(request.actor).select_related("elder"), request.GET.get("call"))
    elder = _row(Elder.objects.visible_to(request.actor), request.GET.get("elder")) or (call.elder if call else None)
    text = request.GET.get("q", "").strip()
    found = find_elders(request.actor, text, limit=FOUND) if text and elder is None else []
    initial = {
        "call_id": call.pk if call else None, "elder_id": elder.pk if elder else None, "kind": "request", "level": "normal",
        "channel": call.channel if call else "console", "title": request.GET.get("title", "")[:80],
    }  # fmt: skip
    form = action_form(
        request, "open_ticket", initial, next="/tickets/{id}/", hidden=("channel",) if call else (), done=N_("工单已登记"),
        key_hint="Ctrl+Enter", fields={"level": {"required": True}} | ({} if call else {"channel": {"required": True}}),
    )  # fmt: skip
    return render(request, "console/ticket_new.html", form=form, call=call, elder=elder, text=text, found=found)


def _row(rows: Any, number: str | None) -> Any:
    """Return the row of a number in the address, or nothing."""
    return rows.filter(pk=int(number)).first() if number and number.isascii() and number.isdigit() else None


@page("hotline.ticket.view")
def tickets(request: Any) -> HttpResponse:
    """P05: the queue. The list stays where it is; what came since is counted above it."""
    tab = request.GET.get("tab", "open")
    tab = tab if tab in dict(TABS) else "open"
    text, mine = request.GET.get("q", "").strip()[:40], request.GET.get("mine") == "1"
    narrowed = queue(request.actor, now=request.now, tab=tab, text=text, mine=mine)
    if since := _since(request):
        fresh = list(narrowed.filter(pk__gt=since)[:FOUND])
        return render(
            request,
            "console/tickets.html",
            block="ticket_news",
            since=since,
            fresh=fresh,
            tab=tab,
            **_queue_frame(request, tab),
        )
    listing = Listing(
        request, narrowed, Filter("q", _("工单号、姓名、电话"), lambda rows, _value: rows),
        Filter("kind", _("类别"), lambda rows, value: rows.filter(kind=value), "choice", KINDS),
        Filter("level", _("级别"), lambda rows, value: rows.filter(level=value), "choice", LEVELS),
        Filter("mine", _("只看我的"), lambda rows, _value: rows, "check"),
    )  # fmt: skip
    stages = _stages(request, [ticket.pk for ticket in listing])
    newest = max((ticket.pk for ticket in listing), default=0) if listing.page == 1 else 0
    return render(
        request, "console/tickets.html", listing=listing, stages=stages, since=newest or _newest(request), fresh=[], tab=tab,
        machine=TICKET, **_queue_frame(request, tab),
    )  # fmt: skip


def _newest(request: Any) -> int:
    return Ticket.objects.visible_to(request.actor).order_by("-pk").values_list("pk", flat=True).first() or 1


def _since(request: Any) -> int:
    number = request.GET.get("since", "")
    return int(number) if request.htmx and number.isascii() and number.isdigit() else 0


def _queue_frame(request: Any, tab: str) -> dict[str, Any]:
    counts = queue_counts(request.actor, now=request.now)
    tabs = [(tr(label), f"/tickets/?tab={name}", tally(counts.get(name)), name == tab) for name, label in TABS]
    return {"tabs": tabs, "address": request.get_full_path()}


def _stages(request: Any, numbers: list[int]) -> dict[int, list[tuple[Order, str]]]:
    """Return the orders of tickets with their stages, in one query."""
    found: dict[int, list[tuple[Order, str]]] = defaultdict(list)
    for order in with_progress(Order.objects.visible_to(request.actor).filter(ticket_id__in=numbers)).order_by("pk"):
        found[order.ticket_id or 0].append((order, tr(STAGE_LABELS[stage(order)])))
    return found


@dataclass(frozen=True)
class Entry:
    """One line of a ticket's timeline."""

    at: datetime
    who: str
    what: str
    text: str = ""
    note: TicketNote | None = None


@page("hotline.ticket.view")
def ticket_page(request: Any, pk: int) -> HttpResponse:
    """P06: one ticket with its steps, its timeline and what can be done now; beside the queue only its detail."""
    rows = Ticket.objects.visible_to(request.actor).select_related("elder", "provider", "seat", "parent", "call")
    ticket = rows.filter(pk=pk).first()
    if ticket is None:
        raise Http404
    here = f"/tickets/{pk}/"
    verbs = {transition.verb for transition in TICKET.verbs(ticket.state)}
    initial = {"ticket_id": pk, "seen": ticket.version, "result": ticket.result}
    forms_ = {
        verb: action_form(request, f"{verb}_ticket", initial, next=here, tone="primary" if verb == "take" else "")
        for verb in ("take", "resolve", "close", "reopen") if verb in verbs
    }  # fmt: skip
    return render(
        request, "console/ticket.html", ticket=ticket, machine=TICKET, order_machine=ORDER, forms=forms_, bar=_bar(ticket),
        entries=_timeline(ticket), can_transfer="transfer" in verbs and request.actor.has("hotline.ticket.transfer"),
        children=list(Ticket.objects.visible_to(request.actor).filter(parent=ticket).select_related("provider").order_by("pk")),
        orders=_stages(request, [pk])[pk], annotate=action_form(request, "annotate_ticket", {"ticket_id": pk}, next=here, tone=""),
    )  # fmt: skip


def _bar(ticket: Ticket) -> list[tuple[str, str, str]]:
    states = [state for state, _label in TICKET.choices]
    here = states.index(ticket.state)
    stages = (
        "done" if place < here or ticket.state == "closed" else "now" if place == here else "todo"
        for place in range(len(states))
    )
    return [(tr(label), word, "") for (_state, label), word in zip(TICKET.choices, stages, strict=True)]


def _timeline(ticket: Ticket) -> list[Entry]:
    """What happened to a ticket, newest first: journal and notes, two queries, a third for the names of bodies."""
    steps = list(
        Journal.objects.filter(subject_type="ticket", subject_id=ticket.pk)
        .exclude(event__endswith=".annotate")
        .order_by("pk")
    )
    names = _names(pair[1] for row in steps if (pair := row.changes.get("provider_id")))
    entries = [Entry(row.business_at, row.user_name, *_told(row, names)) for row in steps]
    entries += [Entry(note.written_at, note.written_as, "", note.text, note) for note in ticket.notes.order_by("pk")]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _names(numbers: Iterable[Any]) -> dict[int, str]:
    wanted = {number for number in numbers if number}
    return dict(Organisation.objects.filter(pk__in=wanted).values_list("pk", "short_name")) if wanted else {}


VERBS = {
    "open": N_("登记"), "take": N_("受理"), "transfer": N_("转办"), "split": N_("由主工单分流"), "resolve": N_("办理完毕"),
    "close": N_("办结"), "reopen": N_("重新办理"), "recount": N_("重算时限"),
}  # fmt: skip


def _told(row: Journal, names: dict[int, str]) -> tuple[str, str]:
    verb = tr(VERBS.get(row.event.rsplit(".", 1)[-1], row.event))
    if row.is_refused:
        return _("未能“%(verb)s”") % {"verb": verb}, ""
    target = names.get((row.changes.get("provider_id") or [None, 0])[1], "")
    words = [f"→ {target}" if target else "", row.reason, str((row.changes.get("result") or ["", ""])[1] or "")]
    return verb, " ".join(word for word in words if word)


@page("hotline.ticket.transfer")
def transfer_page(request: Any, pk: int) -> HttpResponse:
    """Give a ticket to another body, or part of it."""
    ticket = _row(Ticket.objects.visible_to(request.actor).select_related("provider"), str(pk))
    if ticket is None:
        raise Http404
    here, fields = f"/tickets/{pk}/", {"organisation_id": {"options": "organisations"}}
    initial = {"ticket_id": pk, "seen": ticket.version}
    return render(
        request, "console/ticket_transfer.html", ticket=ticket,
        transfer=action_form(request, "transfer_ticket", initial, next=here, fields=fields),
        split=action_form(request, "split_ticket", initial, next="/tickets/{id}/", fields=fields, tone=""),
    )  # fmt: skip


urlpatterns = [
    path("desk/", desk),
    path("desk/ring/", ring),
    path("calls/<int:pk>/", call_page),
    path("tickets/", tickets),
    path("tickets/new/", new_ticket),
    path("tickets/<int:pk>/", ticket_page),
    path("tickets/<int:pk>/transfer/", transfer_page),
]
