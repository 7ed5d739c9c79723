"""Who pays which part of a bill, in which order and why (X-PAY-02). Pure: priced lines and sources in, shares that add up out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction

from yinling.entitlements.conditions import HOME, PLACES
from yinling.entitlements.rules import (
    EXTRA,
    FEN,
    MINUTE,
    TIME,
    VISIT,
    Agreed,
    Funding,
    Left,
    Use,
    in_payer_order,
    shared_by,
)
from yinling.kernel.money import share_down, share_half_up, yuan
from yinling.kernel.words import N_

SELF = "self"
ITEM, CALLOUT = "item", "callout"
WHOLE_BP = 10_000
BP_PER_PERCENT = 100
MEALS = {"breakfast": N_("早餐"), "lunch": N_("午餐"), "dinner": N_("晚餐")}
PERIODS = {"day": N_("当天"), "week": N_("本周"), "month": N_("本月"), "year": N_("本年"), "span": N_("有效期内")}
LEFT_OF = {FEN: N_("%(left)s 元"), VISIT: N_("%(left)s 次"), MINUTE: N_("%(left)s 分钟")}
USED_UP, ONLY_LEFT = N_("%(name)s%(when)s额度已用完"), N_("%(name)s%(when)s只剩 %(left)s，这次付 %(sum)s 元")
USED_UP_OF = {
    TIME: N_("%(name)s与这家机构的协议%(when)s次数已用完，可改到下月或另选机构"),
    FEN: N_("%(name)s与这家机构的协议%(when)s金额已用完，可改到下月或另选机构"),
}
ONLY_LEFT_OF = N_("%(name)s与这家机构的协议%(when)s只剩 %(left)s，这次付 %(sum)s 元")
REST = N_("其余自己付")
NOBODY = N_("没有可用的补贴，自己付")
LONGEST_WHY = 180
"""A reason is kept with the share, in 200 characters."""


@dataclass(frozen=True)
class PricedLine:
    """One line of a bill at its price. ``units`` are what schemes pay by; the call-out fee has the family of its visit."""

    kind: str
    code: str
    name: str
    units: tuple[str, ...]
    minutes: int
    amount_fen: int
    is_insurable: bool = False
    family: str = ""
    quantity: int = 1
    is_goods: bool = False
    place: str = HOME

    @property
    def meals(self) -> frozenset[str]:
        """The kinds of meal it is."""
        return frozenset(self.units) & MEALS.keys()


@dataclass(frozen=True)
class PayerPolicy:
    """What an area says on a day about payers: the parameters ``payers.*``."""

    order: tuple[str, ...]
    excludes: Mapping[str, Collection[str]] = field(default_factory=dict)
    items_only: frozenset[str] = frozenset()
    care_only: frozenset[str] = frozenset()
    fund_visits: frozenset[str] = frozenset()
    highest_only: frozenset[str] = frozenset()
    one_meal: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Share:
    """What one payer bears of one line (its place in the bill), why, and which counters that uses."""

    line: int
    payer: str
    amount_fen: int
    reason: str
    entitlement_id: int | None = None
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True)
class Bill:
    """The lines as charged, who bears them, why a source bears nothing, and what the elder pays more because a limit is used up.

    ``second_meals`` are the kinds of meal that somebody would have paid for, had nobody paid for one on that day already.
    """

    lines: tuple[PricedLine, ...]
    shares: tuple[Share, ...]
    reasons: tuple[str, ...]
    beyond_fen: int = 0
    second_meals: frozenset[str] = frozenset()

    @property
    def total_fen(self) -> int:
        """The whole bill."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def self_fen(self) -> int:
        """What the elder bears."""
        return sum(share.amount_fen for share in self.shares if share.payer == SELF)


def split(
    lines: Sequence[PricedLine], fundings: Iterable[Funding], policy: PayerPolicy, *, meals_taken: Collection[str] = ()
) -> list[Share]:
    """Divide each line among the sources in the order of payers, the rest to the elder. See ``divide``."""
    return list(divide(lines, fundings, policy, meals_taken=meals_taken).shares)


