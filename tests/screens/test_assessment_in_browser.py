"""An assessment on a phone in a real browser: begun with a network, gone on without, reloaded, signed, submitted once when it is back."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from tests.assessment.arranged import make_assessors, make_body, make_request
from tests.browser.looking import DESK, SHOTS, axe_findings, shoot, sideways, sizes
from tests.factories import WIDE, actor, make_area_tree

from yinling.accounts.models import User
from yinling.assessment.forms import questions
from yinling.assessment.models import Form, Request
from yinling.assessment.queries import content_of
from yinling.assessment.scoring import scale
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.period import local_date

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HAND = {"width": 390, "height": 844}
OWN_JS_BYTES = 8 * 1024
TARGETS = "main a, main button, main .option, main input:not([type=radio], [type=checkbox]), main select"
GB = "gbt42195_2022"


@pytest.fixture
def arranged(live_server: Any) -> Request:
    """An assessment of the national standard for today, at the elder's home, by two nurses."""
    with scope(WIDE):
        make_area_tree()
        people = make_assessors(make_body(), "张三", "李四")
        return make_request(people, visit_on=local_date(business_now()))


@pytest.fixture
def tablet(browser: Any, live_server: Any, arranged: Request) -> Iterator[Page]:
    """The page of the first of them, in a browser of its own."""
    context = browser.new_context(
        viewport=HAND, has_touch=True, locale="zh-CN", timezone_id="Asia/Shanghai", base_url=live_server.url
    )
    enter(context, arranged, live_server.url, 0)
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"{page.url}: {error}"))
    yield page
    context.close()


def enter(context: BrowserContext, arranged: Request, url: str, number: int) -> None:
    with scope(WIDE):
        staff = arranged.assessors.order_by("id")[number].staff
        who = actor("assessor", staff=staff)
        client = Client()
        client.force_login(User.objects.get(pk=who.user_id))
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])


def open_sheet(page: Page, arranged: Request) -> None:
    page.goto("/m/assessments/")
    page.evaluate("() => navigator.serviceWorker.ready")
    page.goto("/m/assessments/")
    page.locator(f"[data-request='{arranged.pk}']").click()
    expect(page.locator("#sheet")).to_have_class(re.compile("ready"))


def answer(page: Page, code: str, place: int) -> None:
    """Tap an option; the next question comes by itself."""
    screen = page.locator(f"#q-{code.replace('.', chr(92) + '.')}")
    expect(screen).to_be_visible()
    screen.locator(".option").nth(place).tap()
    expect(screen).to_be_hidden()


def seen(page: Page, name: str) -> None:
    """Look at a screen: picture, axe, no sideways scroll, targets for a thumb."""
    page.evaluate("scrollTo(0, 0)")
    shoot(page, name)
    assert axe_findings(page) == []
    assert sideways(page) <= 0, name
    small = [one for one in sizes(page, TARGETS) if one["height"] < 44 and one["width"] > 0]
    assert small == []


def sign(page: Page, number: int) -> None:
    box = page.locator(".signer canvas").nth(number)
    box.evaluate("one => one.scrollIntoView({block: 'center'})")
    at = box.bounding_box()
    assert at
    page.mouse.move(at["x"] + 30, at["y"] + 30)
    page.mouse.down()
    page.mouse.move(at["x"] + 160, at["y"] + 60, steps=4)
    page.mouse.up()


@pytest.mark.slow
def test_begun_online_gone_on_offline_reloaded_and_submitted_once(tablet: Page, arranged: Request) -> None:
    codes = [one.code for one in questions(scale(GB))]
    open_sheet(tablet, arranged)
    seen(tablet, "assessment-first")
    for code in codes[:6]:
        answer(tablet, code, 1)
    expect(tablet.locator("#sync")).to_contain_text("已上传")
    with scope(WIDE):
        assert content_of(Form.objects.get())["answers"]["scores"][:7] == [3, 3, 3, 3, 3, 3, None]

    tablet.context.set_offline(True)
    for code in codes[6:12]:
        answer(tablet, code, 1)
    expect(tablet.locator("#sync")).to_contain_text("没有网络")
    tablet.reload()
    expect(tablet.locator("#sheet")).to_have_class(re.compile("ready"))
    expect(tablet.locator("#left")).to_have_text("还缺 14 题")
    for code in codes[12:]:
        if code == "3.9":
            tablet.locator("#next").tap()
        else:
            answer(tablet, code, 0)
    assert "总分" not in tablet.locator("main").inner_text()
    other(tablet)
    end_offline(tablet)

    tablet.context.set_offline(False)
    tablet.wait_for_url("**/m/assessments/")
    expect(tablet.locator("main")).to_contain_text("没有安排给您的评估")
    with scope(WIDE):
        form = Form.objects.get()
        stored = content_of(form)
    assert (form.state, form.outcome["total"], form.outcome["initial"], form.outcome["final"]) == (
        "submitted",
        78,
        1,
        2,
    )
    assert form.outcome["rules"] == ["risk_events"]
    assert stored["facts"]["notes"] == "右手骨折，用左手吃饭"
    assert len(stored["facts"]["signatures"]) == 3
    assert tablet.evaluate("() => drafts.all()") == []


