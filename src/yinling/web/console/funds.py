"""P23: every fund's way on one page, and the lines it begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.entitlements.lottery import LOTTERY
from yinling.entitlements.models import FUNDS, PURPOSES, BudgetLine, Scheme
from yinling.entitlements.queries.lines import lines_shown, lottery_checks, planned_lines
from yinling.ground.clock import EARLIEST
from yinling.ground.scope import scope
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.queries.names import reader
from yinling.programmes.subsidies.models import Spending, Subsidy
from yinling.programmes.subsidies.queries.flows import Bearing, bearing
from yinling.programmes.subsidies.queries.funds import (
    Loose,
    Way,
    by_area,
    charges_of,
    donations_shown,
    follow,
    gifts,
    payments_of,
    persons_of,
    reimbursements_of,
    subsidies_of,
    totals,
    ways,
)
from yinling.programmes.subsidies.states import SUBSIDY
from yinling.settlement.states import REIMBURSEMENT
from yinling.web.actions import action_form
from yinling.web.console.people import area_filter
from yinling.web.decisions import Deciding, deciding, step_forms
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.shell import area_name
from yinling.web.show import tr

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
    """The years a filter offers: what was given once can be looked up for good."""
    return [(str(year), str(year)) for year in range(request.day.year + 1, EARLIEST.year - 1, -1)]


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


@dataclass(frozen=True)
class Ways:
    """What the page and the workbook show; cut off where there are more lines than are read."""

    listing: Listing
    found: list[Way]
    loose: list[Loose]
    names: dict[str, str]
    is_cut: bool


def _ways(request: Any) -> Ways:
    """Follow every line that the filters leave: the sums need all of them, the page shows a part. What no line bears has only its year."""
    filters, names = _filters(request)
    rows = lines_shown(request.actor)
    for entry in filters:
        if (value := entry.value(request.GET.get(entry.name, ""))) is not None:
            rows = entry.apply(rows, value)
    lines: list[Any] = list(rows[: MOST + 1])
    found, loose = follow(lines[:MOST])
    listing = Listing(request, found, *(replace(entry, apply=lambda kept, _value: kept) for entry in filters))
    chosen = {name: value for name, value in listing.values.items() if value is not None}
    year = chosen.pop("year", None)
    loose = [] if chosen else [one for one in loose if year in (None, str(one.year))]
    return Ways(listing, found, loose, names | {line.div: line.area for line in lines}, is_cut=len(lines) > MOST)


@page(VIEW)
def ways_page(request: Any) -> HttpResponse:
    """Each fund from its line to what was paid and to how many; the sums are those of all rows the filters leave."""
    shown = _ways(request)
    return render(
        request, "console/funds.html", tabs=fund_tabs(request, "ways"), listing=shown.listing, ways=shown.listing.rows, totals=totals(shown.found),
        loose=shown.loose, schemes=scheme_names(shown.loose), areas=by_area(shown.found), names=shown.names, is_cut=shown.is_cut, most=MOST,
        excel=shown.listing.address().replace("/funds/", "/funds/excel/", 1),
    )  # fmt: skip


def scheme_names(loose: list[Loose]) -> dict[int, str]:
    """The names of schemes that no line bears."""
    return (
        dict(Scheme.objects.filter(pk__in={one.scheme_id for one in loose}).values_list("pk", "name")) if loose else {}
    )


@page(VIEW)
def ways_excel(request: Any) -> HttpResponse:
    """The same as a workbook, equal to the fen."""
    shown = _ways(request)
    found, loose, names = shown.found, shown.loose, shown.names
    funds, levels, purposes = dict(FUNDS), dict(BudgetLine.LEVELS), dict(PURPOSES)
    columns = [
        Column(_("年度"), COUNT, 8), Column(_("区划"), width=14), Column(_("级次"), width=10), Column(_("资金来源"), width=20),
        Column(_("用途"), width=16), Column(_("项目"), width=28), Column(_("计划（元）"), YUAN), Column(_("审定（元）"), YUAN),
        Column(_("已安排（元）"), YUAN), Column(_("已执行（元）"), YUAN), Column(_("已付款（元）"), YUAN), Column(_("待追回（元）"), YUAN),
        Column(_("余额（元）"), YUAN),
        Column(_("人数"), COUNT, 8), Column(_("机构数"), COUNT, 8),
    ]  # fmt: skip
    lines = [
        (
            one.line.year, names.get(one.line.div, one.line.div), tr(levels[one.line.level]), tr(funds[one.line.fund]),
            tr(purposes[one.line.purpose]), one.line.name, one.line.planned_fen, one.line.approved_fen, one.line.spent_fen,
            one.executed_fen, one.paid_fen, one.recovering_fen, one.left_fen, len(one.persons), len(one.bodies),
        )
        for one in found
    ]  # fmt: skip
    known = scheme_names(loose)
    lines += [
        (one.year, "", "", _("没有挂接资金"), "", known[one.scheme_id], 0, 0, 0, one.executed_fen, one.paid_fen, one.recovering_fen, 0, 0, 0)
        for one in loose
    ]  # fmt: skip
    sums = totals(found)
    for name in ("executed_fen", "paid_fen", "recovering_fen"):
        sums[name] += sum(getattr(one, name) for one in loose)
    below = (
        None, _("合计"), None, None, None, None, sums["planned_fen"], sums["approved_fen"], sums["spent_fen"], sums["executed_fen"],
        sums["paid_fen"], sums["recovering_fen"], sums["left_fen"], sums["persons"], sums["bodies"],
    )  # fmt: skip
    return excel(_("资金去向"), columns, lines, below=below)


@page(VIEW)
def line_list(request: Any) -> HttpResponse:
    """Lines with what is planned and approved, the check of the lottery fund, and the form that plans one."""
    filters, _names = _filters(request)
    rows = lines_shown(request.actor)
    listing = Listing(request, rows, *filters)
    year = int(listing.values["year"] or local_date(request.now).year)
    asked = planned_lines(request.actor, request.actor.div or "", year)
    wanted = {"div": request.actor.div or "", "year": year} | _of_plan(asked, request.GET.get("plan", ""))
    form = action_form(
        request, "propose_line", wanted, next="/funds/{id}/", done=N_("已编列，请另一人审定"),
        fields={"div": {"options": "own_areas", "widget": "choice"}},
    )  # fmt: skip
    return render(
        request, "console/fund_lines.html", tabs=fund_tabs(request, "lines"), listing=listing, form=form, year=year,
        checks=lottery_checks(rows.filter(year=year, fund=LOTTERY)), planned=asked, open_form=bool(request.GET.get("plan")), purposes=dict(PURPOSES),
        levels=dict(BudgetLine.LEVELS),
    )  # fmt: skip


def _of_plan(asked: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """What the plan says of a line, to begin its form with."""
    found = next((one for one in asked if one["name"] == name), None)
    return {key: found[key] for key in ("name", "fund", "purpose", "planned_fen", "document")} if found else {}


def _rows(request: Any, line: BudgetLine, kind: str, bears: Bearing) -> Listing:
    """The rows that stand behind one number of a line: all of them for whoever sees the line, also of elders who have moved away since."""
    own = [line.pk]
    found: dict[str, Callable[[], Any]] = {
        "subsidies": lambda: subsidies_of(own).select_related("provider").order_by("-pk"),
        "budgets": lambda: [one for one in bears.budgets if one.line_id == line.pk],
        "charges": lambda: charges_of(own, bears).select_related("order", "provider", "line").order_by("-pk"),
        "reimbursements": lambda: reimbursements_of(own, bears).select_related("elder").order_by("-pk"),
        "payments": lambda: payments_of(line, bears),
        "persons": lambda: persons_of(line, bears),
        "donations": lambda: donations_shown(request.actor).filter(line=line),
        "gifts": lambda: gifts(line, bears),
    }
    with scope(reader(line.div)):
        return Listing(request, found[kind]())


def _in_sight(request: Any, kind: str, listing: Listing) -> set[int]:
    """The people of a page whose files the reader may open; the others live elsewhere now."""
    if kind != "persons":
        return set()
    rows = Elder.objects.visible_to(request.actor).filter(pk__in=[one.pk for one in listing])
    return set(rows.values_list("pk", flat=True))


def paid_deciding(request: Any, row: Any, here: str) -> Deciding:
    """Return what is shown of a decision that a batch pays: the payment is its last step; and how it is taken back."""
    found = deciding(request, row, here)
    forms = found.forms | step_forms(request, row, row.MACHINE, ("contest", "uphold", "revoke"), here)
    if row.to_recover_fen:
        noun = row._meta.model_name  # noqa: SLF001 - Django's own name
        wanted = {f"{noun}_id": row.pk, "seen": row.version, "amount_fen": row.to_recover_fen}
        forms["collect"] = action_form(request, f"collect_{noun}", wanted, next=here, done=N_("已登记"))
    is_own = "revoke" in forms and row.contested_by_id == request.actor.user_id
    if is_own:
        forms.pop("revoke")
    steps = [*found.steps, (_("付款"), "done" if row.payout_state == "paid" else "todo", "")]
    return replace(found, steps=steps, forms=forms, needs_other_to_revoke=is_own)


def _free(request: Any, line: BudgetLine, bears: Bearing) -> list[tuple[str, str]]:
    """Budgets of the line's year and area with an amount that no line bears yet."""
    return [
        (str(one.pk), f"{one.year} {one.scheme.name} {area_name(one.div)}")
        for one in sorted(bears.budgets, key=lambda one: (one.scheme.name, one.div))
        if one.line_id is None and one.amount_fen is not None and one.year == line.year
        and one.div.startswith(line.div) and one.div.startswith(request.actor.div or "")
    ][:200]  # fmt: skip


