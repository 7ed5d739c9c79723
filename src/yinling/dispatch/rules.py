"""Who may go: one mask of carer and order, with a reason for each exclusion. Shared by ranking and by the check of a manual choice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import blake2b

from yinling.kernel.period import SHANGHAI, local_date
from yinling.kernel.refusals import Denied, Refused, Stale
from yinling.kernel.words import N_

INDUCTION = "induction"
DOCTOR = "doctor"
DOCTOR_PAPERS = ((DOCTOR, N_("医师执业证")), ("filing", N_("执业机构备案")))
"""What a doctor needs to serve under an organisation: registration in the region and a filing for that organisation (R-STF-03)."""
CODES = {INDUCTION: "induction", "filing": "filing"}
SEXES = {"1": N_("男"), "2": N_("女")}


@dataclass(frozen=True)
class Job:
    """What is to be done: when, where, for whom, by whose staff, with which qualifications (kind and name).

    ``against_body`` holds what stops the organisation itself on that day, as code and sentence (R-ORD-13, R-STF-04).
    """

    order_id: int
    elder_id: int
    provider_id: int
    starts_at: datetime
    ends_at: datetime
    lon: float | None = None
    lat: float | None = None
    needs: tuple[tuple[str, str], ...] = ()
    wants_sex: str = ""
    dialect: str = ""
    div: str = ""
    against_body: tuple[tuple[str, str], ...] = ()
    provider_div: str = ""

    @property
    def minutes(self) -> int:
        """Booked minutes."""
        return (self.ends_at - self.starts_at) // timedelta(minutes=1)


@dataclass(frozen=True)
class Licence:
    """A qualification and its days, the last one excluded; the division it is registered for, and how far its credits reach."""

    kind: str
    valid_from: date
    valid_to: date | None = None
    place: str = ""
    credits_to: date | None = None
    is_retired_practice: bool = False


@dataclass(frozen=True)
class Away:
    """A time in which a carer does not work, and why; without an end until further notice."""

    from_at: datetime
    to_at: datetime | None
    label: str


@dataclass(frozen=True)
class Booked:
    """Another order of the carer on that day."""

    order_id: int
    starts_at: datetime
    ends_at: datetime
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True)
class Carer:
    """A person who might go, with all that speaks for or against."""

    staff_id: int
    name: str
    provider_id: int
    sex: str
    day_from: time
    day_to: time
    most_minutes: int
    employed_from: date
    employed_to: date | None = None
    lon: float | None = None
    lat: float | None = None
    dialects: frozenset[str] = frozenset()
    licences: tuple[Licence, ...] = ()
    suspension: str = ""
    booked: tuple[Booked, ...] = ()
    served_count: int = 0
    declined: str = ""
    kind: str = ""
    mode: str = ""
    starts_at_home: bool = False
    break_from: time | None = None
    break_to: time | None = None
    break_minutes: int = 0
    contract_minutes: int = 0
    duty_div: str = ""
    away: tuple[Away, ...] = ()
    avoided: str = ""

    @property
    def booked_minutes(self) -> int:
        """Minutes already booked on that day."""
        return sum(((one.ends_at - one.starts_at) // timedelta(minutes=1) for one in self.booked), 0)


@dataclass(frozen=True)
class Trip:
    """The way of a carer: seconds to the home, on to the next order where there is one, and of the way between that falls away for it."""

    to_seconds: int = 0
    on_seconds: int = 0
    saved_seconds: int = 0

    @property
    def more_seconds(self) -> int:
        """How much longer the carer's ways become."""
        return self.to_seconds + self.on_seconds - self.saved_seconds


@dataclass(frozen=True)
class Exclusion:
    """Why a carer is not proposed. What is not ``is_hard`` a dispatcher may overrule with a reason."""

    code: str
    reason: str
    is_hard: bool = True


def compatibility(job: Job, carer: Carer, trip: Trip | None = None) -> list[Exclusion]:
    """Return every reason against sending this carer; an empty list means that the carer may go."""
    found = [
        *(Exclusion(code, reason) for code, reason in job.against_body),
        *_employment(job, carer),
        *licence_exclusions(job, carer),
        *_absences(job, carer),
        *_hours(job, carer),
        *_bookings(job, carer),
    ]
    if carer.avoided:
        found.append(Exclusion("avoid", N_("已登记回避：%(reason)s") % {"reason": carer.avoided}))
    if carer.duty_div and job.div and not job.div.startswith(carer.duty_div):
        found.append(Exclusion("area", N_("不是这个地区的责任人员"), is_hard=False))
    if job.wants_sex and job.wants_sex != carer.sex:
        reason = N_("老人希望由%(sex)s性服务人员上门") % {"sex": SEXES.get(job.wants_sex, job.wants_sex)}
        found.append(Exclusion("sex", reason, is_hard=False))
    if carer.declined:
        found.append(Exclusion("declined", carer.declined, is_hard=False))
    if trip is not None:
        found.extend(_way(job, carer, trip))
    return found


