"""Policies and filings of bodies, what planning asks about people, absences, and warnings before papers end."""

from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    DISTRICT,
    LONG_AGO,
    NOW,
    OTHER_DISTRICT,
    STREET,
    TODAY,
    actor,
    make_absence,
    make_area_tree,
    make_organisation,
    make_policy,
    make_qualification,
    make_staff,
    system,
)

from yinling.accounts.models import Journal, Notice
from yinling.directory.jobs import remind_in
from yinling.directory.models import Absence, Organisation, Policy, Qualification, Staff
from yinling.directory.operations import (
    delist_organisation,
    end_absence,
    end_policy,
    enlist_organisation,
    qualify_staff,
    record_policy,
    report_absence,
    update_staff,
)
from yinling.directory.queries import (
    absences_on,
    body_obstacles,
    ending_policies,
    ending_qualifications,
    listed_for_home_medical,
)
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, Refusal

pytestmark = pytest.mark.usefixtures("wide")
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def city_actor() -> Iterator[Actor]:
    make_area_tree()
    one = actor("city")
    with scope(one):
        yield one


def codes(body: Organisation, day: date = TODAY, *, is_medical: bool = False) -> list[str]:
    return [code for code, _sentence in body_obstacles(body.pk, {day}, is_medical=is_medical)]


@pytest.mark.req("R-ORD-13")
def test_a_policy_is_entered_and_ended(city_actor: Actor) -> None:
    body = make_organisation(insured=False)
    assert codes(body, is_medical=True) == ["insurance"] * 3
    for kind, _label in Policy.KINDS:
        record_policy(
            actor=city_actor, now=NOW, organisation_id=body.pk, kind=kind, insurer="平安保险", number=f"P{kind}", valid_from=TODAY,
            valid_to=TOMORROW,
        )  # fmt: skip
    assert [codes(body, TODAY + timedelta(days=n), is_medical=True) for n in (-1, 0, 1, 2)] == [
        ["insurance"] * 3, [], [], ["insurance"] * 3
    ]  # fmt: skip
    row = Policy.objects.get(kind="liability")
    end_policy(actor=city_actor, now=NOW, policy_id=row.pk, until=TOMORROW, reason="退保")
    assert [codes(body, TODAY), codes(body, TOMORROW)] == [[], ["insurance"]]
    for day, code in [(TOMORROW, "policy.over"), (TODAY + timedelta(days=9), "policy.over")]:
        with pytest.raises(Refusal) as refused:
            end_policy(actor=city_actor, now=NOW, policy_id=row.pk, until=day, reason="退保")
        assert refused.value.code == code


def test_a_provider_enters_its_own_policies_only() -> None:
    mine, other = make_organisation(insured=False), make_organisation(insured=False)
    manager = actor("provider_manager", organisation=mine)
    asked: dict[str, Any] = {
        "kind": "liability",
        "insurer": "平安",
        "number": "1",
        "valid_from": TODAY,
        "valid_to": TOMORROW,
    }
    with scope(manager):
        record_policy(actor=manager, now=NOW, organisation_id=mine.pk, **asked)
        with pytest.raises(Denied):
            record_policy(actor=manager, now=NOW, organisation_id=other.pk, **asked)
        for values, code in [
            ({"kind": "fire"}, "choice.unknown"),
            ({"number": ""}, "text.missing"),
            ({}, "policy.exists"),
        ]:
            with pytest.raises(Refusal) as refused:
                record_policy(actor=manager, now=NOW, organisation_id=mine.pk, **asked | values)
            assert refused.value.code == code
    assert Policy.objects.count() == 1


@pytest.mark.req("R-STF-04")
def test_the_public_list_is_made_from_the_filings(city_actor: Actor) -> None:
    body = make_organisation(does_home_medical=False, home_medical_filed_on=None)
    make_organisation(does_home_medical=False, home_medical_filed_on=None)
    assert (codes(body), codes(body, is_medical=True)) == ([], ["not_listed"])
    row = enlist_organisation(
        actor=city_actor, now=NOW, organisation_id=body.pk, filed_on=TOMORROW, number="备1号", seen=0
    )
    assert list(listed_for_home_medical(CITY, TODAY)) == []
    assert list(listed_for_home_medical(CITY, TOMORROW)) == [body]
    assert list(listed_for_home_medical(OTHER_DISTRICT, TOMORROW)) == []
    assert (codes(body, TODAY, is_medical=True), codes(body, TOMORROW, is_medical=True)) == (["not_listed"], [])
    delist_organisation(actor=city_actor, now=NOW, organisation_id=body.pk, reason="停办", seen=row.version)
    assert list(listed_for_home_medical(CITY, TOMORROW)) == []
    with pytest.raises(Refusal) as refused:
        delist_organisation(actor=city_actor, now=NOW, organisation_id=body.pk, reason="停办")
    assert refused.value.code == "organisation.not_listed"
    hall = make_organisation(is_provider=False, does_home_medical=False, home_medical_filed_on=None)
    with pytest.raises(Refusal) as refused:
        enlist_organisation(actor=city_actor, now=NOW, organisation_id=hall.pk, filed_on=TODAY)
    assert refused.value.code == "organisation.no_provider"


