"""How a scheme is applied for: its steps, deadlines, costs and order of waiting. Pure.

A city gives a scheme its procedure by the dated parameter ``scheme.<code>.procedure``, a mapping of the fields of ``Procedure``. A scheme
without one is recognised by another department, and only its result is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from yinling.kernel.period import ONE_DAY, add_months, last_day_of_span, month_start, next_month, span_from_first_day
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.kernel.workdays import WorkingCalendar, WorkingDeadline

BATCH = 20
"""So many are approved at once without a further question (ux: mass actions)."""
PERSON, HOUSEHOLD = "person", "household"
NEXT_MONTH, DECISION = "next_month", "decision"
_MONTHS = 12


class ProcedureError(ValueError):
    """The procedure of a scheme cannot be right; the message says what to do."""


@dataclass(frozen=True)
class Procedure:
    """The steps of one scheme. Days to review, complete, publish, decide and answer are working days; those of the notice and of the
    appeal are days. ``notice_days`` 0: nothing is published. Months none: no end, no re-check.
    """

    review_days: int = 10
    complete_days: int = 5
    publish_days: int = 5
    notice_days: int = 0
    decide_days: int = 10
    objection_days: int = 5
    appeal_days: int = 60
    appeal_to: str = "本级人民政府"
    has_budget: bool = False
    checks: tuple[str, ...] = ()
    """What the reviewer must have looked into on the spot; each must be confirmed before the review is passed."""
    first: tuple[str, ...] = ()
    """Circumstances that go before all others on the waiting list; within them, and without any, the earlier application goes first."""
    once_per: str = PERSON
    starts: str = NEXT_MONTH
    valid_months: int | None = None
    recheck_months: int | None = None
    remind_days: int = 30

    @classmethod
    def read(cls, value: Any) -> Procedure:
        """Read the value of a parameter. Raises ProcedureError."""
        known = {field.name for field in fields(cls)}
        if not isinstance(value, Mapping) or set(value) - known:
            raise ProcedureError(N_("办理程序只能写这些项：%(known)s") % {"known": ", ".join(sorted(known))})
        made = cls(**(dict(value) | {name: tuple(value.get(name) or ()) for name in ("checks", "first")}))
        made.check()
        return made

    def check(self) -> None:
        """Refuse numbers that are none, and words that nobody knows."""
        for name in (
            "review_days",
            "complete_days",
            "publish_days",
            "notice_days",
            "decide_days",
            "objection_days",
            "appeal_days",
            "remind_days",
        ):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                raise ProcedureError(N_("%(name)s 应是不小于0的整数") % {"name": name})
        for name in ("valid_months", "recheck_months"):
            number = getattr(self, name)
            if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
                raise ProcedureError(N_("%(name)s 应是不小于1的整数，或不写") % {"name": name})
        if self.once_per not in (PERSON, HOUSEHOLD) or self.starts not in (NEXT_MONTH, DECISION):
            raise ProcedureError(N_("once_per 写 person 或 household，starts 写 next_month 或 decision"))


def act_within(calendar: WorkingCalendar, event_day: date, working_days: int) -> WorkingDeadline:
    """The last day to act, so many working days after the day of an event (X-TIME-01, X-TIME-03)."""
    return calendar.add_working_days(event_day, working_days)


def notice_until(calendar: WorkingCalendar, first_day: date, days: int) -> WorkingDeadline:
    """The last day on which a notice hangs and an objection is in time; a rest day moves it on, for somebody is to act (X-TIME-03)."""
    return calendar.act_by(last_day_of_span(first_day, days=days))


def appeal_until(calendar: WorkingCalendar, told_on: date, days: int) -> WorkingDeadline:
    """The last day to appeal against a decision."""
    return calendar.act_by(last_day_of_span(told_on, days=days))


def recheck_due(calendar: WorkingCalendar, from_day: date, months: int) -> date:
    """The day by which somebody looks again: the corresponding day, moved off rest days."""
    return calendar.act_by(add_months(from_day, months)).day


def first_day(procedure: Procedure, decided_on: date, held_until: date | None = None) -> date:
    """The day from which an approved scheme is given: never before what is held of it has run out."""
    start = decided_on if procedure.starts == DECISION else next_month(decided_on)
    return start if held_until is None else max(start, held_until)


def end_of_validity(procedure: Procedure, start: date) -> date | None:
    """The day after the last: the day before the corresponding day is the last one, rest day or not (D-17, X-TIME-03)."""
    if procedure.valid_months is None:
        return None
    return span_from_first_day(start, months=procedure.valid_months).to


@dataclass(frozen=True)
class Cost:
    """What an entitlement takes from the budget of a year at most: so much a month, or once."""

    monthly_fen: int | None = None
    once_fen: int | None = None

    def in_year(self, year: int, start: date, end: date | None) -> int:
        """Fen of the months from ``start`` to before ``end`` that lie in the year; what is paid once falls to the year of its start."""
        once = self.once_fen if self.once_fen and start.year == year else 0
        return once + (self.monthly_fen or 0) * months_in_year(year, start, end)


def months_in_year(year: int, start: date, end: date | None) -> int:
    """Months of a year that a span touches; ``end`` is the day after its last."""
    opens = max(month_start(start), date(year, 1, 1))
    closes = date(year + 1, 1, 1) if end is None else min(end, date(year + 1, 1, 1))
    if closes <= opens:
        return 0
    last = closes.month - (closes.day == 1) + (closes.year - year) * _MONTHS
    return last - opens.month + 1


def rank_of(procedure: Procedure, circumstances: frozenset[str]) -> int:
    """0 for who goes first on the waiting list, 1 for all others."""
    return 0 if circumstances & set(procedure.first) else 1


def check_signature(*, capacity: str, signed_by: str, proof: str, has_representative: bool) -> None:
    """Refuse an application that nobody entitled to has signed (R-PEO-10)."""
    if capacity == "self":
        return
    if not signed_by.strip():
        raise Refused("application.signature", N_("不是本人申请时，请写明签字人的姓名"), field="signed_by")
    if not has_representative and not proof.strip():
        raise Refused(
            "application.proof",
            N_("签字人没有登记为此人的监护人或代理人，请写明委托书或监护证明"),
            field="proof",
        )


def check_looked_into(procedure: Procedure, confirmed: list[str]) -> None:
    """Refuse a review that has not confirmed everything the scheme asks to look into, naming what is missing (R-MOD-08)."""
    missing = [label for label in procedure.checks if label not in confirmed]
    if missing:
        raise Refused(
            "application.checks", N_("还有没有核实的内容：%(missing)s"), field="checks", missing="、".join(missing)
        )


def check_batch(count: int, typed: int | None) -> None:
    """Refuse an empty batch, and one of more than twenty without its number typed beside it."""
    if not count:
        raise Refused("batch.empty", N_("请至少选择一件申请"), field="application_ids")
    if count > BATCH and typed != count:
        raise Refused(
            "batch.count",
            N_("一次办理超过%(most)s件，请在“确认件数”中填写%(count)s"),
            field="confirmed_count",
            most=BATCH,
            count=count,
        )


def working_days_left(calendar: WorkingCalendar, today: date, due: date) -> int:
    """Working days from tomorrow through the last day to act; 0 on that day, negative after it."""
    first, last = min(today, due), max(today, due)
    count = sum(calendar.is_working(first + ONE_DAY * number) for number in range(1, (last - first).days + 1))
    return count if due >= today else -count
