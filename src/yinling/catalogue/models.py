"""What can be ordered: the 5+X list, its items, and what each organisation asks for them on which day."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import Q

from yinling.accounts.models import User
from yinling.catalogue.states import PRICE_LIST
from yinling.directory.models import PRICE_GROUPS, Organisation
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import DatedFact, Versioned, no_overlap
from yinling.kernel.period import local_date

FAMILIES = [
    ("meal", "助餐"), ("daily_care", "生活照料"), ("rehab_nursing", "康复护理"), ("rescue", "紧急救援"), ("comfort", "精神慰藉"),
    ("cleaning", "助洁"), ("bathing", "助浴"), ("escort", "助医"), ("nursing", "居家护理"), ("medical", "上门医疗"),
]  # fmt: skip
ITEM_KINDS = [
    ("service", "服务"), ("scale_assessment", "量表评估"), ("drug", "药品"), ("consumable", "耗材"), ("bed_day", "床日"), ("fee", "费用"),
]  # fmt: skip
MEAL_FORMS = [("making", "制餐"), ("sharing", "配餐"), ("dining", "就餐"), ("delivery", "送餐")]
"""The units of a meal that say in which form it comes (R-MEA-07)."""
BASIC = ("meal", "daily_care", "rehab_nursing", "rescue", "comfort")


class ServiceItem(Versioned):
    """An item of the list: what is done in which steps and minutes, who may do it, and by which standard.

    ``effective_on`` holds, for each published text that was changed, the day from which it holds (R-ORD-10). An item of the kind
    ``scale_assessment`` is an assessment with the clinical scales it names, priced and counted as such (R-ASM-12). Drugs and consumables go
    with a service (R-PAY-01). ``units`` are what schemes pay by: ``nurse_visit``, ``lunch``, ``delivery``, ``bed_day``. Basic insurance pays
    only for what ``is_insurable`` (R-PAY-15). Nobody is sent for what does not ``needs_visit``: bed-days, fees of contracts, goods, a meal
    that the elder comes for.
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
    is_insurable = models.BooleanField(default=False)
    needs_visit = models.BooleanField(default=True)
    units = models.JSONField(default=list, blank=True)
    charges_callout = models.BooleanField(default=False)
    department = models.CharField(max_length=60)
    guide = models.CharField(max_length=500, blank=True)
    support_policy = models.CharField(max_length=300, blank=True)
    is_active = models.BooleanField(default=True)
    effective_on = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(~Q(kind="scale_assessment") & Q(scales=[])) | (Q(kind="scale_assessment") & ~Q(scales=[])),
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
    """A price list of one organisation, or of all of a price group in an area: on what basis, drafted by one person, published by another.

    An organisation's own price goes before the one of its group (R-PAY-02). ``document`` is the number of the approval or the tender,
    ``document_on`` its day (R-PAY-07).
    """

    BASES = [("approved", "价格主管部门核定"), ("tender", "招标确定"), ("market", "市场调节")]

    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    price_group = models.CharField(max_length=20, choices=PRICE_GROUPS, blank=True, default="")
    div = models.CharField(max_length=12, db_collation="C", blank=True, default="")
    state = state_field(PRICE_LIST)
    basis = models.CharField(max_length=10, choices=BASES)
    document = models.CharField(max_length=120)
    document_on = models.DateField(null=True, blank=True)
    drafted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    published_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            state_check(PRICE_LIST, "price_list_state"),
            models.CheckConstraint(condition=~Q(drafted_by=models.F("published_by")), name="price_list_two_persons"),
            models.CheckConstraint(
                condition=Q(organisation__isnull=False, price_group="")
                | (Q(organisation=None) & ~Q(price_group="") & ~Q(div="")),
                name="price_list_whose",
            ),
        ]
        triggers = state_guards(PRICE_LIST)

    @property
    def owner(self) -> str:
        """Whose list it is, in words: one body, or all of a group."""
        return self.organisation.short_name if self.organisation else str(self.get_price_group_display())

    @property
    def title(self) -> str:
        """What it is called: the number of its document, or what a list without one is."""
        return self.document or f"{self.get_basis_display()} {local_date(self.created_at)}"

    def __str__(self) -> str:
        return f"{self.organisation_id or self.price_group} {self.document}"


