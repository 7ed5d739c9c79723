"""The pages about funds in a real browser: they fit at both widths, and axe finds nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.browser.looking import DESK, PHONE, axe_findings, shoot, sideways
from tests.factories import CITY, NOW, WIDE, actor, city, make_organisation
from tests.programmes.subsidies.shanwei import make_line
from tests.screens.test_in_browser import enter
from tests.settlement.test_reimbursements import approved, drafted, entered, promised, spent

from yinling.entitlements.operations import propose_line
from yinling.ground.scope import scope
from yinling.programmes.subsidies.operations import (
    approve_subsidy,
    draft_subsidy,
    record_spending,
    register_donation,
    review_subsidy,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def story() -> list[str]:
    """A planned and an approved line, a project that was paid, a donation, and two reimbursements."""
    with scope(WIDE):
        city()
        people = [actor("finance") for _ in range(3)]
        line = make_line(
            (people[0], people[1]),
            400_000_000,
            div=CITY,
            year=2026,
            fund="general",
            purpose="platform",
            name="平台建设",
        )
        make_line(
            (people[0], people[1]), 100_000, div=CITY, year=2026, fund="lottery", purpose="home_care", name="福彩居家"
        )
        given = make_line(
            (people[0], people[1]), 0, div=CITY, year=2026, fund="donation", purpose="home_care", name="慈善"
        )
        planned = propose_line(
            actor=people[0],
            now=NOW,
            div=CITY,
            year=2026,
            fund="lottery",
            purpose="welfare",
            name="其他福利",
            planned_fen=5000,
            document="预算",
        )
        gift = register_donation(
            actor=people[0],
            now=NOW,
            donor="某公司",
            amount_fen=123_450,
            line_id=given.pk,
            received_on=date(2026, 3, 1),
            is_anonymous=True,
        )
        row = draft_subsidy(
            actor=people[0], now=NOW, kind="project", line_id=line.pk, result_year=2026, provider_id=make_organisation().pk, part="首付款",
            actual_fen=120_000_000, evidence="合同〔2026〕1号",
        )  # fmt: skip
        review_subsidy(actor=people[1], now=NOW, subsidy_id=row.pk)
        approve_subsidy(actor=people[2], now=NOW, subsidy_id=row.pk)
        record_spending(
            actor=people[0],
            now=NOW,
            subsidy_id=row.pk,
            category="equipment",
            amount_fen=100,
            spent_on=date(2026, 5, 1),
            text="服务器",
            voucher="1",
        )
        first = promised()
        done = approved(spent(200_001, first))
        running = entered(drafted(promised(scheme=first.scheme)), ("1", "done", 30_000), ("3", "done", 20_000))
        return [
            "/funds/", "/funds/lines/", f"/funds/{line.pk}/", f"/funds/{line.pk}/?rows=budgets", f"/funds/{planned.pk}/",
            f"/funds/{given.pk}/?rows=donations", "/subsidies/", "/subsidies/new/?kind=project&year=2026", "/subsidies/new/?kind=canteen",
            f"/subsidies/{row.pk}/", "/donations/", f"/donations/{gift.pk}/print/", "/reimbursements/", "/reimbursements/new/",
            f"/reimbursements/{done.pk}/", f"/reimbursements/{running.pk}/",
        ]  # fmt: skip


def test_the_pages_fit_and_axe_finds_nothing(page: Page, live_server: Any) -> None:
    enter(page, live_server, "finance")
    for address in story():
        for size in (DESK, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.goto(live_server.url + address)
            shoot(page, "funds-" + address.strip("/").replace("/", "-").replace("?", "-"))
            assert axe_findings(page) == []
            assert sideways(page) == 0, address