def _employment(job: Job, carer: Carer) -> list[Exclusion]:
    found = []
    if carer.provider_id != job.provider_id:
        found.append(Exclusion("provider", N_("不是承接这张订单的机构的人员")))
    day = local_date(job.starts_at)
    if day < carer.employed_from or (carer.employed_to is not None and day >= carer.employed_to):
        found.append(Exclusion("employment", N_("服务当天不在职")))
    if carer.suspension:
        found.append(Exclusion("suspended", N_("已暂停派单：%(reason)s") % {"reason": carer.suspension}))
    return found


def licence_exclusions(job: Job, carer: Carer) -> list[Exclusion]:
    """Each qualification must hold at the hour of the service (R-STF-02); nobody goes without induction training (R-STF-05)."""
    days = {local_date(job.starts_at), local_date(job.ends_at)}
    names = dict(job.needs)
    if DOCTOR in names or carer.kind == DOCTOR:
        names |= dict(DOCTOR_PAPERS)
    return [found for kind, name in names.items() if (found := _licence(job, carer, kind, name, days))]


def _licence(job: Job, carer: Carer, kind: str, name: str, days: Collection[date]) -> Exclusion | None:
    """Return what is wrong with a carer's qualification of one kind: none, not valid, for another place, credits not reached."""
    own = [licence for licence in carer.licences if licence.kind == kind]
    valid = [one for one in own if all(_holds(one, day) for day in days)]
    here = [one for one in valid if _is_for(one, job.div)]
    if not own:
        return Exclusion(CODES.get(kind, "qualification"), N_("没有“%(name)s”") % {"name": name})
    if not valid:
        return Exclusion(CODES.get(kind, "qualification"), N_("“%(name)s”在服务当天无效") % {"name": name})
    if not here:
        return Exclusion("place", N_("“%(name)s”的注册执业地点不包括服务地区") % {"name": name})
    if not any(_has_credits(one, days) for one in here):
        return Exclusion("credits", N_("“%(name)s”的继续教育学分未达标") % {"name": name})
    return None


def _holds(licence: Licence, day: date) -> bool:
    return licence.valid_from <= day and (licence.valid_to is None or day < licence.valid_to)


def _is_for(licence: Licence, div: str) -> bool:
    """Whether a licence is good in a division. A doctor must be registered for a region, others may be without one (R-STF-03)."""
    if licence.kind == DOCTOR and not licence.place:
        return False
    return not div or div.startswith(licence.place)


def _has_credits(licence: Licence, days: Collection[date]) -> bool:
    """Whether continuing education is no obstacle: never of retired practice (R-STF-16), nor where nobody counts it."""
    if licence.is_retired_practice or licence.credits_to is None:
        return True
    return max(days) < licence.credits_to


def _absences(job: Job, carer: Carer) -> list[Exclusion]:
    for one in carer.away:
        if one.from_at < job.ends_at and (one.to_at is None or job.starts_at < one.to_at):
            return [Exclusion("absent", N_("这段时间%(why)s，不上班") % {"why": one.label})]
    return []


def _hours(job: Job, carer: Carer) -> list[Exclusion]:
    start, end = job.starts_at.astimezone(SHANGHAI), job.ends_at.astimezone(SHANGHAI)
    found = []
    if start.time() < carer.day_from or end.time() > carer.day_to or start.date() != end.date():
        hours = {"from": f"{carer.day_from:%H:%M}", "to": f"{carer.day_to:%H:%M}"}
        found.append(Exclusion("hours", N_("不在上班时间内（%(from)s–%(to)s）") % hours))
    total = carer.booked_minutes + job.minutes
    if total > carer.most_minutes:
        values = {"total": total, "most": carer.most_minutes}
        found.append(Exclusion("minutes", N_("当天将达 %(total)s 分钟，超过上限 %(most)s 分钟") % values))
    if carer.break_minutes and _longest_pause(job, carer) < timedelta(minutes=carer.break_minutes):
        rest = {"minutes": carer.break_minutes, "from": f"{carer.break_from:%H:%M}", "to": f"{carer.break_to:%H:%M}"}
        sentence = N_("%(from)s–%(to)s 留不出 %(minutes)s 分钟休息")
        found.append(Exclusion("break", sentence % rest, is_hard=False))
    return found


