"""Writing the working calendar and the clock of a demonstration."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.conf import settings

from yinling.accounts.operations import record
from yinling.directory.rules import (
    calendar_rows,
    require,
    required_text,
)
from yinling.ground.clock import EARLIEST, LATEST, real_now
from yinling.ground.live import tell
from yinling.ground.models import CalendarDay, ClockOffset
from yinling.ground.operation import operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Input, Moment
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_


@operation("directory.calendar.load", label=N_("载入工作日历"))
def load_calendar(
    *, actor: Actor, now: datetime,
    text: Annotated[str, Input(N_("日历表"), help=N_("CSV：date,weekday,kind,name,in_lieu"), max_length=100000, widget="area")],
    source: Annotated[str, Input(N_("来源"), help=N_("国务院办公厅通知的文号"), max_length=200)],
) -> list[CalendarDay]:  # fmt: skip
    """Load the days off and make-up working days of whole years. A year already loaded has to be unloaded first."""
    require(actor, "directory.calendar.load")
    days = [
        CalendarDay(day=day, kind=kind, name=name, source=required_text(source, "source"))
        for day, kind, name in calendar_rows(text)
    ]
    years = sorted({row.day.year for row in days})
    loaded = sorted(set(CalendarDay.objects.filter(day__year__in=years).values_list("day__year", flat=True)))
    if loaded:
        sentence = N_("%(years)s年的日历已载入，请先撤下再载入")
        raise Refused("calendar.loaded", sentence, field="text", years="、".join(str(year) for year in loaded))
    CalendarDay.objects.bulk_create(days)
    changes = {"years": [[], years], "days": [0, len(days)]}
    record(actor=actor, now=now, event="directory.calendar.load", subject=CalendarDay(), changes=changes, reason=source)
    tell("calendar", pk=years[0], div=actor.div or "")
    return days


@operation("directory.calendar.unload", label=N_("撤下工作日历"))
def unload_calendar(
    *, actor: Actor, now: datetime, year: Annotated[int, Input(N_("年份"), least=2015, most=2040, widget="number")]
) -> int:  # fmt: skip
    """Take the list of a year away; deadlines in it count Monday to Friday and are provisional until it is loaded again (X-CAL-03)."""
    require(actor, "directory.calendar.unload")
    count, _ = CalendarDay.objects.filter(day__year=year).delete()
    if not count:
        raise Refused("calendar.not_loaded", N_("%(year)s年的日历没有载入"), field="year", year=year)
    changes = {"years": [[year], []], "days": [count, 0]}
    record(actor=actor, now=now, event="directory.calendar.unload", subject=CalendarDay(), changes=changes)
    tell("calendar", pk=year, div=actor.div or "")
    return count


@operation("directory.clock.move", label=N_("调整演示时钟"))
def move_clock(*, actor: Actor, now: datetime, to: Moment) -> ClockOffset:
    """Move the business clock of a demonstration, forward or back, to any day from 2015 to 2040."""
    require(actor, "directory.clock.move")
    if not settings.DEMO:
        raise Refused("clock.not_demo", N_("只有演示环境可以调整时钟"))
    if not EARLIEST <= to < LATEST:
        raise Refused("clock.range", N_("演示时钟只能在2015年到2040年之间"), field="to")
    seconds = round((to - real_now()).total_seconds())
    row, _ = ClockOffset.objects.update_or_create(pk=1, defaults={"seconds": seconds})
    record(
        actor=actor,
        now=now,
        event="directory.clock.move",
        subject=row,
        changes={"to": [now.isoformat(), to.isoformat()]},
    )
    tell("clock", pk=1, div=actor.div or "")
    return row
