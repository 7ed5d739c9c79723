"""Leaving messages for people: each once per key, in the wording in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import models

from yinling.accounts.models import OUTSIDE, Notice
from yinling.accounts.operations.journal import NATION
from yinling.accounts.queries import Wording, number_index, wordings
from yinling.accounts.states import NoticeState
from yinling.accounts.wording import LONGEST, check_private, filled
from yinling.ground.kept import Kept, one_of
from yinling.ground.live import tell_each


@dataclass(frozen=True)
class Recipient:
    """Whom a notice goes to and how: a login on its screens, or an address by SMS, WeChat or call.

    ``is_urgent`` is for danger to a person: it passes quiet hours, wishes and the daily cap, as do templates that are urgent.
    """

    user_id: int | None = None
    channel: str = "screen"
    address: str = ""
    is_urgent: bool = False


@dataclass(frozen=True)
class Worded:
    """A template and what fills its places. Urgency and kind are the template's."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """One notice to leave: about which row, to whom, under which key (once), and what it says, in its own words or a template's."""

    about: models.Model
    to: Recipient
    key: str
    title: str
    text: str = ""
    link: str = ""
    template: Worded | None = None


def notify(
    *, now: datetime, about: models.Model, to: Recipient, key: str, title: str, text: str = "", link: str = "",
    template: Worded | None = None,
) -> Notice:  # fmt: skip
    """Leave a notice about a row, once per key, and tell the recipient's open screens."""
    return notify_each(now=now, messages=[Message(about, to, key, title, text, link, template)])[0]


KNOWN = Kept(lambda: Notice.objects.filter(one_of("key", "keys", "text")))


def notify_each(*, now: datetime, messages: Sequence[Message]) -> list[Notice]:
    """Leave many notices, each once per key, and tell the recipients' open screens; return them in the order of the messages."""
    if not messages:
        return []
    keys = [one.key for one in messages]
    notices = {row.key: row for row in KNOWN(keys=keys)}
    new = {one.key: one for one in messages if one.key not in notices}
    asked = {(one.template.code, _div(one)) for one in new.values() if one.template is not None}
    worded = wordings(asked, now) if asked else {}
    fresh = {key: _notice(now, one, worded) for key, one in new.items()}
    if fresh:
        Notice.objects.bulk_create(fresh.values())
        own = [(row.pk, row.div, row.user_id) for row in fresh.values() if row.user_id is not None]
        tell_each("notices", own)
    known = notices | fresh
    return [known[key] for key in keys]


def _div(message: Message) -> str:
    return str(getattr(message.about, "div", NATION))


def _notice(now: datetime, message: Message, worded: Mapping[tuple[str, str], Wording]) -> Notice:
    about, to, template = message.about, message.to, message.template
    wording = worded[template.code, _div(message)] if template is not None else Wording()
    text = filled(wording.text, template.values) if template is not None else message.text
    is_outside = to.channel in OUTSIDE
    if is_outside:
        check_private(text)
    notice = Notice(
        div=_div(message),
        elder_id=about.pk if about._meta.model_name == "elder" else getattr(about, "elder_id", None),  # noqa: SLF001
        provider_id=getattr(about, "provider_id", None),
        user_id=to.user_id,
        channel=to.channel,
        key=message.key,
        kind="emergency" if to.is_urgent and template is None else wording.kind,
        template=template.code if template is not None else "",
        template_version=wording.number,
        is_urgent=wording.is_urgent or to.is_urgent,
        title=message.title,
        text=text[:LONGEST],
        link=message.link,
        created_at=now,
        state=NoticeState.WAITING if is_outside else None,
        next_at=now if is_outside else None,
        sent_at=None if is_outside else now,
        address_index=number_index(to.address) if to.address else None,
    )
    notice.seal_field("address", to.address)
    return notice
