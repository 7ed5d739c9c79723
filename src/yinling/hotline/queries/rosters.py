"""Reading the duty roster: coverage, faults, shares, whom to call, and what waits for an answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from yinling.directory.models import Grant
from yinling.directory.queries import ancestors, working_calendar
from yinling.directory.states import GrantState
from yinling.ground.parameters import parameter
from yinling.hotline.duty import Fault, Hole, Post, Share, fairness, faults, fits, holes, is_away, pieces, worse
from yinling.hotline.models import Call, Roster, Seat, SeatGroup, SeatLeave, SeatSpan, Shift, ShiftSwap
from yinling.hotline.states import LeaveState, RosterState, SeatState, SwapState
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date

_NONE = timedelta()
Leaves = dict[int, list[tuple[datetime, datetime]]]


@dataclass(frozen=True)
class DutyRules:
    """The parameters of a day in an area."""

    rest: timedelta
    longest: timedelta
    week_hours: int
    late: timedelta
    ahead: timedelta
    rotations: dict[str, list[str]]


def duty_rules(div: str, on: date) -> DutyRules:
    """Return what holds for rosters in an area (X-CAL-06)."""

    def number(key: str) -> int:
        return int(parameter(f"duty.{key}", div, on))

    return DutyRules(
        timedelta(hours=number("rest_hours")), timedelta(hours=number("longest_hours")), number("week_hours"),
        timedelta(minutes=number("late_minutes")), timedelta(days=number("ahead_days")), parameter("duty.rotations", div, on),
    )  # fmt: skip


def rosters(actor: Actor) -> QuerySet[Roster]:
    """Rosters, newest time first."""
    return Roster.objects.visible_to(actor).select_related("group", "published_by").order_by("-from_at", "-pk")


def shifts_of(roster: Roster) -> QuerySet[Shift]:
    """The shifts of a roster that stand, in the order of time."""
    rows = Shift.objects.filter(roster=roster, is_out=False)
    return rows.select_related("seat__user").order_by("from_at", "seat__number", "pk")


def posts_of(rows: Iterable[Shift]) -> list[Post]:
    """Shifts as the rules take them."""
    return [Post(row.from_at, row.to_at, row.seat_id, row.pk) for row in rows]


def posts_elsewhere(
    seat_ids: Iterable[int], start: datetime, end: datetime, *, but: Sequence[int], margin: timedelta
) -> list[Post]:
    """The published shifts of some seats near a time, in other rosters than those named."""
    rows = Shift.objects.filter(
        seat_id__in=list(seat_ids), is_live=True, from_at__lt=end + margin, to_at__gt=start - margin
    )
    return posts_of(rows.exclude(roster_id__in=but))


def leaves_between(seat_ids: Iterable[int], start: datetime, end: datetime) -> Leaves:
    """The granted leaves of some seats that touch a time, by seat."""
    rows = SeatLeave.objects.filter(
        seat_id__in=list(seat_ids), state=LeaveState.GRANTED, from_at__lt=end, to_at__gt=start
    )
    found: Leaves = defaultdict(list)
    for row in rows.order_by("from_at"):
        found[row.seat_id].append((row.from_at, row.to_at))
    return dict(found)


def seats_of_group(group: SeatGroup) -> QuerySet[Seat]:
    """The seats of a group that have not left, by extension."""
    return Seat.objects.filter(group=group, left_on=None).select_related("user").order_by("number")


def faults_of(roster: Roster, posts: Sequence[Post], rules: DutyRules, *, moving: Sequence[int] = ()) -> list[Fault]:
    """What stands against the shifts of a roster, with those of its people elsewhere in sight but for those on the move."""
    people = {post.who for post in posts}
    margin = rules.longest + rules.rest
    near = [
        post
        for post in posts_elsewhere(people, roster.from_at, roster.to_at, but=[roster.pk], margin=margin)
        if post.key not in moving
    ]
    leaves = leaves_between(people, roster.from_at, roster.to_at)
    found = faults([*posts, *near], leaves, rest=rules.rest, week_hours=rules.week_hours)
    touching = rules.rest  # a shift just after the roster may follow one of its own too soon
    return [
        one
        for one in found
        if one.start < roster.to_at + (_NONE if one.kind == "week" else touching) and roster.from_at < one.end
    ]


def holes_of(roster: Roster, since: datetime | None = None) -> list[Hole]:
    """The holes of a roster, from a moment on."""
    start = max(roster.from_at, since) if since else roster.from_at
    posts = posts_of(Shift.objects.filter(roster=roster, is_out=False))
    return holes(posts, start, roster.to_at, roster.least) if start < roster.to_at else []


def published_holes(actor: Actor, now: datetime) -> list[tuple[Roster, list[Hole]]]:
    """Published rosters that no longer hold, with what is uncovered from now on: one query."""
    rows = Roster.objects.visible_to(actor).filter(state=RosterState.PUBLISHED, to_at__gt=now).select_related("group")
    found = []
    by_roster: dict[int, list[Post]] = defaultdict(list)
    live = Shift.objects.visible_to(actor).filter(is_live=True, to_at__gt=now)
    for roster_id, post in [(row.roster_id, Post(row.from_at, row.to_at, row.seat_id)) for row in live]:
        by_roster[roster_id].append(post)
    for roster in rows.order_by("from_at"):
        missing = holes(by_roster[roster.pk], max(roster.from_at, now), roster.to_at, roster.least)
        if missing:
            found.append((roster, missing))
    return found


def shares_of(posts: Sequence[Post], people: Sequence[int]) -> list[Share]:
    """Hours, nights and days off of each person, by the official calendar."""
    return fairness(posts, people, day_off())


def day_off() -> Callable[[date], bool]:
    """Return the question whether offices are closed on a day."""
    calendar = working_calendar()
    return lambda day: not calendar.is_working(day)


def candidates(group: SeatGroup, start: datetime, end: datetime, *, but: Sequence[int] = ()) -> list[Seat]:
    """Whom to call for a time: seats of the group that are free, rested and not on leave."""
    rules = duty_rules(group.div, local_date(start))
    seats = [seat for seat in seats_of_group(group) if seat.pk not in but]
    ids = [seat.pk for seat in seats]
    leaves = leaves_between(ids, start, end)
    near = posts_elsewhere(ids, start, end, but=[], margin=rules.rest + rules.longest)
    span = (start, end)
    return [
        seat
        for seat in seats
        if not is_away(span, leaves.get(seat.pk, ()))
        and fits(span, [one for one in near if one.who == seat.pk], rules.rest)
    ]


def covered_until(group: SeatGroup, now: datetime) -> datetime | None:
    """Until when published rosters follow one another from now on; none if the group has no roster in force."""
    until = None
    rows = Roster.objects.filter(group=group, state=RosterState.PUBLISHED, to_at__gt=now).order_by("from_at")
    for start, end in rows.values_list("from_at", "to_at"):
        if start > (until or now):
            break
        until = end
    return until


def groups_running_out(actor: Actor, now: datetime) -> list[SeatGroup]:
    """Groups that work by rosters and whose published ones end soon."""
    ever = Roster.objects.filter(group=OuterRef("pk"), published_at__isnull=False)
    rows = SeatGroup.objects.visible_to(actor).filter(Exists(ever), is_active=True).order_by("pk")
    return [row for row in rows if is_running_out(row, now)]


def is_running_out(group: SeatGroup, now: datetime) -> bool:
    """Whether less time is covered than the leader needs to plan anew."""
    until = covered_until(group, now)
    return until is None or until < now + duty_rules(group.div, local_date(now)).ahead


def unchecked_shifts(actor: Actor, now: datetime) -> list[Shift]:
    """Published shifts that run, of which nobody knows yet whether the seat came, begun long enough ago."""
    rows = Shift.objects.visible_to(actor).filter(is_live=True, came_at=None, missed_at=None)
    running = rows.filter(from_at__lte=now, to_at__gt=now).order_by("from_at", "pk")
    return [row for row in running if row.from_at + duty_rules(row.div, local_date(now)).late <= now]


def first_seen(shift: Shift, now: datetime) -> datetime | None:
    """When the seat first was ready or talking in a shift, if it was."""
    spans = SeatSpan.objects.filter(
        Q(to_at=None) | Q(to_at__gt=shift.from_at), seat_id=shift.seat_id, state=SeatState.READY, from_at__lt=min(now, shift.to_at)
    )  # fmt: skip
    talks = Call.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=shift.from_at), seat_id=shift.seat.user_id, answered_at__lt=min(now, shift.to_at)
    )  # fmt: skip
    moments = list(spans.values_list("from_at", flat=True))
    moments += [at for at in talks.values_list("answered_at", flat=True) if at is not None]
    return max(shift.from_at, min(moments)) if moments else None


def leaders_of(group: SeatGroup) -> list[int]:
    """The logins to alarm: the leaders among the group's seats, and who leads the line in its area."""
    own = Seat.objects.filter(group=group, is_leader=True, left_on=None).values_list("user_id", flat=True)
    granted = Grant.objects.filter(role="line_leader", state=GrantState.ACTIVE, div__in=ancestors(group.div))
    return sorted({*own, *granted.values_list("user_id", flat=True)})


