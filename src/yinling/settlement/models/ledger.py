"""The ledger: postings, their entries and charges, the minutes they claim, its totals by day, and the periods that are closed."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.catalogue.models import ServiceItem
from yinling.directory.models import Organisation
from yinling.entitlements.models import PAYERS, Entitlement, Scheme
from yinling.ground.guards import append_only, fixed
from yinling.ground.models import MomentRange, Scoped, ScopedQuerySet, Versioned
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order, OrderLine
from yinling.people.models import Elder

UNITS = [("fen", "分"), ("minute", "分钟")]
SPANS = [("day", "日"), ("month", "月")]
BUSINESSES = [("medical", "医疗"), ("eldercare", "养老")]


class Posting(Scoped):
    """One balanced event of the ledger. ``key`` makes it happen once; ``reverses`` points to what it takes back. Never changed."""

    key = models.CharField(max_length=100, unique=True)
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

    @property
    def code(self) -> str:
        """The number of the voucher that people read; ``key`` is for programs."""
        return f"J-{local_date(self.posted_at):%y%m}-{self.pk:04d}"

    def __str__(self) -> str:
        return self.key


class LedgerEntry(Scoped):
    """One side of a posting. Debit is positive, credit negative; the entries of a posting sum to 0 in each unit. Never changed.

    Dimensions: unit, business, fund source, scheme, plan year, area (``div``), provider, elder, order line, service day, the day it was
    booked on, and the period: the month of booking, or the first open month after it. What is booked in a later month than that of its
    service is a correction (R-FUN-10).
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
    booked_on = models.DateField()
    period = models.DateField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["posting"], name="entry_posting"),
            models.Index(fields=["account", "provider", "period"], name="entry_account"),
            # The page of an account, as of any day: without it, what was booked long ago is found behind everything since.
            models.Index(fields=["account", "booked_on", "id"], name="entry_booked"),
            models.Index(fields=["elder", "service_day"], name="entry_elder"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="entry_not_zero"),
            models.CheckConstraint(condition=Q(business__in=["medical", "eldercare"]), name="entry_business"),
            models.CheckConstraint(condition=~Q(fund=""), name="entry_fund"),
            # A month is closed by its first day: a period that is none would lie in no month.
            models.CheckConstraint(condition=Q(period__day=1), name="entry_period"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.account} {self.amount}"


