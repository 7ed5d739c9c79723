"""Sending carers: assigning, reassigning, the carer's answer, and what becomes of offers nobody answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Required, TypedDict, Unpack

from django.db.models import Q

from yinling.accounts.operations import Recipient, notify, record, record_each
from yinling.directory.models import Staff, Suspension
from yinling.directory.rules import require
from yinling.dispatch.models import Assignment, DayPlan
from yinling.dispatch.offers import (
    check_is_carer,
    check_people,
    check_same_time,
    check_slot,
    missing_slots,
    slot_to_change,
)
from yinling.dispatch.queries import (
    at_home,
    cause_of_end,
    choices,
    held_assignments,
    held_orphans,
    held_people,
    orphans,
    plan_until,
    readdressed,
)
from yinling.dispatch.rules import check_alive, check_at_home, check_choice, check_own, check_route, check_time
from yinling.dispatch.states import ASSIGNMENT, AssignmentState
from yinling.ground.kept import Entry
from yinling.ground.live import tell, tell_each
from yinling.ground.operation import changed_each, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Id, Input, Reason, Seen
from yinling.kernel.period import SHANGHAI, day_bounds
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.operations import appoint_each, mark_accepted, mark_assigned_each, return_order, return_orders
from yinling.orders.queries import OPEN_STATES, accept_until
from yinling.orders.states import ORDER, OrderState

explain_constraint(
    "assignment_no_overlap", "dispatch.overlap", N_("这位服务人员在这段时间刚被派了其他订单，请另选一人")
)
explain_constraint("assignment_once", "dispatch.twice", N_("这张订单已派给这位服务人员"))
explain_constraint("assignment_slot", "dispatch.slot_taken", N_("这张订单已派人，请刷新页面；如需换人请用“改派”"))

ASSIGNED = Entry(Assignment)
StaffId = Annotated[int, Input(N_("服务人员"), least=1, widget="number")]
SecondId = Annotated[
    int | None, Input(N_("第二位服务人员"), help=N_("需要两位同去的服务，两位都要选"), least=1, widget="number")
]
StartsAt = Annotated[
    datetime | None, Input(N_("上门时间"), help=N_("在约定的时段内选，不填按预约时间"), widget="moment")
]
ChoiceReason = Annotated[
    str, Input(N_("选择原因"), help=N_("没有选推荐的前三位时必须填写"), max_length=500, widget="area")
]
Route = Annotated[
    str, Input(N_("日程版本"), help=N_("推荐时所见的人员日程，由系统填写"), max_length=60, widget="hidden")
]
SlotToChange = Annotated[
    int | None, Input(N_("换下第几位"), help=N_("派了两位服务人员时填写"), least=1, most=2, widget="number")
]


@operation("dispatch.order.assign", label=N_("派单"))
def assign_order(  # noqa: PLR0913 - whom, when and why
    *, actor: Actor, now: datetime, order_id: Id, staff_id: StaffId, second_id: SecondId = None, starts_at: StartsAt = None,
    choice_reason: ChoiceReason = "", route: Route = "", seen: Seen = None,
) -> Assignment:  # fmt: skip
    """Offer an order to a carer who may go, or to two at once; one beside the three proposals needs a reason.

    ``route`` comes with a proposal; if the carer's day has changed since, the choice is refused.

    Of an order for two, both are offered or neither; where one of them stayed, the one who is missing is named alone.
    """
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "dispatch.order.assign", div=order.div, provider_id=order.provider_id)
    ORDER.target("assign", order.state)
    missing, taken = missing_places(actor, now, order)
    check_people(carers_needed=order.carers_needed, missing=missing, staff_id=staff_id, second_id=second_id)
    chosen = [(missing[0], staff_id, "staff_id")]
    if second_id is not None:
        chosen.append((missing[1], second_id, "second_id"))
    rows = _choose(actor, now, order, taken, chosen, Wish(starts_at, choice_reason, route))
    for row in rows:
        _tell_offer(now, row)
    return rows[0]


@operation("dispatch.order.reassign", label=N_("改派"))
def reassign_order(
    *, actor: Actor, now: datetime, order_id: Id, staff_id: StaffId, reason: Reason, slot: SlotToChange = None,
    starts_at: StartsAt = None, seen: Seen = None,
) -> Assignment:  # fmt: skip
    """Take an order from one carer and offer it to another, before the visit starts. The other of two stays."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "dispatch.order.reassign", div=order.div, provider_id=order.provider_id)
    if not (reason := reason.strip()):
        raise Refused("reason.missing", N_("请写明改派的原因"), field="reason")
    taken = _taken(order)
    if not taken or order.state != OrderState.PLACED:  # one that lacks a second carer waits already
        ORDER.target("return", order.state)
    place = slot_to_change(carers_needed=order.carers_needed, taken=list(taken), slot=slot)
    if taken[place].staff_id == staff_id:
        raise Refused("dispatch.same", N_("订单已经派给这位服务人员，请选择另一位"), field="staff_id")
    take_back(actor=actor, now=now, order=order, assignments=[taken[place]], reason=reason)
    del taken[place]
    chosen = [(place, staff_id, "staff_id")]
    row = _choose(actor, now, order, taken, chosen, Wish(starts_at, reason), event="dispatch.order.reassign")[0]
    _tell_offer(now, row)
    return row


