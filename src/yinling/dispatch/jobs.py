"""Offers nobody answered, carers named for orders that were cancelled, ways kept too long, and plans to be computed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from yinling.directory.queries import cities, city_of, system_actor
from yinling.dispatch.models import DayPlan
from yinling.dispatch.operations import expire_assignment, inform_carer, withdraw_orphan
from yinling.dispatch.operations.borders import balance_plans
from yinling.dispatch.operations.plans import AT_WORK, PLANS, hand_over, not_handed_over
from yinling.dispatch.operations.runs import claim_plan, fail_plan, finish_plan, note_alive, requeue_silent
from yinling.dispatch.operations.solving import day_of, holds_of, search_day
from yinling.dispatch.operations.travel import forget_ways
from yinling.dispatch.queries import orphans, overdue_offers, readdressed
from yinling.dispatch.queries.plans import queued_plans
from yinling.ground.clock import business_now, real_now
from yinling.ground.parameters import parameter
from yinling.ground.rounds import daily
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal

logger = logging.getLogger(__name__)
MOST_A_ROUND = 500
GAVE_UP = "计算时出错，已停止。请重新排班；再次出错时，请把编号告诉系统管理员"


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="dispatch.expire_offers", pass_context=False)
def expire_offers(timestamp: int) -> None:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """Run a round in every city."""
    for div in [area.div for area in cities()]:
        expire_offers_of(div, business_now())


def expire_offers_of(div: str, now: datetime) -> int:
    """Do what is due in one city; return how many assignments ended. A row somebody else changed waits for the next round."""
    actor = system_actor(div)
    with scope(actor):
        due = list(overdue_offers(div, now).values_list("pk", flat=True)[:MOST_A_ROUND])
    ended = _each(actor, now, due, expire_assignment) + withdraw_orphans(actor, now)
    inform_carers(actor, now)
    return ended


def inform_carers(actor: Actor, now: datetime, elder_id: int | None = None) -> int:
    """Tell the carers of the area, or of one elder, whose order leads to another home now."""
    with scope(actor):
        rows = readdressed(actor.div or "", now)
        if elder_id is not None:
            rows = rows.filter(elder_id=elder_id)
        due = list(rows.values_list("pk", flat=True)[:MOST_A_ROUND])
    return _each(actor, now, due, inform_carer)


def withdraw_orphans(actor: Actor, now: datetime, elder_id: int | None = None) -> int:
    """Free the carers of the area, or of one elder, whose order was cancelled or suspended."""
    with scope(actor):
        rows = orphans(actor.div or "")
        if elder_id is not None:
            rows = rows.filter(elder_id=elder_id)
        due = list(rows.values_list("pk", flat=True)[:MOST_A_ROUND])
    return _each(actor, now, due, withdraw_orphan)


def _each(actor: Actor, now: datetime, found: Iterable[int], perform: Callable[..., Any]) -> int:
    count = 0
    for pk in found:
        try:
            with scope(actor):
                perform(actor=actor, now=now, assignment_id=pk)
        except Refusal:
            continue
        count += 1
    return count


@app.periodic(cron=daily(3, 15))
@app.task(queueing_lock="dispatch.forget_old_ways", pass_context=False)
def forget_old_ways(timestamp: int) -> int:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """Remove ways that the map engine said too long ago to be asked from the cache again; return how many."""
    now = real_now()
    return forget_ways(now - timedelta(days=int(parameter("travel.cache_days", "", local_date(now)))))


@app.periodic(cron="* * * * * */10")
@app.task(queueing_lock="dispatch.pull_plans", pass_context=False)
def pull_plans(timestamp: int) -> None:  # noqa: ARG001 - as above
    """Put plans of dead workers back, and every waiting plan before the workers: any worker on any host may take it."""
    for div in [area.div for area in cities()]:
        pull_plans_of(div, business_now())


def pull_plans_of(div: str, now: datetime) -> list[int]:
    """Hand the waiting plans of a city to the workers; return their numbers. One that waits there already is left alone."""
    actor = system_actor(div)
    with scope(actor):
        requeue_silent(actor=actor, now=now)
        waiting = list(queued_plans(div))
    for row in not_handed_over(waiting):
        with suppress(AlreadyEnqueued):  # somebody did in this moment
            hand_over(row)
    return [row.pk for row in waiting]


@app.task(queue=PLANS, pass_context=False)
def run_plan(plan_id: int, div: str) -> None:
    """Compute one plan."""
    solve_plan(city_of(div), plan_id)


def solve_plan(city: str, plan_id: int) -> bool:
    """Take up a plan, search, and write the result, each in a transaction of its own; False if another worker has it.

    The carers of a street may belong to its district, so the day is read with the eyes of the city.
    """
    actor = system_actor(city)
    with scope(actor):
        token = claim_plan(actor=actor, now=business_now(), plan_id=plan_id)
    if not token:
        return False
    try:
        with scope(actor):
            plan = DayPlan.objects.select_related("base").get(pk=plan_id)
            day = day_of(plan, business_now())
            holds = holds_of(day, plan.base) if plan.cause == "absence" and plan.base is not None else None
        solution = search_day(plan, day, holds=holds, report=_reporter(actor, plan, token))
        with scope(actor):
            done = finish_plan(
                actor=actor, now=business_now(), plan_id=plan_id, token=token, day=day, solution=solution
            )
    except Exception:  # one plan that cannot be computed must not stop the others
        logger.exception("plan %s gave up", plan_id)
        with scope(actor):
            fail_plan(actor=actor, now=business_now(), plan_id=plan_id, token=token, reason=GAVE_UP)
        return False
    if done is not None and (area := plan.settings.get("city")):
        help_over_borders(actor, area, plan)
    return done is not None


def help_over_borders(actor: Actor, area: str, plan: DayPlan) -> None:
    """Let neighbours help each other once the last street of an area is ready. Whoever finds nothing to do leaves it at that."""
    with suppress(Refusal), scope(actor):
        waiting = DayPlan.objects.within(area).filter(day=plan.day, provider_id=plan.provider_id, state__in=AT_WORK)
        if not waiting.exists():
            balance_plans(actor=actor, now=business_now(), div=area, day=plan.day)


def _reporter(actor: Actor, plan: DayPlan, token: str) -> Callable[[float, float], bool]:
    """Return what tells the progress and asks whether to go on. The search calls it about twice a second."""

    def report(share: float, _best: float) -> bool:
        with scope(actor):
            return note_alive(plan_id=plan.pk, div=plan.div, token=token, share=share)

    return report