def divide(
    lines: Sequence[PricedLine], fundings: Iterable[Funding], policy: PayerPolicy, *, meals_taken: Collection[str] = (),
    counted: Collection[int] = (), bought: Collection[tuple[int, str]] = (),
) -> Bill:  # fmt: skip
    """Return the bill of one visit: each source bears its share or its sum by unit, never more than the sources before left.

    Limits count over all lines, those of an agreement over all sources of its payer. Where a source funds the visit itself, no call-out
    fee is charged (D-08). ``meals_taken`` are the meals of the day that were subsidised before (R-MEA-09), ``counted`` the entitlements that
    have counted and paid this visit already, ``bought`` the items of this order that have counted under an agreement.
    """
    ordered = in_payer_order(fundings, policy.order, policy.excludes)
    bill = _Division(ordered, policy, meals_taken, counted, bought).bill(lines)
    free = replace(policy, one_meal=frozenset())
    without_limits = _Division([replace(one, limits=(), agreements=()) for one in ordered], free, (), counted).bill(
        lines
    )
    return replace(bill, beyond_fen=max(0, bill.self_fen - without_limits.self_fen))


@dataclass(frozen=True)
class _Offer:
    """What a source would bear of a line, the counters that takes, and the limit that made it less, if one did."""

    fen: int
    uses: tuple[Use, ...] = ()
    limited_by: Left | None = None
    by_unit: bool = False
    why_not: str = ""
    is_second_meal: bool = False


@dataclass(frozen=True)
class _Bought:
    """Under which agreement so much of a line is bought, and the limit that made it less, if one did."""

    fen: int
    agreement: Agreed | None = None
    limited_by: Left | None = None


class _Agreements:
    """What agreements still give while a bill is divided: each item of an order counts once, money to the fen."""

    def __init__(self, fundings: Iterable[Funding], counted: Collection[tuple[int, str]]) -> None:
        self.left = {
            (one.agreement_id, limit.unit): limit.left
            for funding in fundings
            for one in funding.agreements
            for limit in one.limits
        }
        self.counted = set(counted)

    def under(self, funding: Funding, code: str, fen: int) -> _Bought:
        """The first agreement that has room for so much of an item, else the one with most room; a payer without any is not limited."""
        found = [self._within(one, code, fen) for one in funding.agreements if one.covers(code)]
        return max(found, key=lambda one: one.fen, default=_Bought(fen))

    def _within(self, one: Agreed, code: str, fen: int) -> _Bought:
        for limit in one.limits:
            left = self.left[one.agreement_id, limit.unit]
            if limit.unit == TIME and not left and (one.agreement_id, code) not in self.counted:
                return _Bought(0, one, replace(limit, left=left))
            if limit.unit == FEN and left < fen:
                return _Bought(left, one, replace(limit, left=left))
        return _Bought(fen, one)

    def take(self, bought: _Bought, code: str) -> tuple[Use, ...]:
        """Use up what a purchase needs."""
        one = bought.agreement
        if one is None:
            return ()
        times = 0 if (one.agreement_id, code) in self.counted else 1
        self.counted.add((one.agreement_id, code))
        uses = [_use(limit, times if limit.unit == TIME else bought.fen) for limit in one.limits]
        for use in uses:
            self.left[one.agreement_id, use.unit] -= use.amount
        return tuple(use for use in uses if use.amount)


_Counter = tuple[int | str, str, str, date]


class _Source:
    """One source while a bill is divided: what its limits still give."""

    def __init__(self, funding: Funding, taken: dict[_Counter, int], *, is_visit_counted: bool) -> None:
        self.funding = funding
        self.taken = taken
        self.is_visit_counted = is_visit_counted
        self.reasons: list[str] = []
        self.paid_fen = 0

    def limits(self, unit: str) -> list[Left]:
        """The limits of a unit with what they give now."""
        return [
            replace(one, left=max(0, one.left - self.taken.get(self._counter(one), 0)))
            for one in self.funding.limits
            if one.unit == unit
        ]

    def tightest(self, unit: str) -> Left | None:
        """The limit of a unit that gives least."""
        return min(self.limits(unit), key=lambda one: one.left, default=None)

    def take(self, offer: _Offer, fen: int) -> tuple[Use, ...]:
        """Use up what an offer needs for so much money."""
        money = tuple(_use(one, fen) for one in self.limits(FEN))
        uses = tuple(use for use in (*offer.uses, *money) if use.amount)
        for use in uses:
            self.taken[self._counter(use)] = self.taken.get(self._counter(use), 0) + use.amount
        self.is_visit_counted = True
        self.paid_fen += fen
        return uses

    def _counter(self, one: Left | Use) -> _Counter:
        whose = shared_by(self.funding.entitlement_id, self.funding.scheme_code, one.per)
        return whose, one.unit, one.per, one.from_on


