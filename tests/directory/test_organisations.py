"""Bodies, their places and people, and who answers where."""

from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    LONG_AGO,
    NOW,
    OTHER_DISTRICT,
    TODAY,
    actor,
    make_area_tree,
    make_organisation,
    make_qualification,
    make_service_area,
    make_site,
    make_staff,
)

from yinling.accounts.models import Journal
from yinling.directory.models import Organisation, Qualification, ServiceArea, Site, Staff, Suspension
from yinling.directory.operations import (
    assign_service_area,
    qualify_staff,
    register_organisation,
    register_site,
    register_staff,
    release_suspension,
    rename_area,
    suspend_staff,
    update_organisation,
)
from yinling.directory.queries import (
    coverage_gaps,
    responsible_body,
)
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.credit_code import made_up_credit_code
from yinling.kernel.refusals import Denied, Refusal, Refused

pytestmark = pytest.mark.usefixtures("wide")


@pytest.fixture
def city_actor() -> Iterator[Actor]:
    make_area_tree()
    one = actor("city")
    with scope(one):
        yield one


def body_fields(**values: Any) -> dict[str, Any]:
    return {
        "name": "无锡康乐居家养老服务有限公司", "short_name": "康乐", "credit_code": made_up_credit_code(4711), "kind": "home_care",
        "div": DISTRICT, "address": "人民路3号", "phone": "0510-82700000", "is_provider": True, "valid_from": LONG_AGO, **values,
    }  # fmt: skip


def test_a_body_is_entered_and_changed(city_actor: Actor) -> None:
    body = register_organisation(actor=city_actor, now=NOW, **body_fields())
    assert (body.credit_code, body.phone) == (made_up_credit_code(4711), "051082700000")
    update_organisation(
        actor=city_actor, now=NOW, organisation_id=body.pk, name=body.name, short_name="康乐居家", address="人民路5号",
        valid_to=date(2026, 12, 31), seen=0,
    )  # fmt: skip
    kept = Organisation.objects.get(pk=body.pk)
    assert (kept.short_name, kept.valid_to, kept.phone) == ("康乐居家", date(2027, 1, 1), "")
    site = register_site(
        actor=city_actor, now=NOW, organisation_id=body.pk, name="崇安站", kind="home_care", div=COMMUNITY, address="中山路1号",
        lon=120.3050, lat=31.5700, datum="bd09", capabilities=["meals"],
    )  # fmt: skip
    assert abs(site.lon - 120.3050) > 0.005
    assert [row.event for row in Journal.objects.order_by("id")] == [
        "directory.organisation.register", "directory.organisation.update", "directory.site.register"
    ]  # fmt: skip


@pytest.mark.req("X-ID-02")
@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"credit_code": "91320200"}, "credit_code.length", "credit_code"),
        ({"credit_code": "91350100M000100Y44"}, "credit_code.checksum", "credit_code"),
        ({"credit_code": "91350100M000100YI3"}, "credit_code.characters", "credit_code"),
        ({"credit_code": made_up_credit_code(1, "52")}, "organisation.exists", ""),
        ({"name": ""}, "text.missing", "name"),
        ({"short_name": "长" * 41}, "text.too_long", "short_name"),
        ({"kind": "bank"}, "choice.unknown", "kind"),
        ({"div": "320299"}, "area.unknown", "div"),
        ({"div": "3203"}, "right.outside", ""),
        ({"phone": "12"}, "phone.format", "phone"),
    ],
)
def test_wrong_bodies(city_actor: Actor, values: dict[str, Any], code: str, field: str) -> None:
    make_organisation(credit_code=made_up_credit_code(1, "52"))
    before = Organisation.objects.count()
    with pytest.raises(Refusal) as refused:
        register_organisation(actor=city_actor, now=NOW, **body_fields(**values))
    assert (refused.value.code, refused.value.field) == (code, field)
    assert Organisation.objects.count() == before


def test_a_site_needs_a_place_on_earth_in_the_own_area(city_actor: Actor) -> None:
    body = make_organisation()
    before = Site.objects.count()
    chosen = {"organisation_id": body.pk, "name": "站", "kind": "home_care", "address": "路1号", "capabilities": []}
    for values, code in [
        ({"div": COMMUNITY, "lon": 300.0, "lat": 31.0}, "geo.range"),
        ({"div": "320299", "lon": 120.0, "lat": 31.0}, "area.unknown"),
        ({"div": "3203", "lon": 120.0, "lat": 31.0}, "right.outside"),
    ]:
        with pytest.raises(Refusal) as refused:
            register_site(actor=city_actor, now=NOW, **chosen, **values)
        assert refused.value.code == code
    assert Site.objects.count() == before


