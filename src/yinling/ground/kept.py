"""Questions whose SQL is made once a process: what every request asks costs more to put into words than to answer.

    holding = Kept(lambda: Grant.objects.filter(user_id=Given("user_id")).order_by("id"))
    holding(user_id=7)  # the grants, asked anew each time

Only words are kept, never an answer. The ORM writes them, so that a question has one source and fills models as everywhere else.
``Entry`` does the same for writing a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.db import connection
from django.db.models import BooleanField, Expression, F, Func, Model, Q, QuerySet
from django.db.models.query import get_related_populators

if TYPE_CHECKING:
    from yinling.kernel.actor import Actor

M = TypeVar("M", bound=Model)


class Given(Expression):
    """A value that is named when the question is made and given when it is asked."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, _compiler: Any, _connection: Any) -> Any:
        """Stand for itself among the parameters."""
        return "%s", [self]


def one_of(column: str, name: str, kind: str = "bigint") -> Func:
    """Return the condition that a column is one of a list that is given.

    The sub-select hides from the planner how long the list is, so that one plan serves one row and a thousand.
    """
    parts = {"template": f"%(expressions)s::{kind}[])::{kind}[])", "arg_joiner": " = ANY ((SELECT "}
    return Func(F(column), Given(name), output_field=BooleanField(), **parts)


class Kept(Generic[M]):
    """A question for rows of a model, or for columns. Its words must be the same for all values: lists come through ``one_of``."""

    def __init__(self, make: Callable[[], QuerySet[M]]) -> None:
        self._make = make

    def __call__(self, **values: Any) -> list[M]:
        """Ask it with these values."""
        return list(self._models(self._answer(values)))

    def rows(self, **values: Any) -> list[Any]:
        """Ask for columns (``values_list``) with these values."""
        return list(self._answer(values))

    def _answer(self, values: dict[str, Any]) -> Iterable[Any]:
        sql, given, compiler, converters = self._said
        with connection.cursor() as cursor:
            cursor.execute(sql, [values[one.name] if isinstance(one, Given) else one for one in given])
            found = cursor.fetchall()
        return compiler.apply_converters(found, converters) if converters else found

    @cached_property
    def _said(self) -> tuple[str, tuple[Any, ...], Any, Any]:
        """Its SQL, its parameters, the compiler that made them and knows what the columns are, and what makes values of these."""
        queryset = self._make()
        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, given = compiler.as_sql()
        return sql, given, compiler, compiler.get_converters([column[0] for column in compiler.select])

    @cached_property
    def _columns(self) -> tuple[Any, ...]:
        compiler = self._said[2]
        told, select = compiler.klass_info, compiler.select
        own = slice(told["select_fields"][0], told["select_fields"][-1] + 1)
        names = [column[0].target.attname for column in select[own]]
        related = get_related_populators(told, select, connection.alias)  # type: ignore[call-arg]  # of a later Django
        return told["model"], own, names, related, list(compiler.annotation_col_map.items())

    def _models(self, rows: Iterable[Any]) -> Iterator[M]:
        """Fill models as the ORM itself does."""
        model, own, names, related, annotations = self._columns
        for row in rows:
            found = model.from_db(connection.alias, names, row[own])
            for one in related:
                one.populate(row, found)
            for name, place in annotations:
                setattr(found, name, row[place])
            yield found


IN_AREA = Q(div__gte=Given("area"), div__lt=Given("beyond"))


class KeptFor(Generic[M]):
    """A question for what an actor may see of a model. Its words are kept for who sees an area, as most do, and made anew for others."""

    def __init__(self, model: Any, make: Callable[..., QuerySet[M]], *names: str) -> None:
        self._rows, self._make = model.objects, make
        given = {name: Given(name) for name in names}
        self._kept = Kept(lambda: make(model.objects.filter(IN_AREA), **given))

    def __call__(self, actor: Actor, **values: Any) -> list[M]:
        """Ask it for an actor, with these values."""
        if actor.div and actor.organisation_id is None and not actor.elder_ids:
            return self._kept(area=actor.div, beyond=actor.div + ":", **values)
        return list(self._make(self._rows.visible_to(actor), **values))


class Entry(Generic[M]):
    """Writing rows of a model: one by words made once, many by the ORM. What has a default in the database is left to it."""

    def __init__(self, model: type[M]) -> None:
        self._model = model

    def __call__(self, rows: Sequence[M]) -> None:
        """Write new rows."""
        if len(rows) != 1:
            self._model._default_manager.bulk_create(rows, batch_size=2000)  # noqa: SLF001 - Django's own name
            return
        (row,), (sql, fields) = rows, self._said
        with connection.cursor() as cursor:
            cursor.execute(sql, [one.get_db_prep_save(one.pre_save(row, True), connection) for one in fields])  # noqa: FBT003 - Django's own
            (row.pk,) = cursor.fetchone()
        row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - as the ORM does

    @cached_property
    def _said(self) -> tuple[str, list[Any]]:
        meta: Any = self._model._meta  # noqa: SLF001 - Django's own name
        quote = connection.ops.quote_name
        fields = [one for one in meta.concrete_fields if not (one.primary_key or one.has_db_default())]
        columns, places = ", ".join(quote(one.column) for one in fields), ", ".join("%s" for _one in fields)
        own = quote(meta.pk.column)
        return f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({places}) RETURNING {own}", fields  # noqa: S608 - names of the model
