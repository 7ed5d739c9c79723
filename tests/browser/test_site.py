import pytest
from tests.browser.conftest import Site
pytestmark = pytest.mark.browser
def test_x(site: Site, browser) -> None:
    print(site.url)
