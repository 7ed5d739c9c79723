"""Writing what the rows of a sheet want; what stood there before is noted, so that it can be taken back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from yinling.ground.crypto import blind_index
from yinling.ground.facts import curtail
from yinling.ground.operation import changed
from yinling.kernel.actor import Actor
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.bulk import NewElder, insert_elders
from yinling.people.matching import STOPPING, Difference, Keys, OnFile, dated, difference
from yinling.people.models import Circumstance, Contact, Elder, HealthFact
from yinling.people.operations.circumstances import record_circumstance
from yinling.people.operations.elders import bury_elder, relocate_elder, write_keys
from yinling.people.wanted import Truth, Wanted


@dataclass(frozen=True)
class Act:
    """Who writes, when, for which department, and under which name the import stands in the journal."""

    actor: Actor
    now: datetime
    body: str
    title: str

    @property
    def today(self) -> date:
        return local_date(self.now)


@dataclass
class Before:
    """What has to be taken back: old values, and the keys of what was added."""

    created: bool = False
    fields: dict[str, list[str]] = field(default_factory=dict)
    home: list[str] = field(default_factory=list)
    truths: list[int] = field(default_factory=list)
    stops: list[int] = field(default_factory=list)
    ended: list[list[Any]] = field(default_factory=list)
    contacts: list[int] = field(default_factory=list)
    health: list[int] = field(default_factory=list)
    died: bool = False

    def as_text(self) -> str:
        return json.dumps({name: value for name, value in self.__dict__.items() if value or name == "created"})

    @classmethod
    def from_text(cls, text: str) -> Before:
        return cls(**json.loads(text))


def keys_of(wanted: Wanted) -> Keys:
    """Return the fingerprints by which what a row says is found."""
    number, phone, other = wanted.id_number, wanted.phone, wanted.contact_phone
    return Keys(
        blind_index(number, purpose="id_number") if number else b"",
        blind_index(phone, purpose="phone") if phone else b"",
        blind_index(other, purpose="phone") if other else b"",
    )


def new_elder(wanted: Wanted) -> NewElder:
    """Return a row as a person without a file."""
    return NewElder(
        name=wanted.name, sex=wanted.sex or "9", born_on=date.fromisoformat(wanted.born_on), div=wanted.div, address=wanted.address,
        id_type=wanted.id_type if wanted.id_number else "none", id_number=wanted.id_number, phone=wanted.phone, hukou_div=wanted.hukou_div,
        is_made_up=wanted.id_number.startswith("99"),
    )  # fmt: skip


def create_files(rows: Sequence[Wanted], act: Act) -> list[int | Refused]:
    """Open files for rows; a row that the database refuses gives its refusal and hinders no other."""
    try:
        with transaction.atomic():  # so that one row on file already does not undo the others
            return list(insert_elders([new_elder(one) for one in rows], now=act.now))
    except (IntegrityError, Refused):
        if len(rows) > 1:
            half = len(rows) // 2
            return create_files(rows[:half], act) + create_files(rows[half:], act)
    return [Refused("elder.exists", N_("这个证件号已经登记过（可能在其他城市），请核对"), field="id_number")]


def add_facts(act: Act, rows: Sequence[tuple[Elder, Difference, Before]], wanted: dict[int, Wanted]) -> None:
    """Write circumstances, contacts and health facts of many elders in a few statements; what stops plans goes by its own operation."""
    truths: list[tuple[Before, Circumstance]] = []
    contacts: list[tuple[Before, Contact]] = []
    health: list[tuple[Before, HealthFact]] = []
    for elder, change, before in rows:
        row = wanted[elder.pk]
        body = (row.body or act.body or act.actor.name)[:80]
        truths += [(before, _truth(elder, one, body, act)) for one in change.truths if one.kind not in STOPPING]
        if change.contact:
            contacts.append((before, _contact(elder, row, act)))
        for kind, text in change.health.items():
            health.append((before, _health(elder, kind, text, row, body, act)))
    for found, model, name in (
        (truths, Circumstance, "truths"),
        (contacts, Contact, "contacts"),
        (health, HealthFact, "health"),
    ):
        for (before, _row), made in zip(found, model.objects.bulk_create([row for _, row in found]), strict=True):  # type: ignore[attr-defined, misc]
            getattr(before, name).append(made.pk)


def _truth(elder: Elder, one: Truth, body: str, act: Act) -> Circumstance:
    to = date.fromisoformat(one.to) if one.to else None
    return Circumstance(
        div=elder.div, elder=elder, kind=one.kind, body=body, evidence=act.title, detail=one.detail, valid_from=date.fromisoformat(one.from_),
        valid_to=to, recorded_from=act.now,
    )  # fmt: skip


def _contact(elder: Elder, row: Wanted, act: Act) -> Contact:
    made = Contact(
        div=elder.div, elder=elder, kind=row.contact_kind or "other", name=row.contact_name, rank=1,
        created_at=act.now, changed_at=act.now,
    )  # fmt: skip
    made.set_phone(row.contact_phone)
    return made


def _health(elder: Elder, kind: str, text: str, row: Wanted, body: str, act: Act) -> HealthFact:
    since = date.fromisoformat(row.health_on) if row.health_on else act.today
    made = HealthFact(div=elder.div, elder=elder, kind=kind, body=body, valid_from=since, recorded_from=act.now)
    made.seal_field("content", text)
    return made


def new_truths(wanted: Wanted, today: date) -> Difference:
    """Return what a row says of a person besides the file itself."""
    return Difference(
        truths=[dated(one, today) for one in wanted.truths], contact=bool(wanted.contact_name), health=dict(wanted.health),
        died_on=wanted.died_on, moved_on=wanted.moved_on,
    )  # fmt: skip


def apply_fields(act: Act, elder: Elder, wanted: Wanted, file: OnFile, keys: Keys, before: Before) -> Difference:
    """Write the changed columns of a locked file, its home, and the ends of circumstances. Raises Refusal; nothing is half written."""
    change = difference(wanted, keys, file, act.today)
    if change.faults:
        fault = change.faults[0]
        raise Refused(fault.code, fault.text, field=fault.field, **fault.values)
    if change.home:
        before.home = [file.div, file.address]
        relocate_elder(actor=act.actor, now=act.now, elder_id=elder.pk, div=change.home[0], address=change.home[1])
        elder.refresh_from_db()
    if change.fields:
        before.fields = {name: [value_of(elder, name), value] for name, value in change.fields.items()}
        set_fields(elder, change.fields, act.now)
    ends = {held.pk: until for held, until in change.ends}
    for row in Circumstance.objects.select_for_update(of=("self",)).filter(pk__in=ends):
        before.ended.append([row.pk, row.valid_to and row.valid_to.isoformat(), ends[row.pk]])
        curtail(row, until=date.fromisoformat(ends[row.pk]), now=act.now)
    return change


_SEALED: dict[str, Callable[[Elder, str], None]] = {"id_number": Elder.set_document, "phone": Elder.set_phone}
_SEALED_COLUMNS = {
    "id_number": ("id_number_enc", "id_number_index", "enc_suite", "enc_kid"),
    "phone": ("phone_enc", "phone_index", "phone_last4", "enc_suite", "enc_kid"),
}


def value_of(elder: Elder, name: str) -> str:
    if name in _SEALED:
        return elder.unseal_field(name)
    value = getattr(elder, name)
    return value.isoformat() if isinstance(value, date) else str(value)


def set_fields(elder: Elder, values: dict[str, str], now: datetime) -> None:
    columns: dict[str, Any] = {}
    for name, value in values.items():
        if name in _SEALED:
            _SEALED[name](elder, value)
            columns |= {column: getattr(elder, column) for column in _SEALED_COLUMNS[name]}
        else:
            columns[name] = date.fromisoformat(value) if name == "born_on" else value
    changed(elder, now=now, **columns)
    if "name" in values:
        write_keys(elder)


def apply_stops(act: Act, elder: Elder, wanted: Wanted, change: Difference, before: Before) -> None:
    """Write a death, a move away or a stay: by the operations that also stop what has to stop."""
    common: dict[str, Any] = {"actor": act.actor, "now": act.now, "elder_id": elder.pk}
    body = (wanted.body or act.body or act.actor.name)[:80]
    stops = [one for one in change.truths if one.kind in STOPPING]
    if change.moved_on:
        stops.append(Truth("moved_away", change.moved_on))
    for one in stops:
        last = date.fromisoformat(one.to) - ONE_DAY if one.to else None
        row = record_circumstance(
            **common, kind=one.kind, valid_from=date.fromisoformat(one.from_), valid_to=last, body=body, evidence=act.title
        )  # fmt: skip
        before.stops.append(row.pk)
    if change.died_on:
        bury_elder(**common, died_on=date.fromisoformat(change.died_on), evidence=act.title)
        before.died = True
