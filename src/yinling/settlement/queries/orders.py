"""What is due, what is held, and what an order left behind in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from yinling.accounts.models import Journal
from yinling.directory.rules import require
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.orders.models import Hold, Order
from yinling.orders.queries import SUSPENDS
from yinling.orders.states import OrderState
from yinling.settlement.models import LedgerEntry, Payment, Posting, RecoveryLine, Statement
from yinling.settlement.queries.ledger import live_postings
from yinling.settlement.states import PaymentState, RecoveryState

PASSING = ("busy", "order.held", "settlement.already", "settlement.recovered")
"""Refusals that pass by themselves: the next round looks again, and a batch does not journal them."""

PAID_FEN = F("amount_fen") - F("refunded_fen")


@dataclass(frozen=True)
class OrderAccount:
    """What one order left in the ledger: its postings with their entries, its holds, the statements it stands on."""

    order: Order
    postings: list[Posting]
    entries: list[LedgerEntry]
    holds: list[Hold]
    statements: list[Statement]

    @property
    def live(self) -> Posting | None:
        """The posting that stands, if any."""
        taken_back = {posting.reverses_id for posting in self.postings}
        return next((one for one in self.postings if one.reverses_id is None and one.pk not in taken_back), None)


def due_orders(area: str, now: datetime) -> QuerySet[Order]:
    """Served orders whose waiting time is over and which nothing holds; what the job itself was refused waits for a person."""
    waiting = timedelta(minutes=parameter("settlement.after_minutes", area, local_date(now)))
    held = Hold.objects.filter(order=OuterRef("pk"), to_at=None)
    refused = Journal.objects.filter(
        subject_type="order", subject_id=OuterRef("pk"), event="settlement.order.settle", is_refused=True, role="system"
    ).exclude(code__in=PASSING)
    rows = Order.objects.within(area).filter(~Exists(held), ~Exists(refused), state=OrderState.SERVED)
    return rows.filter(served_at__lte=now - waiting).order_by("served_at", "id")


def settled_orders(actor: Actor) -> QuerySet[Order]:
    """Orders that were charged, newest first, with what payers and the elder bear and whether something holds them."""
    require(actor, "settlement.order.view")
    held = Hold.objects.filter(order=OuterRef("pk"), to_at=None)
    states = [OrderState.SETTLED, OrderState.CLOSED]
    rows = Order.objects.visible_to(actor).filter(state__in=states).select_related("provider")
    rows = rows.annotate(
        is_held=Exists(held),
        is_charged=Exists(live_postings().filter(order=OuterRef("pk"))),
        funded_fen=F("total_fen") - F("self_fen"),
        paid_fen=paid_here(),
    )
    return rows.order_by("-settled_at", "-id")


def paid_here() -> Coalesce:
    """What the elder's side paid of an order through the platform, which passes it on: the body need not ask for it again."""
    rows = Payment.objects.filter(order=OuterRef("pk"), state=PaymentState.PAID).order_by().values("order")
    return Coalesce(Subquery(rows.annotate(fen=Sum(PAID_FEN)).values("fen")), Value(0))


def order_totals(rows: QuerySet[Order]) -> dict[str, int]:
    """Count and sums of the orders of a list, and what of them came through the platform."""
    sums = rows.order_by().aggregate(
        count=Count("id"), total_fen=Coalesce(Sum("total_fen"), Value(0)), self_fen=Coalesce(Sum("self_fen"), Value(0))
    )
    paid = Payment.objects.filter(order__in=rows.order_by().values("pk"), state=PaymentState.PAID)
    return sums | paid.aggregate(paid_fen=Coalesce(Sum(PAID_FEN), Value(0)))


def waiting_orders(actor: Actor) -> QuerySet[Order]:
    """Served orders not yet settled, oldest first, with whether something holds them."""
    require(actor, "settlement.order.view")
    held = Hold.objects.filter(order=OuterRef("pk"), to_at=None)
    rejected = RecoveryLine.objects.filter(order=OuterRef("pk"), is_live=True, recovery__state=RecoveryState.APPROVED)
    rows = Order.objects.visible_to(actor).filter(~Exists(rejected), state=OrderState.SERVED).select_related("provider")
    return rows.annotate(is_held=Exists(held), paid_fen=paid_here()).order_by("served_at", "id")


def held_orders(actor: Actor) -> QuerySet[Hold]:
    """Open holds the actor may see, oldest first."""
    require(actor, "settlement.order.view")
    # A hold by a circumstance of the elder stops the dispatch of an order, not money.
    rows = Hold.objects.visible_to(actor).filter(to_at=None).exclude(cause__startswith=SUSPENDS)
    rows = rows.select_related("order", "provider")
    return rows.order_by("from_at", "id")


def order_account(order: Order) -> OrderAccount:
    """Everything the ledger holds of one order."""
    postings = list(Posting.objects.filter(order=order).order_by("id"))
    entries = (
        LedgerEntry.objects.filter(posting__order=order)
        .select_related("line", "scheme", "posting")
        .order_by("posting_id", "id")
    )
    stands_on = Statement.objects.filter(lines__charge__order=order).distinct().order_by("id")
    holds = Hold.objects.filter(order=order).order_by("from_at", "id")
    return OrderAccount(order, postings, list(entries), list(holds), list(stands_on))
