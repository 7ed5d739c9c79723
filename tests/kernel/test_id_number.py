from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.id_number import IdNumber, Sex, check_character, made_up
from yinling.kernel.refusals import Refused

TODAY = date(2026, 11, 21)


def with_check(first17: str) -> str:
    return first17 + check_character(first17)


@pytest.mark.req("X-ID-01")
@pytest.mark.parametrize(
    "text", ["11010519491231002X", "11010519491231002x", " 110105 19491231 002x", "１１０１０５19491231002Ｘ"]
)
def test_a_good_number(text: str) -> None:
    parsed = IdNumber.parse(text, TODAY)
    assert parsed == IdNumber("11010519491231002X", date(1949, 12, 31), "female", "110105")
    assert parsed.kind == "resident"
    assert not parsed.is_made_up


@pytest.mark.req("X-ID-01")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "id.length"),
        ("1101051949123100", "id.length"),
        ("1101051949123100211", "id.length"),
        ("1101051949123100AX", "id.characters"),
        ("X1010519491231002X", "id.characters"),
        ("11010549123100X", "id.characters"),
        ("110105194912310021", "id.checksum"),
        ("11010519491231012X", "id.checksum"),
        (with_check("11010519490231002"), "id.birth_date"),
        (with_check("11010519491331002"), "id.birth_date"),
        (with_check("11010500000101002"), "id.birth_date"),
        ("110105490231002", "id.birth_date"),
        (with_check("11010520261122002"), "id.future"),
    ],
)
def test_a_bad_number_is_refused_with_its_reason(text: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        IdNumber.parse(text, TODAY)
    assert caught.value.code == code
    assert "请核对" in caught.value.detail or "请对照" in caught.value.detail
    assert not text or text not in str(caught.value)


@pytest.mark.req("X-ID-01")
def test_a_child_born_today_is_accepted() -> None:
    assert IdNumber.parse(with_check("32021420261121001"), TODAY).sex == "male"


@pytest.mark.req("X-ID-01a")
@pytest.mark.parametrize("county", ["320204", "320281", "320681", "441502", "320222", "329005", "510229", "000000"])
def test_the_county_is_never_refused(county: str) -> None:
    parsed = IdNumber.parse(with_check(f"{county}19500101001"), TODAY)
    assert parsed.issued_in == county
    assert not parsed.known_prefix({"320213"})
    assert parsed.known_prefix({county})


@pytest.mark.req("X-ID-01c")
def test_an_old_number_of_15_digits_is_brought_to_18() -> None:
    assert IdNumber.parse("110105491231002", TODAY).number == "11010519491231002X"


@pytest.mark.req("X-ID-01c")
@pytest.mark.parametrize(
    ("prefix", "kind"), [("810000", "hk_permit"), ("820000", "macau_permit"), ("830000", "taiwan_permit")]
)
def test_residence_permits_follow_the_same_rule(prefix: str, kind: str) -> None:
    assert IdNumber.parse(with_check(f"{prefix}19500101001"), TODAY).kind == kind


def test_a_number_is_printed_masked() -> None:
    number = IdNumber.parse("11010519491231002X", TODAY)
    assert str(number) == "110***********002X"
    assert "1949" not in repr(number)


def test_check_character_wants_17_digits() -> None:
    with pytest.raises(ValueError, match="17 digits"):
        check_character("1234")


@pytest.mark.req("X-ID-01")
@given(st.integers(0, 4_999_999), st.dates(date(1900, 1, 1), TODAY), st.sampled_from(["male", "female"]))
def test_a_made_up_number_is_right_in_form_and_recognisable(serial: int, born: date, sex: Sex) -> None:
    number = made_up(serial, born, sex)
    assert IdNumber.parse(number.number, TODAY) == number
    assert (number.born, number.sex, number.issued_in[:2]) == (born, sex, "99")
    assert number.is_made_up


@given(st.lists(st.integers(0, 4_999_999), min_size=2, max_size=2, unique=True))
def test_different_serials_give_different_numbers(serials: list[int]) -> None:
    one, other = (made_up(serial, date(1940, 1, 1), "female") for serial in serials)
    assert one.number != other.number


@pytest.mark.parametrize("serial", [-1, 5_000_000])
def test_a_serial_outside_is_an_error(serial: int) -> None:
    with pytest.raises(ValueError, match="not between"):
        made_up(serial, date(1940, 1, 1), "male")


@pytest.mark.req("X-ID-01")
@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(place: int, more: int) -> None:
    good = "11010519491231002X"
    wrong = good[:place] + str((int(good[place]) + more) % 10) + good[place + 1 :]
    with pytest.raises(Refused):
        IdNumber.parse(wrong, TODAY)
