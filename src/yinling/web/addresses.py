"""Addresses by their first part, so that one is looked for among those of its kind and not among a thousand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import URLPattern, include, path


def by_first_part(patterns: Iterable[Any]) -> list[Any]:
    """Gather addresses that begin alike (``orders/...``) below that beginning, in their order; included tables stay as they are."""
    groups: dict[str, list[Any]] = {}
    tables = []
    for one in patterns:
        if not isinstance(one, URLPattern):
            tables.append(one)
            continue
        first, slash, rest = str(one.pattern).partition("/")
        groups.setdefault(first + slash, []).append(path(rest, one.callback, one.default_args, one.name))
    return [*(path(first, include(rest)) for first, rest in groups.items()), *tables]