@page(VIEW)
def line_page(request: Any, pk: int) -> HttpResponse:
    """One line: its stations, and the rows behind each of them."""
    own = BudgetLine.objects.filter(pk=pk, fund=LOTTERY)
    beside = Q(fund=LOTTERY, div__in=own.values("div"), year__in=own.values("year"))
    lines = list(lines_shown(request.actor).filter(Q(pk=pk) | beside))
    row = next((one for one in lines if one.pk == pk), None)
    if row is None:
        raise Http404
    bears = bearing()
    (way,) = ways([row], bears)
    here = f"/funds/{pk}/"
    kinds = [
        ("subsidies", _("补助")), ("budgets", _("待遇预算")), ("charges", _("服务费用")), ("reimbursements", _("报销")),
        ("payments", _("付款")), ("persons", _("受益人")),
    ]  # fmt: skip
    if row.fund == "donation":
        kinds += [("donations", _("捐赠")), ("gifts", _("捐赠去向"))]
    asked = request.GET.get("rows", "")
    kind = asked if asked in dict(kinds) else "subsidies"
    listing = _rows(request, row, kind, bears)
    approve = action_form(
        request, "approve_line", {"budget_line_id": pk, "seen": row.version, "approved_fen": row.planned_fen}, next=here
    )
    fund = action_form(
        request, "fund_budget", {"line_id": pk}, next=here, hidden=("line_id",), done=N_("已挂接"),
        fields={"budget_id": {"options": _free(request, row, bears), "widget": "choice", "label": N_("待遇预算")}},
    )  # fmt: skip
    return render(
        request, "console/fund_line.html", row=row, way=way, kind=kind, listing=listing, approve=approve, fund=fund,
        tabs=[(label, f"{here}?rows={name}", None, name == kind) for name, label in kinds], checks=lottery_checks(lines), subsidy_machine=SUBSIDY,
        machine=REIMBURSEMENT, categories=dict(Spending.CATEGORIES), used=way.used, in_sight=_in_sight(request, kind, listing),
        kinds=dict(Subsidy.KINDS), purposes=dict(PURPOSES), levels=dict(BudgetLine.LEVELS),
    )  # fmt: skip


urlpatterns = [
    path("funds/", ways_page),
    path("funds/excel/", ways_excel),
    path("funds/lines/", line_list),
    path("funds/<int:pk>/", line_page),
]
