"""Devices, what they reported, the alarms that follow with the steps of their chain, and tasks about devices."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from yinling.accounts.models import User
from yinling.devices.rules import (
    ALARM_KINDS,
    CONTACTS,
    DEVICE_KINDS,
    EVENT_KINDS,
    FUNDINGS,
    HEARTBEATS,
    LEVELS,
    PLACE_PROBLEMS,
)
from yinling.devices.states import ALARM, DEVICE, DEVICE_TASK
from yinling.directory.models import DATUMS, Organisation, Site
from yinling.ground.crypto import blind_index
from yinling.ground.guards import append_only_until, state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Sealed, Versioned
from yinling.hotline.models import Call
from yinling.kernel.geo import Datum, Position
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.models import Elder

HEARTBEAT = f"OLD.kind IN {HEARTBEATS}"
ROUTINE = """NOT jsonb_path_exists(OLD.outcomes, '$[*] ? (@.outcome != "taken" && @.outcome != "repeated")')"""


class Device(Scoped, Versioned, Sealed):
    """A thing that calls for help, of an elder or of a facility. It signs with its own key; its SIM's number is sealed.

    ``newest_at``, ``newest_boot``, ``newest_seq`` name the message from which battery and position are: state follows the device's own
    order, not the order of arrival. ``plain`` is the key of a device just registered and nowhere else.
    """

    plain: str

    serial = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=10, choices=DEVICE_KINDS)
    state = state_field(DEVICE)
    maker = models.CharField(max_length=60, blank=True)
    funding = models.CharField(max_length=10, choices=FUNDINGS)
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    site = models.ForeignKey(Site, models.PROTECT, null=True, blank=True, related_name="+")
    place = models.CharField(max_length=60, blank=True)
    key_enc = models.BinaryField(null=True)
    sim_enc = models.BinaryField(null=True)
    sim_index = models.BinaryField(max_length=32, null=True)
    sim_last4 = models.CharField(max_length=4, blank=True)
    interval_s = models.PositiveIntegerField(default=3600)
    installed_on = models.DateField(null=True, blank=True)
    removed_on = models.DateField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    newest_at = models.DateTimeField(null=True, blank=True)
    newest_boot = models.PositiveIntegerField(default=0)
    newest_seq = models.BigIntegerField(default=0)
    battery = models.PositiveSmallIntegerField(null=True, blank=True)
    has_wrong_clock = models.BooleanField(default=False)
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    datum = models.CharField(max_length=10, choices=DATUMS, blank=True)
    accuracy_m = models.FloatField(null=True, blank=True)
    positioned_at = models.DateTimeField(null=True, blank=True)
    fence_lon = models.FloatField(null=True, blank=True)
    fence_lat = models.FloatField(null=True, blank=True)
    fence_radius_m = models.PositiveIntegerField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div", "state"], name="device_div"),
            models.Index(fields=["elder"], name="device_elder"),
            models.Index(fields=["provider"], name="device_provider"),
            models.Index(fields=["sim_index"], name="device_sim"),
            models.Index(fields=["last_seen_at"], condition=Q(state="active"), name="device_seen"),
        ]
        constraints = [
            state_check(DEVICE, "device_state"),
            models.CheckConstraint(condition=Q(elder__isnull=False) | Q(provider__isnull=False), name="device_owner"),
            models.CheckConstraint(condition=Q(battery=None) | Q(battery__lte=100), name="device_battery"),
            models.CheckConstraint(
                condition=Q(fence_radius_m=None, fence_lon=None, fence_lat=None)
                | Q(fence_radius_m__gt=0, fence_lon__isnull=False, fence_lat__isnull=False),
                name="device_fence",
            ),
        ]
        triggers = state_guards(DEVICE)

    def __str__(self) -> str:
        return self.serial

    def set_sim(self, number: str) -> None:
        """Seal a normalised number of the SIM."""
        self.seal_field("sim", number)
        self.sim_index = blind_index(number, purpose="phone") if number else None
        self.sim_last4 = number[-4:]

    @property
    def fence(self) -> Position | None:
        """The middle of the fence, if there is one."""
        if self.fence_lon is None or self.fence_lat is None:
            return None
        return Position(self.fence_lon, self.fence_lat, Datum.WGS84)


class Delivery(Scoped):
    """A batch of messages as a platform handed it over, with what became of each. Never changed.

    One without alarm and refusal is deleted with the heartbeats of its time.
    """

    sent_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    received_at = models.DateTimeField()
    count = models.PositiveIntegerField()
    outcomes = models.JSONField(default=list)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div", "-received_at"], name="delivery_div")]
        triggers = append_only_until(ROUTINE)

    def __str__(self) -> str:
        return f"{self.received_at} {self.count}"


class DeviceEvent(Scoped, Sealed):
    """One message of a device as it came: its own count and clock, when it arrived, and which time counts. Never changed.

    A message with the number of an earlier one and other content is kept as a further ``copy``: a device that lost its count must not
    lose its call for help. What a body measured is sealed. Heartbeats are deleted after their time (``forget_event``).
    """

    device = models.ForeignKey(Device, models.PROTECT, related_name="events")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    msg_id = models.CharField(max_length=64, blank=True)
    boot = models.PositiveIntegerField()
    seq = models.BigIntegerField()
    copy = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=EVENT_KINDS)
    ts_dev = models.DateTimeField(null=True)
    ts_rx = models.DateTimeField()
    ts_eff = models.DateTimeField()
    is_skewed = models.BooleanField(default=False)
    is_late = models.BooleanField(default=False)
    facts = models.JSONField(default=dict)
    facts_enc = models.BinaryField(null=True)
    pos = models.JSONField(null=True)
    verdict = models.CharField(max_length=3, blank=True)
    digest = models.BinaryField(max_length=32)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["device", "-ts_eff", "-boot", "-seq"], name="device_event_order"),
            models.Index(fields=["ts_rx"], condition=Q(kind__in=HEARTBEATS), name="device_event_beats"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["device", "boot", "seq"], condition=Q(copy=0), name="device_event_once"),
            models.UniqueConstraint(fields=["device", "boot", "seq", "copy"], name="device_event_copy"),
        ]
        triggers = append_only_until(HEARTBEAT)

    def __str__(self) -> str:
        return f"{self.device_id} {self.boot}:{self.seq} {self.kind}"


class Alarm(Scoped, Versioned):
    """A call for help by a device, from the first message to its end. Of one elder and kind one is open; later messages join it.

    ``raised_at`` is the device's time of the earliest message, ``received_at`` when the platform heard of it: the chain's time runs
    from there. The position is that of the earliest message, in WGS-84, with the system in which it was told.
    """

    device = models.ForeignKey(Device, models.PROTECT, related_name="alarms")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    call = models.OneToOneField(Call, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=10, choices=ALARM_KINDS)
    level = models.PositiveSmallIntegerField(choices=LEVELS)
    state = state_field(ALARM)
    raised_at = models.DateTimeField()
    received_at = models.DateTimeField()
    latest_at = models.DateTimeField()
    message_count = models.PositiveIntegerField(default=1)
    is_late = models.BooleanField(default=False)
    is_skewed = models.BooleanField(default=False)
    address = models.CharField(max_length=200, blank=True)
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    datum = models.CharField(max_length=10, choices=DATUMS, blank=True)
    accuracy_m = models.FloatField(null=True, blank=True)
    place_problem = models.CharField(max_length=12, choices=PLACE_PROBLEMS, blank=True)
    placed_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    contacted_at = models.DateTimeField(null=True, blank=True)
    contact = models.CharField(max_length=10, choices=CONTACTS, blank=True)
    departed_at = models.DateTimeField(null=True, blank=True)
    helper = models.CharField(max_length=100, blank=True)
    rescue_at = models.DateTimeField(null=True, blank=True)
    """When the chain asked a person to call the emergency services."""
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    result = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["div", "level", "received_at"],
                condition=Q(state__in=["raised", "acknowledged", "on_the_way"]),
                name="alarm_open",
            ),
            models.Index(fields=["div", "-received_at"], name="alarm_div"),
            models.Index(fields=["elder", "-received_at"], name="alarm_elder"),
            models.Index(fields=["device"], name="alarm_device"),
        ]
        constraints = [
            state_check(ALARM, "alarm_state"),
            models.UniqueConstraint(
                fields=["elder", "kind"],
                condition=Q(state__in=["raised", "acknowledged", "on_the_way"], elder__isnull=False),
                name="alarm_one_open",
            ),
            models.UniqueConstraint(
                fields=["device", "kind"],
                condition=Q(state__in=["raised", "acknowledged", "on_the_way"], elder=None),
                name="alarm_one_open_of_device",
            ),
            models.CheckConstraint(
                condition=Q(state="raised", acknowledged_at=None)
                | (~Q(state="raised") & Q(acknowledged_at__isnull=False)),
                name="alarm_acknowledged",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["resolved", "false_alarm"], ended_at__isnull=False)
                | (~Q(state__in=["resolved", "false_alarm"]) & Q(ended_at=None)),
                name="alarm_ended",
            ),
        ]
        triggers = state_guards(ALARM)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to see to it."""
        return self.ended_at is None

    @property
    def code(self) -> str:
        """The number to read aloud."""
        return f"B-{local_date(self.received_at):%y%m%d}-{self.pk:04d}"


