"""Decisions about an order: its lines and payers, when it may be placed, until when it is to be accepted, its stage."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from yinling.kernel.money import share_half_up, yuan
from yinling.kernel.period import ONE_DAY, SHANGHAI, local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.orders.states import OrderState

CALLOUT = N_("上门服务费")
WHOLE_BP = 10_000
BP_PER_PERCENT = 100
INSURANCE = frozenset({"ltci", "medical_insurance"})
ITEMS_ONLY = frozenset({"medical_insurance"})
AWAY = {"in_hospital": N_("住院"), "in_institution": N_("入住机构"), "moved_away": N_("迁出")}


@dataclass(frozen=True)
class PricedItem:
    """One item at its price; ``callout_fee_fen`` counts where the item asks for one."""

    name: str
    minutes: int
    amount_fen: int
    callout_fee_fen: int = 0


@dataclass(frozen=True)
class Line:
    """One line of the bill."""

    kind: str
    name: str
    minutes: int
    amount_fen: int


@dataclass(frozen=True)
class Source:
    """What may pay besides the elder, in the order of payers: share of the price and what is left of the month's cap."""

    payer: str
    name: str
    share_bp: int
    entitlement_id: int | None = None
    left_fen: int | None = None


@dataclass(frozen=True)
class Share:
    """What one payer bears of one line (its place in the bill), and why."""

    line: int
    payer: str
    amount_fen: int
    reason: str
    entitlement_id: int | None = None


@dataclass(frozen=True)
class Acceptance:
    """Minutes within which an order is to be accepted, and the hours of the day that count for a normal one (X-CALL-05)."""

    minutes: int
    urgent_minutes: int
    from_hour: int
    to_hour: int


def price_lines(items: Sequence[PricedItem]) -> list[Line]:
    """Return the bill: each item, and one call-out fee for the visit, the highest asked for (R-PAY-01)."""
    lines = [Line("item", item.name, item.minutes, item.amount_fen) for item in items]
    fee = max((item.callout_fee_fen for item in items), default=0)
    return [*lines, Line("callout", CALLOUT, 0, fee)] if fee else lines


def split_lines(lines: Sequence[Line], sources: Sequence[Source]) -> list[Share]:
    """Divide each line among the sources in their order, the rest to the elder (X-PAY-02).

    A source bears its share of the line, rounded half up (D-12), never more than the sources before left and than its cap still
    holds. State care excludes the insurance fund; basic insurance bears items only. The shares of a line add up to its amount.
    """
    usable = [
        source
        for source in sources
        if not (source.payer in INSURANCE and any(other.payer == "state_care" for other in sources))
    ]
    left = {place: source.left_fen for place, source in enumerate(usable)}
    shares: list[Share] = []
    for number, line in enumerate(lines):
        rest = line.amount_fen
        for place, source in enumerate(usable):
            if source.payer in ITEMS_ONLY and line.kind != "item":
                continue
            cap = left[place]
            due = min(share_half_up(line.amount_fen, Fraction(source.share_bp, WHOLE_BP)), rest)
            amount = due if cap is None else min(due, cap)
            if amount:
                shares.append(Share(number, source.payer, amount, _reason(source, amount < due), source.entitlement_id))
            if cap is not None:
                left[place] = cap - amount
            rest -= amount
        if rest or not any(share.line == number for share in shares):
            why = N_("其余由个人自付") if rest < line.amount_fen else N_("没有可用的补贴，由个人自付")
            shares.append(Share(number, "self", rest, why))
    return shares


def _reason(source: Source, is_capped: bool) -> str:  # noqa: FBT001 - one caller
    percent = f"{source.share_bp / BP_PER_PERCENT:g}"
    if is_capped:
        sentence = N_("%(name)s承担 %(percent)s%%，本月额度只剩 %(left)s 元，以此为限")
        return sentence % {"name": source.name, "percent": percent, "left": yuan(source.left_fen or 0)}
    return N_("%(name)s承担 %(percent)s%%") % {"name": source.name, "percent": percent}


def unused(sources: Sequence[Source], shares: Sequence[Share]) -> list[str]:
    """Say of each source that bears nothing why not."""
    used = {share.entitlement_id for share in shares}
    state_care = any(source.payer == "state_care" for source in sources)
    found = []
    for source in sources:
        if source.entitlement_id in used:
            continue
        if source.left_fen == 0:
            found.append(N_("%(name)s本月额度已用完") % {"name": source.name})
        elif state_care and source.payer in INSURANCE:
            found.append(N_("特困供养承担全部费用，%(name)s不再支付") % {"name": source.name})
        else:
            found.append(N_("前面的付费方已承担全部费用，%(name)s不再支付") % {"name": source.name})
    return found


def check_start(starts_at: datetime, now: datetime, *, booking_days: int) -> None:
    """Refuse a start in the past or beyond the booking window."""
    if starts_at <= now:
        raise Refused("order.past", N_("服务时间已经过去，请选择以后的时间"), field="starts_at")
    if local_date(starts_at) > local_date(now) + booking_days * ONE_DAY:
        sentence = N_("最多提前 %(days)s 天预约，请选择近一些的日期")
        raise Refused("order.too_far", sentence, field="starts_at", days=booking_days)


FLEXIBLE = (0, 30, 60, 120)
"""Minutes by which an elder may let a visit begin later."""


def latest_start(starts_at: datetime, flexible_minutes: int | None, usual: timedelta) -> datetime:
    """Return the latest start agreed: as chosen, else as is usual in the area."""
    if flexible_minutes is None:
        return starts_at + usual
    if flexible_minutes not in FLEXIBLE:
        raise Refused("order.flexible", N_("请从列表中选择可推迟的时间"), field="flexible_minutes")
    return starts_at + timedelta(minutes=flexible_minutes)


