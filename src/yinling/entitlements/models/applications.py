"""How somebody comes to a scheme: the application, its papers, the public notice, objections, and who looked again later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.assessment.models import Assessment
from yinling.entitlements.models.schemes import Entitlement, Scheme
from yinling.entitlements.states import APPLICATION, OBJECTION, OPEN
from yinling.ground.guards import append_only, state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Sealed, StoredFile, Versioned
from yinling.kernel.machine import Machine
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.inputs import CAPACITIES
from yinling.people.models import Elder, Household, Representative
from yinling.people.rules import MergeBar


class PublicNotice(Scoped):
    """A list of applications as it hangs from day to day for everybody to object to. It names nobody in full and gives no reason.

    Everybody may read it; nobody changes it. ``lines`` are as published: number, masked name, community, what is to be given.
    """

    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="+")
    place = models.CharField(max_length=100)
    from_on = models.DateField()
    last_day = models.DateField()
    lines = models.JSONField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div", "last_day"], name="public_notice_div")]
        constraints = [
            models.CheckConstraint(condition=Q(last_day__gte=F("from_on")), name="public_notice_days"),
        ]
        triggers = append_only()

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"G-{self.from_on:%y%m%d}-{self.pk:04d}"

    def __str__(self) -> str:
        return self.code


class Application(Scoped, Versioned):
    """What an elder asks of a scheme: who signed in which capacity, what the rule said, who reviewed and who decided.

    ``verdict`` is what the rule said on the day of the application, ``decision`` on the day of the decision, with the document and the
    clause. A decision that used an assessment names the result and the version of its scale (R-ASM-03). ``stage_on`` is the day on which
    the present state began, ``due_on`` the last day for the step that comes next. ``rank`` and ``queued_at`` are the place on the waiting
    list.
    """

    MACHINE: ClassVar[Machine[Any]] = APPLICATION
    TOPIC: ClassVar[str] = "applications"
    WHY: ClassVar[str] = "reason"
    SIGNED: ClassVar[Mapping[str, str]] = {"review": "reviewed", "approve": "decided", "queue": "decided"}

    merge_bar = MergeBar(
        "merge.applications",
        N_("两份档案都有正在办理的同一项申请。请先撤回其中一份的申请，再合并"),
        alike=("scheme",),
        states=tuple(OPEN),
    )

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    household = models.ForeignKey(Household, models.PROTECT, related_name="+")
    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="+")
    state = state_field(APPLICATION)
    applied_at = models.DateTimeField()
    applied_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    applied_as = models.CharField(max_length=10, choices=CAPACITIES)
    signed_by = models.CharField(max_length=40)
    representative = models.ForeignKey(Representative, models.PROTECT, null=True, blank=True, related_name="+")
    proof = models.CharField(max_length=200, blank=True)
    declared = models.CharField(max_length=500, blank=True)
    verdict = models.JSONField()
    grade = models.CharField(max_length=80, blank=True)
    assessment = models.ForeignKey(Assessment, models.PROTECT, null=True, blank=True, related_name="+")
    scale_version = models.CharField(max_length=60, blank=True)
    share_bp = models.PositiveSmallIntegerField(null=True, blank=True)
    monthly_cap_fen = models.BigIntegerField(null=True, blank=True)
    once_fen = models.BigIntegerField(null=True, blank=True)
    stage_on = models.DateField()
    due_on = models.DateField(null=True, blank=True)
    is_due_provisional = models.BooleanField(default=False)
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    findings = models.CharField(max_length=500, blank=True)
    checks = models.JSONField(default=list, blank=True)
    notice = models.ForeignKey(PublicNotice, models.PROTECT, null=True, blank=True, related_name="+")
    rank = models.PositiveSmallIntegerField(default=1)
    queued_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.JSONField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    appeal_until = models.DateField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div", "state", "-id"], name="application_div"),
            models.Index(fields=["elder"], name="application_elder"),
            models.Index(fields=["household", "scheme"], name="application_household"),
            models.Index(fields=["due_on"], condition=Q(due_on__isnull=False), name="application_due"),
            models.Index(
                fields=["scheme", "rank", "queued_at"], condition=Q(state="waiting"), name="application_waiting"
            ),
        ]
        constraints = [
            state_check(APPLICATION, "application_state"),
            models.UniqueConstraint(
                fields=["elder", "scheme"],
                condition=Q(state__in=[str(one) for one in OPEN]),
                name="application_open_once",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(decided_by__isnull=False), name="application_decided"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | Q(reviewed_by=None) | ~Q(decided_by=F("reviewed_by")),
                name="application_two_persons",
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(queued_at__isnull=False), name="application_queued"
            ),
        ]
        triggers = state_guards(APPLICATION)

    @property
    def decided_in(self) -> str:
        """The division whose officers decide it."""
        return self.div

    @property
    def hands(self) -> frozenset[int]:
        """Who took it down or reviewed it."""
        return frozenset(user for user in (self.applied_by_id, self.reviewed_by_id) if user is not None)

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"A-{local_date(self.applied_at):%y%m%d}-{self.pk:04d}"

    def __str__(self) -> str:
        return self.code


class Paper(Scoped):
    """A paper handed in with an application: what it is, and its picture."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="papers")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    title = models.CharField(max_length=80)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["elder"], name="paper_elder")]

    def __str__(self) -> str:
        return f"{self.application_id} {self.title}"


class Objection(Scoped, Versioned, Sealed):
    """What somebody says against an application while its notice hangs. Who and what are sealed; another person decides."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="objections")
    state = state_field(OBJECTION)
    name_enc = models.BinaryField(null=True)
    phone_enc = models.BinaryField(null=True)
    text_enc = models.BinaryField(null=True)
    raised_at = models.DateTimeField()
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    due_on = models.DateField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            state_check(OBJECTION, "objection_state"),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("entered_by")), name="objection_two_persons"
            ),
        ]
        triggers = state_guards(OBJECTION)

    def __str__(self) -> str:
        return f"{self.application_id} {self.state}"


class Recheck(Scoped):
    """Somebody looked whether a holder still meets the conditions: kept or ended, with the reason."""

    OUTCOMES = [("keep", N_("继续享受")), ("end", N_("终止"))]

    entitlement = models.ForeignKey(Entitlement, models.PROTECT, related_name="rechecks")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    due_on = models.DateField(null=True)
    outcome = models.CharField(max_length=4, choices=OUTCOMES)
    findings = models.CharField(max_length=500)
    checked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    checked_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["elder"], name="recheck_elder")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.entitlement_id} {self.outcome}"
