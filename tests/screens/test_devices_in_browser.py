"""Alarms and devices in a browser: axe finds nothing, nothing runs sideways, and a picture of each to look at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from tests.browser.looking import DESK, PHONE, axe_findings, shoot, sideways
from tests.devices.makers import make_device, message, pos
from tests.devices.test_intake import platform, report
from tests.factories import WIDE, make_contact, make_elder, make_organisation
from tests.screens.test_in_browser import enter

from yinling.devices.models import Alarm, DeviceTask
from yinling.ground.scope import scope

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fill() -> Alarm:
    """Three alarms of three levels, a facility with its devices, and a task."""
    now = timezone.now()
    elder = make_elder(name="沈桂英")
    make_contact(elder, phone="19900007771")
    who, first = platform(), make_device(elder, place="卧室床头", battery=64, last_seen_at=now)
    report(who, message(first, "sos", 1, now - timedelta(seconds=12), pos=pos(120.31, 31.57, 12)), now=now)
    for kind, facts in (("smoke", {}), ("motion", {"alarm": True})):
        report(who, message(make_device(make_elder(), kind="smoke"), kind, 1, now, data=facts), now=now)
    home = make_organisation(kind="care_home", short_name="福寿护理院")
    quiet = make_device(
        provider=home, kind="bed", place="201 室", last_seen_at=now - timedelta(days=2), funding="provider"
    )
    DeviceTask.objects.create(
        div=quiet.div, device=quiet, provider=home, kind="silent", opened_at=now, created_at=now, changed_at=now
    )
    return Alarm.objects.get(device=first)


def test_pages_fit_and_axe_finds_nothing(page: Page, live_server: Any) -> None:
    enter(page, live_server, "city")
    with scope(WIDE):
        alarm = fill()
    enter(page, live_server, "seat")
    places = [
        "/alarms/",
        f"/alarms/{alarm.pk}/",
        "/devices/",
        f"/devices/{alarm.device_id}/",
        "/devices/tasks/",
        "/devices/facilities/",
        "/green/",
    ]
    for size in (DESK, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for where in places:
            page.goto(live_server.url + where)
            shoot(page, f"devices-{where.strip('/').replace('/', '-').replace(str(alarm.pk), 'one')}")
            assert axe_findings(page) == []
            assert sideways(page) == 0, where


def test_an_alarm_is_taken_up_with_one_press(page: Page, live_server: Any) -> None:
    enter(page, live_server, "city")
    with scope(WIDE):
        alarm = fill()
    seat = enter(page, live_server, "seat")
    page.goto(live_server.url + "/alarms/")
    page.locator(f"#alarm-{alarm.pk}").get_by_role("button", name="受理").click()
    expect(page).to_have_url(f"{live_server.url}/alarms/{alarm.pk}/")
    expect(page.get_by_role("main")).to_contain_text("已受理")
    expect(page.get_by_role("main")).to_contain_text(seat.name)


HEARD = """window.tones = 0; window.AudioContext = class {
  currentTime = 0; destination = {};
  createOscillator() { return { frequency: {}, connect: (next) => next, start: () => { window.tones += 1; }, stop() {} }; }
  createGain() { return { gain: {}, connect: (next) => next }; }
};"""
"""A loudspeaker that counts."""


def test_a_new_alarm_sounds_at_the_desk_at_once(page: Page, live_server: Any) -> None:
    page.add_init_script(HEARD)
    seat = enter(page, live_server, "seat")
    page.goto(live_server.url + "/desk/")
    page.locator("h1").first.click()
    page.wait_for_timeout(700)
    assert page.evaluate("window.tones") == 0
    with scope(WIDE):
        alarm = fill()
    page.evaluate("() => document.body.dispatchEvent(new CustomEvent('live:alarms', { detail: {} }))")
    expect(page.locator("#desk-alarms")).to_contain_text("沈桂英")
    for _again in range(200):
        if page.evaluate("window.tones"):
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(1_500)
    assert page.evaluate("window.tones") == 1
    for size in (DESK, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        shoot(page, "desk-alarms")
        assert axe_findings(page) == []
        assert sideways(page) == 0
    page.locator("#desk-alarms").locator(f"#alarm-{alarm.pk}").get_by_role("button", name="受理").click()
    expect(page).to_have_url(f"{live_server.url}/alarms/{alarm.pk}/")
    expect(page.locator("#route-map svg path")).to_have_count(4)
    expect(page.get_by_role("main")).to_contain_text(seat.name)
