"""The base of all writing: one operation = one transaction = one right checked = one journal row.

An operation takes keyword arguments only, ``actor`` and ``now`` first. Its arguments carry ``kernel.inputs.Input`` annotations, from
which the screen's form and the API's schema are made. A refused write leaves exactly one journal row and changes nothing else.
"""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import DatabaseError, DataError, connection, models, transaction
from django.utils.module_loading import import_string

from yinling.ground.kept import Given, Kept
from yinling.ground.live import told_together
from yinling.ground.scope import current_scope
from yinling.kernel.inputs import Input
from yinling.kernel.refusals import NotAllowed, NotFound, Refusal, Refused, Stale
from yinling.kernel.words import N_

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Argument:
    """One argument of an operation: its name, Python type, default and what a screen shows of it."""

    name: str
    type: Any
    input: Input
    required: bool
    default: Any = None


@dataclass(frozen=True)
class Operation:
    """One verb of the platform as screens and API see it."""

    name: str
    right: str
    label: str
    function: Callable[..., Any]
    context: str
    noun: str
    verb: str

    @functools.cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """Return the arguments besides actor and now; every one must carry an Input."""
        hints = typing.get_type_hints(self.function, include_extras=True)
        signature = inspect.signature(self.function)
        return tuple(
            _argument(self.name, parameter, hints[parameter.name])
            for parameter in signature.parameters.values()
            if parameter.name not in ("actor", "now")
        )

    @property
    def row_argument(self) -> str:
        """Return the name of the argument that names the row acted on, or nothing."""
        names = [argument.name for argument in self.arguments]
        return f"{self.noun}_id" if f"{self.noun}_id" in names else ""


REGISTRY: dict[str, Operation] = {}


def _argument(name: str, parameter: inspect.Parameter, hint: Any) -> Argument:
    described = next((extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Input)), None)
    if described is None:
        message = f"{name}({parameter.name}) has no Input annotation"
        raise TypeError(message)
    required = parameter.default is inspect.Parameter.empty
    default = None if required else parameter.default
    return Argument(parameter.name, hint.__origin__, described, required, default)


@dataclass
class _Frame:
    checked: set[str] = field(default_factory=set)
    recorded: int = 0
    elder_id: int | None = None


_frames: ContextVar[tuple[_Frame, ...]] = ContextVar("frames", default=())


def note_checked(right: str) -> None:
    """Note that a right was checked (called by ``directory.rules.require``)."""
    if frames := _frames.get():
        frames[-1].checked.add(right)


def note_recorded() -> None:
    """Note that a journal row was written (called by ``accounts.operations.record``)."""
    if frames := _frames.get():
        frames[-1].recorded += 1


def _note_locked(row: models.Model) -> None:
    """Remember whose row is worked on, so that a refusal stands on the elder's timeline."""
    if (frames := _frames.get()) and frames[-1].elder_id is None:
        frames[-1].elder_id = getattr(row, "elder_id", None)


_whole: ContextVar[bool] = ContextVar("whole", default=False)


@contextmanager
def undone_together() -> Iterator[None]:
    """What is refused inside undoes all that is done inside, so that the operation called needs no savepoint of its own."""
    token = _whole.set(True)
    try:
        yield
    finally:
        _whole.reset(token)


@contextmanager
def _frame(frame: _Frame, right: str, name: str) -> Iterator[None]:
    token, whole = _frames.set((*_frames.get(), frame)), _whole.set(False)
    try:
        yield
    finally:
        _frames.reset(token)
        _whole.reset(whole)
    if right not in frame.checked or not frame.recorded:
        message = f"{name} must check {right} and write a journal row"
        raise RuntimeError(message)


