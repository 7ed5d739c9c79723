"""Reading what the forecast of seats needs: calls of the past by half hour, how long they took, and who is on duty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Avg, Count, F, Q
from django.db.models.functions import ExtractHour, ExtractMinute, TruncDate

from yinling.ground.parameters import parameter
from yinling.hotline.duty import Level, Post, levels
from yinling.hotline.models import Call, Shift
from yinling.hotline.queries.rosters import posts_of
from yinling.hotline.staffing import HALF_HOUR, SLOTS
from yinling.kernel.actor import Actor
from yinling.kernel.period import SHANGHAI, day_bounds, local_midnight


@dataclass(frozen=True)
class StaffingDefaults:
    """The targets and times of an area, where nobody tries others."""

    answered_percent: int
    answer_seconds: int
    abandoned_percent: int
    patience_seconds: int
    handling_seconds: int
    wrap_seconds: int
    history_weeks: int


def staffing_defaults(div: str, on: date) -> StaffingDefaults:
    """Return the parameters of the forecast (X-CALL-02)."""
    names = StaffingDefaults.__dataclass_fields__
    return StaffingDefaults(**{name: int(parameter(f"staffing.{name}", div, on)) for name in names})


def _incoming(group_id: int | None, first: date, last: date) -> Q:
    within = Q(rang_at__gte=local_midnight(first), rang_at__lt=local_midnight(last), is_outbound=False)
    return within & Q(group_id=group_id) if group_id else within


def call_history(actor: Actor, group_id: int | None, first: date, last: date) -> dict[date, list[int]]:
    """Return the calls that rang in each half hour of the days before ``last``, from the first day with any; a day without calls counts."""
    rows = (
        Call.objects.visible_to(actor)
        .filter(_incoming(group_id, first, last))
        .annotate(
            day=TruncDate("rang_at", tzinfo=SHANGHAI), hour=ExtractHour("rang_at", tzinfo=SHANGHAI),
            half=ExtractMinute("rang_at", tzinfo=SHANGHAI) / 30,
        )
        .values_list("day", "hour", "half")
        .annotate(count=Count("pk"))
        .order_by()
    )  # fmt: skip
    counts: dict[date, list[int]] = {}
    for day, hour, half, count in rows:
        counts.setdefault(day, [0] * SLOTS)[hour * 2 + half] += count
    if not counts:
        return {}
    start = min(counts)
    days = [start + timedelta(days=number) for number in range((last - start).days)]
    return {day: counts.get(day, [0] * SLOTS) for day in days}


def handling_seconds(actor: Actor, group_id: int | None, first: date, last: date) -> float | None:
    """The mean length of talks in a time, or nothing without any."""
    rows = Call.objects.visible_to(actor).filter(_incoming(group_id, first, last))
    found = rows.filter(answered_at__isnull=False, ended_at__isnull=False).aggregate(
        mean=Avg(F("ended_at") - F("answered_at"))
    )
    return found["mean"].total_seconds() if found["mean"] else None


def duty_posts(actor: Actor, group_id: int | None, first: date, last: date) -> list[Post]:
    """The published shifts that touch the days before ``last``."""
    rows = Shift.objects.visible_to(actor).filter(
        is_live=True, from_at__lt=local_midnight(last), to_at__gt=local_midnight(first)
    )
    return posts_of(rows.filter(roster__group_id=group_id) if group_id else rows)


def on_duty(posts: list[Post], day: date) -> list[int]:
    """The fewest people on duty in each half hour of a day."""
    start, end = day_bounds(day)
    steps = levels(posts, start, end)
    return [_least(steps, start + slot * HALF_HOUR) for slot in range(SLOTS)]


def _least(steps: list[Level], start: datetime) -> int:
    end = start + HALF_HOUR
    return min(step.count for step in steps if step.start < end and start < step.end)
