"""A dispatcher's morning: plan a street, adjust it, publish it, two urgent orders, one sick carer, one visit for two."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from tests.browser.conftest import Site
from tests.browser.looking import PHONE, axe_findings, shoot, sideways
from tests.factories import WIDE, actor, make_elder, make_item, make_order, make_organisation, make_price, make_staff

from yinling.accounts.models import User
from yinling.directory.models import Area, Organisation
from yinling.dispatch.jobs import solve_plan
from yinling.dispatch.models import Assignment, DayPlan, PlannedVisit
from yinling.ground.scope import scope
from yinling.kernel.credit_code import made_up_credit_code
from yinling.kernel.period import SHANGHAI, local_date
from yinling.orders.models import Order

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Enter = Callable[..., Page]
NAMES = ("李敏", "王芳", "张丽", "赵静", "陈霞", "周燕")
ELDERS = ("王秀英", "张桂兰", "李淑芬", "陈玉珍", "刘凤英", "杨秀珍", "赵桂英", "黄素珍")
CITY, DISTRICT = "3202", "320213"
VISITS = 24
WIDE_SCREEN = {"width": 1920, "height": 1080}


class Round:
    """A street with a provider of six carers and tomorrow's orders, one of them for two."""

    def __init__(self, site: Site) -> None:
        self.day = local_date(site.now()) + timedelta(days=1)
        community = Area.objects.filter(div__startswith=DISTRICT, level="community").order_by("div").first()
        assert community is not None
        self.community, self.street = community.div, community.div[:9]
        self.body: Organisation = make_organisation(
            short_name="晨光居家", name="无锡晨光居家养老服务有限公司", credit_code=made_up_credit_code(90_001)
        )
        trained = ("induction", "care_worker")
        self.carers = [make_staff(self.body, qualified=trained, name=name, duty_div=self.street) for name in NAMES]
        self.price = make_price(make_item(name="助浴"), self.body)
        self.pair = make_price(make_item(name="双人移位护理", carers_needed=2), self.body)
        self.elders = [make_elder(self.community, name=ELDERS[number % len(ELDERS)]) for number in range(VISITS + 8)]
        for number in range(VISITS):
            self.order(8 + number % 8, number)
        self.double = self.order(10, VISITS, price=self.pair)

    def order(self, hour: int, number: int, **values: Any) -> Order:
        start = datetime.combine(self.day, datetime.min.time(), SHANGHAI).replace(hour=hour)
        chosen = {
            "price": self.price, "starts_at": start, "earliest_at": start, "latest_at": start + timedelta(minutes=90),
            "lon": 120.29 + number % 5 * 0.006, "lat": 31.56 + number % 7 * 0.004, **values,
        }  # fmt: skip
        return make_order("placed", elder=self.elders[number % len(self.elders)], **chosen)


def seen(page: Page, name: str) -> None:
    shoot(page, name)
    assert axe_findings(page) == []
    assert sideways(page) <= 0, name


def latest() -> DayPlan:
    with scope(WIDE):
        return DayPlan.objects.latest("pk")


def placed(plan: DayPlan) -> int:
    with scope(WIDE):
        return PlannedVisit.objects.filter(plan=plan, staff__isnull=False).count()


def test_a_dispatchers_morning(site: Site, person: Enter) -> None:
    with scope(WIDE):
        here = Round(site)
    page = person("dispatcher")
    plan = planned(page, here)
    adjusted(page, plan)
    published(page, plan)
    urgent(page, here)
    double(page, here)
    sick(page, plan, here)
    on_the_phone(page, site, here)


def planned(page: Page, here: Round) -> DayPlan:
    """Ask for the plan, wait, and open it."""
    page.goto(f"/dispatch/plans/?day={here.day}")
    page.locator("body").press("n")
    form = page.locator("form[data-action=request_plan]")
    form.get_by_label("服务机构").select_option(str(here.body.pk))
    form.get_by_label("街道").select_option(here.street)
    form.get_by_label("计算秒数").fill("2")
    form.get_by_role("button", name="生成排班").click()
    expect(page.locator("#plan-list")).to_contain_text("排队中")
    seen(page, "plans_waiting")
    plan = latest()
    assert solve_plan(CITY, plan.pk)
    expect(page.locator("#plan-list")).to_contain_text("待发布")
    seen(page, "plans")
    page.get_by_role("link", name="第 1 版").click()
    expect(page.locator(".strip .v")).to_have_count(placed(plan))
    assert placed(plan) > VISITS // 2
    seen(page, "board")
    page.set_viewport_size(WIDE_SCREEN)  # type: ignore[arg-type]
    seen(page, "board")
    page.set_viewport_size({"width": 1366, "height": 768})
    return plan


def adjusted(page: Page, plan: DayPlan) -> None:
    """Walk with the arrows, look at a move and leave it, move by dragging, take it back."""
    # The visit of two stays where it is; the first that one carer makes alone is moved.
    page.goto(f"/dispatch/plans/{plan.pk}/")
    first = page.locator(".lane").nth(0).locator(".v:not(:has-text('②'))").first
    first.click()
    expect(page.locator("#plan-panel")).to_contain_text("可上门时段")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".v[aria-current]")).to_be_focused()
    first.focus()
    first.click()
    page.keyboard.press("m")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#plan-panel .effect")).to_contain_text("移到")
    seen(page, "board_moving")
    page.keyboard.press("Escape")
    expect(page.locator("#plan-panel .effect")).to_have_count(0)
    lanes = page.locator(".lane")
    for number in range(1, lanes.count()):
        if drag(page, first, lanes.nth(number)):
            break
    undo = page.locator("#plan-undo")
    expect(undo).to_contain_text("已移到")
    shoot(page, "board_undo")
    page.keyboard.press("u")
    expect(page.locator("#toasts")).to_contain_text("已撤销")


