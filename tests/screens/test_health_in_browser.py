"""Stops, health records and surveys in a real browser: they fit, axe finds nothing, a village is asked by keyboard."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.looking import DESK, PHONE, axe_findings, shoot, sideways
from tests.factories import COMMUNITY, NOW, WIDE, make_elder, make_order, system
from tests.screens.test_in_browser import enter

from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.period import local_date
from yinling.people.models import Campaign, Circumstance, Elder, HealthFact, SurveyAnswer
from yinling.settlement.models import Recovery
from yinling.web.afterwards import run_stops

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def story() -> tuple[Elder, Campaign, Recovery]:
    """A dead elder with a recovery list, one alive with a health record, and a survey."""
    now = business_now()
    today = local_date(now)
    with scope(WIDE):
        system()
        dead, ill = make_elder(name="王秀英"), make_elder(name="李建国")
        make_order("served", elder=dead, starts_at=now - timedelta(days=2))
        make_order("placed", elder=ill, starts_at=now + timedelta(days=2))
        Elder.objects.filter(pk=dead.pk).update(died_on=today - timedelta(days=5))
        for elder, kind in ((dead, "deceased"), (ill, "in_hospital")):
            Circumstance.objects.create(
                div=elder.div,
                elder=elder,
                kind=kind,
                body="派出所",
                valid_from=today - timedelta(days=4),
                recorded_from=NOW,
            )
        for kind, item in (("allergy", ""), ("check", "年度体检"), ("grade", "high")):
            row = HealthFact(
                div=ill.div, elder=ill, kind=kind, item=item, rule="2026-1", body="卫生站", valid_from=today - timedelta(days=200),
                recorded_from=NOW,
            )  # fmt: skip
            row.seal_field("content", "青霉素")
            row.save()
        survey = Campaign.objects.create(
            div="3202", name="流感疫苗摸底", kind="vaccination", item="流感疫苗", starts_on=today, ends_on=today + timedelta(days=9),
            created_at=NOW, changed_at=NOW,
        )  # fmt: skip
    for elder in (dead, ill):
        run_stops(elder.pk, elder.div, now)
    with scope(WIDE):
        return ill, survey, Recovery.objects.get()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_fit_and_axe_finds_nothing(page: Page, live_server: Any, size: dict[str, int]) -> None:
    enter(page, live_server, "city")
    ill, survey, recovery = story()
    page.set_viewport_size(size)  # type: ignore[arg-type]
    addresses = [
        ("city", f"/elders/{ill.pk}/stops/"), ("city", f"/elders/{recovery.elder_id}/stops/"), ("city", "/health/"),
        ("city", f"/health/missing/?area={COMMUNITY}&part=phone"), ("city", "/health/follow-ups/"), ("city", "/campaigns/"),
        ("city", f"/campaigns/{survey.pk}/"), ("finance", "/settlement/recoveries/"),
        ("finance", f"/settlement/recoveries/{recovery.pk}/"), ("seat", f"/elders/{ill.pk}/health/"),
        ("seat", f"/campaigns/{survey.pk}/ask/"), ("supervisor", "/health/readings/"),
    ]  # fmt: skip
    role = ""
    for wanted, address in addresses:
        if wanted != role:
            enter(page, live_server, wanted)
            role = wanted
        page.goto(live_server.url + address)
        shoot(page, "health-" + address.split("?")[0].strip("/").replace("/", "-"))
        assert axe_findings(page) == []
        assert sideways(page) == 0, address


def test_a_village_is_asked_by_keyboard(page: Page, live_server: Any) -> None:
    enter(page, live_server, "seat")
    ill, survey, _recovery = story()
    page.goto(f"{live_server.url}/campaigns/{survey.pk}/ask/")
    expect(page.locator("h2", has_text="李建国")).to_be_visible()
    page.locator('input[name="outcome"]').first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_text("都已询问")).to_be_visible()
    with scope(WIDE):
        assert list(SurveyAnswer.objects.values_list("elder", "outcome")) == [(ill.pk, "willing")]
