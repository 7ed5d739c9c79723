"""What a worker writes about a plan: taken up, still alive, done, given up. Who has the token may write, whoever else was first.

No rights here: whoever asked for the plan had it. The plan is computed outside any transaction; its result is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import uuid4

from yinling.accounts.operations import record
from yinling.dispatch.fairness import Fairness
from yinling.dispatch.models import DayPlan, PlannedVisit
from yinling.dispatch.planner.evaluate import cost_of
from yinling.dispatch.planner.problem import Left, Stop
from yinling.dispatch.planner.problem import Plan as Solution
from yinling.dispatch.planner.timing import way_back
from yinling.dispatch.queries.days import Day, explained
from yinling.dispatch.states import DAY_PLAN, PlanState
from yinling.ground.clock import real_now
from yinling.ground.live import tell
from yinling.ground.operation import changed
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.orders.models import Order

SILENT = timedelta(minutes=1)
"""A plan whose worker has not been heard of for so long goes back to the queue."""
BATCH = 500


def claim_plan(*, actor: Actor, now: datetime, plan_id: int) -> str:
    """Take up a waiting plan; return the token to write with, empty if another worker has it."""
    row = DayPlan.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=plan_id).first()
    if row is None or row.state != PlanState.QUEUED:
        return ""
    token = uuid4().hex
    move(actor, now, row, "run", alive_at=real_now(), progress=0, settings=row.settings | {"run": token})
    return token


def note_alive(*, plan_id: int, div: str, token: str, share: float) -> bool:
    """Write how far the search is; False if it is to stop: asked to, or no longer one's own. Not journalled, nothing is decided."""
    mine = DayPlan.objects.filter(pk=plan_id, state=PlanState.RUNNING, settings__run=token)
    percent = min(99, round(share * 100))
    if not mine.update(progress=percent, alive_at=real_now()):
        return False
    tell("plans", pk=plan_id, div=div)
    return not mine.filter(is_stop_wanted=True).exists()


def requeue_silent(*, actor: Actor, now: datetime) -> list[int]:
    """Put plans back whose worker died; return their numbers. A row another puller holds is left to it."""
    rows = DayPlan.objects.within(actor.div or "").filter(state=PlanState.RUNNING, alive_at__lt=real_now() - SILENT)
    found = list(rows.select_for_update(of=("self",), skip_locked=True))
    for row in found:
        move(actor, now, row, "requeue", progress=0)
    return [row.pk for row in found]


def finish_plan(*, actor: Actor, now: datetime, plan_id: int, token: str, day: Day, solution: Solution) -> DayPlan | None:  # fmt: skip
    """Write the result, unless the plan was taken away meanwhile."""
    row = DayPlan.objects.select_for_update(of=("self",)).filter(pk=plan_id, state=PlanState.RUNNING).first()
    if row is None or row.settings.get("run") != token:
        return None
    return complete(actor=actor, now=now, row=row, day=day, solution=solution)


def complete(*, actor: Actor, now: datetime, row: DayPlan, day: Day, solution: Solution) -> DayPlan:
    """Write the visits and the cost of a running plan: it is ready."""
    PlannedVisit.objects.bulk_create(_visits(row, day, solution), batch_size=BATCH)
    work = [_work(day, number, route) for number, route in enumerate(solution.routes)]
    told = {
        "weights": asdict(day.terms.weights), "fairness": Fairness.of(day.problem.workers, work).as_json(),
        "moves": solution.moves, "cpu_seconds": round(solution.cpu_seconds, 2), "rounds": _rounds(day, solution),
    }  # fmt: skip
    cost = asdict(cost_of(day.problem, solution.routes, left_here(day, solution), day.terms.weights))
    return move(
        actor, now, row, "finish", cost=cost, settings=row.settings | told, notes=list(solution.notes), progress=100,
        is_stop_wanted=False,
    )  # fmt: skip


def fail_plan(*, actor: Actor, now: datetime, plan_id: int, token: str, reason: str) -> None:
    """Note why a plan was given up."""
    row = DayPlan.objects.select_for_update(of=("self",)).filter(pk=plan_id, state=PlanState.RUNNING).first()
    if row is not None and row.settings.get("run") == token:
        move(actor, now, row, "fail", reason=reason[:500])


