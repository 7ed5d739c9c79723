"""Surveys: the list, how far each village is, and asking one elder after the other by keyboard (R-PEO-07)."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.inputs import CAMPAIGN_KINDS, SURVEY_OUTCOMES
from yinling.people.models import Campaign
from yinling.people.operations.campaigns import OUTCOMES_OF
from yinling.people.queries import campaigns, coverage, not_asked
from yinling.people.queries.campaigns import sums
from yinling.people.rules import elder_code
from yinling.web.actions import action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, Column, excel
from yinling.web.show import day, tr

VIEW = "people.campaign.view"
NEXT = 10
"""How many of those still to be asked are shown below the one at hand."""


@page(VIEW)
def campaign_list(request: Any) -> HttpResponse:
    """Surveys that concern the actor's area, and the form that opens one."""
    kind = Filter("kind", _("种类"), lambda found, value: found.filter(kind=value), "choice", CAMPAIGN_KINDS)
    today = local_date(request.now)
    form = action_form(
        request, "make_campaign", {"starts_on": today, "ends_on": today, "div": request.actor.div or "", "kind": "vaccination"},
        next="/campaigns/{id}/", fields={"div": {"options": "streets", "label": N_("范围"), "widget": "choice"}},
    )  # fmt: skip
    listing = Listing(request, campaigns(request.actor), kind)
    return render(
        request, "console/campaigns.html", listing=listing, form=form, kinds=dict(CAMPAIGN_KINDS), today=today
    )  # fmt: skip


def _campaign(request: Any, pk: int) -> Campaign:
    row = campaigns(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _area(request: Any, row: Campaign) -> str:
    """Return the area looked at: the one chosen, else the narrower of the survey's and the actor's."""
    own: str = request.actor.div or ""
    widest = max(own, row.div, key=len)
    chosen: str = request.GET.get("area", "")[:12]
    return chosen if chosen.startswith(widest) else widest


def _outcomes(row: Campaign) -> list[tuple[str, str]]:
    return [(code, label) for code, label in SURVEY_OUTCOMES if code in OUTCOMES_OF[row.kind]]


@page(VIEW)
def campaign_page(request: Any, pk: int) -> HttpResponse:
    """How far the survey is in each area below."""
    row = _campaign(request, pk)
    div = _area(request, row)
    lines = coverage(request.actor, row, div, request.day)
    return render(
        request, "console/campaign.html", row=row, div=div, lines=lines, total=sums(lines), outcomes=_outcomes(row), kinds=dict(CAMPAIGN_KINDS),
        heads=[_("区划"), *((head, "right") for head in (_("应询问"), _("已询问"), _("未询问"))), *((tr(one[1]), "right") for one in _outcomes(row))],
        is_open=row.starts_on <= local_date(request.now) <= row.ends_on,
    )  # fmt: skip


@page(VIEW)
def campaign_excel(request: Any, pk: int) -> HttpResponse:
    """The coverage list as a workbook."""
    row = _campaign(request, pk)
    lines = coverage(request.actor, row, _area(request, row), request.day)
    columns = [
        Column(_("区划"), width=20), Column(_("应询问"), COUNT, 10), Column(_("已询问"), COUNT, 10), Column(_("未询问"), COUNT, 10),
        *(Column(tr(label), COUNT, 16) for _code, label in _outcomes(row)),
    ]  # fmt: skip
    rows = [
        (line.name, line.total, line.asked, line.open, *(line.outcomes.get(code, 0) for code, _label in _outcomes(row)))
        for line in lines
    ]
    return excel(row.name, columns, rows, above=[f"{row.name} {day(request.day)}"])


@page("people.campaign.answer")
def campaign_ask(request: Any, pk: int) -> HttpResponse:
    """Ask one elder after the other: a digit chooses the answer, Enter saves it and brings the next."""
    row = _campaign(request, pk)
    div = _area(request, row)
    waiting = list(not_asked(request.actor, row, request.day, div)[: NEXT + 1])
    chosen: str = request.GET.get("elder", "")
    first = next((one for one in waiting if str(one.pk) == chosen), waiting[0] if waiting else None)
    is_open = row.starts_on <= local_date(request.now) <= row.ends_on
    form = None
    if first is not None and is_open:
        form = action_form(
            request, "answer_campaign", {"campaign_id": pk, "elder_id": first.pk}, next=f"/campaigns/{pk}/ask/?area={div}", done=N_("已登记"),
            submit=N_("保存，下一位"), fields={"outcome": {"options": [list(one) for one in _outcomes(row)], "widget": "radio"}},
        )  # fmt: skip
    return render(
        request, "console/campaign_ask.html", row=row, div=div, elder=first, form=form, waiting=[one for one in waiting if one != first],
        code=elder_code, is_open=is_open,
    )  # fmt: skip


urlpatterns = [
    path("campaigns/", campaign_list),
    path("campaigns/<int:pk>/", campaign_page),
    path("campaigns/<int:pk>/excel/", campaign_excel),
    path("campaigns/<int:pk>/ask/", campaign_ask),
]