def other(page: Page) -> None:
    """Two falls within the days that count, one before them, and a note."""
    page.goto(page.url.split("#")[0] + "#other")
    today = page.locator("#event-on").get_attribute("max")
    days = [today, page.evaluate("day => { const at = new Date(day); at.setDate(at.getDate() - 30); return at.toISOString().slice(0, 10); }", today),
            "2020-01-01"]  # fmt: skip
    for day in days:
        page.locator("#event-on").fill(str(day))
        page.locator("#event-add").tap()
    expect(page.locator("#event-list li")).to_have_count(3)
    expect(page.locator("#event-list li").nth(2)).to_contain_text("不计")
    page.get_by_label("备注", exact=True).fill("右手骨折，用左手吃饭")
    seen(page, "assessment-facts")


def end_offline(page: Page) -> None:
    """What is open is named and leads there; then signatures without a network."""
    page.goto(page.url.split("#")[0] + "#end")
    expect(page.locator("#open-list")).to_contain_text("3.9 意识水平")
    expect(page.locator("#send")).to_be_disabled()
    seen(page, "assessment-open")
    page.locator("#open-list a").tap()
    answer(page, "3.9", 0)
    page.goto(page.url.split("#")[0] + "#end")
    expect(page.locator("#result")).to_contain_text("联网后显示结果")
    page.locator("#send").tap()
    expect(page.locator("#problem")).to_contain_text("都签名后再提交")
    for number in range(3):
        sign(page, number)
    page.locator("#send").tap()
    expect(page.locator("#problem")).to_contain_text("请填写信息提供者的姓名")
    page.get_by_label("信息提供者", exact=True).fill("李芳（女儿）")
    page.get_by_label("没有亲属或利害关系").check()
    seen(page, "assessment-signed")
    page.locator("#send").tap()
    expect(page.locator("#sync")).to_contain_text("联网后自动提交")


def test_the_result_stands_at_the_end_only_and_says_why(tablet: Page, arranged: Request) -> None:
    open_sheet(tablet, arranged)
    codes = [one.code for one in questions(scale(GB))]
    for code in codes:
        assert tablet.locator("#result").inner_text() == ""
        answer(tablet, code, 3 if code == "3.9" else 0)
    tablet.goto(tablet.url.split("#")[0] + "#end")
    expect(tablet.locator("#result")).to_contain_text("结果建议：能力完全丧失（完全失能）")
    expect(tablet.locator("#result")).to_contain_text("处于昏迷状态者")
    seen(tablet, "assessment-result")


def test_two_tablets_show_both_versions(tablet: Page, arranged: Request, browser: Any, live_server: Any) -> None:
    open_sheet(tablet, arranged)
    context = browser.new_context(viewport=HAND, has_touch=True, locale="zh-CN", base_url=live_server.url)
    enter(context, arranged, live_server.url, 1)
    colleague = context.new_page()
    open_sheet(colleague, arranged)
    answer(colleague, "1.1", 0)
    expect(colleague.locator("#sync")).to_contain_text("已上传")
    answer(tablet, "1.1", 4)
    dialog = tablet.locator("#conflict")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("独立进食")
    expect(dialog).to_contain_text("完全依赖")
    seen(tablet, "assessment-conflict")
    tablet.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    with scope(WIDE):
        assert content_of(Form.objects.get())["answers"]["scores"][0] == 4
    answer(tablet, "1.2", 2)
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="用本机的").tap()
    expect(tablet.locator("#sync")).to_contain_text("已上传")
    with scope(WIDE):
        assert content_of(Form.objects.get())["answers"]["scores"][0] == 0
    context.close()


