import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.credit_code import ALPHABET, check_credit_code, credit_check_character, made_up_credit_code
from yinling.kernel.refusals import Refused


@pytest.mark.req("X-ID-02", "X-ID-02a")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("91350100M000100Y43", "91350100M000100Y43"),
        ("91350100m000100y43", "91350100M000100Y43"),
        (" 9135 0100 M000100Y43", "91350100M000100Y43"),
        ("52320200MJ00100030", "52320200MJ00100030"),
    ],
)
def test_a_good_code(text: str, code: str) -> None:
    assert check_credit_code(text) == code


@pytest.mark.req("X-ID-02")
def test_a_sum_divisible_by_31_gives_0() -> None:
    assert credit_check_character("52320200MJ0010003") == "0"


@pytest.mark.req("X-ID-02")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "credit_code.length"),
        ("91350100M000100Y4", "credit_code.length"),
        ("91350100I000100Y43", "credit_code.characters"),
        ("91350100M000100Y44", "credit_code.checksum"),
        ("91350100M000100Y34", "credit_code.checksum"),
    ],
)
def test_a_bad_code_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        check_credit_code(text)
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["123", "I" * 17])
def test_check_character_wants_17_of_the_alphabet(text: str) -> None:
    with pytest.raises(ValueError, match="17 characters"):
        credit_check_character(text)


@pytest.mark.req("X-ID-02")
@given(st.integers(0, 9_999_999), st.sampled_from(["12", "52", "91"]))
def test_a_made_up_code_is_right_in_form(serial: int, kind: str) -> None:
    code = made_up_credit_code(serial, kind)
    assert check_credit_code(code) == code
    assert code.startswith(f"{kind}990000")


@pytest.mark.parametrize("serial", [-1, 10_000_000])
def test_a_serial_outside_is_an_error(serial: int) -> None:
    with pytest.raises(ValueError, match="not between"):
        made_up_credit_code(serial)


@pytest.mark.req("X-ID-02")
@given(st.text(ALPHABET, min_size=17, max_size=17), st.integers(0, 16), st.integers(1, 30))
def test_one_wrong_character_is_always_noticed(first17: str, place: int, more: int) -> None:
    other = ALPHABET[(ALPHABET.index(first17[place]) + more) % 31]
    wrong = first17[:place] + other + first17[place + 1 :]
    assert credit_check_character(wrong) != credit_check_character(first17)