Places = dict[int, Assignment]
"""The live assignments of an order by their place."""


def missing_places(actor: Actor, now: datetime, order: Order) -> tuple[list[int], Places]:
    """Return the places of a waiting order that nobody has, and those taken; who was named before it was returned is free again."""
    taken = _taken(order)
    if missing := missing_slots(order.carers_needed, taken):
        return missing, taken
    for row in taken.values():
        withdraw(actor=actor, now=now, assignment=row, reason=N_("订单已退回"))
    return list(taken), {}


def _taken(order: Order) -> Places:
    """Return the live assignments of a locked order."""
    return taken_of([order])[order.pk]


def taken_of(orders: Iterable[Order]) -> dict[int, Places]:
    """Return the live assignments of locked orders by order."""
    found: dict[int, Places] = {order.pk: {} for order in orders}
    for row in held_assignments(found):
        found[row.order_id][row.slot] = row
    return found


@dataclass(frozen=True)
class Wish:
    """What somebody asks for beside the people: another start within the window, why these, and their days as they were seen."""

    starts_at: datetime | None
    reason: str
    route: str = ""


def _choose(
    actor: Actor, now: datetime, order: Order, taken: Places, chosen: list[tuple[int, int, str]], wish: Wish,
    event: str = "dispatch.order.assign",
) -> list[Assignment]:  # fmt: skip
    """Check the people somebody chose (place, carer, field of the page) against the ranking at the appointed time, and offer to them.

    Their days are held meanwhile: of two who choose the same carer at once, one sees what the other did.
    """
    people = _people(actor, chosen)
    check_may_go(now, [order])
    if wish.starts_at is not None:
        start = [Offer(order, people[0], starts_at=wish.starts_at)]
        _appoint(actor, now, {order.pk: order}, start, {order.pk: taken})
    judged, current = choices(actor=actor, order=order, now=now, people=people)
    check_route(seen=wish.route, current=current)
    offers = []
    for (slot, _pk, field), staff, one in zip(chosen, people, judged, strict=True):
        check_choice(exclusions=one.against, is_among_best=one.is_among_best, choice_reason=wish.reason, field=field)
        offers.append(Offer(order, staff, slot, rank=one.place, reasons=one.reasons))
    rows = _offered_each(
        actor=actor, now=now, offers=offers, taken={order.pk: taken}, choice_reason=wish.reason, event=event
    )
    return sorted(rows, key=lambda row: row.slot)


def _people(actor: Actor, chosen: Iterable[tuple[int, int, str]]) -> list[Any]:
    """Return the carers somebody chose, their days held."""
    found = held_people(actor, [pk for _slot, pk, _field in chosen])
    for _slot, pk, field in chosen:
        if pk not in found:
            raise NotFound("staff.not_found", N_("没有这位服务人员，或不在您的权限范围内"), field=field)
    return [found[pk] for _slot, pk, _field in chosen]


