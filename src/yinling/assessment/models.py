"""Assessments: the application on its way, who assessed with what qualification, the form, the result, and the policies around them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from yinling.accounts.models import User
from yinling.assessment import inputs
from yinling.assessment.rules import level_label
from yinling.assessment.states import FORM, OPEN, REQUEST
from yinling.directory.models import Organisation, Site, Staff
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import DatedFact, Scoped, ScopedQuerySet, Sealed, Versioned, no_overlap
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.rules import MergeBar


class Request(Scoped, Versioned, Sealed):
    """An application for an assessment. ``div`` is the station it goes to, ``home_div`` where the elder lives; they may differ.

    What the door needs is copied here, so that an assessor organisation sees it and never the elder's file.
    """

    merge_bar = MergeBar(
        "merge.assessments", N_("两份档案都有正在办理的评估。请等其中一份办完，或先撤回，再合并"), states=tuple(OPEN)
    )

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    site = models.ForeignKey(Site, models.PROTECT, null=True, blank=True, related_name="+")
    former = models.ForeignKey("assessment.Assessment", models.PROTECT, null=True, blank=True, related_name="+")
    state = state_field(REQUEST)
    home_div = models.CharField(max_length=12, db_collation="C")
    scale = models.CharField(max_length=20, choices=inputs.SCALES)
    purpose = models.CharField(max_length=20, choices=inputs.PURPOSES)
    reason = models.CharField(max_length=10, choices=inputs.REASONS)
    mode = models.CharField(max_length=5, choices=inputs.MODES)
    change_declared = models.CharField(max_length=500, blank=True)
    applied_as = models.CharField(max_length=10, choices=inputs.APPLICANTS)
    applied_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    elder_name = models.CharField(max_length=40)
    elder_sex = models.CharField(max_length=1)
    born_on = models.DateField()
    address = models.CharField(max_length=200)
    phone_enc = models.BinaryField(null=True)
    visit_on = models.DateField(null=True, blank=True)
    notice_from = models.DateField(null=True, blank=True)
    notice_to = models.DateField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    arranged_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    concluded_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div", "state", "-id"], name="request_queue"),
            models.Index(fields=["provider", "state", "-id"], name="request_provider"),
            models.Index(fields=["elder", "-id"], name="request_elder"),
            models.Index(fields=["home_div"], name="request_home"),
        ]
        constraints = [
            state_check(REQUEST, "request_state"),
            models.UniqueConstraint(
                fields=["elder", "scale", "purpose"],
                condition=Q(state__in=[str(one) for one in OPEN]),
                name="request_once",
            ),
        ]
        triggers = state_guards(REQUEST)

    @property
    def body_id(self) -> int:
        """The organisation that assesses, once it is arranged."""
        return self.provider_id or 0

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"P-{local_date(self.created_at):%y%m%d}-{self.pk:04d}"

    def __str__(self) -> str:
        return f"{self.scale} #{self.pk}"


class Assessor(Scoped):
    """One person in one part of one assessment, with the qualification held on that day. The same person stands here once."""

    CAPACITIES = inputs.CAPACITIES

    request = models.ForeignKey(Request, models.PROTECT, related_name="assessors")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    capacity = models.CharField(max_length=10, choices=CAPACITIES)
    staff_name = models.CharField(max_length=40)
    qualification = models.CharField(max_length=80)
    opinion = models.CharField(max_length=500, blank=True)
    assigned_at = models.DateTimeField()
    signed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["staff"], name="assessor_staff")]
        constraints = [models.UniqueConstraint(fields=["request", "staff"], name="assessor_once")]

    def __str__(self) -> str:
        return f"{self.staff_name} {self.capacity}"


class Form(Scoped, Versioned, Sealed):
    """The answers of one assessment: sealed, with version of the scale, and once signed the outcome of the scorer.

    ``answers`` is sealed JSON ``{"answers": …, "facts": …, "declared": …, "informant": …}``.
    """

    request = models.OneToOneField(Request, models.PROTECT, related_name="form")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    state = state_field(FORM)
    scale = models.CharField(max_length=20, choices=inputs.SCALES)
    scale_version = models.CharField(max_length=10)
    answers_enc = models.BinaryField(null=True)
    outcome = models.JSONField(default=dict, blank=True)
    level = models.CharField(max_length=20, blank=True)
    needed_families = models.JSONField(default=list, blank=True)
    assessed_on = models.DateField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [state_check(FORM, "form_state")]
        triggers = state_guards(FORM)

    @property
    def level_label(self) -> str:
        """The name of the level in its scale."""
        return level_label(self.scale, self.level)

    def __str__(self) -> str:
        return f"{self.scale} of #{self.request_id}"


class Assessment(Scoped, DatedFact):
    """A result: never compared by number across scales, so scale and level code stand together.

    The answers stay sealed in the form of ``request``. A result without a request was delivered by another department, with its document.
    """

    LEVELS = inputs.LEVELS
    SCALES = inputs.SCALES

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    request = models.ForeignKey(Request, models.PROTECT, null=True, blank=True, related_name="results")
    scale = models.CharField(max_length=20, choices=SCALES)
    scale_version = models.CharField(max_length=10, blank=True)
    level = models.CharField(max_length=20, blank=True)
    points = models.PositiveSmallIntegerField(null=True, blank=True)
    assessed_on = models.DateField()
    purpose = models.CharField(max_length=20, choices=inputs.PURPOSES, blank=True)
    reason = models.CharField(max_length=10, choices=inputs.REASONS, blank=True)
    mode = models.CharField(max_length=5, choices=inputs.MODES, blank=True)
    outcome = models.JSONField(default=dict, blank=True)
    needed_families = models.JSONField(default=list, blank=True)
    department = models.CharField(max_length=20, choices=inputs.DEPARTMENTS, blank=True)
    document = models.CharField(max_length=200, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["elder"], name="assessment_elder"),
            models.Index(fields=["div", "valid_to"], name="assessment_due", condition=Q(recorded_to=None)),
        ]
        constraints = [no_overlap("assessment_no_overlap", "elder", "scale")]

    @property
    def level_label(self) -> str:
        """The name of the level in its scale."""
        return level_label(self.scale, self.level)

    def __str__(self) -> str:
        return f"{self.scale} {self.level}"


class Commission(DatedFact, Versioned):
    """A guidance centre's contract with an assessor organisation: which scales, on which document, for which area (R-ASM-04)."""

    div = models.CharField(max_length=12, db_collation="C")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    scales = ArrayField(models.CharField(max_length=20))
    contract = models.CharField(max_length=80)
    qualification = models.CharField(max_length=200)
    assessor_count = models.PositiveSmallIntegerField()
    delivers_care = models.BooleanField(default=False)

    class Meta:
        constraints = [no_overlap("commission_no_overlap", "provider", "div", "contract")]

    def __str__(self) -> str:
        return f"{self.contract} {self.provider_id}"


