"""How the line is doing: the live wall, its calls with their recordings, what each seat did, and the report against the targets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.queries import areas_below
from yinling.hotline.models import RANKS, Call, CallOffer, Recording, Seat
from yinling.hotline.operating import AT_LEAST, Measure
from yinling.hotline.operations.seats import BREAKS
from yinling.hotline.queries import (
    is_open_to,
    line_measures,
    listeners,
    of_days,
    places,
    recordings_of,
    samples,
    sound_of,
    waiting_now,
    work_of_seats,
)
from yinling.hotline.states import CALL, SAMPLE
from yinling.kernel.inputs import meant_day
from yinling.kernel.masks import mask_name
from yinling.kernel.period import ONE_DAY, local_date, local_midnight, month_start
from yinling.kernel.words import N_
from yinling.people.queries import find_elders
from yinling.web.actions import action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, Column, excel
from yinling.web.shell import area_name
from yinling.web.show import label_of, second, tr

FIGURES = "hotline.figure.view"
LISTEN = "hotline.recording.listen"
LOOK_BACK = 31
MOST_ROWS = 20_000
FOUND = 50
DOINGS = (
    ("talking", N_("通话中")), ("ringing", N_("振铃中")), ("ready", N_("就绪")), ("after", N_("话后整理")),
    ("paused", N_("小休")), ("off", N_("离席")),
)  # fmt: skip
TONES = {"talking": "green", "ringing": "red", "ready": "blue", "after": "orange", "paused": "orange", "off": "grey"}


def line_tabs(request: Any, here: str) -> list[tuple[str, str, int | None, bool]]:
    """The pages of the line, as far as the role may open them."""
    tabs = (
        ("wall", _("现场"), "/line/", FIGURES),
        ("calls", _("通话"), "/line/calls/", FIGURES),
        ("agents", _("坐席统计"), "/line/agents/", FIGURES),
        ("report", _("服务水平报告"), "/line/report/", FIGURES),
        ("quality", _("质检"), "/line/quality/", "hotline.sample.view"),
        ("contracts", _("委托运营"), "/line/contracts/", "hotline.line_contract.view"),
    )
    return [(label, address, None, name == here) for name, label, address, right in tabs if request.actor.has(right)]


def length(seconds: float | None) -> str:
    """Write seconds as people read a clock: 0:15, 12:04, 1:02:30."""
    if seconds is None:
        return "—"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def goal(one: Measure) -> str:
    """Write a target: ≥ 95 %, < 5 %."""
    sign = "≥" if one.direction == AT_LEAST else "<"
    return f"{sign} {one.target}" + ("" if one.is_points else " %")


# The wall


@page(FIGURES)
def wall(request: Any) -> HttpResponse:
    """What waits, who sits there, and how today went so far."""
    today = local_date(request.now)
    found, measures = line_measures(request.actor, of_days(today, today, request.now), has_quality=False)
    seats = places(request.actor)
    doing = [(code, label, sum(1 for one in seats if one.doing == code)) for code, label in DOINGS]
    busiest = max((counts.arrived for counts in found.hours.values()), default=0)
    return render(
        request, "console/line_wall.html", tabs=line_tabs(request, "wall"), waiting=waiting_now(request.actor), ranks=RANKS, seats=seats,
        doing=doing, doings=dict(DOINGS), tones=TONES, breaks=dict(BREAKS), figures=found, measures=measures, busiest=busiest,
        length=length, goal=goal, hours=range(23, -1, -1),
    )  # fmt: skip


# Calls


def _calls(request: Any) -> Any:
    recorded = Recording.objects.filter(call=OuterRef("pk"), deleted_at=None)
    rows = Call.objects.visible_to(request.actor).select_related("elder", "seat", "group")
    return rows.annotate(has_recording=Exists(recorded)).order_by("-rang_at", "-id")


def _seats(request: Any) -> list[tuple[str, str]]:
    rows = Seat.objects.visible_to(request.actor).order_by("number").values_list("user_id", "number", "user__name")
    return [(str(pk), f"{number} {name}") for pk, number, name in rows]


def _districts(request: Any) -> list[tuple[str, str]]:
    rows = areas_below(request.actor.div).values_list("div", "short_name") if request.actor.div else []
    return [(div, name) for div, name in rows]


def _call_filters(request: Any) -> list[Filter]:
    def of_elder(rows: Any, text: str) -> Any:
        return rows.filter(elder__in=[elder.pk for elder in find_elders(request.actor, text, limit=FOUND)])

    filters = [
        Filter("since", _("从"), lambda rows, value: rows.filter(rang_at__gte=local_midnight(value)), "date"),
        Filter("until", _("到"), lambda rows, value: rows.filter(rang_at__lt=local_midnight(value + ONE_DAY)), "date"),
        Filter("seat", _("坐席"), lambda rows, value: rows.filter(seat_id=int(value)), "choice", _seats(request)),
        Filter("district", _("区划"), lambda rows, value: rows.within(value), "choice", _districts(request)),
        Filter("state", _("状态"), lambda rows, value: rows.filter(state=value), "choice", CALL.choices),
        Filter("way", _("方向"), lambda rows, value: rows.filter(is_outbound=value == "out"), "choice", [("in", _("呼入")), ("out", _("呼出"))]),
        Filter("recorded", _("有录音"), lambda rows, _value: rows.filter(has_recording=True), "check"),
    ]  # fmt: skip
    if request.actor.has("hotline.call.view"):
        filters.append(Filter("last4", _("号码后四位"), lambda rows, value: rows.filter(number_last4=value[:4])))
    if request.actor.has("people.elder.view"):
        filters.append(Filter("elder", _("老年人"), of_elder))
    return filters


def _bounded(request: Any, rows: Any) -> Any:
    """Without a first day the last month: nobody reads years of calls by turning pages."""
    if meant_day(request.GET.get("since", "")) is not None:
        return rows
    until = meant_day(request.GET.get("until", "")) or local_date(request.now)
    return rows.filter(rang_at__gte=local_midnight(until - timedelta(days=LOOK_BACK)))


@page(FIGURES)
def call_list(request: Any) -> HttpResponse:
    """Every call of a time, narrowed by what is known of it."""
    listing = Listing(request, _bounded(request, _calls(request)), *_call_filters(request))
    return render(
        request, "console/line_calls.html", tabs=line_tabs(request, "calls"), listing=listing, machine=CALL, length=length,
        sees_callers=request.actor.has("hotline.call.view"),
        sheet=listing.address().replace(request.path, "/line/calls/excel/", 1),
    )  # fmt: skip


@page(FIGURES)
def call_excel(request: Any) -> HttpResponse:
    """The list as a workbook; numbers stay masked."""
    rows = _bounded(request, _calls(request))
    for entry in _call_filters(request):
        value = entry.value(request.GET.get(entry.name, ""))
        rows = rows if value is None else entry.apply(rows, value)
    sees = request.actor.has("hotline.call.view")
    columns = [
        Column(_("来电"), COUNT, 10), Column(_("振铃"), width=20), Column(_("方向"), width=8), Column(_("号码"), width=12),
        Column(_("老年人"), width=10),
        Column(_("区划"), width=14), Column(_("坐席"), width=12), Column(_("等待（秒）"), COUNT, 10), Column(_("通话（秒）"), COUNT, 10),
        Column(_("状态"), width=12), Column(_("录音"), width=8),
    ]  # fmt: skip
    lines = [
        (
            row.pk, second(row.rang_at), _("呼出") if row.is_outbound else _("呼入"),
            f"*******{row.number_last4}" if sees and row.number_last4 else "", mask_name(row.elder.name) if row.elder else "",
            area_name(row.div[:6]), row.seat.name if row.seat else "", waited(row), talked(row), tr(CALL.states(row.state).label),
            _("有") if row.has_recording else "",
        )
        for row in rows[:MOST_ROWS]
    ]  # fmt: skip
    return excel("calls", columns, lines)


def waited(call: Call) -> int | None:
    """Seconds until somebody answered, or until the caller gave up."""
    until = call.answered_at or call.ended_at
    return int((until - call.rang_at).total_seconds()) if until else None


def talked(call: Call) -> int | None:
    """Seconds of the conversation, where it is over."""
    return int((call.ended_at - call.answered_at).total_seconds()) if call.ended_at and call.answered_at else None


@page(FIGURES)
def call_detail(request: Any, pk: int) -> HttpResponse:
    """One call: what happened when, and what was recorded."""
    call = _calls(request).filter(pk=pk).first()
    if call is None:
        raise Http404
    here = f"/line/calls/{pk}/"
    recordings = list(recordings_of(request.actor, [pk]))
    heard = listeners(recordings)
    sees = request.actor.has(LISTEN)
    rows = [
        (
            row, heard.get(row.pk, []), any(_is_own_hearing(request, one) for one in heard.get(row.pk, [])),
            action_form(request, "listen_recording", {"recording_id": row.pk}, next=here, done=N_("录音已打开，半小时内可收听")),
        )
        for row in recordings
    ] if sees else []  # fmt: skip
    return render(
        request, "console/line_call.html", call=call, machine=CALL, recordings=rows, number=len(recordings), timeline=_timeline(call),
        waited=waited(call), talked=talked(call), length=length, sees_callers=request.actor.has("hotline.call.view"),
        kinds=dict(Recording.KINDS), sample=samples(request.actor).filter(call=call).first(), samples=SAMPLE,
    )  # fmt: skip


def _is_own_hearing(request: Any, row: Any) -> bool:
    return row.user_id == request.actor.user_id and row.business_at > request.now - timedelta(minutes=30)


def _timeline(call: Call) -> list[tuple[Any, str, str]]:
    """(moment, what, who) from the ring to the end."""
    steps = [(call.rang_at, _("外呼") if call.is_outbound else _("振铃"), "")]
    for offer in CallOffer.objects.filter(call=call).select_related("seat", "group").order_by("offered_at", "id"):
        what = _("转接") if offer.is_transfer else _("分配")
        steps.append((offer.offered_at, what, offer.seat.name))
        if offer.ended_at:
            steps.append((offer.ended_at, label_of(offer.outcome, CallOffer.OUTCOMES), offer.seat.name))
    if call.answered_at:
        steps.append((call.answered_at, _("接通"), call.seat.name if call.seat else ""))
    if call.ended_at:
        steps.append((call.ended_at, tr(CALL.states(call.state).label), label_of(call.ended_by, Call.ENDED_BY)))
    return sorted(steps, key=lambda step: step[0])


@page(LISTEN)
def sound(request: Any, pk: int) -> HttpResponse:
    """The sound of a recording, to who gave a reason less than half an hour ago; parts of it as players ask for them."""
    row = Recording.objects.visible_to(request.actor).select_related("file").filter(pk=pk, deleted_at=None).first()
    if row is None:
        raise Http404
    if not is_open_to(request.actor, pk, request.now):
        return HttpResponseRedirect(f"/line/calls/{row.call_id}/")
    content = sound_of(row)
    answer = _part(content, request.headers.get("Range", ""), row.file.content_type)
    answer["Content-Disposition"] = f'inline; filename="recording-{pk}.wav"'
    answer["Cache-Control"] = "no-store, private"
    answer["Accept-Ranges"] = "bytes"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _part(content: bytes, wanted: str, kind: str) -> HttpResponse:
    """Return the bytes that a player asks for, or all of them."""
    first, _dash, last = wanted.removeprefix("bytes=").partition("-")
    if not wanted.startswith("bytes=") or not (first.isascii() and first.isdigit()):
        return HttpResponse(content, content_type=kind)
    start = int(first)
    end = min(int(last), len(content) - 1) if last.isascii() and last.isdigit() else len(content) - 1
    if start > end:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
    answer = HttpResponse(content[start : end + 1], status=206, content_type=kind)
    answer["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
    return answer


# Seats and the report


class Days:
    """The days that the address asks for; by default the month so far. At most a year."""

    def __init__(self, request: Any) -> None:
        today = local_date(request.now)
        self.last = min(meant_day(request.GET.get("until", "")) or today, today)
        self.first = meant_day(request.GET.get("since", "")) or month_start(self.last)
        self.first = max(min(self.first, self.last), self.last - timedelta(days=366))
        self.span = of_days(self.first, self.last, request.now)

    @property
    def query(self) -> str:
        """The same days as part of an address."""
        return f"since={self.first}&until={self.last}"


@page(FIGURES)
def agents(request: Any) -> HttpResponse:
    """What each seat did."""
    days = Days(request)
    return render(
        request, "console/line_agents.html", tabs=line_tabs(request, "agents"), days=days, rows=work_of_seats(request.actor, days.span),
        length=length,
    )  # fmt: skip


@page(FIGURES)
def agents_excel(request: Any) -> HttpResponse:
    """The same as a workbook."""
    days = Days(request)
    columns = [
        Column(_("分机"), width=8), Column(_("姓名"), width=10), Column(_("班组"), width=14), Column(_("在席（秒）"), COUNT),
        Column(_("就绪（秒）"), COUNT),
        Column(_("小休（秒）"), COUNT), Column(_("话后整理（秒）"), COUNT), Column(_("通话（秒）"), COUNT), Column(_("接听"), COUNT, 8),
        Column(_("外呼"), COUNT, 8), Column(_("未接"), COUNT, 8), Column(_("平均通话（秒）"), COUNT), Column(_("质检均分"), width=10),
        Column(_("质检数"), COUNT, 8), Column(_("满意度"), width=10), Column(_("回访数"), COUNT, 8),
    ]  # fmt: skip
    lines = [
        (
            one.seat.number, one.seat.user.name, one.seat.group.name, one.signed_in_s, one.ready_s, one.break_s, one.after_s, one.talked_s,
            one.answered, one.made, one.missed, one.talk_s, "" if one.quality is None else f"{one.quality:.1f}", one.checked,
            "" if one.satisfaction is None else f"{one.satisfaction:.1f}", one.asked,
        )
        for one in work_of_seats(request.actor, days.span)
    ]  # fmt: skip
    return excel(f"seats-{days.first}-{days.last}", columns, lines, above=[f"{days.first} – {days.last}"])


@page(FIGURES)
def report(request: Any) -> HttpResponse:
    """How the line answered, against its targets (R-CALL-08, R-CALL-12)."""
    days = Days(request)
    found, measures = line_measures(request.actor, days.span)
    return render(
        request, "console/line_report.html", tabs=line_tabs(request, "report"), days=days, figures=found, measures=measures, length=length,
        goal=goal, place=area_name(request.actor.div or ""),
    )  # fmt: skip


@page(FIGURES)
def report_excel(request: Any) -> HttpResponse:
    """The report as a workbook."""
    days = Days(request)
    found, measures = line_measures(request.actor, days.span)
    columns = [
        Column(_("指标"), width=22), Column(_("数值"), width=12), Column(_("目标"), width=12), Column(_("是否达标"), width=12),
        Column(_("分子"), COUNT, 10), Column(_("分母"), COUNT, 10),
    ]  # fmt: skip
    words = {True: _("达标"), False: _("未达标"), None: _("不适用")}
    lines: list[tuple[Any, ...]] = [
        (tr(one.name), one.shown, goal(one), words[one.is_met], one.hits, one.total) for one in measures
    ]
    for name, counts in [
        (_("合计"), found.total),
        *((area_name(div), counts) for div, counts in found.districts.items()),
    ]:
        lines += [
            (f"{name} {label}", "", "", "", number, None)
            for label, number in (
                (_("来电"), counts.arrived),
                (_("接听"), counts.answered),
                (_("放弃"), counts.abandoned),
            )
        ]
    return excel(f"line-{days.first}-{days.last}", columns, lines, above=[f"{days.first} – {days.last}"])


urlpatterns = [
    path("line/", wall),
    path("line/calls/", call_list),
    path("line/calls/excel/", call_excel),
    path("line/calls/<int:pk>/", call_detail),
    path("line/recordings/<int:pk>/sound/", sound),
    path("line/agents/", agents),
    path("line/agents/excel/", agents_excel),
    path("line/report/", report),
    path("line/report/excel/", report_excel),
]
