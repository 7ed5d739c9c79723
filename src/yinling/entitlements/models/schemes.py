"""Schemes, what an elder has of them, what binds providers to payers, and the counters of all their limits."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from yinling.directory.models import Organisation
from yinling.ground.models import DatedFact, Scoped, ScopedQuerySet, Versioned, no_overlap
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.rules import MergeBar

PAYERS = [
    ("state_care", "特困供养"), ("contract", "家医签约"), ("ltci", "长期护理保险"), ("medical_insurance", "基本医保"), ("government", "政府购买"),
    ("voucher", "消费补贴券"), ("meal_subsidy", "助餐补贴"), ("disability", "残疾补贴"), ("veteran", "优抚"), ("commercial", "商业保险"),
    ("donation", "慈善捐赠"), ("employer", "单位"), ("self", "个人自付"),
]  # fmt: skip


class Scheme(models.Model):
    """A policy of one area: its payer, fund and the families of items it covers. Conditions and amounts are the dated parameter
    ``scheme.<code>.grades``. ``reckoned_on`` is the day of its list of standings, ``reckoned_counts`` their numbers by district.
    """

    code = models.CharField(max_length=30)
    name = models.CharField(max_length=80)
    payer = models.CharField(max_length=20, choices=PAYERS)
    fund = models.CharField(max_length=30)
    families = models.JSONField(default=list)
    div = models.CharField(max_length=12, db_collation="C")
    document = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    reckoned_on = models.DateField(null=True, blank=True)
    reckoned_counts = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "div"], name="scheme_once")]

    def __str__(self) -> str:
        return self.name


class Entitlement(Scoped, Versioned, DatedFact):
    """What one elder may have of one scheme: a share of the price in 1/10000, fixed sums by unit, or a sum paid once, within limits.

    ``units`` are fen for one unit that an item has (a nurse's visit, a lunch); ``limits`` a list of ``{unit, per, most}`` besides the
    monthly cap (``rules.Limit``). ``items`` narrows it to item codes and says of each what it funds and how often:
    ``{code: {funds: item | visit, count: n | null}}`` (D-08); nothing means every item of the families of the scheme.

    It comes from an approved application, from another department or from a programme (``application`` none, ``source`` a plain reference
    such as ``family_doctor.contract:7``). ``recheck_on`` is the day by which somebody looks again; ``ended_reason`` says why it ended
    before its time.
    """

    merge_bar = MergeBar(
        "merge.entitlements", N_("两份档案都有正在享受的同一项待遇。请先终止其中一份的待遇，再合并"), alike=("scheme",)
    )

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="+")
    share_bp = models.PositiveSmallIntegerField()
    monthly_cap_fen = models.BigIntegerField(null=True, blank=True)
    once_fen = models.BigIntegerField(null=True, blank=True)
    units = models.JSONField(default=dict, blank=True)
    limits = models.JSONField(default=list, blank=True)
    items = models.JSONField(default=dict, blank=True)
    source = models.CharField(max_length=60, blank=True, default="")
    basis = models.CharField(max_length=200)
    application = models.ForeignKey("Application", models.PROTECT, null=True, blank=True, related_name="entitlements")
    recheck_on = models.DateField(null=True, blank=True)
    ended_reason = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["elder"], name="entitlement_elder"),
            models.Index(fields=["scheme", "valid_to"], name="entitlement_scheme"),
        ]
        constraints = [
            no_overlap("entitlement_no_overlap", "elder", "scheme"),
            models.CheckConstraint(condition=Q(share_bp__lte=10000), name="entitlement_share"),
        ]

    def __str__(self) -> str:
        return f"{self.scheme_id} {self.elder_id}"


class Counter(models.Model):
    """What placed orders reserve of a limit in one of its periods, and what settlement used (D-19); ``from_on`` is the period's first day."""

    PERIODS = [("day", N_("日")), ("week", N_("周")), ("month", N_("月")), ("year", N_("年")), ("span", N_("全程"))]

    unit = models.CharField(max_length=30, default="fen")
    per = models.CharField(max_length=5, choices=PERIODS, default="month")
    from_on = models.DateField()
    cap = models.BigIntegerField()
    reserved = models.BigIntegerField(default=0)
    used = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class Quota(Counter, Scoped):
    """The counter of one limit of an entitlement.

    ``unit`` is ``fen``, ``visit``, ``minute``, a unit of an item (``lunch``) or ``item:<code>``.
    """

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    entitlement = models.ForeignKey(Entitlement, models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entitlement", "unit", "per", "from_on"], name="quota_once"),
            models.CheckConstraint(condition=Q(reserved__gte=0, used__gte=0), name="quota_not_negative"),
            models.CheckConstraint(condition=Q(cap__gte=F("reserved") + F("used")), name="quota_cap"),
        ]

    def __str__(self) -> str:
        return f"{self.entitlement_id} {self.unit} {self.from_on}"


class Agreement(DatedFact):
    """What binds a provider to a payer: a designation (定点协议), a purchase of service, or a co-operation with its sources of money.

    ``items`` are the codes it covers (none: all); ``monthly_count`` and ``monthly_fen`` are what may be bought a month, over all elders
    (R-PAY-09, R-PAY-17, R-LTC-05).
    """

    KINDS = [("designation", N_("定点协议")), ("purchase", N_("政府购买合同")), ("cooperation", N_("医养合作协议"))]
    SOURCES = [
        ("civil_affairs", N_("民政补助")), ("insurance", N_("医保支持")), ("public_health", N_("基本公卫补充")), ("purchase", N_("机构购买")),
    ]  # fmt: skip

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    partner = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=12, choices=KINDS)
    payer = models.CharField(max_length=20, choices=PAYERS, blank=True, default="")
    number = models.CharField(max_length=60)
    items = models.JSONField(default=list, blank=True)
    sources = models.JSONField(default=list, blank=True)
    monthly_count = models.PositiveIntegerField(null=True, blank=True)
    monthly_fen = models.BigIntegerField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organisation", "payer"], name="agreement_organisation")]
        constraints = [
            no_overlap("agreement_no_overlap", "organisation", "kind", "payer", "number"),
            models.CheckConstraint(condition=Q(kind="cooperation") | ~Q(payer=""), name="agreement_payer"),
        ]

    def __str__(self) -> str:
        return self.number


