"""Home sickbeds: every piece asked for by name, two persons, paid from the approval to the withdrawal and never outside."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from tests.factories import (
    CITY,
    DISTRICT,
    NEIGHBOUR,
    NOW,
    STREET,
    TODAY,
    actor,
    make_area_tree,
    make_assessment,
    make_elder,
    make_item,
    make_organisation,
    make_price,
    system,
)
from tests.programmes.making import (
    FIRST,
    agree,
    consent,
    doctor_of,
    health_centre,
    make_bed_application,
    nurse_of,
    office,
)

from yinling.accounts.models import Journal
from yinling.directory.models import Area, Qualification
from yinling.entitlements.models import Entitlement
from yinling.entitlements.queries import funding_for
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.kernel.period import ONE_DAY
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.orders.queries import quote
from yinling.people.models import Circumstance, Elder
from yinling.people.operations import bury_elder
from yinling.programmes.home_beds.models import HomeSickbed
from yinling.programmes.home_beds.operations import (
    apply_for_bed,
    approve_bed,
    assign_bed,
    cancel_bed,
    check_home,
    follow_beds,
    refuse_bed,
    reveal_diagnosis,
    stop_after_leaving,
    withdraw_bed,
)
from yinling.programmes.home_beds.queries import basis_of, beds, sheet_of
from yinling.programmes.home_beds.rules import PIECES

pytestmark = pytest.mark.usefixtures("wide")


def approved(row: HomeSickbed | None = None, **values: Any) -> HomeSickbed:
    return approve_bed(actor=office(), now=NOW, bed_id=(row or make_bed_application()).pk, **values)


@pytest.mark.req("R-BED-01", "R-BED-05")
def test_a_bed_with_every_piece_is_approved_from_today_on() -> None:
    row = approved()
    assert (row.state, row.approved_on, row.groups) == ("approved", TODAY, ["失能老年人"])
    assert row.assessment_id is not None
    assert row.consent_id is not None
    given = Entitlement.objects.get(pk=row.entitlement_id)
    assert (given.scheme.payer, given.valid_from, given.valid_to, given.share_bp) == (
        "medical_insurance",
        TODAY,
        None,
        7000,
    )


@pytest.mark.req("R-BED-01")
@pytest.mark.parametrize("missing", PIECES)
def test_a_bed_with_a_piece_missing_is_refused_by_its_name(missing: str) -> None:
    row = make_bed_application(without=missing)
    with pytest.raises(Refused) as refused:
        approved(row)
    assert (refused.value.code, refused.value.values["what"]) == (f"bed.no_{missing}", PIECES[missing])
    assert HomeSickbed.objects.get(pk=row.pk).state == "applied"
    assert not Entitlement.objects.exists()


@pytest.mark.req("R-BED-01")
@pytest.mark.parametrize(
    ("kind", "code"), [("doctor", "bed.doctor_papers"), ("filing", "bed.doctor_papers"), ("nurse", "bed.nurse_papers")]
)
def test_papers_must_be_valid_on_the_day_of_the_approval(kind: str, code: str) -> None:
    row = make_bed_application()
    Qualification.objects.filter(kind=kind).update(valid_to=TODAY)
    with pytest.raises(Refused) as refused:
        approved(row)
    assert refused.value.code == code


def test_a_doctor_of_another_body_cannot_be_named() -> None:
    row = make_bed_application()
    other = health_centre()
    with pytest.raises(Refused) as refused:
        assign_bed(actor=office(), now=NOW, bed_id=row.pk, doctor_id=doctor_of(other).pk, nurse_id=nurse_of(other).pk)
    assert refused.value.code == "bed.doctor_unknown"


def test_who_applied_does_not_approve() -> None:
    row, who = make_bed_application(), office()
    HomeSickbed.objects.filter(pk=row.pk).update(applied_by_id=who.user_id)
    with pytest.raises(NotAllowed) as refused:
        approve_bed(actor=who, now=NOW, bed_id=row.pk)
    assert refused.value.code == "bed.same_person"
    with pytest.raises(IntegrityError, match="home_sickbed_two_persons"), transaction.atomic():
        HomeSickbed.objects.filter(pk=row.pk).update(approved_by_id=who.user_id)


def test_the_body_itself_does_not_approve() -> None:
    row = make_bed_application()
    with pytest.raises(Denied):
        approve_bed(actor=actor("provider_manager", organisation=row.provider), now=NOW, bed_id=row.pk)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"does_home_medical": False, "home_medical_filed_on": None}, "bed.not_listed"),
        ({"insured": False}, "bed.insurance"),
    ],
)
def test_a_body_that_may_not_do_medical_work_at_home_is_refused(values: dict[str, Any], code: str) -> None:
    elder, body = make_elder(), make_organisation(**values)
    with pytest.raises(Refused) as refused:
        apply_for_bed(
            actor=actor("street", STREET),
            now=NOW,
            elder_id=elder.pk,
            provider_id=body.pk,
            need="换药",
            signed_by="王秀英",
        )
    assert refused.value.code == code
    assert not HomeSickbed.objects.exists()


def test_an_elder_has_one_application_or_bed_at_a_time() -> None:
    row = make_bed_application()
    with pytest.raises(Refused) as refused:
        apply_for_bed(
            actor=actor("street", STREET),
            now=NOW,
            elder_id=row.elder_id,
            provider_id=row.provider_id,
            need="换药",
            signed_by="王秀英",
        )
    assert refused.value.code == "bed.twice"


@pytest.mark.parametrize("day", [FIRST - ONE_DAY, FIRST + ONE_DAY])
def test_a_home_is_checked_between_application_and_today(day: date) -> None:
    row = make_bed_application(without="home_check")
    with pytest.raises(Refused) as refused:
        check_home(
            actor=office_of(row), now=NOW, bed_id=row.pk, checked_on=day, home_check="可以", staff_id=row.nurse_id
        )
    assert refused.value.code == "bed.check_day"


def office_of(row: HomeSickbed) -> Any:
    return actor("provider_manager", organisation=row.provider)


def test_a_home_is_checked_by_staff_of_the_body() -> None:
    row = make_bed_application(without="home_check")
    with pytest.raises(Refused) as refused:
        check_home(
            actor=office_of(row),
            now=NOW,
            bed_id=row.pk,
            checked_on=FIRST,
            home_check="可以",
            staff_id=nurse_of(health_centre()).pk,
        )
    assert refused.value.code == "bed.checker"


@pytest.mark.req("R-BED-10")
def test_hospice_care_asks_for_its_own_consent() -> None:
    row = make_bed_application(without="consent", kind="hospice")
    elder = Elder.objects.get(pk=row.elder_id)
    consent(elder, "home_bed")
    with pytest.raises(Refused) as refused:
        approved(row)
    assert refused.value.code == "bed.no_consent"
    own = consent(elder, "hospice")
    assert approved(row).consent_id == own.pk


@pytest.mark.req("R-BED-05")
def test_insurance_pays_between_approval_and_withdrawal_only() -> None:
    row = make_bed_application()
    elder = Elder.objects.get(pk=row.elder_id)
    agree(row.provider)
    item = make_item(code="DRESS", family="nursing", is_insurable=True, charges_callout=True)
    make_price(item, row.provider, amount_fen=10000, callout_fee_fen=2000)
    seat = actor("seat")

    def payers(days: int) -> dict[str, int]:
        offer = quote(
            actor=seat,
            now=NOW,
            elder_id=elder.pk,
            item_code="DRESS",
            starts_at=NOW + timedelta(days=days, hours=1),
            provider_id=row.provider_id,
        )
        sums: dict[str, int] = {}
        for share in offer.shares:
            sums[share.payer] = sums.get(share.payer, 0) + share.amount_fen
        return sums

    assert payers(1) == {"self": 12000}
    approved(row)
    assert payers(1) == {"medical_insurance": 7000, "self": 5000}
    withdraw_bed(actor=office(), now=NOW, bed_id=row.pk, last_day=TODAY + ONE_DAY, reason="好转")
    assert (payers(1)["medical_insurance"], payers(2)) == (7000, {"self": 12000})
    assert funding_for(elder.pk, "nursing", TODAY - ONE_DAY) == []


@pytest.mark.parametrize(
    ("day", "code"), [(TODAY - ONE_DAY, "bed.before_approval"), (TODAY + timedelta(days=40), "bed.later")]
)
def test_impossible_days_of_withdrawal_are_refused(day: date, code: str) -> None:
    row = approved(approved_to=TODAY + timedelta(days=30))
    with pytest.raises(Refused) as refused:
        withdraw_bed(actor=office(), now=NOW, bed_id=row.pk, last_day=day, reason="好转")
    assert refused.value.code == code


def test_an_application_is_refused_or_taken_back_and_then_decided() -> None:
    first, second = make_bed_application(), make_bed_application()
    assert refuse_bed(actor=office(), now=NOW, bed_id=first.pk, reason="住院治疗更合适").state == "refused"
    assert cancel_bed(actor=actor("street", STREET), now=NOW, bed_id=second.pk, reason="不需要了").state == "cancelled"
    with pytest.raises(NotAllowed):
        approved(first)


def test_the_diagnosis_is_sealed_and_every_reading_is_on_record() -> None:
    row = make_bed_application()
    assert "脑梗".encode() not in bytes(row.diagnosis_enc)
    doctor = actor("doctor", organisation=row.provider)
    told = reveal_diagnosis(actor=doctor, now=NOW, bed_id=row.pk, reason="制定治疗方案")
    assert list(told.values()) == ["脑梗死后遗症"]
    entry = Journal.objects.get(event="home_beds.bed.reveal")
    assert (entry.reason, entry.elder_id, "脑梗" in str(entry.changes)) == ("制定治疗方案", row.elder_id, False)
    with pytest.raises(Denied):
        reveal_diagnosis(actor=actor("street", STREET), now=NOW, bed_id=row.pk, reason="看看")


@pytest.mark.req("R-BED-09")
@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["chronic", "limited_mobility"], ["行动不便的慢性病老年人", "行动不便的高龄老年人"]),
        (["disability", "limited_mobility"], ["行动不便的高龄老年人", "行动不便的残疾老年人"]),
        (["dementia"], ["失能（含失智）老年人"]),
        (["chronic"], []),
    ],
)
def test_zhenjiang_admits_more_groups_than_wuxi(kinds: list[str], expected: list[str]) -> None:
    make_area_tree()
    for div, name, level, parent in (("3211", "镇江市", "city", None), ("321102", "京口区", "district", "3211")):
        Area.objects.get_or_create(
            div=div, defaults={"code": div.ljust(12, "0"), "name": name, "short_name": name, "level": level, "kind": level, "parent_id": parent,
                               "source": "test", "valid_from": date(2020, 1, 1)},
        )  # fmt: skip
    here, there = make_elder(div="321102001001"), make_elder()
    for elder in (here, there):
        for kind in kinds:
            Circumstance.objects.create(
                div=elder.div, elder=elder, kind=kind, body="社区", valid_from=date(2024, 1, 1), recorded_from=NOW
            )
    assert basis_of(here, "medical", TODAY).groups == expected
    assert basis_of(there, "medical", TODAY).groups == []


def test_semi_disabled_elders_belong_to_the_groups_of_the_plan() -> None:
    elder = make_elder()
    make_assessment(elder, level="moderate")
    assert basis_of(elder, "medical", TODAY).groups == ["半失能老年人"]


def test_a_city_that_has_set_no_share_cannot_open_beds() -> None:
    with pytest.raises(Refused):
        parameter("home_beds.share_bp", "320681", TODAY)


def test_a_death_closes_the_bed_on_its_day_and_a_move_takes_it_along() -> None:
    row, other = approved(), approved()
    bury_elder(actor=actor("street", STREET), now=NOW, elder_id=row.elder_id, died_on=TODAY, evidence="死亡证明")
    Elder.objects.filter(pk=other.elder_id).update(div=NEIGHBOUR)
    assert (follow_beds(CITY), stop_after_leaving(system(), NOW), stop_after_leaving(system(), NOW)) == (1, 1, 0)
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.state, row.withdrawn_on, other.state, other.div) == ("withdrawn", TODAY, "approved", NEIGHBOUR)
    assert Entitlement.objects.get(pk=row.entitlement_id).valid_to == TODAY + ONE_DAY


def test_a_body_sees_its_own_beds_only() -> None:
    row, _other = make_bed_application(), make_bed_application()
    manager = office_of(row)
    with scope(manager):
        assert [one.pk for one in beds(manager)] == [row.pk]
    assert sheet_of(row, TODAY).insurance is None
    assert row.div.startswith(DISTRICT)


@pytest.mark.req("R-BED-05")
def test_a_bed_whose_days_are_over_is_closed_by_itself_and_can_be_asked_for_anew() -> None:
    row = make_bed_application()
    last = TODAY + timedelta(days=9)
    approve_bed(actor=office(), now=NOW, bed_id=row.pk, approved_to=last)
    assert stop_after_leaving(system(), NOW + timedelta(days=9)) == 0, "its last day counts"
    later = NOW + timedelta(days=10)
    assert (stop_after_leaving(system(), later), stop_after_leaving(system(), later)) == (1, 0)
    row.refresh_from_db()
    assert (row.state, row.withdrawn_on, row.reason) == ("withdrawn", last, "建床期满")
    assert Entitlement.objects.get(pk=row.entitlement_id).valid_to == last + ONE_DAY
    again = apply_for_bed(
        actor=actor("street", STREET), now=later, elder_id=row.elder_id, provider_id=row.provider_id, kind="medical", need="仍需换药",
        signed_by="王秀英",
    )  # fmt: skip
    assert again.state == "applied"
