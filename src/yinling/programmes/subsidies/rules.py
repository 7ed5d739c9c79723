"""What a subsidy amounts to, from the dated rate of its kind and the facts, and whether it was spent as meant. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from yinling.kernel.money import yuan
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

MONTHS = 12
WHOLE_BP = 10_000
OPEN_AT_YEAR_END, MEALS_EVERY_MONTH = "open_at_year_end", "meals_every_month"
FULL, MONTHLY = "full", "months"
UNITS = {
    "canteen": N_("个食堂"), "centre": N_("个中心（站点）"), "organisation": N_("个机构"), "bed": N_("张床位"), "person": N_("人"),
}  # fmt: skip
COUNTED = ("bed", "person")
"""Units of which one subsidy pays several."""


class RateError(ValueError):
    """The rate of a kind cannot be right; the message says what to do."""


@dataclass(frozen=True)
class Source:
    """Which level pays in which divisions (none: all others), and out of which funds (none: any)."""

    level: str
    areas: tuple[str, ...] = ()
    funds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rate:
    """The value of ``subsidy.<kind>``: fen a unit in town and country, what it asks for, who pays, when it is booked."""

    unit: str
    urban_fen: int
    rural_fen: int
    most: int | None = None
    booking_offset: int = 0
    needs: tuple[str, ...] = ()
    part_year: str = FULL
    up_to_actual: bool = False
    sources: tuple[Source, ...] = ()
    main_use: tuple[str, ...] = ()
    main_use_bp: int = 0

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Rate:
        """Read the value of a parameter. Raises RateError."""
        known = {*cls.__dataclass_fields__, "fen"}
        if set(value) - known or ("fen" in value) == ("urban_fen" in value):
            raise RateError(
                N_("补助标准只能写这些项：%(known)s；fen 与 urban_fen、rural_fen 二选一")
                % {"known": ", ".join(sorted(known))}
            )
        given: dict[str, Any] = {
            name: tuple(one) if isinstance(one, list) else one
            for name, one in value.items()
            if name not in ("fen", "sources")
        }
        fen = value.get("fen")
        sources = tuple(
            Source(one["level"], tuple(one.get("areas") or ()), tuple(one.get("funds") or ()))
            for one in value.get("sources") or ()
        )
        rate = cls(**(given | ({} if fen is None else {"urban_fen": fen, "rural_fen": fen}) | {"sources": sources}))
        rate.check()
        return rate

    @property
    def asks_opening(self) -> bool:
        """Whether it matters when a body was open."""
        return bool(self.needs) or self.part_year == MONTHLY

    def check(self) -> None:
        """Refuse what cannot be meant."""
        if self.unit not in UNITS or self.part_year not in (FULL, MONTHLY) or self.urban_fen < 0 or self.rural_fen < 0:
            raise RateError(N_("补助标准的 unit、part_year 或金额不正确"))
        if set(self.needs) - {OPEN_AT_YEAR_END, MEALS_EVERY_MONTH}:
            raise RateError(N_("补助条件只能写 open_at_year_end、meals_every_month"))

    def source_of(self, div: str) -> Source | None:
        """Return who pays in a division: the source that names the nearest area, else the one that names none."""
        named = [(area, one) for one in self.sources for area in one.areas if div.startswith(area)]
        if named:
            return max(named, key=lambda pair: len(pair[0]))[1]
        return next((one for one in self.sources if not one.areas), None)


@dataclass(frozen=True)
class Record:
    """What the platform itself knows of a body's year: in business from and to (the first day it is not), and its meal days by month.

    ``from_month`` is the month from which on its meals are here; 13 if none of the year is.
    """

    opened_on: date
    closed_on: date | None = None
    meal_days: Mapping[int, int] = field(default_factory=dict)
    from_month: int = MONTHS + 1


@dataclass(frozen=True)
class Facts:
    """What an amount is reckoned from. ``meal_months`` are the months of the result year with at least one meal day.

    ``meal_days`` are those that the platform saw, by month; a month of ``meal_months`` without them was entered by hand.
    """

    opened_on: date | None = None
    closed_on: date | None = None
    meal_months: tuple[int, ...] = ()
    is_rural: bool = False
    count: int = 1
    actual_fen: int | None = None
    meal_days: Mapping[int, int] = field(default_factory=dict)

    @property
    def by_hand(self) -> tuple[int, ...]:
        """Months with a meal of which the platform saw none."""
        return tuple(month for month in self.meal_months if month not in self.meal_days)

    def as_json(self) -> dict[str, Any]:
        """Return the facts as they are kept with a subsidy."""
        return {
            "opened_on": self.opened_on and self.opened_on.isoformat(), "closed_on": self.closed_on and self.closed_on.isoformat(),
            "meal_months": list(self.meal_months), "is_rural": self.is_rural, "count": self.count, "actual_fen": self.actual_fen,
            "meal_days": {str(month): days for month, days in self.meal_days.items()},
        }  # fmt: skip

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Facts:
        """Read facts that were kept."""
        days = {name: date.fromisoformat(kept[name]) if kept.get(name) else None for name in ("opened_on", "closed_on")}
        return cls(
            days["opened_on"], days["closed_on"], tuple(kept.get("meal_months") or ()), bool(kept.get("is_rural")),
            int(kept.get("count") or 1), kept.get("actual_fen"), {int(one): days for one, days in kept.get("meal_days", {}).items()},
        )  # fmt: skip


def established(facts: Facts, known: Record) -> Facts:
    """Return facts as far as the platform knows them, with what was entered where it does not.

    A body opens no earlier than it is in business. Meals count as they were served; by hand only months before the first of them.
    """
    opened = facts.opened_on or known.opened_on
    if opened < known.opened_on:
        raise Refused(
            "subsidy.opened_early", N_("机构 %(day)s 才登记营业，开办日期不能更早"), field="opened_on", day=known.opened_on.isoformat()
        )  # fmt: skip
    closed = min((day for day in (facts.closed_on, known.closed_on) if day is not None), default=None)
    unseen = [month for month in facts.by_hand if month >= known.from_month and month not in known.meal_days]
    if unseen:
        raise Refused(
            "subsidy.meals_unseen", N_("平台没有%(months)s月的供餐记录，不能手工登记；请先核对订单"), field="meal_months",
            months="、".join(map(str, unseen)),
        )  # fmt: skip
    months = tuple(sorted({*facts.by_hand, *known.meal_days}))
    return replace(facts, opened_on=opened, closed_on=closed, meal_months=months, meal_days=dict(known.meal_days))


@dataclass
class Amount:
    """An amount with the sentences that explain it, each a template and its values."""

    fen: int = 0
    reasons: list[list[Any]] = field(default_factory=list)

    def because(self, text: str, **values: Any) -> None:
        """Add a sentence."""
        self.reasons.append([text, values])


def reckon(rate: Rate, facts: Facts, year: int) -> Amount:
    """Return what a rate gives for the results of a year; refuse where its conditions are not met."""
    if facts.count < 1 or (facts.count > 1 and rate.unit not in COUNTED):
        raise Refused("subsidy.count", N_("数量应为正整数；按个补助的每次登记一个"), field="count")
    _check_year(rate, facts, year)
    found = Amount()
    each = rate.rural_fen if facts.is_rural else rate.urban_fen
    if rate.urban_fen != rate.rural_fen:
        found.because(N_("%(place)s标准"), place=N_("农村") if facts.is_rural else N_("城镇"))
    found.fen = each * facts.count
    found.because(
        N_("标准 %(each)s 元 × %(count)s %(unit)s"), each=yuan(each), count=facts.count, unit=UNITS[rate.unit]
    )
    if rate.part_year == MONTHLY:
        months = _months_open(facts, year)
        found.fen = found.fen * months // MONTHS
        found.because(N_("开办 %(months)s 个月，按月折算，舍去不足一分的部分"), months=months)
    elif OPEN_AT_YEAR_END in rate.needs and facts.opened_on is not None and facts.opened_on.year == year:
        found.because(N_("当年 %(day)s 开办，年末仍在运营，按全年补助"), day=facts.opened_on.isoformat())
    _explain_meals(found, facts)
    if rate.up_to_actual:
        if facts.actual_fen is None:
            raise Refused("subsidy.actual", N_("请填写实际支出"), field="actual_fen")
        if facts.actual_fen < found.fen:
            found.fen = facts.actual_fen
            found.because(N_("不超过实际支出 %(actual)s 元"), actual=yuan(facts.actual_fen))
    if found.fen <= 0:
        raise Refused("subsidy.nothing", N_("按标准计算没有可补助的金额，请核对事实"))
    return found


def _explain_meals(found: Amount, facts: Facts) -> None:
    if facts.meal_days:
        found.because(N_("平台记录当年供餐 %(days)s 天"), days=sum(facts.meal_days.values()))
    if facts.by_hand:
        found.because(N_("%(months)s月供餐由人工登记"), months="、".join(map(str, facts.by_hand)))


def _check_year(rate: Rate, facts: Facts, year: int) -> None:
    """Refuse who had not opened, was closed at the year's end, or served no meal in one of its months (R-FUN-07)."""
    if not rate.asks_opening:
        return
    if facts.opened_on is None:
        raise Refused("subsidy.opened", N_("请填写开办日期"), field="opened_on")
    if facts.opened_on > date(year, 12, 31):
        raise Refused("subsidy.not_open", N_("当年还没有开办，不能补助"), field="opened_on")
    if OPEN_AT_YEAR_END in rate.needs and facts.closed_on is not None and facts.closed_on <= date(year, 12, 31):
        raise Refused("subsidy.closed", N_("12月31日已不在运营，不能补助"), field="closed_on")
    if MEALS_EVERY_MONTH in rate.needs:
        first = facts.opened_on.month if facts.opened_on.year == year else 1
        missing = sorted(set(range(first, MONTHS + 1)) - set(facts.meal_months))
        if missing:
            raise Refused(
                "subsidy.meals", N_("开办以来每月至少一天供餐，缺少：%(months)s月"), field="meal_months",
                months="、".join(map(str, missing)),
            )  # fmt: skip


