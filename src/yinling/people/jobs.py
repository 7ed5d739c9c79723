"""Going on with imports: a few seconds at a time, so that other jobs get their turn, and from the last slice committed after a break."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from procrastinate.contrib.django import app

from yinling.accounts.models import User
from yinling.directory.queries import active_grants, actor_from, cities, system_actor
from yinling.ground.clock import business_now, real_now
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal
from yinling.people.operations.import_slices import fail_import, work_on
from yinling.people.queries.imports import imports_at_work

logger = logging.getLogger(__name__)
AT_A_TIME = timedelta(seconds=4.5)
RIGHT = "people.import.start"
GAVE_UP = "处理时出错，已停止。可以撤销已写入的内容；请把编号告诉系统管理员"


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="people.go_on_with_imports", pass_context=False)
def go_on_with_imports(timestamp: int) -> None:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """Work for a few seconds on the imports of each city."""
    for area in list(cities()):
        go_on_in(area.div, until=real_now() + AT_A_TIME)


def go_on_in(city: str, *, until: datetime | None = None) -> int:
    """Do slices of the imports at work in a city, in turn, until a moment or until nothing is left; return how many."""
    with scope(system_actor(city)):
        waiting = imports_at_work(city)
    count = 0
    for pk, user_id, div in waiting:
        actor = starter(user_id, div)
        more = True
        while more and (until is None or real_now() < until):
            more = _one_slice(actor, pk, div)
            count += 1
    return count


def starter(user_id: int, div: str) -> Actor:
    """Return who started an import, in the grant of that area; a grant that was taken away in the meantime leaves no rights."""
    user = User.objects.get(pk=user_id)
    now = business_now()
    grants = [grant for grant in active_grants(user_id, now) if grant.div and div.startswith(grant.div)]
    found = [actor for grant in grants if (actor := actor_from(user, grant)).has(RIGHT)]
    return max(found, key=lambda actor: len(actor.div or ""), default=Actor(user_id, user.name, "", div=div))


def _one_slice(actor: Actor, pk: int, div: str) -> bool:
    try:
        with scope(actor):
            return work_on(actor=actor, now=business_now(), import_id=pk)
    except Refusal as refusal:
        problem = refusal.detail
    except Exception:  # one import that cannot go on must not stop the others
        logger.exception("import %s gave up", pk)
        problem = GAVE_UP
    with scope(system_actor(div)):
        fail_import(actor=system_actor(div), now=business_now(), import_id=pk, problem=problem)
    return False
