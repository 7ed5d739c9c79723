"""Ticking rows by keyboard and with Shift: the sum follows, and the button says how many."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.looking import PHONE, axe_findings, sideways
from tests.factories import WIDE, city
from tests.screens.test_in_browser import enter
from tests.screens.test_settlement import statement

from yinling.ground.scope import scope

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_rows_are_ticked_by_keyboard_and_the_sum_follows(page: Page, live_server: Any) -> None:
    with scope(WIDE) as opened:
        city()
        for _number in range(3):
            statement()
        opened.afterwards.clear()
    enter(page, live_server, "finance")
    page.goto(f"{live_server.url}/settlement/")
    shown = page.locator("#ticked")
    expect(shown).to_contain_text("已选 0 笔")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(shown).to_contain_text("已选 1 笔 40.00 元")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(shown).to_contain_text("已选 3 笔 120.00 元")
    page.locator("input[name=chosen]").nth(1).click()
    expect(shown).to_contain_text("已选 2 笔 80.00 元")
    assert axe_findings(page) == []
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert sideways(page) == 0
    shown.get_by_role("button", name="初审通过").click()
    expect(page.locator("tr[id^=done-]").first).to_be_visible()
    assert page.locator("tr[id^=done-]").count() == 2
    assert axe_findings(page) == []
    assert sideways(page) == 0