def test_on_a_pc_digits_choose_and_arrows_move(tablet: Page, arranged: Request) -> None:
    tablet.set_viewport_size(DESK)  # type: ignore[arg-type]
    open_sheet(tablet, arranged)
    for _number in range(26):
        tablet.keyboard.press("1")
    expect(tablet.locator("#left")).to_have_text("已答完")
    expect(tablet.locator("#other")).to_be_visible()
    tablet.keyboard.press("ArrowLeft")
    expect(tablet.locator("#where")).to_contain_text("感知觉与社会参与 5/5")
    tablet.keyboard.press("9")
    expect(tablet.locator("#left")).to_have_text("已答完")
    shoot(tablet, "assessment-desk")
    assert axe_findings(tablet) == []
    assert sideways(tablet) <= 0


def test_log_out_asks_and_then_nothing_is_left(tablet: Page, arranged: Request) -> None:
    open_sheet(tablet, arranged)
    answer(tablet, "1.1", 0)
    tablet.context.set_offline(True)
    answer(tablet, "1.2", 0)
    tablet.route("**/api/v1/forms/save", lambda route: route.abort())
    tablet.context.set_offline(False)
    tablet.goto("/settings/")
    asked: list[str] = []
    tablet.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    tablet.locator("main form[action='/logout/'] button").click()
    tablet.wait_for_url("**/login/")
    assert "没上传的评估表" in asked[0]
    left = "async () => [(await indexedDB.databases()).length, (await caches.keys()).length, localStorage.length]"
    assert tablet.evaluate(left) == [0, 0, 0]


def test_the_scripts_of_the_phone_stay_within_8_kb() -> None:
    folder = settings.BASE / "web" / "static" / "yinling"
    names = ("forms", "visit", "signature", "drafts", "assessment", "assessments", "sw")
    content = b"".join((folder / f"{name}.js").read_bytes() for name in names)
    assert len(gzip.compress(content, 9)) <= OWN_JS_BYTES


def test_the_list_and_the_paper_can_be_read_by_all(tablet: Page, arranged: Request) -> None:
    open_sheet(tablet, arranged)
    for one in questions(scale(GB)):
        answer(tablet, one.code, 1)
    tablet.goto("/m/assessments/")
    seen(tablet, "assessment-list")
    tablet.goto(f"/m/assessments/{arranged.pk}/#end")
    tablet.locator("#informant").fill("李芳（女儿）")
    tablet.get_by_label("没有亲属或利害关系").check()
    for number in range(3):
        sign(tablet, number)
    tablet.locator("#send").tap()
    tablet.wait_for_url("**/m/assessments/")
    seen(tablet, "assessment-list-empty")
    tablet.set_viewport_size(DESK)  # type: ignore[arg-type]
    for address in (f"/assessments/{arranged.pk}/print/", f"/assessments/paper/{GB}/"):
        tablet.goto(address)
        assert axe_findings(tablet) == []
        shoot(tablet, f"assessment-paper-{address.split('/')[2]}")
    tablet.goto(f"/assessments/{arranged.pk}/print/")
    tablet.get_by_label("请写明原因").fill("请信息提供者核对")
    tablet.get_by_role("button", name="显示全部内容").click()
    expect(tablet.locator("main")).to_contain_text("公园路 8 号 302 室")
    expect(tablet.locator("img[alt='张三 的签名']")).to_be_visible()
    assert axe_findings(tablet) == []
    SHOTS.mkdir(parents=True, exist_ok=True)
    tablet.screenshot(path=SHOTS / "assessment-paper-full.png", full_page=True)


def test_coma_ends_the_form_of_2013(tablet: Page, arranged: Request) -> None:
    with scope(WIDE):
        people = [one.staff for one in arranged.assessors.order_by("id")]
        old = make_request(people, scale="mzt039_2013", visit_on=local_date(business_now()))
    open_sheet(tablet, old)
    tablet.goto(f"/m/assessments/{old.pk}/#q-3.1")
    answer(tablet, "3.1", 2)
    expect(tablet.locator("#left")).to_have_text("还缺 21 题")
    tablet.locator("#back").tap()
    answer(tablet, "3.1", 3)
    expect(tablet.locator("#left")).to_have_text("已答完")
    tablet.goto(f"/m/assessments/{old.pk}/#end")
    expect(tablet.locator("#result")).to_contain_text("结果建议：重度失能")
