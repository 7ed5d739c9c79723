"""Questions whose SQL is made once a process: what every request asks costs more to put into words than to answer.

    holding = Kept(lambda: Grant.objects.filter(user_id=Given("user_id")).order_by("id"))
    holding(user_id=7)  # the grants, asked anew each time

Only words are kept, never an answer. The ORM writes them, so that a question has one source and fills models as everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import BooleanField, Expression, F, Func, Model, QuerySet
from django.db.models.query import get_related_populators

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
