"""One street of the city's day through the database: asked for, computed by the job, published, planned anew around a sick carer.

Elders, homes, provider and prices are those of the demo city; orders and carers are entered for a day far ahead, 600 and 200 of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from yinling.bench.catalogue import SEED
from yinling.bench.city import CLOCK, bench_city
from yinling.bench.figures import Figure

if TYPE_CHECKING:
    from yinling.kernel.actor import Actor

VISITS, CARERS = 600, 200
AHEAD = timedelta(days=10)
MOST_REPLAN, MOST_EFFECT = 3.0, 50


@dataclass
class Steps:
    """The seconds of each step, by name."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step."""
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began


def through_the_database(home: Path) -> list[Figure]:
    """Return the seconds of each step a dispatcher waits for."""
    with bench_city(home):
        return _play(datetime.fromisoformat(CLOCK))


def _play(now: datetime) -> list[Figure]:
    from yinling.dispatch.planner.search import warm_up  # noqa: PLC0415 - needs the settings of the city

    warm_up()
    steps, day = Steps(), (now + AHEAD).date()
    actor, provider_id, area = fill(now, day)
    plan, offered = _morning(actor, now, (provider_id, area, day), steps)
    moved, left = _fall_ill(actor, now, plan, steps)
    cpu = float(plan.settings["cpu_seconds"])
    took = steps.seconds
    return [
        Figure("city.street.job", round(took["job"], 1), "s", f"{VISITS} orders, {CARERS} carers: read, search ({cpu:g} s), write"),
        Figure("city.street.board", round(1000 * took["board"]), "ms", "the board of the desk, without the page"),
        Figure("city.street.effect", round(1000 * took["effect"]), "ms", "of one move, while it is dragged", most=MOST_EFFECT),
        Figure("city.street.publish", round(took["publish"], 1), "s", f"{offered} visits offered, appointed, journalled"),
        Figure("city.street.replan", round(took["replan"], 2), "s", "sick carer: read, search, write", most=MOST_REPLAN),
        Figure("city.street.replan_moved", moved, "visits", "of other carers, moved by the illness", most=0),
        Figure("city.street.replan_left", left, "visits", "of the sick carer that nobody could take"),
    ]  # fmt: skip


def _morning(actor: Actor, now: datetime, whose: tuple[int, str, date], steps: Steps) -> tuple[Any, int]:
    """Ask, compute, look, drag, publish; return the plan and the number of visits offered."""
    from yinling.dispatch.jobs import solve_plan  # noqa: PLC0415 - needs the settings of the city
    from yinling.dispatch.models import PlannedVisit  # noqa: PLC0415 - as above
    from yinling.dispatch.operations import publish_plan, request_plan  # noqa: PLC0415 - as above
    from yinling.dispatch.queries import effect_of_move, plan_board  # noqa: PLC0415 - as above
    from yinling.ground.scope import scope  # noqa: PLC0415 - as above

    provider_id, area, day = whose
    with scope(actor):
        plan = request_plan(actor=actor, now=now, provider_id=provider_id, div=area, day=day)
    with steps.step("job"):
        solve_plan(area[:4], plan.pk)
    with scope(actor):
        plan.refresh_from_db()
        with steps.step("board"):
            plan_board(actor, plan)
        planned = PlannedVisit.objects.filter(plan=plan, staff__isnull=False).order_by("pk")
        count = planned.count()
        visit = planned[count // 2]
        other = planned.exclude(staff=visit.staff_id)[0]
        effect_of_move(actor, plan, visit.order_id, visit.slot, other.staff_id)
        with steps.step("effect"):
            effect_of_move(actor, plan, visit.order_id, visit.slot, other.staff_id)
    with steps.step("publish"), scope(actor):
        publish_plan(actor=actor, now=now, plan_id=plan.pk, count=count)
    return plan, count


def _fall_ill(actor: Actor, now: datetime, plan: Any, steps: Steps) -> tuple[int, int]:
    """Let the busiest carer fall ill; return the visits of others that moved, and those of the sick one left out."""
    from django.db.models import Count  # noqa: PLC0415 - needs the settings of the city

    from yinling.directory.operations import report_absence  # noqa: PLC0415 - as above
    from yinling.dispatch.models import PlannedVisit  # noqa: PLC0415 - as above
    from yinling.dispatch.operations import replan  # noqa: PLC0415 - as above
    from yinling.ground.scope import scope  # noqa: PLC0415 - as above
    from yinling.kernel.period import day_bounds  # noqa: PLC0415 - as above

    with scope(actor):
        rows = PlannedVisit.objects.filter(plan=plan, staff__isnull=False)
        ill = rows.values_list("staff_id").annotate(number=Count("pk")).order_by("-number", "staff_id")[0][0]
        before = {(row.order_id, row.slot): (row.staff_id, row.starts_at) for row in rows}
        start, end = day_bounds(plan.day)
        report_absence(actor=actor, now=now, staff_id=ill, kind="sick", from_at=start, to_at=end)
        plan.refresh_from_db()
    with steps.step("replan"), scope(actor):
        new = replan(actor=actor, now=now, plan_id=plan.pk, staff_id=ill)
    with scope(actor):
        after = {
            (row.order_id, row.slot): (row.staff_id, row.starts_at) for row in PlannedVisit.objects.filter(plan=new)
        }
    moved = sum(1 for key, value in before.items() if value[0] != ill and after.get(key) != value)
    return moved, sum(1 for key, value in before.items() if value[0] == ill and after[key][0] is None)


def fill(now: datetime, day: date) -> tuple[Actor, int, str]:
    """Enter carers and orders of one provider in one district; return a dispatcher, the provider and the area."""
    from yinling.bench.streetdata import enter_carers, enter_orders, place  # noqa: PLC0415 - needs the settings of the city
    from yinling.directory.models import Grant  # noqa: PLC0415 - as above
    from yinling.directory.queries import actor_from  # noqa: PLC0415 - as above
    from yinling.ground.scope import scope  # noqa: PLC0415 - as above
    from yinling.kernel.actor import Actor  # noqa: PLC0415 - as above

    grant = Grant.objects.select_related("user").filter(role="dispatcher", state="active").order_by("id")[0]
    actor = actor_from(grant.user, grant, elder_ids=(), staff_id=None)
    dice = Random(SEED)
    with scope(Actor(None, "bench", "city", actor.rights, div=(actor.div or "")[:4])):
        provider, item, price, area = place(day)
        enter_carers(provider, area, CARERS, now, dice)
        enter_orders(provider, item, price, area, VISITS, now, day, dice)
    return actor, provider.pk, area
