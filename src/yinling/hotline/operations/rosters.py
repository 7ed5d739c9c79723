"""Writing the duty roster: drafting, publishing without a hole, single shifts, and who came (R-CALL-03, X-CAL-06)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from yinling.accounts.operations import Message, Recipient, notify_each, record
from yinling.directory.rules import known_choice, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.hotline import duty
from yinling.hotline.models import Roster, Seat, SeatGroup, Shift
from yinling.hotline.queries.rosters import (
    candidates,
    day_off,
    duty_rules,
    faults_of,
    first_seen,
    holes_of,
    is_running_out,
    leaders_of,
    leaves_between,
    next_on_call,
    posts_elsewhere,
    posts_of,
    seats_of_group,
    shifts_of,
)
from yinling.hotline.states import ROSTER, RosterState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_

RosterGroup = Annotated[int, Input(N_("班组"), least=1, widget="choice")]
Least = Annotated[int, Input(N_("每一分钟至少在岗人数"), least=1, most=99, widget="number")]
Rotation = Annotated[str, Input(N_("轮班方式"), choices=duty.ROTATIONS, widget="radio")]
Seats = Annotated[list[int] | None, Input(N_("参与轮班的坐席"), help=N_("不选：班组的全部坐席"), widget="check")]
OneSeat = Annotated[int, Input(N_("坐席"), least=1, widget="choice")]
FromAt = Annotated[datetime, Input(N_("开始时间"), widget="moment")]
ToAt = Annotated[datetime, Input(N_("结束时间"), widget="moment")]
NAMED = 5
FOR_GOOD = timedelta(days=3650)

explain_constraint("roster_once", "roster.overlap", N_("这段时间已有一张发布的排班表，请先撤回，或换一段时间"))
explain_constraint("shift_once_in_roster", "shift.two_posts", N_("这位坐席在这段时间已有班次，请另选一人或另选时间"))
explain_constraint("shift_one_post", "shift.two_posts", N_("有坐席在另一张已发布的排班表里同一时间也有班次，请先调整"))


@operation("hotline.roster.draft", label=N_("编制排班表"))
def draft_roster(
    *, actor: Actor, now: datetime, group_id: RosterGroup, from_at: FromAt, to_at: ToAt, least: Least = 1, rotation: Rotation = "3x8",
    seats: Seats = None,
) -> Roster:  # fmt: skip
    """Start the roster of a group for a time, filled by rotation. Where nobody may work, the place stays empty and is shown."""
    group = _group(group_id)
    require(actor, "hotline.roster.draft", div=group.div)
    known_choice(rotation, duty.ROTATIONS, "rotation")
    duty.check_roster_span(from_at, to_at, now)
    people = _people(group, seats)
    rules = duty_rules(group.div, local_date(from_at))
    roster = _new_roster(now, group, from_at, to_at, least)
    turns = duty.slots(from_at, to_at, rules.rotations.get(rotation, []))
    posts = duty.fill(
        turns, people, least=least, taken=posts_elsewhere(people, from_at, to_at, but=[], margin=rules.longest + rules.rest),
        leaves=leaves_between(people, from_at, to_at), rest=rules.rest, is_off=day_off(),
    )  # fmt: skip
    _write_shifts(now, roster, posts)
    shown = {"from_at": [None, str(from_at)], "to_at": [None, str(to_at)], "shifts": [None, len(posts)]}
    record(actor=actor, now=now, event="hotline.roster.draft", subject=roster, changes=shown)
    tell("rosters", pk=roster.pk, div=roster.div)
    return roster


def _group(group_id: int) -> SeatGroup:
    group: SeatGroup | None = SeatGroup.objects.filter(pk=group_id, is_active=True).first()
    if group is None:
        raise Refused("roster.group", N_("没有这个班组，请从列表中选择"), field="group_id")
    return group


def _people(group: SeatGroup, wanted: Sequence[int] | None) -> list[int]:
    """Return the seats of a rotation; all are of the group and none has left."""
    known = list(seats_of_group(group).values_list("pk", flat=True))
    chosen = [pk for pk in known if not wanted or pk in wanted]
    if not known:
        raise Refused("roster.nobody", N_("这个班组还没有坐席，请先设置坐席"), field="group_id")
    if wanted and len(chosen) < len(set(wanted)):
        raise Refused("roster.seats", N_("所选坐席中有人不在这个班组，请重新选择"), field="seats")
    return chosen


def _new_roster(now: datetime, group: SeatGroup, from_at: datetime, to_at: datetime, least: int) -> Roster:
    roster = Roster(
        div=group.div, group=group, from_at=from_at, to_at=to_at, least=least, created_at=now, changed_at=now
    )
    roster.save(force_insert=True)
    return roster


def _write_shifts(now: datetime, roster: Roster, posts: Iterable[duty.Post]) -> None:
    Shift.objects.bulk_create(
        Shift(
            div=roster.div, roster=roster, seat_id=post.who, from_at=post.start, to_at=post.end, created_at=now, changed_at=now
        )
        for post in posts
    )  # fmt: skip


@operation("hotline.roster.copy", label=N_("复制到下一期"))
def copy_roster(*, actor: Actor, now: datetime, roster_id: Id) -> Roster:
    """Draft the next week or month as this one, each shift on the same weekday. Who has left or is on leave is left out."""
    source = locked(Roster.objects.select_related("group"), roster_id)
    require(actor, "hotline.roster.copy", div=source.div)
    span = duty.following(source.from_at, source.to_at)
    duty.check_roster_span(*span, now)
    people = set(seats_of_group(source.group).values_list("pk", flat=True))
    leaves = leaves_between(people, *span)
    posts = [
        post
        for post in duty.repeated(posts_of(shifts_of(source)), (source.from_at, source.to_at), span)
        if post.who in people and not duty.is_away((post.start, post.end), leaves.get(post.who, ()))
    ]
    roster = _new_roster(now, source.group, *span, source.least)
    _write_shifts(now, roster, posts)
    shown = {"copied_from": [None, source.pk], "from_at": [None, str(span[0])], "to_at": [None, str(span[1])]}
    record(actor=actor, now=now, event="hotline.roster.copy", subject=roster, changes=shown)
    tell("rosters", pk=roster.pk, div=roster.div)
    return roster


@operation("hotline.roster.publish", label=N_("发布排班"))
def publish_roster(*, actor: Actor, now: datetime, roster_id: Id, seen: Seen = None) -> Roster:
    """Put a roster in force. Refused while one minute is uncovered, somebody is in two posts, on leave or not rested."""
    roster = _locked_roster(actor, "publish", roster_id, seen)
    target = ROSTER.target("publish", RosterState(roster.state))
    duty.check_roster_span(roster.from_at, roster.to_at, now)
    rows = list(shifts_of(roster))
    lock_seats(row.seat_id for row in rows)
    duty.check_holes(holes_of(roster))
    check_shifts(roster, rows)
    changes = changed(roster, now=now, state=target, published_at=now, published_by_id=actor.user_id)
    Shift.objects.filter(pk__in=[row.pk for row in rows]).update(is_live=True, changed_at=now)
    record(actor=actor, now=now, event="hotline.roster.publish", subject=roster, changes=changes)
    _tell_people(now, roster, rows, N_("新的排班表已发布"))
    return roster


@operation("hotline.roster.withdraw", label=N_("撤回排班"))
def withdraw_roster(*, actor: Actor, now: datetime, roster_id: Id, reason: Reason, seen: Seen = None) -> Roster:
    """Take back a roster that has not begun; one that runs is changed shift by shift."""
    roster = _locked_roster(actor, "withdraw", roster_id, seen)
    target = ROSTER.target("withdraw", RosterState(roster.state))
    required_text(reason, "reason", most=500)
    was_published = roster.state == RosterState.PUBLISHED
    if was_published:
        duty.check_not_begun(roster.from_at, now, what="roster")
    rows = list(shifts_of(roster))
    changes = changed(roster, now=now, state=target)
    Shift.objects.filter(roster=roster).update(is_live=False, changed_at=now)
    record(actor=actor, now=now, event="hotline.roster.withdraw", subject=roster, changes=changes, reason=reason)
    if was_published:
        _tell_people(now, roster, rows, N_("排班表已撤回，请等待新的排班"))
    tell("rosters", pk=roster.pk, div=roster.div)
    return roster


def _locked_roster(actor: Actor, verb: str, roster_id: int, seen: int | None = None) -> Roster:
    roster = locked(Roster.objects.select_related("group"), roster_id, seen)
    require(actor, f"hotline.roster.{verb}", div=roster.div)
    return roster


def lock_seats(seat_ids: Iterable[int]) -> None:
    """Let two planners of the same people wait for each other. Always after the rosters, so that nobody waits in a circle."""
    list(Seat.objects.select_for_update().filter(pk__in=set(seat_ids)).order_by("pk").values_list("pk", flat=True))


def lock_rosters(roster_ids: Iterable[int]) -> None:
    """Let two who change the same rosters wait for each other."""
    list(Roster.objects.select_for_update().filter(pk__in=set(roster_ids)).order_by("pk").values_list("pk", flat=True))


def check_shifts(
    roster: Roster, rows: Sequence[Shift], *, only: Iterable[int] | None = None, moving: Sequence[int] = ()
) -> None:
    """Refuse two posts, too little rest and shifts in leaves; of some people only, if they are named.

    ``moving`` are shifts of other rosters that the same change takes away.
    """
    rules = duty_rules(roster.div, local_date(roster.from_at))
    people = None if only is None else set(only)
    found = faults_of(roster, posts_of(rows), rules, moving=moving)
    found = [one for one in found if people is None or one.who in people]
    duty.check_faults(found, {row.seat_id: row.seat.number for row in rows}, rest=rules.rest)


def _tell_people(now: datetime, roster: Roster, rows: Sequence[Shift], title: str) -> None:
    """Leave a notice to everybody who is in a roster, with the first and the number of their shifts."""
    own: dict[int, list[Shift]] = {}
    for row in rows:
        own.setdefault(row.seat.user_id, []).append(row)
    messages = [
        Message(
            roster, Recipient(user_id=user_id), f"roster:{roster.pk}:{roster.version}:{user_id}", title,
            f"{duty.told(roster.from_at, roster.to_at)}：{len(mine)} 个班次，第一班 {duty.told(mine[0].from_at, mine[0].to_at)}",
            "/line/shifts/mine/",
        )
        for user_id, mine in sorted(own.items())
    ]  # fmt: skip
    notify_each(now=now, messages=messages)
    tell("rosters", pk=roster.pk, div=roster.div)


# Single shifts


@operation("hotline.shift.add", label=N_("添加班次"))
def add_shift(*, actor: Actor, now: datetime, roster_id: Id, seat_id: OneSeat, from_at: FromAt, to_at: ToAt) -> Shift:
    """Put somebody on duty. In a published roster only who is free, rested and not on leave."""
    roster = locked(Roster.objects.select_related("group"), roster_id)
    require(actor, "hotline.shift.add", div=roster.div)
    _check_open(roster)
    seat = _seat(roster, seat_id)
    shift = Shift(
        div=roster.div, roster=roster, seat=seat, from_at=from_at, to_at=to_at, is_live=_is_live(roster), created_at=now, changed_at=now
    )  # fmt: skip
    _check_place(roster, shift, now)
    shift.save(force_insert=True)
    if _is_live(roster):
        check_shifts(roster, list(shifts_of(roster)), only=[seat.pk])
        tell_seats(now, shift, [seat.user_id], N_("您有新的班次"))
    record(actor=actor, now=now, event="hotline.shift.add", subject=shift, changes=_shown(shift))
    tell("rosters", pk=roster.pk, div=roster.div)
    return shift


def _is_live(roster: Roster) -> bool:
    return bool(roster.state == RosterState.PUBLISHED)


def _check_open(roster: Roster) -> None:
    if roster.state == RosterState.WITHDRAWN:
        raise NotAllowed("roster.withdrawn", N_("这张排班表已撤回，请编制新的排班表"))


def _seat(roster: Roster, seat_id: int) -> Seat:
    """Return the seat, locked: of the same area, because one group may help another."""
    seat = Seat.objects.select_for_update(of=("self",)).filter(pk=seat_id, div=roster.div, left_on=None).first()
    if seat is None:
        raise Refused("shift.seat", N_("没有这位坐席，或者已经离开，请从列表中选择"), field="seat_id")
    return seat  # type: ignore[no-any-return]


def _check_place(roster: Roster, shift: Shift, now: datetime) -> None:
    rules = duty_rules(roster.div, local_date(roster.from_at))
    span, whole = (shift.from_at, shift.to_at), (roster.from_at, roster.to_at)
    duty.check_shift_span(span, whole, longest=rules.longest)
    if _is_live(roster) and shift.to_at <= now:
        raise Refused("shift.past", N_("这段时间已经过去，不能再排班"), field="to_at")


def _shown(shift: Shift) -> dict[str, Any]:
    return {
        "seat_id": [None, shift.seat_id],
        "from_at": [None, str(shift.from_at)],
        "to_at": [None, str(shift.to_at)],
    }


@operation("hotline.shift.move", label=N_("调整班次"))
def move_shift(
    *, actor: Actor, now: datetime, shift_id: Id, seat_id: OneSeat, from_at: FromAt, to_at: ToAt, seen: Seen = None
) -> Shift:
    """Give a shift another time or another person. A published roster must hold afterwards as before."""
    shift, roster = _locked_shift(actor, "move", shift_id, seen, now)
    before, old_user = list(shifts_of(roster)), shift.seat.user_id
    seat = _seat(roster, seat_id)
    changes = changed(shift, now=now, seat_id=seat.pk, from_at=from_at, to_at=to_at)
    shift.seat = seat
    _check_place(roster, shift, now)
    if _is_live(roster):
        after = list(shifts_of(roster))
        _check_no_hole(roster, before, after, now)
        check_shifts(roster, after, only=[seat.pk])
        tell_seats(now, shift, [old_user, seat.user_id], N_("您的班次有变动"))
    record(actor=actor, now=now, event="hotline.shift.move", subject=shift, changes=changes)
    tell("rosters", pk=roster.pk, div=roster.div)
    return shift


@operation("hotline.shift.remove", label=N_("移除班次"))
def remove_shift(*, actor: Actor, now: datetime, shift_id: Id, seen: Seen = None) -> Shift:
    """Take somebody off duty; from a published roster only if nobody is missing afterwards."""
    shift, roster = _locked_shift(actor, "remove", shift_id, seen, now)
    before = list(shifts_of(roster))
    changes = changed(shift, now=now, is_out=True, is_live=False)
    if _is_live(roster):
        _check_no_hole(roster, before, [row for row in before if row.pk != shift.pk], now)
        tell_seats(now, shift, [shift.seat.user_id], N_("您的班次已取消"))
    record(actor=actor, now=now, event="hotline.shift.remove", subject=shift, changes=changes)
    tell("rosters", pk=roster.pk, div=roster.div)
    return shift


def _locked_shift(actor: Actor, verb: str, shift_id: int, seen: int | None, now: datetime) -> tuple[Shift, Roster]:
    roster_id = Shift.objects.filter(pk=shift_id).values_list("roster_id", flat=True).first()
    roster = locked(Roster.objects.select_related("group"), roster_id or 0)
    shift = locked(Shift.objects.select_related("seat").filter(is_out=False), shift_id, seen)
    require(actor, f"hotline.shift.{verb}", div=shift.div)
    _check_open(roster)
    if _is_live(roster):
        duty.check_not_begun(shift.from_at, now)
    return shift, roster


def _check_no_hole(roster: Roster, before: Sequence[Shift], after: Sequence[Shift], now: datetime) -> None:
    start = max(roster.from_at, now)
    if start < roster.to_at:
        found = duty.worse(posts_of(before), posts_of(after), start, roster.to_at, roster.least)
        duty.check_change(found)


def tell_seats(now: datetime, shift: Shift, user_ids: Iterable[int], title: str) -> None:
    """Leave a notice about a shift to the people concerned."""
    text = duty.told(shift.from_at, shift.to_at)
    notify_each(now=now, messages=[
        Message(shift, Recipient(user_id=user_id), f"shift:{shift.pk}:{shift.version}:{user_id}", title, text, "/line/shifts/mine/")
        for user_id in sorted(set(user_ids))
    ])  # fmt: skip


# A published roster keeps holding


def alarm_holes(now: datetime, roster: Roster, found: Sequence[duty.Hole]) -> None:
    """Tell the leaders at once of holes in a published roster, each once, and whom they could call."""
    messages = []
    for hole in found:
        numbers = "、".join(seat.number for seat in candidates(roster.group, hole.start, hole.end)[:NAMED]) or "—"
        text = f"{roster.group.name} {duty.told(hole.start, hole.end)} 缺 {hole.missing} 人，可联系坐席：{numbers}"
        key = f"hole:{roster.pk}:{hole.start:%Y%m%d%H%M}:{hole.missing}"
        about = Message(roster, Recipient(), key, N_("紧急：排班出现缺口"), text, f"/line/rosters/{roster.pk}/")
        messages += _urgent(roster.group, about, leaders_of(roster.group))
    notify_each(now=now, messages=messages)
    if messages:
        tell("rosters", pk=roster.pk, div=roster.div)


def _urgent(group: SeatGroup, about: Message, user_ids: Iterable[int]) -> list[Message]:
    """The same alarm to each login's screens, and by SMS to the duty phone of the group, if that is a mobile."""
    found = [
        replace(about, to=Recipient(user_id=user_id, is_urgent=True), key=f"{about.key}:{user_id}")
        for user_id in sorted(set(user_ids))
    ]
    number = group.unseal_field("duty")
    if duty.is_mobile(number):
        to = Recipient(channel="sms", address=number, is_urgent=True)
        found.append(replace(about, to=to, key=f"{about.key}:duty"))
    return found


