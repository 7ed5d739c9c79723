"""Contracts, recognition by record, and the gate before the insurance matrix."""

from datetime import timedelta
from typing import Any

import pytest
from tests.assessment.conftest import SEVERE_LTC, Way
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    NOW,
    OTHER_DISTRICT,
    TODAY,
    actor,
    make_assessment,
    make_elder,
    make_organisation,
)
from tests.refusals import refused

from yinling.assessment.models import Assessment, Commission, Recognition, ScaleConfirmation
from yinling.assessment.operations import (
    commission_organisation,
    confirm_scale,
    end_recognition,
    record_recognition,
    withdraw_confirmation,
)
from yinling.assessment.queries import (
    CONSENT,
    commission_of,
    current_result,
    deciding,
    deciding_result,
    is_provisional,
    policies,
    serving,
)
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, Refusal, Refused
from yinling.people.models import Consent

LTC = "ltc_2021_37"


def rows() -> Any:
    return [
        list(model.objects.order_by("pk").values_list("pk", "recorded_to"))
        for model in (Commission, Recognition, ScaleConfirmation)
    ]


def no(who: Actor, code: str, kind: type[Refusal] = Refused) -> Any:
    return refused(who, kind, code, contents=rows)


def contract(way: Way, who: Actor, **values: Any) -> Commission:
    chosen = {
        "organisation_id": way.body.pk, "div": DISTRICT, "scales": ["gbt42195_2022"], "contract": "评2026-1", "qualification": "民办非企业证书",
        "assessor_count": 5, "valid_from": TODAY, "valid_to": TODAY + timedelta(days=364),
    }  # fmt: skip
    row: Commission = way.act(commission_organisation, who, **chosen | values)
    return row


@pytest.mark.req("R-ASM-04")
def test_a_contract_names_scales_and_days(way: Way) -> None:
    row = contract(way, way.centre)
    assert row.valid_to == TODAY + timedelta(days=365)
    last = TODAY + timedelta(days=364)
    Commission.objects.exclude(pk=row.pk).delete()
    assert commission_of(way.body.pk, "gbt42195_2022", COMMUNITY, last) == row
    assert commission_of(way.body.pk, "gbt42195_2022", COMMUNITY, last + timedelta(days=1)) is None
    assert commission_of(way.body.pk, "mzt039_2013", COMMUNITY, TODAY) is None
    assert commission_of(way.body.pk, "gbt42195_2022", OTHER_DISTRICT, TODAY) is None


@pytest.mark.parametrize(
    ("values", "code", "kind"),
    [
        ({"assessor_count": 4}, "commission.few", Refused),
        ({"scales": []}, "scale.none", Refused),
        ({"scales": ["mine"]}, "choice.unknown", Refused),
        ({"scales": [LTC], "delivers_care": True}, "commission.delivers_care", Refused),
        ({"organisation_id": 10**9}, "organisation.unknown", Refused),
        ({"div": "320213999"}, "area.unknown", Refused),
        ({"div": CITY}, "right.outside", Denied),
        ({"contract": ""}, "text.missing", Refused),
    ],
)
@pytest.mark.req("R-ASM-04")
def test_contracts_that_cannot_be(way: Way, values: dict[str, Any], code: str, kind: type[Refusal]) -> None:
    with no(way.centre, code, kind):
        contract(way, way.centre, **values)


def test_the_same_contract_stands_once(way: Way) -> None:
    contract(way, way.centre)
    with no(way.centre, "commission.overlap"):
        contract(way, way.centre)


def accept(way: Way, who: Actor, **values: Any) -> Recognition:
    chosen = {
        "div": CITY, "department": "civil_affairs", "from_scale": "gbt42195_2022", "from_levels": ["moderate", "severe"],
        "purpose": "consumption_subsidy", "accepted_as": "符合条件", "legal_basis": "2025年7月通知", "max_age_months": 12, "needs_consent": True,
        "valid_from": TODAY,
    }  # fmt: skip
    row: Recognition = way.act(record_recognition, who, **chosen | values)
    return row


@pytest.mark.req("R-ASM-01")
def test_a_recognised_result_blocks_a_second_assessment(way: Way) -> None:
    city = actor("city")
    make_assessment(way.elder, purpose="home_care")
    Consent.objects.create(
        div=COMMUNITY,
        elder=way.elder,
        purpose=CONSENT,
        text_version="1",
        given_by="self",
        valid_from=TODAY,
        recorded_from=NOW,
    )
    asked = {"scale": "mzt039_2013", "purpose": "consumption_subsidy"}
    row = way.apply(**asked)
    type(row).objects.filter(pk=row.pk).update(state="withdrawn")
    record = accept(way, city)
    with refused(way.station, Refused, "request.valid_result", contents=rows):
        way.apply(**asked)
    way.act(end_recognition, city, recognition_id=record.pk, valid_to=TODAY - timedelta(days=1), reason="文件废止")
    assert policies(COMMUNITY, TODAY) == []
    assert way.apply(**asked).state == "applied"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"from_levels": ["3"]}, "recognition.level"), ({"from_levels": []}, "recognition.level"), ({"department": "police"}, "choice.unknown"),
        ({"legal_basis": " "}, "text.missing"), ({"purpose": "fun"}, "choice.unknown"), ({"from_scale": "mine"}, "choice.unknown"),
    ],
)  # fmt: skip
def test_recognition_needs_a_document_and_real_levels(way: Way, values: dict[str, Any], code: str) -> None:
    who = actor("city")
    with no(who, code):
        accept(way, who, **values)


