"""Advances, deposits and top-ups: two persons where the kind asks for it, never more back than there is, all in the ledger."""

from datetime import date, timedelta

import pytest
from tests.factories import (
    NOW,
    actor,
    fund_order,
    make_elder,
    make_entitlement,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_scheme,
    system,
)

from yinling.directory.models import Organisation
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, Refusal, Refused
from yinling.orders.models import Order
from yinling.people.models import Elder
from yinling.settlement.models import Charge, LedgerEntry, Statement, StatementLine, Transfer
from yinling.settlement.operations import (
    approve_statement,
    book_transfer,
    deduct_statement,
    draft_statement,
    offset_advance,
    propose_transfer,
    review_statement,
    settle_order,
    take_transfer,
)
from yinling.settlement.queries import advance_balance, advances, balance, elder_balance, shares_of_statement

pytestmark = pytest.mark.usefixtures("wide")
TODAY = date(2026, 6, 15)
LATER = NOW + timedelta(days=3)


@pytest.fixture
def finance() -> Actor:
    return actor("finance")


def proposed(who: Actor, body: Organisation, fen: int = 100_000, kind: str = "advance", **values: object) -> Transfer:
    chosen = {"payer": "voucher", "business": "eldercare", "note": "凭证 7", **values}
    return propose_transfer(actor=who, now=NOW, kind=kind, provider_id=body.pk, amount_fen=fen, **chosen)


def booked(body: Organisation, fen: int = 100_000, kind: str = "advance", **values: object) -> Transfer:
    row = proposed(actor("finance"), body, fen, kind, **values)
    return book_transfer(actor=actor("finance"), now=NOW, transfer_id=row.pk, seen=row.version)


def taken(elder: Elder, kind: str, fen: int, note: str, who: Actor | None = None) -> Transfer:
    return take_transfer(
        actor=who or actor("finance"), now=NOW, elder_id=elder.pk, kind=kind, amount_fen=fen, method="cash", note=note
    )


def refuses(code: str, kind: type[Refusal] = Refused) -> pytest.RaisesExc:
    return pytest.raises(kind, check=lambda refusal: refusal.code == code)


def served() -> Order:
    order = make_order("served")
    fund_order(order, make_entitlement(order.elder, make_scheme(code=f"v{order.pk}")), 4000)
    return settle_order(actor=system(), now=LATER, order_id=order.pk)


def stated(order: Order, who: Actor) -> Statement:
    row = Statement.objects.create(
        div=order.provider.div, provider=order.provider, payer="voucher", month=date(2026, 6, 1), total_fen=4000, line_count=1, drafted_at=LATER,
        drafted_by_id=who.user_id, created_at=LATER, changed_at=LATER,
    )  # fmt: skip
    charge = Charge.objects.get(order=order, payer="voucher")
    StatementLine.objects.create(div=row.div, statement=row, charge=charge, provider=order.provider)
    return row


@pytest.mark.req("R-PAY-16")
def test_an_advance_needs_a_second_person_and_the_monitor_shows_what_is_left(finance: Actor) -> None:
    body = make_organisation()
    row = proposed(finance, body)
    assert not LedgerEntry.objects.exists()
    with refuses("transfer.two_persons"):
        book_transfer(actor=finance, now=NOW, transfer_id=row.pk)
    other = actor("finance")
    book_transfer(actor=other, now=NOW, transfer_id=row.pk)
    assert (balance("bank", TODAY), balance("advance.voucher", TODAY), advance_balance(body, "voucher")) == (
        -100_000,
        100_000,
        100_000,
    )
    with refuses("transfer.booked", NotAllowed):
        book_transfer(actor=other, now=NOW, transfer_id=row.pk)
    with refuses("transfer.balance"):
        proposed(finance, body, 100_001, "advance_return")
    with refuses("transfer.balance"):
        proposed(finance, body, 1, "advance_return", business="medical")
    booked(body, 30_000, "advance_return")
    (line,) = advances(finance)
    assert (line["given"], line["returned"], line["offset"], line["left"]) == (100_000, 30_000, 0, 70_000)


