"""Reading the journal as a whole: through the role of supervision, which sees every row and may write none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import QuerySet
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from yinling.accounts.models import Journal, JournalSeal
from yinling.accounts.rules import digest_of, seal_of
from yinling.kernel.actor import Actor

FIRST = b"\0" * 32
"""What the first block is chained to."""
HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xid"
_COLUMNS = (
    "id, business_at, user_id, user_name, role, event, subject_type, subject_id, div, provider_id, elder_id, staff_id, changes, reason, "
    "request_id, is_refused, code, xid, digest"
)
_BATCH = 5_000


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the journal: ``row`` (its content differs from its fingerprint) or ``block`` (its seal does not hold)."""

    kind: str
    id: int


@contextmanager
def audit_connection() -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A connection of its own as the audit role, on the database this process serves."""
    if not settings.DATABASE_AUDIT_URL:
        raise ImproperlyConfigured(
            "Set DATABASE_AUDIT_URL to the role that reads for supervision (./run makes it: yl_audit)."
        )
    address = make_conninfo(settings.DATABASE_AUDIT_URL, dbname=connection.settings_dict["NAME"])
    with psycopg.connect(address, row_factory=dict_row, application_name="yinling-audit") as opened:
        yield opened


def horizon(audit: psycopg.Connection[dict[str, Any]]) -> int:
    """The transaction before which every one is finished: rows of earlier ones are all there."""
    row = audit.execute(HORIZON).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM answers with one row
    return int(row["xid"])


def digests_between(audit: psycopg.Connection[dict[str, Any]], from_xid: int, to_xid: int) -> list[bytes]:
    """Fingerprints of the rows of a block, in the order of their numbers."""
    rows = audit.execute(
        "SELECT digest FROM accounts_journal WHERE xid >= %s AND xid < %s ORDER BY id", [from_xid, to_xid]
    )
    return [bytes(row["digest"]) for row in rows]


def last_seal() -> JournalSeal | None:
    """The newest block."""
    return JournalSeal.objects.order_by("-to_xid").first()


def verify_journal() -> list[Fault]:
    """Return everything wrong with the journal: rows unlike their fingerprint, blocks unlike their rows, gaps in the chain."""
    with audit_connection() as audit, audit.transaction():
        return [*_wrong_rows(audit), *_wrong_blocks(audit)]


def _wrong_rows(audit: psycopg.Connection[dict[str, Any]]) -> list[Fault]:
    found = []
    with audit.cursor(name="journal") as cursor:
        cursor.itersize = _BATCH
        cursor.execute(f"SELECT {_COLUMNS} FROM accounts_journal ORDER BY id")  # noqa: S608 - a constant
        for row in cursor:
            digest = bytes(row.pop("digest"))
            if digest_of(Journal(**row)) != digest:
                found.append(Fault("row", row["id"]))
    return found


def _wrong_blocks(audit: psycopg.Connection[dict[str, Any]]) -> list[Fault]:
    found = []
    previous, reached = FIRST, 0
    blocks = audit.execute("SELECT * FROM accounts_journalseal ORDER BY to_xid").fetchall()
    for block in blocks:
        digests = digests_between(audit, block["from_xid"], block["to_xid"])
        seal = seal_of(previous, block["from_xid"], block["to_xid"], digests)
        is_chained = block["from_xid"] == reached and bytes(block["previous"]) == previous
        if not is_chained or seal != bytes(block["seal"]) or len(digests) != block["row_count"]:
            found.append(Fault("block", block["id"]))
        previous, reached = bytes(block["seal"]), block["to_xid"]
    return found


def journal(actor: Actor) -> QuerySet[Journal]:
    """Journal rows the actor may see, newest first."""
    return Journal.objects.visible_to(actor).order_by("-id")
