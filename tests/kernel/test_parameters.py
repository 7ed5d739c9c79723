import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.parameters import Entry, ParameterError, Parameters, load
from yinling.kernel.period import DayPeriod
from yinling.kernel.refusals import Refused

SOURCE = "document: 锡政办发〔2023〕1号, clause: 二(二)1"
PRODUCT = f"""
parameters:
  visit.weekly.least_age:
    - {{value: 80, from: 2020-01-01, to: 2022-12-31, {SOURCE}}}
    - {{value: 75, from: 2023-01-01, {SOURCE}, note: 放宽}}
  bed.ratio:
    - {{value: 0.70, from: 2020-01-01, to: , {SOURCE}}}
  visit.days:
    - {{value: [1, 2.5], from: 2020-01-01, {SOURCE}}}
  visit.window:
    - {{value: {{earliest: 8, latest: 20}}, from: 2020-01-01, {SOURCE}}}
  city.fee_fen: []
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def city(area: str, *lines: str) -> str:
    return "\n".join([f'area: "{area}"', "parameters:", *lines])


def test_the_value_of_the_day_is_found(tmp_path: Path) -> None:
    parameters = load([write(tmp_path, "product.yaml", PRODUCT)])
    days = ["2022-12-31", "2023-01-01"]
    assert [parameters.value("visit.weekly.least_age", "3202", date.fromisoformat(day)) for day in days] == [80, 75]
    assert parameters.keys() == ["bed.ratio", "city.fee_fen", "visit.days", "visit.weekly.least_age", "visit.window"]
    assert parameters.entries("city.fee_fen") == ()


def test_an_entry_carries_its_source(tmp_path: Path) -> None:
    path = write(tmp_path, "product.yaml", PRODUCT)
    assert load([path]).entry("visit.weekly.least_age", "", date(2023, 1, 1)) == Entry(
        key="visit.weekly.least_age",
        area="",
        value=75,
        valid=DayPeriod(date(2023, 1, 1)),
        document="锡政办发〔2023〕1号",
        clause="二(二)1",
        note="放宽",
        file=str(path),
        line=5,
    )


def test_fractions_are_exact_and_lists_are_copies(tmp_path: Path) -> None:
    parameters = load([write(tmp_path, "product.yaml", PRODUCT)])
    today = date(2026, 1, 1)
    assert parameters.value("bed.ratio", "", today) == Decimal("0.70")
    parameters.value("visit.days", "", today).append(3)
    assert parameters.value("visit.days", "", today) == [1, Decimal("2.5")]
    assert parameters.value("visit.window", "", today) == {"earliest": 8, "latest": 20}


def test_the_nearest_area_wins_and_falls_back_by_date(tmp_path: Path) -> None:
    parameters = load(
        [
            write(tmp_path, "d.yaml", city("320213", f"  bed.ratio: [{{value: 1, from: 2022-01-01, {SOURCE}}}]")),
            write(tmp_path, "c.yaml", city("3202", f"  bed.ratio: [{{value: 0.8, from: 2021-01-01, {SOURCE}}}]")),
            write(tmp_path, "product.yaml", PRODUCT),
        ]
    )
    cases = [
        ("320213001", 2023, "1"),
        ("320213", 2023, "1"),
        ("320213", 2021, "0.8"),
        ("320214", 2023, "0.8"),
        ("3202", 2020, "0.7"),
        ("32", 2023, "0.7"),
        ("50", 2023, "0.7"),
        ("", 2023, "0.7"),
    ]
    for area, year, value in cases:
        assert parameters.value("bed.ratio", area, date(year, 6, 1)) == Decimal(value), (area, year)


@pytest.mark.parametrize(("key", "day"), [("city.fee_fen", "2026-01-01"), ("bed.ratio", "2019-12-31")])
def test_a_missing_value_is_refused(tmp_path: Path, key: str, day: str) -> None:
    parameters = load([write(tmp_path, "product.yaml", PRODUCT)])
    with pytest.raises(Refused) as caught:
        parameters.value(key, "3202", date.fromisoformat(day))
    assert caught.value.code == "parameter.missing"
    assert caught.value.detail.startswith(f"缺少参数 {key}（区划 3202，{day}）")


def test_a_key_that_no_file_knows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        load([write(tmp_path, "product.yaml", PRODUCT)]).value("bed.ratoi", "3202", date(2026, 1, 1))


@pytest.mark.parametrize("head", ["area:", 'area: ""', "area: ''"])
def test_an_empty_area_is_the_product(tmp_path: Path, head: str) -> None:
    assert load([write(tmp_path, "product.yaml", f"{head}\nparameters: {{}}")]).keys() == []


def test_a_key_may_be_without_value_in_one_area_and_numbers_are_alike(tmp_path: Path) -> None:
    text = city("32", f"  bed.ratio: [{{value: null, from: 2020-01-01, {SOURCE}}}]")
    text += f"\n  visit.weekly.least_age: [{{value: 79.5, from: 2020-01-01, {SOURCE}}}]"
    parameters = load([write(tmp_path, "product.yaml", PRODUCT), write(tmp_path, "c.yaml", text)])
    assert parameters.value("bed.ratio", "32", date(2026, 1, 1)) is None
    assert parameters.value("visit.weekly.least_age", "32", date(2026, 1, 1)) == Decimal("79.5")


@pytest.mark.parametrize(
    ("text", "line", "key", "reason"),
    [
        ("", 1, "-", "文件是空的"),
        ("area: [", 1, "-", "不是正确的YAML"),
        ("\x07", 1, "-", "不是正确的YAML"),
        ("- 1", 1, "-", "名称: 值"),
        ("area: ''", 1, "-", "缺少 parameters"),
        ("parameters: {}\nprices: {}", 2, "-", "不认识 prices，只能用 area, parameters"),
        ("area: 3202\nparameters: {}", 1, "area", "带引号"),
        ("area: '320'\nparameters: {}", 1, "area", "带引号"),
        ("area: '32-2'\nparameters: {}", 1, "area", "带引号"),
        ("parameters:\n  Bad-Key: []", 2, "Bad-Key", "只用小写字母"),
        ("parameters:\n  a.b: []\n  a.b: []", 3, "-", "a.b 写了两次"),
        ("parameters:\n  a.b: 5", 2, "a.b", "一列值"),
        ("parameters:\n  a.b:\n    - 5", 3, "a.b", "名称: 值"),
        ("parameters:\n  a.b:\n    - {value: 1}", 3, "a.b", "缺少 from"),
        ("parameters:\n  a.b:\n    - {from: 2020-01-01}", 3, "a.b", "缺少 value"),
        ("parameters:\n  a.b:\n    - {value: 1, from: 2020-01-01, clause: x}", 3, "a.b", "缺少 document"),
        ("parameters:\n  a.b:\n    - {value: 1, from: 2020-01-01, document: x}", 3, "a.b", "缺少 clause"),
        (
            "parameters:\n  a.b:\n    - {value: 1, from: 2020-01-01, document: x, clause: 5}",
            3,
            "a.b",
            "clause 应是文字",
        ),
        (
            "parameters:\n  a.b:\n    - {value: 1, from: 2020-01-01, document: ' ', clause: x}",
            3,
            "a.b",
            "document 应是",
        ),
        (f"parameters:\n  a.b:\n    - {{value: 1, from: 2020, {SOURCE}}}", 3, "a.b", "from 应是日期"),
        (f"parameters:\n  a.b:\n    - {{value: 1, from: 2020-01-01 10:00:00, {SOURCE}}}", 3, "a.b", "from 应是日期"),
        (f"parameters:\n  a.b:\n    - {{value: 1, from: 2023-02-30, {SOURCE}}}", 3, "a.b", "看不懂这个值"),
        (
            f"parameters:\n  a.b:\n    - {{value: 1, from: 2020-01-02,\n       to: 2020-01-01, {SOURCE}}}",
            4,
            "a.b",
            "早于 from",
        ),
        (f"parameters:\n  a.b:\n    - {{value: .inf, from: 2020-01-01, {SOURCE}}}", 3, "a.b", "看不懂这个值"),
        (f"parameters:\n  a.b:\n    - {{value: {{a: 1, a: 2}}, from: 2020-01-01, {SOURCE}}}", 3, "a.b", "有重复的键"),
        (f"parameters:\n  a.b:\n    - {{value: !odd 1, from: 2020-01-01, {SOURCE}}}", 3, "a.b", "看不懂这个值"),
        (f"parameters:\n  a.b:\n    - {{value: 1, form: 2020-01-01, {SOURCE}}}", 3, "a.b", "不认识 form"),
        (
            (
                f"parameters:\n  a.b:\n    - {{value: 1, from: 2020-01-01, {SOURCE}}}\n"
                f"    - {{value: 2, from: 2021-01-01, {SOURCE}}}"
            ),
            4,
            "a.b",
            "的日期重叠",
        ),
        (
            (
                f"parameters:\n  a.b:\n    - {{value: 1, from: 2020-01-01, to: 2020-12-31, {SOURCE}}}\n"
                f"    - {{value: true, from: 2021-01-01, {SOURCE}}}"
            ),
            4,
            "a.b",
            "值的类型与",
        ),
        (city("32", f"  a.b: [{{value: 1, from: 2020-01-01, {SOURCE}}}]"), 3, "a.b", "产品默认参数中没有"),
    ],
)
def test_a_wrong_file_is_named_with_line_and_key(tmp_path: Path, text: str, line: int, key: str, reason: str) -> None:
    path = write(tmp_path, "wrong.yaml", text)
    with pytest.raises(ParameterError, match=re.escape(reason)) as caught:
        load([path])
    assert (caught.value.file, caught.value.line, caught.value.key) == (str(path), line, key)
    assert str(caught.value).startswith(f"{path}:{line}: {key}: ")


def test_two_files_of_one_area_may_follow_but_not_overlap(tmp_path: Path) -> None:
    product = write(tmp_path, "product.yaml", PRODUCT)
    one = city("3202", f"  bed.ratio: [{{value: 0.8, from: 2021-01-01, to: 2021-12-31, {SOURCE}}}]")
    first = write(tmp_path, "first.yaml", one)
    second = write(tmp_path, "second.yaml", one.replace("2021", "2022"))
    assert load([second, product, first]).value("bed.ratio", "3202", date(2021, 12, 31)) == Decimal("0.8")
    second.write_text(one.replace("2021-12", "2022-12"), encoding="utf-8")
    with pytest.raises(ParameterError, match=r"bed\.ratio: 与 .*first\.yaml:3 的日期重叠"):
        load([product, first, second])


@given(st.lists(st.dates(date(2000, 1, 1), date(2030, 1, 1)), min_size=1, unique=True), st.dates(date(2000, 1, 1)))
def test_every_day_has_the_latest_value_before_it(starts: list[date], on: date) -> None:
    starts.sort()
    ends = [*starts[1:], None]
    entries = [
        Entry("k", "", place, DayPeriod(from_, to), "d", "c", "", "f", place)
        for place, (from_, to) in enumerate(zip(starts, ends, strict=True))
    ]
    parameters = Parameters(reversed(entries))
    before = [place for place, from_ in enumerate(starts) if from_ <= on]
    if before:
        assert parameters.value("k", "3202", on) == before[-1]
    else:
        with pytest.raises(Refused):
            parameters.value("k", "3202", on)
