"""What elders pay through the platform: what is owed, what arrived, what has to move on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, JSONObject

from yinling.directory.queries import cities
from yinling.directory.rules import require
from yinling.kernel.actor import Actor
from yinling.kernel.period import day_bounds, local_date
from yinling.orders.models import Hold, Order, PayerShare
from yinling.orders.states import OrderState
from yinling.settlement.models import LedgerEntry, Payment, PaymentBill, PayoutLine, Posting, RecoveryLine, Refund
from yinling.settlement.payables import Payable, register
from yinling.settlement.paying import Movement, Part
from yinling.settlement.queries.ledger import elder_balance, live_posting, live_postings
from yinling.settlement.rules import EARNED_DIRECTLY, PAYABLE, PREPAID, SELF, SELF_FUND
from yinling.settlement.states import PaymentState, RecoveryState, RefundState

PREFIX = "payment"
"""How the keys of what is owed to providers of payments begin."""
MATCHED = "match:"
"""How the keys of postings begin that owe a provider what an elder paid: the unique index finds them, however long the ledger is."""
WAIVED = "waiver"
"""The kind of the postings that take a part of a bill back that was wrong."""
OBJECTION = "objection:"
"""How the cause of a hold by an objection begins; the number of its ticket follows."""
UNPAYABLE = frozenset({OrderState.DRAFT, OrderState.CANCELLED, OrderState.FAILED})
SETTLED = (OrderState.SETTLED, OrderState.CLOSED)
_COUNTS = Q(line__dropped_at=None) & (Q(line__added_at=None) | Q(line__confirmed_at__isnull=False))
"""Lines added at the door count once they are confirmed (D-18)."""
_MOVING = Q(state__in=["paid", "surplus"], matched_fen__lt=F("amount_fen") - F("refunded_fen"))
"""Money that is not offset: what the index ``payment_moving`` holds."""
ENDED_UNSERVED = (OrderState.CANCELLED, OrderState.FAILED)


def self_parts(order: Order) -> list[Part]:
    """What the elder's side bears of each line that counts, in the order of the lines."""
    shares = PayerShare.objects.filter(_COUNTS, order=order, payer=SELF, amount_fen__gt=0).select_related("line__item")
    day = local_date(order.starts_at)
    return [
        Part(one.line_id, "medical" if one.line.item.is_medical else "eldercare", one.amount_fen, day)
        for one in shares.order_by("line_id", "id")
    ]


def waived(order: Order) -> int:
    """What of the elder's own part was found wrong and given back: nobody asks for it again. A reversal takes it back with the rest."""
    rows = LedgerEntry.objects.filter(posting__order=order, posting__kind=WAIVED, account=EARNED_DIRECTLY)
    return int(rows.aggregate(fen=Coalesce(Sum("amount"), Value(0)))["fen"])


def own_part(order: Order) -> int:
    """What the elder's side bears of an order now: nothing of one that was not served, or that was taken back; less what was waived."""
    if order.state in UNPAYABLE or (order.state in SETTLED and live_posting(order) is None):
        return 0
    if recovery_of(order) == RecoveryState.APPROVED:
        return 0
    return sum(part.amount_fen for part in self_parts(order)) - waived(order)


def standing(order: Order, account: str, kind: str = "") -> list[Part]:
    """What the ledger says is owed on an account for an order, line by line; ``kind`` narrows it to postings of that kind."""
    rows = LedgerEntry.objects.filter(posting__order=order, account=account, unit="fen")
    if kind:
        rows = rows.filter(posting__kind=kind)
    day = local_date(order.starts_at)
    sums = rows.values("line_id", "business").annotate(fen=-Sum("amount")).exclude(fen=0)
    return [Part(one["line_id"], one["business"], one["fen"], day) for one in sums.order_by("line_id", "business")]


def paid_for(order: Order) -> int:
    """What arrived for an order and was not given back; money that came too much does not count."""
    rows = Payment.objects.filter(order=order, state=PaymentState.PAID)
    return int(rows.aggregate(fen=Coalesce(Sum(F("amount_fen") - F("refunded_fen")), Value(0)))["fen"])


def objection_of(order: Order) -> Hold | None:
    """The open objection to the bill of an order."""
    return Hold.objects.filter(order=order, to_at=None, cause__startswith=OBJECTION).order_by("from_at").first()


def recovery_of(order: Order) -> str:
    """The state of the recovery list that an order stands on, if any."""
    return (
        RecoveryLine.objects.filter(order=order, is_live=True).values_list("recovery__state", flat=True).first() or ""
    )


