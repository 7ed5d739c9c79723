"""Alarms: who takes them up, whom the chain tells by when, and how they end."""

import threading
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from tests.devices.makers import make_device, message
from tests.devices.test_intake import contents, platform, report
from tests.factories import (
    CITY,
    COMMUNITY,
    NOW,
    OTHER_DISTRICT,
    STREET,
    WIDE,
    actor,
    make_call,
    make_contact,
    make_elder,
    make_organisation,
    make_representative,
    make_seat,
    make_user,
    system,
)
from tests.refusals import refused as no

from yinling.accounts.models import Journal, Notice
from yinling.devices.jobs import sweep_city
from yinling.devices.models import Alarm, AlarmStep
from yinling.devices.operations import (
    acknowledge_alarm,
    contact_alarm,
    depart_alarm,
    dismiss_alarm,
    escalate_alarm,
    resolve_alarm,
)
from yinling.ground.scope import scope
from yinling.hotline.models import Call, CallOffer
from yinling.hotline.operations import answer_call, offer_call
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale

pytestmark = pytest.mark.django_db


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    return no(who, kind, code, contents=contents)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def raised(elder: Any = None) -> Alarm:
    """A call for help as it comes in now."""
    who = platform()
    device = make_device(elder or make_elder())
    report(who, message(device))
    return Alarm.objects.get(device=device)


def act(who: Actor, verb: Any, alarm: Alarm, at: datetime = NOW, **values: Any) -> Alarm:
    with scope(who):
        row: Alarm = verb(actor=who, now=at, alarm_id=alarm.pk, **values)
    return row


def told(alarm: Alarm) -> dict[int, tuple[str, int]]:
    return {step.number: (step.outcome, step.told_count) for step in alarm.steps.all()}


def audience() -> tuple[Actor, dict[str, int]]:
    """A login of each kind that a chain tells; returns the seat and all their numbers."""
    found = {
        "seat": actor("seat"), "seat2": actor("seat"), "leader": actor("line_leader"), "community": actor("community", COMMUNITY),
        "station": actor("station", STREET), "volunteer": actor("volunteer", COMMUNITY), "far": actor("volunteer", STREET),
        "elsewhere": actor("community", "320281100200"),
    }  # fmt: skip
    return found["seat"], {name: one.user_id or 0 for name, one in found.items()}


@pytest.mark.req("R-IOT-01", "R-IOT-02", "R-IOT-04")
def test_from_the_call_for_help_to_the_contact_and_the_end(wide: Any) -> None:
    seat, alarm = actor("seat"), raised()
    make_seat(seat)
    act(seat, acknowledge_alarm, alarm, after(20), note="听到报警，正在拨打")
    alarm.refresh_from_db()
    assert (alarm.state, alarm.acknowledged_at, alarm.acknowledged_by_id, alarm.note) == (
        "acknowledged", after(20), seat.user_id, "听到报警，正在拨打",
    )  # fmt: skip
    call = Call.objects.get(pk=alarm.call_id)
    assert (call.state, call.seat_id, call.answered_at, call.ended_by) == ("ended", seat.user_id, after(20), "platform")
    act(seat, contact_alarm, alarm, after(50), contact="reached")
    act(seat, depart_alarm, alarm, after(90), helper="王芳（女儿）")
    done = act(seat, resolve_alarm, alarm, after(900), result="老人头晕，女儿已陪同就医")
    assert (done.state, done.contacted_at, done.departed_at, done.ended_at) == (
        "resolved",
        after(50),
        after(90),
        after(900),
    )
    assert (done.contacted_at or NOW) - done.received_at == timedelta(seconds=50)
    verbs = ["raise", "acknowledge", "contact", "depart", "resolve"]
    events = (
        Journal.objects.filter(subject_type="alarm", subject_id=alarm.pk).order_by("pk").values_list("event", flat=True)
    )
    assert list(events) == [f"devices.alarm.{verb}" for verb in verbs]


def test_the_second_seat_hears_who_was_first(wide: Any) -> None:
    seat, other, alarm = actor("seat"), actor("seat"), raised()
    act(seat, acknowledge_alarm, alarm)
    with refused(other, NotAllowed, "alarm.taken"):
        acknowledge_alarm(actor=other, now=NOW, alarm_id=alarm.pk, seen=0)


@pytest.mark.req("R-IOT-02")
def test_an_alarm_is_offered_to_a_seat_and_answering_takes_it_up(wide: Any) -> None:
    seat = actor("seat")
    make_seat(seat)
    make_call(number="19900008888", rang_at=after(-300))
    alarm = raised()
    line = system()
    with scope(line):
        offer = offer_call(actor=line, now=after(1))
    assert offer is not None
    assert (offer.call_id, offer.seat_id) == (alarm.call_id, seat.user_id)
    with scope(seat):
        answer_call(actor=seat, now=after(3), call_id=alarm.call_id or 0)
    assert sweep_city(line, after(4)) == 1
    alarm.refresh_from_db()
    assert (alarm.state, alarm.acknowledged_by_id, alarm.acknowledged_at) == ("acknowledged", seat.user_id, after(3))
    assert Call.objects.get(pk=alarm.call_id).state == "ended"
    assert not CallOffer.objects.filter(ended_at=None).exists()


