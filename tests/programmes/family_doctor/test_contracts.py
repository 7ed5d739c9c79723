"""Contracts with family doctors: drafted, signed, used, ended, and who is to be called first."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from tests.factories import (
    CITY,
    COMMUNITY,
    NEIGHBOUR,
    NOW,
    STREET,
    TODAY,
    actor,
    make_assessment,
    make_elder,
    make_entitlement,
    make_item,
    make_price,
    make_qualification,
    make_staff,
    system,
)
from tests.programmes.making import FIRST, consent, doctor_of, health_centre, make_draft, make_package, make_signed

from yinling.directory.models import Qualification
from yinling.entitlements.models import Entitlement
from yinling.ground.scope import scope
from yinling.kernel.period import ONE_DAY
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.orders.models import Order
from yinling.orders.operations import cancel_order, place_order
from yinling.orders.queries import quote
from yinling.people.models import Circumstance, Elder
from yinling.people.operations import bury_elder
from yinling.programmes.family_doctor.models import DoctorContract
from yinling.programmes.family_doctor.operations import (
    cancel_contract,
    end_contract,
    follow_elders,
    sign_contract,
    stop_after_leaving,
)
from yinling.programmes.family_doctor.operations import contracts as contract_operations
from yinling.programmes.family_doctor.queries import call_list, contracts, groups, groups_of, names_of, usage

pytestmark = pytest.mark.usefixtures("wide")


def refused(code: str, **values: Any) -> None:
    with pytest.raises((Refused, NotAllowed)) as caught:
        make_draft(**values)
    assert caught.value.code == code
    assert not DoctorContract.objects.exists()


def fact(elder: Elder, kind: str, **values: Any) -> Circumstance:
    chosen = {"valid_from": date(2024, 1, 1), "recorded_from": NOW, "body": "社区", **values}
    return Circumstance.objects.create(div=elder.div, elder=elder, kind=kind, **chosen)


@pytest.mark.req("R-FAM-03", "D-17")
def test_signing_gives_what_the_package_funds_and_bills_the_fee_once() -> None:
    row = make_signed(payer="contract")
    assert (row.state, row.valid_from, row.last_day) == ("signed", FIRST, date(2027, 6, 14))
    given = Entitlement.objects.get(pk=row.entitlement_id)
    assert given.items == {"ROUND": {"funds": "item", "count": 12}, "NURSE": {"funds": "visit", "count": 2}}
    assert (given.valid_from, given.valid_to, given.scheme.code) == (FIRST, row.valid_to, "family_doctor")
    order = Order.objects.get(pk=row.fee_order_id)
    assert (order.source, order.state, order.total_fen) == (f"family_doctor.contract:{row.pk}", "served", 24000)
    assert [(share.payer, share.amount_fen) for share in order.shares.all()] == [("contract", 24000)]
    assert names_of([row])[row.pk].doctor == "李医生"


@pytest.mark.req("R-FAM-03")
def test_the_usage_is_counted_against_the_contract() -> None:
    elder, body = make_elder(), health_centre()
    price = make_price(make_item(code="ROUND", family="medical", name="巡诊"), body)
    row = make_signed(elder, body=body)
    seat = actor("seat")
    start = NOW + timedelta(days=1)
    asked: dict[str, Any] = {"elder_id": elder.pk, "item_code": "ROUND", "starts_at": start, "provider_id": body.pk}
    offer = quote(actor=seat, now=NOW, **asked)
    assert (offer.total_fen, offer.self_fen) == (price.amount_fen, 0)
    order = place_order(actor=seat, now=NOW, quoted_total_fen=offer.total_fen, **asked)
    assert [(use.code, use.used, use.reserved, use.left) for use in usage(row)] == [
        ("ROUND", 0, 1, 11),
        ("NURSE", 0, 0, 2),
    ]
    cancel_order(actor=seat, now=NOW, order_id=order.pk, reason="改期")
    assert usage(row)[0].left == 12


def test_a_package_without_a_price_has_no_fee() -> None:
    body = health_centre()
    row = make_signed(body=body, package=make_package(body, price_fen=0))
    assert row.fee_order_id is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"doctor_id": 1}, "contract.doctor"), ({"package_id": 1}, "contract.package"), ({"provider_id": 1}, "contract.provider"),
        ({"payer": "voucher"}, "contract.payer"), ({"valid_to": FIRST - ONE_DAY}, "period.empty"),
    ],
)  # fmt: skip
def test_a_draft_with_a_wrong_part_is_refused(change: dict[str, Any], code: str) -> None:
    refused(code, **change)


def test_a_doctor_of_another_body_is_refused() -> None:
    refused("contract.doctor", doctor=doctor_of(health_centre()))


def test_a_nurse_is_no_family_doctor() -> None:
    body = health_centre()
    refused("contract.doctor", body=body, doctor=make_staff(body, kind="nurse", qualified="nurse"))


@pytest.mark.parametrize(
    ("kind", "valid_to", "place", "code"),
    [
        ("doctor", date(2027, 6, 14), "32", "contract.doctor"), ("doctor", None, "31", "contract.doctor"),
        ("filing", date(2026, 12, 1), "", "contract.filing"),
    ],
)  # fmt: skip
def test_papers_must_hold_on_every_day_of_the_contract(kind: str, valid_to: date | None, place: str, code: str) -> None:
    body = health_centre()
    doctor = doctor_of(body)
    Qualification.objects.filter(staff=doctor, kind=kind).update(valid_to=valid_to, place=place)
    refused(code, body=body, doctor=doctor)


def test_two_certificates_that_follow_each_other_are_enough() -> None:
    body = health_centre()
    doctor = doctor_of(body)
    Qualification.objects.filter(staff=doctor, kind="doctor").update(valid_to=date(2026, 12, 1))
    make_qualification(doctor, "doctor", valid_from=date(2026, 12, 1))
    assert make_draft(body=body, doctor=doctor).state == "draft"


@pytest.mark.req("R-FAM-03")
def test_a_package_for_others_is_refused() -> None:
    body = health_centre()
    package = make_package(body, audience="disabled")
    refused("contract.audience", body=body, package=package)
    elder = make_elder()
    make_assessment(elder, level="severe", points=10)
    assert make_draft(elder, body=body, package=package).state == "draft"


def test_an_office_of_another_street_cannot_draft() -> None:
    elder = make_elder(div=NEIGHBOUR)
    with pytest.raises(Denied):
        make_draft(elder, who=actor("community", COMMUNITY))


def test_nobody_signs_without_consent_or_for_another() -> None:
    elder = make_elder()
    row = make_draft(elder)
    sign: dict[str, Any] = {"actor": actor("street", STREET), "now": NOW, "contract_id": row.pk, "signed_by": "王芳"}
    with pytest.raises(NotAllowed) as caught:
        sign_contract(signed_as="self", **sign)
    assert caught.value.code == "contract.no_consent"
    consent(elder)
    with pytest.raises((Refused, NotAllowed)) as caught_too:
        sign_contract(signed_as="guardian", **sign)
    assert caught_too.value.code.startswith(("consent.", "signer.", "representative."))
    assert (DoctorContract.objects.get(pk=row.pk).state, Entitlement.objects.count()) == ("draft", 0)


@pytest.mark.req("R-FAM-09")
def test_a_second_contract_in_the_same_time_is_refused_and_explained() -> None:
    elder = make_elder()
    first = make_signed(elder)
    second = make_draft(elder, valid_from=first.last_day)
    with pytest.raises(Refused) as caught:
        sign_contract(
            actor=actor("street", STREET), now=NOW, contract_id=second.pk, signed_by=elder.name, signed_as="self"
        )
    assert caught.value.code == "contract.overlap"
    after = make_draft(elder, valid_from=first.valid_to)
    sign_contract(actor=actor("street", STREET), now=NOW, contract_id=after.pk, signed_by=elder.name, signed_as="self")
    assert DoctorContract.objects.filter(state="signed").count() == 2


@pytest.mark.req("R-FAM-09")
def test_the_database_itself_refuses_two_at_a_time() -> None:
    first = make_signed()
    elder = Elder.objects.get(pk=first.elder_id)
    row, given = make_draft(elder), make_entitlement(elder)
    with pytest.raises(IntegrityError, match="doctor_contract_one_at_a_time"), transaction.atomic():
        DoctorContract.objects.filter(pk=row.pk).update(state="signed", signed_at=NOW, entitlement=given)


def test_a_draft_whose_last_day_is_over_is_not_signed_and_bills_nothing() -> None:
    elder = make_elder()
    consent(elder)
    row = make_draft(elder, valid_from=FIRST, valid_to=FIRST + timedelta(days=9))
    sign: dict[str, Any] = {"actor": actor("street", STREET), "contract_id": row.pk, "signed_by": elder.name}
    with pytest.raises(Refused) as caught:
        sign_contract(now=NOW + timedelta(days=10), **sign)
    assert (caught.value.code, Order.objects.count(), Entitlement.objects.count()) == ("contract.past", 0, 0)
    assert sign_contract(now=NOW + timedelta(days=9), **sign).state == "signed"


def test_a_price_that_differs_from_the_list_is_refused_and_nothing_is_written() -> None:
    elder, body = make_elder(), health_centre()
    package = make_package(body)
    row = make_draft(elder, body=body, package=package)
    DoctorContract.objects.filter(pk=row.pk).update(price_fen=1)
    consent(elder)
    with pytest.raises(Refused) as caught:
        sign_contract(
            actor=actor("street", STREET), now=NOW, contract_id=row.pk, signed_by=elder.name, signed_as="self"
        )
    assert caught.value.code == "contract.price"
    assert (Order.objects.count(), Entitlement.objects.count()) == (0, 0)


def test_ending_ends_what_it_pays_for_after_the_last_day() -> None:
    row = make_signed()
    last = TODAY + timedelta(days=30)
    ended = end_contract(actor=actor("street", STREET), now=NOW, contract_id=row.pk, last_day=last, reason="搬家")
    given = Entitlement.objects.get(pk=row.entitlement_id)
    assert (ended.state, ended.last_day, given.valid_to) == ("ended", last, last + ONE_DAY)
    again = make_draft(Elder.objects.get(pk=row.elder_id), valid_from=last + ONE_DAY)
    assert (
        sign_contract(
            actor=actor("street", STREET), now=NOW, contract_id=again.pk, signed_by="王秀英", signed_as="self"
        ).state
        == "signed"
    )


def test_an_end_after_the_end_is_refused() -> None:
    row = make_signed()
    with pytest.raises(Refused) as caught:
        end_contract(actor=actor("street", STREET), now=NOW, contract_id=row.pk, last_day=row.valid_to, reason="x")
    assert caught.value.code == "contract.later"


def test_a_draft_can_be_dropped_and_then_not_signed() -> None:
    row = make_draft()
    cancel_contract(actor=actor("street", STREET), now=NOW, contract_id=row.pk, reason="填错")
    with pytest.raises(NotAllowed):
        sign_contract(actor=actor("street", STREET), now=NOW, contract_id=row.pk, signed_by="王秀英", signed_as="self")


def test_a_death_ends_the_contract_on_its_day() -> None:
    row = make_signed()
    elder = Elder.objects.get(pk=row.elder_id)
    bury_elder(actor=actor("street", STREET), now=NOW, elder_id=elder.pk, died_on=TODAY, evidence="死亡证明")
    assert (stop_after_leaving(system(), NOW), stop_after_leaving(system(), NOW)) == (1, 0)
    row.refresh_from_db()
    assert (row.state, row.last_day) == ("ended", TODAY)
    assert Entitlement.objects.get(pk=row.entitlement_id).valid_to == TODAY + ONE_DAY


def test_moving_away_ends_it_the_day_before_and_moving_within_the_city_takes_it_along() -> None:
    row, other = make_signed(), make_signed()
    fact(Elder.objects.get(pk=row.elder_id), "moved_away", valid_from=TODAY)
    Elder.objects.filter(pk=other.elder_id).update(div=NEIGHBOUR)
    assert (follow_elders(CITY), stop_after_leaving(system(), NOW)) == (1, 1)
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.state, row.valid_to, other.state, other.div) == ("ended", TODAY, "signed", NEIGHBOUR)


def test_contracts_that_ran_out_before_the_elder_moved_do_not_keep_others_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = make_signed()
    DoctorContract.objects.filter(pk=old.pk).update(valid_from=date(2025, 1, 1), valid_to=date(2026, 1, 1))
    new = make_signed()
    for row in (old, new):
        fact(Elder.objects.get(pk=row.elder_id), "moved_away", valid_from=TODAY)
    monkeypatch.setattr(contract_operations, "MOST_A_ROUND", 1)
    assert stop_after_leaving(system(), NOW) == 1
    new.refresh_from_db()
    assert new.state == "ended"


@pytest.mark.req("R-FAM-05", "R-FAM-06")
def test_the_call_list_is_sorted_by_need_and_leaves_out_who_has_a_contract() -> None:
    young, alone, ill, demented, disabled, old, served, dead = (
        make_elder(born_on=date(1960, 1, number + 1), **more)
        for number, more in enumerate([{}, {}, {}, {}, {}, {"name": "高老太"}, {}, {"died_on": TODAY}])
    )
    Elder.objects.filter(pk=old.pk).update(born_on=date(1940, 1, 1))
    fact(alone, "lives_alone")
    fact(ill, "chronic")
    fact(demented, "dementia")
    for one in (disabled, served, dead):
        make_assessment(one, level="severe", points=10)
    fact(demented, "lives_alone")
    make_signed(served)
    found = list(call_list(actor("district", STREET[:6]), TODAY))
    assert [row.pk for row in found] == [disabled.pk, demented.pk, alone.pk, ill.pk, old.pk]
    assert young.pk not in {row.pk for row in found}
    known = groups(CITY, TODAY)
    assert groups_of([demented.pk, disabled.pk], known) == {
        demented.pk: ["dementia", "lives_alone"],
        disabled.pk: ["disabled"],
    }
    assert [row.pk for row in call_list(actor("district", STREET[:6]), TODAY, group="chronic")] == [ill.pk]


def test_a_body_sees_its_contracts_and_no_others() -> None:
    row, _other = make_signed(), make_signed()
    manager = actor("provider_manager", organisation=row.provider)
    with scope(manager):
        assert [one.pk for one in contracts(manager)] == [row.pk]
        assert names_of([row])[row.pk].elder == "王秀英"
