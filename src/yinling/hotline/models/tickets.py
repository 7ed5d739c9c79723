"""Needs: tickets, what was written about them, who was asked, reminded and told, and how they came to and from other lines."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import models
from django.db.models import Case, Q, When

from yinling.accounts.models import User
from yinling.directory.models import Organisation
from yinling.ground.guards import append_only, state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Sealed, Versioned
from yinling.hotline.models.calls import CHANNELS, Call
from yinling.hotline.states import ARTICLE, TICKET
from yinling.kernel.period import local_date
from yinling.people.models import Elder

KINDS = [
    ("enquiry", "咨询"),
    ("request", "求助"),
    ("complaint", "投诉"),
    ("suggestion", "建议"),
    ("report", "举报"),
    ("emergency", "紧急"),
]
LEVELS = [("urgent", "紧急"), ("high", "较急"), ("normal", "一般")]


class Ticket(Scoped, Versioned):
    """A need: of what kind, for whom, in whose hands, due when. ``provider`` is the body that handles it now.

    ``awaits`` is a plain reference to what a later step has to decide before the ticket can end (``objection:7``: the bill of order 7).
    """

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
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    """The ticket of the same matter that goes on in this one's place."""
    reminder_count = models.PositiveSmallIntegerField(default=0)
    escalation = models.PositiveSmallIntegerField(default=0)
    """How far up it was escalated: 0 not at all, 1 the leader of the line, 2 the district, 3 the city."""
    reopen_count = models.PositiveSmallIntegerField(default=0)
    result = models.CharField(max_length=500, blank=True)
    awaits = models.CharField(max_length=60, blank=True, default="")

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


class Reporter(Scoped, Sealed):
    """Who complains or reports, where the ticket names no elder and no call (R-CALL-15). Without a row the report is anonymous.

    The row belongs to the area alone: a body that handles the ticket, which may be the one complained of, never sees it.
    """

    ticket = models.OneToOneField(Ticket, models.PROTECT, related_name="reporter")
    name_enc = models.BinaryField(null=True)
    phone_enc = models.BinaryField(null=True)
    phone_last4 = models.CharField(max_length=4, blank=True)
    created_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.ticket_id} ****{self.phone_last4}"


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


class Reminder(Scoped):
    """Somebody asks why a ticket takes so long (催办): the caller, a seat, or the platform before and after the deadline. Never changed."""

    BY = [("caller", "来电人"), ("seat", "坐席"), ("system", "系统")]

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="reminders")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    by = models.CharField(max_length=8, choices=BY)
    text = models.CharField(max_length=500)
    reminded_at = models.DateTimeField()
    reminded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["ticket"], name="reminder_ticket")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.reminded_at}"


class Supervision(Scoped, Versioned):
    """A numbered order from above about a ticket (督办), with its own date and its answer."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="supervisions")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    number = models.CharField(max_length=40, unique=True)
    reason = models.CharField(max_length=500)
    due_at = models.DateTimeField()
    ordered_at = models.DateTimeField()
    ordered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    answer = models.CharField(max_length=500, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket"], condition=Q(answered_at=None), name="supervision_one_open"),
            models.CheckConstraint(
                condition=Q(answered_at=None, answered_by=None)
                | Q(answered_at__isnull=False, answered_by__isnull=False),
                name="supervision_answer_pair",
            ),
        ]

    @property
    def due_on(self) -> date:
        """The last day on which an answer is in time."""
        return local_date(self.due_at - timedelta(microseconds=1))

    def __str__(self) -> str:
        return self.number


class TicketTemplate(Scoped, Versioned):
    """A ticket half written: what seats note ten times a day."""

    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=12, choices=KINDS)
    level = models.CharField(max_length=8, choices=LEVELS, default="normal")
    family = models.CharField(max_length=20, blank=True)
    title = models.CharField(max_length=80)
    text = models.CharField(max_length=2000, blank=True)
    is_active = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["div", "name"], name="template_name")]

    def __str__(self) -> str:
        return self.name


class Article(Scoped, Versioned):
    """A piece of the knowledge base (P08): what a seat tells callers, from when to when it holds, and where it comes from."""

    title = models.CharField(max_length=80)
    text = models.TextField(max_length=8000)
    family = models.CharField(max_length=20, blank=True)
    words = models.CharField(max_length=200, blank=True)
    """Other words that callers use for it."""
    source = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    state = state_field(ARTICLE)
    written_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    use_count = models.PositiveIntegerField(default=0)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div", "state"], name="article_div")]
        constraints = [
            state_check(ARTICLE, "article_state"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=models.F("valid_from")), name="article_span"
            ),
            models.CheckConstraint(
                condition=Q(published_by=None) | ~Q(published_by=models.F("written_by")), name="article_four_eyes"
            ),
        ]
        triggers = state_guards(ARTICLE)

    @property
    def last_day(self) -> date | None:
        """The last day on which it holds."""
        return self.valid_to - timedelta(days=1) if self.valid_to else None

    def __str__(self) -> str:
        return self.title


class Exchange(Scoped, Versioned):
    """A ticket that another line knows too (12345): under which number there, in which direction it went, in which state each side is."""

    DIRECTIONS = [("in", "转入"), ("out", "转出")]

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="exchanges")
    platform = models.CharField(max_length=20)
    direction = models.CharField(max_length=3, choices=DIRECTIONS)
    foreign_number = models.CharField(max_length=64, blank=True)
    foreign_state = models.CharField(max_length=40, blank=True)
    sent_state = models.CharField(max_length=40, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "foreign_number"], condition=~Q(foreign_number=""), name="exchange_once"
            ),
            models.UniqueConstraint(fields=["ticket", "platform"], name="exchange_ticket_once"),
        ]

    def __str__(self) -> str:
        return f"{self.platform} {self.foreign_number}"


class ExchangeMessage(Scoped):
    """One message between two lines, by its own key once: what was said when, and what became of it. Never changed."""

    exchange = models.ForeignKey(Exchange, models.PROTECT, null=True, blank=True, related_name="messages")
    platform = models.CharField(max_length=20)
    key = models.CharField(max_length=100)
    direction = models.CharField(max_length=3, choices=Exchange.DIRECTIONS)
    state = models.CharField(max_length=40, blank=True)
    digest = models.BinaryField(max_length=32)
    outcome = models.CharField(max_length=40)
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "direction", "key"], name="exchange_message_once")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.platform} {self.key}"
