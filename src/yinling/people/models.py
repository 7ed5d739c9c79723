"""The elders: who they are, where they live, who stands by them, and what is true of them on which day."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import Q

from yinling.accounts.models import User
from yinling.directory.models import DATUMS
from yinling.ground.crypto import blind_index
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import DatedFact, Scoped, ScopedQuerySet, Sealed, StoredFile, Versioned, no_overlap
from yinling.kernel.words import N_
from yinling.people.inputs import (
    CAMPAIGN_KINDS,
    CAPACITIES,
    CIRCUMSTANCES,
    CONTACT_KINDS,
    DEPARTMENTS,
    HEALTH_KINDS,
    ID_TYPES,
    LINE_OUTCOMES,
    SEXES,
    SURVEY_OUTCOMES,
    WANTED_SEXES,
)
from yinling.people.states import IMPORT


@pghistory.track()
class Household(Scoped, Versioned):
    """A home: address and position (WGS-84), shared by the elders who live there."""

    address = models.CharField(max_length=200)
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    source_datum = models.CharField(max_length=10, choices=DATUMS, default="wgs84")
    door_code = models.CharField(max_length=40, unique=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div", "address"], name="household_home")]

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
    died_at = models.DateTimeField(null=True, blank=True)
    is_made_up = models.BooleanField(default=False)
    verified_on = models.DateField(null=True, blank=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div", "id"], name="elder_div"),
            models.Index(fields=["phone_index"], name="elder_phone"),
            models.Index(fields=["phone_last4", "div"], name="elder_last4"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["id_type", "id_number_index"],
                condition=Q(id_number_index__isnull=False, merged_into=None),
                name="elder_id_once",
            ),
            models.CheckConstraint(condition=~Q(merged_into=models.F("id")), name="elder_not_into_itself"),
            models.CheckConstraint(condition=Q(died_at=None) | Q(died_on__isnull=False), name="elder_death_hour"),
            models.UniqueConstraint(
                fields=["health_record_ref"],
                condition=~Q(health_record_ref="") & Q(merged_into=None),
                name="elder_health_record_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name[:1]}* #{self.pk}"

    def set_document(self, number: str) -> None:
        """Seal the number of the identity document, in the form in which it is found again."""
        self.seal_field("id_number", number)
        self.id_number_index = blind_index(number, purpose="id_number") if number else None

    def set_phone(self, number: str) -> None:
        """Seal a normalised phone number."""
        self.seal_field("phone", number)
        self.phone_index = blind_index(number, purpose="phone") if number else None
        self.phone_last4 = number[-4:]


class ElderKey(Scoped):
    """A key by which a name is found: characters, pinyin, initials, or the name less one character."""

    elder = models.ForeignKey(Elder, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10)
    key = models.CharField(max_length=60, db_collation="C")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["key", "div"], name="elder_key"),
        ]

    def __str__(self) -> str:
        return self.kind


@pghistory.track()
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

    def set_phone(self, number: str) -> None:
        """Seal a normalised phone number."""
        self.seal_field("phone", number)
        self.phone_index = blind_index(number, purpose="phone") if number else None


class Representative(Scoped, DatedFact):
    """A login that may act for an elder (or is the elder): in which capacity, for which matters, from when to when."""

    CAPACITIES = CAPACITIES

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    capacity = models.CharField(max_length=10, choices=CAPACITIES)
    covers_health = models.BooleanField(default=False)
    covers_orders = models.BooleanField(default=True)
    covers_signing = models.BooleanField(default=True)
    covers_bills = models.BooleanField(default=True)
    covers_applications = models.BooleanField(default=True)
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
    detail = models.CharField(max_length=40, blank=True)
    body = models.CharField(max_length=80)
    evidence = models.CharField(max_length=200, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["elder", "kind"], name="circumstance_elder", condition=Q(recorded_to=None)),
            models.Index(fields=["div", "kind"], name="circumstance_div"),
        ]
        constraints = [no_overlap("circumstance_no_overlap", "elder", "kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.elder_id}"


class HealthFact(Scoped, DatedFact, Sealed):
    """One fact of the health-record part: an allergy, a diagnosis, a check, a contraindication, a grade.

    ``item`` names what may be counted (vaccine, kind of check, grade); what the fact says in detail is sealed. ``rule`` is the version
    of the rule that gave a grade.
    """

    KINDS = HEALTH_KINDS

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=KINDS)
    item = models.CharField(max_length=40, blank=True)
    content_enc = models.BinaryField(null=True)
    rule = models.CharField(max_length=20, blank=True)
    body = models.CharField(max_length=80)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["elder", "kind"], name="health_elder"),
            models.Index(fields=["div", "kind", "item"], name="health_div"),
        ]
        constraints = [no_overlap("health_grade_once", "elder", condition=Q(kind="grade"))]

    def __str__(self) -> str:
        return f"{self.kind} {self.elder_id}"


class Campaign(Scoped, Versioned):
    """A survey of the elders of an area from day to day: health and vaccination, or who is disabled."""

    KINDS = CAMPAIGN_KINDS

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=KINDS)
    item = models.CharField(max_length=40, blank=True)
    least_age = models.PositiveSmallIntegerField(default=60)
    starts_on = models.DateField()
    ends_on = models.DateField()

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class SurveyAnswer(Scoped, Sealed):
    """What a survey found at one elder; asked again, the row is replaced by a newer one."""

    OUTCOMES = SURVEY_OUTCOMES

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=20, choices=OUTCOMES)
    note_enc = models.BinaryField(null=True)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "elder"], name="survey_once")]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.elder_id}"


class Source(Scoped, Versioned):
    """Where sheets come from: a department, and how its columns and its words are read."""

    DEPARTMENTS = DEPARTMENTS

    name = models.CharField(max_length=60)
    department = models.CharField(max_length=20, choices=DEPARTMENTS)
    mapping = models.JSONField(default=dict, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["div", "name"], name="source_once")]

    def __str__(self) -> str:
        return self.name


class Import(Scoped, Versioned):
    """A sheet on its way into the register: file, mapping as used, progress and what came of its rows."""

    source = models.ForeignKey(Source, models.PROTECT, related_name="+")
    state = state_field(IMPORT)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=200)
    sheet = models.CharField(max_length=100, blank=True)
    mapping = models.JSONField(default=dict, blank=True)
    row_count = models.PositiveIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0)
    outcome_counts = models.JSONField(default=dict, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    started_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    phase_began_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div", "-id"], name="import_div")]
        constraints = [state_check(IMPORT, "import_state")]
        triggers = state_guards(IMPORT)

    def __str__(self) -> str:
        return f"#{self.pk} {self.file_name}"


class ImportLine(Scoped, Sealed):
    """One row of a sheet: what was read (sealed), what is wrong with which cell, what became of it and what stood there before."""

    OUTCOMES = LINE_OUTCOMES

    sheet_import = models.ForeignKey(Import, models.PROTECT, related_name="lines")
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=OUTCOMES)
    faults = models.JSONField(default=list, blank=True)
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    candidates = models.JSONField(default=list, blank=True)
    decision = models.CharField(max_length=10, blank=True)
    content_enc = models.BinaryField(null=True)
    before_enc = models.BinaryField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["elder"], name="import_line_elder")]
        constraints = [models.UniqueConstraint(fields=["sheet_import", "number"], name="import_line_once")]

    def __str__(self) -> str:
        return f"{self.sheet_import_id}:{self.number}"


class Merge(Scoped):
    """Two files found to be one person: which rows went from the file that is gone to the one kept, so that it can be undone."""

    kept = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    gone = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    moved = models.JSONField(default=dict)
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gone"], condition=Q(undone_at=None), name="merge_once"),
            models.CheckConstraint(condition=~Q(kept=models.F("gone")), name="merge_two_files"),
        ]

    def __str__(self) -> str:
        return f"{self.gone_id} -> {self.kept_id}"
