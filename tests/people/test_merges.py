"""One file of two that are one person, and back: every row, every area, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    NOW,
    OTHER_COMMUNITY,
    STREET,
    TODAY,
    actor,
    make_area_tree,
    make_contact,
    make_elder,
    make_entitlement,
    make_household,
    make_order,
    make_representative,
    make_scheme,
    make_user,
)

from yinling.accounts.models import Journal, Notice
from yinling.entitlements.models import Entitlement, Quota
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.orders.models import Order
from yinling.people.models import Circumstance, Consent, Contact, Elder, ElderKey, Merge, Representative
from yinling.people.operations import add_contact, merge_elders, separate_elders, unmerge_elders
from yinling.people.queries import (
    Choice,
    Pairs,
    elder_file,
    elders,
    elders_by_phone,
    find_elders,
    kept_file,
    merged_numbers,
)
from yinling.people.queries.merging import elder_tables

pytestmark = pytest.mark.usefixtures("wide")


@pytest.fixture
def clerk() -> Iterator[Actor]:
    """A district clerk."""
    make_area_tree()
    one = actor("district", DISTRICT)
    with scope(one):
        yield one


def unnumbered(**values: Any) -> Elder:
    """A file without a document, as most doubles are."""
    return make_elder(id_type="none", **values)


def fact(elder: Elder, kind: str = "dibao", first: date = date(2026, 1, 1), last: date | None = None) -> Circumstance:
    return Circumstance.objects.create(
        div=elder.div, elder=elder, kind=kind, body="民政局", valid_from=first, valid_to=last, recorded_from=NOW
    )


def together(clerk: Actor, kept: Elder, gone: Elder) -> Merge:
    return merge_elders(actor=clerk, now=NOW, kept_id=kept.pk, gone_id=gone.pk, reason="同一人，登记了两次")


def everything(elder: Elder) -> dict[str, list[int]]:
    """The rows of an elder in every table that may change."""
    found = {}
    for model, column in elder_tables():
        rows = model._default_manager.filter(**{column: elder.pk}).order_by("pk")
        if numbers := list(rows.values_list("pk", flat=True)):
            found[model.__name__] = numbers
    return found


def test_every_row_goes_to_the_kept_file_and_exactly_these_come_back(clerk: Actor) -> None:
    kept, gone = make_elder(), unnumbered()
    make_contact(kept)
    contact, order = make_contact(gone), make_order("served", elder=gone)
    fact(gone, "lives_alone")
    make_representative(gone, make_user())
    entitlement = make_entitlement(gone)
    Notice.objects.create(
        div=gone.div, elder_id=gone.pk, channel="screen", title="t", text="t", key="k", created_at=NOW
    )
    before = everything(kept), everything(gone)
    merge = together(clerk, kept, gone)
    assert everything(gone) == {}
    assert {contact.pk} <= set(Contact.objects.filter(elder=kept).values_list("pk", flat=True))
    assert Order.objects.get(pk=order.pk).elder_id == kept.pk
    assert Entitlement.objects.get(pk=entitlement.pk).elder_id == kept.pk
    assert Elder.objects.get(pk=gone.pk).merged_into_id == kept.pk
    row = Journal.objects.get(event="people.elder.merge")
    assert (row.elder_id, row.reason, row.changes["gone"]) == (kept.pk, "同一人，登记了两次", [None, gone.pk])
    add_contact(actor=clerk, now=NOW, elder_id=kept.pk, kind="child", name="后来加的", phone="19900003333")
    later = Contact.objects.get(name="后来加的")
    unmerge_elders(actor=clerk, now=NOW, merge_id=merge.pk, reason="不是同一人")
    after = everything(kept), everything(gone)
    assert after[1] == before[1]
    assert after[0]["Contact"] == [*before[0]["Contact"], later.pk], "what came later stays with the kept file"
    assert Elder.objects.get(pk=gone.pk).merged_into_id is None
    assert Journal.objects.filter(event="people.merge.undo").count() == 1


def test_rows_of_another_area_go_along(clerk: Actor) -> None:
    kept, gone = make_elder(), unnumbered()
    with scope(actor("city")):
        order = make_order(elder=gone)
        Order.objects.filter(pk=order.pk).update(div=OTHER_COMMUNITY)
    assert not Order.objects.filter(pk=order.pk).exists(), "the district does not see it"
    merge = together(clerk, kept, gone)
    with scope(actor("city")):
        assert Order.objects.get(pk=order.pk).elder_id == kept.pk
    assert not Order.objects.filter(pk=order.pk).exists(), "and still does not"
    unmerge_elders(actor=clerk, now=NOW, merge_id=merge.pk, reason="分开")
    with scope(actor("city")):
        assert Order.objects.get(pk=order.pk).elder_id == gone.pk


def test_facts_that_would_overlap_stay_with_the_closed_file(clerk: Actor) -> None:
    kept, gone = make_elder(), unnumbered()
    fact(kept, "dibao", date(2026, 1, 1))
    doubled = fact(gone, "dibao", date(2026, 3, 1))
    earlier = fact(gone, "dibao", date(2024, 1, 1), date(2026, 1, 1))
    touching = fact(gone, "lives_alone")
    user = make_user()
    make_representative(kept, user)
    stays = make_representative(gone, user)
    merge = together(clerk, kept, gone)
    mine = set(Circumstance.objects.filter(elder=kept).values_list("pk", flat=True))
    assert {earlier.pk, touching.pk} <= mine
    assert doubled.pk not in mine
    assert Representative.objects.get(pk=stays.pk).elder_id == gone.pk
    assert doubled.pk not in merge.moved["people.Circumstance.elder"]


def test_a_past_entitlement_that_overlaps_stays_with_its_months(clerk: Actor) -> None:
    kept, gone, scheme = make_elder(), unnumbered(), make_scheme()
    ended = {"valid_from": date(2025, 1, 1), "valid_to": date(2025, 7, 1)}
    make_entitlement(kept, scheme, **ended)
    past = make_entitlement(gone, scheme, **ended)
    month = Quota.objects.create(div=gone.div, elder=gone, entitlement=past, from_on=date(2025, 2, 1), cap=1)
    together(clerk, kept, gone)
    assert Entitlement.objects.get(pk=past.pk).elder_id == gone.pk
    assert Quota.objects.get(pk=month.pk).elder_id == gone.pk


def test_a_merged_file_is_gone_from_lists_and_searches_and_leads_to_the_kept_one(clerk: Actor) -> None:
    kept, gone = make_elder(name="王秀英", phone="19900001111"), unnumbered(name="王秀瑛", phone="19900002222")
    together(clerk, kept, gone)
    assert [row.pk for row in elders(clerk, Choice(), TODAY)] == [kept.pk]
    assert [row.pk for row in find_elders(clerk, "王秀瑛")] == [kept.pk], "one character off finds the kept file only"
    for text in ("19900002222", "2222"):
        assert find_elders(clerk, text) == []
    assert elders_by_phone("19900002222") == []
    assert [row.pk for row in find_elders(clerk, f"E-{gone.pk:06d}")] == [kept.pk]
    assert kept_file(gone.pk) == kept.pk
    assert kept_file(kept.pk) is None
    assert set(merged_numbers(kept.pk)) == {kept.pk, gone.pk}
    found = elder_file(clerk, gone.pk, TODAY)
    assert found is not None
    assert found.elder.merged_into_id == kept.pk
    assert ElderKey.objects.filter(elder=gone).exists(), "so that un-merging needs nothing"


def test_nothing_is_written_in_a_closed_file(clerk: Actor) -> None:
    kept, gone = make_elder(), unnumbered()
    together(clerk, kept, gone)
    with pytest.raises(NotAllowed, match=r"elder\.merged"):
        add_contact(actor=clerk, now=NOW, elder_id=gone.pk, kind="child", name="王芳", phone="19900009999")


def two_entitled() -> tuple[Elder, Elder]:
    kept, gone, scheme = make_elder(), unnumbered(), make_scheme()
    make_entitlement(kept, scheme)
    make_entitlement(gone, scheme)
    return kept, gone


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: (make_elder(), make_elder()), "merge.two_documents"),
        (lambda: (unnumbered(), make_elder()), "merge.keep_document"),
        (lambda: (make_elder(), unnumbered(died_on=TODAY)), "merge.death"),
        (lambda: (one := make_elder(), one), "merge.same"),
        (two_entitled, "merge.entitlements"),
    ],
)
def test_what_contradicts_is_refused_and_nothing_moves(clerk: Actor, make: Any, code: str) -> None:
    kept, gone = make()
    contact = make_contact(gone)
    with pytest.raises(Refusal) as refused:
        together(clerk, kept, gone)
    assert refused.value.code == code
    assert (Merge.objects.count(), Contact.objects.get(pk=contact.pk).elder_id) == (0, gone.pk)
    assert Elder.objects.filter(merged_into=None).count() == len({kept.pk, gone.pk})


def test_a_reason_is_needed(clerk: Actor) -> None:
    kept, gone = make_elder(), unnumbered()
    with pytest.raises(Refused, match=r"text\.missing"):
        merge_elders(actor=clerk, now=NOW, kept_id=kept.pk, gone_id=gone.pk, reason=" ")
    assert not Merge.objects.exists()


def test_both_files_must_lie_in_the_area(clerk: Actor) -> None:
    kept = make_elder()
    with scope(actor("city")):
        gone = unnumbered(div=OTHER_COMMUNITY)
    with pytest.raises(NotFound):
        together(clerk, kept, gone)
    mayor = actor("city", CITY)
    with scope(mayor):
        assert together(mayor, kept, gone).kept_id == kept.pk


def test_a_community_does_not_merge(clerk: Actor) -> None:
    one = actor("community", COMMUNITY)
    with scope(one), pytest.raises(Denied, match=r"right\.missing"):
        together(one, make_elder(), unnumbered())


def test_a_chain_of_merges_is_undone_from_its_end(clerk: Actor) -> None:
    first, second, third = unnumbered(), unnumbered(), make_elder()
    contact = make_contact(first)
    early = together(clerk, second, first)
    late = together(clerk, third, second)
    assert kept_file(first.pk) == third.pk
    assert set(merged_numbers(third.pk)) == {first.pk, second.pk, third.pk}
    with pytest.raises(NotAllowed, match=r"merge\.later"):
        unmerge_elders(actor=clerk, now=NOW, merge_id=early.pk, reason="错了")
    unmerge_elders(actor=clerk, now=NOW, merge_id=late.pk, reason="错了")
    unmerge_elders(actor=clerk, now=NOW, merge_id=early.pk, reason="错了")
    assert Contact.objects.get(pk=contact.pk).elder_id == first.pk
    with pytest.raises(NotFound):
        unmerge_elders(actor=clerk, now=NOW, merge_id=early.pk, reason="再来")


def pairs(clerk: Actor, div: str = "") -> list[tuple[int, int, tuple[str, ...]]]:
    return [(pair.one.pk, pair.other.pk, pair.reasons) for pair in Pairs(clerk, div)[0:50]]


def test_files_that_look_like_one_person_are_found_with_the_reason(clerk: Actor) -> None:
    home = make_household()
    born, other = date(1940, 5, 5), date(1941, 6, 6)
    one = make_elder(name="王秀英", born_on=born, phone="19900001111", household=home)
    same = unnumbered(name="王秀英", born_on=born, phone="19900002222")
    phone = make_elder(name="王秀英", born_on=other, phone="19900001111")
    mate = make_elder(name="王秀英", born_on=date(1950, 1, 1), phone="19900003333", household=home)
    near = unnumbered(name="王秀瑛", born_on=born, phone="19900004444")
    short = unnumbered(name="王英", born_on=born, phone="19900005555")
    make_elder(name="王秀英", born_on=born, phone="19900006666")  # another document: another person
    unnumbered(name="李建国", born_on=born, phone="19900007777")
    found = {(first, second): reasons for first, second, reasons in pairs(clerk)}
    assert found[one.pk, same.pk] == ("birth",)
    assert found[one.pk, phone.pk] == ("phone",)
    assert found[one.pk, mate.pk] == ("household",)
    assert found[one.pk, near.pk] == ("near",)
    assert found[one.pk, short.pk] == ("near",)
    assert all("李建国" not in (pair.one.name, pair.other.name) for pair in Pairs(clerk, "")[0:50])


def test_the_pairs_are_of_the_area_and_come_in_pages(clerk: Actor) -> None:
    for _ in range(3):
        unnumbered(name="赵子龙", born_on=date(1940, 1, 1))
    with scope(actor("city")):
        unnumbered(name="赵子龙", born_on=date(1940, 1, 1), div=OTHER_COMMUNITY)
    everyone = pairs(clerk)
    assert len(everyone) == 3
    assert pairs(clerk, STREET) == everyone
    first, rest = Pairs(clerk, "")[0:2], Pairs(clerk, "")[2:4]
    assert [(pair.one.pk, pair.other.pk) for pair in first + rest] == [(one, other) for one, other, _ in everyone]
    street = actor("street", "320281100")
    with scope(street):
        assert pairs(street) == []


def test_a_pair_decided_on_does_not_come_back(clerk: Actor) -> None:
    one, other = unnumbered(born_on=date(1940, 1, 1)), unnumbered(born_on=date(1940, 1, 1))
    assert len(pairs(clerk)) == 1
    separate_elders(actor=clerk, now=NOW, kept_id=other.pk, gone_id=one.pk, reason="是姐妹")
    assert pairs(clerk) == []
    assert Elder.objects.filter(merged_into=None).count() == 2
    third = unnumbered(name="李建国", born_on=date(1940, 1, 1))
    fourth = unnumbered(name="李建国", born_on=date(1940, 1, 1))
    merge = together(clerk, third, fourth)
    assert pairs(clerk) == []
    unmerge_elders(actor=clerk, now=NOW + timedelta(days=1), merge_id=merge.pk, reason="不是同一人")
    assert pairs(clerk) == []


def test_consents_stay_apart_by_purpose(clerk: Actor) -> None:
    kept, gone = make_elder(), unnumbered()
    for elder, purpose in ((kept, "health"), (gone, "health"), (gone, "family")):
        Consent.objects.create(
            div=elder.div,
            elder=elder,
            purpose=purpose,
            text_version="1",
            given_by="self",
            valid_from=TODAY,
            recorded_from=NOW,
        )
    together(clerk, kept, gone)
    assert sorted(Consent.objects.filter(elder=kept).values_list("purpose", flat=True)) == ["family", "health"]
