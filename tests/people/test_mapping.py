"""Which column means what, which community is meant, and what a row wants: from real headings of departments."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from yinling.kernel.id_number import made_up
from yinling.kernel.refusals import Refused
from yinling.people.mapping import Reading, data_rows, header_row, headings, problems_of, propose
from yinling.people.matching import Candidate, Held, Keys, OnFile, difference, verdict
from yinling.people.places import Place, Places
from yinling.people.wanted import RowReader, Sense, Truth, Wanted

TODAY = date(2026, 6, 15)
NUMBER = made_up(710_001, date(1946, 3, 1), "female").number
AREAS = [
    ("3202", "无锡市", "无锡", "city"), ("320213", "梁溪区", "梁溪", "district"), ("320213021", "崇安寺街道", "崇安寺", "street"),
    ("320213021001", "公园社区居委会", "公园社区", "community"), ("320213022", "江海街道", "江海", "street"),
    ("320213022001", "公园社区居委会", "公园社区", "community"), ("320281", "江阴市", "江阴", "district"), ("320281100", "璜土镇", "璜土", "street"),
    ("320281100200", "利城村委会", "利城村", "community"),
]  # fmt: skip
CIVIL = [
    "序号",
    "老人姓名",
    "性别",
    "身份证号码（必填）",
    "出生年月",
    "本人联系电话",
    "所属街道",
    "社区",
    "家庭住址",
    "救助类别",
    "紧急联系人",
    "紧急联系人电话",
    "是否独居",
]


def places(own: str = "3202") -> Places:
    return Places([Place(*area) for area in AREAS], own)


DEPARTMENTS = [
    ("civil_affairs", CIVIL, ["", "name", "sex", "id_number", "born_on", "phone", "street", "div", "address", "circumstance", "contact_name",
                              "contact_phone", "is.lives_alone"]),
    ("disabled_federation", ["姓名", "残疾证号", "身份证号", "残疾类别", "残疾等级", "发证日期", "现住址"],
     ["name", "", "id_number", "disability_kind", "disability_grade", "circumstance_from", "address"]),
    ("insurance", ["参保人姓名", "社会保障号码", "病种名称", "认定日期", "个人编号"], ["name", "id_number", "health.diagnosis", "health_on", ""]),
    ("health", ["姓 名", "证件号码", "药物过敏", "病种", "体检日期", "接种禁忌"],
     ["name", "id_number", "health.allergy", "health.diagnosis", "health_on", "health.contraindication"]),
    ("police", ["姓名", "公民身份号码", "死亡日期"], ["name", "id_number", "died_on"]),
]  # fmt: skip


@pytest.mark.parametrize(("department", "heads", "expected"), DEPARTMENTS, ids=[one[0] for one in DEPARTMENTS])
def test_columns_are_proposed_for_each_department(department: str, heads: list[str], expected: list[str]) -> None:
    found = propose(heads, saved={}, department=department)
    assert list(found.values()) == expected
    assert problems_of(found) == []


def test_what_people_chose_before_wins_and_no_meaning_is_given_twice() -> None:
    heads = ["姓名", "曾用名", "电话", "手机"]
    assert propose(heads, saved={"曾用名": "name", "电话": ""}) == {
        "姓名": "",
        "曾用名": "name",
        "电话": "",
        "手机": "phone",
    }


def test_the_header_is_found_below_a_title_and_twin_headings_are_told_apart() -> None:
    rows: list[list[Any]] = [
        ["2026年名单", "2026年名单", "2026年名单", "2026年名单"], ["本人", "本人", "联系人", "联系人"], ["姓名", "电话", "姓名", "电话"],
        ["王", "1", "李", "2"],
        [None, "", " ", None], ["姓名", "电话", "姓名", "电话"], ["赵", "3", "钱", "4"],
    ]  # fmt: skip
    assert header_row(rows) == 2
    assert headings(rows, 2) == ["本人姓名", "本人电话", "联系人姓名", "联系人电话"]
    assert [number for number, _ in data_rows(rows, 2)] == [4, 7]
    assert headings([["甲", "甲", None]], 0) == ["甲", "甲 2", "第3列"]
    assert headings([], 0) == []


@pytest.mark.parametrize(
    ("text", "hints", "expected"),
    [
        ("320213021001", (), "320213021001"), ("320281100200000", (), "320281100200"), ("利城", (), "320281100200"), ("利城村", (), "320281100200"),
        ("江阴市璜土镇利城村委会", (), "320281100200"), ("崇安寺街道公园社区", (), "320213021001"), ("公园社区", ("江海街道",), "320213022001"),
        ("公园", ("江海", "梁溪区"), "320213022001"), ("公园社区", (), "place.ambiguous"), ("公园社区", ("璜土镇",), "place.unknown"),
        ("320213021", (), "place.level"), ("320213", (), "place.unknown"), ("999999999999", (), "place.unknown"), ("火星社区", (), "place.unknown"),
    ],
)  # fmt: skip
def test_a_community_is_found_by_code_name_or_path(text: str, hints: tuple[str, ...], expected: str) -> None:
    try:
        assert places().find(text, *hints) == expected
    except Refused as refusal:
        assert refusal.code == expected  # noqa: PT017 - one table for both


def test_the_name_of_another_area_is_outside_unless_one_is_within() -> None:
    assert places("320213022").find("公园社区") == "320213022001"
    with pytest.raises(Refused) as refusal:
        places("320213022").find("利城村")
    assert refusal.value.code == "place.outside"


def read(values: dict[str, Any], **reading: Any) -> tuple[Wanted, list[tuple[str, str, str]]]:
    heads = list(values)
    sense = Sense(Reading(columns={head: head for head in heads}, **reading), heads, places(), TODAY, "civil_affairs")
    wanted, faults = RowReader(sense).read(list(values.values()))
    return wanted, [(fault.field, fault.code, fault.level) for fault in faults]


WHO = {"name": "王秀英", "id_number": NUMBER}


def test_sex_and_birth_come_from_the_number_only_where_the_row_is_silent() -> None:
    wanted, faults = read(WHO)
    assert (wanted.sex, wanted.born_on, wanted.id_type, faults) == ("2", "1946-03-01", "id", [])
    wanted, faults = read(WHO | {"sex": "男", "born_on": "1946-03-02"})
    assert (wanted.sex, wanted.born_on) == ("1", "1946-03-02")
    assert faults == [("born_on", "id.conflict", "note"), ("sex", "id.conflict", "note")]


@pytest.mark.parametrize(
    ("word", "code"), [("男", "1"), ("M", "1"), ("1", "1"), (2.0, "2"), ("女性", "2"), ("未说明", "9")]
)
def test_words_for_sex(word: Any, code: str) -> None:
    assert read({"name": "王", "born_on": "1946-03-01", "sex": word})[0].sex == code


def test_circumstances_from_words_flags_and_grades() -> None:
    wanted, faults = read(
        WHO
        | {
            "circumstance": "低保、独居老人",
            "is.empty_nest": "是",
            "is.left_behind": "否",
            "disability_kind": "肢体",
            "disability_grade": "二级",
        }
    )
    assert faults == []
    assert {(one.kind, one.detail) for one in wanted.truths} == {
        ("dibao", ""), ("lives_alone", ""), ("empty_nest", ""), ("disability", "肢体二级"), ("severe_disability", "肢体二级"),
    }  # fmt: skip
    assert [one.kind for one in read(WHO | {"disability_kind": "视力四级"})[0].truths] == ["disability"]
    assert read(WHO | {"disability_kind": "无", "disability_grade": "/"})[0].truths == []


def test_the_last_day_of_a_department_is_inclusive() -> None:
    wanted, _ = read(WHO | {"circumstance_from": "2026-01-01", "circumstance_to": "2026-12-31"}, always="dibao")
    assert wanted.truths == [Truth("dibao", "2026-01-01", "2027-01-01")]
    wanted, faults = read(WHO | {"circumstance_from": "2026-12-31", "circumstance_to": "2026-01-01"}, always="dibao")
    assert (wanted.truths, faults) == ([], [("circumstance_to", "circumstance.order", "error")])


def test_a_departments_own_word_is_understood_once_explained() -> None:
    values = WHO | {"circumstance": "A类补贴"}
    assert read(values)[1] == [("circumstance", "word.unknown", "error")]
    wanted, faults = read(values, words={"circumstance": {"a类补贴": "dibao_marginal"}})
    assert ([one.kind for one in wanted.truths], faults) == (["dibao_marginal"], [])


@pytest.mark.req("R-PEO-01")
@pytest.mark.parametrize(("born", "codes"), [("1966-06-15", []), ("1966-06-16", ["elder.under_60"])])
def test_sixty_on_the_day_is_old_enough(born: str, codes: list[str]) -> None:
    assert [code for _, code, _ in read({"name": "王", "born_on": born})[1]] == codes


def file(**values: Any) -> OnFile:
    chosen = {
        "pk": 7, "div": "320213021001", "name": "王秀英", "sex": "2", "born_on": "1946-03-01", "id_type": "id", "hukou_div": "",
        "address": "中山路1号",
        "died_on": "", "keys": Keys(b"id", b"phone"), **values,
    }  # fmt: skip
    return OnFile(**chosen)


WANTED = Wanted(
    name="王秀英",
    sex="2",
    born_on="1946-03-01",
    id_number=NUMBER,
    phone="19900000001",
    div="320213021001",
    address="中山路1号",
)


def test_what_a_row_does_not_say_stays() -> None:
    assert not difference(Wanted(name="王秀英"), Keys(), file(), TODAY)
    assert not difference(WANTED, Keys(b"id", b"phone"), file(), TODAY)
    change = difference(WANTED, Keys(b"id", b"other"), file(address="老街3号"), TODAY)
    assert change.names == ["phone", "address"]


@pytest.mark.parametrize(
    ("held", "truth", "added", "ended"),
    [
        ([], Truth("dibao"), [Truth("dibao", "2026-06-15")], []),
        ([Held(1, "dibao", "2020-01-01", "", "")], Truth("dibao"), [], []),
        ([Held(1, "dibao", "2020-01-01", "2026-06-15", "")], Truth("dibao"), [Truth("dibao", "2026-06-15")], []),
        ([Held(1, "dibao", "2020-01-01", "2026-06-16", "")], Truth("dibao"), [], []),
        ([Held(1, "dibao", "2020-01-01", "", "")], Truth("dibao", "2020-01-01", "2026-01-01"), [], ["2026-01-01"]),
        (
            [Held(1, "dibao", "2020-01-01", "", "三级")],
            Truth("dibao", "", "", "二级"),
            [Truth("dibao", "2026-06-15", "", "二级")],
            ["2026-06-15"],
        ),
    ],
)
def test_a_circumstance_is_added_ended_or_left(
    held: list[Held], truth: Truth, added: list[Truth], ended: list[str]
) -> None:
    change = difference(Wanted(name="王秀英", truths=[truth]), Keys(), file(held=tuple(held)), TODAY)
    assert (change.truths, [until for _, until in change.ends]) == (added, ended)


def test_who_is_meant() -> None:
    keys = Keys(b"id", b"phone")
    assert verdict(WANTED, keys, [Candidate(file(), "id")], TODAY).outcome == "same"
    assert verdict(WANTED, keys, [Candidate(file(sex="9"), "id")], TODAY).outcome == "changed"
    assert verdict(WANTED, keys, [Candidate(file(name="王秀兰"), "id")], TODAY).outcome == "double"
    assert verdict(WANTED, keys, [Candidate(file(keys=Keys(b"", b"phone")), "person")], TODAY).outcome == "double"
    assert (
        verdict(WANTED, keys, [Candidate(file(keys=Keys(b"son"), born_on="1970-01-01"), "home")], TODAY).outcome
        == "new"
    )
    assert verdict(WANTED, keys, [], TODAY).outcome == "new"
    without_home = Wanted(name="王秀英", born_on="1946-03-01")
    assert [fault.code for fault in verdict(without_home, Keys(), [], TODAY).faults] == [
        "place.missing",
        "address.missing",
    ]


def test_the_dead_get_no_new_circumstances_and_no_second_death() -> None:
    dead = file(died_on="2025-01-01")
    assert not difference(
        Wanted(name="王秀英", truths=[Truth("dibao")], address="别处", died_on="2025-01-01"), Keys(), dead, TODAY
    )
    assert [
        one.code for one in difference(Wanted(name="王秀英", died_on="2025-01-02"), Keys(), dead, TODAY).faults
    ] == ["elder.other_death"]
