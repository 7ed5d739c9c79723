"""The green channel: one action tells a medical body with a summary; every step has its time, and who was told afterwards is noted."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from tests.factories import (
    COMMUNITY,
    DISTRICT,
    NOW,
    STREET,
    TODAY,
    actor,
    make_call,
    make_contact,
    make_elder,
    make_organisation,
)
from tests.refusals import refused as no

from yinling.accounts.models import Journal, Notice
from yinling.ground.scope import scope
from yinling.hotline.models import Call, Emergency, Handover
from yinling.hotline.operations import (
    accept_handover,
    advance_emergency,
    hand_over_call,
    inform_handover,
    open_handover,
)
from yinling.hotline.queries.handovers import nearest_health_centre
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.people.models import HealthFact

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=2)


def contents() -> dict[str, list[dict[str, Any]]]:
    models = (Call, Emergency, Handover, Notice)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    return no(who, kind, code, contents=contents)


def centre(div: str = STREET, **values: Any) -> Any:
    return make_organisation(kind="health_centre", div=div, insured=False, **values)


def allergic(elder: Any) -> None:
    row = HealthFact(div=elder.div, elder=elder, kind="allergy", body="医院", valid_from=TODAY, recorded_from=NOW)
    row.seal_field("content", "青霉素过敏")
    row.save()


def handed(seat: Actor, call: Call, **values: Any) -> Emergency:
    with scope(seat):
        return hand_over_call(actor=seat, now=NOW, call_id=call.pk, service="green", what="胸痛，出冷汗", **values)


@pytest.mark.req("R-REF-02", "R-CALL-02", "X-CALL-06")
def test_one_action_tells_the_health_centre_and_hands_over_a_summary(wide: Any) -> None:
    seat, elder, body = actor("seat"), make_elder(), centre(phone="19900003333")
    doctor, nurse = actor("doctor", organisation=body), actor("nurse", organisation=body)
    make_contact(elder, phone="19900007771")
    station = actor("station", STREET)
    allergic(elder)
    row = handed(seat, make_call(elder=elder, seat=seat))
    handover = Handover.objects.get(emergency=row)
    assert (handover.provider_id, handover.notified_at, handover.notified_count, handover.has_consent) == (
        body.pk,
        NOW,
        3,
        False,
    )
    assert (row.handed_over_at, row.contacts_told_at) == (NOW, NOW)
    told = set(Notice.objects.filter(key__startswith="handover:").values_list("user_id", flat=True))
    assert told == {doctor.user_id, nurse.user_id, None}
    assert station.user_id in set(Notice.objects.values_list("user_id", flat=True))
    assert not any(elder.name in one.text for one in Notice.objects.filter(key__startswith="handover:"))
    reading = Journal.objects.get(event="people.health.reveal")
    assert (reading.elder_id, reading.changes["is_emergency"]) == (elder.pk, True)
    with scope(doctor):
        shown = open_handover(actor=doctor, now=LATER, handover_id=handover.pk)
        accept_handover(actor=doctor, now=LATER, handover_id=handover.pk, answer="救护车已出发")
    (summary,) = shown.values()
    for words in (elder.name, "80岁", elder.household.address, "19900007771", "青霉素过敏", "胸痛"):
        assert words in summary, words
    handover.refresh_from_db()
    assert (handover.opened_at, handover.accepted_at, handover.accepted_by_id) == (LATER, LATER, doctor.user_id)
    assert "青霉素" not in str(Handover.objects.values().get())


@pytest.mark.req("R-REF-02")
def test_who_was_told_afterwards_is_noted_once(wide: Any) -> None:
    seat, _body = actor("seat"), centre()
    handed(seat, make_call(elder=make_elder(), seat=seat))
    row = Handover.objects.get()
    with scope(seat):
        done = inform_handover(actor=seat, now=LATER, handover_id=row.pk, informed="family")
    assert (done.informed, done.informed_at) == ("family", LATER)
    with refused(seat, NotAllowed, "handover.informed"):
        inform_handover(actor=seat, now=LATER, handover_id=row.pk, informed="self")
    with refused(seat, Refused, "choice.unknown"):
        inform_handover(actor=seat, now=LATER, handover_id=row.pk, informed="nobody")


@pytest.mark.req("R-CALL-02")
def test_every_step_of_an_emergency_has_its_time(wide: Any) -> None:
    seat, _body = actor("seat"), centre()
    row = handed(seat, make_call(elder=make_elder(), seat=seat))
    for minutes, step in enumerate(("accepted", "contacts_told", "arrived", "ended"), start=1):
        with scope(seat):
            row = advance_emergency(
                actor=seat, now=NOW + timedelta(minutes=minutes), emergency_id=row.pk, step=step, outcome="已送医" if step == "ended" else ""
            )  # fmt: skip
    minutes_after = [
        (getattr(row, f"{one}_at") - NOW).seconds // 60 for one in ("accepted", "contacts_told", "arrived", "ended")
    ]
    assert minutes_after == [1, 2, 3, 4]


def test_without_any_medical_body_nothing_stands_in_the_way(wide: Any) -> None:
    seat = actor("seat")
    row = handed(seat, make_call(elder=make_elder(), seat=seat))
    assert (row.service, Handover.objects.count()) == ("green", 0)


def test_a_caller_unknown_is_handed_over_too(wide: Any) -> None:
    seat, body = actor("seat"), centre(div=DISTRICT)
    doctor = actor("doctor", organisation=body)
    handed(seat, make_call(seat=seat), organisation_id=body.pk)
    with scope(doctor):
        assert open_handover(actor=doctor, now=LATER, handover_id=Handover.objects.get().pk) == {
            "急救摘要": "来电人身份不明，没有档案"
        }


def test_a_body_that_is_none_is_refused(wide: Any) -> None:
    seat = actor("seat")
    call = make_call(seat=seat)
    with refused(seat, Refused, "handover.organisation"):
        hand_over_call(actor=seat, now=NOW, call_id=call.pk, service="green", what="胸痛", organisation_id=10**9)


def test_the_nearest_health_centre_is_of_the_community_then_street_then_district(wide: Any) -> None:
    assert nearest_health_centre(COMMUNITY, TODAY) is None
    district, street = centre(div=DISTRICT), centre(div=STREET)
    centre(div=COMMUNITY, valid_to=TODAY)
    assert nearest_health_centre(COMMUNITY, TODAY) == street
    assert nearest_health_centre("320213099001", TODAY) == district


def test_another_body_sees_nothing_and_a_seat_reads_no_summary(wide: Any) -> None:
    seat, _body = actor("seat"), centre()
    handed(seat, make_call(elder=make_elder(), seat=seat))
    row, stranger = Handover.objects.get(), actor("doctor", organisation=make_organisation())
    with refused(stranger, NotFound, "row.not_found"):
        open_handover(actor=stranger, now=LATER, handover_id=row.pk)
    for verb in (open_handover, accept_handover):
        with refused(seat, Denied, "right.missing"):
            verb(actor=seat, now=LATER, handover_id=row.pk)


def test_a_second_acceptance_is_refused(wide: Any) -> None:
    seat, body = actor("seat"), centre()
    doctor = actor("doctor", organisation=body)
    handed(seat, make_call(elder=make_elder(), seat=seat))
    row = Handover.objects.get()
    with scope(doctor):
        accept_handover(actor=doctor, now=LATER, handover_id=row.pk)
    with refused(doctor, NotAllowed, "handover.accepted"):
        accept_handover(actor=doctor, now=LATER, handover_id=row.pk)


def test_a_devices_call_that_left_the_queue_is_handed_over_all_the_same(wide: Any) -> None:
    seat = actor("seat")
    call = make_call(elder=make_elder(), channel="device")
    with refused(seat, NotAllowed, "call.not_answered"):
        hand_over_call(actor=seat, now=NOW, call_id=call.pk, service="120", what="跌倒")
    Call.objects.filter(pk=call.pk).update(state="abandoned", ended_at=NOW, ended_by="platform")
    with scope(seat):
        assert hand_over_call(actor=seat, now=NOW, call_id=call.pk, service="120", what="跌倒").service == "120"
