"""A kept question is put into words once, asked anew each time, and answers as the ORM does."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from tests.factories import DISTRICT, OTHER_COMMUNITY, actor, make_area_tree, make_elder, make_organisation, make_staff

from yinling.directory.models import Organisation, Staff
from yinling.directory.queries import GRANTS
from yinling.ground.kept import Given, Kept, one_of

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
        shown = [row.pk for row in rows if row.is_visible_to(who)]
        assert shown == list(rows.visible_to(who).values_list("pk", flat=True))
