"""Quality checks: drawing calls, judging them, objections, and how each seat does."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yinling.ground.operation import REGISTRY, note_refusal
from yinling.hotline.models import QualitySample
from yinling.hotline.queries import criteria, results, samples
from yinling.hotline.states import SAMPLE
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import local_date, local_midnight, month_start, next_month
from yinling.kernel.refusals import Refusal
from yinling.kernel.words import N_
from yinling.web.actions import action_form
from yinling.web.console.line import line_tabs
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import refusal_text

VIEW = "hotline.sample.view"
SCORE, SETTLE = "score", "settle"


def _in_month(rows: Any, value: Any) -> Any:
    first = month_start(value)
    return rows.filter(call__rang_at__gte=local_midnight(first), call__rang_at__lt=local_midnight(next_month(first)))


@page(VIEW)
def sample_list(request: Any) -> HttpResponse:
    """What was drawn, with the results of each seat; a seat sees its own."""
    month = meant_day(request.GET.get("month", "")) or local_date(request.now)
    rows = _in_month(samples(request.actor), month)
    listing = Listing(
        request, rows, Filter("month", _("月份（任一天）"), lambda found, _value: found, "date"),
        Filter("state", _("状态"), lambda found, value: found.filter(state=value), "choice", SAMPLE.choices),
    )  # fmt: skip
    draw = action_form(
        request, "draw_samples", {"month": month_start(month)}, next=f"/line/quality/?month={month_start(month)}", done=N_("已抽取")
    )  # fmt: skip
    return render(
        request, "console/line_quality.html", tabs=line_tabs(request, "quality"), listing=listing, machine=SAMPLE, draw=draw,
        results=results(rows), month=month_start(month),
    )  # fmt: skip


class PointsForm(forms.Form):
    """A number for each criterion, and a sentence."""

    def __init__(self, asked: list[dict[str, Any]], verb: str, data: Any = None, points: Any = None) -> None:
        super().__init__(data, label_suffix="", auto_id=f"{verb}-%s")
        for one in asked:
            self.fields[one["code"]] = forms.IntegerField(
                label=_("%(name)s（0–%(most)s）") % {"name": one["name"], "most": one["points"]}, min_value=0, max_value=one["points"],
                initial=(points or {}).get(one["code"]),
            )  # fmt: skip
        label = _("评语") if verb == SCORE else _("复核意见")
        self.fields["words"] = forms.CharField(
            label=label, max_length=500, required=verb == SETTLE, widget=forms.Textarea
        )
        self.codes = [one["code"] for one in asked]

    @property
    def points(self) -> dict[str, int]:
        """The points typed, by criterion."""
        return {code: self.cleaned_data[code] for code in self.codes}


def _sample(request: Any, pk: int) -> QualitySample:
    row = samples(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _verb(request: Any, row: QualitySample) -> str:
    """Return what this person may do with the points now, or nothing."""
    for verb in (SCORE, SETTLE):
        if SAMPLE.allows(verb, row.state) and request.actor.has(f"hotline.sample.{verb}"):
            return verb
    return ""


@page(VIEW)
def sample_page(
    request: Any, pk: int, form: PointsForm | None = None, problem: str = "", status: int = 200
) -> HttpResponse:
    """One call that was drawn: its points, the objection and the answer."""
    row = _sample(request, pk)
    asked = criteria(row.div, local_date(row.drawn_at))
    verb = _verb(request, row)
    object_ = action_form(
        request, "object_sample", {"sample_id": pk, "seen": row.version}, next=f"/line/quality/{pk}/", tone=""
    )
    can_object = SAMPLE.allows("object", row.state) and row.seat_id == request.actor.user_id
    return render(
        request, "console/line_sample.html", status=status, row=row, machine=SAMPLE, problem=problem, verb=verb,
        lines=[(one["name"], row.points.get(one["code"]), one["points"]) for one in asked],
        form=form or (PointsForm(asked, verb, points=row.points) if verb else None), object=object_ if can_object else None,
    )  # fmt: skip


@require_POST
@page(VIEW)
def judge(request: Any, pk: int, verb: str) -> HttpResponse:
    """Give points, or settle an objection."""
    row = _sample(request, pk)
    if verb not in (SCORE, SETTLE):
        raise Http404
    form = PointsForm(criteria(row.div, local_date(row.drawn_at)), verb, request.POST)
    if not form.is_valid():
        return sample_page(request, pk, form, status=422)
    operation = REGISTRY[f"{verb}_sample"]
    seen = request.POST.get("seen", "")
    arguments = {
        "sample_id": pk, "points": form.points, "seen": int(seen) if seen.isascii() and seen.isdigit() else None,
        "comment" if verb == SCORE else "answer": form.cleaned_data["words"],
    }  # fmt: skip
    try:
        operation.function(actor=request.actor, now=request.now, **arguments)
    except Refusal as refusal:
        note_refusal(operation.right, refusal, {"actor": request.actor, "now": request.now, "sample_id": pk})
        return sample_page(request, pk, form, refusal_text(refusal), refusal.status)
    return HttpResponseRedirect(f"/line/quality/{pk}/")


urlpatterns = [
    path("line/quality/", sample_list),
    path("line/quality/<int:pk>/", sample_page),
    path("line/quality/<int:pk>/<slug:verb>/", judge),
]
