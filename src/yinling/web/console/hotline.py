"""The desk: one's own state, calls on the line, who is calling, and what can be done for the caller from one screen."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yinling.ground.models import ClockOffset
from yinling.hotline.models import Call, Seat
from yinling.hotline.operations import STEP_LABELS
from yinling.hotline.operations.seats import BREAKS
from yinling.hotline.queries import (
    calls_on_the_line,
    next_callbacks,
    pop,
    pop_calls,
    present_seats,
    recent_calls,
    transfer_targets,
)
from yinling.hotline.states import CALL, SEAT, TICKET, SeatState
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.queries import orders_of
from yinling.orders.rules import STAGE_LABELS
from yinling.people.models import Elder
from yinling.people.queries import age, find_elders
from yinling.visits.queries import stage, with_progress
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.devices import waiting_alarms
from yinling.web.pages import page, render
from yinling.web.queries.callers import demands, things_of
from yinling.web.show import tr

RUNNING = ("placed", "accepted", "assigned", "in_service", "served")
FOUND = 10
SOME = 200
AUTOMATIC = "missed"


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
    look = {"key_hint": "F2" if is_first else "", "submit": N_("对方已接听") if call.is_outbound else ""}
    return action_form(
        request, "answer_call", {"call_id": call.pk, "seen": call.version}, next=f"/calls/{call.pk}/", **look
    )


@page("hotline.call.answer")
def desk(request: Any, ring_form: RingForm | None = None, status: int = 200) -> HttpResponse:
    """P02: what one is doing, which alarms and calls wait, one's own call, call-backs, the last calls. Each part reads its own rows."""
    return render(
        request, "console/desk.html", status=status, line=lambda: _line(request), seat=lambda: _seat(request), seat_machine=SEAT,
        breaks=dict(BREAKS), present=lambda: list(present_seats(request.actor)), recent=lambda: recent_calls(request.actor),
        due=lambda: next_callbacks(request.actor, request.now), machine=CALL, alarms=lambda: waiting_alarms(request),
        ring_form=ring_form or RingForm() if settings.DEMO else None, stream=_stream(request) if settings.DEMO else None,
    )  # fmt: skip


def _line(request: Any) -> dict[str, Any]:
    """The queue with where each call rings, and one's own call."""
    calls = calls_on_the_line(request.actor)
    waiting = [call for call in calls if call.state == "ringing" and not call.is_outbound]
    first = next((call for call in waiting if call.rings_at == request.actor.user_id), None)
    first = first or next((call for call in waiting if call.rings_at is None), None)
    rows = [
        (
            call,
            _answer(request, call, is_first=call is first),
            action_form(request, "abandon_call", {"call_id": call.pk}, next="/desk/", tone=""),
        )
        for call in waiting
    ]
    return {"rows": rows, "own": next((call for call in calls if call not in waiting), None)}


