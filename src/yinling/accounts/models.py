"""Users, the journal of everything done, and notices waiting to be sent."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from yinling.accounts.states import NOTICE
from yinling.ground.guards import append_only, state_check, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Sealed
from yinling.kernel.words import N_

KINDS = [
    ("service", N_("服务安排")),
    ("benefit", N_("待遇办理")),
    ("ticket", N_("工单回复")),
    ("emergency", N_("紧急求助")),
    ("other", N_("其他通知")),
]
WANTED = [(kind, label) for kind, label in KINDS if kind != "emergency"]
"""What a person may refuse: a call for help is no such thing."""
OUTSIDE = ("sms", "wechat", "call")
"""The channels that leave the house."""
REASONS = [
    ("opted_out", N_("收件人已退订")),
    ("over_cap", N_("超过当天条数上限")),
    ("double", N_("刚发过相同内容")),
    ("too_late", N_("已过时效")),
    ("made_up", N_("演示号码，只写日志")),
    ("rejected", N_("网关拒收")),
    ("gave_up", N_("多次发送未成功")),
    ("undelivered", N_("运营商回执：未送达")),
]


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
            models.Index(fields=["code", "id"], condition=Q(is_refused=True), name="journal_refused"),
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
    """A message to a person: on the screens of a login, or by a channel that leaves the house, with its state and proof.

    ``key`` names it once and is the idempotency key of every try; ``round`` grows when it is sent again by hand. ``address_index``
    finds what went to one number.
    """

    CHANNELS = [("screen", N_("站内")), ("sms", N_("短信")), ("wechat", N_("微信")), ("call", N_("电话"))]

    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    elder_id = models.BigIntegerField(null=True)
    provider_id = models.BigIntegerField(null=True)
    channel = models.CharField(max_length=12, choices=CHANNELS)
    address_enc = models.BinaryField(null=True)
    address_index = models.BinaryField(max_length=32, null=True)
    kind = models.CharField(max_length=12, choices=KINDS, default="other")
    template = models.CharField(max_length=40, blank=True)
    template_version = models.PositiveIntegerField(default=0)
    title = models.CharField(max_length=80)
    text = models.CharField(max_length=500)
    link = models.CharField(max_length=200, blank=True)
    key = models.CharField(max_length=100, unique=True)
    is_urgent = models.BooleanField(default=False)
    state = models.CharField(max_length=20, choices=NOTICE.choices, null=True, default=None)
    reason = models.CharField(max_length=12, choices=REASONS, blank=True)
    error = models.CharField(max_length=200, blank=True)
    round = models.PositiveSmallIntegerField(default=0)
    try_count = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["user", "id"], condition=Q(read_at=None), name="notice_unread"),
            models.Index(
                "channel", F("is_urgent").desc(), "next_at", "id", condition=Q(state="waiting"), name="notice_waiting"
            ),
            models.Index(
                fields=["address_index", "created_at"], condition=Q(address_index__isnull=False), name="notice_address"
            ),
            models.Index(fields=["state", "-id"], condition=Q(state__in=["failed", "dropped"]), name="notice_stuck"),
        ]
        constraints = [
            state_check(NOTICE, "notice_state"),
            models.CheckConstraint(
                condition=Q(channel="screen", state=None) | ~Q(channel="screen") & Q(state__isnull=False),
                name="notice_state_outside",
            ),
        ]
        triggers = state_guards(NOTICE)

    def __str__(self) -> str:
        return f"{self.channel} {self.title}"


class Delivery(models.Model):
    """One part of a message at the provider: its number there and what became of it. Holds no personal data.

    A receipt may come before the message is marked as sent, twice, or after a contrary one: the part is there once.
    """

    OUTCOMES = [("", N_("等待回执")), ("delivered", N_("已送达")), ("failed", N_("未送达"))]

    channel = models.CharField(max_length=12, choices=Notice.CHANNELS)
    port_id = models.CharField(max_length=100)
    notice = models.ForeignKey(Notice, models.PROTECT, null=True, related_name="deliveries")
    notice_div = models.CharField(max_length=12, blank=True)
    round = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=10, choices=OUTCOMES, blank=True)
    code = models.CharField(max_length=40, blank=True)
    reported_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "port_id"], name="delivery_port_id")]

    def __str__(self) -> str:
        return f"{self.channel} {self.port_id}"


class OptOut(Scoped, Sealed):
    """What somebody does not want to get: of one kind or (empty) of all, for a number or about an elder, from when to when."""

    SOURCES = [("reply", N_("回复退订")), ("own", N_("本人设置")), ("desk", N_("工作人员登记"))]

    elder_id = models.BigIntegerField(null=True)
    address_enc = models.BinaryField(null=True)
    address_index = models.BinaryField(max_length=32, null=True)
    kind = models.CharField(max_length=12, choices=WANTED, blank=True)
    source = models.CharField(max_length=6, choices=SOURCES)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(elder_id__isnull=False, address_index=None) | Q(elder_id=None, address_index__isnull=False),
                name="opt_out_of_one",
            ),
            models.UniqueConstraint(
                fields=["div", "address_index", "kind"], condition=Q(to_at=None), name="opt_out_once_number"
            ),
            models.UniqueConstraint(fields=["elder_id", "kind"], condition=Q(to_at=None), name="opt_out_once_elder"),
        ]
        indexes = [models.Index(fields=["address_index"], condition=Q(to_at=None), name="opt_out_number")]

    def __str__(self) -> str:
        return f"{self.kind or '*'} {self.from_at}"


class MessageTemplate(models.Model):
    """A wording written by an administrator for an area (empty: everywhere). The newest without an end is in force; old ones stay."""

    code = models.CharField(max_length=40)
    area = models.CharField(max_length=12, blank=True, db_collation="C")
    number = models.PositiveIntegerField()
    text = models.CharField(max_length=500)
    written_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "area", "number"], name="message_template_number"),
            models.UniqueConstraint(fields=["code", "area"], condition=Q(to_at=None), name="message_template_in_force"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.number}"