def test_a_seat_in_a_conversation_takes_an_alarm_up_all_the_same(wide: Any) -> None:
    """The elder may well be the one on the telephone."""
    seat, alarm = actor("seat"), raised()
    make_call(number="19900008888", seat=seat)
    act(seat, acknowledge_alarm, alarm)
    call = Call.objects.get(pk=alarm.call_id)
    assert (call.state, call.ended_by) == ("abandoned", "platform")


def test_the_community_takes_an_alarm_up_from_its_own_page(wide: Any) -> None:
    worker, alarm = actor("community", COMMUNITY), raised()
    act(worker, depart_alarm, alarm, helper="网格员小王")
    alarm.refresh_from_db()
    assert (alarm.state, alarm.acknowledged_by_id, Call.objects.get(pk=alarm.call_id).state) == (
        "on_the_way", worker.user_id, "abandoned",
    )  # fmt: skip


@pytest.mark.req("R-IOT-01")
def test_the_chain_tells_one_after_the_other_within_two_seconds(wide: Any) -> None:
    elder = make_elder()
    make_contact(elder, phone="19900007771")
    make_contact(elder, phone="19900007772", kind="neighbour", rank=2)
    kin = make_user()
    make_representative(elder, kin)
    _seat, who = audience()
    alarm = raised(elder)
    assert told(alarm)[0] == ("told", 3)
    notices = dict(Notice.objects.values_list("user_id", "channel"))
    assert notices == {None: "sms", kin.pk: "screen"}
    line = system()
    assert sweep_city(line, after(59)) == 0
    for seconds in (60, 120, 180):
        assert sweep_city(line, after(seconds + 1)) == 1
        assert sweep_city(line, after(seconds + 1)) == 0
    by_step = {
        number: set(
            Notice.objects.filter(key__startswith=f"alarm:{alarm.pk}:{number}:").values_list("user_id", flat=True)
        )
        for number in (1, 2, 3)
    }
    assert by_step == {
        1: {who["seat"], who["seat2"], who["leader"]}, 2: {who["community"], who["station"], who["volunteer"]},
        3: {who["seat"], who["seat2"], who["leader"]},
    }  # fmt: skip
    assert Notice.objects.filter(channel="sms").count() == 2
    assert all(step.done_at - step.due_at <= timedelta(seconds=2) for step in alarm.steps.filter(number__gt=0))
    alarm.refresh_from_db()
    assert (alarm.rescue_at, alarm.state) == (after(181), "raised")


def test_a_stopped_sweeper_catches_up_at_once(wide: Any) -> None:
    audience()
    alarm = raised()
    assert sweep_city(system(), after(3600)) == 1
    assert {outcome for outcome, _count in told(alarm).values()} == {"told"}


def test_what_has_been_done_is_not_asked_for_again(wide: Any) -> None:
    seat, _who = audience()
    alarm = raised()
    act(seat, acknowledge_alarm, alarm, after(10))
    act(seat, contact_alarm, alarm, after(70), contact="no_answer")
    sweep_city(system(), after(121))
    act(seat, contact_alarm, alarm, after(130), contact="reached")
    sweep_city(system(), after(400))
    assert {number: outcome for number, (outcome, _count) in told(alarm).items()} == {
        0: "told", 1: "needless", 2: "told", 3: "needless",
    }  # fmt: skip


def test_nobody_speaking_asks_for_the_emergency_services_at_once(wide: Any) -> None:
    seat, _who = audience()
    alarm = raised()
    act(seat, acknowledge_alarm, alarm, after(10))
    act(seat, contact_alarm, alarm, after(30), contact="no_speech")
    alarm.refresh_from_db()
    assert (alarm.rescue_at, alarm.contacted_at) == (after(30), None)
    assert Notice.objects.filter(user_id=seat.user_id, key__startswith=f"alarm:{alarm.pk}:3:").count() == 1


def test_an_ended_alarm_has_no_deadline_left_and_a_new_call_is_a_new_alarm(wide: Any) -> None:
    seat, elder = actor("seat"), make_elder()
    alarm = raised(elder)
    act(seat, acknowledge_alarm, alarm, after(5))
    act(seat, dismiss_alarm, alarm, after(40), result="老人误按，声音正常")
    assert not AlarmStep.objects.filter(alarm=alarm, done_at=None).exists()
    assert sweep_city(system(), after(600)) == 0
    who = platform()
    report(who, message(alarm.device, seq=2, at=after(700)), now=after(700))
    assert list(Alarm.objects.order_by("pk").values_list("state", flat=True)) == ["false_alarm", "raised"]