def _seat(request: Any) -> tuple[Seat | None, list[ActionForm]]:
    """One's own seat and what can be done about its state; F8 goes between ready and break."""
    rows = Seat.objects.filter(user_id=request.actor.user_id, left_on=None).select_related("group")
    seat = rows.first()
    if seat is None:
        return None, []
    initial = {"seat_id": seat.pk, "seen": seat.version}
    reasons = [(value, tr(label)) for value, label in BREAKS if value not in (AUTOMATIC, "rest")]
    looks: dict[str, list[tuple[str, dict[str, Any]]]] = {
        SeatState.OFF: [("sign_in_seat", {"key_hint": "F8"})],
        SeatState.READY: [
            ("pause_seat", {"key_hint": "F8", "tone": "", "hidden": ("reason",)}),
            ("pause_seat", {"tone": "", "submit": N_("其他小休"), "fields": {"reason": {"options": reasons}}}),
            ("sign_out_seat", {"tone": ""}),
        ],
        SeatState.PAUSED: [("resume_seat", {"key_hint": "F8"}), ("sign_out_seat", {"tone": ""})],
    }
    return seat, [action_form(request, name, initial, next="/desk/", **look) for name, look in looks[seat.state]]


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
    """P03: who is calling and what is known; emergency, ticket and order are one key away. What is slower to read follows by itself."""
    call = pop_calls(request.actor, request.now).filter(pk=pk).first()
    if call is None:
        raise Http404
    if request.htmx and request.htmx.target == "call-services":
        is_reachable = call.elder_id is not None or call.number_index is not None
        promise = action_form(
            request, "arrange_callback", {"call_id": pk}, next=f"/calls/{pk}/", tone="", done=N_("已约定回拨")
        )
        return render(
            request,
            "console/call.html",
            call=call,
            demands=demands(),
            elder=call.elder,
            pass_on=_pass_on(request, call),
            promise=promise if is_reachable else None,
        )
    shown = pop(request.actor, call, now=request.now)
    here, text = f"/calls/{pk}/", request.GET.get("q", "").strip()
    found = find_elders(request.actor, text, limit=FOUND) if text and shown.elder is None else []
    today = local_date(request.now)
    choices = [(elder, age(elder, today), _identify(request, call, elder)) for elder in (found or shown.candidates)]
    return render(
        request, "console/call.html", pop=shown, call=call, machine=CALL, ticket_machine=TICKET, text=text, choices=choices,
        hand_over=action_form(request, "hand_over_call", {"call_id": pk}, next=here, tone="danger"),
        answer=_answer(request, call, is_first=True), hold=_hold(request, call, here), elder=shown.elder,
        unanswered=action_form(request, "abandon_call", {"call_id": pk}, next=here, submit=N_("未接通"), tone="", key_hint="F4"),
        hang_up=action_form(request, "hang_up_call", {"call_id": pk}, next=here, tone="", key_hint="F4"),
        steps=[_emergency_steps(request, row, here) for row in shown.emergencies],
        orders=_staged(_running(request, shown.elder)) if shown.elder else [], dial=_dials(request, shown),
        things=things_of(request.actor, call.elder_id), is_mine=call.seat_id == request.actor.user_id,
    )  # fmt: skip


def _is_own_talk(request: Any, call: Call) -> bool:
    return call.state == "answered" and call.seat_id == request.actor.user_id


def _hold(request: Any, call: Call, here: str) -> ActionForm | None:
    """Hold or go on, on a line without soft-phones."""
    if not _is_own_talk(request, call):
        return None
    verb = "resume_call" if call.held_at else "hold_call"
    return action_form(request, verb, {"call_id": call.pk}, next=here, tone="", key_hint="F9")


def _pass_on(request: Any, call: Call) -> ActionForm | None:
    """To whom one's call can be passed on now."""
    targets = transfer_targets(request.actor, call, request.now) if _is_own_talk(request, call) else []
    if not targets:
        return None
    return action_form(
        request, "transfer_call", {"call_id": call.pk}, next=f"/calls/{call.pk}/", tone="", done=N_("正在转接，对方接听后离开本坐席"),
        fields={"to_seat_id": {"options": targets}},
    )  # fmt: skip


def _dials(request: Any, shown: Any) -> dict[str, ActionForm]:
    """A button for each number of the file, by whose it is; while nobody is being talked to."""
    if shown.elder is None or shown.call.state in ("ringing", "answered"):
        return {}
    look = {"next": "/calls/{id}/", "submit": N_("拨打"), "tone": ""}
    own = {"elder": {"elder_id": shown.elder.pk}} if shown.phone else {}
    whom = own | {f"contact-{line.pk}": {"contact_id": line.pk} for line in shown.contacts if line.phone}
    return {
        name: action_form(request, "dial_call", values, hidden=("number",), **look) for name, values in whom.items()
    }


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


urlpatterns = [
    path("desk/", desk),
    path("desk/ring/", ring),
    path("calls/<int:pk>/", call_page),
]
