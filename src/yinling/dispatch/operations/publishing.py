"""A plan becomes the day: times are appointed, carers are asked, each is told once, and the version before is laid aside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.operations import Message, Recipient, notify_each
from yinling.directory.models import Staff
from yinling.directory.rules import require
from yinling.dispatch.masks import TIMED
from yinling.dispatch.models import LIVE, Assignment, DayPlan, PlannedVisit
from yinling.dispatch.operations.assignments import Offer, offer_each, take_back_each
from yinling.dispatch.operations.plans import one_at_a_time, overlapping
from yinling.dispatch.operations.runs import move
from yinling.dispatch.queries.days import BEGUN, OPEN, Day, Frame, load_day
from yinling.dispatch.rules import Carer
from yinling.dispatch.states import DAY_PLAN, AssignmentState, PlanState
from yinling.ground.operation import explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Seen
from yinling.kernel.period import SHANGHAI
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.queries import suspensions

explain_constraint("day_plan_published_once", "plan.published_meanwhile", N_("刚有人发布了另一个版本，请刷新页面"))

MASS = 20
"""From more visits on, the number is asked, so that nobody sends a whole street by a slip of the hand (X-SUP)."""
NAMED = 3
Count = Annotated[
    int | None, Input(N_("上门次数"), help=N_("超过 20 次时，请填写上门次数以确认"), least=0, widget="number")
]


@dataclass
class _Work:
    """What publishing a version has to do: the visits to offer, and the assignments that end."""

    offers: list[PlannedVisit] = field(default_factory=list)
    ends: dict[int, list[Assignment]] = field(default_factory=lambda: defaultdict(list))


@operation("dispatch.plan.publish", label=N_("发布"))
def publish_plan(*, actor: Actor, now: datetime, plan_id: Id, count: Count = None, seen: Seen = None) -> DayPlan:
    """Appoint the times, offer the visits to their carers, and tell each carer once."""
    row = locked(DayPlan.objects.all(), plan_id, seen)
    require(actor, "dispatch.plan.publish", div=row.div, provider_id=row.provider_id)
    DAY_PLAN.target("publish", row.state)
    one_at_a_time(row.provider_id, row.day)
    former = _former(row)
    visits = list(PlannedVisit.objects.filter(plan=row).order_by("order_id", "slot"))
    check_count(sum(visit.staff_id is not None for visit in visits), count)
    orders = _locked_orders(visits)
    work = _work(row, visits, orders)
    _check(row, work, orders, now)
    _take_back(actor, now, work, orders)
    _offer(actor, now, row, work, orders)
    if former is not None:
        move(actor, now, former, "supersede")
    move(actor, now, row, "publish", published_by_id=actor.user_id, published_at=now)
    _tell(now, row, work)
    return row


def _take_back(actor: Actor, now: datetime, work: _Work, orders: Mapping[int, Order]) -> None:
    ending = [row for rows in work.ends.values() for row in rows]
    back = [orders[order_id] for order_id in work.ends]
    take_back_each(actor=actor, now=now, orders=back, assignments=ending, reason=N_("排班调整"))


def _offer(actor: Actor, now: datetime, plan: DayPlan, work: _Work, orders: Mapping[int, Order]) -> None:
    staff = Staff.objects.in_bulk({visit.staff_id for visit in work.offers})
    offers = [
        Offer(orders[visit.order_id], staff[visit.staff_id], visit.slot, visit.starts_at) for visit in work.offers
    ]
    offer_each(actor=actor, now=now, offers=offers, plan=plan)


def check_count(number: int, count: int | None) -> None:
    """Refuse a mass dispatch whose size was not confirmed."""
    if number > MASS and count != number:
        sentence = N_("将一次派出 %(number)s 次上门，请填写这个数字以确认")
        raise Refused("plan.count", sentence, field="count", number=number)


def _former(row: DayPlan) -> DayPlan | None:
    """Return the version in force; refuse where this one was made without knowing it."""
    others = DayPlan.objects.filter(provider_id=row.provider_id, day=row.day, state=PlanState.PUBLISHED)
    crossing = overlapping(others.exclude(div=row.div), row.div).first()
    if crossing is not None:
        sentence = N_("%(div)s 已发布同一天的计划，范围互相重叠，不能再发布这一个")
        raise NotAllowed("plan.overlap", sentence, div=crossing.div)
    former = others.filter(div=row.div).select_for_update(of=("self",)).first()
    if former is None or _stems_from(row, former.pk):
        return former
    if former.published_at is not None and row.created_at <= former.published_at:
        raise NotAllowed(
            "plan.outdated", N_("算出这个计划之后，已发布了另一个版本。请重新排班，或复制已发布的版本再调整")
        )
    return former


def _stems_from(row: DayPlan, pk: int) -> bool:
    """Whether a version was made from another, directly or not."""
    base_id = row.base_id
    while base_id is not None and base_id != pk:
        base_id = DayPlan.objects.filter(pk=base_id).values_list("base_id", flat=True).first()
    return base_id == pk


def _locked_orders(visits: Iterable[PlannedVisit]) -> dict[int, Order]:
    """Lock the orders in one sequence, so that two who publish never wait for each other."""
    numbers = {visit.order_id for visit in visits}
    rows = Order.objects.filter(pk__in=numbers).select_for_update(of=("self",)).order_by("pk")
    return {row.pk: row for row in rows}


def _work(plan: DayPlan, visits: Sequence[PlannedVisit], orders: Mapping[int, Order]) -> _Work:
    """Compare the version with who is asked already. What was begun, cancelled or taken since stays as it is."""
    live: dict[tuple[int, int], Assignment] = {
        (row.order_id, row.slot): row
        for row in Assignment.objects.filter(order_id__in=list(orders), state__in=LIVE).select_related("staff").select_for_update(of=("self",))
    }  # fmt: skip
    waiting = set(suspensions().filter(order_id__in=list(orders)).values_list("order_id", flat=True))
    by_order: dict[int, list[PlannedVisit]] = defaultdict(list)
    for visit in visits:
        by_order[visit.order_id].append(visit)
    work = _Work()
    for order_id, rows in by_order.items():
        order = orders.get(order_id)
        if order is None or order.state in BEGUN or order.state not in OPEN or order_id in waiting:
            continue
        told = {visit.slot: live.get((order_id, visit.slot)) for visit in rows}
        if any(_is_taken_since(plan, visit, told[visit.slot]) for visit in rows):
            continue
        for visit in rows:
            _add(work, visit, told[visit.slot])
    return work


def _is_taken_since(plan: DayPlan, visit: PlannedVisit, known: Assignment | None) -> bool:
    """Whether a carer took the order after the plan was computed: that word stands."""
    if known is None or known.accepted_at is None or known.staff_id == visit.staff_id:
        return False
    return known.state == AssignmentState.ACCEPTED and known.accepted_at > plan.created_at


def _add(work: _Work, visit: PlannedVisit, known: Assignment | None) -> None:
    is_same = known is not None and known.staff_id == visit.staff_id and known.starts_at == visit.starts_at
    if is_same:
        return
    if known is not None:
        work.ends[visit.order_id].append(known)
    if visit.staff_id is not None:
        work.offers.append(visit)


def _check(plan: DayPlan, work: _Work, orders: Mapping[int, Order], now: datetime) -> None:
    """Refuse what cannot be offered: too late, over, or a carer who may not go (any more)."""
    late = [visit for visit in work.offers if visit.starts_at > orders[visit.order_id].latest_at]
    if late:
        sentence = N_("有 %(number)s 次上门晚于与老人约定的时间（%(orders)s）。请调整，或先与老人改约")
        raise Refused("plan.late", sentence, number=len(late), orders=_codes(late, orders))
    over = [visit for visit in work.offers if visit.starts_at <= now]
    if over:
        sentence = N_("有 %(number)s 次上门的时间已过（%(orders)s）。请重新排班")
        raise Refused("plan.over", sentence, number=len(over), orders=_codes(over, orders))
    numbers = (
        frozenset(visit.order_id for visit in work.offers),
        frozenset(v.staff_id for v in work.offers if v.staff_id),
    )
    day = load_day(Frame(plan.provider_id, plan.div, plan.day, plan.created_at, only=numbers))
    number_of, visit_of = day.number_of, day.visit_of
    for visit in work.offers:
        if why := _against(day, number_of.get(visit.staff_id or 0), visit_of.get(visit.order_id), visit):
            name = next((one.name for one in day.carers if one.staff_id == visit.staff_id), f"#{visit.staff_id}")
            sentence = N_("%(order)s 不能派给 %(name)s：%(why)s。请调整或重排")
            raise Refused("plan.carer", sentence, order=orders[visit.order_id].code, name=name, why=why)


def _codes(visits: Iterable[PlannedVisit], orders: Mapping[int, Order]) -> str:
    found = list(dict.fromkeys(orders[visit.order_id].code for visit in visits))
    return "、".join(found[:NAMED]) + ("…" if len(found) > NAMED else "")


def _against(day: Day, number: int | None, row: int | None, visit: PlannedVisit) -> str:
    """Return what forbids a planned visit (the number of its carer, its own) now, if anything."""
    if number is None or row is None:
        return ""
    hard = (one.reason for one in day.mask.against(row, number) if one.is_hard and one.code not in TIMED)
    return next(hard, "") or _absence(day.carers[number], visit)


def _absence(carer: Carer, visit: PlannedVisit) -> str:
    away = (
        one.label
        for one in carer.away
        if one.from_at < visit.ends_at and (one.to_at is None or visit.starts_at < one.to_at)
    )
    return next((N_("这段时间%(why)s，不上班") % {"why": label} for label in away), "")


def _tell(now: datetime, plan: DayPlan, work: _Work) -> None:
    """Leave each carer one notice: the visits to answer, and those that are no more."""
    asked: dict[int, list[datetime]] = defaultdict(list)
    gone: dict[int, list[datetime]] = defaultdict(list)
    for visit in work.offers:
        asked[visit.staff_id or 0].append(visit.starts_at)
    for ending in work.ends.values():
        for row in ending:
            gone[row.staff_id].append(row.starts_at)
    users = Staff.objects.filter(pk__in=asked.keys() | gone.keys(), user__isnull=False).values_list("pk", "user_id")
    messages = [
        Message(
            plan, Recipient(user_id=user_id), f"plan:{plan.pk}:{staff_id}", N_("排班已发布"),
            _said(plan, asked[staff_id], gone[staff_id]), "/m/",
        )
        for staff_id, user_id in sorted(users)
    ]  # fmt: skip
    notify_each(now=now, messages=messages)


def _said(plan: DayPlan, asked: Sequence[datetime], gone: Sequence[datetime]) -> str:
    values: dict[str, Any] = {
        "day": f"{plan.day:%m-%d}", "count": len(asked), "times": _times(asked), "gone": len(gone), "ended": _times(gone)
    }  # fmt: skip
    if not gone:
        return N_("%(day)s 新排 %(count)s 次上门：%(times)s。请查看并接受") % values
    if not asked:
        return N_("%(day)s 有 %(gone)s 次上门不用去了：%(ended)s") % values
    return N_("%(day)s 排班有调整。新排 %(count)s 次：%(times)s；不再去 %(gone)s 次：%(ended)s。请查看并接受") % values


def _times(moments: Iterable[datetime]) -> str:
    return "、".join(f"{moment.astimezone(SHANGHAI):%H:%M}" for moment in sorted(moments))
