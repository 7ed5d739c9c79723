"""Whom the line has to call."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from yinling.accounts.models import User
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Versioned
from yinling.hotline.models.calls import ORDINARY, RANKS, Call
from yinling.hotline.models.tickets import Ticket
from yinling.hotline.states import CALLBACK
from yinling.people.models import Elder


class Callback(Scoped, Versioned):
    """Somebody to call: who gave up waiting or was cut off, left a message, asked for it (回拨), or is asked how a ticket went (回访)."""

    KINDS = [
        ("missed", "未接回拨"),
        ("cut", "断线回拨"),
        ("message", "留言回拨"),
        ("asked", "约定回拨"),
        ("satisfaction", "满意度回访"),
    ]

    kind = models.CharField(max_length=12, choices=KINDS)
    state = state_field(CALLBACK)
    call = models.ForeignKey(Call, models.PROTECT, null=True, blank=True, related_name="+")
    ticket = models.ForeignKey(Ticket, models.PROTECT, null=True, blank=True, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    seat = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    made = models.ForeignKey(Call, models.PROTECT, null=True, blank=True, related_name="+")
    """The call that was made because of it."""
    rank = models.PositiveSmallIntegerField(choices=RANKS, default=ORDINARY)
    due_at = models.DateTimeField()
    next_at = models.DateTimeField()
    """Not before: after a try in vain it waits."""
    try_count = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["rank", "due_at", "id"], condition=Q(state="open"), name="callback_open"),
            models.Index(fields=["call"], name="callback_call"),
            models.Index(fields=["due_at"], name="callback_due"),
            models.Index(fields=["ticket"], name="callback_ticket"),
        ]
        constraints = [
            state_check(CALLBACK, "callback_state"),
            models.CheckConstraint(condition=Q(score=None) | Q(score__gte=1, score__lte=5), name="callback_score"),
            models.UniqueConstraint(
                fields=["call", "kind"], condition=Q(call__isnull=False), name="callback_once_of_call"
            ),
        ]
        triggers = state_guards(CALLBACK)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