def check_may_go(now: datetime, orders: Sequence[Order]) -> None:
    """Refuse to send anybody after the hour, to the dead, or while the elder is away."""
    known = at_home(orders)
    for order in orders:
        died_on, is_away = known[order.pk]
        check_time(order.ends_at, now)
        check_alive(died_on)
        check_at_home(is_suspended=is_away, needs_visit=order.needs_visit)


class Place(TypedDict, total=False):
    """The fields of an offer, as ``offer`` takes them."""

    order: Required[Order]
    staff: Required[Staff]
    slot: int
    starts_at: datetime | None
    reasons: Iterable[str]


@dataclass(frozen=True)
class Offer:
    """One place of a locked order for a carer whom the caller has checked; ``starts_at`` appoints the time."""

    order: Order
    staff: Staff
    slot: int = 1
    starts_at: datetime | None = None
    rank: int | None = None
    reasons: Iterable[str] = ()


def offer(
    *, actor: Actor, now: datetime, plan: DayPlan | None = None, accept_due_at: datetime | None = None,
    event: str = "dispatch.order.assign", **place: Unpack[Place],
) -> Assignment:  # fmt: skip
    """Offer one place of a locked order (the fields of ``Offer``), as ``offer_each`` does for many."""
    return offer_each(
        actor=actor, now=now, offers=[Offer(**place)], plan=plan, accept_due_at=accept_due_at, event=event
    )[0]


def offer_each(
    *, actor: Actor, now: datetime, offers: Sequence[Offer], plan: DayPlan | None = None, choice_reason: str = "",
    accept_due_at: datetime | None = None, event: str = "dispatch.order.assign",
) -> list[Assignment]:  # fmt: skip
    """Offer places of locked orders in a few statements, however many; an order is assigned once all its places are taken.

    Nobody is told: whoever offers says so once, for one visit or for a whole day.
    """
    if not offers:
        return []
    orders = {one.order.pk: one.order for one in offers}
    check_may_go(now, list(orders.values()))
    taken = taken_of(orders.values())
    _appoint(actor, now, orders, offers, taken)
    return _offered_each(
        actor=actor, now=now, offers=offers, taken=taken, plan=plan, choice_reason=choice_reason, accept_due_at=accept_due_at, event=event
    )  # fmt: skip


def _offered_each(
    *, actor: Actor, now: datetime, offers: Sequence[Offer], taken: Mapping[int, Places], plan: DayPlan | None = None,
    choice_reason: str = "", accept_due_at: datetime | None = None, event: str,
) -> list[Assignment]:  # fmt: skip
    """Write offers of orders that may be served at the time appointed; ``taken`` are the places that somebody has."""
    rows, orders = [], {one.order.pk: one.order for one in offers}
    for order in orders.values():
        ORDER.target("assign", order.state)
    for one in offers:
        places = taken[one.order.pk]
        check_slot(carers_needed=one.order.carers_needed, taken=places, slot=one.slot)
        if one.staff.pk in [row.staff_id for row in places.values()]:
            raise Refused("dispatch.twice", N_("这张订单已派给这位服务人员"), field="staff_id")
        rows.append(_offered(actor, now, one, plan, choice_reason.strip(), accept_due_at))
        places[one.slot] = rows[-1]
    _clear(actor, now, {row.staff_id for row in rows})
    # Two desks that name the same people the other way round must not wait for each other.
    ASSIGNED(sorted(rows, key=lambda row: (row.staff_id, row.starts_at)))
    named = [(row, {"staff": [None, row.staff_id], "rank": [None, row.rank], "slot": [None, row.slot]}) for row in rows]
    record_each(actor=actor, now=now, event=event, subjects=named, reason=choice_reason.strip())
    full = [order for order in orders.values() if len(taken[order.pk]) == order.carers_needed]
    mark_assigned_each(actor=actor, now=now, orders=full)
    tell_each("assignments", [(row.pk, row.div, None) for row in rows])
    return rows


