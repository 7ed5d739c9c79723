"""Paying out: bank accounts, batches with the bank's answers, invoices and receipts."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.directory.models import Organisation
from yinling.entitlements.models import PAYERS, Scheme
from yinling.ground.guards import fixed, state_check, state_field, state_guards
from yinling.ground.models import DatedFact, Scoped, ScopedQuerySet, Sealed, Versioned, no_overlap
from yinling.kernel.period import local_date
from yinling.people.models import Elder
from yinling.settlement.models.decided import Decided
from yinling.settlement.models.ledger import BUSINESSES, Posting
from yinling.settlement.models.statements import Statement
from yinling.settlement.states import PAYOUT, PAYOUT_LINE


class BankAccount(Scoped, Versioned, Sealed, DatedFact):
    """Where a payee is paid: proposed by one person, confirmed by another. The number is sealed and shown by its last four digits."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    holder = models.CharField(max_length=120)
    bank = models.CharField(max_length=120)
    number_enc = models.BinaryField(null=True)
    last4 = models.CharField(max_length=4)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            no_overlap("bank_account_of_body", "organisation", condition=Q(confirmed_by__isnull=False)),
            no_overlap("bank_account_of_elder", "elder", condition=Q(confirmed_by__isnull=False)),
            models.CheckConstraint(
                condition=Q(organisation__isnull=False, elder=None, provider=F("organisation"))
                | Q(organisation=None, elder__isnull=False, provider=None),
                name="bank_account_whose",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("proposed_by")), name="bank_account_two_persons"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holder} {self.last4}"


class Payout(Decided):
    """A batch of payments to be made: reviewed and approved by two persons, sent to the bank as a file, ended by the bank's answer."""

    MACHINE = PAYOUT

    title = models.CharField(max_length=120)
    state = state_field(PAYOUT)
    total_fen = models.BigIntegerField()
    line_count = models.PositiveIntegerField()
    drafted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    exported_at = models.DateTimeField(null=True, blank=True)
    file_digest = models.CharField(max_length=64, blank=True, default="")
    completed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta(Decided.Meta):
        indexes = [models.Index(fields=["div", "-drafted_at"], name="payout_div")]
        constraints = [
            *Decided.Meta.constraints,
            state_check(PAYOUT, "payout_state"),
            models.CheckConstraint(condition=~Q(drafted_by=F("approved_by")), name="payout_not_own"),
        ]
        triggers = [
            *state_guards(PAYOUT),
            *fixed("total_fen", "line_count", "drafted_by_id", once="OLD.state IN ('exported', 'completed')"),
        ]

    @property
    def code(self) -> str:
        """The number people read aloud, and the bank file's name."""
        return f"P-{local_date(self.drafted_at):%y%m}-{self.pk:04d}"

    def __str__(self) -> str:
        return self.code


class PayoutLine(Scoped, Versioned):
    """One payment of a batch: for what (``key``: statement, reimbursement, subsidy ...), to whom, how much, and what the bank said.

    A live line of a key is the only one; a payment the bank sends back may be put into a later batch. ``owed_on`` is the ledger's account.
    """

    payout = models.ForeignKey(Payout, models.PROTECT, related_name="lines")
    key = models.CharField(max_length=60)
    text = models.CharField(max_length=200)
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    account = models.ForeignKey(BankAccount, models.PROTECT, related_name="+")
    payer = models.CharField(max_length=20, choices=PAYERS)
    fund = models.CharField(max_length=30)
    scheme = models.ForeignKey(Scheme, models.PROTECT, null=True, blank=True, related_name="+")
    business = models.CharField(max_length=10, choices=BUSINESSES, default="eldercare")
    owed_on = models.CharField(max_length=40)
    amount_fen = models.BigIntegerField()
    state = state_field(PAYOUT_LINE)
    is_live = models.BooleanField(default=True)
    answer = models.CharField(max_length=200, blank=True, default="")
    answered_at = models.DateTimeField(null=True, blank=True)
    posting = models.OneToOneField(Posting, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["payout"], name="payout_line")]
        constraints = [
            state_check(PAYOUT_LINE, "payout_line_state"),
            models.UniqueConstraint(fields=["key"], condition=Q(is_live=True), name="payout_line_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="payout_line_positive"),
        ]
        triggers = [
            *state_guards(PAYOUT_LINE),
            *fixed("payout_id", "key", "provider_id", "account_id", "payer", "fund", "scheme_id", "business", "owed_on", "amount_fen"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.key} {self.amount_fen}"


class Invoice(Scoped, Versioned):
    """An invoice of a provider for an approved statement. Cancelled, never changed. A donation has its receipt itself."""

    number = models.CharField(max_length=40)
    issued_on = models.DateField()
    title = models.CharField(max_length=120)
    amount_fen = models.BigIntegerField()
    statement = models.ForeignKey(Statement, models.PROTECT, related_name="invoices")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=200, blank=True, default="")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["provider", "-issued_on"], name="invoice_provider")]
        constraints = [
            models.UniqueConstraint(fields=["number", "provider"], condition=Q(cancelled_at=None), name="invoice_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="invoice_positive"),
        ]

    def __str__(self) -> str:
        return self.number
