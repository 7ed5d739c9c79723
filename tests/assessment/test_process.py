"""From the application to the result: who may do what, what is refused, and what stands on record."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.assessment.conftest import DECLARED, FULL, MODERATE, Way
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    LONG_AGO,
    NEIGHBOUR,
    NOW,
    OTHER_COMMUNITY,
    OTHER_DISTRICT,
    TODAY,
    actor,
    make_assessment,
    make_commission,
    make_elder,
    make_organisation,
    make_qualification,
    make_service_area,
    make_site,
    make_staff,
)
from tests.refusals import refused

from yinling.accounts.models import Journal
from yinling.assessment.jobs import withdraw_of_dead
from yinling.assessment.models import Assessment, Assessor, Form, Request
from yinling.assessment.operations import (
    arrange_request,
    assign_assessors,
    end_commission,
    inspect_answers,
    reject_request,
    request_assessment,
    return_request,
    save_form,
    submit_form,
    verify_request,
    withdraw_request,
)
from yinling.assessment.queries import content_of, current_level, due_results, mine, request_file, requests_of
from yinling.directory.models import Qualification
from yinling.directory.queries import system_actor
from yinling.ground.scope import scope
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale
from yinling.people.models import Circumstance, Elder


def rows() -> list[Any]:
    """Everything a refused step must leave as it was."""
    return [
        list(model.objects.order_by("pk").values_list("pk", flat=True))
        for model in (Request, Assessor, Form, Assessment)
    ] + [list(Request.objects.order_by("pk").values_list("state", "version"))]


def no(way: Way, code: str, kind: type[Refusal] = Refused, who: Any = None) -> Any:
    return refused(who or way.centre, kind, code, contents=rows)


@pytest.mark.req("R-ASM-01", "R-ASM-06", "R-ASM-09")
def test_the_way_from_application_to_result(way: Way) -> None:
    row = way.apply()
    assert (row.state, row.div, row.elder_name, row.unseal_field("phone")) == (
        "applied", COMMUNITY, way.elder.name, way.elder.unseal_field("phone"),
    )  # fmt: skip
    way.act(verify_request, request_id=row.pk)
    way.arrange(row)
    with scope(way.assessor):
        assert [one.pk for one in mine(way.assessor)] == [row.pk]
        assert not Elder.objects.exists()
    form = way.submit(row)
    assert (form.level, form.outcome["total"], form.outcome["initial"], form.outcome["settings"]["stacking"]) == (
        "moderate",
        46,
        2,
        "cumulative",
    )
    assert form.needed_families == ["meal", "daily_care", "rehab_nursing", "cleaning", "bathing", "escort", "nursing"]
    assert b"scores" not in bytes(form.answers_enc)
    assert content_of(form)["answers"] == MODERATE
    way.review(row)
    way.conclude(row)
    result = current_level(way.elder.pk, TODAY)
    assert result is not None
    assert (result.level, result.points, result.valid_to, result.request_id) == (
        "moderate",
        46,
        date(2027, 6, 16),
        row.pk,
    )
    assert (result.needed_families, result.scale_version, result.purpose) == (form.needed_families, "1", "home_care")
    file = request_file(way.centre, row.pk)
    assert file is not None
    assert [one.capacity for one in file.people] == ["assessor", "assessor", "reviewer"]
    assert all(one.signed_at for one in file.people)
    events = list(
        Journal.objects.filter(subject_type="request", subject_id=row.pk).order_by("pk").values_list("event", flat=True)
    )
    assert events == [
        f"assessment.request.{verb}" for verb in ("apply", "verify", "arrange", "submit", "review", "conclude")
    ]


# Applying


@pytest.mark.req("R-ASM-01")
def test_a_valid_result_blocks_a_second_assessment_for_the_same_purpose(way: Way) -> None:
    way.done()
    with no(way, "request.valid_result", who=way.station):
        way.apply()
    with no(way, "request.no_change", who=way.station):
        way.apply(reason="immediate")
    assert way.apply(purpose="admission").state == "applied"
    assert way.apply(reason="immediate", change_declared="跌倒后卧床").state == "applied"


@pytest.mark.parametrize(
    ("values", "code", "kind"),
    [
        ({"scale": "mine"}, "choice.unknown", Refused),
        ({"purpose": "fun"}, "choice.unknown", Refused),
        ({"reason": "appeal"}, "request.no_former", Refused),
        ({"former_id": 10**9}, "request.no_former", Refused),
        ({"scale": "cq6"}, "request.other_group", Refused),
    ],
)
def test_applications_that_cannot_be(way: Way, values: dict[str, Any], code: str, kind: type[Refusal]) -> None:
    with no(way, code, kind, who=way.station):
        way.apply(**values)


def test_one_application_at_a_time_and_none_for_the_dead(way: Way) -> None:
    way.apply()
    with no(way, "request.open", who=way.station):
        way.apply()
    way.elder = make_elder(died_on=TODAY)
    with no(way, "elder.dead", NotAllowed, who=way.station):
        way.apply()
    who = actor("community", OTHER_COMMUNITY)
    with no(way, "row.not_found", NotFound, who=who):
        way.apply(who=who)


def test_the_elder_and_the_family_apply_for_themselves(way: Way) -> None:
    family = actor("family", elders=(way.elder,))
    with no(way, "request.applicant", who=family):
        way.apply(who=family)
    row = way.apply(who=family, applied_as="family")
    with scope(family):
        assert [one.pk for one in requests_of(family)] == [row.pk]
    way.act(withdraw_request, family, request_id=row.pk, reason="暂不需要")
    row.refresh_from_db()
    assert (row.state, row.end_reason) == ("withdrawn", "暂不需要")


@pytest.mark.req("R-ASM-08")
def test_a_dynamic_reassessment_goes_to_the_station_of_the_hukou(way: Way) -> None:
    Elder.objects.filter(pk=way.elder.pk).update(hukou_div=OTHER_COMMUNITY)
    row = way.apply(reason="immediate", change_declared="中风")
    assert (row.div, row.home_div) == (OTHER_COMMUNITY, COMMUNITY)
    there, here = actor("community", OTHER_COMMUNITY), way.station
    for who in (there, here):
        with scope(who):
            assert [one.pk for one in requests_of(who)] == [row.pk]
    with no(way, "right.outside", Denied):
        way.act(verify_request, request_id=row.pk)
    centre = actor("district", OTHER_DISTRICT)
    way.act(verify_request, centre, request_id=row.pk)
    way.centre = centre
    way.arrange(row)
    way.submit(row)
    judge = way.reviewer()
    with no(way, "right.outside", Denied, who=judge):
        way.review(row, judge)


@pytest.mark.req("R-ASM-08")
def test_the_result_of_another_county_stands_where_the_elder_lives(way: Way) -> None:
    Elder.objects.filter(pk=way.elder.pk).update(hukou_div=OTHER_COMMUNITY)
    row = way.apply(reason="immediate", change_declared="中风")
    way.centre = actor("city", CITY)
    way.act(verify_request, request_id=row.pk)
    way.arrange(row)
    way.submit(row)
    judge = actor("district", OTHER_DISTRICT)
    body = make_organisation(kind="guidance_centre", is_provider=False, div=OTHER_DISTRICT)
    staff = make_staff(body, qualified=("doctor",))
    type(staff).objects.filter(pk=staff.pk).update(user_id=judge.user_id)
    way.review(row, judge)
    way.centre = judge
    way.conclude(row)
    assert Assessment.objects.get().div == COMMUNITY


@pytest.mark.req("R-ASM-08")
def test_a_hukou_elsewhere_is_told_where_to_go(way: Way) -> None:
    Elder.objects.filter(pk=way.elder.pk).update(hukou_div="440101001001")
    with no(way, "request.hukou_elsewhere", who=way.station):
        way.apply(reason="immediate", change_declared="中风")
    assert way.apply().div == COMMUNITY


@pytest.mark.req("R-ASM-08")
def test_an_application_is_rejected_with_a_reason(way: Way) -> None:
    row = way.apply()
    with no(way, "text.missing"):
        way.act(reject_request, request_id=row.pk, reason=" ")
    with no(way, "right.missing", Denied, who=way.station):
        way.act(verify_request, way.station, request_id=row.pk)
    way.act(reject_request, request_id=row.pk, reason="材料不全")
    with no(way, "state.not_allowed", NotAllowed):
        way.act(verify_request, request_id=row.pk)
    row.refresh_from_db()
    assert (row.state, row.end_reason) == ("rejected", "材料不全")


@pytest.mark.req("R-ASM-10")
def test_six_abilities_for_the_poverty_file_only_and_not_again(way: Way) -> None:
    def say(kind: str, detail: str = "") -> None:
        Circumstance.objects.create(
            div=COMMUNITY,
            elder=way.elder,
            kind=kind,
            detail=detail,
            body="民政局",
            valid_from=LONG_AGO,
            recorded_from=NOW,
        )

    say("poverty_file")
    assert way.apply(scale="cq6", purpose="modification").state == "applied"
    say("destitute", "失能")
    with no(way, "request.recognised", who=way.station):
        way.apply(scale="cq6", purpose="nursing_allowance")


# Arranging


def moved(way: Way, **values: Any) -> Any:
    row = way.verified()
    return lambda: way.arrange(row, **values)


@pytest.mark.req("R-ASM-04")
@pytest.mark.parametrize("change", [{"valid_to": TODAY}, {"scales": ["mzt039_2013"]}, {"div": OTHER_DISTRICT}])
def test_an_organisation_without_a_contract_on_the_day_is_refused(way: Way, change: dict[str, Any]) -> None:
    body = make_organisation(kind="assessor", is_provider=False)
    make_commission(body, **{"valid_from": LONG_AGO, **change})
    step = moved(way, organisation_id=body.pk, assessors=[])
    with no(way, "commission.missing"):
        step()


@pytest.mark.req("R-ASM-04")
def test_the_contract_must_still_hold_when_the_form_is_submitted(way: Way) -> None:
    row = way.arranged()
    contract = type(make_commission(make_organisation())).objects.get(provider=way.body)
    way.act(
        end_commission, actor("city"), commission_id=contract.pk, valid_to=TODAY - timedelta(days=1), reason="合同到期"
    )
    with no(way, "commission.missing", who=way.assessor):
        way.submit(row)


def test_who_serves_the_area_does_not_assess_at_home(way: Way) -> None:
    provider = make_organisation()
    make_commission(provider)
    make_service_area(provider, div=DISTRICT)
    step = moved(way, organisation_id=provider.pk, assessors=[])
    with no(way, "organisation.serves"):
        step()


@pytest.mark.req("R-ASM-07", "R-ASM-13")
def test_a_fixed_point_must_be_able_to_assess(way: Way) -> None:
    row = way.verified(mode="fixed")
    centre = make_organisation(kind="care_centre")
    make_service_area(centre, div=DISTRICT)
    make_commission(centre)
    worker = make_staff(centre, skill_level=3)
    dumb, able = make_site(centre), make_site(centre, capabilities=["assessment"])
    for site, code in ((None, "request.no_site"), (dumb.pk, "site.not_capable")):
        with no(way, code):
            way.arrange(row, organisation_id=centre.pk, assessors=[worker.pk], site_id=site)
    way.arrange(row, organisation_id=centre.pk, assessors=[worker.pk], site_id=able.pk)
    form = way.submit(row, who=actor("assessor", staff=worker), signed=[worker.pk])
    assert form.level == "moderate"


@pytest.mark.req("R-ASM-05")
def test_a_junior_is_refused_at_assignment_and_an_expired_certificate_at_submission(way: Way) -> None:
    junior, stranger = make_staff(way.body, skill_level=5), make_staff()
    row = way.verified()
    for people, code in (
        ([junior.pk], "assessor.junior"), ([make_staff(way.body, qualified=()).pk], "assessor.not_qualified"),
        ([stranger.pk], "assessor.unknown"),
    ):  # fmt: skip
        with no(way, code):
            way.arrange(row, assessors=people)
    way.arrange(row)
    Qualification.objects.filter(staff=way.worker).update(valid_to=TODAY)
    with no(way, "assessor.not_qualified", who=way.assessor):
        way.submit(row)


def test_the_organisation_names_its_people_itself(way: Way) -> None:
    row = way.verified()
    way.arrange(row, assessors=[])
    manager = actor("provider_manager", organisation=way.body)
    way.act(assign_assessors, manager, request_id=row.pk, assessors=[way.nurse.pk, way.nurse.pk, way.third.pk])
    found = Assessor.objects.filter(request=row).order_by("pk").values_list("staff_id", "qualification")
    assert list(found) == [(way.nurse.pk, "nurse"), (way.third.pk, "care_worker:4")]
    other = actor("provider_manager", organisation=make_organisation())
    with no(way, "row.not_found", NotFound, who=other):
        way.act(assign_assessors, other, request_id=row.pk, assessors=[])
    way.submit(row, signed=[way.nurse.pk, way.third.pk])
    with no(way, "request.not_arranged", NotAllowed, who=manager):
        way.act(assign_assessors, manager, request_id=row.pk, assessors=[way.nurse.pk])


def test_a_day_that_has_passed_and_an_unknown_organisation(way: Way) -> None:
    row = way.verified()
    for values, code in (
        ({"visit_on": TODAY - timedelta(days=1)}, "request.in_past"),
        ({"organisation_id": 10**9}, "organisation.unknown"),
    ):
        with no(way, code):
            way.arrange(row, **values)
    with no(way, "row.stale", Stale):
        way.act(arrange_request, request_id=row.pk, organisation_id=way.body.pk, visit_on=TODAY, assessors=[], seen=0)


# The form


def test_a_draft_is_kept_sealed_and_by_those_named_only(way: Way) -> None:
    row = way.arranged()
    half = {"scores": [4, None]}
    form = way.act(save_form, way.assessor, request_id=row.pk, answers=half, facts={"notes": "在家"})
    assert (form.state, form.level, content_of(form)["answers"], form.version) == ("draft", "", half, 1)
    with no(way, "row.stale", Stale, who=way.assessor):
        way.act(save_form, way.assessor, request_id=row.pk, answers={}, facts={}, seen=0)
    stranger = actor("assessor", staff=make_staff(way.body, skill_level=1))
    with no(way, "form.not_named", Denied, who=stranger):
        way.act(save_form, stranger, request_id=row.pk, answers={}, facts={})
    assert "scores" not in str(list(Journal.objects.values_list("changes", flat=True)))


@pytest.mark.req("R-ASM-06")
@pytest.mark.parametrize("signed", [["nurse"], ["nurse", "nurse"]])
def test_one_person_at_home_is_not_enough_and_counts_once(way: Way, signed: list[str]) -> None:
    row = way.arranged()
    with no(way, "request.one_assessor", who=way.assessor):
        way.submit(row, signed=[getattr(way, one).pk for one in signed])


@pytest.mark.parametrize(
    ("values", "code", "kind"),
    [
        ({"signed": [10**9]}, "form.stranger", Refused),
        ({"declared": {}}, "request.no_interest", Refused),
        ({"informant": ""}, "request.no_informant", Refused),
        ({"answers": {"scores": FULL["scores"][:25]}}, "scale.missing", Refused),
        ({"answers": {"scores": [9, *FULL["scores"][1:]]}}, "scale.illegal", Refused),
        ({"assessed_on": TODAY + timedelta(days=1)}, "form.in_future", Refused),
        ({"declared": DECLARED | {"needed_families": ["party"]}}, "form.family", Refused),
    ],
)
def test_a_form_that_gives_no_level(way: Way, values: dict[str, Any], code: str, kind: type[Refusal]) -> None:
    row = way.arranged()
    with no(way, code, kind, who=way.assessor):
        way.submit(row, **values)


def test_a_missing_answer_names_its_item(way: Way) -> None:
    row = way.arranged()
    with scope(way.assessor), pytest.raises(Refused) as refusal:
        submit_form(
            actor=way.assessor, now=NOW, request_id=row.pk, answers={"scores": [*FULL["scores"][:25], None]}, facts={}, informant="王芳",
            signed=[way.nurse.pk, way.worker.pk], declared=DECLARED,
        )  # fmt: skip
    assert refusal.value.field == "4.5"


def test_the_dead_are_not_assessed_and_their_applications_end(way: Way) -> None:
    row, other = way.arranged(), way.apply(purpose="admission")
    Elder.objects.filter(pk=way.elder.pk).update(died_on=TODAY - timedelta(days=1))
    with no(way, "elder.dead", NotAllowed, who=way.assessor):
        way.submit(row)
    assert withdraw_of_dead(system_actor(CITY), NOW) == 2
    other.refresh_from_db()
    assert (other.state, other.end_reason) == ("withdrawn", "老人已登记去世")


def test_the_assessors_may_change_the_proposed_services(way: Way) -> None:
    form = way.submit(way.arranged(), declared=DECLARED | {"needed_families": ["bathing", "meal"]})
    assert form.needed_families == ["meal", "bathing"]


# Review, return, result


def test_who_assessed_does_not_review(way: Way) -> None:
    row = way.submitted()
    with no(way, "assessor.no_staff"):
        way.review(row, way.centre)
    insider = actor("district", DISTRICT)
    type(way.worker).objects.filter(pk=way.worker.pk).update(user_id=insider.user_id)
    with no(way, "assessor.twice", who=insider):
        way.review(row, insider)
    with no(way, "request.not_reviewed"):
        way.conclude(row)


def test_a_returned_form_is_signed_again(way: Way) -> None:
    row = way.submitted()
    way.review(row)
    way.act(return_request, request_id=row.pk, reason="第3题与录像不符")
    form = Form.objects.get()
    assert (form.state, form.level, form.outcome, content_of(form)["answers"]) == ("draft", "", {}, MODERATE)
    assert list(Assessor.objects.values_list("capacity", "signed_at")) == [("assessor", None), ("assessor", None)]
    way.submit(row, answers=FULL)
    way.review(row)
    way.conclude(row)
    assert Assessment.objects.get().level == "intact"


def test_an_appeal_is_heard_by_others(way: Way) -> None:
    first = way.done()
    result = Assessment.objects.get()
    row = way.verified(reason="appeal", former_id=result.pk)
    with no(way, "request.first_body"):
        way.arrange(row)
    other = make_organisation(kind="assessor", is_provider=False)
    make_commission(other)
    type(way.worker).objects.filter(pk=way.worker.pk).update(provider=other)
    nurse, fresh = make_staff(other, qualified=("nurse",)), make_staff(other, skill_level=2)
    with no(way, "request.first_people"):
        way.arrange(row, organisation_id=other.pk, assessors=[nurse.pk, way.worker.pk])
    way.arrange(row, organisation_id=other.pk, assessors=[nurse.pk, fresh.pk])
    who = actor("assessor", staff=nurse)
    way.submit(row, who=who, signed=[nurse.pk, fresh.pk], answers=FULL)
    with no(way, "row.not_found", NotFound, who=way.assessor):
        way.submit(row)
    way.review(row)
    way.conclude(row)
    found = current_level(way.elder.pk, TODAY)
    assert found is not None
    assert (found.level, found.reason, Assessment.objects.filter(recorded_to=None).count()) == ("intact", "appeal", 1)
    assert first.pk != row.pk


def test_answers_are_read_with_a_reason_that_stands_in_the_journal(way: Way) -> None:
    way.done()
    result = Assessment.objects.get()
    found = way.act(inspect_answers, assessment_id=result.pk, reason="复核投诉")
    assert found["answers"] == MODERATE
    row = Journal.objects.latest("pk")
    assert (row.event, row.reason, row.elder_id) == ("assessment.assessment.inspect", "复核投诉", way.elder.pk)
    with no(way, "text.missing"):
        way.act(inspect_answers, assessment_id=result.pk, reason="")
    delivered = make_assessment(make_elder())
    with no(way, "assessment.no_form"):
        way.act(inspect_answers, assessment_id=delivered.pk, reason="看看")
    with no(way, "right.missing", Denied, who=way.station):
        way.act(inspect_answers, way.station, assessment_id=result.pk, reason="看看")


def test_results_that_soon_end_are_due_until_somebody_applies(way: Way) -> None:
    def with_end(days: int, **values: Any) -> Assessment:
        return make_assessment(
            make_elder(**values), assessed_on=date(2025, 1, 1), valid_to=TODAY + timedelta(days=days)
        )

    soon, over = with_end(31), with_end(0)
    with_end(32)
    with_end(-366)
    with_end(5, died_on=TODAY)
    assert [row.pk for row in due_results(way.centre, TODAY, 30)] == [over.pk, soon.pk]
    way.elder = soon.elder
    row = way.apply(reason="routine")
    assert row.former_id == soon.pk
    assert [one.pk for one in due_results(way.centre, TODAY, 30)] == [over.pk]


def test_another_area_and_another_organisation_see_nothing(way: Way) -> None:
    row = way.arranged()
    for who in (
        actor("district", OTHER_DISTRICT),
        actor("community", NEIGHBOUR),
        actor("provider_manager", organisation=make_organisation()),
    ):
        with scope(who):
            assert not requests_of(who).exists()
            assert request_file(who, row.pk) is None
            assert not Form.objects.exists()


def test_certificates_are_read_for_the_day_of_the_visit(way: Way) -> None:
    person = make_staff(way.body, qualified=(), skill_level=None)
    make_qualification(person, "social_worker", valid_from=TODAY + timedelta(days=3))
    row = way.verified()
    with no(way, "assessor.not_qualified"):
        way.arrange(row, assessors=[person.pk])
    way.arrange(row, assessors=[person.pk, way.nurse.pk], visit_on=TODAY + timedelta(days=3))
    assert Assessor.objects.filter(staff=person, qualification="social_worker").exists()


def test_an_application_belongs_to_its_elder(way: Way) -> None:
    other = make_assessment(make_elder())
    who = way.station
    with no(way, "request.no_former", who=who), scope(who):
        request_assessment(
            actor=who, now=NOW, elder_id=way.elder.pk, scale="gbt42195_2022", purpose="home_care", reason="appeal", mode="home",
            former_id=other.pk, applied_as="staff",
        )  # fmt: skip
