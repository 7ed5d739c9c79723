"""The soft-phone's window in a real browser, on a line that is made up: states, keys, faults, microphone, and the bar on other pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.looking import DESK, axe_findings, shoot, sideways
from tests.factories import WIDE, actor, make_area_tree, make_call, make_elder
from tests.screens.phones import PORT, make_offer, make_seat

from yinling.accounts.models import User
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.hotline.models import Call, CallOffer, Seat
from yinling.kernel.actor import Actor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FAKE = Path(__file__).with_name("fake_jssip.js").read_text("utf-8")
NUMBER, WINDOW = "19900009001", {"width": 420, "height": 720}
SPOKEN = """navigator.mediaDevices.getUserMedia = async () => {
  const sound = new AudioContext(), tone = sound.createOscillator(), out = sound.createMediaStreamDestination();
  tone.connect(out); tone.start(); return out.stream; };"""
REFUSED = """navigator.mediaDevices.getUserMedia = async () => {
  if (!window.allowed) throw new DOMException('', window.why || 'NotAllowedError');
  return new AudioContext().createMediaStreamDestination().stream; };"""


@pytest.fixture(autouse=True)
def _line(settings: Any) -> None:
    settings.PORTS = settings.PORTS | {"telephony": PORT}


@pytest.fixture
def seat(page: Page, live_server: Any) -> Actor:
    """A seat that is ready, logged in to the browser."""
    with scope(WIDE):
        make_area_tree()
        who = actor("seat")
        make_seat(who, at=business_now(), number="8001")
        client = Client()
        client.force_login(User.objects.get(pk=who.user_id))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.context.route("**/jssip.min.js", lambda route: route.fulfill(body=FAKE, content_type="text/javascript"))
    return who


def opened(context: BrowserContext, server: Any, script: str = SPOKEN) -> Page:
    """The phone's window."""
    window = context.new_page()
    window.set_viewport_size(WINDOW)  # type: ignore[arg-type]
    window.add_init_script(script)
    window.on("pageerror", lambda error: pytest.fail(str(error)))
    window.goto(server.url + "/phone/")
    return window


def ring(window: Page, who: Actor, **values: Any) -> Call:
    """Let a call be offered to the seat and ring in its window."""
    with scope(WIDE):
        call = make_call(number=NUMBER, elder=make_elder(name="王桂英", phone=NUMBER), rang_at=business_now(), **values)
        make_offer(call, who, at=business_now())
    window.evaluate("id => line.ring(id)", call.pk)
    return call


def connect(call: Call, who: Actor) -> None:
    """What the line's process writes when the seat has answered."""
    with scope(WIDE):
        CallOffer.objects.filter(call=call).update(ended_at=business_now(), outcome="answered")
        Call.objects.filter(pk=call.pk).update(state="answered", seat_id=who.user_id, answered_at=business_now())


def done(window: Page) -> Any:
    """What the window told the line to do with the call."""
    return window.evaluate("() => line.session.done")


def test_a_call_rings_is_answered_held_and_hung_up_by_keys(page: Page, live_server: Any, seat: Actor) -> None:
    window = opened(page.context, live_server)
    expect(window.locator("#light")).to_have_text("已注册")
    expect(window.locator("#rtt")).to_contain_text("ms")
    shoot(window, "phone-idle")
    assert axe_findings(window) == []
    assert sideways(window) == 0
    call = ring(window, seat)
    expect(window.locator("#call")).to_contain_text("王桂英")
    expect(window.locator("#call")).to_contain_text("****9001")
    expect(window).to_have_title("来电振铃")
    shoot(window, "phone-ringing")
    assert axe_findings(window) == []
    window.keyboard.press("F2")
    connect(call, seat)
    expect(window.locator("#phase")).to_contain_text("通话中 00:0")
    expect(window.locator("#call[data-phase=talking]")).to_be_visible()
    expect(window.locator("#level")).not_to_have_js_property("value", 0)
    shoot(window, "phone-talking")
    assert axe_findings(window) == []
    with window.expect_response("**/hold") as answer:
        window.keyboard.press("F9")
    expect(window.locator("#phase")).to_contain_text("保持中")
    expect(window.locator("#hold")).to_have_attribute("aria-pressed", "true")
    assert (answer.value.status, _held(call)) == (200, True)
    with window.expect_response("**/resume") as answer:
        window.keyboard.press("F9")
    expect(window.locator("#phase")).to_contain_text("通话中")
    assert (answer.value.status, _held(call)) == (200, False)
    window.keyboard.press("F4")
    assert done(window) == ["answer", "end"]


def _held(call: Call) -> bool:
    with scope(WIDE):
        return Call.objects.filter(pk=call.pk, held_at__isnull=False).exists()


def test_f4_while_it_rings_sends_the_call_back(page: Page, live_server: Any, seat: Actor) -> None:
    window = opened(page.context, live_server)
    expect(window.locator("#light")).to_have_text("已注册")
    ring(window, seat)
    window.keyboard.press("F4")
    assert done(window) == ["end 480"]
    expect(window.locator("#answer")).to_be_disabled()