class AlarmStep(Scoped):
    """A deadline of an alarm's chain: whom to tell, by when, and what became of it. A row, so that no stop loses it."""

    OUTCOMES = [("told", N_("已通知")), ("nobody", N_("没有可通知的人")), ("needless", N_("不再需要"))]

    alarm = models.ForeignKey(Alarm, models.PROTECT, related_name="steps")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    number = models.PositiveSmallIntegerField()
    tell = models.JSONField()
    until = models.CharField(max_length=12)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=OUTCOMES, blank=True)
    told_count = models.PositiveSmallIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(done_at=None), name="alarm_step_due")]
        constraints = [
            models.UniqueConstraint(fields=["alarm", "number"], name="alarm_step_once"),
            models.CheckConstraint(
                condition=Q(done_at=None, outcome="") | (Q(done_at__isnull=False) & ~Q(outcome="")),
                name="alarm_step_done",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alarm_id} {self.number}"


class DeviceTask(Scoped, Versioned):
    """Something about a device that is no alarm: silent, battery low, clock wrong; or an incident, where many fell silent at once.

    ``heard`` says of each silent device when it had last been heard: the proof of the silence outlives the heartbeats.
    """

    KINDS = [
        ("silent", N_("设备失联")),
        ("battery", N_("电量低")),
        ("clock", N_("时钟不准")),
        ("incident", N_("大面积失联")),
    ]

    kind = models.CharField(max_length=10, choices=KINDS)
    state = state_field(DEVICE_TASK)
    device = models.ForeignKey(Device, models.PROTECT, null=True, blank=True, related_name="tasks")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    count = models.PositiveIntegerField(default=1)
    heard = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div", "state", "-opened_at"], name="device_task_div")]
        constraints = [
            state_check(DEVICE_TASK, "device_task_state"),
            models.UniqueConstraint(
                fields=["device", "kind"], condition=Q(state="open", device__isnull=False), name="device_task_once"
            ),
            models.UniqueConstraint(
                fields=["div", "kind"], condition=Q(state="open", device=None), name="device_incident_once"
            ),
            models.CheckConstraint(
                condition=Q(state="open", done_at=None) | (~Q(state="open") & Q(done_at__isnull=False)),
                name="device_task_done",
            ),
        ]
        triggers = state_guards(DEVICE_TASK)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def heard_at(self) -> datetime | None:
        """When the one device of a task about silence had last been heard."""
        told = next(iter(self.heard.values()), None) if self.kind == "silent" else None
        return datetime.fromisoformat(told) if told else None
