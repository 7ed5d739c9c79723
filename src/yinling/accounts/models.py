"""Users, the journal of everything done, and notices waiting to be sent."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from yinling.ground.guards import append_only
from yinling.ground.models import Scoped, ScopedQuerySet, Sealed


class UserManager(BaseUserManager["User"]):
    """Finds a user by login name."""

    def create_user(self, username: str, password: str | None = None, **values: Any) -> User:
        """Make a user with a hashed password."""
        user = self.model(username=username, **values)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A login. What a user may do stands in grants, never here; ``rights_version`` grows when they change."""

    username = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=60)
    email = models.EmailField(blank=True)
    first_name = models.CharField(max_length=60, blank=True)
    last_name = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=10, default="zh-hans")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_system = models.BooleanField(default=False)
    needs_second_factor = models.BooleanField(default=True)
    rights_version = models.PositiveIntegerField(default=1)
    large_type = models.BooleanField(default=False)

    USERNAME_FIELD = "username"
    objects = UserManager()

    def __str__(self) -> str:
        return f"{self.name} ({self.username})"


class SignInFailure(models.Model):
    """A wrong password or code. ``key`` fingerprints user name and address, so that nothing typed by mistake is kept in clear."""

    key = models.BinaryField(max_length=32)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["key", "at"], name="sign_in_failure_key")]

    def __str__(self) -> str:
        return f"{bytes(self.key).hex()[:12]} {self.at}"


class Journal(Scoped):
    """What was done or refused: who, in which role, what, on which row, with which change and reason. Never changed.

    ``xid`` is the writing transaction: rows of finished transactions are sealed in blocks, and readers that follow the journal take
    what finished since they last looked. ``digest`` fingerprints the row's content.
    """

    scope_elder = "elder_id"

    at = models.DateTimeField(db_default=Now())
    business_at = models.DateTimeField()
    user_id = models.BigIntegerField(null=True)
    user_name = models.CharField(max_length=60)
    role = models.CharField(max_length=30)
    event = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=30)
    subject_id = models.BigIntegerField(null=True)
    provider_id = models.BigIntegerField(null=True)
    elder_id = models.BigIntegerField(null=True)
    staff_id = models.BigIntegerField(null=True)
    changes = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    is_refused = models.BooleanField(default=False)
    code = models.CharField(max_length=60, blank=True)
    xid = models.BigIntegerField(
        db_default=models.Func(
            function="pg_current_xact_id",
            template="(%(function)s()::text::bigint)",
            output_field=models.BigIntegerField(),
        )
    )
    digest = models.BinaryField(max_length=32)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="journal_subject"),
            models.Index(fields=["elder_id", "id"], condition=Q(elder_id__isnull=False), name="journal_elder"),
            models.Index(fields=["user_id", "id"], name="journal_user"),
            models.Index(fields=["xid"], name="journal_xid"),
            models.Index(fields=["div", "id"], name="journal_div"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.at} {self.event} {self.subject_type}:{self.subject_id}"


class JournalSeal(models.Model):
    """A block of the journal: the rows of transactions ``from_xid <= xid < to_xid``, chained to the block before."""

    from_xid = models.BigIntegerField(unique=True)
    to_xid = models.BigIntegerField(unique=True)
    row_count = models.PositiveIntegerField()
    previous = models.BinaryField(max_length=32)
    seal = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    class Meta:
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.from_xid}..{self.to_xid}"


class Notice(Scoped, Sealed):
    """A message to a person, waiting to be sent or sent: channel, sealed address and text, template and proof."""

    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    elder_id = models.BigIntegerField(null=True)
    provider_id = models.BigIntegerField(null=True)
    channel = models.CharField(max_length=12, choices=[("screen", "站内"), ("sms", "短信"), ("call", "电话")])
    address_enc = models.BinaryField(null=True)
    title = models.CharField(max_length=80)
    text = models.CharField(max_length=500)
    link = models.CharField(max_length=200, blank=True)
    key = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "id"], condition=Q(read_at=None), name="notice_unread")]

    def __str__(self) -> str:
        return f"{self.channel} {self.title}"
