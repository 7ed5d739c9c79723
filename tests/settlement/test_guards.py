"""What the database itself refuses to the role that serves, whatever the code above it does: decided, closed and booked money stays as it is."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, connection, transaction
from tests.factories import CITY, actor, make_area_tree
from tests.settlement.stated import LATER, approved, claimed, exported, with_account

from yinling.settlement.operations import book_transfer, close_closing, propose_closing, propose_transfer

pytestmark = pytest.mark.usefixtures("wide")
JULY = datetime(2026, 7, 2, tzinfo=UTC)
BOOK = """WITH p AS (INSERT INTO settlement_posting (div, key, kind, text, posted_at) VALUES ('320213', 'raw', 'raw', '', now()) RETURNING id)
    INSERT INTO settlement_ledgerentry (div, posting_id, account, amount, unit, business, fund, plan_year, booked_on, period)
    SELECT '320213', id, account, fen, 'fen', 'eldercare', 'general', 2026, '2026-07-02', '{}' FROM p,
    (VALUES ('bank', 5), ('donation.received', -5)) AS v(account, fen)"""
WRITES = {
    "into a closed month": BOOK.format("2026-06-01"),
    "into the middle of a closed month": BOOK.format("2026-06-15"),
    "closed month opened again": "UPDATE settlement_closing SET closed_by_id = NULL, closed_at = NULL",
    "figures of a closed month": "UPDATE settlement_closing SET figures = '[]'",
    "closed month deleted": "DELETE FROM settlement_closing",
    "total of the ledger": "UPDATE settlement_ledgertotal SET amount = amount + 1",
    "total of the ledger deleted": "DELETE FROM settlement_ledgertotal",
    "total of an area": "INSERT INTO settlement_areatotal (div, account, unit, business, fund, per, from_on, amount, entry_count) "
    "VALUES ('3202', 'bank', 'fen', 'eldercare', 'general', 'day', '2026-07-01', 5, 1)",
    "approved total": "UPDATE settlement_statement SET total_fen = total_fen + 1",
    "approved deduction": "UPDATE settlement_statement SET deducted_fen = 1",
    "approved payer": "UPDATE settlement_statement SET payer = 'voucher'",
    "approved by its drafter": "UPDATE settlement_statement SET approved_by_id = drafted_by_id",
    "line taken off": "DELETE FROM settlement_statementline",
    "line set free": "UPDATE settlement_statementline SET is_live = false",
    "line put on": "INSERT INTO settlement_statementline (div, statement_id, charge_id, provider_id, is_live) "
    "SELECT s.div, s.id, c.id, c.provider_id, true FROM settlement_statement s, settlement_charge c WHERE c.payer = 'self'",
    "line of another charge": "UPDATE settlement_statementline SET charge_id = (SELECT min(id) FROM settlement_charge WHERE payer = 'self')",
    "deducted too late": "INSERT INTO settlement_deduction (div, statement_id, provider_id, reason, note, amount_fen, made_by_id, made_at) "
    "SELECT div, id, provider_id, '01', '', 1, drafted_by_id, now() FROM settlement_statement",
    "claimed amount": "UPDATE settlement_claimline SET claimed_fen = claimed_fen + 1",
    "total of a batch at the bank": "UPDATE settlement_payout SET total_fen = total_fen + 1",
    "amount of a payment": "UPDATE settlement_payoutline SET amount_fen = amount_fen + 1",
    "payee of a payment": "UPDATE settlement_payoutline SET provider_id = NULL",
    "payment taken out at the bank": "DELETE FROM settlement_payoutline",
    "booked advance": "UPDATE settlement_transfer SET amount_fen = 1",
    "booked advance deleted": "DELETE FROM settlement_transfer",
    "claimed service deleted": "DELETE FROM settlement_claimeditem",
}


@pytest.fixture
def _decided(wide: object) -> None:
    """A statement that was approved, claimed, paid out; an advance that was booked; and the month closed over it."""
    make_area_tree()
    row = approved(payer="government", count=2)
    with_account(row.provider)
    exported([f"statement:{row.pk}"])
    claimed()
    advance = propose_transfer(
        actor=actor("finance"), now=LATER, kind="advance", provider_id=row.provider_id, payer="government", amount_fen=5000,
        business="eldercare", note="凭证 1",
    )  # fmt: skip
    book_transfer(actor=actor("finance"), now=LATER, transfer_id=advance.pk)
    month = propose_closing(actor=actor("finance"), now=JULY, month=date(2026, 6, 1), div=CITY)
    close_closing(actor=actor("finance"), now=JULY, closing_id=month.pk)


@pytest.mark.req("R-FUN-10")
@pytest.mark.usefixtures("_decided")
def test_what_was_decided_closed_or_booked_is_not_written_anew() -> None:
    done = []
    for name, statement in WRITES.items():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
                done.append((name, cursor.rowcount))
        except DatabaseError:
            continue
    assert done == []
