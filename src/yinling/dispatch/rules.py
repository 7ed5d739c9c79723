"""Who may go: one mask of carer and order, with a reason for each exclusion. Shared by ranking and by the check of a manual choice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from yinling.kernel.period import SHANGHAI, local_date
from yinling.kernel.refusals import Denied, Refused
from yinling.kernel.words import N_

INDUCTION = "induction"
SEXES = {"1": N_("男"), "2": N_("女")}


@dataclass(frozen=True)
class Job:
    """What is to be done: when, where, for whom, by whose staff, with which qualifications (kind and name)."""

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

    @property
    def minutes(self) -> int:
        """Booked minutes."""
        return (self.ends_at - self.starts_at) // timedelta(minutes=1)


@dataclass(frozen=True)
class Licence:
    """A qualification and its days, the last one excluded."""

    kind: str
    valid_from: date
    valid_to: date | None = None


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

    @property
    def booked_minutes(self) -> int:
        """Minutes already booked on that day."""
        return sum(((one.ends_at - one.starts_at) // timedelta(minutes=1) for one in self.booked), 0)


@dataclass(frozen=True)
class Trip:
    """The way of a carer: seconds to the home, and on to the next order, where there is one."""

    to_seconds: int = 0
    on_seconds: int = 0


@dataclass(frozen=True)
class Exclusion:
    """Why a carer is not proposed. What is not ``is_hard`` a dispatcher may overrule with a reason."""

    code: str
    reason: str
    is_hard: bool = True


def compatibility(job: Job, carer: Carer, trip: Trip | None = None) -> list[Exclusion]:
    """Return every reason against sending this carer; an empty list means that the carer may go."""
    found = [
        *_employment(job, carer),
        *_licences(job, carer),
        *_hours(job, carer),
        *_bookings(job, carer),
    ]
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


def _licences(job: Job, carer: Carer) -> list[Exclusion]:
    """Each qualification must hold at the hour of the service (R-STF-02); nobody goes without induction training (R-STF-05)."""
    days = {local_date(job.starts_at), local_date(job.ends_at)}
    found = []
    for kind, name in job.needs:
        own = [licence for licence in carer.licences if licence.kind == kind]
        if any(
            all(licence.valid_from <= day and (licence.valid_to is None or day < licence.valid_to) for day in days)
            for licence in own
        ):
            continue
        code = "induction" if kind == INDUCTION else "qualification"
        sentence = N_("“%(name)s”在服务当天无效") if own else N_("没有“%(name)s”")
        found.append(Exclusion(code, sentence % {"name": name}))
    return found


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
    return found


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


def check_choice(*, exclusions: Collection[Exclusion], is_among_best: bool, choice_reason: str) -> None:
    """Refuse a carer who may not go, and a choice beside the proposals without a reason."""
    if hard := next((one for one in exclusions if one.is_hard), None):
        raise Refused(f"dispatch.{hard.code}", N_("不能派给这位服务人员：%(why)s"), field="staff_id", why=hard.reason)
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


def check_at_home(*, is_suspended: bool) -> None:
    """Refuse to send anybody while the elder is away."""
    if is_suspended:
        raise Refused("dispatch.elder_away", N_("老人暂时不在家，订单已暂停。老人回家后自动恢复，届时再派单"))
