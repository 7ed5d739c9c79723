"""Decisions of the line: who is first, which seat gets whom, when a call goes further, and whom a seat may dial. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.kernel.words import N_

SOS, MARKED, ORDINARY = 0, 1, 2
MOST_OFFERS = 5
"""A waiting SIP transaction has room for no more branches: after this the call waits in one place."""
MISSES_TO_PAUSE = 2
MISSES_TO_OVERFLOW = 2
STANDARD_SPEECH = ("", "普通话", "国语")


@dataclass(frozen=True)
class Waiting:
    """A call that waits for a seat."""

    call_id: int
    div: str
    rank: int
    rang_at: datetime
    group_id: int | None
    skills: frozenset[str] = frozenset()
    tried: frozenset[int] = frozenset()
    """Users it was offered to in vain."""


@dataclass(frozen=True)
class FreeSeat:
    """A seat that is ready, has no call and none ringing. ``user_id`` is the person, as calls name them."""

    seat_id: int
    user_id: int
    div: str
    group_id: int
    idle_since: datetime
    skills: frozenset[str] = frozenset()


def rank_of(
    *, is_sos: bool, circumstances: Collection[str], levels: Collection[str], marked_circumstances: Collection[str],
    marked_levels: Collection[str],
) -> int:  # fmt: skip
    """Return the place of a call: an alarm button first, then elders who are marked by circumstance or level, then all others."""
    if is_sos:
        return SOS
    is_marked = set(circumstances) & set(marked_circumstances) or set(levels) & set(marked_levels)
    return MARKED if is_marked else ORDINARY


def wanted_skills(*, dialect: str, circumstances: Collection[str], skill_of: Mapping[str, str]) -> list[str]:
    """Return which skills the elder's seat should have: the dialect, and what a circumstance calls for."""
    found = {skill_of[one] for one in circumstances if one in skill_of}
    if dialect.strip() not in STANDARD_SPEECH:
        found.add("dialect")
    return sorted(found)


def in_order(calls: Iterable[Waiting]) -> list[Waiting]:
    """Sort calls as they are served: rank, then the longest wait."""
    return sorted(calls, key=lambda call: (call.rank, call.rang_at, call.call_id))


def suits(call: Waiting, seat: FreeSeat, now: datetime) -> bool:
    """Whether a seat may get a call at all: its group, an area that covers the call, and rested since the last one (an alarm does not wait)."""
    is_rested = seat.idle_since <= now or call.rank == SOS
    return seat.group_id == call.group_id and call.div.startswith(seat.div) and is_rested


def preference(call: Waiting, seat: FreeSeat) -> tuple[bool, bool, datetime, int]:
    """Return how well a seat fits, the smallest best: not tried before, all wanted skills, longest idle."""
    return (seat.user_id in call.tried, not call.skills <= seat.skills, seat.idle_since, seat.seat_id)


def pairs(calls: Iterable[Waiting], seats: Sequence[FreeSeat], now: datetime) -> Iterator[tuple[Waiting, FreeSeat]]:
    """Yield which call may go to which seat, the best first: the head of the queue with its best seat, its second best, the next call ..."""
    for call in in_order(calls):
        fitting = [seat for seat in seats if suits(call, seat, now)]
        for seat in sorted(fitting, key=lambda seat: preference(call, seat)):
            yield call, seat


@dataclass(frozen=True)
class Standing:
    """How a waiting call stands in its group."""

    waited_s: float
    place: int
    """How many groups it has passed already."""
    misses: int
    """Offers in vain in the present group."""
    offers: int
    is_staffed: bool
    """Somebody of the group is signed in, or a live shift says so."""
    has_overflow: bool
    has_duty: bool


def next_step(standing: Standing, *, overflow_s: int) -> str:
    """Return what becomes of a waiting call: wait, overflow (to the next group), divert (to the duty phone) or message.

    Nobody is left without an answer: a call for which nobody is there, and no duty phone, is asked for a message.
    """
    is_late = standing.waited_s >= overflow_s * (standing.place + 1)
    has_failed = standing.misses >= MISSES_TO_OVERFLOW or is_late
    if standing.is_staffed and standing.offers < MOST_OFFERS and not has_failed:
        return "wait"
    if standing.has_overflow and standing.offers < MOST_OFFERS:
        return "overflow"
    if standing.has_duty:
        return "divert"
    return "wait" if standing.is_staffed else "message"


# Numbers

MOBILE = re.compile(r"1(?!60|68)[3-9]\d{9}", re.ASCII)
LANDLINE = re.compile(r"0(10|2\d|[3-9]\d{2})\d{7,8}", re.ASCII)
LOCAL = re.compile(r"[2-8]\d{6,7}", re.ASCII)
SHORT = ("110", "119", "120", "122", "12345", "12349", "12333", "12320", "12356", "12338", "12348")
"""Services of the state that a seat may have to call."""


def plain_number(text: str) -> str:
    """Return a number as it is dialled inside the country: no spaces, no country code, no leading zero before a mobile number."""
    digits = re.sub(r"[\s().-]", "", text)
    digits = re.sub(r"^(\+|00)86", "", digits)
    return digits[1:] if re.fullmatch(r"01[3-9]\d{9}", digits, re.ASCII) else digits


