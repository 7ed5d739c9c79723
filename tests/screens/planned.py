"""A street of two carers with a plan of tomorrow, written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from tests.factories import NOW, STREET, actor, make_item, make_order, make_organisation, make_price, make_staff

from yinling.directory.models import Staff
from yinling.dispatch.models import DayPlan, PlannedVisit
from yinling.dispatch.planner.problem import Weights
from yinling.ground.clock import business_now
from yinling.kernel.period import SHANGHAI, local_date
from yinling.orders.models import Order

WAY = {"queued": [], "running": ["running"], "ready": ["running", "ready"], "failed": ["running", "failed"],
       "published": ["running", "ready", "published"]}  # fmt: skip
COST = {
    "travel": 52.0, "tardiness": 0.0, "worst": 0.0, "overtime": 0.0, "wish": 15.0, "imbalance": 1.5, "shift": 0.0, "left_out": 0.0,
    "total": 68.5,
}  # fmt: skip


class Street:
    """A provider with three carers; orders of tomorrow with an hour of play around the appointed time."""

    def __init__(self) -> None:
        self.body = make_organisation()
        self.price = make_price(make_item(), self.body)
        names = ("李敏", "王芳", "张丽")
        self.carers = [
            make_staff(self.body, qualified=("induction", "care_worker"), name=name, duty_div="") for name in names
        ]
        self.day: date = local_date(business_now()) + timedelta(days=1)
        self.asker = actor("dispatcher")

    def at(self, hour: int, minute: int = 0, day: date | None = None) -> datetime:
        return datetime.combine(day or self.day, datetime.min.time(), SHANGHAI).replace(hour=hour, minute=minute)

    def order(self, hour: int, **values: Any) -> Order:
        start = self.at(hour)
        span = timedelta(minutes=30)
        return make_order(
            "placed", price=self.price, starts_at=start, earliest_at=start - span, latest_at=start + span, **values
        )

    def plan(self, stops: Sequence[tuple[Staff | None, Order]] = (), state: str = "ready", **values: Any) -> DayPlan:
        """A version with these visits at the appointed times of their orders; without a carer they are left out."""
        number = DayPlan.objects.filter(provider=self.body, day=self.day).count() + 1
        chosen = {
            "div": STREET, "provider": self.body, "day": self.day, "number": number, "cause": "day", "requested_by_id": self.asker.user_id,
            "cost": COST, "settings": {"seconds": 10, "seed": 1, "weights": asdict(Weights())}, "created_at": NOW, "changed_at": NOW, **values,
        }  # fmt: skip
        plan = DayPlan.objects.create(**chosen)
        for step in WAY[state]:
            plan.state = step
            if step == "published":
                plan.published_at, plan.published_by_id = NOW, self.asker.user_id
            plan.save()
        for staff, order in stops:
            self.visit(plan, staff, order)
        return plan

    def visit(self, plan: DayPlan, staff: Staff | None, order: Order, **values: Any) -> PlannedVisit:
        chosen = {
            "div": plan.div, "provider": self.body, "elder": order.elder, "starts_at": order.starts_at, "ends_at": order.ends_at,
            "way_minutes": 12 if staff else 0, "reasons": [] if staff else [{"code": "moved_out", "values": {}}], **values,
        }  # fmt: skip
        return PlannedVisit.objects.create(plan=plan, order=order, staff=staff, **chosen)
