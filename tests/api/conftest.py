"""What every test of the API uses."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import datetime, time
from typing import Any

import pytest
from django.test import Client
from tests.factories import actor, city

from yinling.directory.operations import new_token
from yinling.ground.clock import real_now
from yinling.ground.scope import OpenScope
from yinling.kernel.actor import Actor
from yinling.kernel.period import ONE_DAY, SHANGHAI, local_date

_keys = itertools.count(1)


def tomorrow(hour: int = 10) -> str:
    """An hour of tomorrow in China as a program writes it: what is booked here is booked by the clock of the machine."""
    return datetime.combine(local_date(real_now()) + ONE_DAY, time(hour), SHANGHAI).isoformat()


class Api:
    """A program with a token."""

    def __init__(self, who: Actor) -> None:
        self.actor = who
        self.client = Client(headers={"Authorization": f"Bearer {token_of(who)}"})

    def get(self, where: str, **query: Any) -> Any:
        """Read."""
        return self.client.get(f"/api/v1{where}", query)

    def post(self, where: str, body: dict[str, Any] | None = None, *, key: str = "") -> Any:
        """Write, with a new key unless one is given."""
        headers = {"Idempotency-Key": key or f"key-{next(_keys)}"}
        return self.client.post(
            f"/api/v1{where}", json.dumps(body or {}), content_type="application/json", headers=headers
        )


def token_of(who: Actor) -> str:
    """Issue a token for an actor."""
    row = new_token(user_id=who.user_id, grant_id=who.grant_id, name="test", days=30, elder_ids=who.elder_ids)
    return str(row.plain)


@pytest.fixture
def api(wide: OpenScope) -> Callable[..., Api]:
    """Return a program that acts as an actor made before, or as a role of the whole city."""
    city()
    return lambda who: Api(actor(who) if isinstance(who, str) else who)
