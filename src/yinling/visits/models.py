"""What happened at the door and how good it was."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.directory.models import DATUMS, Organisation, Staff
from yinling.dispatch.models import Assignment
from yinling.ground.guards import append_only, state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, StoredFile, Versioned
from yinling.orders.models import Order
from yinling.people.models import Elder
from yinling.visits.states import VISIT


class Visit(Scoped, Versioned):
    """One carer at one door: the times by the server's clock, the work ticked off, who signed."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="+")
    assignment = models.OneToOneField(Assignment, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    state = state_field(VISIT)
    departed_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    tasks = models.JSONField(default=list)
    findings = models.CharField(max_length=2000, blank=True)
    signed_by = models.CharField(max_length=40, blank=True)
    signed_as = models.CharField(
        max_length=10, blank=True, choices=[("self", "本人"), ("family", "家属"), ("agent", "代理人")]
    )
    abort_reason = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["staff", "started_at"], name="visit_staff"),
            models.Index(fields=["order"], name="visit_order"),
            models.Index(fields=["elder", "started_at"], name="visit_elder"),
            models.Index(fields=["div", "started_at"], name="visit_div"),
        ]
        constraints = [
            state_check(VISIT, "visit_state"),
            models.UniqueConstraint(fields=["staff"], condition=Q(state="on_site"), name="visit_one_at_a_time"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")) | Q(started_at=None), name="visit_time"
            ),
        ]
        triggers = state_guards(VISIT)

    def __str__(self) -> str:
        return f"visit {self.pk}"


class CheckIn(Scoped):
    """A carer's position at arrival or leaving: as sent, with datum and accuracy, and the distance to the home. Never changed."""

    KINDS = [("in", "签到"), ("out", "签退")]

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="check_ins")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=3, choices=KINDS)
    key = models.CharField(max_length=64, unique=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    datum = models.CharField(max_length=10, choices=DATUMS)
    accuracy_m = models.FloatField(null=True)
    distance_m = models.PositiveIntegerField(null=True)
    by_door_code = models.BooleanField(default=False)
    device_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["visit", "kind"], name="check_in_once")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.kind} {self.visit_id}"


class Evidence(Scoped):
    """A photo or signature of a visit, with the hash of what the phone sent. Never changed."""

    KINDS = [("photo", "现场照片"), ("signature", "签名")]

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="evidence")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=KINDS)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    sha256 = models.BinaryField(max_length=32)
    taken_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["visit"], name="evidence_visit"),
            models.Index(fields=["sha256"], name="evidence_hash"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.kind} {self.visit_id}"


class Evaluation(Scoped):
    """What the elder side says of a visit: by the elder, a representative, or a follow-up call. Silence is no evaluation."""

    BY = [("elder", "老年人"), ("family", "家属"), ("follow_up", "电话回访")]

    order = models.OneToOneField(Order, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    score = models.PositiveSmallIntegerField()
    comment = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=10, choices=BY)
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    evaluated_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div", "evaluated_at"], name="evaluation_div")]
        constraints = [models.CheckConstraint(condition=Q(score__gte=1, score__lte=5), name="evaluation_score")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.order_id}: {self.score}"
