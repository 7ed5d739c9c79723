"""Budgets of schemes: what a year has, what is given out, who waits."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import Area
from yinling.entitlements.models import Application, BudgetLine
from yinling.entitlements.queries.applications import budgets_shown, waiting_list
from yinling.entitlements.queries.eligibility import schemes_for
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.programmes.subsidies.queries.funds import executed_of
from yinling.web.actions import action_form
from yinling.web.console.funds import years
from yinling.web.console.people import area_filter
from yinling.web.options import named
from yinling.web.pages import Filter, Listing, page, render

VIEW = "entitlements.budget.view"


@named("own_areas")
def own_areas(request: Any) -> list[tuple[str, str]]:
    """The actor's area and the areas just below it."""
    div = request.actor.div or ""
    rows = Area.objects.filter(is_statistical=False, parent_id=div) | Area.objects.filter(pk=div)
    return [(pk, name) for pk, name in rows.order_by("div").values_list("div", "name")]


@named("budget_schemes")
def budget_schemes(request: Any) -> list[tuple[str, str]]:
    """Schemes that may have a budget in the actor's area: also those that another department grants, whose money is followed too."""
    return [(row.code, row.name) for row in schemes_for(request.actor.div or "")]


@page(VIEW)
def budget_list(request: Any) -> HttpResponse:
    """Budgets by year, scheme and area, and the form that proposes one."""
    today = local_date(request.now)
    area, names = area_filter(request)
    by_year = Filter("year", _("年度"), lambda rows, year: rows.filter(year=int(year)), "choice", years(request))
    listing = Listing(request, budgets_shown(request.actor), area, by_year)
    names |= dict(
        Area.objects.filter(pk__in={row.div for row in listing} - set(names)).values_list("div", "short_name")
    )
    waits = Application.objects.visible_to(request.actor).filter(
        state="waiting", scheme_id__in={row.scheme_id for row in listing}
    )
    waiting = dict(waits.values_list("scheme_id").annotate(count=Count("pk")))
    form = action_form(
        request, "set_budget", {"year": today.year, "div": request.actor.div or ""}, next="/budgets/{id}/", done=N_("已编制，请另一人确认"),
        fields={"scheme_code": {"options": "budget_schemes", "widget": "choice"}, "div": {"options": "own_areas", "widget": "choice"}},
    )  # fmt: skip
    return render(request, "console/budgets.html", listing=listing, names=names, waiting=waiting, form=form)


@page(VIEW)
def budget_page(request: Any, pk: int) -> HttpResponse:
    """One budget: limits, what is given out and spent, and the waiting list in its order."""
    row = budgets_shown(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    line = BudgetLine.objects.visible_to(request.actor).filter(pk=row.line_id or 0).first()
    listing = Listing(request, waiting_list(row))
    names = dict(Area.objects.filter(pk__in={one.div for one in listing}).values_list("div", "short_name"))
    confirm = action_form(request, "confirm_budget", {"budget_id": pk, "seen": row.version}, next=f"/budgets/{pk}/")
    return render(
        request,
        "console/budget.html",
        row=row,
        executed_fen=executed_of(row),
        line=line,
        listing=listing,
        names=names,
        confirm=confirm,
    )


urlpatterns = [
    path("budgets/", budget_list),
    path("budgets/<int:pk>/", budget_page),
]
