"""Pages of support and agreements ask no more for three rows than for one, and the form of a subsidy asks only what the platform does not know."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from python_calamine import CalamineWorkbook
from tests.factories import NOW, TODAY, actor, make_organisation
from tests.programmes.home_beds.test_stays import admitted
from tests.programmes.making import make_bed_application, make_signed, office
from tests.programmes.subsidies.shanwei import AT, MEALS, PROVINCE, Money, canteen, drafted, make_line, make_money
from tests.programmes.subsidies.test_records import lunch
from tests.screens.test_funds import form_of, queries, signed_in

from yinling.entitlements.operations import sign_agreement
from yinling.ground.scope import scope
from yinling.people.models import Elder
from yinling.programmes.home_beds.operations import approve_bed
from yinling.programmes.subsidies.models import Subsidy
from yinling.programmes.subsidies.operations import register_donation

SignIn = Callable[..., Client]
MOST_QUERIES = 8


@pytest.fixture
def money(db: None) -> Iterator[Money]:
    with scope(PROVINCE) as opened:
        yield make_money()
        opened.afterwards.clear()


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yinling.web.middleware.business_now", lambda: NOW, raising=False)
    monkeypatch.setattr("yinling.directory.queries.real_now", lambda: NOW)
    monkeypatch.setattr("yinling.directory.queries.business_now", lambda: NOW)


@pytest.mark.usefixtures("today")
def test_agreements_of_three_bodies_ask_as_much_as_one(sign_in: SignIn) -> None:
    client, found = sign_in(actor("finance")), []
    for number in range(3):
        sign_agreement(
            actor=actor("finance"), now=NOW, organisation_id=make_organisation().pk, kind="designation", payer="ltci", number=f"定点{number}",
            valid_from=TODAY,
        )  # fmt: skip
        if number != 1:
            found.append(queries(client, "/agreements/"))
    assert found[0] == found[1] <= MOST_QUERIES


@pytest.mark.usefixtures("today")
def test_pages_of_programmes_stay_within_the_limit(sign_in: SignIn) -> None:
    contract, bed, waiting, stay = make_signed(), make_bed_application(), make_bed_application(), admitted()
    approve_bed(actor=office(), now=NOW, bed_id=bed.pk)
    client, elder = sign_in(office()), contract.elder_id
    for address in (
        "/contracts/", f"/contracts/{contract.pk}/", f"/contracts/new/?elder={elder}&provider={contract.provider_id}", "/beds/", f"/beds/{bed.pk}/",
        f"/beds/{waiting.pk}/", f"/beds/new/?elder={elder}", "/beds/stays/", f"/beds/stays/new/?elder={stay.elder_id}",
        f"/elders/{elder}/programmes/", f"/elders/{bed.elder_id}/programmes/",
    ):  # fmt: skip
        assert queries(client, address) <= MOST_QUERIES, address
    part = {"HX-Request": "true", "HX-Target": "insurance"}
    assert queries(client, f"/elders/{elder}/programmes/", part) <= MOST_QUERIES
    assert "240.00 元，" in client.get(f"/contracts/{contract.pk}/").content.decode()


@pytest.mark.usefixtures("today")
def test_scorecards_and_shares_stay_within_the_limit(sign_in: SignIn) -> None:
    make_signed()
    office_, finance = sign_in(office()), sign_in(actor("finance"))
    for client, address in (
        (office_, "/staff/scorecards/"), (office_, "/staff/scorecards/bodies/"), (finance, "/settlement/shares/"),
        (finance, "/settlement/shares/new/"),
    ):  # fmt: skip
        assert queries(client, address) <= MOST_QUERIES, address


@pytest.mark.usefixtures("today")
def test_lists_of_contracts_and_beds_are_sorted_and_exported_alike(sign_in: SignIn) -> None:
    soon, late = make_signed(valid_from=date(2026, 3, 1)), make_signed()
    first, second = make_bed_application(), make_bed_application()
    client = sign_in(office())
    assert order_in(client, "/contracts/", late.code, soon.code)
    assert order_in(client, "/contracts/?by=ends", soon.code, late.code)
    assert order_in(client, "/beds/", second.code, first.code)
    assert order_in(client, "/beds/?by=oldest", first.code, second.code)
    rows = sheet(client, "/beds/excel/?by=oldest&state=applied")
    assert [row[0] for row in rows[1:]] == [first.code, second.code]
    assert rows[1][1].startswith(Elder.objects.get(pk=first.elder_id).name[0])
    assert rows[1][1] != Elder.objects.get(pk=first.elder_id).name
    assert len(sheet(client, "/beds/excel/?state=withdrawn")) == 1


def order_in(client: Client, address: str, *codes: str) -> bool:
    """Whether a page shows some codes in this order."""
    html = client.get(address).content.decode()
    places = [html.index(code) for code in codes]
    return places == sorted(places)


def sheet(client: Client, address: str) -> list[list[Any]]:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return CalamineWorkbook.from_filelike(BytesIO(answer.content)).get_sheet_by_index(0).to_python()


def test_subsidies_and_their_form_ask_as_much_for_three_as_for_one(money: Money) -> None:
    line, client, found = make_line((money.first, money.second), 60_000_000), signed_in(money.first), []
    for number in range(3):
        body = canteen()
        drafted(money.first, line, body)
        if number != 1:
            found.append(queries(client, "/subsidies/"))
    assert found[0] == found[1] <= MOST_QUERIES
    assert queries(client, "/subsidies/new/?kind=canteen&year=2022") <= MOST_QUERIES
    shown = client.get(f"/subsidies/?body={body.name[-4:]}").content.decode()
    assert Subsidy.objects.get(provider=body).code in shown
    assert "没有符合条件的补助" in client.get("/subsidies/?body=没有这家").content.decode()


def test_donations_are_exported_as_the_list_shows_them(money: Money) -> None:
    line, client = make_line((money.first, money.second), 0, fund="donation"), signed_in(money.first)
    for donor, yuan, hidden in (("演示慈善会", 500, False), ("一位市民", 30, True)):
        register_donation(
            actor=money.first,
            now=AT,
            donor=donor,
            amount_fen=yuan * 100,
            line_id=line.pk,
            received_on=date(2022, 3, 1),
            is_anonymous=hidden,
        )
    rows = sheet(client, "/donations/excel/")
    assert [(row[2], row[3], row[4]) for row in rows[1:3]] == [("一位市民", "是", 30), ("演示慈善会", "", 500)]
    assert rows[-1][4] == 530
    assert len(sheet(client, "/donations/excel/?donor=慈善")) == 3


@pytest.mark.req("R-FUN-07")
def test_the_form_shows_what_the_platform_knows_and_asks_for_nothing_else(money: Money) -> None:
    line, body = make_line((money.first, money.second), 60_000_000), canteen()
    client, address = signed_in(money.first), "/subsidies/new/?kind=canteen&year=2022"
    assert "先选择机构" in client.get(address).content.decode()
    lunch(body, *(date(2022, month, 15) for month in MEALS))
    chosen = f"{address}&body={body.pk}"
    html = client.get(chosen).content.decode()
    assert "12 天，12 个月有供餐" in html
    assert 'name="meal_months"' not in html.partition('data-action="draft_subsidy"')[2]
    client.post(
        "/do/draft_subsidy/", form_of(client, chosen, "draft_subsidy") | {"line_id": str(line.pk), "evidence": "核查表"}
    )
    row = Subsidy.objects.get()
    assert (row.provider_id, row.facts["meal_months"]) == (body.pk, MEALS)
    page = client.get(f"/subsidies/{row.pk}/").content.decode()
    assert "1月1天、2月1天" in page
    assert "平台记录当年供餐 12 天" in page
    assert "供餐月份（人工登记）" not in page


@pytest.mark.req("R-FUN-07")
def test_only_months_before_the_first_order_can_be_ticked(money: Money) -> None:
    body = canteen()
    lunch(body, date(2022, 3, 1))
    html = signed_in(money.first).get(f"/subsidies/new/?kind=canteen&year=2022&body={body.pk}").content.decode()
    assert re.findall(r'name="meal_months" value="(\d+)"', html) == ["1", "2"]
    assert "从 3 月起以平台的送餐订单为准" in html
