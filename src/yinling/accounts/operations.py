"""Writing the journal and notices, and the preferences of one's own login."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from django.db import connection, models

from yinling.accounts.models import Journal, JournalSeal, Notice, SignInFailure, User
from yinling.accounts.rules import FAILURE_WINDOW, digest_of, locked_until
from yinling.ground.live import tell, tell_each
from yinling.ground.operation import changed, is_private, note_checked, note_recorded, operation, plain
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Input
from yinling.kernel.refusals import Denied, Refusal
from yinling.kernel.words import N_

NATION = "00"


def record(
    *, actor: Actor, now: datetime, event: str, subject: models.Model, changes: dict[str, Any] | None = None, reason: str = "",
    div: str = "", staff_id: int | None = None,
) -> Journal:  # fmt: skip
    """Write the journal row of an operation. Division, provider and elder are taken from the subject."""
    row = _entry(actor, now, event, subject, changes or {}, reason, div, staff_id)
    row.save(force_insert=True)
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
    Journal.objects.bulk_create(rows, batch_size=2000)
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


@dataclass(frozen=True)
class Recipient:
    """Whom a notice goes to and how: a login on its screens, or an address by SMS or call."""

    user_id: int | None = None
    channel: str = "screen"
    address: str = ""


@dataclass(frozen=True)
class Message:
    """One notice to leave: about which row, to whom, under which key (once), and what it says."""

    about: models.Model
    to: Recipient
    key: str
    title: str
    text: str
    link: str = ""


def notify(
    *, now: datetime, about: models.Model, to: Recipient, key: str, title: str, text: str, link: str = ""
) -> Notice:
    """Leave a notice about a row, once per key, and tell the recipient's open screens."""
    return notify_each(now=now, messages=[Message(about, to, key, title, text, link)])[0]


def notify_each(*, now: datetime, messages: Sequence[Message]) -> list[Notice]:
    """Leave many notices, each once per key, and tell the recipients' open screens; return them in the order of the messages."""
    keys = [one.key for one in messages]
    notices = {row.key: row for row in Notice.objects.filter(key__in=keys)}
    fresh = {one.key: _notice(now, one) for one in messages if one.key not in notices}
    if fresh:
        Notice.objects.bulk_create(fresh.values())
        own = [(row.pk, row.div, row.user_id) for row in fresh.values() if row.user_id is not None]
        tell_each("notices", own)
    known = notices | fresh
    return [known[key] for key in keys]


def _notice(now: datetime, message: Message) -> Notice:
    about, to = message.about, message.to
    notice = Notice(
        div=getattr(about, "div", NATION),
        elder_id=about.pk if about._meta.model_name == "elder" else getattr(about, "elder_id", None),  # noqa: SLF001
        provider_id=getattr(about, "provider_id", None),
        user_id=to.user_id,
        channel=to.channel,
        key=message.key,
        title=message.title,
        text=message.text,
        link=message.link,
        created_at=now,
        sent_at=now if to.channel == "screen" else None,
    )
    notice.seal_field("address", to.address)
    return notice


def mark_sent(notice: Notice, *, now: datetime) -> None:
    """Note that a locked message went out."""
    notice.sent_at = now
    notice.save(update_fields=["sent_at"])


def write_seal(*, span: tuple[int, int], row_count: int, previous: bytes, seal: bytes, at: datetime) -> JournalSeal:
    """Add a block to the chain over the journal. Two sealers at once: the second is refused by the unique bounds."""
    return JournalSeal.objects.create(
        from_xid=span[0], to_xid=span[1], row_count=row_count, previous=previous, seal=seal, sealed_at=at
    )


LANGUAGES = (("zh-hans", N_("中文")), ("en", N_("英文 English")))
Language = Annotated[str, Input(N_("语言"), choices=LANGUAGES, widget="radio")]
LargeType = Annotated[bool, Input(N_("大字"), widget="check", help=N_("所有页面用更大的字"))]


def _require_own(actor: Actor, right: str) -> int:
    """Check a right over one's own login, which has no area; return the user's number."""
    note_checked(right)
    if actor.user_id is None or not actor.has(right):
        raise Denied("right.missing", N_("您还没有角色，请联系安全管理员授权"), right=right)
    return actor.user_id


@operation("accounts.user.adjust", label=N_("保存设置"))
def adjust_own_login(*, actor: Actor, now: datetime, language: Language, large_type: LargeType = False) -> User:
    """Set the language and the size of type of one's own login."""
    user = User.objects.select_for_update().get(pk=_require_own(actor, "accounts.user.adjust"))
    changes = changed(user, now=now, language=language, large_type=large_type)
    record(actor=actor, now=now, event="accounts.user.adjust", subject=user, changes=changes)
    return user


@operation("accounts.notice.read", label=N_("全部标为已读"))
def read_notices(*, actor: Actor, now: datetime) -> User:
    """Mark one's own notices as read."""
    user_id = _require_own(actor, "accounts.notice.read")
    user = User.objects.get(pk=user_id)
    count = Notice.objects.filter(user_id=user_id, read_at=None).update(read_at=now)
    record(actor=actor, now=now, event="accounts.notice.read", subject=user, changes={"count": count})
    tell("notices", pk=user_id, div=actor.div or NATION, user_id=user_id)
    return user


def sign_in_lock(key: bytes, *, at: datetime) -> datetime | None:
    """Return until when a pair of name and address is locked. Attempts of one pair wait for each other until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(key[:8], "big", signed=True)])
    SignInFailure.objects.filter(key=key, at__lt=at - FAILURE_WINDOW).delete()
    return locked_until(list(SignInFailure.objects.filter(key=key).values_list("at", flat=True)), at)


def fail_sign_in(key: bytes, *, at: datetime) -> None:
    """Count a wrong password or code."""
    SignInFailure.objects.create(key=key, at=at)


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
