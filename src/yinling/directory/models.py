"""The map of a city: areas, organisations and their sites and staff, who is responsible where, and who may act as what."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.directory.states import GRANT
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import DatedFact, MomentRange, Scoped, ScopedQuerySet, Sealed, Versioned, no_overlap
from yinling.kernel.words import N_

DATUMS = [("wgs84", "WGS-84"), ("gcj02", "GCJ-02"), ("cgcs2000", "CGCS2000"), ("bd09", "BD-09")]

PRICE_GROUPS = [
    ("level3", "三级医疗机构"),
    ("level2", "二级医疗机构"),
    ("level1", "一级及基层医疗机构"),
    ("social", "社会办机构"),
]
"""Bodies that follow the same price list of their area, unless they have one of their own."""


class Area(models.Model):
    """A division of a city tree. ``div`` is the trimmed code; ``code`` the official twelve digits with source and dates."""

    LEVELS = [("city", "市"), ("district", "区县"), ("street", "街道(镇)"), ("community", "社区(村)")]

    div = models.CharField(max_length=12, primary_key=True, db_collation="C")
    code = models.CharField(max_length=12, db_index=True)
    name = models.CharField(max_length=60)
    short_name = models.CharField(max_length=60)
    level = models.CharField(max_length=10, choices=LEVELS)
    kind = models.CharField(max_length=20)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    is_statistical = models.BooleanField(default=False)
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    outline = models.JSONField(null=True, blank=True)
    source = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["parent"], name="area_parent")]

    def __str__(self) -> str:
        return f"{self.name} {self.div}"


class OldArea(models.Model):
    """A county code that is no longer given out, and where its area lies now. Explains id numbers, never a residence."""

    code = models.CharField(max_length=6)
    name = models.CharField(max_length=60)
    first_year = models.PositiveSmallIntegerField()
    last_year = models.PositiveSmallIntegerField(null=True)
    status = models.CharField(max_length=20)
    now_codes = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "name"], name="old_area_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Organisation(Versioned):
    """A body with a unified social credit code: provider, health centre, call centre, department."""

    KINDS = [
        ("department", "主管部门"), ("guidance_centre", "居家养老服务指导中心"), ("call_centre", "呼叫服务中心"),
        ("care_centre", "综合养老服务中心"), ("health_centre", "社区卫生服务中心"), ("care_home", "养老机构"),
        ("nursing_home", "护理院"), ("home_care", "居家服务机构"), ("meal_point", "助餐点"), ("assessor", "评估机构"),
    ]  # fmt: skip

    name = models.CharField(max_length=120)
    short_name = models.CharField(max_length=40)
    credit_code = models.CharField(max_length=18, unique=True)
    kind = models.CharField(max_length=20, choices=KINDS)
    div = models.CharField(max_length=12, db_collation="C", db_index=True)
    address = models.CharField(max_length=200)
    phone = models.CharField(max_length=20, blank=True)
    is_provider = models.BooleanField(default=False)
    price_group = models.CharField(max_length=20, blank=True, default="")
    does_home_medical = models.BooleanField(default=False)
    home_medical_filed_on = models.DateField(null=True, blank=True)
    home_medical_number = models.CharField(max_length=60, blank=True, default="")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    scope_provider = "id"

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(does_home_medical=False) | Q(home_medical_filed_on__isnull=False),
                name="organisation_home_medical_filed",
            )
        ]

    def __str__(self) -> str:
        return self.short_name


class Policy(DatedFact):
    """An insurance policy of a body that serves at home (R-ORD-13)."""

    KINDS = [("liability", N_("责任险")), ("medical_accident", N_("医疗意外险")), ("personal_injury", N_("人身意外险"))]

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="policies")
    kind = models.CharField(max_length=20, choices=KINDS)
    insurer = models.CharField(max_length=80)
    number = models.CharField(max_length=60)

    class Meta:
        indexes = [models.Index(fields=["organisation", "kind"], name="policy_organisation")]
        constraints = [no_overlap("policy_no_overlap", "organisation", "kind", "number")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


CAPABILITIES = [
    ("daily_care", N_("生活照料")), ("day_care", N_("日间托管")), ("meals", N_("助餐配餐")), ("culture", N_("文化娱乐")),
    ("medical", N_("基本医疗")), ("rehabilitation", N_("康复护理")), ("comfort", N_("精神慰藉")), ("short_stay", N_("短期托养")),
    ("assessment", N_("老年人能力综合评估")), ("devices", N_("辅具租赁")), ("training", N_("照护培训")),
]  # fmt: skip
"""What a place offers itself (functions of centres and stations)."""


class Site(Versioned):
    """A place of an organisation, with its position and the datum in which it was given (stored in WGS-84)."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="sites")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=Organisation.KINDS)
    div = models.CharField(max_length=12, db_collation="C", db_index=True)
    address = models.CharField(max_length=200)
    lon = models.FloatField()
    lat = models.FloatField()
    source_datum = models.CharField(max_length=10, choices=DATUMS, default="wgs84")
    capabilities = models.JSONField(default=list, blank=True)
    beds = models.PositiveSmallIntegerField(default=0)
    phone = models.CharField(max_length=20, blank=True)
    hours = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return self.name


