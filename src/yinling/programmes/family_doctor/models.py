"""Contracts of elders with family doctors."""

from __future__ import annotations

from datetime import date

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.catalogue.models import Package
from yinling.directory.models import Organisation, Staff
from yinling.entitlements.models import PAYERS, Entitlement
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import DateRange, Scoped, ScopedQuerySet, Versioned
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.people.models import Elder
from yinling.people.rules import MergeBar
from yinling.programmes.family_doctor.states import CONTRACT


class DoctorContract(Scoped, Versioned):
    """One elder, one doctor of one body, one package, for a span of days; never two at a time (R-FAM-09).

    Signing writes an entitlement whose items are the lines of the package as they were then (``lines``), and places the order of its fee.
    """

    merge_bar = MergeBar(
        "merge.contracts", N_("两份档案都有履约中的家庭医生签约。请先解除其中一份，再合并"), states=("signed",)
    )

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    doctor = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    package = models.ForeignKey(Package, models.PROTECT, related_name="+")
    state = state_field(CONTRACT)
    valid_from = models.DateField()
    valid_to = models.DateField()
    lines = models.JSONField(default=list)
    price_fen = models.BigIntegerField()
    payer = models.CharField(max_length=20, choices=PAYERS, default="self")
    signed_by = models.CharField(max_length=40, blank=True, default="")
    signed_as = models.CharField(max_length=10, blank=True, default="")
    signed_at = models.DateTimeField(null=True, blank=True)
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    entitlement = models.OneToOneField(Entitlement, models.PROTECT, null=True, blank=True, related_name="+")
    fee_order = models.OneToOneField(Order, models.PROTECT, null=True, blank=True, related_name="+")
    end_reason = models.CharField(max_length=500, blank=True, default="")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["elder"], name="doctor_contract_elder"),
            models.Index(fields=["provider", "state"], name="doctor_contract_provider"),
            models.Index(fields=["div", "state"], name="doctor_contract_div"),
        ]
        constraints = [
            state_check(CONTRACT, "doctor_contract_state"),
            ExclusionConstraint(
                name="doctor_contract_one_at_a_time",
                expressions=[
                    (F("elder"), RangeOperators.EQUAL),
                    (DateRange("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=["signed", "ended"]),
            ),
            models.CheckConstraint(condition=Q(valid_to__gte=F("valid_from")), name="doctor_contract_days"),
            models.CheckConstraint(
                condition=~Q(state="signed") | Q(signed_at__isnull=False, entitlement__isnull=False),
                name="doctor_contract_signed",
            ),
        ]
        triggers = state_guards(CONTRACT)

    @property
    def last_day(self) -> date:
        """The last day, inclusive, as people read it (D-17)."""
        return self.valid_to - ONE_DAY

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"F-{local_date(self.created_at):%y%m}-{self.pk:04d}"

    def __str__(self) -> str:
        return self.code
