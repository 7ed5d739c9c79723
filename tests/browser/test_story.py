"""The whole story in a real browser: from the ring to the indicator, and a far check-in from its warning to its release."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect
from tests.browser.conftest import Site
from tests.browser.looking import PHONE, axe_findings, shoot, sideways
from tests.factories import WIDE

from yinling.accounts.models import User
from yinling.dispatch.models import LIVE, Assignment
from yinling.ground.scope import scope
from yinling.kernel.period import SHANGHAI, local_date, local_midnight
from yinling.orders.models import Order
from yinling.people.models import Elder, Representative
from yinling.supervision.jobs import live_round
from yinling.supervision.models import Finding
from yinling.visits.models import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Enter = Callable[..., Page]
NURSING, CARE = "RN02", "DC01"


def test_from_the_ring_to_the_indicator(site: Site, person: Enter) -> None:
    elder, phone = demo_elder()
    seat = person("seat")
    order = book_by_phone(seat, elder, phone, free_hour(site, "nurse"))
    assignment = send(person("dispatcher"), order, "nurse")
    visit(site, person, assignment, "nurse", metres_away=0)
    settle(person("finance"), order)
    rate(person("family", PHONE), order)

    far = book_alone(person("elder", PHONE), site)
    assignment = send(person("dispatcher"), far, "carer")
    visit(site, person, assignment, "carer", metres_away=3000)
    look_at_warnings(person("supervisor"), far)

    statement(person, order)
    indicators(person("city"))


def demo_elder() -> tuple[Elder, str]:
    """The elder of the demonstration and the number her call comes from."""
    with scope(WIDE):
        elder = Representative.objects.get(user__username="elder").elder
        return elder, elder.unseal_field("phone")


def free_hour(site: Site, username: str) -> datetime:
    """An hour of tomorrow for which a carer has nothing near."""
    tomorrow = local_midnight(local_date(site.now()) + timedelta(days=1))
    with scope(WIDE):
        taken = list(
            Assignment.objects.filter(staff__user__username=username, state__in=LIVE).values_list(
                "starts_at", "ends_at"
            )
        )
    hours = (tomorrow + timedelta(hours=hour) for hour in range(9, 16))
    gap = timedelta(hours=2)
    return next(hour for hour in hours if all(hour + gap <= start or hour - gap / 2 >= end for start, end in taken))


def seen(page: Page, name: str) -> None:
    """Look at a screen: picture, axe, no sideways scroll."""
    shoot(page, name)
    assert axe_findings(page) == []
    assert sideways(page) <= 0, name


def press(button: Locator) -> None:
    """Press a button that leads to a page."""
    with button.page.expect_navigation():
        button.click()


def number_in(page: Page, pattern: str) -> int:
    """The number of the row whose page is open."""
    expect(page).to_have_url(re.compile(pattern + r"\d+/"))
    return int(re.findall(pattern + r"(\d+)/", page.url)[0])


def book_by_phone(page: Page, elder: Elder, phone: str, at: datetime) -> Order:
    """The seat answers with F2, sees who calls, opens a ticket, and books a nurse at the price shown."""
    page.goto("/desk/")
    page.get_by_label("来电号码").fill(phone)
    page.get_by_role("button", name="响铃").click()
    expect(page.locator("#calls")).to_contain_text(elder.name)
    seen(page, "desk")
    page.locator("body").press("F2")
    number_in(page, "/calls/")
    for known in (elder.name, "联系人", "待遇", "最近 5 张工单"):
        expect(page.locator("main")).to_contain_text(known)
    seen(page, "pop")
    page.locator("body").press("n")
    page.get_by_label("标题").fill("需要护士上门护理")
    seen(page, "ticket_new")
    press(page.get_by_role("button", name="登记工单"))
    number_in(page, "/tickets/")
    press(page.get_by_role("button", name="受理", exact=True))
    page.locator("body").press("o")
    page.get_by_label("上门时间").fill(f"{at.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}")
    page.get_by_label("服务项目").select_option(NURSING)
    expect(page.locator("#quote")).to_contain_text("老人自付")
    seen(page, "quote")
    press(page.get_by_role("button", name="确认下单"))
    pk = number_in(page, "/orders/")
    seen(page, "order")
    with scope(WIDE):
        order = Order.objects.get(pk=pk)
    page.goto(f"/tickets/{order.ticket_id}/")
    seen(page, "ticket")
    return order


def send(page: Page, order: Order, username: str) -> int:
    """The dispatcher reads the reasons and sends one of the best, or another with a reason."""
    with scope(WIDE):
        carer = User.objects.get(username=username).name
    page.goto(f"/dispatch/?order={order.pk}")
    cards = page.locator(".cards .card")
    expect(cards.first).to_be_visible()
    assert cards.locator("li").count() >= cards.count()
    seen(page, "dispatch" if username == "nurse" else "dispatch_again")
    card = cards.filter(has_text=carer)
    if card.count():
        press(card.get_by_role("button"))
    else:
        manual = page.locator("form[data-action=assign_order]").last
        choice = manual.get_by_label("服务人员")
        choice.select_option(choice.locator("option", has_text=carer).get_attribute("value"))
        manual.get_by_label("选择原因").fill("老人熟悉她")
        press(manual.get_by_role("button", name="派单"))
    with scope(WIDE):
        return int(Assignment.objects.get(order=order, staff_name=carer).pk)


def visit(site: Site, person: Enter, assignment: int, username: str, *, metres_away: int) -> None:
    """The carer accepts, checks in where the phone says, takes a photo, has it signed, and checks out."""
    with scope(WIDE):
        row = Assignment.objects.select_related("order").get(pk=assignment)
    place = {"latitude": row.order.lat + metres_away / 111_000, "longitude": row.order.lon, "accuracy": 12}
    page = person(username, PHONE, geolocation=place, permissions=["geolocation"], has_touch=True)
    leave_earlier_door(page, username)
    name = "carer" if metres_away == 0 else "carer_far"
    page.goto(f"/m/?day={local_date(row.starts_at)}")
    seen(page, f"{name}_today")
    page.goto(f"/m/{assignment}/")
    seen(page, f"{name}_offer")
    press(page.get_by_role("button", name="接受"))
    expect(page.get_by_role("button", name="签到")).to_be_visible()
    site.move_clock(row.starts_at - timedelta(minutes=5))
    page.reload()
    expect(page.locator("#position")).to_contain_text("已定位")
    seen(page, f"{name}_check_in")
    press(page.get_by_role("button", name="签到"))
    expect(page.locator("#pad")).to_be_visible()
    work_at_the_door(page, row.order.elder_name, name)
    site.move_clock(row.ends_at)
    press(page.get_by_role("button", name="签退"))
    expect(page.locator("main")).to_contain_text("已完成")
    seen(page, f"{name}_done")


def leave_earlier_door(page: Page, username: str) -> None:
    """The history of the demonstration may have left the carer at a door: nobody is at two doors at once."""
    with scope(WIDE):
        earlier = Visit.objects.filter(staff__user__username=username, state="on_site").first()
    if earlier is None:
        return
    page.goto(f"/m/{earlier.assignment_id}/")
    page.locator("details", has=page.locator("form[data-action=abort_visit]")).locator("summary").click()
    form = page.locator("form[data-action=abort_visit]")
    form.get_by_role("textbox").fill("老人临时外出")
    press(form.get_by_role("button"))


def work_at_the_door(page: Page, elder_name: str, name: str) -> None:
    """Photo, signature, the work ticked off."""
    photo = page.locator("form[data-action=attach_evidence]").first
    photo.locator("input[type=file]").set_input_files(
        {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": picture(name)}
    )
    photo.get_by_role("button", name="上传照片").click()
    expect(page.locator("#kept")).to_contain_text("已保存照片 1 张")
    pad = page.locator("#pad")
    pad.scroll_into_view_if_needed()
    box: Any = pad.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(box["x"] + 40 + 18 * step, box["y"] + 60 + 35 * (step % 2))
    page.mouse.up()
    page.get_by_role("button", name="保存签名").click()
    expect(page.locator("#kept")).to_contain_text("签名 1 个")
    page.evaluate("scrollTo(0, 0)")
    seen(page, f"{name}_visit")
    form = page.locator("form[data-action=finish_visit]")
    for box_ in form.locator("input[name=tasks]").all():
        box_.check()
    form.get_by_label("签字人", exact=True).fill(elder_name)
    seen(page, f"{name}_sign_off")


def picture(seed: str) -> bytes:
    """A photo no other visit has."""
    image = Image.new("RGB", (640, 480), (214, 224, 235))
    ImageDraw.Draw(image).text((40, 40), seed, fill=(20, 40, 80))
    stream = io.BytesIO()
    image.save(stream, "JPEG")
    return stream.getvalue()


def settle(page: Page, order: Order) -> None:
    """Finance settles the served order; the entries name each payer's share."""
    page.goto(f"/settlement/orders/{order.pk}/")
    press(page.get_by_role("button", name="结算"))
    expect(page.locator("#entries")).to_be_visible()
    seen(page, "settlement_order")


