"""What the bench of settlement works on: many served visits, and a ledger of many entries."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row

LEDGER_DAYS = 90
"""A city of 60,000 visits a day writes 20 million entries in about so many days."""
STEP_HOURS = 3
TEMPLATES = """SELECT o.id AS order, v.id AS visit, v.assignment_id AS assignment, o.elder_id AS elder,
        row_number() OVER (PARTITION BY o.elder_id ORDER BY o.id) AS rank, count(*) OVER (PARTITION BY o.elder_id) AS of
    FROM orders_order o JOIN visits_visit v ON v.order_id = o.id AND v.state = 'done' AND v.ended_at > v.started_at
    WHERE o.state IN ('settled', 'closed') AND o.carers_needed = 1 AND NOT EXISTS (SELECT FROM orders_hold h WHERE h.order_id = o.id)
        AND EXISTS (SELECT FROM orders_payershare s WHERE s.order_id = o.id AND s.entitlement_id IS NOT NULL AND s.amount_fen > 0)
        AND NOT EXISTS (SELECT FROM orders_orderline l WHERE l.order_id = o.id AND l.added_at IS NOT NULL)
    ORDER BY o.id"""
COPIES = """CREATE TEMP TABLE copies AS
    SELECT t.*, n.number, nextval('orders_order_id_seq') AS new_order, nextval('visits_visit_id_seq') AS new_visit,
        nextval('dispatch_assignment_id_seq') AS new_assignment,
        timestamptz '2025-01-01 00:00+08' + make_interval(hours => (%(hours)s * ((n.number - 1) * t.of + t.rank))::int) AS start
    FROM templates t, generate_series(1, %(each)s) AS n(number) ORDER BY n.number, t.order LIMIT %(count)s"""
ROWS = (
    """INSERT INTO orders_order SELECT (jsonb_populate_record(o, jsonb_build_object('id', c.new_order, 'state', 'served', 'starts_at', c.start,
        'ends_at', c.start + (o.ends_at - o.starts_at), 'earliest_at', c.start, 'latest_at', c.start, 'settled_at', NULL, 'source', '',
        'seal_id', gen_random_uuid(), 'phone_enc', NULL,
        'served_at', c.start + (o.ends_at - o.starts_at)))).* FROM copies c JOIN orders_order o ON o.id = c.order""",
    """INSERT INTO dispatch_assignment SELECT (jsonb_populate_record(a, jsonb_build_object('id', c.new_assignment, 'order_id', c.new_order,
        'starts_at', c.start, 'ends_at', c.start + (a.ends_at - a.starts_at)))).* FROM copies c JOIN dispatch_assignment a ON a.id = c.assignment""",
    """INSERT INTO visits_visit SELECT (jsonb_populate_record(v, jsonb_build_object('id', c.new_visit, 'order_id', c.new_order,
        'assignment_id', c.new_assignment, 'started_at', c.start, 'ended_at', c.start + (v.ended_at - v.started_at)))).*
        FROM copies c JOIN visits_visit v ON v.id = c.visit""",
    """CREATE TEMP TABLE lines AS SELECT c.new_order, l.id AS line, nextval('orders_orderline_id_seq') AS new_line
        FROM copies c JOIN orders_orderline l ON l.order_id = c.order""",
    """INSERT INTO orders_orderline SELECT (jsonb_populate_record(l, jsonb_build_object('id', n.new_line, 'order_id', n.new_order))).*
        FROM lines n JOIN orders_orderline l ON l.id = n.line""",
    """INSERT INTO orders_payershare SELECT (jsonb_populate_record(s, jsonb_build_object('id', nextval('orders_payershare_id_seq'),
        'line_id', n.new_line, 'order_id', n.new_order, 'uses', CASE WHEN s.entitlement_id IS NULL THEN '[]'::jsonb ELSE jsonb_build_array(
            jsonb_build_array('fen', 'month', to_char(c.start AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-01'), s.amount_fen)) END))).*
        FROM lines n JOIN copies c USING (new_order) JOIN orders_payershare s ON s.line_id = n.line""",
    """INSERT INTO entitlements_quota (div, elder_id, entitlement_id, unit, per, from_on, cap, reserved, used)
        SELECT e.div, e.elder_id, e.id, 'fen', 'month', date_trunc('month', o.starts_at AT TIME ZONE 'Asia/Shanghai')::date, 1000000000,
            sum(s.amount_fen), 0
        FROM copies c JOIN orders_order o ON o.id = c.new_order JOIN orders_payershare s ON s.order_id = o.id
        JOIN entitlements_entitlement e ON e.id = s.entitlement_id GROUP BY e.id, 6
        ON CONFLICT (entitlement_id, unit, per, from_on) DO UPDATE
            SET reserved = entitlements_quota.reserved + excluded.reserved, cap = excluded.cap""",
)
LEDGER = """INSERT INTO settlement_ledgerentry (div, posting_id, account, amount, unit, business, fund, scheme_id, plan_year, provider_id, elder_id,
        line_id, service_day, booked_on, period)
    SELECT streets.divs[1 + pair %% streets.count] || to_char(1 + side %% 9, 'FM000'), (SELECT min(id) FROM settlement_posting) + n,
        (ARRAY['receivable.voucher', 'payable.provider', 'direct.elder', 'direct.provider', 'receivable.ltci', 'payable.provider',
            'receivable.government', 'payable.provider'])[1 + side],
        CASE side %% 2 WHEN 0 THEN 1 ELSE -1 END * (1000 + n %% 9000), 'fen', CASE WHEN pair %% 10 = 0 THEN 'medical' ELSE 'eldercare' END,
        (ARRAY['central_subsidy', 'personal', 'insurance', 'general'])[1 + side / 2], NULL, 2026,
        providers.ids[1 + (pair * 7 + pair / streets.count) %% providers.count], NULL, NULL, day, day, date_trunc('month', day)::date
    FROM generate_series(0::bigint, %(count)s / 2 - 1) AS n, generate_series(0, 1) AS half,
        LATERAL (SELECT (((n * 2654435761) >> 7) %% 4)::int * 2 + half AS side, (((n * 40503) >> 3) %% 1500)::int AS pair,
            date '2026-06-15' - (n * %(days)s / (%(count)s / 2))::int AS day) AS d,
        (SELECT array_agg(div ORDER BY div) AS divs, count(*)::int AS count FROM directory_area WHERE level = 'street' AND div LIKE '3202%%') streets,
        (SELECT array_agg(id ORDER BY id) AS ids, count(*)::int AS count FROM directory_organisation WHERE is_provider) AS providers"""
INDEXES = """SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename = 'settlement_ledgerentry' AND indexdef NOT LIKE '%UNIQUE%'"""
TOTALS = """INSERT INTO settlement_ledgertotal (div, account, unit, business, fund, scheme_id, provider_id, booked_on, period, amount, entry_count)
    SELECT left(div, 9), account, unit, business, fund, scheme_id, provider_id, booked_on, period, sum(amount), count(*)
    FROM settlement_ledgerentry GROUP BY left(div, 9), account, unit, business, fund, scheme_id, provider_id, booked_on, period"""


def serve_visits(link: psycopg.Connection[Any], count: int) -> list[int]:
    """Copy served visits to so many other times, ready to be settled; return the numbers of the orders."""
    with link.transaction():
        link.execute("SELECT set_config('yinling.importing', 'on', true)")
        link.execute(f"CREATE TEMP TABLE templates AS {TEMPLATES}")
        known = next(iter(link.execute("SELECT count(*) FROM templates")))[0]
        link.execute(COPIES, {"hours": STEP_HOURS, "each": count // known + 1, "count": count})
        for statement in ROWS:
            link.execute(statement)  # type: ignore[call-overload]
    link.execute("ANALYZE orders_order, orders_orderline, orders_payershare, visits_visit, entitlements_quota")
    return [row[0] for row in link.execute("SELECT new_order FROM copies ORDER BY 1")]


def fill_ledger(link: psycopg.Connection[Any], count: int) -> None:
    """Replace the ledger by one of so many entries, with their totals; indexes are built at the end as an import would."""
    with link.transaction(), link.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("TRUNCATE settlement_ledgerentry, settlement_ledgertotal, settlement_areatotal")
        found = cursor.execute(INDEXES).fetchall()
        for row in found:
            cursor.execute(f'DROP INDEX "{row["indexname"]}"')
        cursor.execute(LEDGER, {"count": count, "days": LEDGER_DAYS})
        cursor.execute(TOTALS)
        for row in found:
            cursor.execute(row["indexdef"])


def roll_ledger(link: psycopg.Connection[Any]) -> None:
    """Roll up all totals, as the job does every few minutes with the new ones."""
    link.execute("SELECT settlement_roll_totals()")
    for name in ("ledgerentry", "ledgertotal", "areatotal"):
        link.execute(f"VACUUM ANALYZE settlement_{name}")  # type: ignore[call-overload]
