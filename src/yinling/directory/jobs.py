"""Warnings of policies and certificates that end soon."""

from __future__ import annotations

from datetime import datetime

from procrastinate.contrib.django import app

from yinling.directory.operations.reminders import remind_of_policy, remind_of_qualification
from yinling.directory.queries import cities, ending_policies, ending_qualifications, system_actor
from yinling.ground.clock import business_now
from yinling.ground.parameters import parameter
from yinling.ground.rounds import daily
from yinling.ground.scope import scope
from yinling.kernel.period import local_date

MOST_A_ROUND = 2000


@app.periodic(cron=daily(6, 40))
@app.task(queueing_lock="directory.remind", pass_context=False)
def remind(timestamp: int) -> None:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """Warn in every city, every morning."""
    for div in [area.div for area in cities()]:
        remind_in(div, business_now())


def remind_in(div: str, now: datetime) -> None:
    """Warn of what ends within the days of the area's parameter (R-ORD-13: 30); each paper once."""
    today = local_date(now)
    with scope(system_actor(div)):
        days = int(parameter("papers.warning_days", div, today))
        policies = ending_policies(today, days).filter(organisation__div__gte=div, organisation__div__lt=div + ":")
        for policy in policies[:MOST_A_ROUND]:
            remind_of_policy(now, policy)
        for qualification in ending_qualifications(today, days).filter(div__gte=div, div__lt=div + ":")[:MOST_A_ROUND]:
            remind_of_qualification(now, qualification)
