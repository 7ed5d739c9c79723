"""A provider of very many carers with full days, made from rows of the demo city, and orders that wait for one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import psycopg

from yinling.bench.catalogue import SEED
from yinling.bench.city import CLOCK

STOPS, FIRST_MINUTE, LAST_MINUTE = 5, 480, 1140
CENTRE, ACROSS, UP, NEAR = (120.30, 31.57), 0.25, 0.20, 0.02
WINDOWS = (0, 0, 30, 60, 120, 240)
ITEM = "DC01"
DAY = datetime.fromisoformat(CLOCK).replace(hour=0) + timedelta(days=1)

CHOSEN = """
SELECT o.id AS order_id, o.provider_id, a.id AS assignment_id, s.id AS staff_id, l.id AS line_id
FROM orders_order o JOIN dispatch_assignment a ON a.order_id = o.id JOIN directory_staff s ON s.id = a.staff_id
JOIN orders_orderline l ON l.order_id = o.id JOIN catalogue_serviceitem i ON i.id = l.item_id
WHERE o.state IN ('settled', 'closed') AND s.kind = 'care_worker' AND l.kind = 'item' AND i.code = %s AND o.lon IS NOT NULL
    AND NOT EXISTS (SELECT FROM people_elder e WHERE e.id = o.elder_id AND e.died_on IS NOT NULL) ORDER BY o.id LIMIT 1
"""
LAST = (
    "SELECT max(id) FROM directory_staff",
    """SELECT greatest((SELECT max(id) FROM orders_order), (SELECT max(id) FROM dispatch_assignment), (SELECT max(id) FROM orders_orderline),
        (SELECT max(id) FROM directory_qualification))""",
)
ELDERS = """
SELECT id FROM people_elder e WHERE died_on IS NULL AND NOT EXISTS (SELECT FROM people_circumstance c WHERE c.elder_id = e.id
    AND c.kind IN ('in_hospital', 'in_institution', 'moved_away')) ORDER BY id
"""
CARERS = """
INSERT INTO directory_staff SELECT r.* FROM directory_staff s, bench_carer w,
    LATERAL jsonb_populate_record(s, jsonb_build_object('id', w.id, 'seal_id', gen_random_uuid(), 'user_id', NULL,
    'name', '护' || w.id, 'sex', w.sex, 'dialects', w.dialects, 'mode', w.mode, 'starts_at_home', true, 'home_lon', w.lon, 'home_lat', w.lat,
    'day_from', '08:00', 'day_to', '19:00', 'most_minutes_a_day', 540, 'break_from', NULL, 'break_to', NULL, 'break_minutes', 0,
    'duty_div', '', 'employed_to', NULL)) AS r
WHERE s.id = %(staff_id)s
"""
PAPERS = """
INSERT INTO directory_qualification SELECT r.* FROM directory_qualification q, bench_carer w,
    (VALUES (1, 'induction'), (2, 'care_worker')) AS k(number, kind),
    LATERAL jsonb_populate_record(q, jsonb_build_object('id', 1000000000 + w.id * 10 + k.number, 'staff_id', w.id,
    'kind', k.kind, 'provider_id', %(provider_id)s, 'valid_from', '2020-01-01', 'valid_to', NULL, 'recorded_to', NULL, 'place', '',
    'credits_to', NULL)) AS r
WHERE q.id = (SELECT min(id) FROM directory_qualification) AND (k.number = 1 OR w.is_trained)
"""
ORDERS = """
INSERT INTO orders_order SELECT r.* FROM orders_order o, bench_order w,
    LATERAL jsonb_populate_record(o, jsonb_build_object('id', w.id, 'seal_id', gen_random_uuid(), 'state', w.state,
    'elder_id', w.elder_id, 'lon', w.lon, 'lat', w.lat, 'starts_at', w.starts_at, 'ends_at', w.ends_at, 'earliest_at', w.starts_at,
    'latest_at', w.latest_at, 'carers_needed', w.carers, 'wants_sex', w.wants_sex, 'dialect', w.dialect, 'is_urgent', false,
    'ticket_id', NULL, 'placed_at', now(), 'created_at', now(), 'accept_due_at', w.latest_at, 'accepted_at', NULL, 'served_at', NULL,
    'settled_at', NULL, 'phone_enc', NULL, 'version', 0)) AS r
WHERE o.id = %(order_id)s
"""
LINES = """
INSERT INTO orders_orderline SELECT r.* FROM orders_orderline l, bench_order w,
    LATERAL jsonb_populate_record(l, jsonb_build_object('id', w.id, 'order_id', w.id, 'elder_id', w.elder_id)) AS r
