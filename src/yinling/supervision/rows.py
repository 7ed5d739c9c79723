"""The flat rows that the rules look at, read through the audit role (or any connection that sees them)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from yinling.ground.parameters import parameter, parameters
from yinling.kernel.period import local_date
from yinling.supervision.rules.rule import PARAMETERS

Row = dict[str, Any]
SLACK = timedelta(minutes=1)
"""Rounds look back a little further than the last, since a deadline in this very second is not yet missed."""


class Reader(Protocol):
    """A connection whose rows are mappings."""

    def execute(self, query: str, params: Sequence[Any] | None = None) -> Any:
        """Run a query."""


SERVICES = """
SELECT o.id AS order_id, a.id AS assignment_id, v.id AS visit_id, coalesce(v.staff_id, a.staff_id) AS staff_id, o.provider_id, o.elder_id,
    o.div,
    CASE WHEN o.state = 'placed' AND NOT o.needs_visit THEN 'expected' ELSE o.state END AS order_state,
    a.state AS assignment_state, coalesce(a.slot, 1) AS slot,
    coalesce(a.state IN ('offered', 'accepted', 'done'), true)
        OR (a.id = max(a.id) OVER w AND NOT bool_or(a.state IN ('offered', 'accepted', 'done')) OVER w) AS is_current,
    a.id IS NOT DISTINCT FROM min(a.id) OVER w AS is_first,
    v.id IS NOT DISTINCT FROM first_value(v.id) OVER (w ORDER BY v.started_at NULLS LAST, v.id) AS is_first_visit,
    floor(extract(epoch FROM o.placed_at))::bigint AS placed_at,
    floor(extract(epoch FROM o.accept_due_at))::bigint AS order_accept_due_at,
    floor(extract(epoch FROM o.accepted_at))::bigint AS order_accepted_at,
    floor(extract(epoch FROM a.offered_at))::bigint AS offered_at,
    floor(extract(epoch FROM min(a.offered_at) OVER w))::bigint AS first_offered_at,
    floor(extract(epoch FROM a.accept_due_at))::bigint AS accept_due_at,
    floor(extract(epoch FROM a.accepted_at))::bigint AS accepted_at,
    floor(extract(epoch FROM a.ended_at))::bigint AS assignment_ended_at,
    floor(extract(epoch FROM o.starts_at))::bigint AS starts_at,
    floor(extract(epoch FROM o.ends_at))::bigint AS ends_at,
    floor(extract(epoch FROM v.started_at))::bigint AS started_at,
    floor(extract(epoch FROM v.ended_at))::bigint AS ended_at,
    (SELECT sum(l.minutes) FROM orders_orderline l WHERE l.order_id = o.id AND l.kind = 'item' AND l.dropped_at IS NULL)
        AS standard_minutes,
    c.distance_m,
    floor(extract(epoch FROM (e.died_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'))::bigint AS death_over_at,
    floor(extract(epoch FROM (stay.valid_from + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'))::bigint AS hospital_from_at,
    floor(extract(epoch FROM (stay.valid_to - 1)::timestamp AT TIME ZONE 'Asia/Shanghai'))::bigint AS hospital_to_at,
    charge.charged_fen, charge.allowed_fen,
    (SELECT coalesce(sum(s.amount_fen), 0)::bigint FROM orders_payershare s JOIN entitlements_entitlement f ON f.id = s.entitlement_id
            JOIN orders_orderline l ON l.id = s.line_id
            CROSS JOIN LATERAL (SELECT coalesce((l.detail ->> 'day')::date, day.booked) AS own) AS part
        WHERE s.order_id = o.id AND NOT EXISTS (
            SELECT FROM entitlements_entitlement g WHERE g.elder_id = o.elder_id AND g.scheme_id = f.scheme_id AND g.recorded_to IS NULL
                AND g.valid_from <= part.own AND (g.valid_to IS NULL OR g.valid_to > part.own))) AS unfunded_fen,
    CASE WHEN o.state = 'cancelled' AND NOT EXISTS (SELECT FROM accounts_journal j WHERE j.subject_type = 'order'
            AND j.subject_id = o.id AND j.event = 'orders.order.cancel' AND j.role = 'system' AND NOT j.is_refused)
        THEN floor(extract(epoch FROM o.changed_at))::bigint END AS cancelled_at,
    o.state = 'cancelled' AND EXISTS (SELECT FROM accounts_journal j WHERE j.subject_type = 'order' AND j.subject_id = o.id
        AND j.event = 'orders.order.refuse' AND NOT j.is_refused) AS is_declined,
    floor(extract(epoch FROM again.at))::bigint AS claimed_again_at,
    (extract(year FROM again.month) * 12 + extract(month FROM again.month))::bigint AS claimed_again_month,
    (SELECT count(DISTINCT j.subject_id) FROM accounts_journal j JOIN orders_order p ON p.id = j.subject_id
        WHERE j.is_refused AND j.code IN ('settlement.repeated', 'settlement.time_claimed') AND j.subject_type = 'order'
            AND p.provider_id = o.provider_id AND j.business_at <= again.at
            AND date_trunc('month', j.business_at AT TIME ZONE 'Asia/Shanghai') = again.month) AS claimed_again_count
FROM orders_order o
LEFT JOIN dispatch_assignment a ON a.order_id = o.id
LEFT JOIN visits_visit v ON v.assignment_id = a.id AND v.state <> 'aborted'
LEFT JOIN visits_checkin c ON c.visit_id = v.id AND c.kind = 'in'
JOIN people_elder e ON e.id = o.elder_id
CROSS JOIN LATERAL (SELECT (o.starts_at AT TIME ZONE 'Asia/Shanghai')::date AS booked,
    (coalesce(v.started_at, o.starts_at) AT TIME ZONE 'Asia/Shanghai')::date AS served) AS day
LEFT JOIN LATERAL (SELECT c.valid_from, c.valid_to FROM people_circumstance c
    WHERE c.elder_id = o.elder_id AND c.kind = 'in_hospital' AND c.recorded_to IS NULL
        AND c.valid_from <= day.served AND (c.valid_to IS NULL OR c.valid_to > day.served)) AS stay ON true
LEFT JOIN LATERAL (SELECT max(j.business_at) AS at, date_trunc('month', max(j.business_at) AT TIME ZONE 'Asia/Shanghai') AS month
    FROM accounts_journal j WHERE j.subject_type = 'order' AND j.subject_id = o.id AND j.is_refused
        AND j.code IN ('settlement.repeated', 'settlement.time_claimed')) AS again ON true
CROSS JOIN LATERAL (SELECT sum(l.amount_fen)::bigint AS charged_fen, sum(least(l.amount_fen, coalesce((
        SELECT CASE l.kind WHEN 'callout' THEN greatest(p.callout_fee_fen, (l.detail ->> 'asked_fen')::bigint)
            ELSE p.amount_fen * l.quantity END
        FROM catalogue_price p JOIN catalogue_pricelist k ON k.id = p.price_list_id
        WHERE p.item_id = l.item_id AND k.state = 'published'
            AND (p.organisation_id = o.provider_id OR (p.organisation_id IS NULL AND p.id = l.price_id))
            AND p.recorded_from <= o.placed_at AND (p.recorded_to IS NULL OR p.recorded_to > o.placed_at)
            AND p.valid_from <= part.own AND (p.valid_to IS NULL OR p.valid_to > part.own)
        ORDER BY p.organisation_id NULLS LAST LIMIT 1), 0)))::bigint AS allowed_fen
    FROM orders_orderline l CROSS JOIN LATERAL (SELECT coalesce((l.detail ->> 'day')::date, day.booked) AS own) AS part
    WHERE l.order_id = o.id AND l.dropped_at IS NULL AND (l.added_at IS NULL OR l.confirmed_at IS NOT NULL)) AS charge
WHERE o.id = ANY(%s)
WINDOW w AS (PARTITION BY o.id)
"""

PHOTOS = """
SELECT p.id AS photo_id, p.visit_id, v.order_id, v.staff_id, encode(p.sha256, 'hex') AS sha256,
    floor(extract(epoch FROM p.received_at))::bigint AS received_at
FROM visits_evidence p JOIN visits_visit v ON v.id = p.visit_id
WHERE p.kind = 'photo' AND p.sha256 IN (
    SELECT q.sha256 FROM visits_evidence q JOIN visits_visit u ON u.id = q.visit_id WHERE u.order_id = ANY(%s) AND q.kind = 'photo')
"""

JOURNAL = """
SELECT subject_type, subject_id, staff_id, elder_id FROM accounts_journal
WHERE (NOT is_refused OR code IN ('settlement.repeated', 'settlement.time_claimed'))
    AND event NOT LIKE 'supervision.%%' AND subject_id IS NOT NULL
"""

SINCE = """ AND xid >= pg_snapshot_xmin(%s::pg_snapshot)::text::bigint
AND NOT pg_visible_in_snapshot(xid::text::xid8, %s::pg_snapshot)
"""

ORDERS_OF = """
SELECT id FROM orders_order WHERE id = ANY(%(order)s)
UNION SELECT order_id AS id FROM dispatch_assignment WHERE id = ANY(%(assignment)s)
UNION SELECT order_id AS id FROM visits_visit WHERE id = ANY(%(visit)s)
UNION SELECT o.id FROM orders_order o JOIN people_elder e ON e.id = o.elder_id
    WHERE e.id = ANY(%(elder)s) AND e.died_on IS NOT NULL AND o.ends_at > e.died_on
UNION SELECT o.id FROM orders_order o JOIN people_circumstance c ON c.elder_id = o.elder_id
    WHERE c.id = ANY(%(circumstance)s) AND c.kind = 'in_hospital' AND o.ends_at > c.valid_from
        AND (c.valid_to IS NULL OR o.starts_at < c.valid_to + 1)
UNION SELECT order_id AS id FROM orders_payershare WHERE entitlement_id = ANY(%(entitlement)s)
"""
NAMED = ("order", "assignment", "visit", "elder", "circumstance", "entitlement")
"""Subjects of the journal by which orders are touched."""

OVERDUE = """
SELECT id FROM orders_order WHERE state IN ('placed', 'accepted', 'assigned', 'in_service') AND starts_at > %(start_from)s AND starts_at <= %(now)s
UNION SELECT id FROM orders_order WHERE state = 'placed' AND accept_due_at > %(before)s AND accept_due_at <= %(now)s
UNION SELECT order_id AS id FROM dispatch_assignment WHERE state = 'offered' AND accept_due_at > %(before)s AND accept_due_at <= %(now)s
"""

BESIDE = """
SELECT a.order_id AS id FROM dispatch_assignment a JOIN (
    SELECT staff_id, min(starts_at) - interval '2 days' AS from_at, max(ends_at) + interval '2 days' AS to_at
    FROM dispatch_assignment WHERE order_id = ANY(%s) GROUP BY staff_id
) AS touched ON a.staff_id = touched.staff_id AND a.starts_at >= touched.from_at AND a.starts_at < touched.to_at
"""

CANCELLED_BESIDE = """
WITH given_up AS (SELECT id, elder_id, provider_id, changed_at FROM orders_order WHERE id = ANY(%(orders)s) AND state = 'cancelled'),
elders AS (
    SELECT elder_id, min(changed_at) - %(span)s AS from_at, max(changed_at) + %(span)s AS to_at FROM given_up GROUP BY elder_id),
providers AS (
    SELECT provider_id, min(changed_at) - %(span)s AS from_at, max(changed_at) + %(span)s AS to_at FROM given_up
    WHERE EXISTS (SELECT FROM accounts_journal j WHERE j.subject_type = 'order' AND j.subject_id = given_up.id
        AND j.event = 'orders.order.refuse' AND NOT j.is_refused)
    GROUP BY provider_id)
SELECT o.id FROM orders_order o JOIN elders t ON o.elder_id = t.elder_id
    WHERE o.state = 'cancelled' AND o.changed_at BETWEEN t.from_at AND t.to_at
UNION SELECT o.id FROM orders_order o JOIN providers t ON o.provider_id = t.provider_id
    WHERE o.state = 'cancelled' AND o.changed_at BETWEEN t.from_at AND t.to_at
"""

IN_DAYS = "SELECT id FROM orders_order WHERE state <> 'draft' AND starts_at >= %s AND starts_at < %s"


def _ids(reader: Reader, query: str, params: Any) -> set[int]:
    return {row["id"] for row in reader.execute(query, params)}


def snapshot(reader: Reader) -> str:
    """What is committed now, as the database writes it. The transaction must be repeatable read, or later queries see more."""
    return str(reader.execute("SELECT pg_current_snapshot()::text AS snapshot").fetchone()["snapshot"])


def still_counts(before: str, now: str) -> bool:
    """Whether an earlier snapshot can be compared with this one: in a restored database the numbers of transactions begin anew."""
    return bool(before) and int(before.split(":", maxsplit=1)[0]) <= int(now.split(":", maxsplit=1)[0])


def touched_orders(reader: Reader, *, since: str) -> set[int]:
    """Orders that the journal speaks of in what was committed after a snapshot.

    It names them, or an assignment, a visit, the death or a hospital stay of the elder, or an entitlement that pays.
    """
    named: dict[str, set[int]] = {name: set() for name in NAMED}
    found = reader.execute(JOURNAL + SINCE, [since, since]) if since else reader.execute(JOURNAL, [])
    for row in found:
        if row["subject_type"] in named:
            named[row["subject_type"]].add(row["subject_id"])
    if not any(named.values()):
        return set()
    return _ids(reader, ORDERS_OF, {key: list(ids) for key, ids in named.items()})


def overdue_orders(reader: Reader, *, before: datetime, now: datetime) -> set[int]:
    """Orders and offers whose deadline may have passed since the last round: time writes no journal row."""
    longest = max(int(entry.value) for entry in parameters().entries("visit.late_minutes"))
    start_from = before - timedelta(minutes=longest) - SLACK
    return _ids(reader, OVERDUE, {"before": before - SLACK, "start_from": start_from, "now": now})


def with_neighbours(reader: Reader, orders: Iterable[int]) -> list[int]:
    """These orders, the others of their carers on the days around, and what else their elders and providers gave up."""
    ids = list(orders)
    return sorted({*ids, *_ids(reader, BESIDE, [ids]), *cancelled_beside(reader, ids)}) if ids else []


def cancelled_beside(reader: Reader, orders: Sequence[int]) -> set[int]:
    """Orders given up by the same elders and providers around those of these orders that were given up."""
    longest = max(int(entry.value) for entry in parameters().entries("cancel.days"))
    return _ids(reader, CANCELLED_BESIDE, {"orders": list(orders), "span": timedelta(days=longest)})


def orders_between(reader: Reader, start: datetime, end: datetime) -> list[int]:
    """All orders that were to start in a span."""
    return sorted(_ids(reader, IN_DAYS, [start, end]))


def services(reader: Reader, orders: Sequence[int], *, now: datetime) -> list[Row]:
    """The rows of ``services`` for these orders, with the thresholds in force where and when each took place."""
    as_of = int(now.timestamp())
    known: dict[tuple[str, date], Mapping[str, Any]] = {}
    rows = []
    for found in reader.execute(SERVICES, [list(orders)]):
        row = dict(found)
        day = local_date(datetime.fromtimestamp(row["starts_at"], UTC))
        place = (row["div"], day)
        if place not in known:
            known[place] = {key.replace(".", "_"): parameter(key, *place) for key in PARAMETERS}
        rows.append({**row, **known[place], "as_of": as_of})
    return rows


def photos(reader: Reader, orders: Sequence[int]) -> list[Row]:
    """Every photo that looks like one of these orders', whenever it was sent."""
    return [dict(row) for row in reader.execute(PHOTOS, [list(orders)])]