class _Division:
    """Divides one bill."""

    def __init__(
        self, fundings: Sequence[Funding], policy: PayerPolicy, meals_taken: Collection[str], counted: Collection[int],
        bought: Collection[tuple[int, str]] = (),
    ) -> None:  # fmt: skip
        self.policy = policy
        taken: dict[_Counter, int] = {}  # of all sources: those of one scheme share its calendar periods
        self.sources = [_Source(one, taken, is_visit_counted=one.entitlement_id in counted) for one in fundings]
        self.agreements = _Agreements(fundings, bought)
        self.meals_taken = set(meals_taken)
        self.second_meals: frozenset[str] = frozenset()
        self.visit_by = ""

    def bill(self, lines: Sequence[PricedLine]) -> Bill:
        """Items first, then the call-out fee, which is nothing if an item's source funds the visit; shares in the order of the lines."""
        shares: dict[int, list[Share]] = {}
        charged = list(lines)
        for is_fee in (False, True):
            for place, line in enumerate(lines):
                if (line.kind == CALLOUT) is is_fee:
                    charged[place] = replace(line, amount_fen=0) if is_fee and self.visit_by else line
                    shares[place] = self._line(place, charged[place])
        found = tuple(share for place in sorted(shares) for share in shares[place])
        return Bill(tuple(charged), found, tuple(self._reasons()), second_meals=self.second_meals)

    def _line(self, place: int, line: PricedLine) -> list[Share]:
        rest, shares, whys, is_meal_paid = line.amount_fen, [], [], False
        highest = {payer: self._highest(payer, line) for payer in self.policy.highest_only}
        for source in self.sources:
            payer = source.funding.payer
            offer = self._offer(source, line)
            if offer.fen and payer in highest and highest[payer] is not source:
                offer = _Offer(
                    0, why_not=N_("%(name)s与更高一档的补贴不能同时享受") % {"name": source.funding.scheme_name}
                )
            offer, bought = self._limited(source, line, offer, rest)
            if offer.is_second_meal:
                self.second_meals |= line.meals
            if not bought.fen:
                whys.append(self._why_nothing(source, line, offer, rest))
                source.reasons.append(whys[-1])
                continue
            reason = _reason(source.funding, offer, bought.fen)
            uses = source.take(offer, bought.fen) + self.agreements.take(bought, line.code)
            shares.append(Share(place, payer, bought.fen, reason, source.funding.entitlement_id, uses))
            rest -= bought.fen
            is_meal_paid = is_meal_paid or payer in self.policy.one_meal
            self._fund_visit(source.funding, line)
        if is_meal_paid:
            self.meals_taken |= line.meals
        if rest or not shares:
            shares.append(Share(place, SELF, rest, self._why_self(line, shares, whys)))
        return shares

    def _limited(self, source: _Source, line: PricedLine, offer: _Offer, rest: int) -> tuple[_Offer, _Bought]:
        """What of an offer is needed, and what the limits of money of the source and of its agreement leave of it."""
        fen, cap = min(offer.fen, rest), source.tightest(FEN)
        if cap is not None and cap.left < fen:
            fen, offer = cap.left, replace(offer, limited_by=cap)
        bought = self.agreements.under(source.funding, line.code, fen)
        return (offer if bought.limited_by is None else replace(offer, limited_by=bought.limited_by)), bought

    def _fund_visit(self, funding: Funding, line: PricedLine) -> None:
        funds = funding.items.get(line.code, {}).get("funds")
        if (
            line.kind == ITEM
            and not self.visit_by
            and (funds == VISIT or (funding.payer in self.policy.fund_visits and not funds))
        ):
            self.visit_by = funding.scheme_name

    def _highest(self, payer: str, line: PricedLine) -> _Source | None:
        offers = [(self._offer(one, line).fen, one) for one in self.sources if one.funding.payer == payer]
        best = max((fen for fen, _one in offers), default=0)
        return next((one for fen, one in offers if fen == best), None)

    def _offer(self, source: _Source, line: PricedLine) -> _Offer:
        """What a source would bear of a line, were it the first and its money without limit."""
        why_not = self._why_not_for(source.funding, line)
        if why_not:
            return _Offer(0, why_not=why_not)
        meals = line.meals if source.funding.payer in self.policy.one_meal else frozenset()
        taken, is_by_unit = meals & self.meals_taken, bool(source.funding.units.keys() & set(line.units))
        if taken and (taken == meals or not is_by_unit):
            said = N_("当天的%(meal)s已补贴过一份，这一份按全价，%(name)s不再付")
            name = source.funding.scheme_name
            return _Offer(0, why_not=said % {"meal": meals_in_words(taken), "name": name}, is_second_meal=True)
        meal = Fraction(1, line.quantity) if meals else Fraction(1)
        left = replace(line, units=tuple(unit for unit in line.units if unit not in taken))
        return replace((_by_unit if is_by_unit else _by_share)(source, left, meal), is_second_meal=meal < 1)

    def _why_not_for(self, funding: Funding, line: PricedLine) -> str:
        """Why a source is not for a line at all; a source for other items says nothing (a space)."""
        name = {"name": funding.scheme_name}
        if barred := funding.why_barred(line.code):
            return barred
        if line.kind == CALLOUT:
            without_fee = (
                self.policy.items_only | self.policy.fund_visits
            )  # who funds visits pays for what is done in them
            is_for = line.family in funding.families and not funding.items and funding.payer not in without_fee
            return "" if is_for else " "
        if line.code not in funding.items if funding.items else line.family not in funding.families:
            return " "
        is_outside = (funding.payer in self.policy.items_only and not line.is_insurable) or (
            funding.payer in self.policy.care_only and line.is_goods
        )
        if is_outside:
            return N_("“%(item)s”不在%(name)s的支付范围内") % (name | {"item": line.name})
        return ""

    def _why_nothing(self, source: _Source, line: PricedLine, offer: _Offer, rest: int) -> str:
        name = {"name": source.funding.scheme_name}
        if offer.why_not:
            return offer.why_not.strip()
        if offer.limited_by is not None:
            said = USED_UP if offer.limited_by.agreement_id is None else USED_UP_OF[offer.limited_by.unit]
            return said % (name | {"when": PERIODS[offer.limited_by.per]})
        if offer.fen and line.amount_fen and not rest:
            return N_("前面的付费方已承担全部费用，%(name)s不再付") % name
        return ""

    def _why_self(self, line: PricedLine, shares: Sequence[Share], whys: Iterable[str]) -> str:
        """Why the elder pays a line, or the rest of it: what a receipt says."""
        if line.kind == CALLOUT and self.visit_by:
            return N_("上门由%(name)s保障，不另收上门服务费") % {"name": self.visit_by}
        if shares:
            again = line.quantity > 1 and line.meals & self.second_meals
            return (
                N_("当天的%(meal)s只补贴一份，其余按全价自己付") % {"meal": meals_in_words(line.meals)}
                if again
                else REST
            )
        said = ""
        for why in dict.fromkeys(whys):
            if why and len(said) + len(why) < LONGEST_WHY:
                said += why + "；"
        return said + N_("自己付") if said else NOBODY

    def _reasons(self) -> list[str]:
        """Say once of each source that bears nothing why not."""
        found: dict[str, None] = {}
        for source in self.sources:
            if not source.paid_fen:
                found.update(dict.fromkeys(reason for reason in source.reasons if reason))
        return list(found)


