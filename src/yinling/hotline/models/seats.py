"""Who sits on the line: groups, seats and what each was doing when."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from yinling.accounts.models import User
from yinling.directory.models import Organisation
from yinling.ground.guards import append_only, state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Sealed, Versioned
from yinling.hotline.states import SEAT

SKILLS = [
    ("dialect", "方言"),
    ("medical", "医疗咨询"),
    ("psychology", "心理疏导"),
    ("complaint", "投诉处理"),
    ("policy", "政策咨询"),
]


class SeatGroup(Scoped, Versioned, Sealed):
    """Seats that take calls together. A call that nobody there takes goes to ``overflow``, in the end to the duty phone."""

    name = models.CharField(max_length=40)
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    """The contracted body that runs it (R-CALL-12); none if the city does itself."""
    skills = models.JSONField(default=list)
    overflow = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    duty_enc = models.BinaryField(null=True)
    duty_last4 = models.CharField(max_length=4, blank=True)
    is_first = models.BooleanField(default=False)
    """New calls of the area come here."""
    is_active = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["div", "name"], name="group_name"),
            models.UniqueConstraint(fields=["div"], condition=Q(is_first=True, is_active=True), name="group_one_first"),
            models.CheckConstraint(condition=~Q(overflow=models.F("id")), name="group_overflow_other"),
        ]

    def __str__(self) -> str:
        return self.name


class Seat(Scoped, Versioned):
    """A person on the line: state, since when idle, what they can do. Talking is not a state: the call says so."""

    user = models.OneToOneField(User, models.PROTECT, related_name="+")
    group = models.ForeignKey(SeatGroup, models.PROTECT, related_name="seats")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    number = models.CharField(max_length=8)
    """The extension, as colleagues know it (8001)."""
    skills = models.JSONField(default=list)
    state = state_field(SEAT)
    reason = models.CharField(max_length=40, blank=True)
    idle_since = models.DateTimeField(null=True, blank=True)
    registered_until = models.DateTimeField(null=True, blank=True)
    """Until when the soft-phone is known to the edge; empty when it never was."""
    miss_count = models.PositiveSmallIntegerField(default=0)
    """Calls in a row not answered: after two the seat goes on a break by itself."""
    is_leader = models.BooleanField(default=False)
    left_on = models.DateField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["idle_since", "id"], condition=Q(state="ready"), name="seat_ready")]
        constraints = [
            state_check(SEAT, "seat_state"),
            models.UniqueConstraint(fields=["div", "number"], condition=Q(left_on=None), name="seat_number"),
        ]
        triggers = state_guards(SEAT)

    def __str__(self) -> str:
        return self.number


class SeatSpan(Scoped):
    """How long a seat was ready or on a break: the row of the present one is open."""

    seat = models.ForeignKey(Seat, models.PROTECT, related_name="+")
    state = models.CharField(max_length=20)
    reason = models.CharField(max_length=40, blank=True)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["seat", "-from_at"], name="span_seat")]
        constraints = [
            models.UniqueConstraint(fields=["seat"], condition=Q(to_at=None), name="span_one_open"),
            models.CheckConstraint(condition=Q(to_at=None) | Q(to_at__gte=models.F("from_at")), name="span_order"),
        ]

    def __str__(self) -> str:
        return f"{self.seat_id} {self.state}"


class SeatTraining(Scoped):
    """A training that a seat took part in, with the body that gave it (the 12345 line, R-CALL-07). Never changed."""

    seat = models.ForeignKey(Seat, models.PROTECT, related_name="trainings")
    title = models.CharField(max_length=80)
    body = models.CharField(max_length=80)
    topic = models.CharField(max_length=12, choices=[*SKILLS, ("service", "话务服务"), ("system", "系统操作")])
    held_on = models.DateField()
    minutes = models.PositiveIntegerField()
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    is_passed = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seat", "title", "held_on"], name="training_once")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.seat_id} {self.title}"
