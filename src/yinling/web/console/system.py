"""State of the system (P29), calendar, demo clock and dictionaries (P26)."""

from __future__ import annotations

import platform
from datetime import date, datetime, timedelta
from importlib.metadata import version
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker

from yinling.accounts.models import Notice
from yinling.accounts.queries import last_seal
from yinling.catalogue.models import ServiceItem
from yinling.directory.queries import calendar_years, calendar_years_missing
from yinling.dispatch.ports import STRAIGHT_LINE, engine_name
from yinling.dispatch.queries.travel import engine_state
from yinling.entitlements.models import Scheme
from yinling.ground.clock import offset, real_now
from yinling.ground.models import CalendarDay, Outbox
from yinling.ground.parameters import parameters
from yinling.kernel.words import N_
from yinling.supervision.queries import last_round
from yinling.web.actions import action_form
from yinling.web.pages import own_page, page, render
from yinling.web.show import day, moment, tr

STALLED = timedelta(minutes=5)
LATE_ROUND = timedelta(minutes=1)
LATE_SEAL = timedelta(minutes=1)
UNLOADING = N_("撤下后，该年的时限按周一至周五暂算。确定撤下？")
PACKAGES = (
    "django",
    "psycopg",
    "procrastinate",
    "granian",
    "django-ninja",
    "duckdb",
    "ibis-framework",
    "django-pgtrigger",
)


def _row(query: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return tuple(cursor.fetchone() or ())


def _database() -> list[tuple[str, str]]:
    name, size, role, applied = _row(
        "SELECT current_setting('server_version'), pg_size_pretty(pg_database_size(current_database())), current_user, "
        "(SELECT count(*) FROM django_migrations)"
    )
    return [
        (_("版本"), f"PostgreSQL {name}"),
        (_("大小"), size),
        (_("连接身份"), role),
        (_("已执行迁移"), str(applied)),
    ]


def _queue(now: datetime) -> list[tuple[str, str]]:
    waiting, doing, failed = (
        ProcrastinateJob.objects.filter(status=status).count() for status in ("todo", "doing", "failed")
    )
    alive = ProcrastinateWorker.objects.filter(last_heartbeat__gt=now - timedelta(minutes=1))
    stalled = ProcrastinateJob.objects.filter(status="doing").exclude(worker__in=alive).count()
    return [
        (_("等待的任务"), str(waiting)),
        (_("进行中"), str(doing)),
        (_("停滞（进程已不在）"), str(stalled)),
        (_("失败"), str(failed)),
        (_("在线工作进程"), str(alive.count())),
    ]


def _ways() -> str:
    """Return how ways are estimated now: by the line, by an engine that answers, or by the line instead of one that does not."""
    name = engine_name()
    if name == STRAIGHT_LINE:
        return _("直线估算，不用路线引擎")
    state = engine_state()
    if state is None:
        return _("%(name)s：还没有问过") % {"name": name}
    if state.failing_since is None:
        return _("%(name)s：正常，最近一次 %(when)s") % {"name": name, "when": moment(state.answered_at)}
    since = {"name": name, "when": moment(state.failing_since), "reason": tr(state.reason)}
    return _("%(name)s：自 %(when)s 起按直线估算。%(reason)s") % since


def _calendar_state(today: date) -> str:
    missing = calendar_years_missing(today)
    return _("还没有载入：%(years)s") % {"years": "、".join(map(str, missing))} if missing else _("已载入")


def _age(at: datetime | None, now: datetime) -> str:
    return _("%(seconds)s 秒前") % {"seconds": int((now - at).total_seconds())} if at else _("尚未运行")


@page("directory.system.view")
def system(request: Any) -> HttpResponse:
    """What an operator looks at first."""
    now = real_now()
    seal, round_ = last_seal(), last_round()
    watch = [
        (_("实时监管上一轮"), _age(round_.ran_at if round_ else None, request.now)),
        (_("上一轮用时"), f"{round_.took_ms} ms" if round_ else "—"),
        (_("日志封存到"), _age(seal.sealed_at if seal else None, now)),
        (_("待发往外部"), str(Outbox.objects.filter(sent_at=None).count())),
        (_("路上时间"), _ways()),
        (_("工作日历"), _calendar_state(request.day)),
        (_("待发短信"), str(Notice.objects.filter(channel="sms", state="waiting").count())),
    ]
    versions = [("Python", platform.python_version()), *((name, version(name)) for name in PACKAGES)]
    clock = [
        (_("业务时间"), moment(request.now)),
        (_("机器时间"), moment(now)),
        (_("演示模式"), _("是") if settings.DEMO else _("否")),
    ]
    return render(
        request, "console/system.html", database=_database(), queue=_queue(now), watch=watch, versions=versions, clock=clock,
        failed=ProcrastinateJob.objects.filter(status="failed").order_by("-id")[:10],
    )  # fmt: skip


@page("directory.calendar.load")
def calendar(request: Any) -> HttpResponse:
    """The years loaded, each with the form that takes it away, and the form for a new one."""
    load = action_form(request, "load_calendar", next="/calendar/")
    look = {"next": "/calendar/", "hidden": ("year",), "tone": "danger", "confirm": UNLOADING}
    years = [
        (*loaded, action_form(request, "unload_calendar", {"year": loaded[0]}, **look)) for loaded in calendar_years()
    ]
    days = CalendarDay.objects.filter(day__year=request.day.year).order_by("day")
    return render(
        request, "console/calendar.html", years=years, load=load, days=days, year=request.day.year,
        missing=calendar_years_missing(request.day),
    )  # fmt: skip


@own_page
def clock(request: Any) -> HttpResponse:
    """The demo clock: everybody sees it, who has the right moves it."""
    form = action_form(
        request,
        "move_clock",
        {"to": request.now},
        next="/clock/",
        fields={"to": {"widget": "moment", "label": _("调整到")}},
    )
    ahead = offset()
    return render(request, "console/clock.html", form=form, ahead=ahead, machine=real_now(), demo=settings.DEMO)


@page("catalogue.item.update")
def dictionaries(request: Any) -> HttpResponse:
    """What officials and the city's team keep: items, schemes, and every dated parameter with its source."""
    loaded = parameters()
    entries = [
        (
            entry.key,
            entry.area or _("产品默认"),
            entry.value,
            day(entry.valid.from_),
            day(entry.valid.last_day),
            entry.document,
            entry.clause,
        )
        for key in sorted(loaded.keys())
        for entry in loaded.entries(key)
    ]
    text = request.GET.get("q", "").strip()
    if text:
        entries = [entry for entry in entries if text in entry[0] or text in entry[5]]
    counts = [
        (_("服务项目"), ServiceItem.objects.count(), "/catalogue/"), (_("补贴政策"), Scheme.objects.count(), ""),
        (_("工作日历年份"), len(calendar_years()), "/calendar/"), (_("参数"), len(entries), ""),
    ]  # fmt: skip
    return render(request, "console/dictionaries.html", entries=entries, counts=counts, text=text)


urlpatterns = [
    path("system/", system),
    path("calendar/", calendar),
    path("clock/", clock),
    path("dictionaries/", dictionaries),
]