MODES = [("walk", N_("步行")), ("ebike", N_("电动自行车")), ("car", N_("汽车"))]


class Staff(Scoped, Versioned, Sealed):
    """A person who works for an organisation. ``kind`` says as what; ``user`` is the login, if any.

    ``mode`` empty means the mode of the area, ``duty_div`` empty everywhere the provider serves. The position of the home is rounded to
    about 100 m: planning needs no more.
    """

    KINDS = [
        ("care_worker", "养老护理员"), ("medical_care_worker", "医疗护理员"), ("nurse", "护士"), ("doctor", "医生"),
        ("social_worker", "社工"), ("office", "管理人员"),
    ]  # fmt: skip

    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    user = models.OneToOneField(User, models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=20, choices=KINDS)
    sex = models.CharField(max_length=1, choices=[("1", "男"), ("2", "女")])
    skill_level = models.PositiveSmallIntegerField(null=True, blank=True)
    dialects = models.CharField(max_length=60, blank=True)
    phone_enc = models.BinaryField(null=True)
    day_from = models.TimeField()
    day_to = models.TimeField()
    most_minutes_a_day = models.PositiveSmallIntegerField(default=480)
    contract_minutes_a_day = models.PositiveSmallIntegerField(default=0)
    break_from = models.TimeField(null=True, blank=True)
    break_to = models.TimeField(null=True, blank=True)
    break_minutes = models.PositiveSmallIntegerField(default=0)
    mode = models.CharField(max_length=10, choices=MODES, blank=True, default="")
    starts_at_home = models.BooleanField(default=False)
    home_lon = models.FloatField(null=True, blank=True)
    home_lat = models.FloatField(null=True, blank=True)
    duty_div = models.CharField(max_length=12, db_collation="C", blank=True, default="")
    employed_from = models.DateField()
    employed_to = models.DateField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["div"], name="staff_div"),
            models.Index(fields=["provider"], name="staff_provider"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(home_lon=None, home_lat=None) | Q(home_lon__isnull=False, home_lat__isnull=False),
                name="staff_home_pair",
            ),
            models.CheckConstraint(
                condition=Q(starts_at_home=False) | Q(home_lon__isnull=False), name="staff_home_known"
            ),
            models.CheckConstraint(
                condition=Q(break_minutes=0, break_from=None, break_to=None)
                | Q(break_minutes__gt=0, break_from__isnull=False, break_to__gt=F("break_from")),
                name="staff_break_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Qualification(Scoped, DatedFact):
    """A licence or certificate of a person, dated on both axes.

    ``practice_scope`` is what it allows (执业范围), ``place`` the division for which it is registered (empty: everywhere). The kind ``filing`` is
    the filing of a doctor for this very organisation (main or further place of practice, R-STF-03). ``credits_to`` is the end of the
    days covered by continuing education, if anybody counts them; of retired practice nobody does (R-STF-16).
    """

    KINDS = [
        ("induction", "岗前培训"), ("care_worker", "养老护理员证书"), ("medical_care_worker", "医疗护理员证书"),
        ("nurse", "护士执业证"), ("doctor", "医师执业证"), ("social_worker", "社会工作者证书"), ("health", "健康证"),
        ("filing", "执业机构备案"),
    ]  # fmt: skip

    staff = models.ForeignKey(Staff, models.PROTECT, related_name="qualifications")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=KINDS)
    number = models.CharField(max_length=40)
    issuer = models.CharField(max_length=80)
    practice_scope = models.CharField(max_length=80, blank=True, default="")
    place = models.CharField(max_length=12, db_collation="C", blank=True, default="")
    is_retired_practice = models.BooleanField(default=False)
    credits_to = models.DateField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["staff", "kind"], name="qualification_staff")]
        constraints = [no_overlap("qualification_no_overlap", "staff", "kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class ServiceArea(DatedFact):
    """Which body answers for a family of services in an area: a whole division, or a grid drawn in it (``outline``, GeoJSON in WGS-84).

    A grid comes before the division, the narrowest division before wider ones; one body per division, family and day.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    family = models.CharField(max_length=20)
    div = models.CharField(max_length=12, db_collation="C")
    name = models.CharField(max_length=60, blank=True, default="")
    outline = models.JSONField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["family", "div"], name="service_area_div")]
        constraints = [no_overlap("service_area_one_body", "family", "div", condition=Q(outline__isnull=True))]

    def __str__(self) -> str:
        return f"{self.family} {self.div}"


class Suspension(Scoped):
    """A carer who gets no new orders, from a cause until a supervisor releases. ``cause`` is a plain reference."""

    staff = models.ForeignKey(Staff, models.PROTECT, related_name="suspensions")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    cause = models.CharField(max_length=60)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    release_reason = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["staff"], condition=Q(to_at=None), name="suspension_open")]
        constraints = [
            models.UniqueConstraint(fields=["staff", "cause"], name="suspension_once"),
            models.CheckConstraint(
                condition=Q(to_at=None, released_by=None) | Q(to_at__isnull=False, released_by__isnull=False),
                name="suspension_release_pair",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.staff_id} {self.cause}"


class Absence(Scoped, Versioned):
    """A time in which a carer does not work: ill, on leave, in training. ``to_at`` empty means until further notice.

    One taken back before it began is empty (``to_at`` equals ``from_at``) and keeps nobody away.
    """

    KINDS = [("sick", N_("病假")), ("leave", N_("休假")), ("training", N_("培训"))]

    staff = models.ForeignKey(Staff, models.PROTECT, related_name="absences")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=KINDS)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["provider", "from_at"], name="absence_provider")]
        constraints = [
            models.CheckConstraint(condition=Q(to_at=None) | Q(to_at__gte=F("from_at")), name="absence_time"),
            ExclusionConstraint(
                name="absence_no_overlap",
                expressions=[
                    ("staff", RangeOperators.EQUAL),
                    (MomentRange("from_at", "to_at"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.staff_id} {self.kind}"


class Grant(Versioned):
    """One user in one role, for an area or an organisation, for a time. Proposed by one administrator, confirmed by another."""

    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    role = models.CharField(max_length=30)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    div = models.CharField(max_length=12, db_collation="C", blank=True)
    state = state_field(GRANT)
    reason = models.CharField(max_length=500)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["user"], name="grant_user")]
        constraints = [
            state_check(GRANT, "grant_state"),
            models.CheckConstraint(condition=~Q(proposed_by=F("confirmed_by")), name="grant_two_persons"),
            ExclusionConstraint(
                name="grant_no_overlap",
                expressions=[
                    ("user", RangeOperators.EQUAL), ("role", RangeOperators.EQUAL), ("div", RangeOperators.EQUAL),
                    (models.functions.Coalesce("organisation", models.Value(0, models.BigIntegerField())), RangeOperators.EQUAL),
                    (MomentRange("from_at", "to_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state="active"),
            ),
        ]  # fmt: skip
        triggers = state_guards(GRANT)

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} {self.div}"


class ApiToken(models.Model):
    """A personal token of the API: only its hash is kept. It acts in one grant and ends with it.

    ``plain`` is there on a token just made and nowhere else.
    """

    plain: str

    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    grant = models.ForeignKey(Grant, models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    token_hash = models.BinaryField(max_length=32, unique=True)
    elder_ids = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
