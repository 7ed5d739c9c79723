"""The indicators: name, meaning, direction, and the rows from which each is counted. A figure is always these rows, never typed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery

from yinling.assessment.inputs import ABILITY_SCALES
from yinling.assessment.models import Assessment, Request
from yinling.devices.models import Device
from yinling.dispatch.models import Assignment
from yinling.entitlements.models import Entitlement
from yinling.ground.models import in_force
from yinling.hotline.models import Call
from yinling.indicators.rules import DOWN, MINUTES, PERCENT, UP
from yinling.kernel.period import born_by, local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.states import OrderState
from yinling.people.models import Elder
from yinling.visits.models import Evaluation

VERSION = "1"
EVALUATION_DAYS = 7
IN_TIME_SECONDS = 15
"""GB/T 33358-2016."""
OLD, VERY_OLD = 60, 80
PURCHASE = "government_purchase"
HEARD_DAYS = 30
DONE = [OrderState.SERVED, OrderState.SETTLED, OrderState.CLOSED]
NEVER_PLANNED = [OrderState.DRAFT, OrderState.CANCELLED]


@dataclass(frozen=True)
class Span:
    """The moments of a period: from, up to but not including ``to``, as seen at ``now``."""

    start: datetime
    end: datetime
    now: datetime

    @property
    def last_day(self) -> date:
        """The last day of the period, today at the latest: the day whose facts a rate of persons is about."""
        return local_date(min(self.end, self.now) - timedelta(microseconds=1))


@dataclass(frozen=True)
class Indicator:
    """One figure. ``rows`` gives the denominator's rows; each counts if ``hit``, or gives its ``duration`` where the unit is minutes."""

    code: str
    name: str
    meaning: str
    unit: str
    direction: str
    rows: Callable[[Span], QuerySet[Any]]
    hit: Q | None = None
    duration: str = ""
    page: str = "orders"

    @property
    def target_key(self) -> str:
        """The parameter that holds the target."""
        return f"indicator.{self.code}.target"


def planned_visits(span: Span) -> QuerySet[Order]:
    """Orders whose booked time lies in the period and is over; cancelled ones were given up before and count on neither side."""
    rows = Order.objects.filter(
        starts_at__gte=span.start, starts_at__lt=span.end, ends_at__lte=span.now, needs_visit=True
    )
    return rows.exclude(state__in=NEVER_PLANNED)


def served_orders(span: Span) -> QuerySet[Order]:
    """Orders served in the period, with the time of their evaluation."""
    evaluated = Evaluation.objects.filter(order=OuterRef("pk")).values("evaluated_at")
    rows = Order.objects.filter(served_at__gte=span.start, served_at__lt=span.end, state__in=DONE, needs_visit=True)
    return rows.annotate(evaluated_at=Subquery(evaluated[:1]))


def orders_from_calls(span: Span) -> QuerySet[Order]:
    """Orders that go back to a call in the period and were offered to a carer, with the time between ring and first offer."""
    offered = Assignment.objects.filter(order=OuterRef("pk")).order_by("offered_at").values("offered_at")
    rows = Order.objects.filter(ticket__call__rang_at__gte=span.start, ticket__call__rang_at__lt=span.end)
    rows = rows.annotate(first_offered_at=Subquery(offered[:1])).filter(first_offered_at__isnull=False)
    waited = ExpressionWrapper(F("first_offered_at") - F("ticket__call__rang_at"), output_field=DurationField())
    return rows.annotate(waited=waited)


def ended_calls(span: Span) -> QuerySet[Call]:
    """Calls that came in during the period and are no longer ringing."""
    rows = Call.objects.filter(rang_at__gte=span.start, rang_at__lt=span.end, is_outbound=False)
    return rows.exclude(state="ringing")


def answered_calls(span: Span) -> QuerySet[Call]:
    """Calls that came in during the period and were answered."""
    return ended_calls(span).filter(answered_at__isnull=False)


def asked_for_assessment(span: Span) -> QuerySet[Elder]:
    """Residents of 80 and over who applied for an assessment of ability; with whether one holds on the last day of the period."""
    last = span.last_day
    asked = Request.objects.filter(elder=OuterRef("pk"), scale__in=ABILITY_SCALES, created_at__lt=span.end)
    asked = asked.exclude(state__in=["rejected", "withdrawn"])
    held = Assessment.objects.filter(in_force(last), elder=OuterRef("pk"), scale__in=ABILITY_SCALES)
    return residents(last, VERY_OLD).filter(Exists(asked)).annotate(is_assessed=Exists(held))


