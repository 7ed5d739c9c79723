"""Several people at the same moment: one payment, one claim, one answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from tests.factories import CITY, WIDE, actor, make_area_tree
from tests.settlement.stated import JUNE, LATER, approved, batch, claimed, sent, with_account

from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal
from yinling.settlement import arriving
from yinling.settlement.models import PayoutLine, Posting, Remittance
from yinling.settlement.operations import load_remittance, load_transfers, receive_transfer, submit_claim
from yinling.settlement.queries.arrivals import kept, unpaid
from yinling.settlement.remitting import HEADS

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 6


def at_once(calls: list[tuple[Actor, Callable[[Actor], Any]]]) -> list[str]:
    """Run calls side by side; return what came of each: done, or the code of the refusal."""

    def one(call: tuple[Actor, Callable[[Actor], Any]]) -> str:
        who, perform = call
        try:
            with scope(who):
                perform(who)
        except Refusal as refusal:
            return refusal.code
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(one, calls))


def test_of_many_batches_with_the_same_amount_one_wins() -> None:
    with scope(WIDE):
        row = approved(payer="government")
        with_account(row.provider)
        people = [actor("finance") for _ in range(MANY)]
    found = at_once([(who, lambda who: batch([f"statement:{row.pk}"], who)) for who in people])
    assert found.count("done") == 1
    assert set(found) <= {"done", "payout.line_twice", "payout.gone"}
    with scope(WIDE):
        assert PayoutLine.objects.count() == 1


def test_of_many_claims_of_one_statement_one_wins() -> None:
    with scope(WIDE):
        row = approved()
        people = [actor("finance") for _ in range(MANY)]
    found = at_once([(who, lambda who: submit_claim(actor=who, now=LATER, statement_id=row.pk)) for who in people])
    assert found == [*["claim.already"] * (MANY - 1), "done"]


def test_two_payers_files_cross_and_the_same_file_counts_once() -> None:
    with scope(WIDE):
        first = claimed()
        second = claimed(payer="commercial", body=first.provider)
        people = [actor("finance") for _ in range(MANY)]
        files = {
            row.payer: sent(*((row.code, number, "40.00", "", "") for number in (1, 2)), heads=HEADS) for row in (first, second)
        }  # fmt: skip
    payers = [("ltci", "commercial")[place % 2] for place in range(MANY)]
    found = at_once(
        [
            (
                who,
                lambda who, payer=payer: load_remittance(
                    actor=who, now=LATER, payer=payer, name="x.csv", content=files[payer]
                ),
            )
            for who, payer in zip(people, payers, strict=True)
        ]
    )
    assert set(found) <= {"done", "remittance.again", "busy"}
    with scope(WIDE):
        assert Remittance.objects.count() == 2
        assert Posting.objects.filter(kind="remittance").count() == 2


@pytest.mark.req("R-PAY-12")
def test_files_with_the_same_receipts_and_single_receipts_pay_once_and_never_wait_for_each_other_in_a_ring() -> None:
    with scope(WIDE):
        make_area_tree()
        rows = [approved(payer=payer) for payer in ("government", "donation")]
        people = [actor("finance") for _ in range(MANY)]
    lines = [("2026-06-15", f"回单{payer}", payer, "general", "50.00", "", "") for payer in ("government", "donation")]
    acts: list[Callable[[Actor], Any]] = [
        lambda who: load_transfers(actor=who, now=LATER, content=sent(*lines, heads=arriving.HEADS)),
        lambda who: load_transfers(actor=who, now=LATER, content=sent(*reversed(lines), heads=arriving.HEADS)),
        lambda who: receive_transfer(
            actor=who, now=LATER, payer="donation", fund="general", amount_fen=3000, on=JUNE, note=f"单笔{who.user_id}"
        ),
    ]
    found = at_once([(who, acts[place % 3]) for place, who in enumerate(people)])
    assert found == [*["arrival.nothing_new"] * 3, "done", "done", "done"]
    with scope(WIDE):
        who = actor("finance")
        assert {one.statement.pk: one.fen for one in unpaid(who)} == {rows[0].pk: 3000}
        assert kept(who, "donation", "general", CITY) == 5000 + 2 * 3000 - 8000
