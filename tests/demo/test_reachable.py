"""Every page about money is reached in the made-up city by clicking from somebody's first page, and no link on the way leads nowhere."""

from __future__ import annotations

import re
from collections import Counter, deque
from html import unescape

import pytest
from django.test import Client
from django.urls import Resolver404, resolve
from tests.shape.test_routes import all_routes

from yinling.accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo_city")]
WHO = ("finance", "provider_manager", "district", "auditor", "city", "nurse", "elder", "")
"""Whose menus are walked, one after the other, until nothing is missing; the last is a visitor."""
MONEY = re.compile(
    r"(settlement|funds|subsidies|reimbursements|donations|agreements|benefits|contracts|beds|staff/scorecards|price-lists|budgets|prices"
    r"|catalogue/packages|e/bills|m/income|elders/<int:pk>/programmes)/"
)
LINK = re.compile(r'<a [^>]*href="(/[^"#]*)')
ELSEWHERE = re.compile(r"/(static|api|language|logout|demo)/")
NONE = re.compile(r"settlement/(recoveries|payments/bills)/<int:pk>/|settlement/(payouts/sum|statements/decide)/")
"""Of the first the made-up city has no row yet; their lists are reached. The others answer a form."""
MOST = 3
"""So many rows of one kind are opened: not every one is in a state that leads on."""


def route_of(address: str) -> str:
    """Return the pattern of an address without its query; nothing for one that no page has."""
    try:
        return resolve(address.partition("?")[0]).route
    except Resolver404:
        return ""


def walked(client: Client, wanted: set[str]) -> tuple[set[str], list[str]]:
    """Click through everything a login finds; return the patterns seen, and the links that lead nowhere."""
    waiting, known, counts = deque([("/", "")]), {"/"}, Counter[str]()
    seen: set[str] = set()
    dead: list[str] = []
    while waiting:
        address, before = waiting.popleft()
        answer = client.get(address, follow=address == "/")
        route = route_of(address)
        if answer.status_code >= 400:
            dead.append(f"{address} {answer.status_code} from {before}")
            continue
        seen.add(route)
        if "text/html" not in answer.get("Content-Type", ""):
            continue
        for found in map(unescape, LINK.findall(answer.content.decode())):
            to = route_of(found)
            if found in known or ELSEWHERE.match(found) or counts[to] >= (MOST if to in wanted else 1):
                continue
            known.add(found)
            counts[to] += 1
            waiting.append((found, address))
    return seen, dead


@pytest.mark.req("R-PAY-08", "R-PAY-12", "R-LTC-10")
def test_every_page_about_money_is_reached_from_a_menu() -> None:
    wanted = {
        where
        for where, _view in all_routes()
        if MONEY.match(where) and not NONE.match(where) and not where.endswith("/bank/")
    }
    assert len(wanted) > 100
    missing, dead = set(wanted), []
    for username in WHO:
        client = Client(raise_request_exception=False)
        if username:
            client.force_login(User.objects.get(username=username))
        seen, faults = walked(client, wanted)
        missing -= seen
        dead += [f"{username}: {fault}" for fault in faults]
        if not missing:
            break
    assert (sorted(missing), dead) == ([], [])
