"""What every test of a page uses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from tests.factories import actor, city

from yinling.accounts.models import User
from yinling.ground.scope import OpenScope
from yinling.kernel.actor import Actor


@pytest.fixture
def sign_in(wide: OpenScope) -> Callable[..., Client]:
    """Return a client logged in as an actor made before, or as a role of the whole city."""
    city()

    def make(who: Actor | str) -> Client:
        acting = actor(who) if isinstance(who, str) else who
        client = Client()
        client.force_login(User.objects.get(pk=acting.user_id))
        client.actor = acting  # type: ignore[attr-defined]
        return client

    return make
