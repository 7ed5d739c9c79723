"""Who sits on the line: groups, seats, their state, soft-phones and trainings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.models import User
from yinling.accounts.operations import Recipient, notify, record
from yinling.directory.models import Grant, Organisation
from yinling.directory.rules import known_choice, require, required_text
from yinling.directory.states import GrantState
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, note_recorded, operation
from yinling.hotline import acd
from yinling.hotline.models import SKILLS, Call, CallOffer, Seat, SeatGroup, SeatSpan, SeatTraining
from yinling.hotline.operations.rosters import free_seat, note_arrival
from yinling.hotline.states import SEAT, CallState, SeatState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Id, Input, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_

SEAT_ROLES = ("seat", "line_leader")
TOPICS = [*SKILLS, ("service", N_("话务服务")), ("system", N_("系统操作"))]
BREAKS = [
    ("rest", N_("休息")),
    ("meal", N_("用餐")),
    ("training", N_("培训")),
    ("meeting", N_("开会")),
    ("wrap_up", N_("话后整理")),
    ("missed", N_("连续未接")),
]

Skills = Annotated[list[str], Input(N_("技能"), choices=SKILLS, widget="check")]
GroupName = Annotated[str, Input(N_("班组名称"), max_length=40)]
Operator = Annotated[int | None, Input(N_("运营单位"), help=N_("本市自营留空"), least=1, widget="choice")]
Overflow = Annotated[int | None, Input(N_("溢出到"), help=N_("本班组无人接听时转到哪个班组"), least=1, widget="choice")]
DutyPhone = Annotated[str, Input(N_("值班电话"), help=N_("无人接听时最后转到这个号码"), max_length=20)]
First = Annotated[bool, Input(N_("来电先到本班组"), widget="check")]
Extension = Annotated[str, Input(N_("分机号"), max_length=8)]
GroupId = Annotated[int, Input(N_("班组"), least=1, widget="choice")]
SeatUser = Annotated[int, Input(N_("用户"), least=1, widget="choice")]
Leader = Annotated[bool, Input(N_("班长席"), widget="check")]
Break = Annotated[str, Input(N_("小休原因"), choices=BREAKS, widget="choice")]

explain_constraint("group_name", "group.name", N_("这个区划已有同名班组，请换一个名称"))
explain_constraint("group_one_first", "group.first", N_("来电已先到另一个班组，请先取消那个班组的设置"))
explain_constraint("seat_number", "seat.number_taken", N_("这个分机号已有人使用，请换一个"))
explain_constraint("hotline_seat_user_id_key", "seat.twice", N_("这个用户已是坐席，请修改原有坐席"))
explain_constraint("training_once", "training.twice", N_("这次培训已登记过"))


# Groups


@operation("hotline.group.add", label=N_("新建班组"))
def add_group(  # noqa: PLR0913 - what a group consists of
    *, actor: Actor, now: datetime, name: GroupName, organisation_id: Operator = None, skills: Skills = [],  # noqa: B006 - never changed
    overflow_id: Overflow = None, duty_phone: DutyPhone = "", is_first: First = False,
    div: Annotated[str, Input(N_("所在区划"), max_length=12, widget="hidden")] = "",
) -> SeatGroup:  # fmt: skip
    """Set up a group of seats in an area."""
    place = div or actor.div or ""
    require(actor, "hotline.group.add", div=place)
    group = SeatGroup(div=place, name=required_text(name, "name"), is_first=is_first, created_at=now, changed_at=now)
    group.provider_id, group.overflow_id = _operator(organisation_id), _overflow(None, overflow_id)
    group.skills = _skills(skills)
    _set_duty(group, duty_phone)
    group.save(force_insert=True)
    record(actor=actor, now=now, event="hotline.group.add", subject=group, changes={"name": [None, group.name]})
    tell("seats", pk=group.pk, div=group.div)
    return group


@operation("hotline.group.update", label=N_("修改班组"))
def update_group(  # noqa: PLR0913 - what a group consists of
    *, actor: Actor, now: datetime, group_id: Id, name: GroupName, organisation_id: Operator = None, skills: Skills = [],  # noqa: B006 - never changed
    overflow_id: Overflow = None, duty_phone: DutyPhone = "", is_first: First = False,
    is_active: Annotated[bool, Input(N_("启用"), widget="check")] = True, seen: Seen = None,
) -> SeatGroup:  # fmt: skip
    """Change a group. Without a duty phone, callers for whom nobody is there are asked for a message."""
    group = locked(SeatGroup.objects.all(), group_id, seen)
    require(actor, "hotline.group.update", div=group.div)
    values: dict[str, Any] = {
        "name": required_text(name, "name"), "provider_id": _operator(organisation_id), "skills": _skills(skills),
        "overflow_id": _overflow(group.pk, overflow_id), "is_first": is_first, "is_active": is_active,
    }  # fmt: skip
    _set_duty(group, duty_phone)
    sealed = {name: getattr(group, name) for name in ("duty_enc", "duty_last4", "enc_suite", "enc_kid")}
    changes = changed(group, now=now, **values, **sealed)
    record(actor=actor, now=now, event="hotline.group.update", subject=group, changes=changes)
    tell("seats", pk=group.pk, div=group.div)
    return group


def _skills(skills: list[str]) -> list[str]:
    for skill in skills:
        known_choice(skill, SKILLS, "skills")
    return sorted(set(skills))


def _operator(organisation_id: int | None) -> int | None:
    if organisation_id is not None and not Organisation.objects.filter(pk=organisation_id).exists():
        raise Refused("group.operator", N_("没有这家机构，请从列表中选择"), field="organisation_id")
    return organisation_id


def _overflow(group_id: int | None, overflow_id: int | None) -> int | None:
    known = dict(SeatGroup.objects.filter(is_active=True).values_list("pk", "overflow_id"))
    if overflow_id is not None and overflow_id not in known:
        raise Refused("group.overflow", N_("没有这个班组，请从列表中选择"), field="overflow_id")
    acd.check_chain(group_id or 0, overflow_id, known)
    return overflow_id


def _set_duty(group: SeatGroup, number: str) -> None:
    digits = acd.plain_number(number)
    if digits:
        acd.check_domestic(digits, field="duty_phone")
    group.seal_field("duty", digits)
    group.duty_last4 = digits[-4:]


# Seats


@operation("hotline.seat.add", label=N_("设置坐席"))
def add_seat(
    *, actor: Actor, now: datetime, user_id: SeatUser, group_id: GroupId, number: Extension, skills: Skills = [],  # noqa: B006 - never changed
    is_leader: Leader = False,
) -> Seat:  # fmt: skip
    """Give somebody a place on the line. The person needs the role of a seat (or of the leader) for the whole area of the group."""
    group = _group(group_id)
    require(actor, "hotline.seat.add", div=group.div)
    acd.check_extension(number)
    user = User.objects.filter(pk=user_id, is_active=True).first()
    grants = Grant.objects.filter(user_id=user_id, role__in=SEAT_ROLES, state=GrantState.ACTIVE)
    if user is None or not any(group.div.startswith(one.div) for one in grants if one.div):
        raise Refused("seat.grant", N_("这个用户在班组所在区划没有坐席或班长授权，请先办理授权"), field="user_id")
    former = Seat.objects.filter(user_id=user_id, left_on__isnull=False).first()
    values = {
        "div": group.div, "group_id": group.pk, "provider_id": group.provider_id, "number": number, "skills": _skills(skills),
        "is_leader": is_leader, "left_on": None,
    }  # fmt: skip
    if former is not None:  # who comes back keeps the row, and with it trainings and figures
        seat = locked(Seat.objects.all(), former.pk)
        changed(seat, now=now, **values)
    else:
        seat = Seat(user=user, created_at=now, changed_at=now, **values)
        seat.save(force_insert=True)
    record(actor=actor, now=now, event="hotline.seat.add", subject=seat, changes={"number": [None, number]})
    tell("seats", pk=seat.pk, div=seat.div)
    return seat


def _group(group_id: int) -> SeatGroup:
    row = SeatGroup.objects.filter(pk=group_id, is_active=True).first()
    if row is None:
        raise Refused("seat.group", N_("没有这个班组，请从列表中选择"), field="group_id")
    return row


@operation("hotline.seat.move", label=N_("调整坐席"))
def move_seat(
    *, actor: Actor, now: datetime, seat_id: Id, group_id: GroupId, number: Extension, skills: Skills = [],  # noqa: B006 - never changed
    is_leader: Leader = False, seen: Seen = None,
) -> Seat:  # fmt: skip
    """Move a seat to another group of the same area, or change its extension and skills."""
    seat = locked(Seat.objects.all(), seat_id, seen)
    require(actor, "hotline.seat.move", div=seat.div)
    group = _group(group_id)
    if group.div != seat.div:
        raise Refused("seat.area", N_("不能调到另一个区划的班组，请撤销后重新设置"), field="group_id")
    acd.check_extension(number)
    changes = changed(
        seat, now=now, group_id=group.pk, provider_id=group.provider_id, number=number, skills=_skills(skills),
        is_leader=is_leader,
    )  # fmt: skip
    record(actor=actor, now=now, event="hotline.seat.move", subject=seat, changes=changes)
    tell("seats", pk=seat.pk, div=seat.div)
    return seat


@operation("hotline.seat.end", label=N_("撤销坐席"))
def end_seat(*, actor: Actor, now: datetime, seat_id: Id, reason: Reason, seen: Seen = None) -> Seat:
    """Take a seat off the line for good; the row stays for figures and recordings."""
    offer = ringing_at(seat_id)
    seat = locked(Seat.objects.all(), seat_id, seen)
    require(actor, "hotline.seat.end", div=seat.div)
    required_text(reason, "reason", most=500)
    acd.check_not_talking(is_talking=is_talking(seat.user_id))
    drop_offer(now, offer)
    if seat.state != SeatState.OFF:
        enter_state(actor, now, seat, "sign_out")
    changes = changed(seat, now=now, left_on=local_date(now), registered_until=None)
    free_seat(actor, now, seat, now)
    record(actor=actor, now=now, event="hotline.seat.end", subject=seat, changes=changes, reason=reason)
    tell("seats", pk=seat.pk, div=seat.div)
    return seat


# What a seat is doing


@operation("hotline.seat.sign_in", label=N_("上线"))
def sign_in_seat(*, actor: Actor, now: datetime, seat_id: Id, seen: Seen = None) -> Seat:
    """Begin to take calls."""
    return _own_state(actor, now, "sign_in", seat_id, seen)


@operation("hotline.seat.pause", label=N_("小休"))
def pause_seat(*, actor: Actor, now: datetime, seat_id: Id, reason: Break = "rest", seen: Seen = None) -> Seat:
    """Take a break; a call that rings goes back to the queue at once."""
    known_choice(reason, BREAKS, "reason")
    return _own_state(actor, now, "pause", seat_id, seen, reason=reason)


@operation("hotline.seat.resume", label=N_("就绪"))
def resume_seat(*, actor: Actor, now: datetime, seat_id: Id, seen: Seen = None) -> Seat:
    """End a break."""
    return _own_state(actor, now, "resume", seat_id, seen)


@operation("hotline.seat.sign_out", label=N_("离席"))
def sign_out_seat(*, actor: Actor, now: datetime, seat_id: Id, seen: Seen = None) -> Seat:
    """Stop taking calls. The leader may sign out somebody who went away."""
    return _own_state(actor, now, "sign_out", seat_id, seen)


def _own_state(actor: Actor, now: datetime, verb: str, seat_id: int, seen: int | None, *, reason: str = "") -> Seat:
    offer = ringing_at(seat_id) if verb in ("pause", "sign_out") else None
    seat = locked(Seat.objects.filter(left_on=None), seat_id, seen)
    require(actor, f"hotline.seat.{verb}", div=seat.div)
    is_leader = actor.is_system or actor.has("hotline.seat.move")
    acd.check_own_seat(user_id=seat.user_id, actor_id=actor.user_id, is_leader=is_leader)
    SEAT.target(verb, SeatState(seat.state))
    if verb == "sign_out":
        acd.check_not_talking(is_talking=is_talking(seat.user_id))
    drop_offer(now, offer)
    return enter_state(actor, now, seat, verb, reason=reason)


def enter_state(actor: Actor, now: datetime, seat: Seat, verb: str, *, reason: str = "") -> Seat:
    """Write the new state of a locked seat, and the span of the one that ends. Plain: the caller has checked the right."""
    target = SEAT.target(verb, SeatState(seat.state))
    SeatSpan.objects.filter(seat=seat, to_at=None).update(to_at=now)
    if target != SeatState.OFF:
        SeatSpan.objects.create(div=seat.div, seat=seat, state=target, reason=reason, from_at=now)
    if target == SeatState.READY:
        note_arrival(now, seat)
    idle_since = now if target == SeatState.READY else None
    changes = changed(seat, now=now, state=target, reason=reason, idle_since=idle_since, miss_count=0)
    record(actor=actor, now=now, event=f"hotline.seat.{verb}", subject=seat, changes=changes, reason=reason)
    tell("seats", pk=seat.pk, div=seat.div)
    return seat


def is_talking(user_id: int) -> bool:
    """Whether somebody is in a call, or is dialling one."""
    rows = Call.objects.filter(seat_id=user_id, ended_at=None)
    return rows.filter(state__in=[CallState.ANSWERED, CallState.RINGING]).exists()


def ringing_at(seat_id: int) -> CallOffer | None:
    """Return what rings at a seat, locked with its call. Call, offer, seat: whoever needs several locks them in this order."""
    user = Seat.objects.filter(pk=seat_id).values_list("user_id", flat=True).first()
    found = CallOffer.objects.filter(seat_id=user, ended_at=None).first() if user else None
    if found is None:
        return None
    locked(Call.objects.all(), found.call_id)
    return CallOffer.objects.select_for_update(of=("self",)).filter(pk=found.pk, ended_at=None).first()


def drop_offer(now: datetime, offer: CallOffer | None) -> None:
    """Give a call that rings at a seat back to the queue, without counting it as a miss."""
    if offer is not None:
        changed(offer, now=now, ended_at=now, outcome="declined")
        tell("calls", pk=offer.call_id, div=offer.div)


def seat_of(user_id: int | None) -> Seat | None:
    """Return the seat of a person, locked; nobody has to have one."""
    if user_id is None:
        return None
    return Seat.objects.select_for_update(of=("self",)).filter(user_id=user_id, left_on=None).first()


def note_miss(actor: Actor, now: datetime, seat: Seat) -> None:
    """Count a call that a locked seat did not answer; the second in a row puts it on a break, with a notice to it and to the leaders."""
    changed(seat, now=now, miss_count=seat.miss_count + 1)
    if seat.miss_count < acd.MISSES_TO_PAUSE or seat.state != SeatState.READY:
        return
    enter_state(actor, now, seat, "pause", reason="missed")
    title, text = N_("连续未接，已自动小休"), f"分机 {seat.number} 连续 {acd.MISSES_TO_PAUSE} 通未接，已转为小休。"
    leaders = Seat.objects.filter(is_leader=True, left_on=None).values_list("user_id", flat=True)
    for user_id in sorted({seat.user_id, *leaders}):
        key = f"seat:{seat.pk}:missed:{seat.version}:{user_id}"
        notify(now=now, about=seat, to=Recipient(user_id=user_id), key=key, title=title, text=text, link="/desk/")


@operation("hotline.phone.register", label=N_("登记软电话"))
def register_phone(
    *, actor: Actor, now: datetime,
    user_id: Annotated[int, Input(N_("用户"), least=1, widget="hidden")],
    until: Annotated[datetime | None, Input(N_("有效至"), widget="moment")] = None,
) -> Seat:  # fmt: skip
    """Note until when the edge knows a seat's soft-phone; no moment means that it is gone. Told by the edge on every registration."""
    seat = seat_of(user_id)
    if seat is None:
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    require(actor, "hotline.phone.register", div=seat.div)
    was_known = seat.registered_until is not None and seat.registered_until > now
    until = now if until is None else until
    if was_known == (until > now):  # a renewal every few minutes says nothing new
        Seat.objects.filter(pk=seat.pk).update(registered_until=until)
        seat.registered_until = until
        note_recorded()
        return seat
    changes = changed(seat, now=now, registered_until=until)
    record(actor=actor, now=now, event="hotline.phone.register", subject=seat, changes=changes)
    tell("seats", pk=seat.pk, div=seat.div)
    return seat


