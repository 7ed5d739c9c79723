"""The quote before placing: provider, prices, payers, each with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from yinling.catalogue.models import Price, ServiceItem
from yinling.catalogue.queries import price_for
from yinling.directory.models import Organisation
from yinling.directory.queries import body_obstacles, responsible_body
from yinling.directory.rules import require
from yinling.entitlements.conditions import HOME, ON_SITE, STAY
from yinling.entitlements.queries import funding_for
from yinling.entitlements.rules import Funding
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import day_bounds, local_date
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_
from yinling.orders import meals
from yinling.orders.callouts import VisitFee, visit_fee
from yinling.orders.models import PayerShare
from yinling.orders.payers import CALLOUT, ITEM, MEALS, Bill, PayerPolicy, PricedLine, Share, divide, meals_in_words
from yinling.orders.rules import (
    GOODS,
    SERVICES,
    SHORTEST,
    check_elder,
    check_kinds,
    check_second_meals,
    check_start,
    check_together,
    read_items,
)
from yinling.people.models import Elder
from yinling.people.queries import circumstances_on

CALLOUT_NAME = N_("上门服务费")


@dataclass(frozen=True)
class Priced:
    """One item of an order: how many, at which price."""

    item: ServiceItem
    price: Price
    quantity: int = 1

    @property
    def minutes(self) -> int:
        """How long it takes at the door; goods take no time of their own."""
        return minutes_of(self.item, self.quantity)

    def line(self) -> PricedLine:
        """Its line of the bill."""
        item = self.item
        return PricedLine(
            ITEM, item.code, item.name, tuple(item.units), self.minutes, self.price.amount_fen * self.quantity, item.is_insurable,
            item.family, self.quantity, item.kind in GOODS, place_of(item),
        )  # fmt: skip


def place_of(item: ServiceItem) -> str:
    """Where an item is given: goods and fees go with a service, and count as at home."""
    if item.kind == "bed_day":
        return STAY
    return ON_SITE if item.kind in SERVICES and not item.needs_visit else HOME


def minutes_of(item: ServiceItem, quantity: int) -> int:
    """How long an item takes at the door; goods take no time of their own."""
    return item.standard_minutes * quantity if item.kind in SERVICES else 0


@dataclass(frozen=True)
class Quote:
    """What an order would cost whom: shown before placing, and what placing freezes.

    ``priced`` are the items, the main one first; ``lines`` have one line for each in the same order, then the call-out fee if one is asked.
    ``beyond_fen`` is what the elder pays more because a limit is used up, which needs consent.
    """

    elder: Elder
    item: ServiceItem
    provider: Organisation
    price: Price
    starts_at: datetime
    ends_at: datetime
    lines: Sequence[PricedLine]
    shares: Sequence[Share]
    reasons: Sequence[str]
    priced: Sequence[Priced]
    fee: VisitFee
    beyond_fen: int = 0
    fundings: Sequence[Funding] = field(default=(), repr=False)
    meal_channel: str = ""

    @property
    def total_fen(self) -> int:
        """The whole bill."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def self_fen(self) -> int:
        """What the elder bears."""
        return sum(share.amount_fen for share in self.shares if share.payer == "self")

    @property
    def carers_needed(self) -> int:
        """How many must come together."""
        return max(one.item.carers_needed for one in self.priced)

    def of_line(self, number: int) -> Priced:
        """The item of a line; for the call-out fee, the first that asks for one."""
        if self.lines[number].kind == CALLOUT:
            return next(one for one in self.priced if one.item.charges_callout)
        return self.priced[number]

    def detail(self, number: int) -> dict[str, Any]:
        """How the amount of a line came about, for the order to keep."""
        if self.lines[number].kind != CALLOUT:
            return {}
        return {"parts": [list(part) for part in self.fee.callout.parts], "asked_fen": self.fee.callout.amount_fen}


def quote(
    *, actor: Actor, elder_id: int, item_code: str, starts_at: datetime, now: datetime, provider_id: int | None = None,
    more_items: Sequence[str] = (), meal_channel: str = "",
) -> Quote:  # fmt: skip
    """Return the quote of one visit for one elder: provider, prices by D-18, payers by X-PAY-02, each with its reason.

    ``more_items`` are further services, drugs and consumables of the visit (``CODE`` or ``CODE*2``). Needs the right to place orders for
    this elder. Refuses what placing would refuse, except that it asks for no consent.
    """
    elder = Elder.objects.select_related("household").filter(pk=elder_id).first()
    if elder is None:
        raise NotFound("elder.not_found", N_("没有这位老人的档案，或不在您的权限范围内"), field="elder_id")
    require(actor, "orders.order.place", div=elder.div, elder_id=elder.pk)
    wanted = _items(read_items(item_code, more_items))
    item = wanted[0][0]
    day = local_date(starts_at)
    check_start(starts_at, now, booking_days=parameter("order.booking_days", elder.div, local_date(now)))
    check_elder(died_on=elder.died_on, circumstances=circumstances_on(elder.pk, day))
    provider = _provider(provider_id, item, elder, day)
    ends_at = starts_at + max(SHORTEST, timedelta(minutes=sum(minutes_of(one, count) for one, count in wanted)))
    check_body(provider.pk, starts_at, ends_at, is_medical=any(one.is_medical for one, _count in wanted))
    priced = [
        Priced(one, price_for(item=one, organisation=provider, service_day=day, placed_at=now), count)
        for one, count in wanted
    ]
    fee = visit_fee(
        provider=provider,
        elder=elder,
        priced=[(one.item, one.price) for one in priced],
        starts_at=starts_at,
        placed_at=now,
    )
    channel = meals.channel_for([one for one, _count in wanted], provider, elder, day, meal_channel)
    bill, fundings = bill_of(elder, provider, [*(one.line() for one in priced), *_callout(item, fee)], day)
    return Quote(
        elder, item, provider, priced[0].price, starts_at, ends_at, bill.lines, bill.shares, [*bill.reasons, *fee.notes], priced, fee,
        bill.beyond_fen, fundings, channel,
    )  # fmt: skip


