"""The report on services at home: which part of the long-term care insurance's money goes there (R-LTC-06)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import Qualification
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import add_months, local_date, month_start
from yinling.settlement.queries.on_site import OnSite, Part, on_site
from yinling.web.console.settlement import VIEW, exported_by
from yinling.web.pages import page, render
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.show import label_of, percent
from yinling.web.show import month as month_in_words

HERE = "/settlement/on-site/"


def _month(request: Any) -> date:
    """The month asked for, the last one without."""
    asked = meant_day(f"{request.GET.get('month', '')}-01")
    return asked or add_months(month_start(local_date(request.now)), -1)


@page(VIEW)
def report(request: Any) -> HttpResponse:
    """A month beside the one before it, by body and by qualification."""
    month = _month(request)
    before = add_months(month, -1)
    return render(
        request, "console/on_site.html", month=month, before=before, found=on_site(request.actor, month),
        earlier=on_site(request.actor, before), kinds=Qualification.KINDS, here=HERE,
    )  # fmt: skip


@page(VIEW)
def sheet(request: Any) -> HttpResponse:
    """The month as a workbook."""
    month = _month(request)
    columns = [
        Column(_("分类"), width=14), Column(_("名称"), width=28), Column(_("基金支付（元）"), YUAN), Column(_("其中上门（元）"), YUAN),
        Column(_("金额占比")), Column(_("服务项次"), COUNT), Column(_("其中上门"), COUNT), Column(_("项次占比")),
    ]  # fmt: skip
    found = on_site(request.actor, month)
    above = [_("长护险上门服务占比 %(month)s") % {"month": month_in_words(month)}, *exported_by(request)]
    return excel(_("长护险上门占比"), columns, _rows(found), above=above, below=_row(_("合计"), "", found.total))


def _rows(found: OnSite) -> list[tuple[Any, ...]]:
    by_kind = [_row(_("所需资格"), label_of(one.key, Qualification.KINDS), one) for one in found.qualifications]
    return [_row(_("机构"), one.name, one) for one in found.bodies] + by_kind


def _row(kind: str, name: str, one: Part) -> tuple[Any, ...]:
    return (
        kind, name, one.fen, one.at_home_fen, percent(one.at_home_fen, one.fen), one.services, one.at_home, percent(one.at_home, one.services)
    )  # fmt: skip


urlpatterns = [path("settlement/on-site/", report), path("settlement/on-site/excel/", sheet)]
