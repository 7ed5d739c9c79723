"""Who may have what at whose cost. Orders and settlement read nothing else about funding."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from yinling.ground.models import DatedFact, Scoped, ScopedQuerySet, Versioned, no_overlap
from yinling.people.models import Elder

PAYERS = [
    ("state_care", "特困供养"), ("contract", "家医签约"), ("ltci", "长期护理保险"), ("medical_insurance", "基本医保"), ("government", "政府购买"),
    ("voucher", "消费补贴券"), ("meal_subsidy", "助餐补贴"), ("disability", "残疾补贴"), ("veteran", "优抚"), ("commercial", "商业保险"),
    ("donation", "慈善捐赠"), ("employer", "单位"), ("self", "个人自付"),
]  # fmt: skip


class Scheme(models.Model):
    """A policy that pays: its payer, fund and the families of items it covers. Its amounts are dated parameters ``scheme.<code>.*``."""

    code = models.CharField(max_length=30, unique=True)
    name = models.CharField(max_length=80)
    payer = models.CharField(max_length=20, choices=PAYERS)
    fund = models.CharField(max_length=30)
    families = models.JSONField(default=list)
    div = models.CharField(max_length=12, db_collation="C")
    document = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Entitlement(Scoped, Versioned, DatedFact):
    """What one elder may have of one scheme: share of the price in 1/10000 and the most a month, in fen."""

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="+")
    share_bp = models.PositiveSmallIntegerField()
    monthly_cap_fen = models.BigIntegerField(null=True, blank=True)
    basis = models.CharField(max_length=200)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["elder"], name="entitlement_elder")]
        constraints = [
            no_overlap("entitlement_no_overlap", "elder", "scheme"),
            models.CheckConstraint(condition=Q(share_bp__lte=10000), name="entitlement_share"),
        ]

    def __str__(self) -> str:
        return f"{self.scheme_id} {self.elder_id}"


class Quota(Scoped):
    """The counter of an entitlement in one month: the cap, what placed orders reserve and what settlement used (D-19)."""

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    entitlement = models.ForeignKey(Entitlement, models.PROTECT, related_name="+")
    month = models.DateField()
    cap_fen = models.BigIntegerField()
    reserved_fen = models.BigIntegerField(default=0)
    used_fen = models.BigIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entitlement", "month"], name="quota_once"),
            models.CheckConstraint(condition=Q(reserved_fen__gte=0, used_fen__gte=0), name="quota_not_negative"),
            models.CheckConstraint(condition=Q(cap_fen__gte=F("reserved_fen") + F("used_fen")), name="quota_cap"),
        ]

    def __str__(self) -> str:
        return f"{self.entitlement_id} {self.month}"
