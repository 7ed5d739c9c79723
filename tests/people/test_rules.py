"""Decisions about elders, without a database."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.id_number import made_up
from yinling.kernel.refusals import Refused
from yinling.people.rules import (
    check_age,
    check_death,
    check_document,
    closeness,
    elder_code,
    is_within_one,
    name_keys,
)

TODAY = date(2026, 6, 15)


@pytest.mark.req("R-PEO-01")
@pytest.mark.parametrize(
    ("born", "code"),
    [
        (date(1966, 6, 15), None),
        (date(1966, 6, 16), "elder.under_60"),
        (date(1940, 2, 29), None),
        (date(2026, 6, 16), "elder.born_in_future"),
        (date(1900, 6, 15), "elder.too_old"),
    ],
)
def test_who_may_be_registered(born: date, code: str | None) -> None:
    if code is None:
        check_age(born, TODAY)
        return
    with pytest.raises(Refused) as refused:
        check_age(born, TODAY)
    assert (refused.value.code, refused.value.field) == (code, "born_on")


@pytest.mark.req("R-PEO-01")
def test_the_leap_day_child_is_60_on_28_february() -> None:
    check_age(date(1956, 2, 29), date(2016, 2, 29))
    check_age(date(1968, 2, 29), date(2028, 2, 29))
    with pytest.raises(Refused, match="under_60"):
        check_age(date(1968, 2, 29), date(2028, 2, 28))


def test_the_sentence_names_the_sixtieth_birthday() -> None:
    with pytest.raises(Refused) as refused:
        check_age(date(1966, 6, 16), TODAY)
    assert "2026-06-16" in refused.value.detail


BORN = date(1946, 3, 1)
GOOD = made_up(7, BORN, "female").number


@pytest.mark.req("X-ID-01", "X-ID-01c")
@pytest.mark.parametrize(
    ("id_type", "number", "code", "field"),
    [
        ("id", "", "id.missing", "id_number"),
        ("id", "12345", "id.length", "id_number"),
        ("id", GOOD[:-1] + ("1" if GOOD[-1] != "1" else "2"), "id.checksum", "id_number"),
        ("id", GOOD[:-1] + "字", "id.characters", "id_number"),
        ("residence_permit", GOOD, "id.kind", "id_type"),
        ("passport", "E1", "id.passport", "id_number"),
        ("none", GOOD, "id.not_expected", "id_number"),
    ],
)
def test_wrong_documents(id_type: str, number: str, code: str, field: str) -> None:
    with pytest.raises(Refused) as refused:
        check_document(id_type, number, born=BORN, sex="2", today=TODAY)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_good_documents() -> None:
    assert check_document("id", f" {GOOD.lower()} ", born=BORN, sex="2", today=TODAY).number == GOOD
    assert check_document("passport", "e12345678", born=BORN, sex="2", today=TODAY).number == "E12345678"
    assert check_document("none", "", born=BORN, sex="2", today=TODAY).number == ""


@pytest.mark.req("X-ID-01b")
def test_a_number_that_contradicts_the_form_is_noted_not_refused() -> None:
    document = check_document("id", GOOD, born=date(1946, 3, 2), sex="1", today=TODAY)
    assert document.conflicts == ("born_on", "sex")
    assert check_document("id", GOOD, born=BORN, sex="9", today=TODAY).conflicts == ()


@pytest.mark.parametrize(
    ("died_on", "code"),
    [(date(2026, 6, 16), "elder.died_in_future"), (date(1946, 2, 28), "elder.died_before_birth"), (TODAY, None)],
)
def test_when_a_death_may_be(died_on: date, code: str | None) -> None:
    if code is None:
        check_death(died_on, born=BORN, today=TODAY)
        return
    with pytest.raises(Refused) as refused:
        check_death(died_on, born=BORN, today=TODAY)
    assert (refused.value.code, refused.value.field) == (code, "died_on")


def test_keys_of_a_name_with_several_readings() -> None:
    keys = name_keys("单明")
    assert {("hanzi", "单明"), ("pinyin", "shanming"), ("pinyin", "danming"), ("initials", "sm")} <= keys
    assert {key for kind, key in keys if kind == "deletion"} == {"单明", "单", "明"}


@pytest.mark.parametrize(
    ("typed", "name", "rank"),
    [
        ("王秀英", "王秀英", 0),
        ("王秀", "王秀英", 1),
        ("王秀颖", "王秀英", 2),
        ("汪秀应", "王秀英", 3),
        ("李建国", "王秀英", None),
    ],
)
def test_how_close_a_found_name_is(typed: str, name: str, rank: int | None) -> None:
    assert closeness(typed, name) == rank


@given(st.text("甲乙丙丁", min_size=1, max_size=4), st.integers(0, 3), st.sampled_from("甲乙丙丁戊"))
def test_one_replaced_character_is_within_one(name: str, place: int, other: str) -> None:
    place = min(place, len(name) - 1)
    assert is_within_one(name[:place] + other + name[place + 1 :], name)
    assert is_within_one(name[:place] + name[place + 1 :], name)
    assert is_within_one(name, name[:place] + other + name[place:])


def test_more_than_one_change_is_not_within_one() -> None:
    assert not is_within_one("甲乙", "丙丁")
    assert not is_within_one("甲乙丙", "丙")
    assert not is_within_one("乙丙", "甲乙丁")


def test_code() -> None:
    assert elder_code(42) == "E-000042"
