"""The line: calls, which seats they were offered to, what was recorded, and what went to the emergency services."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from yinling.accounts.models import User
from yinling.directory.models import Organisation
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Sealed, StoredFile, Versioned
from yinling.hotline.models.seats import SeatGroup
from yinling.hotline.states import CALL
from yinling.people.models import Elder

CHANNELS = [("phone", "电话"), ("app", "手机端"), ("device", "一键呼叫"), ("console", "电脑端"), ("visitor", "探访员")]
RANKS = [(0, "紧急呼叫"), (1, "重点老人"), (2, "普通来电")]
SOS, MARKED, ORDINARY = 0, 1, 2


class Call(Scoped, Versioned, Sealed):
    """A call on the line. ``key`` is the line's own id of it (a SIP Call-ID): the second arrival of a call is the first.

    While it rings it waits for a seat: who gets it next follows from ``rank`` and ``rang_at``; each seat it was offered to is a ``CallOffer``.
    ``leg`` is the edge's own name of the caller's waiting transaction, so that another worker can go on with it.
    """

    ENDED_BY = [("caller", "来电人"), ("seat", "坐席"), ("network", "线路中断"), ("platform", "平台")]

    key = models.CharField(max_length=128, unique=True)
    state = state_field(CALL)
    is_outbound = models.BooleanField(default=False)
    number_enc = models.BinaryField(null=True)
    number_index = models.BinaryField(max_length=32, null=True)
    number_last4 = models.CharField(max_length=4, blank=True)
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    channel = models.CharField(max_length=10, choices=CHANNELS, default="phone")
    seat = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    group = models.ForeignKey(SeatGroup, models.PROTECT, null=True, blank=True, related_name="+")
    rank = models.PositiveSmallIntegerField(choices=RANKS, default=ORDINARY)
    skills = models.JSONField(default=list)
    leg = models.CharField(max_length=200, blank=True)
    offer_count = models.PositiveSmallIntegerField(default=0)
    """How many seats it was offered to: at most five, then it waits in one place."""
    rang_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    held_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=10, choices=ENDED_BY, blank=True)
    is_number_doubtful = models.BooleanField(default=False)
    """The line could not vouch for the number: it may be forged, so it names nobody by itself."""
    is_entered_late = models.BooleanField(default=False)
    """The platform was down: the edge led the call to the duty seat, and it was entered afterwards."""
    summary = models.CharField(max_length=300, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div", "-rang_at"], name="call_div"),
            models.Index(fields=["rang_at"], name="call_rang"),
            models.Index(fields=["elder"], name="call_elder"),
            models.Index(fields=["rank", "rang_at", "id"], condition=Q(state="ringing"), name="call_waiting"),
            models.Index(fields=["seat", "-rang_at"], name="call_seat"),
            models.Index(fields=["number_index", "-rang_at"], name="call_number"),
        ]
        constraints = [
            state_check(CALL, "call_state"),
            models.UniqueConstraint(fields=["seat"], condition=Q(state="answered"), name="call_one_per_seat"),
            models.CheckConstraint(
                condition=~Q(state__in=["answered", "ended"]) | Q(answered_at__isnull=False, seat__isnull=False),
                name="call_answer_pair",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["ringing", "answered"], ended_at=None)
                | (~Q(state__in=["ringing", "answered"]) & Q(ended_at__isnull=False)),
                name="call_end_pair",
            ),
        ]
        triggers = state_guards(CALL)

    def __str__(self) -> str:
        return self.key


class CallOffer(Scoped):
    """A call ringing at a seat, or having rung there. One open offer for each call and for each seat."""

    OUTCOMES = [
        ("answered", "已接听"),
        ("no_answer", "无人接听"),
        ("declined", "拒接"),
        ("failed", "未送达"),
        ("cancelled", "来电人挂断"),
    ]

    call = models.ForeignKey(Call, models.PROTECT, related_name="offers")
    seat = models.ForeignKey(User, models.PROTECT, related_name="+")
    group = models.ForeignKey(SeatGroup, models.PROTECT, null=True, blank=True, related_name="+")
    is_transfer = models.BooleanField(default=False)
    """A talking seat passes the call on; it stays with that seat until the other answers."""
    offered_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=OUTCOMES, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["call"], name="offer_call"),
            models.Index(fields=["seat", "-offered_at"], name="offer_seat"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["call"], condition=Q(ended_at=None), name="offer_one_of_call"),
            models.UniqueConstraint(fields=["seat"], condition=Q(ended_at=None), name="offer_one_of_seat"),
            models.CheckConstraint(
                condition=Q(ended_at=None, outcome="") | (Q(ended_at__isnull=False) & ~Q(outcome="")),
                name="offer_end_pair",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} -> {self.seat_id}"


class Recording(Scoped):
    """What was said: a conversation, or a message left after hours. The sound is a file of its own, its hash also in the journal."""

    KINDS = [("talk", "通话录音"), ("message", "语音留言")]

    call = models.ForeignKey(Call, models.PROTECT, related_name="recordings")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=8, choices=KINDS)
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    seconds = models.PositiveIntegerField()
    keep_until = models.DateField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["call"], name="recording_call"),
            models.Index(fields=["keep_until"], condition=Q(deleted_at=None), name="recording_kept"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.call_id}"


class Emergency(Scoped, Versioned):
    """A call handed over to the emergency services, each step with its time. No approval stands in between."""

    SERVICES = [("120", "120 急救"), ("119", "119 消防"), ("110", "110 报警"), ("green", "绿色通道")]

    call = models.ForeignKey(Call, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    service = models.CharField(max_length=10, choices=SERVICES)
    what = models.CharField(max_length=300)
    handed_over_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    contacts_told_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=300, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["call"], name="emergency_call")]

    def __str__(self) -> str:
        return f"{self.service} {self.call_id}"
