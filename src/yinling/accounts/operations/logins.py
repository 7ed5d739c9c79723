"""One's own login: its preferences, its notices, and the lock after wrong passwords."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.db import connection

from yinling.accounts.models import Notice, SignInFailure, User
from yinling.accounts.operations.journal import NATION, record
from yinling.accounts.rules import FAILURE_WINDOW, locked_until
from yinling.ground.live import tell
from yinling.ground.operation import changed, note_checked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Input
from yinling.kernel.refusals import Denied
from yinling.kernel.words import N_

LANGUAGES = (("zh-hans", N_("中文")), ("en", N_("英文 English")))
Language = Annotated[str, Input(N_("语言"), choices=LANGUAGES, widget="radio")]
LargeType = Annotated[bool, Input(N_("大字"), widget="check", help=N_("所有页面用更大的字"))]


def _require_own(actor: Actor, right: str) -> int:
    """Check a right over one's own login, which has no area; return the user's number."""
    note_checked(right)
    if actor.user_id is None or not actor.has(right):
        raise Denied("right.missing", N_("您还没有角色，请联系安全管理员授权"), right=right)
    return actor.user_id


def require_area(actor: Actor, right: str, div: str) -> None:
    """Check a right over a row of an area, in this context that knows no roles."""
    note_checked(right)
    if not actor.has(right):
        raise Denied("right.missing", N_("您当前的角色不能这样做，请联系管理员"), right=right)
    if not actor.covers(div):
        raise Denied("right.outside", N_("这条记录不在您的管辖范围内，请联系所属地区的工作人员"), right=right)


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
