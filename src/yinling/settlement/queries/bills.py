"""An elder's bill in plain words: what happened, what it cost, who paid what and why, what the elder paid and how."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from yinling.entitlements.models import PAYERS
from yinling.kernel.period import local_midnight, next_month
from yinling.kernel.words import N_
from yinling.orders.models import Hold, Order, OrderLine, PayerShare
from yinling.orders.states import OrderState
from yinling.settlement.models import LedgerEntry, Payment, Posting, RecoveryLine, Refund
from yinling.settlement.paying import BALANCE
from yinling.settlement.queries.payments import OBJECTION, SETTLED, WAIVED
from yinling.settlement.rules import EARNED_DIRECTLY, SELF
from yinling.settlement.states import PaymentState, RecoveryState, RefundState
from yinling.visits.models import Visit

BILLED = (OrderState.SERVED, *SETTLED)
PAYER_WORDS = dict(PAYERS)
UNSERVED = (OrderState.CANCELLED, OrderState.FAILED)
RECOVERY = "recovery:"
"""How the cause of a hold by a recovery list begins."""
UNDECIDED = (RecoveryState.DRAFT, RecoveryState.REVIEWED)
MINUTE = 60


@dataclass(frozen=True)
class Share:
    """What one payer bears of one line, and why."""

    payer: str
    label: str
    amount_fen: int
    reason: str


@dataclass(frozen=True)
class Line:
    """One line of a bill with its payers; of what was added at the door, who agreed to it."""

    name: str
    quantity: int
    amount_fen: int
    shares: list[Share]
    agreed_by: str = ""


@dataclass(frozen=True)
class Came:
    """Who came, when, and for how many minutes."""

    name: str
    began_at: datetime
    minutes: int | None


@dataclass(frozen=True)
class Objection:
    """An objection to a bill: since when, and the answer once it was decided."""

    said: str
    from_at: datetime
    to_at: datetime | None
    answer: str


@dataclass
class Bill:
    """The bill of one order."""

    order: Order
    lines: list[Line]
    came: list[Came] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    objections: list[Objection] = field(default_factory=list)
    is_reversed: bool = False
    waived_fen: int = 0
    """What of the elder's part was wrong and was given back."""
    is_listed: bool = False
    """Whether it stands on a list of what is to be recovered, not yet decided."""

    @property
    def total_fen(self) -> int:
        """What the service cost."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def own_fen(self) -> int:
        """What the elder's side bears: nothing once the bill was taken back."""
        return 0 if self.is_reversed else self._borne(is_own=True) - self.waived_fen

    @property
    def others_fen(self) -> int:
        """What others bear."""
        return 0 if self.is_reversed else self._borne(is_own=False)

    def _borne(self, *, is_own: bool) -> int:
        return sum(share.amount_fen for line in self.lines for share in line.shares if (share.payer == SELF) == is_own)

    @property
    def others(self) -> list[tuple[str, int]]:
        """Who else pays how much, by name."""
        sums: dict[str, int] = {}
        for line in self.lines:
            for share in line.shares:
                if share.payer != SELF:
                    sums[share.label] = sums.get(share.label, 0) + share.amount_fen
        return list(sums.items())

    @property
    def paid_fen(self) -> int:
        """What was paid through the platform and not given back."""
        return sum(row.left_fen for row in self.payments if row.state == PaymentState.PAID)

    @property
    def left_fen(self) -> int:
        """What is not paid through the platform."""
        return max(self.own_fen - self.paid_fen, 0)

    @property
    def is_objected(self) -> bool:
        """Whether somebody still looks into an objection."""
        return any(one.to_at is None for one in self.objections)

    @property
    def is_checked(self) -> bool:
        """Whether somebody looks into it, so that nobody pays meanwhile."""
        return self.is_objected or self.is_listed

    @property
    def added(self) -> list[Line]:
        """What was added at the door."""
        return [line for line in self.lines if line.agreed_by]

    @property
    def can_pay(self) -> bool:
        """Whether the elder can pay something here; not while somebody looks into it."""
        return self.left_fen > 0 and not self.is_checked

    @property
    def standing(self) -> str:
        """A few words about the money, for the elder as for the staff."""
        if self.is_checked:
            return N_("正在核查，先不付钱")
        if self.order.state in UNSERVED:
            return N_("没有服务，不收钱")
        if self.is_reversed:
            return N_("账单已取消，不收钱")
        if self.own_fen == 0:
            return N_("不用自己付钱")
        if self.left_fen == 0:
            return N_("已付清")
        return N_("付了一部分") if self.paid_fen else N_("还没在网上付")

    @property
    def moves(self) -> list[tuple[str, Payment | Refund]]:
        """What was paid, and what went back or is on its way, in the order in which it happened."""
        found: list[tuple[datetime, str, Payment | Refund]] = [
            (row.paid_at or row.asked_at, "pay", row) for row in self.payments
        ]
        found += [
            (row.ended_at or row.asked_at, "refund", row) for row in self.refunds if row.state != RefundState.FAILED
        ]
        return [(kind, row) for _at, kind, row in sorted(found, key=lambda one: one[0])]


def orders_billed(elder_id: int, month: date) -> QuerySet[Order]:
    """Services of a month that have a bill, and those that were paid for and then not served, newest first."""
    start, end = local_midnight(month), local_midnight(next_month(month))
    paid = Payment.objects.filter(elder=elder_id, paid_at__isnull=False).values("order")
    rows = Order.objects.filter(elder=elder_id, starts_at__gte=start, starts_at__lt=end)
    return rows.filter(Q(state__in=BILLED) | Q(pk__in=paid)).select_related("provider").order_by("-starts_at", "-id")


def bill_of(order: Order) -> Bill:
    """The bill of one order with everything on it."""
    return bills_of([order])[0]


