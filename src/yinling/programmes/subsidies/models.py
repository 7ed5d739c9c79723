"""Money for organisations and projects, what it was spent on, and donations."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.directory.models import Organisation
from yinling.entitlements.models import PURPOSES, BudgetLine
from yinling.ground.guards import append_only, state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Versioned
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.programmes.subsidies.states import SUBSIDY
from yinling.settlement.models import Posting, Revocable


class Subsidy(Revocable):
    """Money for one organisation (or a project) for the results of one year, booked in ``booking_year`` on one budget line.

    The amount comes from the dated parameter ``subsidy.<kind>`` of the area and ``facts`` (opened on, meal days, class of place), never
    from a form. ``reasons`` say how. A project without a rate books approved amounts of its line.
    """

    MACHINE, AUTHOR, TOPIC = SUBSIDY, "entered_by", "budgets"

    KINDS = [
        ("canteen", N_("幸福食堂补助")), ("award_township", N_("镇（街）示范中心奖补")), ("award_village", N_("村（社区）示范站点奖补")),
        ("model", N_("示范机构奖补")), ("building", N_("建设补贴")), ("operating", N_("运营补贴")), ("training", N_("培训补贴")),
        ("project", N_("项目经费")),
    ]  # fmt: skip

    kind = models.CharField(max_length=16, choices=KINDS)
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    state = state_field(SUBSIDY)
    line = models.ForeignKey(BudgetLine, models.PROTECT, related_name="+")
    result_year = models.PositiveSmallIntegerField()
    booking_year = models.PositiveSmallIntegerField()
    part = models.CharField(max_length=40, blank=True, default="")
    amount_fen = models.BigIntegerField()
    facts = models.JSONField(default=dict)
    reasons = models.JSONField(default=list)
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    posting = models.OneToOneField(Posting, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta(Revocable.Meta):
        indexes = [
            models.Index(fields=["div", "booking_year"], name="subsidy_div"),
            models.Index(fields=["provider"], name="subsidy_provider"),
            models.Index(fields=["line"], name="subsidy_line"),
        ]
        constraints = [
            *Revocable.Meta.constraints,
            state_check(SUBSIDY, "subsidy_state"),
            models.UniqueConstraint(
                fields=["kind", "provider", "result_year", "part", "line"],
                condition=~Q(state__in=["returned", "revoked"]),
                nulls_distinct=False,
                name="subsidy_once",
            ),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="subsidy_positive"),
            models.CheckConstraint(
                condition=Q(recovered_fen__gte=0, recovered_fen__lte=F("amount_fen")), name="subsidy_recovered"
            ),
        ]
        triggers = state_guards(SUBSIDY)

    @property
    def decided_in(self) -> str:
        """The level that pays decides."""
        return self.line.div

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"U-{local_date(self.created_at):%y%m}-{self.pk:04d}"

    @property
    def granted_fen(self) -> int:
        """What the receiver gets."""
        return self.amount_fen

    def __str__(self) -> str:
        return self.code


class Spending(Scoped):
    """What a receiver spent of a subsidy, by category (R-FUN-06). Never changed; a mistake is corrected by a negative row."""

    CATEGORIES = [
        ("equipment", N_("设施设备配置")), ("services", N_("购买服务")), ("wages", N_("人员经费")), ("rent", N_("房租水电")), ("other", N_("其他")),
    ]  # fmt: skip

    subsidy = models.ForeignKey(Subsidy, models.PROTECT, related_name="spendings")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    category = models.CharField(max_length=10, choices=CATEGORIES)
    amount_fen = models.BigIntegerField()
    spent_on = models.DateField()
    text = models.CharField(max_length=200)
    voucher = models.CharField(max_length=60)
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["subsidy"], name="spending_subsidy")]
        constraints = [models.CheckConstraint(condition=~Q(amount_fen=0), name="spending_not_zero")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.category} {self.amount_fen}"


class Donation(Scoped, Versioned):
    """What was given for elder care, its purpose and its numbered receipt (R-FUN-09, R-MOD-32).

    Money raises what its budget line may spend. Goods stand in no line and no ledger: ``amount_fen`` is what they were estimated at, on
    ``basis``; ``handed_quantity`` is what of them was handed out, kept by a trigger.
    """

    MONEY, GOODS = "money", "goods"
    KINDS = [(MONEY, N_("资金")), (GOODS, N_("实物"))]

    kind = models.CharField(max_length=5, choices=KINDS, default=MONEY)
    donor = models.CharField(max_length=80)
    is_anonymous = models.BooleanField(default=False)
    amount_fen = models.BigIntegerField()
    purpose = models.CharField(max_length=12, choices=PURPOSES)
    wish = models.CharField(max_length=200, blank=True, default="")
    received_on = models.DateField()
    receipt_number = models.CharField(max_length=40, unique=True)
    line = models.ForeignKey(BudgetLine, models.PROTECT, null=True, related_name="+")
    posting = models.OneToOneField(Posting, models.PROTECT, null=True, related_name="+")
    goods = models.CharField(max_length=80, blank=True, default="")
    quantity = models.PositiveIntegerField(default=0)
    unit = models.CharField(max_length=10, blank=True, default="")
    basis = models.CharField(max_length=200, blank=True, default="")
    handed_quantity = models.IntegerField(default=0)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div", "-received_on"], name="donation_div")]
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="donation_positive"),
            models.CheckConstraint(
                condition=Q(kind="money", line__isnull=False, posting__isnull=False, quantity=0)
                | (
                    Q(kind="goods", line=None, posting=None, quantity__gt=0) & ~Q(goods="") & ~Q(unit="") & ~Q(basis="")
                ),
                name="donation_kind",
            ),
            models.CheckConstraint(
                condition=Q(handed_quantity__gte=0, handed_quantity__lte=F("quantity"))
                & (Q(withdrawn_at=None) | Q(handed_quantity=0)),
                name="donation_handed",
            ),
        ]

    def __str__(self) -> str:
        return self.receipt_number

    @property
    def left(self) -> int:
        """How much of given goods is not handed out."""
        return self.quantity - self.handed_quantity


class Handout(Scoped):
    """Donated goods handed to one elder or one body, and who signed for them. Never changed; a mistake is corrected by a negative row."""

    donation = models.ForeignKey(Donation, models.PROTECT, related_name="handouts")
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    quantity = models.IntegerField()
    handed_on = models.DateField()
    received_by = models.CharField(max_length=40)
    note = models.CharField(max_length=200, blank=True, default="")
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["donation"], name="handout_donation")]
        constraints = [
            models.CheckConstraint(condition=~Q(quantity=0), name="handout_not_zero"),
            models.CheckConstraint(
                condition=Q(elder__isnull=False, provider=None) | Q(elder=None, provider__isnull=False),
                name="handout_one",
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.donation_id} {self.quantity}"
