"""What must never be false is asked of every row, and what breaks it is named."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo
from tests.factories import (
    NOW,
    WIDE,
    fund_order,
    make_assignment,
    make_call,
    make_entitlement,
    make_finding,
    make_hold,
    make_order,
    make_staff,
    make_visit,
    system,
)

from yinling.cli.invariants import QUERIES, check, report
from yinling.ground.scope import scope
from yinling.orders.models import Order
from yinling.settlement.jobs import roll_totals
from yinling.settlement.models import LedgerEntry, Posting
from yinling.settlement.operations import settle_order

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(days=3)


@pytest.fixture
def intruder() -> Iterator[psycopg.Connection[Any]]:
    """Somebody with the highest rights, for whom no trigger fires."""
    address = make_conninfo(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"], user="postgres")
    with psycopg.connect(address, autocommit=True) as opened:
        opened.execute("SET session_replication_role = replica")
        yield opened


def settled() -> Order:
    order = make_order("served")
    make_visit(make_assignment(order, make_staff(order.provider), state="done"), state="done")
    fund_order(order, make_entitlement(order.elder), 3000)
    return settle_order(actor=system(), now=LATER, order_id=order.pk)


def broken() -> dict[str, list[int]]:
    return {result.name: result.offending for result in check() if not result.holds}


def test_all_hold_for_a_loop_played_by_the_rules() -> None:
    with scope(WIDE):
        settled()
        make_call()
        make_finding(make_order("served"))
    assert broken() == {}
    assert {result.name for result in check()} >= {
        *QUERIES,
        "journal.sealed",
        "states.orders_order",
        "states.visits_visit",
    }


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "UPDATE settlement_ledgerentry SET amount = amount + 1 WHERE account = 'direct.elder'",
            {"ledger.balanced", "ledger.charges", "ledger.totals", "settlement.complete"},
        ),
        ("UPDATE settlement_ledgertotal SET amount = amount + 1 WHERE account = 'direct.elder'", {"ledger.totals"}),
        (
            "UPDATE settlement_charge SET amount_fen = amount_fen - 1 WHERE payer = 'self'",
            {"ledger.charges", "settlement.complete"},
        ),
        ("UPDATE settlement_claimedtime SET is_live = false", {"claims.minutes"}),
        (
            (
                "INSERT INTO settlement_closing (div, month, figures, proposed_by_id, proposed_at, closed_by_id, closed_at, created_at, changed_at,"
                " version) SELECT '3202', min(period), '[]', 1, min(booked_on), 2, min(booked_on), now(), now(), 0 FROM settlement_ledgerentry"
            ),
            {"ledger.closed"},
        ),
        (
            (
                "INSERT INTO settlement_transfer (div, key, kind, payer, amount_fen, business, method, note, proposed_by_id, proposed_at,"
                " booked_by_id, posting_id, created_at, changed_at, version) SELECT div, 'x', 'advance', 'ltci', 7, 'eldercare', '', '', 1, now(), 2,"
                " id, now(), now(), 0 FROM settlement_posting"
            ),
            {"transfer.booked"},
        ),
        (
            "UPDATE orders_payershare SET amount_fen = amount_fen + 1 WHERE payer = 'self'",
            {"settlement.complete", "shares.lines"},
        ),
        ("UPDATE entitlements_quota SET used = 2999", {"quota.shares"}),
        ("UPDATE orders_order SET state = 'placed'", {"visits.order"}),
        ("DELETE FROM settlement_posting", {"settlement.state", "quota.shares"}),
        ("UPDATE accounts_journal SET user_id = 999", {"journal.sealed"}),
    ],
)
def test_what_somebody_changed_behind_our_back_is_named(
    intruder: psycopg.Connection[Any], statement: str, expected: set[str]
) -> None:
    with scope(WIDE):
        settled()
    intruder.execute(statement.encode())
    assert set(broken()) == expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "UPDATE settlement_areatotal SET amount = amount + 1 WHERE per = 'month' AND account = 'direct.elder'",
            {"ledger.rolled"},
        ),
        ("DELETE FROM settlement_areatotal WHERE per = 'day'", {"ledger.rolled"}),
        ("UPDATE settlement_ledgertotal SET is_rolled = false", {"ledger.rolled"}),
        (
            "UPDATE settlement_ledgertotal SET amount = amount + 1 WHERE account = 'direct.elder'",
            {"ledger.rolled", "ledger.totals"},
        ),
    ],
)
def test_totals_of_areas_that_are_not_those_rolled_up_are_found(
    intruder: psycopg.Connection[Any], statement: str, expected: set[str]
) -> None:
    with scope(WIDE):
        settled()
        roll_totals()
    assert broken() == {}
    intruder.execute(statement.encode())
    assert set(broken()) == expected


def test_a_settlement_during_a_hold_and_a_second_one_are_found(intruder: psycopg.Connection[Any]) -> None:
    with scope(WIDE):
        order = settled()
        make_hold(order, from_at=NOW)
        posting = Posting.objects.get()
    intruder.execute(
        "INSERT INTO settlement_posting (div, key, kind, order_id, text, posted_at) VALUES ('3202', 'x', 'order', %s, '', now())",
        [order.pk],
    )
    found = broken()
    assert found["settlement.held"] == found["settlement.once"] == [order.pk]
    with scope(WIDE):
        assert LedgerEntry.objects.filter(posting=posting).count() == 4


def test_a_block_without_its_hold_is_found() -> None:
    with scope(WIDE):
        finding = make_finding(make_order("served"), rule="deceased")
    assert broken() == {"findings.holds": [finding.pk]}


def test_the_report_names_the_first_offenders(capsys: pytest.CaptureFixture[str]) -> None:
    with scope(WIDE):
        finding = make_finding(make_order("served"), rule="deceased")
    report(check(), as_json=False)
    printed = capsys.readouterr().out
    line = next(line for line in printed.splitlines() if line.startswith("✗"))
    assert line.split()[1] == "findings.holds"
    assert line.endswith(f"first ids: {finding.pk}")
    assert "✓ ledger.balanced" in printed
    report(check(), as_json=True)
    assert '"holds": false' in capsys.readouterr().out
