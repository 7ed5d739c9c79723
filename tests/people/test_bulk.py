"""Many files at once: the same rows as one registration after another, findable, with their history."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError, ProgrammingError
from tests.factories import (
    COMMUNITY,
    NEIGHBOUR,
    NOW,
    OTHER_COMMUNITY,
    OTHER_DISTRICT,
    TODAY,
    WIDE,
    actor,
    make_area_tree,
)

from yinling.ground.scope import scope
from yinling.kernel.id_number import made_up
from yinling.kernel.period import ONE_DAY
from yinling.kernel.refusals import Refused
from yinling.people.bulk import NewCircumstance, NewElder, insert_elders
from yinling.people.models import Circumstance, Contact, Elder, ElderKey
from yinling.people.operations import bury_elder, record_circumstance, register_elder
from yinling.people.queries import elders_by_phone, find_elders

BORN = date(1941, 2, 28)
PEOPLE: list[dict[str, Any]] = [
    {"name": "单桂英", "sex": "2", "phone": "+86 199-0000-0001", "address": "人民路1号", "lon": 120.3, "lat": 31.57},
    {"name": "吕建国", "sex": "1", "phone": "0510-82700001", "address": " 人民路1号 ", "dialect": "无锡话"},
    {"name": "阿依古丽·买买提", "sex": "2", "phone": "", "address": "中山路\t2号\\3", "wants_sex": "2", "datum": "gcj02"},
    {"name": "林 阿大", "sex": "9", "phone": "19900000001", "address": "人民路1号", "div": NEIGHBOUR},
]  # fmt: skip
UNLIKE = {"id", "seal_id", "household_id", "id_number_enc", "phone_enc"}


def person(number: int, **values: Any) -> dict[str, Any]:
    row = {"born_on": BORN, "div": COMMUNITY, **PEOPLE[number % len(PEOPLE)], **values}
    sex: Literal["male", "female"] = "male" if row["sex"] == "1" else "female"
    return row | {"id_number": made_up(row.pop("serial", number), BORN, sex).number}


def columns(elder: Elder) -> dict[str, Any]:
    """What a file says, numbers in clear instead of the sealed text."""
    found = {field.attname: getattr(elder, field.attname) for field in Elder._meta.concrete_fields}
    kept = {
        name: bytes(value) if isinstance(value, memoryview) else value
        for name, value in found.items()
        if name not in UNLIKE
    }
    home = elder.household
    return kept | {
        "id_number": elder.unseal_field("id_number"),
        "phone": elder.unseal_field("phone"),
        "home": (home.div, home.address, home.lon, home.lat, home.source_datum, home.created_at, home.version),
        "keys": set(ElderKey.objects.filter(elder=elder).values_list("div", "kind", "key")),
    }  # fmt: skip


def history(elder: Elder) -> list[tuple[Any, ...]]:
    names = sorted(str(field.column) for field in Elder._meta.concrete_fields)
    with connection.cursor() as cursor:
        listed = ", ".join(f'"{name}"' for name in names)
        cursor.execute(
            f"SELECT pgh_label, pgh_obj_id, {listed} FROM people_elderevent WHERE pgh_obj_id = %s",  # noqa: S608
            [elder.pk],
        )
        events = cursor.fetchall()
        cursor.execute(f"SELECT 'insert', id, {listed} FROM people_elder WHERE id = %s", [elder.pk])  # noqa: S608
        assert events == cursor.fetchall()
    return events


@pytest.mark.usefixtures("wide")
def test_the_same_rows_as_one_registration_after_another() -> None:
    make_area_tree()
    with transaction.atomic():
        many = written_at_once()
        transaction.set_rollback(True)
    seat = actor("seat")
    ones = [register_elder(actor=seat, now=NOW, **person(n)) for n in range(4)]
    assert [columns(Elder.objects.select_related("household").get(pk=elder.pk)) for elder in ones] == many


def written_at_once() -> list[dict[str, Any]]:
    numbers = insert_elders([NewElder(**person(n), is_made_up=True, verified_on=TODAY) for n in range(4)], now=NOW)
    assert numbers == sorted(numbers)
    shared = Elder.objects.filter(pk__in=numbers).values_list("household_id", flat=True).order_by("pk")
    assert shared[0] == shared[1]
    assert len(set(shared)) == 3
    assert all(len(history(elder)) == 1 for elder in Elder.objects.filter(pk__in=numbers))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM people_householdevent WHERE pgh_label = 'insert'")
        assert cursor.fetchone() == (3,)
    return [columns(Elder.objects.select_related("household").get(pk=number)) for number in numbers]


@pytest.mark.usefixtures("wide")
def test_circumstances_and_a_death_as_the_operations_write_them() -> None:
    make_area_tree()
    died = TODAY - timedelta(days=9)
    facts = (
        NewCircumstance("dibao", date(2024, 1, 1), "民政部门", valid_to=date(2025, 1, 1), evidence="低保证1号"),
        NewCircumstance("deceased", died + ONE_DAY, "户籍", evidence="死亡证明"),
    )
    (dead, alone) = insert_elders(
        [
            NewElder(**person(0), circumstances=facts),
            NewElder(**person(1), circumstances=(NewCircumstance("lives_alone", TODAY, "社区"),)),
        ],
        now=NOW,
    )
    many = facts_of(dead)
    assert Elder.objects.get(pk=dead).died_on == died
    assert [fact[0] for fact in facts_of(alone)] == ["lives_alone"]
    seat, civil = actor("seat"), actor("community")
    one = register_elder(actor=seat, now=NOW, **person(2))
    last = date(2024, 12, 31)
    record_circumstance(
        actor=civil, now=NOW, elder_id=one.pk, kind="dibao", valid_from=date(2024, 1, 1), valid_to=last, body="民政部门", evidence="低保证1号"
    )  # fmt: skip
    bury_elder(actor=civil, now=NOW, elder_id=one.pk, died_on=died, evidence="死亡证明")
    assert [fact[:-1] for fact in facts_of(one.pk)] == [fact[:-1] for fact in many]


def facts_of(elder_id: int) -> list[tuple[Any, ...]]:
    names = ("kind", "div", "valid_from", "valid_to", "recorded_from", "recorded_to", "evidence", "detail", "body")
    return list(Circumstance.objects.filter(elder_id=elder_id).order_by("valid_from").values_list(*names))


@pytest.mark.usefixtures("wide")
def test_a_home_on_file_is_used_and_gets_the_position_it_lacked() -> None:
    make_area_tree()
    before = register_elder(actor=actor("seat"), now=NOW, **person(1))
    assert before.household.lon is None
    (number,) = insert_elders([NewElder(**person(0))], now=NOW + ONE_DAY)
    home = Elder.objects.select_related("household").get(pk=number).household
    assert (home.pk, home.lon, home.version, home.changed_at) == (before.household_id, 120.3, 1, NOW + ONE_DAY)
    insert_elders([NewElder(**person(0, serial=7, lon=121.0))], now=NOW)
    home.refresh_from_db()
    assert (home.lon, home.version) == (120.3, 1)


@pytest.mark.usefixtures("wide")
def test_each_is_found_by_every_way_of_search() -> None:
    make_area_tree()
    seat = actor("seat")
    numbers = insert_elders([NewElder(**person(n)) for n in range(4)], now=NOW)
    for text in ("单桂英", "shanguiying", "sgy", "单贵英", "0001", person(0)["id_number"], f"E-{numbers[0]:06d}"):
        assert numbers[0] in [elder.pk for elder in find_elders(seat, text)], text
    assert [elder.pk for elder in elders_by_phone("19900000001")] == [numbers[0], numbers[3]]
    assert [elder.pk for elder in find_elders(seat, "lvjianguo")] == [numbers[1]]


@pytest.mark.usefixtures("wide")
def test_two_loads_in_one_transaction_and_none() -> None:
    make_area_tree()
    assert insert_elders([], now=NOW) == []
    first = insert_elders([NewElder(**person(0))], now=NOW)
    second = insert_elders([NewElder(**person(1))], now=NOW)
    assert Elder.objects.get(pk=first[0]).household_id == Elder.objects.get(pk=second[0]).household_id


def test_a_document_on_file_and_a_wrong_phone_leave_nothing(db: None) -> None:
    with scope(WIDE):
        make_area_tree()
        insert_elders([NewElder(**person(0))], now=NOW)
        with pytest.raises(IntegrityError, match="elder_id_once"):
            in_a_block([NewElder(**person(1)), NewElder(**person(0))])
        with pytest.raises(Refused, match=r"phone\.format"):
            in_a_block([NewElder(**person(1, phone="12"))])
        assert Elder.objects.count() == 1


def test_rows_of_another_district_are_refused_by_the_database(db: None) -> None:
    with scope(WIDE):
        make_area_tree()
        district = actor("seat", div=OTHER_DISTRICT)
    with scope(district):
        with pytest.raises(ProgrammingError, match="row-level security"):
            in_a_block([NewElder(**person(0))])
        assert len(insert_elders([NewElder(**person(1, div=OTHER_COMMUNITY))], now=NOW)) == 1
        assert not Contact.objects.exists()


def in_a_block(rows: list[NewElder]) -> None:
    with transaction.atomic():
        insert_elders(rows, now=NOW)
