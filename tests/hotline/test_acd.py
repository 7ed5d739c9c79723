"""Who is first and which seat gets whom: tables of cases, and a slow model that is obviously right."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories import NOW

from yinling.hotline import acd
from yinling.hotline.acd import FreeSeat, Standing, Waiting, missing_people
from yinling.kernel.refusals import Denied, NotAllowed, Refusal, Refused

MARKED = {"marked_circumstances": ["dementia", "lives_alone"], "marked_levels": ["severe", "total"]}


@pytest.mark.parametrize(
    ("is_sos", "circumstances", "levels", "rank"),
    [
        (True, [], [], 0),
        (True, ["dementia"], ["total"], 0),
        (False, ["dementia"], [], 1),
        (False, ["chronic"], ["total"], 1),
        (False, ["chronic"], ["mild"], 2),
        (False, [], [], 2),
    ],
)
def test_alarms_come_before_marked_elders_and_these_before_others(
    is_sos: Any, circumstances: list[str], levels: list[str], rank: int
) -> None:
    assert acd.rank_of(is_sos=is_sos, circumstances=circumstances, levels=levels, **MARKED) == rank


def test_a_dialect_and_a_circumstance_ask_for_skills() -> None:
    asked = {"skill_of": {"bereaved": "psychology"}}
    assert acd.wanted_skills(dialect="吴语", circumstances=["bereaved"], **asked) == ["dialect", "psychology"]
    assert acd.wanted_skills(dialect=" 普通话 ", circumstances=["chronic"], **asked) == []
    assert acd.wanted_skills(dialect="", circumstances=[], **asked) == []


SKILLS = st.frozensets(st.sampled_from(["dialect", "medical", "policy"]), max_size=2)
DIVS = st.sampled_from(["3202", "320213", "320281"])


@st.composite
def calls(draw: Any) -> list[Waiting]:
    return [
        Waiting(
            number, draw(DIVS), draw(st.integers(0, 2)), NOW - timedelta(seconds=draw(st.integers(0, 5))), draw(st.sampled_from([1, 2])),
            draw(SKILLS), draw(st.frozensets(st.integers(101, 106), max_size=2)),
        )
        for number in range(draw(st.integers(0, 6)))
    ]  # fmt: skip


@st.composite
def seats(draw: Any) -> list[FreeSeat]:
    return [
        FreeSeat(
            number, 100 + number, draw(DIVS), draw(st.sampled_from([1, 2])), NOW - timedelta(seconds=draw(st.integers(-2, 4))), draw(SKILLS)
        )
        for number in range(1, draw(st.integers(1, 7)))
    ]  # fmt: skip


def slow_choice(waiting: list[Waiting], free: list[FreeSeat]) -> tuple[int, int] | None:
    """Look at every pair, throw away what may not be, and of the rest keep what nothing beats."""
    best: tuple[Any, int, int] | None = None
    for call in waiting:
        for seat in free:
            if seat.group_id != call.group_id or not call.div.startswith(seat.div):
                continue
            if seat.idle_since > NOW and call.rank != 0:
                continue
            badness = (call.rank, call.rang_at, call.call_id)
            badness += (seat.user_id in call.tried, bool(call.skills - seat.skills), seat.idle_since, seat.seat_id)  # type: ignore[assignment]
            if best is None or badness < best[0]:
                best = (badness, call.call_id, seat.seat_id)
    return (best[1], best[2]) if best else None


@given(calls(), seats())
def test_the_choice_is_that_of_the_slow_model(waiting: list[Waiting], free: list[FreeSeat]) -> None:
    found = next(acd.pairs(waiting, free, NOW), None)
    assert ((found[0].call_id, found[1].seat_id) if found else None) == slow_choice(waiting, free)


@given(calls(), seats())
def test_serving_until_nobody_is_free_gives_each_call_and_each_seat_once(
    waiting: list[Waiting], free: list[FreeSeat]
) -> None:
    given_out: list[tuple[int, int]] = []
    while found := next(acd.pairs(waiting, free, NOW), None):
        given_out.append((found[0].call_id, found[1].seat_id))
        waiting = [one for one in waiting if one is not found[0]]
        free = [one for one in free if one is not found[1]]
    assert len({call for call, _seat in given_out}) == len({seat for _call, seat in given_out}) == len(given_out)
    assert not any(acd.suits(call, seat, NOW) for call in waiting for seat in free)


BASE: dict[str, Any] = {
    "waited_s": 5, "place": 0, "misses": 0, "offers": 0, "is_staffed": True, "has_overflow": True, "has_duty": True,
}  # fmt: skip


@pytest.mark.req("R-CALL-06")
@pytest.mark.parametrize(
    ("differs", "step"),
    [
        ({}, "wait"),
        ({"waited_s": 39.9}, "wait"),
        ({"waited_s": 40}, "overflow"),
        ({"waited_s": 40, "place": 1}, "wait"),
        ({"waited_s": 80, "place": 1}, "overflow"),
        ({"misses": 1, "offers": 1}, "wait"),
        ({"misses": 2, "offers": 2}, "overflow"),
        ({"is_staffed": False}, "overflow"),
        ({"is_staffed": False, "has_overflow": False}, "divert"),
        ({"is_staffed": False, "has_overflow": False, "has_duty": False}, "message"),
        ({"misses": 2, "has_overflow": False}, "divert"),
        ({"misses": 2, "has_overflow": False, "has_duty": False}, "wait"),
        ({"offers": 5}, "divert"),
        ({"offers": 5, "has_duty": False}, "wait"),
        ({"offers": 5, "has_duty": False, "is_staffed": False}, "message"),
    ],
)
def test_a_waiting_call_goes_to_the_next_group_then_to_the_duty_phone_then_to_a_message(
    differs: dict[str, Any], step: str
) -> None:
    assert acd.next_step(Standing(**BASE | differs), overflow_s=40) == step


@given(
    st.builds(
        Standing, st.floats(0, 10_000), st.integers(0, 5), st.integers(0, 6), st.integers(0, 6), *[st.booleans()] * 3
    )
)
def test_nobody_waits_where_nobody_is(standing: Standing) -> None:
    if acd.next_step(standing, overflow_s=40) == "wait":
        assert standing.is_staffed


@pytest.mark.parametrize(
    ("typed", "dialled"),
    [
        ("139 1234 0001", "13912340001"),
        ("+86-13912340001", "13912340001"),
        ("0086 139 1234 0001", "13912340001"),
        ("013912340001", "13912340001"),
        ("(0510) 8123-4567", "051081234567"),
        ("01062345678", "01062345678"),
        ("021.62345678", "02162345678"),
        ("81234567", "81234567"),
        ("120", "120"),
        ("12345", "12345"),
    ],
)
def test_numbers_of_the_mainland_are_dialled(typed: str, dialled: str) -> None:
    assert acd.check_dial(typed, calls_this_hour=0, most_an_hour=60) == dialled


@pytest.mark.parametrize(
    "typed",
    [
        "0044 20 7946 0958", "+1 900 555 0100", "0085291234567", "16812345678", "16012345678", "4008123456", "95588", "118114", "12580",
        "1790013912340001", "*72", "#21#", "139123400011", "help", "999", "00", "１３９１２３４０００１", "13912340001;ext=9", "01234",
    ],
)  # fmt: skip
def test_foreign_paid_and_odd_numbers_are_not(typed: str) -> None:
    with pytest.raises(Refused) as refusal:
        acd.check_dial(typed, calls_this_hour=0, most_an_hour=60)
    assert (refusal.value.code, refusal.value.field) == ("dial.number", "number")


def test_a_seat_dials_no_more_than_a_person_can() -> None:
    assert acd.check_dial("120", calls_this_hour=59, most_an_hour=60) == "120"
    with pytest.raises(NotAllowed, match="60"):
        acd.check_dial("120", calls_this_hour=60, most_an_hour=60)
    with pytest.raises(Refused, match="号码"):
        acd.check_dial(" ", calls_this_hour=0, most_an_hour=60)


LATER = NOW + timedelta(minutes=1)
REFUSED: list[tuple[Any, type[Refusal], str]] = [
    (lambda: acd.check_own_seat(user_id=1, actor_id=2, is_leader=False), Denied, "seat.not_own"),
    (lambda: acd.check_not_talking(is_talking=True), NotAllowed, "seat.talking"),
    (lambda: acd.check_same_call(answered_by=1, seat_id=2), Denied, "call.other_seat_line"),
    (lambda: acd.check_transfer(is_free=True, is_near=True, is_same=True), Refused, "transfer.self"),
    (lambda: acd.check_transfer(is_free=False, is_near=True, is_same=False), NotAllowed, "transfer.busy"),
    (lambda: acd.check_transfer(is_free=True, is_near=False, is_same=False), Refused, "transfer.area"),
    (lambda: acd.check_extension("08"), Refused, "seat.number"),
    (lambda: acd.check_chain(1, 2, {2: 3, 3: 1}), Refused, "group.circle"),
    (lambda: acd.check_chain(1, 1, {}), Refused, "group.circle"),
    (lambda: acd.check_late(rang_at=LATER, answered_at=None, ended_at=NOW, now=LATER), Refused, "call.order"),
    (lambda: acd.check_late(rang_at=NOW, answered_at=None, ended_at=LATER, now=NOW), Refused, "call.order"),
    (lambda: acd.check_open(state="done"), NotAllowed, "callback.over"),
    (lambda: acd.check_callback_free(seat_id=1, actor_id=2), NotAllowed, "callback.taken"),
    (lambda: acd.check_score(kind="satisfaction", score=None), Refused, "callback.score"),
    (lambda: acd.check_score(kind="satisfaction", score=6), Refused, "callback.score"),
    (lambda: acd.check_score(kind="missed", score=5), Refused, "callback.no_score"),
]


@pytest.mark.parametrize(("ask", "kind", "code"), REFUSED)
def test_what_is_not_allowed_says_why(ask: Any, kind: type[Refusal], code: str) -> None:
    with pytest.raises(kind) as refusal:
        ask()
    assert refusal.value.code == code


def test_what_is_allowed_says_nothing() -> None:
    acd.check_own_seat(user_id=1, actor_id=1, is_leader=False)
    acd.check_own_seat(user_id=1, actor_id=2, is_leader=True)
    acd.check_not_talking(is_talking=False)
    acd.check_same_call(answered_by=1, seat_id=1)
    acd.check_transfer(is_free=True, is_near=True, is_same=False)
    acd.check_extension("8001")
    acd.check_chain(1, 2, {2: 3, 3: None})
    acd.check_late(rang_at=NOW, answered_at=NOW, ended_at=LATER, now=LATER)
    acd.check_open(state="open")
    acd.check_callback_free(seat_id=None, actor_id=2)
    acd.check_score(kind="satisfaction", score=5)
    acd.check_score(kind="missed", score=None)


@pytest.mark.req("X-CALL-01")
@pytest.mark.parametrize(
    ("leaders", "seats", "missing"), [(1, 3, (0, 0)), (0, 3, (1, 0)), (1, 2, (0, 1)), (0, 0, (1, 3)), (2, 9, (0, 0))]
)
def test_a_line_has_a_leader_and_three_seats(leaders: int, seats: int, missing: tuple[int, int]) -> None:
    assert missing_people(leaders=leaders, seats=seats, least=(1, 3)) == missing