@pytest.mark.req("R-ORD-04")
def test_one_body_answers_in_each_place_and_gaps_are_listed(city_actor: Actor) -> None:
    first, second = make_organisation(), make_organisation()
    assign_service_area(
        actor=city_actor, now=NOW, organisation_id=first.pk, family="bathing", div=DISTRICT, valid_from=LONG_AGO
    )
    report = coverage_gaps("bathing", TODAY, CITY)
    assert [area.div for area in report.gaps] == ["320281100200"]
    assert report.overlaps == []
    assert {body.pk for body in report.resolved.values()} == {first.pk}
    assign_service_area(
        actor=city_actor, now=NOW, organisation_id=second.pk, family="bathing", div=COMMUNITY, valid_from=TODAY
    )
    yesterday = TODAY - timedelta(days=1)
    assert responsible_body("bathing", COMMUNITY, TODAY) == second
    assert responsible_body("bathing", COMMUNITY, yesterday) == first
    assert responsible_body("bathing", "320281100200", TODAY) is None


@pytest.mark.req("R-ORD-04")
def test_a_new_body_takes_over_from_its_day_on(city_actor: Actor) -> None:
    first, second = make_organisation(), make_organisation()
    make_service_area(first, "bathing", CITY)
    assign_service_area(
        actor=city_actor, now=NOW, organisation_id=second.pk, family="bathing", div=CITY, valid_from=TODAY
    )
    assert responsible_body("bathing", COMMUNITY, TODAY) == second
    assert responsible_body("bathing", COMMUNITY, TODAY - timedelta(days=1)) == first
    assert ServiceArea.objects.filter(recorded_to__isnull=False).count() == 1, "what was on record is kept"
    with pytest.raises(Refused, match="same"):
        assign_service_area(
            actor=city_actor, now=NOW, organisation_id=second.pk, family="bathing", div=CITY, valid_from=TODAY
        )


def test_a_body_that_stopped_leaves_a_gap(city_actor: Actor) -> None:
    body = make_organisation(valid_to=TODAY)
    make_service_area(body, "bathing", CITY)
    assert coverage_gaps("bathing", TODAY - timedelta(days=1), CITY).gaps == []
    assert len(coverage_gaps("bathing", TODAY, CITY).gaps) == 3
    with pytest.raises(Refused, match=r"organisation\.unknown"):
        assign_service_area(
            actor=city_actor, now=NOW, organisation_id=body.pk, family="meal", div=CITY, valid_from=TODAY
        )


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"family": "Meal!"}, "family.unknown"),
        ({"div": "320299"}, "area.unknown"),
        ({"div": "3203"}, "right.outside"),
        ({"organisation_id": 10**9}, "organisation.unknown"),
    ],
)
def test_wrong_duties(city_actor: Actor, values: dict[str, Any], code: str) -> None:
    chosen = {"organisation_id": make_organisation().pk, "family": "meal", "div": CITY, "valid_from": TODAY, **values}
    with pytest.raises(Refusal) as refused:
        assign_service_area(actor=city_actor, now=NOW, **chosen)
    assert refused.value.code == code
    assert not ServiceArea.objects.exists()


def test_a_manager_enters_people_of_the_own_body_and_no_other() -> None:
    make_area_tree()
    body, other = make_organisation(), make_organisation()
    manager = actor("provider_manager", organisation=body)
    chosen = {"name": "陈静", "kind": "nurse", "sex": "2", "phone": "19900001111", "employed_from": LONG_AGO}
    with scope(manager):
        staff = register_staff(
            actor=manager, now=NOW, organisation_id=body.pk, site_id=body.sites.get().pk, day_from="07:30", **chosen
        )
        with pytest.raises(Denied, match="outside"):
            register_staff(actor=manager, now=NOW, organisation_id=other.pk, site_id=other.sites.get().pk, **chosen)
        row = qualify_staff(
            actor=manager, now=NOW, staff_id=staff.pk, kind="nurse", number="N-1", issuer="市卫健委", valid_from=LONG_AGO,
            valid_to=date(2026, 12, 31),
        )  # fmt: skip
    kept = Staff.objects.get(pk=staff.pk)
    assert (kept.day_from, kept.day_to, kept.unseal_field("phone")) == (time(7, 30), time(18), "19900001111")
    assert Qualification.objects.get(pk=row.pk).valid_to == date(2027, 1, 1)
    assert set(Journal.objects.filter(is_refused=False).values_list("staff_id", flat=True)) == {staff.pk}


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"name": ""}, "text.missing", "name"),
        ({"kind": "cook"}, "choice.unknown", "kind"),
        ({"sex": "9"}, "choice.unknown", "sex"),
        ({"phone": "1"}, "phone.format", "phone"),
        ({"day_from": "8点"}, "time.format", "day_from"),
        ({"day_from": "18:00", "day_to": "08:00"}, "staff.hours", "day_to"),
        ({"site_id": 10**9}, "site.unknown", "site_id"),
    ],
)
def test_wrong_staff(city_actor: Actor, values: dict[str, Any], code: str, field: str) -> None:
    body = make_organisation()
    chosen = {
        "organisation_id": body.pk, "site_id": body.sites.get().pk, "name": "陈静", "kind": "nurse", "sex": "2",
        "employed_from": LONG_AGO, **values,
    }  # fmt: skip
    with pytest.raises(Refused) as refused:
        register_staff(actor=city_actor, now=NOW, **chosen)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert not Staff.objects.exists()


