"""Writing the files of elders: what is kept, what is refused, and that a refusal changes nothing."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from tests.factories import (
    COMMUNITY,
    NEIGHBOUR,
    NOW,
    OTHER_COMMUNITY,
    STREET,
    TODAY,
    actor,
    make_area_tree,
    make_contact,
    make_elder,
    make_representative,
    make_user,
)

from yinling.accounts.models import Journal
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.id_number import made_up
from yinling.kernel.refusals import Denied, NotAllowed, Refusal, Refused, Stale
from yinling.people.models import Circumstance, Contact, Elder, ElderKey, Household, Representative
from yinling.people.operations import (
    add_contact,
    appoint_representative,
    bury_elder,
    correct_death,
    end_circumstance,
    end_representative,
    record_circumstance,
    register_elder,
    relocate_elder,
    remove_contact,
    reveal_elder,
    update_elder,
)
from yinling.people.queries import circumstances_on, linked_elder_ids

pytestmark = pytest.mark.usefixtures("wide")
BORN = date(1946, 3, 1)
NUMBER = made_up(900_001, BORN, "female").number


@pytest.fixture
def worker() -> Iterator[Actor]:
    make_area_tree()
    one = actor("community", COMMUNITY)
    with scope(one):
        yield one


def fields(**values: Any) -> dict[str, Any]:
    return {
        "name": "王秀英", "sex": "2", "born_on": BORN, "id_number": NUMBER, "phone": "199 0000 1234", "div": COMMUNITY,
        "address": "中山路8号", **values,
    }  # fmt: skip


def test_register_keeps_a_file_that_can_be_found_and_read_only_by_whom_may(worker: Actor) -> None:
    elder = register_elder(actor=worker, now=NOW, **fields(lon=120.3050, lat=31.5700, datum="gcj02"))
    kept = Elder.objects.select_related("household").get(pk=elder.pk)
    assert (kept.name, kept.div, kept.phone_last4, kept.is_made_up) == ("王秀英", COMMUNITY, "1234", True)
    assert NUMBER.encode() not in bytes(kept.id_number_enc or b"")
    assert kept.unseal_field("id_number") == NUMBER
    assert kept.unseal_field("phone") == "19900001234"
    assert kept.household.address == "中山路8号"
    assert abs((kept.household.lon or 0) - 120.3050) > 0.001, "a position in GCJ-02 is moved to WGS-84"
    assert ElderKey.objects.filter(elder=kept, kind="pinyin", key="wangxiuying", div=COMMUNITY).exists()
    row = Journal.objects.get(event="people.elder.register")
    assert (row.elder_id, row.user_id, row.div, row.is_refused) == (kept.pk, worker.user_id, COMMUNITY, False)
    assert NUMBER not in str(row.changes)


def test_two_at_one_address_share_the_household(worker: Actor) -> None:
    first = register_elder(actor=worker, now=NOW, **fields())
    second = register_elder(
        actor=worker, now=NOW, **fields(name="张建国", id_type="none", id_number="", sex="1", lon=120.3, lat=31.5)
    )
    assert first.household_id == second.household_id
    assert Household.objects.get(pk=first.household_id).lat == 31.5


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"name": "  "}, "text.missing", "name"),
        ({"name": "长" * 41}, "text.too_long", "name"),
        ({"address": ""}, "text.missing", "address"),
        ({"address": "路" * 201}, "text.too_long", "address"),
        ({"id_number": NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2")}, "id.checksum", "id_number"),
        ({"id_number": "123"}, "id.length", "id_number"),
        ({"born_on": TODAY + timedelta(days=1)}, "elder.born_in_future", "born_on"),
        ({"born_on": date(1966, 6, 16)}, "elder.under_60", "born_on"),
        ({"phone": "123"}, "phone.format", "phone"),
        ({"sex": "x"}, "choice.unknown", "sex"),
        ({"id_type": "library"}, "choice.unknown", "id_type"),
        ({"div": "320213021009"}, "right.outside", ""),
        ({"lon": 120.3}, "geo.half", "lat"),
        ({"lon": 220.3, "lat": 31.5}, "geo.range", "lon"),
        ({"lon": 120.3, "lat": 31.5, "datum": "mars"}, "choice.unknown", "datum"),
    ],
)
def test_wrong_input_is_refused_at_its_field(worker: Actor, wrong: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        register_elder(actor=worker, now=NOW, **fields(**wrong))
    assert (refused.value.code, refused.value.field) == (code, field)
    assert (Elder.objects.count(), Household.objects.count(), ElderKey.objects.count()) == (0, 0, 0)


@pytest.mark.req("R-PEO-01")
def test_accepted_on_the_sixtieth_birthday_refused_the_day_before(worker: Actor) -> None:
    young = fields(born_on=date(1966, 6, 16), id_type="none", id_number="")
    with pytest.raises(Refused, match="under_60"):
        register_elder(actor=worker, now=NOW, **young)
    assert register_elder(actor=worker, now=NOW + timedelta(days=1), **young).born_on == date(1966, 6, 16)


def test_one_number_is_registered_once_wherever_the_first_file_lies(worker: Actor) -> None:
    other = actor("community", OTHER_COMMUNITY)
    with scope(other):
        register_elder(actor=other, now=NOW, **fields(div=OTHER_COMMUNITY))
    with pytest.raises(Refused) as refused:
        register_elder(actor=worker, now=NOW, **fields(id_number=NUMBER.lower()))
    assert refused.value.code == "elder.exists"
    assert Elder.objects.count() == 0, "and the file in the other area stays hidden"


def test_a_foreign_area_is_denied(worker: Actor) -> None:
    with pytest.raises(Denied) as denied:
        register_elder(actor=worker, now=NOW, **fields(div=OTHER_COMMUNITY))
    assert denied.value.code == "right.outside"


def test_a_role_without_the_right_is_told_who_may() -> None:
    make_area_tree()
    finance = actor("finance", COMMUNITY)
    with scope(finance), pytest.raises(Denied) as denied:
        register_elder(actor=finance, now=NOW, **fields())
    assert denied.value.code == "right.missing"
    assert "社区工作人员" in denied.value.detail


def test_an_area_that_is_no_community_is_refused() -> None:
    make_area_tree()
    street = actor("street", STREET)
    with scope(street), pytest.raises(Refused) as refused:
        register_elder(actor=street, now=NOW, **fields(div=STREET))
    assert (refused.value.code, refused.value.field) == ("area.unknown", "div")


def changes_of(event: str) -> dict[str, Any]:
    return Journal.objects.get(event=event).changes


def test_update_changes_what_was_typed_and_keeps_what_was_masked(worker: Actor) -> None:
    elder = register_elder(actor=worker, now=NOW, **fields())
    update_elder(actor=worker, now=NOW, elder_id=elder.pk, name="王秀莲", sex="2", born_on=BORN, seen=0)
    kept = Elder.objects.get(pk=elder.pk)
    assert (kept.name, kept.version, kept.unseal_field("phone")) == ("王秀莲", 1, "19900001234")
    assert kept.unseal_field("id_number") == NUMBER
    assert not ElderKey.objects.filter(elder=elder, key="wangxiuying").exists()
    assert ElderKey.objects.filter(elder=elder, key="wangxiulian").exists()
    assert changes_of("people.elder.update") == {"name": ["王秀英", "王秀莲"]}


def test_update_of_numbers_is_journalled_without_them(worker: Actor) -> None:
    elder = register_elder(actor=worker, now=NOW, **fields())
    new = made_up(900_002, BORN, "female").number
    update_elder(
        actor=worker,
        now=NOW,
        elder_id=elder.pk,
        name="王秀英",
        sex="2",
        born_on=BORN,
        id_number=new,
        phone="19900005678",
    )
    kept = Elder.objects.get(pk=elder.pk)
    assert (kept.unseal_field("id_number"), kept.unseal_field("phone"), kept.phone_last4) == (
        new,
        "19900005678",
        "5678",
    )
    assert changes_of("people.elder.update") == {"id_number": ["*", "*"], "phone": ["*", "*"]}


def test_a_stale_page_is_refused(worker: Actor) -> None:
    elder = register_elder(actor=worker, now=NOW, **fields())
    update_elder(actor=worker, now=NOW, elder_id=elder.pk, name="王秀莲", sex="2", born_on=BORN, seen=0)
    with pytest.raises(Stale) as stale:
        update_elder(actor=worker, now=NOW, elder_id=elder.pk, name="王秀兰", sex="2", born_on=BORN, seen=0)
    assert stale.value.code == "row.stale"
    assert Elder.objects.get(pk=elder.pk).name == "王秀莲"


def test_an_elder_of_another_area_does_not_exist(worker: Actor) -> None:
    with scope(actor("city")):
        elder = make_elder(OTHER_COMMUNITY)
    with pytest.raises(Refusal) as refused:
        update_elder(actor=worker, now=NOW, elder_id=elder.pk, name="王秀莲", sex="2", born_on=BORN)
    assert refused.value.status == 404


def test_relocate_takes_the_whole_file_along() -> None:
    make_area_tree()
    street = actor("street", STREET)
    elder = make_elder()
    make_contact(elder)
    make_representative(elder, make_user())
    with scope(street):
        record_circumstance(actor=street, now=NOW, elder_id=elder.pk, kind="lives_alone", valid_from=TODAY, body="社区")
        relocate_elder(actor=street, now=NOW, elder_id=elder.pk, div=NEIGHBOUR, address="学前街2号", seen=0)
    kept = Elder.objects.select_related("household").get(pk=elder.pk)
    assert (kept.div, kept.household.div, kept.household.address) == (NEIGHBOUR, NEIGHBOUR, "学前街2号")
    for model in (ElderKey, Contact, Representative, Circumstance):
        assert set(model.objects.filter(elder=elder).values_list("div", flat=True)) == {NEIGHBOUR}
    row = Journal.objects.get(event="people.elder.relocate")
    assert row.changes["div"] == [COMMUNITY, NEIGHBOUR]


def test_who_covers_only_one_of_the_areas_may_not_relocate(worker: Actor) -> None:
    elder = make_elder()
    with pytest.raises(Denied, match="outside"):
        relocate_elder(actor=worker, now=NOW, elder_id=elder.pk, div=NEIGHBOUR, address="学前街2号")
    assert Elder.objects.get(pk=elder.pk).div == COMMUNITY


def test_relocate_to_the_same_home_is_refused(worker: Actor) -> None:
    elder = make_elder()
    address = elder.household.address
    with pytest.raises(Refused, match="same_home"):
        relocate_elder(actor=worker, now=NOW, elder_id=elder.pk, div=COMMUNITY, address=address)


@pytest.mark.req("R-PEO-03")
def test_a_death_holds_from_the_day_after_and_can_be_seen_by_who_may_not_read_the_file(worker: Actor) -> None:
    elder = make_elder()
    bury_elder(actor=worker, now=NOW, elder_id=elder.pk, died_on=TODAY, evidence="死亡证明 123", seen=0)
    assert Elder.objects.get(pk=elder.pk).died_on == TODAY
    assert circumstances_on(elder.pk, TODAY) == set()
    assert circumstances_on(elder.pk, TODAY + timedelta(days=1)) == {"deceased"}
    row = Journal.objects.get(event="people.elder.bury")
    assert (row.elder_id, row.reason) == (elder.pk, "死亡证明 123")
    with pytest.raises(NotAllowed, match="dead"):
        bury_elder(actor=worker, now=NOW, elder_id=elder.pk, died_on=TODAY, evidence="再次")
    with pytest.raises(NotAllowed, match="dead"):
        relocate_elder(actor=worker, now=NOW, elder_id=elder.pk, div=COMMUNITY, address="别处1号")
    with pytest.raises(NotAllowed, match="dead"):
        record_circumstance(actor=worker, now=NOW, elder_id=elder.pk, kind="dibao", valid_from=TODAY, body="民政局")


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"died_on": TODAY + timedelta(days=1)}, "elder.died_in_future", "died_on"),
        ({"died_on": date(1940, 1, 1)}, "elder.died_before_birth", "died_on"),
        ({"evidence": " "}, "text.missing", "evidence"),
    ],
)
def test_a_wrong_death_changes_nothing(worker: Actor, values: dict[str, Any], code: str, field: str) -> None:
    elder = make_elder()
    with pytest.raises(Refused) as refused:
        bury_elder(
            **{"actor": worker, "now": NOW, "elder_id": elder.pk, "died_on": TODAY, "evidence": "证明", **values}
        )
    assert (refused.value.code, refused.value.field) == (code, field)
    assert Elder.objects.get(pk=elder.pk).died_on is None
    assert not Circumstance.objects.exists()


@pytest.mark.req("R-PEO-03")
def test_a_death_registered_by_mistake_is_taken_back_and_stays_on_record(worker: Actor) -> None:
    elder = make_elder()
    street, later = actor("street", STREET), NOW + timedelta(hours=2)
    with pytest.raises(NotAllowed, match="alive"):
        correct_death(actor=street, now=NOW, elder_id=elder.pk, reason="登记错人")
    bury_elder(actor=worker, now=NOW, elder_id=elder.pk, died_on=TODAY, evidence="死亡证明 123", seen=0)
    with pytest.raises(Denied):
        correct_death(actor=worker, now=later, elder_id=elder.pk, reason="登记错人")
    with pytest.raises(Refused) as refused:
        correct_death(actor=street, now=later, elder_id=elder.pk, reason=" ")
    assert refused.value.field == "reason"
    with pytest.raises(Stale):
        correct_death(actor=street, now=later, elder_id=elder.pk, reason="登记错人", seen=0)
    assert Elder.objects.get(pk=elder.pk).died_on == TODAY
    correct_death(actor=street, now=later, elder_id=elder.pk, reason="登记错人", seen=1)
    assert Elder.objects.get(pk=elder.pk).died_on is None
    assert circumstances_on(elder.pk, TODAY + timedelta(days=1)) == set()
    kept = Circumstance.objects.get(elder=elder)
    assert (kept.kind, kept.evidence, kept.recorded_from, kept.recorded_to) == ("deceased", "死亡证明 123", NOW, later)
    row = Journal.objects.get(event="people.elder.correct", is_refused=False)
    assert (row.elder_id, row.reason, row.changes) == (elder.pk, "登记错人", {"died_on": [TODAY.isoformat(), None]})
    bury_elder(actor=worker, now=later, elder_id=elder.pk, died_on=TODAY, evidence="死亡证明 124")
    assert circumstances_on(elder.pk, TODAY + timedelta(days=1)) == {"deceased"}


def test_reveal_shows_numbers_and_leaves_who_looked_and_why() -> None:
    make_area_tree()
    seat = actor("seat")
    elder = make_elder(phone="19900004321")
    with scope(seat):
        shown = reveal_elder(actor=seat, now=NOW, elder_id=elder.pk, reason="回访核对号码")
    assert shown["phone"] == "19900004321"
    assert shown["id_number"].startswith("99")
    row = Journal.objects.get(event="people.elder.reveal")
    assert (row.elder_id, row.user_id, row.reason, row.changes) == (elder.pk, seat.user_id, "回访核对号码", {})


def test_reveal_needs_a_reason_and_the_right(worker: Actor) -> None:
    elder = make_elder()
    with pytest.raises(Denied, match="missing"):
        reveal_elder(actor=worker, now=NOW, elder_id=elder.pk, reason="想看看")
    seat = actor("seat")
    with scope(seat), pytest.raises(Refused) as refused:
        reveal_elder(actor=seat, now=NOW, elder_id=elder.pk, reason=" ")
    assert (refused.value.code, refused.value.field) == ("text.missing", "reason")
    assert not Journal.objects.filter(event="people.elder.reveal", is_refused=False).exists()


def test_contacts_come_and_go(worker: Actor) -> None:
    elder = make_elder()
    row = add_contact(
        actor=worker, now=NOW, elder_id=elder.pk, kind="child", name="王芳", phone="0510-82700001", rank=1
    )
    assert Contact.objects.get(pk=row.pk).unseal_field("phone") == "051082700001"
    with pytest.raises(Refused) as refused:
        add_contact(actor=worker, now=NOW, elder_id=elder.pk, kind="child", name="王芳", phone="", rank=1)
    assert (refused.value.code, refused.value.field) == ("text.missing", "phone")
    with pytest.raises(Refused, match=r"choice\.unknown"):
        add_contact(actor=worker, now=NOW, elder_id=elder.pk, kind="enemy", name="王芳", phone="19900000001")
    remove_contact(actor=worker, now=NOW, contact_id=row.pk, reason="号码停用")
    assert not Contact.objects.filter(elder=elder).exists()
    assert Journal.objects.get(event="people.contact.remove").subject_id == row.pk


@pytest.mark.req("R-PEO-02")
def test_a_circumstance_holds_on_its_days_and_its_end_keeps_what_was_on_record(worker: Actor) -> None:
    elder = make_elder()
    row = record_circumstance(
        actor=worker, now=NOW, elder_id=elder.pk, kind="lives_alone", valid_from=date(2026, 1, 1), body="公园社区"
    )
    end_circumstance(
        actor=worker,
        now=NOW + timedelta(hours=1),
        circumstance_id=row.pk,
        valid_to=date(2026, 5, 31),
        reason="女儿搬来同住",
    )
    assert circumstances_on(elder.pk, date(2026, 5, 31)) == {"lives_alone"}
    assert circumstances_on(elder.pk, date(2026, 6, 1)) == set()
    before = Circumstance.objects.get(elder=elder, recorded_to__isnull=False)
    assert (before.valid_to, before.recorded_from, before.recorded_to) == (None, NOW, NOW + timedelta(hours=1))
    assert Circumstance.objects.get(pk=row.pk).valid_to == date(2026, 6, 1)


def test_a_circumstance_ended_before_it_began_leaves_the_record(worker: Actor) -> None:
    elder = make_elder()
    row = record_circumstance(actor=worker, now=NOW, elder_id=elder.pk, kind="dibao", valid_from=TODAY, body="民政局")
    end_circumstance(actor=worker, now=NOW, circumstance_id=row.pk, valid_to=date(2026, 6, 14), reason="登记错误")
    assert circumstances_on(elder.pk, TODAY) == set()
    assert Circumstance.objects.filter(elder=elder).count() == 1


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"kind": "deceased"}, "circumstance.death", "kind"),
        ({"kind": "rich"}, "choice.unknown", "kind"),
        ({"body": ""}, "text.missing", "body"),
        ({"valid_from": date(1940, 1, 1)}, "circumstance.before_birth", "valid_from"),
        ({"valid_to": date(2026, 6, 14)}, "period.empty", "valid_to"),
    ],
)
def test_wrong_circumstances(worker: Actor, values: dict[str, Any], code: str, field: str) -> None:
    elder = make_elder()
    chosen = {"kind": "dibao", "valid_from": TODAY, "body": "民政局", **values}
    with pytest.raises(Refused) as refused:
        record_circumstance(actor=worker, now=NOW, elder_id=elder.pk, **chosen)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert not Circumstance.objects.exists()


def test_the_same_circumstance_twice_is_refused(worker: Actor) -> None:
    elder = make_elder()
    for expected in (None, "circumstance.overlap"):
        chosen = {"elder_id": elder.pk, "kind": "dibao", "valid_from": TODAY, "body": "民政局"}
        if expected is None:
            record_circumstance(actor=worker, now=NOW, **chosen)
            continue
        with pytest.raises(Refused) as refused:
            record_circumstance(actor=worker, now=NOW, **chosen)
        assert refused.value.code == expected
    assert Circumstance.objects.count() == 1


def test_the_circumstance_of_death_cannot_be_ended(worker: Actor) -> None:
    elder = make_elder()
    bury_elder(actor=worker, now=NOW, elder_id=elder.pk, died_on=TODAY, evidence="证明")
    row = Circumstance.objects.get(elder=elder)
    with pytest.raises(NotAllowed, match="dead"):
        end_circumstance(actor=worker, now=NOW, circumstance_id=row.pk, valid_to=TODAY, reason="试试")


@pytest.mark.req("R-PEO-10")
def test_a_representative_acts_from_the_day_to_the_end(worker: Actor) -> None:
    elder, user = make_elder(), make_user()
    row = appoint_representative(
        actor=worker, now=NOW, elder_id=elder.pk, user_id=user.pk, capacity="guardian", valid_from=TODAY, proof="监护协议 7 号",
        covers_health=True,
    )  # fmt: skip
    assert linked_elder_ids(user.pk, NOW) == (elder.pk,)
    assert linked_elder_ids(user.pk, NOW - timedelta(days=1)) == ()
    user.refresh_from_db()
    assert user.rights_version == 2
    end_representative(actor=worker, now=NOW + timedelta(days=3), representative_id=row.pk, reason="变更监护人")
    assert linked_elder_ids(user.pk, NOW + timedelta(days=2)) == (elder.pk,)
    assert linked_elder_ids(user.pk, NOW + timedelta(days=3)) == ()


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"user_id": 10**9}, "user.unknown", "user_id"),
        ({"capacity": "friend"}, "choice.unknown", "capacity"),
        ({"proof": ""}, "text.missing", "proof"),
        ({"valid_to": date(2026, 1, 1)}, "period.empty", "valid_to"),
    ],
)
def test_wrong_representatives(worker: Actor, values: dict[str, Any], code: str, field: str) -> None:
    elder, user = make_elder(), make_user()
    chosen = {"user_id": user.pk, "capacity": "family", "valid_from": TODAY, "proof": "户口本", **values}
    with pytest.raises(Refused) as refused:
        appoint_representative(actor=worker, now=NOW, elder_id=elder.pk, **chosen)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert not Representative.objects.exists()


def test_the_same_representative_twice_is_refused(worker: Actor) -> None:
    elder, user = make_elder(), make_user()
    make_representative(elder, user)
    with pytest.raises(Refused) as refused:
        appoint_representative(
            actor=worker, now=NOW, elder_id=elder.pk, user_id=user.pk, capacity="self", valid_from=TODAY
        )
    assert refused.value.code == "representative.overlap"
