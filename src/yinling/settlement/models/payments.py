"""What elders pay through the platform, what is reimbursed to them as spent, and what is shared among staff."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.directory.models import Organisation, Staff
from yinling.entitlements.models import Entitlement
from yinling.ground.guards import fixed, state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, StoredFile, Versioned
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.people.models import Elder, Household
from yinling.settlement.models.decided import Revocable
from yinling.settlement.models.ledger import Posting
from yinling.settlement.states import DISTRIBUTION, PAYMENT, REFUND, REIMBURSEMENT


class Payment(Scoped, Versioned):
    """What an elder's side pays for one order through a payment channel: asked, paid by a signed notice, closed or refunded.

    An order has one open payment at a time, and a further one for what was added after the first was paid.
    ``key`` is the number we give the channel, ``channel_number`` the one it gives us. No card and no account is stored. ``matched_fen``
    is how much of it is offset against the settlement of the order, so that the platform owes it to the provider.
    """

    key = models.CharField(max_length=64, unique=True)
    order = models.ForeignKey(Order, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    channel = models.CharField(max_length=20)
    state = state_field(PAYMENT)
    amount_fen = models.BigIntegerField()
    refunded_fen = models.BigIntegerField(default=0)
    matched_fen = models.BigIntegerField(default=0)
    link = models.CharField(max_length=300, blank=True, default="")
    channel_number = models.CharField(max_length=64, blank=True, default="")
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True, default="")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["order"], name="payment_order"),
            models.Index(fields=["elder"], name="payment_elder"),
            models.Index(fields=["channel", "paid_at"], name="payment_paid"),
            models.Index(fields=["expires_at"], condition=Q(state="asked"), name="payment_waiting"),
            models.Index(
                fields=["div"],
                condition=Q(state__in=["paid", "surplus"], matched_fen__lt=F("amount_fen") - F("refunded_fen")),
                name="payment_moving",
            ),
        ]
        constraints = [
            state_check(PAYMENT, "payment_state"),
            models.UniqueConstraint(fields=["order"], condition=Q(state="asked"), name="payment_open_once"),
            models.UniqueConstraint(
                fields=["channel", "channel_number"], condition=~Q(channel_number=""), name="payment_number_once"
            ),
            models.CheckConstraint(
                condition=Q(amount_fen__gt=0, refunded_fen__gte=0, refunded_fen__lte=F("amount_fen")),
                name="payment_sane",
            ),
            models.CheckConstraint(
                condition=Q(matched_fen__gte=0, matched_fen__lte=F("amount_fen") - F("refunded_fen")),
                name="payment_matched",
            ),
        ]
        triggers = [*state_guards(PAYMENT), *fixed("key", "amount_fen")]

    @property
    def left_fen(self) -> int:
        """What was paid and not given back."""
        return self.amount_fen - self.refunded_fen

    def __str__(self) -> str:
        return self.key


class Refund(Scoped, Versioned):
    """Money of a payment that goes back to whoever paid: decided by a person or a rule, sent to the channel by a job, booked when it went.

    ``key`` is the number we give the channel: sent again, it is the same refund. ``cause`` says, where a person decided it, whether the
    bill stands, so that this part is to be paid again, or was wrong, so that nobody asks for it any more.
    """

    OVERPAID, WRONG_BILL = "overpaid", "wrong_bill"
    CAUSES = [
        (OVERPAID, N_("付错或多付：账单没有错，没付清的部分还要付")),
        (WRONG_BILL, N_("账单错了：退掉的部分不再收")),
    ]

    key = models.CharField(max_length=64, unique=True)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    state = state_field(REFUND)
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    cause = models.CharField(max_length=10, choices=CAUSES, blank=True, default="")
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True, default="")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["payment"], name="refund_payment")]
        constraints = [
            state_check(REFUND, "refund_state"),
            models.UniqueConstraint(fields=["payment"], condition=Q(state="asked"), name="refund_open_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="refund_positive"),
        ]
        triggers = [*state_guards(REFUND), *fixed("key", "payment_id", "amount_fen")]

    def __str__(self) -> str:
        return self.key


class PaymentBill(Scoped):
    """A channel's bill of one day compared with ours: what is missing on either side, and what differs."""

    channel = models.CharField(max_length=20)
    day = models.DateField()
    ours_fen = models.BigIntegerField()
    theirs_fen = models.BigIntegerField()
    differences = models.JSONField(default=list)
    loaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    loaded_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["div", "channel", "day"], name="payment_bill_once")]

    def __str__(self) -> str:
        return f"{self.channel} {self.day}"


