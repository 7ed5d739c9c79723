"""Gifts in kind: a receipt like any donation's, never in the books, handed out until they are used up."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from tests.factories import actor, make_elder
from tests.programmes.subsidies.shanwei import AT, CITY, PROVINCE, Money, canteen, make_line, make_money
from tests.settlement.test_payouts_at_once import at_once

from yinling.accounts.models import User
from yinling.entitlements.models import BudgetLine
from yinling.ground.scope import scope
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.people.models import Elder
from yinling.programmes.subsidies.models import Donation, Handout
from yinling.programmes.subsidies.operations import (
    receive_donation,
    record_handout,
    register_donation,
    withdraw_donation,
)
from yinling.programmes.subsidies.queries.funds import donations_shown, gifts, goods_totals
from yinling.settlement.models import LedgerEntry, Posting

TODAY = date(2023, 1, 20)


def refused(code: str, kind: type[Refusal] = Refused) -> pytest.RaisesExc:
    return pytest.raises(kind, check=lambda refusal: refusal.code == code)


@pytest.fixture
def money(db: None) -> Iterator[Money]:
    with scope(PROVINCE) as opened:
        yield make_money()
        opened.afterwards.clear()


def beds(money: Money, **values: Any) -> Donation:
    asked: dict[str, Any] = {
        "donor": "某企业", "goods": "护理床", "quantity": 10, "unit": "张", "amount_fen": 20_000_00, "basis": "采购发票", "purpose": "home_care",
        "div": CITY, "received_on": date(2023, 1, 10), **values,
    }  # fmt: skip
    return receive_donation(actor=money.first, now=AT, **asked)


def handed(by: Any, row: Donation, quantity: int, **values: Any) -> Handout:
    asked: dict[str, Any] = {"handed_on": TODAY, "received_by": "李四", **values}
    return record_handout(actor=by, now=AT, donation_id=row.pk, quantity=quantity, **asked)


def an_elder() -> Elder:
    return make_elder("441521100200")


@pytest.mark.req("R-FUN-09")
def test_goods_have_the_next_receipt_and_are_in_no_account_and_no_line(money: Money) -> None:
    line = make_line((money.first, money.second), 0, fund="donation", year=2023)
    first = register_donation(
        actor=money.first, now=AT, donor="甲", amount_fen=100, line_id=line.pk, received_on=date(2023, 1, 3)
    )
    row = beds(money)
    assert [int(one.receipt_number.rpartition("-")[2]) for one in (first, row)] == [1, 2]
    assert (row.kind, row.line_id, row.posting_id, row.left) == ("goods", None, None, 10)
    assert Posting.objects.count() == 1
    assert sum(LedgerEntry.objects.filter(account="bank").values_list("amount", flat=True)) == 100
    assert BudgetLine.objects.get(pk=line.pk).approved_fen == 100
    assert goods_totals(donations_shown(money.first)) == {"count": 1, "fen": 20_000_00}
    assert gifts(line) == []


@pytest.mark.req("R-FUN-09")
def test_goods_are_handed_out_until_they_are_used_up_and_a_mistake_is_corrected(money: Money) -> None:
    row, elder, body = beds(money), an_elder(), canteen()
    handed(money.first, row, 4, elder_id=elder.pk)
    handed(money.first, row, 6, provider_id=body.pk)
    row.refresh_from_db()
    assert (row.handed_quantity, row.left) == (10, 0)
    with refused("handout.used_up"), transaction.atomic():
        handed(money.first, row, 1, elder_id=elder.pk)
    with refused("handout.below_zero"), transaction.atomic():
        handed(money.first, row, -5, elder_id=elder.pk)
    handed(money.first, row, -4, elder_id=elder.pk)
    row.refresh_from_db()
    assert row.left == 4
    with pytest.raises(IntegrityError), transaction.atomic():
        Handout.objects.create(
            div=row.div, donation=row, provider=body, quantity=5, handed_on=TODAY, received_by="王五", entered_by_id=money.first.user_id,
            entered_at=AT,
        )  # fmt: skip
    with pytest.raises(DatabaseError), transaction.atomic():
        Handout.objects.filter(donation=row).update(quantity=1)
    manager = actor("provider_manager", organisation=body)
    with scope(manager):
        assert [one.quantity for one in Handout.objects.all()] == [6]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"received_on": date(2023, 2, 2)}, "donation.day"), ({"quantity": 0}, "donation.amount"), ({"basis": " "}, "text.missing"),
        ({"goods": ""}, "text.missing"), ({"purpose": "fun"}, "choice.unknown"),
    ],
)  # fmt: skip
def test_goods_that_cannot_be_are_refused(money: Money, values: dict[str, Any], code: str) -> None:
    with refused(code), transaction.atomic():
        beds(money, **values)
    assert not Donation.objects.exists()


def test_who_gets_what_is_one_receiver_who_is_known(money: Money) -> None:
    row, elder = beds(money), an_elder()
    with refused("handout.whose"), transaction.atomic():
        handed(money.first, row, 1)
    with refused("handout.whose"), transaction.atomic():
        handed(money.first, row, 1, elder_id=elder.pk, provider_id=canteen().pk)
    with refused("elder.not_found", NotFound), transaction.atomic():
        handed(money.first, row, 1, elder_id=elder.pk + 10**6)
    with refused("handout.wrong"), transaction.atomic():
        handed(money.first, row, 1, elder_id=elder.pk, handed_on=date(2023, 1, 9))
    with refused("right.missing", Denied), transaction.atomic():
        handed(actor("auditor", div=CITY), row, 1, elder_id=elder.pk)
    assert not Handout.objects.exists()


def test_what_was_handed_out_is_not_withdrawn_and_what_was_withdrawn_not_handed_out(money: Money) -> None:
    row, elder = beds(money), an_elder()
    handed(money.first, row, 1, elder_id=elder.pk)
    with refused("donation.handed"), transaction.atomic():
        withdraw_donation(actor=money.second, now=AT, donation_id=row.pk, reason="误登")
    handed(money.first, row, -1, elder_id=elder.pk)
    with refused("donation.two_persons"), transaction.atomic():
        withdraw_donation(actor=money.first, now=AT, donation_id=row.pk, reason="误登")
    withdraw_donation(actor=money.second, now=AT, donation_id=row.pk, reason="误登")
    with refused("handout.no_goods"), transaction.atomic():
        handed(money.first, row, 1, elder_id=elder.pk)
    with refused("donation.withdrawn", NotAllowed), transaction.atomic():
        withdraw_donation(actor=money.second, now=AT, donation_id=row.pk, reason="误登")
    assert goods_totals(donations_shown(money.first)) == {"count": 0, "fen": 0}


def test_pages_receipt_and_workbook_show_goods_beside_money(money: Money) -> None:
    row, elder = beds(money), an_elder()
    handed(money.first, row, 3, elder_id=elder.pk)
    client = Client()
    client.force_login(User.objects.get(pk=money.first.user_id))
    listed = client.get("/donations/").content.decode()
    assert "护理床 10 张" in listed
    assert "不入账" in listed
    page = client.get(f"/donations/{row.pk}/").content.decode()
    assert "3 / 7 张" in page
    assert "/do/record_handout/" in page
    assert "采购发票" in client.get(f"/donations/{row.pk}/print/").content.decode()
    assert client.get("/donations/excel/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_many_hand_out_the_last_ones_and_never_more_than_there_were() -> None:
    with scope(PROVINCE):
        money = make_money()
        row, elder = beds(money), an_elder()
    calls = [
        (who, lambda who: handed(who, row, 4, elder_id=elder.pk)) for who in (money.first, money.second, money.third)
    ]
    assert at_once(calls) == ["done", "done", "handout.used_up"]
    with scope(PROVINCE):
        assert Donation.objects.get(pk=row.pk).handed_quantity == 8
