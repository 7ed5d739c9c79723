"""Which day a request asks about: the one in its address, else the one the person chose in the header."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from yinling.ground.asof import AsOf
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import day_bounds, local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.web.pages import own_page
from yinling.web.show import refusal_text

READING = ("GET", "HEAD")


def _read(day: str, known: str, now: datetime) -> AsOf | None:
    """Return what two texts ask for; a day that is not before today asks for nothing special."""
    meant, known_on = meant_day(day), meant_day(known)
    if (day and meant is None) or (known and known_on is None):
        raise Refused("as_of.day", N_("日期写法应为 2026-05-01，请核对"), field="as_of")
    today = local_date(now)
    known_at = day_bounds(known_on)[1] - timedelta(microseconds=1) if known_on and known_on < today else None
    if meant is None and known_at is None:
        return None
    on = min(meant or today, today)
    return None if on == today and known_at is None else AsOf(on, known_at)


def asked_by(request: Any) -> AsOf | None:
    """Return what a reading request looks back to, or nothing: writing is always of now."""
    if request.method not in READING:
        return None
    here = {name: request.GET.get(name, "").strip() for name in ("as_of", "known_on")}
    if not any(here.values()) and not request.path.startswith("/api/"):
        here = request.session.get("as_of") or here
    return _read(here["as_of"], here["known_on"], request.now)


@require_POST
@own_page
def look(request: Any) -> HttpResponse:
    """Choose the day that all pages are shown as of; without one, return to today."""
    asked = {name: request.POST.get(name, "").strip()[:10] for name in ("as_of", "known_on")}
    address = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(address, allowed_hosts=None) or not address.startswith("/"):
        address = "/"
    try:
        found = _read(asked["as_of"], asked["known_on"], request.now)
    except Refused as refusal:
        messages.error(request, refusal_text(refusal))
        return HttpResponseRedirect(address)
    if found is None:
        request.session.pop("as_of", None)
    else:
        request.session["as_of"] = asked
    return HttpResponseRedirect(address)
