"""Finding elders: by every way a person may ask, in two queries, and never beyond one's area."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    NEIGHBOUR,
    NOW,
    OTHER_COMMUNITY,
    OTHER_DISTRICT,
    STREET,
    TODAY,
    actor,
    make_area_tree,
    make_contact,
    make_elder,
    make_household,
    make_representative,
    make_staff,
    make_user,
)

from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refused
from yinling.people.models import Circumstance, Elder, Household
from yinling.people.queries import Choice, age, elder_file, elders, elders_by_phone, find_elders

pytestmark = pytest.mark.usefixtures("wide")
Count = Callable[..., Any]


@pytest.fixture
def seat() -> Actor:
    make_area_tree()
    return actor("seat")


@pytest.fixture
def people() -> dict[str, Elder]:
    names = ["王秀英", "王秀颖", "王秀", "汪秀应", "单雄信", "李建国"]
    return {name: make_elder(name=name, phone=f"1990000110{place}") for place, name in enumerate(names)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("王秀英", ["王秀英", "王秀", "王秀颖", "汪秀应"]),
        ("王 秀英", ["王秀英", "王秀", "王秀颖", "汪秀应"]),
        ("王秀", ["王秀", "王秀英", "王秀颖"]),
        ("李建果", ["李建国"]),
        ("赵六", []),
        ("wangxiuying", ["王秀英", "王秀颖", "汪秀应"]),
        ("WangXiu", ["王秀", "王秀英", "王秀颖", "汪秀应"]),
        ("shanxiongxin", ["单雄信"]),
        ("danxiongxin", ["单雄信"]),
        ("sxx", ["单雄信"]),
        ("ljg", ["李建国"]),
        ("19900001104", ["单雄信"]),
        ("+86 199-0000-1104", ["单雄信"]),
        ("1105", ["李建国"]),
        ("没有此人", []),
    ],
)
def test_find(
    seat: Actor, people: dict[str, Elder], text: str, expected: list[str], django_assert_max_num_queries: Count
) -> None:
    with scope(seat), django_assert_max_num_queries(2):
        found = find_elders(seat, text)
    by_rank = [one.name for one in found]
    assert sorted(by_rank) == sorted(expected)
    if expected and expected[0] == text:
        assert by_rank[0] == text, "the same name comes first"
    assert {one.pk for one in found} <= {one.pk for one in people.values()}


def test_find_by_document_number_however_typed_and_by_code(seat: Actor, people: dict[str, Elder]) -> None:
    elder = people["李建国"]
    number = elder.unseal_field("id_number")
    with scope(seat):
        assert find_elders(seat, number.lower()) == [elder]
        assert find_elders(seat, f"{number[:6]} {number[6:14]} {number[14:]}") == [elder]
        assert find_elders(seat, f"E-{elder.pk:06d}") == [elder]
        assert find_elders(seat, "990000194603010000") == []
        with pytest.raises(Refused, match=r"search\.empty"):
            find_elders(seat, " ")


def test_find_keeps_to_the_limit(seat: Actor) -> None:
    for _ in range(3):
        make_elder(name="张桂兰")
    with scope(seat):
        assert len(find_elders(seat, "张桂兰", limit=2)) == 2


@pytest.mark.req("R-PEO-04", "R-ROL-01")
@pytest.mark.parametrize(
    ("role", "div", "seen"),
    [
        ("city", CITY, {"here", "next", "far"}),
        ("district", DISTRICT, {"here", "next"}),
        ("street", STREET, {"here", "next"}),
        ("community", COMMUNITY, {"here"}),
        ("community", OTHER_COMMUNITY, {"far"}),
        ("district", OTHER_DISTRICT, {"far"}),
    ],
)
def test_each_level_sees_its_own(role: str, div: str, seen: set[str]) -> None:
    """In the list, in the search by name, phone, last digits and number, in the file, and with a bare query as well."""
    make_area_tree()
    rows = {
        "here": make_elder(COMMUNITY, phone="19900007777"),
        "next": make_elder(NEIGHBOUR, phone="19900007777"),
        "far": make_elder(OTHER_COMMUNITY, phone="19900007777"),
    }
    numbers = {where: row.unseal_field("id_number") for where, row in rows.items()}
    expected = {rows[where].pk for where in seen}
    one = actor(role, div)
    with scope(one):
        assert set(Elder.objects.values_list("pk", flat=True)) == expected
        assert set(Household.objects.values_list("elders__pk", flat=True)) == expected
        assert {row.pk for row in elders(one, Choice(), TODAY)} == expected
        for text in ("王秀英", "wangxiuying", "wxy", "19900007777", "7777"):
            assert {row.pk for row in find_elders(one, text)} == expected
        for where, number in numbers.items():
            assert bool(find_elders(one, number)) == (where in seen)
            assert (elder_file(one, rows[where].pk, TODAY) is not None) == (where in seen)


@pytest.mark.req("R-PEO-04")
def test_elder_and_family_see_themselves_and_a_provider_nobody() -> None:
    elder, other = make_elder(), make_elder()
    for role in ("elder", "family"):
        one = actor(role, elders=(elder,))
        with scope(one):
            assert list(Elder.objects.all()) == [elder]
            assert list(Household.objects.all()) == [elder.household]
            assert elder_file(one, other.pk, TODAY) is None
            assert find_elders(one, "王秀英") == []
    carer = actor("carer", staff=make_staff())
    with scope(carer):
        assert not Elder.objects.exists()
        assert not Household.objects.exists()


def test_the_date_of_death_alone_is_open_to_a_carer() -> None:
    elder = make_elder(died_on=TODAY)
    with scope(actor("carer", staff=make_staff())), connection.cursor() as cursor:
        cursor.execute("SELECT people_death(%s)", [elder.pk])
        assert cursor.fetchone() == (TODAY,)


def test_a_number_reaches_its_owner_first_then_those_whose_contact_has_it(seat: Actor) -> None:
    mother, owner, unrelated = make_elder(), make_elder(phone="19900008888"), make_elder()
    make_contact(mother, phone="19900008888")
    make_contact(owner, phone="19900008888", rank=2)
    with scope(seat):
        assert elders_by_phone("199 0000 8888") == [owner, mother]
        assert unrelated not in find_elders(seat, "19900008888")
        with pytest.raises(Refused, match=r"phone\.format"):
            elders_by_phone("12")


def test_list_is_narrowed(seat: Actor) -> None:
    old = make_elder(born_on=date(1936, 6, 15))
    young = make_elder(NEIGHBOUR, born_on=date(1966, 6, 15))
    dead = make_elder(died_on=TODAY, born_on=date(1930, 1, 1))
    Circumstance.objects.create(
        div=young.div, elder=young, kind="lives_alone", body="社区", valid_from=TODAY, recorded_from=NOW
    )
    with scope(seat):
        assert list(elders(seat, Choice(), TODAY)) == [young, old]
        assert list(elders(seat, Choice(with_dead=True), TODAY)) == [dead, young, old]
        assert list(elders(seat, Choice(div=NEIGHBOUR), TODAY)) == [young]
        assert list(elders(seat, Choice(circumstance="lives_alone"), TODAY)) == [young]
        assert list(elders(seat, Choice(circumstance="lives_alone"), TODAY - timedelta(days=1))) == []
        assert list(elders(seat, Choice(least_age=90), TODAY)) == [old]
        assert list(elders(seat, Choice(least_age=90), TODAY - timedelta(days=1))) == []
        assert list(elders(seat, Choice(most_age=60), TODAY)) == [young]
        assert list(elders(seat, Choice(least_age=61, most_age=89), TODAY)) == []
        born_on_leap_day, on = make_elder(born_on=date(1948, 2, 29)), date(2027, 2, 28)
        assert list(elders(seat, Choice(least_age=79, most_age=79), on)) == [born_on_leap_day], (
            "as the file says (X-TIME-04)"
        )
        assert list(elders(seat, Choice(least_age=78, most_age=78), on)) == []


def test_the_file_masks_numbers_and_knows_the_household(seat: Actor) -> None:
    home = make_household()
    elder = make_elder(household=home, phone="13912345678")
    husband = make_elder(household=home, name="张建国", sex="1")
    make_contact(elder, phone="051082701234")
    make_representative(elder, make_user())
    Circumstance.objects.create(
        div=elder.div,
        elder=elder,
        kind="dibao",
        body="民政局",
        valid_from=date(2020, 1, 1),
        valid_to=TODAY,
        recorded_from=NOW,
    )
    Circumstance.objects.create(
        div=elder.div, elder=elder, kind="empty_nest", body="社区", valid_from=TODAY, recorded_from=NOW
    )
    with scope(seat):
        file = elder_file(seat, elder.pk, TODAY)
    assert file is not None
    number = elder.unseal_field("id_number")
    assert file.masked_id == f"{number[:3]}***********{number[-4:]}"
    assert file.masked_phone == "139****5678"
    assert [line.masked_phone for line in file.contacts] == ["0510-****1234"]
    assert file.housemates == [husband]
    assert (file.age, file.current) == (80, {"empty_nest"})
    assert len(file.circumstances) == 2
    assert len(file.representatives) == 1


def test_the_dead_no_longer_grow_older() -> None:
    elder = Elder(born_on=date(1940, 6, 1), died_on=date(2020, 5, 31))
    assert age(elder, TODAY) == 79


@pytest.mark.parametrize("text", ["王秀英", "wangxiuying", "wxy", "19900001234", "1234", "990000194603010020"])
def test_search_reaches_the_indexes_under_row_level_security(seat: Actor, text: str) -> None:
    """Only leakproof operators may go ahead of the policy: with sequential scans dear, no plan reads a whole table of people."""
    make_contact(make_elder())
    with scope(seat), connection.cursor() as cursor:
        with CaptureQueriesContext(connection) as seen:
            find_elders(seat, text)
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in seen.captured_queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert not re.search(r"Seq Scan on people_(elderkey|contact)\b", plan), plan
            assert "Index Cond" in plan, plan