def _appoint(
    actor: Actor, now: datetime, orders: Mapping[int, Order], offers: Iterable[Offer],
    taken: Mapping[int, Mapping[int, Assignment]],
) -> None:  # fmt: skip
    """Appoint the times of offers; of two who go together, both hear the same."""
    starts: dict[int, datetime] = {}
    for one in offers:
        number = one.order.pk
        if one.starts_at is not None:
            told = [row.starts_at for row in taken[number].values()]
            check_same_time(starts_at=one.starts_at, others=[*told, starts.get(number, one.starts_at)])
            starts[number] = one.starts_at
    appoint_each(actor=actor, now=now, starts=[(orders[number], at) for number, at in starts.items()])


def _offered(
    actor: Actor, now: datetime, one: Offer, plan: DayPlan | None, choice_reason: str, accept_due_at: datetime | None
) -> Assignment:
    order = one.order
    due = accept_due_at or (
        plan_until(now, order) if plan else accept_until(now, is_urgent=order.is_urgent, div=order.div)
    )
    return Assignment(
        div=order.div, order=order, elder_id=order.elder_id, provider_id=order.provider_id, staff=one.staff, staff_name=one.staff.name,
        slot=one.slot, plan=plan, starts_at=order.starts_at, ends_at=order.ends_at, offered_at=now, accept_due_at=due,
        assigned_by_id=actor.user_id, rank=one.rank, reasons=list(one.reasons), choice_reason=choice_reason, created_at=now, changed_at=now,
    )  # fmt: skip


def take_back(
    *, actor: Actor, now: datetime, order: Order, assignments: Iterable[Assignment], reason: str, is_told: bool = True
) -> None:
    """Withdraw some assignments of a locked order, which waits for dispatch again, and tell these carers."""
    rows = list(assignments)
    take_back_each(actor=actor, now=now, orders=[order], assignments=rows, reason=reason)
    for row in rows:
        if is_told:
            tell_off(now=now, assignment=row)


def take_back_each(
    *, actor: Actor, now: datetime, orders: Iterable[Order], assignments: Sequence[Assignment], reason: str
) -> None:
    """Withdraw assignments of many locked orders, which wait for dispatch again, in a few statements. Nobody is told."""
    again = [order for order in orders if ORDER.allows("return", order.state)]
    return_orders(actor=actor, now=now, orders=again, reason=reason)
    _move_each(actor, now, assignments, "withdraw", reason=reason, ended_at=now, end_reason=reason)


def _clear(actor: Actor, now: datetime, staff_ids: Iterable[int]) -> None:
    """An order cancelled a moment ago must not keep its carer busy until the next round of the job."""
    rows, reason = held_orphans(staff_ids), N_("订单已取消")
    _move_each(actor, now, rows, "withdraw", reason=reason, ended_at=now, end_reason=reason)


def _tell_offer(now: datetime, row: Assignment) -> None:
    if (user_id := row.staff.user_id) is None:
        return
    start = row.starts_at.astimezone(SHANGHAI)
    text = N_("%(when)s 上门，请尽快接受或谢绝") % {"when": f"{start:%m-%d %H:%M}"}
    to = Recipient(user_id=user_id)
    notify(now=now, about=row, to=to, key=f"assignment:{row.pk}", title=N_("新派单"), text=text, link="/m/")


def move_assignment(
    actor: Actor, now: datetime, row: Assignment, verb: str, *, reason: str = "", cause: str = "", **values: Any
) -> Assignment:
    """Make one transition of a locked assignment, journal it and tell open screens."""
    _move_each(actor, now, [row], verb, reason=reason, cause=cause, **values)
    return row


def _move_each(
    actor: Actor, now: datetime, rows: Sequence[Assignment], verb: str, *, reason: str, cause: str = "", **values: Any
) -> None:
    """Make the same transition of many locked assignments, in a few statements."""
    if not rows:
        return
    new = [(row, {"state": ASSIGNMENT.target(verb, row.state)} | values) for row in rows]
    why = {"cause": cause} if cause else {}
    subjects = [(row, found | why) for row, found in zip(rows, changed_each(new, now=now), strict=True)]
    record_each(actor=actor, now=now, event=f"dispatch.assignment.{verb}", subjects=subjects, reason=reason)
    tell_each("assignments", [(row.pk, row.div, None) for row in rows])


