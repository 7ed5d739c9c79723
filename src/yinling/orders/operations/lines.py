"""What is added at the door beyond the order: offered by the carer, confirmed by the elder side before check-out, or dropped (D-18)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.catalogue.models import ServiceItem
from yinling.catalogue.queries import price_for
from yinling.directory.models import Qualification
from yinling.directory.queries import system_actor
from yinling.directory.rules import known_choice, require, required_text
from yinling.entitlements.operations import give_back_each
from yinling.entitlements.rules import EXTRA, VISIT, uses_from_json
from yinling.ground.live import tell
from yinling.ground.models import in_force
from yinling.ground.operation import changed, locked, operation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, OptionalReason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order, OrderLine, PayerShare
from yinling.orders.operations.freezing import FrozenLine, freeze, reserve_shares
from yinling.orders.queries import Priced, bill_of, check_body, open_changes
from yinling.orders.rules import GOODS, MOST_OF_ONE, check_change_kind
from yinling.orders.states import OrderState
from yinling.people.models import Elder

PROVINCE, NOBODY = 2, 0
CONFIRMED_AS = [("self", N_("本人")), ("family", N_("家属"))]


@operation("orders.line.add", label=N_("增加项目"))
def add_line(
    *,
    actor: Actor,
    now: datetime,
    order_id: Id,
    item_code: Annotated[str, Input(N_("增加的项目"), max_length=20)],
    quantity: Annotated[int, Input(N_("数量"), least=1, most=MOST_OF_ONE, widget="number")] = 1,
    seen: Seen = None,
) -> OrderLine:
    """Offer a further item of the catalogue during the visit, at the price of the lists published when the order was placed.

    Payers are asked by the same chain and their counters reserved; it counts once the elder side confirms. The on-site fee stays: nobody
    comes a second time.
    """
    order = _order(order_id, seen)
    require(actor, "orders.line.add", div=order.div, provider_id=order.provider_id)
    _check_in_service(order)
    item = _item(order, item_code)
    _check_carer(actor, item, now)
    check_body(order.provider_id, order.starts_at, order.ends_at, is_medical=item.is_medical)
    day = local_date(order.starts_at)
    price = price_for(
        item=item, organisation=order.provider, service_day=day, placed_at=order.placed_at or order.created_at
    )
    priced = Priced(item, price, quantity)
    system = system_actor(order.div[:PROVINCE])
    with scope(system):  # a carer does not see what an elder is entitled to
        elder = Elder.objects.select_for_update(of=("self",)).select_related("household").get(pk=order.elder_id)
        counted = PayerShare.objects.filter(order=order, amount_fen__gt=0, entitlement__isnull=False)
        bill, _fundings = bill_of(
            elder, order.provider, [priced.line()], day, counted=set(counted.values_list("entitlement_id", flat=True))
        )  # fmt: skip
        [row] = freeze(
            order, [FrozenLine(bill.lines[0], item, price)], bill.shares, added_at=now, added_by_id=actor.user_id
        )
        reserve_shares(system, now, order, bill.shares)
    _note(actor, now, "orders.line.add", order, row, before=None, after=item.code)
    return row


@operation("orders.line.confirm", label=N_("确认增加"))
def confirm_line(
    *,
    actor: Actor,
    now: datetime,
    line_id: Id,
    signed_as: Annotated[str, Input(N_("确认人身份"), choices=CONFIRMED_AS, widget="radio")],
    signed_by: Annotated[str, Input(N_("确认人姓名"), max_length=40)],
) -> OrderLine:
    """The elder side agrees to what was added and to the own part: it joins the bill."""
    order, row = _own(actor, "orders.line.confirm", line_id)
    if row.confirmed_at is not None or row.dropped_at is not None:
        raise NotAllowed("line.decided", N_("这个增加的项目已经确认或取消，请刷新页面"))
    who = required_text(signed_by, "signed_by", most=40)
    label = dict(CONFIRMED_AS)[known_choice(signed_as, CONFIRMED_AS, "signed_as")]
    row.confirmed_at, row.confirmed_as = now, f"{label} {who}"
    row.save(update_fields=["confirmed_at", "confirmed_as"])
    _rebill(order, row, now, sign=1)
    _note(actor, now, "orders.line.confirm", order, row, before=None, after=row.confirmed_as)
    return row


@operation("orders.line.drop", label=N_("取消增加"))
def drop_line(*, actor: Actor, now: datetime, line_id: Id, reason: OptionalReason = "") -> OrderLine:
    """Take back what was added, confirmed or not, before check-out: payers and elder owe nothing for it."""
    order, row = _own(actor, "orders.line.drop", line_id)
    if row.dropped_at is not None:
        raise NotAllowed("line.decided", N_("这个增加的项目已经确认或取消，请刷新页面"))
    _drop(actor, now, order, row, reason=reason.strip())
    return row


def drop_open_changes(*, actor: Actor, now: datetime, order: Order, reason: str) -> None:
    """Drop what nobody confirmed: the visit ended otherwise."""
    for row in open_changes(order.pk):
        _drop(actor, now, order, row, reason=reason)


def _drop(actor: Actor, now: datetime, order: Order, row: OrderLine, *, reason: str) -> None:
    if row.confirmed_at is not None:
        _rebill(order, row, now, sign=-1)
    row.dropped_at = now
    with scope(system := system_actor(order.div[:PROVINCE])):
        shares = list(PayerShare.objects.filter(line=row).order_by("pk"))
        _leave_visit_counted(order, shares)
        kept = [(one.entitlement_id, use) for one in shares if one.entitlement_id for use in uses_from_json(one.uses)]
        give_back_each(system, now, kept)
        row.detail = row.detail | {"dropped": [[one.payer, one.amount_fen, one.reason] for one in shares]}
        PayerShare.objects.filter(line=row).delete()
        row.save(update_fields=["dropped_at", "detail"])
    _note(actor, now, "orders.line.drop", order, row, before=row.item.code, after=None, reason=reason)


def _leave_visit_counted(order: Order, dropped: list[PayerShare]) -> None:
    """Move what counts the visit to another line that the same source pays for: the visit takes place without the dropped line, too."""
    for one in dropped:
        visits = [use for use in one.uses if use[0] in (VISIT, VISIT + EXTRA)]
        others = PayerShare.objects.filter(order=order, entitlement=one.entitlement_id, amount_fen__gt=0)
        heir = others.exclude(line=one.line_id).order_by("pk").first() if visits else None
        if heir is not None:
            heir.uses = [*heir.uses, *visits]
            heir.save(update_fields=["uses"])
            one.uses = [use for use in one.uses if use not in visits]


def _order(order_id: int, seen: int | None = None) -> Order:
    return locked(Order.objects.select_related("provider"), order_id, seen)


def _check_in_service(order: Order) -> None:
    if order.state != OrderState.IN_SERVICE:
        raise NotAllowed("line.not_in_service", N_("只有签到以后、签退以前才能增加、确认或取消项目"))


def _own(actor: Actor, right: str, line_id: int) -> tuple[Order, OrderLine]:
    """The change line of a visit that is going on, with its locked order."""
    known = OrderLine.objects.filter(pk=line_id, added_at__isnull=False).first()
    if known is None:
        raise NotFound("line.not_found", N_("没有这个增加的项目，或不在您的权限范围内"))
    order = _order(known.order_id)
    require(actor, right, div=order.div, provider_id=order.provider_id, elder_id=order.elder_id)
    _check_in_service(order)
    return order, OrderLine.objects.select_related("item").get(pk=line_id)


def _item(order: Order, code: str) -> ServiceItem:
    item = ServiceItem.objects.filter(code=code, is_active=True).first()
    if item is None:
        raise Refused(
            "order.item_unknown", N_("服务清单中没有在用的这个项目，请重新选择"), field="item_code", item=code
        )
    check_change_kind(item.kind, needs_visit=item.needs_visit)
    if item.carers_needed > order.carers_needed:
        raise Refused("line.carers", N_("这个项目需要两人同做，请重新下单安排"), field="item_code")
    if order.lines.filter(item=item, kind="item", dropped_at=None).exists():
        raise Refused("line.same", N_("订单里已经有这个项目，不能重复增加"), field="item_code")
    return item


def _check_carer(actor: Actor, item: ServiceItem, now: datetime) -> None:
    """Who adds an item must be able to do it: goods need nobody."""
    if item.kind not in GOODS:
        held = Qualification.objects.filter(in_force(local_date(now)), staff_id=actor.staff_id or NOBODY)
        if not held.filter(kind=item.needs_qualification).exists():
            raise Refused("line.not_qualified", N_("您没有这个项目所需的有效证书，不能增加"), field="item_code")


def _rebill(order: Order, row: OrderLine, now: datetime, *, sign: int) -> None:
    """Add a confirmed line to the totals of its order, or take a dropped one off."""
    own = sum(PayerShare.objects.filter(line=row, payer="self").values_list("amount_fen", flat=True))
    changed(order, now=now, total_fen=order.total_fen + sign * row.amount_fen, self_fen=order.self_fen + sign * own)


def _note(
    actor: Actor, now: datetime, event: str, order: Order, row: OrderLine, *, before: str | None, after: str | None, reason: str = ""
) -> None:  # fmt: skip
    changes = {"line": [before, after], "line_id": [None, row.pk], "amount_fen": [None, row.amount_fen]}
    record(actor=actor, now=now, event=event, subject=order, changes=changes, reason=reason)
    tell("orders", pk=order.pk, div=order.div)
