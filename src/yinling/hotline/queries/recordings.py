"""Reading recordings: who listened, what is due for deletion, and whether the sound is still what was stored."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from yinling.accounts.models import Journal
from yinling.ground.crypto import Unreadable
from yinling.ground.files import content_of
from yinling.hotline.models import QualitySample, Recording, Ticket
from yinling.hotline.rules import UNFINISHED
from yinling.hotline.states import SampleState
from yinling.kernel.actor import Actor

OPEN_FOR = timedelta(minutes=30)
"""How long a recording stays open to who gave a reason."""
LISTEN, ATTACH = "hotline.recording.listen", "hotline.recording.attach"
UNDECIDED = (SampleState.DRAWN, SampleState.OBJECTED)


def _held() -> Q:
    """The condition that a recording stays although its time is over: a ticket of the call is unfinished, or its quality check is."""
    tickets = Ticket.objects.filter(call=OuterRef("call"), state__in=UNFINISHED)
    samples = QualitySample.objects.filter(call=OuterRef("call"), state__in=UNDECIDED)
    return Q(Exists(tickets)) | Q(Exists(samples))


def is_held(recording: Recording) -> bool:
    """Whether something still needs this recording."""
    return Recording.objects.filter(_held(), pk=recording.pk).exists()


def due_recordings(actor: Actor, today: date, most: int) -> list[Recording]:
    """Recordings whose time is over and that nothing holds, the oldest first."""
    rows = Recording.objects.visible_to(actor).filter(deleted_at=None, keep_until__lt=today).exclude(_held())
    return list(rows.order_by("keep_until", "id")[:most])


def recordings_of(actor: Actor, call_ids: Collection[int]) -> QuerySet[Recording]:
    """Recordings of calls, in the order in which they began."""
    rows = Recording.objects.visible_to(actor).filter(call_id__in=call_ids)
    return rows.select_related("file").order_by("call_id", "started_at", "id")


def listeners(recordings: Iterable[Recording]) -> dict[int, list[Journal]]:
    """Who listened to each recording, when and why, the last first."""
    rows = Journal.objects.filter(
        subject_type="recording", subject_id__in=[row.pk for row in recordings], event=LISTEN, is_refused=False
    )
    found: dict[int, list[Journal]] = {}
    for row in rows.order_by("-id"):
        found.setdefault(row.subject_id or 0, []).append(row)
    return found


def is_open_to(actor: Actor, recording_id: int, now: datetime) -> bool:
    """Whether this person gave a reason for this recording less than half an hour ago."""
    rows = Journal.objects.filter(
        subject_type="recording", subject_id=recording_id, event=LISTEN, user_id=actor.user_id, is_refused=False
    )
    return actor.user_id is not None and rows.filter(business_at__gt=now - OPEN_FOR, business_at__lte=now).exists()


def sound_of(recording: Recording) -> bytes:
    """Return the sound; the caller has checked that it is open. Raises FileNotFoundError and crypto.Unreadable."""
    return content_of(recording.file)


def is_intact(recording: Recording) -> bool:
    """Whether the sound is there, readable, and has the hash that file and journal hold."""
    try:
        found = hashlib.sha256(sound_of(recording)).digest()
    except (OSError, Unreadable):
        return False
    stored = Journal.objects.filter(subject_type="recording", subject_id=recording.pk, event=ATTACH, is_refused=False)
    written = stored.order_by("id").values_list("changes", flat=True).first() or {}
    return found == bytes(recording.file.sha256) and written.get("sha256", [None, ""])[1] == found.hex()


def broken_recordings(actor: Actor, most: int) -> list[Recording]:
    """Return those of the newest recordings whose sound is not what was stored."""
    rows = Recording.objects.visible_to(actor).filter(deleted_at=None).select_related("file").order_by("-id")[:most]
    return [row for row in rows if not is_intact(row)]
