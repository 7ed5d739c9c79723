"""Who may have what at whose cost. Orders and settlement read nothing else about funding."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.assessment.models import Assessment
from yinling.directory.models import Organisation
from yinling.entitlements.states import APPLICATION, OBJECTION, OPEN
from yinling.ground.guards import append_only, state_check, state_field, state_guards
from yinling.ground.models import DatedFact, Scoped, ScopedQuerySet, Sealed, StoredFile, Versioned, no_overlap
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.inputs import CAPACITIES
from yinling.people.models import Elder, Household, Representative
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


class Quota(Scoped):
    """The counter of one limit of an entitlement in one of its periods: what placed orders reserve and what settlement used (D-19).

    ``unit`` is ``fen``, ``visit``, ``minute``, a unit of an item (``lunch``) or ``item:<code>``; ``from_on`` the first day of the period.
    """

    PERIODS = [("day", N_("日")), ("week", N_("周")), ("month", N_("月")), ("year", N_("年")), ("span", N_("全程"))]

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    entitlement = models.ForeignKey(Entitlement, models.PROTECT, related_name="+")
    unit = models.CharField(max_length=30, default="fen")
    per = models.CharField(max_length=5, choices=PERIODS, default="month")
    from_on = models.DateField()
    cap = models.BigIntegerField()
    reserved = models.BigIntegerField(default=0)
    used = models.BigIntegerField(default=0)

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

    ``items`` are the codes it covers (none: all); ``monthly_count`` is what may be bought a month (R-PAY-09, R-PAY-17, R-LTC-05).
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


class PublicNotice(Scoped):
    """A list of applications as it hangs from day to day for everybody to object to. It names nobody in full and gives no reason.

    Everybody may read it; nobody changes it. ``lines`` are as published: number, masked name, community, what is to be given.
    """

    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="+")
    place = models.CharField(max_length=100)
    from_on = models.DateField()
    last_day = models.DateField()
    lines = models.JSONField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div", "last_day"], name="public_notice_div")]
        constraints = [
            models.CheckConstraint(condition=Q(last_day__gte=F("from_on")), name="public_notice_days"),
        ]
        triggers = append_only()

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"G-{self.from_on:%y%m%d}-{self.pk:04d}"

    def __str__(self) -> str:
        return self.code


class Application(Scoped, Versioned):
    """What an elder asks of a scheme: who signed in which capacity, what the rule said, who reviewed and who decided.

    ``verdict`` is what the rule said on the day of the application, ``decision`` on the day of the decision, with the document and the
    clause. A decision that used an assessment names the result and the version of its scale (R-ASM-03). ``stage_on`` is the day on which
    the present state began, ``due_on`` the last day for the step that comes next. ``rank`` and ``queued_at`` are the place on the waiting
    list.
    """

    merge_bar = MergeBar(
        "merge.applications",
        N_("两份档案都有正在办理的同一项申请。请先撤回其中一份的申请，再合并"),
        alike=("scheme",),
        states=tuple(OPEN),
    )

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    household = models.ForeignKey(Household, models.PROTECT, related_name="+")
    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="+")
    state = state_field(APPLICATION)
    applied_at = models.DateTimeField()
    applied_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    applied_as = models.CharField(max_length=10, choices=CAPACITIES)
    signed_by = models.CharField(max_length=40)
    representative = models.ForeignKey(Representative, models.PROTECT, null=True, blank=True, related_name="+")
    proof = models.CharField(max_length=200, blank=True)
    declared = models.CharField(max_length=500, blank=True)
    verdict = models.JSONField()
    grade = models.CharField(max_length=80, blank=True)
    assessment = models.ForeignKey(Assessment, models.PROTECT, null=True, blank=True, related_name="+")
    scale_version = models.CharField(max_length=60, blank=True)
    share_bp = models.PositiveSmallIntegerField(null=True, blank=True)
    monthly_cap_fen = models.BigIntegerField(null=True, blank=True)
    once_fen = models.BigIntegerField(null=True, blank=True)
    stage_on = models.DateField()
    due_on = models.DateField(null=True, blank=True)
    is_due_provisional = models.BooleanField(default=False)
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    findings = models.CharField(max_length=500, blank=True)
    checks = models.JSONField(default=list, blank=True)
    notice = models.ForeignKey(PublicNotice, models.PROTECT, null=True, blank=True, related_name="+")
    rank = models.PositiveSmallIntegerField(default=1)
    queued_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.JSONField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    appeal_until = models.DateField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div", "state", "-id"], name="application_div"),
            models.Index(fields=["elder"], name="application_elder"),
            models.Index(fields=["household", "scheme"], name="application_household"),
            models.Index(fields=["due_on"], condition=Q(due_on__isnull=False), name="application_due"),
            models.Index(
                fields=["scheme", "rank", "queued_at"], condition=Q(state="waiting"), name="application_waiting"
            ),
        ]
        constraints = [
            state_check(APPLICATION, "application_state"),
            models.UniqueConstraint(
                fields=["elder", "scheme"],
                condition=Q(state__in=[str(one) for one in OPEN]),
                name="application_open_once",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(decided_by__isnull=False), name="application_decided"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | Q(reviewed_by=None) | ~Q(decided_by=F("reviewed_by")),
                name="application_two_persons",
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(queued_at__isnull=False), name="application_queued"
            ),
        ]
        triggers = state_guards(APPLICATION)

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"A-{local_date(self.applied_at):%y%m%d}-{self.pk:04d}"

    def __str__(self) -> str:
        return self.code


class Paper(Scoped):
    """A paper handed in with an application: what it is, and its picture."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="papers")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    title = models.CharField(max_length=80)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["elder"], name="paper_elder")]

    def __str__(self) -> str:
        return f"{self.application_id} {self.title}"


