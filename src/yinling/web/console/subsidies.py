"""Subsidies of organisations: what rule and facts give, who decided, what it was spent on."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import Organisation
from yinling.entitlements.models import FUNDS, BudgetLine
from yinling.entitlements.queries.lines import bearing_lines
from yinling.kernel.words import N_
from yinling.programmes.subsidies.models import Spending, Subsidy
from yinling.programmes.subsidies.queries.rates import PROJECT, Offer, offer, record_of
from yinling.programmes.subsidies.queries.subsidies import (
    lines_seen,
    spendings_of,
    subsidies_shown,
    subsidy_totals,
    uses_of,
)
from yinling.programmes.subsidies.rules import (
    COUNTED,
    MEALS_EVERY_MONTH,
    MONTHLY,
    OPEN_AT_YEAR_END,
    Facts,
    Rate,
    Record,
)
from yinling.programmes.subsidies.states import SUBSIDY
from yinling.settlement.states import PAYOUT_LINE
from yinling.web.actions import action_form
from yinling.web.console.funds import fund_tabs, paid_deciding, years
from yinling.web.console.people import area_filter
from yinling.web.options import named
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.shell import area_name
from yinling.web.show import amount, day, tr

VIEW = "subsidies.subsidy.view"
EXPORTED = 5000
MONTHS = [(month, f"{month}月") for month in range(1, 13)]


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
        Filter(
            "body",
            _("机构"),
            lambda rows, value: rows.filter(
                Q(provider__name__icontains=value) | Q(provider__short_name__icontains=value)
            ),
        ),
        area,
    )
    return filters, names


def _listing(request: Any) -> Listing:
    filters, _names = _filters(request)
    return Listing(request, subsidies_shown(request.actor), *filters)


@page(VIEW)
def subsidy_list(request: Any) -> HttpResponse:
    """Subsidies with their sums; what is not used as meant is marked."""
    listing = _listing(request)
    return render(
        request, "console/subsidies.html", tabs=fund_tabs(request, "subsidies"), listing=listing, machine=SUBSIDY, kinds=Subsidy.KINDS,
        totals=subsidy_totals(listing.every), uses=uses_of(listing), lines=lines_seen(request.actor, listing), payout=PAYOUT_LINE,
        excel=listing.address().replace("/subsidies/", "/subsidies/excel/", 1),
    )  # fmt: skip


@page(VIEW)
def subsidies_excel(request: Any) -> HttpResponse:
    """The list as a workbook."""
    found = _listing(request).every
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
    """Enter the facts of one kind: which ones it asks for, its rate says; what the platform knows of a body is shown and not asked."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in dict(Subsidy.KINDS) else "canteen"
    asked = request.GET.get("year", "")
    year = int(asked) if asked in dict(years(request)) else request.day.year - 1
    bodies, body = local_bodies(request), request.GET.get("body", "")
    chosen = Organisation.objects.filter(pk=body).first() if body in dict(bodies) else None
    div = chosen.div if chosen else request.actor.div or ""
    found = offer(kind, div, year)
    needs = found.rate.needs if found else ()
    asks = bool(found and found.rate.asks_opening)
    known = record_of(chosen, year) if chosen and asks else None
    booked = year + (found.rate.booking_offset if found else 0)
    form = action_form(
        request, "draft_subsidy", _initial(kind, year, chosen, known), next="/subsidies/{id}/",
        hidden=("kind", "result_year", *(("provider_id",) if known else ())),
        only=_asked(kind, found.rate if found else None, known), done=N_("已登记，请初审后由另一人复核"),
        fields={
            "line_id": {"options": _lines(request, found, booked, div), "widget": "choice"},
            "provider_id": {"options": bodies, "widget": "choice"},
            "meal_months": {"options": _by_hand(known), "widget": "choice", "help": N_("平台还没有记录的月份，勾选至少一天供餐的")},
        },
    )  # fmt: skip
    lines = bearing_lines(request.actor, div, booked) if div else []
    return render(
        request, "console/subsidy_new.html", tabs=fund_tabs(request, "subsidies"), kind=kind, kinds=Subsidy.KINDS, year=year, offer=found,
        form=form if found or kind == PROJECT else None, is_project=kind == PROJECT, has_lines=bool(lines), bodies=bodies, body=body,
        known=known, cooks=MEALS_EVERY_MONTH in needs, asks_body=asks,
    )  # fmt: skip


