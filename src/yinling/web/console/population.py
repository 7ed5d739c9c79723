"""Reports on who lives in an area: the base number of disabled elders, and residents of 65 and over; with a way down and an export."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.assessment.models import Assessment
from yinling.directory.queries import parent_of
from yinling.directory.rules import require
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.web.pages import page, render
from yinling.web.queries.population import BANDS, WORDS, Report, ability_report, residents_report
from yinling.web.sheets import COUNT, Column, excel
from yinling.web.shell import area_name
from yinling.web.show import day, tr

VIEW = "indicators.value.view"
COMMUNITY = 12
RESIDENTS = [
    ("all", N_("常住60岁以上")),
    ("over_65", N_("常住65岁以上")),
    ("over_80", N_("常住80岁以上")),
    ("elsewhere", N_("其中户籍在外市")),
    ("away", N_("在册但不常住（不计入）")),
]


class Asked:
    """What the address asks for: the area (never outside the actor's), the day and the age band."""

    def __init__(self, request: Any) -> None:
        wanted, own = request.GET.get("div", "")[:COMMUNITY], request.actor.div or ""
        self.div = wanted if wanted and request.actor.covers(wanted) and len(wanted) in (4, 6, 9, 12) else own
        require(request.actor, VIEW, div=self.div)
        today = local_date(request.now)
        self.day = min(meant_day(request.GET.get("day", "")) or today, today)
        band = request.GET.get("band", "")
        self.band = band if band in {code for code, *_ in BANDS} else ""
        above = parent_of(self.div) if self.div != own else ""
        self.above = above if above and request.actor.covers(above) else ""

    def address(self, path_: str, **changes: Any) -> str:
        """The same question with something changed."""
        values = {"div": self.div, "day": self.day, "band": self.band, **changes}
        return path_ + "?" + "&".join(f"{name}={value}" for name, value in values.items() if value)


def _ability_columns() -> list[tuple[str, str]]:
    return [*Assessment.LEVELS, *WORDS.items()]


@page(VIEW)
def ability(request: Any) -> HttpResponse:
    """The base number of disabled elders by level, age band and area (R-PEO-09)."""
    asked = Asked(request)
    report = ability_report(request.actor, asked.div, asked.day, asked.band)
    here = "/population/ability/"
    bands = [(_("全部年龄"), asked.address(here, band=""), None, not asked.band)]
    bands += [(tr(label), asked.address(here, band=code), None, code == asked.band) for code, _a, _b, label in BANDS]
    return render(
        request, "console/population.html", title=_("失能老年人底数"), asked=asked, report=report, columns=_ability_columns(), here=here,
        tabs=_tabs(asked, here), bands=bands, is_lowest=len(asked.div) == COMMUNITY,
    )  # fmt: skip


@page(VIEW)
def residents(request: Any) -> HttpResponse:
    """Usual residents by age and area (R-PEO-11)."""
    asked = Asked(request)
    report = residents_report(request.actor, asked.div, asked.day)
    here = "/population/residents/"
    return render(
        request, "console/population.html", title=_("常住老年人口"), asked=asked, report=report, columns=RESIDENTS, here=here,
        tabs=_tabs(asked, here), bands=[], is_lowest=len(asked.div) == COMMUNITY,
    )  # fmt: skip


def _tabs(asked: Asked, here: str) -> list[tuple[str, str, None, bool]]:
    pages = [(_("失能老年人底数"), "/population/ability/"), (_("常住老年人口"), "/population/residents/")]
    return [(label, asked.address(address, band=""), None, address == here) for label, address in pages]


def _sheet(title: str, asked: Asked, report: Report, columns: list[tuple[str, str]]) -> HttpResponse:
    heads = [
        Column(_("区划代码"), width=16),
        Column(_("名称")),
        *(Column(tr(label), COUNT) for _code, label in columns),
    ]
    rows = [
        (line.key, tr(line.label), *(line.counts[code] for code, _label in columns))
        for line in [*report.areas, *report.bands]
    ]
    above = [title, f"{area_name(asked.div)} {day(asked.day)}"]
    total = ("", _("合计"), *(report.total.counts[code] for code, _label in columns))
    return excel(f"{title}_{asked.div}_{day(asked.day)}", heads, rows, above=above, below=total)


@page(VIEW)
def ability_sheet(request: Any) -> HttpResponse:
    """The same as a workbook."""
    asked = Asked(request)
    report = ability_report(request.actor, asked.div, asked.day, asked.band)
    return _sheet(_("失能老年人底数"), asked, report, _ability_columns())


@page(VIEW)
def residents_sheet(request: Any) -> HttpResponse:
    """The same as a workbook."""
    asked = Asked(request)
    return _sheet(_("常住老年人口"), asked, residents_report(request.actor, asked.div, asked.day), RESIDENTS)


urlpatterns = [
    path("population/ability/", ability),
    path("population/ability.xlsx", ability_sheet),
    path("population/residents/", residents),
    path("population/residents.xlsx", residents_sheet),
]
