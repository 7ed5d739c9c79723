"""What the line did, counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from tests.factories import (
    CITY,
    COMMUNITY,
    NOW,
    OTHER_COMMUNITY,
    TODAY,
    actor,
    make_call,
    make_callback,
    make_elder,
    make_organisation,
    make_seat,
    make_ticket,
)
from tests.hotline.played import talk

from yinling.ground.scope import scope
from yinling.hotline.models import Call, CallOffer, QualitySample, Seat, SeatSpan, Transfer
from yinling.hotline.operating import Counts
from yinling.hotline.queries import figures, line_measures, of_days, places, waiting_now, work_of_seats

pytestmark = pytest.mark.django_db
DAY = of_days(TODAY, TODAY, NOW + timedelta(hours=2))
HOUR = timedelta(hours=1)


def seconds(number: int) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.req("R-CALL-08")
def test_a_day_is_counted_by_district_and_hour_against_its_targets(wide: Any) -> None:
    seat, leader = actor("seat"), actor("line_leader")
    here, there = make_elder(), make_elder(div=OTHER_COMMUNITY)
    talk(seat, wait_s=15, talk_s=60, elder=here)
    talk(seat, wait_s=16, talk_s=120, elder=there, at=NOW + HOUR)
    talk(None, state="abandoned", wait_s=40)
    talk(None, state="message")
    talk(None, state="diverted", at=NOW + HOUR)
    make_call(rang_at=NOW)  # still rings: nobody knows yet
    talk(seat, is_outbound=True, talk_s=999)
    talk(seat, at=NOW - timedelta(days=1))
    late = talk(
        None, state="abandoned", at=NOW - timedelta(hours=10, minutes=0, seconds=1)
    )  # 23:59:59 of the day before
    with scope(leader):
        found, measures = line_measures(leader, DAY)
    assert found.total == Counts(5, 2, 1, 1, 1, 1, 31, 2, 180)
    assert {div: counts.arrived for div, counts in found.districts.items()} == {
        CITY: 3, COMMUNITY[:6]: 1, OTHER_COMMUNITY[:6]: 1
    }  # fmt: skip
    assert {hour: counts.arrived for hour, counts in found.hours.items()} == {10: 3, 11: 2}
    shown = {one.code: (one.hits, one.total, one.is_met) for one in measures}
    assert shown == {
        "answered": (2, 5, False), "in_time": (1, 2, False), "abandoned": (1, 5, False), "callback": (0, 0, None),
        "first_call": (0, 0, None), "quality": (0, 0, None),
    }  # fmt: skip
    assert late.pk


@pytest.mark.req("R-CALL-08")
def test_call_backs_on_time_and_first_calls(wide: Any) -> None:
    leader, seat = actor("line_leader"), actor("seat")
    calls = [talk(seat) for _ in range(5)]
    for number, (call, done) in enumerate(zip(calls, (9, 10, 11, None, None), strict=True)):
        row = make_callback(call=call, due_at=NOW + timedelta(minutes=10 if number < 4 else 600))
        if done:
            row.state, row.done_at = "done", NOW + timedelta(minutes=done)
            row.save()
    make_callback("satisfaction", due_at=NOW)
    end = calls[0].ended_at
    assert end
    quick = make_ticket("closed", call=calls[0], opened_at=NOW)
    slow, moved, open_, split = (make_ticket("closed", call=calls[place], opened_at=NOW) for place in (1, 2, 3, 4))
    for row, minutes in ((quick, 10), (slow, 11), (moved, 1), (split, 1)):
        row.closed_at = end + timedelta(minutes=minutes)
        row.save()
    open_.state, open_.closed_at = "handling", None
    open_.save()
    make_ticket("closed", parent=split)
    body = make_organisation()
    Transfer.objects.create(ticket=moved, div=moved.div, provider=body, reason="不属本部门", transferred_at=NOW)
    with scope(leader):
        _found, measures = line_measures(leader, DAY)
    shown = {one.code: (one.hits, one.total) for one in measures}
    assert shown["callback"] == (2, 4)  # due later than now: not yet; satisfaction is another matter
    assert shown["first_call"] == (1, 5)


@pytest.mark.req("R-CALL-08")
@pytest.mark.req("X-CALL-02")
def test_targets_are_data_of_the_city(wide: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    leader = actor("line_leader")
    talk(actor("seat"), wait_s=20)
    own = {"line.target.in_time_seconds": 20, "line.target.answered_share": 100}
    known = figures.parameter
    monkeypatch.setattr(figures, "parameter", lambda key, div, on: own.get(key) or known(key, div, on))
    with scope(leader):
        _found, measures = line_measures(leader, DAY)
    assert {one.code: (one.hits, one.target, one.is_met) for one in measures[:2]} == {
        "answered": (1, 100, True), "in_time": (1, 80, True)
    }  # fmt: skip


def test_who_waits_and_what_seats_do(wide: Any) -> None:
    leader = actor("line_leader")
    talking, ringing, ready, after, paused, off = (
        make_seat(actor("seat"), state=state) for state in ("ready", "ready", "ready", "paused", "paused", "off")
    )
    Seat.objects.filter(pk=after.pk).update(reason="wrap_up")
    Seat.objects.filter(pk=paused.pk).update(reason="meal")
    for number, seat in enumerate((talking, ringing, ready, after, paused)):
        SeatSpan.objects.create(div=CITY, seat=seat, state=seat.state, from_at=NOW - timedelta(minutes=number))
    call = make_call(rang_at=NOW - seconds(30))
    call.state, call.seat_id, call.answered_at = "answered", talking.user_id, NOW
    call.save()
    waiting = make_call(rang_at=NOW - seconds(50), rank=1)
    make_call(rang_at=NOW - seconds(20))
    CallOffer.objects.create(
        call=waiting, div=CITY, seat_id=ringing.user_id, offered_at=NOW + seconds(1), expires_at=NOW + seconds(20)
    )
    with scope(leader):
        now, seats = waiting_now(leader), {one.seat.pk: (one.doing, one.since, one.reason) for one in places(leader)}
    assert (now.count, now.by_rank, now.since) == (2, {1: 1, 2: 1}, NOW - seconds(50))
    assert seats == {
        talking.pk: ("talking", NOW, ""), ringing.pk: ("ringing", NOW + seconds(1), ""),
        ready.pk: ("ready", NOW - timedelta(minutes=2), ""), after.pk: ("after", NOW - timedelta(minutes=3), ""),
        paused.pk: ("paused", NOW - timedelta(minutes=4), "meal"), off.pk: ("off", None, ""),
    }  # fmt: skip


def test_what_a_seat_did_is_cut_at_the_ends_of_the_time(wide: Any) -> None:
    leader, person = actor("line_leader"), actor("seat")
    seat, idle = make_seat(person), make_seat(actor("seat"))
    start, now = DAY.start, DAY.now
    for state, reason, from_at, to_at in (
        ("ready", "", start - HOUR, start + HOUR), ("paused", "meal", start + HOUR, start + HOUR * 1.5),
        ("paused", "wrap_up", start + HOUR * 1.5, start + HOUR * 2), ("ready", "", now - HOUR, None),
        ("ready", "", start - HOUR * 9, start - HOUR * 8),
    ):  # fmt: skip
        SeatSpan.objects.create(div=CITY, seat=seat, state=state, reason=reason, from_at=from_at, to_at=to_at)
    call = talk(person, talk_s=60)
    talk(person, talk_s=121, is_outbound=True)
    CallOffer.objects.create(
        call=call, div=CITY, seat_id=person.user_id, offered_at=NOW, expires_at=NOW, ended_at=NOW, outcome="no_answer"
    )
    QualitySample.objects.create(
        call=call, div=CITY, seat_id=person.user_id, drawn_at=NOW, created_at=NOW, changed_at=NOW
    )
    QualitySample.objects.filter(call=call).update(state="scored", total=88)
    asked = make_callback("satisfaction", ticket=make_ticket("closed", call=call))
    asked.state, asked.done_at, asked.score = "done", NOW, 4
    asked.save()
    with scope(leader):
        rows = {one.seat.pk: one for one in work_of_seats(leader, DAY)}
    one = rows[seat.pk]
    assert (one.signed_in_s, one.ready_s, one.break_s, one.after_s) == (10_800, 7_200, 1_800, 1_800)
    assert (one.answered, one.made, one.missed, one.talked_s, one.talk_s) == (1, 1, 1, 181, 90)
    assert (one.quality, one.checked, one.satisfaction, one.asked) == (88.0, 1, 4.0, 1)
    assert (rows[idle.pk].signed_in_s, rows[idle.pk].quality) == (0, None)


def test_a_day_is_read_from_the_index_of_the_ring(wide: Any) -> None:
    """Among many calls of other days the day's are found without reading the others."""
    leader = actor("line_leader")
    rows = [
        Call(key=f"old:{number}", div=CITY, rang_at=NOW - timedelta(hours=number + 48), created_at=NOW, changed_at=NOW)
        for number in range(3000)
    ]
    Call.objects.bulk_create(rows, batch_size=500)
    with scope(leader), connection.cursor() as cursor:
        cursor.execute("ANALYZE hotline_call")
        plan = figures.inbound(leader, DAY).explain()
    assert "Seq Scan" not in plan
    assert "Index" in plan