def drag(page: Page, visit: Any, lane: Any) -> bool:
    """Drag a visit to another lane at its own time; False if the desk says that it cannot be there."""
    visit.scroll_into_view_if_needed()
    start, goal = visit.bounding_box(), lane.locator(".strip").bounding_box()
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 8, goal["y"] + goal["height"] / 2, steps=6)
    panel = page.locator("#plan-panel")
    expect(panel.locator(".effect")).to_contain_text(lane.get_attribute("data-name"))
    shoot(page, "board_drag")
    may = panel.locator(".effect.no").count() == 0
    page.mouse.up()
    return may


def published(page: Page, plan: DayPlan) -> None:
    """Read what will happen, type the number, publish."""
    page.goto(f"/dispatch/plans/{plan.pk}/")
    page.locator("body").press("p")
    expect(page.locator("main")).to_contain_text("位服务人员各收到一条")
    seen(page, "publish")
    if (field := page.get_by_label("请填写要发布的上门次数")).count():
        page.get_by_role("button", name="发布").click()
        expect(page.locator(".errorlist")).to_contain_text("请填写")
        field.fill(str(placed(plan)))
    page.get_by_role("button", name="发布").click()
    expect(page.locator(".head")).to_contain_text("已发布")
    expect(page.locator(".desk[data-editable]")).to_have_count(0)
    seen(page, "board_published")
    with scope(WIDE):
        assert Assignment.objects.filter(plan=plan, state="offered").count() == placed(plan)


def urgent(page: Page, here: Round) -> None:
    """Two urgent orders come in and go to the best with one key each."""
    for number in (1, 2):
        with scope(WIDE):
            order = here.order(16, VISITS + number, is_urgent=True)
        page.goto(f"/dispatch/?order={order.pk}")
        expect(page.locator(".proposals .card").first).to_contain_text("折合")
        if number == 1:
            seen(page, "dispatch_urgent")
        with page.expect_navigation():
            page.locator("body").press("d")
        with scope(WIDE):
            assert Assignment.objects.filter(order=order, state="offered").count() == 1


def double(page: Page, here: Round) -> None:
    """An order for two is offered to both at once."""
    with scope(WIDE):
        order = here.order(17, VISITS + 4, price=here.pair)
    page.goto(f"/dispatch/?order={order.pk}")
    card = page.locator(".proposals .card").first
    expect(card.locator("h3")).to_contain_text("+")
    seen(page, "dispatch_pair")
    with page.expect_navigation():
        card.get_by_role("button").click()
    with scope(WIDE):
        rows = list(
            Assignment.objects.filter(order=order, state="offered").order_by("slot").values_list("slot", "starts_at")
        )
    assert [slot for slot, _start in rows] == [1, 2]
    assert len({start for _slot, start in rows}) == 1


def sick(page: Page, plan: DayPlan, here: Round) -> None:
    """Somebody does not come: absence, new plan, what changes, publish."""
    page.goto(f"/dispatch/plans/{plan.pk}/")
    who = next(one for one in here.carers if page.locator(f"#lane-{one.pk} .v").count())
    page.locator(f"#s{who.pk}").click()
    page.get_by_role("link", name="人员缺勤…").click()
    page.get_by_role("button", name="登记缺勤").click()
    expect(page.get_by_role("button", name="重新安排这些上门")).to_be_visible()
    expect(page.locator("main")).to_contain_text("病假")
    seen(page, "absence")
    page.get_by_role("button", name="重新安排这些上门").click()
    expect(page).to_have_url(re.compile(r"/compare/"))
    new = latest()
    if new.state == "queued":
        assert solve_plan(CITY, new.pk)
        page.reload()
    expect(page.locator("main")).to_contain_text("换了人员的老年人")
    seen(page, "compare")
    page.locator("body").press("p")
    expect(page.locator("main")).to_contain_text("只通知有变化的人员")
    if page.get_by_label("请填写要发布的上门次数").count():
        page.get_by_label("请填写要发布的上门次数").fill(
            re.findall(r"共 (\d+) 次", page.locator("main").inner_text())[0]
        )
    page.get_by_role("button", name="发布").click()
    expect(page.locator(".head")).to_contain_text("已发布")
    with scope(WIDE):
        assert not Assignment.objects.filter(
            plan__in=[plan, new], staff=who, state__in=["offered", "accepted"]
        ).exists()


def on_the_phone(page: Page, site: Site, here: Round) -> None:
    """A carer sees the round and takes all of it."""
    with scope(WIDE):
        row = (
            Assignment.objects.filter(plan__isnull=False, provider=here.body, state="offered")
            .exclude(order=here.double)
            .latest("pk")
        )
        who = actor("carer", staff=row.staff)
        client = Client()
        client.force_login(User.objects.get(pk=who.user_id))
    phone = page.context.browser.new_context(viewport=PHONE, locale="zh-CN", base_url=site.url)  # type: ignore[union-attr]
    phone.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site.url}])
    screen = phone.new_page()
    screen.goto(f"/m/?day={here.day}")
    expect(screen.locator(".task").first).to_be_visible()
    seen(screen, "carer_round")
    if screen.locator("form[data-action=accept_all]").count():
        screen.get_by_role("button", name=re.compile("接受全部")).click()
        expect(screen.locator("#toasts")).to_contain_text("已全部接受")
    phone.close()
