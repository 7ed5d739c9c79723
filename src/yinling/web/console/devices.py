"""P13: alarms of devices until somebody has seen to them; the register of devices, facilities, and what is to be done about devices."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.devices.models import Alarm, Device, DeviceTask
from yinling.devices.operations.register import COLUMNS
from yinling.devices.queries import (
    TABS,
    alarm_counts,
    alarm_queue,
    alarms,
    device_tasks,
    devices,
    facilities,
    fundings,
    number_of,
    silent,
    times,
)
from yinling.devices.rules import ALARM_KINDS, DEVICE_KINDS, FUNDINGS, LEVELS, PEOPLE, PLACE_PROBLEMS
from yinling.devices.states import ALARM, DEVICE, DEVICE_TASK
from yinling.ground.crypto import blind_index
from yinling.kernel.geo import Datum, Position, distance_m
from yinling.kernel.names import normalise_phone
from yinling.kernel.refusals import Refusal
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.queries import find_elders
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.queries.devices import quiet
from yinling.web.show import label_of, tally, tr

FOUND = 10
SHOWN = 20
DAYS_OF_TIMES = 30
ON_THE_DESK = 5
TONES = {0: "red", 1: "orange", 2: "blue"}


@page("devices.alarm.view")
def alarm_list(request: Any) -> HttpResponse:
    """The alarms of the area by level and age; a tone sounds while one waits that nobody has taken up."""
    tab = request.GET.get("tab", "open")
    tab = tab if tab in dict(TABS) else "open"
    counts = alarm_counts(request.actor)
    tabs = [
        (tr(label), f"/alarms/?tab={name}", tally(counts[name]) if name in counts else None, name == tab)
        for name, label in TABS
    ]
    listing = Listing(
        request, alarm_queue(request.actor, tab),
        Filter("level", _("级别"), lambda found, value: found.filter(level=value), "choice", [(str(one), text) for one, text in LEVELS]),
        Filter("kind", _("种类"), lambda found, value: found.filter(kind=value), "choice", ALARM_KINDS),
    )  # fmt: skip
    rows = [(row, _take(request, row) if row.state == "raised" else None) for row in listing]
    return render(
        request, "console/alarms.html", listing=listing, rows=rows, tabs=tabs, tab=tab, counts=counts, raised=tally(counts["raised"]),
        machine=ALARM, tones=TONES, times=times(request.actor, request.now - timedelta(days=DAYS_OF_TIMES)), days=DAYS_OF_TIMES,
    )  # fmt: skip


def waiting_alarms(request: Any) -> dict[str, Any]:
    """What a seat's desk shows of alarms: those that nobody has taken up, the gravest first, and how many there are."""
    if not request.actor.has("devices.alarm.view"):
        return {"rows": [], "count": 0, "text": "", "tones": TONES}
    rows = list(alarm_queue(request.actor, "raised")[: ON_THE_DESK + 1])
    count = len(rows) if len(rows) <= ON_THE_DESK else alarm_counts(request.actor)["raised"]
    return {
        "rows": [(row, _take(request, row)) for row in rows[:ON_THE_DESK]],
        "count": count,
        "text": tally(count),
        "tones": TONES,
    }


def _take(request: Any, row: Alarm) -> ActionForm:
    return action_form(
        request, "acknowledge_alarm", {"alarm_id": row.pk, "seen": row.version}, next=f"/alarms/{row.pk}/", only=("alarm_id",),
        submit=N_("受理"),
    )  # fmt: skip


@page("devices.alarm.view")
def alarm_page(request: Any, pk: int) -> HttpResponse:
    """One alarm: who, where, what was told to whom when, and what is to be done now."""
    alarm = alarms(request.actor).select_related("elder__household").filter(pk=pk).first()
    if alarm is None:
        raise Http404
    verbs = {transition.verb for transition in ALARM.verbs(alarm.state)}
    steps = [(step, [label_of(name, PEOPLE) for name in step.tell]) for step in alarm.steps.order_by("number")]
    events = list(alarm.device.events.filter(kind=alarm.kind).order_by("-ts_eff", "-seq")[:SHOWN])
    return render(
        request, "console/alarm.html", alarm=alarm, machine=ALARM, bar=_bar(alarm), steps=steps, events=events, tones=TONES,
        forms=_alarm_forms(request, alarm, verbs), away=_away(alarm), problem=label_of(alarm.place_problem, PLACE_PROBLEMS),
        hand_over=_hand_over(request, alarm), dial=_dial(request, alarm), map_data=json.dumps(_points(alarm)),
    )  # fmt: skip


def _bar(alarm: Alarm) -> list[tuple[str, str, str]]:
    """What happened when, as time since the platform heard of it."""
    last = tr(ALARM.states(alarm.state).label) if alarm.ended_at else _("结束")
    points = [
        (_("报警"), alarm.received_at), (_("受理"), alarm.acknowledged_at), (_("联系上老人"), alarm.contacted_at),
        (_("人员出发"), alarm.departed_at), (last, alarm.ended_at),
    ]  # fmt: skip
    return [(label, "done" if at else "todo", _since(alarm.received_at, at) if at else "") for label, at in points]