def _lines(request: Any, found: Offer | None, booked: int, div: str) -> list[tuple[str, str]]:
    """Approved lines with what is left of them: of the year and the sources that the rate names; of all for what has no rate."""
    rows = BudgetLine.objects.visible_to(request.actor).filter(approved_fen__gt=F("spent_fen"))
    if found is not None:
        source = found.rate.source_of(div)
        rows = rows.filter(year=booked, **({"fund__in": source.funds} if source and source.funds else {}))
    funds = dict(FUNDS)
    return [
        (str(row.pk), _("%(year)s %(name)s（%(fund)s，%(area)s）余 %(left)s") % {
            "year": row.year, "name": row.name, "fund": tr(funds[row.fund]), "area": area_name(row.div), "left": amount(row.left_fen),
        })
        for row in rows.annotate(left_fen=F("approved_fen") - F("spent_fen")).order_by("-year", "div", "name")[:300]
    ]  # fmt: skip


def _initial(kind: str, year: int, body: Organisation | None, known: Record | None) -> dict[str, Any]:
    """What the form begins with."""
    found: dict[str, Any] = {"kind": kind, "result_year": year, "provider_id": str(body.pk) if body else ""}
    return found | ({"opened_on": known.opened_on, "closed_on": known.closed_on} if known else {})


def _by_hand(known: Record | None) -> list[tuple[int, str]]:
    """Months whose meals nobody but the body itself knows."""
    return MONTHS if known is None else MONTHS[: known.from_month - 1]


def _asked(kind: str, rate: Rate | None, known: Record | None) -> tuple[str, ...]:
    """The fields of the form of a kind."""
    fields = ["line_id", "provider_id", "part", "evidence"]
    if rate is not None and rate.asks_opening:
        fields += (
            ["opened_on", "closed_on"] if OPEN_AT_YEAR_END in rate.needs or rate.part_year == MONTHLY else ["opened_on"]
        )
        fields += ["meal_months"] if MEALS_EVERY_MONTH in rate.needs and _by_hand(known) else []
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
    spend = action_form(request, "record_spending", {"subsidy_id": pk, "spent_on": request.day}, next=here)
    line = lines_seen(request.actor, [row]).get(row.line_id)
    return render(
        request, "console/subsidy.html", row=row, line=line, machine=SUBSIDY, deciding=paid_deciding(request, row, here),
        spend=spend if row.state == "approved" else None, listing=Listing(request, spendings_of(row)), categories=dict(Spending.CATEGORIES),
        use=uses_of([row]).get(row.pk), payout=PAYOUT_LINE, reasons=[_sentence(one) for one in row.reasons], facts=_facts(row),
    )  # fmt: skip


def _facts(row: Subsidy) -> list[tuple[str, Any]]:
    """The facts that a kind asks for, and no others."""
    facts = Facts.from_json(row.facts)
    counted = [
        _("%(month)s月%(days)s天") % {"month": month, "days": facts.meal_days[month]}
        for month in sorted(facts.meal_days)
    ]
    pairs = [
        (_("食堂、站点或期次"), row.part), (_("开办日期"), facts.opened_on and day(facts.opened_on)),
        (_("停办日期"), facts.closed_on and day(facts.closed_on)),
        (_("供餐天数（平台记录）"), "、".join(counted)), (_("供餐月份（人工登记）"), "、".join(map(str, facts.by_hand))),
        (_("城乡"), _("农村") if facts.is_rural else ""), (_("数量"), facts.count if facts.count > 1 else ""),
        (_("实际支出"), facts.actual_fen and amount(facts.actual_fen)),
    ]  # fmt: skip
    return [(label, value) for label, value in pairs if value]


def _sentence(reason: list[Any]) -> str:
    text, values = reason
    return tr(text) % {name: tr(value) if isinstance(value, str) else value for name, value in values.items()}


urlpatterns = [
    path("subsidies/", subsidy_list),
    path("subsidies/excel/", subsidies_excel),
    path("subsidies/new/", subsidy_new),
    path("subsidies/<int:pk>/", subsidy_page),
]
