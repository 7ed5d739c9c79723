"""All that decides whether orders can be settled, read for many orders in few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Max, Min, Q

from yinling.directory.queries import system_actor
from yinling.ground.scope import scope
from yinling.orders.models import Hold, Order, OrderLine, PayerShare
from yinling.settlement.models import ClaimedItem, ClaimedTime, Posting, RecoveryLine
from yinling.settlement.queries.ledger import live_postings
from yinling.settlement.rules import Minutes
from yinling.visits.models import Visit
from yinling.visits.states import VisitState

ItemClaim = tuple[int, int, datetime]
"""Elder, item, start."""


@dataclass
class Claims:
    """What elders were charged for already; what a batch settles is added as it goes."""

    items: dict[ItemClaim, int] = field(default_factory=dict)
    minutes: dict[int, list[Minutes]] = field(default_factory=lambda: defaultdict(list))

    def add(self, order: Order, keys: Iterable[ItemClaim], minutes: Minutes | None) -> None:
        """Note what one more order claims."""
        self.items.update(dict.fromkeys(keys, order.pk))
        if minutes:
            self.minutes[order.elder_id].append(minutes)


@dataclass(frozen=True)
class Due:
    """One order with its bill as frozen and what stands in the way."""

    order: Order
    lines: list[OrderLine]
    shares: list[PayerShare]
    times_billed: int
    standing: str
    hold: str
    is_recovered: bool
    visited: Minutes | None

    @property
    def unconfirmed(self) -> OrderLine | None:
        """A change line that nobody confirmed."""
        return next((line for line in self.lines if line.added_at and not line.confirmed_at), None)

    @property
    def is_funded(self) -> bool:
        """Whether anybody but the elder pays."""
        return any(share.entitlement_id and share.amount_fen for share in self.shares)

    @property
    def item_claims(self) -> list[ItemClaim]:
        """What it charges for, each item once."""
        items = {line.item_id for line in self.lines if line.kind == "item"}
        return [(self.order.elder_id, item, self.order.starts_at) for item in sorted(items)]

    @property
    def families(self) -> set[str]:
        """The families of its services."""
        return {line.item.family for line in self.lines if line.kind == "item"}


def dues(orders: Sequence[Order]) -> list[Due]:
    """Read the bills of orders and what stands in the way, as the system of the province: an elder may have moved to another city."""
    ids = [order.pk for order in orders]
    with scope(system_actor(orders[0].div[:2])):
        lines, shares = _bills(ids)
        billed = dict(
            Posting.objects.filter(order__in=ids, kind="order").values_list("order").annotate(count=Count("id"))
        )
        standing = dict(live_postings().filter(order__in=ids).values_list("order_id", "key")) if billed else {}
        holds = dict(
            Hold.objects.filter(order__in=ids, to_at=None).order_by("-from_at").values_list("order_id", "cause")
        )
        recovered = set(RecoveryLine.objects.filter(order__in=ids, is_live=True).values_list("order_id", flat=True))
        visited = _visited(ids)
    return [
        Due(
            order, lines[order.pk], shares[order.pk], billed.get(order.pk, 0), standing.get(order.pk, ""), holds.get(order.pk, ""),
            order.pk in recovered, visited.get(order.pk),
        )
        for order in orders
    ]  # fmt: skip


def _bills(ids: Sequence[int]) -> tuple[dict[int, list[OrderLine]], dict[int, list[PayerShare]]]:
    """Return lines that were not dropped, and their shares; a share has its line and its entitlement with it."""
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    shares: dict[int, list[PayerShare]] = defaultdict(list)
    by_id = {}
    for line in OrderLine.objects.filter(order__in=ids, dropped_at=None).select_related("item").order_by("id"):
        lines[line.order_id].append(line)
        by_id[line.pk] = line
    for share in (
        PayerShare.objects.filter(order__in=ids).select_related("entitlement__scheme").order_by("line_id", "id")
    ):
        if share.line_id in by_id:
            share.line = by_id[share.line_id]
            shares[share.order_id].append(share)
    return lines, shares


def _visited(ids: Sequence[int]) -> dict[int, Minutes]:
    """Return from when to when carers were at the door; of two carers from the first arrival to the last leaving."""
    rows = Visit.objects.filter(order__in=ids, state=VisitState.DONE, started_at__isnull=False, ended_at__isnull=False)
    spans = rows.values_list("order_id").annotate(first=Min("started_at"), last=Max("ended_at"))
    return {order: (first, last) for order, first, last in spans if first < last}


def claims_beside(due: Sequence[Due]) -> Claims:
    """Return what the elders of orders were charged for around the same times."""
    claims = Claims()
    keys = [key for one in due for key in one.item_claims]
    if not keys:
        return claims
    with scope(system_actor(due[0].order.div[:2])):
        same = Q(elder__in={elder for elder, _, _ in keys}, starts_at__in={start for _, _, start in keys})
        rows = ClaimedItem.objects.filter(same, is_live=True).values_list(
            "elder_id", "item_id", "starts_at", "order_id"
        )
        claims.items.update({(elder, item, start): order for elder, item, start, order in rows})
        timed = [one for one in due if one.visited]
        if timed:
            first, last = min(one.visited[0] for one in timed), max(one.visited[1] for one in timed)  # type: ignore[index]
            elders = {one.order.elder_id for one in timed}
            taken = ClaimedTime.objects.filter(elder__in=elders, is_live=True, from_at__lt=last, to_at__gt=first)
            for elder, begin, end in taken.values_list("elder_id", "from_at", "to_at"):
                claims.minutes[elder].append((begin, end))
    return claims
