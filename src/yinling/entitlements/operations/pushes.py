"""Telling the elder side how an application goes on: on the screens of its logins, and by SMS."""

from __future__ import annotations

from datetime import datetime

from yinling.accounts.operations import Recipient, Worded, notify
from yinling.ground.models import in_force
from yinling.kernel.period import local_date
from yinling.people.models import Elder, Representative

LONGEST = 500


def tell_elder_side(*, now: datetime, elder: Elder, key: str, title: str, text: str) -> None:
    """Leave one message for each login that stands for the elder and one by SMS; a repeated key sends nothing again."""
    who = Representative.objects.filter(in_force(local_date(now)), elder_id=elder.pk)
    for user_id in sorted(set(who.values_list("user_id", flat=True))):
        notify(
            now=now, about=elder, to=Recipient(user_id=user_id), key=f"{key}:user:{user_id}", title=title, text=text[:LONGEST],
            link="/e/applications/",
        )  # fmt: skip
    if number := elder.unseal_field("phone"):
        notify(
            now=now,
            about=elder,
            to=Recipient(channel="sms", address=number),
            key=f"{key}:sms",
            title=title,
            template=Worded("application", {"text": text}),
        )
