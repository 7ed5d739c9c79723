"""Decisions about home sickbeds and stays paid by the day: what an approval needs, and how many days of a stay lie in a month. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from yinling.kernel.period import ONE_DAY, DayPeriod, month_start, next_month
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

CONSENTS = {"medical": "home_bed", "hospice": "hospice"}
"""Hospice care has a consent of its own (R-BED-10)."""
PIECES = {
    "level": N_("符合建床条件的评估等级或人群类别"), "diagnosis": N_("诊断"), "home_check": N_("入户核查"), "consent": N_("知情同意"),
    "doctor": N_("责任医生"), "nurse": N_("责任护士"),
}  # fmt: skip
"""What establishing a bed needs besides the application, in the order in which it is asked for (R-BED-01)."""


@dataclass(frozen=True)
class Month:
    """The days of a stay that lie in one month: how many, and the first of them."""

    first: date
    days: int
    from_on: date

    @property
    def code(self) -> str:
        """The month in the name of its bill."""
        return f"{self.first:%Y%m}"


def check_pieces(present: Collection[str]) -> None:
    """Refuse to approve a bed while something is missing: the first by its code, all by name."""
    missing = [piece for piece in PIECES if piece not in present]
    if missing:
        what = "、".join(PIECES[piece] for piece in missing)
        raise Refused(f"bed.no_{missing[0]}", N_("还缺：%(what)s。补齐后再批准建床"), what=what)


def paid_days(admitted_on: date, discharged_on: date | None) -> DayPeriod:
    """Return the days of a stay that count: admission does, discharge does not, both on one day are one (X-PAY-03)."""
    if discharged_on == admitted_on:
        return DayPeriod(admitted_on, admitted_on + ONE_DAY)
    return DayPeriod(admitted_on, discharged_on)


def bed_days(admitted_on: date, discharged_on: date | None, within: DayPeriod) -> int:
    """Return how many days of a stay count within some days. ValueError if neither has an end."""
    both = paid_days(admitted_on, discharged_on).intersection(within)
    if both is None:
        return 0
    if both.to is None:
        raise ValueError("days without an end cannot be counted")
    return (both.to - both.from_).days


def months_of(admitted_on: date, discharged_on: date | None, before: date) -> Iterator[Month]:
    """Yield the months of a stay up to, not including, a day, each with its days: none lost, none twice."""
    days = paid_days(admitted_on, discharged_on)
    end = before if days.to is None else min(days.to, before)
    first = month_start(admitted_on)
    while first < end:
        after = next_month(first)
        count = bed_days(admitted_on, discharged_on, DayPeriod(first, min(after, end)))
        if count:
            yield Month(first, count, max(first, days.from_))
        first = after


def billable(admitted_on: date, discharged_on: date | None, today: date) -> list[Month]:
    """Return the months that can be billed: those that are over, and the last one once the elder was discharged."""
    if discharged_on is not None and discharged_on <= today:
        return list(months_of(admitted_on, discharged_on, max(discharged_on, admitted_on + ONE_DAY)))
    return list(months_of(admitted_on, discharged_on, month_start(today)))


def check_discharge(*, admitted_on: date, discharged_on: date, today: date, billed_until: date | None) -> None:
    """Refuse a discharge before the admission, in the future, or within days that are billed already."""
    if discharged_on < admitted_on:
        raise Refused("stay.before_admission", N_("出院日期早于入院日期，请核对"), field="discharged_on")
    if discharged_on > today:
        raise Refused("stay.in_future", N_("出院日期晚于今天，请在出院后登记"), field="discharged_on")
    if billed_until is not None and discharged_on < billed_until:
        raise Refused(
            "stay.billed", N_("%(day)s 之前的床日已经结算。请核对日期；确需更正的，先由财务冲正该月床日"), field="discharged_on",
            day=billed_until.isoformat(),
        )  # fmt: skip
