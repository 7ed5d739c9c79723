"""Subsidies of organisations: what rule and facts give, who decided, what it was spent on."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import Organisation
from yinling.entitlements.models import FUNDS, BudgetLine
from yinling.entitlements.queries.lines import bearing_lines
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.programmes.subsidies.models import Spending, Subsidy
from yinling.programmes.subsidies.queries.rates import PROJECT, meal_months, offer
from yinling.programmes.subsidies.queries.subsidies import (
    lines_seen,
    spendings_of,
    subsidies_shown,
    subsidy_totals,
    uses_of,
)
from yinling.programmes.subsidies.rules import COUNTED, MEALS_EVERY_MONTH, MONTHLY, OPEN_AT_YEAR_END, Rate
from yinling.programmes.subsidies.states import SUBSIDY
from yinling.settlement.states import PAYOUT_LINE
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.funds import decision_steps, fund_tabs, years
from yinling.web.console.people import area_filter
from yinling.web.options import named
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.show import tr

VIEW = "subsidies.subsidy.view"
VERBS = ("review", "approve", "return")
EXPORTED = 5000
MONTHS = [(month, f"{month}月") for month in range(1, 13)]


@named("lines_of_year")
def lines_of_year(request: Any) -> list[tuple[str, str]]:
    """Approved lines with something left, the newest years first."""
    rows = (
        BudgetLine.objects.visible_to(request.actor).filter(approved_fen__isnull=False).order_by("-year", "div", "name")
    )
    funds = dict(FUNDS)
    return [(str(row.pk), f"{row.year} {row.name}（{tr(funds[row.fund])}，{row.div}）") for row in rows[:300]]


@named("local_bodies")
def local_bodies(request: Any) -> list[tuple[str, str]]:
    """Bodies in the actor's area."""
    rows = Organisation.objects.visible_to(request.actor).order_by("short_name").values_list("pk", "short_name")
    return [(str(pk), name) for pk, name in rows[:1000]]


def _filters(request: Any) -> tuple[tuple[Filter, ...], dict[str, str]]:
    area, names = area_filter(request)
    filters = (
        Filter("kind", _("种类"), lambda rows, value: rows.filter(kind=value), "choice", Subsidy.KINDS),
        Filter(
            "year", _("列支年度"), lambda rows, value: rows.filter(booking_year=int(value)), "choice", years(request)
        ),
        Filter("state", _("状态"), lambda rows, value: rows.filter(state=value), "choice", SUBSIDY.choices),
        area,
    )
    return filters, names


def _narrowed(request: Any) -> tuple[Any, Listing]:
    filters, _names = _filters(request)
    rows = subsidies_shown(request.actor)
    listing = Listing(request, rows, *filters)
    for entry in filters:
        if listing.values[entry.name] is not None:
            rows = entry.apply(rows, listing.values[entry.name])
    return rows, listing


@page(VIEW)
def subsidy_list(request: Any) -> HttpResponse:
    """Subsidies with their sums; what is not used as meant is marked."""
    rows, listing = _narrowed(request)
    return render(
        request, "console/subsidies.html", tabs=fund_tabs(request, "subsidies"), listing=listing, machine=SUBSIDY, kinds=Subsidy.KINDS,
        totals=subsidy_totals(rows), uses=uses_of(listing), lines=lines_seen(request.actor, listing), payout=PAYOUT_LINE,
        excel=listing.address().replace("/subsidies/", "/subsidies/excel/", 1),
    )  # fmt: skip


@page(VIEW)
def subsidies_excel(request: Any) -> HttpResponse:
    """The list as a workbook."""
    found, _listing = _narrowed(request)
    rows = list(found[:EXPORTED])
    lines_ = lines_seen(request.actor, rows)
    kinds, states = dict(Subsidy.KINDS), dict(SUBSIDY.choices)
    columns = [
        Column(_("编号"), width=14), Column(_("种类"), width=20), Column(_("机构"), width=28), Column(_("食堂、站点或期次"), width=18),
        Column(_("结果年度"), COUNT, 10), Column(_("列支年度"), COUNT, 10), Column(_("资金"), width=28), Column(_("金额（元）"), YUAN),
        Column(_("状态"), width=10),
    ]  # fmt: skip
    lines = [
        (
            row.code, tr(kinds[row.kind]), row.provider.name if row.provider else "", row.part, row.result_year, row.booking_year,
            lines_[row.line_id].name if row.line_id in lines_ else "", row.amount_fen, tr(states[row.state]),
        )
        for row in rows
    ]  # fmt: skip
    below = (None, _("合计"), None, None, None, None, None, subsidy_totals(found)["fen"], None)
    return excel(_("补助"), columns, lines, below=below)


