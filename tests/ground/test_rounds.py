"""One row that fails does not stop the others of a round."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from tests.factories import NOW, WIDE

from yinling.ground.rounds import tried
from yinling.kernel.actor import Actor
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
