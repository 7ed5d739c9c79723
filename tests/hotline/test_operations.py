"""Calls, emergencies and tickets, as the desk writes them."""

import threading
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    NOW,
    OTHER_DISTRICT,
    WIDE,
    actor,
    make_call,
    make_contact,
    make_elder,
    make_organisation,
    make_ticket,
    system,
)
from tests.refusals import refused as no

from yinling.accounts.models import Journal, Notice
from yinling.ground.models import CalendarDay
from yinling.ground.scope import scope
from yinling.hotline.jobs import recount_area, ring_in_area, simulated_calls
from yinling.hotline.models import Call, Emergency, Ticket, TicketNote, Transfer
from yinling.hotline.operations import (
    abandon_call,
    advance_emergency,
    annotate_ticket,
    answer_call,
    close_ticket,
    hand_over_call,
    hang_up_call,
    identify_call,
    open_ticket,
    receive_call,
    recount_ticket,
    reopen_ticket,
    resolve_ticket,
    set_activity,
    split_ticket,
    take_ticket,
    transfer_ticket,
)
from yinling.hotline.rules import rings_in_minute
from yinling.interop.telephony.memory import MemoryTelephony
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale
from yinling.people.models import Contact

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)
PHONE = "19900009001"


def contents() -> dict[str, list[dict[str, Any]]]:
    """Every row that the hotline writes, but for the journal."""
    models = (Call, Emergency, Ticket, TicketNote, Transfer, Notice)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    """The body is refused, and no row of this context differs."""
    return no(who, kind, code, contents=contents)


# Calls


@pytest.mark.req("R-CALL-02")
def test_a_call_rings_with_the_elder_whose_number_it_is(wide: Any) -> None:
    elder, seat = make_elder(phone=PHONE), actor("seat")
    with scope(seat):
        call = receive_call(actor=seat, now=NOW, key="line-1", number="199 0000-9001")
    assert (call.state, call.elder_id, call.div, call.number_last4) == ("ringing", elder.pk, elder.div, "9001")
    assert call.unseal_field("number") == PHONE
    assert Journal.objects.get(event="hotline.call.receive").subject_id == call.pk


def test_a_number_of_nobody_and_a_withheld_number_ring_too(wide: Any) -> None:
    make_elder(phone=PHONE)
    seat = actor("seat")
    with scope(seat):
        unknown = receive_call(actor=seat, now=NOW, key="line-1", number="19900009999")
        withheld = receive_call(actor=seat, now=NOW, key="line-2", number="")
    assert (unknown.elder_id, unknown.div, unknown.number_last4) == (None, CITY, "9999")
    assert (withheld.elder_id, withheld.number_index, withheld.number_enc) == (None, None, None)


def test_a_number_shared_by_two_names_nobody(wide: Any) -> None:
    make_elder(phone=PHONE)
    make_elder(phone=PHONE)
    seat = actor("seat")
    with scope(seat):
        assert receive_call(actor=seat, now=NOW, key="line-1", number=PHONE).elder_id is None


def test_the_second_arrival_of_a_call_is_the_first(wide: Any) -> None:
    seat = actor("seat")
    with scope(seat):
        first = receive_call(actor=seat, now=NOW, key="line-1", number=PHONE)
        second = receive_call(actor=seat, now=LATER, key="line-1", number=PHONE)
    assert (second.pk, second.rang_at) == (first.pk, NOW)
    assert Call.objects.count() == Journal.objects.filter(event="hotline.call.receive").count() == 1


def test_a_number_that_is_none_is_refused(wide: Any) -> None:
    seat = actor("seat")
    with refused(seat, Refused, "call.number"):
        receive_call(actor=seat, now=NOW, key="line-1", number="help")


def test_the_memory_line_rings_each_time_anew(wide: Any) -> None:
    seat = actor("seat")
    with scope(seat):
        calls = [MemoryTelephony().ring(PHONE, actor=seat, now=NOW) for _ in range(2)]
    assert calls[0].pk != calls[1].pk


def test_of_two_seats_the_second_hears_that_the_call_is_taken(wide: Any) -> None:
    call, first, second = make_call(), actor("seat"), actor("seat")
    with scope(first):
        answered = answer_call(actor=first, now=LATER, call_id=call.pk, seen=0)
    assert (answered.state, answered.seat_id, answered.answered_at) == ("answered", first.user_id, LATER)
    with refused(second, NotAllowed, "call.taken"):
        answer_call(actor=second, now=LATER, call_id=call.pk, seen=0)