def _since(start: datetime, at: datetime) -> str:
    minutes, seconds = divmod(int((at - start).total_seconds()), 60)
    return f"+{minutes}:{seconds:02d}"


def _home(alarm: Alarm) -> Position | None:
    home = alarm.elder.household if alarm.elder else None
    return None if home is None or home.lon is None or home.lat is None else Position(home.lon, home.lat, Datum.WGS84)


def _away(alarm: Alarm) -> int | None:
    """How far from the home, in metres."""
    home = _home(alarm)
    if alarm.lon is None or alarm.lat is None or home is None:
        return None
    return round(distance_m(Position(alarm.lon, alarm.lat, Datum.WGS84), home))


def _points(alarm: Alarm) -> list[dict[str, Any]]:
    """What the map shows of an open alarm with a position: where it was raised, and the home. Nothing else, and nothing afterwards."""
    if alarm.lon is None or alarm.lat is None or not alarm.is_open:
        return []
    home, at = _home(alarm), f"{alarm.lat:.6f}, {alarm.lon:.6f}"
    points = [{"name": _("报警时的位置"), "stops": [{"lat": alarm.lat, "lon": alarm.lon, "text": at}]}]
    if home is not None:
        points.append({"name": _("住处"), "stops": [{"lat": home.lat, "lon": home.lon, "text": alarm.address}]})
    return points


def _alarm_forms(request: Any, alarm: Alarm, verbs: set[str]) -> dict[str, ActionForm]:
    here, initial = f"/alarms/{alarm.pk}/", {"alarm_id": alarm.pk, "seen": alarm.version}
    found: dict[str, ActionForm] = {
        verb: action_form(request, f"{verb}_alarm", initial, next=here, tone="")
        for verb in ("depart", "resolve", "dismiss")
        if verb in verbs
    }
    if "acknowledge" in verbs:
        found["acknowledge"] = action_form(
            request, "acknowledge_alarm", initial, next=here, only=("alarm_id",), key_hint="A"
        )
    if alarm.is_open and alarm.contacted_at is None:
        found["contact"] = action_form(request, "contact_alarm", initial, next=here, tone="")
    return found


def _hand_over(request: Any, alarm: Alarm) -> ActionForm | None:
    """The emergency services from here: nothing stands in between (R-CALL-02)."""
    call = alarm.call
    if call is None or not alarm.is_open or alarm.acknowledged_at is None or call.state == "ringing":
        return None
    what = f"{label_of(alarm.kind, ALARM_KINDS)} {alarm.address}".strip()
    return action_form(
        request, "hand_over_call", {"call_id": call.pk, "service": "119" if alarm.kind in ("smoke", "gas") else "120", "what": what},
        next=f"/calls/{call.pk}/", tone="danger",
    )  # fmt: skip


def _dial(request: Any, alarm: Alarm) -> ActionForm | None:
    if alarm.elder_id is None or not alarm.is_open or not request.actor.has("hotline.call.dial"):
        return None
    return action_form(
        request, "dial_call", {"elder_id": alarm.elder_id}, next=f"/alarms/{alarm.pk}/", only=("elder_id",), submit=N_("拨打老人电话"),
        hidden=("elder_id",),
    )  # fmt: skip


def _tabs(here: str) -> list[tuple[str, str, None, bool]]:
    pages = (
        ("list", _("登记簿"), "/devices/"),
        ("tasks", _("设备任务"), "/devices/tasks/"),
        ("facilities", _("机构设备"), "/devices/facilities/"),
    )
    return [(label, address, None, name == here) for name, label, address in pages]


def _matching(request: Any, rows: QuerySet[Device], text: str) -> QuerySet[Device]:
    """Devices by number, by SIM, or by whose they are."""
    found = Q(serial=text) | Q(elder__in=[row.pk for row in find_elders(request.actor, text, limit=FOUND)])
    try:
        found |= Q(sim_index=blind_index(normalise_phone(text), purpose="phone"))
    except Refusal:  # no number: then it is a name
        return rows.filter(found)
    return rows.filter(found)


@page("devices.device.view")
def device_list(request: Any) -> HttpResponse:
    """The register: search, silent ones, low batteries, who paid."""
    factor = number_of("device.silent_factor", request.actor.div or "", request.now)
    low = number_of("device.low_battery", request.actor.div or "", request.now)
    rows = devices(request.actor).order_by("-pk")
    elder = _elder(request)
    if elder is not None:
        rows = rows.filter(elder=elder)
    listing = Listing(
        request, rows, Filter("q", _("编号、SIM、姓名"), lambda found, text: _matching(request, found, text)),
        Filter("kind", _("种类"), lambda found, value: found.filter(kind=value), "choice", DEVICE_KINDS),
        Filter("state", _("状态"), lambda found, value: found.filter(state=value), "choice", DEVICE.choices),
        Filter("funding", _("经费来源"), lambda found, value: found.filter(funding=value), "choice", FUNDINGS),
        Filter("silent", _("失联"), lambda found, _yes: silent(found, request.now, factor), "check"),
        Filter("low", _("电量低"), lambda found, _yes: found.filter(battery__lte=low), "check"),
    )  # fmt: skip
    return render(
        request, "console/devices.html", listing=listing, machine=DEVICE, tabs=_tabs("list"), elder=elder, quiet=quiet(listing.rows, request.now),
        low=low, fundings=[(label_of(one.funding, FUNDINGS), one.count) for one in fundings(request.actor)],
    )  # fmt: skip


