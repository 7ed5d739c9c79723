"""The pages of what check-ins say, in a real browser: size, contrast, keyboard."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.looking import DESK, PHONE, axe_findings, shoot, sideways
from tests.factories import (
    WIDE,
    make_assignment,
    make_correction,
    make_elder,
    make_household,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_staff,
)
from tests.screens.test_in_browser import enter

from yinling.dispatch.models import Correction
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.period import SHANGHAI

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BARS = [
    [0.6 + 0.2 * number, 0.8 + 0.2 * number, count] for number, count in enumerate((3, 9, 22, 41, 37, 18, 9, 4, 2, 1))
]


def some() -> Correction:
    """A factor that waits, with two visits tomorrow; others that are used, rejected, of minutes."""
    body = make_organisation(short_name="安心居家")
    price, staff = make_price(make_item(), body), make_staff(body)
    ten = business_now().astimezone(SHANGHAI).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for minutes, lon in ((0, 120.300), (75, 120.316)):
        elder = make_elder(household=make_household(lon=lon, lat=31.57))
        order = make_order("assigned", elder=elder, price=price, starts_at=ten + timedelta(minutes=minutes))
        make_assignment(order, staff)
    make_correction("used", hour_from=17, hour_to=19, value=1.72, low=1.4, high=2.1, sample_count=64)
    make_correction("rejected", hour_from=7, hour_to=9, value=2.3, reason="那几周封路")
    bath = make_item(name="助浴")
    for level, value in (("", 52), ("severe", 71)):
        make_correction(
            kind="minutes", div="320213", mode="", engine="", provider=body, item=bath, level=level, value=value, before=60, low=value - 6,
            high=value + 9, distribution=[[40, 50, 30], [50, 60, 60], [60, 90, 30]],
        )  # fmt: skip
    return make_correction(value=2.0, low=1.6, high=2.3, sample_count=146, distribution=BARS)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_fit_and_axe_finds_nothing(page: Page, live_server: Any, size: dict[str, int]) -> None:
    enter(page, live_server, "dispatcher")
    with scope(WIDE):
        row = some()
    page.set_viewport_size(size)  # type: ignore[arg-type]
    for address, name in (("/dispatch/learned/", "learned"), (f"/dispatch/learned/{row.pk}/", "learned-one")):
        page.goto(live_server.url + address)
        shoot(page, name)
        assert axe_findings(page) == []
        assert sideways(page) == 0


def test_a_result_is_used_by_keyboard_alone(page: Page, live_server: Any) -> None:
    enter(page, live_server, "dispatcher")
    with scope(WIDE):
        row = some()
    page.goto(live_server.url + "/dispatch/learned/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{live_server.url}/dispatch/learned/{row.pk}/")
    page.get_by_role("button", name="采用", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("已采用")
    expect(page.get_by_text("使用中")).to_be_visible()
    with scope(WIDE):
        row.refresh_from_db()
    assert row.state == "used"