@pytest.mark.django_db(transaction=True)
def test_two_seats_answer_in_the_same_moment() -> None:
    with scope(WIDE):
        call, seats = make_call(), [actor("seat"), actor("seat")]
    results: list[str] = []
    gate = threading.Barrier(2)

    def run(seat: Actor) -> None:
        try:
            gate.wait()
            with scope(seat):
                answer_call(actor=seat, now=LATER, call_id=call.pk)
            results.append("answered")
        except NotAllowed as refusal:
            results.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(seat,)) for seat in seats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["answered", "call.taken"]


def test_a_seat_has_one_call_at_a_time(wide: Any) -> None:
    seat, first, second = actor("seat"), make_call(), make_call()
    with scope(seat):
        answer_call(actor=seat, now=NOW, call_id=first.pk)
    with refused(seat, NotAllowed, "call.busy"):
        answer_call(actor=seat, now=LATER, call_id=second.pk)


def test_only_the_seat_that_answered_hangs_up(wide: Any) -> None:
    seat, other, call = actor("seat"), actor("seat"), make_call()
    with scope(seat):
        answer_call(actor=seat, now=NOW, call_id=call.pk)
    with refused(other, Denied, "call.other_seat"):
        hang_up_call(actor=other, now=LATER, call_id=call.pk)
    with scope(seat):
        assert hang_up_call(actor=seat, now=LATER, call_id=call.pk).ended_at == LATER
    with refused(seat, NotAllowed, "state.not_allowed"):
        hang_up_call(actor=seat, now=LATER, call_id=call.pk)


def test_the_line_itself_ends_a_call_when_the_caller_hangs_up(wide: Any) -> None:
    call, line = make_call(seat=actor("seat")), system()
    with scope(line):
        assert hang_up_call(actor=line, now=LATER, call_id=call.pk).state == "ended"


def test_a_call_nobody_answered_is_abandoned_once(wide: Any) -> None:
    seat, call = actor("seat"), make_call()
    with scope(seat):
        assert abandon_call(actor=seat, now=LATER, call_id=call.pk).state == "abandoned"
    with refused(seat, NotAllowed, "state.not_allowed"):
        answer_call(actor=seat, now=LATER, call_id=call.pk)


def test_an_unknown_caller_is_identified(wide: Any) -> None:
    seat, call, elder = actor("seat"), make_call(), make_elder()
    with scope(seat):
        assert identify_call(actor=seat, now=LATER, call_id=call.pk, elder_id=elder.pk, seen=0).elder_id == elder.pk
    with refused(seat, Stale, "row.stale"):
        identify_call(actor=seat, now=LATER, call_id=call.pk, elder_id=elder.pk, seen=0)
    with refused(seat, NotFound, "row.not_found"):
        identify_call(actor=seat, now=LATER, call_id=call.pk, elder_id=10**9)


@pytest.mark.parametrize("role", ["carer", "dispatcher", "supervisor", "elder", "provider_manager"])
def test_the_desk_belongs_to_the_seat(wide: Any, role: str) -> None:
    who = actor(role)
    with refused(who, Denied, "right.missing"):
        receive_call(actor=who, now=NOW, key="line-1", number=PHONE)


def test_a_call_of_another_district_does_not_exist(wide: Any) -> None:
    call, seat = make_call(div=OTHER_DISTRICT), actor("seat", DISTRICT)
    with refused(seat, NotFound, "row.not_found"):
        answer_call(actor=seat, now=NOW, call_id=call.pk)


# Emergencies


