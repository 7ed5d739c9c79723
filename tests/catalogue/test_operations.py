"""Price lists published by two persons; prices by day and by moment of placing; the public list."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.factories import CITY, NOW, OTHER_DISTRICT, TODAY, actor, make_item, make_organisation, make_price
from tests.refusals import refused

from yinling.accounts.models import Journal
from yinling.catalogue.models import FAMILIES, Price, PriceList, ServiceItem
from yinling.catalogue.operations import draft_price_list, publish_price_list, update_item, withdraw_price_list
from yinling.catalogue.queries import active_items, offers, price_for, price_lists, public_list
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale

pytestmark = pytest.mark.usefixtures("wide")
LATER = NOW + timedelta(hours=1)


def contents() -> list[Any]:
    """Everything this context keeps."""
    return [list(model.objects.order_by("pk").values()) for model in (ServiceItem, PriceList, Price)]


def no(who: Actor, code: str, kind: type[Refusal] = Refused) -> Any:
    return refused(who, kind, code, contents=contents)


@pytest.fixture
def body(wide: Any) -> Any:
    return make_organisation()


@pytest.fixture
def item(wide: Any) -> ServiceItem:
    return make_item(code="A01")


@pytest.fixture
def drafter(body: Any) -> Actor:
    return actor("provider_manager", organisation=body)


@pytest.fixture
def publisher(body: Any) -> Actor:
    return actor("provider_manager", organisation=body)


def draft(drafter: Actor, body: Any, **values: Any) -> PriceList:
    chosen = {"basis": "market", "document": "价目 2026", "valid_from": TODAY, "prices": "A01, 90", **values}
    return draft_price_list(actor=drafter, now=values.pop("now", NOW), organisation_id=body.pk, **chosen)


def publish(publisher: Actor, row: PriceList, now: Any = NOW) -> PriceList:
    return publish_price_list(actor=publisher, now=now, price_list_id=row.pk, seen=row.version)


@pytest.mark.req("R-PAY-07")
def test_a_draft_is_no_price_until_another_person_publishes_it(
    drafter: Actor, publisher: Actor, body: Any, item: ServiceItem
) -> None:
    row = draft(drafter, body, basis="tender", document="招标 2026-7号", document_on=TODAY)
    with pytest.raises(Refused) as refusal:
        price_for(item=item, organisation=body, service_day=TODAY, placed_at=LATER)
    assert refusal.value.code == "price.missing"
    publish(publisher, row)
    price = price_for(item=item, organisation=body, service_day=TODAY, placed_at=NOW)
    assert (price.amount_fen, price.price_list.basis, price.price_list.document) == (9000, "tender", "招标 2026-7号")
    row.refresh_from_db()
    assert (row.state, row.published_by_id, row.published_at) == ("published", publisher.user_id, NOW)
    assert list(Journal.objects.filter(subject_type="pricelist").values_list("event", "div").order_by("id")) == [
        ("catalogue.price_list.draft", body.div),
        ("catalogue.price_list.publish", body.div),
    ]


def test_the_drafter_cannot_publish(drafter: Actor, body: Any, item: ServiceItem) -> None:
    row = draft(drafter, body)
    with no(drafter, "price_list.two_persons"):
        publish(drafter, row)


@pytest.mark.req("R-ORD-16", "R-PAY-02", "R-PAY-08")
def test_the_price_is_of_the_lists_published_by_placing_the_one_in_force_on_the_service_day(
    drafter: Actor, publisher: Actor, body: Any, item: ServiceItem
) -> None:
    service_day = TODAY + timedelta(days=5)
    publish(publisher, draft(drafter, body, prices="A01, 90"))
    publish(publisher, draft(drafter, body, prices="A01, 95", valid_from=service_day), now=LATER)
    third = NOW + timedelta(hours=2)
    publish(publisher, draft(drafter, body, prices="A01, 99", valid_from=TODAY + timedelta(days=1)), now=third)

    def amount(day: date, placed_at: Any) -> int:
        return price_for(item=item, organisation=body, service_day=day, placed_at=placed_at).amount_fen

    assert amount(service_day, NOW) == 9000
    assert amount(service_day, LATER) == 9500
    assert amount(service_day - timedelta(days=1), LATER) == 9000
    assert amount(service_day - timedelta(days=1), third) == 9900
    assert amount(service_day, third) == 9500
    assert amount(TODAY, third) == 9000
    assert [offer.price.amount_fen for offer in offers(item, service_day, third)] == [9500]


def test_a_price_list_is_published_once_and_a_published_one_is_not_withdrawn(
    drafter: Actor, publisher: Actor, body: Any, item: ServiceItem
) -> None:
    row = publish(publisher, draft(drafter, body))
    for attempt in (
        lambda: publish_price_list(actor=publisher, now=NOW, price_list_id=row.pk),
        lambda: withdraw_price_list(actor=publisher, now=NOW, price_list_id=row.pk, reason="写错"),
    ):
        with no(publisher, "state.not_allowed", NotAllowed):
            attempt()


def test_a_draft_is_withdrawn_with_a_reason(drafter: Actor, body: Any, item: ServiceItem) -> None:
    row = draft(drafter, body)
    with no(drafter, "reason.missing"):
        withdraw_price_list(actor=drafter, now=NOW, price_list_id=row.pk, reason=" ")
    withdraw_price_list(actor=drafter, now=NOW, price_list_id=row.pk, reason="写错")
    row.refresh_from_db()
    assert row.state == "withdrawn"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"basis": "gift"}, "price_list.basis"),
        ({"basis": "approved", "document": " ", "document_on": TODAY}, "price_list.document"),
        ({"valid_from": TODAY - timedelta(days=1)}, "price_list.past"),
        ({"prices": "A01, 面议"}, "price_list.amount"),
        ({"prices": "ZZZ, 5"}, "price_list.item_unknown"),
        ({"prices": "A01, 5, 5"}, "price_list.callout"),
    ],
)
def test_a_wrong_draft_is_refused_and_leaves_nothing(
    drafter: Actor, body: Any, item: ServiceItem, values: dict[str, Any], code: str
) -> None:
    with no(drafter, code):
        draft(drafter, body, **values)


def test_others_do_not_draft_for_an_organisation(body: Any, item: ServiceItem) -> None:
    stranger, seat = actor("provider_manager"), actor("seat")
    with no(stranger, "right.outside", Denied):
        draft(stranger, body)
    with no(seat, "right.missing", Denied):
        draft(seat, body)
    with no(stranger, "organisation.not_found", NotFound):
        draft_price_list(
            actor=stranger, now=NOW, organisation_id=0, basis="market", document="x", valid_from=TODAY, prices="A01, 1"
        )


def test_price_lists_are_seen_by_their_organisation_and_by_the_area(
    drafter: Actor, body: Any, item: ServiceItem
) -> None:
    row = draft(drafter, body)
    assert [one.pk for one in price_lists(drafter)] == [row.pk]
    assert [one.line_count for one in price_lists(actor("city"))] == [1]
    assert list(price_lists(actor("provider_manager"))) == []
    assert list(price_lists(actor("city", OTHER_DISTRICT))) == []


def test_a_published_text_carries_the_day_of_its_last_change(item: ServiceItem) -> None:
    city = actor("city")
    assert item.effective("guide") == TODAY
    update_item(
        actor=city,
        now=NOW + timedelta(days=3),
        item_id=item.pk,
        guide="先电话预约",
        steps="洗漱\n\n 整理 ",
        seen=item.version,
    )
    item.refresh_from_db()
    assert (item.guide, item.effective("guide")) == ("先电话预约", TODAY + timedelta(days=3))
    assert (item.effective("standard"), item.steps) == (TODAY, ["洗漱", "整理"])


def test_an_item_is_changed_only_by_who_keeps_the_list(item: ServiceItem) -> None:
    seat, city = actor("seat"), actor("city")
    with no(seat, "right.missing", Denied):
        update_item(actor=seat, now=NOW, item_id=item.pk, guide="x")
    with no(city, "row.stale", Stale):
        update_item(actor=city, now=NOW, item_id=item.pk, guide="x", seen=item.version + 1)
    with no(city, "item.name"):
        update_item(actor=city, now=NOW, item_id=item.pk, name="")
    with no(city, "item.name"):
        update_item(actor=city, now=NOW, item_id=item.pk, name="　")
    with no(city, "item.minutes"):
        update_item(actor=city, now=NOW, item_id=item.pk, standard_minutes=0)


def test_the_texts_of_goods_are_changed_though_they_take_no_time() -> None:
    drug = make_item(code="DR01", kind="drug", standard_minutes=0, steps=[])
    update_item(actor=actor("city"), now=NOW, item_id=drug.pk, guide="凭处方", standard_minutes=0)
    drug.refresh_from_db()
    assert (drug.guide, drug.standard_minutes) == ("凭处方", 0)


@pytest.mark.req("R-ORD-10")
def test_the_last_item_of_a_basic_service_stays_in_use(item: ServiceItem) -> None:
    for family in ("meal", "rehab_nursing", "rescue", "comfort", "bathing"):
        make_item(family=family)
    city = actor("city")
    with no(city, "item.last_basic"):
        update_item(actor=city, now=NOW, item_id=item.pk, is_active=False)
    make_item(family="daily_care")
    update_item(actor=city, now=NOW, item_id=item.pk, is_active=False)
    assert "A01" not in [row.code for row in active_items()]


@pytest.mark.req("R-ORD-10", "R-PAY-08")
def test_the_public_list_shows_five_kinds_of_information_each_with_its_date(body: Any, item: ServiceItem) -> None:
    since = TODAY - timedelta(days=30)
    ServiceItem.objects.filter(pk=item.pk).update(guide="电话预约", support_policy="可用消费补贴券")
    make_price(item, body, 8000, valid_from=since)
    make_price(item, make_organisation(div=OTHER_DISTRICT), 7000)
    families = public_list("320213", TODAY, NOW)
    assert [family.code for family in families] == ["meal", "daily_care", "rehab_nursing", "rescue", "comfort"]
    assert all(family.is_basic for family in families)
    [shown] = families[1].items
    assert (shown.entry.text, shown.entry.effective_on) == (item.description, TODAY)
    assert (shown.guide.text, shown.standard.text, shown.support_policy.text) == (
        "电话预约",
        "GB/T 43153",
        "可用消费补贴券",
    )
    [fee] = shown.fees
    assert (fee.organisation, fee.amount_fen, fee.basis, fee.effective_on) == (body.short_name, 8000, "市场调节", since)
    assert len(public_list(CITY, TODAY, NOW)[1].items[0].fees) == 2


def test_services_beyond_the_five_follow_them(item: ServiceItem) -> None:
    make_item(family="bathing")
    families = public_list(CITY, TODAY, NOW)
    assert [family.code for family in families if not family.is_basic] == ["bathing"]
    assert {family.code for family in families} <= {code for code, _ in FAMILIES}
