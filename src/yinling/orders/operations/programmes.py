"""Orders of the programmes that nobody goes out for: bed-days, the fee of a contract, goods. Plain: the programme has checked the right."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from typing import NotRequired, TypedDict, Unpack

from yinling.accounts.operations import record
from yinling.catalogue.models import ServiceItem
from yinling.catalogue.queries import price_for
from yinling.directory.models import Organisation
from yinling.entitlements.models import PAYERS
from yinling.entitlements.queries import agreed
from yinling.entitlements.rules import Funding
from yinling.ground.live import tell
from yinling.ground.operation import changed
from yinling.kernel.actor import Actor
from yinling.kernel.period import SHANGHAI
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.operations.freezing import FrozenLine, freeze, reserve_shares
from yinling.orders.payers import SELF, WHOLE_BP, Bill, PayerPolicy, PricedLine, Share, divide
from yinling.orders.queries import Priced, bill_of
from yinling.orders.rules import SHORTEST
from yinling.orders.states import ORDER
from yinling.people.models import Elder

BEGINS = time(8)
BY_PROGRAMME = N_("按约定由该付费方支付")


class Delivered(TypedDict):
    """What a programme delivered, and on which day; ``source`` names it, once.

    ``later`` are further quantities, each at the price of its own day and paid by whoever pays on that day (R-LTC-04).
    """

    item_code: str
    quantity: int
    service_day: date
    source: str
    payer_first: NotRequired[str]
    note: NotRequired[str]
    later: NotRequired[Sequence[tuple[date, int]]]


def place_for_programme(
    *, actor: Actor, now: datetime, elder: Elder, provider: Organisation, **delivered: Unpack[Delivered]
) -> Order:
    """Place what needs no visit at the price of its day and mark it delivered at once; a repetition with the same source returns the first.

    With ``payer_first`` that payer bears the whole, as the programme has agreed with it; else whoever may pay comes in the usual order.
    """
    elder = Elder.objects.select_for_update(of=("self",)).select_related("household").get(pk=elder.pk)
    item_code, service_day, source = delivered["item_code"], delivered["service_day"], delivered["source"]
    known = Order.objects.filter(source=source).exclude(state="cancelled").first()
    if known is not None:
        return known
    item = ServiceItem.objects.filter(code=item_code, is_active=True, needs_visit=False).first()
    parts = [(service_day, delivered["quantity"]), *delivered.get("later", ())]
    if item is None or any(quantity < 1 for _day, quantity in parts):
        raise Refused(
            "order.item_unknown", N_("服务清单中没有在用的这个项目，请重新选择"), field="item_code", item=item_code
        )
    order, total, own = _draft(elder, provider, service_day, now, source=source, note=delivered.get("note", "")), 0, 0
    earlier: list[Share] = []
    for day, quantity in parts:
        price = price_for(item=item, organisation=provider, service_day=day, placed_at=now)
        bill = _bill(elder, provider, Priced(item, price, quantity), day, delivered.get("payer_first", ""), earlier)
        detail = {} if day == service_day else {"day": day.isoformat()}
        freeze(order, [FrozenLine(bill.lines[0], item, price, detail)], bill.shares)
        reserve_shares(actor, now, order, bill.shares)  # so that the next part finds what this one left
        earlier += bill.shares
        total, own = total + bill.total_fen, own + bill.self_fen
    placed = changed(
        order, now=now, state=ORDER.target("place", order.state), placed_at=now, total_fen=total, self_fen=own
    )
    frozen = {"total_fen": [None, total], "self_fen": [None, own], "source": [None, source]}
    record(actor=actor, now=now, event="orders.order.place", subject=order, changes=placed | frozen)
    served = changed(order, now=now, state=ORDER.target("mark_delivered", order.state), served_at=now)
    record(actor=actor, now=now, event="orders.order.mark_delivered", subject=order, changes=served)
    tell("orders", pk=order.pk, div=order.div)
    return order


def _bill(
    elder: Elder, provider: Organisation, priced: Priced, day: date, payer_first: str, earlier: Sequence[Share]
) -> Bill:
    """Divide one part. The order counts once by visits and by times of an agreement, however many parts it has."""
    line = priced.line()
    bought = {(use.agreement_id, line.code) for one in earlier for use in one.uses if use.agreement_id}
    if payer_first and payer_first != SELF:
        return _borne_by(payer_first, line, provider, day, bought)
    counted = {one.entitlement_id for one in earlier if one.entitlement_id and one.amount_fen}
    return bill_of(elder, provider, [line], day, counted=counted, bought=bought)[0]


def _borne_by(
    payer: str, line: PricedLine, provider: Organisation, day: date, bought: Collection[tuple[int, str]]
) -> Bill:
    """The whole at the cost of one payer, within what its agreements with the provider still give; refused if that is not enough."""
    found = tuple(agreed(provider.pk, {payer}, day).get(payer, ()))
    source = Funding(
        entitlement_id=0, scheme_id=0, scheme_code="", scheme_name=dict(PAYERS)[payer], payer=payer, fund="", share_bp=WHOLE_BP,
        families=frozenset({line.family}), agreements=found,
    )  # fmt: skip
    bill = divide([line], [source], PayerPolicy(order=(payer,)), bought=bought)
    if bill.self_fen:
        raise Refused(
            "order.agreement_used_up",
            N_("%(why)s，不能由该付费方支付"),
            why="；".join(bill.reasons) or bill.shares[0].reason,
        )
    uses = tuple(use for share in bill.shares for use in share.uses)
    return Bill((line,), (Share(0, payer, line.amount_fen, BY_PROGRAMME, uses=uses),), ())


def _draft(elder: Elder, provider: Organisation, day: date, now: datetime, *, source: str, note: str) -> Order:
    home, start = elder.household, datetime.combine(day, BEGINS, SHANGHAI)
    order = Order(
        div=elder.div, elder=elder, provider=provider, channel="console", elder_name=elder.name, elder_sex=elder.sex, address=home.address,
        lon=home.lon, lat=home.lat, door_code=home.door_code, starts_at=start, ends_at=start + SHORTEST, earliest_at=start,
        latest_at=start, needs_visit=False, source=source, note=note[:500],
        created_at=now, changed_at=now,
    )  # fmt: skip
    order.seal_field("phone", elder.unseal_field("phone"))
    order.save(force_insert=True)
    return order
