"""Reading the journal as a whole: through the role of supervision, which sees every row and may write none."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import Count, F, Q, QuerySet
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from yinling.accounts.models import OUTSIDE, Journal, JournalSeal, MessageTemplate, Notice, OptOut
from yinling.accounts.rules import Case, bare_number, digest_of, quiet_until, seal_of
from yinling.accounts.states import NoticeState
from yinling.ground.crypto import blind_index
from yinling.ground.parameters import parameter, parameters
from yinling.kernel.actor import Actor
from yinling.kernel.period import day_bounds, local_date

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


NUMBER = re.compile(r"[\d\s+()-]+", re.ASCII)
"""A telephone number as people write it; other addresses are compared as they are."""
TEMPLATE = "message.template."
"""Begins the keys of the wordings."""


@dataclass(frozen=True)
class Wording:
    """A wording in force: its text and number (0: the product's or the profile's own), kind, urgency, and places with a sample each."""

    text: str = ""
    number: int = 0
    kind: str = "other"
    is_urgent: bool = False
    places: Mapping[str, str] = field(default_factory=dict)


def template_codes() -> list[str]:
    """Every code of a wording."""
    return [key.removeprefix(TEMPLATE) for key in parameters().keys() if key.startswith(TEMPLATE)]  # noqa: SIM118 - not a dict


def wordings(asked: Collection[tuple[str, str]], now: datetime) -> dict[tuple[str, str], Wording]:
    """Return the wording in force of each (code, division): the nearest area's own, else the parameter's."""
    rows = MessageTemplate.objects.filter(code__in={code for code, _div in asked}, to_at=None)
    written = {(row.code, row.area): row for row in rows}
    return {(code, div): _wording(code, div, now, written) for code, div in asked}


def _wording(code: str, div: str, now: datetime, written: Mapping[tuple[str, str], MessageTemplate]) -> Wording:
    value = parameter(TEMPLATE + code, div, local_date(now))
    areas = [div[:size] for size in (12, 9, 6, 4, 2) if size <= len(div)]
    own = next((written[code, area] for area in (*areas, "") if (code, area) in written), None)
    return Wording(
        own.text if own else value["text"], own.number if own else 0, value["kind"], value["is_urgent"], value["places"]
    )


def number_index(number: str) -> bytes:
    """Return the fingerprint by which what went to a number is found, however the number was written."""
    return blind_index(bare_number(number) if NUMBER.fullmatch(number) else number, purpose="message")


def waiting_messages(actor: Actor, channel: str, now: datetime) -> QuerySet[Notice]:
    """What is due on a channel in an area, urgent ones first."""
    rows = Notice.objects.filter(channel=channel, state=NoticeState.WAITING, next_at__lte=now).within(actor.div or "")
    return rows.order_by(F("is_urgent").desc(), "next_at", "id")


def open_in(notice: Notice) -> QuerySet[OptOut]:
    """The wishes in force against a message: of its number, or of the elder it is about."""
    whose = Q(pk__in=[])
    if notice.address_index is not None:
        whose |= Q(address_index=notice.address_index)
    if notice.elder_id is not None:
        whose |= Q(elder_id=notice.elder_id)
    return OptOut.objects.filter(whose, to_at=None, kind__in=["", notice.kind])


def case_of(notice: Notice, now: datetime) -> Case:
    """Return what is known of a message whose turn has come. Sent again by hand it is neither old nor a double."""
    day = local_date(now)
    quiet = quiet_until(
        now, parameter("message.quiet_from", notice.div, day), parameter("message.quiet_to", notice.div, day)
    )
    is_fresh = notice.round > 0
    if notice.is_urgent:
        return Case(timedelta(0) if is_fresh else now - notice.created_at, True, False, False, 0, None)  # noqa: FBT003 - a row of facts
    double_from = now - timedelta(minutes=parameter("message.double_minutes", notice.div, day))
    today_from = day_bounds(day)[0]
    same = Notice.objects.filter(address_index=notice.address_index, channel=notice.channel).exclude(pk=notice.pk)
    found = same.filter(sent_at__gte=min(double_from, today_from)).aggregate(
        double=Count("pk", filter=Q(text=notice.text, sent_at__gt=double_from)),
        today=Count("pk", filter=Q(sent_at__gte=today_from, is_urgent=False)),
    )
    return Case(
        age=timedelta(0) if is_fresh else now - notice.created_at,
        is_urgent=False,
        is_opted_out=open_in(notice).exists(),
        is_double=not is_fresh and found["double"] > 0,
        sent_today=0 if is_fresh else found["today"],
        quiet_until=quiet,
    )


def sent_messages(actor: Actor) -> QuerySet[Notice]:
    """What left the house, or is to, in the actor's area, newest first."""
    return Notice.objects.visible_to(actor).filter(channel__in=OUTSIDE).order_by("-id")
