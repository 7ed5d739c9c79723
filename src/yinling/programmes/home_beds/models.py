"""Home sickbeds, and stays in a body that is paid by the day."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.assessment.models import Assessment
from yinling.catalogue.models import ServiceItem
from yinling.directory.models import Organisation, Staff
from yinling.entitlements.models import Entitlement
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import DateRange, Scoped, ScopedQuerySet, Sealed, Versioned
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.models import Consent, Elder
from yinling.people.rules import MergeBar
from yinling.programmes.home_beds.states import SICKBED


class HomeSickbed(Scoped, Versioned, Sealed):
    """A medical bed in the home of an elder: insurance pays from the approval to the withdrawal (R-BED-01, R-BED-05). The diagnosis is sealed.

    ``groups`` say by which group of the city's list it was granted (R-BED-09). The day of withdrawal is the last day.
    """

    KINDS = [("medical", N_("家庭病床")), ("hospice", N_("居家安宁疗护"))]

    merge_bar = MergeBar(
        "merge.home_beds",
        N_("两份档案都有家庭病床或建床申请。请先撤销其中一份，再合并"),
        states=("applied", "approved"),
    )

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=KINDS, default="medical")
    state = state_field(SICKBED)
    groups = models.JSONField(default=list)
    assessment = models.ForeignKey(Assessment, models.PROTECT, null=True, blank=True, related_name="+")
    consent = models.ForeignKey(Consent, models.PROTECT, null=True, blank=True, related_name="+")
    signed_by = models.CharField(max_length=40)
    diagnosis_enc = models.BinaryField(null=True)
    need = models.CharField(max_length=500)
    doctor = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    nurse = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    home_check = models.CharField(max_length=500, blank=True, default="")
    checked_on = models.DateField(null=True, blank=True)
    checked_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    applied_at = models.DateTimeField()
    applied_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    approved_on = models.DateField(null=True, blank=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_to = models.DateField(null=True, blank=True)
    withdrawn_on = models.DateField(null=True, blank=True)
    entitlement = models.OneToOneField(Entitlement, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True, default="")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["elder"], name="home_sickbed_elder"),
            models.Index(fields=["provider", "state"], name="home_sickbed_provider"),
            models.Index(fields=["div", "state"], name="home_sickbed_div"),
        ]
        constraints = [
            state_check(SICKBED, "home_sickbed_state"),
            models.UniqueConstraint(
                fields=["elder"], condition=Q(state__in=["applied", "approved"]), name="home_sickbed_once"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "withdrawn"])
                | Q(approved_on__isnull=False, doctor__isnull=False, nurse__isnull=False, checked_on__isnull=False),
                name="home_sickbed_approved",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("applied_by")), name="home_sickbed_two_persons"
            ),
        ]
        triggers = state_guards(SICKBED)

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"H-{local_date(self.applied_at):%y%m}-{self.pk:04d}"

    def __str__(self) -> str:
        return self.code


class BedStay(Scoped, Versioned):
    """A stay paid by the day (R-BED-06): the day of admission counts, the day of discharge does not, both on one day are one (X-PAY-03)."""

    KINDS = [("nursing", N_("护理院住院")), ("hospice", N_("安宁疗护")), ("rehabilitation", N_("长期康复"))]

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=14, choices=KINDS)
    item = models.ForeignKey(ServiceItem, models.PROTECT, related_name="+")
    admitted_on = models.DateField()
    discharged_on = models.DateField(null=True, blank=True)
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["provider"], name="bed_stay_provider"),
            models.Index(fields=["elder"], name="bed_stay_elder"),
        ]
        constraints = [
            ExclusionConstraint(
                name="bed_stay_one_at_a_time",
                expressions=[
                    (F("elder"), RangeOperators.EQUAL),
                    (DateRange("admitted_on", "discharged_on"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(discharged_on=None) | Q(discharged_on__gte=F("admitted_on")), name="bed_stay_days"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.elder_id} {self.admitted_on}"
