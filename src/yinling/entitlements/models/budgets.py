"""Money that is put aside, and what schemes and entitlements take of it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.entitlements.models.schemes import Entitlement, Scheme
from yinling.ground.models import Scoped, ScopedQuerySet, Versioned
from yinling.kernel.words import N_

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


class Budget(Scoped, Versioned):
    """The money and the places that an area has for a scheme in a year, and how much of them is given out.

    Nothing set is no limit. A new limit is proposed by one person (``proposed_*``) and put in force by another.
    """

    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="+")
    line = models.ForeignKey(BudgetLine, models.PROTECT, null=True, blank=True, related_name="+")
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
    """What an entitlement takes from a budget: one place, and the most it can cost in that year; ``paid_fen`` is what of a once-only sum was paid."""

    budget = models.ForeignKey(Budget, models.PROTECT, related_name="commitments")
    entitlement = models.ForeignKey(Entitlement, models.PROTECT, related_name="commitments")
    amount_fen = models.BigIntegerField()
    heads = models.PositiveSmallIntegerField(default=1)
    paid_fen = models.BigIntegerField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["budget", "entitlement"], name="commitment_once"),
            models.CheckConstraint(condition=Q(amount_fen__gte=0, heads__lte=1), name="commitment_sane"),
        ]

    def __str__(self) -> str:
        return f"{self.budget_id} {self.entitlement_id}"