def with_order(assignment_id: int, seen: int | None = None) -> tuple[Assignment, Order]:
    """Lock order and assignment in the same sequence as assigning does: order first."""
    found = Assignment.objects.filter(pk=assignment_id).values_list("order_id", flat=True).first()
    if found is None:
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    order = locked(Order.objects.all(), found)
    return locked(Assignment.objects.all(), assignment_id, seen), order


@operation("dispatch.assignment.accept", label=N_("接受"))
def accept_assignment(*, actor: Actor, now: datetime, assignment_id: Id, seen: Seen = None) -> Assignment:
    """The carer takes the order, or the provider for the carer. A suspended carer takes no new orders (R-ORD-07)."""
    row, order = with_order(assignment_id, seen)
    require(actor, "dispatch.assignment.accept", div=row.div, provider_id=row.provider_id)
    check_own(actor_staff_id=actor.staff_id, staff_id=row.staff_id, is_dispatcher=actor.has("dispatch.order.assign"))
    return _accept(actor, now, row, order)


def _accept(actor: Actor, now: datetime, row: Assignment, order: Order) -> Assignment:
    ASSIGNMENT.target("accept", row.state)
    check_alive(at_home([order])[order.pk][0])
    if orphans().filter(pk=row.pk).exists() or order.state not in (*OPEN_STATES, OrderState.IN_SERVICE):
        raise NotAllowed("dispatch.order_gone", N_("订单已取消，不用上门了"))
    if Suspension.objects.filter(staff_id=row.staff_id, to_at=None).exists():
        raise Refused("dispatch.suspended", N_("已暂停派单，解除之前不能接受新的订单，请联系监管人员"))
    move_assignment(actor, now, row, "accept", accepted_at=now)
    note_accepted(actor, now, order)
    return row


def note_accepted(actor: Actor, now: datetime, order: Order) -> None:
    """An order counts as accepted once all its carers have said yes."""
    answers = Assignment.objects.filter(order=order, state=AssignmentState.ACCEPTED).count()
    if answers == order.carers_needed:
        mark_accepted(actor=actor, now=now, order=order)


@operation("dispatch.assignment.accept_all", label=N_("接受这一天的全部"))
def accept_all(*, actor: Actor, now: datetime, day: Day) -> Assignment:
    """The carer takes every visit offered for a day, as after the publishing of a plan; return the last."""
    require(actor, "dispatch.assignment.accept_all", provider_id=actor.organisation_id)
    start, end = day_bounds(day)
    mine = Q(staff_id=check_is_carer(actor.staff_id), state=AssignmentState.OFFERED)
    due = Assignment.objects.filter(mine, starts_at__gte=start, starts_at__lt=end).order_by("order_id")
    offered = list(due.exclude(pk__in=orphans().values("pk")).values_list("pk", flat=True))
    if not offered:
        raise NotAllowed("assignment.none", N_("这一天没有待接受的派单"))
    return [_accept(actor, now, *with_order(number)) for number in offered][-1]


@operation("dispatch.assignment.refuse", label=N_("谢绝"))
def refuse_assignment(
    *, actor: Actor, now: datetime, assignment_id: Id, reason: Reason, seen: Seen = None
) -> Assignment:
    """The carer does not go; the order waits for dispatch again."""
    row, order = with_order(assignment_id, seen)
    require(actor, "dispatch.assignment.refuse", div=row.div, provider_id=row.provider_id)
    check_own(actor_staff_id=actor.staff_id, staff_id=row.staff_id, is_dispatcher=actor.has("dispatch.order.assign"))
    ASSIGNMENT.target("refuse", row.state)
    if not reason.strip():
        raise Refused("reason.missing", N_("请写明谢绝的原因"), field="reason")
    give_back_order(actor, now, order, N_("服务人员谢绝：%(reason)s") % {"reason": reason.strip()})
    return move_assignment(actor, now, row, "refuse", reason=reason.strip(), ended_at=now, end_reason=reason.strip())


