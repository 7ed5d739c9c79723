"""Who goes when: the assignment of an order to a carer. Two live assignments of one carer never overlap."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.directory.models import Organisation, Staff
from yinling.dispatch.states import ASSIGNMENT
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import MomentRange, Scoped, ScopedQuerySet, Versioned
from yinling.orders.models import Order
from yinling.people.models import Elder

LIVE = ["offered", "accepted"]


class Assignment(Scoped, Versioned):
    """An order offered to a carer. ``reasons`` holds what the dispatcher was shown; ``choice`` whether the proposal was followed."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    staff_name = models.CharField(max_length=40)
    state = state_field(ASSIGNMENT)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    offered_at = models.DateTimeField()
    accept_due_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    assigned_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    rank = models.PositiveSmallIntegerField(null=True, blank=True)
    reasons = models.JSONField(default=list)
    choice_reason = models.CharField(max_length=500, blank=True)
    end_reason = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["staff", "starts_at"], name="assignment_staff"),
            models.Index(fields=["order"], name="assignment_order"),
            models.Index(fields=["accept_due_at"], condition=Q(state="offered"), name="assignment_waiting"),
            models.Index(fields=["provider", "starts_at"], name="assignment_provider"),
        ]
        constraints = [
            state_check(ASSIGNMENT, "assignment_state"),
            ExclusionConstraint(
                name="assignment_no_overlap",
                expressions=[
                    ("staff", RangeOperators.EQUAL),
                    (MomentRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=LIVE),
            ),
            models.UniqueConstraint(fields=["order", "staff"], condition=Q(state__in=LIVE), name="assignment_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="assignment_time"),
        ]
        triggers = state_guards(ASSIGNMENT)

    def __str__(self) -> str:
        return f"{self.order_id} -> {self.staff_id}"