@pytest.mark.req("R-CALL-02")
def test_an_emergency_is_handed_over_at_once_with_the_time_of_each_step(wide: Any) -> None:
    elder, seat = make_elder(), actor("seat")
    make_contact(elder, phone="19900005555")
    Contact.objects.filter(pk=make_contact(elder).pk).update(phone_enc=None)
    station, other = actor("station", COMMUNITY), actor("station", "320213021002")
    call = make_call(elder=elder, seat=seat)
    with scope(seat):
        row = hand_over_call(actor=seat, now=NOW, call_id=call.pk, service="120", what="胸痛，呼吸困难")
        advance_emergency(actor=seat, now=LATER, emergency_id=row.pk, step="arrived")
        end = LATER + timedelta(minutes=30)
        row = advance_emergency(actor=seat, now=end, emergency_id=row.pk, step="ended", outcome="送往市一院")
    times = (row.handed_over_at, row.contacts_told_at, row.arrived_at, row.ended_at, row.outcome)
    assert times == (NOW, NOW, LATER, end, "送往市一院")
    sms = Notice.objects.get(channel="sms")
    assert (sms.unseal_field("address"), sms.sent_at) == ("19900005555", None)
    assert list(Notice.objects.filter(channel="screen").values_list("user_id", flat=True)) == [station.user_id]
    assert other.user_id != station.user_id
    assert Ticket.objects.count() == 0


@pytest.mark.req("R-CALL-02")
def test_after_the_hand_over_an_ordinary_ticket_is_opened_by_hand(wide: Any) -> None:
    elder, seat = make_elder(), actor("seat")
    call = make_call(elder=elder, seat=seat)
    with scope(seat):
        hand_over_call(actor=seat, now=NOW, call_id=call.pk, service="120", what="跌倒")
        ticket = open_ticket(actor=seat, now=LATER, call_id=call.pk, kind="request", title="出院后需要照料")
    assert (ticket.elder_id, ticket.call_id, ticket.div) == (elder.pk, call.pk, elder.div)


def test_a_hand_over_without_known_elder_tells_nobody(wide: Any) -> None:
    seat = actor("seat")
    call = make_call(seat=seat)
    with scope(seat):
        row = hand_over_call(actor=seat, now=NOW, call_id=call.pk, service="119", what="起火")
        told = advance_emergency(actor=seat, now=LATER, emergency_id=row.pk, step="contacts_told")
    assert (row.elder_id, told.contacts_told_at, Notice.objects.count()) == (None, LATER, 0)


def test_what_a_hand_over_refuses(wide: Any) -> None:
    seat, dispatcher = actor("seat"), actor("dispatcher")
    ringing, call = make_call(), make_call(seat=seat)
    with scope(seat):
        row = hand_over_call(actor=seat, now=NOW, call_id=call.pk, service="120", what="跌倒")
    with refused(seat, NotAllowed, "call.not_answered"):
        hand_over_call(actor=seat, now=NOW, call_id=ringing.pk, service="120", what="跌倒")
    with refused(seat, NotAllowed, "emergency.twice"):
        hand_over_call(actor=seat, now=NOW, call_id=call.pk, service="120", what="跌倒")
    with refused(seat, Refused, "choice.unknown"):
        hand_over_call(actor=seat, now=NOW, call_id=call.pk, service="911", what="跌倒")
    with refused(seat, Refused, "text.empty"):
        hand_over_call(actor=seat, now=NOW, call_id=call.pk, service="110", what=" ")
    with refused(seat, Refused, "text.empty"):
        advance_emergency(actor=seat, now=NOW, emergency_id=row.pk, step="ended")
    with refused(dispatcher, Denied, "right.missing"):
        hand_over_call(actor=dispatcher, now=NOW, call_id=call.pk, service="110", what="盗窃")


# Tickets


@pytest.mark.req("R-CALL-04")
def test_a_ticket_comes_from_a_call_with_its_deadline(wide: Any) -> None:
    CalendarDay.objects.create(day=date(2026, 6, 19), kind="holiday", name="端午节", source="test")
    elder, seat = make_elder(), actor("seat")
    call = make_call(elder=elder, seat=seat)
    with scope(seat):
        ticket = open_ticket(
            actor=seat, now=NOW, call_id=call.pk, kind="complaint", family="nursing", title="护士迟到", text="两次"
        )
    assert (ticket.state, ticket.kind, ticket.family, ticket.channel) == ("open", "complaint", "nursing", "phone")
    assert (ticket.due_at, ticket.is_due_provisional) == (datetime(2026, 7, 3, 16, tzinfo=UTC), False)
    row = Journal.objects.get(event="hotline.ticket.open")
    assert (row.elder_id, row.changes["due_at"]) == (elder.pk, [None, "2026-07-03 16:00:00+00:00"])