def rate(page: Page, order: Order) -> None:
    """The family says how it was."""
    page.goto("/e/services/")
    page.locator(f"#order-{order.pk}").get_by_role("link", name="评价这次服务").click()
    seen(page, "elder_rate")
    page.get_by_label("很满意", exact=True).check()
    press(page.locator("form[data-action=evaluate_visit]").get_by_role("button"))
    page.goto(f"/e/rate/{order.pk}/")
    expect(page.locator("main")).to_contain_text("已经评价过：5 分")


def book_alone(page: Page, site: Site) -> Order:
    """The elder books in three steps and sees the price before confirming."""
    page.goto("/e/")
    seen(page, "elder_home")
    page.get_by_role("link", name="预约服务").click()
    seen(page, "elder_book")
    page.locator(f"a.choice[href*='{CARE}']").click()
    page.locator("input[name=day]").first.check()
    page.locator(f"input[name=hour][value='{free_hour(site, 'carer').astimezone(SHANGHAI).hour}']").check()
    seen(page, "elder_book_time")
    page.get_by_role("button", name="下一步，看价格").click()
    expect(page.locator("main")).to_contain_text("您要付")
    seen(page, "elder_book_confirm")
    press(page.locator("form[data-action=place_order]").get_by_role("button"))
    expect(page).to_have_url(re.compile("/e/services/"))
    seen(page, "elder_services")
    with scope(WIDE):
        return Order.objects.filter(channel="app", starts_at__gt=site.now()).latest("pk")


