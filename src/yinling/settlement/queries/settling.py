"""All that decides whether orders can be settled, read for many orders in few statements."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from yinling.entitlements.rules import uses_from_json
from yinling.orders.models import Order
from yinling.settlement.rules import Minutes, Share, fund_of_payer

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
class Line:
    """One line of an order that was not dropped; a change line may still wait for its confirmation."""

    pk: int
    kind: str
    item_id: int
    family: str
    amount_fen: int
    is_unconfirmed: bool


@dataclass(frozen=True)
class Due:
    """One order with its bill as frozen and what stands in the way."""

    order: Order
    lines: list[Line]
    shares: list[Share]
    times_billed: int
    standing: str
    hold: str
    is_recovered: bool
    visited: Minutes | None

    @property
    def unconfirmed(self) -> Line | None:
        """A change line that nobody confirmed."""
        return next((line for line in self.lines if line.is_unconfirmed), None)

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
        return {line.family for line in self.lines if line.kind == "item"}


STANDS = """SELECT o.id,
    (SELECT count(*) FROM settlement_posting p WHERE p.order_id = o.id AND p.kind = 'order'),
    (SELECT p.key FROM settlement_posting p WHERE p.order_id = o.id AND p.kind = 'order'
        AND NOT EXISTS (SELECT FROM settlement_posting r WHERE r.reverses_id = p.id) LIMIT 1),
    (SELECT h.cause FROM orders_hold h WHERE h.order_id = o.id AND h.to_at IS NULL ORDER BY h.from_at LIMIT 1),
    EXISTS (SELECT FROM settlement_recoveryline l WHERE l.order_id = o.id AND l.is_live), v.first, v.last
    FROM unnest((SELECT %s::bigint[])) AS o(id) CROSS JOIN LATERAL (SELECT min(started_at) AS first, max(ended_at) AS last FROM visits_visit
        WHERE order_id = o.id AND state = 'done' AND started_at IS NOT NULL AND ended_at IS NOT NULL) AS v"""
"""How often an order was billed, what stands, what holds it, and from when to when carers were at the door: of two from the first
arrival to the last leaving. One statement, for a person settles one order as often as the job settles many."""
BILLS = """SELECT l.order_id, l.id, l.kind, l.item_id, i.family, l.amount_fen, l.added_at IS NOT NULL AND l.confirmed_at IS NULL,
        i.is_medical, (l.detail ->> 'day')::date, s.payer, s.amount_fen, s.entitlement_id, s.uses, c.id, c.fund
    FROM orders_orderline l JOIN catalogue_serviceitem i ON i.id = l.item_id LEFT JOIN orders_payershare s ON s.line_id = l.id
    LEFT JOIN entitlements_entitlement e ON e.id = s.entitlement_id LEFT JOIN entitlements_scheme c ON c.id = e.scheme_id
    WHERE l.order_id = ANY ((SELECT %s::bigint[])::bigint[]) AND l.dropped_at IS NULL ORDER BY l.id, s.id"""


def dues(orders: Sequence[Order]) -> list[Due]:
    """Read the bills of orders and what stands in the way. Needs the scope of the province: an elder may have moved to another city."""
    ids = [order.pk for order in orders]
    lines, shares = lines_and_shares(ids)
    with connection.cursor() as cursor:
        cursor.execute(STANDS, [ids])
        stands = {row[0]: row[1:] for row in cursor.fetchall()}
    found = []
    for order in orders:
        billed, standing, hold, is_recovered, first, last = stands[order.pk]
        visited = (first, last) if first and first < last else None
        found.append(
            Due(order, lines[order.pk], shares[order.pk], billed, standing or "", hold or "", is_recovered, visited)
        )
    return found


def lines_and_shares(orders: Sequence[int]) -> tuple[Mapping[int, list[Line]], Mapping[int, list[Share]]]:
    """Return by order the lines that were not dropped, and what payers bear of them. Needs the scope of the province, as above."""
    lines: dict[int, dict[int, Line]] = {order: {} for order in orders}
    shares: dict[int, list[Share]] = {order: [] for order in orders}
    with connection.cursor() as cursor:
        cursor.execute(BILLS, [list(orders)])
        for order, line, *values, is_medical, day, payer, amount, entitlement, uses, scheme, fund in cursor.fetchall():
            lines[order][line] = Line(line, *values)
            if payer:
                kept, source = tuple(uses_from_json(json.loads(uses))), fund or fund_of_payer(payer)
                shares[order].append(Share(line, payer, amount, is_medical, source, scheme, entitlement, kept, day))
    return {order: list(found.values()) for order, found in lines.items()}, shares


CLAIMED = """SELECT elder_id, item_id, starts_at, order_id, NULL::timestamptz FROM settlement_claimeditem
        WHERE is_live AND elder_id = ANY (%(elders)s) AND starts_at = ANY (%(starts)s)
    UNION ALL SELECT elder_id, NULL, from_at, order_id, to_at FROM settlement_claimedtime
        WHERE is_live AND elder_id = ANY (%(timed)s) AND from_at < %(last)s AND to_at > %(first)s"""


def claims_beside(due: Sequence[Due]) -> Claims:
    """Return what the elders of orders were charged for around the same times."""
    claims = Claims()
    keys = [key for one in due for key in one.item_claims]
    timed = [one for one in due if one.visited and one.is_funded]
    visits = [one.visited for one in timed if one.visited]
    asked: dict[str, Any] = {
        "elders": sorted({elder for elder, _, _ in keys}),
        "starts": sorted({start for _, _, start in keys}),
        "timed": sorted({one.order.elder_id for one in timed}),
        "first": min((first for first, _ in visits), default=None),
        "last": max((last for _, last in visits), default=None),
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIMED, asked)
        for elder, item, begin, order, end in cursor.fetchall():
            if end is None:
                claims.items[elder, item, begin] = order
            else:
                claims.minutes[elder].append((begin, end))
    return claims
