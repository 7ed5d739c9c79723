"""The line's pages in a real browser: they fit a desk, a phone and a wall, axe finds nothing, and the wall moves by itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.looking import DESK, PHONE, axe_findings, shoot, sideways
from tests.factories import CITY, DISTRICT, OTHER_DISTRICT, WIDE, actor, make_call, make_elder, make_seat
from tests.hotline.played import company_line, contract, recorded, talk
from tests.screens.test_in_browser import enter

from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.hotline.models import OperatorStatement, QualitySample, SeatSpan
from yinling.hotline.operations import draft_operator_statement
from yinling.kernel.period import add_months, local_date, local_midnight, month_start

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WALL = {"width": 1920, "height": 1080}


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA = tmp_path


def story() -> dict[str, int]:
    """A day on the line: twelve seats, calls of two districts, one waiting, one judged, and a statement of last month."""
    now = business_now()
    midnight = local_midnight(local_date(now))
    with scope(WIDE):
        persons = [actor("seat") for _ in range(12)]
        for number, person in enumerate(persons):
            seat = make_seat(
                person, state=("ready", "ready", "paused", "off")[number % 4], reason=("", "", "meal", "")[number % 4]
            )
            if number % 4 != 3:
                SeatSpan.objects.create(div=CITY, seat=seat, state=seat.state, from_at=now - timedelta(minutes=number))
        here, there = make_elder(div=f"{DISTRICT}021001"), make_elder(div=f"{OTHER_DISTRICT}100200")
        for number in range(24):
            at = midnight + (now - midnight) * number / 25
            call = talk(
                persons[number % 12],
                at=at,
                wait_s=5 + number % 14,
                elder=here if number % 3 else there,
                number="19900009001",
            )
        talk(None, state="abandoned", at=midnight)
        make_call(rang_at=now - timedelta(seconds=75), rank=0)
        row = recorded(call, now=now)
        sample = QualitySample.objects.create(
            call=call, div=call.div, seat_id=call.seat_id or 0, drawn_at=now, created_at=now, changed_at=now
        )
        company, *_rest = company_line("无锡安康呼叫服务有限公司")
        paid = contract(
            company,
            valid_from=add_months(month_start(local_date(now)), -3),
            valid_to=add_months(month_start(local_date(now)), 9),
        )
        city = actor("city")
    with scope(city):
        month = add_months(month_start(local_date(now)), -1)
        statement = draft_operator_statement(actor=city, now=now, line_contract_id=paid.pk, month=month)
    return {"call": call.pk, "recording": row.pk, "sample": sample.pk, "statement": statement.pk}


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_fit_and_axe_finds_nothing(page: Page, live_server: Any, size: dict[str, int]) -> None:
    enter(page, live_server, "line_leader")
    rows = story()
    page.set_viewport_size(size)  # type: ignore[arg-type]
    for name, address in (
        ("wall", "/line/"), ("calls", "/line/calls/"), ("call", f"/line/calls/{rows['call']}/"), ("agents", "/line/agents/"),
        ("report", "/line/report/"), ("quality", "/line/quality/"), ("sample", f"/line/quality/{rows['sample']}/"),
        ("contracts", "/line/contracts/"), ("statement", f"/line/statements/{rows['statement']}/"),
        ("paper", f"/line/statements/{rows['statement']}/print/"),
    ):  # fmt: skip
        page.goto(live_server.url + address)
        shoot(page, f"line-{name}")
        assert axe_findings(page) == []
        assert sideways(page) == 0, address


def test_the_wall_fits_a_desk_and_a_wall_without_scrolling_and_moves_by_itself(page: Page, live_server: Any) -> None:
    enter(page, live_server, "line_leader")
    story()
    for size in (DESK, WALL):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(live_server.url + "/line/")
        shoot(page, "line-wall")
        assert page.evaluate("() => document.documentElement.scrollHeight - window.innerHeight") <= 0
    waiting = page.locator(".wall-figures li").first.locator("b")
    expect(waiting).to_have_text("1")
    with scope(WIDE):
        make_call(rang_at=business_now())
    page.evaluate("document.body.dispatchEvent(new CustomEvent('live:calls'))")
    expect(waiting).to_have_text("2")
    with scope(WIDE):
        assert OperatorStatement.objects.count() == 1
