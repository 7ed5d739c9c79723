"""Messages and the pages of the line that no other test opens in a browser: axe finds nothing, nothing runs sideways, at a desk and on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page
from tests.browser.looking import DESK, PHONE, axe_findings, shoot, sideways
from tests.factories import NOW, TODAY, WIDE, make_elder, make_roster, make_seat, make_shift, make_ticket
from tests.hotline.test_knowledge import make_article
from tests.screens.test_in_browser import enter
from tests.screens.test_messages import sent

from yinling.accounts.models import OptOut
from yinling.ground.scope import scope

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fill() -> list[tuple[str, str]]:
    """Rows for every page, and the pages."""
    elder = make_elder(name="沈桂英")
    row = sent(about=elder, text="王秀英老人明天上午九点体检，请空腹。")
    sent("b", "13900000002", about=elder, is_urgent=True, text="设备报警，请立即与老人联系。")
    OptOut.objects.create(div=elder.div, elder_id=elder.pk, kind="", source="desk", from_at=NOW)
    article, ticket, seat = make_article(valid_from=TODAY), make_ticket(elder=elder), make_seat(number="8001")
    plan = make_roster()
    shift = make_shift(plan, seat, 0, 8)
    return [
        ("messages", "/messages/"), ("message", f"/messages/{row.pk}/"), ("wordings", "/messages/wordings/"),
        ("wording", "/messages/wordings/appointed/"), ("optouts", "/messages/optouts/"), ("article", f"/line/knowledge/{article.pk}/"),
        ("transfer", f"/tickets/{ticket.pk}/transfer/"), ("shift", f"/line/rosters/{plan.pk}/shifts/{shift.pk}/"),
        ("forecast", "/line/forecast/"), ("callbacks", "/callbacks/"),
        ("groups", "/line/groups/"), ("group", f"/line/groups/{seat.group_id}/"), ("seats", "/line/seats/"), ("seat", f"/line/seats/{seat.pk}/"),
        ("trainings", "/line/trainings/"), ("availability", "/line/availability/"),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_fit_and_axe_finds_nothing(page: Page, live_server: Any, size: dict[str, int]) -> None:
    enter(page, live_server, "line_leader")
    with scope(WIDE):
        places = fill()
    page.set_viewport_size(size)  # type: ignore[arg-type]
    found: dict[str, Any] = {}
    for name, address in [*places, ("device-new", "/devices/new/?q=沈桂英")]:
        if name == "device-new":
            enter(page, live_server, "city")
        answer = page.goto(live_server.url + address)
        shoot(page, f"messages-{name}")
        wrong = [answer and answer.status != 200, axe_findings(page), sideways(page)]
        if any(wrong):
            found[address] = wrong
    assert found == {}
