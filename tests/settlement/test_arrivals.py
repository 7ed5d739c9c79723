"""Money that payers send: booked once by its receipt, the oldest statement first, taken back by a reversal; what is open by fund and age."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from tests.factories import CITY, actor, make_area_tree, make_organisation
from tests.settlement.stated import JUNE, LATER, approved, drafted, refused, settled

from yinling.directory.models import Organisation
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied, NotAllowed
from yinling.settlement.models import LedgerEntry, Posting, Statement, Transfer
from yinling.settlement.operations import deduct_statement, receive_transfer, reverse_order, reverse_transfer
from yinling.settlement.queries import balance
from yinling.settlement.queries.arrivals import arrivals, open_by_fund, unpaid
from yinling.settlement.queries.reconciliation import reconciliation

pytestmark = pytest.mark.usefixtures("wide")
TODAY = local_date(LATER)


@pytest.fixture
def finance() -> Actor:
    make_area_tree()
    return actor("finance")


def came(who: Actor, fen: int, note: str = "回单 1", now: datetime = LATER, **values: Any) -> Transfer:
    asked = {"payer": "government", "fund": "general", "on": TODAY, **values}
    return receive_transfer(actor=who, now=now, amount_fen=fen, note=note, **asked)


def owed(who: Actor) -> dict[str, int]:
    return {one.statement.code: one.fen for one in unpaid(who)}


def stated(body: Organisation | None = None, count: int = 2) -> Statement:
    return approved(drafted(payer="government", count=count, body=body or make_organisation()))


@pytest.mark.req("R-PAY-12")
def test_what_the_payer_sends_closes_what_it_owed_by_the_dimensions_it_was_booked_with(finance: Actor) -> None:
    row = drafted(payer="government", count=2)
    deduct_statement(actor=finance, now=LATER, statement_id=row.pk, reason="01", amount_fen=1000, note="少做")
    row = approved(row)
    assert owed(finance) == {row.code: 7000}
    made = came(finance, 7000)
    assert owed(finance) == {}
    assert (balance("receivable.government", TODAY), balance("bank", TODAY)) == (0, 7000)
    assert balance("receivable.government", TODAY, provider_id=row.provider_id) == 0
    sums: dict[tuple[object, ...], int] = {}
    for entry in LedgerEntry.objects.filter(account="receivable.government"):
        key = (entry.business, entry.fund, entry.scheme_id, entry.plan_year)
        sums[key] = sums.get(key, 0) + entry.amount
    assert set(sums.values()) == {0}
    assert open_by_fund(finance, TODAY) == []
    assert made.posting is not None
    assert (made.key, made.posting.kind, made.div) == (f"arrival:{CITY}:回单 1", "arrival", CITY)


def test_the_oldest_statement_is_paid_first_the_rest_is_kept_and_pays_with_the_next_money(finance: Actor) -> None:
    _first, second = stated(), stated()
    came(finance, 10_000)
    assert owed(finance) == {second.code: 6000}
    came(finance, 7000, "回单 2")
    assert owed(finance) == {}
    assert balance("receivable.government", TODAY) == -1000
    assert [(one.fund, one.fen, one.ages) for one in open_by_fund(finance, TODAY)] == [("general", -1000, (0, 0, 0, 0))]
    third = stated()
    came(finance, 7000, "回单 3")
    assert owed(finance) == {}
    assert balance("receivable.government", TODAY) == 0
    assert balance("receivable.government", TODAY, provider_id=third.provider_id) == 0


def test_what_the_treasury_sends_for_subsidies_pays_no_statement(finance: Actor) -> None:
    row = stated()
    made = came(finance, 6_000_000, payer="treasury", fund="lottery")
    assert (balance("bank", TODAY, fund="lottery"), balance("appropriation.received", TODAY)) == (6_000_000, -6_000_000)
    assert owed(finance) == {row.code: 8000}
    assert [(one.payer, one.fen) for one in open_by_fund(finance, TODAY)] == [("government", 8000)]
    with refused("arrival.statement"):
        came(finance, 8000, "回单 2", payer="treasury", statements=[row.code])
    reverse_transfer(actor=finance, now=LATER, transfer_id=made.pk, reason="金额登错")
    assert (balance("bank", TODAY), balance("appropriation.received", TODAY)) == (0, 0)


def test_named_statements_are_paid_and_no_others(finance: Actor) -> None:
    first, second = stated(), stated()
    with refused("arrival.too_much"):
        came(finance, 8001, statements=[second.code])
    came(finance, 8000, statements=[second.code.lower(), " "])
    assert owed(finance) == {first.code: 8000}
    with refused("arrival.statement"):
        came(finance, 1, "回单 2", statements=[second.code])
    assert Transfer.objects.count() == 1


def test_a_receipt_counts_once_and_again_after_its_reversal(finance: Actor) -> None:
    row = stated()
    made = came(finance, 8000)
    with refused("arrival.known"):
        came(finance, 8000)
    assert Posting.objects.filter(kind="arrival").count() == 1
    with refused("text.missing"):
        reverse_transfer(actor=finance, now=LATER, transfer_id=made.pk, reason=" ")
    reverse_transfer(actor=finance, now=LATER, transfer_id=made.pk, reason="金额登错")
    assert owed(finance) == {row.code: 8000}
    assert (balance("bank", TODAY), balance("receivable.government", TODAY)) == (0, 8000)
    with refused("arrival.reversed", NotAllowed):
        reverse_transfer(actor=finance, now=LATER, transfer_id=made.pk, reason="再次")
    came(finance, 7999)
    assert owed(finance) == {row.code: 1}
    assert [(one.amount_fen, one.fund, one.is_reversed) for one in arrivals(finance)] == [
        (7999, "general", False), (8000, "general", True),
    ]  # fmt: skip


def test_what_cannot_be_on_a_receipt_is_refused_and_nothing_is_booked(finance: Actor) -> None:
    stated()
    for code, values in {
        "arrival.day": {"on": TODAY + timedelta(days=1)}, "arrival.by_claim": {"payer": "ltci"}, "choice.unknown": {"fund": "pocket"},
        "arrival.area": {"div": "320299999"}, "text.missing": {"note": " "},
    }.items():  # fmt: skip
        with refused(code):
            came(finance, 100, **{"note": "回单", **values})
    with refused("choice.unknown"):
        came(finance, 100, payer="self")
    with refused("arrival.day"):
        came(finance, 100, on=date(1, 1, 1))
    for fen in (0, -100, 10_000_000_001):
        with refused("arrival.amount"):
            came(finance, fen)
    for who in (actor("auditor"), actor("seat"), actor("finance", "320281")):
        with pytest.raises(Denied):
            came(who, 100, div=CITY)
    with pytest.raises(Denied):
        reverse_transfer(actor=actor("auditor"), now=LATER, transfer_id=came(finance, 1).pk, reason="x")
    assert balance("bank", TODAY) == 1


def test_money_from_another_fund_pays_nothing_of_this_one(finance: Actor) -> None:
    row = stated()
    came(finance, 500, fund="lottery")
    assert owed(finance) == {row.code: 8000}
    assert {(one.fund, one.fen) for one in open_by_fund(finance, TODAY)} == {("general", 8000), ("lottery", -500)}


def test_open_amounts_move_into_the_next_column_as_they_age_and_money_pays_the_oldest(finance: Actor) -> None:
    old, new = LATER - timedelta(days=70), LATER - timedelta(days=10)
    body = make_organisation()
    settled(body, "government", 3000, at=old)
    settled(body, "government", 2000, at=new)
    [one] = open_by_fund(finance, TODAY)
    assert (one.payer, one.fen, one.ages) == ("government", 5000, (2000, 0, 3000, 0))
    # Money that comes before its statement is kept; for the age it pays the oldest, also on a day on which something is booked.
    came(finance, 3500, now=new, on=local_date(new))
    [one] = open_by_fund(finance, TODAY)
    assert (one.fen, one.ages) == (1500, (1500, 0, 0, 0))


@pytest.mark.req("R-PAY-12")
def test_the_month_says_what_the_payer_sent_and_still_owes(finance: Actor) -> None:
    row = stated()
    came(finance, 5000)
    [line] = reconciliation(finance, JUNE).stated
    assert (line.payer, line.received_fen, line.due_fen, line.difference_fen) == ("government", 5000, 3000, 0)
    came(finance, 3000, "回单 2")
    [line] = reconciliation(finance, JUNE).stated
    assert (line.received_fen, line.due_fen) == (8000, 0)
    assert reconciliation(finance, date(2026, 5, 1)).stated == []
    assert row.payable_fen == 8000


def test_an_order_reversed_after_its_statement_was_paid_is_owed_back_with_the_next(finance: Actor) -> None:
    body = make_organisation()
    order = settled(body, "government")
    row = drafted(payer="government", count=0, body=body)
    approved(row)
    came(finance, 4000)
    reverse_order(actor=finance, now=LATER, order_id=order.pk, reason="登记重复")
    assert [(one.fen, one.ages) for one in open_by_fund(finance, TODAY)] == [(-4000, (0, 0, 0, 0))]
