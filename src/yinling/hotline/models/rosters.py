"""The duty roster: who sits on the line when."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import MomentRange, Scoped, ScopedQuerySet, Versioned
from yinling.hotline.models.seats import Seat, SeatGroup
from yinling.hotline.states import LEAVE, ROSTER, SWAP


class Roster(Scoped, Versioned):
    """The plan of a group for a time, half-open. Published, it has no minute with fewer than ``least`` seats (R-CALL-03)."""

    group = models.ForeignKey(SeatGroup, models.PROTECT, related_name="+")
    state = state_field(ROSTER)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    least = models.PositiveSmallIntegerField(default=1)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet.as_manager()
    scope_provider = "group__provider_id"

    class Meta:
        constraints = [
            state_check(ROSTER, "roster_state"),
            models.CheckConstraint(condition=Q(to_at__gt=F("from_at")), name="roster_span"),
            ExclusionConstraint(
                name="roster_once",
                expressions=[
                    (F("group"), RangeOperators.EQUAL),
                    (MomentRange("from_at", "to_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state="published"),
            ),
        ]
        triggers = state_guards(ROSTER)

    def __str__(self) -> str:
        return f"{self.group_id} {self.from_at:%Y-%m-%d}"


class Shift(Scoped, Versioned):
    """One person on duty from when to when. Nobody is on duty in two places at once.

    ``is_live`` follows the roster: published and not taken out. ``came_at`` is when the seat first was ready in it,
    ``missed_at`` when the alarm went because it was not.
    """

    roster = models.ForeignKey(Roster, models.PROTECT, related_name="shifts")
    seat = models.ForeignKey(Seat, models.PROTECT, related_name="+")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    is_live = models.BooleanField(default=False)
    is_out = models.BooleanField(default=False)
    """Taken out again: swapped, on leave, or re-planned."""
    came_at = models.DateTimeField(null=True, blank=True)
    missed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    scope_provider = "seat__provider_id"

    class Meta:
        indexes = [
            models.Index(fields=["roster", "from_at"], name="shift_roster"),
            models.Index(fields=["from_at"], condition=Q(is_live=True), name="shift_live"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(to_at__gt=F("from_at")), name="shift_span"),
            ExclusionConstraint(
                name="shift_once_in_roster",
                expressions=[
                    (F("roster"), RangeOperators.EQUAL),
                    (F("seat"), RangeOperators.EQUAL),
                    (MomentRange("from_at", "to_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(is_out=False),
            ),
            ExclusionConstraint(
                name="shift_one_post",
                expressions=[
                    (F("seat"), RangeOperators.EQUAL),
                    (MomentRange("from_at", "to_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(is_live=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seat_id} {self.from_at:%m-%d %H:%M}"


class ShiftSwap(Scoped, Versioned):
    """Somebody asks a colleague to take a shift, perhaps for another one. The colleague agrees, the leader approves."""

    shift = models.ForeignKey(Shift, models.PROTECT, related_name="+")
    to_seat = models.ForeignKey(Seat, models.PROTECT, related_name="+")
    back = models.ForeignKey(Shift, models.PROTECT, null=True, blank=True, related_name="+")
    state = state_field(SWAP)
    reason = models.CharField(max_length=500)
    answer = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()
    scope_provider = "shift__seat__provider_id"

    class Meta:
        constraints = [
            state_check(SWAP, "swap_state"),
            models.UniqueConstraint(fields=["shift"], condition=Q(state__in=["asked", "agreed"]), name="swap_one_open"),
        ]
        triggers = state_guards(SWAP)

    def __str__(self) -> str:
        return f"{self.shift_id} -> {self.to_seat_id}"


class SeatLeave(Scoped, Versioned):
    """A time in which somebody is not to be put on duty."""

    KINDS = [("annual", "年休假"), ("sick", "病假"), ("personal", "事假"), ("training", "培训")]

    seat = models.ForeignKey(Seat, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=KINDS)
    state = state_field(LEAVE)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    answer = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()
    scope_provider = "seat__provider_id"

    class Meta:
        constraints = [
            state_check(LEAVE, "leave_state"),
            models.CheckConstraint(condition=Q(to_at__gt=F("from_at")), name="leave_span"),
            ExclusionConstraint(
                name="leave_once",
                expressions=[
                    (F("seat"), RangeOperators.EQUAL),
                    (MomentRange("from_at", "to_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=["asked", "granted"]),
            ),
        ]
        triggers = state_guards(LEAVE)

    def __str__(self) -> str:
        return f"{self.seat_id} {self.from_at:%Y-%m-%d}"
