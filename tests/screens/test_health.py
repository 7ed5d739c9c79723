"""Pages of the health-record part and of surveys: who opens them, what stays masked, how many queries they take."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from tests.api.conftest import Api
from tests.factories import (
    CITY,
    COMMUNITY,
    NOW,
    OTHER_COMMUNITY,
    actor,
    make_call,
    make_contact,
    make_elder,
    make_representative,
    system,
)
from tests.screens.test_people import MOST_QUERIES, level, queries_of, text_of

from yinling.accounts.models import Journal
from yinling.assessment.operations import grade_health
from yinling.directory.roles import ROLES
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.period import local_date
from yinling.people.models import Campaign, Consent, Elder, HealthFact, Representative, SurveyAnswer

SignIn = Callable[..., Client]
SECRET, ILLNESS = "青霉素", "高血压三期"


def ago(days: int) -> date:
    return local_date(business_now()) - timedelta(days=days)


def fact(elder: Elder, kind: str = "allergy", content: str = SECRET, **values: Any) -> HealthFact:
    chosen = {"valid_from": ago(30), "recorded_from": NOW, "body": "公园社区卫生站", **values}
    row = HealthFact(div=elder.div, elder=elder, kind=kind, **chosen)
    row.seal_field("content", content)
    row.save()
    return row


def sick() -> Elder:
    """An elder with an allergy, a diagnosis, a check, a grade, and consent to share."""
    elder = make_elder()
    fact(elder)
    fact(elder, "diagnosis", ILLNESS)
    fact(elder, "contraindication", "曾休克", item="流感疫苗")
    fact(elder, "check", "", item="年度体检")
    fact(elder, "grade", "有慢性病诊断", item="medium", rule="2026-1")
    Consent.objects.create(
        div=elder.div, elder=elder, purpose="health", text_version="2026-1", given_by="self", valid_from=ago(9), recorded_from=NOW
    )  # fmt: skip
    return elder


LEAKING = (SECRET, ILLNESS, "曾休克", "流感疫苗", "有慢性病诊断")


@pytest.mark.req("X-PIP-15")
@pytest.mark.parametrize("role", [code for code in ROLES if code != "system"])
def test_no_role_reads_a_diagnosis_on_a_page_or_in_the_api_without_opening_it(sign_in: SignIn, role: str) -> None:
    elder = sick()
    who = actor(role, elders=(elder,)) if role in ("elder", "family") else actor(role)
    client, api = sign_in(who), Api(who)
    pages = ("", "health/", "stops/")
    seen = [text_of(client.get(f"/elders/{elder.pk}/{page}")) for page in pages]
    seen += [text_of(client.get(address)) for address in ("/health/", "/health/follow-ups/", "/journal/")]
    seen += [text_of(api.get(where, elder=elder.pk)) for where in ("/health-facts", "/journal")]
    seen.append(text_of(api.get(f"/elders/{elder.pk}/timeline")))
    for number, text in enumerate(seen):
        found = [word for word in LEAKING if word in text]
        assert found == [], number


def test_others_read_only_that_a_record_exists(sign_in: SignIn) -> None:
    elder = sick()
    html = text_of(sign_in(actor("community", COMMUNITY)).get(f"/elders/{elder.pk}/health/"))
    assert "3 项" in html
    for word in ("诊断", "过敏，点击", "接种禁忌</td>"):
        assert word not in re.sub(r"<form.*?</form>", "", html, flags=re.DOTALL), word
    for word in ("年度体检", "重点", "2026-1", "本人已同意"):
        assert word in html, word
    assert "reveal_health" not in html


@pytest.mark.req("X-PIP-15")
def test_a_seat_sees_the_alert_and_opens_it_with_a_reason(sign_in: SignIn) -> None:
    elder = sick()
    seat = sign_in("seat")
    html = text_of(seat.get(f"/elders/{elder.pk}/health/"))
    assert "有过敏，点击查看" in html
    assert (
        seat.post("/do/reveal_health/", {"elder_id": elder.pk, "purpose": "service", "reason": ""}).status_code == 422
    )
    opened = text_of(
        seat.post("/do/reveal_health/", {"elder_id": elder.pk, "purpose": "service", "reason": "预约前核对"})
    )
    assert SECRET in opened
    assert ILLNESS not in opened
    html = text_of(seat.get(f"/elders/{elder.pk}/"))
    assert "预约前核对" in html
    assert SECRET not in html
    Consent.objects.all().delete()
    refused = seat.post("/do/reveal_health/", {"elder_id": elder.pk, "purpose": "service", "reason": "再看"})
    assert refused.status_code == 422
    assert "紧急救治" in text_of(refused)


def test_a_family_without_the_matter_of_health_finds_no_page(sign_in: SignIn) -> None:
    elder = sick()
    who = actor("family", elders=(elder,))
    assert sign_in(who).get(f"/elders/{elder.pk}/health/").status_code == 404
    Representative.objects.filter(elder=elder).update(covers_health=True)
    client = sign_in(who)
    assert client.get(f"/elders/{elder.pk}/health/").status_code == 200
    opened = text_of(
        client.post("/do/reveal_health/", {"elder_id": elder.pk, "purpose": "own", "reason": "了解父亲情况"})
    )
    assert ILLNESS in opened
    assert make_representative  # the login is one of these


def test_the_page_is_closed_to_whom_it_does_not_concern(sign_in: SignIn) -> None:
    elder, far = sick(), make_elder(OTHER_COMMUNITY)
    client = sign_in(actor("community", COMMUNITY))
    assert client.get(f"/elders/{far.pk}/health/").status_code == 404
    assert "还没有健康记录" in text_of(client.get(f"/elders/{make_elder().pk}/health/"))
    for role in ("volunteer", "inspector", "finance", "carer"):
        assert sign_in(role).get(f"/elders/{elder.pk}/health/").status_code == 403


def test_facts_are_recorded_and_ended_from_the_page(sign_in: SignIn) -> None:
    elder = make_elder()
    client = sign_in(actor("community", COMMUNITY))
    values = {
        "elder_id": elder.pk,
        "kind": "check",
        "item": "年度体检",
        "valid_from": ago(3).isoformat(),
        "body": "卫生站",
    }
    assert client.post("/do/record_health_fact/", values).status_code in (200, 302)
    row = HealthFact.objects.get()
    html = text_of(client.get(f"/elders/{elder.pk}/health/"))
    assert "年度体检" in html
    client.post("/do/end_health_fact/", {"health_id": row.pk, "valid_to": ago(0).isoformat(), "reason": "登记错人"})
    client.post("/do/link_health_record/", {"elder_id": elder.pk, "reference": "JK-1", "seen": "0"})
    assert Elder.objects.get(pk=elder.pk).health_record_ref == "JK-1"
    assert "已关联" in text_of(client.get(f"/elders/{elder.pk}/health/"))


@pytest.mark.req("R-PEO-05")
def test_the_report_of_completeness_says_which_part_is_missing_where(sign_in: SignIn) -> None:
    whole, bare = sick(), make_elder()
    make_contact(whole)
    level(whole)
    Elder.objects.filter(pk=whole.pk).update(verified_on=ago(10), health_record_ref="JK-2")
    Elder.objects.filter(pk=bare.pk).update(phone_index=None, phone_enc=None, verified_on=None)
    make_elder(died_on=ago(3))
    client = sign_in(actor("street", "320213021"))
    html = text_of(client.get("/health/"))
    row = html[html.index(f'id="area-{COMMUNITY}"') :]
    assert re.findall(r">(\d+)</a>|right\">(\d+)", row[: row.index("</tr>")]) == [
        ("", "2"), ("1", ""), ("2", ""), ("1", ""), ("1", ""), ("1", ""), ("1", ""), ("1", ""), ("1", ""), ("", "1")
    ]  # fmt: skip
    for part, lacks in (("phone", True), ("contact", True), ("allergy", True), ("check", True), ("address", False)):
        listed = re.findall(r'id="elder-(\d+)"', text_of(client.get(f"/health/missing/?area={COMMUNITY}&part={part}")))
        assert listed == ([str(bare.pk)] if lacks else []), part
    for address in ("/health/excel/", "/health/missing/excel/?part=phone", "/health/follow-ups/excel/"):
        assert client.get(address)["Content-Type"].startswith("application/vnd"), address
    assert "这一部分都齐全" in text_of(client.get(f"/health/missing/?area={COMMUNITY}&part=address"))


def test_an_area_outside_shows_the_own_one(sign_in: SignIn) -> None:
    make_elder(OTHER_COMMUNITY)
    html = text_of(sign_in(actor("street", "320213021")).get(f"/health/?area={OTHER_COMMUNITY}"))
    assert f'id="area-{OTHER_COMMUNITY}"' not in html


@pytest.mark.req("R-PEO-06")
def test_follow_ups_are_listed_by_grade(sign_in: SignIn) -> None:
    elder = make_elder()
    fact(elder, "check", "", item="年度体检", valid_from=ago(200))
    who = system()
    with scope(who):
        grade_health(actor=who, now=business_now(), elder_id=elder.pk)
    client = sign_in("city")
    html = text_of(client.get("/health/follow-ups/"))
    assert f'id="elder-{elder.pk}"' in html
    assert "已过期" in html
    assert "重点" in html
    assert f'id="elder-{elder.pk}"' not in text_of(client.get("/health/follow-ups/?grade=high"))
    few = queries_of(client, "/health/follow-ups/")
    for _ in range(2):
        other = make_elder()
        fact(other, "grade", "高龄", item="high", rule="2026-1")
    assert queries_of(client, "/health/follow-ups/") == few <= MOST_QUERIES


def test_an_emergency_is_reviewed_on_its_page(sign_in: SignIn) -> None:
    elder = sick()
    Consent.objects.all().delete()
    district = sign_in(actor("district", "320213"))
    assert "没有待复核" in text_of(district.get("/health/readings/"))
    sign_in("seat").post("/do/reveal_health/", {"elder_id": elder.pk, "purpose": "emergency", "reason": "120 需要"})
    html = text_of(district.get("/health/readings/"))
    assert "120 需要" in html
    reading = Journal.objects.get(event="people.health.reveal", is_refused=False)
    district.post(
        "/do/review_reading/", {"reading_id": reading.pk, "told_on": ago(0).isoformat(), "finding": "属实，已告知家属"}
    )
    assert "没有待复核" in text_of(district.get("/health/readings/"))
    assert "已复核" in text_of(district.get("/health/readings/?all=1"))
    assert sign_in("seat").get("/health/readings/").status_code == 403


def test_the_health_pages_take_as_many_queries_for_three_as_for_one(sign_in: SignIn) -> None:
    elder, client = sick(), sign_in(actor("street", "320213021"))
    addresses = (f"/elders/{elder.pk}/health/", "/health/", f"/health/missing/?area={COMMUNITY}&part=contact")
    few = [queries_of(client, address) for address in addresses]
    for _ in range(2):
        sick()
        fact(elder, "vaccination", "", item="肺炎疫苗")
    assert [queries_of(client, address) for address in addresses] == few
    assert max(few) <= MOST_QUERIES


@pytest.mark.req("X-PIP-15")
def test_the_screen_pop_alerts_without_content(sign_in: SignIn) -> None:
    elder = sick()
    call = make_call(number="19900002468", elder=elder)
    seat = sign_in("seat")
    seat.post("/do/answer_call/", {"call_id": call.pk, "seen": call.version})
    html = text_of(seat.get(f"/calls/{call.pk}/"))
    assert "有过敏，点击查看" in html
    assert f"/elders/{elder.pk}/health/" in html
    for word in LEAKING:
        assert word not in html
    told = Api(actor("seat")).get(f"/calls/{call.pk}/pop").json()
    assert told["alerts"][:2] == ["有过敏，点击查看", "有接种禁忌，点击查看"]
    Elder.objects.filter(pk=elder.pk).update(died_on=ago(0))
    assert "已登记去世" in text_of(seat.get(f"/calls/{call.pk}/"))


def survey(**values: Any) -> Campaign:
    chosen = {
        "div": "320213", "name": "流感疫苗摸底", "kind": "vaccination", "item": "流感疫苗", "least_age": 60, "starts_on": ago(1),
        "ends_on": ago(-30), "created_at": NOW, "changed_at": NOW, **values,
    }  # fmt: skip
    return Campaign.objects.create(**chosen)


@pytest.mark.req("R-PEO-07")
def test_a_village_is_asked_one_by_one_on_one_page(sign_in: SignIn) -> None:
    row, first, second = survey(), make_elder(name="王秀英"), make_elder(name="李建国")
    client = sign_in(actor("community", COMMUNITY))
    assert "流感疫苗摸底" in text_of(client.get("/campaigns/"))
    asks = f"/campaigns/{row.pk}/ask/"
    html = text_of(client.get(asks))
    assert "<h2>王秀英" in html
    assert re.findall(r'name="outcome" value="(\w+)"', html) == [
        "done",
        "willing",
        "contraindicated",
        "declined",
        "not_reached",
    ]
    values = {"campaign_id": row.pk, "elder_id": first.pk, "outcome": "contraindicated", "note": "鸡蛋过敏"}
    assert client.post("/do/answer_campaign/", values).status_code in (200, 302)
    assert "<h2>李建国" in text_of(client.get(asks))
    client.post("/do/answer_campaign/", {"campaign_id": row.pk, "elder_id": second.pk, "outcome": "willing"})
    assert "都已询问" in text_of(client.get(asks))
    html = text_of(client.get(f"/campaigns/{row.pk}/"))
    line = html[html.index(f'id="area-{COMMUNITY}"') :]
    assert [int(one) for one in re.findall(r'right">(\d+)', line[: line.index("</tr>")])] == [2, 2, 0, 0, 1, 1, 0, 0]
    assert "鸡蛋" not in html
    assert HealthFact.objects.get(elder=first).kind == "contraindication"
    assert client.get(f"/campaigns/{row.pk}/excel/")["Content-Type"].startswith("application/vnd")
    assert SurveyAnswer.objects.count() == 2


def test_surveys_are_opened_by_who_may_and_closed_ones_take_no_answer(sign_in: SignIn) -> None:
    assert "还没有摸底" in text_of(sign_in(actor("district", "320213")).get("/campaigns/"))
    district = sign_in(actor("district", "320213"))
    values = {
        "name": "失能底数", "kind": "disability", "least_age": "80", "starts_on": ago(9).isoformat(), "ends_on": ago(2).isoformat(),
        "div": "320213",
    }  # fmt: skip
    assert district.post("/do/make_campaign/", values).status_code in (200, 302)
    row = Campaign.objects.get()
    community = sign_in(actor("community", COMMUNITY))
    assert "make_campaign" not in text_of(community.get("/campaigns/"))
    assert "不在进行中" in text_of(community.get(f"/campaigns/{row.pk}/ask/"))
    assert community.post("/do/make_campaign/", values).status_code == 403
    assert sign_in("inspector").get("/campaigns/").status_code == 403
    assert sign_in(actor("community", OTHER_COMMUNITY)).get(f"/campaigns/{row.pk}/").status_code == 404


def test_the_survey_pages_take_as_many_queries_for_three_as_for_one(sign_in: SignIn) -> None:
    row = survey()
    make_elder()
    client = sign_in(actor("street", "320213021"))
    addresses = ("/campaigns/", f"/campaigns/{row.pk}/", f"/campaigns/{row.pk}/ask/")
    few = [queries_of(client, address) for address in addresses]
    for _ in range(2):
        make_elder()
        survey()
    assert [queries_of(client, address) for address in addresses] == few
    assert max(few) <= MOST_QUERIES
    assert CITY