@pytest.mark.req("R-STF-02")
def test_a_credential_has_number_scope_place_and_last_day(city_actor: Actor) -> None:
    doctor = make_staff(kind="doctor", qualified=())
    Qualification.objects.all().delete()
    asked: dict[str, Any] = {
        "staff_id": doctor.pk,
        "number": "110",
        "issuer": "卫健委",
        "valid_from": LONG_AGO,
        "valid_to": TODAY,
    }
    for values, code in [
        ({"kind": "doctor"}, "qualification.place"),
        ({"kind": "doctor", "place": "江苏"}, "qualification.place_format"),
        ({"kind": "nurse", "place": "320"}, "qualification.place_format"),
    ]:
        with pytest.raises(Refusal) as refused:
            qualify_staff(actor=city_actor, now=NOW, **asked | values)
        assert (refused.value.code, refused.value.field) == (code, "place")
    qualify_staff(
        actor=city_actor, now=NOW, kind="doctor", place="32", practice_scope="全科医学", credits_to=TODAY, is_retired_practice=True, **asked
    )  # fmt: skip
    row = Qualification.objects.get()
    assert (row.number, row.practice_scope, row.place, row.valid_to) == ("110", "全科医学", "32", TOMORROW)
    assert (row.credits_to, row.is_retired_practice) == (TOMORROW, True)


def staff_fields(**values: Any) -> dict[str, Any]:
    return {
        "name": "陈静", "day_from": "07:30", "day_to": "17:00", "most_minutes_a_day": 400, "contract_minutes_a_day": 300, "break_minutes": 30,
        "break_from": "11:00", "break_to": "13:00", "mode": "walk", "starts_at_home": True, "home_lon": 120.30567, "home_lat": 31.57123,
        "duty_div": STREET, **values,
    }  # fmt: skip


def test_what_planning_asks_is_changed_by_the_own_provider() -> None:
    make_area_tree()
    person = make_staff(name="陈静")
    manager = actor("provider_manager", organisation=person.provider)
    with scope(manager):
        update_staff(actor=manager, now=NOW, staff_id=person.pk, phone="13900000001", **staff_fields(), seen=0)
    row = Staff.objects.get(pk=person.pk)
    assert (row.day_from, row.break_from, row.break_to, row.break_minutes) == (time(7, 30), time(11), time(13), 30)
    assert (row.home_lon, row.home_lat, row.starts_at_home) == (120.306, 31.571, True), "to about 100 m"
    assert (row.mode, row.duty_div, row.contract_minutes_a_day, row.unseal_field("phone")) == (
        "walk",
        STREET,
        300,
        "13900000001",
    )
    entry = Journal.objects.get(event="directory.staff.update")
    assert entry.changes["home_lon"] == ["*", "*"]
    other = actor("provider_manager", organisation=make_organisation())
    with scope(other), pytest.raises(Refusal):
        update_staff(actor=other, now=NOW, staff_id=person.pk, **staff_fields())


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"day_from": "18:00"}, "staff.hours", "day_to"),
        ({"break_to": "11:20"}, "staff.break", "break_to"),
        ({"break_from": "06:00"}, "staff.break_hours", "break_from"),
        ({"break_from": ""}, "time.format", "break_from"),
        ({"mode": "bus"}, "choice.unknown", "mode"),
        ({"home_lon": None}, "geo.half", "home_lon"),
        ({"home_lon": None, "home_lat": None}, "staff.home", "home_lon"),
        ({"duty_div": "320299"}, "area.unknown", "duty_div"),
        ({"employed_to": date(2019, 1, 1)}, "period.empty", "employed_to"),
        ({"name": ""}, "text.missing", "name"),
    ],
)
def test_wrong_fields_of_a_person(city_actor: Actor, values: dict[str, Any], code: str, field: str) -> None:
    person = make_staff()
    with pytest.raises(Refusal) as refused:
        update_staff(actor=city_actor, now=NOW, staff_id=person.pk, **staff_fields(**values))
    assert (refused.value.code, refused.value.field) == (code, field)
    assert Staff.objects.get(pk=person.pk).version == 0