class Objection(Scoped, Versioned, Sealed):
    """What somebody says against an application while its notice hangs. Who and what are sealed; another person decides."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="objections")
    state = state_field(OBJECTION)
    name_enc = models.BinaryField(null=True)
    phone_enc = models.BinaryField(null=True)
    text_enc = models.BinaryField(null=True)
    raised_at = models.DateTimeField()
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    due_on = models.DateField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            state_check(OBJECTION, "objection_state"),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("entered_by")), name="objection_two_persons"
            ),
        ]
        triggers = state_guards(OBJECTION)

    def __str__(self) -> str:
        return f"{self.application_id} {self.state}"


class Budget(Scoped, Versioned):
    """The money and the places that an area has for a scheme in a year, and how much of them is given out.

    Nothing set is no limit. A new limit is proposed by one person (``proposed_*``) and put in force by another.
    """

    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="+")
    line = models.ForeignKey("BudgetLine", models.PROTECT, null=True, blank=True, related_name="+")
    year = models.PositiveSmallIntegerField()
    amount_fen = models.BigIntegerField(null=True, blank=True)
    heads = models.PositiveIntegerField(null=True, blank=True)
    committed_fen = models.BigIntegerField(default=0)
    committed_heads = models.PositiveIntegerField(default=0)
    document = models.CharField(max_length=200)
    is_in_force = models.BooleanField(default=False)
    proposed_fen = models.BigIntegerField(null=True, blank=True)
    proposed_heads = models.PositiveIntegerField(null=True, blank=True)
    proposed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scheme", "div", "year"], name="budget_once"),
            models.CheckConstraint(condition=Q(committed_fen__gte=0), name="budget_not_negative"),
            models.CheckConstraint(
                condition=Q(amount_fen=None) | Q(amount_fen__gte=F("committed_fen")), name="budget_amount"
            ),
            models.CheckConstraint(condition=Q(heads=None) | Q(heads__gte=F("committed_heads")), name="budget_heads"),
            models.CheckConstraint(
                condition=Q(proposed_by=None) | Q(confirmed_by=None) | ~Q(proposed_by=F("confirmed_by")),
                name="budget_two_persons",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scheme_id} {self.div} {self.year}"


class Commitment(Scoped):
    """What an entitlement takes from a budget: one place, and the most it can cost in that year."""

    budget = models.ForeignKey(Budget, models.PROTECT, related_name="commitments")
    entitlement = models.ForeignKey(Entitlement, models.PROTECT, related_name="commitments")
    amount_fen = models.BigIntegerField()
    heads = models.PositiveSmallIntegerField(default=1)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["budget", "entitlement"], name="commitment_once"),
            models.CheckConstraint(condition=Q(amount_fen__gte=0, heads__lte=1), name="commitment_sane"),
        ]

    def __str__(self) -> str:
        return f"{self.budget_id} {self.entitlement_id}"


class Recheck(Scoped):
    """Somebody looked whether a holder still meets the conditions: kept or ended, with the reason."""

    OUTCOMES = [("keep", N_("继续享受")), ("end", N_("终止"))]

    entitlement = models.ForeignKey(Entitlement, models.PROTECT, related_name="rechecks")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    due_on = models.DateField(null=True)
    outcome = models.CharField(max_length=4, choices=OUTCOMES)
    findings = models.CharField(max_length=500)
    checked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    checked_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["elder"], name="recheck_elder")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.entitlement_id} {self.outcome}"


FUNDS = [
    ("lottery", N_("福利彩票公益金")), ("general", N_("一般公共预算")), ("central_subsidy", N_("中央补助资金")), ("civil_affairs", N_("民政资金")),
    ("insurance", N_("长期护理保险基金")), ("medical_insurance", N_("基本医保基金")), ("public_health", N_("基本公共卫生经费")),
    ("unemployment_skill", N_("失业保险基金支持职业技能提升行动资金")), ("donation", N_("慈善捐赠")), ("time_bank", N_("时间银行")),
    ("employer", N_("单位资金")), ("contract", N_("家医签约资金")), ("commercial", N_("商业保险")), ("personal", N_("个人资金")),
]  # fmt: skip
"""Where money comes from. It is kept with every payment, also where money is pooled (R-FUN-03)."""

PURPOSES = [
    ("home_care", N_("居家养老")), ("elder_care", N_("其他养老服务")), ("platform", N_("平台建设与运营")), ("training", N_("人员培训")),
    ("welfare", N_("其他社会福利")),
]  # fmt: skip


class BudgetLine(Scoped, Versioned):
    """Money that one level puts aside in one year from one fund for one purpose: planned, then approved (after audit) by another person.

    What is spent never exceeds the approved amount. A budget of a scheme, a subsidy and a project draw on it.
    """

    LEVELS = [("city", N_("市级")), ("county", N_("县（区）级")), ("street", N_("镇（街）级"))]

    level = models.CharField(max_length=6, choices=LEVELS)
    year = models.PositiveSmallIntegerField()
    fund = models.CharField(max_length=30, choices=FUNDS)
    purpose = models.CharField(max_length=12, choices=PURPOSES)
    name = models.CharField(max_length=100)
    planned_fen = models.BigIntegerField()
    approved_fen = models.BigIntegerField(null=True, blank=True)
    spent_fen = models.BigIntegerField(default=0)
    document = models.CharField(max_length=200)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div", "year"], name="budget_line_div")]
        constraints = [
            models.UniqueConstraint(fields=["div", "year", "fund", "name"], name="budget_line_once"),
            models.CheckConstraint(condition=Q(planned_fen__gte=0, spent_fen__gte=0), name="budget_line_not_negative"),
            models.CheckConstraint(
                condition=Q(spent_fen=0) | Q(approved_fen__gte=F("spent_fen")), name="budget_line_not_overspent"
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("proposed_by")), name="budget_line_two_persons"
            ),
            models.CheckConstraint(
                condition=Q(approved_fen=None, approved_by=None)
                | Q(approved_fen__isnull=False, approved_by__isnull=False),
                name="budget_line_approved_pair",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.year}"
