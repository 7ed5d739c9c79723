"""Money laid out for a fund until its payer sends it: how much, since when, for which claims; nothing once it has come."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.factories import DISTRICT, actor
from tests.settlement.stated import LATER, approved, claimed, drafted, exported, sent, with_account

from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied
from yinling.settlement import bankfile, remitting
from yinling.settlement.models import Posting, Statement
from yinling.settlement.operations import answer_payout, book_transfer, load_remittance, propose_transfer
from yinling.settlement.queries import balance
from yinling.settlement.queries.laid_out import below_zero, laid_out

pytestmark = pytest.mark.usefixtures("wide")
TODAY = local_date(LATER)


def paid_out(row: Statement) -> None:
    with_account(row.provider)
    made = exported([f"statement:{row.pk}"])
    line = made.lines.get()
    answer = sent((made.code, line.pk, f"{line.amount_fen / 100:.2f}", "成功", ""), heads=bankfile.RETURN_HEADS)
    answer_payout(actor=actor("finance"), now=LATER, payout_id=made.pk, content=answer)


def test_a_claim_paid_out_before_its_answer_is_laid_out_until_the_money_comes() -> None:
    claim = claimed()
    assert laid_out(actor("finance"), TODAY) == []
    paid_out(claim.statement)
    assert balance("bank", TODAY, fund="insurance") == -8000
    [found] = laid_out(actor("finance"), TODAY)
    assert (found.fund, found.fen, found.since) == ("insurance", 8000, TODAY)
    [item] = found.items
    assert (item.fen, item.due_fen, item.payer, [one.pk for one in item.claims]) == (8000, 8000, "ltci", [claim.pk])
    count = Posting.objects.count()
    half = sent((claim.code, 1, "40.00", "", ""), heads=remitting.HEADS)
    load_remittance(actor=actor("finance"), now=LATER, payer="ltci", name="一", content=half)
    [found] = laid_out(actor("finance"), TODAY)
    assert (found.fen, found.items[0].due_fen) == (4000, 4000)
    rest = sent((claim.code, 2, "40.00", "", ""), heads=remitting.HEADS)
    load_remittance(actor=actor("finance"), now=LATER, payer="ltci", name="二", content=rest)
    assert laid_out(actor("finance"), TODAY) == []
    assert Posting.objects.count() == count + 2


def test_an_advance_and_an_unclaimed_statement_are_named() -> None:
    row = approved(drafted(payer="government", count=1))
    paid_out(row)
    given = propose_transfer(
        actor=actor("finance"), now=LATER, kind="advance", provider_id=row.provider_id, payer="government", amount_fen=900, business="eldercare",
        note="1",
    )  # fmt: skip
    book_transfer(actor=actor("finance"), now=LATER, transfer_id=given.pk)
    [found] = laid_out(actor("finance"), TODAY)
    assert (found.fund, found.fen) == ("general", 4900)
    assert [(one.fen, one.due_fen, bool(one.text), list(one.claims)) for one in found.items] == [
        (4000, 4000, True, []),
        (900, 0, False, []),
    ]
    assert laid_out(actor("finance"), TODAY - timedelta(days=1)) == []
    with pytest.raises(Denied):
        laid_out(actor("carer", DISTRICT), TODAY)


def test_since_when_a_balance_is_below_zero() -> None:
    days = [date(2026, 6, day) for day in range(1, 6)]
    assert below_zero(zip(days, (-5, 5, -1, -1, 1), strict=True)) == (1, days[2])
    assert below_zero(zip(reversed(days), (0, 0, 7, -3, -3), strict=True)) is None
    assert below_zero([]) is None
