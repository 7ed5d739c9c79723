"""Taking back what the rows of a sheet wrote. What somebody changed since, or refers to, stays."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from datetime import date
from typing import Any

from django.db import IntegrityError, connection, transaction

from yinling.ground.facts import curtail
from yinling.kernel.period import ONE_DAY
from yinling.people.models import Circumstance, Contact, Elder, ElderKey, HealthFact, Household, ImportLine
from yinling.people.operations.circumstances import end_circumstance
from yinling.people.operations.elders import correct_death, relocate_elder
from yinling.people.operations.import_writing import Act, Before, set_fields, value_of

GONE, REFERENCED, CHANGED = "undo.gone", "undo.referenced", "undo.changed"
_OWN = (ElderKey, ImportLine, Circumstance, Contact, HealthFact)


def take_back(act: Act, elder: Elder, before: Before) -> str:
    """Undo what a line wrote on a locked file that was there before; return the code of what had to stay, or nothing."""
    take_back_stops(act, elder, before)
    elder.refresh_from_db()
    _off_record(act, before)
    kept = _restore_fields(act, elder, before)
    home = Household.objects.get(pk=elder.household_id)
    if before.home and [elder.div, home.address] != before.home:
        relocate_elder(actor=act.actor, now=act.now, elder_id=elder.pk, div=before.home[0], address=before.home[1])
    return kept


def take_back_stops(act: Act, elder: Elder, before: Before) -> None:
    """Undo a death, a move or a stay, by the operations that let go on what was stopped."""
    common: dict[str, Any] = {"actor": act.actor, "now": act.now, "reason": act.title}
    if before.died and elder.died_on:
        correct_death(elder_id=elder.pk, **common)
    for row in Circumstance.objects.filter(pk__in=before.stops, recorded_to=None):
        end_circumstance(circumstance_id=row.pk, valid_to=row.valid_from - ONE_DAY, **common)


def _off_record(act: Act, before: Before) -> None:
    """Take facts the import added off the record, and let the ones it ended hold again."""
    for row in Circumstance.objects.select_for_update(of=("self",)).filter(pk__in=before.truths, recorded_to=None):
        curtail(row, until=row.valid_from, now=act.now)
    for fact in HealthFact.objects.select_for_update(of=("self",)).filter(pk__in=before.health, recorded_to=None):
        curtail(fact, until=fact.valid_from, now=act.now)
    Contact.objects.filter(pk__in=before.contacts).delete()
    for pk, former, until in before.ended:
        ended = Circumstance.objects.select_for_update(of=("self",)).filter(pk=pk).first()
        if ended is not None:
            _hold_again(act, ended, date.fromisoformat(former) if former else None, until)


def _hold_again(act: Act, row: Circumstance, former: date | None, until: str) -> None:
    """Let a fact hold as long as before; what was on record in between is kept."""
    kept = copy(row)
    kept._state = copy(row._state)  # noqa: SLF001 - Django's own way to copy a row
    kept.pk, kept._state.adding = None, True  # noqa: SLF001 - as above
    if row.recorded_to is not None:
        kept.valid_to, kept.recorded_from, kept.recorded_to = former, act.now, None
        kept.save(force_insert=True)
    elif row.valid_to == date.fromisoformat(until):
        kept.recorded_to = act.now
        kept.save(force_insert=True)
        row.valid_to, row.recorded_from = former, act.now
        row.save(update_fields=["valid_to", "recorded_from"])


def _restore_fields(act: Act, elder: Elder, before: Before) -> str:
    """Give columns their old values where they still have the ones the import wrote."""
    own = {name: old for name, (old, written) in before.fields.items() if value_of(elder, name) == written}
    if own:
        set_fields(elder, own, act.now)
    return CHANGED if len(own) < len(before.fields) else ""


def remove_files(rows: Sequence[tuple[ImportLine, Before]]) -> set[int]:
    """Delete the files that an import created and nothing else refers to; return the numbers of those removed."""
    numbers = {line.elder_id for line, _ in rows if line.elder_id}
    numbers -= _referenced(numbers, rows)
    if not numbers:
        return set()
    try:
        with transaction.atomic(), connection.cursor() as cursor:  # a reference that the actor cannot see is still one
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            _delete(numbers)
    except IntegrityError:
        half = len(rows) // 2
        return set() if len(rows) == 1 else remove_files(rows[:half]) | remove_files(rows[half:])
    return {number for number in numbers if number}


def _delete(numbers: set[int]) -> None:
    homes = dict(Elder.objects.filter(pk__in=numbers).values_list("household_id", "created_at"))
    ImportLine.objects.filter(elder_id__in=numbers).update(elder=None)
    for model in (ElderKey, Circumstance, Contact, HealthFact):
        rows = model.objects.filter(elder_id__in=numbers)  # type: ignore[attr-defined]
        rows._raw_delete(rows.db)  # noqa: SLF001 - a plain DELETE: who refers to them was looked up for all at once
    files = Elder.objects.filter(pk__in=numbers)
    files._raw_delete(files.db)  # noqa: SLF001 - as above
    in_use = set(Elder.objects.filter(household_id__in=homes).values_list("household_id", flat=True))
    empty = Household.objects.filter(pk__in=set(homes) - in_use, created_at__in=set(homes.values()))
    empty._raw_delete(empty.db)  # noqa: SLF001 - as above


def _referenced(numbers: set[int], rows: Sequence[tuple[ImportLine, Before]]) -> set[int]:
    """Return the files that something refers to besides what the import itself wrote."""
    own: dict[type, list[int]] = {Circumstance: [], Contact: [], HealthFact: []}
    for _line, before in rows:
        own[Circumstance] += before.truths + before.stops
        own[Contact] += before.contacts
        own[HealthFact] += before.health
    foreign = Circumstance.objects.filter(recorded_to=None).exclude(pk__in=own[Circumstance])
    found = _elders_in(foreign, "elder", numbers)
    found |= _elders_in(HealthFact.objects.filter(recorded_to=None).exclude(pk__in=own[HealthFact]), "elder", numbers)
    found |= _elders_in(Contact.objects.exclude(pk__in=own[Contact]), "elder", numbers)
    mine = {line.sheet_import_id for line, _ in rows}
    others = ImportLine.objects.exclude(before_enc=None).exclude(sheet_import_id__in=mine)
    found |= _elders_in(others, "elder", numbers)
    for relation in Elder._meta.get_fields(include_hidden=True):  # noqa: SLF001 - Django's own name
        model, column = getattr(relation, "related_model", None), getattr(relation, "field", None)
        is_reference = relation.auto_created and not relation.concrete and column is not None
        if is_reference and model not in _OWN and getattr(column, "db_constraint", False):
            found |= _elders_in(model._base_manager.all(), column.name, numbers)  # type: ignore[union-attr]  # noqa: SLF001 - as above
    return found


def _elders_in(rows: Any, name: str, numbers: set[int]) -> set[int]:
    return set(rows.filter(**{f"{name}__in": numbers}).values_list(name, flat=True))