@operation("dispatch.assignment.expire", label=N_("收回"))
def expire_assignment(*, actor: Actor, now: datetime, assignment_id: Id, seen: Seen = None) -> Assignment:
    """An offer nobody answered in time ends; the order waits for dispatch again (X-CALL-05)."""
    row, order = with_order(assignment_id, seen)
    require(actor, "dispatch.assignment.expire", div=row.div, provider_id=row.provider_id)
    ASSIGNMENT.target("expire", row.state)
    if row.accept_due_at > now:
        raise Refused("assignment.in_time", N_("还没有超过接受时限，不能收回"))
    reason = N_("超时未接受")
    give_back_order(actor, now, order, reason)
    return move_assignment(actor, now, row, "expire", reason=reason, ended_at=now, end_reason=reason)


@operation("dispatch.assignment.withdraw", label=N_("收回"))
def withdraw_orphan(*, actor: Actor, now: datetime, assignment_id: Id, seen: Seen = None) -> Assignment:
    """Free the carer of an order that was cancelled or suspended, and say so."""
    row, order = with_order(assignment_id, seen)
    require(actor, "dispatch.assignment.withdraw", div=row.div, provider_id=row.provider_id)
    if not orphans().filter(pk=row.pk).exists():
        raise Refused("assignment.needed", N_("订单没有取消，请用“改派”"))
    reason = N_("订单已取消") if order.state == OrderState.CANCELLED else N_("订单已暂停或退回")
    withdraw(actor=actor, now=now, assignment=row, reason=reason, cause=cause_of_end(order))
    tell_off(now=now, assignment=row)
    return row


@operation("dispatch.assignment.inform", label=N_("通知新地址"))
def inform_carer(*, actor: Actor, now: datetime, assignment_id: Id) -> Assignment:
    """Tell a carer that the order leads to another home than when it was given."""
    row, _order = with_order(assignment_id)
    require(actor, "dispatch.assignment.inform", div=row.div, provider_id=row.provider_id)
    if not readdressed(row.div, now).filter(pk=row.pk).exists():
        raise Refused("assignment.same_home", N_("上门地址没有变化，或者已经通知过"))
    record(actor=actor, now=now, event="dispatch.assignment.inform", subject=row)
    if (user_id := row.staff.user_id) is not None:
        when = {"when": f"{row.starts_at.astimezone(SHANGHAI):%m-%d %H:%M}"}
        text, to = N_("%(when)s 上门的地址有变化，请按新地址前往") % when, Recipient(user_id=user_id)
        key, link = f"readdressed:{row.pk}:{now:%Y%m%d%H%M%S}", f"/m/{row.pk}/"
        notify(now=now, about=row, to=to, key=key, title=N_("上门地址已更新"), text=text, link=link)
    tell("assignments", pk=row.pk, div=row.div)
    return row


def tell_off(*, now: datetime, assignment: Assignment) -> None:
    """Tell a carer not to go."""
    if (user_id := assignment.staff.user_id) is None:
        return
    start = assignment.starts_at.astimezone(SHANGHAI)
    text = N_("%(when)s 的上门已撤回，不用去了") % {"when": f"{start:%m-%d %H:%M}"}
    key, to = f"withdrawn:{assignment.pk}", Recipient(user_id=user_id)
    notify(now=now, about=assignment, to=to, key=key, title=N_("派单已撤回"), text=text, link="/m/")


def give_back_order(actor: Actor, now: datetime, order: Order, reason: str) -> None:
    """Give the order back, unless it was cancelled meanwhile."""
    if ORDER.allows("return", order.state):
        return_order(actor=actor, now=now, order=order, reason=reason)


def withdraw(*, actor: Actor, now: datetime, assignment: Assignment, reason: str, cause: str = "") -> Assignment:
    """End an assignment without the carer's doing."""
    return move_assignment(
        actor, now, assignment, "withdraw", reason=reason, cause=cause, ended_at=now, end_reason=reason
    )


def finish_assignment(*, actor: Actor, now: datetime, assignment: Assignment) -> Assignment:
    """The visit of an accepted assignment is over."""
    return move_assignment(actor, now, assignment, "finish", ended_at=now)
