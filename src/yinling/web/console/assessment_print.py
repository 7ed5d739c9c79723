"""Assessments on paper: a filled form, masked or after a reason in clear, and the blank form of every scale."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path

from yinling.assessment.operations import print_form
from yinling.assessment.queries import request_file
from yinling.assessment.scoring import scales
from yinling.ground.operation import note_refusal
from yinling.kernel.refusals import Refusal
from yinling.web.pages import page, render
from yinling.web.queries.paper import blank, paper_of
from yinling.web.queries.sheet import Sheet
from yinling.web.show import refusal_text

PRINT = "assessment.form.print"
VIEW = "assessment.request.view"
TEMPLATE = "console/assessment_print.html"


@page(VIEW)
def form_print(request: Any, pk: int) -> HttpResponse:
    """The official form. Sent with a reason by somebody with the right, it shows everything and the journal says so."""
    file = request_file(request.actor, pk)
    if file is None or file.form is None:
        raise Http404
    sheet, may = Sheet(file), request.actor.has(PRINT)
    if request.method != "POST":
        return render(request, TEMPLATE, paper=paper_of(sheet, is_clear=False), reveal=may, problem="")
    given = {"actor": request.actor, "now": request.now, "request_id": pk, "reason": request.POST.get("reason", "")}
    try:
        print_form(**given)
    except Refusal as refusal:
        note_refusal(PRINT, refusal, given)
        masked = paper_of(sheet, is_clear=False)
        return render(request, TEMPLATE, status=refusal.status, paper=masked, reveal=may, problem=refusal_text(refusal))
    return render(request, TEMPLATE, paper=paper_of(sheet, is_clear=True), reveal=False, problem="")


@page(VIEW)
def form_blank(request: Any, scale_id: str) -> HttpResponse:
    """The empty form of a scale, to fill in by hand."""
    if scale_id not in scales():
        raise Http404
    return render(request, TEMPLATE, paper=blank(scale_id), reveal=False, problem="")


urlpatterns = [
    path("assessments/<int:pk>/print/", form_print),
    path("assessments/paper/<slug:scale_id>/", form_blank),
]
