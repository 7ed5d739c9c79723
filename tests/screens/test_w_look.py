import pytest
from playwright.sync_api import Page
from tests.factories import actor, make_user, make_area_tree, WIDE
from tests.browser.looking import axe_findings
from yinling.accounts.models import User
from yinling.ground.scope import scope
from django.test import Client
import os

@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_look(page: Page, live_server) -> None:
    with scope(WIDE):
        make_area_tree()
        who = actor(os.environ.get("WROLE", "security_admin"))
        for n in range(25):
            actor("seat"); 
        client = Client(); client.force_login(User.objects.get(pk=who.user_id))
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page.on("console", lambda m: print("console:", m.text))
    page.on("pageerror", lambda m: print("error:", m))
    for width, height in ((1366, 768), (360, 740)):
        page.set_viewport_size({"width": width, "height": height})
        for path in os.environ.get("WPATHS", "/grants/").split(","):
            page.goto(live_server.url + path)
            page.wait_for_timeout(300)
            page.screenshot(path=f"/tmp/w/{path.strip('/').replace('/', '_') or 'home'}-{width}.png")
            print(path, width, axe_findings(page), page.evaluate("document.documentElement.scrollWidth"))
