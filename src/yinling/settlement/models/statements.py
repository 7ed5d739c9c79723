"""What payers owe providers: monthly statements, deductions, claims to insurers and their answers."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least

from yinling.accounts.models import User
from yinling.directory.models import Organisation
from yinling.entitlements.models import PAYERS
from yinling.ground.guards import append_only, fixed, state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Versioned
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.settlement.models.decided import Decided
from yinling.settlement.models.ledger import Charge
from yinling.settlement.states import CLAIM, CLAIM_LINE, STATEMENT


class Statement(Decided):
    """What one payer owes one provider for one month: settled, unfrozen orders only; reviewed and approved by two persons.

    It lies where the provider does and holds what its drafter sees: the city everything. A district that the provider is not at home in draws
    up its own part, for the services of its elders.
    Payable is the total less deductions and less what an advance has already paid (``offset_fen``).
    """

    MACHINE = STATEMENT

    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    payer = models.CharField(max_length=20, choices=PAYERS)
    month = models.DateField()
    state = state_field(STATEMENT)
    total_fen = models.BigIntegerField()
    deducted_fen = models.BigIntegerField(default=0)
    offset_fen = models.BigIntegerField(default=0)
    line_count = models.PositiveIntegerField()
    drafted_at = models.DateTimeField()
    drafted_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta(Decided.Meta):
        indexes = [
            models.Index(fields=["div", "month"], name="statement_div"),
            models.Index(fields=["provider", "month"], name="statement_provider"),
            models.Index(fields=["-month", "-id"], name="statement_newest"),
        ]
        constraints = [
            *Decided.Meta.constraints,
            state_check(STATEMENT, "statement_state"),
            models.CheckConstraint(
                condition=Q(deducted_fen=0, offset_fen=0)
                | Q(deducted_fen__gte=0, offset_fen__gte=0, total_fen__gte=F("deducted_fen") + F("offset_fen")),
                name="statement_left",
            ),
            models.UniqueConstraint(
                fields=["provider", "payer", "month", "div"], condition=~Q(state="returned"), name="statement_once"
            ),
            models.CheckConstraint(condition=~Q(drafted_by=F("approved_by")), name="statement_not_own"),
        ]
        triggers = [
            *state_guards(STATEMENT),
            *fixed(
                "provider_id", "payer", "month", "total_fen", "deducted_fen", "offset_fen", "line_count", once="OLD.state = 'approved'"
            ),
        ]  # fmt: skip

    @property
    def payable_fen(self) -> int:
        """What is left to pay out."""
        return self.total_fen - self.deducted_fen - self.offset_fen

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
        triggers = fixed("statement_id", "charge_id")

    def __str__(self) -> str:
        return f"{self.statement_id} {self.charge_id}"


class Deduction(Scoped):
    """What is taken off a statement before it is approved: for which line, by which numbered reason, on what finding. Never changed."""

    statement = models.ForeignKey(Statement, models.PROTECT, related_name="deductions")
    line = models.ForeignKey(StatementLine, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20)
    note = models.CharField(max_length=500)
    amount_fen = models.BigIntegerField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["statement"], name="deduction_statement")]
        constraints = [models.CheckConstraint(condition=Q(amount_fen__gt=0), name="deduction_positive")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.statement_id} {self.amount_fen}"


class Claim(Scoped, Versioned):
    """An approved statement sent to its payer (an insurance office) for payment: one row for each time it is sent."""

    statement = models.ForeignKey(Statement, models.PROTECT, related_name="claims")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    payer = models.CharField(max_length=20, choices=PAYERS)
    attempt = models.PositiveSmallIntegerField(default=1)
    state = state_field(CLAIM)
    submitted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField()
    claimed_fen = models.BigIntegerField()
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["provider", "-submitted_at"], name="claim_provider")]
        constraints = [
            state_check(CLAIM, "claim_state"),
            models.UniqueConstraint(fields=["statement", "attempt"], name="claim_once"),
        ]
        triggers = [*state_guards(CLAIM), *fixed("statement_id", "payer", "attempt", "claimed_fen")]

    @property
    def code(self) -> str:
        """The number that the payer's answer names."""
        return f"C-{local_date(self.submitted_at):%y%m}-{self.pk:04d}-{self.attempt}"

    def __str__(self) -> str:
        return self.code


class ClaimLine(Scoped, Versioned):
    """One line of a claim and what the payer said of it: paid, or refused with a numbered reason; then sent again, appealed or given up.

    ``number`` counts the lines of a claim: the payer's answer names claim and number.
    """

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="lines")
    line = models.ForeignKey(StatementLine, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    state = state_field(CLAIM_LINE)
    claimed_fen = models.BigIntegerField()
    paid_fen = models.BigIntegerField(default=0)
    refusal = models.CharField(max_length=20, blank=True, default="")
    refusal_text = models.CharField(max_length=300, blank=True, default="")
    appeal = models.CharField(max_length=500, blank=True, default="")
    appealed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["claim"], name="claim_line"),
            models.Index(fields=["line"], name="claim_line_line"),
        ]
        constraints = [
            state_check(CLAIM_LINE, "claim_line_state"),
            models.UniqueConstraint(fields=["claim", "line"], name="claim_line_once"),
            models.UniqueConstraint(fields=["claim", "number"], name="claim_line_number"),
            models.CheckConstraint(condition=~Q(state="refused") | ~Q(refusal=""), name="claim_line_reason"),
            models.CheckConstraint(
                condition=Q(paid_fen__gte=Least(0, F("claimed_fen")), paid_fen__lte=Greatest(0, F("claimed_fen"))),
                name="claim_line_paid",
            ),
        ]
        triggers = [*state_guards(CLAIM_LINE), *fixed("claim_id", "line_id", "number", "claimed_fen")]

    def __str__(self) -> str:
        return f"{self.claim_id} {self.line_id}"


class Remittance(Scoped):
    """A file with a payer's answers, read once (``digest``); nothing of it counts while one line is wrong."""

    payer = models.CharField(max_length=20, choices=PAYERS)
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, unique=True)
    line_count = models.PositiveIntegerField()
    paid_fen = models.BigIntegerField()
    refused_count = models.PositiveIntegerField()
    loaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    loaded_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div", "-loaded_at"], name="remittance_div")]
        triggers = append_only()

    def __str__(self) -> str:
        return self.name


class FileLayout(Scoped, Versioned):
    """How the columns and words of one kind of file are read, for a set of headings (``heads``): said once on the screen, remembered."""

    KINDS = [("arrival", N_("到账文件")), ("return", N_("银行回单")), ("remittance", N_("回盘文件"))]

    kind = models.CharField(max_length=20, choices=KINDS)
    heads = models.CharField(max_length=64)
    columns = models.JSONField()
    words = models.JSONField(default=dict)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["div", "kind", "heads"], name="file_layout_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.div}"