def next_on_call(group: SeatGroup, now: datetime, *, but: int = 0) -> list[Seat]:
    """The seats whose shift of the group begins next."""
    rows = Shift.objects.filter(roster__group=group, is_live=True, from_at__gt=now).exclude(seat_id=but)
    first = rows.order_by("from_at").values_list("from_at", flat=True).first()
    if first is None:
        return []
    return [row.seat for row in rows.filter(from_at=first).select_related("seat__user").order_by("seat__number")]


@dataclass(frozen=True)
class AbsenceEffect:
    """What somebody's absence does: the shifts it touches, the holes it opens, and whom to call for the first."""

    shifts: list[Shift]
    holes: list[Hole]
    callable: list[Seat]


def leave_effect(leave: SeatLeave, now: datetime) -> AbsenceEffect:
    """Return what granting a leave does."""
    return absence_effect(leave.seat, leave.from_at, leave.to_at, now)


def absence_effect(seat: Seat, away_from: datetime, away_to: datetime, now: datetime) -> AbsenceEffect:
    """Return what is uncovered in published rosters once somebody is away."""
    touched = Shift.objects.filter(seat=seat, is_live=True, from_at__lt=away_to, to_at__gt=away_from)
    shifts = list(touched.select_related("roster__group").order_by("from_at"))
    found: list[Hole] = []
    for roster in {row.roster_id: row.roster for row in shifts}.values():
        start = max(roster.from_at, now)
        before = posts_of(Shift.objects.filter(roster=roster, is_out=False))
        after = [post for post in before if post.who != seat.pk]
        for post in (one for one in before if one.who == seat.pk):
            after += [Post(first, last, post.who) for first, last in pieces(post, (away_from, away_to))]
        if start < roster.to_at:
            found += worse(before, after, start, roster.to_at, roster.least)
    others = candidates(seat.group, found[0].start, found[0].end, but=[seat.pk]) if found else []
    return AbsenceEffect(shifts, found, others)


def seat_of_user(user_id: int | None) -> Seat | None:
    """The seat of a login, if it has one that has not left."""
    if user_id is None:
        return None
    return Seat.objects.filter(user_id=user_id, left_on=None).select_related("user", "group").first()


def shifts_ahead(seat: Seat, now: datetime) -> QuerySet[Shift]:
    """One's own published shifts that are not over."""
    rows = Shift.objects.filter(seat=seat, is_live=True, to_at__gt=now)
    return rows.select_related("roster__group").order_by("from_at")


def swaps(actor: Actor, *, only_open: bool = False) -> QuerySet[ShiftSwap]:
    """Wishes to swap, newest first."""
    rows = ShiftSwap.objects.visible_to(actor)
    if only_open:
        rows = rows.filter(state__in=[SwapState.ASKED, SwapState.AGREED])
    return rows.select_related("shift__seat__user", "shift__roster__group", "to_seat__user", "back").order_by("-pk")


def seat_leaves(actor: Actor) -> QuerySet[SeatLeave]:
    """Leaves of seats, newest first."""
    return SeatLeave.objects.visible_to(actor).select_related("seat__user", "seat__group").order_by("-from_at", "-pk")