class Price(DatedFact):
    """What an organisation, or each of a price group in an area, asks for an item, in fen, on which days.

    ``callout_fee_fen`` is the base of the call-out fee, asked once a visit; distance, night, holiday and level of staff come from the
    ``CalloutRate`` of the organisation.

    The price of a draft was on record for no moment (``recorded_to`` = ``recorded_from``); publishing puts it on record.
    """

    price_list = models.ForeignKey(PriceList, models.PROTECT, related_name="prices")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    price_group = models.CharField(max_length=20, choices=PRICE_GROUPS, blank=True, default="")
    div = models.CharField(max_length=12, db_collation="C", blank=True, default="")
    item = models.ForeignKey(ServiceItem, models.PROTECT, related_name="+")
    amount_fen = models.BigIntegerField()
    callout_fee_fen = models.BigIntegerField(default=0)
    unit = models.CharField(max_length=20, default="次")

    class Meta:
        indexes = [models.Index(fields=["item", "organisation"], name="price_item")]
        constraints = [
            no_overlap("price_no_overlap", "organisation", "item"),
            no_overlap("price_group_no_overlap", "price_group", "div", "item", condition=Q(organisation=None)),
            models.CheckConstraint(
                condition=Q(organisation__isnull=False, price_group="")
                | (Q(organisation=None) & ~Q(price_group="") & ~Q(div="")),
                name="price_whose",
            ),
            models.CheckConstraint(condition=Q(amount_fen__gte=0, callout_fee_fen__gte=0), name="price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} {self.amount_fen}"


class CalloutRate(DatedFact):
    """What a visit costs above the base of its items (R-PAY-03): started kilometres beyond the free distance, night, holiday, level of staff.

    It is drafted and published with a price list. Night is from ``night_from`` to ``night_to`` o'clock, local. ``level_fen`` says fen by
    needed qualification; ``distances`` a published table of metres by division, which replaces the straight line.
    """

    price_list = models.ForeignKey(PriceList, models.PROTECT, related_name="rates")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    base_fen = models.BigIntegerField(default=0)
    free_m = models.PositiveIntegerField(default=0)
    km_fen = models.BigIntegerField(default=0)
    night_fen = models.BigIntegerField(default=0)
    night_from = models.PositiveSmallIntegerField(default=20)
    night_to = models.PositiveSmallIntegerField(default=7)
    holiday_fen = models.BigIntegerField(default=0)
    level_fen = models.JSONField(default=dict, blank=True)
    distances = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            no_overlap("callout_rate_no_overlap", "organisation"),
            models.CheckConstraint(
                condition=Q(base_fen__gte=0, km_fen__gte=0, night_fen__gte=0, holiday_fen__gte=0),
                name="callout_rate_not_negative",
            ),
            models.CheckConstraint(condition=Q(night_from__lte=23, night_to__lte=23), name="callout_rate_night"),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.base_fen}"


class Package(Versioned, DatedFact):
    """A bundle at one price for a year: which items, how often, whether a line funds the item or the whole visit (D-08, R-FAM-03).

    ``audience`` says for whom it is made; ``lines`` are ``[{item, count, funds}]``.
    """

    PAYERS = [
        ("medical_insurance", "基本医保"), ("government", "政府购买"), ("employer", "单位"), ("donation", "慈善捐赠"), ("self", "个人自付"),
    ]  # fmt: skip
    AUDIENCES = [
        ("healthy", "健康老年人"),
        ("chronic", "慢性病老年人"),
        ("disabled", "失能老年人"),
        ("all", "所有老年人"),
    ]

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    div = models.CharField(max_length=12, db_collation="C")
    audience = models.CharField(max_length=10, choices=AUDIENCES)
    lines = models.JSONField(default=list)
    price_fen = models.BigIntegerField()
    payers = models.JSONField(default=list)
    document = models.CharField(max_length=120)
    drafted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    published_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            no_overlap("package_no_overlap", "code", "div"),
            models.CheckConstraint(condition=Q(price_fen__gte=0), name="package_not_negative"),
            models.CheckConstraint(condition=~Q(drafted_by=models.F("published_by")), name="package_two_persons"),
        ]

    def __str__(self) -> str:
        return self.name
