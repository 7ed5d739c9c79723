"""Who goes when: plans of a day, and the assignment of an order to a carer. Two live assignments of one carer never overlap."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.directory.models import Organisation, Staff
from yinling.dispatch.states import ASSIGNMENT, DAY_PLAN
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import MomentRange, Scoped, ScopedQuerySet, Versioned
from yinling.orders.models import Order
from yinling.people.models import Elder

LIVE = ["offered", "accepted"]


class DayPlan(Scoped, Versioned):
    """A version of the plan of one provider's day in one area (``div``, as a rule a street).

    ``base`` is the version it was made from (moved by hand, or re-planned); ``cause`` why: the morning, a sick carer, a hand.
    ``cost`` is the cost vector, ``settings`` the seed, seconds and weights it was made with, so that it can be made again.
    ``alive_at`` is written while a worker computes: a plan without it for a while goes back to the queue.
    """

    CAUSES = [("day", "全天排班"), ("absence", "人员缺勤重排"), ("hand", "手工调整"), ("border", "相邻街道调剂")]

    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    day = models.DateField()
    number = models.PositiveSmallIntegerField()
    state = state_field(DAY_PLAN)
    cause = models.CharField(max_length=10, choices=CAUSES)
    base = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    locked_staff = models.JSONField(default=list)
    cost = models.JSONField(default=dict)
    settings = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    progress = models.PositiveSmallIntegerField(default=0)
    is_stop_wanted = models.BooleanField(default=False)
    alive_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    published_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["provider", "day", "div"], name="day_plan_day")]
        constraints = [
            state_check(DAY_PLAN, "day_plan_state"),
            models.UniqueConstraint(fields=["provider", "div", "day", "number"], name="day_plan_number"),
            models.UniqueConstraint(
                fields=["provider", "div", "day"], condition=Q(state="published"), name="day_plan_published_once"
            ),
            models.CheckConstraint(
                condition=Q(published_at=None, published_by=None)
                | Q(published_at__isnull=False, published_by__isnull=False),
                name="day_plan_published_pair",
            ),
        ]
        triggers = state_guards(DAY_PLAN)

    def __str__(self) -> str:
        return f"{self.day:%m-%d} #{self.number}"


class PlannedVisit(Scoped):
    """One carer's part of an order in a plan (``slot`` 2 for the second carer); without ``staff``, left out for ``reasons``."""

    plan = models.ForeignKey(DayPlan, models.CASCADE, related_name="visits")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    order = models.ForeignKey(Order, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    slot = models.PositiveSmallIntegerField(default=1)
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    way_minutes = models.PositiveSmallIntegerField(default=0)
    late_minutes = models.PositiveSmallIntegerField(default=0)
    is_locked = models.BooleanField(default=False)
    reasons = models.JSONField(default=list)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["plan", "staff", "starts_at"], name="planned_visit_route"),
            models.Index(fields=["order"], name="planned_visit_order"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["plan", "order", "slot"], name="planned_visit_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="planned_visit_time"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}: {self.order_id}/{self.slot} -> {self.staff_id}"


class Assignment(Scoped, Versioned):
    """An order offered to a carer; ``slot`` 2 is the second carer of an order that needs two.

    ``reasons`` holds what the dispatcher was shown; ``choice_reason`` why the proposal was not followed; ``plan`` the plan it came from.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    staff_name = models.CharField(max_length=40)
    slot = models.PositiveSmallIntegerField(default=1)
    plan = models.ForeignKey(DayPlan, models.PROTECT, null=True, blank=True, related_name="+")
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
            models.UniqueConstraint(fields=["order", "slot"], condition=Q(state__in=LIVE), name="assignment_slot"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="assignment_time"),
        ]
        triggers = state_guards(ASSIGNMENT)

    def __str__(self) -> str:
        return f"{self.order_id} -> {self.staff_id}"
