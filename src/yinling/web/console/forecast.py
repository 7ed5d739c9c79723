"""P10: how many seats the line needs in each half hour, what other numbers would mean, and whether the published roster has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import path

from yinling.directory.queries import working_calendar
from yinling.hotline.queries import call_history, duty_posts, handling_seconds, on_duty, staffing_defaults
from yinling.hotline.staffing import SLOTS, Service, Target, expected_calls, seats_needed, service
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import ONE_DAY, local_date
from yinling.web.console.rosters import group_choices, roster_tabs
from yinling.web.pages import page, render
from yinling.web.queries.rosters import slot_name

DAYS = 7
FARTHEST = timedelta(days=92)
_HEIGHT, _WIDE = 200, 960
_HUNDRED = 100


@dataclass(frozen=True)
class Asked:
    """The numbers tried: calls more or fewer, handling, target and patience (0: nobody gives up)."""

    day: date
    group_id: int | None
    calls_percent: int
    handling: int
    answered: int
    seconds: int
    abandoned: int
    patience: int

    @property
    def target(self) -> Target:
        """The target as the formulas take it."""
        return Target(self.answered / _HUNDRED, self.seconds, self.abandoned / _HUNDRED)

    @property
    def give_up_after(self) -> float | None:
        """The mean patience, or nothing where nobody gives up."""
        return float(self.patience) if self.patience else None


@dataclass(frozen=True)
class HalfHour:
    """One row: calls expected, seats needed and what they give, seats on duty and what those give."""

    name: str
    calls: float
    needed: int
    given: Service
    have: int
    now: Service

    @property
    def missing(self) -> int:
        """How many seats the published roster lacks."""
        return max(0, self.needed - self.have)


@dataclass(frozen=True)
class Day:
    """A day of the week ahead at a glance."""

    day: date
    calls: float
    peak: int
    missing: int


def _number(request: Any, name: str, usual: int, least: int, most: int) -> int:
    text = request.GET.get(name, "").strip()
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 6):  # noqa: PLR2004 - no longer number makes sense here
        return usual
    return min(max(int(text), least), most)


def _asked(request: Any, handling: float | None, groups: list[tuple[int, str]]) -> Asked:
    today = local_date(request.now)
    usual = staffing_defaults(request.actor.div or "", today)
    mean = round(handling + usual.wrap_seconds) if handling else usual.handling_seconds
    day = meant_day(request.GET.get("day", "")) or today + ONE_DAY
    return Asked(
        day=min(max(day, today - FARTHEST), today + FARTHEST), group_id=_group(request, groups),
        calls_percent=_number(request, "calls", 0, -90, 900), handling=_number(request, "handling", mean, 10, 3600),
        answered=_number(request, "answered", usual.answered_percent, 1, 99),
        seconds=_number(request, "seconds", usual.answer_seconds, 0, 600),
        abandoned=_number(request, "abandoned", usual.abandoned_percent, 1, 99),
        patience=_number(request, "patience", usual.patience_seconds, 0, 3600),
    )  # fmt: skip


def _group(request: Any, groups: list[tuple[int, str]]) -> int | None:
    text = request.GET.get("group", "")
    return int(text) if text in {str(pk) for pk, _name in groups} else None


@page("hotline.forecast.view")
def forecast(request: Any) -> HttpResponse:
    """The forecast of a day with the what-if, beside the published roster."""
    actor, today, groups = request.actor, local_date(request.now), group_choices(request)
    weeks = staffing_defaults(actor.div or "", today).history_weeks
    first, group_id = today - timedelta(weeks=weeks), _group(request, groups)
    history = call_history(actor, group_id, first, today)
    asked = _asked(request, handling_seconds(actor, group_id, first, today), groups)
    calendar = working_calendar()
    days = [asked.day + timedelta(days=number) for number in range(DAYS)]
    posts = duty_posts(actor, group_id, days[0], days[-1] + ONE_DAY)
    factor = 1 + asked.calls_percent / _HUNDRED
    calls = {day: [round(one * factor, 2) for one in expected_calls(history, day, calendar)] for day in days}
    rows = [_row(slot, calls[asked.day][slot], have, asked) for slot, have in enumerate(on_duty(posts, asked.day))]
    return render(
        request, "console/forecast.html", asked=asked, rows=rows, chart=_chart(rows), groups=groups, history=len(history),
        provisional=calendar.is_provisional(asked.day), days=[_day(day, calls[day], on_duty(posts, day), asked) for day in days],
        tabs=roster_tabs(request, "/line/forecast/"), total=sum(calls[asked.day]), endless=float("inf"),
    )  # fmt: skip


def _needed(calls: float, asked: Asked) -> int:
    return seats_needed(calls, float(asked.handling), asked.give_up_after, asked.target)


def _row(slot: int, calls: float, have: int, asked: Asked) -> HalfHour:
    needed = _needed(calls, asked)

    def given(seats: int) -> Service:
        if seats == 0:
            return Service(0.0, 1.0, 0.0, 0.0)
        return service(calls, asked.handling, seats, asked.seconds, asked.give_up_after)

    return HalfHour(slot_name(slot), calls, needed, given(needed), have, given(have))


def _day(day: date, calls: list[float], have: list[int], asked: Asked) -> Day:
    needed = [_needed(one, asked) for one in calls]
    missing = sum(1 for want, got in zip(needed, have, strict=True) if want > got)
    return Day(day, sum(calls), max(needed), missing)


def _chart(rows: list[HalfHour]) -> dict[str, Any]:
    """The bars of who is on duty and the step line of who is needed, in the units of the drawing."""
    top = max(1, *(max(row.needed, row.have) for row in rows))
    wide, unit = _WIDE / SLOTS, _HEIGHT / top
    bars = [
        {
            "x": round(place * wide, 1), "have_y": round(_HEIGHT - row.have * unit, 1), "have": round(row.have * unit, 1),
            "short_y": round(_HEIGHT - row.needed * unit, 1), "short": round(row.missing * unit, 1),
        }
        for place, row in enumerate(rows)
    ]  # fmt: skip
    points = []
    for place, row in enumerate(rows):
        height = round(_HEIGHT - row.needed * unit, 1)
        points += [f"{place * wide:.1f},{height}", f"{(place + 1) * wide:.1f},{height}"]
    step = max(1, -(-top // 5))
    lines = [{"y": round(_HEIGHT - seats * unit, 1), "seats": seats} for seats in range(0, top + 1, step)]
    return {
        "bars": bars,
        "line": " ".join(points),
        "grid": lines,
        "wide": round(wide * 0.8, 1),
        "hours": range(0, 24, 3),
    }


urlpatterns = [path("line/forecast/", forecast)]
