"""What a person may have, why, why not and until when; and of each scheme who could have it, holds it, or no longer may."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import Area
from yinling.entitlements.models import PAYERS, Scheme
from yinling.entitlements.queries.eligibility import Terms, answer, offers, situations, terms_of
from yinling.entitlements.queries.procedures import procedure_of
from yinling.entitlements.queries.sets import active_schemes
from yinling.entitlements.queries.standings import STREET, candidates, counts_below, counts_of, expiring, lost
from yinling.entitlements.states import APPLICATION
from yinling.kernel.inputs import meant_day
from yinling.kernel.masks import mask_name
from yinling.kernel.period import age_on, local_date
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.rules import elder_code
from yinling.web import conditions
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.people import area_filter
from yinling.web.pages import Listing, page, render
from yinling.web.sheets import COUNT, Column, excel
from yinling.web.show import day, label_of, moment, tr

VIEW = "entitlements.entitlement.view"
CANDIDATES, LOST, EXPIRING = "candidates", "lost", "expiring"
LISTS = ((CANDIDATES, N_("符合而未申请")), (LOST, N_("已享受但不再符合")), (EXPIRING, N_("即将到期")))
MOST_EXPORTED = 5_000


@dataclass(frozen=True)
class Line:
    """One person on a list: what the page and the sheet show."""

    elder: Elder
    place: str
    age: int
    what: str
    last_day: date | None = None


def _day(request: Any) -> date:
    """Return the day asked about: one in the address, which may lie ahead, else that of the header."""
    chosen: date = meant_day(request.GET.get("on", "")) or request.day
    return chosen


@page(VIEW)
def elder_benefits(request: Any, pk: int) -> HttpResponse:
    """Every scheme of the elder's area with the answer for a day; ``?print=1`` as a sheet to sign."""
    elder = Elder.objects.visible_to(request.actor).filter(pk=pk).first()
    if elder is None:
        raise Http404
    on = _day(request)
    found = offers(elder, max(on, elder.born_on))
    names = {one.scheme.code: one.scheme.name for one in found}
    is_paper = request.GET.get("print") == "1"
    forms = (
        {}
        if is_paper
        else {one.scheme.code: _form(request, elder, one.scheme, on) for one in found if one.is_candidate}
    )
    return render(
        request, "console/elder_benefits_print.html" if is_paper else "console/elder_benefits.html", elder=elder, code=elder_code(pk), on=on,
        offers=found, names=names, forms=forms, payers=PAYERS, words=conditions, today=request.day, tab="benefits",
        application_machine=APPLICATION,
    )  # fmt: skip


def _form(request: Any, elder: Elder, scheme: Scheme, on: date) -> ActionForm | None:
    """Apply where the platform takes applications, else note what another department has recognised. Only as of today."""
    if on != local_date(request.now):
        return None
    here = f"/elders/{elder.pk}/benefits/"
    initial = {"elder_id": elder.pk, "scheme_code": scheme.code}
    look: dict[str, Any] = {"next": here, "hidden": ("elder_id", "scheme_code"), "tone": "primary"}
    if procedure_of(scheme.code, elder.div, on) is not None:
        return action_form(request, "apply_for", initial, submit=N_("申请"), **look)
    return action_form(request, "grant_entitlement", initial | {"valid_from": on}, submit=N_("登记待遇"), **look)


@page(VIEW)
def scheme_list(request: Any) -> HttpResponse:
    """The schemes of the actor's area with how many fit, hold, could apply and no longer fit."""
    div = request.actor.div or ""
    schemes = active_schemes(div)
    counts = {scheme.pk: counts_of(scheme, div) for scheme in schemes} if len(div) <= STREET else {}
    terms = {scheme.pk: terms_of(scheme.code, scheme.div, request.day) for scheme in schemes}
    return render(request, "console/schemes.html", schemes=schemes, terms=terms, counts=counts, payers=PAYERS)


def _list(request: Any) -> str:
    """Return which of the lists is asked for."""
    wanted: str = request.GET.get("list", CANDIDATES)
    return wanted if wanted in dict(LISTS) else CANDIDATES


def _scheme(request: Any, code: str, known: list[Scheme]) -> Scheme:
    """Return the scheme of a code that speaks for the actor's area; ``?in=`` names another one below."""
    div = request.actor.div or ""
    found = [scheme for scheme in known if scheme.code == code]
    wanted = request.GET.get("in", "")
    if not found:
        raise Http404
    by_div = {scheme.div: scheme for scheme in found}
    if wanted in by_div:
        return by_div[wanted]
    covering = [scheme for scheme in found if div.startswith(scheme.div)]
    return max(covering or found, key=lambda one: len(one.div))