def _months_open(facts: Facts, year: int) -> int:
    """Months of a year in which it was open on some day."""
    opened = facts.opened_on or date(year, 1, 1)
    first = opened.month if opened.year == year else 1
    last = facts.closed_on.month if facts.closed_on and facts.closed_on.year == year else MONTHS
    return 0 if opened.year > year or (facts.closed_on and facts.closed_on.year < year) else max(0, last - first + 1)


def check_line(rate: Rate, *, div: str, result_year: int, line: tuple[str, str, int]) -> None:
    """Refuse a line (level, fund, year) of another level, fund or year than the plan says for a division."""
    level, fund, year = line
    due = result_year + rate.booking_offset
    if year != due:
        raise Refused(
            "subsidy.booking_year", N_("%(result)s年的结果在%(due)s年度列支，请选择%(due)s年度的资金"), field="line_id",
            result=result_year, due=due,
        )  # fmt: skip
    source = rate.source_of(div)
    if source is None:
        return
    if level != source.level:
        wanted = {"city": N_("市级"), "county": N_("县（区）级"), "street": N_("镇（街）级")}[source.level]
        raise Refused("subsidy.level", N_("这里的补助由%(level)s资金列支，请重新选择"), field="line_id", level=wanted)
    if source.funds and fund not in source.funds:
        raise Refused("subsidy.fund", N_("这笔资金的来源不能用于这项补助，请重新选择"), field="line_id", fund=fund)


