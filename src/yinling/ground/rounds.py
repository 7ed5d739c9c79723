"""What a job does with many rows: one operation each, in a transaction of its own, and one that fails never stops the others."""

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
