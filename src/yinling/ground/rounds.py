"""When a daily job runs, and what a job does with many rows: one operation each, in a transaction of its own, none stopping the others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import DatabaseError

from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal

logger = logging.getLogger("yinling.rounds")
AHEAD_OF_UTC = 8


def daily(hour: int, minute: int) -> str:
    """Return the cron line of a job that runs once a day at a time of China: the queue reads cron lines in UTC."""
    return f"{minute} {(hour - AHEAD_OF_UTC) % 24} * * *"


def tried(actor: Actor, now: datetime, perform: Callable[..., Any], **values: Any) -> bool:
    """Run one operation; whether it did something. What is refused is on record and waits for the next round, as does what broke."""
    try:
        with scope(actor):
            perform(actor=actor, now=now, **values)
    except Refusal as refusal:
        logger.info("%s %s: %s", perform.__name__, values, refusal.code)
        return False
    except DatabaseError:
        logger.exception("%s %s", perform.__name__, values)
        return False
    return True