def _longest_pause(job: Job, carer: Carer) -> timedelta:
    """Return the longest time without work in the hours in which the carer rests, if this job were added."""
    day = job.starts_at.astimezone(SHANGHAI).date()
    free_from = datetime.combine(day, carer.break_from or time(), SHANGHAI)
    last = datetime.combine(day, carer.break_to or time(), SHANGHAI)
    longest = timedelta(0)
    for start, end in sorted([(job.starts_at, job.ends_at), *((one.starts_at, one.ends_at) for one in carer.booked)]):
        longest = max(longest, min(start, last) - free_from)
        free_from = max(free_from, end)
    return max(longest, last - free_from)


def _bookings(job: Job, carer: Carer) -> list[Exclusion]:
    for one in carer.booked:
        if one.starts_at < job.ends_at and job.starts_at < one.ends_at:
            start, end = one.starts_at.astimezone(SHANGHAI), one.ends_at.astimezone(SHANGHAI)
            return [
                Exclusion(
                    "overlap", N_("%(from)s–%(to)s 已有其他订单") % {"from": f"{start:%H:%M}", "to": f"{end:%H:%M}"}
                )
            ]
    return []


def _way(job: Job, carer: Carer, trip: Trip) -> list[Exclusion]:
    before, after = neighbours(job, carer)
    late = 0
    if before is not None:
        late = _minutes(before.ends_at + timedelta(seconds=trip.to_seconds) - job.starts_at)
    if after is not None:
        late = max(late, _minutes(job.ends_at + timedelta(seconds=trip.on_seconds) - after.starts_at))
    return (
        [Exclusion("travel", N_("路上来不及，估计要晚 %(minutes)s 分钟") % {"minutes": late}, is_hard=False)]
        if late > 0
        else []
    )


def _minutes(span: timedelta) -> int:
    return -(-span // timedelta(minutes=1))


def neighbours(job: Job, carer: Carer) -> tuple[Booked | None, Booked | None]:
    """Return the carer's orders of that day just before and just after."""
    before = [one for one in carer.booked if one.ends_at <= job.starts_at]
    after = [one for one in carer.booked if one.starts_at >= job.ends_at]
    return max(before, key=lambda one: one.ends_at, default=None), min(
        after, key=lambda one: one.starts_at, default=None
    )


def route_version(booked: Collection[Booked]) -> str:
    """Return what a carer's day is known by: another one as soon as an order comes, goes or moves."""
    stops = sorted((one.order_id, one.starts_at.timestamp(), one.ends_at.timestamp()) for one in booked)
    return blake2b(repr(stops).encode(), digest_size=6).hexdigest()


def check_route(*, seen: str, current: str) -> None:
    """Refuse a choice made by a day that has changed since; an empty ``seen`` was made without looking."""
    if seen and seen != current:
        raise Stale("dispatch.route_changed", N_("这位服务人员的日程刚刚有变动，请重新查看推荐后再派单"))


def check_choice(
    *, exclusions: Collection[Exclusion], is_among_best: bool, choice_reason: str, field: str = "staff_id"
) -> None:
    """Refuse a carer who may not go, and a choice beside the proposals without a reason."""
    if hard := next((one for one in exclusions if one.is_hard), None):
        raise Refused(f"dispatch.{hard.code}", N_("不能派给这位服务人员：%(why)s"), field=field, why=hard.reason)
    if not is_among_best and not choice_reason.strip():
        raise Refused("dispatch.reason_missing", N_("没有选推荐的前三位，请写明选择的原因"), field="choice_reason")


def check_time(ends_at: datetime, now: datetime) -> None:
    """Refuse to send somebody after the booked time."""
    if ends_at <= now:
        raise Refused("dispatch.over", N_("预约的服务时间已过，请取消后重新下单"))


def check_own(*, actor_staff_id: int | None, staff_id: int, is_dispatcher: bool) -> None:
    """Refuse that a carer answers for another; who dispatches for the provider may."""
    if actor_staff_id != staff_id and not is_dispatcher:
        raise Denied("assignment.other", N_("这是派给另一位服务人员的订单"))


def check_alive(died_on: date | None) -> None:
    """Refuse to send anybody to who is dead."""
    if died_on is not None:
        raise Refused("dispatch.elder_died", N_("老人已登记去世，不能派单"), died_on=died_on.isoformat())


def check_at_home(*, is_suspended: bool, needs_visit: bool = True) -> None:
    """Refuse to send anybody while the elder is away, and for what the elder comes for."""
    if not needs_visit:
        raise Refused("order.no_visit", N_("这张订单不用派人上门，由机构供餐后确认"))
    if is_suspended:
        raise Refused("dispatch.elder_away", N_("老人暂时不在家，订单已暂停。老人回家后自动恢复，届时再派单"))
