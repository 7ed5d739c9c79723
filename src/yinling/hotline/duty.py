"""Who is on duty when: coverage to the minute, rotation, fairness and what stands against a shift (R-CALL-03, X-CAL-06).

Pure: people are numbers, times are half-open. The rows of the roster are made into ``Post``s by the queries.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from yinling.kernel.period import ONE_DAY, SHANGHAI, add_months, local_date, local_midnight, month_start, week_start
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_

ROTATIONS = (("3x8", N_("三班制（每班8小时）")), ("2x12", N_("两班制（每班12小时）")), ("free", N_("自由排班")))
LONGEST_DAYS = 62
WEEK = timedelta(days=7)
_NOTHING = timedelta()
_DEEP_NIGHT = time(3)
"""Who is on duty at three in the morning works a night."""


@dataclass(frozen=True, order=True)
class Post:
    """One person on duty from when to when; ``key`` is the row of the shift, if there is one."""

    start: datetime
    end: datetime
    who: int
    key: int = 0

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True)
class Hole:
    """A time in which people are missing, and how many."""

    start: datetime
    end: datetime
    missing: int


@dataclass(frozen=True)
class Level:
    """A time in which the same number of people is on duty."""

    start: datetime
    end: datetime
    count: int


@dataclass(frozen=True)
class Fault:
    """What must not be: two posts at once, too little rest, a shift in a leave; or what is warned of: a long week."""

    kind: str
    who: int
    start: datetime
    end: datetime
    minutes: int = 0


FAULTS = {
    "two_posts": N_("同一时间排了两个岗"),
    "rest": N_("两班之间休息不足"),
    "leave": N_("请假期间排了班"),
    "week": N_("一周工时超过上限"),
}
FORBIDDEN = ("two_posts", "rest", "leave")


def _counts(posts: Iterable[Post], borders: Sequence[datetime]) -> list[int]:
    """How many different people are on duty between each two borders; every end of a post must be a border or lie outside."""
    first, last = borders[0], borders[-1]
    comings: dict[datetime, list[tuple[int, int]]] = defaultdict(list)
    for post in posts:
        start, end = max(post.start, first), min(post.end, last)
        if start < end:
            comings[start].append((post.who, 1))
            comings[end].append((post.who, -1))
    present: Counter[int] = Counter()
    found = []
    for border in borders[:-1]:
        for who, step in comings[border]:
            present[who] += step
        found.append(sum(1 for count in present.values() if count))
    return found


def _borders(posts: Iterable[Post], start: datetime, end: datetime) -> list[datetime]:
    inner = {moment for post in posts for moment in (post.start, post.end) if start < moment < end}
    return sorted({start, end, *inner})


def levels(posts: Collection[Post], start: datetime, end: datetime) -> list[Level]:
    """Return how many people are on duty from the start to the end, in as few pieces as possible."""
    borders = _borders(posts, start, end)
    found: list[Level] = []
    for (left, right), count in zip(pairwise(borders), _counts(posts, borders), strict=True):
        if found and found[-1].count == count:
            found[-1] = Level(found[-1].start, right, count)
        else:
            found.append(Level(left, right, count))
    return found


def holes(posts: Collection[Post], start: datetime, end: datetime, least: int) -> list[Hole]:
    """Return every time with fewer than ``least`` people: none means no uncovered minute (R-CALL-03)."""
    return [
        Hole(one.start, one.end, least - one.count) for one in levels(posts, start, end) if one.count < least
    ]  # fmt: skip


def worse(before: Collection[Post], after: Collection[Post], start: datetime, end: datetime, least: int) -> list[Hole]:
    """Return the holes that a change opens or widens; one that was there before and stays as it was is not the change's fault."""
    borders = _borders([*before, *after], start, end)
    found: list[Hole] = []
    was, now = _counts(before, borders), _counts(after, borders)
    for (left, right), old, new in zip(pairwise(borders), was, now, strict=True):
        if new >= min(old, least):
            continue
        if found and found[-1].end == left and found[-1].missing == least - new:
            found[-1] = Hole(found[-1].start, right, least - new)
        else:
            found.append(Hole(left, right, least - new))
    return found


