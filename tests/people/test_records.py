"""What stands around a file: consents, representatives, households, computed labels, verification; tried at the four levels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    NEIGHBOUR,
    NOW,
    OTHER_COMMUNITY,
    STREET,
    TODAY,
    actor,
    make_area_tree,
    make_contact,
    make_elder,
    make_household,
    make_order,
    make_price,
    make_representative,
    make_user,
)

from yinling.accounts.models import Journal
from yinling.directory.rules import may, require
from yinling.ground.models import in_force
from yinling.ground.parameters import parameters
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.parameters import Entry
from yinling.kernel.period import DayPeriod
from yinling.kernel.refusals import Denied, NotAllowed, Refusal, Refused
from yinling.people.models import Circumstance, Consent, Contact, Elder, Household, Representative
from yinling.people.operations import (
    appoint_representative,
    bury_elder,
    correct_household,
    record_circumstance,
    record_consent,
    register_elder,
    relocate_elder,
    update_contact,
    update_elder,
    verify_elder,
    withdraw_consent,
)
from yinling.people.queries import (
    Choice,
    consent_text,
    consent_texts,
    consent_withdrawn,
    consents_due,
    elder_file,
    elders,
    find_elders,
    household_file,
    labels_on,
    linked_elder_ids,
    representation,
    representatives_ending,
    verification_due,
)
from yinling.people.rules import MATTERS, hukou_division
from yinling.visits.queries import may_sign

pytestmark = pytest.mark.usefixtures("wide")
ROOT = Path(__file__).parents[2]
CASES: dict[str, list[dict[str, Any]]] = yaml.safe_load((ROOT / "tests/cases/people.yaml").read_text("utf-8"))


@pytest.fixture
def worker() -> Iterator[Actor]:
    """A community worker."""
    make_area_tree()
    one = actor("community", COMMUNITY)
    with scope(one):
        yield one


def fact(elder: Elder, kind: str, first: date, last: date | None = None) -> Circumstance:
    end = last + timedelta(days=1) if last else None
    return Circumstance.objects.create(
        div=elder.div, elder=elder, kind=kind, body="民政局", valid_from=first, valid_to=end, recorded_from=NOW
    )


@pytest.mark.parametrize("case", CASES["labels"], ids=lambda case: case["title"])
def test_computed_labels_as_an_official_reads_them(worker: Actor, case: dict[str, Any]) -> None:
    elder = make_elder(born_on=case["born"])
    for held in case.get("holds", []):
        fact(elder, held["kind"], held["from"], held.get("to"))
    kinds = Circumstance.objects.filter(in_force(case["day"]), elder=elder).values_list("kind", flat=True)
    assert labels_on(elder, kinds, case["day"]) == case["expected"]


@pytest.mark.parametrize("case", CASES["verification"], ids=lambda case: case["title"])
def test_a_file_is_due_for_verification(worker: Actor, case: dict[str, Any]) -> None:
    make_elder(verified_on=case["verified"], died_on=case.get("died"))
    assert bool(verification_due(worker, case["day"])) is case["due"]


@pytest.mark.parametrize("case", CASES["hukou"], ids=lambda case: str(case["typed"]))
def test_a_hukou_division_is_read(case: dict[str, Any]) -> None:
    if case["kept"] is None:
        with pytest.raises(Refused, match=r"hukou\.format"):
            hukou_division(case["typed"])
    else:
        assert hukou_division(case["typed"]) == case["kept"]


@pytest.mark.req("R-PEO-02")
def test_a_label_is_a_row_with_days_evidence_and_body(worker: Actor) -> None:
    elder = make_elder()
    row = record_circumstance(
        actor=worker, now=NOW, elder_id=elder.pk, kind="disability", detail="肢体二级", valid_from=date(2026, 1, 1), valid_to=date(2026, 6, 30),
        body="市残联", evidence="残疾人证 3202…",
    )  # fmt: skip
    assert (row.detail, row.body, row.evidence) == ("肢体二级", "市残联", "残疾人证 3202…")
    assert (row.valid_from, row.valid_to) == (date(2026, 1, 1), date(2026, 7, 1))
    for day, holds in (
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 6, 30), True),
        (date(2026, 7, 1), False),
    ):
        chosen = elders(worker, Choice(circumstance="disability"), day)
        assert (elder in chosen) is holds, day


@pytest.mark.req("R-PEO-03")
def test_a_file_is_verified_and_comes_back_when_the_months_are_over(worker: Actor) -> None:
    elder = make_elder(verified_on=date(2025, 6, 15))
    assert elder in verification_due(worker, TODAY)
    verify_elder(actor=worker, now=NOW, elder_id=elder.pk, seen=elder.version, evidence="上门核实")
    assert elder not in verification_due(worker, TODAY)
    assert elder not in verification_due(worker, date(2027, 6, 14))
    assert elder in verification_due(worker, date(2027, 6, 15))
    assert Journal.objects.get(event="people.elder.verify").reason == "上门核实"
    bury_elder(actor=worker, now=NOW, elder_id=elder.pk, died_on=TODAY, evidence="证明")
    assert elder not in verification_due(worker, date(2027, 6, 15)), "the dead are not visited"


def test_the_dead_are_not_verified(worker: Actor) -> None:
    elder = make_elder(died_on=TODAY)
    with pytest.raises(NotAllowed, match=r"elder\.dead"):
        verify_elder(actor=worker, now=NOW, elder_id=elder.pk)


@pytest.mark.req("R-PEO-11")
def test_residence_and_hukou_are_two_things(worker: Actor) -> None:
    fields: dict[str, Any] = {"name": "王秀英", "sex": "2", "born_on": date(1946, 3, 1), "id_type": "none"}
    elder = register_elder(
        actor=worker, now=NOW, div=COMMUNITY, address="中山路8号", hukou_div="340100000000", is_resident=True, **fields
    )
    assert (elder.hukou_div, elder.is_resident, elder.verified_on) == ("3401", True, TODAY)
    changed = update_elder(actor=worker, now=NOW, elder_id=elder.pk, hukou_div="3202", is_resident=False, **fields)
    assert (changed.hukou_div, changed.is_resident) == ("3202", False)
    kept = update_elder(actor=worker, now=NOW, elder_id=elder.pk, hukou_div="3202", **fields)
    assert kept.is_resident is False, "an answer that was not given changes nothing"
    with pytest.raises(Refused) as refused:
        update_elder(actor=worker, now=NOW, elder_id=elder.pk, hukou_div="江苏", **fields)
    assert (refused.value.code, refused.value.field) == ("hukou.format", "hukou_div")


@pytest.mark.req("X-PIP-01", "X-PIP-04")
def test_every_purpose_has_a_ground_a_version_and_a_plain_text() -> None:
    texts = consent_texts(COMMUNITY, TODAY)
    assert {text.purpose for text in texts} >= {"service", "health", "family", "position", "face", "bank", "registry"}
    assert all(text.text and text.without and text.version and text.document for text in texts)
    assert {text.ground for text in texts} == {"consent", "duty"}
    assert {text.purpose for text in texts if text.is_sensitive} == {
        "health", "position", "face", "bank", "family_doctor", "home_bed", "hospice",
    }  # fmt: skip
    assert [text.purpose for text in texts if not text.needs_consent] == ["registry"]
    assert consent_text("advertising", COMMUNITY, TODAY) is None


@pytest.mark.req("X-PIP-02")
def test_a_consent_is_given_to_the_text_in_force_and_withdrawn_without_a_reason(worker: Actor) -> None:
    elder = make_elder()
    give: dict[str, Any] = {"actor": worker, "elder_id": elder.pk, "purpose": "health", "given_by": "self"}
    row = record_consent(now=NOW, **give)
    assert (row.text_version, row.valid_from, row.valid_to) == ("2026-1", TODAY, None)
    withdrawn = withdraw_consent(actor=worker, now=NOW + timedelta(days=3), consent_id=row.pk)
    assert withdrawn.valid_to == TODAY + timedelta(days=3)
    for day, holds in ((TODAY, True), (TODAY + timedelta(days=2), True), (TODAY + timedelta(days=3), False)):
        assert Consent.objects.filter(in_force(day), elder=elder).exists() is holds
    with pytest.raises(NotAllowed, match=r"consent\.ended"):
        withdraw_consent(actor=worker, now=NOW + timedelta(days=3), consent_id=row.pk)
    again = record_consent(now=NOW + timedelta(days=5), **give)
    assert again.pk != row.pk


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"purpose": "advertising"}, "consent.purpose", "purpose"),
        ({"purpose": "registry"}, "consent.purpose", "purpose"),
        ({"text_version": "2019-1"}, "consent.version", "text_version"),
        ({"given_by": "friend"}, "choice.unknown", "given_by"),
        ({"given_by": "guardian"}, "signer.not_appointed", "given_by"),
        ({"given_by": "family"}, "signer.not_appointed", "given_by"),
    ],
)
def test_wrong_consents(worker: Actor, values: dict[str, str], code: str, field: str) -> None:
    elder = make_elder()
    with pytest.raises(Refused) as refused:
        record_consent(
            actor=worker, now=NOW, **{"elder_id": elder.pk, "purpose": "health", "given_by": "self", **values}
        )
    assert (refused.value.code, refused.value.field) == (code, field)
    assert not Consent.objects.exists()


@pytest.mark.req("X-PIP-02")
def test_a_new_text_has_to_be_agreed_to_anew(worker: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    elder, gone = make_elder(), make_elder(died_on=TODAY)
    give: dict[str, Any] = {"actor": worker, "purpose": "health", "given_by": "self"}
    record_consent(now=NOW, elder_id=elder.pk, **give)
    for person, version in ((gone, "2024-1"), (make_elder(), "2024-1")):
        Consent.objects.create(
            div=person.div,
            elder=person,
            purpose="health",
            text_version=version,
            given_by="self",
            valid_from=TODAY,
            recorded_from=NOW,
        )
    assert [row.text_version for row in consents_due(worker, TODAY)] == ["2024-1"], "of the living only"
    old = parameters().entries("consent.health")[0]
    newer = Entry(
        old.key, "3202", old.value | {"version": "2027-1"}, DayPeriod(date(2026, 7, 1), None), "d", "c", "", "f", 1
    )
    monkeypatch.setattr(parameters(), "_entries", {**parameters()._entries, "consent.health": [old, newer]})
    later = date(2026, 7, 1)
    assert [row.elder_id for row in consents_due(worker, TODAY)] != []
    due = {row.elder_id for row in consents_due(worker, later)}
    assert elder.pk in due, "a city's own newer text counts there from its day on"
    assert elder.pk not in {row.elder_id for row in consents_due(worker, date(2026, 6, 30))}
    row = record_consent(now=NOW + timedelta(days=16), elder_id=elder.pk, **give)
    assert row.text_version == "2027-1"
    live = Consent.objects.filter(elder=elder, recorded_to=None).order_by("valid_from")
    assert [(one.text_version, one.valid_to) for one in live] == [("2026-1", later), ("2027-1", None)]


@pytest.mark.req("X-PIP-02")
def test_an_elder_gives_and_withdraws_at_the_own_screen_and_only_as_what_the_file_says(worker: Actor) -> None:
    elder = make_elder()
    her = actor("elder", elders=(elder,))
    son = actor("family", elders=(elder,))
    with scope(her):
        row = record_consent(actor=her, now=NOW, elder_id=elder.pk, purpose="position", given_by="self")
        withdraw_consent(actor=her, now=NOW + timedelta(days=1), consent_id=row.pk)
    with scope(son):
        with pytest.raises(Denied, match=r"consent\.capacity"):
            record_consent(actor=son, now=NOW, elder_id=elder.pk, purpose="bank", given_by="self")
        assert (
            record_consent(actor=son, now=NOW, elder_id=elder.pk, purpose="bank", given_by="family").given_by
            == "family"
        )
    stranger = actor("family", elders=(make_elder(),))
    with scope(stranger), pytest.raises(Refusal) as refused:
        record_consent(actor=stranger, now=NOW, elder_id=elder.pk, purpose="bank", given_by="family")
    assert refused.value.status == 404


@pytest.mark.req("X-PIP-02")
def test_without_the_consent_to_it_kin_have_no_access(worker: Actor) -> None:
    elder, son, guardian = make_elder(), make_user(), make_user()
    make_representative(elder, son, capacity="family", valid_from=date(2026, 1, 1))
    make_representative(elder, guardian, capacity="guardian")
    row = record_consent(actor=worker, now=NOW, elder_id=elder.pk, purpose="family", given_by="self")
    withdraw_consent(actor=worker, now=NOW + timedelta(days=1), consent_id=row.pk)
    assert linked_elder_ids(son.pk, NOW) == (elder.pk,)
    assert linked_elder_ids(son.pk, NOW + timedelta(days=1)) == ()
    assert linked_elder_ids(guardian.pk, NOW + timedelta(days=1)) == (elder.pk,)
    son.refresh_from_db()
    assert son.rights_version == 2


@pytest.mark.req("X-PIP-02")
def test_a_withdrawn_consent_is_not_one_never_asked_for(worker: Actor) -> None:
    elder = make_elder()
    assert not consent_withdrawn(elder.pk, "service", TODAY)
    row = record_consent(actor=worker, now=NOW, elder_id=elder.pk, purpose="service", given_by="self")
    assert not consent_withdrawn(elder.pk, "service", TODAY)
    withdraw_consent(actor=worker, now=NOW, consent_id=row.pk)
    assert consent_withdrawn(elder.pk, "service", TODAY), "also on the day on which it was given"
    record_consent(actor=worker, now=NOW, elder_id=elder.pk, purpose="service", given_by="self")
    assert not consent_withdrawn(elder.pk, "service", TODAY)


@pytest.mark.req("R-PEO-10")
def test_a_representative_acts_in_its_matters_on_its_days(worker: Actor) -> None:
    elder, son = make_elder(), make_user()
    appoint_representative(
        actor=worker, now=NOW, elder_id=elder.pk, user_id=son.pk, capacity="agent", valid_from=TODAY, valid_to=TODAY + timedelta(days=10),
        covers_orders=False, covers_bills=False, proof="委托书 1号",
    )  # fmt: skip
    mine, withheld = representation(son.pk, NOW)
    assert mine == (elder.pk,)
    assert {right for _, right in withheld} == {
        *MATTERS["covers_orders"], *MATTERS["covers_bills"], *MATTERS["covers_health"]
    }  # fmt: skip
    one = Actor(
        son.pk, "儿子", "family", frozenset({"orders.order.place", "people.consent.record"}), None, None, mine, withheld
    )
    assert may(one, "people.consent.record", div=elder.div, elder_id=elder.pk)
    assert not may(one, "orders.order.place", div=elder.div, elder_id=elder.pk)
    with pytest.raises(Denied, match=r"right\.not_represented"):
        require(one, "orders.order.place", div=elder.div, elder_id=elder.pk)
    last = NOW + timedelta(days=10)
    assert linked_elder_ids(son.pk, last) == (elder.pk,)
    assert linked_elder_ids(son.pk, last + timedelta(days=1)) == (), "the day after it has no access"


@pytest.mark.req("R-PEO-10")
def test_who_signs_for_an_elder_is_on_file_for_signing_that_day(worker: Actor) -> None:
    elder = make_elder()
    end = TODAY + timedelta(days=1)
    row = make_representative(elder, make_user(), capacity="guardian", valid_from=TODAY, valid_to=end)
    for day, signs in ((TODAY - timedelta(days=1), False), (TODAY, True), (end, False)):
        assert may_sign(elder.pk, "guardian", day) is signs
    assert not may_sign(elder.pk, "agent", TODAY)
    give: dict[str, Any] = {"actor": worker, "elder_id": elder.pk, "purpose": "health", "given_by": "guardian"}
    assert record_consent(now=NOW, **give).given_by == "guardian"
    with pytest.raises(Refused, match=r"signer\.not_appointed"):
        record_consent(now=NOW + timedelta(days=1), **give)
    Representative.objects.filter(pk=row.pk).update(covers_signing=False)
    with pytest.raises(Refused, match=r"signer\.not_appointed"):
        record_consent(now=NOW, **give)


def test_representations_that_run_out_are_listed(worker: Actor) -> None:
    def until(days: int | None, **values: Any) -> Representative:
        end = None if days is None else TODAY + timedelta(days=days)
        return make_representative(make_elder(**values), make_user(), valid_to=end)

    soon, today_, edge = until(10), until(1), until(30)
    until(31), until(None), until(0), until(5, died_on=TODAY)
    assert list(representatives_ending(worker, TODAY)) == [today_, soon, edge]


@pytest.mark.req("R-PEO-08")
def test_one_home_one_file_with_members_past_and_present_and_versions(worker: Actor) -> None:
    home = make_household(address="中山路8号")
    stays, moves = make_elder(household=home, name="王秀英"), make_elder(household=home, name="张建国", sex="1")
    make_contact(stays)
    district = actor("district", DISTRICT)
    with scope(district):
        relocate_elder(
            actor=district, now=NOW + timedelta(days=5), elder_id=moves.pk, div=NEIGHBOUR, address="学前街1号"
        )
    correct_household(
        actor=worker, now=NOW + timedelta(days=6), household_id=home.pk, address="中山路8号201室", lon=120.31, lat=31.58, reason="门牌写漏",
        seen=home.version,
    )  # fmt: skip
    own = household_file(worker, home.pk)
    assert own is not None
    assert [(stay.name, stay.until) for stay in own.former] == [("张建国", None)], (
        "gone out of the community, day unknown there"
    )
    with scope(district):
        file = household_file(district, home.pk)
    assert file is not None
    assert [row.pk for row in file.members] == [stays.pk]
    assert [(stay.elder_id, stay.name, stay.until) for stay in file.former] == [
        (moves.pk, "张建国", NOW + timedelta(days=5))
    ]
    assert file.since(stays.pk) == NOW
    assert [contact.elder_id for contact in file.contacts] == [stays.pk]
    latest, first = file.versions
    assert next((str(label), before, after) for label, before, after in latest.changes) == (
        "住址",
        "中山路8号",
        "中山路8号201室",
    )
    assert first.at == NOW
    with scope(actor("community", OTHER_COMMUNITY)):
        assert household_file(actor("community", OTHER_COMMUNITY), home.pk) is None


def test_a_home_is_not_corrected_into_another(worker: Actor) -> None:
    home, other = make_household(address="甲路1号"), make_household(address="乙路2号")
    with pytest.raises(NotAllowed, match=r"household\.exists"):
        correct_household(actor=worker, now=NOW, household_id=home.pk, address=other.address, reason="合并")
    with pytest.raises(Refused, match=r"text\.missing"):
        correct_household(actor=worker, now=NOW, household_id=home.pk, address="丙路3号", reason="")
    assert Household.objects.get(pk=home.pk).address == "甲路1号"


def test_a_contact_is_corrected_and_the_phone_kept(worker: Actor) -> None:
    row = make_contact(make_elder(), phone="19900008888")
    update_contact(actor=worker, now=NOW, contact_id=row.pk, kind="neighbour", name="李邻居", rank=2, seen=row.version)
    kept = Contact.objects.get(pk=row.pk)
    assert (kept.kind, kept.name, kept.rank, kept.unseal_field("phone")) == ("neighbour", "李邻居", 2, "19900008888")
    update_contact(actor=worker, now=NOW, contact_id=row.pk, kind="child", name="王芳", phone="199 0000 7777")
    assert Contact.objects.get(pk=row.pk).unseal_field("phone") == "19900007777"
    assert "19900007777" not in str([one.changes for one in Journal.objects.all()])


@pytest.mark.req("R-PEO-04")
@pytest.mark.parametrize(
    ("role", "div", "sees"),
    [
        ("city", CITY, {"here", "next", "far"}),
        ("district", DISTRICT, {"here", "next"}),
        ("street", STREET, {"here", "next"}),
        ("community", COMMUNITY, {"here"}),
        ("community", NEIGHBOUR, {"next"}),
        ("community", OTHER_COMMUNITY, {"far"}),
    ],
)
def test_each_of_the_four_levels_sees_its_own_people_and_resources(role: str, div: str, sees: set[str]) -> None:
    make_area_tree()
    people = {
        "here": make_elder(COMMUNITY, name="王秀英"),
        "next": make_elder(NEIGHBOUR, name="王秀英"),
        "far": make_elder(OTHER_COMMUNITY, name="王秀英"),
    }
    price = make_price()
    for elder in people.values():
        make_contact(elder)
        fact(elder, "dibao", date(2026, 1, 1))
        make_order(elder=elder, price=price)
    one = actor(role, div)
    numbers = {people[name].pk for name in sees}
    with scope(one):
        assert set(elders(one, Choice(), TODAY).values_list("pk", flat=True)) == numbers
        assert {row.pk for row in find_elders(one, "王秀英")} == numbers
        assert set(Contact.objects.values_list("elder_id", flat=True)) == numbers, "the database itself shows no more"
        assert set(Circumstance.objects.values_list("elder_id", flat=True)) == numbers
        assert set(Household.objects.values_list("pk", flat=True)) == {people[name].household_id for name in sees}
        for name, elder in people.items():
            assert (elder_file(one, elder.pk, TODAY) is not None) is (name in sees)
