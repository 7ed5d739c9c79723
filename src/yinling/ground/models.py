"""Tables that know no domain word, and the abstract models that give every domain row its common columns."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import F, Func, Q

from yinling.ground import crypto

if TYPE_CHECKING:
    from yinling.kernel.actor import Actor


MOST_COUNTED = 100
"""Where the counting of a tab ends: nobody acts otherwise on a hundred than on ten thousand."""


class DateRange(Func):
    """``daterange(from, to)``, half-open."""

    function = "daterange"


class MomentRange(Func):
    """``tstzrange(from, to)``, half-open."""

    function = "tstzrange"


class ScopedQuerySet(models.QuerySet[Any]):
    """Filters by what an actor may see; the policies of the database stand behind them."""

    def visible_to(self, actor: Actor) -> Self:
        """Rows in the actor's area, of the actor's organisation, or of the elders the actor is or represents."""
        names = {field.attname for field in self.model._meta.concrete_fields}  # noqa: SLF001 - Django's own name
        own_elder = getattr(self.model, "scope_elder", "elder_id")
        own_provider = getattr(self.model, "scope_provider", "provider_id")
        mine = Q(pk__in=[])
        if actor.div:
            mine |= Q(div__gte=actor.div, div__lt=actor.div + ":")
        if actor.organisation_id and (own_provider in names or "__" in own_provider):
            mine |= Q(**{own_provider: actor.organisation_id})
        if actor.elder_ids and own_elder in names:
            mine |= Q(**{f"{own_elder}__in": actor.elder_ids})
        return self.filter(mine)

    def within(self, div: str) -> Self:
        """Rows of a division and all below it."""
        return self.filter(div__gte=div, div__lt=div + ":")

    def counted(self, tabs: Mapping[str, Q], most: int = MOST_COUNTED) -> dict[str, int]:
        """Return how many rows each condition holds for, counting no further than ``most``: one query, as fast in a city as in a village."""
        parts, values = [], []
        for name, condition in tabs.items():
            try:
                sql, own = self.filter(condition).order_by().values("pk")[:most].query.sql_with_params()
            except EmptyResultSet:
                continue
            parts.append(f"SELECT %s::text, count(*) FROM ({sql}) AS found")  # noqa: S608 - the ORM's own SQL
            values += [name, *own]
        found = dict.fromkeys(tabs, 0)
        if parts:
            with connection.cursor() as cursor:
                cursor.execute(" UNION ALL ".join(parts), values)
                found |= dict(cursor.fetchall())
        return found


class Scoped(models.Model):
    """A row that belongs to the division in which it happened. ``div`` is a trimmed division code (city 4 ... community 12)."""

    div = models.CharField(max_length=12, db_collation="C")

    class Meta:
        abstract = True

    def is_visible_to(self, actor: Actor) -> bool:
        """Whether ``visible_to`` shows this row: for a question that is kept, whose words name no actor."""
        elder = getattr(self, getattr(self, "scope_elder", "elder_id"), None)
        provider = getattr(self, getattr(self, "scope_provider", "provider_id"), None)
        is_own = actor.organisation_id is not None and provider == actor.organisation_id
        return actor.covers(self.div) or is_own or elder in actor.elder_ids


class Versioned(models.Model):
    """A row that people change: ``version`` counts the changes, so that a page can tell whether it is out of date."""

    version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        abstract = True


class DatedFact(models.Model):
    """A fact with two time axes: the days on which it holds and the moments at which it was on record, both half-open."""

    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_from = models.DateTimeField()
    recorded_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


def in_force(day: Any, *, prefix: str = "") -> Q:
    """Return the condition that a dated fact holds on a day, as known now."""
    after = {f"{prefix}valid_to__gt": day}
    return Q(**{f"{prefix}valid_from__lte": day, f"{prefix}recorded_to": None}) & (
        Q(**{f"{prefix}valid_to": None}) | Q(**after)
    )


def no_overlap(name: str, *columns: str, condition: Q | None = None) -> ExclusionConstraint:
    """Return the constraint that a fact on record holds once at a time for the same columns."""
    still = Q(recorded_to=None) if condition is None else Q(recorded_to=None) & condition
    parts: list[tuple[Any, str]] = [(F(column), RangeOperators.EQUAL) for column in columns]
    parts.append((DateRange("valid_from", "valid_to"), RangeOperators.OVERLAPS))
    return ExclusionConstraint(name=name, expressions=parts, condition=still)


class Sealed(models.Model):
    """A row with encrypted columns ``<name>_enc``. Suite and key id stand beside them; ``seal_id`` binds the texts to the row."""

    seal_id = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    enc_suite = models.CharField(max_length=4, default="", blank=True)
    enc_kid = models.CharField(max_length=16, default="", blank=True)

    class Meta:
        abstract = True

    def seal_field(self, name: str, text: str) -> None:
        """Encrypt a text into ``<name>_enc``; an empty text empties the column."""
        if not self.enc_kid:
            self.enc_suite, self.enc_kid = settings.SUITE, crypto.current_key()
        bound = f"{self._meta.db_table}:{self.seal_id}:{name}"
        sealed = crypto.seal(text, suite=self.enc_suite, kid=self.enc_kid, bound_to=bound) if text else None
        setattr(self, f"{name}_enc", sealed)

    def unseal_field(self, name: str) -> str:
        """Decrypt ``<name>_enc``. The caller checks the right and journals the reading."""
        sealed = getattr(self, f"{name}_enc")
        if not sealed:
            return ""
        bound = f"{self._meta.db_table}:{self.seal_id}:{name}"
        return crypto.unseal(sealed, suite=self.enc_suite, kid=self.enc_kid, bound_to=bound)

    def seal_anew(self) -> None:
        """Give a copied row a seal of its own: the encrypted texts are bound to one row, so each is opened and sealed again."""
        names = [
            field.attname.removesuffix("_enc") for field in self._meta.concrete_fields if field.attname.endswith("_enc")
        ]
        texts = {name: self.unseal_field(name) for name in names}
        self.seal_id, self.enc_suite, self.enc_kid = uuid.uuid4(), "", ""
        for name, text in texts.items():
            self.seal_field(name, text)


class ClockOffset(models.Model):
    """The one row of a demonstration: how far its clock is moved, and how many calls an hour ring by themselves."""

    seconds = models.BigIntegerField(default=0)
    calls_an_hour = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="clock_one_row")]

    def __str__(self) -> str:
        return f"{self.seconds:+d} s"


class CalendarDay(models.Model):
    """A day of an official calendar list that differs from its weekday: a day off, or a working Saturday or Sunday."""

    HOLIDAY, MAKEUP = "holiday", "makeup_workday"

    day = models.DateField(primary_key=True)
    kind = models.CharField(max_length=16, choices=[(HOLIDAY, "放假"), (MAKEUP, "调休上班")])
    name = models.CharField(max_length=40)
    source = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class IdempotencyKey(models.Model):
    """One write from outside: the key, what was asked, and the stored answer that a repetition gets."""

    user_id = models.BigIntegerField()
    key = models.CharField(max_length=100)
    route = models.CharField(max_length=200)
    body_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "key"], name="idempotency_once")]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"


class Outbox(models.Model):
    """A message to the outside, written with its cause and sent once by a job."""

    topic = models.CharField(max_length=40)
    key = models.CharField(max_length=100, unique=True)
    payload = models.JSONField()
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(sent_at=None), name="outbox_waiting")]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"


class StoredFile(Scoped, Sealed):
    """A file kept outside the database: its hash, kind, purpose and how long it is kept. The content is encrypted at rest."""

    sha256 = models.BinaryField(max_length=32)
    kind = models.CharField(max_length=20)
    purpose = models.CharField(max_length=60)
    content_type = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    path = models.CharField(max_length=200)
    provider_id = models.BigIntegerField(null=True, blank=True)
    elder_id = models.BigIntegerField(null=True, blank=True)
    stored_at = models.DateTimeField()
    keep_until = models.DateField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["sha256"], name="file_by_hash")]

    def __str__(self) -> str:
        return f"{self.kind} {bytes(self.sha256).hex()[:12]}"
