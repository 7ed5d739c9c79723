"""The pages about who may go, in a real browser: they fit, and axe finds nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page
from tests.browser.looking import DESK, PHONE, axe_findings, shoot, sideways
from tests.factories import (
    COMMUNITY,
    DISTRICT,
    STREET,
    WIDE,
    actor,
    make_absence,
    make_area_tree,
    make_household,
    make_item,
    make_organisation,
    make_policy,
    make_price,
    make_qualification,
    make_service_area,
    make_staff,
)

from yinling.accounts.models import User
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.period import local_date

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CORNERS = [[120.29, 31.56], [120.31, 31.56], [120.31, 31.58], [120.29, 31.58], [120.29, 31.56]]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_fit_and_axe_finds_nothing(page: Page, live_server: Any, size: dict[str, int]) -> None:
    today = local_date(business_now())
    with scope(WIDE):
        make_area_tree()
        body = make_organisation(insured=False)
        person = make_staff(body, name="陈静")
        make_qualification(person, "nurse", valid_to=today + timedelta(days=9), place="32", practice_scope="护理")
        make_policy(body, valid_to=today + timedelta(days=20))
        make_policy(body, "personal_injury", valid_to=today)
        make_absence(person, from_at=business_now(), to_at=None)
        make_price(make_item(), body)
        make_service_area(
            body, "meal", STREET, name="一网格", outline={"type": "MultiPolygon", "coordinates": [[CORNERS]]}
        )
        make_household(COMMUNITY, lon=120.40, lat=31.57)
        who = actor("city")
        client = Client()
        client.force_login(User.objects.get(pk=who.user_id))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.set_viewport_size(size)  # type: ignore[arg-type]
    pages = {
        "staff": f"/organisations/{body.pk}/staff/{person.pk}/", "organisation": f"/organisations/{body.pk}/",
        "expiring": "/organisations/expiring/", "expiring-staff": "/organisations/expiring/?what=staff", "coverage": "/coverage/?family=meal",
        "policy": f"/organisations/{body.pk}/policies/new/", "prices": f"/prices/?div={DISTRICT}&near={COMMUNITY}",
        "home-medical": "/public/home-medical/",
    }  # fmt: skip
    for name, address in pages.items():
        page.goto(live_server.url + address)
        if name == "staff":
            page.locator("summary", has_text="修改工作人员").click()
        shoot(page, f"who-{name}")
        assert axe_findings(page) == [], name
        assert sideways(page) == 0, name