def move(actor: Actor, now: datetime, row: DayPlan, verb: str, **values: Any) -> DayPlan:
    """Make one transition of a locked plan, journal it and tell open screens."""
    changes = changed(row, now=now, state=DAY_PLAN.target(verb, row.state), **values)
    kept = {name: change for name, change in changes.items() if name not in ("settings", "alive_at", "notes", "cost")}
    record(actor=actor, now=now, event=f"dispatch.plan.{verb}", subject=row, changes=kept)
    tell("plans", pk=row.pk, div=row.div)
    return row


def left_here(day: Day, solution: Solution) -> tuple[Left, ...]:
    """What is left out of the orders of this area; work elsewhere is no part of the plan."""
    return tuple(one for one in solution.left if not day.wanted[one.visit].is_elsewhere)


def _work(day: Day, number: int, route: Iterable[Stop]) -> float:
    stops = list(route)
    return sum(stop.way + stop.ends - stop.starts for stop in stops) + way_back(day.problem, number, stops)


def _rounds(day: Day, solution: Solution) -> dict[str, Any]:
    """Return by carer what the visits do not tell: the rests (minutes of the day) and the minutes of the way back."""
    return {
        str(day.carers[number].staff_id): {
            "breaks": [[round(start), round(end)] for start, end in solution.breaks[number]],
            "back": round(way_back(day.problem, number, route)),
        }
        for number, route in enumerate(solution.routes)
        if route
    }


def _visits(plan: DayPlan, day: Day, solution: Solution) -> list[PlannedVisit]:
    """Return the rows of a plan. What was begun or accepted stays where it is, even if the search found no room for it."""
    rows = [
        _served(plan, day, number, stop)
        for number, route in enumerate(solution.routes)
        for stop in route
        if not day.wanted[stop.visit].is_elsewhere
    ]
    reasons = {one.visit: explained(day, one) for one in left_here(day, solution)}
    for visit, why in reasons.items():
        rows += _left(plan, day, visit, why)
    late = [{"code": "over", "values": {}}]
    for order_id in day.over:
        order = day.orders[order_id]
        rows += [
            _out(plan, order, slot, order.starts_at, order.ends_at, late) for slot in range(1, order.carers_needed + 1)
        ]
    return rows


def _served(plan: DayPlan, day: Day, number: int, stop: Stop) -> PlannedVisit:
    wanted = day.wanted[stop.visit]
    order = day.orders[wanted.order_id]
    row = _out(plan, order, stop.task + 1, day.frame.moment(stop.starts), day.frame.moment(stop.ends), [])
    row.staff_id = day.carers[number].staff_id
    row.way_minutes = round(stop.way)
    row.late_minutes = max(0, round(stop.starts - day.frame.minute(order.latest_at)))
    row.is_locked = order.pk in day.locked_orders
    return row


def _left(plan: DayPlan, day: Day, visit: int, why: list[dict[str, Any]]) -> list[PlannedVisit]:
    wanted = day.wanted[visit]
    order = day.orders[wanted.order_id]
    start = order.starts_at if wanted.start is None else day.frame.moment(wanted.start)
    rows = []
    for slot, minutes in enumerate(wanted.minutes, 1):
        row = _out(plan, order, slot, start, start + timedelta(minutes=round(minutes)), why)
        if wanted.is_fixed:
            row.staff_id = wanted.carers[slot - 1]
        rows.append(row)
    return rows


def _out(plan: DayPlan, order: Order, slot: int, starts_at: datetime, ends_at: datetime, why: list[Any]) -> PlannedVisit:  # fmt: skip
    return PlannedVisit(
        div=plan.div, plan=plan, provider_id=plan.provider_id, order_id=order.pk, elder_id=order.elder_id, slot=slot,
        starts_at=starts_at, ends_at=ends_at, reasons=why,
    )  # fmt: skip


def new_version(
    *,
    now: datetime,
    actor: Actor,
    provider_id: int,
    div: str,
    day: Any,
    cause: str,
    base: DayPlan | None,
    settings: dict[str, Any],
) -> DayPlan:
    """Insert the next version of a day, waiting to be computed."""
    last = DayPlan.objects.filter(provider_id=provider_id, div=div, day=day).order_by("-number").first()
    return DayPlan.objects.create(
        provider_id=provider_id, div=div, day=day, number=1 + (last.number if last else 0), cause=cause, base=base,
        locked_staff=list(base.locked_staff) if base else [], settings=settings, requested_by_id=cast("int", actor.user_id), created_at=now,
        changed_at=now,
    )  # fmt: skip


def is_past(day: Any, now: datetime) -> bool:
    """Whether a day is over."""
    return bool(day < local_date(now))
