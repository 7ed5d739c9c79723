"""P07: what check-ins say about ways and services, before and after, and the decision whether plans use it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.assessment.inputs import LEVELS
from yinling.directory.models import MODES
from yinling.dispatch.models import Correction
from yinling.dispatch.queries.learned import corrections_of, impact
from yinling.dispatch.samples import ALL_DAY
from yinling.dispatch.states import CORRECTION, CorrectionState
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import Filter, Listing, page, render

ENGINES = {
    "great_circle": N_("直线估算"),
    "valhalla": N_("Valhalla 路线引擎"),
    "osrm": N_("OSRM 路线引擎"),
    "amap": N_("高德地图"),
}
WORDS: dict[str, Any] = {
    "modes": dict(MODES),
    "levels": dict(LEVELS),
    "engines": ENGINES,
    "kinds": dict(Correction.KINDS),
    "all_day": ALL_DAY,
}


@page("dispatch.correction.view")
def learned(request: Any) -> HttpResponse:
    """Every result an actor may see; those that wait for a decision first."""
    listing = Listing(
        request,
        corrections_of(request.actor),
        Filter("kind", _("种类"), lambda rows, value: rows.filter(kind=value), "choice", Correction.KINDS),
        Filter("state", _("状态"), lambda rows, value: rows.filter(state=value), "choice", CORRECTION.choices),
    )
    return render(
        request, "console/dispatch_learned.html", listing=listing, machine=CORRECTION, **WORDS
    )  # fmt: skip


@page("dispatch.correction.view")
def result(request: Any, pk: int) -> HttpResponse:
    """One result: before and after, its samples, what it would change tomorrow, and the decision."""
    row = corrections_of(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    is_open = row.state in (CorrectionState.PROPOSED, CorrectionState.USED)
    tomorrow = impact(row, local_date(request.now) + timedelta(days=1)) if is_open else None
    return render(
        request, "console/dispatch_learned_one.html", row=row, machine=CORRECTION, tomorrow=tomorrow, forms=_forms(request, row),
        most=max((bar[2] for bar in row.distribution), default=0), **WORDS,
    )  # fmt: skip


def _forms(request: Any, row: Correction) -> dict[str, ActionForm]:
    """The decisions the state allows; a form prints nothing without the right."""
    looks: dict[str, dict[str, Any]] = {
        "confirm": {"tone": "primary", "done": N_("已采用，从下一次排班和推荐起生效")},
        "reject": {"done": N_("已记下，相近的结果不再提出")},
        "end": {"tone": "danger", "done": N_("已停用，恢复原来的估计")},
    }
    initial = {"correction_id": row.pk, "seen": row.version}
    return {
        verb: action_form(request, f"{verb}_correction", initial, next=f"/dispatch/learned/{row.pk}/", **look)
        for verb, look in looks.items()
        if CORRECTION.allows(verb, row.state)
    }


urlpatterns = [
    path("dispatch/learned/", learned),
    path("dispatch/learned/<int:pk>/", result),
]
