import pytest
from playwright.sync_api import Page


@pytest.mark.browser
def test_the_browser_shows_chinese(page: Page) -> None:
    page.set_content("<p>银龄</p>")
    assert page.get_by_text("银龄").bounding_box()
