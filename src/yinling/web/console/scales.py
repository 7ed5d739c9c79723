"""Scales with their sources and the gate before what came from memory; contracts of assessor organisations; recognition between departments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.assessment import inputs
from yinling.assessment.models import Recognition, ScaleConfirmation
from yinling.assessment.process import entries
from yinling.assessment.queries import commissions, confirmations, gated_part
from yinling.assessment.rules import level_codes, level_label
from yinling.assessment.scoring import scale as scale_of
from yinling.assessment.scoring import scales
from yinling.directory.models import Area
from yinling.directory.queries import ancestors
from yinling.ground.parameters import parameter
from yinling.kernel.period import ONE_DAY
from yinling.web.actions import action_form
from yinling.web.options import named
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.settings_words import CERTAIN, is_chinese, shown_settings

VIEW = "assessment.request.view"


@named("own_areas")
def own_area_choices(request: Any) -> list[tuple[str, str]]:
    """The actor's area and those directly below it."""
    div = request.actor.div or ""
    rows = Area.objects.filter(Q(pk=div) | Q(parent_id=div), is_statistical=False).order_by("div")
    return [(code, name) for code, name in rows.values_list("div", "name")]


@dataclass(frozen=True)
class Line:
    """One scale as the list shows it."""

    id: str
    data: dict[str, Any]
    gate: str
    confirmed: ScaleConfirmation | None

    def told(self, name: str) -> str:
        """What is known of the scale's source, in the language of the page."""
        own = self.data.get(f"{name}_zh", "") if is_chinese() else self.data.get(name, "")
        return str(own)


def _lines(request: Any) -> list[Line]:
    found = {
        (row.scale, row.scale_version, row.part): row for row in confirmations(request.actor.div or "", request.day)
    }
    return [
        Line(one, scale_of(one), gated_part(one), found.get((one, str(scale_of(one)["version"]), gated_part(one))))
        for one, _name in inputs.SCALES
    ]


@page(VIEW)
def scale_list(request: Any) -> HttpResponse:
    """Every scale with its version, how sure its source is, and who stands for what came from memory."""
    return render(request, "console/scales.html", lines=_lines(request), levels=level_codes, names=dict(inputs.SCALES))


@page(VIEW)
def scale_page(request: Any, scale_id: str) -> HttpResponse:
    """One scale: its levels, the matrix with the confidence of each cell, its settings with their sources, and the confirmation."""
    if scale_id not in scales():
        raise Http404
    line = next(one for one in _lines(request) if one.id == scale_id)
    area, today = request.actor.div or "", request.day
    confirm = withdraw = None
    if line.gate and line.confirmed is None and area:
        fields = {"div": {"options": "own_areas"}}
        confirm = action_form(
            request,
            "confirm_scale",
            {"scale": scale_id, "div": area},
            next=f"/scales/{scale_id}/",
            hidden=("scale",),
            fields=fields,
            tone="danger",
        )
    if line.confirmed is not None:
        look: dict[str, Any] = {"next": f"/scales/{scale_id}/", "tone": "danger"}
        withdraw = action_form(request, "withdraw_confirmation", {"confirmation_id": line.confirmed.pk}, **look)
    settings = shown_settings(scale_id, entries(scale_id, area, today))
    return render(
        request, "console/scale.html", line=line, certain=CERTAIN, told=line.told, settings=settings, confirm=confirm, withdraw=withdraw,
        levels=level_codes(scale_id), combination=line.data.get("combination", {}), name=dict(inputs.SCALES)[scale_id],
    )  # fmt: skip


@page("assessment.recognition.record")
def recognition_list(request: Any) -> HttpResponse:
    """What departments accept of each other's results, by document; and what is known from documents but not switched on."""
    div, today = request.actor.div or "", request.day
    rows = Recognition.objects.filter(recorded_to=None).filter(
        Q(div__in=ancestors(div)) | Q(div__gte=div, div__lt=div + ":")
    )
    listing = Listing(
        request, rows.order_by("-valid_from", "-id"),
        Filter("scale", _("标准"), lambda found, one: found.filter(from_scale=one), "choice", inputs.SCALES),
    )  # fmt: skip
    here, fields = "/recognitions/", {"div": {"options": own_area_choices(request)}}
    blank = {"div": div, "valid_from": today, "needs_consent": True}
    look: dict[str, Any] = {"next": here, "tone": "", "fields": fields}
    known = []
    for one in parameter("assessment.recognition.known", div, today):
        told = {name: value for name, value in one.items() if name != "confidence"}
        known.append((one, action_form(request, "record_recognition", blank | told, **look)))
    ends = {
        row.pk: action_form(
            request, "end_recognition", {"recognition_id": row.pk, "valid_to": today}, next=here, tone="danger"
        )
        for row in listing
        if request.actor.covers(row.div)
    }
    form = action_form(request, "record_recognition", blank, **look)
    return render(
        request, "console/recognitions.html", listing=listing, form=form,
        known=known, ends=ends, lasts={row.pk: row.valid_to and row.valid_to - ONE_DAY for row in listing}, label=level_label,
        scales=inputs.SCALES, purposes=inputs.PURPOSES, departments=inputs.DEPARTMENTS, today=today,
    )  # fmt: skip


@page("assessment.commission.award")
def commission_list(request: Any) -> HttpResponse:
    """Contracts with assessor organisations: which scales, until when."""
    div, today = request.actor.div or "", request.day
    listing = Listing(request, commissions(request.actor))
    here = "/commissions/"
    form = action_form(
        request, "commission_organisation", {"div": div, "valid_from": today, "scales": ["gbt42195_2022"]}, next=here, tone="",
        fields={"organisation_id": {"options": "organisations"}, "div": {"options": "own_areas"}, "scales": {"options": inputs.SCALES, "help": ""}},
    )  # fmt: skip
    ends = {
        row.pk: action_form(
            request, "end_commission", {"commission_id": row.pk, "valid_to": today}, next=here, tone="danger"
        )
        for row in listing
        if request.actor.covers(row.div)
    }
    return render(
        request, "console/commissions.html", listing=listing, form=form, ends=ends, names=dict(inputs.SCALES), today=today,
        lasts={row.pk: row.valid_to and row.valid_to - ONE_DAY for row in listing},
    )  # fmt: skip


urlpatterns = [
    path("scales/", scale_list),
    path("scales/<slug:scale_id>/", scale_page),
    path("recognitions/", recognition_list),
    path("commissions/", commission_list),
]
