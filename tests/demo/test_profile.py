"""City profiles: the one that ships is right, and each fault is named by file, line and key."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from yinling.demo.profile import check, trimmed, validate
from yinling.demo.reading import ProfileError
from yinling.kernel.geo import Datum, Position, inside
from yinling.kernel.parameters import ParameterError

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "city_data.yaml").read_text("utf-8"))


@pytest.fixture
def cities(tmp_path: Path) -> Path:
    """A copy of the profiles that may be spoilt."""
    shutil.copytree(settings.CITIES, tmp_path / "cities")
    return tmp_path / "cities"


def spoil(cities: Path, name: str, old: str, new: str) -> int:
    """Replace a text once; return the line where it stands."""
    path = cities / "wuxi-332" / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_wuxi_is_complete() -> None:
    profile = validate("wuxi-332")
    counts = {
        level: sum(area.level == level for area in profile.areas)
        for level in ("city", "district", "street", "community")
    }
    assert counts == {"city": 1, "district": 7, "street": 88, "community": 1254}
    assert {area.div for area in profile.areas if area.level == "district"} == set(profile.outlines)
    assert sum(area.is_statistical for area in profile.areas if area.level == "street") == 16
    assert {item["family"] for item in profile.items} >= {"cleaning", "bathing", "escort", "nursing", "medical"}
    assert len(profile.old_codes) == 24


def test_profiles_that_ship_have_no_fault() -> None:
    assert check() == []


def test_label_points_lie_in_their_district() -> None:
    for feature in validate("wuxi-332").outlines.values():
        lon, lat = feature["properties"]["label_point"]
        assert inside(Position(lon, lat, Datum.WGS84), feature["geometry"])


@pytest.mark.parametrize("case", CASES["values"], ids=lambda case: f"{case['key']} {case['day']}")
def test_dated_values_of_the_city(case: dict[str, object]) -> None:
    entry = validate("wuxi-332").parameters.entry(str(case["key"]), str(case["area"]), case["day"])  # type: ignore[arg-type]
    (grade,) = entry.value
    assert (grade["amounts"][case["amount"]], entry.document) == (case["expected"], case["document"])


@pytest.mark.parametrize("case", CASES["prices"], ids=lambda case: f"{case['item']} {case['day']}")
def test_prices_of_the_city(case: dict[str, object]) -> None:
    day = case["day"]
    assert isinstance(day, date)
    tables = validate("wuxi-332").price_tables
    found = [
        row.amount_fen
        for table in tables
        if table.valid.contains(day)
        for row in table.rows
        if row.item == case["item"]
    ]
    assert found == [case["expected_fen"]]


@pytest.mark.parametrize(
    ("code", "level", "div"),
    [
        ("320200000000", "city", "3202"), ("500000000000", "city", "50"), ("320681000000", "city", "320681"),
        ("320213000000", "district", "320213"), ("320213021000", "street", "320213021"), ("320681100000", "street", "320681100"),
        ("320213021001", "community", "320213021001"), ("500110000000", "district", "500110"),
    ],
)  # fmt: skip
def test_codes_are_trimmed_by_level(code: str, level: str, div: str) -> None:
    assert trimmed(code, level) == div


FAULTS = [
    ("city.yaml", 'area: "3202"', "area: 3202", "area"),
    ("city.yaml", 'area: "3202"', 'area: "32025"', "area"),
    ("city.yaml", "code: wuxi-332", "code: wuxi", "code"),
    ("city.yaml", "from: 2023-01-01", "from: 2023-13-01", "plan.from"),
    ("city.yaml", "hotline:", "hot_line:", "hotline"),
    ("city.yaml", "datum: wgs84", "datum: mars", "outlines.datum"),
    ("items.yaml", "family: meal", "family: meals", "items.0.family"),
    ("items.yaml", "standard_minutes: 20", "standard_minutes: 0", "items.0.standard_minutes"),
    ("items.yaml", "standard_minutes: 20", "standard_minutes: 二十", "items.0.standard_minutes"),
    ("items.yaml", "standard_minutes: 20", "standard_minutes: 20\n    carers_needed: 3", "items.0.carers_needed"),
    ("items.yaml", "needs_qualification: nurse", "needs_qualification: angel", "items.4.needs_qualification"),
    ("items.yaml", "code: DC01", "code: ME01", "items.0.code"),
    ("items.yaml", "family: comfort", "family: cleaning", "items"),
    ("prices.yaml", "ME01: {amount_fen: 1500}", "ME01: {amount_fen: -1}", "lists.0.prices.ME01.amount_fen"),
    ("prices.yaml", "ME01: {amount_fen: 1500}", "ME99: {amount_fen: 1500}", "lists.0.prices.ME99"),
    ("prices.yaml", "valid_from: 2026-01-01", "valid_from: 2025-06-01", "lists.1.prices.ME01"),
    ("prices.yaml", "      MD01: {amount_fen: 6000, callout_fee_fen: 8000}\n", "", "lists"),
    ("prices.yaml", "basis: approved", "basis: guessed", "lists.2.basis"),
    ("prices.yaml", "    document_on: 2014-12-01   # day of the approval\n", "", "lists.2.document_on"),
    ("prices.yaml", "night_to: 7", "night_to: 27", "lists.2.callout.night_to"),
    ("prices.yaml", "km_fen: 300", "km_fen: -300", "lists.2.callout.km_fen"),
    ("prices.yaml", "km_fen: 300", "kilometre: 300", "lists.2.callout.kilometre"),
    ("prices.yaml", "{doctor: 2000}", "{angel: 2000}", "lists.2.callout.level_fen.angel"),
    ("prices.yaml", "{doctor: 2000}", "{doctor: -1}", "lists.2.callout.level_fen.doctor"),
    ("prices.yaml", "price_group: level1", "price_group: level1\n    callout: {base_fen: 1}", "lists.3.callout"),
    ("prices.yaml", "price_group: level1", "price_group: level9", "lists.3.price_group"),
    ("schemes.yaml", "code: national_voucher", "code: gift", "schemes.2.code"),
    ("schemes.yaml", "payer: voucher", "payer: uncle", "schemes.2.payer"),
    ("areas.csv", "320205001000,东亭街道,street", "320205001000,东亭街道,avenue", "level"),
    ("areas.csv", "320205001000,东亭街道", "32020500100,东亭街道", "code"),
    ("areas.csv", "320205002000,安镇街道", "320205001000,安镇街道", "code"),
    (
        "areas.csv",
        "320205001000,东亭街道,street,320205000000",
        "320205001000,东亭街道,street,320299000000",
        "parent_code",
    ),
    ("street_points.csv", "320205001,120.355", "320205001,119.355", "lon"),
    ("street_points.csv", "320205001,120.355", "320205999,120.355", "code"),
    ("street_points.csv", "320205001,120.355", "320205001,east", "lon"),
]


@pytest.mark.parametrize(
    ("name", "old", "new", "key"), FAULTS, ids=[f"{fault[0]}:{fault[2][:40].strip()}" for fault in FAULTS]
)
def test_fault_is_named_by_file_line_and_key(cities: Path, name: str, old: str, new: str, key: str) -> None:
    spoil(cities, name, old, new)
    with pytest.raises(ProfileError) as caught:
        validate("wuxi-332", cities)
    assert (Path(caught.value.file).name, caught.value.key) == (name, key)
    assert str(caught.value).startswith(f"{cities / 'wuxi-332' / name}:{caught.value.line}: {key}: ")


LINES: list[tuple[str, str, str]] = [
    ("items.yaml", "family: meal", "family: meals"),
    ("prices.yaml", "ME01: {amount_fen: 1500}", "ME01: {amount_fen: -1}"),
    ("areas.csv", "320205001000,东亭街道,street", "320205001000,东亭街道,avenue"),
    ("street_points.csv", "320282104,", "320282999,"),
]


@pytest.mark.parametrize(("name", "old", "new"), LINES, ids=[line[0] for line in LINES])
def test_line_is_where_the_fault_stands(cities: Path, name: str, old: str, new: str) -> None:
    line = spoil(cities, name, old, new)
    with pytest.raises(ProfileError) as caught:
        validate("wuxi-332", cities)
    assert caught.value.line == line


def test_unknown_parameter_is_named(cities: Path) -> None:
    line = spoil(cities, "parameters/schemes.yaml", "scheme.national_voucher.grades", "scheme.national_voucher.grade")
    with pytest.raises(ParameterError) as caught:
        validate("wuxi-332", cities)
    assert (caught.value.key, caught.value.line) == ("scheme.national_voucher.grade", line + 1)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("any: [{kind: [dibao, veteran_care]}]", "any: [{kind: [rich]}]", "grades.0.groups.0.any.0"),
        ("{ability: [disabled, semi_disabled]}", "{ability: [very_disabled]}", "grades.0.groups.1.any.0"),
        ("{visit.weekly.rule: all_aged}", "{visit.daily.rule: all_aged}", "grades.1.when"),
        ("share_bp: 3000", "share_bp: 30000", "grades.0.amounts.share_bp"),
    ],
)
def test_a_fault_in_the_conditions_of_a_scheme_is_named_with_its_place(
    cities: Path, old: str, new: str, place: str
) -> None:
    spoil(cities, "parameters/schemes.yaml", old, new)
    with pytest.raises(ParameterError) as caught:
        validate("wuxi-332", cities)
    assert caught.value.key.startswith("scheme.")
    assert f": {place}：" in str(caught.value)


def test_a_scheme_below_the_city_lies_in_it(cities: Path) -> None:
    spoil(cities, "schemes.yaml", 'div: "320282"', 'div: "321183"')
    with pytest.raises(ProfileError) as caught:
        validate("wuxi-332", cities)
    assert caught.value.key == "schemes.5.div"


def test_parameters_speak_of_the_own_area_only(cities: Path) -> None:
    spoil(cities, "parameters/schemes.yaml", 'area: "3202"', 'area: "3211"')
    with pytest.raises(ProfileError) as caught:
        validate("wuxi-332", cities)
    assert caught.value.key == "area"


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda folder: (folder / "items.yaml").unlink(),
        lambda folder: (folder / "areas.csv").unlink(),
        lambda folder: (folder / "items.yaml").write_text("", "utf-8"),
        lambda folder: (folder / "items.yaml").write_text("items: [", "utf-8"),
        lambda folder: (folder / "items.yaml").write_text("items: []\nitems: []", "utf-8"),
        lambda folder: (folder / "items.yaml").write_text("- 1", "utf-8"),
        lambda folder: (folder / "outlines.geojson").write_text("{}", "utf-8"),
        lambda folder: (folder / "areas.csv").write_text("code,name\n", "utf-8"),
    ],
    ids=["no items", "no areas", "empty", "not YAML", "twice", "no mapping", "no features", "no columns"],
)
def test_file_that_cannot_be_read_is_named(cities: Path, spoilt: Callable[[Path], object]) -> None:
    spoilt(cities / "wuxi-332")
    with pytest.raises(ProfileError):
        validate("wuxi-332", cities)


def test_city_that_is_not_there_is_named(cities: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        validate("atlantis", cities)
    assert Path(caught.value.file) == cities / "atlantis" / "city.yaml"


def test_new_city_is_a_copied_folder(cities: Path) -> None:
    shutil.copytree(cities / "wuxi-332", cities / "wuxi-copy")
    city = cities / "wuxi-copy" / "city.yaml"
    city.write_text(city.read_text("utf-8").replace("code: wuxi-332", "code: wuxi-copy"), "utf-8")
    assert validate("wuxi-copy", cities).area == "3202"
