"""Opening very many files at once: rows go into temporary tables by COPY and from there into place by a few statements.

COPY into a table under row-level security is refused, INSERT … SELECT is not, so this serves the role of the pages (a sheet of a
department) as well as the owner (the whole register of a city). What is written is what ``register_elder`` writes; rights, checks and
the journal are the caller's.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from yinling.directory.rules import position_of
from yinling.kernel.names import normalise_phone
from yinling.kernel.period import ONE_DAY
from yinling.people.models import Elder
from yinling.people.rules import name_keys


@dataclass(frozen=True)
class NewCircumstance:
    """What is true of a new elder from a day on; ``deceased`` also writes the day before into the file."""

    kind: str
    valid_from: date
    body: str
    valid_to: date | None = None
    evidence: str = ""
    detail: str = ""


@dataclass(frozen=True)
class NewElder:
    """A person without a file. Checked by the caller; ``id_number`` as ``check_document`` returns it, ``div`` a community."""

    name: str
    sex: str
    born_on: date
    div: str
    address: str
    id_type: str = "id"
    id_number: str = ""
    phone: str = ""
    lon: float | None = None
    lat: float | None = None
    datum: str = "wgs84"
    dialect: str = ""
    wants_sex: str = ""
    hukou_div: str = ""
    is_resident: bool = True
    verified_on: date | None = None
    is_made_up: bool = False
    on_file_since: datetime | None = None
    circumstances: tuple[NewCircumstance, ...] = ()


@dataclass(frozen=True)
class Lines:
    """Rows as COPY takes them, and the names in them."""

    elders: bytes
    facts: bytes
    names: frozenset[str]
    count: int


ELDER = [field.column for field in Elder._meta.concrete_fields if field.column not in ("id", "household_id")]  # noqa: SLF001 - Django's own name
_ATTRIBUTES = [field.attname for field in Elder._meta.concrete_fields if field.column in ELDER]  # noqa: SLF001 - as above
HOME = ("address", "lon", "lat", "source_datum", "door_code")
FACT = ("kind", "valid_from", "valid_to", "body", "evidence", "detail")
_COLUMNS = ", ".join(f'"{name}"' for name in ELDER)

STAGE = [
    "CREATE TEMP TABLE new_elder ON COMMIT DROP AS SELECT * FROM people_elder WITH NO DATA",
    """ALTER TABLE new_elder ALTER id SET DEFAULT nextval('people_elder_id_seq'), ADD place int, ADD address text, ADD lon float,
       ADD lat float, ADD source_datum text, ADD door_code text""",
    "CREATE TEMP TABLE new_fact ON COMMIT DROP AS SELECT kind, valid_from, valid_to, body, evidence, detail FROM people_circumstance WITH NO DATA",
    "ALTER TABLE new_fact ADD place int",
    "CREATE TEMP TABLE new_key (name text, kind text, key text) ON COMMIT DROP",
]
MISSING_POSITION = """
    UPDATE people_household h SET lon = n.lon, lat = n.lat, source_datum = n.source_datum, version = h.version + 1, changed_at = %(now)s
    FROM (SELECT DISTINCT ON (div, address) div, address, lon, lat, source_datum FROM new_elder
          WHERE lon IS NOT NULL ORDER BY div, address, place) n
    WHERE h.div = n.div AND h.address = n.address AND h.lon IS NULL"""
NEW_HOMES = """
    INSERT INTO people_household (div, version, created_at, changed_at, address, lon, lat, source_datum, door_code)
    SELECT n.div, 0, n.created_at, n.created_at, n.address, n.lon, n.lat, n.source_datum, n.door_code
    FROM (SELECT DISTINCT ON (div, address) div, address, created_at, lon, lat, source_datum, door_code, place FROM new_elder
          ORDER BY div, address, lon IS NULL, place) n
    WHERE NOT EXISTS (SELECT FROM people_household h WHERE h.div = n.div AND h.address = n.address)
    ORDER BY n.place"""
FILES = f"""
    INSERT INTO people_elder (id, household_id, {_COLUMNS})
    SELECT n.id, home.id, {", ".join(f'n."{name}"' for name in ELDER)} FROM new_elder n CROSS JOIN LATERAL
        (SELECT h.id FROM people_household h WHERE h.div = n.div AND h.address = n.address ORDER BY h.id LIMIT 1) home"""  # noqa: S608 - names of our own columns
KEYS = """
    INSERT INTO people_elderkey (elder_id, div, kind, key)
    SELECT n.id, n.div, k.kind, k.key FROM new_elder n JOIN new_key k USING (name)"""
FACTS = """
    INSERT INTO people_circumstance (div, elder_id, kind, valid_from, valid_to, body, evidence, detail, recorded_from)
    SELECT n.div, n.id, f.kind, f.valid_from, f.valid_to, f.body, f.evidence, f.detail, n.created_at
    FROM new_fact f JOIN new_elder n USING (place)"""


def insert_elders(rows: Sequence[NewElder], *, now: datetime) -> list[int]:
    """Open the files in the running transaction; return their numbers in the order of the rows.

    Raises Refused for a phone that is none, IntegrityError for a document on file already.
    """
    if not rows:
        return []
    lines = lines_of(enumerate(rows), now=now)
    with connection.cursor() as cursor:
        stage(cursor)
        send(cursor, lines)
        send_keys(cursor, [key_lines(lines.names)])
        write(cursor, now=now)
        numbers = numbers_of(cursor)
        clear(cursor)
    return numbers


def stage(cursor: Any) -> None:
    """Make the temporary tables."""
    for statement in STAGE:
        cursor.execute(statement)


def send(cursor: Any, lines: Lines) -> None:
    """Send prepared rows."""
    with cursor.copy(f"COPY new_elder ({_COLUMNS}, place, {', '.join(HOME)}) FROM STDIN") as copy:
        copy.write(lines.elders)
    with cursor.copy(f"COPY new_fact (place, {', '.join(FACT)}) FROM STDIN") as copy:
        copy.write(lines.facts)


def send_keys(cursor: Any, parts: Iterable[bytes]) -> None:
    """Send the keys of each name once; the server spreads them over the elders of that name."""
    with cursor.copy("COPY new_key (name, kind, key) FROM STDIN") as copy:
        for part in parts:
            copy.write(part)


def write(cursor: Any, *, now: datetime, say: Callable[[str], None] = lambda _text: None) -> None:
    """Put what was sent into place, saying beforehand what comes."""
    for table in ("new_elder", "new_fact", "new_key"):
        cursor.execute(f"ANALYZE {table}")
    say("住址 homes")
    cursor.execute(NEW_HOMES)
    cursor.execute(MISSING_POSITION, {"now": now})
    for name, statement in (("档案 files", FILES), ("检索键 keys", KEYS), ("人群类别 circumstances", FACTS)):
        say(name)
        cursor.execute(statement)


def clear(cursor: Any) -> None:
    """Drop the temporary tables, so that the transaction may go on to further rows."""
    cursor.execute("DROP TABLE new_elder, new_fact, new_key")


def numbers_of(cursor: Any) -> list[int]:
    """Return the numbers of the new files in the order of the rows."""
    cursor.execute("SELECT id FROM new_elder ORDER BY place")
    return [number for (number,) in cursor.fetchall()]


def lines_of(rows: Iterable[tuple[int, NewElder]], *, now: datetime) -> Lines:
    """Seal and write out rows, each with its place in the whole. Uses no database, so any process may do it."""
    elders, facts, names = [], [], set()
    for place, row in rows:
        file = _file_of(row, row.on_file_since or now)
        names.add(file.name)
        values = file.__dict__
        elders.append(line([*(values[name] for name in _ATTRIBUTES), place, *_home_of(row)]))
        facts += [line([place, *(getattr(fact, name) for name in FACT)]) for fact in row.circumstances]
    return Lines("".join(elders).encode(), "".join(facts).encode(), frozenset(names), len(elders))


def key_lines(names: Iterable[str]) -> bytes:
    """Write out the keys of names."""
    return "".join(line([name, *key]) for name in names for key in sorted(name_keys(name))).encode()


def _file_of(row: NewElder, since: datetime) -> Elder:
    deaths = [fact.valid_from - ONE_DAY for fact in row.circumstances if fact.kind == "deceased"]
    file = Elder(
        div=row.div, name=row.name.strip(), sex=row.sex, born_on=row.born_on, id_type=row.id_type, dialect=row.dialect,
        wants_sex=row.wants_sex, hukou_div=row.hukou_div, is_resident=row.is_resident, verified_on=row.verified_on,
        is_made_up=row.is_made_up, died_on=deaths[0] if deaths else None, created_at=since, changed_at=since,
    )  # fmt: skip
    file.set_document(row.id_number)
    file.set_phone(normalise_phone(row.phone) if row.phone.strip() else "")
    return file


def _home_of(row: NewElder) -> tuple[Any, ...]:
    lon, lat = row.lon, row.lat
    if row.datum != "wgs84" and (place := position_of(lon, lat, row.datum)) is not None:
        lon, lat = place.lon, place.lat
    return (row.address.strip(), lon, lat, row.datum, f"D{secrets.token_hex(6).upper()}")


def line(values: Iterable[Any]) -> str:
    """Return one row in the text form of COPY."""
    return "\t".join([_AS_TEXT[type(value)](value) for value in values]) + "\n"


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_AS_TEXT: dict[type, Callable[[Any], str]] = {
    str: lambda text: text.translate(_ESCAPES) if "\\" in text or not text.isprintable() else text,
    bytes: lambda data: "\\\\x" + data.hex(),
    type(None): lambda _: "\\N",
    bool: lambda value: "t" if value else "f",
    int: str,
    float: repr,
    date: date.isoformat,
    datetime: datetime.isoformat,
    UUID: str,
}