@pytest.mark.req("R-CALL-14")
@pytest.mark.parametrize("channel", ["phone", "app", "device", "console", "visitor"])
def test_each_channel_is_kept(wide: Any, channel: str) -> None:
    elder, seat = make_elder(), actor("seat")
    with scope(seat):
        ticket = open_ticket(actor=seat, now=NOW, elder_id=elder.pk, kind="request", title="助浴", channel=channel)
    assert ticket.channel == channel


def test_an_elder_opens_a_ticket_for_herself_only(wide: Any) -> None:
    elder, other = make_elder(), make_elder()
    who = actor("elder", elders=(elder,))
    with scope(who):
        ticket = open_ticket(actor=who, now=NOW, elder_id=elder.pk, kind="request", title="助餐", channel="app")
    assert (ticket.elder_id, ticket.div) == (elder.pk, elder.div)
    with refused(who, NotFound, "row.not_found"):
        open_ticket(actor=who, now=NOW, elder_id=other.pk, kind="request", title="助餐")
    with refused(who, Denied, "right.outside"):
        open_ticket(actor=who, now=NOW, kind="request", title="助餐", div=COMMUNITY)


def test_an_emergency_ticket_is_urgent_and_due_today(wide: Any) -> None:
    seat = actor("seat")
    with scope(seat):
        ticket = open_ticket(actor=seat, now=NOW, kind="emergency", title="走失", div=COMMUNITY)
    assert (ticket.level, ticket.due_at) == ("urgent", datetime(2026, 6, 15, 16, tzinfo=UTC))


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"kind": "gossip"}, "choice.unknown"),
        ({"level": "highest"}, "choice.unknown"),
        ({"channel": "pigeon"}, "choice.unknown"),
        ({"family": "gardening"}, "choice.unknown"),
        ({"title": "  "}, "text.empty"),
    ],
)
def test_a_ticket_written_wrongly_is_refused(wide: Any, values: dict[str, str], code: str) -> None:
    seat = actor("seat")
    with refused(seat, Refused, code):
        open_ticket(actor=seat, now=NOW, div=COMMUNITY, **{"kind": "request", "title": "助餐", **values})


def test_a_ticket_outside_the_area_is_denied(wide: Any) -> None:
    seat = actor("seat", DISTRICT)
    with refused(seat, Denied, "right.outside"):
        open_ticket(actor=seat, now=NOW, div=OTHER_DISTRICT, kind="request", title="助餐")


@pytest.mark.req("R-CALL-05")
def test_a_transfer_names_its_reason_and_keeps_the_clock(wide: Any) -> None:
    seat, body = actor("seat"), make_organisation()
    manager = actor("provider_manager", organisation=body)
    ticket = make_ticket()
    with scope(seat):
        take_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, seen=0)
        moved = transfer_ticket(
            actor=seat,
            now=NOW + timedelta(days=1),
            ticket_id=ticket.pk,
            organisation_id=body.pk,
            reason="属其责任区",
            seen=1,
        )
    assert (moved.state, moved.provider_id, moved.seat_id) == ("open", body.pk, None)
    assert (moved.due_at, moved.opened_at) == (ticket.due_at, ticket.opened_at)
    step = Transfer.objects.get()
    assert (step.from_organisation_id, step.provider_id, step.reason) == (None, body.pk, "属其责任区")
    assert Notice.objects.get().user_id == manager.user_id
    with scope(manager):
        taken = take_ticket(actor=manager, now=LATER, ticket_id=ticket.pk)
        assert resolve_ticket(actor=manager, now=LATER, ticket_id=ticket.pk, result="已上门").state == "resolved"
    assert taken.seat_id == manager.user_id


def test_what_a_transfer_refuses(wide: Any) -> None:
    seat, body, closed = actor("seat"), make_organisation(), make_organisation(valid_to=date(2026, 6, 1))
    ticket = make_ticket(provider=body)
    with refused(seat, Refused, "transfer.same"):
        transfer_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, organisation_id=body.pk, reason="转")
    with refused(seat, Refused, "transfer.organisation"):
        transfer_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, organisation_id=closed.pk, reason="转")
    with refused(seat, Refused, "transfer.organisation"):
        transfer_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, organisation_id=10**9, reason="转")
    with refused(seat, Refused, "text.empty"):
        transfer_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, organisation_id=body.pk, reason=" ")
    with refused(seat, Stale, "row.stale"):
        transfer_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, organisation_id=body.pk, reason="转", seen=7)
    done = make_ticket(state="closed")
    with refused(seat, NotAllowed, "state.not_allowed"):
        transfer_ticket(actor=seat, now=NOW, ticket_id=done.pk, organisation_id=body.pk, reason="转")


