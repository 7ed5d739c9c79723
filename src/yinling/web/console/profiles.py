"""The city profiles side by side: what differs between the product and each city, with document and clause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from yinling.ground.parameters import CityProfile
from yinling.kernel.parameters import Entry
from yinling.kernel.period import local_date
from yinling.web import conditions
from yinling.web.pages import page, render
from yinling.web.queries.profiles import Line, compare, compare_schemes, plain
from yinling.web.sheets import comma_separated
from yinling.web.show import day

VIEW = "directory.area.view"


@dataclass(frozen=True)
class Choice:
    """What the address asks for: a part of the key, the day, and whether keys alike everywhere are left out."""

    text: str
    on: date
    only_differing: bool

    @classmethod
    def of(cls, request: Any) -> Choice:
        """Read an address; what makes no sense is as if not given."""
        today = local_date(request.now)
        try:
            on = date.fromisoformat(request.GET.get("on", ""))
        except ValueError:
            on = today
        return cls(request.GET.get("q", "").strip()[:80], on, request.GET.get("differs") == "1")

    def lines(self) -> tuple[tuple[CityProfile, ...], list[Line]]:
        """Return the profiles and the lines asked for."""
        return compare(self.on, text=self.text, only_differing=self.only_differing)

    def address(self, where: str) -> str:
        """Return an address with the same choice."""
        asked = {"q": self.text, "on": self.on.isoformat(), "differs": "1" if self.only_differing else ""}
        return f"{where}?{urlencode({name: value for name, value in asked.items() if value})}"


@page(VIEW)
def profile_page(request: Any) -> HttpResponse:
    """One row for each key, one column for the product and each city."""
    choice = Choice.of(request)
    cities, lines = choice.lines()
    return render(
        request, "console/profiles.html", choice=choice, cities=cities, lines=lines, plain=plain,
        csv=choice.address("/profiles/csv/"), schemes=compare_schemes(choice.on, text=choice.text), words=conditions,
    )  # fmt: skip


def _rows(cities: tuple[CityProfile, ...], lines: list[Line]) -> Iterator[tuple[str, ...]]:
    for line in lines:
        yield _row(line.key, _("产品默认"), "", line.product)
        for city, entry in zip(cities, line.cities, strict=True):
            yield _row(line.key, f"{city.name} {city.code}", city.area, entry)


def _row(key: str, who: str, area: str, entry: Entry | None) -> tuple[str, ...]:
    if entry is None:
        return (key, who, area, _("未规定"), "", "", "", "", "")
    own = _("是") if area and entry.area else ""
    last = day(entry.valid.last_day) if entry.valid.last_day else ""
    return (key, who, area, plain(entry.value), own, entry.document, entry.clause, day(entry.valid.from_), last)


@page(VIEW)
def profile_csv(request: Any) -> HttpResponse:
    """The same as CSV, a row for each key and city."""
    choice = Choice.of(request)
    heads = [
        _("参数"), _("城市方案"), _("区划代码"), _("值"), _("自行规定"), _("文件"), _("条款"), _("生效"), _("止"),
    ]  # fmt: skip
    return comma_separated(f"profiles-{choice.on}", heads, _rows(*choice.lines()))


urlpatterns = [
    path("profiles/", profile_page),
    path("profiles/csv/", profile_csv),
]