def test_a_second_call_is_told_that_the_seat_is_busy(page: Page, live_server: Any, seat: Actor) -> None:
    window = opened(page.context, live_server)
    expect(window.locator("#light")).to_have_text("已注册")
    ring(window, seat)
    window.keyboard.press("F2")
    window.evaluate("() => { window.first = line.session; line.ring(2); }")
    assert window.evaluate("() => [line.session.done, first.isEstablished()]") == [["end 486"], True]


def test_mute_takes_the_voice_away_and_ends_with_the_call(page: Page, live_server: Any, seat: Actor) -> None:
    window = opened(page.context, live_server)
    expect(window.locator("#light")).to_have_text("已注册")
    ring(window, seat)
    window.keyboard.press("F2")
    window.locator("#mute").click()
    is_on = "() => line.session.sound.getAudioTracks()[0].enabled"
    assert window.evaluate(is_on) is False
    expect(window.locator("#mute")).to_have_attribute("aria-pressed", "true")
    window.keyboard.press("F4")
    assert window.evaluate(is_on) is True


def test_a_call_is_passed_to_a_ready_colleague(page: Page, live_server: Any, seat: Actor) -> None:
    with scope(WIDE):
        other = actor("seat")
        make_seat(other, at=business_now(), number="8002")
    window = opened(page.context, live_server)
    expect(window.locator("#light")).to_have_text("已注册")
    call = ring(window, seat)
    window.keyboard.press("F2")
    connect(call, seat)
    window.locator("summary", has_text="转接").click()
    with window.expect_response("**/phone/"):
        window.evaluate("() => htmx.trigger('#now', 'ask')")
    window.wait_for_timeout(300)  # drawn anew it stays open
    shoot(window, "phone-transfer")
    with window.expect_response("**/transfer") as answer:
        window.get_by_role("button", name="8002").click()
    assert answer.value.status == 200
    with scope(WIDE):
        offer = CallOffer.objects.get(call=call, ended_at=None)
    assert (offer.seat_id, offer.is_transfer) == (other.user_id, True)


def test_a_call_that_the_platform_has_passed_on_ends_here(page: Page, live_server: Any, seat: Actor) -> None:
    window = opened(page.context, live_server)
    expect(window.locator("#light")).to_have_text("已注册")
    call = ring(window, seat)
    window.keyboard.press("F2")
    connect(call, seat)
    expect(window.locator("#call[data-phase=talking]")).to_be_visible()
    with scope(WIDE):
        Call.objects.filter(pk=call.pk).update(state="ended", ended_at=business_now())
    window.evaluate("() => htmx.trigger('#now', 'ask')")
    expect(window.locator("#hang")).to_be_disabled()
    assert done(window) == ["answer", "end"]


def test_a_call_without_a_row_goes_on_while_the_platform_is_down(page: Page, live_server: Any, seat: Actor) -> None:
    window = opened(page.context, live_server)
    expect(window.locator("#light")).to_have_text("已注册")
    window.evaluate("() => line.ring(0)")
    window.keyboard.press("F2")
    window.wait_for_timeout(1500)
    assert done(window) == ["answer"]
    expect(window.locator("#phase")).to_contain_text("通话中")


def test_an_own_call_is_dialled_by_the_number_of_its_row(page: Page, live_server: Any, seat: Actor) -> None:
    window = opened(page.context, live_server)
    expect(window.locator("#light")).to_have_text("已注册")
    with scope(WIDE):
        call = make_call(number=NUMBER, elder=make_elder(), is_outbound=True, seat_id=seat.user_id)
    window.evaluate("() => htmx.trigger('#now', 'ask')")
    expect(window.locator("#phase")).to_contain_text("正在呼出")
    assert window.evaluate("() => line.calls") == [f"sip:{call.pk}@line.test"]


def test_a_lost_line_a_bad_net_and_silence_turn_the_bar_red(page: Page, live_server: Any, seat: Actor) -> None:
    window = opened(page.context, live_server)
    expect(window.locator("#light")).to_have_text("已注册")
    expect(window.locator("#bar")).to_be_hidden()
    window.evaluate("() => line.lose()")
    expect(window.locator("#bar")).to_contain_text("断开")
    expect(window.locator("#light")).to_have_text("未注册")
    shoot(window, "phone-lost")
    assert axe_findings(window) == []
    window.evaluate("() => line.find()")
    expect(window.locator("#bar")).to_be_hidden()
    ring(window, seat)
    window.keyboard.press("F2")
    window.evaluate("() => { line.session.loss = 12; }")
    expect(window.locator("#bar")).to_contain_text(re.compile("丢失了 1[01]% 的声音"))
    window.evaluate("() => { line.session.loss = 0; }")
    expect(window.locator("#bar")).to_be_hidden()
    window.evaluate("() => { line.session.step = 0; }")
    expect(window.locator("#bar")).to_contain_text("听不到对方")


