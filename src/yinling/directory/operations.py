"""Writing the map: logins and grants, tokens, organisations and their people, responsibility, calendar and clock."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from typing import Annotated

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import F

from yinling.accounts.models import User
from yinling.accounts.operations import record
from yinling.directory import inputs as ask
from yinling.directory.models import (
    ApiToken,
    Area,
    Grant,
    Organisation,
    Qualification,
    ServiceArea,
    Site,
    Staff,
    Suspension,
)
from yinling.directory.roles import ROLES
from yinling.directory.rules import (
    at_field,
    calendar_rows,
    check_new_grant,
    clock_time,
    known_choice,
    period_of,
    position_of,
    require,
    required_text,
    token_hash,
)
from yinling.directory.states import GRANT, GrantState
from yinling.ground.clock import EARLIEST, LATEST, real_now
from yinling.ground.facts import curtail
from yinling.ground.live import tell
from yinling.ground.models import CalendarDay, ClockOffset
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.credit_code import check_credit_code
from yinling.kernel.inputs import Id, Input, Moment, Reason, Seen
from yinling.kernel.names import normalise_phone
from yinling.kernel.period import ONE_DAY, local_date, local_midnight
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refused
from yinling.kernel.words import N_

explain_constraint("grant_no_overlap", "grant.overlap", N_("此人已有同样的授权"))
explain_constraint("grant_two_persons", "grant.two_persons", N_("提出和复核须是两个人，请由另一位安全管理员复核"))
explain_constraint(
    "qualification_no_overlap", "qualification.overlap", N_("此人在这段时间已有同类证书，请核对起止日期")
)
explain_constraint("service_area_one_body", "service_area.overlap", N_("这段时间此地的这类服务已有责任机构"))
explain_constraint("directory_organisation_credit_code_key", "organisation.exists", N_("这个统一社会信用代码已登记"))
explain_constraint("accounts_user_username_key", "user.exists", N_("这个登录名已有人使用，请换一个"))

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{2,59}")
_FAMILY = re.compile(r"[a-z][a-z_]{1,19}")
MOST_TOKEN_DAYS = 366


def _require_area(div: str) -> None:
    if not Area.objects.filter(div=div).exists():
        raise Refused("area.unknown", N_("没有这个行政区划，请从列表中选择"), field="div")


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
        _require_area(div)
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


def _own_phone(phone: str) -> str:
    return normalise_phone(phone) if phone.strip() else ""


@operation("directory.organisation.register", label=N_("登记机构"))
def register_organisation(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, name: ask.BodyName, short_name: ask.ShortName,
    credit_code: ask.CreditCode, kind: ask.BodyKind, div: ask.Div, address: ask.Address, phone: ask.Phone = "",
    is_provider: ask.IsProvider = False, valid_from: ask.FirstDay,
) -> Organisation:  # fmt: skip
    """Enter a body with its checked credit code."""
    require(actor, "directory.organisation.register", div=div)
    _require_area(div)
    with at_field("credit_code"):
        code = check_credit_code(credit_code)
    with at_field("phone"):
        number = _own_phone(phone)
    row = Organisation.objects.create(
        name=required_text(name, "name", most=120), short_name=required_text(short_name, "short_name", most=40), credit_code=code,
        kind=known_choice(kind, Organisation.KINDS, "kind"), div=div, address=required_text(address, "address"), phone=number,
        is_provider=is_provider, valid_from=valid_from, created_at=now, changed_at=now,
    )  # fmt: skip
    changes = {"credit_code": [None, code], "kind": [None, kind], "div": [None, div]}
    record(actor=actor, now=now, event="directory.organisation.register", subject=row, changes=changes)
    return row


@operation("directory.organisation.update", label=N_("修改机构"))
def update_organisation(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, organisation_id: Id, name: ask.BodyName, short_name: ask.ShortName, address: ask.Address, phone: ask.Phone = "",
    valid_to: ask.LastDay = None, seen: Seen = None,
) -> Organisation:  # fmt: skip
    """Change what is told about a body. Its credit code and kind never change: that is another body."""
    row = locked(Organisation.objects.all(), organisation_id, seen)
    require(actor, "directory.organisation.update", div=row.div)
    days = period_of(row.valid_from, valid_to)
    with at_field("phone"):
        number = _own_phone(phone)
    changes = changed(
        row, now=now, name=required_text(name, "name", most=120), short_name=required_text(short_name, "short_name", most=40),
        address=required_text(address, "address"), phone=number, valid_to=days.to,
    )  # fmt: skip
    record(actor=actor, now=now, event="directory.organisation.update", subject=row, changes=changes)
    return row


@operation("directory.site.register", label=N_("登记站点"))
def register_site(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, organisation_id: ask.BodyId, name: ask.SiteName, kind: ask.BodyKind, div: ask.Div,
    address: ask.Address, lon: ask.Lon, lat: ask.Lat, datum: ask.Datum = "wgs84",
) -> Site:  # fmt: skip
    """Enter a place of a body; its position is kept in WGS-84."""
    body = locked(Organisation.objects.all(), organisation_id)
    require(actor, "directory.site.register", div=body.div)
    require(actor, "directory.site.register", div=div)
    _require_area(div)
    place = position_of(lon, lat, datum)
    assert place is not None  # noqa: S101 - both numbers are required
    row = Site.objects.create(
        organisation=body, name=required_text(name, "name", most=80), kind=known_choice(kind, Organisation.KINDS, "kind"), div=div,
        address=required_text(address, "address"), lon=place.lon, lat=place.lat, source_datum=datum, created_at=now, changed_at=now,
    )  # fmt: skip
    record(
        actor=actor, now=now, event="directory.site.register", subject=row, changes={"organisation": [None, body.pk]}
    )
    return row


@operation("directory.area.rename", label=N_("更名"))
def rename_area(
    *, actor: Actor, now: datetime, div: ask.AreaCode, name: ask.AreaName, short_name: ask.AreaName, reason: Reason
) -> Area:
    """Give an area another name; its code and what belongs to it stay."""
    require(actor, "directory.area.rename", div=div)
    area = Area.objects.select_for_update(of=("self",)).filter(div=div).first()
    if area is None:
        raise NotFound("row.not_found", N_("没有这个行政区划，请从列表中选择"))
    why = required_text(reason, "reason", most=500)
    names = {
        "name": required_text(name, "name", most=60),
        "short_name": required_text(short_name, "short_name", most=60),
    }
    changes = changed(area, now=now, **names)
    record(
        actor=actor, now=now, event="directory.area.rename", subject=Area(pk=None), changes=changes, reason=why, div=div
    )
    return area


@operation("directory.service_area.assign", label=N_("划定责任区"))
def assign_service_area(
    *, actor: Actor, now: datetime, organisation_id: ask.BodyId, family: Annotated[str, Input(N_("服务类别"), max_length=20, widget="choice")],
    div: ask.Div, valid_from: ask.FirstDay,
) -> ServiceArea:  # fmt: skip
    """Make a body answer for a family of services in an area from a day on; it takes over from whoever answered before (R-ORD-04)."""
    require(actor, "directory.service_area.assign", div=div)
    body = Organisation.objects.filter(pk=organisation_id).first()
    if body is None or (body.valid_to is not None and body.valid_to <= valid_from):
        raise Refused(
            "organisation.unknown", N_("没有这个机构或机构已停止服务，请从列表中选择"), field="organisation_id"
        )
    if not _FAMILY.fullmatch(family):
        raise Refused("family.unknown", N_("请从列表中选择服务类别"), field="family")
    _require_area(div)
    for former in ServiceArea.objects.filter(family=family, div=div, recorded_to=None).exclude(
        valid_to__lte=valid_from
    ):
        if former.organisation_id == body.pk and former.valid_from <= valid_from and former.valid_to is None:
            raise Refused("service_area.same", N_("此地的这类服务已由该机构负责"), field="organisation_id")
        curtail(former, until=valid_from, now=now)
    row = ServiceArea.objects.create(
        organisation=body, family=family, div=div, valid_from=valid_from, recorded_from=now
    )
    changes = {"organisation": [None, body.pk], "family": [None, family], "valid_from": [None, valid_from.isoformat()]}
    record(actor=actor, now=now, event="directory.service_area.assign", subject=row, changes=changes, div=div)
    return row


@operation("directory.staff.register", label=N_("登记工作人员"))
def register_staff(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, organisation_id: ask.BodyId, site_id: Annotated[int, Input(N_("站点"), least=1, widget="choice")],
    name: ask.PersonName, kind: Annotated[str, Input(N_("岗位"), choices=Staff.KINDS, widget="choice")], sex: ask.Sex, phone: ask.Phone = "",
    day_from: ask.Hour = "08:00", day_to: ask.Hour = "18:00", dialects: Annotated[str, Input(N_("方言"), max_length=60)] = "",
    employed_from: ask.FirstDay,
) -> Staff:  # fmt: skip
    """Enter a person who works for a body at one of its sites."""
    body = locked(Organisation.objects.all(), organisation_id)
    require(actor, "directory.staff.register", div=body.div, provider_id=body.pk)
    site = Site.objects.filter(pk=site_id, organisation=body).first()
    if site is None:
        raise Refused("site.unknown", N_("该机构没有这个站点，请从列表中选择"), field="site_id")
    hours = (clock_time(day_from, "day_from"), clock_time(day_to, "day_to"))
    if hours[0] >= hours[1]:
        raise Refused("staff.hours", N_("下班时刻应晚于上班时刻"), field="day_to")
    row = Staff(
        div=site.div, provider=body, site=site, name=required_text(name, "name", most=40), kind=known_choice(kind, Staff.KINDS, "kind"),
        sex=known_choice(sex, [("1", ""), ("2", "")], "sex"), day_from=hours[0], day_to=hours[1], dialects=dialects,
        employed_from=employed_from, created_at=now, changed_at=now,
    )  # fmt: skip
    with at_field("phone"):
        row.seal_field("phone", _own_phone(phone))
    row.save(force_insert=True)
    record(
        actor=actor,
        now=now,
        event="directory.staff.register",
        subject=row,
        changes={"kind": [None, kind]},
        staff_id=row.pk,
    )
    return row


@operation("directory.staff.qualify", label=N_("登记资格证书"))
def qualify_staff(
    *, actor: Actor, now: datetime, staff_id: Id, kind: Annotated[str, Input(N_("证书"), choices=Qualification.KINDS, widget="choice")],
    number: Annotated[str, Input(N_("证书编号"), max_length=40)], issuer: Annotated[str, Input(N_("发证机关"), max_length=80)],
    valid_from: ask.FirstDay, valid_to: ask.LastDay = None,
) -> Qualification:  # fmt: skip
    """Enter a certificate with the days on which it holds."""
    staff = locked(Staff.objects.all(), staff_id)
    require(actor, "directory.staff.qualify", div=staff.div, provider_id=staff.provider_id)
    days = period_of(valid_from, valid_to)
    row = Qualification.objects.create(
        div=staff.div, staff=staff, provider_id=staff.provider_id, kind=known_choice(kind, Qualification.KINDS, "kind"),
        number=required_text(number, "number", most=40), issuer=required_text(issuer, "issuer", most=80), valid_from=days.from_,
        valid_to=days.to, recorded_from=now,
    )  # fmt: skip
    changes = {"kind": [None, kind], "valid_to": [None, days.to.isoformat() if days.to else None]}
    record(actor=actor, now=now, event="directory.staff.qualify", subject=row, changes=changes, staff_id=staff.pk)
    return row


def suspend_staff(actor: Actor, now: datetime, staff: Staff, cause: str, reason: str) -> Suspension:
    """Give a carer no new orders until released; the same cause suspends once."""
    row, is_new = Suspension.objects.get_or_create(
        staff=staff,
        cause=cause,
        defaults={"div": staff.div, "provider_id": staff.provider_id, "reason": reason, "from_at": now},
    )
    if is_new:
        record(actor=actor, now=now, event="directory.staff.suspend", subject=row, reason=reason, staff_id=staff.pk)
        tell("staff", pk=staff.pk, div=staff.div)
    return row


def release_suspension(actor: Actor, now: datetime, staff: Staff, cause: str, reason: str) -> Suspension | None:
    """Lift the suspension of one cause; others of the same carer stay. Returns nothing if there is none open."""
    row = Suspension.objects.select_for_update(of=("self",)).filter(staff=staff, cause=cause, to_at=None).first()
    if row is None:
        return None
    changes = changed(row, now=now, to_at=max(now, row.from_at), released_by_id=actor.user_id, release_reason=reason)
    record(
        actor=actor,
        now=now,
        event="directory.staff.release",
        subject=row,
        changes=changes,
        reason=reason,
        staff_id=staff.pk,
    )
    tell("staff", pk=staff.pk, div=staff.div)
    return row


@operation("directory.calendar.load", label=N_("载入工作日历"))
def load_calendar(
    *, actor: Actor, now: datetime,
    text: Annotated[str, Input(N_("日历表"), help=N_("CSV：date,weekday,kind,name,in_lieu"), max_length=100000, widget="area")],
    source: Annotated[str, Input(N_("来源"), help=N_("国务院办公厅通知的文号"), max_length=200)],
) -> list[CalendarDay]:  # fmt: skip
    """Load the days off and make-up working days of whole years. A year already loaded has to be unloaded first."""
    require(actor, "directory.calendar.load")
    days = [
        CalendarDay(day=day, kind=kind, name=name, source=required_text(source, "source"))
        for day, kind, name in calendar_rows(text)
    ]
    years = sorted({row.day.year for row in days})
    loaded = sorted(set(CalendarDay.objects.filter(day__year__in=years).values_list("day__year", flat=True)))
    if loaded:
        sentence = N_("%(years)s年的日历已载入，请先撤下再载入")
        raise Refused("calendar.loaded", sentence, field="text", years="、".join(str(year) for year in loaded))
    CalendarDay.objects.bulk_create(days)
    changes = {"years": [[], years], "days": [0, len(days)]}
    record(actor=actor, now=now, event="directory.calendar.load", subject=CalendarDay(), changes=changes, reason=source)
    tell("calendar", pk=years[0], div=actor.div or "")
    return days


@operation("directory.calendar.unload", label=N_("撤下工作日历"))
def unload_calendar(
    *, actor: Actor, now: datetime, year: Annotated[int, Input(N_("年份"), least=2015, most=2040, widget="number")]
) -> int:  # fmt: skip
    """Take the list of a year away; deadlines in it count Monday to Friday and are provisional until it is loaded again (X-CAL-03)."""
    require(actor, "directory.calendar.unload")
    count, _ = CalendarDay.objects.filter(day__year=year).delete()
    if not count:
        raise Refused("calendar.not_loaded", N_("%(year)s年的日历没有载入"), field="year", year=year)
    changes = {"years": [[year], []], "days": [count, 0]}
    record(actor=actor, now=now, event="directory.calendar.unload", subject=CalendarDay(), changes=changes)
    tell("calendar", pk=year, div=actor.div or "")
    return count


@operation("directory.clock.move", label=N_("调整演示时钟"))
def move_clock(*, actor: Actor, now: datetime, to: Moment) -> ClockOffset:
    """Move the business clock of a demonstration, forward or back, to any day from 2015 to 2040."""
    require(actor, "directory.clock.move")
    if not settings.DEMO:
        raise Refused("clock.not_demo", N_("只有演示环境可以调整时钟"))
    if not EARLIEST <= to < LATEST:
        raise Refused("clock.range", N_("演示时钟只能在2015年到2040年之间"), field="to")
    seconds = round((to - real_now()).total_seconds())
    row, _ = ClockOffset.objects.update_or_create(pk=1, defaults={"seconds": seconds})
    record(
        actor=actor,
        now=now,
        event="directory.clock.move",
        subject=row,
        changes={"to": [now.isoformat(), to.isoformat()]},
    )
    tell("clock", pk=1, div=actor.div or "")
    return row