class Charge(Scoped):
    """What one payer was charged for one line, or, negative, what a reversal took back. Never changed.

    A second charge of the same line is impossible by the claims of its posting and by being once in it.
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


class ClaimedItem(Scoped):
    """One service of one person at one start time: what only one chain of payers can be charged for (R-PAY-04). A reversal frees it."""

    posting = models.ForeignKey(Posting, models.PROTECT, related_name="+")
    order = models.ForeignKey(Order, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    item = models.ForeignKey(ServiceItem, models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    is_live = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["posting"], name="claimed_item_posting")]
        constraints = [
            models.UniqueConstraint(
                fields=["elder", "item", "starts_at"], condition=Q(is_live=True), name="claimed_item_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.item_id} {self.starts_at}"


class ClaimedTime(Scoped):
    """The minutes of one visit that one chain of payers was charged for: no other visit of this elder can be charged for them (R-PAY-04).

    A reversal frees them (``is_live``). Services that may run beside others (``claims.beside``) have no row.
    """

    posting = models.OneToOneField(Posting, models.PROTECT, related_name="+")
    order = models.ForeignKey(Order, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    is_live = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["order"], name="claimed_time_order")]
        constraints = [
            ExclusionConstraint(
                name="claimed_time_once",
                expressions=[
                    (F("elder"), RangeOperators.EQUAL),
                    (MomentRange("from_at", "to_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(is_live=True),
            ),
            models.CheckConstraint(condition=Q(to_at__gt=F("from_at")), name="claimed_time_order"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.from_at}"


class LedgerTotal(Scoped):
    """Sums of entries by account, dimensions and day of booking. A trigger adds rows as entries come, a job merges them; the sum counts.

    The balance of an account as of any date is the sum of its totals up to that day. What a job added to the area's totals is ``is_rolled``.
    """

    account = models.CharField(max_length=40)
    unit = models.CharField(max_length=6, choices=UNITS, default="fen")
    business = models.CharField(max_length=10, choices=BUSINESSES)
    fund = models.CharField(max_length=30)
    scheme = models.ForeignKey(Scheme, models.PROTECT, null=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    booked_on = models.DateField()
    period = models.DateField()
    amount = models.BigIntegerField()
    entry_count = models.IntegerField()
    is_rolled = models.BooleanField(db_default=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            # With all that a balance and the policy ask, so that the rows themselves are not read.
            models.Index(
                fields=["account", "div", "booked_on"],
                include=["amount", "unit", "business", "fund", "provider"],
                name="ledger_total_account",
            ),
            models.Index(
                fields=["provider", "account", "booked_on"],
                include=["amount", "unit", "business", "fund", "div"],
                name="ledger_total_provider",
            ),
            models.Index(fields=["account", "booked_on"], condition=Q(is_rolled=False), name="ledger_total_fresh"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.booked_on} {self.amount}"


class AreaTotal(Scoped):
    """Sums of the rolled totals of all providers, by day and by month of booking: what a balance of a whole city reads.

    A balance as of a day is the months before, the days of its month up to it, and the totals that are not rolled yet.
    """

    account = models.CharField(max_length=40)
    unit = models.CharField(max_length=6, choices=UNITS, default="fen")
    business = models.CharField(max_length=10, choices=BUSINESSES)
    fund = models.CharField(max_length=30)
    scheme = models.ForeignKey(Scheme, models.PROTECT, null=True, related_name="+")
    per = models.CharField(max_length=5, choices=SPANS)
    from_on = models.DateField()
    amount = models.BigIntegerField()
    entry_count = models.IntegerField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "per", "from_on", "div"],
                include=["amount", "entry_count", "unit", "business", "fund"],
                name="area_total_account",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["per", "from_on", "account", "div", "fund", "business", "unit", "scheme"],
                nulls_distinct=False,
                name="area_total_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.per} {self.from_on} {self.amount}"


class Closing(Scoped, Versioned):
    """One month of one city's books, closed by two persons: no entry is booked into it any more. ``figures`` are its balances then."""

    month = models.DateField()
    figures = models.JSONField()
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["div", "month"], name="closing_once"),
            models.CheckConstraint(
                condition=Q(closed_by=None) | ~Q(closed_by=F("proposed_by")), name="closing_two_persons"
            ),
            models.CheckConstraint(
                condition=Q(closed_by=None, closed_at=None) | Q(closed_by__isnull=False, closed_at__isnull=False),
                name="closing_pair",
            ),
        ]
        triggers = fixed(
            "div", "month", "figures", "closed_by_id", "closed_at", once="OLD.closed_at IS NOT NULL", may_go="OLD.closed_at IS NULL"
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.div} {self.month:%Y-%m}"


class Transfer(Scoped, Versioned):
    """Money that moves apart from orders: an advance to a provider, a deposit of an elder, a top-up, what a payer sent (R-PAY-16).

    Proposed by one person, booked by another where the kind asks for it. ``key`` makes it happen once. Of an arrival, ``proposed_at`` is
    the day on the bank's receipt.
    """

    KINDS = [
        ("advance", N_("预付款")), ("advance_return", N_("预付款退回")), ("deposit", N_("押金")), ("deposit_return", N_("押金退还")),
        ("top_up", N_("柜面充值")), ("top_up_return", N_("充值退还")), ("arrival", N_("到账")),
    ]  # fmt: skip
    TREASURY = "treasury"
    SENDERS = [*PAYERS, (TREASURY, N_("财政拨款（用于补助和报销）"))]

    key = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=20, choices=KINDS)
    payer = models.CharField(max_length=20, choices=SENDERS)
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    amount_fen = models.BigIntegerField()
    business = models.CharField(max_length=10, choices=BUSINESSES, default="eldercare")
    method = models.CharField(max_length=20, blank=True, default="")
    note = models.CharField(max_length=200, blank=True, default="")
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    booked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    posting = models.OneToOneField(Posting, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["provider", "kind"], name="transfer_provider"),
            models.Index(fields=["elder"], name="transfer_elder"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="transfer_positive"),
            models.CheckConstraint(
                condition=~Q(kind__in=["advance", "advance_return"])
                | Q(booked_by=None)
                | ~Q(booked_by=F("proposed_by")),
                name="transfer_two_persons",
            ),
        ]
        triggers = fixed(
            "kind", "payer", "provider_id", "amount_fen", "business", "posting_id", once="OLD.posting_id IS NOT NULL",
            may_go="OLD.posting_id IS NULL",
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_fen}"
