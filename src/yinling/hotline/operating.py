"""How well the line is run: figures against targets, what a company is paid, and which calls are listened to. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import log
from typing import Any

from yinling.kernel.money import share_half_up, split
from yinling.kernel.period import next_month
from yinling.kernel.refusals import Denied, Refused
from yinling.kernel.words import N_

WHOLE = 100
BASIS = 10_000
AT_LEAST, BELOW = "at_least", "below"


@dataclass(frozen=True)
class Counts:
    """What happened to calls that came in. They add up: hours to a day, districts to a city."""

    arrived: int = 0
    """No longer ringing."""
    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    diverted: int = 0
    messages: int = 0
    waited_s: int = 0
    """Seconds until they were answered, of those that were."""
    ended: int = 0
    talked_s: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(mine + theirs for mine, theirs in zip(self.values(), other.values(), strict=True)))

    def values(self) -> tuple[int, ...]:
        """The figures in the order of the fields."""
        return tuple(self.__dict__.values())

    @property
    def speed_s(self) -> int | None:
        """Mean seconds until somebody answered."""
        return round(self.waited_s / self.answered) if self.answered else None

    @property
    def talk_s(self) -> int | None:
        """Mean seconds of a conversation that is over."""
        return round(self.talked_s / self.ended) if self.ended else None


def summed(parts: Iterable[Counts]) -> Counts:
    """Add counts up."""
    return sum(parts, Counts())


@dataclass(frozen=True)
class Measure:
    """One figure with its target: ``hits`` of ``total`` in per cent, or mean points where ``is_points``."""

    code: str
    name: str
    hits: int
    total: int
    target: Decimal
    direction: str = AT_LEAST
    is_points: bool = False

    @property
    def exact(self) -> Fraction | None:
        """The figure, unrounded; nothing where nothing was counted."""
        if not self.total:
            return None
        return Fraction(self.hits, self.total) * (1 if self.is_points else WHOLE)

    @property
    def shown(self) -> str:
        """The figure with one decimal, rounded away from reaching the target."""
        if self.exact is None:
            return ""
        tenths = self.exact * 10
        floor = tenths.numerator // tenths.denominator
        if self.direction == BELOW and tenths != floor:
            floor += 1
        return f"{floor // 10}.{floor % 10}"

    @property
    def is_met(self) -> bool | None:
        """Compared unrounded; nothing where nothing was counted."""
        if self.exact is None:
            return None
        target = Fraction(self.target)
        return self.exact < target if self.direction == BELOW else self.exact >= target

    @property
    def points_short(self) -> int:
        """Whole percentage points (or points) by which the target is missed."""
        if self.exact is None or self.is_met:
            return 0
        gap = abs(self.exact - Fraction(self.target))
        return gap.numerator // gap.denominator


NAMES = {
    "answered": N_("接通率"),
    "in_time": N_("及时接听率"),
    "abandoned": N_("放弃率"),
    "callback": N_("回拨及时率"),
    "first_call": N_("首次来电解决率"),
    "quality": N_("质检平均分"),
}
TARGETS = {
    "answered": "line.target.answered_share", "in_time": "line.target.in_time_share", "abandoned": "line.target.abandoned_share",
    "callback": "line.target.callback_share", "first_call": "line.target.first_call_share", "quality": "line.target.quality_points",
}  # fmt: skip


def measures(
    counts: Counts, targets: Mapping[str, Any], *, callbacks: tuple[int, int] | None = None,
    first_calls: tuple[int, int] | None = None, quality: tuple[int, int] | None = None,
) -> list[Measure]:  # fmt: skip
    """Return the figures of a time with their targets. What was not asked for (None) is left out."""
    found = {
        "answered": (counts.answered, counts.arrived), "in_time": (counts.in_time, counts.answered),
        "abandoned": (counts.abandoned, counts.arrived), "callback": callbacks, "first_call": first_calls, "quality": quality,
    }  # fmt: skip
    return [
        Measure(
            code, NAMES[code], *pair, Decimal(str(targets[code])), direction=BELOW if code == "abandoned" else AT_LEAST,
            is_points=code == "quality",
        )
        for code, pair in found.items() if pair is not None
    ]  # fmt: skip


# What a company is paid


@dataclass(frozen=True)
class Terms:
    """What a contract says about money, and from when to when (half-open) it runs."""

    monthly_fen: int
    per_call_fen: int
    deduct_bp_per_point: int
    most_deduct_bp: int
    valid_from: date
    valid_to: date


@dataclass(frozen=True)
class Bill:
    """The sum of a month: ``reasons`` are (measure, whole points short, fen), the fen adding up to the deduction."""

    base_fen: int
    calls_fen: int
    deduction_fen: int
    reasons: tuple[tuple[Measure, int, int], ...]

    @property
    def total_fen(self) -> int:
        """What is paid."""
        return self.base_fen + self.calls_fen - self.deduction_fen


def days_in_force(terms: Terms, month: date) -> Fraction:
    """Return which part of a month a contract covers, by days."""
    end = next_month(month)
    days = (min(terms.valid_to, end) - max(terms.valid_from, month)).days
    return Fraction(max(days, 0), (end - month).days)


def bill(terms: Terms, month: date, answered: int, found: Sequence[Measure]) -> Bill:
    """Return the sum of a month (R-CALL-12): the flat sum by days, a sum for each call answered, less what missed targets cost.

    A missed target costs ``deduct_bp_per_point`` for each whole point short, together at most ``most_deduct_bp`` of the month's sum.
    The deduction is divided among its reasons by their points, to the fen.
    """
    base = share_half_up(terms.monthly_fen, days_in_force(terms, month))
    calls = terms.per_call_fen * answered
    short = [(one, one.points_short) for one in found if one.points_short]
    points = sum(number for _one, number in short)
    basis_points = min(points * terms.deduct_bp_per_point, terms.most_deduct_bp, BASIS)
    deduction = share_half_up(base + calls, Fraction(basis_points, BASIS))
    parts = split(deduction, [number for _one, number in short]) if short else []
    reasons = tuple((one, number, part) for (one, number), part in zip(short, parts, strict=True))
    return Bill(base, calls, deduction, reasons)


def check_month(month: date, *, today: date, terms: Terms) -> None:
    """A statement is about a month that is over and that the contract covers."""
    if next_month(month) > today:
        raise Refused("operator_statement.month", N_("这个月还没有结束，请在月底之后生成结算单"), field="month")
    if not days_in_force(terms, month):
        raise Refused("operator_statement.outside", N_("这个月不在合同期内，请选择其他月份"), field="month")


def check_contract(*, valid_from: date, last_on: date, monthly_fen: int, per_call_fen: int) -> None:
    """A contract has days and a price."""
    if last_on < valid_from:
        raise Refused("line_contract.span", N_("最后一天不能早于第一天"), field="last_on")
    if not monthly_fen and not per_call_fen:
        raise Refused("line_contract.price", N_("月费和每通单价至少填写一项"), field="monthly_fen")


def check_company(*, provider_id: int, organisation_id: int | None) -> None:
    """Only the company itself confirms or objects."""
    if provider_id != organisation_id:
        raise Denied("operator_statement.other", N_("只能由签约的运营单位自己确认或提出异议"))


def check_other_person(*, hands: Iterable[int | None], user_id: int | None) -> None:
    """Who drew a statement up or sent it does not approve it."""
    if user_id is None or user_id in set(hands):
        raise Denied("operator_statement.same_person", N_("起草或送出结算单的人不能审定，请由另一位工作人员审定"))


# Which calls are listened to


@dataclass(frozen=True)
class Candidate:
    """An answered call of a seat: how long it took, and whether a complaint came of it."""

    call_id: int
    seat_id: int
    talked_s: int
    is_complaint: bool = False


def kind_of(call: Candidate, *, short_s: int, long_s: int) -> str:
    """Return what sort of call it is for the draw."""
    if call.is_complaint:
        return "complaint"
    if call.talked_s < short_s:
        return "short"
    return "long" if call.talked_s > long_s else "plain"


def drawn(
    candidates: Iterable[Candidate], *, per_seat: int, seed: str, weights: Mapping[str, Any], short_s: int, long_s: int
) -> list[int]:
    """Return the calls to listen to: of every seat up to ``per_seat``, at random by weight, the same for the same seed.

    Each call gets a number from the seed and its own id; the smallest of each seat win (Efraimidis and Spirakis), so that a call of weight
    four is four times as likely to come first, and nobody can say beforehand or choose afterwards which.
    """
    by_seat: dict[int, list[tuple[float, int]]] = {}
    for call in candidates:
        weight = float(weights.get(kind_of(call, short_s=short_s, long_s=long_s), 1))
        if weight > 0:
            key = -log(_chance(seed, call.call_id)) / weight
            by_seat.setdefault(call.seat_id, []).append((key, call.call_id))
    return [call_id for seat in sorted(by_seat) for _key, call_id in sorted(by_seat[seat])[:per_seat]]


def _chance(seed: str, call_id: int) -> float:
    """Return an even number between 0 and 1, both excluded, from the seed and the call."""
    digest = hashlib.sha256(f"{seed}:{call_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") + 1) / (2**64 + 2)


def check_points(points: Mapping[str, Any], criteria: Sequence[Mapping[str, Any]]) -> int:
    """Return the sum of the points; refuse a criterion left out or unknown, and more points than it has."""
    known = {str(one["code"]): int(one["points"]) for one in criteria}
    if set(points) != set(known):
        raise Refused("sample.criteria", N_("请给每一项评分，不能多也不能少"), field="points")
    for code, most in known.items():
        value = points[code]
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise Refused("sample.points", N_("每一项的得分是 0 到该项满分之间的整数"), field="points")
    return sum(int(value) for value in points.values())


def check_scorer(*, seat_id: int, user_id: int | None) -> None:
    """Nobody judges the own call."""
    if seat_id == user_id:
        raise Denied("sample.own", N_("不能给自己的通话评分，请由其他班长评分"))


def check_objector(*, seat_id: int, user_id: int | None, scored_at: Any, now: Any, days: int) -> None:
    """The seat itself objects, within the time."""
    if seat_id != user_id:
        raise Denied("sample.not_own", N_("只能由被质检的坐席本人提出异议"))
    if now > scored_at + timedelta(days=days):
        raise Refused("sample.too_late", N_("评分已超过 %(days)s 天，不能再提出异议"), days=days)


def check_settler(*, scored_by_id: int | None, user_id: int | None) -> None:
    """An objection goes to somebody else."""
    if scored_by_id == user_id:
        raise Denied("sample.same_person", N_("不能复核自己的评分，请由另一位班长复核"))