def free_seat(actor: Actor, now: datetime, seat: Seat, start: datetime, end: datetime | None = None) -> int:
    """Take somebody off all published shifts in a time, or for good; whatever that leaves open raises the alarm. Return how many.

    Plain: a leave that was granted and a seat that was ended have checked their right.
    """
    end = end or start + FOR_GOOD
    rows = Shift.objects.filter(seat=seat, is_live=True, from_at__lt=end, to_at__gt=start)
    lock_rosters(rows.values_list("roster_id", flat=True))
    lock_seats([seat.pk])
    shifts = list(rows.select_for_update(of=("self",)).select_related("roster__group", "seat").order_by("pk"))
    for shift in shifts:
        cut_shift(actor, now, shift, (start, end))
    for roster in {shift.roster_id: shift.roster for shift in shifts}.values():
        alarm_holes(now, roster, holes_of(roster, now))
        tell("rosters", pk=roster.pk, div=roster.div)
    return len(shifts)


def cut_shift(actor: Actor, now: datetime, shift: Shift, away: tuple[datetime, datetime]) -> None:
    """Keep of a live shift what lies beside an absence: its first piece stays the row."""
    left = duty.pieces(posts_of([shift])[0], away)
    if left:
        event, changes = "hotline.shift.move", changed(shift, now=now, from_at=left[0][0], to_at=left[0][1])
    else:
        event, changes = "hotline.shift.remove", changed(shift, now=now, is_out=True, is_live=False)
    record(actor=actor, now=now, event=event, subject=shift, changes=changes)
    for start, end in left[1:]:
        Shift.objects.create(
            div=shift.div, roster_id=shift.roster_id, seat_id=shift.seat_id, from_at=start, to_at=end, is_live=True, created_at=now,
            changed_at=now,
        )  # fmt: skip


