"""The resources of an area: list, map, export, one place."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.factories import NOW, actor, make_organisation, make_site, make_staff

from yinling.directory.models import Site
from yinling.directory.operations import update_site
from yinling.kernel.refusals import Denied, Refused

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


def test_each_level_sees_the_places_of_its_area(sign_in: SignIn) -> None:
    body = make_organisation(div="320213021")
    make_site(body, name="崇安站", div="320213021")
    make_site(body, name="璜土站", div="320281100")
    for div, seen in (
        ("3202", {"崇安站", "璜土站"}),
        ("320213", {"崇安站"}),
        ("320213021", {"崇安站"}),
        ("320281", {"璜土站"}),
    ):
        page = sign_in(actor("street", div=div)).get("/resources/").text
        assert {name for name in ("崇安站", "璜土站") if name in page} == seen


def test_the_list_is_empty_filtered_and_flat(sign_in: SignIn) -> None:
    client = sign_in("city")
    assert "没有符合条件的场所" in client.get("/resources/").text
    counts = []
    for number in range(3):
        make_site(make_organisation(), name=f"站点{number}", capabilities=["assessment"] if number else [], beds=number)
        with CaptureQueriesContext(connection) as queries:
            client.get("/resources/")
        counts.append(len(queries))
    assert counts[0] == counts[2] <= 12
    assert "站点0" not in client.get("/resources/", {"offers": "assessment"}).text
    assert "站点1" in client.get("/resources/", {"offers": "assessment"}).text
    assert client.get("/resources/", {"export": "1"})["Content-Type"].endswith("sheet")


def test_people_are_counted_for_who_may_see_them(sign_in: SignIn) -> None:
    make_staff()
    assert "养老护理员" in sign_in("city").get("/resources/").text
    assert "养老护理员" not in sign_in("system_admin").get("/resources/").text


def test_a_place_is_corrected_by_who_may(sign_in: SignIn) -> None:
    site: Any = make_site(make_organisation())
    client = sign_in("city")
    assert client.get(f"/resources/{site.pk}/").status_code == 200
    assert client.get("/resources/999999/").status_code == 404
    given = {"site_id": site.pk, "name": "新站", "address": "公园路1号", "beds": 12, "hours": "每天"}
    update_site(actor=actor("city"), now=NOW, capabilities=["meals", "assessment"], **given)
    site.refresh_from_db()
    assert (site.name, site.capabilities, site.beds) == ("新站", ["assessment", "meals"], 12)
    with pytest.raises(Refused):
        update_site(actor=actor("city"), now=NOW, capabilities=["飞行"], **given)
    with pytest.raises(Denied):
        update_site(actor=actor("seat"), now=NOW, capabilities=[], **given)
    assert Site.objects.get(pk=site.pk).version == 1