WHERE l.id = %(line_id)s AND w.state = 'placed'
"""
ASSIGNMENTS = """
INSERT INTO dispatch_assignment SELECT r.* FROM dispatch_assignment a, bench_order w,
    LATERAL jsonb_populate_record(a, jsonb_build_object('id', w.id, 'order_id', w.id, 'elder_id', w.elder_id,
    'staff_id', w.staff_id, 'staff_name', '护' || w.staff_id, 'slot', 1, 'plan_id', NULL, 'state', 'accepted', 'starts_at', w.starts_at,
    'ends_at', w.ends_at, 'ended_at', NULL)) AS r
WHERE a.id = %(assignment_id)s AND w.staff_id IS NOT NULL
"""
NEXT = "SELECT setval(pg_get_serial_sequence('dispatch_assignment', 'id'), (SELECT max(id) FROM dispatch_assignment))"
TABLES = """
CREATE UNLOGGED TABLE bench_carer (id bigint, sex text, dialects text, mode text, lon float8, lat float8, is_trained bool);
CREATE UNLOGGED TABLE bench_order (id bigint, state text, staff_id bigint, elder_id bigint, lon float8, lat float8, starts_at timestamptz,
    ends_at timestamptz, latest_at timestamptz, carers int, wants_sex text, dialect text)
"""


@dataclass(frozen=True)
class Made:
    """Whose carers they are, and the orders that wait: for one carer, and for two."""

    provider_id: int
    singles: list[int]
    doubles: list[int]


def make(link: psycopg.Connection[Any], *, carers: int, waiting: int, doubles: int) -> Made:
    """Write carers, their days and the orders that wait. Triggers rest meanwhile: nobody's history is measured here."""
    found = link.execute(CHOSEN, [ITEM]).fetchone()
    assert found is not None  # noqa: S101 - the demo city has closed orders
    names = ("order_id", "provider_id", "assignment_id", "staff_id", "line_id")
    chosen = dict(zip(names, found, strict=True))
    elders = [row[0] for row in link.execute(ELDERS)]
    first_carer, first_order = (1 + int(link.execute(query).fetchone()[0]) for query in LAST)  # type: ignore[index]
    dice = Random(SEED)
    people = [_carer(dice, first_carer + number) for number in range(carers)]
    booked = [row for one in people for row in _day(dice, one, elders)]
    asked = [_waiting(dice, elders, 2 if number >= waiting else 1) for number in range(waiting + doubles)]
    orders = [(first_order + number, *row) for number, row in enumerate([*asked, *booked])]
    with link.transaction():
        link.execute("SET LOCAL session_replication_role = replica")
        link.execute(TABLES)
        for table, rows in (("bench_carer", people), ("bench_order", orders)):
            with link.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        for statement in (CARERS, PAPERS, ORDERS, LINES, ASSIGNMENTS):
            link.execute(statement, chosen)
        link.execute(NEXT)
    link.execute("ANALYZE")
    numbers = [row[0] for row in orders]
    return Made(chosen["provider_id"], numbers[:waiting], numbers[waiting : waiting + doubles])


def _carer(dice: Random, number: int) -> tuple[Any, ...]:
    dialects = "、".join(dice.sample(["无锡话", "普通话", "上海话"], dice.randint(0, 2)))
    place = (CENTRE[0] + dice.uniform(-ACROSS, ACROSS), CENTRE[1] + dice.uniform(-UP, UP))
    return (
        number,
        dice.choice("1222"),
        dialects,
        dice.choice(["walk", "ebike", "ebike", "car"]),
        *place,
        dice.random() < 0.8,  # noqa: PLR2004 - four of five
    )


def _day(dice: Random, carer: tuple[Any, ...], elders: list[int]) -> list[tuple[Any, ...]]:
    rows, minute = [], FIRST_MINUTE
    for _stop in range(STOPS):
        length = dice.choice((30, 45, 60, 90))
        begins = DAY + timedelta(minutes=(minute := minute + dice.randint(5, 60)))
        minute += length
        place = (carer[4] + dice.gauss(0, NEAR), carer[5] + dice.gauss(0, NEAR))
        ends = begins + timedelta(minutes=length)
        rows.append(("assigned", carer[0], dice.choice(elders), *place, begins, ends, begins, 1, "", ""))
    return rows


def _waiting(dice: Random, elders: list[int], carers: int) -> tuple[Any, ...]:
    begins = DAY + timedelta(minutes=dice.randrange(FIRST_MINUTE, LAST_MINUTE - 90, 15))
    place = (CENTRE[0] + dice.uniform(-ACROSS, ACROSS), CENTRE[1] + dice.uniform(-UP, UP))
    length, width = timedelta(minutes=dice.choice((30, 60, 90))), timedelta(minutes=dice.choice(WINDOWS))
    wishes = (dice.choice(["", "", "", "2"]), dice.choice(["", "无锡话"]))
    return ("placed", None, dice.choice(elders), *place, begins, begins + length, begins + width, carers, *wishes)
