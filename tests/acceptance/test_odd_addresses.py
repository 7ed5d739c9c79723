"""No address typed by hand brings a page down: strange filters and numbers get a page, a sentence or nothing found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from tests.acceptance.conftest import Foreign
from tests.factories import actor

from yinling.accounts.models import User
from yinling.directory.roles import DEMO_ROLES, ROLES
from yinling.ground.scope import OpenScope

FILTERS = (
    "area", "call", "code", "day", "div", "elder", "family", "from", "kind", "month", "order", "organisation", "page", "q", "since",
    "staff", "state", "tab", "ticket", "to", "which", "year",
)  # fmt: skip


def pages(patterns: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """Yield the address and the right of every page."""
    for one in patterns:
        place = before + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from pages(one.url_patterns, place)
        elif not place.startswith(("api/", "static", "admin", "accounts/")) and "(?" not in place:
            yield place, getattr(one.callback, "right", "")


@pytest.mark.parametrize("odd", ["", "\x00", "9999-12-31", "9" * 30], ids=["plain", "NUL", "far", "long"])
def test_no_page_falls_over(foreign: Foreign, wide: OpenScope, odd: str) -> None:
    clients: dict[str, Client] = {}
    fallen = []
    for place, right in pages(get_resolver().url_patterns):
        role = next(
            (code for code in DEMO_ROLES if right in ROLES[code].rights and ROLES[code].anchor == "area"), "seat"
        )
        if role not in clients:
            clients[role] = Client(raise_request_exception=False)
            clients[role].force_login(User.objects.get(pk=actor(role).user_id))
        where = re.sub(r"<\w+:\w+>|<\w+>", str(foreign.order.pk), place)
        answer = clients[role].get(f"/{where}", dict.fromkeys(FILTERS, odd) if odd else {})
        if answer.status_code >= 500:
            fallen.append((role, place))
    assert fallen == []


@pytest.mark.parametrize("role", ["seat", "city", "system_admin", "visitor"])
def test_every_role_opens_the_map(foreign: Foreign, wide: OpenScope, client: Client, role: str) -> None:
    client.force_login(User.objects.get(pk=actor(role).user_id))
    assert client.get("/areas/").status_code == 200
