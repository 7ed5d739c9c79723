"""One row that fails does not stop the others of a round; daily jobs run at hours of China."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import pytest
from croniter import croniter
from django.db import connection
from procrastinate.contrib.django import app
from tests.factories import NOW, WIDE

from yinling.ground.rounds import daily, tried
from yinling.kernel.actor import Actor
from yinling.kernel.period import SHANGHAI
from yinling.kernel.refusals import Refused

pytestmark = pytest.mark.django_db


def acts(*, actor: Actor, now: datetime, pk: int) -> int:
    return pk


def refuses(**_asked: Any) -> None:
    raise Refused("test.no", "不行")


def breaks(**_asked: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


def test_what_is_refused_or_breaks_is_told_and_the_next_one_runs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "yinling.rounds"):
        done = [tried(WIDE, NOW, perform, pk=7) for perform in (refuses, breaks, acts)]
    assert done == [False, False, True]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "refuses {'pk': 7}: test.no"), ("ERROR", "breaks {'pk': 7}"),
    ]  # fmt: skip


def next_in_china(line: str) -> str:
    """When the queue would run it next: it knows moments only, and counts in UTC."""
    at = croniter(line).get_next(ret_type=float, start_time=NOW.timestamp())
    return f"{datetime.fromtimestamp(at, SHANGHAI):%H:%M}"


@pytest.mark.parametrize(("hour", "minute"), [(0, 0), (3, 40), (7, 59), (8, 0), (23, 5)])
def test_a_daily_job_runs_at_its_hour_in_china(hour: int, minute: int) -> None:
    assert next_in_china(daily(hour, minute)) == f"{hour:02d}:{minute:02d}"


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("yinling.settlement.jobs.payment_bills", "10:20"), ("yinling.programmes.home_beds.jobs.bill", "03:40"),
        ("yinling.entitlements.jobs.grades", "01:20"), ("yinling.indicators.jobs.compute_indicators", "01:20"),
        ("yinling.hotline.jobs.delete_due_recordings", "03:25"),
    ],
)  # fmt: skip
def test_what_the_handbook_calls_night_is_night(name: str, at: str) -> None:
    (line,) = [one.cron for one in app.periodic_registry.periodic_tasks.values() if one.task.name == name]
    assert next_in_china(line) == at