class AgreementQuota(Counter):
    """The counter of what is bought under an agreement in a month: ``time`` (an item of an order) or ``fen``.

    It counts over all elders, whoever orders, and names nobody: a public fact about a body, as the agreement is.
    """

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="quotas")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "unit", "per", "from_on"], name="agreement_quota_once"),
            models.CheckConstraint(condition=Q(reserved__gte=0, used__gte=0), name="agreement_quota_not_negative"),
            models.CheckConstraint(condition=Q(cap__gte=F("reserved") + F("used")), name="agreement_quota_cap"),
        ]

    def __str__(self) -> str:
        return f"{self.agreement_id} {self.unit} {self.from_on}"


class Standing(Scoped):
    """Where an elder stood under a scheme when its list was last reckoned: who fits it or holds it has a row.

    ``grade`` is the place of the grade that fits, nothing if none does. Written by the nightly round only; a page about one elder asks
    the rule itself.
    """

    scheme = models.ForeignKey(Scheme, models.CASCADE, related_name="+")
    elder = models.ForeignKey(Elder, models.CASCADE, related_name="+")
    grade = models.PositiveSmallIntegerField(null=True, blank=True)
    is_held = models.BooleanField(default=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["scheme", "div", "elder"], name="standing_candidate", condition=Q(is_held=False)),
            models.Index(fields=["scheme", "div", "elder"], name="standing_lost", condition=Q(grade=None)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["elder", "scheme"], name="standing_once"),
            models.CheckConstraint(condition=Q(grade__isnull=False) | Q(is_held=True), name="standing_says_something"),
        ]

    def __str__(self) -> str:
        return f"{self.scheme_id} {self.elder_id}"
