"""How money that arrives is divided: the oldest first, no fen lost, what is left over kept; and how old what is open is."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from yinling.settlement.arriving import Owed, Paid, aged, allotted
from yinling.settlement.sharing import Part

CARE, CURE = Part("eldercare", "general", 1, 2026), Part("medical", "general", 2, 2026)
SPARE = Part("eldercare", "general", None, 2026)
MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


def test_the_oldest_statement_is_paid_first_and_the_next_as_far_as_the_money_goes() -> None:
    owed = [Owed(1, MAY, {CARE: 100}), Owed(2, JUNE, {CURE: 50, CARE: 60})]
    assert allotted(130, owed, 0, spare=SPARE) == [Paid(CARE, 100, 1, MAY), Paid(CARE, 30, 2, JUNE)]
    assert allotted(210, owed, 0, spare=SPARE) == [
        Paid(CARE, 100, 1, MAY),
        Paid(CURE, 50, 2, JUNE),
        Paid(CARE, 60, 2, JUNE),
    ]


def test_what_is_left_over_is_kept_and_pays_with_the_next_money() -> None:
    assert allotted(130, [Owed(1, MAY, {CARE: 100})], 0, spare=SPARE) == [Paid(CARE, 100, 1, MAY), Paid(SPARE, 30)]
    assert allotted(10, [Owed(2, JUNE, {CARE: 40})], 30, spare=SPARE) == [Paid(CARE, 40, 2, JUNE), Paid(SPARE, -30)]
    assert allotted(50, [], 30, spare=SPARE) == [Paid(SPARE, 50)]


def test_what_was_taken_back_after_it_was_paid_pays_with_it() -> None:
    owed = [Owed(1, MAY, {CARE: -20}), Owed(2, JUNE, {CARE: 70})]
    assert allotted(50, owed, 0, spare=SPARE) == [Paid(CARE, -20, 1, MAY), Paid(CARE, 70, 2, JUNE)]


PARTS = st.dictionaries(st.sampled_from([CARE, CURE]), st.integers(-50, 200).filter(bool), min_size=1)


@given(st.integers(1, 500), st.lists(PARTS, max_size=5), st.integers(0, 100))
def test_no_fen_is_lost_and_nothing_is_paid_twice(fen: int, parts: list[dict[Part, int]], kept: int) -> None:
    owed = [Owed(place, MAY, one) for place, one in enumerate(parts, 1)]
    found = allotted(fen, owed, kept, spare=SPARE)
    assert sum(one.fen for one in found) == fen
    assert kept + sum(one.fen for one in found if one.provider_id is None) >= 0
    for one in found:
        if one.provider_id is not None and one.fen > 0:
            assert one.fen <= parts[one.provider_id - 1][one.part]


def test_what_is_open_is_the_newest_of_what_was_owed() -> None:
    assert aged(100, [30, 40, 50]) == (30, 40, 30, 0)
    assert aged(200, [30, 40, 50]) == (30, 40, 50, 80)
    assert aged(100, [150, 0, 0]) == (100, 0, 0, 0)
    assert aged(-5, [30, 40, 50]) == (0, 0, 0, 0)
    assert aged(10, [-20, 5, 0]) == (0, 5, 0, 5)