def bills_of(orders: Sequence[Order], *, whole: bool = True) -> list[Bill]:
    """The bills of orders, in their order: seven queries, however many they are; without who came and what went back, five."""
    pks = [order.pk for order in orders]
    worth_saying = Q(amount_fen__gt=0) | Q(line__amount_fen=0)  # of a line that costs nothing, why
    shares = _by_order(PayerShare.objects.filter(worth_saying, order__in=pks).order_by("line_id", "id"), "line_id")
    lines = _by_order(OrderLine.objects.filter(_counts(), order__in=pks).order_by("id"))
    payments = _by_order(Payment.objects.filter(order__in=pks, paid_at__isnull=False).order_by("paid_at", "id"))
    holds = _by_order(_holds(pks))
    postings = _by_order(_postings(pks))
    visits, refunds = (_visits(pks), _refunds(pks)) if whole else ({}, {})
    return [
        Bill(
            order,
            [_line(line, shares.get(line.pk, [])) for line in lines.get(order.pk, [])],
            [_came(visit) for visit in visits.get(order.pk, [])],
            payments.get(order.pk, []),
            refunds.get(order.pk, []),
            _objections(holds.get(order.pk, [])),
            is_reversed=(
                order.state in UNSERVED
                or _is_reversed(postings.get(order.pk, []))
                or any(one.list_state == RecoveryState.APPROVED for one in holds.get(order.pk, []))
            ),
            waived_fen=sum(one.waived_fen for one in postings.get(order.pk, []) if one.kind == WAIVED),
            is_listed=any(one.list_state in UNDECIDED for one in holds.get(order.pk, [])),
        )
        for order in orders
    ]


def _is_reversed(postings: Sequence[Posting]) -> bool:
    """Whether the settlement of an order was taken back and not booked anew."""
    billed = [one for one in postings if one.kind != WAIVED]
    back = {one.reverses_id for one in billed if one.reverses_id}
    return bool(back) and all(one.pk in back for one in billed if one.reverses_id is None)


def _postings(pks: Sequence[int]) -> QuerySet[Any]:
    """What bills orders, takes them back, or waives a part of what the elder bears."""
    less = LedgerEntry.objects.filter(posting=OuterRef("pk"), account=EARNED_DIRECTLY).order_by().values("posting")
    fen = Subquery(less.annotate(fen=Sum("amount")).values("fen"))
    rows = Posting.objects.filter(order__in=pks, kind__in=["order", "reversal", WAIVED])
    return rows.annotate(waived_fen=Case(When(kind=WAIVED, then=Coalesce(fen, Value(0))), default=Value(0)))


def _holds(pks: Sequence[int]) -> QuerySet[Any]:
    """Objections to orders, answered or not, and what holds an order because it stands on a recovery list, with the list's state."""
    listed = RecoveryLine.objects.filter(order=OuterRef("order"), is_live=True)
    rows = Hold.objects.filter(
        Q(cause__startswith=OBJECTION) | Q(cause__startswith=RECOVERY, to_at=None), order__in=pks
    )
    state = Case(
        When(cause__startswith=RECOVERY, then=Subquery(listed.values("recovery__state")[:1])), default=Value("")
    )
    return rows.annotate(list_state=state).order_by("from_at", "id")


def _objections(holds: Iterable[Hold]) -> list[Objection]:
    return [
        Objection(one.reason, one.from_at, one.to_at, one.release_reason)
        for one in holds
        if one.cause.startswith(OBJECTION)
    ]


def _visits(pks: Sequence[int]) -> dict[int, list[Visit]]:
    rows = Visit.objects.filter(order__in=pks, started_at__isnull=False).select_related("assignment")
    return _by_order(rows.order_by("started_at"))


def _refunds(pks: Sequence[int]) -> dict[int, list[Refund]]:
    rows = Refund.objects.filter(payment__order__in=pks).select_related("payment")
    return _by_order(rows.order_by("asked_at", "id"), "payment.order_id")


def _counts() -> Q:
    """Lines added at the door count once they are confirmed (D-18)."""
    return Q(dropped_at=None) & (Q(added_at=None) | Q(confirmed_at__isnull=False))


def _by_order(rows: Iterable[Any], name: str = "order_id") -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        place: Any = row
        for part in name.split("."):
            place = getattr(place, part)
        found[place].append(row)
    return found


def _line(line: OrderLine, shares: Iterable[PayerShare]) -> Line:
    found = [Share(one.payer, PAYER_WORDS.get(one.payer, one.payer), one.amount_fen, one.reason) for one in shares]
    return Line(line.name, line.quantity, line.amount_fen, found, line.confirmed_as)


def _came(visit: Visit) -> Came:
    span = (
        int((visit.ended_at - visit.started_at).total_seconds()) // MINUTE
        if visit.ended_at and visit.started_at
        else None
    )
    return Came(visit.assignment.staff_name, visit.started_at, span)  # type: ignore[arg-type]


def how_paid(payment: Payment) -> str:
    """By which way a payment was made, in plain words."""
    return N_("用预存的余额付") if payment.channel == BALANCE else N_("网上付")


@dataclass(frozen=True)
class MonthSum:
    """What the services of a month came to."""

    count: int
    total_fen: int
    others_fen: int
    own_fen: int
    paid_fen: int


def month_sum(bills: Iterable[Bill]) -> MonthSum:
    """Add up the bills of a month; one that was taken back counts nothing."""
    counted = [bill for bill in bills if not bill.is_reversed]
    return MonthSum(
        len(counted), sum(bill.total_fen for bill in counted), sum(bill.others_fen for bill in counted),
        sum(bill.own_fen for bill in counted), sum(bill.paid_fen for bill in counted),
    )  # fmt: skip
