"""Duty in a real browser: every page fits, axe finds nothing, and a hole is filled by keyboard until the roster is published."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from tests.browser.looking import DESK, PHONE, axe_findings, shoot, sideways
from tests.factories import (
    NOW,
    TODAY,
    WIDE,
    actor,
    make_area_tree,
    make_call,
    make_group,
    make_roster,
    make_seat,
    make_shift,
)

from yinling.accounts.models import User
from yinling.directory.queries import grants_and_time
from yinling.ground.scope import scope
from yinling.hotline.models import Roster, Shift
from yinling.hotline.operations import ask_leave, ask_swap, draft_roster, publish_roster
from yinling.kernel.period import local_midnight

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
START = local_midnight(TODAY + timedelta(days=1))


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yinling.web.middleware.grants_and_time", lambda user_id: (grants_and_time(user_id)[0], NOW))


def enter(page: Page, server: Any, user_id: int) -> None:
    with scope(WIDE):
        client = Client()
        client.force_login(User.objects.get(pk=user_id))
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server.url}])


def shown() -> dict[str, Any]:
    """A published month with a swap and a leave asked for, a draft with a hole, and calls of three weeks."""
    with scope(WIDE):
        make_area_tree()
        leader, people, group = actor("line_leader"), [actor("seat") for _ in range(5)], make_group()
        seats = [make_seat(who, group=group, state="off", is_leader=number == 0) for number, who in enumerate(people)]
        make_seat(leader, group=make_group(is_first=False), state="off")
        hole = make_roster(group, from_at=START + timedelta(days=60), hours=24)
        make_shift(hole, seats[0], 0, 8)
        make_shift(hole, seats[1], 8, 16)
        for number in range(60):
            make_call(rang_at=NOW - timedelta(days=7 * (number % 3 + 1), minutes=7 * number), key=f"old:{number}")
    with scope(leader):
        month = draft_roster(
            actor=leader, now=NOW, group_id=group.pk, from_at=START, to_at=START + timedelta(days=30), rotation="3x8"
        )
        publish_roster(actor=leader, now=NOW, roster_id=month.pk)
        shift = Shift.objects.filter(roster=month, seat=seats[0]).order_by("from_at")[0]
    with scope(people[0]):
        leave = ask_leave(
            actor=people[0], now=NOW, kind="annual", from_at=START, to_at=START + timedelta(days=3), reason="探亲"
        )
        ask_swap(actor=people[0], now=NOW, shift_id=shift.pk, to_seat_id=seats[3].pk, reason="家中有事")
    return {
        "leader": leader,
        "seat": people[0],
        "month": month,
        "hole": hole,
        "shift": shift,
        "leave": leave,
        "seats": seats,
    }


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_fits_and_axe_finds_nothing(page: Page, live_server: Any, size: dict[str, int]) -> None:
    made = shown()
    page.set_viewport_size(size)  # type: ignore[arg-type]
    month, name = made["month"].pk, "desk" if size == DESK else "phone"
    for who, addresses in (
        ("leader", [
            "/line/rosters/", f"/line/rosters/{month}/", f"/line/rosters/{month}/?view=month", f"/line/rosters/{month}/?view=hours",
            f"/line/rosters/{month}/?view=shares", f"/line/rosters/{made['hole'].pk}/", f"/line/rosters/{month}/shifts/{made['shift'].pk}/",
            f"/line/rosters/{month}/print/", "/line/swaps/", "/line/leaves/", f"/line/leaves/{made['leave'].pk}/",
            f"/line/seats/{made['seats'][0].pk}/leaving/", "/line/forecast/?day=2026-06-17&handling=900",
        ]),
        ("seat", ["/line/shifts/mine/", f"/line/shifts/{made['shift'].pk}/swap/"]),
    ):  # fmt: skip
        enter(page, live_server, made[who].user_id)
        for address in addresses:
            page.goto(live_server.url + address)
            shoot(page, f"duty-{name}-{re.sub(r'[^a-z]+', '-', address)}")
            assert axe_findings(page) == [], address
            assert sideways(page) == 0, address


@pytest.mark.req("R-CALL-03")
def test_a_hole_is_filled_by_keyboard_and_the_roster_published(page: Page, live_server: Any) -> None:
    made = shown()
    enter(page, live_server, made["leader"].user_id)
    page.goto(f"{live_server.url}/line/rosters/{made['hole'].pk}/")
    page.keyboard.press("p")
    expect(page.locator("form[data-action=publish_roster] .problem")).to_contain_text("16:00–24:00 还缺1人")
    form = page.locator("form[data-action=add_shift]")
    form.locator("[name=seat_id]").select_option(str(made["seats"][2].pk))
    form.locator("[name=seat_id]").press("Control+Enter")
    expect(page.locator("#roster-sheet")).to_contain_text("每一分钟都有 1 人或以上在岗")
    page.keyboard.press("p")
    expect(page.locator("h1")).to_contain_text("已发布")
    with scope(WIDE):
        assert Roster.objects.get(pk=made["hole"].pk).state == "published"