def test_a_site_of_another_body_is_refused(city_actor: Actor) -> None:
    body, other = make_organisation(), make_organisation()
    with pytest.raises(Refused, match=r"site\.unknown"):
        register_staff(
            actor=city_actor, now=NOW, organisation_id=body.pk, site_id=make_site(other).pk, name="陈静", kind="nurse", sex="2",
            employed_from=LONG_AGO,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"kind": "licence"}, "choice.unknown", "kind"),
        ({"number": ""}, "text.missing", "number"),
        ({"issuer": "署" * 81}, "text.too_long", "issuer"),
        ({"valid_to": date(2019, 1, 1)}, "period.empty", "valid_to"),
        ({"kind": "health"}, "qualification.overlap", ""),
    ],
)
def test_wrong_certificates(city_actor: Actor, values: dict[str, Any], code: str, field: str) -> None:
    staff = make_staff(qualified=())
    make_qualification(staff, "health")
    chosen = {"kind": "nurse", "number": "N-1", "issuer": "市卫健委", "valid_from": LONG_AGO, **values}
    with pytest.raises(Refused) as refused:
        qualify_staff(actor=city_actor, now=NOW, staff_id=staff.pk, **chosen)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert Qualification.objects.count() == 1


def test_a_suspension_happens_once_and_is_lifted_for_its_cause_only() -> None:
    make_area_tree()
    supervisor, staff = actor("supervisor"), make_staff()
    with scope(supervisor):
        first = suspend_staff(supervisor, NOW, staff, "finding:1", "一人多地")
        assert suspend_staff(supervisor, NOW, staff, "finding:1", "一人多地") == first
        suspend_staff(supervisor, NOW, staff, "finding:2", "照片重复")
        released = release_suspension(supervisor, NOW, staff, "finding:1", "核实无误")
        assert released is not None
        assert (released.to_at, released.released_by_id) == (NOW, supervisor.user_id)
        assert release_suspension(supervisor, NOW, staff, "finding:1", "再次") is None
    assert list(Suspension.objects.filter(to_at=None).values_list("cause", flat=True)) == ["finding:2"]
    events = Journal.objects.filter(staff_id=staff.pk).order_by("id").values_list("event", flat=True)
    assert list(events) == ["directory.staff.suspend", "directory.staff.suspend", "directory.staff.release"]


def test_an_area_is_renamed_where_one_may_and_by_whom() -> None:
    make_area_tree()
    admin = actor("system_admin", DISTRICT)
    given = {"name": "公园里社区", "short_name": "公园里", "reason": "批复"}
    with scope(admin):
        area = rename_area(actor=admin, now=NOW, div=COMMUNITY, **given)
        with pytest.raises(Denied, match="outside"):
            rename_area(actor=admin, now=NOW, div=OTHER_DISTRICT, **given)
        with pytest.raises(Refusal, match="not_found"):
            rename_area(actor=admin, now=NOW, div="320213021999", **given)
        with pytest.raises(Refused, match=r"text\.missing"):
            rename_area(actor=admin, now=NOW, div=COMMUNITY, **given | {"short_name": " "})
    assert (area.name, area.short_name) == ("公园里社区", "公园里")
    row = Journal.objects.get(event="directory.area.rename", is_refused=False)
    assert (row.div, row.changes["name"], row.reason) == (COMMUNITY, ["公园社区", "公园里社区"], "批复")
