"""A district keeps its papers whole when an elder has moved to another one since."""

from collections.abc import Callable

import pytest
from django.test import Client
from tests.factories import DISTRICT, NOW, OTHER_COMMUNITY, actor, make_elder
from tests.screens.test_ledger import sheet, text
from tests.screens.test_stops import recovered
from tests.settlement.paying import an_order, asked, tell, use

from yinling.people.models import Elder, Household
from yinling.settlement.operations import take_transfer

SignIn = Callable[..., Client]


def move_away(elder: Elder) -> None:
    Household.objects.filter(pk=elder.household_id).update(div=OTHER_COMMUNITY)
    Elder.objects.filter(pk=elder.pk).update(div=OTHER_COMMUNITY)


def test_what_was_paid_in_before_is_still_listed(sign_in: SignIn) -> None:
    elder, client = make_elder(name="张桂兰"), sign_in(actor("finance", DISTRICT))
    about = {"kind": "top_up", "amount_fen": 10_000, "method": "cash", "note": "SJ1"}
    take_transfer(actor=client.actor, now=NOW, elder_id=elder.pk, **about)  # type: ignore[attr-defined]
    move_away(elder)
    assert "张*" in text(client, "/settlement/transfers/")
    assert sheet(client, "/settlement/transfers/excel/")[2][2] == "张*"


def test_what_was_paid_for_a_service_there_is_still_listed(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "fake.FakePayment")
    order, client = an_order("served"), sign_in(actor("finance", DISTRICT))
    row = tell(asked(order))
    move_away(order.elder)
    assert f'id="payment-{row.pk}"' in text(client, "/settlement/payments/")
    assert order.code in text(client, f"/settlement/payments/{row.pk}/")
    assert sheet(client, "/settlement/payments/excel/")[-1][0] == row.key


def test_a_recovery_list_is_taken_away_by_the_district_that_paid(sign_in: SignIn) -> None:
    row, client = recovered(sign_in), sign_in(actor("finance", DISTRICT))
    move_away(row.elder)
    assert row.code in text(client, f"/settlement/recoveries/{row.pk}/")
    assert sheet(client, f"/settlement/recoveries/{row.pk}/excel/")[0][0] == f"{row.code} 王*"