@pytest.mark.req("R-CALL-05")
def test_a_parent_closes_only_after_all_its_children(wide: Any) -> None:
    seat, parent = actor("seat"), make_ticket(state="handling")
    bodies = [make_organisation(), make_organisation()]
    with scope(seat):
        children = [
            split_ticket(actor=seat, now=LATER, ticket_id=parent.pk, organisation_id=body.pk, title=body.short_name)
            for body in bodies
        ]
    assert [(child.provider_id, child.due_at, child.kind) for child in children] == [
        (body.pk, parent.due_at, parent.kind) for body in bodies
    ]
    for child in children:
        with refused(seat, NotAllowed, "ticket.children_open"):
            close_ticket(actor=seat, now=LATER, ticket_id=parent.pk, result="已办")
        with scope(seat):
            take_ticket(actor=seat, now=LATER, ticket_id=child.pk)
            close_ticket(actor=seat, now=LATER, ticket_id=child.pk, result="已办")
    with scope(seat):
        closed = close_ticket(actor=seat, now=LATER, ticket_id=parent.pk, result="已办")
    assert (closed.state, closed.closed_at, closed.result) == ("closed", LATER, "已办")
    with refused(seat, NotAllowed, "ticket.parent_closed"):
        reopen_ticket(actor=seat, now=LATER, ticket_id=children[0].pk, reason="没有解决")
    with scope(seat):
        reopen_ticket(actor=seat, now=LATER, ticket_id=parent.pk, reason="没有解决")
        again = reopen_ticket(actor=seat, now=LATER, ticket_id=children[0].pk, reason="没有解决")
    assert (again.state, again.closed_at) == ("handling", None)


def test_a_finished_ticket_is_not_split(wide: Any) -> None:
    seat, body, ticket = actor("seat"), make_organisation(), make_ticket(state="closed")
    with refused(seat, NotAllowed, "ticket.finished"):
        split_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, organisation_id=body.pk, title="分")


def test_verbs_in_the_wrong_state_and_without_words_are_refused(wide: Any) -> None:
    seat, fresh, handling = actor("seat"), make_ticket(), make_ticket(state="handling")
    with refused(seat, NotAllowed, "state.not_allowed"):
        close_ticket(actor=seat, now=NOW, ticket_id=fresh.pk, result="已办")
    with refused(seat, NotAllowed, "state.not_allowed"):
        resolve_ticket(actor=seat, now=NOW, ticket_id=fresh.pk, result="已办")
    with refused(seat, NotAllowed, "state.not_allowed"):
        take_ticket(actor=seat, now=NOW, ticket_id=handling.pk)
    with refused(seat, NotAllowed, "state.not_allowed"):
        reopen_ticket(actor=seat, now=NOW, ticket_id=handling.pk, reason="再办")
    with refused(seat, Refused, "text.empty"):
        close_ticket(actor=seat, now=NOW, ticket_id=handling.pk, result="")
    with refused(seat, Refused, "text.empty"):
        resolve_ticket(actor=seat, now=NOW, ticket_id=handling.pk, result="")


def test_a_provider_neither_closes_nor_passes_on_a_ticket(wide: Any) -> None:
    body, other = make_organisation(), make_organisation()
    manager, ticket = actor("provider_manager", organisation=body), make_ticket(provider=body, state="handling")
    foreign = make_ticket(provider=other)
    with refused(manager, Denied, "right.missing"):
        close_ticket(actor=manager, now=NOW, ticket_id=ticket.pk, result="已办")
    with refused(manager, Denied, "right.missing"):
        transfer_ticket(actor=manager, now=NOW, ticket_id=ticket.pk, organisation_id=other.pk, reason="不归我们")
    with refused(manager, NotFound, "row.not_found"):
        take_ticket(actor=manager, now=NOW, ticket_id=foreign.pk)


