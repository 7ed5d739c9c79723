"""What a result may say and how long it holds. Pure."""

from __future__ import annotations

from datetime import date

from yinling.kernel.period import ONE_DAY, DayPeriod, last_day_of_span
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

ORDER = ("intact", "mild", "moderate", "severe", "total")
GBT_FROM = date(2022, 12, 30)
MOST_POINTS = 90
_GBT_BANDS = ((90, "intact"), (66, "mild"), (46, "moderate"), (30, "severe"), (0, "total"))
"""GB/T 42195-2022: the least points of each level."""


def level_by_points(points: int) -> str:
    """Return the level that the points alone give by GB/T 42195-2022."""
    if not 0 <= points <= MOST_POINTS:
        raise Refused("assessment.points", N_("总分应在0到90之间，请核对"), field="points")
    return next(level for least, level in _GBT_BANDS if points >= least)


def check_result(*, scale: str, level: str, points: int | None, assessed_on: date, today: date) -> None:
    """Refuse a result from the future, by a standard not yet in force, or of a better level than its points.

    A worse level is possible: coma, dementia and risk events raise it.
    """
    if assessed_on > today:
        raise Refused("assessment.in_future", N_("评估日期晚于今天，请核对"), field="assessed_on")
    if scale != "gbt42195_2022":
        if level == "total":
            raise Refused("assessment.level", N_("该标准没有“完全失能”这一级，请核对"), field="level")
        return
    if assessed_on < GBT_FROM:
        raise Refused("assessment.before_standard", N_("评估日期早于该标准实施之日，请核对"), field="assessed_on")
    if points is None:
        raise Refused("assessment.no_points", N_("请填写总分"), field="points")
    if ORDER.index(level) < ORDER.index(level_by_points(points)):
        raise Refused("assessment.level_points", N_("等级轻于总分对应的等级，请核对总分和等级"), field="level")


def validity(assessed_on: date, months: int) -> DayPeriod:
    """Return the days on which a result holds: from the day of the assessment through the corresponding day (D-17)."""
    return DayPeriod(assessed_on, last_day_of_span(assessed_on, months=months) + ONE_DAY)
