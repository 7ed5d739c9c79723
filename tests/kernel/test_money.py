from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.money import MOST_FEN, capital, parse_yuan, share_down, share_half_up, share_up, split, yuan
from yinling.kernel.refusals import Refused

FEN = st.integers(-(10**13), 10**13)


@pytest.mark.parametrize(
    ("fen", "text"),
    [(123450, "1,234.50"), (0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-123456789, "-1,234,567.89"), (100, "1.00")],
)
def test_yuan(fen: int, text: str) -> None:
    assert yuan(fen) == text


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (0, "零元整"),
        (123450, "壹仟贰佰叁拾肆元伍角整"),
        (-123450, "负壹仟贰佰叁拾肆元伍角整"),
        (100, "壹元整"),
        (110, "壹元壹角整"),
        (105, "壹元零伍分"),
        (111, "壹元壹角壹分"),
        (5, "伍分"),
        (50, "伍角整"),
        (1000, "壹拾元整"),
        (140950, "壹仟肆佰零玖元伍角整"),
        (600714, "陆仟零柒元壹角肆分"),
        (168032, "壹仟陆佰捌拾元叁角贰分"),
        (10700053, "壹拾万柒仟元伍角叁分"),
        (1640902, "壹万陆仟肆佰零玖元零贰分"),
        (100000700, "壹佰万零柒元整"),
        (10000500000, "壹亿零伍仟元整"),
        (1000000000000, "壹佰亿元整"),
        (10**14 * 2, "贰万亿元整"),
    ],
)
def test_capital(fen: int, text: str) -> None:
    assert capital(fen) == text


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1234.5", 123450),
        (" 1,234.50 元", 123450),
        ("¥0.05", 5),
        ("￥１，２３４．５６", 123456),
        ("-3", -300),
        ("1.500", 150),
        ("0", 0),
        ("0000000000000000001", 100),
        ("10000000000000", 10**15),
    ],
)
def test_parse_yuan(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "money.format"),
        ("abc", "money.format"),
        ("1,23.5", "money.format"),
        (".5", "money.format"),
        ("1.", "money.format"),
        ("--1", "money.format"),
        ("٣", "money.format"),
        ("1.005", "money.decimals"),
        ("99999999999999", "money.too_large"),
        ("10000000000000.01", "money.too_large"),
        ("9" * 5000, "money.too_large"),
    ],
)
def test_parse_yuan_refuses(text: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_yuan(text)
    assert caught.value.code == code


@given(st.text())
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    with suppress(Refused):
        assert abs(parse_yuan(text)) <= MOST_FEN


@given(FEN)
def test_what_is_written_can_be_read(fen: int) -> None:
    assert parse_yuan(yuan(fen)) == fen


@given(FEN, FEN)
def test_different_amounts_have_different_capitals(one: int, other: int) -> None:
    assert (capital(one) == capital(other)) == (one == other)


@pytest.mark.req("D-12")
@pytest.mark.parametrize(
    ("fen", "share", "down", "half_up", "up"),
    [
        (1000003, "70", 700002, 700002, 700003),
        (5, "50%", 2, 3, 3),
        (-5, "50", -2, -3, -3),
        (200, " 12.5 % ", 25, 25, 25),
        (100, Fraction(1, 3), 33, 33, 34),
        (100, Fraction(2, 3), 66, 67, 67),
        (0, "70", 0, 0, 0),
    ],
)
def test_shares(fen: int, share: Fraction | str, down: int, half_up: int, up: int) -> None:
    assert (share_down(fen, share), share_half_up(fen, share), share_up(fen, share)) == (down, half_up, up)


def test_a_share_that_is_no_number_is_an_error() -> None:
    with pytest.raises(ValueError, match="much"):
        share_up(1, "much")


@pytest.mark.req("D-12")
@given(FEN, st.fractions(0, 1))
def test_minimum_and_cap_hold(fen: int, share: Fraction) -> None:
    assert abs(share_down(fen, share)) <= abs(fen) * share <= abs(share_up(fen, share))
    assert abs(share_half_up(fen, share) - fen * share) <= Fraction(1, 2)
    assert share_half_up(-fen, share) == -share_half_up(fen, share)


@pytest.mark.req("D-12")
@pytest.mark.parametrize(
    ("total", "weights", "keys", "parts"),
    [
        (100, [1, 1, 1], None, [34, 33, 33]),
        (100, [1, 1, 1], [3, 2, 1], [33, 33, 34]),
        (100, [1, 1, 1], ["b", "a", "c"], [33, 34, 33]),
        (-100, [1, 1, 1], None, [-34, -33, -33]),
        (10, [0, 3, 0], None, [0, 10, 0]),
        (1, [1, 2], None, [0, 1]),
        (0, [0, 0], None, [0, 0]),
        (0, [], None, []),
        (100, [Fraction(1, 3), Fraction(2, 3)], None, [33, 67]),
    ],
)
def test_split(total: int, weights: list[int | Fraction], keys: list[int] | list[str] | None, parts: list[int]) -> None:
    assert split(total, weights, keys) == parts


def test_split_among_nobody_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        split(1, [0, 0])
    assert caught.value.code == "money.no_weights"


@pytest.mark.parametrize(("weights", "keys"), [([1, -1], None), ([1, 1], [1])])
def test_split_with_wrong_weights_is_an_error(weights: list[int], keys: list[int] | None) -> None:
    with pytest.raises(ValueError, match="every weight"):
        split(1, weights, keys)


@pytest.mark.req("D-12")
@given(FEN, st.lists(st.integers(0, 10**9), min_size=1).filter(any), st.randoms())
def test_parts_add_up_whatever_the_order(total: int, weights: list[int], random: object) -> None:
    parts = split(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, whole)) < 1
        assert weight or not part
    assert split(-total, weights) == [-part for part in parts]
    places = list(range(len(weights)))
    random.shuffle(places)  # type: ignore[attr-defined]
    assert split(total, [weights[place] for place in places], places) == [parts[place] for place in places]
