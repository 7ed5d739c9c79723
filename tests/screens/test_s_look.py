import io
import pytest
from datetime import timedelta
from pathlib import Path
from playwright.sync_api import Page
from django.test import Client
from tests.browser.looking import axe_findings, sideways
from tests.factories import *
from tests.screens.test_settlement import statement, settled
from tests.screens.test_supervision import blocked, repeated_photo
from yinling.indicators.operations import compute_values
from yinling.accounts.models import User
from yinling.ground.scope import scope
from yinling.settlement.operations import reverse_order
from yinling.supervision.operations import acknowledge_finding

@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_look(page: Page, live_server, settings, tmp_path) -> None:
    settings.DATA = tmp_path
    with scope(WIDE):
        make_area_tree()
        row = statement(3); o = settled(); make_hold(make_order("served"), reason="签到位置严重偏离", cause="finding:1")
        reverse_order(actor=actor("finance"), now=NOW+timedelta(days=4), order_id=o.pk, reason="服务未做完")
        f, _, _ = repeated_photo(); g = blocked(); make_finding(make_order("served")); acknowledge_finding(actor=actor("supervisor"), now=NOW, finding_id=g.pk)
        make_order("failed")
        compute_values(actor=system(), now=NOW + timedelta(days=6), div="3202", period_from=TODAY, period_to=TODAY + timedelta(days=7))
        who = {r: actor(r) for r in ("finance", "supervisor", "city")}
    pages = {"finance": ["/settlement/", "/settlement/waiting/", "/settlement/settled/", "/settlement/held/", f"/settlement/orders/{o.pk}/", f"/settlement/statements/{row.pk}/", f"/settlement/statements/{row.pk}/print/"],
      "supervisor": ["/findings/", f"/findings/{f.pk}/", f"/findings/{g.pk}/", "/findings/suspended/", "/findings/?tab=upheld"], "city": ["/indicators/?day=2026-06-15", "/indicators/weekly_visit_completion/?day=2026-06-15", "/indicators/call_to_assignment/?day=2026-06-15"]}
    page.on("console", lambda m: print("console:", m.text)); page.on("pageerror", lambda m: print("error:", m))
    for role, paths in pages.items():
        with scope(WIDE):
            client = Client(); client.force_login(User.objects.get(pk=who[role].user_id))
        page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        for width, height in ((1366, 768), (360, 740)):
            page.set_viewport_size({"width": width, "height": height})
            for path in paths:
                page.goto(live_server.url + path); page.wait_for_timeout(200)
                page.screenshot(path=f"/tmp/s_shots/{path.strip('/').replace('/', '_').replace('?','_').replace('=','_')}-{width}.png", full_page=True)
                print(path, width, axe_findings(page), sideways(page))
