"""Pages of support and agreements ask no more for three rows than for one, and the form of a subsidy asks only what the platform does not know."""

import re
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from django.test import Client
from tests.factories import NOW, TODAY, actor, make_organisation
from tests.programmes.making import make_bed_application, make_signed, office
from tests.programmes.subsidies.shanwei import MEALS, PROVINCE, Money, canteen, drafted, make_line, make_money
from tests.programmes.subsidies.test_records import lunch
from tests.screens.test_funds import form_of, queries, signed_in

from yinling.entitlements.operations import sign_agreement
from yinling.ground.scope import scope
from yinling.programmes.home_beds.operations import approve_bed
from yinling.programmes.subsidies.models import Subsidy

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
def test_pages_of_a_contract_and_of_an_open_bed_stay_within_the_limit(sign_in: SignIn) -> None:
    contract, bed = make_signed(), make_bed_application()
    approve_bed(actor=office(), now=NOW, bed_id=bed.pk)
    client = sign_in(office())
    assert queries(client, f"/contracts/{contract.pk}/") <= MOST_QUERIES
    assert queries(client, f"/beds/{bed.pk}/") <= MOST_QUERIES
    assert "240.00 元，" in client.get(f"/contracts/{contract.pk}/").content.decode()


def test_subsidies_and_their_form_ask_as_much_for_three_as_for_one(money: Money) -> None:
    line, client, found = make_line((money.first, money.second), 60_000_000), signed_in(money.first), []
    for number in range(3):
        body = canteen()
        drafted(money.first, line, body)
        if number != 1:
            found.append(queries(client, "/subsidies/"))
    assert found[0] == found[1] <= MOST_QUERIES
    assert queries(client, "/subsidies/new/?kind=canteen&year=2022") <= MOST_QUERIES


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
