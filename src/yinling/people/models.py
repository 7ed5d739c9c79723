"""The elders: who they are, where they live, who stands by them, and what is true of them on which day."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import Q

from yinling.accounts.models import User
from yinling.directory.models import DATUMS
from yinling.ground.models import DatedFact, Scoped, ScopedQuerySet, Sealed, Versioned, no_overlap
from yinling.kernel.words import N_
from yinling.people.inputs import CAPACITIES, CIRCUMSTANCES, CONTACT_KINDS, ID_TYPES, SEXES, WANTED_SEXES


class Household(Scoped, Versioned):
    """A home: address and position (WGS-84), shared by the elders who live there."""

    address = models.CharField(max_length=200)
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    source_datum = models.CharField(max_length=10, choices=DATUMS, default="wgs84")
    door_code = models.CharField(max_length=40, unique=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div"], name="household_div")]

    def __str__(self) -> str:
        return f"{self.div} #{self.pk}"


@pghistory.track()
class Elder(Scoped, Versioned, Sealed):
    """A person served. Id number and phone are sealed and found by blind index; the row moves with the elder."""

    ID_TYPES = ID_TYPES
    SEXES = SEXES

    scope_elder = "id"

    household = models.ForeignKey(Household, models.PROTECT, related_name="elders")
    name = models.CharField(max_length=40)
    sex = models.CharField(max_length=1, choices=SEXES)
    born_on = models.DateField()
    id_type = models.CharField(max_length=20, choices=ID_TYPES)
    id_number_enc = models.BinaryField(null=True)
    id_number_index = models.BinaryField(max_length=32, null=True)
    phone_enc = models.BinaryField(null=True)
    phone_index = models.BinaryField(max_length=32, null=True)
    phone_last4 = models.CharField(max_length=4, blank=True)
    hukou_div = models.CharField(max_length=12, db_collation="C", blank=True)
    is_resident = models.BooleanField(default=True)
    dialect = models.CharField(max_length=20, blank=True)
    wants_sex = models.CharField(max_length=1, blank=True, choices=WANTED_SEXES)
    health_record_ref = models.CharField(max_length=60, blank=True)
    died_on = models.DateField(null=True, blank=True)
    is_made_up = models.BooleanField(default=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div", "id"], name="elder_div"),
            models.Index(fields=["phone_index"], name="elder_phone"),
            models.Index(fields=["phone_last4", "div"], name="elder_last4"),
            models.Index(fields=["household"], name="elder_household"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["id_type", "id_number_index"], condition=Q(id_number_index__isnull=False), name="elder_id_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name[:1]}* #{self.pk}"


class ElderKey(Scoped):
    """A key by which a name is found: characters, pinyin, initials, or the name less one character."""

    elder = models.ForeignKey(Elder, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10)
    key = models.CharField(max_length=60, db_collation="C")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["key", "div"], name="elder_key"),
            models.Index(fields=["elder"], name="elder_key_elder"),
        ]

    def __str__(self) -> str:
        return self.kind


class Contact(Scoped, Versioned, Sealed):
    """A person to call for an elder: family, neighbour, guardian. ``order`` 1 is called first."""

    KINDS = CONTACT_KINDS

    elder = models.ForeignKey(Elder, models.CASCADE, related_name="contacts")
    kind = models.CharField(max_length=12, choices=KINDS)
    name = models.CharField(max_length=40)
    phone_enc = models.BinaryField(null=True)
    phone_index = models.BinaryField(max_length=32, null=True)
    rank = models.PositiveSmallIntegerField(default=1)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["phone_index"], name="contact_phone"),
            models.Index(fields=["elder"], name="contact_elder"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class Representative(Scoped, DatedFact):
    """A login that may act for an elder (or is the elder): in which capacity, for which matters, from when to when."""

    CAPACITIES = CAPACITIES

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    capacity = models.CharField(max_length=10, choices=CAPACITIES)
    covers_health = models.BooleanField(default=False)
    proof = models.CharField(max_length=200, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["user"], name="representative_user"),
            models.Index(fields=["elder"], name="representative_elder"),
        ]
        constraints = [no_overlap("representative_no_overlap", "elder", "user")]

    def __str__(self) -> str:
        return f"{self.capacity} {self.elder_id}"


class Consent(Scoped, DatedFact):
    """Consent of an elder to one purpose, with the version of the text it was given to."""

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=40)
    text_version = models.CharField(max_length=20)
    given_by = models.CharField(max_length=10, choices=Representative.CAPACITIES)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["elder"], name="consent_elder")]
        constraints = [no_overlap("consent_no_overlap", "elder", "purpose")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.elder_id}"


class Circumstance(Scoped, DatedFact):
    """What is true of an elder on which days, on whose word: lives alone, dibao, in hospital, moved away, deceased."""

    KINDS = [*CIRCUMSTANCES, ("deceased", N_("去世"))]

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="circumstances")
    kind = models.CharField(max_length=20, choices=KINDS)
    body = models.CharField(max_length=80)
    evidence = models.CharField(max_length=200, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["elder", "kind"], name="circumstance_elder"),
            models.Index(fields=["div", "kind"], name="circumstance_div"),
        ]
        constraints = [no_overlap("circumstance_no_overlap", "elder", "kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.elder_id}"
