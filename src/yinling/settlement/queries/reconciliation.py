"""One month of one area reconciled: what was settled is stated, waits or is frozen; what is stated is paid, in a batch or open, and arrived."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import TypeVar

from django.db.models import BigIntegerField, Case, CharField, Exists, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from yinling.directory.models import Organisation
from yinling.directory.rules import require
from yinling.kernel.actor import Actor
from yinling.kernel.period import next_month
from yinling.orders.models import Hold
from yinling.settlement.models import Charge, ClaimLine, LedgerEntry, PayoutLine, Statement, StatementLine
from yinling.settlement.queries.arrivals import RECEIVABLES, arrival_entries
from yinling.settlement.queries.ledger import beside
from yinling.settlement.queries.statements import PAYABLE_FEN
from yinling.settlement.rules import BANK, RECEIVABLE, SELF
from yinling.settlement.states import ClaimLineState, ClaimState, DecisionState, PayoutLineState


@dataclass
class Settled:
    """The charges of one payer for services of a month, and where they stand now."""

    payer: str
    settled_fen: int = 0
    stated_fen: int = 0
    waiting_fen: int = 0
    frozen_fen: int = 0
    ledger_fen: int = 0

    @property
    def difference_fen(self) -> int:
        """What is missing between the charges and the statements, or between the charges and the ledger."""
        return abs(self.settled_fen - self.stated_fen - self.waiting_fen - self.frozen_fen) + abs(
            self.settled_fen - self.ledger_fen
        )


@dataclass
class Stated:
    """The statements of one payer and month, and what became of their money."""

    payer: str
    total_fen: int = 0
    lines_fen: int = 0
    open_fen: int = 0
    deducted_fen: int = 0
    offset_fen: int = 0
    payable_fen: int = 0
    in_batch_fen: int = 0
    paid_fen: int = 0
    booked_fen: int = 0
    claimed_fen: int = 0
    received_fen: int = 0

    @property
    def due_fen(self) -> int:
        """What is approved and its payer has not sent yet."""
        return self.total_fen - self.open_fen - self.deducted_fen - self.received_fen

    @property
    def outstanding_fen(self) -> int:
        """What is approved and neither paid nor on its way."""
        return self.payable_fen - self.in_batch_fen - self.paid_fen

    @property
    def difference_fen(self) -> int:
        """What is missing between totals and lines, between the states, or between payments and the ledger."""
        states = self.total_fen - self.open_fen - self.deducted_fen - self.offset_fen - self.payable_fen
        return abs(self.total_fen - self.lines_fen) + abs(states) + abs(self.paid_fen - self.booked_fen)


T = TypeVar("T", Settled, Stated)


@dataclass(frozen=True)
class Reconciliation:
    """Both tables of a month."""

    month: date
    settled: list[Settled]
    stated: list[Stated]

    @property
    def difference_fen(self) -> int:
        """0 when the month adds up."""
        return sum(row.difference_fen for row in self.settled) + sum(row.difference_fen for row in self.stated)

    @property
    def settled_sum(self) -> Settled:
        """The sums of the first table."""
        return _sum(Settled(""), self.settled)

    @property
    def stated_sum(self) -> Stated:
        """The sums of the second table."""
        return _sum(Stated(""), self.stated)


def _sum(total: T, rows: Iterable[T]) -> T:
    for row in rows:
        for one in fields(row):
            if one.name != "payer":
                setattr(total, one.name, getattr(total, one.name) + getattr(row, one.name))
    return total


def reconciliation(actor: Actor, month: date) -> Reconciliation:
    """Reconcile a month of the actor's area."""
    require(actor, "settlement.statement.view")
    with beside(actor):  # the city draws up statements, pays and receives for its districts
        return Reconciliation(month, _settled(actor, month), _stated(actor, month))


