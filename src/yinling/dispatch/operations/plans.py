"""Plans of a day: asking for one, stopping, moving and locking by hand, copying."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any

from django.db import connection
from django.db.models import QuerySet
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from yinling.accounts.models import Journal
from yinling.accounts.operations import record
from yinling.directory.models import Area, Organisation
from yinling.directory.queries import ancestors
from yinling.directory.rules import require
from yinling.dispatch.models import DayPlan, PlannedVisit
from yinling.dispatch.operations.runs import is_past, move, new_version
from yinling.dispatch.queries.moves import Move, work_out
from yinling.dispatch.states import DAY_PLAN, PlanState
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Id, Input, Seen
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_

explain_constraint("day_plan_number", "plan.again", N_("刚有人为同一天排班，请刷新页面"))
explain_constraint("planned_visit_once", "plan.visit_twice", N_("这次上门已在计划中，请刷新页面"))

AreaCode = Annotated[str, Input(N_("区划代码"), max_length=12, widget="hidden")]
ProviderId = Annotated[int, Input(N_("服务机构"), least=1, widget="hidden")]
CarerId = Annotated[int, Input(N_("服务人员"), least=1, widget="hidden")]
NoCarerId = Annotated[int | None, Input(N_("服务人员"), help=N_("不填即移出计划"), least=1, widget="hidden")]
OrderId = Annotated[int, Input(N_("订单"), least=1, widget="hidden")]
Slot = Annotated[int, Input(N_("第几位服务人员"), least=1, most=2, widget="hidden")]
Position = Annotated[int | None, Input(N_("第几站"), least=0, most=500, widget="hidden")]
StartsAt = Annotated[datetime | None, Input(N_("上门时间"), widget="moment")]
Undo = Annotated[bool, Input(N_("撤销"), widget="check")]
Seconds = Annotated[
    int | None, Input(N_("计算秒数"), help=N_("每条街道的计算时间，不填按参数"), least=1, most=600, widget="number")
]
Seed = Annotated[int, Input(N_("随机种子"), help=N_("同一种子得出同一计划"), least=0, most=2**31 - 1, widget="hidden")]
Locked = Annotated[bool, Input(N_("锁定"), widget="check")]
AT_WORK = (PlanState.QUEUED, PlanState.RUNNING)
STANDING = (*AT_WORK, PlanState.READY, PlanState.PUBLISHED)
TASK = "yinling.dispatch.jobs.run_plan"
PLANS = "plans"
"""The queue of the workers that compute: a plan keeps a worker busy for many seconds, and nothing else should wait for it."""
AFTER_OTHERS = -10
"""Plans take seconds of a core; everything else that waits goes first."""


@operation("dispatch.plan.request", label=N_("排班"))
def request_plan(
    *, actor: Actor, now: datetime, provider_id: ProviderId, div: AreaCode, day: Day, seconds: Seconds = None, seed: Seed = 1
) -> DayPlan:  # fmt: skip
    """Ask for a plan of a provider's day in an area; a worker computes it."""
    require(actor, "dispatch.plan.request", div=div, provider_id=provider_id)
    check_area(div)
    check_provider(provider_id)
    if is_past(day, now):
        raise Refused("plan.past", N_("这一天已经过去，不能再排班"), field="day")
    one_at_a_time(provider_id, day)
    check_free(provider_id, div, day)
    return queue_plan(actor, now, provider_id=provider_id, div=div, day=day, seconds=seconds, seed=seed)


def check_area(div: str) -> None:
    """Refuse an area that is not in the map."""
    if not Area.objects.filter(pk=div).exists():
        raise NotFound("plan.area_unknown", N_("没有这个区划，请从列表中选择"), field="div")


def check_provider(provider_id: int) -> None:
    """Refuse a body that serves nobody."""
    if not Organisation.objects.filter(pk=provider_id, is_provider=True).exists():
        raise NotFound("plan.provider_unknown", N_("没有这家服务机构，请从列表中选择"), field="provider_id")