def check_winners(rate: Rate, taken: int) -> None:
    """Refuse one winner more than the plan has places for (R-FUN-05)."""
    if rate.most is not None and taken >= rate.most:
        raise Refused("subsidy.full", N_("该年度名额 %(most)s 个已满，不能再登记"), most=rate.most)


def check_size(rate: Rate, *, wanted: int, taken: Collection[int], places: int, beds: int) -> None:
    """Refuse more places, or more beds, of one body and year than are registered; a body without sites is one place.

    ``taken`` are the counts that stand already. Persons are counted by the list that is the evidence.
    """
    if rate.unit == "bed" and beds and sum(taken) + wanted > beds:
        raise Refused(
            "subsidy.beds", N_("机构登记床位 %(beds)s 张，该年度已登记补助 %(taken)s 张，请核对床位数"), field="count", beds=beds,
            taken=sum(taken),
        )  # fmt: skip
    most = 1 if rate.unit == "organisation" else max(places, 1)
    if rate.unit not in COUNTED and len(taken) >= most:
        raise Refused(
            "subsidy.places", N_("机构登记了 %(most)s 处站点，该年度已全部登记补助。另有站点的，请先在机构档案里登记"), field="part", most=most
        )  # fmt: skip


@dataclass(frozen=True)
class MainUse:
    """How much of what was spent so far went where it mainly should (R-FUN-06)."""

    spent_fen: int
    main_fen: int
    least_bp: int

    @property
    def holds(self) -> bool:
        """Whether the main part is large enough: exactly."""
        return self.main_fen * WHOLE_BP >= self.spent_fen * self.least_bp

    @property
    def share_bp(self) -> int:
        """The main part in 1/10000, rounded down."""
        return self.main_fen * WHOLE_BP // self.spent_fen if self.spent_fen else 0


def main_use(rate: Rate, spendings: Iterable[tuple[str, int]]) -> MainUse | None:
    """Judge what was spent by category; nothing where the rate does not ask."""
    if not rate.main_use:
        return None
    rows = list(spendings)
    return MainUse(sum(fen for _, fen in rows), sum(fen for one, fen in rows if one in rate.main_use), rate.main_use_bp)


def attribute(donations: Iterable[tuple[int, int]], uses: Iterable[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Say which donation bore which use: the earlier donation first. Pairs of (number, fen) in; (donation, use, fen) out (R-MOD-32)."""
    pots = [[number, fen] for number, fen in donations]
    found = []
    for use, wanted in uses:
        for pot in pots:
            part = min(pot[1], wanted)
            if part > 0:
                found.append((pot[0], use, part))
                pot[1] -= part
                wanted -= part  # noqa: PLW2901 - what is left to bear
    return found
