"""Reading the ledger: what is due, what stands on which statement, and what an order left behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from yinling.accounts.models import Journal
from yinling.directory.models import Organisation
from yinling.directory.rules import require
from yinling.entitlements.models import PAYERS
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date, next_month
from yinling.kernel.words import N_
from yinling.orders.models import Hold, Order, OrderLine, PayerShare
from yinling.orders.queries import SUSPENDS
from yinling.orders.states import OrderState
from yinling.people.models import Circumstance, Elder
from yinling.people.queries import stops_of
from yinling.people.stops import fate_of
from yinling.settlement.models import Charge, LedgerEntry, Posting, Recovery, RecoveryLine, Statement, StatementLine
from yinling.settlement.rules import ACCOUNTS, SELF, SELF_FUND, Share
from yinling.settlement.states import RecoveryState, StatementState
from yinling.visits.models import Visit

PERFORMED_STATES = (OrderState.SERVED, OrderState.SETTLED, OrderState.CLOSED)

PAYER_NAMES = dict(PAYERS)
FUND_NAMES = PAYER_NAMES | {
    SELF_FUND: N_("个人资金"),
    "civil_affairs": N_("民政资金"),
    "lottery": N_("福利彩票公益金"),
    "central_subsidy": N_("中央补助资金"),
    "insurance": N_("长期护理保险基金"),
    "time_bank": N_("时间银行"),
}
STATEMENT_PAYERS = [(code, name) for code, name in PAYERS if code != SELF]


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


def shares_of(order: Order) -> list[PayerShare]:
    """The frozen shares of an order with what the ledger wants to know of them."""
    rows = PayerShare.objects.filter(order=order).select_related("line__item", "entitlement__scheme")
    return list(rows.order_by("line_id", "id"))


def as_share(row: PayerShare) -> Share:
    """Return a frozen share as the rules see it."""
    scheme = row.entitlement.scheme if row.entitlement else None
    return Share(
        line_id=row.line_id, payer=row.payer, amount_fen=row.amount_fen, is_medical=row.line.item.is_medical,
        fund=scheme.fund if scheme else row.payer if row.payer != SELF else SELF_FUND, scheme_id=scheme.pk if scheme else None,
    )  # fmt: skip


def live_postings() -> QuerySet[Posting]:
    """Postings of orders that no reversal took back."""
    reversal = Posting.objects.filter(reverses=OuterRef("pk"))
    return Posting.objects.filter(~Exists(reversal), reverses=None, kind="order")


def live_posting(order: Order) -> Posting | None:
    """The posting of an order that stands, if any."""
    return live_postings().filter(order=order).first()


def times_billed(*, elder_id: int, item_id: int, starts_at: datetime) -> int:
    """How often a service was charged and taken back: the number that its next claim continues."""
    stem = f"{elder_id}:{item_id}:{int(starts_at.timestamp())}:"
    reversal = Posting.objects.filter(reverses=OuterRef("pk"))
    return Posting.objects.filter(Exists(reversal), claim__startswith=stem).count()


def due_orders(area: str, now: datetime) -> QuerySet[Order]:
    """Served orders whose waiting time is over and which nothing holds; one that was refused waits for a person."""
    waiting = timedelta(minutes=parameter("settlement.after_minutes", area, local_date(now)))
    held = Hold.objects.filter(order=OuterRef("pk"), to_at=None)
    refused = Journal.objects.filter(
        subject_type="order", subject_id=OuterRef("pk"), event="settlement.order.settle", is_refused=True
    )
    rows = Order.objects.within(area).filter(~Exists(held), ~Exists(refused), state=OrderState.SERVED)
    return rows.filter(served_at__lte=now - waiting).order_by("served_at", "id")


def statement_candidates(organisation: Organisation, payer: str, month: date) -> QuerySet[Charge]:
    """Charges for a statement: served up to the month's end, settled, not held, not taken back, on no live statement.

    What a reversal took back is deducted once the charge itself was paid for by a statement, and is left out together with it before.
    """
    on_live = StatementLine.objects.filter(charge=OuterRef("pk"), is_live=True)
    held = Hold.objects.filter(order=OuterRef("order"), to_at=None)
    taken_back = Posting.objects.filter(reverses=OuterRef("posting"))
    original_on_live = StatementLine.objects.filter(
        is_live=True,
        charge__posting=OuterRef("posting__reverses"),
        charge__line=OuterRef("line"),
        charge__payer=OuterRef("payer"),
    )
    rows = Charge.objects.filter(provider=organisation, payer=payer, service_day__lt=next_month(month))
    fresh = Q(posting__reverses=None) & ~Exists(taken_back) & ~Exists(held)
    deduction = Q(posting__reverses__isnull=False) & Exists(original_on_live)
    return rows.filter(~Exists(on_live)).filter(fresh | deduction).order_by("service_day", "id")


def statements(actor: Actor) -> QuerySet[Statement]:
    """Statements the actor may see, newest first."""
    require(actor, "settlement.statement.view")
    rows = Statement.objects.visible_to(actor).select_related("provider", "drafted_by", "reviewed_by", "approved_by")
    return rows.order_by("-month", "-id")


def statement_totals(rows: QuerySet[Statement]) -> dict[str, int]:
    """Count and sum of the statements of a list."""
    live = ~Q(state=StatementState.RETURNED)
    return rows.order_by().aggregate(
        count=Count("id"), live_fen=Coalesce(Sum("total_fen", filter=live), Value(0)),
        approved_fen=Coalesce(Sum("total_fen", filter=Q(state=StatementState.APPROVED)), Value(0)),
    )  # fmt: skip


def statement_lines(statement: Statement) -> QuerySet[StatementLine]:
    """The charges on a statement with what a reader checks them by."""
    rows = StatementLine.objects.filter(statement=statement)
    rows = rows.select_related("charge__line", "charge__order", "charge__posting", "charge__entitlement__scheme")
    return rows.order_by("charge__service_day", "id")


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
    )
    return rows.order_by("-settled_at", "-id")


def order_totals(rows: QuerySet[Order]) -> dict[str, int]:
    """Count and sums of the orders of a list."""
    return rows.order_by().aggregate(
        count=Count("id"), total_fen=Coalesce(Sum("total_fen"), Value(0)), self_fen=Coalesce(Sum("self_fen"), Value(0))
    )


def waiting_orders(actor: Actor) -> QuerySet[Order]:
    """Served orders not yet settled, oldest first, with whether something holds them."""
    require(actor, "settlement.order.view")
    held = Hold.objects.filter(order=OuterRef("pk"), to_at=None)
    rejected = RecoveryLine.objects.filter(order=OuterRef("pk"), is_live=True, recovery__state=RecoveryState.APPROVED)
    rows = Order.objects.visible_to(actor).filter(~Exists(rejected), state=OrderState.SERVED).select_related("provider")
    return rows.annotate(is_held=Exists(held)).order_by("served_at", "id")


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


def account_name(account: str) -> str:
    """Chinese name of an account."""
    return ACCOUNTS.get(account, account)


def fund_name(fund: str) -> str:
    """Chinese name of a fund source; a fund of a city's own scheme is shown by its code."""
    return FUND_NAMES.get(fund, fund)