def one_at_a_time(provider_id: int, day: date) -> None:
    """Let everybody who asks for or publishes plans of a provider's day wait for the others until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [provider_id % 2**31, day.toordinal()])


def check_free(provider_id: int, div: str, day: date) -> None:
    """Refuse a second plan while one is computed, and plans of areas of which one lies in the other."""
    others = DayPlan.objects.filter(provider_id=provider_id, day=day)
    if others.filter(div=div, state__in=AT_WORK).exists():
        raise NotAllowed("plan.running", N_("这个地区正在排班，请等它算完，或先停止"))
    crossing = overlapping(others.exclude(div=div), div).filter(state__in=STANDING).first()
    if crossing is not None:
        sentence = N_("%(div)s 已有同一天的计划，范围互相重叠，请先弃用它，或在它的范围内排班")
        raise NotAllowed("plan.overlap", sentence, div=crossing.div)


def overlapping(rows: QuerySet[DayPlan], div: str) -> QuerySet[Any]:
    """Return the plans whose area lies in a division or holds it."""
    return rows.within(div) | rows.filter(div__in=ancestors(div))  # type: ignore[attr-defined]


def queue_plan(
    actor: Actor, now: datetime, *, provider_id: int, div: str, day: date, seconds: int | None, seed: int, city: str = ""
) -> DayPlan:  # fmt: skip
    """Insert a new version of a day and hand it to the workers; the latest version that stands gives its locks.

    ``city`` is the area that is planned as a whole: when its last street is ready, neighbours help each other.
    """
    standing = DayPlan.objects.filter(
        provider_id=provider_id, div=div, day=day, state__in=(PlanState.READY, PlanState.PUBLISHED)
    )
    base = standing.order_by("-number").first()
    chosen = {"seconds": seconds or parameter("dispatch.plan.seconds", div, day), "seed": seed, "city": city}
    row = new_version(
        actor=actor, now=now, provider_id=provider_id, div=div, day=day, cause="day", base=base, settings=chosen
    )
    record(
        actor=actor,
        now=now,
        event="dispatch.plan.request",
        subject=row,
        changes={"day": [None, day.isoformat()], **chosen},
    )
    tell("plans", pk=row.pk, div=row.div)
    hand_over(row)
    return row


def hand_over(row: DayPlan) -> None:
    """Put a plan before the workers. The job is there when the transaction commits."""
    waiting = app.configure_task(TASK, queue=PLANS, queueing_lock=queue_lock(row.pk), priority=AFTER_OTHERS)
    waiting.defer(plan_id=row.pk, div=row.div)


def queue_lock(plan_id: int) -> str:
    """Return the name that keeps a plan from standing twice before the workers."""
    return f"dispatch.plan:{plan_id}"


def not_handed_over(rows: Iterable[DayPlan]) -> list[DayPlan]:
    """Return the plans that do not stand before the workers."""
    found = {queue_lock(row.pk): row for row in rows}
    there = ProcrastinateJob.objects.filter(status="todo", queueing_lock__in=list(found))
    known = set(there.values_list("queueing_lock", flat=True))
    return [row for lock, row in found.items() if lock not in known]


@operation("dispatch.plan.stop", label=N_("停止计算"))
def stop_plan(*, actor: Actor, now: datetime, plan_id: Id, seen: Seen = None) -> DayPlan:
    """Ask the worker to stop and keep the best found so far."""
    row = locked(DayPlan.objects.all(), plan_id, seen)
    require(actor, "dispatch.plan.stop", div=row.div, provider_id=row.provider_id)
    if row.state != PlanState.RUNNING:
        raise NotAllowed("plan.not_running", N_("现在没有在计算；排队中的计划可以弃用"))
    changes = changed(row, now=now, is_stop_wanted=True)
    record(actor=actor, now=now, event="dispatch.plan.stop", subject=row, changes=changes)
    tell("plans", pk=row.pk, div=row.div)
    return row


@operation("dispatch.plan.discard", label=N_("弃用"))
def discard_plan(*, actor: Actor, now: datetime, plan_id: Id, seen: Seen = None) -> DayPlan:
    """Lay a version aside that was never published."""
    row = locked(DayPlan.objects.all(), plan_id, seen)
    require(actor, "dispatch.plan.discard", div=row.div, provider_id=row.provider_id)
    return move(actor, now, row, "discard")


@operation("dispatch.plan.move", label=N_("移动"))
def move_visit(  # noqa: PLR0913 - which visit, to whom and where
    *, actor: Actor, now: datetime, plan_id: Id, order_id: OrderId, slot: Slot, staff_id: NoCarerId = None, position: Position = None,
    starts_at: StartsAt = None, is_undo: Undo = False, seen: Seen = None,
) -> DayPlan:  # fmt: skip
    """Give a visit of a version not yet published to a carer, at a place in the round (from 0) or at a time.

    The journal keeps how the touched rounds were; ``is_undo`` puts them back as they were before one's own last move.
    """
    row = locked(DayPlan.objects.all(), plan_id, seen)
    require(actor, "dispatch.plan.move", div=row.div, provider_id=row.provider_id)
    check_editable(row)
    if is_undo:
        return _put_back(actor, now, row)
    settled = {"cost": row.cost, "settings": row.settings}
    found = work_out(actor, row, order_id, slot, staff_id, position, starts_at)
    if not found.effect.feasible:
        raise Refused("plan.move", N_("不能这样移动：%(why)s"), field="staff_id", why=found.effect.reasons[0])
    before, rounds = _store(row, found, order_id, slot, staff_id)
    changes: dict[str, Any] = changed(row, now=now, cost=_cost(row, found), settings=_settings(row, found))
    after = {"staff": staff_id, "starts_at": found.effect.starts_at and found.effect.starts_at.isoformat()}
    changes = {"order": [order_id, order_id], "slot": [slot, slot]} | {
        name: [before[name], after[name]] for name in after
    }
    changes["rounds"] = [settled | {"visits": rounds}, None]
    record(actor=actor, now=now, event="dispatch.plan.move", subject=row, changes=changes)
    tell("plans", pk=row.pk, div=row.div)
    return row


def _put_back(actor: Actor, now: datetime, row: DayPlan) -> DayPlan:
    """Write the rounds as the journal keeps them of one's own last move, if nothing happened to the plan since."""
    last = Journal.objects.filter(subject_type="dayplan", subject_id=row.pk, is_refused=False).order_by("-pk").first()
    held = last.changes.get("rounds") if last is not None and last.user_id == actor.user_id else None
    if last is None or held is None:
        raise Refused("plan.nothing_to_undo", N_("没有可以撤销的移动，请刷新页面"))
    visits = {one.pk: one for one in PlannedVisit.objects.select_for_update().filter(plan=row)}
    for kept in held[0]["visits"]:
        one = visits[kept["id"]]
        one.starts_at, one.ends_at = (datetime.fromisoformat(kept[name]) for name in ("starts_at", "ends_at"))
        one.staff_id, one.reasons = kept["staff_id"], kept["reasons"]
        one.way_minutes, one.late_minutes = kept["way_minutes"], kept["late_minutes"]
    PlannedVisit.objects.bulk_update(visits.values(), TIMED, batch_size=200)
    changes: dict[str, Any] = changed(row, now=now, cost=held[0]["cost"], settings=held[0]["settings"])
    changes |= {name: last.changes[name][::-1] for name in ("order", "slot", "staff", "starts_at")}
    record(actor=actor, now=now, event="dispatch.plan.move", subject=row, changes=changes)
    tell("plans", pk=row.pk, div=row.div)
    return row


