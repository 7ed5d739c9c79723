"""Writing who may do what: logins, grants, tokens."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from typing import Annotated

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import F

from yinling.accounts.models import User
from yinling.accounts.operations import record
from yinling.directory import inputs as ask
from yinling.directory.models import (
    ApiToken,
    Grant,
    Organisation,
)
from yinling.directory.operations.bodies import require_area
from yinling.directory.roles import ROLES
from yinling.directory.rules import (
    check_new_grant,
    require,
    required_text,
    token_hash,
)
from yinling.directory.states import GRANT, GrantState
from yinling.ground.clock import real_now
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import ONE_DAY, local_date, local_midnight
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.kernel.words import N_

explain_constraint("grant_no_overlap", "grant.overlap", N_("此人已有同样的授权"))
explain_constraint("grant_two_persons", "grant.two_persons", N_("提出和复核须是两个人，请由另一位安全管理员复核"))
explain_constraint("accounts_user_username_key", "user.exists", N_("这个登录名已有人使用，请换一个"))

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{2,59}")
MOST_TOKEN_DAYS = 366


@operation("directory.user.register", label=N_("开设账号"))
def register_user(
    *, actor: Actor, now: datetime, username: ask.Username, name: ask.PersonName, password: ask.Password
) -> User:  # fmt: skip
    """Open a login. It can do nothing until a grant is proposed and confirmed."""
    require(actor, "directory.user.register")
    login = username.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise Refused(
            "user.username", N_("登录名须为3至60位小写字母、数字、点或横线，以字母或数字开头"), field="username"
        )
    if User.objects.filter(username=login).exists():
        raise Refused("user.exists", N_("这个登录名已有人使用，请换一个"), field="username")
    user = User(username=login, name=required_text(name, "name", most=40))
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("user.password", N_("密码太简单：至少10位，不能是常见密码或纯数字"), field="password") from error
    user.set_password(password)
    user.save(force_insert=True)
    record(actor=actor, now=now, event="directory.user.register", subject=user, changes={"username": [None, login]})
    return user


def _anchor(role: str, div: str, organisation_id: int | None) -> tuple[str, Organisation | None]:
    """Return the area or the organisation of a grant; the other is left out, because it would widen what the role sees."""
    anchor = ROLES[role].anchor if role in ROLES else "area"
    if anchor == "area" and div:
        require_area(div)
    body = (
        Organisation.objects.filter(pk=organisation_id).first()
        if anchor == "organisation" and organisation_id
        else None
    )
    if anchor == "organisation" and organisation_id and body is None:
        raise Refused("organisation.unknown", N_("没有这个机构，请从列表中选择"), field="organisation_id")
    return (div if anchor == "area" else ""), body


def _held_roles(user_id: int) -> frozenset[str]:
    """Return the roles a login has or is proposed for; the login is locked, so that two grants at once see each other."""
    if User.objects.select_for_update().filter(pk=user_id, is_active=True, is_system=False).first() is None:
        raise Refused("user.unknown", N_("没有这个账号，请核对账号编号"), field="user_id")
    return frozenset(
        Grant.objects.filter(user_id=user_id).exclude(state=GrantState.ENDED).values_list("role", flat=True)
    )


@operation("directory.grant.propose", label=N_("提出授权"))
def propose_grant(
    *, actor: Actor, now: datetime, user_id: ask.UserId, role: ask.RoleCode, div: ask.OptionalDiv = "", organisation_id: ask.OptionalBody = None,
    reason: Reason, to_on: ask.LastDay = None,
) -> Grant:  # fmt: skip
    """Propose that a login acts in a role; another administrator confirms. The three administrators exclude each other (X-DJ-03)."""
    place, body = _anchor(role, div, organisation_id)
    require(actor, "directory.grant.propose", div=place or (body.div if body else None))
    held = _held_roles(user_id)
    check_new_grant(
        role=role,
        held=held,
        proposer_id=actor.user_id or 0,
        user_id=user_id,
        has_area=bool(place),
        has_organisation=body is not None,
    )
    if to_on is not None and to_on < local_date(now):
        raise Refused("grant.ends_before", N_("截止日期早于今天，请核对"), field="to_on")
    grant = Grant.objects.create(
        user_id=user_id, role=role, div=place, organisation=body, reason=required_text(reason, "reason", most=500), from_at=now,
        to_at=local_midnight(to_on + ONE_DAY) if to_on else None, proposed_by_id=actor.user_id or 0, created_at=now, changed_at=now,
    )  # fmt: skip
    changes = {"user": [None, user_id], "role": [None, role], "div": [None, place]}
    record(actor=actor, now=now, event="directory.grant.propose", subject=grant, changes=changes, reason=reason)
    return grant


@operation("directory.grant.confirm", label=N_("复核通过"))
def confirm_grant(*, actor: Actor, now: datetime, grant_id: Id, seen: Seen = None) -> Grant:
    """Make a proposed grant active: by another person than the one who proposed it or who gets it."""
    grant = locked(Grant.objects.all(), grant_id, seen)
    require(actor, "directory.grant.confirm", div=grant.div or None)
    target = GRANT.target("confirm", GrantState(grant.state))
    if actor.user_id == grant.proposed_by_id:
        raise Refused("grant.two_persons", N_("提出和复核须是两个人，请由另一位安全管理员复核"))
    others = _held_roles(grant.user_id)
    check_new_grant(
        role=grant.role, held=others, proposer_id=actor.user_id or 0, user_id=grant.user_id, has_area=bool(grant.div),
        has_organisation=grant.organisation_id is not None,
    )  # fmt: skip
    changes = changed(grant, now=now, state=target, confirmed_by_id=actor.user_id, from_at=now)
    User.objects.filter(pk=grant.user_id).update(rights_version=F("rights_version") + 1)
    record(actor=actor, now=now, event="directory.grant.confirm", subject=grant, changes=changes)
    return grant


@operation("directory.grant.end", label=N_("终止授权"))
def end_grant(*, actor: Actor, now: datetime, grant_id: Id, reason: Reason, seen: Seen = None) -> Grant:
    """End a grant at once, or drop a proposal. Tokens that act in it stop with it."""
    grant = locked(Grant.objects.all(), grant_id, seen)
    require(actor, "directory.grant.end", div=grant.div or None)
    target = GRANT.target("end", GrantState(grant.state))
    why = required_text(reason, "reason", most=500)
    changes = changed(grant, now=now, state=target, ended_by_id=actor.user_id, to_at=max(now, grant.from_at))
    User.objects.filter(pk=grant.user_id).update(rights_version=F("rights_version") + 1)
    record(actor=actor, now=now, event="directory.grant.end", subject=grant, changes=changes, reason=why)
    return grant


def new_token(*, user_id: int, grant_id: int, name: str, days: int, elder_ids: tuple[int, ...] = ()) -> ApiToken:
    """Make a token that acts in a grant; its attribute ``plain`` is shown once and never kept. Its life is counted in real time."""
    plain, made = f"yl_{secrets.token_urlsafe(32)}", real_now()
    row = ApiToken(
        user_id=user_id, grant_id=grant_id, name=name, token_hash=token_hash(plain), elder_ids=list(elder_ids), created_at=made,
        expires_at=made + timedelta(days=days),
    )  # fmt: skip
    row.plain = plain
    row.save(force_insert=True)
    return row


@operation("directory.token.issue", label=N_("签发令牌"))
def issue_token(
    *, actor: Actor, now: datetime, name: Annotated[str, Input(N_("用途"), max_length=60)],
    days: Annotated[int, Input(N_("有效天数"), least=1, most=366, widget="number")],
) -> ApiToken:  # fmt: skip
    """Issue a token that acts as oneself in the present grant. The text is shown once; only its hash is kept."""
    require(actor, "directory.token.issue")
    if actor.user_id is None or actor.grant_id is None:
        raise Refused("token.no_grant", N_("请先以一项授权登录，再签发令牌"))
    if not 1 <= days <= MOST_TOKEN_DAYS:
        raise Refused("token.days", N_("有效天数应在1到366之间"), field="days")
    row = new_token(
        user_id=actor.user_id,
        grant_id=actor.grant_id,
        name=required_text(name, "name", most=60),
        days=days,
        elder_ids=actor.elder_ids,
    )
    record(
        actor=actor,
        now=now,
        event="directory.token.issue",
        subject=row,
        changes={"name": [None, row.name], "days": [None, days]},
    )
    return row


@operation("directory.token.end", label=N_("停用令牌"))
def end_token(*, actor: Actor, now: datetime, token_id: Id) -> ApiToken:
    """Stop a token at once: one's own, or anybody's for who may end grants."""
    row = locked(ApiToken.objects.all(), token_id)
    require(actor, "directory.token.end")
    if row.user_id != actor.user_id and not actor.has("directory.grant.end"):
        raise Denied("right.outside", N_("只能停用自己的令牌"))
    if row.ended_at is not None:
        raise NotAllowed("token.ended", N_("这个令牌已经停用"))
    changed(row, now=now, ended_at=real_now())
    record(actor=actor, now=now, event="directory.token.end", subject=row, changes={"is_ended": [False, True]})
    return row
