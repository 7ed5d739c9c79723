"""Decisions about an order: its items, when it may be placed, until when it is to be accepted, its stage."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from yinling.kernel.money import yuan
from yinling.kernel.period import ONE_DAY, SHANGHAI, local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.orders.states import OrderState

MOST_ITEMS = 20
MOST_OF_ONE = 99
_MORE = re.compile(r"([A-Za-z0-9_-]{1,20})(?:[*×](\d{1,3}))?")
SERVICES = ("service", "scale_assessment")
GOODS = ("drug", "consumable")
SHORTEST = timedelta(minutes=1)
"""How long an order lasts at least: a meal that is fetched, bed-days and fees take no time of their own."""
AWAY = {"in_hospital": N_("住院"), "in_institution": N_("入住机构"), "moved_away": N_("迁出")}


@dataclass(frozen=True)
class Acceptance:
    """Minutes within which an order is to be accepted, and the hours of the day that count for a normal one (X-CALL-05)."""

    minutes: int
    urgent_minutes: int
    from_hour: int
    to_hour: int


def read_items(item_code: str, more_items: Sequence[str]) -> dict[str, int]:
    """Return what one order is made of: item codes with how many of each, the main item first. ``NU02*3`` are three."""
    found = {item_code: 1}
    for text in more_items:
        read = _MORE.fullmatch(text.strip())
        if read is None:
            sentence = N_("看不懂“%(text)s”，请写项目代码，多份时写成 代码*份数")
            raise Refused("order.more_items", sentence, field="more_items", text=text.strip()[:40])
        found[read[1]] = found.get(read[1], 0) + int(read[2] or 1)
    if len(found) > MOST_ITEMS or not all(1 <= count <= MOST_OF_ONE for count in found.values()):
        sentence = N_("一张订单最多 %(items)s 种项目，每种 1 到 %(most)s 份")
        raise Refused("order.more_items", sentence, field="more_items", items=MOST_ITEMS, most=MOST_OF_ONE)
    return found


def check_kinds(kinds: Sequence[str], *, needs_visit: bool, is_meal: bool = False) -> None:
    """Refuse what cannot be ordered: the main item is a service at home or a meal, the others services, drugs or consumables."""
    if not (needs_visit or is_meal) or kinds[0] in GOODS:
        raise Refused("order.no_visit", N_("这个项目不是上门服务，不能单独下单，请选择一项服务"), field="item_code")
    if not set(kinds) <= {*SERVICES, *GOODS}:
        raise Refused("order.more_items", N_("床日和签约费等由相应的业务登记，不能加在上门订单里"), field="more_items")


def check_together(needs_visit: Sequence[bool]) -> None:
    """Refuse to put a meal that the elder comes for into one order with what somebody brings or does at home."""
    if len(set(needs_visit)) > 1:
        raise Refused("order.more_items", N_("到店就餐、领餐和上门服务请分开下单"), field="more_items")


def check_change_kind(kind: str, *, needs_visit: bool) -> None:
    """Refuse to add at the door what is neither a service at home nor goods that go with one."""
    if kind not in (*SERVICES, *GOODS) or (kind in SERVICES and not needs_visit):
        raise Refused("order.more_items", N_("床日和签约费等由相应的业务登记，不能加在上门订单里"), field="item_code")


def check_consent(beyond_fen: int, consent: str) -> None:
    """Refuse to let an elder pay more because a limit is used up, unless somebody agreed to it."""
    if beyond_fen and not consent.strip():
        sentence = N_("补贴额度不够，老人要比平时多付 %(more)s 元。请说明并征得同意，填写同意人后再下单")
        raise Refused("order.self_pay_consent", sentence, field="self_pay_consent", more=yuan(beyond_fen))


def check_second_meals(meals: str, *, rule: str) -> None:
    """Refuse a second subsidised meal of a kind on a day where the area does not sell one at full price (R-MEA-09)."""
    if meals and rule == "refuse":
        sentence = N_("本地每人每天每种餐只供一份，当天的%(meals)s已经有了。请改成一份，或改订别的餐次、别的日子")
        raise Refused("order.second_meal", sentence, field="item_code", meals=meals)


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
