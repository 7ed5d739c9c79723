"""Calls that seats make, calls entered after an outage, and who sees what of the line."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    NOW,
    OTHER_COMMUNITY,
    actor,
    make_call,
    make_callback,
    make_contact,
    make_elder,
    make_group,
    make_organisation,
    make_seat,
    system,
)
from tests.refusals import refused as no

from yinling.accounts.models import Journal
from yinling.ground.scope import scope
from yinling.hotline.models import Call, Callback, CallOffer, Seat, SeatSpan
from yinling.hotline.operations import (
    abandon_call,
    answer_call,
    cut_call,
    dial_call,
    enter_late_call,
    hang_up_call,
    identify_call,
)
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.people.models import Elder

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)
PHONE, OTHER_PHONE = "19900009001", "19900009002"


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    """The body is refused, and no row of the line differs."""
    models = (Call, CallOffer, Callback, Seat, SeatSpan)
    return no(
        who, kind, code, contents=lambda: {one.__name__: list(one.objects.order_by("pk").values()) for one in models}
    )


# Dialling


@pytest.mark.req("R-CALL-06")
def test_a_seat_dials_a_call_back_and_nobody_answering_counts_as_a_try(wide: Any) -> None:
    who, elder = actor("seat"), make_elder(phone=PHONE)
    make_seat(who)
    task = make_callback(call=make_call(number=PHONE, elder=elder))
    with scope(who):
        call = dial_call(actor=who, now=NOW, callback_id=task.pk)
        assert (call.is_outbound, call.state, call.seat_id, call.elder_id) == (True, "ringing", who.user_id, elder.pk)
        assert call.unseal_field("number") == PHONE
        abandon_call(actor=who, now=LATER, call_id=call.pk)
    task.refresh_from_db()
    assert (task.try_count, task.next_at, task.state, task.made_id) == (1, LATER + timedelta(minutes=15), "open", None)
    assert Callback.objects.count() == 1


def test_a_contact_is_dialled_and_connected(wide: Any) -> None:
    who, other, contact = actor("seat"), actor("seat"), make_contact(make_elder(), phone=OTHER_PHONE)
    with scope(who):
        call = dial_call(actor=who, now=NOW, contact_id=contact.pk)
        assert call.unseal_field("number") == OTHER_PHONE
    with refused(who, NotAllowed, "call.busy"):
        dial_call(actor=who, now=NOW, number="120")
    with refused(other, Denied, "call.other_seat_line"):
        answer_call(actor=other, now=NOW, call_id=call.pk)
    with scope(who):
        assert answer_call(actor=who, now=LATER, call_id=call.pk).state == "answered"


def test_toll_fraud_is_refused_and_journalled(wide: Any) -> None:
    who = actor("seat")
    with refused(who, Refused, "dial.number"):
        dial_call(actor=who, now=NOW, number="0085291234567")
    row = Journal.objects.get(event="hotline.call.dial")
    assert (row.is_refused, row.code, row.user_id) == (True, "dial.number", who.user_id)
    for number in range(60):
        make_call(is_outbound=True, seat_id=who.user_id, key=f"out-{number}", state="ringing")
    Call.objects.update(state="abandoned", ended_at=NOW)
    with refused(who, NotAllowed, "dial.too_many"):
        dial_call(actor=who, now=LATER, number="120")
    with scope(who):
        assert dial_call(actor=who, now=NOW + timedelta(hours=1), number="120").div == CITY


def test_whom_a_seat_does_not_see_it_does_not_dial(wide: Any) -> None:
    who, far = actor("seat", DISTRICT), make_elder(div=OTHER_COMMUNITY, phone=PHONE)
    relative = make_contact(far)
    with refused(who, NotFound, "row.not_found"):
        dial_call(actor=who, now=NOW, elder_id=far.pk)
    with refused(who, NotFound, "row.not_found"):
        dial_call(actor=who, now=NOW, contact_id=relative.pk)
    with refused(who, Refused, "dial.empty"):
        dial_call(actor=who, now=NOW)


def test_a_call_is_entered_after_an_outage_once(wide: Any) -> None:
    line, who, elder = system(), actor("seat"), make_elder(phone=PHONE)
    make_seat(who)
    times = {"rang_at": NOW, "ended_at": NOW + timedelta(seconds=50)}
    with scope(line):
        answered = enter_late_call(
            actor=line,
            now=LATER,
            key="a",
            number=PHONE,
            answered_at=NOW + timedelta(seconds=9),
            seat_id=who.user_id,
            **times,
        )
        missed = enter_late_call(actor=line, now=LATER, key="b", number=PHONE, **times)
        outside = enter_late_call(actor=line, now=LATER, key="c", answered_at=NOW, **times)
        assert enter_late_call(actor=line, now=LATER, key="a", number=PHONE, **times).pk == answered.pk
    assert [row.state for row in (answered, missed, outside)] == ["ended", "abandoned", "diverted"]
    assert (answered.elder_id, answered.is_entered_late, answered.seat_id) == (elder.pk, True, who.user_id)
    assert Callback.objects.get().call_id == missed.pk
    with refused(line, NotFound, "row.not_found"):
        enter_late_call(actor=line, now=LATER, key="d", answered_at=NOW, seat_id=10**9, **times)
    make_call(seat=who)
    with refused(line, NotAllowed, "call.busy"):
        enter_late_call(actor=line, now=LATER, key="e", answered_at=NOW, seat_id=who.user_id, **times)


# Who sees what


@pytest.mark.req("R-CALL-12")
def test_an_operator_company_sees_figures_and_never_who_called(wide: Any) -> None:
    company, other = make_organisation(kind="call_centre"), make_organisation(kind="call_centre")
    elder, who = make_elder(phone=PHONE), actor("seat")
    manager = actor("line_operator", organisation=company)
    call = make_call(elder=elder, number=PHONE, seat=who, provider=company)
    make_call(provider=other)
    with scope(manager):
        assert list(Call.objects.values_list("pk", flat=True)) == [call.pk]
        assert (Elder.objects.count(), Callback.objects.count(), CallOffer.objects.count()) == (0, 0, 0)
    for verb in (hang_up_call, abandon_call, cut_call):
        with refused(manager, Denied, "right.missing"):
            verb(actor=manager, now=NOW, call_id=call.pk)
    with refused(manager, Denied, "right.missing"):
        identify_call(actor=manager, now=NOW, call_id=call.pk, elder_id=elder.pk)
    with refused(manager, Denied, "right.missing"):
        dial_call(actor=manager, now=NOW, number="120")
    assert not manager.rights & {"hotline.call.view", "people.elder.view", "people.elder.reveal", "hotline.ticket.view"}


@pytest.mark.req("R-CALL-12")
def test_a_seat_of_a_company_sees_no_more_than_its_area(wide: Any) -> None:
    company, who = make_organisation(kind="call_centre"), actor("seat", DISTRICT)
    make_seat(who, group=make_group(div=DISTRICT, provider=company))
    near, far = make_call(div=COMMUNITY), make_call(div=OTHER_COMMUNITY)
    with scope(who):
        assert list(Call.objects.values_list("pk", flat=True)) == [near.pk]
    with refused(who, NotFound, "row.not_found"):
        answer_call(actor=who, now=NOW, call_id=far.pk)
