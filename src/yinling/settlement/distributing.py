"""What of a medical body's net income of home care goes to the staff who visited, and by which points. Pure: plain values in and out.

(income - cost - funds drawn) x at least 70 %, rounded up to the fen; the parts add up to it (R-PAY-06, D-07, D-12).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import floor
from typing import Any

from yinling.kernel.money import share_up, split
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

LEAST_BP, WHOLE_BP = 7_000, 10_000
_HALF = Fraction(1, 2)
_PERCENT = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?%?", re.ASCII)
EXCELLENT, GOOD, PLAIN = "excellent", "good", "plain"
GRADES = [(EXCELLENT, N_("优秀")), (GOOD, N_("良好")), (PLAIN, N_("一般"))]


@dataclass(frozen=True)
class Score:
    """What one person did in a period and how good it was. ``satisfied`` of ``evaluated`` were content; silence is no evaluation (D-21)."""

    staff_id: int
    visits: int
    minutes: int
    evaluated: int = 0
    satisfied: int = 0
    complete: int = 0
    late: int = 0
    short: int = 0
    stars: int = 0

    @property
    def satisfaction(self) -> Fraction | None:
        """Part of the evaluations that were content; nothing without any."""
        return Fraction(self.satisfied, self.evaluated) if self.evaluated else None

    @property
    def completeness(self) -> Fraction:
        """Part of the visits with all tasks and evidence."""
        return Fraction(self.complete, self.visits) if self.visits else Fraction(0)

    @property
    def average(self) -> float | None:
        """Average stars; nothing without an evaluation."""
        return round(self.stars / self.evaluated, 1) if self.evaluated else None


@dataclass(frozen=True)
class Weights:
    """How work and its quality become points: points for a visit and a minute, and what quality adds in 1/10000 (R-STF-22)."""

    visit: int
    minute: int
    satisfaction_bp: int
    completeness_bp: int
    excellent_bp: int

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Weights:
        """Read the dated parameter ``distribution.weights``."""
        return cls(**{name: int(values[name]) for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Grading:
    """From which parts, in 1/10000, a scorecard is excellent or good: of content evaluations and of complete visits."""

    excellent_satisfaction_bp: int
    excellent_completeness_bp: int
    good_satisfaction_bp: int
    good_completeness_bp: int

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Grading:
        """Read the dated parameter ``scorecard.grades``."""
        return cls(**{name: int(values[name]) for name in cls.__dataclass_fields__})

    def grade(self, score: Score) -> str:
        """Return the grade of a person's period. Nobody is excellent whom nobody evaluated."""
        content = score.satisfaction
        if content is None or not score.visits:
            return PLAIN
        if self._reaches(score, content, self.excellent_satisfaction_bp, self.excellent_completeness_bp):
            return EXCELLENT
        return GOOD if self._reaches(score, content, self.good_satisfaction_bp, self.good_completeness_bp) else PLAIN

    def _reaches(self, score: Score, content: Fraction, satisfaction_bp: int, completeness_bp: int) -> bool:
        return content * WHOLE_BP >= satisfaction_bp and score.completeness * WHOLE_BP >= completeness_bp


@dataclass(frozen=True)
class Points:
    """The points of one person with every number they came from, so that anybody can reckon them again."""

    staff_id: int
    points: int
    work: int
    satisfaction_bp: int
    completeness_bp: int
    excellent_bp: int
    is_evaluated: bool
    grade: str

    def as_json(self, score: Score) -> dict[str, Any]:
        """Return what is kept with the share."""
        return {"inputs": asdict(score), **{name: value for name, value in asdict(self).items() if name != "staff_id"}}


@dataclass(frozen=True)
class Pool:
    """What there is to share, and the staff's part of it. ``carried_fen`` is what earlier months lacked."""

    income_fen: int
    cost_fen: int
    drawn_fen: int
    carried_fen: int
    ratio_bp: int
    pool_fen: int
    share_fen: int


def ratio_of(text: str) -> int:
    """Read a percentage such as ``70`` or ``72.5%`` as 1/10000. Refuses what is no percentage and what is below 70 or above 100."""
    found = _PERCENT.fullmatch(text.strip().replace("％", "%"))
    if found is None:
        raise Refused("distribution.ratio", N_("比例请写成 70 或 72.5 这样的百分数，最多两位小数"), field="ratio")
    return check_ratio(int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")))


def check_ratio(ratio_bp: int) -> int:
    """Refuse a ratio outside of 70 to 100 per cent: 69.99 is too little."""
    if not LEAST_BP <= ratio_bp <= WHOLE_BP:
        raise Refused("distribution.ratio", N_("发放给上门服务人员的比例不得低于70%%，也不得高于100%%"), field="ratio")
    return ratio_bp


def pool_of(*, income_fen: int, cost_fen: int, drawn_fen: int, ratio_bp: int, carried_fen: int = 0) -> Pool:
    """Return pool and share: net income less what earlier months lacked, never below 0; the ratio of it, up to the fen (D-07, D-12)."""
    check_ratio(ratio_bp)
    if cost_fen < 0 or drawn_fen < 0:
        field = "cost_fen" if cost_fen < 0 else "drawn_fen"
        raise Refused("distribution.negative", N_("成本和提取的基金不能是负数"), field=field)
    pool = max(0, income_fen - cost_fen - drawn_fen - carried_fen)
    share = share_up(pool, Fraction(ratio_bp, WHOLE_BP))
    return Pool(income_fen, cost_fen, drawn_fen, carried_fen, ratio_bp, pool, share)


def lacking(months: Iterable[tuple[int, int]]) -> int:
    """Return what is lacking after months in their order, each its own result and what of earlier ones it bore as cost.

    What a month did not bear, for it was drafted before the earlier one was known, goes on to the next.
    """
    open_fen = 0
    for result_fen, carried_fen in months:
        open_fen += max(0, -result_fen) - min(open_fen, carried_fen, max(0, result_fen))
    return open_fen


def brought(open_fen: int, amount_fen: int) -> int:
    """Return what of a person's open difference goes with a share: all that is owed, or as much off as there is."""
    return max(open_fen, -amount_fen)


def points_of(scores: Sequence[Score], weights: Weights, grading: Grading) -> list[Points]:
    """Return everybody's points: work x (1 + what quality adds), rounded half up.

    Who was not evaluated counts as content as the body's people are on average: silence neither helps nor hurts (D-21).
    """
    evaluated = sum(one.evaluated for one in scores)
    usual = Fraction(sum(one.satisfied for one in scores), evaluated) if evaluated else Fraction(0)
    found = []
    for score in scores:
        grade = grading.grade(score)
        content = usual if score.satisfaction is None else score.satisfaction
        parts = (
            floor(content * weights.satisfaction_bp + _HALF), floor(score.completeness * weights.completeness_bp + _HALF),
            weights.excellent_bp if grade == EXCELLENT else 0,
        )  # fmt: skip
        work = score.visits * weights.visit + score.minutes * weights.minute
        points = floor(Fraction(work * (WHOLE_BP + sum(parts)), WHOLE_BP) + _HALF)
        found.append(Points(score.staff_id, points, work, *parts, bool(score.evaluated), grade))
    return found


def parts_of(share_fen: int, points: Sequence[Points], numbers: Sequence[int]) -> list[int]:
    """Divide the staff's share by points with the largest remainder; equal remainders go in ascending staff number (D-12)."""
    if share_fen and not sum(one.points for one in points):
        raise Refused("distribution.nobody", N_("这段时间没有可以参加分配的上门服务，请核对机构和起止月份"))
    return split(share_fen, [one.points for one in points], list(numbers))
