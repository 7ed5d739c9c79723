"""Contracts, beds and stays in a real browser: they fit, and axe finds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page
from tests.browser.looking import DESK, PHONE, axe_findings, shoot, sideways
from tests.factories import WIDE, make_area_tree
from tests.programmes.home_beds.test_stays import admitted
from tests.programmes.making import make_bed_application, make_draft, make_signed
from tests.screens.test_in_browser import enter

from yinling.ground.scope import scope
from yinling.people.models import Elder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def story() -> list[str]:
    """A signed contract, a draft, an application and a stay; the addresses that show them."""
    with scope(WIDE):
        make_area_tree()
        bed = make_bed_application()
        elder = Elder.objects.get(pk=bed.elder_id)
        signed, draft = make_signed(elder), make_draft()
        admitted()
    return [
        "/contracts/", "/contracts/calls/", f"/contracts/{signed.pk}/", f"/contracts/{draft.pk}/", f"/contracts/{draft.pk}/?print=1",
        f"/contracts/new/?elder={elder.pk}&provider={signed.provider_id}", "/beds/", f"/beds/{bed.pk}/", f"/beds/new/?elder={elder.pk}",
        f"/beds/stays/new/?elder={elder.pk}", f"/elders/{elder.pk}/programmes/",
    ]  # fmt: skip


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_fit_and_axe_finds_nothing(page: Page, live_server: Any, size: dict[str, int]) -> None:
    addresses = story()
    enter(page, live_server, "district")
    page.set_viewport_size(size)  # type: ignore[arg-type]
    for address in addresses:
        page.goto(live_server.url + address)
        shoot(page, "programmes_" + address.strip("/").replace("/", "_").split("?")[0])
        assert axe_findings(page) == [], address
        assert sideways(page) <= 0, address