class Recognition(DatedFact, Versioned):
    """A department accepts results of a scale at some levels for a purpose, by a document. Never arithmetic, never another level."""

    div = models.CharField(max_length=12, db_collation="C")
    department = models.CharField(max_length=20, choices=inputs.DEPARTMENTS)
    from_scale = models.CharField(max_length=20, choices=inputs.SCALES)
    from_levels = ArrayField(models.CharField(max_length=20))
    purpose = models.CharField(max_length=20, choices=inputs.PURPOSES)
    accepted_as = models.CharField(max_length=80)
    legal_basis = models.CharField(max_length=200)
    max_age_months = models.PositiveSmallIntegerField(null=True, blank=True)
    needs_consent = models.BooleanField(default=True)

    class Meta:
        constraints = [no_overlap("recognition_no_overlap", "div", "department", "from_scale", "purpose")]

    def __str__(self) -> str:
        return f"{self.department} {self.from_scale} {self.purpose}"


class ScaleConfirmation(DatedFact, Versioned):
    """A named person of a city compared a part of a scale that came from memory with the official document, and stands for it."""

    div = models.CharField(max_length=12, db_collation="C")
    scale = models.CharField(max_length=20, choices=inputs.SCALES)
    scale_version = models.CharField(max_length=10)
    part = models.CharField(max_length=20, default="matrix")
    confirmed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    confirmed_by_name = models.CharField(max_length=40)
    document = models.CharField(max_length=200)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [no_overlap("confirmation_no_overlap", "div", "scale", "scale_version", "part")]

    def __str__(self) -> str:
        return f"{self.scale} {self.scale_version} {self.part}"