def _items(wanted: dict[str, int]) -> list[tuple[ServiceItem, int]]:
    """Return the items of an order with how many of each, the main one first; refuses what is not in the list or is no visit."""
    known = {item.code: item for item in ServiceItem.objects.filter(code__in=wanted, is_active=True)}
    for place, code in enumerate(wanted):
        if code not in known:
            sentence = N_("服务清单中没有在用的这个项目，请重新选择")
            raise Refused("order.item_unknown", sentence, field="more_items" if place else "item_code", item=code)
    found = [(known[code], count) for code, count in wanted.items()]
    main = found[0][0]
    check_kinds(
        [item.kind for item, _count in found], needs_visit=main.needs_visit, is_meal=main.family == meals.FAMILY
    )
    check_together([item.needs_visit for item, _count in found if item.kind in SERVICES])
    return found


def _callout(item: ServiceItem, fee: VisitFee) -> list[PricedLine]:
    if not fee.callout.amount_fen:
        return []
    return [PricedLine(CALLOUT, item.code, CALLOUT_NAME, (), 0, fee.callout.amount_fen, family=item.family)]


def bill_of(
    elder: Elder, provider: Organisation, lines: Sequence[PricedLine], day: date, *, counted: Collection[int] = (),
    bought: Collection[tuple[int, str]] = (),
) -> tuple[Bill, list[Funding]]:  # fmt: skip
    """Divide priced lines of one order among whatever may pay for them on a day. Refuses a second meal where the area sells none.

    ``counted`` are the entitlements that have counted the visit already, ``bought`` the items that have counted under an agreement: for what
    is added at the door, and for the later days of a bill.
    """
    policy = payer_policy(elder.div, day)
    fundings = funding_for(
        elder.pk, lines[0].family, day, provider_id=provider.pk, codes=[line.code for line in lines if line.kind == ITEM],
        families={line.family for line in lines}, place=lines[0].place,
    )  # fmt: skip
    taken = _meals_taken(elder, policy.one_meal, day) if any(line.meals for line in lines) else set()
    bill = divide(lines, fundings, policy, meals_taken=taken, counted=counted, bought=bought)
    check_second_meals(meals_in_words(bill.second_meals), rule=parameter("payers.second_meal", elder.div, day))
    return bill, fundings


def payer_policy(div: str, day: date) -> PayerPolicy:
    """Return what an area says about payers on a day."""
    order = parameter("payers.order", div, day)
    sets = {
        name: frozenset(parameter(f"payers.{name}", div, day))
        for name in ("items_only", "care_only", "fund_visits", "highest_only", "one_meal")
    }
    return PayerPolicy(order=tuple(order), excludes=parameter("payers.excludes", div, day), **sets)


def _meals_taken(elder: Elder, payers: Iterable[str], day: date) -> set[str]:
    """The kinds of meal that somebody paid for on the day in another order (R-MEA-09). Placing locks the elder, so none comes between."""
    first, end = day_bounds(day)
    rows = PayerShare.objects.filter(
        elder=elder,
        amount_fen__gt=0,
        payer__in=payers,
        order__starts_at__gte=first,
        order__starts_at__lt=end,
        line__dropped_at=None,
    ).exclude(order__state__in=["draft", "cancelled", "failed"])
    found = {unit for units in rows.values_list("line__item__units", flat=True) for unit in units}
    return found & set(MEALS)


def check_body(provider_id: int, starts_at: datetime, ends_at: datetime, *, is_medical: bool) -> None:
    """Refuse an order at a body that may not serve at home then: without its policies, or medical and not listed (R-ORD-13, R-STF-04)."""
    days = {local_date(starts_at), local_date(ends_at)}
    for code, why in body_obstacles(provider_id, days, is_medical=is_medical):
        raise Refused(
            f"order.{code}", N_("%(why)s，不能接单。请换一家机构，或请该机构补办"), field="provider_id", why=why
        )


def _provider(provider_id: int | None, item: ServiceItem, elder: Elder, day: date) -> Organisation:
    if provider_id is None:
        home = elder.household
        body = responsible_body(item.family, elder.div, day, lon=home.lon, lat=home.lat)
        if body is None:
            sentence = N_("这个地区还没有确定“%(item)s”的责任机构，请选择一家机构")
            raise Refused("order.no_provider", sentence, field="provider_id", item=item.name)
        return body
    chosen = Organisation.objects.filter(pk=provider_id, is_provider=True).first()
    if chosen is None:
        raise Refused("order.provider_unknown", N_("没有这家服务机构，请从列表中选择"), field="provider_id")
    return chosen