@operation("hotline.roster.warn", label=N_("提醒编制排班"))
def warn_of_end(*, actor: Actor, now: datetime, group_id: RosterGroup) -> SeatGroup:
    """Tell the leaders that the published rosters of a group end soon; once a day."""
    group = _group(group_id)
    require(actor, "hotline.roster.warn", div=group.div)
    if not is_running_out(group, now):
        raise NotAllowed("roster.covered", N_("后面几天的排班已发布，不需要提醒"))
    day = local_date(now)
    messages = [
        Message(
            group, Recipient(user_id=user_id), f"roster-end:{group.pk}:{day}:{user_id}", N_("排班即将到期，请编制并发布下一期"),
            group.name, "/line/rosters/",
        )
        for user_id in leaders_of(group)
    ]  # fmt: skip
    notify_each(now=now, messages=messages)
    record(actor=actor, now=now, event="hotline.roster.warn", subject=group, changes={"day": [None, str(day)]})
    return group


# Who came


@operation("hotline.shift.check", label=N_("核对到岗"))
def check_shift(*, actor: Actor, now: datetime, shift_id: Id) -> Shift:
    """Note when the seat of a running shift came; who never was ready is missed, with an alarm to the leaders and the next on call."""
    shift = locked(Shift.objects.select_related("seat__user", "roster__group").filter(is_live=True), shift_id)
    require(actor, "hotline.shift.check", div=shift.div)
    late = duty_rules(shift.div, local_date(now)).late
    if now < shift.from_at + late or shift.came_at or shift.missed_at:
        raise NotAllowed("shift.not_due", N_("这个班次现在不需要核对"))
    came = first_seen(shift, now)
    changes = changed(shift, now=now, came_at=came) if came else changed(shift, now=now, missed_at=now)
    if came is None:
        _alarm_no_show(now, shift, late)
    record(actor=actor, now=now, event="hotline.shift.check", subject=shift, changes=changes)
    tell("rosters", pk=shift.roster_id, div=shift.div)
    return shift


def _alarm_no_show(now: datetime, shift: Shift, late: timedelta) -> None:
    """Tell the leaders and who is on duty next that somebody did not come."""
    group = shift.roster.group
    following = next_on_call(group, now, but=shift.seat_id)
    numbers = "、".join(f"{seat.number} {seat.user.name}" for seat in following) or "—"
    text = (
        f"{group.name} {duty.told(shift.from_at, shift.to_at)}：坐席 {shift.seat.number} {shift.seat.user.name} 开班 "
        f"{late // timedelta(minutes=1)} 分钟仍未就绪。下一班：{numbers}"
    )
    about = Message(
        shift, Recipient(), f"no-show:{shift.pk}", N_("紧急：值班人员未到岗"), text, f"/line/rosters/{shift.roster_id}/"
    )
    people = {*leaders_of(group), *(seat.user_id for seat in following)}
    notify_each(now=now, messages=_urgent(group, about, people))


def note_arrival(now: datetime, seat: Seat) -> int:
    """Note that a seat came to the shift it has now; return how many shifts that were. Told by the line when a seat signs in."""
    rows = Shift.objects.filter(seat=seat, is_live=True, came_at=None, from_at__lte=now, to_at__gt=now)
    return int(rows.update(came_at=now, changed_at=now))