def balances(actor: Actor, period: date) -> list[dict[str, Any]]:
    """Sums of the ledger by account, business and fund for one open period."""
    require(actor, "settlement.order.view")
    rows = LedgerEntry.objects.visible_to(actor).filter(period=period, unit="fen")
    sums = (
        rows.values("account", "business", "fund")
        .annotate(amount=Sum("amount"))
        .order_by("account", "business", "fund")
    )
    return [dict(row) for row in sums]


def item_line(lines: list[OrderLine]) -> OrderLine | None:
    """The line that names the service; the call-out fee follows it."""
    return next((line for line in lines if line.kind == "item"), None)


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
    """Services that began after the death or the move of their elder and stand on no recovery list (R-PEO-03).

    What counts is when the carer checked in, else the booked time. One that a person returned is not listed again for the same cause.
    """
    began = (
        Visit.objects.filter(order=OuterRef("pk"), started_at__isnull=False)
        .order_by("started_at")
        .values("started_at")[:1]
    )
    listed = RecoveryLine.objects.filter(order=OuterRef("pk"), is_live=True)
    moved = Circumstance.objects.filter(kind="moved_away", recorded_to=None, elder=OuterRef("elder"))
    late = Q(began_at__date__gte=F("elder__died_on")) | Exists(moved.filter(valid_from__lte=OuterRef("began_at__date")))
    wanted = Q() if elder_id is None else Q(elder_id=elder_id)
    rows = Order.objects.within(area).filter(wanted, state__in=PERFORMED_STATES).select_related("elder")
    rows = rows.annotate(began_at=Coalesce(Subquery(began), F("starts_at"))).filter(late & ~Exists(listed))
    found: list[Any] = list(rows.order_by("pk"))
    stops = stops_of({row.elder_id for row in found})
    answer = []
    for row in found:
        fate = fate_of(state=row.state, starts_at=row.began_at, now=now, stops=stops.get(row.elder_id, []))
        if fate.verb != "recover" or fate.stop is None or _was_decided(row, fate.cause):
            continue
        if row.state == OrderState.SERVED or live_posting(row) is not None:
            shares = [share for share in PayerShare.objects.filter(order=row).order_by("pk") if share.amount_fen]
            answer.append(Overpaid(row, row.began_at, fate.cause, fate.stop.from_at, shares, _paid(row, shares)))
    return answer


def _was_decided(order: Order, cause: str) -> bool:
    return RecoveryLine.objects.filter(order=order, is_live=False, recovery__cause=cause).exists()


def _paid(order: Order, shares: Iterable[PayerShare]) -> frozenset[int]:
    """Shares that were paid: on an approved statement, or, of a settled order, by the elder directly."""
    if order.state == OrderState.SERVED:
        return frozenset()
    approved = StatementLine.objects.filter(
        charge__order=order, is_live=True, statement__state=StatementState.APPROVED
    ).values_list("charge__line_id", "charge__payer", "charge__entitlement_id")
    on_statement = set(approved)
    return frozenset(
        one.pk for one in shares if one.payer == SELF or (one.line_id, one.payer, one.entitlement_id) in on_statement
    )


def stands(row: Recovery) -> bool:
    """Whether the death or the move that a recovery list names is still on record."""
    noun, _, number = row.cause.rpartition(":")
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
    """Recovery lists the actor may see, newest first."""
    require(actor, "settlement.recovery.view")
    rows = Recovery.objects.visible_to(actor).select_related("elder", "reviewed_by", "approved_by")
    return rows.order_by("-drafted_at", "-id")


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
