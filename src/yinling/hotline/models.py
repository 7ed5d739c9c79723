"""Where a need comes in: calls, tickets and what was written about them."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import models
from django.db.models import Case, Q, When

from yinling.accounts.models import User
from yinling.directory.models import Organisation
from yinling.ground.guards import append_only, state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Sealed, Versioned
from yinling.hotline.states import CALL, TICKET
from yinling.kernel.period import local_date
from yinling.people.models import Elder

CHANNELS = [("phone", "电话"), ("app", "手机端"), ("device", "一键呼叫"), ("console", "电脑端"), ("visitor", "探访员")]
KINDS = [
    ("enquiry", "咨询"),
    ("request", "求助"),
    ("complaint", "投诉"),
    ("suggestion", "建议"),
    ("report", "举报"),
    ("emergency", "紧急"),
]
LEVELS = [("urgent", "紧急"), ("high", "较急"), ("normal", "一般")]


class Call(Scoped, Versioned, Sealed):
    """A call on the line. ``key`` is the line's own id of it: the second arrival of a call is the first."""

    key = models.CharField(max_length=64, unique=True)
    state = state_field(CALL)
    number_enc = models.BinaryField(null=True)
    number_index = models.BinaryField(max_length=32, null=True)
    number_last4 = models.CharField(max_length=4, blank=True)
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    channel = models.CharField(max_length=10, choices=CHANNELS, default="phone")
    seat = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    rang_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div", "-rang_at"], name="call_div"),
            models.Index(fields=["elder"], name="call_elder"),
        ]
        constraints = [
            state_check(CALL, "call_state"),
            models.UniqueConstraint(fields=["seat"], condition=Q(state="answered"), name="call_one_per_seat"),
            models.CheckConstraint(
                condition=Q(state__in=["ringing", "abandoned"]) | Q(answered_at__isnull=False, seat__isnull=False),
                name="call_answer_pair",
            ),
        ]
        triggers = state_guards(CALL)

    def __str__(self) -> str:
        return self.key


class Emergency(Scoped, Versioned):
    """A call handed over to the emergency services, each step with its time. No approval stands in between."""

    SERVICES = [("120", "120 急救"), ("119", "119 消防"), ("110", "110 报警"), ("green", "绿色通道")]

    call = models.ForeignKey(Call, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    service = models.CharField(max_length=10, choices=SERVICES)
    what = models.CharField(max_length=300)
    handed_over_at = models.DateTimeField()
    contacts_told_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=300, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["call"], name="emergency_call")]

    def __str__(self) -> str:
        return f"{self.service} {self.call_id}"


class Ticket(Scoped, Versioned):
    """A need: of what kind, for whom, in whose hands, due when. ``provider`` is the body that handles it now."""

    call = models.ForeignKey(Call, models.PROTECT, null=True, blank=True, related_name="+")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    seat = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    state = state_field(TICKET)
    kind = models.CharField(max_length=12, choices=KINDS)
    level = models.CharField(max_length=8, choices=LEVELS, default="normal")
    channel = models.CharField(max_length=10, choices=CHANNELS)
    family = models.CharField(max_length=20, blank=True)
    title = models.CharField(max_length=80)
    text = models.CharField(max_length=2000, blank=True)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    urgency = models.GeneratedField(
        expression=Case(*[When(level=level, then=rank) for rank, (level, _) in enumerate(LEVELS)], default=len(LEVELS)),
        output_field=models.PositiveSmallIntegerField(),
        db_persist=True,
    )
    """The level as a number, the most urgent first, so that the head of the queue is read from an index."""
    is_due_provisional = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div", "state", "due_at"], name="ticket_queue"),
            models.Index(
                fields=["div", "state", "due_at"],
                condition=Q(state__in=["open", "handling", "resolved"]),
                name="ticket_open",
            ),
            models.Index(
                fields=["urgency", "due_at", "id"],
                condition=Q(state__in=["open", "handling", "resolved"]),
                name="ticket_first",
            ),
            models.Index(fields=["elder", "-opened_at"], name="ticket_elder"),
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="ticket_parent"),
            models.Index(fields=["due_at"], condition=Q(is_due_provisional=True), name="ticket_provisional"),
        ]
        constraints = [
            state_check(TICKET, "ticket_state"),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) | (~Q(state="closed") & Q(closed_at=None)),
                name="ticket_closed_pair",
            ),
        ]
        triggers = state_guards(TICKET)

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"T-{local_date(self.opened_at):%y%m%d}-{self.pk:04d}"

    @property
    def due_on(self) -> date:
        """The last day on which closing is in time: a deadline is the end of a day."""
        return local_date(self.due_at - timedelta(microseconds=1))

    def __str__(self) -> str:
        return self.code


class TicketNote(Scoped):
    """A note of a ticket: internal, or a message to the citizen. Never changed."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="notes")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    is_internal = models.BooleanField(default=True)
    text = models.CharField(max_length=2000)
    written_at = models.DateTimeField()
    written_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    written_as = models.CharField(max_length=60)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["ticket"], name="note_ticket")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.written_at}"


class Transfer(Scoped):
    """A ticket going from one body to another, with the reason. Never changed."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="transfers")
    from_organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    transferred_at = models.DateTimeField()
    transferred_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["ticket"], name="transfer_ticket")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.ticket_id} -> {self.provider_id}"
