"""The list and its prices: what fits on record, what is read, what is refused."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.catalogue.rules import (
    OnRecord,
    PriceLine,
    check_basics,
    check_first_day,
    check_items,
    check_publisher,
    fit,
    parse_distances,
    parse_package,
    parse_prices,
)
from yinling.kernel.refusals import Refused

MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)


def code_of(call: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(Refused) as refusal:
        call(*args, **kwargs)  # type: ignore[operator]
    return refusal.value.code


def test_the_first_price_is_open_ended() -> None:
    assert fit([], JUNE) == fit([], JUNE).__class__(None, (), ())


def test_a_new_price_shortens_the_one_before_and_ends_where_a_later_one_begins() -> None:
    place = fit([OnRecord(1, MAY, JULY), OnRecord(2, JULY, None)], JUNE)
    assert (place.valid_to, place.closed, place.shortened) == (JULY, (1,), (1,))


def test_a_new_price_of_the_same_first_day_takes_the_place_of_the_old() -> None:
    place = fit([OnRecord(1, JUNE, None)], JUNE)
    assert (place.valid_to, place.closed, place.shortened) == (None, (1,), ())


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8))
def test_after_any_publications_each_day_has_one_price_of_the_latest_first_day(offsets: list[int]) -> None:
    rows: dict[int, OnRecord] = {}
    for key, offset in enumerate(offsets):
        first = MAY + timedelta(days=offset)
        place = fit(rows.values(), first)
        for closed in place.closed:
            old = rows.pop(closed)
            if closed in place.shortened:
                rows[100 * (key + 1) + closed] = OnRecord(100 * (key + 1) + closed, old.valid_from, first)
        rows[key] = OnRecord(key, first, place.valid_to)
    for number in range(31):
        day = MAY + timedelta(days=number)
        holding = [
            row for row in rows.values() if row.valid_from <= day and (row.valid_to is None or day < row.valid_to)
        ]
        earlier = [offset for offset in offsets if offset <= number]
        assert [row.valid_from for row in holding] == ([MAY + timedelta(days=max(earlier))] if earlier else [])


def test_a_list_is_read_line_by_line() -> None:
    assert parse_prices("A01, 80.00\n\n  B02；1,200元; 30 ".replace("1,200", "1200")) == [
        PriceLine("A01", 8000),
        PriceLine("B02", 120000, 3000),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffA01,1234.00,15\r\nB02,80",
        "A01\t1,234.00\t15\t\r\nB02\t80\t\t",
        'A01,"1,234.00",15\nB02,80,',
        "Ａ０１，１２３４．００，１５\nB02　８０",
        "A01; 1234元; ¥15\nB02 80.00",
    ],
)
def test_what_is_pasted_from_a_spreadsheet_or_typed_in_full_width_reads_the_same(text: str) -> None:
    assert parse_prices(text) == [PriceLine("A01", 123400, 1500), PriceLine("B02", 8000)]


@pytest.mark.req("R-PAY-02")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A01,1,234.00", "price_list.thousands"),
        ("A01, 1,234.00", "price_list.thousands"),
        ("A01,100,150", "price_list.thousands"),
        ("A01，1,234.00，15", "price_list.thousands"),
        ("A01,,15", "price_list.amount"),
        ("A01\t\t15", "price_list.amount"),
        ("A01, 1 234.00", "price_list.line"),
        ("A01, 100 150", "price_list.line"),
    ],
)
def test_a_line_with_two_readings_is_refused_and_never_guessed(text: str, code: str) -> None:
    """``1,234.00`` is not one yuan with a call-out fee of 234, and an empty price not the fee beside it."""
    assert code_of(parse_prices, text) == code
    assert parse_prices("A01,100.00,150.00") == [PriceLine("A01", 10000, 15000)]
    assert parse_prices("RN01,100") == [PriceLine("RN01", 10000)]


def test_zeros_before_a_number_hide_nothing_of_it() -> None:
    assert parse_distances("320213, 0004200") == {"320213": 4200}
    assert code_of(parse_distances, "320213, 0000000900000000") == "callout.distance"
    assert code_of(parse_distances, "320213, 000900000") == "callout.distance"
    assert code_of(parse_package, "NU01, 00009999, 项目") == "package.count"
    assert code_of(parse_package, "NU01, 00019999, 项目") == "package.count"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "price_list.empty"),
        ("A01", "price_list.line"),
        ("A01, 80, 10, 5", "price_list.line"),
        ("A01, 面议", "price_list.amount"),
        ("A01, 80.001", "price_list.amount"),
        ("A01, -80", "price_list.negative"),
        ("A01, 80\nA01, 90", "price_list.item_twice"),
        ("\n".join(f"A{number}, 1" for number in range(501)), "price_list.long"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused(text: str, code: str) -> None:
    assert code_of(parse_prices, text) == code


@pytest.mark.req("R-PAY-02")
def test_an_item_outside_the_list_cannot_be_priced() -> None:
    assert code_of(check_items, [PriceLine("X", 1)], {"A"}, set()) == "price_list.item_unknown"
    assert code_of(check_items, [PriceLine("A", 1, 5)], {"A"}, set()) == "price_list.callout"
    check_items([PriceLine("A", 1, 5)], {"A"}, {"A"})


def test_one_person_does_not_draft_and_publish() -> None:
    assert code_of(check_publisher, drafted_by=1, publisher=1) == "price_list.two_persons"
    assert code_of(check_publisher, drafted_by=1, publisher=None) == "price_list.two_persons"
    check_publisher(drafted_by=1, publisher=2)


def test_prices_do_not_begin_in_the_past() -> None:
    assert code_of(check_first_day, MAY, JUNE) == "price_list.past"
    check_first_day(JUNE, JUNE)


@pytest.mark.req("R-ORD-10")
def test_the_five_basic_services_stay_in_the_list() -> None:
    basics = ["meal", "rescue"]
    assert code_of(check_basics, {"meal"}, basics, {"rescue": "紧急救援"}) == "item.last_basic"
    check_basics({"meal", "rescue", "bathing"}, basics, {})
