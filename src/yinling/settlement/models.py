"""Who pays whom: charges, the ledger, and the statements of providers."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.directory.models import Organisation
from yinling.entitlements.models import PAYERS, Entitlement, Scheme
from yinling.ground.guards import append_only, state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Versioned
from yinling.kernel.period import local_date
from yinling.orders.models import Order, OrderLine, PayerShare
from yinling.people.models import Elder
from yinling.settlement.states import RECOVERY, STATEMENT

UNITS = [("fen", "分"), ("minute", "分钟")]
RECOVERY_KINDS = [("recover", "追回"), ("reject", "拒付")]
BUSINESSES = [("medical", "医疗"), ("eldercare", "养老")]


class Posting(Scoped):
    """One balanced event of the ledger. ``key`` makes it happen once; ``reverses`` points to what it takes back. Never changed.

    ``claim`` (person, item, start time, times billed) is what only one scheme can be charged with (R-PAY-04).
    """

    key = models.CharField(max_length=100, unique=True)
    claim = models.CharField(max_length=100, unique=True, null=True)
    kind = models.CharField(max_length=20)
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, related_name="+")
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="+")
    text = models.CharField(max_length=200)
    posted_at = models.DateTimeField()
    posted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["order"], name="posting_order")]
        triggers = append_only()

    def __str__(self) -> str:
        return self.key


class LedgerEntry(Scoped):
    """One side of a posting. Debit is positive, credit negative; the entries of a posting sum to 0 in each unit. Never changed.

    Dimensions: unit, business, fund source, scheme, plan year, area (``div``), provider, elder, order line, service day, open period.
    """

    posting = models.ForeignKey(Posting, models.PROTECT, related_name="entries")
    account = models.CharField(max_length=40)
    amount = models.BigIntegerField()
    unit = models.CharField(max_length=6, choices=UNITS, default="fen")
    business = models.CharField(max_length=10, choices=BUSINESSES)
    fund = models.CharField(max_length=30)
    scheme = models.ForeignKey(Scheme, models.PROTECT, null=True, related_name="+")
    plan_year = models.PositiveSmallIntegerField()
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, related_name="+")
    line = models.ForeignKey(OrderLine, models.PROTECT, null=True, related_name="+")
    service_day = models.DateField(null=True)
    period = models.DateField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["posting"], name="entry_posting"),
            models.Index(fields=["account", "provider", "period"], name="entry_account"),
            models.Index(fields=["elder", "service_day"], name="entry_elder"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="entry_not_zero"),
            models.CheckConstraint(condition=Q(business__in=["medical", "eldercare"]), name="entry_business"),
            models.CheckConstraint(condition=~Q(fund=""), name="entry_fund"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.account} {self.amount}"


class Charge(Scoped):
    """What one payer was charged for one line, or, negative, what a reversal took back. Never changed.

    A second charge of the same line is impossible by the claim of its posting and by being once in it.
    """

    posting = models.ForeignKey(Posting, models.PROTECT, related_name="charges")
    order = models.ForeignKey(Order, models.PROTECT, related_name="+")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    payer = models.CharField(max_length=20, choices=PAYERS)
    entitlement = models.ForeignKey(Entitlement, models.PROTECT, null=True, related_name="+")
    amount_fen = models.BigIntegerField()
    service_day = models.DateField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["order"], name="charge_order"),
            models.Index(fields=["provider", "service_day"], name="charge_provider"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["posting", "line", "payer", "entitlement"], nulls_distinct=False, name="charge_once"
            )
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.payer} {self.amount_fen}"


class Statement(Scoped, Versioned):
    """What one payer owes one provider for one month: settled, unfrozen orders only; reviewed and approved by two persons."""

    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    payer = models.CharField(max_length=20, choices=PAYERS)
    month = models.DateField()
    state = state_field(STATEMENT)
    total_fen = models.BigIntegerField()
    line_count = models.PositiveIntegerField()
    drafted_at = models.DateTimeField()
    drafted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    return_reason = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div", "month"], name="statement_div"),
            models.Index(fields=["provider", "month"], name="statement_provider"),
        ]
        constraints = [
            state_check(STATEMENT, "statement_state"),
            models.UniqueConstraint(
                fields=["provider", "payer", "month"], condition=~Q(state="returned"), name="statement_once"
            ),
            models.CheckConstraint(condition=~Q(reviewed_by=F("approved_by")), name="statement_two_persons"),
        ]
        triggers = state_guards(STATEMENT)

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"S-{self.month:%y%m}-{self.pk:04d}"

    def __str__(self) -> str:
        return self.code


class StatementLine(Scoped):
    """One charge on a statement; a charge stands on one live statement."""

    statement = models.ForeignKey(Statement, models.PROTECT, related_name="lines")
    charge = models.ForeignKey(Charge, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    is_live = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["statement"], name="statement_line")]
        constraints = [
            models.UniqueConstraint(fields=["charge"], condition=Q(is_live=True), name="statement_line_once")
        ]

    def __str__(self) -> str:
        return f"{self.statement_id} {self.charge_id}"


class Recovery(Scoped, Versioned):
    """What one death or move, known late, takes back from services performed after it. ``stopped_at`` is the moment that counts.

    The system draws it up; two persons decide it.
    """

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    cause = models.CharField(max_length=60)
    stopped_at = models.DateTimeField()
    state = state_field(RECOVERY)
    recover_fen = models.BigIntegerField(default=0)
    reject_fen = models.BigIntegerField(default=0)
    line_count = models.PositiveIntegerField(default=0)
    drafted_at = models.DateTimeField()
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    return_reason = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div", "state"], name="recovery_div"),
            models.Index(fields=["elder"], name="recovery_elder"),
        ]
        constraints = [
            state_check(RECOVERY, "recovery_state"),
            models.UniqueConstraint(fields=["elder", "cause"], condition=Q(state="draft"), name="recovery_one_draft"),
            models.CheckConstraint(condition=~Q(reviewed_by=F("approved_by")), name="recovery_two_persons"),
        ]
        triggers = state_guards(RECOVERY)

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"R-{local_date(self.drafted_at):%y%m}-{self.pk:04d}"

    @property
    def cause_text(self) -> str:
        """How the holds of its orders name it."""
        return f"recovery:{self.pk}"

    def __str__(self) -> str:
        return self.code


class RecoveryLine(Scoped):
    """One payer's part of one service on a recovery list: to be recovered because it was paid, or rejected because it was not yet."""

    recovery = models.ForeignKey(Recovery, models.PROTECT, related_name="lines")
    order = models.ForeignKey(Order, models.PROTECT, related_name="+")
    share = models.ForeignKey(PayerShare, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    payer = models.CharField(max_length=20, choices=PAYERS)
    amount_fen = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=RECOVERY_KINDS)
    began_at = models.DateTimeField()
    is_live = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["recovery"], name="recovery_line"),
            models.Index(fields=["order"], name="recovery_line_order"),
        ]
        constraints = [models.UniqueConstraint(fields=["share"], condition=Q(is_live=True), name="recovery_line_once")]

    def __str__(self) -> str:
        return f"{self.recovery_id} {self.amount_fen}"
