"""The soft-phone: a small window of its own in which a seat's calls ring, and the password with which it joins the line for an hour."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache

from yinling.ground.clock import real_now
from yinling.hotline.operations.seats import BREAKS
from yinling.hotline.queries.phone import phone_now, seat_of
from yinling.hotline.states import SEAT, SeatState
from yinling.kernel.refusals import NotAllowed, Refusal
from yinling.kernel.words import N_
from yinling.web.actions import ActionForm, action_form
from yinling.web.environment import vendor
from yinling.web.pages import page, render
from yinling.web.refusals import problem
from yinling.web.softphone import line_of_phones, window_words

NO_LINE = N_("这条线路不带网页软电话。来电请在坐席台接听，其他功能不受影响。")
NO_FILES = N_(
    "缺少软电话的浏览器文件（JsSIP）。请管理员装好 npm 后重新启动平台，启动时会自动取来；在此之前来电会转给其他坐席。"
)
NO_SEAT = N_("您还没有坐席席位。请班长在“坐席设置”中为您设置分机。")
SIGNED_OUT = N_("您还没有上线，请先按“上线”，再连接软电话")
AUTOMATIC = "missed"


@page("hotline.phone.use")
def phone(request: Any) -> HttpResponse:
    """The window of the soft-phone; its live part is the seat, who is calling, and to whom the call can go."""
    line = line_of_phones()
    shown = phone_now(request.actor, request.now)
    lack = (
        NO_LINE if line is None else NO_FILES if not vendor("jssip/jssip.min.js") else NO_SEAT if not shown.seat else ""
    )
    response = render(
        request, "console/phone.html", shown=shown, lack=lack, words=window_words(), states=_states(request, shown.seat), machine=SEAT,
        breaks=dict(BREAKS),
    )  # fmt: skip
    return allow_line(response, line)


def allow_line(response: HttpResponse, line: Any) -> HttpResponse:
    """Let this one page talk to the line's WebSocket; no other page may."""
    address = urlsplit(getattr(line, "ws_url", "") or "")
    if address.netloc:
        response._csp_update = {"connect-src": [f"{address.scheme}://{address.netloc}"]}  # type: ignore[attr-defined]  # noqa: SLF001 - how django-csp is told
    return response


def _states(request: Any, seat: Any) -> list[ActionForm]:
    """What a seat can do about its state now."""
    if seat is None:
        return []
    initial = {"seat_id": seat.pk, "seen": seat.version}
    reasons = [(value, label) for value, label in BREAKS if value != AUTOMATIC]
    forms: dict[SeatState, list[tuple[str, dict[str, Any]]]] = {
        SeatState.OFF: [("sign_in_seat", {"tone": "primary"})],
        SeatState.READY: [("pause_seat", {"fields": {"reason": {"options": reasons}}}), ("sign_out_seat", {})],
        SeatState.PAUSED: [("resume_seat", {"tone": "primary"}), ("sign_out_seat", {})],
    }
    return [action_form(request, name, initial, **{"tone": "", **look}) for name, look in forms[SeatState(seat.state)]]


@never_cache
@page("hotline.phone.use")
def credentials(request: Any) -> HttpResponse:
    """What a signed-in seat's window needs to join the line: for an hour, for this seat only. ``now``: the clock of a desk may be wrong."""
    try:
        line, seat = line_of_phones(), seat_of(request.actor.user_id)
        _check(line, seat)
    except Refusal as refusal:
        return problem(refusal)
    return JsonResponse(line.seat_credentials(request.user) | {"now": real_now().isoformat()})


def _check(line: Any, seat: Any) -> None:
    if line is None:
        raise NotAllowed("phone.no_line", NO_LINE)
    if seat is None:
        raise NotAllowed("phone.no_seat", NO_SEAT)
    if seat.state == SeatState.OFF:
        raise NotAllowed("phone.signed_out", SIGNED_OUT)


urlpatterns = [path("phone/", phone), path("phone/credentials/", credentials)]