# Trainings


@operation("hotline.training.record", label=N_("登记培训"))
def record_training(  # noqa: PLR0913 - what a training consists of
    *, actor: Actor, now: datetime, seat_id: Annotated[int, Input(N_("坐席"), least=1, widget="choice")],
    title: Annotated[str, Input(N_("培训名称"), max_length=80)],
    body: Annotated[str, Input(N_("培训单位"), help=N_("例如 12345 政务服务便民热线"), max_length=80)],
    topic: Annotated[str, Input(N_("内容"), choices=TOPICS, widget="choice")],
    held_on: Day,
    minutes: Annotated[int, Input(N_("时长（分钟）"), least=1, most=10_000, widget="number")],
    score: Annotated[int | None, Input(N_("成绩"), least=0, most=100, widget="number")] = None,
    is_passed: Annotated[bool, Input(N_("合格"), widget="check")] = True,
) -> SeatTraining:  # fmt: skip
    """Note a training that a seat took part in (R-CALL-07)."""
    seat = locked(Seat.objects.all(), seat_id)
    require(actor, "hotline.training.record", div=seat.div)
    if held_on > local_date(now):
        raise Refused("training.future", N_("培训日期不能晚于今天，请在培训结束后登记"), field="held_on")
    row = SeatTraining(
        div=seat.div, seat=seat, title=required_text(title, "title", most=80), body=required_text(body, "body", most=80),
        topic=known_choice(topic, TOPICS, "topic"), held_on=held_on, minutes=minutes, score=score, is_passed=is_passed,
    )  # fmt: skip
    row.save(force_insert=True)
    record(actor=actor, now=now, event="hotline.training.record", subject=row, changes={"title": [None, row.title]})
    tell("seats", pk=seat.pk, div=seat.div)
    return row