def _elder(request: Any) -> Elder | None:
    number = request.GET.get("elder", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):  # noqa: PLR2004 - digits of a row's number
        return None
    row: Elder | None = Elder.objects.visible_to(request.actor).filter(pk=int(number)).first()
    return row


@page("devices.device.register")
def device_new(request: Any) -> HttpResponse:
    """Enter a device for an elder, or for a facility; or a list of them."""
    elder, text = _elder(request), request.GET.get("q", "").strip()[:60]
    found = find_elders(request.actor, text, limit=FOUND) if text and elder is None else []
    initial = {
        "elder_id": elder.pk if elder else None,
        "provider_id": request.actor.organisation_id,
        "kind": "button",
        "interval_s": 3600,
    }
    form = action_form(
        request, "register_device", initial, next="/devices/{id}/",
        fields={"provider_id": {"options": "organisations", "help": N_("只有机构里的设备需要填写"), "required": False}},
    )  # fmt: skip
    load = action_form(request, "import_device", next="/devices/", tone="", done=N_("设备已导入"))
    return render(
        request, "console/device_new.html", form=form, load=load, elder=elder, text=text, found=found, columns=COLUMNS
    )


@page("devices.device.view")
def device_page(request: Any, pk: int) -> HttpResponse:
    """One device: what is known, what it last said, its alarms, and what can be done."""
    device = devices(request.actor).filter(pk=pk).first()
    if device is None:
        raise Http404
    here, initial = f"/devices/{pk}/", {"device_id": pk, "seen": device.version}
    verbs = {transition.verb for transition in DEVICE.verbs(device.state)}
    forms: dict[str, ActionForm] = {
        verb: action_form(request, f"{verb}_device", initial, next=here, tone="primary" if verb == "install" else "")
        for verb in ("install", "pause", "remove") if verb in verbs
    }  # fmt: skip
    if verbs:
        known = {name: getattr(device, name) for name in ("funding", "place", "maker", "interval_s")}
        forms["update"] = action_form(request, "update_device", initial | known, next=here, tone="")
        forms["fence"] = action_form(
            request, "fence_device", initial | {"radius_m": device.fence_radius_m or 500}, next=here, tone=""
        )
        forms["rekey"] = action_form(request, "rekey_device", initial, next=here, tone="danger")
    forms["locate"] = action_form(request, "locate_device", {"device_id": pk}, tone="")
    return render(
        request, "console/device.html", device=device, machine=DEVICE, forms=forms, is_quiet=pk in quiet([device], request.now),
        alarms=list(Alarm.objects.visible_to(request.actor).filter(device=device).order_by("-pk")[:SHOWN]), alarm_machine=ALARM,
        events=list(device.events.order_by("-ts_eff", "-boot", "-seq")[:SHOWN]),
    )  # fmt: skip


@page("devices.device.view")
def task_list(request: Any) -> HttpResponse:
    """What is to be done about devices: silent, battery low, clock wrong, incidents."""
    is_open = request.GET.get("done") != "1"
    listing = Listing(
        request, device_tasks(request.actor, is_open=is_open),
        Filter("kind", _("种类"), lambda found, value: found.filter(kind=value), "choice", DeviceTask.KINDS),
        Filter("done", _("已处理"), lambda found, _yes: found, "check"),
    )  # fmt: skip
    rows = [
        (
            row,
            action_form(
                request, "close_task", {"task_id": row.pk, "seen": row.version}, next="/devices/tasks/", tone=""
            ),
        )
        for row in listing
    ]
    return render(
        request,
        "console/device_tasks.html",
        listing=listing,
        rows=rows,
        tabs=_tabs("tasks"),
        machine=DEVICE_TASK,
        is_open=is_open,
    )


@page("devices.device.view")
def facility_list(request: Any) -> HttpResponse:
    """The devices of each facility."""
    rows = [
        (one, [(label_of(kind, DEVICE_KINDS), count) for kind, count in one.kinds])
        for one in facilities(request.actor, request.now)
    ]
    return render(request, "console/device_facilities.html", rows=rows, tabs=_tabs("facilities"))


urlpatterns = [
    path("alarms/", alarm_list),
    path("alarms/<int:pk>/", alarm_page),
    path("devices/", device_list),
    path("devices/new/", device_new),
    path("devices/tasks/", task_list),
    path("devices/facilities/", facility_list),
    path("devices/<int:pk>/", device_page),
]
