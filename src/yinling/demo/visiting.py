"""The rows of one made-up order, from placing to evaluation, each with the journal row of its step."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from math import cos, radians

from yinling.accounts.models import User
from yinling.demo.agenda import Plan
from yinling.demo.money import Money
from yinling.demo.world import STAFF_ROLES, World
from yinling.directory.models import Staff
from yinling.dispatch.models import Assignment
from yinling.dispatch.states import AssignmentState
from yinling.hotline.models import Ticket
from yinling.kernel.geo import Datum, Position, checkin_distance_m, from_wgs84
from yinling.kernel.period import SHANGHAI
from yinling.orders.models import Order
from yinling.orders.rules import Acceptance, acceptance_due
from yinling.orders.states import OrderState
from yinling.visits.models import CheckIn, Evaluation, Visit
from yinling.visits.states import VisitState

METRES_A_DEGREE = 111_320
WINDOW = timedelta(minutes=30)
"""As the product's ``order.window_minutes``."""
SETTLED_AFTER = timedelta(minutes=75)
CLOSED_AFTER = timedelta(days=7)
COMMENTS = {
    5: ("很满意", "手脚麻利，人也和气", "按时来，做得仔细", ""),
    4: ("不错", "满意", ""),
    3: ("一般", "来得晚了些"),
    2: ("时间太短",),
}
REASONS = {
    "cancelled": ("老人临时外出", "家属当天在家，不需要了", "改到下周"),
    "failed": ("敲门无人应答，电话未接", "老人已去医院"),
}
ODD_METRES = {"distant": 2300, "far": 430}


