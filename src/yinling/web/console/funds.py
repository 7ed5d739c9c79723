"""P23: every fund's way on one page, and the lines it begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import Area
from yinling.entitlements.models import FUNDS, PURPOSES, Budget, BudgetLine
from yinling.entitlements.queries.lines import lines_shown, lottery_checks, planned_lines
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.programmes.subsidies.models import Spending, Subsidy
from yinling.programmes.subsidies.queries.funds import (
    Way,
    budgets_of,
    by_area,
    charges_of,
    donations_shown,
    gifts,
    persons_of,
    reimbursements_of,
    spent_by_category,
    subsidies_of,
    totals,
    ways,
)
from yinling.programmes.subsidies.states import SUBSIDY
from yinling.settlement.states import REIMBURSEMENT
from yinling.web.actions import action_form
from yinling.web.console.people import area_filter
from yinling.web.options import named
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.show import moment, tr

VIEW = "entitlements.budget_line.view"
MOST = 1000
"""So many lines are read for the sums: a city has some hundred a year."""


def fund_tabs(request: Any, here: str) -> list[tuple[str, str, int | None, bool]]:
    """The pages about funds, as far as the role may open them."""
    tabs = (
        ("ways", _("资金去向"), "/funds/", VIEW), ("lines", _("资金编列"), "/funds/lines/", VIEW),
        ("subsidies", _("补助"), "/subsidies/", "subsidies.subsidy.view"), ("donations", _("捐赠"), "/donations/", "subsidies.donation.view"),
        ("reimbursements", _("报销"), "/reimbursements/", "settlement.reimbursement.view"),
    )  # fmt: skip
    return [(label, address, None, name == here) for name, label, address, right in tabs if request.actor.has(right)]


def years(request: Any) -> list[tuple[str, str]]:
    """The years a filter offers."""
    this = local_date(request.now).year
    return [(str(year), str(year)) for year in range(this + 1, this - 6, -1)]


def _filters(request: Any) -> tuple[tuple[Filter, ...], dict[str, str]]:
    area, names = area_filter(request)
    filters = (
        Filter("year", _("年度"), lambda rows, value: rows.filter(year=int(value)), "choice", years(request)),
        Filter("level", _("级次"), lambda rows, value: rows.filter(level=value), "choice", BudgetLine.LEVELS),
        Filter("fund", _("资金来源"), lambda rows, value: rows.filter(fund=value), "choice", FUNDS),
        Filter("purpose", _("用途"), lambda rows, value: rows.filter(purpose=value), "choice", PURPOSES),
        area,
    )  # fmt: skip
    return filters, names


def _names(divs: set[str], known: dict[str, str]) -> dict[str, str]:
    missing = divs - set(known)
    return known | dict(Area.objects.filter(pk__in=missing).values_list("div", "short_name")) if missing else known


def _ways(request: Any) -> tuple[Listing, list[Way], dict[str, str]]:
    """Follow every line that the filters leave: the sums need all of them, the page shows a part."""
    filters, names = _filters(request)
    rows = lines_shown(request.actor)
    for entry in filters:
        if (value := entry.value(request.GET.get(entry.name, ""))) is not None:
            rows = entry.apply(rows, value)
    found = ways(list(rows[:MOST]))
    listing = Listing(request, found, *(replace(entry, apply=lambda kept, _value: kept) for entry in filters))
    return listing, found, _names({one.line.div for one in found}, names)


@page(VIEW)
def ways_page(request: Any) -> HttpResponse:
    """Each fund from its line to what was paid and to how many; the sums are those of all rows the filters leave."""
    listing, found, names = _ways(request)
    return render(
        request, "console/funds.html", tabs=fund_tabs(request, "ways"), listing=listing, ways=listing.rows, totals=totals(found),
        areas=by_area(found), names=names, excel=listing.address().replace("/funds/", "/funds/excel/", 1),
    )  # fmt: skip


@page(VIEW)
def ways_excel(request: Any) -> HttpResponse:
    """The same as a workbook, equal to the fen."""
    _listing, found, names = _ways(request)
    funds, levels, purposes = dict(FUNDS), dict(BudgetLine.LEVELS), dict(PURPOSES)
    columns = [
        Column(_("年度"), COUNT, 8), Column(_("区划"), width=14), Column(_("级次"), width=10), Column(_("资金来源"), width=20),
        Column(_("用途"), width=16), Column(_("项目"), width=28), Column(_("计划（元）"), YUAN), Column(_("审定（元）"), YUAN),
        Column(_("已安排（元）"), YUAN), Column(_("已执行（元）"), YUAN), Column(_("已付款（元）"), YUAN), Column(_("余额（元）"), YUAN),
        Column(_("人数"), COUNT, 8), Column(_("机构数"), COUNT, 8),
    ]  # fmt: skip
    lines = [
        (
            one.line.year, names.get(one.line.div, one.line.div), tr(levels[one.line.level]), tr(funds[one.line.fund]),
            tr(purposes[one.line.purpose]), one.line.name, one.line.planned_fen, one.line.approved_fen, one.line.spent_fen,
            one.executed_fen, one.paid_fen, one.left_fen, len(one.persons), len(one.bodies),
        )
        for one in found
    ]  # fmt: skip
    sums = totals(found)
    below = (
        None, _("合计"), None, None, None, None, sums["planned_fen"], sums["approved_fen"], sums["spent_fen"], sums["executed_fen"],
        sums["paid_fen"], sums["left_fen"], sums["persons"], sums["bodies"],
    )  # fmt: skip
    return excel(_("资金去向"), columns, lines, below=below)


@page(VIEW)
def line_list(request: Any) -> HttpResponse:
    """Lines with what is planned and approved, the check of the lottery fund, and the form that plans one."""
    filters, names = _filters(request)
    listing = Listing(request, lines_shown(request.actor), *filters)
    year = int(listing.values["year"] or local_date(request.now).year)
    names = _names({row.div for row in listing}, names)
    asked = planned_lines(request.actor, request.actor.div or "", year)
    wanted = {"div": request.actor.div or "", "year": year} | _of_plan(asked, request.GET.get("plan", ""))
    form = action_form(
        request, "propose_line", wanted, next="/funds/{id}/", done=N_("已编列，请另一人审定"),
        fields={"div": {"options": "own_areas", "widget": "choice"}},
    )  # fmt: skip
    return render(
        request, "console/fund_lines.html", tabs=fund_tabs(request, "lines"), listing=listing, names=names, form=form, year=year,
        checks=lottery_checks(request.actor, year), planned=asked, open_form=bool(request.GET.get("plan")), purposes=dict(PURPOSES),
        levels=dict(BudgetLine.LEVELS),
    )  # fmt: skip


def _of_plan(asked: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """What the plan says of a line, to begin its form with."""
    found = next((one for one in asked if one["name"] == name), None)
    return {key: found[key] for key in ("name", "fund", "purpose", "planned_fen", "document")} if found else {}


@named("free_budgets")
def free_budgets(request: Any) -> list[tuple[str, str]]:
    """Budgets in force with an amount that no line bears yet."""
    rows = Budget.objects.visible_to(request.actor).filter(is_in_force=True, line=None, amount_fen__isnull=False)
    rows = rows.select_related("scheme").order_by("-year", "scheme__name", "div")[:200]
    return [(str(row.pk), f"{row.year} {row.scheme.name} {row.div}") for row in rows]


def _rows(request: Any, line: BudgetLine, kind: str) -> Listing:
    """The rows that stand behind one number of a line."""
    own = [line.pk]
    found: dict[str, Callable[[], Any]] = {
        "subsidies": lambda: subsidies_of(own).select_related("provider").order_by("-pk"),
        "budgets": lambda: budgets_of(line),
        "charges": lambda: charges_of(own).select_related("order", "provider", "line").order_by("-service_day", "-pk"),
        "reimbursements": lambda: reimbursements_of(own).select_related("elder").order_by("-pk"),
        "persons": lambda: persons_of(line),
        "donations": lambda: donations_shown(request.actor).filter(line=line),
        "gifts": lambda: gifts(line),
    }
    return Listing(request, found[kind]())


def decision_steps(row: Any) -> list[tuple[str, str, str]]:
    """The bar of what two persons decide and a batch pays."""
    persons = (
        (_("登记"), row.entered_by, row.created_at), (_("初审"), row.reviewed_by, row.reviewed_at),
        (_("复核"), row.approved_by, row.approved_at),
    )  # fmt: skip
    steps, is_next = [], row.state != "returned"
    for label, person, at in persons:
        stage = "done" if person else "now" if is_next else "todo"
        is_next = is_next and bool(person)
        steps.append((label, stage, f"{person.name} {moment(at)}" if person else ""))
    return [*steps, (_("付款"), "done" if row.payout_state == "paid" else "todo", "")]


@page(VIEW)
def line_page(request: Any, pk: int) -> HttpResponse:
    """One line: its stations, and the rows behind each of them."""
    row = lines_shown(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    (way,) = ways([row])
    here = f"/funds/{pk}/"
    kinds = [
        ("subsidies", _("补助")), ("budgets", _("待遇预算")), ("charges", _("服务费用")), ("reimbursements", _("报销")),
        ("persons", _("受益人")),
    ]  # fmt: skip
    if row.fund == "donation":
        kinds += [("donations", _("捐赠")), ("gifts", _("捐赠去向"))]
    asked = request.GET.get("rows", "")
    kind = asked if asked in dict(kinds) else "subsidies"
    approve = action_form(
        request, "approve_line", {"budget_line_id": pk, "seen": row.version, "approved_fen": row.planned_fen}, next=here
    )
    fund = action_form(
        request, "fund_budget", {"line_id": pk}, next=here, hidden=("line_id",), done=N_("已挂接"),
        fields={"budget_id": {"options": "free_budgets", "widget": "choice", "label": N_("待遇预算")}},
    )  # fmt: skip
    checks = lottery_checks(request.actor, row.year, row.div) if row.fund == "lottery" else []
    return render(
        request, "console/fund_line.html", row=row, way=way, kind=kind, listing=_rows(request, row, kind), approve=approve, fund=fund,
        tabs=[(label, f"{here}?rows={name}", None, name == kind) for name, label in kinds], checks=checks, subsidy_machine=SUBSIDY,
        machine=REIMBURSEMENT, categories=dict(Spending.CATEGORIES), used=spent_by_category([pk]), kinds=dict(Subsidy.KINDS),
        purposes=dict(PURPOSES), levels=dict(BudgetLine.LEVELS),
    )  # fmt: skip


urlpatterns = [
    path("funds/", ways_page),
    path("funds/excel/", ways_excel),
    path("funds/lines/", line_list),
    path("funds/<int:pk>/", line_page),
]