def test_an_absence_is_reported_by_the_carer_and_ended_by_the_provider() -> None:
    person = make_staff()
    carer, manager = actor("carer", staff=person), actor("provider_manager", organisation=person.provider)
    colleague = make_staff(person.provider)
    with scope(carer):
        row = report_absence(actor=carer, now=NOW, staff_id=person.pk, kind="sick", from_at=NOW, reason="发烧")
        with pytest.raises(Denied) as denied:
            report_absence(actor=carer, now=NOW, staff_id=colleague.pk, kind="leave", from_at=NOW)
        assert denied.value.code == "absence.other"
        with pytest.raises(Denied):
            end_absence(actor=carer, now=NOW, absence_id=row.pk, reason="好了")
    assert absences_on(TODAY + timedelta(days=40)) == {person.pk: [row]}
    with scope(manager):
        end_absence(actor=manager, now=NOW + timedelta(days=1), absence_id=row.pk, reason="好了", seen=0)
        planned = report_absence(
            actor=manager, now=NOW, staff_id=colleague.pk, kind="training", from_at=NOW + timedelta(days=3), to_at=NOW + timedelta(days=4)
        )  # fmt: skip
        end_absence(actor=manager, now=NOW, absence_id=planned.pk, reason="取消培训")
    assert absences_on(TODAY + timedelta(days=2)) == {}
    assert absences_on(TODAY + timedelta(days=3)) == {}, "taken back before it began"
    assert absences_on(TODAY, [colleague.pk]) == {}
    assert [one.pk for one in absences_on(TODAY, [person.pk])[person.pk]] == [row.pk]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"kind": "holiday"}, "choice.unknown"),
        ({"to_at": NOW}, "absence.times"),
        ({"from_at": NOW - timedelta(days=2), "to_at": NOW - timedelta(days=1)}, "absence.over"),
        ({"from_at": NOW + timedelta(hours=20)}, "absence.overlap"),
    ],
)
def test_wrong_absences(city_actor: Actor, values: dict[str, Any], code: str) -> None:
    person = make_staff()
    make_absence(person)
    asked: dict[str, Any] = {"kind": "sick", "from_at": NOW, "to_at": NOW + timedelta(hours=30), **values}
    with pytest.raises(Refusal) as refused:
        report_absence(actor=city_actor, now=NOW, staff_id=person.pk, **asked)
    assert refused.value.code == code
    assert Absence.objects.count() == 1


@pytest.mark.req("R-ORD-13")
def test_who_manages_a_provider_is_warned_thirty_days_before_and_once() -> None:
    make_area_tree()
    system()
    body, far = make_organisation(insured=False), make_organisation(insured=False, div=OTHER_DISTRICT)
    manager = actor("provider_manager", organisation=body)
    in_time = TODAY + timedelta(days=31)
    make_policy(body, "liability", valid_to=in_time)
    make_policy(body, "personal_injury", valid_to=in_time + timedelta(days=1))
    make_policy(body, "medical_accident", valid_to=in_time)
    make_policy(body, "medical_accident", valid_from=in_time)
    make_policy(far, "liability", valid_to=in_time)
    person = make_staff(body, name="陈静", qualified=())
    make_qualification(person, "nurse", valid_to=TODAY + timedelta(days=10))
    remind_in(CITY, NOW)
    remind_in(CITY, NOW + timedelta(hours=1))
    told = sorted(Notice.objects.filter(user_id=manager.user_id).values_list("title", "text"))
    assert [title for title, _text in told] == ["保单即将到期", "证书即将到期"], "each once, not what was renewed"
    assert "2026-07-15" in told[0][1]
    remind_in(CITY, NOW + timedelta(days=1))
    assert Notice.objects.filter(user_id=manager.user_id).count() == 3
    assert body.div == DISTRICT


def test_what_ends_soon_is_listed_and_what_is_over() -> None:
    body = make_organisation(insured=False)
    person = make_staff(body, qualified=())
    soon = make_policy(body, "liability", valid_to=TODAY + timedelta(days=31))
    over = make_policy(body, "personal_injury", valid_to=TODAY)
    make_policy(body, "medical_accident", valid_to=TODAY + timedelta(days=32))
    lapsed = make_qualification(person, "nurse", valid_to=TODAY)
    ends = make_qualification(person, "health", valid_to=TOMORROW)
    make_qualification(person, "induction")
    assert list(ending_policies(TODAY, 30)) == [soon]
    assert list(ending_policies(TODAY, 0)) == [over]
    assert list(ending_qualifications(TODAY, 30)) == [ends]
    assert list(ending_qualifications(TODAY, 0)) == [lapsed]