@page(VIEW)
def scheme_page(request: Any, code: str) -> HttpResponse:
    """Conditions in words with clause, amounts, counts by area, and one of three lists."""
    known = active_schemes(request.actor.div or "")
    scheme = _scheme(request, code, known)
    which = _list(request)
    area, names = area_filter(request)
    listing = Listing(request, _rows(request, scheme, which), area)
    terms = terms_of(scheme.code, scheme.div, request.day)
    below = {div: name for div, name in names.items() if div != request.actor.div}
    return render(
        request, "console/scheme.html", scheme=scheme, terms=terms, which=which, lists=LISTS, listing=listing,
        lines=_lines(request, scheme, which, terms, listing.rows), counts=counts_below(request.actor, scheme, _next_level(below)),
        total=counts_of(scheme, request.actor.div or ""), words=conditions, names={row.code: row.name for row in known}, payers=PAYERS,
        code=elder_code, alike=[row for row in known if row.code == code],
    )  # fmt: skip


def _next_level(areas: dict[str, str]) -> dict[str, str]:
    """Return only the areas of the highest level among these."""
    shortest = min(map(len, areas), default=0)
    return {div: name for div, name in areas.items() if len(div) == shortest}


def _rows(request: Any, scheme: Scheme, which: str) -> Any:
    rows: Callable[..., Any] = {CANDIDATES: candidates, LOST: lost, EXPIRING: expiring}[which]
    place = Area.objects.filter(div=OuterRef("elder__div")).values("short_name")[:1]
    return rows(request.actor, scheme, request.day).annotate(place=Subquery(place))


def _lines(request: Any, scheme: Scheme, which: str, terms: Terms | None, rows: Iterable[Any]) -> list[Line]:
    shown, on = list(rows), request.day
    known = situations([row.elder for row in shown], on) if which == LOST else {}
    lines = []
    for row in shown:
        last = None
        if which == LOST:
            found = answer(scheme, known[row.elder_id])
            what = tr(found.reason) % found.values if found.values else tr(found.reason)
        elif which == EXPIRING:
            what, last = _("到期"), conditions.last_day(row.valid_to)
        else:
            has_grade = terms is not None and row.grade < len(terms.grades)
            what = terms.grades[row.grade].name if has_grade and terms else _("符合条件")
        lines.append(
            Line(
                row.elder, row.place or "", age_on(row.elder.born_on, on) if on >= row.elder.born_on else 0, what, last
            )
        )
    return lines


@page(VIEW)
def scheme_sheet(request: Any, code: str) -> HttpResponse:
    """The list as a spreadsheet: names masked, who took it and when on top, at most 5,000 rows."""
    scheme = _scheme(request, code, active_schemes(request.actor.div or "", code=code))
    which = _list(request)
    area, _names = area_filter(request)
    rows = _rows(request, scheme, which)
    chosen = area.value(request.GET.get("area", ""))
    rows = area.apply(rows, chosen) if chosen else rows
    lines = _lines(request, scheme, which, terms_of(scheme.code, scheme.div, request.day), rows[:MOST_EXPORTED])
    columns = [
        Column(_("编号")), Column(_("姓名")), Column(_("年龄"), COUNT), Column(_("社区（村）"), width=24), Column(_("说明"), width=48),
        Column(_("截止日期")),
    ]  # fmt: skip
    title = label_of(which, LISTS)
    above = [
        _("%(scheme)s：%(list)s（%(day)s）") % {"scheme": tr(scheme.name), "list": title, "day": day(request.day)},
        _("导出人 %(who)s，%(when)s；姓名已脱敏，仅限本次工作使用，最多%(most)s行")
        % {"who": request.actor.name, "when": moment(request.now), "most": MOST_EXPORTED},
    ]
    table = (
        (elder_code(one.elder.pk), mask_name(one.elder.name), one.age, one.place, one.what, day(one.last_day) if one.last_day else "")
        for one in lines
    )  # fmt: skip
    return excel(f"{scheme.code}-{which}-{request.day}", columns, table, above=above)


urlpatterns = [
    path("elders/<int:pk>/benefits/", elder_benefits),
    path("schemes/", scheme_list),
    path("schemes/<slug:code>/", scheme_page),
    path("schemes/<slug:code>/sheet/", scheme_sheet),
]
