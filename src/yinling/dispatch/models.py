"""Who goes when: plans of a day, and the assignment of an order to a carer. Two live assignments of one carer never overlap."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.catalogue.models import ServiceItem
from yinling.directory.models import Organisation, Staff
from yinling.dispatch.states import ASSIGNMENT, CORRECTION, DAY_PLAN
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import DatedFact, MomentRange, Scoped, ScopedQuerySet, Versioned, no_overlap
from yinling.kernel.words import N_
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

    plan = models.ForeignKey(DayPlan, models.PROTECT, related_name="visits")
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

    ``reasons`` holds what the dispatcher was shown; ``choice_reason`` why the proposal was not followed; ``plan`` the plan it came from;
    ``is_claimed`` that the carer took it without the desk.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    staff_name = models.CharField(max_length=40)
    slot = models.PositiveSmallIntegerField(default=1)
    plan = models.ForeignKey(DayPlan, models.PROTECT, null=True, blank=True, related_name="+")
    state = state_field(ASSIGNMENT)
    is_claimed = models.BooleanField(default=False)
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


class ClaimStop(Scoped):
    """A provider whose carers take no open orders themselves, although the area allows it: since when, by whom, why."""

    provider = models.OneToOneField(Organisation, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    stopped_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    stopped_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.provider_id}"


class TravelCache(models.Model):
    """How long the way between two cells of about 16 m is, as a map engine said. Seconds NULL: the engine knows no way.

    Without division and policy on purpose: cells name nobody, homes and sites stand side by side in them, and every area uses the
    same ways. No page lists this table; only the adapters of map engines read it.
    """

    engine = models.CharField(max_length=20)
    mode = models.CharField(max_length=10)
    from_cell = models.BigIntegerField()
    to_cell = models.BigIntegerField()
    seconds = models.PositiveIntegerField(null=True)
    fetched_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["fetched_at"], name="travel_cache_age")]
        constraints = [
            models.UniqueConstraint(fields=["engine", "mode", "from_cell", "to_cell"], name="travel_cache_once")
        ]

    def __str__(self) -> str:
        return f"{self.engine} {self.mode} {self.from_cell} -> {self.to_cell}: {self.seconds}"


class TravelEngine(models.Model):
    """Whether a map engine answers, for the screens: ``failing_since`` is set while ways are estimated by the straight line instead."""

    engine = models.CharField(max_length=20, unique=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.engine


class Correction(Scoped, Versioned):
    """What finished visits say against an estimate, shown before it is used: nothing counts until somebody confirms it.

    ``travel``: ``value`` is the factor on the ways that ``engine`` estimates in a street (``div``), by ``mode``, from ``hour_from`` to
    ``hour_to``; it names nobody and counts for every provider. ``minutes``: ``value`` is how long an item takes the people of
    ``provider``, for elders of ``level`` (empty: all). ``before`` is what was used when it was computed, ``low`` and ``high`` bound the
    middle half of the samples, ``distribution`` is ``[[from, to, count], ...]``.
    """

    KINDS = [("travel", "路上时间"), ("minutes", "服务时长")]

    kind = models.CharField(max_length=10, choices=KINDS)
    state = state_field(CORRECTION)
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    mode = models.CharField(max_length=10, blank=True)
    engine = models.CharField(max_length=20, blank=True)
    hour_from = models.PositiveSmallIntegerField(default=0)
    hour_to = models.PositiveSmallIntegerField(default=24)
    item = models.ForeignKey(ServiceItem, models.PROTECT, null=True, blank=True, related_name="+")
    level = models.CharField(max_length=20, blank=True)
    value = models.FloatField()
    before = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    sample_count = models.PositiveIntegerField()
    distribution = models.JSONField(default=list)
    measured_from = models.DateField()
    computed_on = models.DateField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    KEY = ("kind", "div", "provider", "mode", "engine", "hour_from", "hour_to", "item", "level")

    class Meta:
        indexes = [models.Index(fields=["div", "state", "-id"], name="correction_queue")]
        constraints = [
            state_check(CORRECTION, "correction_state"),
            *(
                models.UniqueConstraint(
                    fields=["kind", "div", "provider", "mode", "engine", "hour_from", "hour_to", "item", "level"],
                    condition=Q(state=state),
                    nulls_distinct=False,
                    name=f"correction_{state}_once",
                )
                for state in ("proposed", "used")
            ),
            models.CheckConstraint(condition=Q(value__gt=0), name="correction_value"),
            models.CheckConstraint(
                condition=Q(kind="travel", item=None, provider=None) | Q(kind="minutes", item__isnull=False),
                name="correction_kind",
            ),
        ]
        triggers = state_guards(CORRECTION)

    def __str__(self) -> str:
        return f"{self.kind} {self.div} {self.value:g}"


class Avoidance(Scoped, DatedFact):
    """A carer who is not sent to an elder, for a time (回避). ``staff_name`` stands here because the elder's side sees no staff."""

    ASKED_BY = [
        ("elder", N_("老人或家属")),
        ("carer", N_("服务人员")),
        ("provider", N_("服务机构")),
        ("supervision", N_("监管部门")),
    ]

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    staff_name = models.CharField(max_length=40)
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    asked_by = models.CharField(max_length=12, choices=ASKED_BY)
    reason = models.CharField(max_length=500)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["elder"], name="avoidance_elder")]
        constraints = [no_overlap("avoidance_no_overlap", "elder", "staff")]

    def __str__(self) -> str:
        return f"{self.elder_id} - {self.staff_id}"