def operation(right: str, *, label: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function an operation. ``right`` is ``context.noun.verb``; ``label`` is the Chinese text of its button."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        context, noun, verb = right.split(".")

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            frame = _Frame()
            try:
                with (
                    transaction.atomic(savepoint=not _whole.get()),
                    told_together(),
                    _frame(frame, right, function.__name__),
                ):
                    return function(*args, **kwargs)
            except Refusal as refusal:
                note_refusal(right, refusal, {"elder_id": frame.elder_id} | kwargs)
                raise
            except DatabaseError as error:
                answer = translated(error)
                note_refusal(right, answer, {"elder_id": frame.elder_id} | kwargs)
                raise answer from error

        if function.__name__ in REGISTRY:
            raise ValueError(f"two operations are called {function.__name__}: forms and API know them by name")
        REGISTRY[function.__name__] = Operation(function.__name__, right, label, run, context, noun, verb)
        return run

    return decorate


def note_refusal(right: str, refusal: Refusal, arguments: dict[str, Any]) -> None:
    """Have a refusal journalled once, by the outermost operation or by the screen that did not get as far, after the roll-back."""
    if _frames.get() or refusal.is_noted:
        return
    refusal.is_noted = True
    write = import_string(settings.JOURNAL_WRITER)
    row = functools.partial(write, right=right, refusal=refusal, arguments=arguments)
    if (opened := current_scope()) is not None and connection.in_atomic_block:
        opened.afterwards.append(row)
    else:
        row()


SENTENCES = {
    "23P01": ("taken", N_("这段时间已被占用，请换一个时间或另选一人")),
    "23505": ("twice", N_("已有相同的记录，请刷新页面后查看")),
    "23514": ("check", N_("数据不符合规定，未保存。请检查填写的内容")),
    "23503": ("missing", N_("引用的记录不存在，请刷新页面后重试")),
    "P0001": ("state.not_allowed", N_("当前状态不允许这样做，请刷新页面")),
    "42501": ("outside", N_("这条记录不在您的管辖范围内")),
}
_GUARDED = ("40001", "40P01", "55P03")


def translated(error: DatabaseError) -> Refusal:
    """Translate what the database refused into a refusal; an unknown fault is raised again."""
    cause = error.__cause__
    state = getattr(cause, "sqlstate", "") or ""
    if isinstance(error, DataError):
        return Refused("value.impossible", N_("填写的内容含有无法保存的字符，或者超出了范围，请检查后重新填写"))
    if state in _GUARDED:
        return NotAllowed("busy", N_("别人正在处理同一条记录，请稍后重试"))
    if state not in SENTENCES:
        raise error
    code, sentence = SENTENCES[state]
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", "") or ""
    kind = NotAllowed if state == "P0001" else Refused
    code, sentence = _CONSTRAINTS.get(constraint, (f"database.{code}", sentence))
    return kind(code, sentence)


_CONSTRAINTS: dict[str, tuple[str, str]] = {}


def explain_constraint(name: str, code: str, sentence: str) -> None:
    """Give a constraint its own code and sentence."""
    _CONSTRAINTS[name] = (code, sentence)


def locked(queryset: models.QuerySet[M], pk: int, seen: int | None = None) -> M:
    """Return the row, locked. Raises NotFound, or Stale when the page the actor saw is out of date."""
    row = next(iter(_held(queryset, pk)), None)
    if row is None:
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    _note_locked(row)
    version = getattr(row, "version", None)
    if seen is not None and version is not None and seen != version:
        raise Stale(
            "row.stale", N_("这条记录刚被别人修改过。您填写的内容还在，请刷新后再提交"), seen=seen, version=version
        )
    return row


def _held(queryset: models.QuerySet[M], pk: int) -> Iterable[M]:
    """Read a row and hold it; the words for a whole table are kept, for they cost more than the answer."""
    whole, kept = _of(queryset.model)
    if vars(queryset.query) == vars(whole.query) and not queryset._prefetch_related_lookups:  # type: ignore[attr-defined]  # noqa: SLF001 - Django's own name
        return kept(pk=pk)
    return queryset.select_for_update(of=("self",)).filter(pk=pk)


@functools.cache
def _of(model: type[M]) -> tuple[models.QuerySet[M], Kept[M]]:
    rows = model._default_manager.all()  # noqa: SLF001 - Django's own name
    return rows, Kept(lambda: rows.select_for_update(of=("self",)).filter(pk=Given("pk")))


def changed(row: models.Model, *, now: Any, **values: Any) -> dict[str, list[Any]]:
    """Write new values of a locked row; return ``{field: [before, after]}`` of what differs."""
    changes, fields = _set(row, now, values)
    row.save(update_fields=fields)
    return changes


def changed_each(rows: Sequence[tuple[models.Model, dict[str, Any]]], *, now: Any) -> list[dict[str, list[Any]]]:
    """Write new values of many locked rows of one table, the same columns of each, in one statement; return what differs, row by row."""
    if not rows:
        return []
    found = [_set(row, now, values) for row, values in rows]
    _write([row for row, _values in rows], found[0][1])
    return [changes for changes, _fields in found]


def _set(row: models.Model, now: Any, values: dict[str, Any]) -> tuple[dict[str, list[Any]], list[str]]:
    """Set new values; return what differs and the names of the fields to write."""
    changes = {
        name: [plain(getattr(row, name)), plain(value)] for name, value in values.items() if getattr(row, name) != value
    }
    for name, value in values.items():
        setattr(row, name, value)
    fields = list(values)
    if hasattr(row, "version"):
        row.version = row.version + 1
        row.changed_at = now  # type: ignore[attr-defined]
        fields += ["version", "changed_at"]
    return changes, fields


def _write(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Update columns of rows, each its own values: ``bulk_update`` takes a second for a street, this some milliseconds."""
    sql, fields = _update_of(type(rows[0]), tuple(names))
    values = [[one.get_db_prep_save(getattr(row, one.attname), connection) for row in rows] for one in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        if cursor.rowcount != len(rows):
            message = f"{cursor.rowcount} of {len(rows)} rows of {rows[0]._meta.db_table} were written"  # noqa: SLF001 - Django's own name
            raise DatabaseError(message)


@functools.cache
def _update_of(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, list[Any]]:
    meta, quote = model._meta, connection.ops.quote_name  # noqa: SLF001 - Django's own name
    fields: list[Any] = [
        one for one in meta.concrete_fields if one.primary_key or one.name in names or one.attname in names
    ]
    columns = [quote(one.column) for one in fields]
    # The sub-selects hide from the planner how many rows there are, so that one prepared plan serves one row and a thousand.
    arrays = ", ".join(f"(SELECT %s::{one.db_type(connection)}[])" for one in fields)
    sets = ", ".join(f"{quote(one.column)} = new.{quote(one.column)}" for one in fields if not one.primary_key)
    own = next(quote(one.column) for one in fields if one.primary_key)
    sql = f"UPDATE {quote(meta.db_table)} AS old SET {sets} FROM unnest({arrays}) AS new({', '.join(columns)}) "  # noqa: S608 - names of the model
    return f"{sql}WHERE old.{own} = new.{own}", fields


_PRIVATE = re.compile(r"(_enc|_index|phone|id_number|^password)")


def plain(value: Any) -> Any:
    """Return a value as the journal stores it."""
    if isinstance(value, models.Model):
        return value.pk
    if value is None or isinstance(value, bool | int | float | str):
        return value if not isinstance(value, str) else str(value)
    return str(value)


def is_private(name: str) -> bool:
    """Whether a field's value must not stand in the journal in clear."""
    return bool(_PRIVATE.search(name))