def insured(way: Way) -> Assessment:
    """A grade by the insurance scale, through its whole way."""
    row = way.verified(scale=LTC, purpose="ltc_benefit")
    way.arrange(row, assessors=[way.worker.pk], expert_id=way.nurse.pk)
    form = way.submit(row, answers=SEVERE_LTC)
    assert (form.level, form.outcome["domain_levels"]) == ("4", [3, 2, 1])
    for _ in range(2):
        way.confirm(row)
    with refused(way.centre, Refused, "request.not_noticed", contents=rows):
        way.conclude(row)
    way.notice(row)
    row.refresh_from_db()
    assert (row.notice_from, row.notice_to) == (TODAY, TODAY + timedelta(days=6))
    with refused(way.centre, Refused, "request.notice_runs", contents=rows):
        way.conclude(row, now=NOW + timedelta(days=5))
    way.conclude(row, now=NOW + timedelta(days=6))
    return Assessment.objects.get(request=row)


@pytest.mark.req("X-ASM")
def test_an_insurance_grade_decides_nothing_until_a_named_person_confirms_the_matrix(way: Way) -> None:
    result, city = insured(way), actor("city")
    assert (result.level, result.valid_from, result.outcome["is_provisional"]) == ("4", TODAY, True)
    assert result.valid_to is not None
    assert (result.valid_to.year, result.valid_to.month) == (2028, 6)
    assert current_result(way.elder.pk, LTC, TODAY) == result
    assert deciding_result(way.elder.pk, LTC, TODAY) is None
    assert is_provisional(result, TODAY)
    assert not deciding(Assessment.objects.all(), TODAY).exists()
    assert serving(way.elder.pk, LTC, "ltc_benefit", COMMUNITY, TODAY, consents=True) == []
    row = way.act(confirm_scale, city, scale=LTC, div=CITY, document="医保办发〔2021〕37号 附件")
    assert (row.confirmed_by_id, row.confirmed_by_name, row.part) == (city.user_id, city.name, "matrix")
    assert deciding_result(way.elder.pk, LTC, TODAY) == result
    assert list(deciding(Assessment.objects.all(), TODAY)) == [result]
    with no(city, "scale.confirmed"):
        way.act(confirm_scale, city, scale=LTC, div=CITY, document="附件")
    way.act(withdraw_confirmation, city, confirmation_id=row.pk, reason="核对有误")
    assert deciding_result(way.elder.pk, LTC, TODAY) is None


def test_only_a_gated_scale_is_confirmed_and_by_a_person(way: Way) -> None:
    city = actor("city")
    with no(city, "scale.no_gate"):
        way.act(confirm_scale, city, scale="barthel", div=CITY, document="x")
    with no(way.centre, "right.missing", Denied):
        way.act(confirm_scale, way.centre, scale=LTC, div=DISTRICT, document="x")
    assert make_elder().pk


def test_two_different_experts_confirm(way: Way) -> None:
    row = way.verified(scale=LTC, purpose="ltc_benefit")
    way.arrange(row, assessors=[way.worker.pk], expert_id=way.nurse.pk)
    way.submit(row, answers=SEVERE_LTC)
    expert = way.reviewer()
    way.confirm(row, expert)
    with no(expert, "assessor.twice"):
        way.confirm(row, expert)
    social = way.reviewer(qualified=("social_worker",))
    with no(social, "assessor.not_qualified"):
        way.confirm(row, social)
    with no(way.centre, "request.not_confirmed"):
        way.notice(row)


@pytest.mark.req("R-LTC-02")
def test_the_insurance_takes_no_body_that_delivers_care(way: Way) -> None:
    provider = make_organisation()
    way.act(
        commission_organisation, way.centre, organisation_id=provider.pk, div=DISTRICT, scales=["gbt42195_2022"], contract="x", qualification="y",
        assessor_count=9, delivers_care=True, valid_from=TODAY,
    )  # fmt: skip
    row = way.verified()
    with refused(way.centre, Refused, "organisation.serves", contents=rows):
        way.arrange(row, organisation_id=provider.pk, assessors=[])
