"""Making one file of two that are one person, taking it back, and deciding that two are not one person.

A pair on which somebody decided otherwise (a merge that was undone, or never made) has a ``Merge`` with ``undone_at``: it is not
proposed again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from django.apps import apps
from django.db.models import ForeignKey, Model, Q

from yinling.accounts.operations import record
from yinling.directory.rules import require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed
from yinling.kernel.words import N_
from yinling.people.models import Elder, Merge
from yinling.people.operations.elders import open_file
from yinling.people.queries.merging import elder_tables, in_the_way
from yinling.people.rules import Identity, MergeBar, check_mergeable

Kept = Annotated[int, Input(N_("保留的档案"), least=1, widget="hidden")]
Gone = Annotated[int, Input(N_("并入的档案"), least=1, widget="hidden")]


def _identity(elder: Elder) -> Identity:
    return Identity(elder.pk, elder.id_type, elder.id_number_index is not None, elder.died_on)


def _both(actor: Actor, right: str, one_id: int, other_id: int) -> tuple[Elder, Elder]:
    """Lock two files, the lower number first, so that two people merging cannot wait for each other."""
    rows = {number: open_file(number) for number in sorted({one_id, other_id})}
    for row in rows.values():
        require(actor, right, div=row.div)
    return rows[one_id], rows[other_id]


def _check_bar(model: type[Model], column: str, kept: Elder, gone: Elder, now: datetime) -> None:
    bar: MergeBar | None = getattr(model, "merge_bar", None)
    if bar is None:
        return
    today = local_date(now)
    is_open = (
        Q(state__in=bar.states) if bar.states else Q(recorded_to=None) & (Q(valid_to=None) | Q(valid_to__gt=today))
    )
    found: list[set[Any]] = [
        set(model._default_manager.filter(is_open, **{column: row}).values_list(*(bar.alike or (column,))))  # noqa: SLF001
        for row in (kept, gone)
    ]
    if (found[0] & found[1]) if bar.alike else all(found):
        raise NotAllowed(bar.code, bar.sentence)


def _movable(kept: Elder, gone: Elder) -> dict[tuple[type[Model], str], set[int]]:
    """Return the rows that go along: all, but for those that would stand in the way of the kept file's, and what hangs on these."""
    tables = list(elder_tables())
    staying = {model: in_the_way(model, column, kept.pk, gone.pk) for model, column in tables}
    found = {}
    for model, column in tables:
        rows = model._default_manager.filter(**{column: gone.pk})  # noqa: SLF001 - Django's own name
        for field in model._meta.concrete_fields:  # noqa: SLF001 - as above
            if isinstance(field, ForeignKey) and (left := staying.get(field.related_model)):
                rows = rows.exclude(**{f"{field.name}__in": left})
        found[model, column] = set(rows.values_list("pk", flat=True)) - staying[model]
    return found


def _name(model: type[Model], column: str) -> str:
    return f"{model._meta.label}.{column}"  # noqa: SLF001 - Django's own name


@operation("people.elder.merge", label=N_("合并档案"))
def merge_elders(*, actor: Actor, now: datetime, kept_id: Kept, gone_id: Gone, reason: Reason) -> Merge:
    """Make two files of one person one: rows of all tables go to the kept file, the other is closed and leads to it.

    What is written once (journal, ledger) stays where it was written; timelines show both. Rows of other areas go along, for which the
    scope is widened to these two people.
    """
    kept, gone = _both(actor, "people.elder.merge", kept_id, gone_id)
    check_mergeable(_identity(kept), _identity(gone))
    why = required_text(reason, "reason", most=500)
    moved: dict[str, list[int]] = {}
    with scope(replace(actor, elder_ids=(kept.pk, gone.pk))):
        for model, column in elder_tables():
            _check_bar(model, column, kept, gone, now)
        for (model, column), numbers in _movable(kept, gone).items():
            if numbers:
                model._default_manager.filter(pk__in=numbers).update(**{column: kept.pk})  # noqa: SLF001
                moved[_name(model, column)] = sorted(numbers)
        changed(gone, now=now, merged_into=kept)
    merge = Merge.objects.create(
        div=kept.div, kept=kept, gone=gone, reason=why, moved=moved, merged_at=now, merged_by_id=actor.user_id or 0
    )
    counts = {name: len(numbers) for name, numbers in moved.items()}
    changes = {"gone": [None, gone.pk], "moved": [{}, counts]}
    record(actor=actor, now=now, event="people.elder.merge", subject=kept, changes=changes, reason=why)
    for row in (kept, gone):
        tell("elders", pk=row.pk, div=row.div)
    return merge


@operation("people.merge.undo", label=N_("撤销合并"))
def unmerge_elders(*, actor: Actor, now: datetime, merge_id: Id, reason: Reason) -> Merge:
    """Open the closed file again and give it back exactly the rows that it brought."""
    merge = locked(Merge.objects.filter(undone_at=None), merge_id)
    rows = {number: locked(Elder.objects.all(), number) for number in sorted((merge.kept_id, merge.gone_id))}
    for row in rows.values():
        require(actor, "people.merge.undo", div=row.div)
    kept, gone = rows[merge.kept_id], rows[merge.gone_id]
    if kept.merged_into_id is not None:
        raise NotAllowed("merge.later", N_("保留的档案后来又并入了另一份，请先撤销较晚的那次合并"))
    why = required_text(reason, "reason", most=500)
    with scope(replace(actor, elder_ids=(kept.pk, gone.pk))):
        changed(gone, now=now, merged_into=None)
        for name, numbers in merge.moved.items():
            label, _, column = name.rpartition(".")
            rows_moved = apps.get_model(label)._default_manager.filter(pk__in=numbers, **{column: kept.pk})  # noqa: SLF001
            rows_moved.update(**{column: gone.pk})
    merge.undone_at, merge.undone_by_id = now, actor.user_id
    merge.save(update_fields=["undone_at", "undone_by"])
    changes = {"gone": [gone.pk, None], "moved": [{name: len(numbers) for name, numbers in merge.moved.items()}, {}]}
    record(actor=actor, now=now, event="people.merge.undo", subject=kept, changes=changes, reason=why)
    for row in (kept, gone):
        tell("elders", pk=row.pk, div=row.div)
    return merge


@operation("people.elder.separate", label=N_("不是同一人"))
def separate_elders(*, actor: Actor, now: datetime, kept_id: Kept, gone_id: Gone, reason: Reason) -> Merge:
    """Decide that two files that look alike are two people: they are not proposed again."""
    one, other = _both(actor, "people.elder.separate", kept_id, gone_id)
    check_mergeable(
        replace(_identity(one), has_document=False, died_on=None),
        replace(_identity(other), has_document=False, died_on=None),
    )
    why = required_text(reason, "reason", most=500)
    merge = Merge.objects.create(
        div=one.div, kept=one, gone=other, reason=why, moved={}, merged_at=now, merged_by_id=actor.user_id or 0, undone_at=now,
        undone_by_id=actor.user_id,
    )  # fmt: skip
    record(
        actor=actor,
        now=now,
        event="people.elder.separate",
        subject=one,
        changes={"other": [None, other.pk]},
        reason=why,
    )
    return merge