def test_a_hint_tells_nobody_but_seats_at_first(wide: Any) -> None:
    elder = make_elder()
    make_contact(elder, phone="19900007771")
    who = platform()
    device = make_device(elder)
    report(who, message(device, "motion", data={"alarm": True}))
    row = Alarm.objects.get()
    assert (row.level, told(row)) == (2, {0: ("told", 1), 1: ("", 0)})
    assert not Notice.objects.exists()


@pytest.mark.parametrize("verb", [resolve_alarm, dismiss_alarm])
def test_an_alarm_does_not_end_untaken_or_without_words(wide: Any, verb: Any) -> None:
    seat, alarm = actor("seat"), raised()
    with refused(seat, NotAllowed, "state.not_allowed"):
        verb(actor=seat, now=NOW, alarm_id=alarm.pk, result="没事")
    act(seat, acknowledge_alarm, alarm)
    with refused(seat, Refused, "text.missing"):
        verb(actor=seat, now=NOW, alarm_id=alarm.pk, result=" ")


def test_an_ended_alarm_takes_nothing_more(wide: Any) -> None:
    seat, alarm = actor("seat"), raised()
    act(seat, acknowledge_alarm, alarm)
    act(seat, contact_alarm, alarm, contact="reached")
    with refused(seat, NotAllowed, "alarm.contacted"):
        contact_alarm(actor=seat, now=NOW, alarm_id=alarm.pk, contact="reached")
    act(seat, resolve_alarm, alarm, result="平安")
    with refused(seat, NotAllowed, "alarm.ended"):
        acknowledge_alarm(actor=seat, now=NOW, alarm_id=alarm.pk)
    with refused(seat, NotAllowed, "alarm.ended"):
        contact_alarm(actor=seat, now=NOW, alarm_id=alarm.pk, contact="reached")
    with refused(seat, NotAllowed, "state.not_allowed"):
        depart_alarm(actor=seat, now=NOW, alarm_id=alarm.pk, helper="张三")


def test_an_old_page_and_an_unknown_result_are_refused(wide: Any) -> None:
    seat, alarm = actor("seat"), raised()
    with refused(seat, Stale, "row.stale"):
        depart_alarm(actor=seat, now=NOW, alarm_id=alarm.pk, helper="张三", seen=0)
    with refused(seat, Refused, "choice.unknown"):
        contact_alarm(actor=seat, now=NOW, alarm_id=alarm.pk, contact="maybe")


@pytest.mark.parametrize(
    ("role", "div", "kind", "code"),
    [
        ("seat", OTHER_DISTRICT, NotFound, "row.not_found"), ("dispatcher", CITY, Denied, "right.missing"),
        ("device_platform", CITY, Denied, "right.missing"),
    ],
)  # fmt: skip
def test_who_may_not_take_an_alarm_up(wide: Any, role: str, div: str, kind: type[Refusal], code: str) -> None:
    who, alarm = actor(role, div), raised()
    with refused(who, kind, code):
        acknowledge_alarm(actor=who, now=NOW, alarm_id=alarm.pk)


def test_only_the_platform_itself_runs_the_chain(wide: Any) -> None:
    seat, alarm = actor("seat"), raised()
    with refused(seat, Denied, "right.missing"):
        escalate_alarm(actor=seat, now=NOW, alarm_id=alarm.pk)


@pytest.mark.req("R-IOT-03")
def test_a_facility_sees_and_takes_up_its_own_alarms(wide: Any) -> None:
    home, other = make_organisation(kind="care_home"), make_organisation(kind="care_home")
    manager, stranger = actor("provider_manager", organisation=home), actor("provider_manager", organisation=other)
    who, device = platform(), make_device(provider=home, kind="smoke", place="二楼走廊")
    report(who, message(device, "smoke"))
    alarm = Alarm.objects.get()
    with refused(stranger, NotFound, "row.not_found"):
        acknowledge_alarm(actor=stranger, now=NOW, alarm_id=alarm.pk)
    act(manager, acknowledge_alarm, alarm)
    sweep_city(system(), after(2))
    assert Call.objects.get(pk=Alarm.objects.get().call_id).state == "abandoned"


@pytest.mark.django_db(transaction=True)
def test_of_two_seats_at_once_one_takes_the_alarm_up() -> None:
    with scope(WIDE):
        seats, alarm = [actor("seat"), actor("seat")], raised()
    gate, said = threading.Barrier(2), []

    def press(seat: Actor) -> None:
        try:
            gate.wait()
            with scope(seat):
                acknowledge_alarm(actor=seat, now=NOW, alarm_id=alarm.pk)
            said.append("taken")
        except Refusal as refusal:
            said.append(refusal.code)
        finally:
            connection.close()

    workers = [threading.Thread(target=press, args=[seat]) for seat in seats]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(said) == ["alarm.taken", "taken"]
