"""Prices of groups, on-site rates and packages: by two persons, by day and by moment of placing."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    DISTRICT,
    NOW,
    OTHER_DISTRICT,
    TODAY,
    actor,
    make_area_tree,
    make_item,
    make_organisation,
    make_price,
)
from tests.refusals import refused

from yinling.accounts.models import Journal
from yinling.catalogue.models import CalloutRate, Package, Price, PriceList, ServiceItem
from yinling.catalogue.operations import (
    discard_package,
    draft_package,
    draft_price_list,
    publish_package,
    publish_price_list,
)
from yinling.catalogue.queries import (
    asking,
    body_prices,
    callout_rate_for,
    families_asked,
    offers,
    packages_for,
    price_for,
    public_list,
    public_packages,
    public_rates,
)
from yinling.directory.models import Organisation
from yinling.directory.operations import classify_organisation
from yinling.directory.queries import is_holiday, is_rural
from yinling.entitlements.models import PAYERS
from yinling.ground.models import CalendarDay
from yinling.kernel.actor import Actor
from yinling.kernel.period import SHANGHAI, local_date
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused

pytestmark = pytest.mark.usefixtures("wide")
APPROVED = {"basis": "approved", "document": "锡发改〔2026〕1号", "document_on": date(2026, 6, 1)}
PACKAGE = {
    "code": "P1", "name": "失能老人基础包", "div": CITY, "audience": "disabled", "lines": "A01, 12, 项目\nB01；4；整次", "price_fen": 36000,
    "payers": ["self", "medical_insurance"], "document": "家医〔2026〕1号", "valid_from": TODAY,
}  # fmt: skip


def contents() -> list[Any]:
    """Everything this context keeps."""
    return [
        list(model.objects.order_by("pk").values()) for model in (PriceList, Price, CalloutRate, Package, Organisation)
    ]


def no(who: Actor, code: str, kind: type[Refusal] = Refused) -> Any:
    return refused(who, kind, code, contents=contents)


@pytest.fixture
def one(wide: Any) -> Actor:
    make_area_tree()
    return actor("city")


@pytest.fixture
def two(wide: Any) -> Actor:
    return actor("city")


@pytest.fixture
def item(wide: Any) -> ServiceItem:
    return make_item(code="A01", charges_callout=True)


def listed(one: Actor, two: Actor, now: datetime = NOW, **values: Any) -> PriceList:
    """A list drafted by one and published by another at a moment."""
    chosen = {**APPROVED, "valid_from": local_date(now), **values}
    row = draft_price_list(actor=one, now=now, **chosen)
    return publish_price_list(actor=two, now=now, price_list_id=row.pk, seen=row.version)


def for_group(one: Actor, two: Actor, prices: str, div: str = CITY, now: datetime = NOW, **values: Any) -> PriceList:
    return listed(one, two, now, price_group="level1", div=div, prices=prices, **values)


def asked(item: ServiceItem, body: Organisation, day: date = TODAY, placed_at: datetime = NOW) -> int:
    return price_for(item=item, organisation=body, service_day=day, placed_at=placed_at).amount_fen


@pytest.mark.req("R-PAY-02")
def test_a_body_asks_its_own_price_else_the_one_of_its_group_in_the_nearest_area(
    one: Actor, two: Actor, item: ServiceItem
) -> None:
    near, far = (make_organisation(price_group="level1", div=div) for div in (DISTRICT, OTHER_DISTRICT))
    other = make_organisation(price_group="level3")
    for_group(one, two, "A01, 50")
    assert (asked(item, near), asked(item, far)) == (5000, 5000)
    for_group(one, two, "A01, 60", div=DISTRICT)
    assert (asked(item, near), asked(item, far)) == (6000, 5000)
    make_price(item, near, 7000)
    assert asked(item, near) == 7000
    for body in (other, make_organisation()):
        with pytest.raises(Refused) as refusal:
            asked(item, body)
        assert refusal.value.code == "price.missing"
    assert [(offer.organisation.pk, offer.price.amount_fen) for offer in offers(item, TODAY, NOW)] == [
        (far.pk, 5000), (near.pk, 7000)
    ]  # fmt: skip
    assert {row.pk for row in Organisation.objects.filter(asking(TODAY, NOW))} == {near.pk, far.pk}
    assert families_asked([near, far, other], TODAY, NOW) == {
        near.pk: {"daily_care"},
        far.pk: {"daily_care"},
        other.pk: set(),
    }


@pytest.mark.req("R-PAY-02")
def test_the_group_of_a_body_is_set_by_an_operation_and_moves_its_prices(
    one: Actor, two: Actor, item: ServiceItem
) -> None:
    body = make_organisation()
    for_group(one, two, "A01, 50")
    manager = actor("provider_manager", organisation=body)
    with no(manager, "right.missing", Denied):
        classify_organisation(actor=manager, now=NOW, organisation_id=body.pk, price_group="level1", reason="核定")
    with no(one, "choice.unknown"):
        classify_organisation(actor=one, now=NOW, organisation_id=body.pk, price_group="gold", reason="核定")
    with no(one, "text.missing"):
        classify_organisation(actor=one, now=NOW, organisation_id=body.pk, price_group="level1", reason=" ")
    classify_organisation(actor=one, now=NOW, organisation_id=body.pk, price_group="level1", reason="卫健委核定")
    body.refresh_from_db()
    assert asked(item, body) == 5000
    row = Journal.objects.get(event="directory.organisation.classify", is_refused=False)
    assert (row.changes["price_group"], row.reason) == (["", "level1"], "卫健委核定")
    classify_organisation(actor=one, now=NOW, organisation_id=body.pk, price_group="none", reason="退出")
    body.refresh_from_db()
    assert body.price_group == ""


@pytest.mark.req("R-PAY-07")
@pytest.mark.parametrize("basis", ["approved", "tender"])
def test_an_approved_or_tendered_price_names_number_and_date(one: Actor, item: ServiceItem, basis: str) -> None:
    body = make_organisation()
    whole = {
        "organisation_id": body.pk,
        "basis": basis,
        "document": "文号1",
        "document_on": TODAY,
        "valid_from": TODAY,
        "prices": "A01, 5",
    }
    for missing, code in (
        ({"document": "  "}, "price_list.document"),
        ({"document_on": None}, "price_list.document_on"),
        ({"document_on": TODAY + timedelta(days=1)}, "price_list.document_to_come"),
    ):
        with no(one, code):
            draft_price_list(actor=one, now=NOW, **whole | missing)
    row = draft_price_list(actor=one, now=NOW, **whole)
    assert (row.basis, row.document, row.document_on) == (basis, "文号1", TODAY)
    free = draft_price_list(actor=one, now=NOW, **whole | {"basis": "market", "document": "", "document_on": None})
    assert (free.document, free.document_on, free.title) == ("", None, "市场调节 2026-06-15")


def test_a_list_belongs_to_one_body_or_to_a_group_of_an_area(one: Actor, item: ServiceItem) -> None:
    body, common = make_organisation(), {**APPROVED, "valid_from": TODAY, "prices": "A01, 5"}
    for owner, code in (
        ({}, "price_list.whose"),
        ({"organisation_id": body.pk, "price_group": "level1", "div": CITY}, "price_list.whose"),
        ({"price_group": "level1"}, "price_list.area"),
        ({"price_group": "gold", "div": CITY}, "choice.unknown"),
        ({"price_group": "level1", "div": "3299"}, "area.unknown"),
    ):
        with no(one, code):
            draft_price_list(actor=one, now=NOW, **owner, **common)
    manager = actor("provider_manager", organisation=body)
    with no(manager, "right.outside", Denied):
        draft_price_list(actor=manager, now=NOW, price_group="level1", div=CITY, **common)
    with no(one, "callout.group"):
        draft_price_list(actor=one, now=NOW, price_group="level1", div=CITY, callout_km=200, **common)


@pytest.mark.req("R-PAY-03", "R-PAY-07")
def test_a_group_list_and_a_rate_are_published_by_another_person(one: Actor, two: Actor, item: ServiceItem) -> None:
    body = make_organisation(price_group="level1")
    group = draft_price_list(
        actor=one, now=NOW, price_group="level1", div=CITY, valid_from=TODAY, prices="A01, 5", **APPROVED
    )
    own = draft_price_list(
        actor=one, now=NOW, organisation_id=body.pk, basis="market", valid_from=TODAY, callout_base=3000, callout_free_m=2000,
        callout_km=200, callout_night=1000, callout_night_from=22, callout_night_to=6, callout_holiday=4000, callout_nurse=1500,
        callout_distances="320213021, 5200\n",
    )  # fmt: skip
    for row in (group, own):
        with no(one, "price_list.two_persons"):
            publish_price_list(actor=one, now=NOW, price_list_id=row.pk)
    assert callout_rate_for(body, TODAY, NOW) is None
    assert list(public_rates(CITY, TODAY, NOW)) == []
    publish_price_list(actor=two, now=NOW, price_list_id=own.pk)
    rate = callout_rate_for(body, TODAY, NOW)
    assert rate is not None
    assert (rate.base_fen, rate.free_m, rate.km_fen, rate.night_fen, rate.night_from, rate.night_to, rate.holiday_fen) == (
        3000, 2000, 200, 1000, 22, 6, 4000,
    )  # fmt: skip
    assert (rate.level_fen, rate.distances) == ({"nurse": 1500}, {"320213021": 5200})
    assert list(public_rates(DISTRICT, TODAY, NOW)) == [rate]
    assert callout_rate_for(body, TODAY - timedelta(days=1), NOW) is None


@pytest.mark.req("D-18", "R-PAY-03", "R-ORD-16")
def test_price_and_rate_change_at_local_midnight_and_a_later_publication_touches_no_quote(
    one: Actor, two: Actor, item: ServiceItem
) -> None:
    body, tomorrow = make_organisation(), TODAY + timedelta(days=1)
    listed(one, two, organisation_id=body.pk, prices="A01, 80", callout_base=3000)
    late = NOW + timedelta(hours=1)
    listed(one, two, late, organisation_id=body.pk, prices="A01, 90", callout_base=4000, valid_from=tomorrow)

    def at(local: datetime, placed_at: datetime) -> tuple[int, int]:
        day = local_date(local.astimezone(UTC))
        rate = callout_rate_for(body, day, placed_at)
        assert rate is not None
        return asked(item, body, day, placed_at), rate.base_fen

    before = datetime(2026, 6, 15, 23, 59, 59, tzinfo=SHANGHAI)
    midnight = datetime(2026, 6, 16, tzinfo=SHANGHAI)
    assert (at(before, late), at(midnight, late)) == ((8000, 3000), (9000, 4000))
    assert (at(before, NOW), at(midnight, NOW)) == ((8000, 3000), (8000, 3000))


@pytest.mark.req("R-PAY-03")
def test_a_rate_for_days_gone_by_is_never_published(one: Actor, two: Actor, item: ServiceItem) -> None:
    body = make_organisation()
    draft = {"organisation_id": body.pk, "basis": "market", "callout_km": 200}
    with no(one, "price_list.past"):
        draft_price_list(actor=one, now=NOW, valid_from=TODAY - timedelta(days=1), **draft)
    row = draft_price_list(actor=one, now=NOW, valid_from=TODAY, **draft)
    with no(two, "price_list.past"):
        publish_price_list(actor=two, now=NOW + timedelta(days=1), price_list_id=row.pk)
    with no(one, "price_list.empty"):
        draft_price_list(actor=one, now=NOW, organisation_id=body.pk, basis="market", valid_from=TODAY)


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("320213", "callout.distance"), ("320213, 5km", "callout.distance"), ("320213, 200001", "callout.distance"),
        ("320213, -5", "callout.distance"), ("320213, 5\n320213, 6", "callout.distance_twice"),
        ("320213999, 5", "callout.distance_area"),
    ],
)  # fmt: skip
def test_a_table_of_ways_that_cannot_be_read_is_refused(one: Actor, item: ServiceItem, table: str, code: str) -> None:
    with no(one, code):
        draft_price_list(
            actor=one,
            now=NOW,
            organisation_id=make_organisation_once().pk,
            basis="market",
            valid_from=TODAY,
            callout_distances=table,
        )


def make_organisation_once() -> Organisation:
    """The one body there is; made before anything is compared."""
    return Organisation.objects.filter(is_provider=True).first() or make_organisation()


@pytest.mark.req("R-PAY-08", "R-ORD-16")
def test_the_public_list_shows_group_prices_with_basis_number_and_date(
    one: Actor, two: Actor, item: ServiceItem
) -> None:
    body, own = make_organisation(price_group="level1"), make_organisation(price_group="level1")
    for_group(one, two, "A01, 50")
    make_price(item, own, 7000)
    shown = next(family for family in public_list(CITY, TODAY, NOW) if family.items).items[0]
    assert [(fee.organisation_id, fee.amount_fen, fee.group, fee.basis) for fee in shown.fees] == [
        (body.pk, 5000, "一级及基层医疗机构", "价格主管部门核定"), (own.pk, 7000, "", "市场调节"),
    ]  # fmt: skip
    assert (shown.fees[0].document, shown.fees[0].document_on) == (APPROVED["document"], APPROVED["document_on"])
    market = next(family for family in public_list(CITY, TODAY, NOW, basis="market") if family.items).items[0]
    assert [fee.organisation_id for fee in market.fees] == [own.pk]
    assert public_list(CITY, TODAY, NOW, text="没有这项") == []
    assert [len(family.items) for family in public_list(CITY, TODAY, NOW, text="a01")] == [1]
    page = body_prices(body.pk, TODAY, NOW)
    assert page is not None
    assert [(row.code, fee.amount_fen) for row, fee in page.fees] == [("A01", 5000)]
    assert body_prices(make_organisation(is_provider=False).pk, TODAY, NOW) is None


def test_a_medical_item_is_offered_at_the_group_price_only_by_who_is_listed(one: Actor, two: Actor) -> None:
    make_item(code="N01", is_medical=True)
    make_organisation(price_group="level1", does_home_medical=False)
    fit = make_organisation(price_group="level1")
    for_group(one, two, "N01, 50")
    assert [offer.organisation.pk for offer in offers(ServiceItem.objects.get(code="N01"), TODAY, NOW)] == [fit.pk]


@pytest.mark.req("R-BED-03", "R-BED-07")
def test_a_home_bed_item_has_a_code_and_prices_by_period_that_rise_step_by_step(one: Actor, two: Actor) -> None:
    bed = make_item(code="HB01", name="家庭病床建床费", family="medical", kind="fee", needs_visit=False)
    day = make_item(
        code="HB02", name="家庭病床床日", family="medical", kind="bed_day", needs_visit=False, units=["bed_day"]
    )
    body, next_year = make_organisation(), TODAY + timedelta(days=200)
    listed(one, two, organisation_id=body.pk, prices="HB01, 50\nHB02, 20")
    listed(one, two, NOW + timedelta(hours=1), organisation_id=body.pk, prices="HB01, 60", valid_from=next_year)
    placed = NOW + timedelta(hours=2)
    assert [asked(bed, body, on, placed) for on in (TODAY, next_year - timedelta(days=1), next_year)] == [
        5000,
        5000,
        6000,
    ]
    assert asked(day, body, next_year, placed) == 2000
    periods = (
        Price.objects.filter(item=bed, recorded_to=None).order_by("valid_from").values_list("valid_from", "valid_to")
    )
    assert list(periods) == [(TODAY, next_year), (next_year, None)]


def package(one: Actor, **values: Any) -> Package:
    return draft_package(actor=one, now=NOW, **{**PACKAGE, **values})


@pytest.fixture
def bath(item: ServiceItem) -> ServiceItem:
    return make_item(code="B01", family="bathing")


@pytest.mark.req("R-FAM-03")
def test_a_package_is_drafted_by_one_and_published_by_another(one: Actor, two: Actor, bath: ServiceItem) -> None:
    row = package(one)
    assert list(packages_for(DISTRICT, TODAY, NOW)) == []
    with no(one, "price_list.two_persons"):
        publish_package(actor=one, now=NOW, package_id=row.pk)
    publish_package(actor=two, now=NOW, package_id=row.pk, seen=row.version)
    [found] = packages_for(DISTRICT, TODAY, NOW)
    assert found.lines == [{"item": "A01", "count": 12, "funds": "item"}, {"item": "B01", "count": 4, "funds": "visit"}]
    assert (found.price_fen, found.audience, found.payers) == (36000, "disabled", ["medical_insurance", "self"])
    assert list(packages_for(DISTRICT, TODAY, NOW, audience="healthy")) == []
    assert [len(packages_for(DISTRICT, TODAY, NOW, audience="disabled")), len(public_packages(CITY, TODAY, NOW))] == [
        1,
        1,
    ]
    with no(two, "package.published", NotAllowed):
        publish_package(actor=two, now=NOW, package_id=row.pk)
    with no(two, "package.published", NotAllowed):
        discard_package(actor=two, now=NOW, package_id=row.pk, reason="写错")


@pytest.mark.req("R-FAM-03")
def test_a_new_version_of_a_package_holds_from_its_day(one: Actor, two: Actor, bath: ServiceItem) -> None:
    later = TODAY + timedelta(days=30)
    for values in ({}, {"price_fen": 48000, "valid_from": later}):
        row = package(one, **values)
        publish_package(actor=two, now=NOW, package_id=row.pk)
    prices = [
        [row.price_fen for row in packages_for(CITY, day, NOW)] for day in (TODAY, later - timedelta(days=1), later)
    ]
    assert prices == [[36000], [36000], [48000]]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"lines": " "}, "package.empty"), ({"lines": "A01, 12"}, "package.line"), ({"lines": "A01, 12, 全部"}, "package.line"),
        ({"lines": "A01, 半, 项目"}, "package.line"), ({"lines": "A01, 0, 项目"}, "package.count"), ({"lines": "A01, 367, 项目"}, "package.count"),
        ({"lines": "A01, 1, 项目\nA01, 2, 项目"}, "package.item_twice"), ({"lines": "ZZ, 1, 项目"}, "package.item_unknown"),
        ({"payers": []}, "package.payers"), ({"payers": ["uncle"]}, "choice.unknown"), ({"audience": "cats"}, "choice.unknown"),
        ({"price_fen": -1}, "package.negative"), ({"div": "3202999"}, "area.unknown"), ({"valid_from": TODAY - timedelta(days=1)}, "price_list.past"),
        ({"code": " "}, "text.missing"),
    ],
)  # fmt: skip
def test_a_wrong_package_is_refused_and_leaves_nothing(
    one: Actor, bath: ServiceItem, values: dict[str, Any], code: str
) -> None:
    with no(one, code):
        package(one, **values)


def test_a_draft_package_is_discarded_with_a_reason(one: Actor, two: Actor, bath: ServiceItem) -> None:
    row = package(one)
    with no(two, "text.missing"):
        discard_package(actor=two, now=NOW, package_id=row.pk, reason=" ")
    discard_package(actor=two, now=NOW, package_id=row.pk, reason="重复")
    assert not Package.objects.exists()
    assert Journal.objects.filter(event="catalogue.package.discard", reason="重复").exists()
    with no(two, "row.not_found", NotFound):
        discard_package(actor=two, now=NOW, package_id=row.pk, reason="重复")


def test_who_pays_for_a_package_is_a_payer_of_the_platform() -> None:
    assert dict(Package.PAYERS).items() <= dict(PAYERS).items()


def test_only_a_day_of_the_yearly_notice_is_a_holiday(wide: Any) -> None:
    first = date(2026, 10, 1)
    assert is_holiday(first) is None, "the list of the year is missing"
    CalendarDay.objects.create(day=first, kind=CalendarDay.HOLIDAY, name="国庆节", source="test")
    CalendarDay.objects.create(day=date(2026, 10, 10), kind=CalendarDay.MAKEUP, name="国庆节", source="test")
    assert [is_holiday(day) for day in (first, date(2026, 10, 10), date(2026, 10, 11))] == [True, False, False]


def test_a_home_is_countryside_by_the_kind_of_its_community_else_of_its_street(wide: Any) -> None:
    """The rates of support have a column each for town and countryside (``programmes.subsidies``); this says which one."""
    make_area_tree()
    homes = {
        "320213021001": False, "320213021": False, "320281100200": True, "320281100": True, "320281100999": True, "3202": False,
    }  # fmt: skip
    assert {div: is_rural(div, TODAY) for div in homes} == homes
