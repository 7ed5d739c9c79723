"""Reading devices: what is open, what is due, what is silent, and what a screen shows beside an elder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Extract

from yinling.devices.models import Alarm, AlarmStep, Device, DeviceEvent, DeviceTask
from yinling.devices.rules import Link, chain_of
from yinling.devices.states import DeviceState, DeviceTaskState
from yinling.directory.models import Grant
from yinling.directory.queries import ancestors
from yinling.directory.states import GrantState
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.words import N_

OPEN = ("raised", "acknowledged", "on_the_way")
TABS = (
    ("open", N_("未结束")),
    ("raised", N_("待受理")),
    ("ended", N_("已结束")),
)
COMMUNITY, STREET = 12, 9
MOST_VOLUNTEERS = 5


def number_of(key: str, div: str, now: datetime) -> int:
    """Return a whole number among the parameters."""
    return int(parameter(key, div, local_date(now)))


def chain(name: str, div: str, day: date) -> list[Link]:
    """Return the chain of a level in an area."""
    return chain_of(parameter(f"alarm.chain.{name}", div, day))


def alarms(actor: Actor) -> QuerySet[Alarm]:
    """Alarms the actor may see, with elder, device and who took them up."""
    rows = Alarm.objects.visible_to(actor)
    return rows.select_related("elder", "device", "provider", "acknowledged_by", "ended_by", "call")


def alarm_queue(actor: Actor, tab: str = "open") -> QuerySet[Alarm]:
    """Alarms of a tab: open ones by level and age, those that are over newest first."""
    if tab == "ended":
        return alarms(actor).exclude(state__in=OPEN).order_by("-ended_at", "-id")
    states = ("raised",) if tab == "raised" else OPEN
    return alarms(actor).filter(state__in=states).order_by("level", "received_at", "id")


def alarm_counts(actor: Actor) -> dict[str, int]:
    """How many alarms are open, and how many nobody has taken up."""
    return Alarm.objects.visible_to(actor).counted({"open": Q(state__in=OPEN), "raised": Q(state="raised")})


def open_alarms_of(actor: Actor, elder_id: int) -> list[Alarm]:
    """The open alarms of an elder, the gravest first."""
    return list(alarms(actor).filter(elder_id=elder_id, state__in=OPEN).order_by("level", "received_at", "id"))


def devices(actor: Actor) -> QuerySet[Device]:
    """Devices the actor may see, with elder and facility."""
    return Device.objects.visible_to(actor).select_related("elder", "provider", "site")


def silent(rows: QuerySet[Device], now: datetime, factor: int) -> QuerySet[Device]:
    """Of some devices in use those that missed so many messages; one that never spoke is silent from its installation."""
    since = ExpressionWrapper(now - F("last_seen_at"), output_field=DurationField())
    missed = rows.filter(state=DeviceState.ACTIVE).annotate(quiet_s=Extract(since, "epoch"))
    never = Q(last_seen_at=None, changed_at__lt=now - timedelta(hours=1))
    return missed.filter(never | Q(quiet_s__gt=F("interval_s") * factor))


def newly_silent(div: str, now: datetime, factor: int) -> list[Device]:
    """Silent devices of an area about which there is no open task."""
    known = DeviceTask.objects.filter(kind="silent", state=DeviceTaskState.OPEN, device__isnull=False)
    rows = silent(Device.objects.within(div), now, factor).exclude(pk__in=known.values("device_id"))
    return list(rows.order_by("div", "id"))


def spoken_again(div: str) -> list[DeviceTask]:
    """Open tasks about silence of devices that have been heard since."""
    rows = DeviceTask.objects.within(div).filter(kind="silent", state=DeviceTaskState.OPEN)
    return list(rows.filter(device__last_seen_at__gt=F("opened_at")).order_by("id"))


def due_alarms(div: str, now: datetime, most: int = 500) -> list[int]:
    """Alarms of an area with a step that is due, the longest waiting first."""
    rows = AlarmStep.objects.within(div).filter(done_at=None, due_at__lte=now).order_by("due_at", "id")
    return list(dict.fromkeys(rows.values_list("alarm_id", flat=True)[:most]))


def unsettled_alarms(div: str) -> list[int]:
    """Alarms nobody took up although a seat answered their call, and those taken up whose call still rings."""
    heard = Q(state="raised", call__answered_at__isnull=False)
    ringing = Q(call__state="ringing", call__leg="") & ~Q(state="raised")
    return list(Alarm.objects.within(div).filter(heard | ringing).order_by("id").values_list("id", flat=True))


def alarm_of_call(call_id: int) -> Alarm | None:
    """The alarm behind a call, if a device made it."""
    return Alarm.objects.filter(call_id=call_id).first()


def next_verdict_before(device: Device, key: tuple[datetime, int, int]) -> str:
    """What the fence said last before a message, in the device's own order."""
    at, boot, seq = key
    earlier = Q(ts_eff__lt=at) | Q(ts_eff=at, boot__lt=boot) | Q(ts_eff=at, boot=boot, seq__lt=seq)
    rows = DeviceEvent.objects.filter(earlier, device=device).exclude(verdict="")
    return rows.order_by("-ts_eff", "-boot", "-seq").values_list("verdict", flat=True).first() or ""