class Reimbursement(Revocable):
    """What a household spent and gets back: as spent, up to the sum of its entitlement (R-MOD-04, R-MOD-05).

    ``lines`` are ``[{item, name, is_base, outcome, amount_fen, is_eligible, reason}]`` of the accepted invoice. What is above is paid by the
    applicant to the contractor directly and only recorded (R-PAY-14).
    """

    MACHINE, AUTHOR = REIMBURSEMENT, "entered_by"

    entitlement = models.ForeignKey(Entitlement, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    household = models.ForeignKey(Household, models.PROTECT, related_name="+")
    contractor = models.CharField(max_length=120)
    state = state_field(REIMBURSEMENT)
    accepted_on = models.DateField()
    invoice_number = models.CharField(max_length=40)
    lines = models.JSONField(default=list)
    actual_fen = models.BigIntegerField()
    eligible_fen = models.BigIntegerField()
    subsidy_fen = models.BigIntegerField()
    self_fen = models.BigIntegerField()
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    posting = models.OneToOneField(Posting, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta(Revocable.Meta):
        indexes = [models.Index(fields=["div", "state"], name="reimbursement_div")]
        constraints = [
            *Revocable.Meta.constraints,
            state_check(REIMBURSEMENT, "reimbursement_state"),
            models.UniqueConstraint(
                fields=["household", "entitlement"],
                condition=~Q(state__in=["returned", "revoked"]),
                name="reimbursement_once",
            ),
            models.CheckConstraint(
                condition=Q(recovered_fen__gte=0, recovered_fen__lte=F("subsidy_fen")), name="reimbursement_recovered"
            ),
            models.CheckConstraint(
                condition=Q(actual_fen=F("subsidy_fen") + F("self_fen")) & Q(subsidy_fen__lte=F("eligible_fen")),
                name="reimbursement_adds_up",
            ),
        ]
        triggers = state_guards(REIMBURSEMENT)

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"B-{local_date(self.created_at):%y%m}-{self.pk:04d}"

    @property
    def granted_fen(self) -> int:
        """What the household gets back."""
        return self.subsidy_fen

    def __str__(self) -> str:
        return self.code


class Distribution(Scoped, Versioned):
    """What of a medical body's net income of home sickbeds goes to the staff who visited: at least the legal share (R-PAY-06, D-07).

    Booked outside the total of performance pay. ``inputs`` keep what the points were reckoned from, so that each person can check them.
    ``carried_fen`` is what earlier months lacked: their cost beyond their income. One that ``corrects`` another is of the same months and
    takes its place.
    """

    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    from_on = models.DateField()
    to_on = models.DateField()
    state = state_field(DISTRIBUTION)
    income_fen = models.BigIntegerField()
    cost_fen = models.BigIntegerField()
    drawn_fen = models.BigIntegerField()
    carried_fen = models.BigIntegerField(default=0)
    ratio_bp = models.PositiveSmallIntegerField()
    pool_fen = models.BigIntegerField()
    share_fen = models.BigIntegerField()
    is_outside_base = models.BooleanField(default=True)
    corrects = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    inputs = models.JSONField(default=dict)
    drafted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    posting = models.OneToOneField(Posting, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            state_check(DISTRIBUTION, "distribution_state"),
            models.UniqueConstraint(
                fields=["provider", "from_on"],
                condition=~Q(state="returned") & Q(corrects=None),
                name="distribution_once",
            ),
            models.UniqueConstraint(
                fields=["corrects"], condition=~Q(state="returned"), name="distribution_corrected_once"
            ),
            models.CheckConstraint(condition=Q(carried_fen__gte=0), name="distribution_carried"),
            models.CheckConstraint(condition=Q(ratio_bp__gte=7000, ratio_bp__lte=10000), name="distribution_ratio"),
            models.CheckConstraint(
                condition=Q(pool_fen__gte=0, share_fen__gte=0, share_fen__lte=F("pool_fen")), name="distribution_pool"
            ),
            models.CheckConstraint(condition=~Q(drafted_by=F("approved_by")), name="distribution_two_persons"),
        ]
        triggers = state_guards(DISTRIBUTION)

    @property
    def result_fen(self) -> int:
        """What the months themselves brought: below zero, they cost more than they earned."""
        return self.income_fen - self.cost_fen - self.drawn_fen

    @property
    def lacking_fen(self) -> int:
        """What is lacking after these months, for the next ones to bear."""
        return max(0, self.carried_fen - self.result_fen)

    def __str__(self) -> str:
        return f"{self.provider_id} {self.from_on}"


class StaffShare(Scoped):
    """The part of one person in a distribution, with the points it came from.

    ``brought_fen`` is what corrections of earlier months add to it, or, negative, set off against it: never more than it.
    """

    distribution = models.ForeignKey(Distribution, models.PROTECT, related_name="parts")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    points = models.PositiveIntegerField()
    score = models.JSONField(default=dict)
    amount_fen = models.BigIntegerField()
    brought_fen = models.BigIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["staff"], name="staff_share_staff")]
        constraints = [
            models.UniqueConstraint(fields=["distribution", "staff"], name="staff_share_once"),
            models.CheckConstraint(condition=Q(amount_fen__gte=0), name="staff_share_not_negative"),
            models.CheckConstraint(condition=Q(brought_fen__gte=-F("amount_fen")), name="staff_share_set_off"),
        ]

    @property
    def due_fen(self) -> int:
        """What the person gets with this distribution."""
        return self.amount_fen + self.brought_fen

    def __str__(self) -> str:
        return f"{self.staff_id} {self.amount_fen}"


class ExpensePaper(Scoped):
    """A paper that proves an expense of a reimbursement: invoice, acceptance, photos."""

    reimbursement = models.ForeignKey(Reimbursement, models.PROTECT, related_name="papers")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    title = models.CharField(max_length=80)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["reimbursement"], name="reimbursement_paper")]

    def __str__(self) -> str:
        return f"{self.reimbursement_id} {self.title}"
