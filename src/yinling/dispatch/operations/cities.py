"""All streets of a city at once, and help over the border between neighbouring streets."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Q

from yinling.accounts.operations import record
from yinling.directory.models import Staff
from yinling.directory.rules import require
from yinling.dispatch.assembly import areas_to_plan
from yinling.dispatch.models import DayPlan
from yinling.dispatch.operations.plans import (
    AT_WORK,
    STANDING,
    AreaCode,
    Seconds,
    Seed,
    check_area,
    one_at_a_time,
    overlapping,
    queue_plan,
)
from yinling.dispatch.operations.runs import is_past
from yinling.ground.operation import operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day
from yinling.kernel.period import day_bounds
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.queries import OPEN_STATES


@operation("dispatch.plan.request_all", label=N_("全市排班"))
def plan_city(*, actor: Actor, now: datetime, div: AreaCode, day: Day, seconds: Seconds = None, seed: Seed = 1) -> DayPlan:  # fmt: skip
    """Ask for plans of all streets of an area, for every provider with orders that day; return the last one.

    Where one is being computed, or one stands whose area crosses, nothing is asked anew.
    """
    require(actor, "dispatch.plan.request_all", div=div)
    check_area(div)
    if is_past(day, now):
        raise Refused("plan.past", N_("这一天已经过去，不能再排班"), field="day")
    made = [
        queue_plan(actor, now, provider_id=provider_id, div=area, day=day, seconds=seconds, seed=seed, city=div)
        for provider_id, areas in sorted(plan_areas(div, day).items())
        for area in areas
        if is_free(provider_id, area, day)
    ]
    if not made:
        raise Refused("plan.nothing", N_("这一天没有要排的订单，或各街道都正在排班"), field="day")
    record(
        actor=actor,
        now=now,
        event="dispatch.plan.request_all",
        subject=made[-1],
        changes={"count": [0, len(made)]},
        div=div,
    )
    return made[-1]


def plan_areas(div: str, day: date) -> dict[int, list[str]]:
    """Return the areas to be planned of each provider: streets, or what is wider where its carers belong to no street."""
    start, end = day_bounds(day)
    orders = Order.objects.within(div).filter(
        starts_at__gte=start, starts_at__lt=end, state__in=OPEN_STATES, needs_visit=True
    )
    homes: dict[int, set[str]] = {}
    for provider_id, home in orders.values_list("provider_id", "div").distinct():
        homes.setdefault(provider_id, set()).add(home)
    duties: dict[int, set[str]] = {}
    still = Q(employed_to=None) | Q(employed_to__gt=day)
    people = Staff.objects.filter(still, provider_id__in=homes).exclude(kind="office")
    for provider_id, duty, site in people.values_list("provider_id", "duty_div", "site__div").distinct():
        duties.setdefault(provider_id, set()).add(duty or site)
    return {
        provider_id: areas_to_plan(places, duties.get(provider_id, set()), div) for provider_id, places in homes.items()
    }


def is_free(provider_id: int, div: str, day: date) -> bool:
    """Whether a plan may be asked for, waiting for whoever asks at the same time."""
    one_at_a_time(provider_id, day)
    others = DayPlan.objects.filter(provider_id=provider_id, day=day)
    if others.filter(div=div, state__in=AT_WORK).exists():
        return False
    return not overlapping(others.exclude(div=div), div).filter(state__in=STANDING).exists()
