"""P22: the figures of the plans, by division, each a way down to the rows it was counted from."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.queries import parent_of
from yinling.directory.rules import require
from yinling.hotline.states import CALL
from yinling.indicators.definitions import INDICATORS
from yinling.indicators.queries import MONTH, WEEK, Shown, groups_behind, period_around, rows_behind, shown, span_of
from yinling.indicators.rules import MINUTES
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import local_date
from yinling.orders.states import ORDER
from yinling.people.models import Circumstance
from yinling.web.actions import action_form
from yinling.web.pages import Listing, page, render
from yinling.web.sheets import COUNT, Column, comma_separated, excel
from yinling.web.shell import area_name
from yinling.web.show import day, label_of, moment, tr

VIEW = "indicators.value.view"
WHICH = ("all", "hit", "miss")


def _day(text: str, default: date) -> date:
    return meant_day(text) or default


class Choice:
    """What the address asks for: the division (never outside the actor's area), the kind of period and the days."""

    def __init__(self, request: Any) -> None:
        wanted = request.GET.get("div", "")[:12]
        own = request.actor.div or ""
        self.div = wanted if wanted and request.actor.covers(wanted) else own
        self.kind = MONTH if request.GET.get("kind") == MONTH else WEEK
        self.today = local_date(request.now)
        self.day = _day(request.GET.get("day", ""), self.today)
        self.first, self.end = period_around(self.day, self.kind)
        self.last = self.end - timedelta(days=1)

    def address(self, path: str = "/indicators/", **changes: Any) -> str:
        """The same choice with something changed."""
        values = {"div": self.div, "kind": self.kind, "day": self.day, **changes}
        return path + "?" + "&".join(f"{name}={value}" for name, value in values.items())

    @property
    def before(self) -> str:
        """The period before."""
        return self.address(day=self.first - timedelta(days=1))

    @property
    def after(self) -> str:
        """The period after."""
        return self.address(day=self.end)


@page(VIEW)
def indicator_page(request: Any) -> HttpResponse:
    """All indicators of a division and those below it."""
    choice = Choice(request)
    require(request.actor, VIEW, div=choice.div)
    table = [line for line in shown(request.actor, choice.div, choice.first, choice.end) if line]
    compute = action_form(
        request, "compute_values", {"div": choice.div, "period_from": choice.first, "period_to": choice.end}, next=choice.address(),
        hidden=("div", "period_from", "period_to"), done=_("已重新计算"), tone="",
    )  # fmt: skip
    parent = parent_of(choice.div) if choice.div != request.actor.div else ""
    above = parent if parent and request.actor.covers(parent) else ""
    return render(
        request,
        "console/indicators.html",
        choice=choice,
        table=table,
        compute=compute,
        above=above,
        minutes=MINUTES,
        week=WEEK,
        month_kind=MONTH,
    )


@page(VIEW)
def indicator_rows(request: Any, code: str) -> HttpResponse:
    """The rows of one figure: all, those that count, or those that do not."""
    indicator = INDICATORS.get(code)
    if indicator is None:
        raise Http404
    choice = Choice(request)
    which = request.GET.get("which", "all")
    which = which if which in WHICH else "all"
    span = span_of(choice.first, choice.end, request.now)
    rows = rows_behind(request.actor, code, choice.div, span, which=which)
    is_persons = indicator.page == "elders"
    groups = groups_behind(request.actor, code, choice.div, span) if is_persons else []
    if not is_persons:
        rows = rows.select_related("elder")
    labels = {"all": _("全部"), "hit": _("计入分子"), "miss": _("未计入")}
    path_, is_calls = f"/indicators/{code}/", indicator.page == "calls"
    tabs = [(labels[name], choice.address(path_, which=name), None, name == which) for name in WHICH]
    return render(
        request, "console/indicator_rows.html", choice=choice, indicator=indicator, listing=Listing(request, rows), is_calls=is_calls,
        machine=CALL if is_calls else ORDER, tabs=[] if indicator.duration else tabs,
        groups=[(label_of(group.kind, Circumstance.KINDS), group.figure) for group in groups],
    )  # fmt: skip


def _lines(request: Any, choice: Choice) -> list[Shown]:
    require(request.actor, VIEW, div=choice.div)
    return [one for line in shown(request.actor, choice.div, choice.first, choice.end) for one in line]


def _cells(one: Shown) -> tuple[Any, ...]:
    reached = {True: _("达标"), False: _("未达标"), None: _("不适用")}[one.is_reached]
    target = f"{one.target.value}" if one.target else ""
    unit = _("分钟") if one.indicator.unit == MINUTES else "%"
    return (
        tr(one.indicator.name), one.area.name, one.area.div, one.figure.shown or _("不适用"), unit, one.figure.numerator, one.figure.denominator,
        target, reached, day(one.value.period_from), day(one.value.period_to - timedelta(days=1)), moment(one.value.computed_at), one.value.version,
    )  # fmt: skip


def _columns() -> list[Column]:
    return [
        Column(_("指标"), width=20), Column(_("区划"), width=16), Column(_("区划代码"), width=14), Column(_("数值"), width=10),
        Column(_("单位"), width=8),
        Column(_("分子"), COUNT, 10), Column(_("分母"), COUNT, 10), Column(_("目标"), width=8), Column(_("是否达标"), width=10),
        Column(_("开始"), width=12), Column(_("结束"), width=12), Column(_("计算时间"), width=18), Column(_("版本"), width=6),
    ]  # fmt: skip


@page(VIEW)
def indicator_excel(request: Any) -> HttpResponse:
    """The table as a workbook."""
    choice = Choice(request)
    above = [f"{area_name(choice.div)} {day(choice.first)} – {day(choice.last)}"]
    return excel(
        f"indicators-{choice.div}-{choice.first}",
        _columns(),
        [_cells(one) for one in _lines(request, choice)],
        above=above,
    )


@page(VIEW)
def indicator_csv(request: Any) -> HttpResponse:
    """The table as CSV."""
    choice = Choice(request)
    heads = [column.head for column in _columns()]
    return comma_separated(
        f"indicators-{choice.div}-{choice.first}", heads, [_cells(one) for one in _lines(request, choice)]
    )


urlpatterns = [
    path("indicators/", indicator_page),
    path("indicators/excel/", indicator_excel),
    path("indicators/csv/", indicator_csv),
    path("indicators/<slug:code>/", indicator_rows),
]
