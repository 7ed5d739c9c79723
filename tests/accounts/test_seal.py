"""The journal is sealed in blocks, and every later change shows."""

import time
from collections.abc import Iterator
from datetime import timedelta, timezone

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo
from tests.factories import NOW, WIDE, make_elder, system

from yinling.accounts.jobs import seal_journal
from yinling.accounts.models import Journal, JournalSeal
from yinling.accounts.operations import record
from yinling.accounts.queries import Fault, verify_journal
from yinling.ground.scope import scope

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def intruder() -> Iterator[psycopg.Connection]:
    """Somebody with the highest rights, for whom no trigger fires."""
    address = make_conninfo(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"], user="postgres")
    with psycopg.connect(address, autocommit=True) as opened:
        opened.execute("SET session_replication_role = replica")
        yield opened


def write(count: int) -> list[Journal]:
    with scope(WIDE):
        elder = make_elder()
        shanghai = NOW.astimezone(timezone(timedelta(hours=8)))
        changes = {
            "name": ["王", "李"],
            "share": [0.5, None],
            "minutes": [1, 2],
            "odd": [1e19, -0.0, 2.0, 1e-300, True],
        }
        return [
            record(
                actor=system(), now=shanghai, event="people.elder.update", subject=elder, changes=changes, reason="更正"
            )
            for _ in range(count)
        ]


def sealed(rows: int) -> int:
    """Seal until so many rows are in blocks: transactions of other databases of this server hold the horizon for a while."""
    count, deadline = 0, time.monotonic() + 300
    while count < rows and time.monotonic() < deadline:
        count += seal_journal()
        time.sleep(0.02)
    return count


def test_an_untouched_journal_verifies_over_several_blocks() -> None:
    assert (seal_journal(), JournalSeal.objects.count()) == (0, 0)
    write(2)
    assert sealed(2) == 2
    write(1)
    assert sealed(1) == 1
    first, second = JournalSeal.objects.order_by("to_xid")
    assert (first.row_count, second.row_count) == (2, 1)
    assert second.from_xid == first.to_xid
    assert bytes(second.previous) == bytes(first.seal)
    assert verify_journal() == []


CHANGES = [
    "reason = '另写'", "user_name = '别人'", "user_id = 99", "role = 'seat'", "staff_id = 7", "elder_id = 7", "provider_id = 7", "code = 'x'",
    "request_id = 'other'", "changes = '{}'", "subject_id = 99", "business_at = now()", "is_refused = true", "event = 'a.b.c'", "div = '31'",
]  # fmt: skip


def test_a_changed_row_differs_from_its_fingerprint_whichever_column_was_changed(intruder: psycopg.Connection) -> None:
    rows = write(len(CHANGES))
    assert sealed(len(CHANGES)) == len(CHANGES)
    for row, change in zip(rows, CHANGES, strict=True):
        intruder.execute(f"UPDATE accounts_journal SET {change} WHERE id = %s", [row.pk])  # noqa: S608 - constants
    assert verify_journal() == [Fault("row", row.pk) for row in rows]


def test_a_deleted_row_breaks_its_block_only(intruder: psycopg.Connection) -> None:
    row, _ = write(2)
    assert sealed(2) == 2
    write(1)
    assert sealed(1) == 1
    intruder.execute("DELETE FROM accounts_journal WHERE id = %s", [row.pk])
    assert verify_journal() == [Fault("block", JournalSeal.objects.earliest("to_xid").pk)]


def test_a_row_slipped_in_later_breaks_the_block(intruder: psycopg.Connection) -> None:
    (row,) = write(1)
    assert sealed(1) == 1
    columns = "div, at, business_at, user_id, user_name, role, event, subject_type, subject_id, changes, reason, request_id, is_refused, code"
    intruder.execute(
        f"INSERT INTO accounts_journal ({columns}, xid, digest) SELECT {columns}, xid, digest FROM accounts_journal WHERE id = %s",  # noqa: S608
        [row.pk],
    )
    assert Fault("block", JournalSeal.objects.get().pk) in verify_journal()


def test_a_block_taken_out_of_the_chain_shows(intruder: psycopg.Connection) -> None:
    for _ in range(3):
        write(1)
        assert sealed(1) == 1
    _, second, third = JournalSeal.objects.order_by("to_xid")
    intruder.execute("DELETE FROM accounts_journalseal WHERE id = %s", [second.pk])
    assert verify_journal() == [Fault("block", third.pk)]


def test_a_transaction_still_running_is_sealed_later() -> None:
    write(1)
    assert sealed(1) == 1
    address = make_conninfo(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"])
    with psycopg.connect(address) as other:
        other.execute("SELECT pg_current_xact_id()")
        write(1)
        assert seal_journal() == 0
        other.commit()
    assert sealed(1) == 1
    assert verify_journal() == []


def test_a_restored_database_says_why_nothing_is_sealed(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    JournalSeal.objects.create(
        from_xid=0, to_xid=10**12, row_count=0, previous=b"0" * 32, seal=b"1" * 32, sealed_at=NOW
    )
    write(1)
    monkeypatch.setattr("yinling.accounts.jobs.logger.propagate", True)
    assert seal_journal() == 0
    assert "went back" in caplog.text