def check_domestic(digits: str, *, field: str) -> None:
    """Refuse a number in plain form that is not one of the mainland, or that is paid for."""
    if not any(form.fullmatch(digits) for form in (MOBILE, LANDLINE, LOCAL)) and digits not in SHORT:
        raise Refused(
            "dial.number", N_("只能拨打内地的手机、固定电话和公共服务短号，不能拨打境外号码和收费号码"), field=field
        )


def check_dial(number: str, *, calls_this_hour: int, most_an_hour: int) -> str:
    """Return the number in plain form; refuse what a seat must never dial (toll fraud) and more calls an hour than a person makes.

    Only numbers of the mainland: mobile, land line, local, and the named short numbers. No foreign prefix, no premium number (16x, 400 is
    paid by both sides and is refused too), no star codes.
    """
    digits = plain_number(number)
    if not digits:
        raise Refused("dial.empty", N_("请填写要拨打的号码"), field="number")
    check_domestic(digits, field="number")
    if calls_this_hour >= most_an_hour:
        raise NotAllowed("dial.too_many", N_("本小时外呼已达上限 %(most)s 次，请稍后再拨或联系班长"), most=most_an_hour)
    return digits


# Seats


def check_own_seat(*, user_id: int, actor_id: int | None, is_leader: bool) -> None:
    """A seat changes its own state; the leader may take anybody off the line."""
    if user_id != actor_id and not is_leader:
        raise Denied("seat.not_own", N_("只能改变自己的坐席状态，请联系班长"))


def check_not_talking(*, is_talking: bool) -> None:
    """Nobody leaves in the middle of a call."""
    if is_talking:
        raise NotAllowed("seat.talking", N_("正在通话中，请先挂断或转接"))


def check_same_call(*, answered_by: int | None, seat_id: int) -> None:
    """Only the seat in the call puts it on hold or passes it on."""
    if answered_by != seat_id:
        raise Denied("call.other_seat_line", N_("这通来电不在您的线路上，只能由通话中的坐席操作"))


def check_transfer(*, is_free: bool, is_near: bool, is_same: bool) -> None:
    """A call is passed on to another seat that is free and may see the caller."""
    if is_same:
        raise Refused("transfer.self", N_("不能转给自己，请选择另一位坐席"), field="to_seat_id")
    if not is_free:
        raise NotAllowed("transfer.busy", N_("这位坐席没有就绪，请选择另一位坐席"))
    if not is_near:
        raise Refused("transfer.area", N_("这位坐席不负责来电人所在的区划，请选择另一位坐席"), field="to_seat_id")


def check_extension(number: str) -> None:
    """An extension is three to six digits."""
    if not re.fullmatch(r"[1-9]\d{2,5}", number, re.ASCII):
        raise Refused("seat.number", N_("分机号是 3 到 6 位数字，不以 0 开头"), field="number")


def check_chain(group_id: int, next_id: int | None, overflow_of: Mapping[int, int | None]) -> None:
    """Groups must not send calls round in a circle."""
    seen = {group_id}
    while next_id is not None:
        if next_id in seen:
            raise Refused("group.circle", N_("溢出班组绕回了本班组，请另选一个"), field="overflow_id")
        seen.add(next_id)
        next_id = overflow_of.get(next_id)


def check_late(*, rang_at: datetime, answered_at: datetime | None, ended_at: datetime, now: datetime) -> None:
    """What is entered afterwards happened before, in its order."""
    if not rang_at <= (answered_at or rang_at) <= ended_at <= now:
        raise Refused("call.order", N_("时间顺序应为：来电、接听、结束，且不晚于现在"), field="ended_at")


# Call-backs


def check_open(*, state: str) -> None:
    """Nothing is done with a task that is over."""
    if state != "open":
        raise NotAllowed("callback.over", N_("这个回拨任务已结束，请刷新页面"))


def check_promise(*, at: datetime, now: datetime, is_reachable: bool) -> None:
    """A promise is for later, and for somebody whose number is known."""
    if not is_reachable:
        raise Refused("callback.nobody", N_("来电人没有号码，无法回拨；请先确认来电人"))
    if at <= now:
        raise Refused("callback.past", N_("约定的时间应晚于现在"), field="at")


def check_callback_free(*, seat_id: int | None, actor_id: int | None) -> None:
    """Two seats do not call the same person."""
    if seat_id is not None and seat_id != actor_id:
        raise NotAllowed("callback.taken", N_("另一位坐席正在处理这个回拨任务，请选择其他任务"))


def check_score(*, kind: str, score: int | None) -> None:
    """A call about satisfaction ends with one to five points, no other has any."""
    if kind == "satisfaction" and (score is None or not 1 <= score <= 5):  # noqa: PLR2004 - the scale people are asked for
        raise Refused("callback.score", N_("满意度为 1 到 5 分，请询问后填写"), field="score")
    if kind != "satisfaction" and score is not None:
        raise Refused("callback.no_score", N_("只有满意度回访才填写分数"), field="score")


# People


def missing_people(*, leaders: int, seats: int, least: tuple[int, int]) -> tuple[int, int]:
    """Return how many leaders and how many seats a line lacks (X-CALL-01)."""
    return max(0, least[0] - leaders), max(0, least[1] - seats)
