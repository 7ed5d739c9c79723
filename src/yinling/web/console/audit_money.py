"""P23, the auditor's side of money: who tried to charge twice, where two payers stand ready, who should have a purchase and has none."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.assessment.inputs import LEVELS
from yinling.assessment.queries import levels_of
from yinling.catalogue.models import FAMILIES
from yinling.directory.models import Area
from yinling.entitlements.models import PAYERS
from yinling.entitlements.queries import without_purchase
from yinling.ground.parameters import parameter
from yinling.kernel.masks import mask_name
from yinling.kernel.money import yuan
from yinling.kernel.period import day_bounds, local_date
from yinling.kernel.words import N_
from yinling.orders.states import ORDER
from yinling.people.inputs import CIRCUMSTANCES
from yinling.people.queries import age, kinds_of
from yinling.people.rules import elder_code
from yinling.settlement.queries import described, elders_with_overlap, overlaps, tries
from yinling.settlement.queries.tries import CODES, Charged, Overlap, Try
from yinling.web.console.people import area_filter
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, Column, excel
from yinling.web.show import day, label_of, moment, tr

VIEW = "settlement.try.view"
MOST_EXPORTED = 5_000
APPLYING = [("no", N_("还没有申请")), ("yes", N_("正在申请"))]
DISABLED = ("severe", "total")


def _tabs(here: str) -> list[tuple[str, str, int | None, bool]]:
    return [
        (_("被拒绝的重复收费"), "/settlement/tries/", None, here == "tries"),
        (_("两个付费方重叠"), "/settlement/tries/overlaps/", None, here == "overlaps"),
        (_("应购未购"), "/benefits/exceptions/", None, here == "exceptions"),
    ]


def chain(side: Charged | None) -> str:
    """Write who pays for an order in their order: 长期护理保险 75.00 → 个人自付 20.00."""
    if side is None:
        return ""
    return " → ".join(f"{link.scheme or label_of(link.payer, PAYERS)} {yuan(link.fen)}" for link in side.chain)


def _filters() -> tuple[Filter, ...]:
    return (
        Filter("code", _("类别"), lambda rows, value: rows.filter(code=value), "choice", CODES),
        Filter("since", _("日期从"), lambda rows, value: rows.filter(at__gte=day_bounds(value)[0]), "date"),
        Filter("until", _("到"), lambda rows, value: rows.filter(at__lt=day_bounds(value)[1]), "date"),
        Filter("who", _("操作人"), lambda rows, value: rows.filter(user_name__icontains=value)),
    )


@page(VIEW)
def try_list(request: Any) -> HttpResponse:
    """Refused attempts to charge twice, the newest first."""
    listing = Listing(request, tries(request.actor), *_filters())
    found = described(request.actor, listing.rows)
    return render(request, "console/tries.html", listing=listing, found=found, chain=chain, tabs=_tabs("tries"))


@page(VIEW)
def try_sheet(request: Any) -> HttpResponse:
    """The attempts found as a workbook; names masked."""
    rows = tries(request.actor)
    for entry in _filters():
        value = entry.value(request.GET.get(entry.name, ""))
        rows = rows if value is None else entry.apply(rows, value)
    columns = [
        Column(_("时间"), width=20), Column(_("类别"), width=20), Column(_("老年人")), Column(_("被拒绝的订单"), width=18),
        Column(_("付费方"), width=36), Column(_("已收费的订单"), width=18), Column(_("付费方"), width=36), Column(_("操作人")),
    ]  # fmt: skip
    table = [_line(one) for one in described(request.actor, rows[:MOST_EXPORTED])]
    return excel(_("重复收费"), columns, table, above=[_by(request)])


def _line(one: Try) -> tuple[str, ...]:
    return (
        moment(one.row.at), tr(one.what), mask_name(one.elder_name), one.tried.order.code if one.tried else "", chain(one.tried),
        one.before.order.code if one.before else "", chain(one.before), one.row.user_name,
    )  # fmt: skip


def _by(request: Any) -> str:
    values = {"who": request.actor.name, "when": moment(request.now), "most": MOST_EXPORTED}
    return _("导出人 %(who)s，%(when)s；姓名已脱敏，仅限本次工作使用，最多%(most)s行") % values


@page(VIEW)
def try_page(request: Any, pk: int) -> HttpResponse:
    """One attempt with both orders side by side."""
    row = tries(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    (one,) = described(request.actor, [row])
    return render(request, "console/try.html", one=one, machine=ORDER, payers=PAYERS)


@page(VIEW)
def overlap_list(request: Any) -> HttpResponse:
    """Elders for whom two payers stand ready for the same services today, with the order in which they pay."""
    area, names = area_filter(request)
    payer = Filter("payer", _("付费方"), lambda rows, _value: rows, "choice", PAYERS)
    listing = Listing(request, _overlapping(request), area, payer)
    found = overlaps(listing.rows, request.day, _payer_order(request))
    return render(
        request, "console/overlaps.html", listing=listing, found=found, names=names, families=FAMILIES, payers=PAYERS, code=elder_code,
        tabs=_tabs("overlaps"),
    )  # fmt: skip


def _overlapping(request: Any) -> Any:
    payer = request.GET.get("payer", "")
    return elders_with_overlap(request.actor, request.day, payer=payer if payer in dict(PAYERS) else "")


def _payer_order(request: Any) -> list[str]:
    """The order of payers in force in the actor's area today; who is not named comes last."""
    order: list[str] = parameter("payers.order", request.actor.div or "", request.day)
    return [*order, *(code for code, _name in PAYERS if code not in order)]