class Visiting:
    """Turns plans into rows."""

    def __init__(self, world: World, money: Money, within: Acceptance) -> None:
        self.world, self.money, self.within = world, money, within
        self.served: list[tuple[Plan, Order, Visit]] = []
        self.times: dict[int, tuple[datetime, datetime]] = {}

    def write(self, plan: Plan, ticket: Ticket | None, placed_at: datetime, channel: str) -> Order | None:
        """Write everything one plan leaves behind; None where the provider has no price for it."""
        if self.world.price(plan.provider.pk, plan.item, plan.starts_at.date()) is None:
            return None
        order: Order = self.world.add(self.order(plan, ticket, placed_at, channel))
        self.money.freeze(order, plan.item)
        self.step(order, "place", OrderState.PLACED, placed_at, *self.placer(channel))
        if plan.outcome == "placed":
            return order
        manager = self.world.users["provider_manager"] if plan.provider == self.world.bodies.demo else None
        accepted = min(placed_at + self.world.minutes(2, 16), self.world.now)
        if plan.oddity == "late_acceptance":
            accepted = (order.accept_due_at or accepted) + self.world.minutes(10, 50)
        order.accepted_at = accepted
        self.step(order, "accept", OrderState.ACCEPTED, accepted, manager, "provider_manager", "机构调度")
        if plan.outcome == "accepted":
            return order
        offered = min(accepted + self.world.minutes(1, 6), self.world.now)
        rows = [self.assignment(order, person, slot, offered) for slot, person in enumerate(plan.people, 1)]
        self.step(order, "assign", OrderState.ASSIGNED, offered, self.world.users["dispatcher"], "dispatcher")
        if plan.outcome != "offered":
            self.after_offer(plan, order, rows[0])
            for row in rows[1:]:
                self.accompany(replace(plan, staff=row.staff), order, row)
        return order

    def order(self, plan: Plan, ticket: Ticket | None, placed_at: datetime, channel: str) -> Order:
        """Return the order as placed, with what the door needs copied onto it."""
        elder, home = plan.elder, plan.elder.household
        order = Order(
            div=elder.div, elder=elder, provider=plan.provider, ticket=ticket, channel=channel, elder_name=elder.name, elder_sex=elder.sex,
            address=home.address, lon=home.lon, lat=home.lat, door_code=home.door_code, wants_sex=elder.wants_sex, dialect=elder.dialect,
            starts_at=plan.starts_at, ends_at=plan.ends_at, earliest_at=plan.starts_at, latest_at=plan.starts_at + WINDOW,
            carers_needed=plan.item.carers_needed,
            placed_at=placed_at, created_at=placed_at, changed_at=placed_at,
            accept_due_at=acceptance_due(placed_at, is_urgent=False, within=self.within),
        )  # fmt: skip
        order.seal_field("phone", elder.unseal_field("phone"))
        return order

    def placer(self, channel: str) -> tuple[User | None, str, str]:
        """Return who placed an order that came this way: user, role, name."""
        users = self.world.users
        ways = {"phone": ("seat", "seat"), "console": ("station", "station"), "visitor": ("visitor", "visitor")}
        if channel in ways:
            username, role = ways[channel]
            return users[username], role, ""
        return None, "family", "家属"

    def step(
        self,
        order: Order,
        verb: str,
        state: OrderState,
        at: datetime,
        user: User | None,
        role: str,
        name: str = "",
        reason: str = "",
    ) -> None:
        """Move an order on and write its journal row."""
        before = str(order.state)
        order.state, order.changed_at = state, at
        order.version += 1
        self.world.note(
            user,
            role,
            f"orders.order.{verb}",
            at,
            order,
            changes={"state": [before, str(state)]},
            reason=reason,
            name=name,
        )

    def assignment(self, order: Order, person: Staff, slot: int, offered: datetime) -> Assignment:
        """Offer the order to a carer."""
        world, dispatcher = self.world, self.world.users["dispatcher"]
        row: Assignment = world.add(
            Assignment(
                div=order.div, order=order, elder_id=order.elder_id, provider_id=order.provider_id, staff=person,
                staff_name=person.name, slot=slot, starts_at=order.starts_at, ends_at=order.ends_at, offered_at=offered,
                accept_due_at=acceptance_due(offered, is_urgent=False, within=self.within), assigned_by=dispatcher, rank=1,
                reasons=["证书有效，时间有空", "距离较近"], created_at=offered, changed_at=offered,
            )
        )  # fmt: skip
        world.note(
            dispatcher, "dispatcher", "dispatch.order.assign", offered, row, changes={"staff": [None, person.pk]}
        )
        return row

    def carer(self, plan: Plan) -> tuple[User | None, str, str]:
        """Return the carer as the journal names the actor."""
        return plan.staff.user, STAFF_ROLES.get(plan.staff.kind, "carer"), plan.staff.name

    def after_offer(self, plan: Plan, order: Order, row: Assignment) -> None:
        """Accept the offer and go on to the outcome."""
        self.accept(plan, row)
        if plan.outcome == "cancelled":
            self.cancel(plan, order, row)
        elif plan.outcome == "failed":
            self.fail(plan, order, row)
        elif plan.outcome in ("served", "in_service"):
            self.visit(plan, order, row)

    def accept(self, plan: Plan, row: Assignment) -> None:
        """The carer says yes."""
        user, role, name = self.carer(plan)
        row.accepted_at = min(row.offered_at + self.world.minutes(1, 14), self.world.now)
        row.state, row.changed_at, row.version = AssignmentState.ACCEPTED, row.accepted_at, 1
        changes = {"state": ["offered", "accepted"]}
        self.world.note(user, role, "dispatch.assignment.accept", row.accepted_at, row, changes=changes, name=name)

    def accompany(self, plan: Plan, order: Order, row: Assignment) -> None:
        """The second of two comes just after the first, leaves just before, and turns back where she does."""
        self.accept(plan, row)
        if plan.outcome == "cancelled":
            self.end(row, AssignmentState.WITHDRAWN, order.changed_at, "订单已取消")
        elif plan.outcome == "failed":
            visit = self.new_visit(plan, order, row, order.changed_at)
            visit.state, visit.abort_reason = VisitState.ABORTED, order.cancel_reason
            self.end(row, AssignmentState.DONE, order.changed_at)
        elif plan.outcome in ("served", "in_service"):
            visit = self.arrive(plan, order, row, plan.starts_at + self.world.minutes(-2, 6), 0)
            if plan.outcome == "served":
                self.leave(plan, row, visit, (order.served_at or plan.ends_at) - self.world.minutes(0, 2))

    def cancel(self, plan: Plan, order: Order, row: Assignment) -> None:
        """The elder side cancels some hours before the visit."""
        latest = plan.starts_at - timedelta(minutes=30)
        at = min(max(latest - self.world.minutes(30, 600), row.accepted_at or latest), latest)
        order.cancel_reason = self.world.random.choice(REASONS["cancelled"])
        self.money.give_back(order)
        self.step(
            order, "cancel", OrderState.CANCELLED, at, self.world.users["seat"], "seat", reason=order.cancel_reason
        )
        self.end(row, AssignmentState.WITHDRAWN, at, "订单已取消")

    def fail(self, plan: Plan, order: Order, row: Assignment) -> None:
        """The carer stands at a closed door."""
        at = plan.starts_at + self.world.minutes(12, 25)
        reason = self.world.random.choice(REASONS["failed"])
        visit = self.new_visit(plan, order, row, at)
        visit.state, visit.abort_reason = VisitState.ABORTED, reason
        user, role, name = self.carer(plan)
        self.world.note(
            user,
            role,
            "visits.visit.abort",
            at,
            visit,
            changes={"state": ["planned", "aborted"]},
            reason=reason,
            name=name,
        )
        order.cancel_reason = reason
        self.money.give_back(order)
        self.step(order, "mark_failed", OrderState.FAILED, at, user, role, name, reason)
        self.end(row, AssignmentState.DONE, at)

    def end(self, row: Assignment, state: AssignmentState, at: datetime, reason: str = "") -> None:
        """End an assignment."""
        verb = "finish" if state == AssignmentState.DONE else "withdraw"
        changes = {"state": [str(row.state), str(state)]}
        row.state, row.ended_at, row.end_reason, row.changed_at = state, at, reason, at
        row.version += 1
        self.world.note(None, "system", f"dispatch.assignment.{verb}", at, row, changes=changes, reason=reason)

    def new_visit(self, plan: Plan, order: Order, row: Assignment, at: datetime) -> Visit:
        """Make the visit of an assignment."""
        visit: Visit = self.world.add(
            Visit(
                div=order.div, order=order, assignment=row, elder_id=order.elder_id, provider_id=order.provider_id, staff=plan.staff,
                created_at=at, changed_at=at,
            )
        )  # fmt: skip
        return visit

    def visit(self, plan: Plan, order: Order, row: Assignment) -> None:
        """Check in, work, check out."""
        world = self.world
        late = world.minutes(38, 55) if plan.oddity == "no_check_in" else world.minutes(-7, 11)
        started = plan.starts_at + late
        visit = self.arrive(plan, order, row, started, ODD_METRES.get(plan.oddity, 0))
        self.step(order, "mark_started", OrderState.IN_SERVICE, started, *self.carer(plan))
        if plan.outcome == "served":
            self.finish(plan, order, row, visit)

    def arrive(self, plan: Plan, order: Order, row: Assignment, started: datetime, odd_metres: int) -> Visit:
        """Go there and check in."""
        world = self.world
        visit = self.new_visit(plan, order, row, started)
        visit.departed_at = started - world.minutes(8, 20)
        user, role, name = self.carer(plan)
        visit.state, visit.started_at = VisitState.ON_SITE, started
        changes = {"state": ["en_route", "on_site"]}
        world.note(user, role, "visits.visit.start", started, visit, changes=changes, name=name)
        self.check_in(plan, visit, "in", started, odd_metres or world.random.randint(3, 70))
        return visit

    def finish(self, plan: Plan, order: Order, row: Assignment, visit: Visit) -> None:
        """Check out; the order is served."""
        world = self.world
        share = 0.45 if plan.oddity == "too_short" else world.random.uniform(0.92, 1.06)
        started = visit.started_at or plan.starts_at
        ended = min(started + timedelta(minutes=plan.item.standard_minutes) * share, world.now)
        self.leave(plan, row, visit, ended)
        order.served_at = ended
        self.step(order, "mark_served", OrderState.SERVED, ended, *self.carer(plan))
        if started < ended:
            self.times[order.pk] = (started, ended)
        self.served.append((plan, order, visit))

    def leave(self, plan: Plan, row: Assignment, visit: Visit, ended: datetime) -> None:
        """Check out with the record and the signature."""
        user, role, name = self.carer(plan)
        visit.state, visit.ended_at, visit.tasks = VisitState.DONE, ended, list(plan.item.steps)
        visit.version, visit.changed_at = 2, ended
        visit.signed_by, visit.signed_as = plan.elder.name, "self"
        changes = {"state": ["on_site", "done"]}
        self.world.note(user, role, "visits.visit.finish", ended, visit, changes=changes, name=name)
        self.check_in(plan, visit, "out", ended, self.world.random.randint(3, 70))
        self.end(row, AssignmentState.DONE, ended)

    def check_in(self, plan: Plan, visit: Visit, kind: str, at: datetime, metres: int) -> None:
        """Store a position some metres from the home, half of them in the datum of Chinese maps."""
        home = plan.elder.household
        lon = (home.lon or 0) + metres / METRES_A_DEGREE / cos(radians(home.lat or 0))
        seen = Position(lon, home.lat or 0, Datum.WGS84, float(self.world.random.randint(5, 30)))
        if self.world.random.random() < 0.5:  # noqa: PLR2004 - half of the phones
            seen = from_wgs84(seen, Datum.GCJ02)
        self.world.add(
            CheckIn(
                div=visit.div, visit=visit, elder_id=visit.elder_id, provider_id=visit.provider_id, kind=kind, key=f"demo-{visit.pk}-{kind}",
                lon=round(seen.lon, 6), lat=round(seen.lat, 6), datum=str(seen.datum), accuracy_m=seen.accuracy_m,
                distance_m=checkin_distance_m(Position(home.lon or 0, home.lat or 0, Datum.WGS84), seen), device_at=at, received_at=at,
            )
        )  # fmt: skip

    def settle(self, plan: Plan, order: Order, not_before: datetime | None = None) -> None:
        """Settle an order whose time has come, and close it a week later."""
        served = order.served_at or plan.ends_at
        at = max(served + SETTLED_AFTER, not_before or served)
        if at >= self.world.now:
            return
        if not self.money.settle(order, at, self.times.get(order.pk)):
            return
        order.settled_at = at
        self.step(order, "mark_settled", OrderState.SETTLED, at, self.world.users["system"], "system")
        self.world.note(
            self.world.users["system"],
            "system",
            "settlement.order.settle",
            at,
            order,
            changes={"total_fen": [None, order.total_fen]},
        )
        if at + CLOSED_AFTER < self.world.now:
            self.step(order, "close", OrderState.CLOSED, at + CLOSED_AFTER, self.world.users["system"], "system")

    def evaluate(self, plan: Plan, order: Order) -> None:
        """Most are asked on the telephone some hours later; the elder whose login is shown answers at home."""
        world, is_own = self.world, plan.elder is self.world.people.demo
        at = (order.served_at or plan.ends_at) + world.minutes(120, 2600)
        local = at.astimezone(SHANGHAI)
        at = local.replace(hour=10 + local.hour % 8)
        if at >= world.now or at <= (order.served_at or at) or world.random.random() > 0.72:  # noqa: PLR2004 - a share
            return
        score = 2 if plan.oddity == "too_short" else world.random.choices((5, 4, 3), (70, 24, 6))[0]
        user, by = (world.users["elder"], "elder") if is_own else (world.users["seat"], "follow_up")
        row = world.add(
            Evaluation(
                div=order.div, order=order, elder_id=order.elder_id, provider_id=order.provider_id, score=score,
                comment=world.random.choice(COMMENTS[score]), by=by, user=user, evaluated_at=at,
            )
        )  # fmt: skip
        world.note(
            user, "elder" if is_own else "seat", "visits.visit.evaluate", at, row, changes={"score": [None, score]}
        )