def _use(limit: Left, amount: int) -> Use:
    return Use(limit.unit, limit.per, limit.from_on, amount, limit.most, limit.agreement_id)


def _counted(source: _Source, unit: str, wanted: int) -> tuple[int, list[Use], Left | None]:
    """How many of a unit the limits still give, what that uses, and which limit made it less. A pool helps once the limits are used up."""
    limits = source.limits(unit)
    if not limits:
        return wanted, [], None
    tightest = min(limits, key=lambda one: one.left)
    own = min(wanted, tightest.left)
    pool = source.tightest(unit + EXTRA)
    more = min(wanted - own, pool.left) if pool else 0
    uses = [_use(one, own) for one in limits] + ([_use(pool, more)] if pool and more else [])
    return own + more, uses, tightest if own + more < wanted else None


def _visit(source: _Source) -> tuple[bool, list[Use], Left | None]:
    """Whether the limits of visits give this visit, which counts once however many lines it has."""
    if source.is_visit_counted:
        return True, [], None
    found, uses, limit = _counted(source, VISIT, 1)
    return found > 0, uses, limit


def _by_unit(source: _Source, line: PricedLine, meal: Fraction) -> _Offer:
    """Sums by the units that the line has; what is paid by the visit is paid once a visit."""
    is_given, uses, limited = _visit(source)
    if not is_given:
        return _Offer(0, limited_by=limited)
    fen = 0
    for unit in dict.fromkeys(line.units):
        each = source.funding.units.get(unit, 0)
        by_visit = unit.endswith("_" + VISIT)
        wanted = (0 if source.is_visit_counted else 1) if by_visit else int(line.quantity * meal)
        count, more, limit = _counted(source, unit, wanted)
        fen, limited = fen + each * count, limited or limit
        uses += more if each else []
    found, more, limit = _share_of_counts(source, line, units=())
    total = fen if found == 1 else share_down(fen, found)
    return _Offer(total, tuple(uses + more), limited or limit, by_unit=True)


