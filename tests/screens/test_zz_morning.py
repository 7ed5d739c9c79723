import pytest
from tests.browser.test_morning import *
from tests.browser.test_morning import test_a_dispatchers_morning as story
from tests.screens.test_in_browser import enter
from yinling.ground.clock import business_now
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
del test_a_dispatchers_morning
class S:
    def __init__(self,url): self.url=url
    def now(self): return business_now()
def test_story(page, live_server):
    page.set_default_timeout(15000)
    enter(page, live_server, "dispatcher")
    page.goto(live_server.url+"/dispatch/plans/")
    errs=[]; page.on("pageerror",lambda e:errs.append(str(e))); page.on("console",lambda m:errs.append(m.text) if m.type in("error",) else None)
    page.set_viewport_size({"width":1366,"height":768})
    orig=page.goto
    page.goto=lambda a,**k: orig(a if a.startswith("http") else live_server.url+a,**k)
    try: story(S(live_server.url), lambda *a,**k: page)
    finally: shoot(page,"zz-last"); print("ERRS",[e[:120] for e in errs]); print(page.url)
