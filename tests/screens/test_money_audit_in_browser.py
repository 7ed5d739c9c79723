"""Shares, scorecards, agreements and the auditor's lists in a real browser, wide and narrow: they fit, and axe finds nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page
from tests.browser.looking import DESK, PHONE, axe_findings, shoot, sideways
from tests.factories import NOW, WIDE, actor, city, make_elder, make_entitlement, make_organisation, make_scheme
from tests.screens.test_in_browser import enter
from tests.screens.test_money_audit import twice
from tests.settlement.test_distributions import body_with_two, draft

from yinling.accounts.models import Journal, User
from yinling.entitlements.models import Standing
from yinling.entitlements.operations import sign_agreement
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def story() -> tuple[dict[str, list[str]], Actor]:
    """Two nurses' month with its draft, a refused second charge, an overlap, an exception, an agreement: the pages of each role."""
    with scope(WIDE) as opened:
        city()
        body, nurse, _doctor = body_with_two()
        row = draft(body)
        twice(body)
        elder, scheme = make_elder(), make_scheme(code="government_purchase", payer="government")
        Standing.objects.create(div=elder.div, scheme=scheme, elder=elder, grade=0)
        for payer in ("ltci", "voucher"):
            make_entitlement(elder, make_scheme(payer=payer))
        paper = sign_agreement(
            actor=actor("finance"), now=NOW, organisation_id=body.pk, kind="cooperation", number="合作协议〔2026〕第0001号",
            valid_from=date(2026, 1, 1), partner_id=make_organisation().pk, sources=["civil_affairs", "insurance", "public_health", "purchase"],
        )  # fmt: skip
        tried = Journal.objects.get(code="settlement.repeated")
        opened.afterwards.clear()
        carer = actor("nurse", staff=nurse)
    pages = {
        "finance": [
            "/settlement/shares/", "/settlement/shares/new/", f"/settlement/shares/{row.pk}/", f"/settlement/shares/{row.pk}/print/",
            "/staff/scorecards/?month=2026-06-01", "/staff/scorecards/bodies/?month=2026-06-01", "/agreements/", "/agreements/new/",
            f"/agreements/{paper.pk}/",
        ],
        "auditor": ["/settlement/tries/", f"/settlement/tries/{tried.pk}/", "/settlement/tries/overlaps/", "/benefits/exceptions/"],
    }  # fmt: skip
    return pages, carer


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_fit_and_axe_finds_nothing(page: Page, live_server: Any, size: dict[str, int]) -> None:
    enter(page, live_server, "city")
    pages, carer = story()
    page.set_viewport_size(size)  # type: ignore[arg-type]
    for role, addresses in pages.items():
        enter(page, live_server, role)
        for address in addresses:
            page.goto(live_server.url + address)
            shoot(page, "money-" + address.split("?")[0].strip("/").replace("/", "-"))
            assert axe_findings(page) == [], address
            assert sideways(page) == 0, address
    client = Client()
    with scope(WIDE):
        client.force_login(User.objects.get(pk=carer.user_id))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(live_server.url + "/m/income/")
    page.locator("main details summary").first.click()
    shoot(page, "money-income")
    assert axe_findings(page) == []
    assert sideways(page) == 0