def people_for(roles: Iterable[str], div: str, now: datetime) -> list[tuple[int, str]]:
    """Logins with an active grant of some roles whose area holds a division, with that area, narrowest first."""
    later = Q(to_at=None) | Q(to_at__gt=now)
    rows = Grant.objects.filter(
        later,
        role__in=list(roles),
        div__in=ancestors(div),
        state=GrantState.ACTIVE,
        from_at__lte=now,
        user__is_active=True,
    )
    found = sorted(set(rows.values_list("user_id", "div")), key=lambda pair: (-len(pair[1]), pair[0]))
    return list({user: (user, area) for user, area in reversed(found)}.values())[::-1]


def nearest_volunteers(div: str, now: datetime) -> list[int]:
    """Volunteers of the narrowest area that has any, at most five."""
    found = people_for(("volunteer",), div, now)
    narrowest = max((len(area) for _user, area in found), default=0)
    return [user for user, area in found if len(area) == narrowest][:MOST_VOLUNTEERS]


@dataclass(frozen=True)
class Funds:
    """How many devices in use somebody paid for."""

    funding: str
    count: int


def fundings(actor: Actor) -> list[Funds]:
    """Devices that are not removed by who paid (R-IOT-05)."""
    rows = Device.objects.visible_to(actor).exclude(state=DeviceState.REMOVED)
    counts = rows.order_by().values_list("funding").annotate(count=Count("pk"))
    return [Funds(funding, count) for funding, count in sorted(counts, key=lambda pair: -pair[1])]


@dataclass(frozen=True)
class Facility:
    """The devices of a facility: by place, how many in use, how many silent."""

    organisation_id: int
    name: str
    count: int
    silent: int
    kinds: tuple[tuple[str, int], ...]


def facilities(actor: Actor, now: datetime) -> list[Facility]:
    """Facilities with their devices (R-IOT-03)."""
    rows = Device.objects.visible_to(actor).filter(provider__isnull=False).exclude(state=DeviceState.REMOVED)
    names: dict[int, str] = {}
    kinds: dict[int, Counter[str]] = {}
    for pk, name, kind in rows.values_list("provider_id", "provider__short_name", "kind"):
        names[pk] = name
        kinds.setdefault(pk, Counter())[kind] += 1
    factor = number_of("device.silent_factor", actor.div or "", now)
    quiet = Counter(silent(rows, now, factor).values_list("provider_id", flat=True))
    return [
        Facility(pk, names[pk], sum(found.values()), quiet[pk], tuple(sorted(found.items())))
        for pk, found in sorted(kinds.items(), key=lambda pair: names[pair[0]])
    ]


def device_tasks(actor: Actor, *, is_open: bool = True) -> QuerySet[DeviceTask]:
    """Tasks about devices, newest first."""
    rows = DeviceTask.objects.visible_to(actor).select_related("device", "elder", "provider", "done_by")
    state = DeviceTaskState.OPEN if is_open else DeviceTaskState.DONE
    return rows.filter(state=state).order_by("-opened_at", "-id")


@dataclass(frozen=True)
class Times:
    """How fast alarms of a time were seen to: how many, how many contacted, and the seconds in the middle (R-IOT-04)."""

    count: int
    contacted: int
    acknowledge_s: int | None
    contact_s: int | None


def times(actor: Actor, since: datetime) -> Times:
    """Return the medians from alarm to acknowledgement and to contact."""
    rows = Alarm.objects.visible_to(actor).filter(received_at__gte=since)
    found = list(rows.values_list("received_at", "acknowledged_at", "contacted_at"))
    taken = sorted(int((at - start).total_seconds()) for start, at, _contact in found if at)
    spoken = sorted(int((at - start).total_seconds()) for start, _taken, at in found if at)
    return Times(len(found), len(spoken), _middle(taken), _middle(spoken))


def _middle(seconds: list[int]) -> int | None:
    return seconds[(len(seconds) - 1) // 2] if seconds else None