@pytest.mark.req("R-PAY-16")
def test_two_returns_proposed_from_the_same_balance_are_not_both_booked(finance: Actor) -> None:
    body = make_organisation()
    booked(body, 500)
    one, two = (proposed(finance, body, 400, "advance_return") for _ in range(2))
    other = actor("finance")
    book_transfer(actor=other, now=NOW, transfer_id=one.pk)
    with refuses("transfer.balance"):
        book_transfer(actor=other, now=NOW, transfer_id=two.pk)
    assert advance_balance(body, "voucher") == 100


@pytest.mark.req("R-PAY-16")
def test_an_advance_is_offset_at_settlement_of_the_statement_once_and_in_its_own_business(finance: Actor) -> None:
    order = served()
    row = stated(order, finance)
    assert offset_advance(finance, LATER, row, 4000) == 0
    booked(order.provider, 500, business="medical")
    assert offset_advance(finance, LATER, row, 4000) == 0
    booked(order.provider, 3000)
    assert offset_advance(finance, LATER, row, 4000) == 3000
    assert offset_advance(finance, LATER, row, 4000) == 3000
    assert advance_balance(order.provider, "voucher") == 500
    on = date(2026, 6, 20)
    assert balance("payable.provider", on, provider_id=order.provider_id) == -1000
    (line,) = [one for one in advances(finance) if one["payer"] == "voucher"]
    assert (line["given"], line["offset"], line["left"]) == (3500, 3000, 500)


def test_deposits_and_top_ups_come_back_up_to_their_balance_and_a_receipt_counts_once() -> None:
    elder = make_elder()
    taken(elder, "deposit", 50_000, "收 1")
    taken(elder, "top_up", 20_000, "收 1")
    with refuses("transfer.receipt"):
        taken(elder, "deposit", 50_000, "收 1")
    with refuses("transfer.balance"):
        taken(elder, "deposit_return", 50_001, "退 1")
    with refuses("transfer.balance"):
        taken(make_elder(), "top_up_return", 1, "退 1")
    taken(elder, "deposit_return", 50_000, "退 1")
    taken(elder, "top_up_return", 5_000, "退 2")
    assert (
        elder_balance("deposit.elder", elder.pk, elder.div),
        elder_balance("prepaid.elder", elder.pk, elder.div),
    ) == (0, -15_000)
    assert balance("bank", TODAY) == 15_000
    assert Transfer.objects.filter(posting=None).count() == 0


def test_only_whoever_answers_for_money_moves_it(finance: Actor) -> None:
    body, elder = make_organisation(), make_elder()
    for who in (actor("auditor"), actor("seat"), actor("finance", "320281")):
        with pytest.raises(Denied):
            proposed(who, body)
        with pytest.raises(Denied):
            taken(elder, "deposit", 100, "收", who)
    row = proposed(finance, body)
    with pytest.raises(Denied):
        book_transfer(actor=actor("auditor"), now=NOW, transfer_id=row.pk)
    for values in ({"kind": "deposit"}, {"payer": "self"}, {"business": "both"}):
        with refuses("choice.unknown"):
            proposed(finance, body, **values)
    with refuses("text.missing"):
        proposed(finance, body, note=" ")
    assert not LedgerEntry.objects.exists()


@pytest.mark.req("R-PAY-16")
def test_an_advance_pays_only_what_deductions_left_of_its_own_business(finance: Actor) -> None:
    body = make_organisation()
    care, nursing = (
        make_order("served", price=make_price(make_item(is_medical=is_medical), body)) for is_medical in (False, True)
    )
    scheme = make_scheme()
    for order in (care, nursing):
        fund_order(order, make_entitlement(order.elder, scheme), 4000)
        settle_order(actor=system(), now=LATER, order_id=order.pk)
    row = draft_statement(actor=finance, now=LATER, organisation_id=body.pk, payer="voucher", month=date(2026, 6, 1))
    line = row.lines.get(charge__order=nursing)
    deduct_statement(
        actor=finance, now=LATER, statement_id=row.pk, reason="01", note="没有记录", amount_fen=4000, line_id=line.pk
    )
    booked(body, 4000, business="medical")
    review_statement(actor=actor("finance"), now=LATER, statement_id=row.pk)
    done = approve_statement(actor=actor("finance"), now=LATER, statement_id=row.pk)
    assert (done.offset_fen, done.payable_fen, advance_balance(body, "voucher", "medical")) == (0, 4000, 4000)
    (part,) = shares_of_statement(done).payable
    assert (part.business, part.plan_year) == ("eldercare", 2026)
