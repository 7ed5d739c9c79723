"""Writing the journal and notices, and the preferences of one's own login."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models

from yinling.accounts.models import Journal, Notice
from yinling.ground.live import tell
from yinling.ground.operation import is_private, note_recorded, plain
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal

NATION = "00"


def digest_of(row: Journal) -> bytes:
    """Return the fingerprint of a journal row's content."""
    parts = [
        row.business_at.isoformat(), row.user_id, row.role, row.event, row.subject_type, row.subject_id, row.div, row.provider_id,
        row.elder_id, row.changes, row.reason, row.is_refused, row.code,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str).encode()).digest()


def record(
    *, actor: Actor, now: datetime, event: str, subject: models.Model, changes: dict[str, Any] | None = None, reason: str = "",
    div: str = "", staff_id: int | None = None,
) -> Journal:  # fmt: skip
    """Write the journal row of an operation. Division, provider and elder are taken from the subject."""
    shown = {name: ["*", "*"] if is_private(name) else value for name, value in (changes or {}).items()}
    own = subject.pk if subject._meta.model_name == "elder" else getattr(subject, "elder_id", None)  # noqa: SLF001
    row = Journal(
        business_at=now, user_id=actor.user_id, user_name=actor.name, role=actor.role, event=event,
        subject_type=str(subject._meta.model_name), subject_id=subject.pk,  # noqa: SLF001
        div=div or getattr(subject, "div", "") or actor.div or NATION, provider_id=getattr(subject, "provider_id", None),
        elder_id=own, staff_id=staff_id or getattr(subject, "staff_id", None), changes=shown, reason=reason,
        request_id=actor.request_id,
    )  # fmt: skip
    row.digest = digest_of(row)
    row.save(force_insert=True)
    note_recorded()
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


@dataclass(frozen=True)
class Recipient:
    """Whom a notice goes to and how: a login on its screens, or an address by SMS or call."""

    user_id: int | None = None
    channel: str = "screen"
    address: str = ""


def notify(
    *, now: datetime, about: models.Model, to: Recipient, key: str, title: str, text: str, link: str = ""
) -> Notice:
    """Leave a notice about a row, once per key, and tell the recipient's open screens."""
    notice = Notice.objects.filter(key=key).first()
    if notice is not None:
        return notice
    notice = Notice(
        div=getattr(about, "div", NATION),
        elder_id=about.pk if about._meta.model_name == "elder" else getattr(about, "elder_id", None),  # noqa: SLF001
        provider_id=getattr(about, "provider_id", None),
        user_id=to.user_id,
        channel=to.channel,
        key=key,
        title=title,
        text=text,
        link=link,
        created_at=now,
        sent_at=now if to.channel == "screen" else None,
    )
    notice.seal_field("address", to.address)
    notice.save(force_insert=True)
    if to.user_id is not None:
        tell("notices", pk=notice.pk, div=notice.div, user_id=to.user_id)
    return notice