@page(VIEW)
def overlap_sheet(request: Any) -> HttpResponse:
    """The overlaps as a workbook; names masked."""
    area, _names = area_filter(request)
    rows = _overlapping(request)
    chosen = area.value(request.GET.get("area", ""))
    rows = area.apply(rows, chosen) if chosen else rows
    columns = [Column(_("编号")), Column(_("姓名")), Column(_("服务"), width=36), Column(_("付费次序"), width=60)]
    table = [
        (
            elder_code(one.elder.pk), mask_name(one.elder.name), "、".join(label_of(family, FAMILIES) for family in one.families), _in_words(one)
        )
        for one in overlaps(list(rows[:MOST_EXPORTED]), request.day, _payer_order(request))
    ]  # fmt: skip
    return excel(_("付费方重叠"), columns, table, above=[_by(request)])


def _in_words(one: Overlap) -> str:
    return " → ".join(f"{label_of(row.scheme.payer, PAYERS)}（{tr(row.scheme.name)}）" for row in one.entitlements)


def _exceptions(request: Any) -> tuple[Any, tuple[Filter, ...]]:
    area, _names = area_filter(request)
    place = Area.objects.filter(div=OuterRef("elder__div")).values("short_name")[:1]
    rows = without_purchase(request.actor, request.day).annotate(place=Subquery(place))
    asked = Filter(
        "asked", _("申请"), lambda found, value: found.filter(is_applying=value == "yes"), "choice", APPLYING
    )
    return rows, (area, asked)


def _reasons(rows: list[Any], on: date) -> dict[int, list[str]]:
    """What makes each person on the list fit: age, circumstances, ability."""
    ids = [row.elder_id for row in rows]
    kinds, levels, names = kinds_of(ids, on), levels_of(ids, on), dict(CIRCUMSTANCES)
    return {
        row.elder_id: [
            _("%(n)s岁") % {"n": age(row.elder, on)}, *(tr(names[kind]) for kind in kinds.get(row.elder_id, []) if kind in names),
            *([tr(label_of(levels[row.elder_id], LEVELS))] if levels.get(row.elder_id) in DISABLED else []),
        ]
        for row in rows
    }  # fmt: skip


@page("entitlements.entitlement.view")
def exception_list(request: Any) -> HttpResponse:
    """Poor elders with one of the labels and without a purchase of the government (R-PAY-11)."""
    rows, filters = _exceptions(request)
    listing = Listing(request, rows, *filters)
    tabs = _tabs("exceptions") if request.actor.has(VIEW) else []
    return render(
        request, "console/benefit_exceptions.html", listing=listing, reasons=_reasons(listing.rows, request.day), code=elder_code, tabs=tabs,
        today=local_date(request.now),
    )  # fmt: skip


@page("entitlements.entitlement.view")
def exception_sheet(request: Any) -> HttpResponse:
    """The list as a workbook; names masked."""
    rows, filters = _exceptions(request)
    for entry in filters:
        value = entry.value(request.GET.get(entry.name, ""))
        rows = rows if value is None else entry.apply(rows, value)
    shown = list(rows[:MOST_EXPORTED])
    reasons = _reasons(shown, request.day)
    columns = [
        Column(_("编号")), Column(_("姓名")), Column(_("社区（村）"), width=24), Column(_("情况"), width=48), Column(_("申请")),
        Column(_("项数"), COUNT),
    ]  # fmt: skip
    table = [
        (
            elder_code(row.elder_id), mask_name(row.elder.name), row.place or "", "、".join(reasons[row.elder_id]),
            _("正在申请") if row.is_applying else _("还没有申请"), len(reasons[row.elder_id]),
        )
        for row in shown
    ]  # fmt: skip
    return excel(f"{_('应购未购')}{day(request.day)}", columns, table, above=[_by(request)])


urlpatterns = [
    path("settlement/tries/", try_list),
    path("settlement/tries/excel/", try_sheet),
    path("settlement/tries/overlaps/", overlap_list),
    path("settlement/tries/overlaps/excel/", overlap_sheet),
    path("settlement/tries/<int:pk>/", try_page),
    path("benefits/exceptions/", exception_list),
    path("benefits/exceptions/excel/", exception_sheet),
]
