"""The health-record part: of one elder, complete where, which grade, who is due, and readings in an emergency."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import Area
from yinling.kernel.masks import mask_name
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.grading import GRADES
from yinling.people.health import PURPOSES
from yinling.people.inputs import HEALTH_KINDS
from yinling.people.models import Elder
from yinling.people.queries import follow_up_days, follow_ups, health_alerts, health_part, next_check
from yinling.people.queries.health import emergency_readings
from yinling.people.rules import elder_code
from yinling.web.actions import action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.queries.completeness import PARTS, completeness, grade_counts, lacking
from yinling.web.sheets import COUNT, Column, excel
from yinling.web.show import day, tr

VIEW = "people.health.view"
AHEAD = 30
"""Days ahead for which follow-ups are listed."""
MOST_EXPORTED = 5_000


@page(VIEW)
def elder_health(request: Any, pk: int) -> HttpResponse:
    """What may be seen of one health record, and the forms to add to it or to open it with a reason."""
    actor = request.actor
    elder = Elder.objects.visible_to(actor).filter(pk=pk).first()
    if elder is None or (pk in actor.elder_ids and not actor.acts_for(pk, VIEW)):
        raise Http404
    here, one, today = f"/elders/{pk}/health/", {"elder_id": pk}, local_date(request.now)
    part = health_part(actor, pk, request.day)
    shown = [pair for pair in PURPOSES if (pair[0] == "own") == bool(actor.elder_ids)]
    forms = {
        "reveal": action_form(request, "reveal_health", one, tone="", fields={"purpose": {"options": shown, "widget": "choice"}}),
        "record": action_form(request, "record_health_fact", one | {"valid_from": today}, next=here, tone=""),
        "link": action_form(
            request, "link_health_record", one | {"seen": elder.version, "reference": elder.health_record_ref}, next=here, tone=""
        ),
        "grade": action_form(request, "grade_health", one, next=here, tone="", submit=N_("重新计算分级")),
    }  # fmt: skip
    ends = {
        row.pk: action_form(request, "end_health_fact", {"health_id": row.pk, "valid_to": today}, next=here, tone="", submit=N_("终止"))
        for row in part.facts if row.kind != "grade"
    }  # fmt: skip
    grade = next((row for row in part.facts if row.kind == "grade"), None)
    return render(
        request, "console/elder_health.html", elder=elder, code=elder_code(pk), part=part, forms=forms, ends=ends, grade=grade,
        grades=dict(GRADES), kinds=dict(HEALTH_KINDS), alerts=health_alerts(pk, request.day),
    )  # fmt: skip


def _area(request: Any) -> str:
    """Return the area chosen, if it lies in the actor's, else the actor's."""
    chosen: str = request.GET.get("area", "")[:12]
    own: str = request.actor.div or ""
    return chosen if own and request.actor.covers(chosen) else own


def _tabs(request: Any, here: str) -> list[tuple[str, str, int | None, bool]]:
    tabs = [
        ("complete", _("完整性"), "/health/", VIEW),
        ("due", _("随访"), "/health/follow-ups/", VIEW),
        ("readings", _("紧急查看"), "/health/readings/", "people.health.review"),
    ]
    return [(label, address, None, name == here) for name, label, address, right in tabs if request.actor.has(right)]


@page(VIEW)
def health_overview(request: Any) -> HttpResponse:
    """How complete the files of each area are, and how many elders have which grade."""
    div = _area(request)
    lines = completeness(request.actor, div, request.day)
    name = Area.objects.filter(pk=div).values_list("short_name", flat=True).first() or ""
    return render(
        request, "console/health.html", tabs=_tabs(request, "complete"), div=div, name=name, lines=lines, parts=PARTS, heads=_heads(),
        grades=GRADES, counts=grade_counts(request.actor, div, request.day),
    )  # fmt: skip


def _heads() -> list[Any]:
    parts = [(tr(label), "right") for _code, label in PARTS]
    return [_("区划"), (_("在册老人"), "right"), *parts, (_("全部齐全"), "right")]


@page(VIEW)
def health_excel(request: Any) -> HttpResponse:
    """The report of completeness as a workbook."""
    div = _area(request)
    columns = [
        Column(_("区划"), width=20), Column(_("在册老人"), COUNT, 10), *(Column(tr(label), COUNT, 12) for _name, label in PARTS),
        Column(_("全部齐全"), COUNT, 10),
    ]  # fmt: skip
    lines = completeness(request.actor, div, request.day)
    rows = [(line.name, line.total, *(line.having[name] for name, _label in PARTS), line.complete) for line in lines]
    above = [_("健康档案完整性 %(day)s（数字为已有该部分的人数）") % {"day": day(request.day)}]
    return excel(_("健康档案完整性"), columns, rows, above=above)


def _part(request: Any) -> str:
    chosen: str = request.GET.get("part", "")
    return chosen if chosen in dict(PARTS) else PARTS[0][0]


@page(VIEW)
def health_missing(request: Any) -> HttpResponse:
    """The elders of an area whose file lacks one part."""
    div, part = _area(request), _part(request)
    chosen = Filter("part", _("缺少的部分"), lambda found, _value: found, "choice", PARTS)
    listing = Listing(request, lacking(request.actor, div, part, request.day), chosen)
    return render(
        request, "console/health_missing.html", tabs=_tabs(request, "complete"), listing=listing, div=div, part=part, label=dict(PARTS)[part],
        code=elder_code,
    )  # fmt: skip


@page(VIEW)
def missing_excel(request: Any) -> HttpResponse:
    """The same list as a workbook, names masked."""
    div, part = _area(request), _part(request)
    columns = [Column(_("档案号"), width=12), Column(_("姓名"), width=10), Column(_("区划"), width=16)]
    rows = [
        (elder_code(row.pk), mask_name(row.name), row.div)
        for row in lacking(request.actor, div, part, request.day)[:MOST_EXPORTED]
    ]
    name = _("缺少%(part)s") % {"part": tr(dict(PARTS)[part])}
    return excel(name, columns, rows, above=[f"{name} {day(request.day)}"])


@page(VIEW)
def follow_up_list(request: Any) -> HttpResponse:
    """Whose next check is due, by the grade of health management."""
    grade = Filter("grade", _("分级"), lambda found, value: found.filter(item=value), "choice", GRADES)
    listing = Listing(request, follow_ups(request.actor, request.day, within_days=AHEAD), grade)
    days = follow_up_days(request.actor.div or "", request.day)
    return render(
        request, "console/follow_ups.html", tabs=_tabs(request, "due"), listing=listing, grades=dict(GRADES), days=days, ahead=AHEAD,
        due={row.pk: next_check(row, days) for row in listing}, today=request.day, code=elder_code,
    )  # fmt: skip


@page(VIEW)
def follow_up_excel(request: Any) -> HttpResponse:
    """The follow-ups due as a workbook, names masked."""
    days, grades = follow_up_days(request.actor.div or "", request.day), dict(GRADES)
    columns = [
        Column(_("档案号"), width=12), Column(_("姓名"), width=10), Column(_("区划"), width=16), Column(_("分级"), width=8),
        Column(_("规则版本"), width=10), Column(_("上次体检"), width=12), Column(_("应随访日期"), width=12),
    ]  # fmt: skip
    rows = [
        (
            elder_code(row.elder_id), mask_name(row.elder.name), row.div, tr(grades[row.item]), row.rule,
            day(row.last_check) if row.last_check else "", day(next_check(row, days)),
        )
        for row in follow_ups(request.actor, request.day, within_days=AHEAD)[:MOST_EXPORTED]
    ]  # fmt: skip
    return excel(_("应随访名单"), columns, rows, above=[_("应随访名单 %(day)s") % {"day": day(request.day)}])


@page("people.health.review")
def reading_list(request: Any) -> HttpResponse:
    """Readings in an emergency that nobody has reviewed yet, oldest first (X-PIP-06)."""
    rows = emergency_readings(request.actor)
    state = Filter("all", _("含已复核"), lambda found, _yes: found, "check")
    rows = rows if request.GET.get("all") else rows.filter(is_reviewed=False)
    listing = Listing(request, rows, state)
    forms = {
        row.pk: action_form(
            request, "review_reading", {"reading_id": row.pk, "told_on": local_date(request.now)}, next="/health/readings/", tone=""
        )
        for row in listing if not row.is_reviewed
    }  # fmt: skip
    return render(
        request, "console/readings.html", tabs=_tabs(request, "readings"), listing=listing, forms=forms, code=elder_code
    )


urlpatterns = [
    path("elders/<int:pk>/health/", elder_health),
    path("health/", health_overview),
    path("health/excel/", health_excel),
    path("health/missing/", health_missing),
    path("health/missing/excel/", missing_excel),
    path("health/follow-ups/", follow_up_list),
    path("health/follow-ups/excel/", follow_up_excel),
    path("health/readings/", reading_list),
]
