import pytest
from tests.browser.conftest import Site
from tests.browser.looking import *
pytestmark = pytest.mark.browser
def test_x(site, person) -> None:
    page = person("")
    page.goto("/login/"); shoot(page,"login"); print(axe_findings(page))
    page = person("seat")
    for name, path in {"desk":"/desk/","tickets":"/tickets/","orders":"/orders/","new":"/tickets/new/"}.items():
        page.goto(path); shoot(page, name); print(axe_findings(page), sideways(page))
