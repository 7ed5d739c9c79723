"""Makers for tests about statements, claims and payments."""

import base64
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from tests.factories import (
    LONG_AGO,
    NOW,
    actor,
    fund_order,
    make_entitlement,
    make_order,
    make_organisation,
    make_price,
    make_scheme,
    system,
)

from yinling.directory.models import Organisation
from yinling.entitlements.models import Agreement
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal, Refused
from yinling.orders.models import Order
from yinling.settlement.models import BankAccount, Claim, Payout, Statement
from yinling.settlement.operations import (
    approve_payout,
    approve_statement,
    confirm_account,
    draft_payout,
    draft_statement,
    export_payout,
    propose_account,
    review_payout,
    review_statement,
    settle_order,
    submit_claim,
)

JUNE = date(2026, 6, 1)
LATER = NOW + timedelta(days=3)


def refused(code: str, kind: type[Refusal] = Refused) -> pytest.RaisesExc:
    return pytest.raises(kind, check=lambda refusal: refusal.code == code)


def agree(body: Organisation, payer: str) -> Agreement:
    """An agreement of a body with a payer, about everything and for ever."""
    row = Agreement.objects.filter(organisation=body, payer=payer).first()
    return row or Agreement.objects.create(
        organisation=body, payer=payer, kind="designation", number="定点1", valid_from=LONG_AGO, recorded_from=NOW
    )


def settled(body: Organisation, payer: str = "ltci", fen: int = 4000, at: datetime = LATER, **values: object) -> Order:
    """An order of 80.00 yuan, settled, of which a payer bears a part."""
    if payer in ("ltci", "medical_insurance"):
        agree(body, payer)
    order = make_order("served", price=make_price(organisation=body), **values)
    scheme = make_scheme(payer=payer, fund="insurance" if payer == "ltci" else "general", code=f"s{order.pk}")
    fund_order(order, make_entitlement(order.elder, scheme), fen)
    return settle_order(actor=system(), now=at, order_id=order.pk)


def drafted(payer: str = "ltci", count: int = 2, body: Organisation | None = None) -> Statement:
    """A draft of as many orders of 40.00 yuan each."""
    body = body or make_organisation()
    for _ in range(count):
        settled(body, payer)
    return draft_statement(actor=actor("finance"), now=LATER, organisation_id=body.pk, payer=payer, month=JUNE)


def approved(row: Statement | None = None, **values: object) -> Statement:
    """A statement that two others than its drafter approved."""
    row = row or drafted(**values)
    review_statement(actor=actor("finance"), now=LATER, statement_id=row.pk)
    return approve_statement(actor=actor("finance"), now=LATER, statement_id=row.pk)


def claimed(**values: object) -> Claim:
    """A claim of a statement of two lines."""
    return submit_claim(actor=actor("finance"), now=LATER, statement_id=approved(**values).pk)


def with_account(body: Organisation, number: str = "6222020200012345678") -> BankAccount:
    """A confirmed account of a body."""
    row = propose_account(
        actor=actor("finance"), now=NOW, organisation_id=body.pk, holder=body.name, bank="工商银行江城支行", number=number,
        valid_from=date(2026, 1, 1),
    )  # fmt: skip
    return confirm_account(actor=actor("finance"), now=NOW, account_id=row.pk)


def batch(keys: Sequence[str], who: Actor | None = None) -> Payout:
    """A draft of a batch."""
    return draft_payout(actor=who or actor("finance"), now=LATER, title="六月拨付", keys=list(keys))


def exported(keys: Sequence[str]) -> Payout:
    """A batch that went to the bank."""
    row = batch(keys)
    review_payout(actor=actor("finance"), now=LATER, payout_id=row.pk)
    approve_payout(actor=actor("finance"), now=LATER, payout_id=row.pk, count=len(keys))
    return export_payout(actor=actor("finance"), now=LATER, payout_id=row.pk)


def sent(*rows: Sequence[object], heads: Sequence[str]) -> str:
    """A file as a screen sends it."""
    text = "\r\n".join(",".join(str(cell) for cell in row) for row in (heads, *rows))
    return base64.b64encode(text.encode("utf-8-sig")).decode()
