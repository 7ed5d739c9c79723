"""The items of the long-term care insurance for anybody to read: minutes, how often, price, and who pays which part (R-LTC-03)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.catalogue.models import FAMILIES
from yinling.directory.models import Area
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import local_date
from yinling.orders.queries.insured import Insurance, insurances
from yinling.web import conditions
from yinling.web.pages import public_page, render
from yinling.web.public.places import asked_place
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.show import day, label_of, moment, tr

HERE = "/catalogue/insurance/"


def _asked(request: Any) -> tuple[Area | None, list[Area], date, list[Insurance]]:
    place, districts = asked_place(request)
    on = meant_day(request.GET.get("day", "")) or local_date(request.now)
    return place, districts, on, insurances(place.div, on, request.now) if place else []


@public_page
def items(request: Any) -> HttpResponse:
    """The items of each insurance of an area on a day, by grade."""
    place, districts, on, found = _asked(request)
    return render(
        request, "public/insurance.html", place=place, districts=districts, day=on, found=found, families=FAMILIES, words=conditions,
        names={area.div: area.name for area in [*districts, *([place] if place else [])]}, here=HERE,
    )  # fmt: skip


@public_page
def sheet(request: Any) -> HttpResponse:
    """The same as a workbook, one row for each item and grade."""
    place, _districts, on, found = _asked(request)
    columns = [
        Column(_("保险"), width=24), Column(_("编号")), Column(_("项目"), width=24), Column(_("类别")), Column(_("标准时长（分钟）"), COUNT),
        Column(_("执行标准"), width=40), Column(_("失能等级"), width=20), Column(_("次数和时间"), width=32), Column(_("机构数"), COUNT),
        Column(_("最低价（元）"), YUAN), Column(_("基金付（元）"), YUAN), Column(_("自付（元）"), YUAN), Column(_("最高价（元）"), YUAN),
        Column(_("基金付（元）"), YUAN), Column(_("自付（元）"), YUAN), Column(_("依据"), width=32),
    ]  # fmt: skip
    name = place.name if place else ""
    above = [
        _("%(place)s %(day)s 执行，导出时间 %(when)s") % {"place": name, "day": day(on), "when": moment(request.now)}
    ]
    return excel(_("长护险项目"), columns, [row for one in found for row in _rows(one)], above=above)


def _rows(one: Insurance) -> Iterator[tuple[Any, ...]]:
    source = f"{one.terms.document} {one.terms.clause}" if one.terms else ""
    for shown in one.items:
        item = shown.item
        for paid in shown.paid:
            yield (
                tr(one.scheme.name), item.code, item.name, label_of(item.family, FAMILIES), item.standard_minutes, item.standard,
                tr(paid.grade.name), "；".join(conditions.limits_in_words(paid.grade.amounts)), shown.bodies,
                shown.lowest_fen, paid.of_lowest_fen, _own(shown.lowest_fen, paid.of_lowest_fen),
                shown.highest_fen, paid.of_highest_fen, _own(shown.highest_fen, paid.of_highest_fen), source,
            )  # fmt: skip


def _own(price: int | None, part: int | None) -> int | None:
    return None if price is None or part is None else price - part


urlpatterns = [path("catalogue/insurance/", items), path("catalogue/insurance/excel/", sheet)]
