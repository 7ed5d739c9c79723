"""The list of services that are looked at on site, and the page on which the result is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.test import Client
from tests.factories import NOW, actor, make_price, system
from tests.screens.test_orders import form_of, queries_of
from tests.supervision.test_site_checks import IN_MAY, paid

from yinling.kernel.masks import mask_name
from yinling.supervision.jobs import draw_city
from yinling.supervision.models import SiteCheck

SignIn = Callable[..., Client]
pytestmark = [pytest.mark.usefixtures("wide"), pytest.mark.req("X-PAY-04")]
MAY = "/site-checks/?month=2026-05"


@pytest.fixture
def check() -> SiteCheck:
    paid(make_price())
    draw_city(system(), NOW)
    return SiteCheck.objects.get()


def test_an_officer_finds_what_was_drawn_and_writes_the_result(check: SiteCheck, sign_in: SignIn) -> None:
    client = sign_in(actor("district", check.div[:6]))
    html = client.get(MAY).content.decode()
    assert f'id="check-{check.pk}"' in html
    assert "未达到" in html
    address = f"/site-checks/{check.pk}/"
    hidden = form_of(client.get(address).content.decode(), "record_site_check")
    written = hidden | {"result": "fits", "checked_on": f"{IN_MAY.date() + timedelta(days=3)}", "found": "属实"}
    assert client.post("/do/record_site_check/", written).status_code in (200, 204, 302)
    row = SiteCheck.objects.get()
    assert (row.result, row.checked_on) == ("fits", date(2026, 5, 19))
    html = client.get(MAY).content.decode()
    assert re.search("已达到", html)
    assert "登记核查结果" not in client.get(address).content.decode()
    assert "没有符合条件的核查" in client.get(f"{MAY}&result=open").content.decode()


def test_others_have_no_page_and_rows_cost_no_queries(check: SiteCheck, sign_in: SignIn) -> None:
    manager = sign_in(actor("provider_manager", organisation=check.order.provider))
    assert manager.get("/site-checks/").status_code == 403
    street = sign_in(actor("street", check.div[:9])).get(MAY).content.decode()
    assert f'id="check-{check.pk}"' in street
    assert "未达到" not in street, "the share is one of the whole county"
    city = sign_in("city")
    city.get(MAY)  # names of areas are read once
    one = queries_of(city, MAY)
    for _ in range(2):
        order = paid(make_price())
        SiteCheck.objects.create(
            div=order.div, order=order, month=check.month, drawn_at=NOW, created_at=NOW, changed_at=NOW
        )
    assert queries_of(city, MAY) == one <= 8
    assert city.get("/site-checks/0/").status_code == 404


def test_only_who_goes_there_reads_the_name_and_where_it_is(check: SiteCheck, sign_in: SignIn) -> None:
    order, page = check.order, f"/site-checks/{check.pk}/"
    officer, auditor = sign_in(actor("street", check.div[:9])), sign_in("auditor")
    assert order.address in officer.get(MAY).content.decode()
    assert order.elder_name in officer.get(page).content.decode()
    for address in (MAY, page):
        html = auditor.get(address).content.decode()
        assert mask_name(order.elder_name) in html
        assert order.elder_name not in html
        assert order.address not in html
