"""What a death or a move, known late, takes back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Count,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Cast, Coalesce, TruncDate

from yinling.directory.rules import require
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.orders.models import Order, OrderLine, PayerShare
from yinling.orders.states import OrderState
from yinling.people.models import Circumstance, Elder
from yinling.people.queries import stops_of
from yinling.people.queries.names import reader
from yinling.people.stops import DEATH, Fate, Stop, fate_of
from yinling.settlement.models import Recovery, RecoveryLine, StatementLine
from yinling.settlement.queries.ledger import live_posting
from yinling.settlement.rules import SELF
from yinling.settlement.states import DecisionState, RecoveryState
from yinling.visits.models import Visit

PERFORMED_STATES = (OrderState.SERVED, OrderState.SETTLED, OrderState.CLOSED)


@dataclass(frozen=True)
class Overpaid:
    """A service performed after a death or a move: when it began, by which stop, and what each payer was to bear of it."""

    order: Order
    began_at: datetime
    cause: str
    stopped_at: datetime
    shares: list[PayerShare]
    paid: frozenset[int]

    def kind_of(self, share: PayerShare) -> str:
        """Whether a share was paid, and is recovered, or was not, and is rejected."""
        return "recover" if share.pk in self.paid else "reject"


def overpaid(area: str, now: datetime, elder_id: int | None = None) -> list[Overpaid]:
    """Services of an area that began after the death or the move of their elder and stand on no recovery list (R-PEO-03).

    What counts is when the carer checked in, else the booked time; of bed-days the last one. One that a person returned is not listed again
    for the same cause. The elder may live in another city by now: the province looks.
    """
    with scope(reader(area)):
        found: list[Any] = list(_late_orders(area, elder_id))
        stops = stops_of({row.elder_id for row in found})
        answer = []
        for row in found:
            fate, at = _fate(row, now, stops.get(row.elder_id, []))
            if fate.verb != "recover" or fate.stop is None or _was_decided(row, fate.cause):
                continue
            if row.state == OrderState.SERVED or live_posting(row) is not None:
                shares = [share for share in PayerShare.objects.filter(order=row).order_by("pk") if share.amount_fen]
                answer.append(Overpaid(row, at, fate.cause, fate.stop.from_at, shares, _paid(row, shares)))
        return answer


def _late_orders(area: str, elder_id: int | None) -> QuerySet[Any]:
    """Performed orders on no list that touch a day from which something may be stopped."""
    began = (
        Visit.objects.filter(order=OuterRef("pk"), started_at__isnull=False)
        .order_by("started_at")
        .values("started_at")[:1]
    )
    days = OrderLine.objects.filter(order=OuterRef("pk"), item__kind="bed_day", dropped_at=None).order_by()
    beds = days.values("order").annotate(all=Cast(Sum("quantity"), IntegerField())).values("all")
    listed = RecoveryLine.objects.filter(order=OuterRef("pk"), is_live=True)
    moved = Circumstance.objects.filter(kind="moved_away", recorded_to=None, elder=OuterRef("elder"))
    late = Q(began_at__date__gte=F("elder__died_on")) | Exists(moved.filter(valid_from__lte=OuterRef("began_at__date")))
    wanted = Q() if elder_id is None else Q(elder_id=elder_id)
    rows = Order.objects.within(area).filter(wanted, state__in=PERFORMED_STATES).select_related("elder")
    rows = rows.annotate(began_at=Coalesce(Subquery(began), F("starts_at")), beds=Subquery(beds))
    rows = rows.annotate(bed_until=ExpressionWrapper(TruncDate("starts_at") + F("beds"), output_field=DateField()))
    return rows.filter(late | Q(bed_until__gt=F("elder__died_on")), ~Exists(listed)).order_by("pk")


def _fate(row: Any, now: datetime, stops: list[Stop]) -> tuple[Fate, datetime]:
    """What becomes of an order, and the moment that decides it. A bill of bed-days is too much once its last day is."""
    fate, at = fate_of(state=row.state, starts_at=row.began_at, now=now, stops=stops), row.began_at
    if fate.verb != "recover" and row.beds:
        at += timedelta(days=row.beds - 1)
        fate = fate_of(state=row.state, starts_at=at, now=now, stops=[one for one in stops if one.kind == DEATH])
    return fate, at


def _was_decided(order: Order, cause: str) -> bool:
    return RecoveryLine.objects.filter(order=order, is_live=False, recovery__cause=cause).exists()


def _paid(order: Order, shares: Iterable[PayerShare]) -> frozenset[int]:
    """Shares that were paid: on an approved statement, or, of a settled order, by the elder directly."""
    if order.state == OrderState.SERVED:
        return frozenset()
    approved = StatementLine.objects.filter(
        charge__order=order, is_live=True, statement__state=DecisionState.APPROVED
    ).values_list("charge__line_id", "charge__payer", "charge__entitlement_id")
    on_statement = set(approved)
    return frozenset(
        one.pk for one in shares if one.payer == SELF or (one.line_id, one.payer, one.entitlement_id) in on_statement
    )


def stands(row: Recovery) -> bool:
    """Whether the death or the move that a recovery list names is still on record."""
    noun, _, number = row.cause.rpartition(":")
    with scope(reader(row.div)):
        if noun == "people.elder":
            return Elder.objects.filter(pk=number, died_on__isnull=False).exists()
        return Circumstance.objects.filter(pk=number, recorded_to=None).exists()


def unfounded_recoveries(area: str, elder_id: int | None = None) -> list[Recovery]:
    """Recovery lists whose cause is no longer on record."""
    live = [RecoveryState.DRAFT, RecoveryState.REVIEWED, RecoveryState.APPROVED]
    wanted = Q() if elder_id is None else Q(elder_id=elder_id)
    rows = Recovery.objects.within(area).filter(wanted, state__in=live).order_by("pk")
    return [row for row in rows if not stands(row)]


def recoveries(actor: Actor) -> QuerySet[Recovery]:
    """Recovery lists the actor may see, newest first, with the elder's name as on the orders: the elder may live elsewhere by now."""
    require(actor, "settlement.recovery.view")
    rows = Recovery.objects.visible_to(actor).select_related("reviewed_by", "approved_by")
    names = RecoveryLine.objects.filter(recovery=OuterRef("pk")).order_by("pk").values("order__elder_name")[:1]
    return rows.annotate(elder_name=Subquery(names)).order_by("-drafted_at", "-id")


def recovery_totals(rows: QuerySet[Recovery]) -> dict[str, int]:
    """Count and sums of the lists that were not given up."""
    standing = ~Q(state__in=[RecoveryState.RETURNED, RecoveryState.LIFTED])
    return rows.order_by().aggregate(
        count=Count("id", filter=standing), recover_fen=Coalesce(Sum("recover_fen", filter=standing), Value(0)),
        reject_fen=Coalesce(Sum("reject_fen", filter=standing), Value(0)),
    )  # fmt: skip


def recovery_lines(row: Recovery) -> QuerySet[RecoveryLine]:
    """The lines of a recovery list with what a reader checks them by."""
    rows = RecoveryLine.objects.filter(recovery=row).select_related("order", "share__line", "provider")
    return rows.order_by("began_at", "id")