def is_checked(order: Order) -> bool:
    """Whether somebody looks into the bill of an order: an objection, or a recovery list that is not decided. Nobody pays meanwhile."""
    return objection_of(order) is not None or recovery_of(order) in (RecoveryState.DRAFT, RecoveryState.REVIEWED)


def balance_of(elder_id: int, div: str) -> int:
    """What an elder paid in beforehand and has not used."""
    return -elder_balance(PREPAID, elder_id, div)


def payments(actor: Actor) -> QuerySet[Payment]:
    """Payments the actor may see, newest first."""
    require(actor, "settlement.payment.view")
    return Payment.objects.visible_to(actor).select_related("order", "provider").order_by("-asked_at", "-id")


def payment_totals(rows: QuerySet[Payment]) -> dict[str, int]:
    """Counts and sums of a list of payments."""
    arrived = Q(paid_at__isnull=False)
    return rows.order_by().aggregate(
        count=Count("id"), paid_fen=Coalesce(Sum("amount_fen", filter=arrived), Value(0)),
        refunded_fen=Coalesce(Sum("refunded_fen"), Value(0)), matched_fen=Coalesce(Sum("matched_fen"), Value(0)),
    )  # fmt: skip


def expired_payments(area: str, now: datetime) -> QuerySet[Payment]:
    """Payments asked for whose time is over, or whose order will not be served."""
    over = Q(expires_at__lte=now) | Q(order__state__in=ENDED_UNSERVED)
    return Payment.objects.within(area).filter(over, state=PaymentState.ASKED).order_by("pk")


def unmatched_payments(area: str) -> QuerySet[Payment]:
    """Payments whose offset against the settlement of their order is not what it should be."""
    live, reversed_ = (
        live_postings().filter(order=OuterRef("order")),
        Posting.objects.filter(order=OuterRef("order"), reverses__isnull=False),
    )
    rows = Payment.objects.within(area)
    late = rows.filter(_MOVING, Exists(live), state=PaymentState.PAID).annotate(
        bears_fen=_borne(), offset_fen=_of_order(F("matched_fen"))
    )
    undone = rows.filter(Exists(reversed_), ~Exists(live), matched_fen__gt=0)
    owed = late.filter(offset_fen__lt=F("bears_fen"))
    return Payment.objects.filter(Q(pk__in=owed.values("pk")) | Q(pk__in=undone.values("pk"))).order_by("pk")


def payments_to_return(area: str) -> QuerySet[Any]:
    """Payments of which money goes back by itself: too much, twice, or for what was not served. One the channel refused waits for a person.

    What an order's payments are too much together (``above_fen``) goes back from the last one: all of it where the service was taken back
    for a death or a move. Other reversals are mostly billed anew, so a person decides what goes back.
    """
    tried = Refund.objects.filter(state__in=[RefundState.ASKED, RefundState.FAILED])
    rows = Payment.objects.within(area).filter(_MOVING, ~Exists(tried.filter(payment=OuterRef("pk"))))
    unserved = Q(state=PaymentState.PAID, order__state__in=ENDED_UNSERVED)
    later = Payment.objects.filter(_MOVING, state=PaymentState.PAID, order=OuterRef("order"), pk__gt=OuterRef("pk"))
    pending = tried.filter(payment__order=OuterRef("order"), payment__state=PaymentState.PAID)
    is_over = Q(order__state__in=SETTLED) | Q(is_recovered=True)
    above = Q(~Exists(later), ~Exists(pending), is_over, state=PaymentState.PAID, above_fen__gt=0)
    gone = RecoveryLine.objects.filter(order=OuterRef("order"), is_live=True, recovery__state=RecoveryState.APPROVED)
    paid = _of_order(F("amount_fen") - F("refunded_fen"))
    rows = rows.annotate(is_recovered=Exists(gone))
    rows = rows.annotate(above_fen=Case(When(is_recovered=True, then=paid), default=paid - _borne()))
    return rows.filter(Q(state=PaymentState.SURPLUS) | unserved | above).select_related("order").order_by("pk")


def _of_order(amount: Any) -> Coalesce:
    """A sum over what was paid for the order of a payment."""
    paid = Payment.objects.filter(order=OuterRef("order"), state=PaymentState.PAID).order_by().values("order")
    return Coalesce(Subquery(paid.annotate(fen=Sum(amount)).values("fen")), Value(0))


def _borne() -> Coalesce:
    """The elder's own part of the order of a payment, by its frozen shares."""
    own = PayerShare.objects.filter(_COUNTS, order=OuterRef("order"), payer=SELF).order_by().values("order")
    return Coalesce(Subquery(own.annotate(fen=Sum("amount_fen")).values("fen")), Value(0))