def _settled(actor: Actor, month: date) -> list[Settled]:
    """What was charged for services of the month, and what the ledger says of the same; each provider's rows by their index."""
    days = {"service_day__gte": month, "service_day__lt": next_month(month)}
    bodies = Organisation.objects.values("pk")
    on_live = StatementLine.objects.filter(charge=OuterRef("pk"), is_live=True)
    held = Hold.objects.filter(order=OuterRef("order"), to_at=None)
    rows = Charge.objects.visible_to(actor).filter(~Q(payer=SELF), provider__in=bodies, **days)
    rows = rows.annotate(
        where=Case(
            When(Exists(on_live), then=Value("stated")),
            When(Exists(held), then=Value("frozen")),
            default=Value("waiting"),
        )
    )
    booked = LedgerEntry.objects.visible_to(actor).filter(
        account__in=RECEIVABLES, provider__in=bodies, period__gte=month, line__isnull=False, unit="fen", **days
    )
    charged = rows.order_by().values_list("payer", "where").annotate(fen=Sum("amount_fen"))
    entered = (
        booked.order_by().annotate(where=Value("ledger")).values_list("account", "where").annotate(fen=Sum("amount"))
    )
    found: dict[str, Settled] = {}
    for name, where, fen in charged.union(entered, all=True):
        payer = name.removeprefix(f"{RECEIVABLE}.")
        row = found.setdefault(payer, Settled(payer))
        setattr(row, f"{where}_fen", fen)
        row.settled_fen += fen if where != "ledger" else 0
    return [found[payer] for payer in sorted(found)]


def _stated(actor: Actor, month: date) -> list[Stated]:
    rows = Statement.objects.visible_to(actor).filter(month=month).exclude(state=DecisionState.RETURNED)
    approved = Q(state=DecisionState.APPROVED)
    lines = StatementLine.objects.filter(statement=OuterRef("pk"), is_live=True).order_by().values("statement")
    sums = (
        rows.order_by()
        .annotate(lines_fen=Subquery(lines.annotate(fen=Sum("charge__amount_fen")).values("fen")))
        .values("payer")
    )
    sums = sums.annotate(
        total=Sum("total_fen"), of_lines=Sum("lines_fen"), draft=Sum("total_fen", filter=~approved, default=0),
        deducted=Sum("deducted_fen", filter=approved, default=0), offset=Sum("offset_fen", filter=approved, default=0),
        payable=Sum(PAYABLE_FEN, filter=approved, default=0),
    )  # fmt: skip
    found = {
        row["payer"]: Stated(
            row["payer"], total_fen=row["total"], lines_fen=row["of_lines"] or 0, open_fen=row["draft"], deducted_fen=row["deducted"],
            offset_fen=row["offset"], payable_fen=row["payable"],
        )
        for row in sums
    }  # fmt: skip
    if found:
        _add_payments(found, rows)
        _add_received(actor, found, rows, month)
    return [found[payer] for payer in sorted(found)]


def _add_payments(found: dict[str, Stated], rows: QuerySet[Statement]) -> None:
    """What went to providers, beside what left the bank for it in the books."""
    keys = rows.order_by().annotate(key=Concat(Value("statement:"), Cast("pk", CharField()))).values("key")
    booked = LedgerEntry.objects.filter(posting=OuterRef("posting"), account=BANK).order_by().values("posting")
    lines = PayoutLine.objects.filter(key__in=keys, is_live=True).order_by()
    lines = lines.annotate(left=Subquery(booked.annotate(fen=Sum("amount")).values("fen")))
    for payer, state, fen, left in lines.values_list("payer", "state").annotate(Sum("amount_fen"), Sum("left")):
        row = found[payer]
        if state == PayoutLineState.PAID:
            row.paid_fen, row.booked_fen = fen, -(left or 0)
        else:
            row.in_batch_fen += fen


def _add_received(actor: Actor, found: dict[str, Stated], rows: QuerySet[Statement], month: date) -> None:
    """What payers sent: as their answers to claims say, or as it arrived."""
    lines = ClaimLine.objects.filter(claim__statement__in=rows.values("pk")).exclude(claim__state=ClaimState.WITHDRAWN)
    fresh = ~Q(state=ClaimLineState.RESUBMITTED)
    claims = lines.order_by().values_list("claim__payer").annotate(
        claimed=Coalesce(Sum("claimed_fen", filter=fresh), Value(0)) + Coalesce(Sum("paid_fen", filter=~fresh), Value(0)), received=Sum("paid_fen")
    )  # fmt: skip
    arrived = arrival_entries(actor).filter(service_day=month).order_by().values_list("account")
    arrived = arrived.annotate(claimed=Value(0, output_field=BigIntegerField()), received=-Sum("amount"))
    for name, claimed, fen in claims.union(arrived, all=True):
        if row := found.get(name.removeprefix(f"{RECEIVABLE}.")):
            row.claimed_fen += claimed
            row.received_fen += fen
