"""The green channel: what a health centre or hospital gets when an emergency is handed over to it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from yinling.accounts.models import User
from yinling.directory.models import Organisation
from yinling.ground.models import Scoped, ScopedQuerySet, Sealed, Versioned
from yinling.hotline.models.calls import Emergency
from yinling.kernel.words import N_
from yinling.people.models import Elder


class Handover(Scoped, Versioned, Sealed):
    """An emergency announced to a medical body, with a sealed summary of whom it concerns; each step with its time.

    The summary goes before anybody is asked, because a life is at stake (X-PIP-06); that the elder or the family was told afterwards is
    noted here.
    """

    INFORMED = [("self", N_("本人")), ("guardian", N_("监护人")), ("family", N_("家属"))]

    emergency = models.OneToOneField(Emergency, models.PROTECT, related_name="handover")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    what = models.CharField(max_length=300)
    summary_enc = models.BinaryField(null=True)
    has_consent = models.BooleanField(default=False)
    notified_at = models.DateTimeField()
    notified_count = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    answer = models.CharField(max_length=200, blank=True)
    informed_at = models.DateTimeField(null=True, blank=True)
    informed = models.CharField(max_length=10, choices=INFORMED, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["provider", "-notified_at"], name="handover_provider")]
        constraints = [
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by=None)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="handover_accept_pair",
            ),
            models.CheckConstraint(
                condition=Q(informed_at=None, informed="") | (Q(informed_at__isnull=False) & ~Q(informed="")),
                name="handover_informed_pair",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emergency_id} -> {self.provider_id}"