@page("subsidies.subsidy.draft")
def subsidy_new(request: Any) -> HttpResponse:
    """Enter the facts of one kind; which ones it asks for, its rate says."""
    today = local_date(request.now)
    kind = request.GET.get("kind", "")
    kind = kind if kind in dict(Subsidy.KINDS) else "canteen"
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdigit() and len(asked) == 4 else today.year - 1  # noqa: PLR2004 - digits of a year
    div = request.actor.div or ""
    found = offer(kind, div, year)
    body = request.GET.get("body", "")
    known = meal_months(int(body), year) if body.isdigit() and kind == "canteen" else []
    form = action_form(
        request, "draft_subsidy", {"kind": kind, "result_year": year, "provider_id": body, "meal_months": known}, next="/subsidies/{id}/",
        hidden=("kind",), only=_asked(kind, found.rate if found else None), done=N_("已登记，请另一人初审"),
        fields={
            "line_id": {"options": "lines_of_year", "widget": "choice"}, "provider_id": {"options": "local_bodies", "widget": "choice"},
            "meal_months": {"options": MONTHS, "widget": "choice", "help": N_("勾选当年至少一天供餐的月份")},
        },
    )  # fmt: skip
    lines = bearing_lines(request.actor, div, year + (found.rate.booking_offset if found else 0)) if div else []
    return render(
        request, "console/subsidy_new.html", tabs=fund_tabs(request, "subsidies"), kind=kind, kinds=Subsidy.KINDS, year=year, offer=found,
        form=form if found or kind == PROJECT else None, is_project=kind == PROJECT, has_lines=bool(lines),
    )  # fmt: skip


def _asked(kind: str, rate: Rate | None) -> tuple[str, ...]:
    """The fields of the form of a kind."""
    fields = ["line_id", "result_year", "provider_id", "part", "evidence"]
    if rate is not None and (rate.needs or rate.part_year == MONTHLY):
        fields += (
            ["opened_on", "closed_on"] if OPEN_AT_YEAR_END in rate.needs or rate.part_year == MONTHLY else ["opened_on"]
        )
        fields += ["meal_months"] if MEALS_EVERY_MONTH in rate.needs else []
    if rate is not None and rate.unit in COUNTED:
        fields.append("count")
    if kind == PROJECT or (rate is not None and rate.up_to_actual):
        fields.append("actual_fen")
    return tuple(fields)


@page(VIEW)
def subsidy_page(request: Any, pk: int) -> HttpResponse:
    """One subsidy: facts, how the amount came about, who decided, and what it was spent on."""
    row = subsidies_shown(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    here = f"/subsidies/{pk}/"
    forms: dict[str, ActionForm] = {
        verb: action_form(
            request, f"{verb}_subsidy", {"subsidy_id": pk, "seen": row.version}, next=here, tone="danger" if verb == "return" else "primary"
        )
        for verb in VERBS if SUBSIDY.allows(verb, row.state)
    }  # fmt: skip
    spend = action_form(request, "record_spending", {"subsidy_id": pk, "spent_on": local_date(request.now)}, next=here)
    is_own = request.actor.user_id in (row.entered_by_id, row.reviewed_by_id)
    line = lines_seen(request.actor, [row]).get(row.line_id)
    return render(
        request, "console/subsidy.html", row=row, line=line, machine=SUBSIDY, forms=forms if line else {}, bar=decision_steps(row),
        needs_other=row.state == "reviewed" and is_own,
        spend=spend if row.state == "approved" else None, listing=Listing(request, spendings_of(row)), categories=dict(Spending.CATEGORIES),
        use=uses_of([row]).get(row.pk), payout=PAYOUT_LINE, reasons=[_sentence(one) for one in row.reasons],
    )  # fmt: skip


def _sentence(reason: list[Any]) -> str:
    text, values = reason
    return tr(text) % {name: tr(value) if isinstance(value, str) else value for name, value in values.items()}


urlpatterns = [
    path("subsidies/", subsidy_list),
    path("subsidies/excel/", subsidies_excel),
    path("subsidies/new/", subsidy_new),
    path("subsidies/<int:pk>/", subsidy_page),
]