def test_a_message_reaches_the_elder_and_an_internal_note_does_not(wide: Any) -> None:
    elder, seat = make_elder(phone=PHONE), actor("seat")
    herself = actor("elder", elders=(elder,))
    ticket = make_ticket(elder=elder)
    with scope(seat):
        inner = annotate_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, text="家属态度差", is_internal=True)
        outer = annotate_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, text="明天上门", is_internal=False)
    sms = Notice.objects.get()
    assert (sms.text, sms.unseal_field("address"), sms.elder_id) == ("明天上门", PHONE, elder.pk)
    with scope(herself):
        assert list(TicketNote.objects.values_list("pk", flat=True)) == [outer.pk]
    assert inner.elder_id is None


def test_a_message_without_anybody_to_reach_is_refused(wide: Any) -> None:
    seat, ticket = actor("seat"), make_ticket()
    with refused(seat, Refused, "note.nobody"):
        annotate_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, text="明天上门", is_internal=False)
    with refused(seat, Refused, "text.empty"):
        annotate_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, text=" ")


# The calendar


@pytest.mark.req("X-CAL-03")
def test_a_provisional_deadline_is_counted_again_when_the_list_is_loaded(wide: Any) -> None:
    CalendarDay.objects.create(day=date(2026, 1, 1), kind="holiday", name="元旦", source="test")
    seat, jobs = actor("seat"), system()
    new_year = datetime(2026, 12, 31, 2, tzinfo=UTC)
    with scope(seat):
        ticket = open_ticket(actor=seat, now=new_year, kind="request", title="助餐", div=COMMUNITY)
    assert (ticket.due_at, ticket.is_due_provisional) == (datetime(2027, 1, 5, 16, tzinfo=UTC), True)
    assert recount_area(jobs) == 0
    CalendarDay.objects.create(day=date(2027, 1, 1), kind="holiday", name="元旦", source="test")
    assert recount_area(jobs) == 1
    ticket.refresh_from_db()
    assert (ticket.due_at, ticket.is_due_provisional) == (datetime(2027, 1, 6, 16, tzinfo=UTC), False)
    row = Journal.objects.get(event="hotline.ticket.recount")
    assert row.changes["due_at"] == ["2027-01-05 16:00:00+00:00", "2027-01-06 16:00:00+00:00"]
    assert recount_area(jobs) == 0


def test_a_child_is_counted_from_the_day_of_its_parent(wide: Any) -> None:
    jobs = system()
    parent = make_ticket(opened_at=datetime(2026, 12, 31, 2, tzinfo=UTC), is_due_provisional=True)
    child = make_ticket(parent=parent, opened_at=datetime(2027, 1, 4, 2, tzinfo=UTC), is_due_provisional=True)
    CalendarDay.objects.create(day=date(2026, 1, 1), kind="holiday", name="元旦", source="test")
    CalendarDay.objects.create(day=date(2027, 1, 1), kind="holiday", name="元旦", source="test")
    assert recount_area(jobs) == 2
    child.refresh_from_db()
    assert child.due_at == datetime(2027, 1, 6, 16, tzinfo=UTC)


def test_a_final_deadline_is_not_counted_again(wide: Any) -> None:
    jobs, ticket = system(), make_ticket()
    with refused(jobs, NotAllowed, "ticket.due_final"):
        recount_ticket(actor=jobs, now=NOW, ticket_id=ticket.pk)


def test_the_stream_rings_at_its_pace_and_gives_up(wide: Any, settings: Any) -> None:
    settings.DEMO = True
    make_elder(phone="13912340001", is_made_up=True)
    set_activity(actor=actor("seat"), now=NOW, calls_an_hour="60")
    assert ring_in_area(system(), 1, 600) == 1
    assert ring_in_area(system(), 1, 600) == 1  # the same tick again rings nobody twice
    call = Call.objects.get()
    assert (call.state, call.key) == ("ringing", "stream:600:0")
    Call.objects.update(rang_at=call.rang_at - timedelta(seconds=51))
    assert ring_in_area(system(), 0, 660) == 0
    assert Call.objects.get().state == "abandoned"


def test_only_a_demonstration_has_a_stream(wide: Any, settings: Any) -> None:
    settings.DEMO = False
    seat = actor("seat")
    with refused(seat, Refused, "activity.not_demo"):
        set_activity(actor=seat, now=NOW, calls_an_hour="20")
    assert simulated_calls(0) == 0


def test_an_hour_has_as_many_calls_as_its_pace() -> None:
    for pace in (0, 1, 6, 20, 60, 119):
        assert sum(rings_in_minute(minute, pace) for minute in range(17, 77)) == pace
