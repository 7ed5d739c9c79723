"""The frame in a real browser: keys, forms, live parts, log-in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from tests.browser.looking import DESK, PHONE, axe_findings, shoot, sideways
from tests.factories import WIDE, actor, make_area_tree, make_user

from yinling.accounts.models import Notice, User
from yinling.directory.models import Grant
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def enter(page: Page, server: Any, role: str) -> Actor:
    """Open a session of a role in the browser."""
    with scope(WIDE):
        make_area_tree()
        who = actor(role)
        client = Client()
        client.force_login(User.objects.get(pk=who.user_id))
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server.url}])
    return who


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    ("role", "address"),
    [
        ("security_admin", "/grants/"), ("security_admin", "/roles/"), ("security_admin", "/tokens/"), ("system_admin", "/users/"),
        ("system_admin", "/system/"), ("system_admin", "/dictionaries/"), ("audit_admin", "/journal/"), ("city", "/calendar/"),
        ("city", "/clock/"), ("seat", "/settings/"), ("seat", "/notices/"), ("seat", "/grants/"), ("seat", "/nowhere/"), ("city", "/api/v1/docs"),
    ],
)  # fmt: skip
def test_the_page_fits_and_axe_finds_nothing(
    page: Page, live_server: Any, role: str, address: str, size: dict[str, int]
) -> None:
    enter(page, live_server, role)
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.goto(live_server.url + address)
    shoot(page, f"shell-{address.strip('/').replace('/', '-')}-{role}")
    assert axe_findings(page) == []
    assert sideways(page) == 0


def test_the_log_in_page_is_usable_by_keyboard(page: Page, live_server: Any) -> None:
    with scope(WIDE):
        make_area_tree()
        user = make_user(username="frau", needs_second_factor=False)
    page.goto(live_server.url + "/login/")
    assert axe_findings(page) == []
    page.keyboard.type("frau")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong-horse-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).to_contain_text("用户名或密码不对")
    assert axe_findings(page) == []
    page.fill("[name=password]", "correct-horse-1")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(live_server.url + "/")
    assert user.username == "frau"


def test_a_refused_form_keeps_the_text_and_takes_the_focus(page: Page, live_server: Any) -> None:
    who = enter(page, live_server, "security_admin")
    page.goto(live_server.url + "/grants/")
    form = page.locator("form[data-action=propose_grant]")
    form.locator("[name=user_id]").select_option(str(who.user_id))
    form.locator("[name=role]").select_option("seat")
    form.locator("[name=div]").select_option("3202")
    form.locator("[name=reason]").fill("我自己")
    form.locator("button[type=submit]").click()
    expect(form.locator(".errorlist")).to_contain_text("不能为自己授权")
    expect(form.locator("[name=reason]")).to_have_value("我自己")
    expect(form.locator("[name=user_id]")).to_be_focused()
    assert axe_findings(page) == []


def test_a_double_click_sends_once(page: Page, live_server: Any) -> None:
    enter(page, live_server, "security_admin")
    with scope(WIDE):
        user = make_user(username="neu")
    page.goto(live_server.url + "/grants/")
    form = page.locator("form[data-action=propose_grant]")
    form.locator("[name=user_id]").select_option(str(user.pk))
    form.locator("[name=role]").select_option("seat")
    form.locator("[name=div]").select_option("3202")
    form.locator("[name=reason]").fill("新到岗")
    form.locator("button[type=submit]").dblclick()
    expect(page.locator("#toasts")).to_contain_text("已完成")
    assert Grant.objects.filter(user=user).count() == 1


def test_the_form_works_without_scripts(browser: Any, live_server: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    enter(page, live_server, "seat")
    page.goto(live_server.url + "/settings/")
    page.check("[value=en]")
    page.click("form[data-action=adjust_own_login] button")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    context.close()


def test_keys_are_listed_from_the_registry_and_can_be_switched_off(page: Page, live_server: Any) -> None:
    enter(page, live_server, "security_admin")
    with scope(WIDE):
        for _ in range(3):
            actor("seat")
    page.goto(live_server.url + "/grants/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("[data-row]").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("k")
    expect(page.locator("[data-row]").nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    assert {"?", "J", "K", "ENTER"} <= set(page.locator("#keys-list kbd").all_inner_texts())
    assert axe_findings(page) == []
    page.check("#keys-off")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("[data-row]").nth(1)).not_to_have_attribute("aria-selected", "true")


def test_single_keys_do_nothing_inside_a_field(page: Page, live_server: Any) -> None:
    enter(page, live_server, "security_admin")
    page.goto(live_server.url + "/grants/")
    page.locator("[name=q]").first.fill("")
    page.locator("[name=q]").first.press("j")
    expect(page.locator("[name=q]").first).to_have_value("j")
    assert page.locator("[aria-selected=true]").count() == 0
    page.keyboard.press("Escape")
    expect(page.locator("[name=q]").first).not_to_be_focused()


def test_g_then_a_letter_goes_to_a_page_and_slash_to_the_search(page: Page, live_server: Any) -> None:
    enter(page, live_server, "seat")
    page.goto(live_server.url + "/settings/")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile("/elders/$"))


def test_the_bell_shows_unread_notices_and_without_a_stream_the_dot_says_so(page: Page, live_server: Any) -> None:
    who = enter(page, live_server, "seat")
    with scope(WIDE):
        Notice.objects.create(
            user_id=who.user_id,
            channel="screen",
            title="新派单",
            text="x",
            key="k",
            created_at="2026-06-01T00:00Z",
            div="3202",
        )
    page.goto(live_server.url + "/settings/")
    expect(page.locator("#bell")).to_have_text("1")
    expect(page.locator("#dot")).not_to_have_class(re.compile(r"\bon\b"))


def test_a_page_breaks_no_content_policy(page: Page, live_server: Any) -> None:
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    enter(page, live_server, "security_admin")
    for address in ("/grants/", "/system/", "/login/"):
        page.goto(live_server.url + address)
        page.wait_for_timeout(200)
    assert faults == []
