"""One month of one area reconciled: what was settled is stated, waits or is frozen; what is stated is paid, in a batch or open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from yinling.directory.rules import require
from yinling.kernel.actor import Actor
from yinling.kernel.period import next_month
from yinling.orders.models import Hold
from yinling.settlement.models import Charge, ClaimLine, LedgerEntry, PayoutLine, Statement, StatementLine
from yinling.settlement.queries.statements import PAYABLE_FEN
from yinling.settlement.rules import RECEIVABLE, SELF
from yinling.settlement.states import ClaimLineState, ClaimState, PayoutLineState, StatementState


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
    return Reconciliation(month, _settled(actor, month), _stated(actor, month))


def _settled(actor: Actor, month: date) -> list[Settled]:
    on_live = StatementLine.objects.filter(charge=OuterRef("pk"), is_live=True)
    held = Hold.objects.filter(order=OuterRef("order"), to_at=None)
    rows = Charge.objects.visible_to(actor).filter(
        ~Q(payer=SELF), service_day__gte=month, service_day__lt=next_month(month)
    )
    sums = rows.annotate(is_stated=Exists(on_live), is_held=Exists(held)).values_list("payer", "is_stated", "is_held")
    found: dict[str, Settled] = {}
    for payer, is_stated, is_held, fen in sums.annotate(fen=Sum("amount_fen")).order_by("payer"):
        row = found.setdefault(payer, Settled(payer))
        row.settled_fen += fen
        name = "stated_fen" if is_stated else "frozen_fen" if is_held else "waiting_fen"
        setattr(row, name, getattr(row, name) + fen)
    booked = LedgerEntry.objects.visible_to(actor).filter(
        account__startswith=f"{RECEIVABLE}.", service_day__gte=month, service_day__lt=next_month(month), line__isnull=False, unit="fen"
    )  # fmt: skip
    for account, fen in booked.values_list("account").annotate(fen=Sum("amount")).order_by("account"):
        payer = account.removeprefix(f"{RECEIVABLE}.")
        found.setdefault(payer, Settled(payer)).ledger_fen = fen
    return [found[payer] for payer in sorted(found)]


def _stated(actor: Actor, month: date) -> list[Stated]:
    rows = Statement.objects.visible_to(actor).filter(month=month).exclude(state=StatementState.RETURNED)
    approved = Q(state=StatementState.APPROVED)
    sums = rows.order_by().values_list("payer").annotate(
        total=Sum("total_fen"), draft=Sum("total_fen", filter=~approved), deducted=Sum("deducted_fen", filter=approved),
        offset=Sum("offset_fen", filter=approved), payable=Sum(PAYABLE_FEN, filter=approved),
    )  # fmt: skip
    found = {
        payer: Stated(
            payer, total_fen=total, open_fen=draft or 0, deducted_fen=deducted or 0, offset_fen=offset or 0, payable_fen=payable or 0
        )
        for payer, total, draft, deducted, offset, payable in sums
    }  # fmt: skip
    _add_lines(found, rows)
    _add_payments(found, rows)
    _add_claims(found, rows)
    return [found[payer] for payer in sorted(found)]


def _add_lines(found: dict[str, Stated], rows: QuerySet[Statement]) -> None:
    lines = StatementLine.objects.filter(statement__in=rows.values("pk"), is_live=True)
    for payer, fen in lines.values_list("statement__payer").annotate(fen=Sum("charge__amount_fen")).order_by():
        found[payer].lines_fen = fen


def _add_payments(found: dict[str, Stated], rows: QuerySet[Statement]) -> None:
    payer_of = {f"statement:{pk}": payer for pk, payer in rows.order_by().values_list("pk", "payer")}
    lines = PayoutLine.objects.filter(key__in=list(payer_of), is_live=True).values_list(
        "key", "state", "amount_fen", "posting_id"
    )
    paid: dict[int, str] = {}
    for key, state, fen, posting_id in lines:
        row = found[payer_of[key]]
        if state == PayoutLineState.PAID:
            row.paid_fen += fen
            paid[posting_id] = payer_of[key]
        else:
            row.in_batch_fen += fen
    booked = (
        LedgerEntry.objects.filter(posting__in=list(paid), account="bank")
        .values_list("posting_id")
        .annotate(fen=Sum("amount"))
    )
    for posting_id, fen in booked.order_by():
        found[paid[posting_id]].booked_fen -= fen


def _add_claims(found: dict[str, Stated], rows: QuerySet[Statement]) -> None:
    lines = ClaimLine.objects.filter(claim__statement__in=rows.values("pk")).exclude(claim__state=ClaimState.WITHDRAWN)
    fresh = ~Q(state=ClaimLineState.RESUBMITTED)
    sums = lines.values_list("claim__payer").annotate(
        claimed=Sum("claimed_fen", filter=fresh),
        again=Sum("paid_fen", filter=~fresh),
        received=Sum("paid_fen"),
    )
    for payer, claimed, again, received in sums.order_by():
        found[payer].claimed_fen = (claimed or 0) + (again or 0)
        found[payer].received_fen = received or 0