def _by_share(source: _Source, line: PricedLine, meal: Fraction) -> _Offer:
    """A share of the price, half up to the fen; of what a limit cuts, rounded down (D-12)."""
    is_given, uses, limited = _visit(source)
    if not is_given:
        return _Offer(0, limited_by=limited)
    found, more, limit = _share_of_counts(source, line, units=line.units)
    found, share = min(found, meal), Fraction(source.funding.share_bp, WHOLE_BP)
    fen = share_half_up(line.amount_fen, share) if found == 1 else share_down(line.amount_fen, share * found)
    return _Offer(fen, tuple(uses + more), limit)


def _share_of_counts(
    source: _Source, line: PricedLine, *, units: Iterable[str]
) -> tuple[Fraction, list[Use], Left | None]:
    """Which part of a line the limits of minutes, of its item and of its units still give."""
    part, uses, limited = Fraction(1), [], None
    counts = [
        (f"{ITEM}:{line.code}", line.quantity),
        *((unit, line.quantity) for unit in dict.fromkeys(units)),
        (MINUTE, line.minutes),
    ]
    for unit, wanted in counts:
        if not wanted or line.kind == CALLOUT:
            continue
        count, more, limit = _counted(source, unit, wanted)
        uses += more
        limited = limited or limit
        part = min(part, Fraction(count, wanted))
    return part, uses, limited


def _reason(funding: Funding, offer: _Offer, fen: int) -> str:
    values = {"name": funding.scheme_name, "percent": f"{funding.share_bp / BP_PER_PERCENT:g}", "sum": yuan(fen)}
    by_place = ""
    if funding.place and not offer.by_unit:  # the percentage depends on it, and everybody asks why
        by_place = N_("%(name)s按“%(place)s”承担 %(percent)s%%") % (values | {"place": PLACES[funding.place]})
        values["name"] = by_place + "，"
    if offer.limited_by is not None:
        said = ONLY_LEFT if offer.limited_by.agreement_id is None else ONLY_LEFT_OF
        return said % (values | {"when": PERIODS[offer.limited_by.per], "left": left_in_words(offer.limited_by)})
    if offer.by_unit:
        return N_("%(name)s按标准付 %(sum)s 元") % values
    if funding.payer == "contract":
        return N_("%(name)s已包含这一项，不再收费") % values
    return by_place or N_("%(name)s承担 %(percent)s%%") % values


def left_in_words(limit: Left) -> str:
    """Say what a limit still gives."""
    left = yuan(limit.left) if limit.unit == FEN else limit.left
    return LEFT_OF.get(limit.unit, N_("%(left)s 份")) % {"left": left}


def meals_in_words(meals: Collection[str]) -> str:
    """Say which meals."""
    return "、".join(name for meal, name in MEALS.items() if meal in meals)
