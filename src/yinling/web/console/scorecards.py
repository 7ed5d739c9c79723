"""Scorecards of people who visit, and of the bodies they work for, by month (R-STF-21, R-BED-08)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import Organisation, Staff
from yinling.directory.queries import organisations
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import local_date, month_start, next_month
from yinling.settlement.distributing import GRADES
from yinling.settlement.queries import Scorecard, people_scored, scorecards
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.queries.body_scores import body_scores
from yinling.web.sheets import COUNT, Column, excel
from yinling.web.show import moment, tr

VIEW = "settlement.score.view"
MOST_EXPORTED = 5_000


def _month(request: Any) -> tuple[date, date]:
    first = meant_day(f"{request.GET.get('month', '')[:7]}-01") or month_start(local_date(request.now))
    return first, next_month(first)


def _filters(request: Any) -> tuple[Filter, ...]:
    bodies = (
        organisations(request.actor).filter(is_provider=True).order_by("short_name").values_list("pk", "short_name")
    )
    found = [
        Filter("month", _("月份"), lambda rows, _value: rows, "month"),
        Filter("kind", _("岗位"), lambda rows, value: rows.filter(kind=value), "choice", [one for one in Staff.KINDS if one[0] != "office"]),
        Filter("q", _("姓名"), lambda rows, value: rows.filter(name__icontains=value)),
    ]  # fmt: skip
    if request.actor.div:
        choices = [(str(pk), name) for pk, name in bodies[:1000]]
        found.insert(
            1, Filter("body", _("机构"), lambda rows, value: rows.filter(provider=int(value)), "choice", choices)
        )
    return tuple(found)


def _area(request: Any) -> str:
    """Whose thresholds hold: those of the actor's area, or of the own body."""
    if request.actor.div:
        return str(request.actor.div)
    body = Organisation.objects.filter(pk=request.actor.organisation_id).first()
    return body.div if body else ""


@page(VIEW)
def score_list(request: Any) -> HttpResponse:
    """The cards of a page of people for a month: two questions, however many visits."""
    first, after = _month(request)
    listing = Listing(request, people_scored(request.actor), *_filters(request))
    cards = scorecards(listing.rows, first, after, area=_area(request))
    return render(
        request,
        "console/scorecards.html",
        listing=listing,
        cards=cards,
        month=first,
        grades=dict(GRADES),
        tabs=_tabs("people"),
    )


def _tabs(here: str) -> list[tuple[str, str, int | None, bool]]:
    return [
        (_("人员"), "/staff/scorecards/", None, here == "people"),
        (_("机构"), "/staff/scorecards/bodies/", None, here == "bodies"),
    ]


@page(VIEW)
def score_sheet(request: Any) -> HttpResponse:
    """The cards of everybody found as a workbook."""
    first, after = _month(request)
    rows = people_scored(request.actor)
    for entry in _filters(request):
        value = entry.value(request.GET.get(entry.name, ""))
        rows = rows if value is None else entry.apply(rows, value)
    columns = [
        Column(_("工号"), COUNT, 8), Column(_("姓名")), Column(_("机构"), width=20), Column(_("岗位")), Column(_("次数"), COUNT),
        Column(_("分钟"), COUNT), Column(_("评价数"), COUNT), Column(_("满意数"), COUNT), Column(_("平均分")),
        Column(_("完整次数"), COUNT), Column(_("迟到次数"), COUNT),
        Column(_("时长不足次数"), COUNT), Column(_("考核等次")),
    ]  # fmt: skip
    cards = scorecards(list(rows[:MOST_EXPORTED]), first, after, area=_area(request))
    values = {"month": f"{first:%Y-%m}", "who": request.actor.name, "when": moment(request.now), "most": MOST_EXPORTED}
    above = [_("人员考核 %(month)s　导出人 %(who)s，%(when)s；最多%(most)s行") % values]
    return excel(f"{_('人员考核')}{first:%Y-%m}", columns, [_line(card) for card in cards], above=above)


def _line(card: Scorecard) -> tuple[Any, ...]:
    score, grades = card.score, dict(GRADES)
    average = "" if score.average is None else str(score.average)
    return (
        card.staff.pk, card.staff.name, card.staff.provider.short_name, tr(card.staff.get_kind_display()), score.visits, score.minutes,
        score.evaluated, score.satisfied, average, score.complete, score.late, score.short, tr(grades[card.grade]),
    )  # fmt: skip


@page(VIEW)
def body_list(request: Any) -> HttpResponse:
    """What bodies did in a month, with home sickbeds and beds of nursing homes as items of their assessment."""
    first, after = _month(request)
    rows = organisations(request.actor).filter(is_provider=True)
    listing = Listing(
        request, rows, Filter("month", _("月份"), lambda found, _value: found, "month"),
        Filter("kind", _("类别"), lambda found, value: found.filter(kind=value), "choice", Organisation.KINDS),
        Filter("q", _("名称"), lambda found, value: found.filter(name__icontains=value)),
    )  # fmt: skip
    scores = body_scores(listing.rows, first, after)
    return render(
        request, "console/scorecards_bodies.html", listing=listing, scores=scores, month=first, tabs=_tabs("bodies")
    )


urlpatterns = [
    path("staff/scorecards/", score_list),
    path("staff/scorecards/excel/", score_sheet),
    path("staff/scorecards/bodies/", body_list),
]