def residents(last: date, age: int) -> QuerySet[Elder]:
    """Usual residents of an age on a day, alive at its end (D-22): one row a person, however many groups one belongs to (D-13)."""
    rows = Elder.objects.filter(born_on__lte=born_by(age, last), is_resident=True, merged_into=None)
    return rows.filter(Q(died_on=None) | Q(died_on__gt=last))


def residents_with_purchase(span: Span) -> QuerySet[Elder]:
    """All elders who live here; with whether a purchase of the government is in force for them on the last day of the period."""
    held = Entitlement.objects.filter(in_force(span.last_day), elder=OuterRef("pk"), scheme__code=PURCHASE)
    return residents(span.last_day, OLD).annotate(is_given=Exists(held))


def residents_with_device(span: Span) -> QuerySet[Elder]:
    """All elders who live here; with whether a device by which they call for help was in their home on the last day, and heard within a month."""
    last = span.last_day
    there = Q(removed_on=None) | Q(removed_on__gt=last)
    heard = {"installed_on__lte": last, "last_seen_at__gte": min(span.end, span.now) - timedelta(days=HEARD_DAYS)}
    held = Device.objects.filter(there, elder=OuterRef("pk"), **heard)
    return residents(last, OLD).annotate(is_reached=Exists(held))


_LIST = [
    Indicator(
        code="weekly_visit_completion", name=N_("上门服务完成率"), unit=PERCENT, direction=UP, rows=planned_visits,
        hit=Q(state__in=DONE),
        meaning=N_("本期内预约时间已过的上门订单中，已完成服务的比例；取消的订单不计。不含探访等没有订单的周任务"),
    ),
    Indicator(
        code="evaluated_share", name=N_("服务评价率"), unit=PERCENT, direction=UP, rows=served_orders,
        hit=Q(evaluated_at__lte=F("served_at") + timedelta(days=EVALUATION_DAYS)),
        meaning=N_("本期完成的订单中，7天内由老人、家属或电话回访作出评价的比例；沉默不算评价，未满7天的订单也计入分母"),
    ),
    Indicator(
        code="call_to_assignment", name=N_("来电到派单时间"), unit=MINUTES, direction=DOWN, rows=orders_from_calls, duration="waited",
        meaning=N_("由本期来电产生并已派单的订单，从振铃到第一次派单所用分钟数的中位数"),
    ),
    Indicator(
        code="answered_share", name=N_("来电接通率"), unit=PERCENT, direction=UP, rows=ended_calls, page="calls",
        hit=Q(answered_at__isnull=False),
        meaning=N_("本期已结束振铃的来电中，由坐席接听的比例"),
    ),
    Indicator(
        code="in_time_share", name=N_("来电及时接听率"), unit=PERCENT, direction=UP, rows=answered_calls, page="calls",
        hit=Q(answered_at__lte=F("rang_at") + timedelta(seconds=IN_TIME_SECONDS)),
        meaning=N_("本期接听的来电中，15秒内接听的比例"),
    ),
    Indicator(
        code="abandoned_share", name=N_("来电放弃率"), unit=PERCENT, direction=DOWN, rows=ended_calls, page="calls",
        hit=Q(state="abandoned"),
        meaning=N_("本期已结束振铃的来电中，接听前来电人挂断的比例"),
    ),
    Indicator(
        code="assessed_80", name=N_("高龄老人评估覆盖率"), unit=PERCENT, direction=UP, rows=asked_for_assessment, page="elders",
        hit=Q(is_assessed=True),
        meaning=N_("期末80周岁及以上、在世的常住老人中提出过能力评估申请的，有有效评估结果的比例；没有需求的不计入分母"),
    ),
    Indicator(
        code="purchase_share", name=N_("政府购买服务覆盖率"), unit=PERCENT, direction=UP, rows=residents_with_purchase, page="elders",
        hit=Q(is_given=True),
        meaning=N_("期末60周岁及以上、在世的常住老人中，享受政府购买服务的比例；一个人只计一次"),
    ),
    Indicator(
        code="call_coverage", name=N_("居家呼叫和应急救援覆盖率"), unit=PERCENT, direction=UP, rows=residents_with_device, page="elders",
        hit=Q(is_reached=True),
        meaning=N_("期末60周岁及以上、在世的常住老人中，家中装有呼叫或报警设备且近30天内有消息的比例；一个人只计一次"),
    ),
]  # fmt: skip

INDICATORS: dict[str, Indicator] = {one.code: one for one in _LIST}
