"""A body that works in two districts: money that arrives and advances are counted once, whoever looks and wherever it is booked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    DISTRICT,
    NOW,
    OTHER_COMMUNITY,
    OTHER_DISTRICT,
    actor,
    city,
    make_elder,
    make_organisation,
)
from tests.settlement.stated import JUNE, LATER, approved, drafted, exported, settled, with_account

from yinling.directory.models import Organisation
from yinling.entitlements.models import Agreement
from yinling.ground.scope import scope
from yinling.kernel.period import local_date
from yinling.settlement.models import Statement, Transfer
from yinling.settlement.operations import (
    approve_statement,
    book_transfer,
    deduct_statement,
    draft_statement,
    propose_transfer,
    receive_transfer,
    reverse_transfer,
    review_statement,
    submit_claim,
)
from yinling.settlement.queries import account_sums, advance_balance, advances, to_draft
from yinling.settlement.queries.arrivals import kept, open_by_fund, unpaid
from yinling.settlement.queries.payouts import payment_of, payout_line
from yinling.settlement.queries.reconciliation import reconciliation
from yinling.web.queries.settlement_papers import statement_paper

pytestmark = pytest.mark.usefixtures("wide")
TODAY = local_date(LATER)


def stated(body: Organisation, div: str, approver: str) -> Statement:
    """A statement that a district drew up; who approves it may be the city's."""
    one, two, three = (actor("finance", area) for area in (div, div, approver))
    with scope(one):
        row = draft_statement(actor=one, now=LATER, organisation_id=body.pk, payer="government", month=JUNE)
    with scope(two):
        review_statement(actor=two, now=LATER, statement_id=row.pk)
    with scope(three):
        return approve_statement(actor=three, now=LATER, statement_id=row.pk)


def both(*approvers: str) -> tuple[Statement, Statement]:
    """One month of one body for one payer, drawn up by two districts."""
    city()
    body = make_organisation()
    settled(body, "government")
    settled(body, "government", elder=make_elder(OTHER_COMMUNITY))
    first, second = approvers or (DISTRICT, OTHER_DISTRICT)
    return stated(body, DISTRICT, first), stated(body, OTHER_DISTRICT, second)


def came(registered_in: str, fen: int, note: str, **values: Any) -> Transfer:
    who = actor("finance", registered_in)
    asked = {"payer": "government", "fund": "general", "on": TODAY, **values}
    with scope(who):
        return receive_transfer(actor=who, now=LATER, amount_fen=fen, note=note, **asked)


def owed(div: str) -> dict[str, int]:
    who = actor("finance", div)
    with scope(who):
        return {one.statement.code: one.fen for one in unpaid(who)}


@pytest.mark.req("R-PAY-12")
def test_money_for_the_statement_of_one_district_does_not_pay_that_of_the_other() -> None:
    first, second = both()
    came(DISTRICT, 4000, "回单 1")
    assert owed(CITY) == {second.code: 4000}
    assert owed(OTHER_DISTRICT) == {second.code: 4000}
    came(CITY, 4000, "回单 2")
    assert (owed(CITY), owed(OTHER_DISTRICT)) == ({}, {})
    assert first.month == second.month


@pytest.mark.req("R-PAY-12")
def test_a_district_sees_what_the_city_received_for_it_and_its_books_stay_level() -> None:
    _first, second = both()
    made = came(CITY, 8000, "回单 1")
    for div in (CITY, DISTRICT, OTHER_DISTRICT):
        assert owed(div) == {}, div
        who = actor("finance", div)
        with scope(who):
            assert open_by_fund(who, TODAY) == []
            assert sum(row["amount"] for row in account_sums(who, TODAY)) == 0
    who = actor("finance", CITY)
    with scope(who):
        reverse_transfer(actor=who, now=LATER, transfer_id=made.pk, reason="登错")
    assert owed(OTHER_DISTRICT) == {second.code: 4000}


def test_money_kept_in_one_area_does_not_pay_in_another() -> None:
    city()
    came(DISTRICT, 500, "回单 1")
    body = make_organisation(div=OTHER_DISTRICT)
    settled(body, "government", elder=make_elder(OTHER_COMMUNITY))
    row = stated(body, OTHER_DISTRICT, OTHER_DISTRICT)
    came(CITY, 3500, "回单 2", div=OTHER_DISTRICT)
    assert owed(CITY) == {row.code: 500}
    who = actor("finance", DISTRICT)
    with scope(who):
        assert kept(who, "government", "general", DISTRICT) == 500