def faults(
    posts: Iterable[Post], leaves: Mapping[int, Sequence[tuple[datetime, datetime]]], *, rest: timedelta, week_hours: int
) -> list[Fault]:  # fmt: skip
    """Return what stands against the shifts of each person, in the order of time."""
    found = []
    for who, own in _by_person(posts).items():
        for one, after in pairwise(own):
            gap = after.start - one.end
            if gap < rest:
                kind = "two_posts" if gap < _NOTHING else "rest"
                found.append(Fault(kind, who, after.start, after.end, max(gap, _NOTHING) // timedelta(minutes=1)))
        found += [
            Fault("leave", who, post.start, post.end)
            for post in own
            if any(start < post.end and post.start < end for start, end in leaves.get(who, ()))
        ]
        found += _long_weeks(who, own, week_hours)
    return sorted(found, key=lambda fault: (fault.start, fault.who, fault.kind))


def _by_person(posts: Iterable[Post]) -> dict[int, list[Post]]:
    people: dict[int, list[Post]] = defaultdict(list)
    for post in sorted(posts):
        people[post.who].append(post)
    return people


def _long_weeks(who: int, own: Sequence[Post], week_hours: int) -> list[Fault]:
    """Weeks from Monday to Sunday in which a person works longer than allowed (X-CAL-05)."""
    weeks: Counter[date] = Counter()
    for post in own:
        for start, end in _days(post):
            weeks[week_start(local_date(start))] += (end - start) // timedelta(minutes=1)
    return [
        Fault("week", who, local_midnight(monday), local_midnight(monday + WEEK), minutes)
        for monday, minutes in sorted(weeks.items())
        if minutes > week_hours * 60
    ]


def _days(post: Post) -> list[tuple[datetime, datetime]]:
    """A shift cut at each local midnight."""
    cuts = [post.start]
    while (midnight := local_midnight(local_date(cuts[-1]) + ONE_DAY)) < post.end:
        cuts.append(midnight)
    return list(pairwise([*cuts, post.end]))


def is_night(start: datetime, end: datetime) -> bool:
    """Whether a shift holds three in the morning."""
    middle = datetime.combine(local_date(start), _DEEP_NIGHT, SHANGHAI)
    return any(start <= moment < end for moment in (middle, middle + ONE_DAY))


@dataclass
class Share:
    """What one person has of a roster: minutes, shifts, nights, and minutes on days on which offices are closed."""

    who: int
    minutes: int = 0
    shifts: int = 0
    nights: int = 0
    off_minutes: int = 0


def fairness(posts: Iterable[Post], people: Sequence[int], is_off: Callable[[date], bool]) -> list[Share]:
    """Return the share of each person, those without any shift too, most hours first."""
    shares = {who: Share(who) for who in people}
    for post in posts:
        share = shares.setdefault(post.who, Share(post.who))
        share.shifts += 1
        share.minutes += post.length // timedelta(minutes=1)
        share.nights += is_night(post.start, post.end)
        share.off_minutes += _off_minutes(post, is_off)
    return sorted(shares.values(), key=lambda share: (-share.minutes, share.who))


def _off_minutes(post: Post, is_off: Callable[[date], bool]) -> int:
    return sum((end - start) // timedelta(minutes=1) for start, end in _days(post) if is_off(local_date(start)))


def slots(start: datetime, end: datetime, clock_times: Sequence[str]) -> list[tuple[datetime, datetime]]:
    """Cut a time at the same hours of each local day: the shifts of a rotation. The first and the last may be shorter."""
    if not clock_times:
        return []
    hours = [time.fromisoformat(text) for text in clock_times]
    cuts, day = {start, end}, local_date(start)
    while local_midnight(day) < end:
        moments = (datetime.combine(day, hour, SHANGHAI).astimezone(start.tzinfo) for hour in hours)
        cuts |= {moment for moment in moments if start < moment < end}
        day += ONE_DAY
    return list(pairwise(sorted(cuts)))


def fits(span: tuple[datetime, datetime], posts: Iterable[Post], rest: timedelta) -> bool:
    """Whether one person with these shifts may take one more: no two posts, and rest before and after (X-CAL-06)."""
    start, end = span
    return all(post.end + rest <= start or end + rest <= post.start for post in posts)


def is_away(span: tuple[datetime, datetime], leaves: Iterable[tuple[datetime, datetime]]) -> bool:
    """Whether a leave touches a time."""
    return any(start < span[1] and span[0] < end for start, end in leaves)


@dataclass
class _Turn:
    """How much somebody has had so far while a rotation is being filled."""

    minutes: float = 0
    nights: int = 0
    off_minutes: int = 0
    last: datetime | None = None
    posts: list[Post] = field(default_factory=list)


def fill(
    shifts: Sequence[tuple[datetime, datetime]], people: Sequence[int], *, least: int, taken: Iterable[Post],
    leaves: Mapping[int, Sequence[tuple[datetime, datetime]]], rest: timedelta, is_off: Callable[[date], bool],
) -> list[Post]:  # fmt: skip
    """Give each shift to the people whose turn it is: fewest hours, then nights and days off in turn, then longest without.

    ``taken`` are their shifts elsewhere. Who is on leave is not made to work it off. Where nobody may, the place stays empty.
    """
    turns = {who: _Turn() for who in people}
    for post in taken:
        if post.who in turns:
            turns[post.who].posts.append(post)
    found: list[Post] = []
    longest = max(((end - start) // timedelta(minutes=1) for start, end in shifts), default=1)
    for span in shifts:
        minutes = (span[1] - span[0]) // timedelta(minutes=1)
        away = {who for who in people if is_away(span, leaves.get(who, ()))}
        for who in away:
            turns[who].minutes += minutes * least / max(1, len(people) - len(away))
        free = [who for who in people if who not in away and fits(span, turns[who].posts, rest)]
        free.sort(key=lambda who: _turn_of(turns[who], span, is_off, longest, people.index(who)))
        found += [_give(turns[who], Post(*span, who), is_off) for who in free[:least]]
    return found


def _turn_of(
    turn: _Turn, span: tuple[datetime, datetime], is_off: Callable[[date], bool], longest: int, place: int
) -> tuple[int, int, int, bool, datetime, int]:
    """Hours count in whole shifts: a short first one must not give somebody all the nights."""
    nights = turn.nights if is_night(*span) else -turn.nights
    off = turn.off_minutes if is_off(local_date(span[0])) else 0
    return round(turn.minutes / longest), nights, off, turn.last is not None, turn.last or span[0], place


def _give(turn: _Turn, post: Post, is_off: Callable[[date], bool]) -> Post:
    turn.minutes += post.length // timedelta(minutes=1)
    turn.nights += is_night(post.start, post.end)
    turn.off_minutes += _off_minutes(post, is_off)
    turn.last = post.end
    turn.posts.append(post)
    return post


def following(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return the time after a roster: the next month after a whole one, otherwise as long again."""
    first, last = local_date(start), local_date(end)
    whole = start == local_midnight(month_start(first)) and end == local_midnight(add_months(month_start(first), 1))
    return end, local_midnight(add_months(last, 1)) if whole else end + (end - start)


def repeated(posts: Iterable[Post], source: tuple[datetime, datetime], target: tuple[datetime, datetime]) -> list[Post]:
    """Return the shifts of a roster moved into the time after it, each on the same weekday; what does not fit is cut at the end."""
    length = source[1] - source[0]
    step = length // WEEK * WEEK if length >= WEEK else length
    found = []
    for post in sorted(posts):
        if post.start < source[1] - step:
            continue
        start, end = post.start + step, post.end + step
        while start < target[1]:
            found.append(Post(start, min(end, target[1]), post.who))
            start, end = start + step, end + step
    return sorted(found)


def pieces(post: Post, leave: tuple[datetime, datetime]) -> list[tuple[datetime, datetime]]:
    """What is left of a shift beside a leave."""
    parts = [(post.start, min(post.end, leave[0])), (max(post.start, leave[1]), post.end)]
    return [(start, end) for start, end in parts if start < end]


# Refusals


def is_mobile(number: str) -> bool:
    """Whether a short message reaches a number."""
    return re.fullmatch(r"1[3-9]\d{9}", number, re.ASCII) is not None


def told(start: datetime, end: datetime) -> str:
    """A time as people write it: ``2026-06-15 08:00–10:30``, with the second day where it is another; midnight ends a day as 24:00."""
    first, last = start.astimezone(SHANGHAI), end.astimezone(SHANGHAI)
    until, day = f"{last:%H:%M}", last.date()
    if last.time() == time():
        until, day = "24:00", day - ONE_DAY
    return f"{first:%Y-%m-%d %H:%M}–{until}" if day == first.date() else f"{first:%Y-%m-%d %H:%M}–{day:%m-%d} {until}"


def hours_told(start: datetime, end: datetime) -> str:
    """The hours alone: ``16:00–24:00``."""
    first, last = start.astimezone(SHANGHAI), end.astimezone(SHANGHAI)
    return f"{first:%H:%M}–24:00" if last.time() == time() else f"{first:%H:%M}–{last:%H:%M}"


def check_span(start: datetime, end: datetime, *, field: str = "to_at") -> None:
    """A time goes forwards and is made of whole minutes."""
    if end <= start:
        raise Refused("duty.backwards", N_("结束时间应晚于开始时间"), field=field)
    if any(moment.second or moment.microsecond for moment in (start, end)):
        raise Refused("duty.minutes", N_("时间请精确到分钟，不填秒"), field=field)


def check_roster_span(start: datetime, end: datetime, now: datetime) -> None:
    """A roster lies ahead and is at most two months long."""
    check_span(start, end)
    if end <= now:
        raise Refused("roster.past", N_("这段时间已经过去，请重新选择"), field="to_at")
    if end - start > timedelta(days=LONGEST_DAYS):
        raise Refused("roster.long", N_("一张排班表最长%(days)s天，请分开编制"), field="to_at", days=LONGEST_DAYS)


def check_shift_span(span: tuple[datetime, datetime], roster: tuple[datetime, datetime], *, longest: timedelta) -> None:
    """A shift lies in its roster and is not longer than allowed."""
    check_span(*span)
    if span[0] < roster[0] or span[1] > roster[1]:
        raise Refused("shift.outside", N_("班次应在排班表的时间之内：%(span)s"), field="from_at", span=told(*roster))
    if span[1] - span[0] > longest:
        hours = longest // timedelta(hours=1)
        raise Refused("shift.long", N_("一个班次最长%(hours)s小时，请分给两个人"), field="to_at", hours=hours)


def check_holes(found: Sequence[Hole]) -> None:
    """Refuse to publish while one minute is uncovered; name the first hole and how many more there are (R-CALL-03)."""
    if found:
        raise Refused(
            "roster.hole", N_("%(span)s 还缺%(missing)s人，共有%(count)s处缺口。请先补齐再发布"), span=told(found[0].start, found[0].end),
            missing=found[0].missing, count=len(found),
        )  # fmt: skip


def check_change(found: Sequence[Hole]) -> None:
    """Refuse a change of a published roster that opens a hole."""
    if found:
        raise Refused(
            "roster.opens_hole", N_("这样改后 %(span)s 缺%(missing)s人。请先安排别人顶班"), span=told(found[0].start, found[0].end),
            missing=found[0].missing,
        )  # fmt: skip


def check_faults(found: Iterable[Fault], numbers: Mapping[int, str], *, rest: timedelta) -> None:
    """Refuse two posts, too little rest and a shift in a leave, naming the seat and the time (X-CAL-06)."""
    first = next((fault for fault in found if fault.kind in FORBIDDEN), None)
    if first is None:
        return
    values = {"seat": numbers.get(first.who, str(first.who)), "span": told(first.start, first.end)}
    if first.kind == "rest":
        hours = rest // timedelta(hours=1)
        raise Refused(
            "shift.rest",
            N_("坐席%(seat)s在 %(span)s 这一班前的休息不足%(hours)s小时，请另选一人"),
            hours=hours,
            **values,
        )
    if first.kind == "leave":
        raise Refused("shift.leave", N_("坐席%(seat)s在 %(span)s 请假，请另选一人"), **values)
    raise Refused("shift.two_posts", N_("坐席%(seat)s在 %(span)s 已有另一个班次，请另选一人"), **values)


def check_not_begun(start: datetime, now: datetime, *, what: str = "shift") -> None:
    """What has begun is history."""
    if start <= now:
        sentence = {
            "shift": N_("这个班次已经开始，不能再改。请改排后面的班次，或登记病假"),
            "roster": N_("这张排班表已经开始执行，不能撤回。请直接调整后面的班次"),
        }
        raise NotAllowed(f"{what}.begun", sentence[what])