def look_at_warnings(page: Page, order: Order) -> None:
    """The far check-in is on the supervisor's screen; it froze that order and its carer; a release with a reason frees both."""
    live_round()
    with scope(WIDE):
        finding = Finding.objects.get(order=order, severity="block")
    page.goto("/findings/")
    expect(page.locator(f"#finding-{finding.pk}")).to_contain_text("管制")
    seen(page, "warnings")
    page.goto(f"/findings/{finding.pk}/")
    expect(page.locator("main")).to_contain_text("已冻结")
    expect(page.locator("main")).to_contain_text("已停止")
    seen(page, "warning")
    page.locator("summary", has_text="解除").click()
    page.locator("form[data-action=release_finding]").get_by_role("textbox").fill(
        "已电话核实，老人当时在女儿家接受服务"
    )
    press(page.locator("form[data-action=release_finding]").get_by_role("button"))
    expect(page.locator("main")).to_contain_text("已恢复")


def statement(person: Enter, order: Order) -> None:
    """One person drafts and reviews, another approves."""
    page = person("finance")
    page.goto("/settlement/")
    page.locator("summary", has_text="生成对账单").click()
    form = page.locator("form[data-action=draft_statement]")
    form.locator("[name=organisation_id]").select_option(str(order.provider_id))
    form.locator("[name=payer]").select_option("voucher")
    form.locator("[name=month]").fill(f"{local_date(order.starts_at):%Y-%m}")
    press(form.get_by_role("button", name="生成对账单"))
    pk = number_in(page, "/settlement/statements/")
    press(page.get_by_role("button", name="初审通过"))
    expect(page.locator("main")).to_contain_text("待复核")
    second = person("finance2")
    second.goto(f"/settlement/statements/{pk}/")
    press(second.get_by_role("button", name="复核通过"))
    expect(second.locator("main")).to_contain_text("已审定")
    seen(second, "statement")
    second.goto("/settlement/")
    seen(second, "settlement")


def indicators(page: Page) -> None:
    """The figures of this week and the last, and the rows behind one of them."""
    page.goto("/indicators/")
    press(page.get_by_role("button", name="计算"))
    expect(page.locator("table").first).to_be_visible()
    page.get_by_role("link", name="上一期").click()
    press(page.get_by_role("button", name="计算"))
    expect(page.locator("table").first).to_be_visible()
    seen(page, "indicators")
    page.locator("table").first.get_by_role("link", name=re.compile("%")).first.click()
    expect(page.locator("table").first).to_be_visible()
    seen(page, "indicator_rows")
