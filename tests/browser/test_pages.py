"""Every page as people find it: accessible, no wider than the screen, large enough for elders, usable by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import CLOCK, Site
from tests.browser.looking import PHONE, axe_findings, shoot, sideways, sizes, smallest_text
from tests.factories import WIDE

from yinling.assessment.models import Request
from yinling.entitlements.models import Scheme
from yinling.ground.scope import scope
from yinling.hotline.models import Call, Ticket
from yinling.orders.models import Order
from yinling.people.models import Representative
from yinling.settlement.models import Statement
from yinling.supervision.models import Finding

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Enter = Callable[..., Page]
NARROW = {"width": 360, "height": 740}
ELDER_TEXT, ELDER_TARGET, SOS_HEIGHT, CARER_TARGET = 18, 60, 120, 44
CONSOLE = {
    "seat": [
        "/desk/", "/tickets/", "/tickets/?q=%E6%97%A0%E6%AD%A4", "/tickets/new/", "/elders/", "/elders/?q=wgy", "/elders/new/", "/notices/",
        "/settings/",
    ],
    "dispatcher": ["/orders/", "/orders/?q=%E6%97%A0%E6%AD%A4", "/dispatch/", "/dispatch/?tab=assigned", "/dispatch/day/"],
    "supervisor": ["/findings/", "/findings/?tab=upheld", "/findings/suspended/"],
    "finance": [
        "/settlement/", "/settlement/waiting/", "/settlement/settled/", "/settlement/held/",
        "/settlement/drafting/", "/settlement/purchase/", "/settlement/claims/", "/settlement/claims/refused/", "/settlement/remittances/",
        "/settlement/remittances/new/", "/settlement/payouts/", "/settlement/payouts/new/", "/settlement/accounts/", "/settlement/month/",
        "/settlement/arrivals/", "/settlement/arrivals/new/",
    ],
    "city": ["/indicators/", "/catalogue/", "/items/", "/price-lists/", "/price-lists/new/",
             "/price-lists/new/?whose=group", "/catalogue/packages/", "/catalogue/packages/new/", "/prices/callout/", "/prices/packages/",
             "/organisations/", "/coverage/", "/calendar/", "/clock/", "/tokens/",
             "/profiles/"],
    "district": [
        "/assessments/", "/assessments/?tab=all", "/assessments/?tab=due", "/scales/", "/scales/ltc_2021_37/", "/scales/home_needs_2020/",
        "/assessments/paper/home_needs_2020/", "/recognitions/", "/commissions/", "/applications/", "/applications/?queue=noticed", "/budgets/",
        "/schemes/", "/imports/", "/imports/new/", "/elders/doubles/", "/population/ability/", "/population/residents/", "/health/",
        "/health/missing/", "/health/follow-ups/", "/health/readings/", "/campaigns/", "/resources/", "/settlement/recoveries/",
    ],
    "street": ["/applications/", "/applications/new/", "/applications/rechecks/"],
    "assessor": ["/assessments/", "/m/assessments/"],
    "system_admin": ["/users/", "/system/", "/dictionaries/"],
    "security_admin": ["/grants/", "/roles/"],
    "audit_admin": ["/journal/"],
}  # fmt: skip
ELDERS = ["/e/", "/e/book/", "/e/book/DC01/", "/e/book/DC01/?day=x&hour=9", "/e/services/", "/settings/"]
REFUSED = {403: "/findings/", 404: "/orders/987654/"}


def look(page: Page, path: str, name: str = "") -> None:
    """Open a page and look at it, wide and narrow."""
    page.goto(path)
    title = "page_" + (name or re.sub(r"\W+", "_", path).strip("_") or "home")
    shoot(page, title)
    assert axe_findings(page) == []
    assert sideways(page) <= 0, path
    wide = page.viewport_size
    page.set_viewport_size(NARROW)
    shoot(page, title)
    assert sideways(page) <= 0, f"{path} at 360"
    if wide:
        page.set_viewport_size(wide)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", CONSOLE)
def test_the_pages_of_a_role_are_accessible(person: Enter, role: str) -> None:
    page = person(role)
    for path in CONSOLE[role]:
        look(page, path)


def test_the_pages_of_one_row_are_accessible(person: Enter) -> None:
    with scope(WIDE):
        rows = {
            "seat": [
                f"/calls/{Call.objects.filter(elder__isnull=False).latest('pk').pk}/",
                f"/tickets/{Ticket.objects.latest('pk').pk}/",
            ],
            "dispatcher": [f"/orders/{Order.objects.filter(state='closed').latest('pk').pk}/"],
            "supervisor": [f"/findings/{Finding.objects.latest('pk').pk}/"],
            "finance": [f"/settlement/statements/{Statement.objects.latest('pk').pk}/"],
        }
        elder = Representative.objects.get(user__username="elder").elder_id
    for role, paths in rows.items():
        page = person(role)
        for path in paths:
            look(page, path, path.split("/")[-3] + "_row")
    look(person("seat"), f"/elders/{elder}/", "elder")


def test_the_pages_of_one_elder_one_assessment_and_one_scheme_are_accessible(person: Enter) -> None:
    with scope(WIDE):
        requests = {one.state: one for one in Request.objects.order_by("pk")}
        elder = requests["done"].elder
        paths = {
            **{f"assessment_{state}": f"/assessments/{one.pk}/" for state, one in requests.items()},
            "assessment_arrange": f"/assessments/{requests['verified'].pk}/arrange/",
            "assessment_print": f"/assessments/{requests['done'].pk}/print/",
            **{
                f"elder_{part}": f"/elders/{elder.pk}/{part}/"
                for part in ("assessments", "health", "stops", "benefits", "programmes", "agents")
            },
            "household": f"/households/{elder.household_id}/",
            "household_print": f"/households/{elder.household_id}/print/",
            "scheme": f"/schemes/{Scheme.objects.latest('pk').code}/",
        }
    page = person("district")
    for name, path in paths.items():
        look(page, path, name)


RAW = re.compile(
    r"\b(?:None|True|False|null|undefined)\b|[a-z0-9]+_[a-z_0-9]+|\b[a-z]+\.[a-z]+\.[a-z]+|%\(\w+\)|X-[A-Z]+"
)
"""What no page says to people: values and codes as a program has them. Printed forms name their version."""


@pytest.mark.parametrize("role", ["district", "street"])
def test_no_page_says_codes_or_values_of_the_program(person: Enter, role: str) -> None:
    page = person(role)
    for path in CONSOLE[role]:
        if "/paper/" not in path:
            page.goto(path)
            assert RAW.findall(page.locator("main").inner_text()) == [], path


def test_what_is_refused_is_said_accessibly(person: Enter) -> None:
    page = person("seat")
    for status, path in REFUSED.items():
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == status
        shoot(page, f"refused_{status}")
        assert axe_findings(page) == []
    page.goto("/tickets/new/")
    page.locator("form[data-action=open_ticket]").get_by_role("button").click()
    expect(page.locator("[aria-invalid=true]").first).to_be_focused()
    shoot(page, "ticket_new_error")
    assert axe_findings(page) == []


def test_visitors_find_log_in_and_prices(person: Enter) -> None:
    page = person("")
    look(page, "/login/")
    look(page, "/prices/", "public_catalogue")
    page.goto("/login/")
    page.get_by_label("用户名", exact=True).fill("seat")
    page.get_by_label("密码", exact=True).fill("wrong-password")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert axe_findings(page) == []


@pytest.mark.parametrize("path", ELDERS)
def test_pages_for_elders_are_large(person: Enter, path: str) -> None:
    page = person("family", PHONE)
    page.goto(path)
    shoot(page, "family" + re.sub(r"\W+", "_", path))
    assert axe_findings(page) == []
    assert sideways(page) <= 0
    assert [text for text in smallest_text(page) if text["font"] < ELDER_TEXT] == []
    targets = sizes(
        page,
        "main .button, main .choice, main .tabs a, main select, main input[type=text], header a, .field label:has(input)",
    )
    assert [one for one in targets if one["height"] < ELDER_TARGET or one["width"] < ELDER_TARGET] == []


def test_the_elder_finds_help_at_once(person: Enter) -> None:
    page = person("elder", PHONE)
    page.goto("/e/")
    assert [one["height"] for one in sizes(page, ".sos") if one["height"] < SOS_HEIGHT] == []
    assert page.locator(".sos").count() == 1
    assert float(page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")) >= 30
    expect(page.get_by_role("link", name=re.compile("打电话办"))).to_be_visible()


def test_the_carer_hits_what_is_touched(person: Enter) -> None:
    page = person("carer", PHONE)
    page.goto("/m/")
    tasks = page.locator("a.task")
    targets = sizes(page, "main .button, main .task, header a, main .tabs a")
    assert [one for one in targets if one["height"] < CARER_TARGET] == []
    if tasks.count():
        tasks.first.click()
        assert axe_findings(page) == []
        assert sideways(page) <= 0
        assert [
            one
            for one in sizes(page, "main .button, main input:not([type=hidden], [type=checkbox], [type=radio])")
            if one["height"] < CARER_TARGET
        ] == []


def test_the_seat_works_by_keyboard(site: Site, person: Enter) -> None:
    page = person("seat2")
    page.goto("/desk/")
    page.get_by_role("button", name="任选一位老人来电").click()
    expect(page.locator("#calls [data-row]").first).to_be_visible()
    body = page.locator("body")
    body.press("F2")
    expect(page).to_have_url(re.compile(r"/calls/\d+/"))
    body.press("n")
    expect(page).to_have_url(re.compile("/tickets/new/"))
    page.goto("/elders/")
    body.press("j")
    body.press("j")
    body.press("k")
    chosen = page.locator("[data-row][aria-selected=true]")
    expect(chosen).to_have_count(1)
    assert chosen.get_attribute("id") == page.locator("[data-row]").first.get_attribute("id")
    body.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("j")
    expect(page.locator("#search")).to_have_value("j")
    page.keyboard.press("Escape")
    body.press("Shift+?")
    expect(page.locator("dialog#keys")).to_be_visible()
    expect(page.locator("#keys-list")).to_contain_text("下一行")
    assert axe_findings(page) == []
    page.keyboard.press("Escape")
    body.press("Enter")
    expect(page).to_have_url(re.compile(rf"{site.url}/elders/\d+/"))


def test_the_dispatcher_sends_the_best_by_one_key(site: Site, person: Enter) -> None:
    site.move_clock(CLOCK)  # the story may have let the waiting orders' time go by
    page = person("dispatcher")
    page.goto("/dispatch/")
    first = page.locator("[data-row]").first.inner_text()
    expect(page.locator(".cards .card").first).to_be_visible()
    with page.expect_navigation():
        page.locator("body").press("d")
    assert first not in page.locator("[data-row]").all_inner_texts()
