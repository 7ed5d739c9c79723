"""How deductions and an advance of a statement fall on its parts and lines: no fen appears or is lost, and no part pays for another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.settlement.sharing import Part, Parts, less, shares, spread, whole_by_line

CARE, CURE = Part("eldercare", "general", 1, 2026), Part("medical", "general", 1, 2026)
OLD = Part("eldercare", "general", 1, 2025)
PARTS = (OLD, CARE, CURE)
"""In their fixed order: by business, fund, scheme, year."""


@pytest.mark.req("D-12")
@pytest.mark.parametrize(
    ("total", "parts", "found"),
    [
        (0, {CARE: 5}, {}),
        (100, {CURE: 1, CARE: 1, OLD: 1}, {OLD: 34, CARE: 33, CURE: 33}),
        (1, {CURE: 1, CARE: 2}, {CARE: 1}),
        (10, {CURE: 30, CARE: -20}, {CURE: 10}),
        (7, {CURE: 3, CARE: 4}, {CARE: 4, CURE: 3}),
    ],
)
def test_an_amount_is_spread_by_size_over_what_is_positive(total: int, parts: Parts, found: Parts) -> None:
    assert spread(total, parts) == found


def test_what_comes_to_nothing_is_left_out() -> None:
    assert less({CARE: 5, CURE: 7}, {CARE: 5, OLD: 2}) == {OLD: -2, CURE: 7}


@pytest.mark.req("R-PAY-05")
def test_deductions_and_an_advance_stay_within_their_part() -> None:
    found = shares({CARE: 8000, CURE: 4000}, named={CURE: 4000}, whole=500, offset={CARE: 3000})
    assert (found.deducted, found.offset, found.payable) == ({CURE: 4000, CARE: 500}, {CARE: 3000}, {CARE: 4500})


amounts = st.dictionaries(st.sampled_from(PARTS), st.integers(-500, 5000).filter(bool), min_size=1)


@pytest.mark.req("R-PAY-05", "D-12")
@given(amounts, st.data())
def test_what_is_deducted_offset_and_payable_is_the_whole_of_each_part(gross: Parts, data: st.DataObject) -> None:
    named = {part: data.draw(st.integers(0, fen)) for part, fen in gross.items() if fen > 0}
    room = sum(max(0, fen - named.get(part, 0)) for part, fen in gross.items())
    whole = data.draw(st.integers(0, room))
    found = shares(gross, named=named, whole=whole, offset={})
    assert sum(found.deducted.values()) == sum(named.values()) + whole
    for part, fen in gross.items():
        assert found.deducted.get(part, 0) + found.payable.get(part, 0) == fen
        assert fen <= 0 or named.get(part, 0) <= found.deducted.get(part, 0) <= fen
        assert fen > 0 or part not in found.deducted


lines = st.lists(st.tuples(st.sampled_from(PARTS), st.integers(-200, 3000)), min_size=1, max_size=9)


@pytest.mark.req("R-PAY-05", "D-12")
@given(lines, st.data())
def test_lines_bear_together_what_their_part_bears_and_none_more_than_it_has(
    rows: list[tuple[Part, int]], data: st.DataObject
) -> None:
    own = dict(enumerate(rows))
    net: Parts = {}
    for part, fen in rows:
        net[part] = net.get(part, 0) + fen
    over = spread(data.draw(st.integers(0, sum(fen for fen in net.values() if fen > 0))), net)
    found = whole_by_line(own, over)
    for part in PARTS:
        assert sum(fen for line, fen in found.items() if own[line][0] == part) == over.get(part, 0)
    assert all(0 <= fen <= own[line][1] for line, fen in found.items())


def test_equal_remainders_go_to_the_lowest_line() -> None:
    assert whole_by_line({9: (CARE, 50), 3: (CARE, 50), 5: (CURE, 50), 4: (CARE, -9)}, {CARE: 3}) == {3: 2, 9: 1}
