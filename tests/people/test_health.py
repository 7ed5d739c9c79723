"""The health-record part: sealed, read with purpose and reason, graded, asked for in surveys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    COMMUNITY,
    NOW,
    OTHER_COMMUNITY,
    TODAY,
    WIDE,
    actor,
    make_area_tree,
    make_assignment,
    make_elder,
    make_item,
    make_order,
    make_price,
    make_staff,
    system,
)

from yinling.accounts.models import Journal
from yinling.assessment.jobs import grade_city
from yinling.assessment.operations import grade_health
from yinling.directory.roles import ROLES
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.people.grading import KEYS, Health, grade_of
from yinling.people.models import Campaign, Circumstance, Consent, Elder, HealthFact, SurveyAnswer
from yinling.people.operations import (
    answer_campaign,
    end_health_fact,
    link_health_record,
    make_campaign,
    record_health_fact,
    relocate_elder,
    reveal_health,
    review_reading,
)
from yinling.people.queries import (
    campaigns,
    coverage,
    follow_up_days,
    follow_ups,
    grade_terms,
    health_alerts,
    health_part,
    next_check,
    not_asked,
)
from yinling.visits.operations import consult_visit

pytestmark = pytest.mark.django_db
SECRET = "青霉素"


@pytest.fixture
def worker(wide: object) -> Iterator[Actor]:
    make_area_tree()
    system()
    one = actor("community", COMMUNITY)
    with scope(one):
        yield one


def consent(elder: Elder) -> None:
    Consent.objects.create(
        div=elder.div, elder=elder, purpose="health", text_version="2026-1", given_by="self", valid_from=TODAY, recorded_from=NOW
    )  # fmt: skip


def put(worker: Actor, elder: Elder, kind: str = "allergy", **values: Any) -> HealthFact:
    chosen = {"content": SECRET, "valid_from": TODAY - timedelta(days=30), "body": "公园社区卫生站", **values}
    return record_health_fact(actor=worker, now=NOW, elder_id=elder.pk, kind=kind, **chosen)


def look(who: Actor, elder: Elder, purpose: str = "service", reason: str = "预约助浴前核对") -> dict[str, str]:
    with scope(who):
        return reveal_health(actor=who, now=NOW, elder_id=elder.pk, purpose=purpose, reason=reason)


def test_what_a_fact_says_is_sealed_and_stands_in_no_journal(worker: Actor) -> None:
    row = put(worker, make_elder())
    assert (row.item, row.unseal_field("content")) == ("", SECRET)
    assert SECRET.encode() not in bytes(row.content_enc)
    told = Journal.objects.get(event="people.health.record")
    assert SECRET not in str(told.changes) + told.reason
    assert told.changes == {"kind": [None, "allergy"], "valid_from": [None, "2026-05-16"]}


@pytest.mark.parametrize(
    ("kind", "values", "code"),
    [
        ("grade", {}, "health.grade"),
        ("nothing", {}, "choice.unknown"),
        ("allergy", {"item": SECRET}, "health.item"),
        ("diagnosis", {"content": ""}, "health.content_missing"),
        ("vaccination", {"item": ""}, "health.item_missing"),
        ("check", {"item": ""}, "health.item_missing"),
        ("allergy", {"valid_from": TODAY + timedelta(days=1)}, "health.in_future"),
        ("allergy", {"valid_from": TODAY.replace(year=1900)}, "health.before_birth"),
        ("allergy", {"valid_to": TODAY - timedelta(days=31)}, "period.empty"),
        ("allergy", {"body": " "}, "text.missing"),
    ],
)
def test_a_wrong_fact_is_refused(worker: Actor, kind: str, values: dict[str, Any], code: str) -> None:
    elder = make_elder()
    with pytest.raises(Refused) as refused:
        put(worker, elder, kind, **values)
    assert refused.value.code == code
    assert not HealthFact.objects.exists()


def test_facts_are_written_in_the_own_area_by_who_may(worker: Actor) -> None:
    elsewhere = actor("community", OTHER_COMMUNITY)
    elder = make_elder()
    with scope(elsewhere), pytest.raises(NotFound):
        put(elsewhere, elder)
    inspector = actor("inspector", CITY)
    with scope(inspector), pytest.raises(Denied):
        put(inspector, elder)
    Elder.objects.filter(pk=elder.pk).update(died_on=TODAY)
    with pytest.raises(NotAllowed):
        put(worker, elder)


def test_a_fact_that_ends_keeps_what_was_on_record_readable(worker: Actor) -> None:
    row = put(worker, make_elder())
    end_health_fact(actor=worker, now=NOW, health_id=row.pk, valid_to=TODAY, reason="复查排除")
    former = HealthFact.objects.get(recorded_to__isnull=False)
    row.refresh_from_db()
    assert (row.valid_to, row.unseal_field("content")) == (TODAY + timedelta(days=1), SECRET)
    assert (former.valid_to, former.unseal_field("content")) == (None, SECRET)
    assert former.seal_id != row.seal_id
    assert bytes(former.content_enc) != bytes(row.content_enc)
    end_health_fact(
        actor=worker, now=NOW, health_id=row.pk, valid_to=row.valid_from - timedelta(days=1), reason="登记错人"
    )
    row.refresh_from_db()
    assert row.recorded_to is not None
    with pytest.raises(NotFound):
        end_health_fact(actor=worker, now=NOW, health_id=row.pk, valid_to=TODAY, reason="再次")


def test_a_fact_that_ends_twice_and_is_recorded_anew_keeps_every_version_readable(worker: Actor) -> None:
    elder = make_elder()
    row = put(worker, elder)
    for days in (5, 2):
        end_health_fact(
            actor=worker, now=NOW + timedelta(hours=6 - days), health_id=row.pk, valid_to=TODAY + timedelta(days=days), reason="更正日期",
        )  # fmt: skip
    put(worker, elder, content="青霉素皮试阴性")
    found = HealthFact.objects.filter(elder=elder).order_by("pk")
    assert [(one.valid_to, one.recorded_to is None, one.unseal_field("content")) for one in found] == [
        (TODAY + timedelta(days=3), True, SECRET),
        (None, False, SECRET),
        (TODAY + timedelta(days=6), False, SECRET),
        (None, True, "青霉素皮试阴性"),
    ]
    assert len({one.seal_id for one in found}) == 4


@pytest.mark.req("X-PIP-04")
def test_a_seat_reads_allergies_only_and_with_consent_only(worker: Actor) -> None:
    elder = make_elder()
    put(worker, elder)
    put(worker, elder, "diagnosis", content="高血压")
    put(worker, elder, "contraindication", item="流感疫苗", content="曾过敏性休克")
    seat = actor("seat", CITY)
    with pytest.raises(Refused) as refused:
        look(seat, elder)
    assert refused.value.code == "health.no_consent"
    consent(elder)
    assert look(seat, elder) == {"过敏": SECRET, "疫苗接种禁忌": "流感疫苗 曾过敏性休克"}
    told = Journal.objects.get(event="people.health.reveal", is_refused=False)
    assert (told.reason, told.elder_id, told.user_id) == ("预约助浴前核对", elder.pk, seat.user_id)
    assert told.changes == {"purpose": "service", "kinds": ["allergy", "contraindication"], "is_emergency": False}
    with pytest.raises(Refused) as no_reason:
        look(seat, elder, reason=" ")
    assert no_reason.value.code == "text.missing"


@pytest.mark.req("X-PIP-06")
def test_in_an_emergency_everything_is_read_at_once_and_reviewed_by_another_afterwards(worker: Actor) -> None:
    elder = make_elder()
    put(worker, elder)
    put(worker, elder, "medication", content="华法林")
    seat, district = actor("seat", CITY), actor("district", "320213")
    assert look(seat, elder, "emergency", "120 急救车需要") == {"过敏": SECRET, "长期用药": "华法林"}
    reading = Journal.objects.get(event="people.health.reveal", is_refused=False)
    assert reading.changes["is_emergency"] is True
    told = {"now": NOW, "reading_id": reading.pk, "told_on": TODAY, "finding": "确属急救，已告知家属"}
    with scope(seat), pytest.raises(Denied):
        review_reading(actor=seat, **told)
    with scope(district):
        with pytest.raises(Refused) as future:
            review_reading(actor=district, **told | {"told_on": TODAY + timedelta(days=1)})
        assert future.value.code == "reading.told_in_future"
        review_reading(actor=district, **told)
        with pytest.raises(NotAllowed) as twice:
            review_reading(actor=district, **told)
        assert twice.value.code == "reading.reviewed"
        with pytest.raises(NotFound):
            review_reading(actor=district, **told | {"reading_id": 10**9})


@pytest.mark.req("X-PIP-15")
@pytest.mark.parametrize("role", [code for code, role in ROLES.items() if "people.health.reveal" not in role.rights])
def test_no_other_role_opens_a_health_record(worker: Actor, role: str) -> None:
    elder = make_elder()
    put(worker, elder)
    consent(elder)
    who = system() if role == "system" else actor(role, CITY)
    for purpose in ("service", "emergency"):
        with pytest.raises(Refusal) as refused:
            look(who, elder, purpose)
        assert SECRET not in str(refused.value.values)
    assert not Journal.objects.filter(event="people.health.reveal", is_refused=False).exists()
    with scope(who):
        part = health_part(who, elder.pk, TODAY)
    assert part.facts == []
    assert part.protected == {}


@pytest.mark.parametrize("role", ["elder", "family"])
def test_the_elder_side_reads_the_own_record(worker: Actor, role: str) -> None:
    own, other = make_elder(), make_elder()
    for elder in (own, other):
        put(worker, elder)
    who = actor(role, elders=(own,))
    assert look(who, own, "own") == {"过敏": SECRET}
    with pytest.raises(NotFound):
        look(who, other, "own")
    if role == "family":
        from dataclasses import replace  # noqa: PLC0415 - beside its one use

        limited = replace(who, withheld=frozenset({(own.pk, "people.health.view")}))
        with pytest.raises(NotAllowed) as refused:
            look(limited, own, "own")
        assert refused.value.code == "health.not_covered"


def door(worker: Actor, role: str, family: str) -> tuple[Elder, Actor, int]:
    elder = make_elder()
    put(worker, elder)
    put(worker, elder, "diagnosis", content="糖尿病")
    consent(elder)
    with scope(WIDE):
        staff = make_staff(kind=role if role != "carer" else "care_worker")
        order = make_order("assigned", elder=elder, price=make_price(make_item(family=family), staff.provider))
        row = make_assignment(order, staff, state="accepted")
        return elder, actor(role, staff=staff), row.pk


@pytest.mark.req("X-PIP-04")
@pytest.mark.parametrize(
    ("role", "family", "reads"),
    [
        ("carer", "bathing", {"过敏": SECRET}),
        ("carer", "cleaning", {"健康内容": "没有记录"}),
        ("nurse", "cleaning", {"过敏": SECRET, "诊断": "糖尿病"}),
        ("doctor", "medical", {"过敏": SECRET, "诊断": "糖尿病"}),
    ],
)
def test_at_the_door_each_reads_what_the_work_needs(
    worker: Actor, role: str, family: str, reads: dict[str, str]
) -> None:
    elder, who, assignment_id = door(worker, role, family)
    asked = {"now": NOW, "assignment_id": assignment_id, "purpose": "service", "reason": "上门前核对"}
    with scope(who):
        assert not HealthFact.objects.exists()
        assert consult_visit(actor=who, **asked) == reads
        with pytest.raises(Refused):
            consult_visit(actor=who, **asked | {"purpose": "follow_up"})
    told = Journal.objects.get(event="visits.visit.consult", is_refused=False)
    assert (told.elder_id, told.user_id, SECRET in str(told.changes)) == (elder.pk, who.user_id, False)
    with scope(WIDE):
        Consent.objects.all().delete()
    with scope(who), pytest.raises(Refused) as refused:
        consult_visit(actor=who, **asked)
    assert refused.value.code == "health.no_consent"


def test_at_the_door_of_somebody_else_nobody_reads(worker: Actor) -> None:
    _elder, _who, assignment_id = door(worker, "nurse", "nursing")
    for stranger in (actor("nurse"), actor("carer"), actor("provider_manager"), actor("seat", CITY)):
        with scope(stranger), pytest.raises(Refusal):
            consult_visit(actor=stranger, now=NOW, assignment_id=assignment_id, purpose="emergency", reason="看看")
    assert not Journal.objects.filter(event="visits.visit.consult", is_refused=False).exists()


def test_alerts_say_that_there_is_something_and_not_what(worker: Actor) -> None:
    elder, none = make_elder(), make_elder()
    put(worker, elder)
    put(worker, elder, "contraindication", item="流感疫苗")
    put(worker, none, item="none", content="")
    assert health_alerts(elder.pk, TODAY) == ["有过敏，点击查看", "有接种禁忌，点击查看"]
    assert health_alerts(none.pk, TODAY) == []
    consent(none)
    assert look(actor("seat", CITY), none) == {"过敏": "已询问，没有"}


@pytest.mark.req("R-PEO-05")
def test_a_health_record_belongs_to_one_person(worker: Actor) -> None:
    one, other = make_elder(), make_elder()
    link_health_record(actor=worker, now=NOW, elder_id=one.pk, reference=" 320213-0001 ")
    assert Elder.objects.get(pk=one.pk).health_record_ref == "320213-0001"
    with pytest.raises(Refused) as refused:
        link_health_record(actor=worker, now=NOW, elder_id=other.pk, reference="320213-0001")
    assert refused.value.code == "health.record_taken"
    link_health_record(actor=worker, now=NOW, elder_id=one.pk)
    link_health_record(actor=worker, now=NOW, elder_id=other.pk, reference="320213-0001")
    assert [row.changes["is_linked"] for row in Journal.objects.filter(event="people.health.link", is_refused=False).order_by("id")] == [
        [False, True], [True, False], [False, True]
    ]  # fmt: skip


def test_facts_go_along_when_the_elder_moves(worker: Actor) -> None:
    elder = make_elder()
    row = put(worker, elder)
    street = actor("street", "320213021")
    with scope(street):
        relocate_elder(actor=street, now=NOW, elder_id=elder.pk, div="320213021002", address="学前街1号")
    assert HealthFact.objects.filter(pk=row.pk).count() == 0  # no longer the old community's
    with scope(street):
        assert HealthFact.objects.get(pk=row.pk).div == "320213021002"


TERMS = {
    "version": "2026-1", "high_levels": ["severe"], "high_circumstances": ["dementia"], "high_diagnoses": 3, "medium_levels": ["mild"],
    "medium_circumstances": ["chronic"], "medium_diagnoses": 1, "medium_medications": 1, "medium_age": 80,
}  # fmt: skip


@pytest.mark.req("R-PEO-06")
@pytest.mark.parametrize(
    ("health", "code", "reason"),
    [
        (Health(70), "low", "没有需要重点随访的情况"),
        (Health(79), "low", "没有需要重点随访的情况"),
        (Health(80), "medium", "高龄"),
        (Health(70, level="mild"), "medium", "能力等级需要重点关注"),
        (Health(70, level="severe"), "high", "能力等级属于高危"),
        (Health(70, circumstances=frozenset({"chronic"})), "medium", "登记的人群类别需要重点关注"),
        (Health(90, circumstances=frozenset({"dementia"})), "high", "登记的人群类别属于高危"),
        (Health(70, diagnoses=1), "medium", "有慢性病诊断"),
        (Health(70, diagnoses=2), "medium", "有慢性病诊断"),
        (Health(70, diagnoses=3), "high", "诊断较多"),
        (Health(70, medications=1), "medium", "长期用药"),
    ],
)
def test_the_grade_says_its_rule_and_its_reason(health: Health, code: str, reason: str) -> None:
    grade = grade_of(health, TERMS)
    assert (grade.code, grade.rule, grade.reasons) == (code, "2026-1", (reason,))
    assert set(TERMS) == set(KEYS)


@pytest.mark.req("R-PEO-06")
def test_news_makes_the_round_grade_anew_and_the_grade_plans_the_follow_up(worker: Actor) -> None:
    elder, unknown = make_elder(born_on=TODAY.replace(year=1956)), make_elder()
    put(worker, elder, "check", item="年度体检", content="", valid_from=TODAY - timedelta(days=100))
    assert grade_city(system(), NOW) == 1
    assert grade_city(system(), NOW) == 0
    row = HealthFact.objects.get(kind="grade", recorded_to=None)
    assert (row.item, row.rule, row.unseal_field("content")) == ("low", "2026-1", "没有需要重点随访的情况")
    city = actor("city", CITY)
    assert not follow_ups(city, TODAY).exists()
    later = NOW + timedelta(hours=1)
    Circumstance.objects.create(
        div=elder.div, elder=elder, kind="dementia", body="市一院", valid_from=TODAY, recorded_from=later
    )
    assert grade_city(system(), later + timedelta(minutes=1)) == 1
    found = list(follow_ups(city, TODAY))
    assert [(one.elder_id, one.item) for one in found] == [(elder.pk, "high")]
    days = follow_up_days(CITY, TODAY)
    assert next_check(found[0], days) == TODAY - timedelta(days=10)
    assert days == {"low": 365, "medium": 180, "high": 90}
    assert not HealthFact.objects.filter(elder=unknown).exists()
    with scope(city):
        assert grade_terms(CITY, TODAY)["version"] == "2026-1"


def test_the_boundary_day_of_a_follow_up(worker: Actor) -> None:
    elder = make_elder(born_on=TODAY.replace(year=1956))
    put(worker, elder, "check", item="年度体检", content="", valid_from=TODAY - timedelta(days=365))
    with scope(system()):
        grade_health(actor=system(), now=NOW, elder_id=elder.pk)
    city = actor("city", CITY)
    assert follow_ups(city, TODAY).count() == 1
    assert follow_ups(city, TODAY - timedelta(days=1)).count() == 0
    Elder.objects.filter(pk=elder.pk).update(died_on=TODAY)
    assert follow_ups(city, TODAY).count() == 0
    with scope(system()), pytest.raises(NotAllowed):
        grade_health(actor=system(), now=NOW, elder_id=elder.pk)


@pytest.fixture
def survey(worker: Actor) -> Campaign:
    district = actor("district", "320213")
    with scope(district):
        return make_campaign(
            actor=district, now=NOW, name="秋季流感疫苗摸底", kind="vaccination", item="流感疫苗", least_age=65, starts_on=TODAY,
            ends_on=TODAY + timedelta(days=30), div="320213",
        )  # fmt: skip


@pytest.mark.req("R-PEO-07")
def test_a_survey_covers_each_village_and_leaves_contraindications_on_file(worker: Actor, survey: Campaign) -> None:
    willing, ill, open_one, young = (
        make_elder(),
        make_elder(),
        make_elder(),
        make_elder(born_on=TODAY.replace(year=1963)),
    )
    assert {one.pk for one in not_asked(worker, survey, TODAY)} == {willing.pk, ill.pk, open_one.pk}
    asked = {"actor": worker, "now": NOW, "campaign_id": survey.pk}
    answer_campaign(**asked, elder_id=willing.pk, outcome="willing")
    with pytest.raises(Refused) as refused:
        answer_campaign(**asked, elder_id=ill.pk, outcome="contraindicated")
    assert refused.value.code == "campaign.note"
    answer_campaign(**asked, elder_id=ill.pk, outcome="contraindicated", note="对鸡蛋过敏")
    fact = HealthFact.objects.get(elder=ill)
    assert (fact.kind, fact.item, fact.unseal_field("content")) == ("contraindication", "流感疫苗", "对鸡蛋过敏")
    assert "鸡蛋" not in str(list(Journal.objects.values_list("changes", "reason")))
    answer_campaign(**asked, elder_id=open_one.pk, outcome="not_reached")
    assert [one.pk for one in not_asked(worker, survey, TODAY)] == [open_one.pk]
    (line,) = coverage(worker, survey, COMMUNITY, TODAY)
    assert (line.total, line.asked, line.open) == (3, 2, 1)
    assert line.outcomes == {"willing": 1, "contraindicated": 1, "not_reached": 1}
    with pytest.raises(Refused) as too_young:
        answer_campaign(**asked, elder_id=young.pk, outcome="willing")
    assert too_young.value.code == "campaign.not_asked"


def test_asked_again_the_newer_answer_counts_and_takes_the_fact_back(worker: Actor, survey: Campaign) -> None:
    elder = make_elder()
    asked = {"actor": worker, "campaign_id": survey.pk, "elder_id": elder.pk}
    answer_campaign(**asked, now=NOW, outcome="contraindicated", note="发热")
    answer_campaign(**asked, now=NOW + timedelta(days=1), outcome="done")
    assert SurveyAnswer.objects.get().outcome == "done"
    facts = HealthFact.objects.filter(elder=elder, recorded_to=None).order_by("id")
    assert [(row.kind, row.valid_to) for row in facts] == [
        ("contraindication", TODAY + timedelta(days=1)),
        ("vaccination", None),
    ]
    told = Journal.objects.filter(event="people.campaign.answer").order_by("id")
    assert [row.changes["outcome"] for row in told] == [[None, "contraindicated"], ["contraindicated", "done"]]


def test_a_survey_is_seen_below_and_answered_in_its_days_and_its_words(worker: Actor, survey: Campaign) -> None:
    elder = make_elder()
    assert [row.pk for row in campaigns(worker)] == [survey.pk]
    elsewhere = actor("community", OTHER_COMMUNITY)
    with scope(elsewhere):
        assert not campaigns(elsewhere).exists()
    asked = {"actor": worker, "campaign_id": survey.pk, "elder_id": elder.pk}
    for now, outcome, code in (
        (NOW - timedelta(days=1), "willing", "campaign.closed"),
        (NOW + timedelta(days=31), "willing", "campaign.closed"),
        (NOW, "disabled", "choice.unknown"),
    ):
        with pytest.raises(Refusal) as refused:
            answer_campaign(**asked, now=now, outcome=outcome)
        assert refused.value.code == code
    with pytest.raises(Refused):
        answer_campaign(**asked | {"campaign_id": 10**9}, now=NOW, outcome="willing")
    inspector = actor("inspector", CITY)
    with scope(inspector), pytest.raises(Denied):
        answer_campaign(**asked | {"actor": inspector}, now=NOW, outcome="willing")
    assert not SurveyAnswer.objects.exists()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"item": ""}, "campaign.item"),
        ({"kind": "disability"}, "campaign.item"),
        ({"ends_on": TODAY - timedelta(days=1)}, "campaign.dates"),
        ({"name": " "}, "text.missing"),
        ({"div": "320281"}, "right.outside"),
    ],
)
def test_a_wrong_survey_is_refused(worker: Actor, values: dict[str, Any], code: str) -> None:
    district = actor("district", "320213")
    chosen = {
        "name": "摸底",
        "kind": "vaccination",
        "item": "流感疫苗",
        "starts_on": TODAY,
        "ends_on": TODAY,
        "div": "320213",
    }
    with scope(district), pytest.raises(Refusal) as refused:
        make_campaign(actor=district, now=NOW, **chosen | values)
    assert refused.value.code == code
    assert not Campaign.objects.exists()
