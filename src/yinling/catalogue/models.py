"""What can be ordered: the 5+X list, its items, and what each organisation asks for them on which day."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import Q

from yinling.accounts.models import User
from yinling.catalogue.states import PRICE_LIST
from yinling.directory.models import Organisation
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import DatedFact, Versioned, no_overlap
from yinling.kernel.period import local_date

FAMILIES = [
    ("meal", "助餐"), ("daily_care", "生活照料"), ("rehab_nursing", "康复护理"), ("rescue", "紧急救援"), ("comfort", "精神慰藉"),
    ("cleaning", "助洁"), ("bathing", "助浴"), ("escort", "助医"), ("nursing", "居家护理"), ("medical", "上门医疗"),
]  # fmt: skip
ITEM_KINDS = [("service", "服务"), ("scale_assessment", "量表评估")]
BASIC = ("meal", "daily_care", "rehab_nursing", "rescue", "comfort")


class ServiceItem(Versioned):
    """An item of the list: what is done in which steps and minutes, who may do it, and by which standard.

    ``effective_on`` holds, for each published text that was changed, the day from which it holds (R-ORD-10). An item of the kind
    ``scale_assessment`` is an assessment with the clinical scales it names, priced and counted as such (R-ASM-12).
    """

    KINDS = ITEM_KINDS

    code = models.CharField(max_length=20, unique=True)
    family = models.CharField(max_length=20, choices=FAMILIES)
    kind = models.CharField(max_length=20, choices=KINDS, default="service")
    scales = models.JSONField(default=list, blank=True)
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=300)
    standard = models.CharField(max_length=200)
    standard_minutes = models.PositiveSmallIntegerField()
    steps = models.JSONField(default=list)
    needs_qualification = models.CharField(max_length=20)
    carers_needed = models.PositiveSmallIntegerField(default=1)
    is_medical = models.BooleanField(default=False)
    charges_callout = models.BooleanField(default=False)
    department = models.CharField(max_length=60)
    guide = models.CharField(max_length=500, blank=True)
    support_policy = models.CharField(max_length=300, blank=True)
    is_active = models.BooleanField(default=True)
    effective_on = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="service", scales=[]) | (Q(kind="scale_assessment") & ~Q(scales=[])),
                name="item_kind_scales",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def effective(self, name: str) -> date:
        """The day from which a published text holds; one never changed holds since the item stands in the list."""
        stored = self.effective_on.get(name)
        return date.fromisoformat(stored) if stored else local_date(self.created_at)


class PriceList(Versioned):
    """A price list of an organisation: on what basis, drafted by one person, published by another."""

    BASES = [("approved", "价格主管部门核定"), ("tender", "招标确定"), ("market", "市场调节")]

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    state = state_field(PRICE_LIST)
    basis = models.CharField(max_length=10, choices=BASES)
    document = models.CharField(max_length=120)
    drafted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    published_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            state_check(PRICE_LIST, "price_list_state"),
            models.CheckConstraint(condition=~Q(drafted_by=models.F("published_by")), name="price_list_two_persons"),
        ]
        triggers = state_guards(PRICE_LIST)

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.document}"


class Price(DatedFact):
    """What an organisation asks for an item, in fen, on which days; ``callout_fee_fen`` is asked once a visit.

    The price of a draft was on record for no moment (``recorded_to`` = ``recorded_from``); publishing puts it on record.
    """

    price_list = models.ForeignKey(PriceList, models.PROTECT, related_name="prices")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    item = models.ForeignKey(ServiceItem, models.PROTECT, related_name="+")
    amount_fen = models.BigIntegerField()
    callout_fee_fen = models.BigIntegerField(default=0)
    unit = models.CharField(max_length=20, default="次")

    class Meta:
        indexes = [models.Index(fields=["item", "organisation"], name="price_item")]
        constraints = [
            no_overlap("price_no_overlap", "organisation", "item"),
            models.CheckConstraint(condition=Q(amount_fen__gte=0, callout_fee_fen__gte=0), name="price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} {self.amount_fen}"
