"""Places of an order, until when an offer holds, and who may take what: the rules alone."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from yinling.dispatch.offers import (
    ClaimTerms,
    check_claim,
    check_is_carer,
    check_people,
    check_release,
    check_releases,
    check_same_time,
    check_slot,
    may_claim,
    missing_slots,
    plan_offer_due,
    slot_to_change,
)
from yinling.kernel.period import SHANGHAI
from yinling.kernel.refusals import Refusal

TERMS = ClaimTerms(
    is_allowed=True, families=("daily_care",), urgent_too=False, most_open=2, release_hours=4, most_releases=3, release_days=30
)  # fmt: skip
EVERYTHING = {"is_open": True, "open_claims": 0, "releases": 0}


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-06-{text}").replace(tzinfo=SHANGHAI)


def code_of(check: Any, *args: Any, **values: Any) -> tuple[str, str]:
    with pytest.raises(Refusal) as refusal:
        check(*args, **values)
    assert refusal.value.detail
    return refusal.value.code, refusal.value.field


def with_terms(**values: Any) -> ClaimTerms:
    return ClaimTerms(**{**TERMS.__dict__, **values})


@pytest.mark.parametrize(
    ("needed", "taken", "missing"),
    [(1, [], [1]), (1, [1], []), (2, [], [1, 2]), (2, [1], [2]), (2, [2], [1]), (2, [1, 2], [])],
)
def test_the_places_that_nobody_has(needed: int, taken: list[int], missing: list[int]) -> None:
    assert missing_slots(needed, taken) == missing


def test_of_two_who_are_missing_both_are_named_or_none() -> None:
    check_people(carers_needed=1, missing=[1], staff_id=7, second_id=None)
    check_people(carers_needed=2, missing=[1, 2], staff_id=7, second_id=8)
    check_people(carers_needed=2, missing=[2], staff_id=7, second_id=None)
    two: dict[str, Any] = {"carers_needed": 2, "missing": [1, 2], "staff_id": 7}
    assert code_of(check_people, **two, second_id=None) == ("dispatch.second_missing", "second_id")
    assert code_of(check_people, **two, second_id=7) == ("dispatch.same_person", "second_id")
    assert code_of(check_people, **{**two, "missing": [2]}, second_id=8) == ("dispatch.one_missing", "second_id")
    one: dict[str, Any] = {"carers_needed": 1, "missing": [1], "staff_id": 7}
    assert code_of(check_people, **one, second_id=8) == ("dispatch.one_only", "second_id")


def test_a_place_exists_and_is_free() -> None:
    check_slot(carers_needed=2, taken=[1], slot=2)
    for slot in (0, 3):
        assert code_of(check_slot, carers_needed=2, taken=[], slot=slot)[0] == "dispatch.slot_unknown"
    assert code_of(check_slot, carers_needed=2, taken=[1], slot=1)[0] == "dispatch.slot_taken"


def test_whom_to_replace() -> None:
    assert slot_to_change(carers_needed=1, taken=[1], slot=None) == 1
    assert slot_to_change(carers_needed=2, taken=[1, 2], slot=2) == 2
    assert code_of(slot_to_change, carers_needed=2, taken=[1, 2], slot=None)[0] == "dispatch.slot_missing"
    assert code_of(slot_to_change, carers_needed=2, taken=[1], slot=2)[0] == "dispatch.slot_empty"
    assert code_of(slot_to_change, carers_needed=1, taken=[], slot=None)[0] == "dispatch.nobody"


def test_two_who_go_together_have_one_time() -> None:
    check_same_time(starts_at=at("16 10:00"), others=[])
    check_same_time(starts_at=at("16 10:00"), others=[at("16 10:00")])
    found = code_of(check_same_time, starts_at=at("16 10:30"), others=[at("16 10:00")])
    assert found == ("dispatch.time_fixed", "starts_at")


@pytest.mark.parametrize(
    ("now", "start", "due"),
    [
        ("15 14:00", "16 10:00", "15 20:00"),
        ("15 19:00", "16 10:00", "15 20:00"),
        ("15 19:01", "16 10:00", "15 20:01"),
        ("15 23:30", "16 10:00", "16 00:30"),
        ("16 08:30", "16 10:00", "16 09:30"),
        ("16 09:00", "16 10:00", "16 10:00"),
        ("16 09:30", "16 10:00", "16 10:00"),
        ("16 10:00", "16 10:00", "16 11:00"),
    ],
)
def test_a_published_plan_may_be_declined_the_evening_before_or_for_an_hour(now: str, start: str, due: str) -> None:
    assert plan_offer_due(at(now), at(start), minutes=60, evening_hour=20) == at(due)


@pytest.mark.parametrize(
    ("terms", "values", "answer"),
    [
        ({}, {}, True),
        ({"is_allowed": False}, {}, False),
        ({}, {"is_urgent": True}, False),
        ({"urgent_too": True}, {"is_urgent": True}, True),
        ({}, {"families": ["nursing"]}, False),
        ({}, {"families": ["daily_care", "nursing"]}, False),
        ({}, {"carers_needed": 2}, False),
        ({}, {"carers_needed": 2, "taken": 1}, True),
        ({}, {"taken": 1}, False),
    ],
)
def test_which_orders_are_open(terms: dict[str, Any], values: dict[str, Any], answer: bool) -> None:  # noqa: FBT001
    chosen = {"families": ["daily_care"], "is_urgent": False, "carers_needed": 1, "taken": 0, **values}
    assert may_claim(with_terms(**terms), **chosen) is answer


def test_who_may_take_one_more() -> None:
    check_claim(TERMS, **{**EVERYTHING, "open_claims": 1, "releases": 2})
    assert code_of(check_claim, with_terms(is_allowed=False), **EVERYTHING)[0] == "claim.not_allowed"
    for values, code in (
        ({"is_open": False}, "claim.not_open"), ({"open_claims": 2}, "claim.too_many"), ({"releases": 3}, "claim.released_often"),
    ):  # fmt: skip
        assert code_of(check_claim, TERMS, **{**EVERYTHING, **values})[0] == code
    assert code_of(check_is_carer, None)[0] == "claim.not_carer"
    assert check_is_carer(7) == 7


def test_until_when_an_order_is_given_back() -> None:
    start = at("16 10:00")
    given: dict[str, Any] = {
        "is_claimed": True,
        "starts_at": start,
        "now": start - timedelta(hours=4),
        "reason": "发烧",
    }
    check_release(TERMS, **given)
    check_releases(TERMS, releases=2)
    for values, code in (
        ({"now": start - timedelta(hours=4) + timedelta(seconds=1)}, "release.late"), ({"is_claimed": False}, "release.assigned"),
        ({"reason": " "}, "reason.missing"),
    ):  # fmt: skip
        assert code_of(check_release, TERMS, **{**given, **values})[0] == code
    assert code_of(check_releases, TERMS, releases=3)[0] == "claim.released_often"
