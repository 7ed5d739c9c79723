"""Placing orders at exactly the quote that was shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, operation
from yinling.hotline.models import CHANNELS, Ticket
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Moment
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.orders.models import MEAL_CHANNELS, Order
from yinling.orders.operations.freezing import FrozenLine, freeze, reserve_shares
from yinling.orders.queries import (
    Quote,
    accept_until,
    has_same_order,
    quote,
    window,
)
from yinling.orders.rules import SERVICES, check_consent, check_quoted, latest_start
from yinling.orders.states import ORDER
from yinling.people.models import Elder
from yinling.people.queries import consent_withdrawn

LATER = [
    ("0", N_("只在这个时间")), ("30", N_("可晚 30 分钟")), ("60", N_("可晚 1 小时")), ("120", N_("可晚 2 小时"))
]  # fmt: skip
explain_constraint("order_time", "order.time", N_("结束时间必须晚于开始时间"))


Item = Annotated[str, Input(N_("服务项目"), max_length=20)]
Total = Annotated[int, Input(N_("报价总额（分）"), least=0, widget="hidden")]
Provider = Annotated[int | None, Input(N_("服务机构"), help=N_("不选则由责任机构服务"), least=1, widget="number")]
TicketId = Annotated[int | None, Input(N_("工单"), least=1, widget="hidden")]
Channel = Annotated[str, Input(N_("来源"), choices=tuple(CHANNELS), widget="hidden")]
Note = Annotated[str, Input(N_("备注"), help=N_("给服务人员的说明"), max_length=500, widget="area")]
Urgent = Annotated[bool, Input(N_("紧急"), widget="check")]
SelfPart = Annotated[int | None, Input(N_("报价自付（分）"), least=0, widget="hidden")]
LATER_HELP = N_("派单时可在这段时间内另约上门时间；不选按本地惯例")
Later = Annotated[int | None, Input(N_("最多可推迟"), help=LATER_HELP, choices=LATER, widget="choice")]
MORE_HELP = N_("服务、药品或耗材的代码；多份写成 代码*份数")
MoreItems = Annotated[list[str] | None, Input(N_("同时服务的其他项目"), help=MORE_HELP, widget="hidden")]
Consent = Annotated[str, Input(N_("同意自付的人"), help=N_("补贴额度不够、老人要多付时填写"), max_length=60)]


MEAL_HELP = N_("不选按供餐机构的类别")
MealChannel = Annotated[str, Input(N_("供餐渠道"), help=MEAL_HELP, choices=MEAL_CHANNELS, widget="choice")]


@operation("orders.order.place", label=N_("下单"))
def place_order(  # noqa: PLR0913 - what an order consists of
    *,
    actor: Actor,
    now: datetime,
    elder_id: Id,
    item_code: Item,
    starts_at: Moment,
    quoted_total_fen: Total,
    provider_id: Provider = None,
    ticket_id: TicketId = None,
    channel: Channel = "console",
    note: Note = "",
    is_urgent: Urgent = False,
    quoted_self_fen: SelfPart = None,
    flexible_minutes: Later = None,
    more_items: MoreItems = None,
    self_pay_consent: Consent = "",
    meal_channel: MealChannel = "",
) -> Order:
    """Place an order at exactly the quote that was shown; price and payers are frozen, caps are reserved (D-18, D-19).

    One order is one visit of one or several items with one call-out fee. When a limit makes the elder pay more than the schemes' own shares
    would, somebody must have agreed to it.
    """
    elder = Elder.objects.select_for_update(of=("self",)).filter(pk=elder_id).first()  # one order of an elder at a time
    if elder is not None and elder.merged_into_id is not None:
        raise NotAllowed("elder.merged", N_("这份档案已并入另一份，请在那份档案中下单"))
    offer = quote(
        actor=actor, elder_id=elder_id, item_code=item_code, starts_at=starts_at, now=now, provider_id=provider_id,
        more_items=more_items or [], meal_channel=meal_channel,
    )  # fmt: skip
    check_quoted(
        quoted_fen=quoted_total_fen, total_fen=offer.total_fen, quoted_self_fen=quoted_self_fen, self_fen=offer.self_fen
    )
    check_consent(offer.beyond_fen, self_pay_consent)
    _check(offer, channel, now)
    usual = window(offer.elder.div, local_date(offer.starts_at))
    order = _draft(
        offer, now, channel=channel, note=note.strip(), is_urgent=is_urgent, ticket=_ticket(ticket_id, elder_id),
        latest_at=latest_start(offer.starts_at, flexible_minutes, usual), consent=self_pay_consent.strip() if offer.beyond_fen else "",
    )  # fmt: skip
    freeze(order, [_frozen(offer, number) for number in range(len(offer.lines))], offer.shares)
    reserve_shares(actor, now, order, offer.shares)
    due = accept_until(now, is_urgent=is_urgent, div=order.div) if order.needs_visit else None
    changes = changed(order, now=now, state=ORDER.target("place", order.state), placed_at=now, accept_due_at=due)
    record(actor=actor, now=now, event="orders.order.place", subject=order, changes=changes | _noted(order, offer))
    tell("orders", pk=order.pk, div=order.div)
    return order


def _check(offer: Quote, channel: str, now: datetime) -> None:
    """Refuse what the quote does not ask about: consent to the service, the channel, the same order twice."""
    if consent_withdrawn(offer.elder.pk, "service", local_date(now)):
        raise NotAllowed("order.consent", N_("老人已撤回“服务与派单”的同意。请先征得同意并登记，再下单"))
    if channel not in dict(CHANNELS):
        raise Refused("order.channel", N_("没有这种来源，请重新选择"), field="channel")
    services = [one.item for one in offer.priced if one.item.kind in SERVICES]
    if any(has_same_order(offer.elder.pk, item, offer.starts_at, offer.ends_at) for item in services):
        raise Refused("order.same", N_("老人在这个时间已有同一项目的订单，请换一个时间"), field="starts_at")


def _noted(order: Order, offer: Quote) -> dict[str, list[Any]]:
    """What the journal keeps of a bill; who consented only where somebody did."""
    noted: dict[str, list[Any]] = {
        name: [None, getattr(order, name)] for name in ("total_fen", "self_fen", "self_pay_consent")
    }
    return {name: pair for name, pair in noted.items() if pair[1] != ""} | {"price": [None, offer.price.pk]}


def _ticket(ticket_id: int | None, elder_id: int) -> Ticket | None:
    if ticket_id is None:
        return None
    ticket = Ticket.objects.filter(pk=ticket_id).first()
    if ticket is None:
        raise NotFound("ticket.not_found", N_("没有这张工单，或不在您的权限范围内"), field="ticket_id")
    if ticket.elder_id not in (None, elder_id):
        raise Refused("order.ticket_elder", N_("工单登记的是另一位老人，请核对"), field="ticket_id")
    return ticket


def _draft(
    offer: Quote, now: datetime, *, channel: str, note: str, is_urgent: bool, ticket: Ticket | None, latest_at: datetime, consent: str
) -> Order:  # fmt: skip
    elder, home = offer.elder, offer.elder.household
    order = Order(
        div=elder.div, elder=elder, provider=offer.provider, ticket=ticket, channel=channel, elder_name=elder.name,
        elder_sex=elder.sex, address=home.address, lon=home.lon, lat=home.lat, door_code=home.door_code, wants_sex=elder.wants_sex,
        dialect=elder.dialect, starts_at=offer.starts_at, ends_at=offer.ends_at, is_urgent=is_urgent, note=note,
        earliest_at=offer.starts_at, latest_at=latest_at,
        needs_visit=offer.item.needs_visit, meal_channel=offer.meal_channel, carers_needed=offer.carers_needed,
        self_pay_consent=consent, distance_m=offer.fee.distance_m, distance_method=offer.fee.distance_method,
        total_fen=offer.total_fen, self_fen=offer.self_fen, created_at=now, changed_at=now,
    )  # fmt: skip
    order.seal_field("phone", elder.unseal_field("phone"))
    order.save(force_insert=True)
    return order


def _frozen(offer: Quote, number: int) -> FrozenLine:
    own = offer.of_line(number)
    return FrozenLine(offer.lines[number], own.item, own.price, offer.detail(number))
