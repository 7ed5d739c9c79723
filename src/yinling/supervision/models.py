"""Abnormal orders: what a rule found, how grave it is, and what a supervisor decided."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from yinling.accounts.models import User
from yinling.directory.models import Organisation, Staff
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Versioned
from yinling.hotline.models import Ticket
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.people.models import Elder
from yinling.supervision.states import FINDING
from yinling.visits.models import Visit

SEVERITIES = [("warning", "预警"), ("block", "管制")]


class Finding(Scoped, Versioned):
    """One hit of one rule. ``key`` makes it be written once; ``facts`` are the values that caused it, without personal data.

    ``follow_up`` is the ticket by which the seats call the elder about a warning.
    """

    rule = models.CharField(max_length=40)
    key = models.CharField(max_length=100, unique=True)
    severity = models.CharField(max_length=8, choices=SEVERITIES)
    state = state_field(FINDING)
    order = models.ForeignKey(Order, models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, models.PROTECT, null=True, blank=True, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    follow_up = models.ForeignKey(Ticket, models.PROTECT, null=True, blank=True, related_name="+")
    title = models.CharField(max_length=120)
    facts = models.JSONField(default=dict)
    happened_at = models.DateTimeField()
    found_at = models.DateTimeField()
    acknowledged_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div", "state", "-found_at"], name="finding_queue"),
            models.Index(fields=["-found_at", "-id"], name="finding_newest"),
            models.Index(fields=["order"], name="finding_order"),
            models.Index(fields=["staff"], name="finding_staff"),
        ]
        constraints = [
            state_check(FINDING, "finding_state"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "acknowledged"], decided_by=None)
                | Q(state__in=["released", "upheld"], decided_by__isnull=False),
                name="finding_decision_pair",
            ),
        ]
        triggers = state_guards(FINDING)

    def __str__(self) -> str:
        return f"{self.rule} {self.order_id}"


class SiteCheck(Scoped, Versioned):
    """A service paid by vouchers that was drawn for a look on site: with whom it was checked whether what was charged was done (X-PAY-04).

    ``month`` is the month of the service. One that does not fit has a finding, which stops the money until a supervisor decides.
    """

    FITS, DIFFERS = "fits", "differs"
    RESULTS = [(FITS, N_("相符")), (DIFFERS, N_("不相符"))]

    order = models.OneToOneField(Order, models.PROTECT, related_name="+")
    month = models.DateField()
    drawn_at = models.DateTimeField()
    result = models.CharField(max_length=8, choices=RESULTS, blank=True, default="")
    found = models.CharField(max_length=500, blank=True, default="")
    checked_on = models.DateField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    checked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    finding = models.OneToOneField(Finding, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div", "month"], name="site_check_month")]
        constraints = [
            models.CheckConstraint(
                condition=Q(result="", checked_by=None, checked_on=None, checked_at=None)
                | Q(
                    result__in=["fits", "differs"],
                    checked_by__isnull=False,
                    checked_on__isnull=False,
                    checked_at__isnull=False,
                ),
                name="site_check_result",
            ),
            models.CheckConstraint(
                condition=Q(result="differs", finding__isnull=False) | (~Q(result="differs") & Q(finding=None)),
                name="site_check_finding",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.month:%Y-%m}"


class Round(models.Model):
    """How far the live supervision has read the journal: all that was committed in the snapshot of its last look.

    A snapshot, not one number, so that a long transaction somewhere delays nothing but itself.
    """

    name = models.CharField(max_length=20, primary_key=True)
    snapshot = models.TextField(blank=True)
    ran_at = models.DateTimeField(null=True)
    took_ms = models.PositiveIntegerField(default=0)
    touched = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.ran_at}"
