"""Writing the journal: what was done, what was refused, log-ins, and the seals over all of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models

from yinling.accounts.models import Journal, JournalSeal
from yinling.accounts.rules import digest_of
from yinling.ground.kept import Entry
from yinling.ground.operation import is_private, note_recorded, plain
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal

NATION = "00"
ENTRY = Entry(Journal)


def record(
    *, actor: Actor, now: datetime, event: str, subject: models.Model, changes: dict[str, Any] | None = None, reason: str = "",
    div: str = "", staff_id: int | None = None,
) -> Journal:  # fmt: skip
    """Write the journal row of an operation. Division, provider and elder are taken from the subject."""
    row = _entry(actor, now, event, subject, changes or {}, reason, div, staff_id)
    ENTRY([row])
    note_recorded()
    return row


def record_each(
    *,
    actor: Actor,
    now: datetime,
    event: str,
    subjects: Iterable[tuple[models.Model, dict[str, Any]]],
    reason: str = "",
) -> int:
    """Write a journal row for each of many subjects, in one statement; return how many. One act touched them all."""
    rows = [_entry(actor, now, event, subject, changes, reason) for subject, changes in subjects]
    ENTRY(rows)
    note_recorded()
    return len(rows)


def _entry(
    actor: Actor, now: datetime, event: str, subject: models.Model, changes: dict[str, Any], reason: str, div: str = "",
    staff_id: int | None = None,
) -> Journal:  # fmt: skip
    shown = {name: ["*", "*"] if is_private(name) else value for name, value in changes.items()}
    own = subject.pk if subject._meta.model_name == "elder" else getattr(subject, "elder_id", None)  # noqa: SLF001
    row = Journal(
        business_at=now, user_id=actor.user_id, user_name=actor.name, role=actor.role, event=event,
        subject_type=str(subject._meta.model_name), subject_id=subject.pk,  # noqa: SLF001
        div=div or getattr(subject, "div", "") or actor.div or NATION, provider_id=getattr(subject, "provider_id", None),
        elder_id=own, staff_id=staff_id or getattr(subject, "staff_id", None), changes=shown, reason=reason,
        request_id=actor.request_id,
    )  # fmt: skip
    row.digest = digest_of(row)
    return row


def write_refusal(*, right: str, refusal: Refusal, arguments: dict[str, Any]) -> None:
    """Write the one journal row that a refused operation leaves. No personal data: ids, dates and numbers only."""
    actor: Actor = arguments["actor"]
    kept = (int, float, bool)
    values = {name: plain(value) for name, value in refusal.values.items()}
    asked = {name: value for name, value in arguments.items() if isinstance(value, kept)}
    noun = right.split(".")[1]
    row = Journal(
        business_at=arguments["now"], user_id=actor.user_id, user_name=actor.name, role=actor.role, event=right,
        subject_type=noun, subject_id=asked.get(f"{noun}_id"), div=actor.div or NATION, provider_id=actor.organisation_id,
        elder_id=asked.get("elder_id"), changes={"asked": asked, "why": values}, is_refused=True, code=refusal.code,
        request_id=actor.request_id,
    )  # fmt: skip
    row.digest = digest_of(row)
    row.save(force_insert=True)


def journal_session(
    *, actor: Actor, now: datetime, act: str, user_id: int | None, address: str, code: str = ""
) -> None:
    """Write the journal row of a log-in (``open``), a wrong password or code (``fail``), a lock-out (``lock``) or a log-out (``close``)."""
    row = Journal(
        business_at=now,
        user_id=actor.user_id,
        user_name=actor.name,
        role=actor.role,
        event=f"accounts.session.{act}",
        subject_type="user",
        subject_id=user_id,
        div=actor.div or NATION,
        changes={"address": address},
        is_refused=bool(code),
        code=code,
        request_id=actor.request_id,
    )
    row.digest = digest_of(row)
    row.save(force_insert=True)


def write_seal(*, span: tuple[int, int], row_count: int, previous: bytes, seal: bytes, at: datetime) -> JournalSeal:
    """Add a block to the chain over the journal. Two sealers at once: the second is refused by the unique bounds."""
    return JournalSeal.objects.create(
        from_xid=span[0], to_xid=span[1], row_count=row_count, previous=previous, seal=seal, sealed_at=at
    )
