"""The register of a city from a file: all or nothing, wrong rows listed, and afterwards the tables are as they were."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.db import connection
from tests.factories import COMMUNITY, NEIGHBOUR, TODAY, WIDE, make_area_tree, system

from yinling.accounts.models import Journal
from yinling.bench.crowd import COLUMNS, Community, Crowd
from yinling.cli.account import Unusable
from yinling.cli.commands import COMMANDS
from yinling.cli.registry_file import BARE, TRACKED, Loaded, load
from yinling.ground.scope import scope
from yinling.people.models import Circumstance, Elder, ElderKey, Household
from yinling.people.queries import find_elders
from yinling.people.rules import name_keys

PLACES = [Community(COMMUNITY, "公园社区", 120.3, 31.57), Community(NEIGHBOUR, "学前社区", 120.31, 31.58)]
STRUCTURE = """
    SELECT indexdef, '' FROM pg_indexes WHERE tablename = ANY (%(tables)s)
    UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = ANY (%(tables)s::regclass[])
    UNION ALL SELECT tgname, tgenabled::text FROM pg_trigger WHERE tgrelid = ANY (%(tables)s::regclass[]) AND NOT tgisinternal
    ORDER BY 1, 2"""


@pytest.fixture
def owner(transactional_db: None) -> Iterator[None]:
    with scope(WIDE):
        make_area_tree()
        system()
    connect_as("yl_owner")
    yield
    connect_as("yl_app")


def connect_as(role: str) -> None:
    connection.close()
    connection.settings_dict["USER"] = role


def structure() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(STRUCTURE, {"tables": [*BARE, *TRACKED, *(f"{table}event" for table in TRACKED)]})
        return list(cursor.fetchall())


def people(count: int) -> list[list[Any]]:
    return [list(row) for row in Crowd(PLACES, Random(1), TODAY).rows(count)]


def written(path: Path, rows: list[list[Any]], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([columns, *rows])
    return path


def loaded(path: Path, **options: Any) -> Loaded:
    return load(path, wrong=path.with_suffix(".wrong.csv"), processes=2, say=lambda _text: None, **options)


def events(table: str) -> list[tuple[Any, ...]]:
    names = "id, version, created_at, changed_at, div"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names}, pgh_obj_id, pgh_label FROM {table}event ORDER BY id")  # noqa: S608 - our own
        found = list(cursor.fetchall())
        cursor.execute(f"SELECT {names}, id, 'insert' FROM {table} ORDER BY id")  # noqa: S608 - our own
        assert found == list(cursor.fetchall())
    return found


@pytest.mark.usefixtures("owner")
def test_a_file_is_loaded_with_keys_history_and_journal(tmp_path: Path) -> None:
    before = structure()
    rows = people(120)
    assert loaded(written(tmp_path / "a.csv", rows)) == Loaded(120, 0)
    assert structure() == before
    assert [elder.name for elder in Elder.objects.order_by("id")] == [row[0] for row in rows]
    assert ElderKey.objects.count() == sum(len(name_keys(row[0])) for row in rows)
    assert len(events("people_elder")) == 120
    assert len(events("people_household")) == Household.objects.count() == len({(row[5], row[6]) for row in rows})
    assert Circumstance.objects.count() == sum(row[-1].count("/") // 2 for row in rows)
    journal = Journal.objects.get()
    assert (journal.event, journal.changes["count"]) == ("people.elder.load", [0, 120])
    connect_as("yl_app")
    with scope(WIDE):
        assert rows[7][3] == find_elders(WIDE, rows[7][3])[0].unseal_field("id_number")
    connect_as("yl_owner")


@pytest.mark.usefixtures("owner")
def test_wrong_rows_are_listed_and_nothing_is_loaded_unless_they_are_left_out(tmp_path: Path) -> None:
    rows = people(8)
    rows[0][3] = rows[0][3][:-1] + ("0" if rows[0][3][-1] != "0" else "1")
    rows[1][4], rows[2][5], rows[3][2] = "12345", "320299999999", "2001-02-30"
    rows[4][3], rows[5][-1] = rows[7][3], "lives_alone/2024-13-01/社区"
    rows[4][1:3] = rows[7][1:3]
    path = written(tmp_path / "a.csv", [*rows[:6], ["", *[""] * 11], [*rows[6], "one more"], rows[7]])
    assert loaded(path) == Loaded(0, 7)
    assert not Elder.objects.exists()
    listed = list(csv.reader(path.with_suffix(".wrong.csv").open(encoding="utf-8-sig")))[1:]
    places = [(int(line), column) for line, column, _text in listed]
    assert places == [
        (2, "id_number"), (3, "phone"), (4, "div"), (5, "born_on"), (7, "circumstances"), (9, ""), (10, "id_number"),
    ]  # fmt: skip
    assert all(text for _line, _column, text in listed)
    assert loaded(path, skip_wrong=True) == Loaded(1, 7)
    assert Elder.objects.get().name == rows[4][0]


@pytest.mark.usefixtures("owner")
def test_a_second_load_finds_who_is_on_file_and_uses_the_homes(tmp_path: Path) -> None:
    rows = people(10)
    path = written(tmp_path / "a.csv", rows)
    assert loaded(path, only_check=True) == Loaded(0, 0)
    assert loaded(path) == Loaded(10, 0)
    assert loaded(path) == Loaded(0, 10)
    homes = Household.objects.count()
    mate = [*people(11)[10][:5], *rows[0][5:]]
    assert loaded(written(tmp_path / "b.csv", [mate])) == Loaded(1, 0)
    assert Household.objects.count() == homes
    assert len(events("people_elder")) == 11


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("columns", [COLUMNS[1:], (*COLUMNS[:-1], "colour"), (*COLUMNS[:-1], "name")])
def test_a_heading_that_is_not_ours_is_refused(tmp_path: Path, columns: tuple[str, ...]) -> None:
    path = written(tmp_path / "a.csv", [], columns)
    with pytest.raises(Unusable):
        loaded(path)


def test_the_command_is_listed() -> None:
    assert "load-registry" in COMMANDS


def test_the_same_seed_gives_the_same_people() -> None:
    assert people(50) == people(50)
    rows = people(400)
    assert len({row[3] for row in rows}) == len({row[4] for row in rows}) == 400
    assert all(row[3].startswith("99") and str(row[4]).startswith("1600") for row in rows)
    assert all(isinstance(row[2], date) for row in rows)