def check_editable(row: DayPlan) -> None:
    """Refuse to change a version that is not ready, or that people go by already."""
    if row.state == PlanState.PUBLISHED:
        raise NotAllowed("plan.published", N_("计划已发布。请用“改派”，或复制为新版本后再调整"))
    if row.state != PlanState.READY:
        raise NotAllowed("plan.not_ready", N_("计划还没有算好，或已不再使用，不能调整"))


TIMED = ["staff", "starts_at", "ends_at", "way_minutes", "late_minutes", "reasons"]


def _kept(row: PlannedVisit) -> dict[str, Any]:
    """Return a visit's place as the journal keeps it."""
    return {
        "id": row.pk, "staff_id": row.staff_id, "starts_at": row.starts_at.isoformat(), "ends_at": row.ends_at.isoformat(),
        "way_minutes": row.way_minutes, "late_minutes": row.late_minutes, "reasons": row.reasons,
    }  # fmt: skip


def _store(
    plan: DayPlan, found: Move, order_id: int, slot: int, staff_id: int | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Write the new times of the touched rounds; return where the visit was, and the rounds as they were."""
    rows = {(row.order_id, row.slot): row for row in PlannedVisit.objects.select_for_update().filter(plan=plan)}
    moved = rows[(order_id, slot)]
    before = {"staff": moved.staff_id, "starts_at": moved.starts_at.isoformat() if moved.staff_id else None}
    frame, touched = found.day.frame, []
    was = {row.pk: _kept(row) for row in rows.values()}
    for number, route in found.after.routes.items():
        for stop in route:
            wanted = found.day.wanted[stop.visit]
            row = rows.get((wanted.order_id, stop.task + 1))
            if row is None or wanted.is_elsewhere:
                continue
            row.staff_id, row.reasons = found.day.carers[number].staff_id, []
            row.starts_at, row.ends_at = frame.moment(stop.starts), frame.moment(stop.ends)
            row.way_minutes = round(stop.way)
            row.late_minutes = max(0, round(stop.starts - frame.minute(found.day.orders[wanted.order_id].latest_at)))
            touched.append(row)
    if staff_id is None:
        moved.staff_id, moved.way_minutes, moved.late_minutes = None, 0, 0
        moved.reasons = [{"code": "moved_out", "values": {}}]
        touched.append(moved)
    PlannedVisit.objects.bulk_update(touched, TIMED, batch_size=200)
    return before, [was[pk] for pk in {row.pk: None for row in touched}]


def _cost(plan: DayPlan, found: Move) -> dict[str, float]:
    """Return the cost vector with what the move adds; the largest tardiness is read anew."""
    worst = max(PlannedVisit.objects.filter(plan=plan).values_list("late_minutes", flat=True), default=0)
    cost = {name: plan.cost.get(name, 0.0) + delta for name, delta in found.cost.items()} | {"worst": float(worst)}
    cost["total"] += found.day.terms.weights.worst * (worst - plan.cost.get("worst", 0.0))
    return cost


def _settings(plan: DayPlan, found: Move) -> dict[str, Any]:
    rounds = dict(plan.settings.get("rounds", {}))
    for number, route in found.after.routes.items():
        name = str(found.day.carers[number].staff_id)
        rests = [[round(start), round(end)] for start, end in found.after.rests[number]]
        rounds[name] = {"breaks": rests, "back": round(found.after.back[number])}
        if not route:
            del rounds[name]
    return {**plan.settings, "fairness": found.fairness.as_json(), "rounds": rounds}


@operation("dispatch.plan.lock", label=N_("锁定上门"))
def lock_visit(
    *, actor: Actor, now: datetime, plan_id: Id, order_id: OrderId, is_locked: Locked, seen: Seen = None
) -> DayPlan:
    """Hold a visit at its carers and time when the day is planned anew, or let it go."""
    row = locked(DayPlan.objects.all(), plan_id, seen)
    require(actor, "dispatch.plan.lock", div=row.div, provider_id=row.provider_id)
    check_lockable(row)
    visits = PlannedVisit.objects.filter(plan=row, order_id=order_id, staff__isnull=False)
    if not visits.exists():
        raise NotFound("plan.no_visit", N_("这次上门没有排给任何人，不能锁定"), field="order_id")
    visits.update(is_locked=is_locked)
    changed(row, now=now)
    changes = {"order": [order_id, order_id], "is_locked": [not is_locked, is_locked]}
    record(actor=actor, now=now, event="dispatch.plan.lock", subject=row, changes=changes)
    tell("plans", pk=row.pk, div=row.div)
    return row


@operation("dispatch.plan.lock_staff", label=N_("锁定人员"))
def lock_staff(
    *, actor: Actor, now: datetime, plan_id: Id, staff_id: CarerId, is_locked: Locked, seen: Seen = None
) -> DayPlan:
    """Hold the whole round of a carer as it is when the day is planned anew, or let it go."""
    row = locked(DayPlan.objects.all(), plan_id, seen)
    require(actor, "dispatch.plan.lock_staff", div=row.div, provider_id=row.provider_id)
    check_lockable(row)
    if not PlannedVisit.objects.filter(plan=row, staff_id=staff_id).exists():
        raise NotFound("plan.no_round", N_("这位服务人员在计划中没有上门，不能锁定"), field="staff_id")
    others = [one for one in row.locked_staff if one != staff_id]
    changes = changed(row, now=now, locked_staff=[*others, staff_id] if is_locked else others)
    record(actor=actor, now=now, event="dispatch.plan.lock_staff", subject=row, changes=changes)
    tell("plans", pk=row.pk, div=row.div)
    return row


def check_lockable(row: DayPlan) -> None:
    """Locks count when a day is planned anew: in versions that stand."""
    if row.state not in (PlanState.READY, PlanState.PUBLISHED):
        raise NotAllowed("plan.not_ready", N_("计划还没有算好，或已不再使用，不能调整"))


@operation("dispatch.plan.copy", label=N_("复制为新版本"))
def copy_plan(*, actor: Actor, now: datetime, plan_id: Id, seen: Seen = None) -> DayPlan:
    """Make a new version of a plan that may be changed by hand."""
    base = locked(DayPlan.objects.all(), plan_id, seen)
    require(actor, "dispatch.plan.copy", div=base.div, provider_id=base.provider_id)
    if base.state not in (PlanState.READY, PlanState.PUBLISHED, PlanState.SUPERSEDED):
        raise NotAllowed("plan.not_ready", N_("计划还没有算好，或已不再使用，不能复制"))
    one_at_a_time(base.provider_id, base.day)
    row = duplicate(actor, now, base, cause="hand", locked_staff=base.locked_staff)
    record(actor=actor, now=now, event="dispatch.plan.copy", subject=row, changes={"base": [None, base.pk]})
    tell("plans", pk=row.pk, div=row.div)
    return row


def duplicate(actor: Actor, now: datetime, base: DayPlan, *, cause: str, locked_staff: list[int]) -> DayPlan:
    """Insert a ready version with the visits of another."""
    row = new_version(
        actor=actor, now=now, provider_id=base.provider_id, div=base.div, day=base.day, cause=cause, base=base,
        settings={name: value for name, value in base.settings.items() if name != "run"},
    )  # fmt: skip
    visits = list(PlannedVisit.objects.filter(plan=base))
    for visit in visits:
        visit.pk, visit.plan = None, row
    PlannedVisit.objects.bulk_create(visits, batch_size=500)
    changed(row, now=now, state=DAY_PLAN.target("run", row.state))
    done = {"cost": base.cost, "notes": base.notes, "progress": 100, "locked_staff": locked_staff}
    changed(row, now=now, state=DAY_PLAN.target("finish", row.state), **done)
    return row