@pytest.mark.parametrize(
    ("why", "said"), [("NotAllowedError", "没有使用话筒的许可"), ("NotFoundError", "没有找到话筒")]
)
def test_without_a_microphone_nothing_is_registered_until_there_is_one(
    page: Page, live_server: Any, seat: Actor, why: str, said: str
) -> None:
    window = opened(page.context, live_server, f"window.why = '{why}';" + REFUSED)
    expect(window.locator("#bar")).to_contain_text(said)
    assert window.evaluate("() => !window.line")
    shoot(window, f"phone-{why}")
    assert axe_findings(window) == []
    window.evaluate("() => { window.allowed = true; }")
    window.get_by_role("button", name="重试").click()
    expect(window.locator("#light")).to_have_text("已注册")
    expect(window.locator("#bar")).to_be_hidden()


def test_who_signs_out_leaves_the_line_and_who_signs_in_joins_it(page: Page, live_server: Any, seat: Actor) -> None:
    window = opened(page.context, live_server)
    expect(window.locator("#light")).to_have_text("已注册")
    window.get_by_role("button", name="离席").click()
    expect(window.locator("#light")).to_have_text("未连接")
    shoot(window, "phone-off")
    window.get_by_role("button", name="上线").click()
    expect(window.locator("#light")).to_have_text("已注册")
    with scope(WIDE):
        assert Seat.objects.get().state == "ready"


def test_a_second_window_stays_silent(page: Page, live_server: Any, seat: Actor) -> None:
    window = opened(page.context, live_server)
    expect(window.locator("#light")).to_have_text("已注册")
    second = opened(page.context, live_server)
    expect(second.locator("#bar")).to_contain_text("另一个窗口")
    assert second.evaluate("() => !window.line")
    expect(window.locator("#light")).to_have_text("已注册")


def test_closing_the_window_in_a_call_asks_first(page: Page, live_server: Any, seat: Actor) -> None:
    window = opened(page.context, live_server)
    expect(window.locator("#light")).to_have_text("已注册")
    ring(window, seat)
    window.keyboard.press("F2")
    with window.expect_event("dialog") as asked:
        window.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    assert not window.is_closed()


def test_the_bar_on_other_pages_shows_the_call_and_passes_the_keys_on(
    page: Page, live_server: Any, seat: Actor
) -> None:
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.goto(live_server.url + "/tickets/new/")
    page.get_by_label("标题").fill("想订午餐")
    bar = page.locator("#phone-bar")
    expect(bar).to_contain_text("软电话没有打开")
    shoot(page, "phone-bar-closed")
    assert axe_findings(page) == []
    page.context.add_init_script(SPOKEN)
    with page.expect_popup() as popup:
        bar.get_by_role("button", name="打开软电话").click()
    window = popup.value
    expect(bar).to_contain_text("软电话已注册")
    call = ring(window, seat)
    expect(bar).to_contain_text("来电振铃")
    expect(bar.get_by_role("link")).to_have_text("王桂英 ****9001")
    shoot(page, "phone-bar-ringing")
    assert axe_findings(page) == []
    assert page.url.endswith("/tickets/new/")  # what is typed is not lost
    page.bring_to_front()
    page.keyboard.press("F2")
    connect(call, seat)
    expect(bar).to_contain_text("通话中")
    shoot(page, "phone-bar-talking")
    page.keyboard.press("F9")
    expect(bar).to_contain_text("保持中")
    page.keyboard.press("F4")
    expect(bar.get_by_role("button", name="挂断")).to_be_hidden()
    assert done(window) == ["answer", "end"]
    window.close()
    expect(bar).to_contain_text("软电话窗口已关闭")


def test_at_the_desk_the_page_of_the_caller_opens_by_itself(page: Page, live_server: Any, seat: Actor) -> None:
    page.goto(live_server.url + "/desk/")
    window = opened(page.context, live_server)
    expect(page.locator("#phone-bar")).to_contain_text("软电话已注册")
    call = ring(window, seat)
    page.wait_for_url(f"**/calls/{call.pk}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("王桂英")
    shoot(page, "phone-pop")


def test_the_window_breaks_no_content_policy(page: Page, live_server: Any, seat: Actor) -> None:
    faults: list[str] = []
    window = page.context.new_page()
    window.add_init_script(SPOKEN)
    window.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    window.goto(live_server.url + "/phone/")
    expect(window.locator("#light")).to_have_text("已注册")
    assert faults == []


def test_the_scripts_of_every_window_stay_within_10_kb() -> None:
    import gzip  # noqa: PLC0415 - only here

    folder = configured.BASE / "web" / "static" / "yinling"
    windows = {
        "phone": ("forms", "live", "live-worker", "phone"),
        "desk": ("forms", "keys", "live", "live-worker", "phone-bar", "ring", "desk", "alarm"),
        "dispatch": ("forms", "keys", "live", "live-worker", "phone-bar", "dispatch", "route-map"),
    }
    sizes = {
        name: len(gzip.compress(b"".join((folder / f"{one}.js").read_bytes() for one in scripts), 9))
        for name, scripts in windows.items()
    }
    assert {name: size for name, size in sizes.items() if size > 10 * 1024} == {}