@pytest.mark.req("R-PAY-16")
def test_an_advance_that_the_city_offset_in_one_district_is_not_offset_again_in_the_other() -> None:
    city()
    body = make_organisation()
    settled(body, "government")
    settled(body, "government", elder=make_elder(OTHER_COMMUNITY))
    asked = {
        "kind": "advance",
        "provider_id": body.pk,
        "payer": "government",
        "amount_fen": 5000,
        "business": "eldercare",
    }
    one, two = actor("finance"), actor("finance")
    row = propose_transfer(actor=one, now=NOW, note="凭证 1", **asked)
    book_transfer(actor=two, now=NOW, transfer_id=row.pk)
    there = stated(body, OTHER_DISTRICT, CITY)
    here = stated(body, DISTRICT, DISTRICT)
    assert (there.offset_fen, here.offset_fen) == (4000, 1000)
    assert advance_balance(body, "government") == 0
    for div in (CITY, DISTRICT, OTHER_DISTRICT):
        who = actor("finance", div)
        with scope(who):
            [line] = advances(who)
            assert (line["given"], line["offset"], line["left"]) == (5000, 5000, 0), div


@pytest.mark.req("R-PAY-12")
def test_a_district_draws_up_what_the_city_has_not_stated_yet() -> None:
    city()
    body = make_organisation()
    settled(body, "government", elder=make_elder(OTHER_COMMUNITY))
    asked: dict[str, Any] = {"now": LATER, "organisation_id": body.pk, "payer": "government", "month": JUNE}
    first = draft_statement(actor=actor("finance"), **asked)
    assert (first.div, first.total_fen) == (DISTRICT, 4000)
    who = actor("finance", OTHER_DISTRICT)
    with scope(who):
        assert to_draft(OTHER_DISTRICT, JUNE) == []
        assert [(one.stated_fen, one.waiting_fen) for one in reconciliation(who, JUNE).settled] == [(4000, 0)]
    order = settled(body, "government", elder=make_elder(OTHER_COMMUNITY))
    with scope(who):
        assert [one.amount_fen for one in to_draft(OTHER_DISTRICT, JUNE)] == [4000]
        row = draft_statement(actor=who, **asked)
    assert row.lines.get().charge.order_id == order.pk


def test_a_district_sees_what_the_city_paid_for_it() -> None:
    _first, second = both()
    with_account(second.provider)
    line = exported([f"statement:{second.pk}"]).lines.get()
    who = actor("finance", OTHER_DISTRICT)
    with scope(who):
        [row] = reconciliation(who, JUNE).stated
        assert (row.in_batch_fen, row.outstanding_fen, line.amount_fen) == (4000, 0, 4000)
        assert payment_of(who, line.key) == line
        assert payout_line(who, line.pk) is None


@pytest.mark.req("R-LTC-05")
def test_a_district_claims_deducts_and_sees_all_lines_of_the_statement_that_lies_there() -> None:
    city()
    body = make_organisation()
    settled(body)
    settled(body, elder=make_elder(OTHER_COMMUNITY))
    row = drafted(count=0, body=body)
    who = actor("finance", DISTRICT)
    with scope(who):
        lines = statement_paper(row).rows
        assert [line.charge.amount_fen for _number, line in lines] == [4000, 4000]
        for _number, line in lines:
            deduct_statement(
                actor=who, now=LATER, statement_id=row.pk, reason="01", note="少做", amount_fen=100, line_id=line.pk
            )
    approved(row)
    with scope(who):
        claim = submit_claim(actor=who, now=LATER, statement_id=row.pk)
    assert claim.claimed_fen == 7800


def test_what_lies_outside_the_agreement_is_not_sent_though_it_was_in_another_district() -> None:
    city()
    body = make_organisation()
    settled(body, starts_at=NOW - timedelta(days=2))
    settled(body, starts_at=NOW - timedelta(days=1), elder=make_elder(OTHER_COMMUNITY))
    row = approved(drafted(count=0, body=body))
    Agreement.objects.filter(organisation=body).update(valid_to=local_date(NOW - timedelta(days=1)))
    who = actor("finance", DISTRICT)
    with scope(who):
        claim = submit_claim(actor=who, now=LATER, statement_id=row.pk)
        assert [str(line.state) for line in claim.lines.order_by("number")] == ["submitted", "refused"]
