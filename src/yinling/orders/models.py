"""What is to be done for whom, by whom, when, at which price and at whose cost: all frozen at placing."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.catalogue.models import Price, ServiceItem
from yinling.directory.models import Organisation
from yinling.entitlements.models import PAYERS, Entitlement
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Sealed, Versioned
from yinling.hotline.models import CHANNELS, Ticket
from yinling.kernel.period import local_date
from yinling.orders.states import ORDER
from yinling.people.models import Elder

MEAL_CHANNELS = [
    ("canteen", "幸福食堂"), ("community", "社区助餐"), ("care_home", "养老机构配送餐"), ("internet", "互联网+送餐"),
]  # fmt: skip


class Order(Scoped, Versioned, Sealed):
    """One visit to be made. What the door needs (name, address, position, phone) is copied here, so that a provider sees it and no more.

    ``div`` is the division of the home at placing. ``starts_at``/``ends_at`` is the appointed time; dispatch may appoint another start
    between ``earliest_at`` and ``latest_at``, as agreed at placing. ``carers_needed`` is 2 for work that one alone cannot do.

    An order that does not ``needs_visit`` (bed-days, the fee of a contract, goods) is placed by a programme, named by ``source``, and is
    served at once; one for a meal that the elder comes for is delivered by the body. ``meal_channel`` says by which way meals come
    (R-MEA-05). ``distance_m`` and ``distance_method`` are what the call-out fee was reckoned from (R-PAY-03). ``self_pay_consent`` says who
    agreed to pay beyond a cap.
    """

    ticket = models.ForeignKey(Ticket, models.PROTECT, null=True, blank=True, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    state = state_field(ORDER)
    channel = models.CharField(max_length=10, choices=CHANNELS)
    elder_name = models.CharField(max_length=40)
    elder_sex = models.CharField(max_length=1)
    address = models.CharField(max_length=200)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    door_code = models.CharField(max_length=40, blank=True)
    phone_enc = models.BinaryField(null=True)
    wants_sex = models.CharField(max_length=1, blank=True)
    dialect = models.CharField(max_length=20, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    earliest_at = models.DateTimeField()
    latest_at = models.DateTimeField()
    carers_needed = models.PositiveSmallIntegerField(default=1)
    needs_visit = models.BooleanField(default=True)
    source = models.CharField(max_length=60, blank=True, default="")
    meal_channel = models.CharField(max_length=10, choices=MEAL_CHANNELS, blank=True, default="")
    is_urgent = models.BooleanField(default=False)
    note = models.CharField(max_length=500, blank=True)
    placed_at = models.DateTimeField(null=True, blank=True)
    accept_due_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    served_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    total_fen = models.BigIntegerField(default=0)
    self_fen = models.BigIntegerField(default=0)
    self_pay_consent = models.CharField(max_length=60, blank=True, default="")
    distance_m = models.PositiveIntegerField(null=True, blank=True)
    distance_method = models.CharField(max_length=20, blank=True, default="")
    cancel_reason = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div", "state", "starts_at"], name="order_queue"),
            models.Index(fields=["provider", "state", "starts_at"], name="order_provider"),
            models.Index(fields=["elder", "-starts_at"], name="order_elder"),
            models.Index(fields=["ticket"], name="order_ticket"),
            models.Index(fields=["starts_at"], name="order_start"),
            models.Index(
                fields=["div", "state"],
                condition=Q(state__in=["placed", "accepted", "assigned", "in_service", "served"]),
                name="order_open",
            ),
        ]
        constraints = [
            state_check(ORDER, "order_state"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="order_time"),
            models.CheckConstraint(
                condition=Q(starts_at__gte=F("earliest_at"), starts_at__lte=F("latest_at")), name="order_window"
            ),
            models.CheckConstraint(condition=Q(carers_needed__gte=1, carers_needed__lte=2), name="order_carers"),
            models.UniqueConstraint(
                fields=["source"], condition=~Q(source="") & ~Q(state="cancelled"), name="order_source_once"
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(placed_at__isnull=False) | Q(state="cancelled"), name="order_placed_pair"
            ),
        ]
        triggers = state_guards(ORDER)

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"W-{local_date(self.created_at):%y%m%d}-{self.pk:04d}"

    def __str__(self) -> str:
        return self.code


class OrderLine(Scoped):
    """One item of an order at its frozen price; the call-out fee is a line of its own. ``detail`` says how its amount came about.

    A change line was added at the door (``added_at``); it counts once the elder side has confirmed it (``confirmed_at``), before check-out
    (D-18), or is dropped.
    """

    KINDS = [("item", "项目"), ("callout", "上门服务费")]

    order = models.ForeignKey(Order, models.PROTECT, related_name="lines")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    item = models.ForeignKey(ServiceItem, models.PROTECT, related_name="+")
    price = models.ForeignKey(Price, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=KINDS)
    name = models.CharField(max_length=60)
    quantity = models.PositiveSmallIntegerField(default=1)
    minutes = models.PositiveSmallIntegerField(default=0)
    amount_fen = models.BigIntegerField()
    detail = models.JSONField(default=dict, blank=True)
    added_at = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_as = models.CharField(max_length=60, blank=True, default="")
    dropped_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["order"], name="line_order")]
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gte=0, quantity__gte=1), name="line_sane"),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | Q(added_at__isnull=False), name="line_confirmed_pair"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.amount_fen}"


class PayerShare(Scoped):
    """What one payer bears of one line, frozen at placing. Shares of a line add up to its amount.

    ``uses`` are the counters it draws on: ``[[unit, per, first day, amount], ...]``, so that a cancellation gives exactly those back.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="shares")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="shares")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    payer = models.CharField(max_length=20, choices=PAYERS)
    entitlement = models.ForeignKey(Entitlement, models.PROTECT, null=True, blank=True, related_name="+")
    amount_fen = models.BigIntegerField()
    uses = models.JSONField(default=list, blank=True)
    reason = models.CharField(max_length=200)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["order"], name="share_order"), models.Index(fields=["line"], name="share_line")]
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gte=0), name="share_not_negative"),
            models.UniqueConstraint(fields=["line", "payer", "entitlement"], nulls_distinct=False, name="share_once"),
        ]

    def __str__(self) -> str:
        return f"{self.payer} {self.amount_fen}"


class Hold(Scoped):
    """The settlement of one order stopped: why, by which cause, from when, and by whom and why released."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="holds")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    cause = models.CharField(max_length=60)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    release_reason = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["order"], condition=Q(to_at=None), name="hold_open")]
        constraints = [
            models.UniqueConstraint(fields=["order", "cause"], name="hold_once"),
            models.CheckConstraint(
                condition=Q(to_at=None, released_by=None) | Q(to_at__isnull=False, released_by__isnull=False),
                name="hold_release_pair",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.cause}"