def check_window(starts_at: datetime, *, earliest_at: datetime, latest_at: datetime) -> None:
    """Refuse to appoint a start outside the window agreed at placing."""
    if not earliest_at <= starts_at <= latest_at:
        first, last = (f"{one.astimezone(SHANGHAI):%H:%M}" for one in (earliest_at, latest_at))
        sentence = N_("与老人约定的上门时间是 %(first)s 到 %(last)s，请选这段时间，或与老人商量后重新下单")
        raise Refused("order.window", sentence, field="starts_at", first=first, last=last)


def check_elder(*, died_on: date | None, circumstances: Collection[str]) -> None:
    """Refuse a visit to who is dead or, on the day of the service, not at home."""
    if died_on is not None:
        raise Refused("order.elder_died", N_("老人已登记去世，不能下单"), field="elder_id", died_on=died_on.isoformat())
    for kind, label in AWAY.items():
        if kind in circumstances:
            sentence = N_("服务当天老人登记为“%(where)s”，不在家中。请改日期，或先更新档案")
            raise Refused("order.elder_away", sentence, field="starts_at", where=label)


def check_quoted(*, quoted_fen: int, total_fen: int, quoted_self_fen: int | None, self_fen: int) -> None:
    """Refuse an order at another price or another own part than the quote shown: prices are never typed."""
    if quoted_fen != total_fen or quoted_self_fen not in (None, self_fen):
        sentence = N_("价格或补贴额度已变化，现在总价 %(total)s 元，自付 %(own)s 元。请重新报价并告知老人")
        raise Refused("quote.changed", sentence, field="quoted_total_fen", total=yuan(total_fen), own=yuan(self_fen))


def acceptance_due(asked_at: datetime, *, is_urgent: bool, within: Acceptance) -> datetime:
    """Return until when an order or offer is to be accepted: urgent round the clock, normal counted in the hours of the day only."""
    if is_urgent:
        return asked_at + timedelta(minutes=within.urgent_minutes)
    if within.to_hour <= within.from_hour:
        raise ValueError("the hours in which orders are accepted are empty")
    left = timedelta(minutes=within.minutes)
    moment = asked_at
    while True:
        local = moment.astimezone(SHANGHAI)
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        opens, closes = day + timedelta(hours=within.from_hour), day + timedelta(hours=within.to_hour)
        begin = max(local, opens)
        if begin + left <= closes:
            return (begin + left).astimezone(asked_at.tzinfo)
        left -= max(closes - begin, timedelta(0))
        moment = opens + ONE_DAY


class Stage(StrEnum):
    """How far an order has come, as people see it (R-ORD-01)."""

    DRAFT = "draft"
    PLACED = "placed"
    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    EN_ROUTE = "en_route"
    ON_SITE = "on_site"
    DONE = "done"
    CONFIRMED = "confirmed"
    SETTLED = "settled"
    EVALUATED = "evaluated"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    DISPUTED = "disputed"


STAGE_LABELS: dict[Stage, str] = {
    Stage.DRAFT: N_("草稿"), Stage.PLACED: N_("待派单"), Stage.ACCEPTED: N_("已接单"), Stage.DISPATCHED: N_("已派单"),
    Stage.EN_ROUTE: N_("在途"), Stage.ON_SITE: N_("服务中"), Stage.DONE: N_("已服务"), Stage.CONFIRMED: N_("已确认"),
    Stage.SETTLED: N_("已结算"), Stage.EVALUATED: N_("已评价"), Stage.CLOSED: N_("已完成"), Stage.CANCELLED: N_("已取消"),
    Stage.FAILED: N_("未完成"), Stage.DISPUTED: N_("核查中"),
}  # fmt: skip
BAR = (
    Stage.PLACED, Stage.ACCEPTED, Stage.DISPATCHED, Stage.EN_ROUTE, Stage.ON_SITE, Stage.DONE, Stage.CONFIRMED, Stage.SETTLED,
    Stage.EVALUATED, Stage.CLOSED,
)  # fmt: skip
_PLAIN = {
    OrderState.DRAFT: Stage.DRAFT, OrderState.PLACED: Stage.PLACED, OrderState.ACCEPTED: Stage.ACCEPTED,
    OrderState.ASSIGNED: Stage.DISPATCHED, OrderState.IN_SERVICE: Stage.ON_SITE, OrderState.SERVED: Stage.DONE,
    OrderState.SETTLED: Stage.SETTLED, OrderState.CLOSED: Stage.CLOSED, OrderState.CANCELLED: Stage.CANCELLED,
    OrderState.FAILED: Stage.FAILED,
}  # fmt: skip


@dataclass(frozen=True)
class Progress:
    """What rows beside the order say: the carer left, the elder side signed, evaluated, the settlement is stopped."""

    is_en_route: bool = False
    is_signed: bool = False
    is_evaluated: bool = False
    is_held: bool = False


def stage_of(state: str, progress: Progress) -> Stage:
    """Return the stage of an order from its own state and the rows of later steps (R-ORD-01)."""
    known = OrderState(state)
    if known == OrderState.ASSIGNED and progress.is_en_route:
        return Stage.EN_ROUTE
    if known == OrderState.SERVED and progress.is_held:
        return Stage.DISPUTED
    if known == OrderState.SERVED and progress.is_signed:
        return Stage.CONFIRMED
    if known == OrderState.SETTLED and progress.is_evaluated:
        return Stage.EVALUATED
    return _PLAIN[known]
