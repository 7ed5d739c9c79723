import os
from datetime import timedelta
import pytest
from playwright.sync_api import Page
from tests.factories import *
from tests.browser.looking import axe_findings
from yinling.accounts.models import User
from yinling.ground.scope import scope
from yinling.ground.clock import business_now
from yinling.kernel.period import SHANGHAI
from yinling.dispatch.operations import assign_order
from yinling.orders.operations import place_order
from yinling.orders.queries import quote
from django.test import Client

@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_look(page: Page, live_server) -> None:
    with scope(WIDE):
        make_area_tree()
        now = business_now()
        body = make_organisation()
        item = make_item(code="A01", charges_callout=True)
        for f in ("meal","bathing","rescue"): make_item(family=f, name=f)
        price = make_price(item, body, 8000, callout_fee_fen=3000, recorded_from=now-timedelta(days=2))
        make_service_area(body, recorded_from=now-timedelta(days=2))
        carers = [make_staff(body, qualified=("induction","care_worker"), dialects="无锡话") for _ in range(6)]
        start = (now + timedelta(days=1)).astimezone(SHANGHAI).replace(hour=10, minute=0, second=0, microsecond=0)
        who = {r: actor(r) for r in ("seat", "dispatcher", "city")}
        orders = []
        for n in range(5):
            e = make_elder(household=make_household(lon=120.29+n*0.01, lat=31.56+n*0.005), dialect="无锡话")
            make_entitlement(e)
            q = quote(actor=who["seat"], elder_id=e.pk, item_code="A01", starts_at=start+timedelta(hours=n), now=now)
            orders.append(place_order(actor=who["seat"], now=now, elder_id=e.pk, item_code="A01", starts_at=start+timedelta(hours=n), quoted_total_fen=q.total_fen, is_urgent=n==1, note="按门铃"))
        assign_order(actor=who["dispatcher"], now=now, order_id=orders[0].pk, staff_id=carers[0].pk)
        assign_order(actor=who["dispatcher"], now=now, order_id=orders[3].pk, staff_id=carers[0].pk, choice_reason="x")
        assign_order(actor=who["dispatcher"], now=now, order_id=orders[4].pk, staff_id=carers[1].pk, choice_reason="x")
        make_hold(orders[0])
        day = start.date()
        e = orders[0].elder_id
        start_text = f"{start + timedelta(hours=5):%Y-%m-%dT%H:%M}"
    paths = {"seat": ["/orders/", f"/orders/{orders[0].pk}/", f"/orders/new/?elder={e}&item_code=A01&starts_at={start_text}", f"/orders/new/?elder={e}&item_code=A01&starts_at=2020-01-01T10:00", "/orders/?tab=ended"],
      "dispatcher": ["/dispatch/", "/dispatch/?tab=assigned", f"/dispatch/day/?day={day}", "/dispatch/day/?day=2020-01-01"], "city": ["/price-lists/", f"/price-lists/{price.price_list_id}/", "/items/", f"/items/{item.pk}/", "/catalogue/"]}
    page.on("console", lambda m: print("console:", m.text))
    page.on("pageerror", lambda m: print("error:", m))
    os.makedirs("/tmp/olook", exist_ok=True)
    for role, addresses in paths.items():
        client = Client(); client.force_login(User.objects.get(pk=who[role].user_id))
        page.context.clear_cookies()
        page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        for n, path in enumerate(addresses):
            for width, height in ((1366, 768), (360, 740)):
                page.set_viewport_size({"width": width, "height": height})
                page.goto(live_server.url + path)
                page.wait_for_timeout(300)
                page.screenshot(path=f"/tmp/olook/{role}{n}-{width}.png")
                print(path, width, axe_findings(page), page.evaluate("document.documentElement.scrollWidth"))
    client = Client(); client.force_login(User.objects.get(pk=who["seat"].user_id))
    page.context.clear_cookies()
    page.set_viewport_size({"width": 1366, "height": 768})
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page.goto(live_server.url + f"/orders/new/?elder={e}")
    page.fill("[name=starts_at]", start_text)
    page.select_option("[name=item_code]", "A01")
    page.wait_for_selector("[data-action=place_order]")
    page.screenshot(path="/tmp/olook/live.png")
    page.click("[data-action=place_order] button[type=submit]")
    page.wait_for_url("**/orders/*/")
    page.wait_for_timeout(300)
    page.screenshot(path="/tmp/olook/placed.png")
    client = Client(); client.force_login(User.objects.get(pk=who["dispatcher"].user_id))
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page.goto(live_server.url + "/dispatch/")
    page.wait_for_timeout(300)
    page.keyboard.press("d")
    page.wait_for_timeout(1500)
    page.screenshot(path="/tmp/olook/assigned.png")