def stuck_refunds() -> QuerySet[Refund]:
    """Refunds that their channel refused and that were not tried again since: a person decides how the money goes back."""
    later = Refund.objects.filter(payment=OuterRef("payment"), pk__gt=OuterRef("pk"))
    return Refund.objects.filter(~Exists(later), state=RefundState.FAILED)


def unnoticed(area: str, channel: str, keys: Iterable[str]) -> dict[str, Payment]:
    """Payments of these keys of which no notice has come, by key."""
    rows = Payment.objects.within(area).filter(channel=channel, key__in=list(keys), paid_at=None)
    return {row.key: row for row in rows}


def refunds_to_send(area: str, channel: str) -> QuerySet[Refund]:
    """Refunds a channel does not know of yet, oldest first."""
    rows = Refund.objects.within(area).filter(state=RefundState.ASKED, payment__channel=channel)
    return rows.select_related("payment").order_by("pk")


def movements(area: str, channel: str, day: date) -> list[Movement]:
    """What we say moved over a channel on a day."""
    start, end = day_bounds(day)
    paid = Payment.objects.within(area).filter(channel=channel, paid_at__gte=start, paid_at__lt=end).order_by("pk")
    back = Refund.objects.within(area).filter(
        payment__channel=channel, state=RefundState.DONE, ended_at__gte=start, ended_at__lt=end
    )
    rows = back.select_related("payment").order_by("pk")
    return [
        *(Movement("pay", one.key, one.channel_number, one.amount_fen) for one in paid),
        *(Movement("refund", one.key, one.payment.channel_number, one.amount_fen) for one in rows),
    ]


def payment_bills(actor: Actor) -> QuerySet[PaymentBill]:
    """Comparisons with the channels, newest day first."""
    require(actor, "settlement.payment.view")
    return PaymentBill.objects.visible_to(actor).select_related("loaded_by").order_by("-day", "channel")


def open_objections(actor: Actor) -> QuerySet[Hold]:
    """Objections nobody has decided yet, oldest first."""
    require(actor, "settlement.order.view")
    rows = Hold.objects.visible_to(actor).filter(to_at=None, cause__startswith=OBJECTION)
    return rows.select_related("order", "provider").order_by("from_at", "id")


def _own_owed(actor: Actor, div: str) -> dict[tuple[int | None, str], Any]:
    """By provider and business, what is owed of money that elders paid and nothing holds (``fen``), and the payments of live batches (``lines``)."""
    frozen = Hold.objects.filter(order=OuterRef("posting__order"), to_at=None)
    booked = (
        LedgerEntry.objects.visible_to(actor)
        .within(div)
        .filter(Exists(cities().filter(pk=div)), ~Exists(frozen), account=PAYABLE, posting__key__startswith=MATCHED)
    )
    live = PayoutLine.objects.filter(
        is_live=True, key__startswith=f"{PREFIX}:", provider=OuterRef("provider"), business=OuterRef("business")
    )
    owed = booked.values("provider", "provider__short_name", "business").annotate(
        fen=-Sum("amount"), lines=ArraySubquery(live.values(told=JSONObject(key="key", fen="amount_fen")))
    )
    return {(row["provider"], row["business"]): row for row in owed.order_by("provider", "business")}


def _left(row: Any) -> int:
    """What no batch holds yet; negative when batches hold more than is owed by now."""
    return int(row["fen"] - sum(line["fen"] for line in row["lines"]))


def own_payables(actor: Actor, div: str) -> list[Payable]:
    """What providers are owed of money that elders paid through the platform: one amount a body and business, less what batches hold.

    What is held, as by an objection, is not paid out. Only the city pays: its channel took the money in, and a district does not see what
    the city has paid.
    """
    found = []
    for (provider, business), row in _own_owed(actor, div).items():
        batch = max((int(line["key"].rpartition("-")[2]) for line in row["lines"]), default=0) + 1
        found.append(
            Payable(
                key=f"{PREFIX}:{provider}-{business}-{batch}", text=f"个人自付（平台代收）{row['provider__short_name']}", provider_id=provider,
                elder_id=None, payer=SELF, fund=SELF_FUND, amount_fen=_left(row), account=PAYABLE, business=business,
            )
        )  # fmt: skip
    return found


def overdrawn(actor: Actor, div: str, lines: Iterable[PayoutLine]) -> list[PayoutLine]:
    """The payments of what elders paid for which batches hold more than is owed by now: an order was held, reversed or refunded since."""
    own = [line for line in lines if line.key.startswith(f"{PREFIX}:")]
    owed = _own_owed(actor, div) if own else {}
    return [line for line in own if (row := owed.get((line.provider_id, line.business))) is None or _left(row) < 0]


register(PREFIX, own_payables)
