"""A kept question is put into words once, asked anew each time, and answers as the ORM does."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from tests.factories import (
    DISTRICT,
    OTHER_COMMUNITY,
    actor,
    make_area_tree,
    make_elder,
    make_organisation,
    make_staff,
    system,
)

from yinling.accounts.models import Journal
from yinling.accounts.operations import record
from yinling.directory.models import Organisation, Staff
from yinling.directory.queries import GRANTS
from yinling.ground.clock import real_now
from yinling.ground.kept import Entry, Given, Kept, KeptFor, one_of

pytestmark = pytest.mark.django_db


def as_read(rows: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in vars(row).items() if name != "_state"} for row in rows]


def test_it_answers_as_the_orm_does_with_what_is_joined_and_added(wide: None) -> None:
    make_area_tree()
    body = make_organisation()
    people = [make_staff(body) for _ in range(3)]

    def rows(*condition: Any, **more: Any) -> Any:
        joined = Staff.objects.filter(*condition, **more).select_related("provider", "site")
        return joined.annotate(place=F("provider__short_name")).order_by("pk")

    kept: Kept[Any] = Kept(lambda: rows(one_of("pk", "numbers"), name__gte=Given("least")))
    numbers = [one.pk for one in people[:2]]
    found, expected = kept(numbers=numbers, least=""), list(rows(pk__in=numbers, name__gte=""))
    assert as_read(found) == as_read(expected)
    assert [one.provider for one in found] == [body, body]
    assert as_read([one.provider for one in found]) == as_read([one.provider for one in expected])
    assert kept(numbers=[people[2].pk], least="")[0].pk == people[2].pk
    assert kept(numbers=[], least="") == []


def test_its_words_are_made_once_and_its_answer_each_time() -> None:
    body = make_organisation()
    kept = Kept(lambda: Organisation.objects.filter(pk=Given("pk")))
    assert kept(pk=body.pk)[0].phone == body.phone
    Organisation.objects.filter(pk=body.pk).update(phone="0510-1")
    with patch.object(Organisation.objects.all().query.__class__, "get_compiler", side_effect=AssertionError):
        assert kept(pk=body.pk)[0].phone == "0510-1"


def test_a_row_found_so_is_saved_as_any_other_and_can_be_locked() -> None:
    body = make_organisation()
    kept = Kept(lambda: Organisation.objects.select_for_update(of=("self",)).filter(pk=Given("pk")))
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        (row,) = kept(pk=body.pk)
        row.phone = "0510-2"
        row.save(update_fields=["phone"])
    assert "FOR UPDATE OF" in asked[-2]["sql"] or "FOR UPDATE OF" in asked[-3]["sql"]
    assert Organisation.objects.get(pk=body.pk).phone == "0510-2"


def test_a_value_that_is_not_given_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        GRANTS(somebody=1)


def test_columns_are_asked_for_as_values(wide: None) -> None:
    make_area_tree()
    body = make_organisation()
    names = Kept(lambda: Staff.objects.filter(provider_id=Given("body")).order_by("pk").values_list("pk", "day_from"))
    people = [make_staff(body) for _ in range(2)]
    assert names.rows(body=body.pk) == [(one.pk, one.day_from) for one in people]


@pytest.mark.parametrize("whose", ["area", "organisation", "elder", "nobody"])
def test_a_row_is_visible_where_the_queryset_shows_it(wide: None, whose: str) -> None:
    make_area_tree()
    near, far = make_elder(), make_elder(div=OTHER_COMMUNITY)
    own, other = make_organisation(), make_organisation()
    for body in (own, other):
        make_staff(body)
        make_staff(body, div=OTHER_COMMUNITY)
    scopes: dict[str, dict[str, Any]] = {
        "area": {"div": DISTRICT}, "organisation": {"organisation_id": own.pk}, "elder": {"elder_ids": (far.pk,)}, "nobody": {}
    }  # fmt: skip
    who = replace(actor("city"), **{"div": None, "organisation_id": None, "elder_ids": ()} | scopes[whose])
    for rows in (Staff.objects.order_by("pk"), type(near).objects.order_by("pk")):
        expected = list(rows.visible_to(who).values_list("pk", flat=True))
        assert [row.pk for row in rows if row.is_visible_to(who)] == expected
        kept: KeptFor[Any] = KeptFor(
            rows.model, lambda found, least: found.filter(pk__gt=least).order_by("pk"), "least"
        )
        assert [row.pk for row in kept(who, least=0)] == expected
        assert [row.pk for row in kept(who, least=min(expected, default=0))] == expected[1:]


def test_an_area_is_asked_about_in_the_same_words_each_time(wide: None) -> None:
    make_area_tree()
    near, far = make_elder(), make_elder(div=OTHER_COMMUNITY)
    kept: KeptFor[Any] = KeptFor(type(near), lambda found: found.order_by("pk"))
    here, there = (replace(actor("city"), div=row.div) for row in (near, far))
    assert [row.pk for row in kept(here)] == [near.pk]
    with patch.object(type(near).objects.all().query.__class__, "get_compiler", side_effect=AssertionError):
        assert [row.pk for row in kept(there)] == [far.pk]


def test_one_row_is_written_as_the_orm_writes_it_and_many_too() -> None:
    kept = Entry(Organisation)
    body = make_organisation()

    def another(code: str) -> Organisation:
        values = {one.attname: getattr(body, one.attname) for one in Organisation._meta.concrete_fields}
        return Organisation(**values | {"id": None, "credit_code": code})

    kept([first := another("91320200000000001A")])
    with patch.object(Organisation.objects.all().query.__class__, "get_compiler", side_effect=AssertionError):
        kept([second := another("91320200000000002A")])
    kept(both := [another("91320200000000003A"), another("91320200000000004A")])
    kept([])
    mine = {"id", "credit_code"}
    for row in (first, second, *both):
        assert not row._state.adding
        stored = as_read([Organisation.objects.get(pk=row.pk)])[0]
        assert stored == as_read([row])[0]
        assert {name: value for name, value in stored.items() if name not in mine} == {
            name: value for name, value in as_read([Organisation.objects.get(pk=body.pk)])[0].items() if name not in mine
        }  # fmt: skip


def test_what_the_database_fills_is_left_to_it(wide: None) -> None:
    now = real_now()
    record(actor=system(), now=now, event="directory.organisation.update", subject=(body := make_organisation()))
    row = Journal.objects.get(subject_type="organisation", subject_id=body.pk, event="directory.organisation.update")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint, %s BETWEEN now() AND clock_timestamp()", [row.at])
        assert cursor.fetchone() == (row.xid, True)
